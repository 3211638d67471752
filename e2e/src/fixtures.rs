//! Fixtures: the regions of `config/samples`, and departments, each with a filing namespace, the rights of its actors and
//! the steps of a life.
//!
//! Every step goes through the API as the actor who takes it; waiting is on the record's status.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

use crate::actors::{self, Actor};
use crate::cluster::Cluster;
pub use crate::kind::Kind;
use crate::paths::in_repository;
use crate::volumes;
use crate::wait::{eventually, until};

/// Longest time of one step of a life.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The province's region.
pub const HENAN: &str = "410000";
/// The city's region.
pub const ZHENGZHOU: &str = "410100";

/// The regions of `config/samples` with the verbs on them, ready for applications.
pub async fn regions(cluster: &Cluster) -> Result<()> {
    regions_without_operator(cluster).await?;
    regions_ready(cluster).await
}

/// Applies the regions and their roles without waiting for the operator.
pub async fn regions_without_operator(cluster: &Cluster) -> Result<()> {
    let admin = cluster.kubectl(Actor::Admin);
    for file in ["region-410000.yaml", "region-410100.yaml", "rbac"] {
        admin.apply_path(&in_repository("config/samples").join(file)).await?;
    }
    Ok(())
}

/// Waits until the operator says that both regions can be used.
pub async fn regions_ready(cluster: &Cluster) -> Result<()> {
    let resource = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let resource = ApiResource::from_gvk_with_plural(&resource, "regions");
    let api: Api<DynamicObject> = Api::all_with(cluster.client(Actor::Admin).await?, &resource);
    for code in [HENAN, ZHENGZHOU] {
        let ready = |r: &DynamicObject| condition(&r.data["status"], "Ready")["status"] == "True";
        until(api.clone(), code, "is ready", PATIENCE, ready).await?;
    }
    Ok(())
}

/// A manifest of `config/samples`.
pub fn sample(file: &str) -> Result<Value> {
    let path = in_repository("config/samples").join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("{}", path.display()))
}

/// A condition of a status; null where there is none.
pub fn condition<'a>(status: &'a Value, type_: &str) -> &'a Value {
    let conditions = status["conditions"].as_array();
    conditions.and_then(|c| c.iter().find(|c| c["type"] == type_)).unwrap_or(&Value::Null)
}

/// Department with a filing namespace.
#[derive(Clone)]
pub struct Department {
    cluster: Arc<Cluster>,
    /// The filing namespace.
    pub namespace: String,
    /// The region in which it files.
    pub region: String,
    /// Actor that files.
    pub applicant: Actor,
    /// Actor that decides.
    pub authority: Actor,
    /// Longest time of one step of a life here.
    pub patience: Duration,
}

impl Department {
    /// A department whose actors have their rights already.
    pub fn at(cluster: &Arc<Cluster>, namespace: &str, region: &str) -> Self {
        let (applicant, authority) = match region {
            ZHENGZHOU => (Actor::OtherDepartment, Actor::Authority410100),
            _ => (Actor::Department, Actor::Authority410000),
        };
        let (cluster, namespace, region) = (cluster.clone(), namespace.to_owned(), region.to_owned());
        Self { cluster, namespace, region, applicant, authority, patience: PATIENCE }
    }

