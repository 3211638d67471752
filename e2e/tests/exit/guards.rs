//! Volumes in other people's hands: flipped, taken, shared (S2, S5).

use std::fs;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{self, Actor, OPERATOR};
use e2e::fixtures::{Department, HENAN, Kind, refusal};
use e2e::suite::Context;
use e2e::wait::until;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::fixture::{EXIT, Fixture, PATIENCE, VolumeOutcome, disposition, policy};

fn reclaim(policy: &str) -> Value {
    json!({"spec": {"persistentVolumeReclaimPolicy": policy}})
}

/// Whoever flips a volume by hand is refused; who gets past that is corrected at once, also while an exit is under way.
pub async fn flipped_by_hand(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    fixture.leave(disposition("HandOver", &[("archive", "Retain")])).await?;
    fixture.phase("HandingOver").await?;
    for who in [Actor::PlatformAdmin, Actor::Provider, Actor::Department] {
        refusal(fixture.patch_volume(who, "archive", reclaim("Delete")).await)
            .with_context(|| format!("{who:?}"))?;
    }
    let thief =
        actors::impersonate(&fixture.department.cluster().plane.kubeconfig(Actor::Admin), OPERATOR).await?;
    let volumes: Api<PersistentVolume> = Api::all(thief);
    let name = fixture.held("archive")?.volume.name_any();
    let wrong = volumes.patch(&name, &PatchParams::default(), &Patch::Merge(reclaim("Delete"))).await?;
    ensure!(policy(&wrong).as_deref() == Some("Delete"), "it was not flipped");
    let right = |v: &PersistentVolume| policy(v).as_deref() == Some("Retain");
    until(volumes, &name, "is put right", PATIENCE, right).await?;
    fixture.withdraw().await?;
    fixture.phase("Withdrawn").await?;
    // The thief's own request is in the audit log under the administrator's name, who impersonated.
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse), ("archive", VolumeOutcome::InUse)], false).await
}

/// Flipped back to `Retain` behind the operator's back while the volume is on its way out: what was consented to is done.
pub async fn flipped_back_while_reclaiming(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.obstruct().await?;
    fixture.unclaim_later("data").await?;
    fixture.leave(disposition("Destroy", &[])).await?;
    let thief =
        actors::impersonate(&fixture.department.cluster().plane.kubeconfig(Actor::Admin), OPERATOR).await?;
    let volumes: Api<PersistentVolume> = Api::all(thief);
    let name = fixture.held("data")?.volume.name_any();
    let set = |wanted: &'static str| move |v: &PersistentVolume| policy(v).as_deref() == Some(wanted);
    until(volumes.clone(), &name, "is to go", PATIENCE, set("Delete")).await?;
    volumes.patch(&name, &PatchParams::default(), &Patch::Merge(reclaim("Retain"))).await?;
    until(volumes, &name, "is to go again", PATIENCE, set("Delete")).await?;
    fixture.clear().await?;
    fixture.release_claim("data").await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

/// A retained volume stays the department's: nobody else's claim gets it, by name, by selector or by chance.
pub async fn never_bound_by_another_tenant(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["archive"]).await?;
    fixture.leave(disposition("Retain", &[])).await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("archive", VolumeOutcome::Retained)], true).await?;
    let volume = fixture.held("archive")?.volume.clone();
    let name = volume.name_any();

    let namespace = context.filing_namespace("dept", HENAN).await?;
    let other = Department::open(&context.cluster, &namespace, HENAN).await?;
    let app = other.provision(other.application("foreign")?).await?;
    let (tenant, _) = Department::tenant(&app, "prod")?;
    // Its class and size are equal, so a binder would take it for the other.
    let got = other.fill(&tenant, "fresh", "新的").await?;
    ensure!(got.uid() != volume.uid(), "the foreign's claim got the retained volume");
    let claims: Api<PersistentVolumeClaim> =
        Api::namespaced(context.cluster.client(other.applicant).await?, &tenant);
    let claim = |more: Value| -> Result<PersistentVolumeClaim> {
        let mut claim = json!({
            "metadata": {"name": "theft"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "resources": {"requests": {"storage": "1Gi"}}},
        });
        for (k, v) in more.as_object().into_iter().flatten() {
            claim["spec"][k] = v.clone();
        }
        Ok(serde_json::from_value(claim)?)
    };
    for more in [
        json!({"volumeName": name}),
        json!({"selector": {"matchLabels": {"govcloud.dev/retained": fixture.app.uid()}}}),
        json!({"selector": {}}),
    ] {
        let outcome = claims.create(&PostParams::default(), &claim(more.clone())?).await;
        refusal(outcome.map_err(Into::into)).with_context(|| format!("a claim with {more}"))?;
    }
    let to_the_stranger = json!({"spec": {"claimRef": {"namespace": tenant, "name": "theft", "uid": null}}});
    for (what, patch) in [
        ("claimRef re-pointed", to_the_stranger),
        ("claimRef cleared", json!({"spec": {"claimRef": null}})),
        ("claimRef without UID", json!({"spec": {"claimRef": {"uid": null}}})),
        ("marks removed", json!({"metadata": {"labels": {"govcloud.dev/retained": null}}})),
        ("owner removed", json!({"metadata": {"labels": {"govcloud.dev/application-uid": null}}})),
        ("policy", reclaim("Delete")),
    ] {
        for who in [Actor::PlatformAdmin, Actor::Admin] {
            let outcome = fixture.patch_volume(who, "archive", patch.clone()).await;
            refusal(outcome).with_context(|| format!("{what} by {who:?}"))?;
        }
    }
    let admin: Api<PersistentVolume> = Api::all(context.cluster.client(Actor::PlatformAdmin).await?);
    let deleted = admin.delete(&name, &DeleteParams::default()).await;
    refusal(deleted.map_err(Into::into)).context("the volume is deleted by hand")?;
    fixture.assert_outcome(&[("archive", VolumeOutcome::Retained)], true).await
}

