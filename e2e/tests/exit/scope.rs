//! `scope: Volumes`: volumes that no claim holds, of an application that lives on or of one that has left.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::Kind;
use e2e::suite::Context;
use e2e::wait::{eventually, until};
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};

use crate::fixture::{APP, EXIT, Fixture, PATIENCE, VolumeOutcome, disposition};
use crate::ordinary::certified;

/// An exit of volumes alone.
fn volumes(fixture: &Fixture, name: &str, how: Value) -> Result<Value> {
    let mut manifest = fixture.manifest(how)?;
    manifest["metadata"]["name"] = json!(name);
    manifest["spec"]["scope"] = json!("Volumes");
    Ok(manifest)
}

async fn all_the_way(fixture: &Fixture, name: &str, how: Value) -> Result<DynamicObject> {
    fixture.department.file(&volumes(fixture, name, how)?).await?;
    fixture.consent_to(name).await?;
    fixture.department.approve(Kind::Exit, name).await?;
    fixture.department.phase(Kind::Exit, name, "Completed").await
}

pub async fn an_unclaimed_volume_is_destroyed(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "old"]).await?;
    fixture.unclaim("old").await?;
    let exit = all_the_way(&fixture, EXIT, disposition("Destroy", &[])).await?;
    certified(&exit, &fixture, &[("old", "Destroyed")])?;
    fixture.app_phase("Provisioned").await?;
    fixture
        .assert_outcome(&[("data", VolumeOutcome::InUse), ("old", VolumeOutcome::Destroyed)], false)
        .await?;
    let none = |s: &Value| s["unclaimedVolumes"].as_array().is_none_or(Vec::is_empty);
    fixture.department.until(Kind::Application, APP, "has no unclaimed volume", none).await.map(drop)
}

pub async fn an_unclaimed_volume_is_retained(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "old"]).await?;
    fixture.unclaim("old").await?;
    let exit = all_the_way(&fixture, EXIT, disposition("Retain", &[])).await?;
    certified(&exit, &fixture, &[("old", "Retained")])?;
    fixture.app_phase("Provisioned").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse), ("old", VolumeOutcome::Retained)], false).await
}

/// The claim of a volume that is in use is none of its business, whatever the disposition says by default.
pub async fn a_claimed_volume_is_not_in_it(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "old"]).await?;
    fixture.unclaim("old").await?;
    fixture
        .department
        .file(&volumes(&fixture, EXIT, disposition("Destroy", &[("data", "Destroy")]))?)
        .await?;
    fixture.department.judged(Kind::Exit, EXIT, "UnknownVolume").await?;
    let exit = fixture.department.get(Kind::Exit, EXIT).await?;
    let uid = fixture.held("data")?.uid();
    ensure!(!exit.data["status"]["inventory"].to_string().contains(&uid), "{exit:?}");
    fixture.withdraw().await?;
    fixture.phase("Withdrawn").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse), ("old", VolumeOutcome::Unclaimed)], false).await
}

pub async fn nothing_to_dispose_of(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.department.file(&volumes(&fixture, EXIT, disposition("Destroy", &[]))?).await?;
    fixture.department.judged(Kind::Exit, EXIT, "NoVolumes").await?;
    fixture.app_phase("Provisioned").await?;
    fixture.withdraw().await?;
    fixture.phase("Withdrawn").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::InUse)], false).await
}

/// Volumes that outlived their application are listed by the region and counted, and destroyed when the department asks for it.
pub async fn a_retained_volume_is_destroyed_later(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    fixture.leave(disposition("Retain", &[("data", "Destroy")])).await?;
    fixture.phase("Completed").await?;
    fixture.app_phase("Exited").await?;
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Destroyed), ("archive", VolumeOutcome::Retained)], true)
        .await?;
    let uid = fixture.held("archive")?.uid();
    let (region, app) = (region(&fixture).await?, fixture.app.metadata.uid.clone());
    let department = fixture.department.namespace.clone();
    let listed = |r: &DynamicObject| {
        let kept = &r.data["status"]["retainedVolumes"];
        let more = kept["notListed"].as_i64().unwrap_or(0);
        kept["volumes"].as_array().is_some_and(|v| {
            v.len() as i64 + more == kept["count"].as_i64().unwrap_or(-1)
                && v.iter().any(|v| {
                    v["volumeUID"] == uid
                        && v["applicationUID"].as_str() == app.as_deref()
                        && v["decommission"] == EXIT
                        && v["namespace"] == department.as_str()
                        && v["since"].is_string()
                })
        })
    };
    until(region.clone(), &fixture.department.region, "lists the volume", PATIENCE, listed).await?;
    let counted = metric(&fixture, "govcloud_retained_volumes").await?;
    let bytes = metric(&fixture, "govcloud_retained_volumes_capacity_bytes").await?;
    ensure!(counted >= 1 && bytes >= 10 << 30, "{counted} volumes of {bytes} bytes");

    let exit = all_the_way(&fixture, "later", disposition("Destroy", &[])).await?;
    certified(&exit, &fixture, &[("archive", "Destroyed")])?;
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Destroyed), ("archive", VolumeOutcome::Destroyed)], true)
        .await?;
    let gone = |r: &DynamicObject| !r.data["status"]["retainedVolumes"].to_string().contains(&uid);
    until(region, &fixture.department.region, "lists it no more", PATIENCE, gone).await?;
    fixture.app_phase("Exited").await.map(drop)
}

/// A volume that an archived application retained is the department's still: found by its name, and destroyed with its consent. The
/// name is free meanwhile: an application filed anew is not held up by what the archived one left.
pub async fn what_an_archived_application_left_is_destroyed(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["archive"]).await?;
    fixture.leave(disposition("Retain", &[])).await?;
    fixture.phase("Completed").await?;
    fixture.app_phase("Exited").await?;
    let department = &fixture.department;
    for (kind, name) in [(Kind::Exit, EXIT), (Kind::Application, APP)] {
        department.api(department.authority, kind).await?.delete(name, &DeleteParams::default()).await?;
    }
    let exit = all_the_way(&fixture, "later", disposition("Destroy", &[])).await?;
    let told = &exit.data["status"]["certificate"]["volumes"][0];
    ensure!(told["claim"] == "archive" && told["outcome"] == "Destroyed", "{exit:?}");
    fixture.assert_outcome(&[("archive", VolumeOutcome::Destroyed)], true).await?;
    department.provision(department.application(APP)?).await.map(drop)
}

async fn region(fixture: &Fixture) -> Result<Api<DynamicObject>> {
    let kind = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let client = fixture.department.cluster().client(Actor::Admin).await?;
    Ok(Api::all_with(client, &ApiResource::from_gvk_with_plural(&kind, "regions")))
}

/// A metric of this region.
async fn metric(fixture: &Fixture, name: &str) -> Result<i64> {
    let line = format!("{name}{{region=\"{}\"}} ", fixture.department.region);
    eventually(name, PATIENCE, || async {
        let operator = fixture.department.cluster().operator.lock().await;
        let text = operator.as_ref().context("no operator")?.get("/metrics").await?;
        let found = text.lines().find_map(|l| l.strip_prefix(&line)?.parse::<i64>().ok());
        Ok(found.filter(|n| *n > 0))
    })
    .await
}
