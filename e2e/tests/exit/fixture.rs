//! One application with its volumes, and the acts of its department.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, HENAN, Kind, refusal};
use e2e::suite::Context;
use e2e::volumes;
use e2e::wait::{eventually, until};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::destructive_requests::DestructiveRequests;

/// Longest time of one step: many scenarios run side by side, perhaps on a machine that has more to do.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The application's name; each scenario has a filing namespace of its own.
pub const APP: &str = "system";
/// The exit's.
pub const EXIT: &str = "leaving";

/// A finalizer that nobody serves.
pub const HOLD: &str = "dept.example/hold";

/// Outcome of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeOutcome {
    /// Bound to its claim.
    InUse,
    /// Its claim is gone, its application lives.
    Unclaimed,
    /// Released, kept and labelled.
    Retained,
    /// Gone, with its directory.
    Destroyed,
}

/// A volume with the directory behind it.
#[derive(Clone)]
pub struct Held {
    pub claim: String,
    pub volume: PersistentVolume,
    pub directory: PathBuf,
    pub content: String,
}

impl Held {
    pub fn uid(&self) -> String {
        self.volume.uid().unwrap_or_default()
    }

    pub fn intact(&self) -> Result<()> {
        let read = fs::read_to_string(self.directory.join("record")).with_context(|| self.claim.clone())?;
        ensure!(read == self.content, "{} holds {read:?}", self.claim);
        Ok(())
    }
}

/// An application with its volumes.
pub struct Fixture {
    pub department: Department,
    pub app: DynamicObject,
    /// Its tenant namespaces, by entry.
    pub tenants: BTreeMap<String, (String, String)>,
    pub held: Vec<Held>,
    /// UIDs whose destruction the department consented to.
    pub consented: Mutex<BTreeSet<String>>,
    pub requests: Arc<DestructiveRequests>,
}

impl Fixture {
    /// A provisioned application with these volumes in its namespace `prod`.
    pub async fn open(context: &Context, claims: &[&str]) -> Result<Self> {
        Self::with(context, |_| {}, &claims.iter().map(|c| ("prod", *c)).collect::<Vec<_>>()).await
    }

    /// Opens it with a changed manifest, and volumes in any of its namespaces.
    pub async fn with(
        context: &Context,
        change: impl Fn(&mut Value),
        claims: &[(&str, &str)],
    ) -> Result<Self> {
        let requests = crate::destructive_requests(context).await?;
        let namespace = context.filing_namespace("dept", HENAN).await?;
        let mut department = Department::open(&context.cluster, &namespace, HENAN).await?;
        department.patience = PATIENCE;
        let mut manifest = department.application(APP)?;
        change(&mut manifest);
        let app = department.provision(manifest).await?;
        let mut fixture = Self {
            tenants: tenants(&app)?,
            department,
            app,
            held: Vec::new(),
            consented: Mutex::default(),
            requests,
        };
        for (tenant, _) in fixture.tenants.values() {
            context.dump_on_failure(tenant);
        }
        let fills = claims.iter().map(|(entry, claim)| fixture.fill(entry, claim));
        fixture.held = futures::future::try_join_all(fills).await?;
        Ok(fixture)
    }

    /// A volume of its own, written.
    pub async fn fill(&self, entry: &str, claim: &str) -> Result<Held> {
        let content = format!("{} {entry}/{claim} 的数据", self.department.namespace);
        let volume = self.department.fill(self.tenant(entry), claim, &content).await?;
        let directory = volumes::directory(&volume)?;
        // S5: kept and marked from first sight.
        let kept = |v: &PersistentVolume| {
            v.labels().get("govcloud.dev/application-uid") == self.app.uid().as_ref()
                && policy(v).as_deref() == Some("Retain")
        };
        let name = volume.name_any();
        let volume =
            until(self.department.volumes().await?, &name, "is kept", self.department.patience, kept).await?;
        Ok(Held { claim: claim.to_owned(), volume, directory, content })
    }

    /// The tenant namespace of an entry.
    pub fn tenant(&self, entry: &str) -> &str {
        self.tenants.get(entry).map_or("", |(name, _)| name)
    }

    pub fn held(&self, claim: &str) -> Result<&Held> {
        self.held.iter().find(|h| h.claim == claim).with_context(|| format!("no volume {claim}"))
    }

