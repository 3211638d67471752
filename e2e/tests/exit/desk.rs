//! One application with its volumes and its department, and what must be true of them when a scenario ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::audit::Entry;
use e2e::office::{HENAN, Kind, Office, refusal};
use e2e::personas::{OPERATOR, Persona};
use e2e::suite::Context;
use e2e::volumes;
use e2e::wait::{eventually, until, until_gone};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::ledger::{Ledger, sets_delete};
use crate::tally;

/// How long one step may take: many scenarios run side by side, perhaps on a machine that has more to do.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The application's name; each scenario has a filing namespace of its own.
pub const APP: &str = "system";
/// The exit's.
pub const EXIT: &str = "leaving";

/// A finalizer that nobody serves.
pub const HOLD: &str = "dept.example/hold";

/// What becomes of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
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

    fn intact(&self) -> Result<()> {
        let read = fs::read_to_string(self.directory.join("record")).with_context(|| self.claim.clone())?;
        ensure!(read == self.content, "{} holds {read:?}", self.claim);
        Ok(())
    }
}

/// An application with its volumes.
pub struct Desk {
    pub office: Office,
    pub app: DynamicObject,
    /// Its tenant namespaces, by entry.
    pub tenants: BTreeMap<String, (String, String)>,
    pub held: Vec<Held>,
    /// UIDs whose destruction the department consented to.
    consented: Mutex<BTreeSet<String>>,
    ledger: std::sync::Arc<Ledger>,
}

impl Desk {
    /// A provisioned application with these volumes in its namespace `prod`.
    pub async fn open(context: &Context, claims: &[&str]) -> Result<Self> {
        Self::with(context, |_| {}, &claims.iter().map(|c| ("prod", *c)).collect::<Vec<_>>()).await
    }

    /// The same, changed, with volumes in any of its namespaces.
    pub async fn with(
        context: &Context,
        change: impl Fn(&mut Value),
        claims: &[(&str, &str)],
    ) -> Result<Self> {
        let ledger = crate::ledger_of(context).await?;
        let namespace = context.filing_namespace("dept", HENAN).await?;
        let mut office = Office::open(&context.cluster, &namespace, HENAN).await?;
        office.patience = PATIENCE;
        let mut manifest = office.application(APP)?;
        change(&mut manifest);
        let app = office.provision(manifest).await?;
        let mut desk = Self {
            tenants: tenants(&app)?,
            office,
            app,
            held: Vec::new(),
            consented: Mutex::default(),
            ledger,
        };
        for (tenant, _) in desk.tenants.values() {
            context.dump_on_failure(tenant);
        }
        let fills = claims.iter().map(|(entry, claim)| desk.fill(entry, claim));
        desk.held = futures::future::try_join_all(fills).await?;
        Ok(desk)
    }

