//! While an application is active every volume bound in its namespaces is `Retain` and marked, from first sight, however it
//! came there and whoever flips it (S5, Art. 23).

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::AuditLog;
use e2e::cluster::Cluster;
use e2e::fixtures::{Department, Kind, PATIENCE};
use e2e::install::wait_policies_active;
use e2e::suite::Context;
use e2e::wait::{eventually, until};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::fixture::{Fixture, OWNER, start};

const GUARD: [&str; 2] = ["validatingadmissionpolicybinding", "govcloud-volumes"];

pub async fn volume_is_retained_from_first_sight(context: Context) -> Result<()> {
    let (cluster, department, mut fixture) = start().await?;
    context.dump_on_failure(&department.namespace);
    let own = department.get(Kind::Application, "travel").await?.uid().unwrap_or_default();
    let watch = Watch { volumes: department.volumes().await?, own };
    let platform: Api<PersistentVolume> = Api::all(cluster.client(Actor::PlatformAdmin).await?);
    let claims: Api<PersistentVolumeClaim> =
        Api::namespaced(cluster.client(department.applicant).await?, &fixture.tenant);

    let directory = tempfile::tempdir()?;
    let by_hand = make_by_hand(&fixture, directory.path())?;
    let name = by_hand.name_any();
    platform.create(&PostParams::default(), &by_hand).await?;
    claims.create(&PostParams::default(), &claim_by_hand()?).await?;
    watch.until_kept(&name, "is kept and marked").await?;

    let flip = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
    let refused = platform.patch(&name, &PatchParams::default(), &flip).await;
    let said = e2e::fixtures::refusal(refused.map(drop).map_err(Into::into))?;
    ensure!(said.contains("the reclaim policy of a tenant's volume is the operator's"), "{said}");
    let data = fixture.volume("data")?.name.clone();
    let flipped = flip_past_the_guard(&cluster, &watch, [&name, &data]).await?;
    fixture
        .assert_intact(&cluster, "the guard on volumes, and two were flipped", "the operator puts both back")
        .await?;

    // The department deletes its own claim: the volume stays and is listed, until a Decommission says otherwise.
    claims.delete("by-hand", &DeleteParams::default()).await?;
    let uid = watch.volumes.get(&name).await?.uid().context("a UID")?;
    fixture.until_unclaimed_uid(&department, &uid).await?;
    fixture.fill(&department, "spare").await?;
    claims.delete("spare", &DeleteParams::default()).await?;
    fixture.until_unclaimed(&department, "spare").await?;
    fixture.assert_bytes("the claim")?;
    destroy_on_consent(&department, &mut fixture).await?;
    ensure!(department.get(Kind::Application, "travel").await?.data["status"]["phase"] == "Provisioned");
    fixture.print();
    println!(
        "absence | kept from first sight: 1 made by hand, {flipped} flipped and put back, 2 unclaimed and listed, 1 of them destroyed on consent"
    );
    Ok(())
}

/// The volumes, and the UID of the application that they are to be marked with.
struct Watch {
    volumes: Api<PersistentVolume>,
    own: String,
}

impl Watch {
    /// Waits until a volume is `Retain` and marked.
    async fn until_kept(&self, volume: &str, what: &str) -> Result<()> {
        let kept = |v: &PersistentVolume| {
            let policy = v.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.as_deref());
            policy == Some("Retain") && v.labels().get(OWNER) == Some(&self.own)
        };
        until(self.volumes.clone(), volume, what, PATIENCE, kept).await.map(drop)
    }
}

/// A volume that a cluster-admin made by hand, to be deleted with its claim: bound, it is kept.
fn make_by_hand(fixture: &Fixture, directory: &Path) -> Result<PersistentVolume> {
    Ok(serde_json::from_value(json!({
        "metadata": {"name": format!("by-hand-{}", &fixture.tenant_uid[..8])},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath",
            "persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": directory.display().to_string()},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": fixture.tenant, "name": "by-hand"},
        },
    }))?)
}

fn claim_by_hand() -> Result<PersistentVolumeClaim> {
    Ok(serde_json::from_value(json!({
        "metadata": {"name": "by-hand"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "resources": {"requests": {"storage": "1Gi"}}},
    }))?)
}

/// Without its guard a volume can be flipped, and the operator puts it back. Returns how many were.
async fn flip_past_the_guard(cluster: &Cluster, watch: &Watch, volumes: [&String; 2]) -> Result<usize> {
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    let platform: Api<PersistentVolume> = Api::all(cluster.client(Actor::PlatformAdmin).await?);
    let flip = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
    let guard: Value = serde_json::from_str(&admin.run(&["get", GUARD[0], GUARD[1], "-o", "json"]).await?)?;
    admin.run(&["delete", GUARD[0], GUARD[1]]).await?;
    let mark = AuditLog::mark();
    let mut flipped = 0;
    for volume in volumes {
        let flips = || async {
            Ok(platform.patch(volume, &PatchParams::default(), &flip).await.is_ok().then_some(()))
        };
        eventually(&format!("{volume} is flipped past the guard"), PATIENCE, flips).await?;
        watch.until_kept(volume, "is Retain again").await?;
        flipped += 1;
    }
    let put_back =
        cluster.audit().read()?.since(mark).by_user(OPERATOR).resource("persistentvolumes").writes();
    ensure!(put_back.len() >= flipped, "the operator put back {} of {flipped}", put_back.len());
    let meta = &guard["metadata"];
    let guard = json!({
        "apiVersion": guard["apiVersion"], "kind": guard["kind"], "spec": guard["spec"],
        "metadata": {"name": meta["name"], "labels": meta["labels"]},
    });
    admin.apply(&guard.to_string()).await?;
    wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await?;
    Ok(flipped)
}

/// The department has the spare volume, which nothing claims any more, destroyed.
async fn destroy_on_consent(department: &Department, fixture: &mut Fixture) -> Result<()> {
    let mut clean = department.exit(
        "clean", "travel",
        json!({"default": "Retain", "volumes": [{"namespace": "prod", "claim": "spare", "action": "Destroy"}]}),
    )?;
    clean["spec"]["scope"] = json!("Volumes");
    department.leave(clean).await?;
    department.phase(Kind::Exit, "clean", "Completed").await?;
    let spare = fixture.volumes.pop().context("spare")?;
    let gone = || async { Ok((!spare.directory.exists()).then_some(())) };
    eventually("the spare volume's directory is gone", PATIENCE, gone).await?;
    fixture.assert_bytes("scope Volumes")
}