/// A second PersistentVolume for the directory of `claim`.
async fn twin(fixture: &Fixture, claim: &str) -> Result<String> {
    let volumes = fixture.department.volumes().await?;
    let held = fixture.held(claim)?;
    let name = format!("twin-of-{}", held.volume.name_any());
    let twin: PersistentVolume = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": held.directory.display().to_string()},
        },
    }))?;
    volumes.create(&PostParams::default(), &twin).await?;
    Ok(name)
}

async fn remove(fixture: &Fixture, volume: &str) -> Result<()> {
    fixture
        .department
        .volumes()
        .await?
        .delete(volume, &DeleteParams::default())
        .await
        .map(drop)
        .map_err(Into::into)
}

/// Destroying one volume destroys the other, to which nobody consented: it cannot be approved.
pub async fn two_volumes_of_one_source(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    let twin = twin(&fixture, "data").await?;
    fixture.department.file(&fixture.manifest(disposition("Destroy", &[]))?).await?;
    let judged = fixture.department.judged(Kind::Exit, EXIT, "SharedSource").await?;
    let message = e2e::fixtures::condition(&judged.data["status"], "Stalled")["message"].to_string();
    ensure!(
        message.contains(&twin) && message.contains(&fixture.held("data")?.volume.name_any()),
        "{message}"
    );
    remove(&fixture, &twin).await?;
    fixture.consent().await?;
    fixture.approve().await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

/// It shows up after the approval: everything stalls before the first write that destroys, and goes on without it.
pub async fn a_second_source_after_the_approval(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "letters"]).await?;
    fixture.leave(disposition("Destroy", &[("letters", "HandOver")])).await?;
    fixture.phase("HandingOver").await?;
    let twin = twin(&fixture, "data").await?;
    fixture.receive("letters").await?;
    let stalled = fixture.until_condition("Stalled", "SharedSource").await?;
    ensure!(stalled.data["status"]["phase"] == "HandingOver", "{stalled:?}");
    let written = fs::read_dir(&fixture.held("data")?.directory)?.count();
    ensure!(written == 1, "{written} files");
    remove(&fixture, &twin).await?;
    fixture.phase("Completed").await?;
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Destroyed), ("letters", VolumeOutcome::Destroyed)], true)
        .await
}
