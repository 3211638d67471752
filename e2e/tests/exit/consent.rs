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

use crate::fixture::{APP, EXIT, Fixture, PATIENCE, VolumeOutcome, disposition, refused};
use crate::odd::pending;

/// The approval of what stands, unseen.
async fn approval(fixture: &Fixture) -> Result<DynamicObject> {
    let generation = fixture.department.get(Kind::Exit, EXIT).await?.metadata.generation.unwrap_or_default();
    let annotations = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意",
        "govcloud.dev/reviewed-generation": generation.to_string(),
    }}});
    fixture.department.amend_as(fixture.department.authority, Kind::Exit, EXIT, annotations).await
}

/// The exit is withdrawn by the operator, and the application is as before.
async fn as_before(fixture: &Fixture, outcomes: &[(&str, VolumeOutcome)]) -> Result<()> {
    fixture.phase("Withdrawn").await?;
    fixture.app_phase("Provisioned").await?;
    fixture
        .department
        .until(Kind::Grant, APP, "is unrestricted", |s| {
            s["restriction"] == "None" || s["restriction"].is_null()
        })
        .await?;
    fixture.assert_outcome(outcomes, false).await
}

/// After a void consent it is asked for anew; given, all goes on.
async fn anew(fixture: &Fixture, outcomes: &[(&str, VolumeOutcome)]) -> Result<()> {
    let void = |s: &Value| {
        s["phase"] == "AwaitingConsent"
            && s["consent"].is_null()
            && s["timeline"].as_array().is_some_and(|t| t.iter().any(|e| e["event"] == "ConsentVoid"))
    };
    fixture.department.until(Kind::Exit, EXIT, "has lost its consent", void).await?;
    refusal(approval(fixture).await).context("approved without consent")?;
    fixture.consent().await?;
    fixture.approve().await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(outcomes, true).await
}

pub async fn nothing_without_it(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    refused(approval(&fixture).await, "使用部门尚未就现数据清单授权")?;
    fixture.phase("AwaitingConsent").await?;
    fixture.withdraw().await?;
    as_before(&fixture, &[("data", VolumeOutcome::InUse)]).await
}

pub async fn an_old_digest_is_refused(context: Context) -> Result<()> {
    let mut fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    let old = fixture.phase("AwaitingConsent").await?.data["status"]["inventory"]["digest"].clone();
    fixture.held.push(fixture.fill("prod", "more").await?);
    let news = |s: &Value| {
        s["inventory"]["digest"] != old
            && s["inventory"]["entries"]
                .as_array()
                .is_some_and(|e| e.len() == 2 && e.iter().all(|e| !e["volumeUID"].is_null()))
    };
    fixture.department.until(Kind::Exit, EXIT, "is published anew", news).await?;
    let consent = json!({"spec": {"consent": {"inventoryDigest": old}}});
    refused(fixture.department.amend(Kind::Exit, EXIT, consent).await, "授权须针对现清单")?;
    fixture.withdraw().await?;
    as_before(&fixture, &[("data", VolumeOutcome::InUse), ("more", VolumeOutcome::InUse)]).await
}

pub async fn voided_by_a_new_claim(context: Context) -> Result<()> {
    let mut fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.consent().await?;
    fixture.held.push(fixture.fill("prod", "late").await?);
    // Published with the claim alone at first, it may be published once more with its volume.
    let uid = fixture.held("late")?.uid();
    let listed = |s: &Value| {
        s["inventory"]["entries"].as_array().is_some_and(|e| e.iter().any(|e| e["volumeUID"] == uid))
    };
    fixture.department.until(Kind::Exit, EXIT, "lists the new volume", listed).await?;
    anew(&fixture, &[("data", VolumeOutcome::Destroyed), ("late", VolumeOutcome::Destroyed)]).await
}

/// The volume is what the department's word is about: it stays in the inventory as it was, with or without its claim.
pub async fn a_deleted_claim_leaves_its_volume_consented(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    fixture.file(disposition("Destroy", &[("archive", "Retain")])).await?;
    fixture.consent().await?;
    let before = fixture.phase("AwaitingDecision").await?.data["status"]["inventory"]["digest"].clone();
    fixture.unclaim("data").await?;
    fixture.unclaim("archive").await?;
    fixture.approve().await?;
    let exit = fixture.phase("Completed").await?;
    ensure!(exit.data["status"]["inventory"]["digest"] == before, "{exit:?}");
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Destroyed), ("archive", VolumeOutcome::Retained)], true)
        .await
}

pub async fn voided_by_a_deleted_claim_without_a_volume(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    pending(&fixture, "waiting").await?;
    let two = |s: &Value| s["inventory"]["entries"].as_array().is_some_and(|e| e.len() == 2);
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.department.until(Kind::Exit, EXIT, "lists both", two).await?;
    fixture.consent().await?;
    fixture.claims(fixture.department.applicant).await?.delete("waiting", &DeleteParams::default()).await?;
    anew(&fixture, &[("data", VolumeOutcome::Destroyed)]).await
}

/// The planned outcome of a volume is part of the consent.
pub async fn voided_by_another_action(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    fixture.file(disposition("Retain", &[])).await?;
    fixture.consent().await?;
    let other = json!({"spec": {"disposition": disposition("Retain", &[("data", "Destroy")])}});
    fixture.department.amend(Kind::Exit, EXIT, other).await?;
    anew(&fixture, &[("data", VolumeOutcome::Destroyed), ("archive", VolumeOutcome::Retained)]).await
}