    /// The claims of the namespace `prod`, as somebody.
    pub async fn claims(&self, who: Actor) -> Result<Api<PersistentVolumeClaim>> {
        Ok(Api::namespaced(self.department.cluster().client(who).await?, self.tenant("prod")))
    }

    /// The department deletes a claim and waits until its volume is released.
    pub async fn unclaim(&self, claim: &str) -> Result<()> {
        let claims = self.claims(self.department.applicant).await?;
        claims.delete(claim, &DeleteParams::default()).await?;
        let name = self.held(claim)?.volume.name_any();
        let released = |v: &PersistentVolume| phase(v) == "Released";
        until(self.department.volumes().await?, &name, "is released", PATIENCE, released).await.map(drop)
    }

    /// The manifest of an exit.
    pub fn manifest(&self, disposition: Value) -> Result<Value> {
        let mut manifest = self.department.exit(EXIT, APP, disposition)?;
        manifest["spec"]["reason"] = json!("NoLongerUsed");
        Ok(manifest)
    }

    /// The department files an exit; it is published once this returns.
    pub async fn file(&self, disposition: Value) -> Result<()> {
        self.department.file(&self.manifest(disposition)?).await?;
        self.phase("AwaitingConsent").await.map(drop)
    }

    /// The department consents to what is published.
    pub async fn consent(&self) -> Result<()> {
        self.consent_to(EXIT).await
    }

    pub async fn consent_to(&self, exit: &str) -> Result<()> {
        let published = self.department.phase(Kind::Exit, exit, "AwaitingConsent").await?;
        let inventory = &published.data["status"]["inventory"];
        let patch = json!({"spec": {"consent": {"inventoryDigest": inventory["digest"]}}});
        self.department.amend(Kind::Exit, exit, patch).await?;
        let entries = inventory["entries"].as_array().into_iter().flatten();
        let doomed = entries.filter(|e| e["action"] != "Retain").filter_map(|e| e["volumeUID"].as_str());
        self.consents_to(doomed.map(str::to_owned));
        self.department.phase(Kind::Exit, exit, "AwaitingDecision").await.map(drop)
    }

    fn consents_to(&self, uids: impl Iterator<Item = String>) {
        self.consented.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(uids);
    }

    pub async fn approve(&self) -> Result<()> {
        self.department.approve(Kind::Exit, EXIT).await.map(drop)
    }

    /// Files, consents, approves.
    pub async fn leave(&self, disposition: Value) -> Result<()> {
        self.file(disposition).await?;
        self.consent().await?;
        self.approve().await
    }

    /// The department takes the exit back.
    pub async fn withdraw(&self) -> Result<DynamicObject> {
        self.withdraw_as(self.department.applicant, EXIT).await
    }

