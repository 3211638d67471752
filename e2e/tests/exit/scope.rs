//! `scope: Volumes`: volumes that no claim holds, of an application that lives on or of one that has left.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::Kind;
use e2e::suite::Context;
use e2e::wait::{eventually, until};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};

use crate::desk::{APP, Desk, EXIT, Fate, PATIENCE, disposition};
use crate::ordinary::certified;

/// The same exit, of volumes alone.
fn volumes(desk: &Desk, name: &str, how: Value) -> Result<Value> {
    let mut manifest = desk.manifest(how)?;
    manifest["metadata"]["name"] = json!(name);
    manifest["spec"]["scope"] = json!("Volumes");
    Ok(manifest)
}

async fn all_the_way(desk: &Desk, name: &str, how: Value) -> Result<DynamicObject> {
    desk.department.file(&volumes(desk, name, how)?).await?;
    desk.consent_to(name).await?;
    desk.department.approve(Kind::Exit, name).await?;
    desk.department.phase(Kind::Exit, name, "Completed").await
}

pub async fn an_unclaimed_volume_is_destroyed(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "old"]).await?;
    desk.unclaim("old").await?;
    let exit = all_the_way(&desk, EXIT, disposition("Destroy", &[])).await?;
    certified(&exit, &desk, &[("old", "Destroyed")])?;
    desk.app_phase("Provisioned").await?;
    desk.ends(&[("data", Fate::InUse), ("old", Fate::Destroyed)], false).await?;
    let none = |s: &Value| s["unclaimedVolumes"].as_array().is_none_or(Vec::is_empty);
    desk.department.until(Kind::Application, APP, "has no unclaimed volume", none).await.map(drop)
}

pub async fn an_unclaimed_volume_is_retained(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "old"]).await?;
    desk.unclaim("old").await?;
    let exit = all_the_way(&desk, EXIT, disposition("Retain", &[])).await?;
    certified(&exit, &desk, &[("old", "Retained")])?;
    desk.app_phase("Provisioned").await?;
    desk.ends(&[("data", Fate::InUse), ("old", Fate::Retained)], false).await
}

/// The claim of a volume that is in use is none of its business, whatever the disposition says by default.
pub async fn a_claimed_volume_is_not_in_it(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "old"]).await?;
    desk.unclaim("old").await?;
    desk.department.file(&volumes(&desk, EXIT, disposition("Destroy", &[("data", "Destroy")]))?).await?;
    desk.department.judged(Kind::Exit, EXIT, "UnknownVolume").await?;
    let exit = desk.department.get(Kind::Exit, EXIT).await?;
    let uid = desk.held("data")?.uid();
    ensure!(!exit.data["status"]["inventory"].to_string().contains(&uid), "{exit:?}");
    desk.withdraw().await?;
    desk.phase("Withdrawn").await?;
    desk.ends(&[("data", Fate::InUse), ("old", Fate::Unclaimed)], false).await
}

pub async fn nothing_to_dispose_of(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.department.file(&volumes(&desk, EXIT, disposition("Destroy", &[]))?).await?;
    desk.department.judged(Kind::Exit, EXIT, "NoVolumes").await?;
    desk.app_phase("Provisioned").await?;
    desk.withdraw().await?;
    desk.phase("Withdrawn").await?;
    desk.ends(&[("data", Fate::InUse)], false).await
}

/// What outlived its application is listed by the region and counted, and goes when the department says so.
pub async fn a_retained_volume_is_destroyed_later(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    desk.leave(disposition("Retain", &[("data", "Destroy")])).await?;
    desk.phase("Completed").await?;
    desk.app_phase("Exited").await?;
    desk.ends(&[("data", Fate::Destroyed), ("archive", Fate::Retained)], true).await?;
    let uid = desk.held("archive")?.uid();
    let (region, app) = (region(&desk).await?, desk.app.metadata.uid.clone());
    let department = desk.department.namespace.clone();
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
    until(region.clone(), &desk.department.region, "lists the volume", PATIENCE, listed).await?;
    let counted = metric(&desk, "govcloud_retained_volumes").await?;
    let bytes = metric(&desk, "govcloud_retained_volumes_capacity_bytes").await?;
    ensure!(counted >= 1 && bytes >= 10 << 30, "{counted} volumes of {bytes} bytes");

    let exit = all_the_way(&desk, "later", disposition("Destroy", &[])).await?;
    certified(&exit, &desk, &[("archive", "Destroyed")])?;
    desk.ends(&[("data", Fate::Destroyed), ("archive", Fate::Destroyed)], true).await?;
    let gone = |r: &DynamicObject| !r.data["status"]["retainedVolumes"].to_string().contains(&uid);
    until(region, &desk.department.region, "lists it no more", PATIENCE, gone).await?;
    desk.app_phase("Exited").await.map(drop)
}

async fn region(desk: &Desk) -> Result<Api<DynamicObject>> {
    let kind = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let client = desk.department.cluster().client(Actor::Admin).await?;
    Ok(Api::all_with(client, &ApiResource::from_gvk_with_plural(&kind, "regions")))
}

/// A metric of this region.
async fn metric(desk: &Desk, name: &str) -> Result<i64> {
    let line = format!("{name}{{region=\"{}\"}} ", desk.department.region);
    eventually(name, PATIENCE, || async {
        let operator = desk.department.cluster().operator.lock().await;
        let text = operator.as_ref().context("no operator")?.get("/metrics").await?;
        let found = text.lines().find_map(|l| l.strip_prefix(&line)?.parse::<i64>().ok());
        Ok(found.filter(|n| *n > 0))
    })
    .await
}
