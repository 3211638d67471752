//! Resources of the API server that this project reads or writes: version, plural and kind, each stated here alone.

use kube::core::{ApiResource, GroupVersionKind};

use crate::API_VERSION;

/// A resource type of the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceType {
    /// `group/version`, or `v1`.
    pub api_version: &'static str,
    /// Plural name, as in URLs and RBAC rules.
    pub plural: &'static str,
    /// Kind, as in manifests.
    pub kind: &'static str,
}

impl ResourceType {
    const fn new(api_version: &'static str, plural: &'static str, kind: &'static str) -> Self {
        Self { api_version, plural, kind }
    }

    /// The form that kube's dynamic API takes.
    #[must_use]
    pub fn api_resource(self) -> ApiResource {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", self.api_version));
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, self.kind), self.plural)
    }
}

/// CloudApplication.
pub const CLOUD_APPLICATION: ResourceType =
    ResourceType::new(API_VERSION, "cloudapplications", "CloudApplication");
/// ResourceGrant.
pub const RESOURCE_GRANT: ResourceType = ResourceType::new(API_VERSION, "resourcegrants", "ResourceGrant");
/// ChangeRequest.
pub const CHANGE_REQUEST: ResourceType = ResourceType::new(API_VERSION, "changerequests", "ChangeRequest");
/// Decommission.
pub const DECOMMISSION: ResourceType = ResourceType::new(API_VERSION, "decommissions", "Decommission");
/// Region.
pub const REGION: ResourceType = ResourceType::new(API_VERSION, "regions", "Region");
/// WorkCalendar.
pub const WORK_CALENDAR: ResourceType = ResourceType::new(API_VERSION, "workcalendars", "WorkCalendar");
/// ServiceCatalog.
pub const SERVICE_CATALOG: ResourceType = ResourceType::new(API_VERSION, "servicecatalogs", "ServiceCatalog");
/// Statement.
pub const STATEMENT: ResourceType = ResourceType::new(API_VERSION, "statements", "Statement");
/// ComplianceRecord.
pub const COMPLIANCE_RECORD: ResourceType =
    ResourceType::new(API_VERSION, "compliancerecords", "ComplianceRecord");
/// Inspection.
pub const INSPECTION: ResourceType = ResourceType::new(API_VERSION, "inspections", "Inspection");
/// Assessment.
pub const ASSESSMENT: ResourceType = ResourceType::new(API_VERSION, "assessments", "Assessment");

/// Namespace.
pub const NAMESPACE: ResourceType = ResourceType::new("v1", "namespaces", "Namespace");
/// ResourceQuota.
pub const RESOURCE_QUOTA: ResourceType = ResourceType::new("v1", "resourcequotas", "ResourceQuota");
/// LimitRange.
pub const LIMIT_RANGE: ResourceType = ResourceType::new("v1", "limitranges", "LimitRange");
/// NetworkPolicy.
pub const NETWORK_POLICY: ResourceType =
    ResourceType::new("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy");
/// RoleBinding.
pub const ROLE_BINDING: ResourceType =
    ResourceType::new("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding");
/// PersistentVolumeClaim.
pub const PERSISTENT_VOLUME_CLAIM: ResourceType =
    ResourceType::new("v1", "persistentvolumeclaims", "PersistentVolumeClaim");
/// PersistentVolume.
pub const PERSISTENT_VOLUME: ResourceType = ResourceType::new("v1", "persistentvolumes", "PersistentVolume");
/// StorageClass.
pub const STORAGE_CLASS: ResourceType =
    ResourceType::new("storage.k8s.io/v1", "storageclasses", "StorageClass");
/// VolumeSnapshot.
pub const VOLUME_SNAPSHOT: ResourceType =
    ResourceType::new("snapshot.storage.k8s.io/v1", "volumesnapshots", "VolumeSnapshot");
/// VolumeSnapshotContent.
pub const VOLUME_SNAPSHOT_CONTENT: ResourceType =
    ResourceType::new("snapshot.storage.k8s.io/v1", "volumesnapshotcontents", "VolumeSnapshotContent");

/// CustomResourceDefinition.
pub const CUSTOM_RESOURCE_DEFINITION: ResourceType =
    ResourceType::new("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition");
/// Event.
pub const EVENT: ResourceType = ResourceType::new("events.k8s.io/v1", "events", "Event");
/// ConfigMap.
pub const CONFIG_MAP: ResourceType = ResourceType::new("v1", "configmaps", "ConfigMap");

const ADMISSION: &str = "admissionregistration.k8s.io/v1";

/// ValidatingAdmissionPolicy.
pub const VALIDATING_ADMISSION_POLICY: ResourceType =
    ResourceType::new(ADMISSION, "validatingadmissionpolicies", "ValidatingAdmissionPolicy");
/// MutatingAdmissionPolicy, served from Kubernetes 1.36 on (KEP-3962).
pub const MUTATING_ADMISSION_POLICY: ResourceType =
    ResourceType::new(ADMISSION, "mutatingadmissionpolicies", "MutatingAdmissionPolicy");
/// MutatingAdmissionPolicyBinding, served with its policies.
pub const MUTATING_ADMISSION_POLICY_BINDING: ResourceType =
    ResourceType::new(ADMISSION, "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding");
/// MutatingWebhookConfiguration.
pub const MUTATING_WEBHOOK_CONFIGURATION: ResourceType =
    ResourceType::new(ADMISSION, "mutatingwebhookconfigurations", "MutatingWebhookConfiguration");

/// Kinds of admission policies and their bindings.
pub const ADMISSION_POLICIES: [ResourceType; 4] = [
    VALIDATING_ADMISSION_POLICY,
    ResourceType::new(ADMISSION, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
    MUTATING_ADMISSION_POLICY,
    MUTATING_ADMISSION_POLICY_BINDING,
];
/// Kinds that can rewrite a request before it is validated, whoever wrote them.
pub const MUTATORS: [ResourceType; 3] =
    [MUTATING_ADMISSION_POLICY, MUTATING_ADMISSION_POLICY_BINDING, MUTATING_WEBHOOK_CONFIGURATION];
