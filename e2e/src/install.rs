//! Installs the project into a cluster, and waits until it is in force.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DynamicObject, PostParams};
use kube::{Api, Client};

use crate::actors::Actor;
use crate::control_plane::ControlPlane;
use crate::kind::Kind;
use crate::kubectl::Kubectl;
use crate::paths::in_repository;
use crate::wait::eventually;

/// Longest time of a policy from stored to enforced.
const ACTIVATION: Duration = Duration::from_secs(60);

/// The class whose volumes are real directories that stay until somebody decides about them.
const STORAGE_CLASS: &str = r#"
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: hostpath
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/host-path
reclaimPolicy: Retain
volumeBindingMode: Immediate
"#;

/// Installs everything, as a cluster administrator would, and waits until it is in force.
pub async fn everything(plane: &ControlPlane) -> Result<()> {
    let admin = plane.kubectl(Actor::Admin);
    storage_class(&admin).await?;
    crds(&admin).await?;
    rbac(&admin).await?;
    flow_control(&admin).await?;
    admission(&admin, &plane.client(Actor::Admin).await?).await?;
    calendars(&admin).await
}

/// The StorageClass `hostpath`, `Retain`.
pub async fn storage_class(admin: &Kubectl) -> Result<()> {
    admin.apply(STORAGE_CLASS).await.map(drop)
}

/// `crds/`, until every one of them is served.
pub async fn crds(admin: &Kubectl) -> Result<()> {
    admin.apply_path(&in_repository("crds")).await?;
    let names = govcloud_api::crds().into_iter().filter_map(|crd| crd.metadata.name);
    let names: Vec<String> = names.map(|name| format!("crd/{name}")).collect();
    let wait = ["wait", "--for=condition=Established", "--timeout=60s"].map(str::to_owned);
    admin.run(&[&wait[..], &names].concat()).await.map(drop)
}

/// `config/rbac`: the operator's rights, and those of the groups that the actors are in.
pub async fn rbac(admin: &Kubectl) -> Result<()> {
    admin.apply_path(&in_repository("config/rbac")).await.map(drop)
}

/// `config/flowcontrol`: departments take turns in the API server.
pub async fn flow_control(admin: &Kubectl) -> Result<()> {
    admin.apply_path(&in_repository("config/flowcontrol")).await.map(drop)
}

/// `config/admission`, until it is enforced.
pub async fn admission(admin: &Kubectl, client: &Client) -> Result<()> {
    admin.apply_path(&in_repository("config/admission")).await?;
    wait_policies_active(admin, client).await?;
    records_accepted(client).await
}

/// Waits until records can be filed where mutating policies stand. The API server looks every five seconds which schemas
/// there are, and until it has seen those of a new CRD it answers 503 to whatever such a policy matches.
pub async fn records_accepted(client: &Client) -> Result<()> {
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    for kind in Kind::ALL {
        let resource = kind.resource();
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
        let empty = DynamicObject::new("nothing-in-it", &resource);
        let probe = || async {
            match api.create(&dry_run, &empty).await {
                Err(kube::Error::Api(status)) if status.code == 503 => bail!("{}", status.message),
                // Its validity does not matter here.
                Ok(_) | Err(kube::Error::Api(_)) => Ok(Some(())),
                Err(error) => Err(error).context("the empty record"),
            }
        };
        eventually(&format!("{} accepted", resource.plural), ACTIVATION, probe).await?;
    }
    Ok(())
}

/// `config/calendars`: the WorkCalendars, when that room has been furnished.
pub async fn calendars(admin: &Kubectl) -> Result<()> {
    admin.apply_path(&in_repository("config/calendars")).await.map(drop)
}

/// `config/samples`: the two regions, who holds which verb on them, and the people with their filing namespaces.
/// Waits until the operator, if there is one, has found the regions in order.
pub async fn samples(admin: &Kubectl, operating: bool) -> Result<()> {
    for sample in ["region-410000.yaml", "region-410100.yaml", "rbac", "personas.yaml"] {
        admin.apply_path(&in_repository("config/samples").join(sample)).await?;
    }
    if operating {
        admin.run(&["wait", "regions", "--all", "--for=condition=Ready", "--timeout=60s"]).await?;
    }
    Ok(())
}

/// Waits until every admission policy that is stored now is enforced.
///
/// The API server takes policies and bindings from one watch each, in order, and puts all that it has seen in
/// force together. So a marker created after them tells that they are: a mutating policy labels a ConfigMap of a
/// name that nobody else uses, and a validating one denies whatever carries that label. The denial of a dry run
/// shows that both are active, and every policy before them. Before Kubernetes 1.36 there is nothing mutating, and the
/// ConfigMap of the dry run brings the label itself.
pub async fn wait_policies_active(admin: &Kubectl, client: &Client) -> Result<()> {
    let name = format!("govcloud-marker-{:x}", Timestamp::now().as_nanosecond());
    let served = client.list_api_group_resources("admissionregistration.k8s.io/v1").await?;
    let stamps = served.resources.iter().any(|r| r.name == "mutatingadmissionpolicies");
    let wanted = MARKERS.split("---").filter(|d| stamps || !d.contains("kind: Mutating"));
    let markers = wanted.collect::<Vec<_>>().join("---").replace("MARKER", &name);
    admin.apply(&markers).await?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.clone());
    if !stamps {
        map.metadata.labels = Some([("govcloud.dev/marker".to_owned(), name.clone())].into());
    }
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let probe = || async {
        match maps.create(&dry_run, &map).await {
            Err(kube::Error::Api(status)) if status.message.contains("marker is enforced") => Ok(Some(())),
            Err(error) => Err(error).context("the marker"),
            Ok(_) => bail!("the marker is not denied"),
        }
    };
    let active = eventually("admission policies in force", ACTIVATION, probe).await;
    for kind in KINDS.into_iter().filter(|k| stamps || !k.starts_with("mutating")) {
        admin.run(&["delete", kind, &name, "--ignore-not-found"]).await?;
    }
    active
}

const KINDS: [&str; 4] = [
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
];

const MARKERS: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: MARKER}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps], resourceNames: [MARKER]}
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{labels: {"govcloud.dev/marker": "MARKER"}}}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: MARKER}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps], resourceNames: [MARKER]}
  validations:
  - expression: '!has(object.metadata.labels) || !("govcloud.dev/marker" in object.metadata.labels)'
    message: marker is enforced
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: MARKER}
spec: {policyName: MARKER}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: MARKER}
spec: {policyName: MARKER, validationActions: [Deny]}
"#;