    pub async fn withdraw_as(&self, who: Actor, exit: &str) -> Result<DynamicObject> {
        let uid = self.department.get(Kind::Exit, exit).await?.uid();
        let patch = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}});
        self.department.amend_as(who, Kind::Exit, exit, patch).await
    }

    /// The department signs for a volume.
    pub async fn receive(&self, claim: &str) -> Result<()> {
        let receipt = receipt(&self.held(claim)?.uid());
        let exit = self.department.get(Kind::Exit, EXIT).await?;
        let mut all = exit.data["spec"]["handOver"].as_array().cloned().unwrap_or_default();
        all.push(receipt);
        self.department.amend(Kind::Exit, EXIT, json!({"spec": {"handOver": all}})).await.map(drop)
    }

    pub async fn phase(&self, phase: &str) -> Result<DynamicObject> {
        self.department.phase(Kind::Exit, EXIT, phase).await
    }

    /// Waits until the exit stands so: a condition that is True, with this reason.
    pub async fn until_condition(&self, type_: &str, reason: &str) -> Result<DynamicObject> {
        let met = |s: &Value| {
            let c = e2e::fixtures::condition(s, type_);
            c["reason"] == reason && c["status"] == "True"
        };
        self.department.until(Kind::Exit, EXIT, &format!("is {type_} for {reason}"), met).await
    }

    pub async fn app_phase(&self, phase: &str) -> Result<DynamicObject> {
        self.department.phase(Kind::Application, APP, phase).await
    }

    /// Number of entries in the exit's timeline with this event.
    pub async fn timeline_count(&self, event: &str) -> Result<usize> {
        let exit = self.department.get(Kind::Exit, EXIT).await?;
        let timeline = exit.data["status"]["timeline"].as_array();
        Ok(timeline.map_or(0, |t| t.iter().filter(|e| e["event"] == event).count()))
    }

    /// Merge-patches a volume as somebody.
    pub async fn patch_volume(&self, who: Actor, claim: &str, patch: Value) -> Result<PersistentVolume> {
        let volumes: Api<PersistentVolume> = Api::all(self.department.cluster().client(who).await?);
        let name = self.held(claim)?.volume.name_any();
        Ok(volumes.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await?)
    }

    /// Puts an object into `prod` that only goes once its finalizer is taken away.
    pub async fn obstruct(&self) -> Result<()> {
        let maps: Api<ConfigMap> = Api::namespaced(self.department.admin().await?, self.tenant("prod"));
        let map = serde_json::from_value(json!({
            "metadata": {"name": "obstacle", "finalizers": [HOLD]},
        }))?;
        maps.create(&PostParams::default(), &map).await.map(drop).map_err(Into::into)
    }

    /// Has a claim stay for as long as its finalizer does, and its volume with it.
    pub async fn unclaim_later(&self, claim: &str) -> Result<()> {
        let claims = self.claims(Actor::Admin).await?;
        let patch = json!({"metadata": {"finalizers": ["kubernetes.io/pvc-protection", HOLD]}});
        claims.patch(claim, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop).map_err(Into::into)
    }

    /// Takes that finalizer away, and no other.
    pub async fn release_claim(&self, claim: &str) -> Result<()> {
        let claims = self.claims(Actor::Admin).await?;
        let release = || async {
            let Some(is) = claims.get_opt(claim).await? else { return Ok(Some(())) };
            let rest: Vec<_> = is.finalizers().iter().filter(|f| *f != HOLD).cloned().collect();
            let version = is.resource_version();
            let patch = json!({"metadata": {"finalizers": rest, "resourceVersion": version}});
            claims.patch(claim, &PatchParams::default(), &Patch::Merge(patch)).await?;
            Ok(Some(()))
        };
        eventually("the finalizer is taken away", PATIENCE, release).await
    }

    /// Takes that away.
    pub async fn clear(&self) -> Result<()> {
        let maps: Api<ConfigMap> = Api::namespaced(self.department.admin().await?, self.tenant("prod"));
        let patch = json!({"metadata": {"finalizers": null}});
        maps.patch("obstacle", &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map(drop)
            .map_err(Into::into)
    }
}

fn tenants(app: &DynamicObject) -> Result<BTreeMap<String, (String, String)>> {
    let entries = app.data["status"]["namespaces"].as_array().context("no tenant namespaces")?;
    let names = entries.iter().filter_map(|e| e["entry"].as_str());
    names.map(|entry| Ok((entry.to_owned(), Department::tenant(app, entry)?))).collect()
}

pub fn policy(volume: &PersistentVolume) -> Option<String> {
    volume.spec.as_ref()?.persistent_volume_reclaim_policy.clone()
}

pub fn phase(volume: &PersistentVolume) -> &str {
    volume.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// A receipt as the schema wants it.
pub fn receipt(uid: &str) -> Value {
    json!({
        "volumeUID": uid, "receivedBy": "张工", "uri": "https://oa.example/receipt.pdf",
        "sha256": "9deb65b8788f41ff94a217842017db2f843954fc0eb46110835903908e5a265f",
    })
}

/// A disposition with one action for all, and others for claims of `prod`.
pub fn disposition(default: &str, others: &[(&str, &str)]) -> Value {
    let volumes = others.iter().map(|(c, a)| json!({"namespace": "prod", "claim": c, "action": a}));
    let mut disposition = json!({"default": default});
    if !others.is_empty() {
        disposition["volumes"] = volumes.collect();
    }
    disposition
}

/// That an act is refused, with a message that says so.
pub fn refused<T: std::fmt::Debug>(outcome: Result<T>, says: &str) -> Result<()> {
    let message = refusal(outcome)?;
    ensure!(message.contains(says), "{message:?} does not say {says:?}");
    Ok(())
}