    /// Sets a department up in a filing namespace that exists, and waits until the rights of its actors hold.
    pub async fn open(cluster: &Arc<Cluster>, namespace: &str, region: &str) -> Result<Self> {
        let department = Self::at(cluster, namespace, region);
        let (applicant, authority) = (department.applicant, department.authority);
        let bindings: Api<RoleBinding> = Api::namespaced(cluster.client(Actor::Admin).await?, namespace);
        for (role, actor) in
            [("department", applicant), ("authority", authority), ("provider", Actor::Provider)]
        {
            let binding = serde_json::from_value(json!({
                "metadata": {"name": role},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("govcloud:{role}"),
                },
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": actor.group()}],
            }))?;
            bindings
                .create(&PostParams::default(), &binding)
                .await
                .with_context(|| format!("binding {role}"))?;
        }
        department.may(applicant, "file", "cloudapplications").await?;
        department.may(authority, "patch", "decommissions").await?;
        Ok(department)
    }

    /// The cluster that it is in.
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// Waits until RBAC lets an actor do something here: bindings are seen by the authorizer a moment later.
    async fn may(&self, actor: Actor, verb: &str, resource: &str) -> Result<()> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.cluster.client(actor).await?);
        let asked: SelfSubjectAccessReview = serde_json::from_value(json!({"spec": {"resourceAttributes": {
            "group": "govcloud.dev", "namespace": self.namespace, "verb": verb, "resource": resource,
        }}}))?;
        let allowed = || async {
            let answer = reviews.create(&PostParams::default(), &asked).await?;
            Ok(answer.status.filter(|s| s.allowed).map(drop))
        };
        eventually(&format!("{actor:?} may {verb} {resource}"), PATIENCE, allowed).await
    }

    /// The API of a kind in this department, as an actor.
    pub async fn api(&self, actor: Actor, kind: Kind) -> Result<Api<DynamicObject>> {
        let client = self.cluster.client(actor).await?;
        Ok(Api::namespaced_with(client, &self.namespace, &kind.resource()))
    }

    /// A sample application under a name, in this department's region and for its applicant.
    pub fn application(&self, name: &str) -> Result<Value> {
        let mut manifest = sample("travel.yaml")?;
        manifest["metadata"]["name"] = json!(name);
        manifest["spec"]["region"] = json!(self.region);
        manifest["spec"]["access"][0]["subject"]["name"] = json!(self.applicant.group());
        Ok(manifest)
    }

    /// A sample change that doubles an application's quota.
    pub fn change(&self, name: &str, application: &str) -> Result<Value> {
        let mut manifest = sample("travel-enlarge.yaml")?;
        manifest["metadata"]["name"] = json!(name);
        manifest["spec"]["region"] = json!(self.region);
        manifest["spec"]["resourceAdjustment"]["application"] = json!(application);
        Ok(manifest)
    }

    /// A sample exit with another disposition.
    pub fn exit(&self, name: &str, application: &str, disposition: Value) -> Result<Value> {
        let mut manifest = sample("travel-exit.yaml")?;
        manifest["metadata"]["name"] = json!(name);
        manifest["spec"]["region"] = json!(self.region);
        manifest["spec"]["application"] = json!(application);
        manifest["spec"]["disposition"] = disposition;
        Ok(manifest)
    }

    /// Files a record as the department.
    pub async fn file(&self, manifest: &Value) -> Result<DynamicObject> {
        self.file_as(self.applicant, manifest).await
    }

    /// Files a record as somebody.
    pub async fn file_as(&self, actor: Actor, manifest: &Value) -> Result<DynamicObject> {
        let api = self.api(actor, Kind::of(manifest)?).await?;
        let object = serde_json::from_value(manifest.clone())?;
        Ok(api.create(&PostParams::default(), &object).await?)
    }

    /// The API of a kind in this department, as a second officer of the authority: who files an inspection or scores an
    /// assessment does not decide on it (Art. 25, 27, 29).
    pub async fn second_officer(&self, kind: Kind) -> Result<Api<DynamicObject>> {
        let plane = &self.cluster.plane;
        let (user, group) = (format!("deputy-{}", self.region), self.authority.group());
        let file = actors::kubeconfig(plane.root(), &format!("{user}-{}", self.namespace));
        actors::write_certificate(plane.server(), plane.pki(), &file, &user, group)?;
        Ok(Api::namespaced_with(actors::client(&file).await?, &self.namespace, &kind.resource()))
    }

    /// Merge-patches a record as the department.
    pub async fn amend(&self, kind: Kind, name: &str, patch: Value) -> Result<DynamicObject> {
        self.amend_as(self.applicant, kind, name, patch).await
    }

    /// Merge-patches a record as somebody.
    pub async fn amend_as(
        &self,
        actor: Actor,
        kind: Kind,
        name: &str,
        patch: Value,
    ) -> Result<DynamicObject> {
        let api = self.api(actor, kind).await?;
        Ok(api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?)
    }

    /// A record as it is.
    pub async fn get(&self, kind: Kind, name: &str) -> Result<DynamicObject> {
        Ok(self.api(self.applicant, kind).await?.get(name).await?)
    }

    /// Waits until a record's status is as `met` asks.
    pub async fn until(
        &self,
        kind: Kind,
        name: &str,
        what: &str,
        met: impl Fn(&Value) -> bool,
    ) -> Result<DynamicObject> {
        let api = self.api(self.applicant, kind).await?;
        until(api, name, what, self.patience, |o| met(&o.data["status"])).await
    }

    /// Waits until a record is in a phase.
    pub async fn phase(&self, kind: Kind, name: &str, phase: &str) -> Result<DynamicObject> {
        self.until(kind, name, &format!("is {phase}"), |status| status["phase"] == phase).await
    }

    /// Waits until the record's present generation is judged valid, or not for this reason.
    pub async fn judged(&self, kind: Kind, name: &str, reason: &str) -> Result<DynamicObject> {
        let api = self.api(self.applicant, kind).await?;
        let expected = if reason == "Valid" { "True" } else { "False" };
        let met = |o: &DynamicObject| {
            let valid = condition(&o.data["status"], "Valid");
            valid["status"] == expected
                && valid["reason"] == reason
                && valid["observedGeneration"].as_i64() == o.metadata.generation
        };
        until(api, name, &format!("has Valid={expected}, {reason}"), self.patience, met).await
    }

    /// The authority approves a record as it stands, once it is valid.
    pub async fn approve(&self, kind: Kind, name: &str) -> Result<DynamicObject> {
        let judged = self.judged(kind, name, "Valid").await?;
        let annotations = json!({
            "govcloud.dev/decision": "approved",
            "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
            "govcloud.dev/opinion": "同意",
        });
        self.amend_as(self.authority, kind, name, json!({"metadata": {"annotations": annotations}})).await
    }

    /// Files an application and has it approved; returns it provisioned.
    pub async fn provision(&self, manifest: Value) -> Result<DynamicObject> {
        let name = self.file(&manifest).await?.name_any();
        self.approve(Kind::Application, &name).await?;
        self.phase(Kind::Application, &name, "Provisioned").await
    }

    /// The department goes live now, and later reports.
    pub async fn go_live(&self, name: &str) -> Result<DynamicObject> {
        let at = jiff::Timestamp::now().to_string();
        self.amend(Kind::Application, name, json!({"spec": {"goLive": {"at": at}}})).await?;
        self.phase(Kind::Application, name, "Live").await?;
        self.amend(Kind::Application, name, sample("travel-report.yaml")?).await?;
        self.until(Kind::Application, name, "has reported", |s| s["reportedAt"].is_string()).await
    }

    /// The department enlarges an application, with the authority's approval.
    pub async fn enlarge(&self, name: &str, application: &str) -> Result<DynamicObject> {
        self.file(&self.change(name, application)?).await?;
        self.approve(Kind::Change, name).await?;
        self.phase(Kind::Change, name, "Completed").await
    }

    /// The department consents to the inventory as it is published.
    pub async fn consent(&self, name: &str) -> Result<DynamicObject> {
        let exit = self.phase(Kind::Exit, name, "AwaitingConsent").await?;
        let digest = exit.data["status"]["inventory"]["digest"].clone();
        self.amend(Kind::Exit, name, json!({"spec": {"consent": {"inventoryDigest": digest}}})).await?;
        self.phase(Kind::Exit, name, "AwaitingDecision").await
    }

    /// Files an exit, consents to its inventory, and has it approved.
    pub async fn leave(&self, manifest: Value) -> Result<DynamicObject> {
        let name = self.file(&manifest).await?.name_any();
        self.consent(&name).await?;
        self.approve(Kind::Exit, &name).await
    }

    /// The tenant namespace of an application's entry, with its UID.
    pub fn tenant(application: &DynamicObject, entry: &str) -> Result<(String, String)> {
        let entries = application.data["status"]["namespaces"].as_array().context("no tenant namespaces")?;
        let found =
            entries.iter().find(|n| n["entry"] == entry).with_context(|| format!("no entry {entry}"))?;
        let text =
            |field: &str| found[field].as_str().map(str::to_owned).with_context(|| format!("no {field}"));
        Ok((text("namespace")?, text("uid")?))
    }

    /// The department claims a volume in a tenant namespace and writes a file into it.
    pub async fn fill(&self, tenant: &str, claim: &str, content: &str) -> Result<PersistentVolume> {
        let claims: Api<PersistentVolumeClaim> =
            Api::namespaced(self.cluster.client(self.applicant).await?, tenant);
        let wanted: PersistentVolumeClaim = serde_json::from_value(json!({
            "metadata": {"name": claim},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath",
                "resources": {"requests": {"storage": "10Gi"}},
            },
        }))?;
        // The tenant's role binding is seen by the authorizer a moment after it was made.
        let create = || async {
            match claims.create(&PostParams::default(), &wanted).await {
                Ok(_) => Ok(Some(())),
                Err(kube::Error::Api(s)) if s.code == 409 && s.reason == "AlreadyExists" => Ok(Some(())),
                Err(error) => Err(error.into()),
            }
        };
        eventually(&format!("claim {claim}"), self.patience, create).await?;
        let bound =
            |c: &PersistentVolumeClaim| c.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound");
        let claim = until(claims, claim, "is bound", self.patience, bound).await?;
        let name = claim.spec.and_then(|spec| spec.volume_name).context("bound to nothing")?;
        let volume = self.volumes().await?.get(&name).await?;
        std::fs::write(volumes::directory(&volume)?.join("record"), content)?;
        Ok(volume)
    }

    /// Returns true if the operator marks the filing namespace: a record in it is not over.
    pub async fn is_marked(&self) -> Result<bool> {
        let namespaces: Api<Namespace> = Api::all(self.admin().await?);
        let labels = namespaces.get(&self.namespace).await?.metadata.labels.unwrap_or_default();
        Ok(labels.get("govcloud.dev/open-records").is_some_and(|mark| mark == "true"))
    }

    /// Waits until the mark of the filing namespace is gone, which follows the end of its last record.
    pub async fn unmarked(&self) -> Result<()> {
        let probe = || async { Ok((!self.is_marked().await?).then_some(())) };
        eventually("the mark goes with the last open record", self.patience, probe).await
    }

    /// Every PersistentVolume, as the harness sees them.
    pub async fn volumes(&self) -> Result<Api<PersistentVolume>> {
        Ok(Api::all(self.admin().await?))
    }

    /// The harness' own client.
    pub async fn admin(&self) -> Result<Client> {
        self.cluster.client(Actor::Admin).await
    }
}

/// The API server's refusal of an act, with its message.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> Result<String> {
    match outcome {
        Ok(done) => Err(anyhow!("it was accepted: {done:?}")),
        Err(error) => {
            let status = error.downcast_ref::<kube::Error>();
            let refused = matches!(status, Some(kube::Error::Api(s)) if matches!(s.code, 403 | 422));
            ensure!(refused, "it failed, but was not refused: {error:#}");
            Ok(format!("{error:#}"))
        }
    }
}
