//! A department's system with real data in it, and what must stand of it whatever happens.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::audit::AuditLog;
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE};
use e2e::volumes;
use e2e::wait::until;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, DynamicObject};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

/// The label that says whose a namespace or volume is.
pub const OWNER: &str = "govcloud.dev/application-uid";

/// One volume with a file in it.
pub struct Volume {
    pub claim: String,
    pub name: String,
    pub uid: String,
    pub directory: PathBuf,
}

impl Volume {
    fn content(&self) -> String {
        format!("{} 的真实数据，写于 {}", self.claim, self.name)
    }
}

/// `travel` with three volumes: two claimed, of one the claim was deleted.
pub struct Fixture {
    pub tenant: String,
    pub tenant_uid: String,
    pub volumes: Vec<Volume>,
    since: Timestamp,
    rows: Vec<[String; 3]>,
}

/// A cluster of one's own with such a system in it.
pub async fn start() -> Result<(Arc<Cluster>, Department, Fixture)> {
    let cluster = Arc::new(Cluster::start(Setup::Operating).await?);
    fixtures::regions(&cluster).await?;
    let namespace = cluster.filing_namespace("dept-absence", HENAN).await?;
    let department = Department::open(&cluster, &namespace, HENAN).await?;
    let application = department.provision(department.application("travel")?).await?;
    let (tenant, tenant_uid) = Department::tenant(&application, "prod")?;
    let mut fixture =
        Fixture { tenant, tenant_uid, volumes: Vec::new(), since: AuditLog::mark(), rows: Vec::new() };
    for claim in ["data", "archive", "left"] {
        fixture.fill(&department, claim).await?;
    }
    let claims: Api<PersistentVolumeClaim> =
        Api::namespaced(cluster.client(department.applicant).await?, &fixture.tenant);
    claims.delete("left", &DeleteParams::default()).await?;
    fixture.until_unclaimed(&department, "left").await?;
    fixture.since = AuditLog::mark();
    Ok((cluster, department, fixture))
}

impl Fixture {
    /// The department claims one more volume and writes into it.
    pub async fn fill(&mut self, department: &Department, claim: &str) -> Result<()> {
        let volume = department.fill(&self.tenant, claim, "").await?;
        let directory = volumes::directory(&volume)?;
        let uid = volume.uid().unwrap_or_default();
        let kept = Volume { claim: claim.to_owned(), name: volume.name_any(), uid, directory };
        fs::write(kept.directory.join("record"), kept.content())?;
        self.volumes.push(kept);
        Ok(())
    }

    /// Waits until the application lists a volume as unclaimed.
    pub async fn until_unclaimed(&self, department: &Department, claim: &str) -> Result<()> {
        self.until_unclaimed_uid(department, &self.volume(claim)?.uid).await
    }

    /// Waits until the application lists any volume as unclaimed.
    pub async fn until_unclaimed_uid(&self, department: &Department, uid: &str) -> Result<()> {
        let listed =
            |s: &Value| s["unclaimedVolumes"].as_array().is_some_and(|u| u.iter().any(|v| v["uid"] == *uid));
        department.until(Kind::Application, "travel", "lists the unclaimed volume", listed).await.map(drop)
    }

    pub fn volume(&self, claim: &str) -> Result<&Volume> {
        self.volumes.iter().find(|v| v.claim == claim).with_context(|| format!("no volume of {claim}"))
    }

    /// The namespace, the volumes and the bytes in them are what they were; nobody deleted anything. One row of the table.
    pub async fn assert_intact(&mut self, cluster: &Cluster, absent: &str, then: &str) -> Result<()> {
        let admin = cluster.client(Actor::Admin).await?;
        let namespaces: Api<Namespace> = Api::all(admin.clone());
        let namespace = namespaces.get(&self.tenant).await.context(absent.to_owned())?;
        ensure!(
            namespace.uid().as_ref() == Some(&self.tenant_uid)
                && namespace.metadata.deletion_timestamp.is_none(),
            "{absent}: the namespace is another, or on its way out"
        );
        let volumes: Api<PersistentVolume> = Api::all(admin);
        for kept in &self.volumes {
            let v = volumes.get(&kept.name).await.with_context(|| format!("{absent}: {}", kept.claim))?;
            ensure!(v.uid().as_ref() == Some(&kept.uid), "{absent}: {} is another volume", kept.claim);
            let spec = v.spec.as_ref().context("a volume has a spec")?;
            let policy = spec.persistent_volume_reclaim_policy.as_deref();
            ensure!(policy == Some("Retain") && v.metadata.deletion_timestamp.is_none(), "{absent}: {v:?}");
        }
        self.assert_bytes(absent)?;
        let deleted = cluster.audit().read()?.since(self.since).keep(|e| {
            let what = e.object_ref.as_ref().map_or("", |o| o.resource.as_str());
            ["delete", "deletecollection"].contains(&e.verb.as_str())
                && ["namespaces", "persistentvolumes", "persistentvolumeclaims"].contains(&what)
                && e.code() < 300
        });
        ensure!(deleted.is_empty(), "{absent}: {deleted:?}");
        let what = format!("1 namespace, {} volumes, {} files", self.volumes.len(), self.volumes.len());
        self.rows.push([absent.to_owned(), what, then.to_owned()]);
        Ok(())
    }

    /// The files are what was written.
    pub fn assert_bytes(&self, absent: &str) -> Result<()> {
        for kept in &self.volumes {
            let file = kept.directory.join("record");
            let read = fs::read_to_string(&file).with_context(|| format!("{absent}: {}", file.display()))?;
            ensure!(read == kept.content(), "{absent}: {} holds {read:?}", kept.claim);
        }
        Ok(())
    }

