//! Names of the labels and annotations that manifests, policies and people rely on (design, sections 3 and 5).

/// Username of the requester; stamped by the API server at create.
pub const REQUESTED_BY: &str = "govcloud.dev/requested-by";
/// The authority's verdict: `approved`, `rejected` or `returned`.
pub const DECISION: &str = "govcloud.dev/decision";
/// The `metadata.generation` that the authority read before deciding.
pub const REVIEWED_GENERATION: &str = "govcloud.dev/reviewed-generation";
/// The authority's opinion (Art. 12); required with `rejected` and `returned`.
pub const OPINION: &str = "govcloud.dev/opinion";
/// Username of the approver; stamped by the API server with the decision.
pub const DECIDED_BY: &str = "govcloud.dev/decided-by";
/// Username of the person who gave the department's consent; stamped by the API server (Art. 23).
pub const CONSENTED_BY: &str = "govcloud.dev/consented-by";
/// Withdrawal by the department: equals the record's UID.
pub const WITHDRAW: &str = "govcloud.dev/withdraw";
/// UIDs of existing tenant namespaces that a recreated record takes back, named by the authority.
pub const REATTACH: &str = "govcloud.dev/reattach";
/// UIDs of running systems' namespaces that an application adopts, named by the authority (Art. 3).
pub const ADOPT: &str = "govcloud.dev/adopt";
/// On the namespace of a running system: the UID of the CloudApplication to which its present holder gives it (Art. 3).
/// Policy lets only a holder of the verb `adopt-out` write it.
pub const ADOPT_OUT: &str = "govcloud.dev/adopt-out";
/// On an adopted tenant namespace, as a label: how far the rules are enforced there, `observe` or a facet. It only moves on.
pub const ADOPTED: &str = "govcloud.dev/adopted";
/// On a tenant namespace that a recreated record took back: the `application-uid` labels that it had before, the latest
/// first, separated by commas.
pub const REATTACHED_FROM: &str = "govcloud.dev/reattached-from";
/// On a tenant namespace: equals its UID once an authorised exit reclaims it.
pub const RECLAIM: &str = "govcloud.dev/reclaim";
/// On a tenant's volume that an exit destroys: username of the person who deletes it by hand. Policy lets people delete one
/// only with their own name here, and the certificate repeats it.
pub const REMOVED_BY: &str = "govcloud.dev/removed-by";
/// On such a volume, as a label: its UID, once the operator has recorded who deletes it. Policy lets nobody delete it before.
pub const REMOVAL_RECORDED: &str = "govcloud.dev/removal-recorded";
/// On a CRD of this project: equals its UID when its removal is meant.
pub const ALLOW_REMOVAL: &str = "govcloud.dev/allow-removal";

/// UID of the CloudApplication that a tenant object or volume belongs to. The operator's alone.
pub const APPLICATION_UID: &str = "govcloud.dev/application-uid";
/// Name of that CloudApplication.
pub const APPLICATION: &str = "govcloud.dev/application";
/// Filing namespace of that CloudApplication: the department.
pub const DEPARTMENT: &str = "govcloud.dev/department";
/// Region code that the tenant object belongs to.
pub const REGION: &str = "govcloud.dev/region";
/// Entry of `spec.namespaces` that a tenant namespace belongs to.
pub const ENTRY: &str = "govcloud.dev/entry";
/// The manager of a tenant object: [`crate::OPERATOR_NAME`].
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// On a tenant namespace: the storage classes a PVC may name, sorted, separated by commas. Policy reads it through
/// `namespaceObject` (S5); no quota can forbid a class that is not known beforehand.
pub const STORAGE_CLASSES: &str = "govcloud.dev/storage-classes";
/// On a tenant namespace: resources that a container may ask for beside CPU, memory and ephemeral storage, from the keys
/// of its quota. A list like [`STORAGE_CLASSES`], as are the following.
pub const EXTENDED_RESOURCES: &str = "govcloud.dev/extended-resources";
/// On a tenant namespace: the PriorityClasses that a pod may name.
pub const PRIORITY_CLASSES: &str = "govcloud.dev/priority-classes";
/// On a tenant namespace: the RuntimeClasses that a pod may name.
pub const RUNTIME_CLASSES: &str = "govcloud.dev/runtime-classes";
/// On a tenant namespace: the VolumeAttributesClasses that a PVC may name.
pub const VOLUME_ATTRIBUTES_CLASSES: &str = "govcloud.dev/volume-attributes-classes";
/// On a tenant namespace: the CSI drivers that may provide inline volumes.
pub const CSI_DRIVERS: &str = "govcloud.dev/csi-drivers";
/// On a tenant namespace: keys of the taints that a pod may tolerate.
pub const TAINTS: &str = "govcloud.dev/taints";
/// On a tenant namespace: the IngressClasses that an Ingress may name.
pub const INGRESS_CLASSES: &str = "govcloud.dev/ingress-classes";
/// On a tenant namespace: the host names that an Ingress may serve.
pub const INGRESS_HOSTS: &str = "govcloud.dev/ingress-hosts";
/// On a namespace: records of this region may be filed here.
pub const FILING_REGION: &str = "govcloud.dev/filing-region";
/// On a filing namespace, as a label: `true` while it holds records that are not over. Policy lets nobody delete it then, and
/// nobody but the operator take the mark off.
pub const OPEN_RECORDS: &str = "govcloud.dev/open-records";
/// On a Statement: the department's confirmation, equal to its `spec.digest` (Art. 6, 26).
pub const CONFIRM: &str = "govcloud.dev/confirm";
/// Username of the person who confirmed for the department; stamped by the API server with the confirmation.
pub const CONFIRMED_BY: &str = "govcloud.dev/confirmed-by";
/// On a Statement: the provider's objection, a reason for people. It stands until it is removed.
pub const OBJECTION: &str = "govcloud.dev/objection";
/// Username of the person who objected for the provider; stamped by the API server with the objection.
pub const OBJECTED_BY: &str = "govcloud.dev/objected-by";
/// On a filing namespace, as a label: the last month up to which every month of the department is settled, `2026-10`. Policy
/// lets nobody delete a record that a later month is computed from, and nobody but the operator write the mark.
pub const SETTLED_THROUGH: &str = "govcloud.dev/settled-through";
/// On a ServiceCatalog, as a label: `true` once a statement was computed by it. Policy lets nobody change or delete it then.
pub const BILLED: &str = "govcloud.dev/billed";
/// On a volume that outlives its application: it is retained by the department's consent (Art. 23).
pub const RETAINED: &str = "govcloud.dev/retained";
