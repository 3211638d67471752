//! A claim that was deleted by mistake (Art. 23; docs/restore.md): its volume is kept, and comes back to a claim of its name.

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::refusal;
use e2e::suite::Context;
use e2e::wait::until;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt;
use kube::api::PostParams;
use serde_json::json;

use crate::fixture::{Fixture, PATIENCE, VolumeOutcome};

pub async fn a_claim_deleted_by_mistake_comes_back(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    let claims = fixture.claims(fixture.department.applicant).await?;
    let mut claim = claims.get("data").await?;
    fixture.unclaim("data").await?;
    let held = fixture.held("data")?;
    // Not by clearing the claim: anybody's claim could take it then.
    let cleared = json!({"spec": {"claimRef": null}});
    refusal(fixture.patch_volume(Actor::PlatformAdmin, "data", cleared).await)?;
    let mislaid = json!({"spec": {"claimRef": {"uid": null, "resourceVersion": null}}});
    fixture.patch_volume(Actor::PlatformAdmin, "data", mislaid).await?;
    let waits = |v: &PersistentVolume| crate::fixture::phase(v) == "Available";
    let volumes = fixture.department.volumes().await?;
    until(volumes.clone(), &held.volume.name_any(), "waits for its claim", PATIENCE, waits).await?;
    claim.metadata = serde_json::from_value(json!({"name": "data"}))?;
    claim.status = None;
    if let Some(spec) = &mut claim.spec {
        spec.volume_name = None;
    }
    claims.create(&PostParams::default(), &claim).await?;
    let bound =
        |c: &PersistentVolumeClaim| c.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound");
    let claim = until(claims, "data", "is bound", PATIENCE, bound).await?;
    let name = claim.spec.and_then(|s| s.volume_name);
    ensure!(name == held.volume.metadata.name, "it has another volume: {name:?}");
    let now = volumes.get(&held.volume.name_any()).await?;
    ensure!(now.uid() == held.volume.uid(), "{now:?}");
    held.intact()?;
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse)], false).await
}
