//! While an application is active every volume bound in its namespaces is `Retain` and marked, from first sight, however it
//! came there and whoever flips it (S5, Art. 23).

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::AuditLog;
use e2e::fixtures::{Kind, PATIENCE};
use e2e::install::wait_policies_active;
use e2e::suite::Context;
use e2e::wait::{eventually, until};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::fixture::{OWNER, start};

const GUARD: [&str; 2] = ["validatingadmissionpolicybinding", "govcloud-volumes"];

pub async fn volume_is_retained_from_first_sight(context: Context) -> Result<()> {
    let (cluster, department, mut fixture) = start().await?;
    context.dump_on_failure(&department.namespace);
    let own = department.get(Kind::Application, "travel").await?.uid().unwrap_or_default();
    let volumes = department.volumes().await?;
    let policy =
        |v: &PersistentVolume| v.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.clone());
    let kept =
        |v: &PersistentVolume| policy(v).as_deref() == Some("Retain") && v.labels().get(OWNER) == Some(&own);

    // One that a cluster-admin made by hand, to be deleted with its claim: bound, it is kept.
    let directory = tempfile::tempdir()?;
    let by_hand: PersistentVolume = serde_json::from_value(json!({
        "metadata": {"name": format!("by-hand-{}", &fixture.tenant_uid[..8])},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath",
            "persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": directory.path().display().to_string()},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": fixture.tenant, "name": "by-hand"},
        },
    }))?;
    let name = by_hand.name_any();
    let platform: Api<PersistentVolume> = Api::all(cluster.client(Actor::PlatformAdmin).await?);
    platform.create(&PostParams::default(), &by_hand).await?;
    let claim: PersistentVolumeClaim = serde_json::from_value(json!({
        "metadata": {"name": "by-hand"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "resources": {"requests": {"storage": "1Gi"}}},
    }))?;
    let claims: Api<PersistentVolumeClaim> =
        Api::namespaced(cluster.client(department.applicant).await?, &fixture.tenant);
    claims.create(&PostParams::default(), &claim).await?;
    until(volumes.clone(), &name, "is kept and marked", PATIENCE, kept).await?;

    // By hand it is not flipped; and past the guard it goes back.
    let flip = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
    let refused = platform.patch(&name, &PatchParams::default(), &flip).await;
    let said = e2e::fixtures::refusal(refused.map(drop).map_err(Into::into))?;
    ensure!(said.contains("the reclaim policy of a tenant's volume is the operator's"), "{said}");
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    let guard: Value = serde_json::from_str(&admin.run(&["get", GUARD[0], GUARD[1], "-o", "json"]).await?)?;
    admin.run(&["delete", GUARD[0], GUARD[1]]).await?;
    let mark = AuditLog::mark();
    let data = fixture.volume("data")?.name.clone();
    let mut flipped = 0;
    for volume in [&name, &data] {
        let flips = || async {
            Ok(platform.patch(volume, &PatchParams::default(), &flip).await.is_ok().then_some(()))
        };
        eventually(&format!("{volume} is flipped past the guard"), PATIENCE, flips).await?;
        until(volumes.clone(), volume, "is Retain again", PATIENCE, kept).await?;
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
    fixture
        .assert_intact(&cluster, "the guard on volumes, and two were flipped", "the operator puts both back")
        .await?;

    // The department deletes its own claim: the volume stays and is listed, until a Decommission says otherwise.
    claims.delete("by-hand", &DeleteParams::default()).await?;
    fixture.until_unclaimed_uid(&department, &volumes.get(&name).await?.uid().context("a UID")?).await?;
    fixture.fill(&department, "spare").await?;
    claims.delete("spare", &DeleteParams::default()).await?;
    fixture.until_unclaimed(&department, "spare").await?;
    fixture.assert_bytes("the claim")?;
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
    fixture.assert_bytes("scope Volumes")?;
    ensure!(department.get(Kind::Application, "travel").await?.data["status"]["phase"] == "Provisioned");
    fixture.print();
    println!(
        "absence | kept from first sight: 1 made by hand, {flipped} flipped and put back, 2 unclaimed and listed, 1 of them destroyed on consent"
    );
    Ok(())
}