fn bigger() -> Value {
    json!({"spec": {"capacity": {"storage": "20Gi"}}})
}

pub async fn voided_by_a_resized_volume(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.consent().await?;
    fixture.patch_volume(Actor::Admin, "data", bigger()).await?;
    anew(&fixture, &[("data", VolumeOutcome::Destroyed)]).await
}

/// A difference that cannot be put right holds an approved exit until the department withdraws it.
pub async fn held_after_the_approval_by_a_resized_volume(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "archive"]).await?;
    fixture.leave(disposition("HandOver", &[("archive", "Destroy")])).await?;
    fixture.phase("HandingOver").await?;
    fixture.patch_volume(Actor::Admin, "archive", bigger()).await?;
    fixture.until_condition("Stalled", "InventoryChanged").await?;
    fixture.withdraw().await?;
    as_before(&fixture, &[("data", VolumeOutcome::InUse), ("archive", VolumeOutcome::InUse)]).await
}

/// The CRD of the snapshots, installed while the operator runs; once for all.
pub async fn snapshots(context: &Context) -> Result<()> {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let install = || async {
        let crds: Api<CustomResourceDefinition> = Api::all(context.cluster.client(Actor::Admin).await?);
        for (plural, kind, scope) in [
            ("volumesnapshots", "VolumeSnapshot", "Namespaced"),
            ("volumesnapshotcontents", "VolumeSnapshotContent", "Cluster"),
        ] {
            let name = format!("{plural}.snapshot.storage.k8s.io");
            let crd = serde_json::from_value(json!({
                "metadata": {
                    "name": name,
                    "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter/pull/814"},
                },
                "spec": {
                    "group": "snapshot.storage.k8s.io", "scope": scope,
                    "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase()},
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
            e2e::wait::until(crds.clone(), &name, "is established", PATIENCE, established).await?;
        }
        Ok::<(), anyhow::Error>(())
    };
    INSTALLED.get_or_try_init(install).await.map(drop)
}

/// Takes a snapshot of `data` in `prod`.
pub async fn snapshot(fixture: &Fixture, who: Actor, name: &str) -> Result<Api<DynamicObject>> {
    let kind = GroupVersionKind::gvk("snapshot.storage.k8s.io", "v1", "VolumeSnapshot");
    let kind = ApiResource::from_gvk_with_plural(&kind, "volumesnapshots");
    let api: Api<DynamicObject> =
        Api::namespaced_with(fixture.department.cluster().client(who).await?, fixture.tenant("prod"), &kind);
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
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.consent().await?;
    snapshots(&context).await?;
    snapshot(&fixture, fixture.department.applicant, "copy").await?;
    let listed = |s: &Value| s["inventory"]["snapshots"][0]["name"] == "copy";
    fixture.department.until(Kind::Exit, EXIT, "lists the snapshot", listed).await?;
    anew(&fixture, &[("data", VolumeOutcome::Destroyed)]).await
}

/// A backup's snapshot that comes and goes holds an approved exit while it is there, and ends it not.
pub async fn held_after_the_approval_by_a_snapshot(context: Context) -> Result<()> {
    snapshots(&context).await?;
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.leave(disposition("HandOver", &[])).await?;
    fixture.phase("HandingOver").await?;
    let copies = snapshot(&fixture, fixture.department.applicant, "copy").await?;
    fixture.until_condition("Stalled", "InventoryChanged").await?;
    copies.delete("copy", &DeleteParams::default()).await?;
    fixture.until_condition("Reconciling", "HandingOver").await?;
    fixture.receive("data").await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

pub async fn taken_back(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    fixture.consent().await?;
    fixture.department.amend(Kind::Exit, EXIT, json!({"spec": {"consent": null}})).await?;
    fixture.phase("AwaitingConsent").await?;
    refusal(approval(&fixture).await).context("approved without consent")?;
    fixture.withdraw().await?;
    as_before(&fixture, &[("data", VolumeOutcome::InUse)]).await
}

pub async fn nobody_consents_for_the_department(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.file(disposition("Destroy", &[])).await?;
    let digest = fixture.phase("AwaitingConsent").await?.data["status"]["inventory"]["digest"].clone();
    let consent = json!({"spec": {"consent": {"inventoryDigest": digest}}});
    for who in [
        Actor::Provider,
        Actor::PlatformAdmin,
        Actor::Authority410000,
        Actor::OtherDepartment,
        Actor::Pipeline,
        Actor::Auditor,
    ] {
        let outcome = fixture.department.amend_as(who, Kind::Exit, EXIT, consent.clone()).await;
        refusal(outcome).with_context(|| format!("{who:?} consents"))?;
    }
    fixture.withdraw().await?;
    as_before(&fixture, &[("data", VolumeOutcome::InUse)]).await
}

/// From the approval on neither the word nor what it is about can change; only the whole can be taken back.
pub async fn fixed_after_the_approval(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.leave(disposition("HandOver", &[])).await?;
    fixture.phase("HandingOver").await?;
    for patch in [
        json!({"spec": {"consent": null}}),
        json!({"spec": {"consent": {"inventoryDigest": format!("sha256:{}", "0".repeat(64))}}}),
        json!({"spec": {"disposition": disposition("Destroy", &[])}}),
        json!({"spec": {"reason": "ContractEnded"}}),
    ] {
        refusal(fixture.department.amend(Kind::Exit, EXIT, patch.clone()).await)
            .with_context(|| patch.to_string())?;
    }
    fixture.receive("data").await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}
