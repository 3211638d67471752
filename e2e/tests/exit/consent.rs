//! The department's word (Art. 23): absent, old, voided, taken back, forged.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Kind, refusal};
use e2e::suite::Context;
use e2e::wait::eventually;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, PostParams};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::desk::{APP, Desk, EXIT, Fate, PATIENCE, disposition, refused};
use crate::odd::pending;

/// The approval of what stands, unseen.
async fn approval(desk: &Desk) -> Result<DynamicObject> {
    let generation = desk.department.get(Kind::Exit, EXIT).await?.metadata.generation.unwrap_or_default();
    let annotations = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意",
        "govcloud.dev/reviewed-generation": generation.to_string(),
    }}});
    desk.department.amend_as(desk.department.authority, Kind::Exit, EXIT, annotations).await
}

/// The exit is withdrawn by the operator, and the application is as before.
async fn as_before(desk: &Desk, fates: &[(&str, Fate)]) -> Result<()> {
    desk.phase("Withdrawn").await?;
    desk.app_phase("Provisioned").await?;
    desk.department
        .until(Kind::Grant, APP, "is unrestricted", |s| {
            s["restriction"] == "None" || s["restriction"].is_null()
        })
        .await?;
    desk.ends(fates, false).await
}

/// After a void consent it is asked for anew; given, all goes on.
async fn anew(desk: &Desk, fates: &[(&str, Fate)]) -> Result<()> {
    let void = |s: &Value| {
        s["phase"] == "AwaitingConsent"
            && s["consent"].is_null()
            && s["timeline"].as_array().is_some_and(|t| t.iter().any(|e| e["event"] == "ConsentVoid"))
    };
    desk.department.until(Kind::Exit, EXIT, "has lost its consent", void).await?;
    refusal(approval(desk).await).context("approved without consent")?;
    desk.consent().await?;
    desk.approve().await?;
    desk.phase("Completed").await?;
    desk.ends(fates, true).await
}

pub async fn nothing_without_it(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    refused(approval(&desk).await, "使用部门尚未就现数据清单授权")?;
    desk.phase("AwaitingConsent").await?;
    desk.withdraw().await?;
    as_before(&desk, &[("data", Fate::InUse)]).await
}

pub async fn an_old_digest_is_refused(context: Context) -> Result<()> {
    let mut desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    let old = desk.phase("AwaitingConsent").await?.data["status"]["inventory"]["digest"].clone();
    desk.held.push(desk.fill("prod", "more").await?);
    let news = |s: &Value| {
        s["inventory"]["digest"] != old
            && s["inventory"]["entries"]
                .as_array()
                .is_some_and(|e| e.len() == 2 && e.iter().all(|e| !e["volumeUID"].is_null()))
    };
    desk.department.until(Kind::Exit, EXIT, "is published anew", news).await?;
    let consent = json!({"spec": {"consent": {"inventoryDigest": old}}});
    refused(desk.department.amend(Kind::Exit, EXIT, consent).await, "授权须针对现清单")?;
    desk.withdraw().await?;
    as_before(&desk, &[("data", Fate::InUse), ("more", Fate::InUse)]).await
}

pub async fn voided_by_a_new_claim(context: Context) -> Result<()> {
    let mut desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.consent().await?;
    desk.held.push(desk.fill("prod", "late").await?);
    // Published with the claim alone at first, it may be published once more with its volume.
    let uid = desk.held("late")?.uid();
    let listed = |s: &Value| {
        s["inventory"]["entries"].as_array().is_some_and(|e| e.iter().any(|e| e["volumeUID"] == uid))
    };
    desk.department.until(Kind::Exit, EXIT, "lists the new volume", listed).await?;
    anew(&desk, &[("data", Fate::Destroyed), ("late", Fate::Destroyed)]).await
}

/// The volume is what the department's word is about: it stays in the inventory as it was, with or without its claim.
pub async fn a_deleted_claim_leaves_its_volume_consented(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    desk.file(disposition("Destroy", &[("archive", "Retain")])).await?;
    desk.consent().await?;
    let before = desk.phase("AwaitingDecision").await?.data["status"]["inventory"]["digest"].clone();
    desk.unclaim("data").await?;
    desk.unclaim("archive").await?;
    desk.approve().await?;
    let exit = desk.phase("Completed").await?;
    ensure!(exit.data["status"]["inventory"]["digest"] == before, "{exit:?}");
    desk.ends(&[("data", Fate::Destroyed), ("archive", Fate::Retained)], true).await
}

pub async fn voided_by_a_deleted_claim_without_a_volume(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    pending(&desk, "waiting").await?;
    let two = |s: &Value| s["inventory"]["entries"].as_array().is_some_and(|e| e.len() == 2);
    desk.file(disposition("Destroy", &[])).await?;
    desk.department.until(Kind::Exit, EXIT, "lists both", two).await?;
    desk.consent().await?;
    desk.claims(desk.department.applicant).await?.delete("waiting", &DeleteParams::default()).await?;
    anew(&desk, &[("data", Fate::Destroyed)]).await
}

/// What is to become of a volume is part of what was consented to.
pub async fn voided_by_another_action(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    desk.file(disposition("Retain", &[])).await?;
    desk.consent().await?;
    let other = json!({"spec": {"disposition": disposition("Retain", &[("data", "Destroy")])}});
    desk.department.amend(Kind::Exit, EXIT, other).await?;
    anew(&desk, &[("data", Fate::Destroyed), ("archive", Fate::Retained)]).await
}

fn bigger() -> Value {
    json!({"spec": {"capacity": {"storage": "20Gi"}}})
}

pub async fn voided_by_a_resized_volume(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.consent().await?;
    desk.patch_volume(Actor::Admin, "data", bigger()).await?;
    anew(&desk, &[("data", Fate::Destroyed)]).await
}