    /// Whose the namespace and each of its volumes is, by label.
    pub async fn owners(&self, cluster: &Cluster) -> Result<Vec<String>> {
        let admin = cluster.client(Actor::Admin).await?;
        let volumes: Api<PersistentVolume> = Api::all(admin.clone());
        let label = |labels: &std::collections::BTreeMap<String, String>| {
            labels.get(OWNER).cloned().unwrap_or_default()
        };
        let mut owners = vec![label(Api::<Namespace>::all(admin).get(&self.tenant).await?.labels())];
        for kept in &self.volumes {
            owners.push(label(volumes.get(&kept.name).await?.labels()));
        }
        Ok(owners)
    }

    /// The table of what was absent, what stood, and how it went on.
    pub fn print(&self) {
        for [absent, stood, then] in &self.rows {
            println!("absence | {absent:<58} | {stood} | {then}");
        }
    }

    /// The record was filed anew. It says what it finds; anything but a decision that names just that is refused; and by
    /// that decision everything is the new record's.
    pub async fn reattach(&mut self, department: &Department, lost: &str) -> Result<DynamicObject> {
        let cluster = department.cluster().clone();
        let filed = department.get(Kind::Application, "travel").await?;
        let before = self.owners(&cluster).await?;
        let uid = self.tenant_uid.clone();
        let finds =
            |s: &Value| s["foundNamespaces"].as_array().is_some_and(|f| f.len() == 1 && f[0]["uid"] == *uid);
        let found = department.until(Kind::Application, "travel", "says what it finds", finds).await?;
        let condition = fixtures::condition(&found.data["status"], "NamespacesFound").clone();
        let message = condition["message"].as_str().unwrap_or_default();
        ensure!(message.contains(&uid) && message.contains("未作任何改动"), "{condition}");
        department.judged(Kind::Application, "travel", "Valid").await?;
        let generation = found.metadata.generation.unwrap_or_default().to_string();
        let foreign = self.volumes[0].uid.clone();
        let mut refused = 0;
        for (named, why) in [
            (None, format!("add govcloud.dev/reattach={uid}")),
            (Some(foreign.clone()), "names a namespace that this record did not find".to_owned()),
            (Some(format!("{uid},{foreign}")), "names a namespace that this record did not find".to_owned()),
            (Some(self.tenant.clone()), "names a namespace that this record did not find".to_owned()),
        ] {
            let annotations = decision(&generation, named.as_deref());
            let patch = json!({"metadata": {"annotations": annotations}});
            let said = fixtures::refusal(
                department.amend_as(department.authority, Kind::Application, "travel", patch).await,
            )?;
            ensure!(said.contains(&why), "{named:?}: {said}");
            refused += 1;
        }
        ensure!(self.owners(&cluster).await? == before, "something was taken before the decision");
        self.assert_intact(
            &cluster,
            &format!("{lost}, filed anew"),
            &format!("{refused} approvals refused that do not name exactly it"),
        )
        .await?;
        let annotations = decision(&generation, Some(&uid));
        let patch = json!({"metadata": {"annotations": annotations}});
        department.amend_as(department.authority, Kind::Application, "travel", patch).await?;
        let application = department.phase(Kind::Application, "travel", "Provisioned").await?;
        ensure!(application.uid() == filed.uid(), "it is another record");
        let own = filed.uid().unwrap_or_default();
        let owners = self.owners(&cluster).await?;
        ensure!(owners.iter().all(|o| *o == own), "not all is {own}'s: {owners:?}");
        self.until_unclaimed(department, "left").await?;
        self.assert_intact(
            &cluster,
            &format!("{lost}, taken back"),
            "Provisioned, every label the new record's",
        )
        .await?;
        Ok(application)
    }

    /// The whole exit of what was taken back, by its own identity: one volume destroyed, the others kept.
    pub async fn exit(&mut self, department: &Department) -> Result<()> {
        let disposition = json!({"default": "Retain", "volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}]});
        department.leave(department.exit("travel-exit", "travel", disposition)?).await?;
        let exit = department.phase(Kind::Exit, "travel-exit", "Completed").await?;
        let application = department.phase(Kind::Application, "travel", "Exited").await?;
        let certificate = &exit.data["status"]["certificate"];
        ensure!(certificate["applicationUID"] == json!(application.uid()), "{certificate}");
        let fates = certificate["volumes"].as_array().context("no volumes")?;
        ensure!(fates.len() == self.volumes.len(), "{certificate}");
        let gone = self.volumes.remove(0);
        ensure!(gone.claim == "data" && !gone.directory.exists(), "data is still there");
        self.assert_bytes("after the exit")?;
        let released =
            |v: &PersistentVolume| v.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Released");
        for kept in &self.volumes {
            until(department.volumes().await?, &kept.name, "is kept", PATIENCE, released).await?;
        }
        self.rows.push([
            "its own exit afterwards".into(),
            "1 destroyed on consent, the rest kept".into(),
            "Exited".into(),
        ]);
        Ok(())
    }
}

/// The annotations of an approval.
fn decision(generation: &str, named: Option<&str>) -> Value {
    let mut annotations = json!({
        "govcloud.dev/decision": "approved", "govcloud.dev/reviewed-generation": generation, "govcloud.dev/opinion": "经核对，同意接回",
    });
    if let Some(named) = named {
        annotations["govcloud.dev/reattach"] = json!(named);
    }
    annotations
}