    /// A volume of its own, written.
    pub async fn fill(&self, entry: &str, claim: &str) -> Result<Held> {
        let content = format!("{} {entry}/{claim} 的数据", self.office.namespace);
        let volume = self.office.fill(self.tenant(entry), claim, &content).await?;
        let directory = volumes::directory(&volume)?;
        // S5: kept and marked from first sight.
        let kept = |v: &PersistentVolume| {
            v.labels().get("govcloud.dev/application-uid") == self.app.uid().as_ref()
                && policy(v).as_deref() == Some("Retain")
        };
        let name = volume.name_any();
        let volume =
            until(self.office.volumes().await?, &name, "is kept", self.office.patience, kept).await?;
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
    pub async fn claims(&self, who: Persona) -> Result<Api<PersistentVolumeClaim>> {
        Ok(Api::namespaced(self.office.cluster().client(who).await?, self.tenant("prod")))
    }

    /// The department deletes a claim and waits until its volume is released.
    pub async fn unclaim(&self, claim: &str) -> Result<()> {
        let claims = self.claims(self.office.department).await?;
        claims.delete(claim, &DeleteParams::default()).await?;
        let name = self.held(claim)?.volume.name_any();
        let released = |v: &PersistentVolume| phase(v) == "Released";
        until(self.office.volumes().await?, &name, "is released", PATIENCE, released).await.map(drop)
    }

    /// The manifest of an exit.
    pub fn manifest(&self, disposition: Value) -> Result<Value> {
        let mut manifest = self.office.exit(EXIT, APP, disposition)?;
        manifest["spec"]["reason"] = json!("NoLongerUsed");
        Ok(manifest)
    }

    /// The department files an exit; it is published once this returns.
    pub async fn file(&self, disposition: Value) -> Result<()> {
        self.office.file(&self.manifest(disposition)?).await?;
        self.phase("AwaitingConsent").await.map(drop)
    }

    /// The department consents to what is published.
    pub async fn consent(&self) -> Result<()> {
        self.consent_to(EXIT).await
    }

    pub async fn consent_to(&self, exit: &str) -> Result<()> {
        let published = self.office.phase(Kind::Exit, exit, "AwaitingConsent").await?;
        let inventory = &published.data["status"]["inventory"];
        let patch = json!({"spec": {"consent": {"inventoryDigest": inventory["digest"]}}});
        self.office.amend(Kind::Exit, exit, patch).await?;
        let entries = inventory["entries"].as_array().into_iter().flatten();
        let doomed = entries.filter(|e| e["action"] != "Retain").filter_map(|e| e["volumeUID"].as_str());
        self.consents_to(doomed.map(str::to_owned));
        self.office.phase(Kind::Exit, exit, "AwaitingDecision").await.map(drop)
    }

    fn consents_to(&self, uids: impl Iterator<Item = String>) {
        self.consented.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(uids);
    }

    pub async fn approve(&self) -> Result<()> {
        self.office.approve(Kind::Exit, EXIT).await.map(drop)
    }

    /// Files, consents, approves.
    pub async fn leave(&self, disposition: Value) -> Result<()> {
        self.file(disposition).await?;
        self.consent().await?;
        self.approve().await
    }

    /// The department takes the exit back.
    pub async fn withdraw(&self) -> Result<DynamicObject> {
        self.withdraw_as(self.office.department, EXIT).await
    }

    pub async fn withdraw_as(&self, who: Persona, exit: &str) -> Result<DynamicObject> {
        let uid = self.office.get(Kind::Exit, exit).await?.uid();
        let patch = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}});
        self.office.amend_as(who, Kind::Exit, exit, patch).await
    }

    /// The department signs for a volume.
    pub async fn receive(&self, claim: &str) -> Result<()> {
        let receipt = receipt(&self.held(claim)?.uid());
        let exit = self.office.get(Kind::Exit, EXIT).await?;
        let mut all = exit.data["spec"]["handOver"].as_array().cloned().unwrap_or_default();
        all.push(receipt);
        self.office.amend(Kind::Exit, EXIT, json!({"spec": {"handOver": all}})).await.map(drop)
    }

    pub async fn phase(&self, phase: &str) -> Result<DynamicObject> {
        self.office.phase(Kind::Exit, EXIT, phase).await
    }

    /// Waits until the exit stands so: a condition that is True, with this reason.
    pub async fn stands(&self, type_: &str, reason: &str) -> Result<DynamicObject> {
        let met = |s: &Value| {
            let c = e2e::office::condition(s, type_);
            c["reason"] == reason && c["status"] == "True"
        };
        self.office.until(Kind::Exit, EXIT, &format!("is {type_} for {reason}"), met).await
    }

    pub async fn app_phase(&self, phase: &str) -> Result<DynamicObject> {
        self.office.phase(Kind::Application, APP, phase).await
    }

    /// How often the exit's timeline says something.
    pub async fn said(&self, event: &str) -> Result<usize> {
        let exit = self.office.get(Kind::Exit, EXIT).await?;
        let timeline = exit.data["status"]["timeline"].as_array();
        Ok(timeline.map_or(0, |t| t.iter().filter(|e| e["event"] == event).count()))
    }

    /// Merge-patches a volume as somebody.
    pub async fn patch_volume(&self, who: Persona, claim: &str, patch: Value) -> Result<PersistentVolume> {
        let volumes: Api<PersistentVolume> = Api::all(self.office.cluster().client(who).await?);
        let name = self.held(claim)?.volume.name_any();
        Ok(volumes.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await?)
    }

    /// Puts an object into `prod` that only goes once its finalizer is taken away.
    pub async fn obstruct(&self) -> Result<()> {
        let maps: Api<k8s_openapi::api::core::v1::ConfigMap> =
            Api::namespaced(self.office.admin().await?, self.tenant("prod"));
        let map = serde_json::from_value(json!({
            "metadata": {"name": "obstacle", "finalizers": [HOLD]},
        }))?;
        maps.create(&PostParams::default(), &map).await.map(drop).map_err(Into::into)
    }

    /// Has a claim stay for as long as its finalizer does, and its volume with it.
    pub async fn unclaim_later(&self, claim: &str) -> Result<()> {
        let claims = self.claims(Persona::Admin).await?;
        let patch = json!({"metadata": {"finalizers": ["kubernetes.io/pvc-protection", HOLD]}});
        claims.patch(claim, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop).map_err(Into::into)
    }

    /// Takes that finalizer away, and no other.
    pub async fn release_claim(&self, claim: &str) -> Result<()> {
        let claims = self.claims(Persona::Admin).await?;
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
        let maps: Api<k8s_openapi::api::core::v1::ConfigMap> =
            Api::namespaced(self.office.admin().await?, self.tenant("prod"));
        let patch = json!({"metadata": {"finalizers": null}});
        maps.patch("obstacle", &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map(drop)
            .map_err(Into::into)
    }

    /// What must be true at the end: exactly these volumes exist, each with its file as it was written; the
    /// namespaces are gone or stand as they were; and whatever was destroyed was asked for once, with preconditions,
    /// under a consent to just that (S2, S4).
    pub async fn ends(&self, fates: &[(&str, Fate)], exited: bool) -> Result<()> {
        ensure!(fates.len() == self.held.len(), "{fates:?} for {} volumes", self.held.len());
        let namespaces: Api<Namespace> = Api::all(self.office.admin().await?);
        for (name, uid) in self.tenants.values() {
            if exited {
                until_gone(namespaces.clone(), name, Some(uid), self.office.patience).await?;
            } else {
                let stands = namespaces.get(name).await?;
                ensure!(stands.uid().as_ref() == Some(uid), "{name} is another");
                ensure!(stands.metadata.deletion_timestamp.is_none(), "{name} is on its way out");
            }
        }
        for (claim, fate) in fates {
            let look = || async { self.has(self.held(claim)?, *fate).await.map(Some) };
            eventually(&format!("{claim} is {fate:?}"), PATIENCE, look).await?;
        }
        let kept: BTreeSet<String> = fates
            .iter()
            .filter(|f| f.1 != Fate::Destroyed)
            .map(|f| Ok(self.held(f.0)?.uid()))
            .collect::<Result<_>>()?;
        let of_app = format!("govcloud.dev/application-uid={}", self.app.uid().unwrap_or_default());
        let listed = self.office.volumes().await?.list(&ListParams::default().labels(&of_app)).await?;
        let there: BTreeSet<String> = listed.iter().filter_map(ResourceExt::uid).collect();
        ensure!(there == kept, "volumes {there:?} exist, and {kept:?} should");
        let requests = self.destruction(fates, exited).await?;
        tally::ended(fates.len(), requests);
        Ok(())
    }

    async fn has(&self, held: &Held, fate: Fate) -> Result<()> {
        let volumes = self.office.volumes().await?;
        let is = volumes.get_opt(&held.volume.name_any()).await?;
        let Some(is) = is.filter(|v| v.uid() == held.volume.uid()) else {
            ensure!(fate == Fate::Destroyed, "{} is gone", held.claim);
            ensure!(!held.directory.exists(), "the directory of {} is still there", held.claim);
            return Ok(());
        };
        held.intact()?;
        let retained = is.labels().get("govcloud.dev/retained");
        let expected = match fate {
            Fate::Destroyed => bail!("{} still exists: {:?}", held.claim, is.status),
            Fate::InUse => ("Bound", None),
            Fate::Unclaimed => ("Released", None),
            Fate::Retained => ("Released", self.app.uid()),
        };
        ensure!(policy(&is).as_deref() == Some("Retain"), "{} has {:?}", held.claim, policy(&is));
        ensure!((phase(&is), retained.cloned()) == expected, "{} is {} {retained:?}", held.claim, phase(&is));
        Ok(())
    }

    /// Checks every destructive request about this application. Returns how many there were.
    async fn destruction(&self, fates: &[(&str, Fate)], exited: bool) -> Result<usize> {
        let names: BTreeMap<String, String> =
            self.held.iter().map(|h| (h.volume.name_any(), h.uid())).collect();
        let own = |e: &Entry| {
            e.object_ref.as_ref().is_some_and(|o| {
                (o.resource == "persistentvolumes" && names.contains_key(&o.name))
                    || self
                        .tenants
                        .values()
                        .any(|(t, _)| o.namespace == *t || (o.resource == "namespaces" && o.name == *t))
            })
        };
        let asked = self.ledger.destructive(own).await?;
        let by_operator: Vec<&Entry> = asked.iter().filter(|e| e.user.username == OPERATOR).collect();
        for e in &by_operator {
            preconditions(e)?;
        }
        let consented = self.consented.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let name = |e: &Entry| e.object_ref.as_ref().map(|o| o.name.clone()).unwrap_or_default();
        let mut flipped: Vec<String> = Vec::new();
        for e in by_operator.iter().filter(|e| sets_delete(e)) {
            let uid =
                e.request_object.as_ref().and_then(|b| b["metadata"]["uid"].as_str()).unwrap_or_default();
            ensure!(names.get(&name(e)).is_some_and(|u| u == uid), "{e} names another volume");
            ensure!(consented.contains(uid), "S2: {e} without a consent to destroy {uid}");
            flipped.push(uid.to_owned());
        }
        for e in asked.iter().filter(|e| {
            e.verb == "delete" && e.object_ref.as_ref().is_some_and(|o| o.resource == "persistentvolumes")
        }) {
            let uid = names.get(&name(e)).context("an unknown volume")?;
            ensure!(flipped.contains(uid) && consented.contains(uid), "S2: {e} of {uid}");
        }
        for (claim, fate) in fates {
            let held = self.held(claim)?;
            let times = flipped.iter().filter(|u| **u == held.uid()).count();
            let expected = if *fate == Fate::Destroyed { 1 } else { 0 };
            ensure!(times >= expected && (expected == 1 || times == 0), "{claim} was doomed {times} times");
        }
        let ended = by_operator.iter().filter(|e| {
            e.verb == "delete" && e.object_ref.as_ref().is_some_and(|o| o.resource == "namespaces")
        });
        let expected = if exited { self.tenants.len() } else { 0 };
        ensure!(ended.clone().count() == expected, "{} namespaces were deleted", ended.count());
        Ok(by_operator.len())
    }
}

/// S4: a destructive request says of which object, in which version.
fn preconditions(entry: &Entry) -> Result<()> {
    let body = entry.request_object.as_ref().with_context(|| format!("{entry} has no body"))?;
    let place = if entry.verb == "delete" { "/preconditions" } else { "/metadata" };
    let holds = |field: &str| body.pointer(&format!("{place}/{field}")).is_some_and(|v| v.is_string());
    ensure!(holds("uid") && holds("resourceVersion"), "S4: {entry} has no preconditions: {body}");
    Ok(())
}

fn tenants(app: &DynamicObject) -> Result<BTreeMap<String, (String, String)>> {
    let entries = app.data["status"]["namespaces"].as_array().context("no tenant namespaces")?;
    let names = entries.iter().filter_map(|e| e["entry"].as_str());
    names.map(|entry| Ok((entry.to_owned(), Office::tenant(app, entry)?))).collect()
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