pub async fn voided_after_the_approval_by_a_resized_volume(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data", "archive"]).await?;
    desk.leave(disposition("HandOver", &[("archive", "Destroy")])).await?;
    desk.phase("HandingOver").await?;
    desk.patch_volume(Actor::Admin, "archive", bigger()).await?;
    as_before(&desk, &[("data", Fate::InUse), ("archive", Fate::InUse)]).await
}

/// The CRD of the snapshots, installed while the operator runs; once for all.
pub async fn snapshots(context: &Context) -> Result<()> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let install = || async {
        let crds: Api<CustomResourceDefinition> = Api::all(context.cluster.client(Actor::Admin).await?);
        let crd = serde_json::from_value(json!({
            "metadata": {
                "name": "volumesnapshots.snapshot.storage.k8s.io",
                "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/814"},
            },
            "spec": {
                "group": "snapshot.storage.k8s.io", "scope": "Namespaced",
                "names": {"kind": "VolumeSnapshot", "listKind": "VolumeSnapshotList", "plural": "volumesnapshots", "singular": "volumesnapshot"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }}}],
            },
        }))?;
        crds.create(&PostParams::default(), &crd).await?;
        let established = |c: &CustomResourceDefinition| {
            let conditions = c.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
            conditions.iter().any(|c| c.type_ == "Established" && c.status == "True")
        };
        let name = "volumesnapshots.snapshot.storage.k8s.io";
        e2e::wait::until(crds, name, "is established", PATIENCE, established).await.map(drop)
    };
    INSTALLED.get_or_try_init(install).await.map(drop)
}

/// Takes a snapshot of `data` in `prod`.
pub async fn snapshot(desk: &Desk, who: Actor, name: &str) -> Result<Api<DynamicObject>> {
    let kind = GroupVersionKind::gvk("snapshot.storage.k8s.io", "v1", "VolumeSnapshot");
    let kind = ApiResource::from_gvk_with_plural(&kind, "volumesnapshots");
    let api: Api<DynamicObject> =
        Api::namespaced_with(desk.department.cluster().client(who).await?, desk.tenant("prod"), &kind);
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": {"name": name},
        "spec": {"source": {"persistentVolumeClaimName": "data"}},
    }))?;
    // A CRD is served a moment after it is established.
    let create = || async {
        match api.create(&PostParams::default(), &object).await {
            Ok(_) => Ok(Some(())),
            Err(kube::Error::Api(s)) if s.reason == "AlreadyExists" => Ok(Some(())),
            Err(e) => Err(e.into()),
        }
    };
    eventually(&format!("snapshot {name}"), PATIENCE, create).await?;
    Ok(api)
}

/// A copy of the data is data: the snapshot is seen by a watch that began when its CRD came.
pub async fn voided_by_a_snapshot(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.consent().await?;
    snapshots(&context).await?;
    snapshot(&desk, desk.department.applicant, "copy").await?;
    let listed = |s: &Value| s["inventory"]["snapshots"][0]["name"] == "copy";
    desk.department.until(Kind::Exit, EXIT, "lists the snapshot", listed).await?;
    anew(&desk, &[("data", Fate::Destroyed)]).await
}

pub async fn voided_after_the_approval_by_a_snapshot(context: Context) -> Result<()> {
    snapshots(&context).await?;
    let desk = Desk::open(&context, &["data"]).await?;
    desk.leave(disposition("HandOver", &[])).await?;
    desk.phase("HandingOver").await?;
    snapshot(&desk, desk.department.applicant, "copy").await?;
    as_before(&desk, &[("data", Fate::InUse)]).await
}

pub async fn taken_back(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    desk.consent().await?;
    desk.department.amend(Kind::Exit, EXIT, json!({"spec": {"consent": null}})).await?;
    desk.phase("AwaitingConsent").await?;
    refusal(approval(&desk).await).context("approved without consent")?;
    desk.withdraw().await?;
    as_before(&desk, &[("data", Fate::InUse)]).await
}

pub async fn nobody_consents_for_the_department(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.file(disposition("Destroy", &[])).await?;
    let digest = desk.phase("AwaitingConsent").await?.data["status"]["inventory"]["digest"].clone();
    let consent = json!({"spec": {"consent": {"inventoryDigest": digest}}});
    for who in [
        Actor::Provider,
        Actor::PlatformAdmin,
        Actor::Authority410000,
        Actor::OtherDepartment,
        Actor::Pipeline,
        Actor::Auditor,
    ] {
        let outcome = desk.department.amend_as(who, Kind::Exit, EXIT, consent.clone()).await;
        refusal(outcome).with_context(|| format!("{who:?} consents"))?;
    }
    desk.withdraw().await?;
    as_before(&desk, &[("data", Fate::InUse)]).await
}

/// From the approval on neither the word nor what it is about can change; only the whole can be taken back.
pub async fn fixed_after_the_approval(context: Context) -> Result<()> {
    let desk = Desk::open(&context, &["data"]).await?;
    desk.leave(disposition("HandOver", &[])).await?;
    desk.phase("HandingOver").await?;
    for patch in [
        json!({"spec": {"consent": null}}),
        json!({"spec": {"consent": {"inventoryDigest": format!("sha256:{}", "0".repeat(64))}}}),
        json!({"spec": {"disposition": disposition("Destroy", &[])}}),
        json!({"spec": {"reason": "ContractEnded"}}),
    ] {
        refusal(desk.department.amend(Kind::Exit, EXIT, patch.clone()).await)
            .with_context(|| patch.to_string())?;
    }
    desk.receive("data").await?;
    desk.phase("Completed").await?;
    desk.ends(&[("data", Fate::Destroyed)], true).await
}
