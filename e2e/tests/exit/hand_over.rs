//! Data that is handed over (Art. 28): use goes on until the department has it.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Kind, refusal};
use e2e::suite::Context;
use e2e::wait::eventually;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::fixture::{APP, EXIT, Fixture, PATIENCE, VolumeOutcome, disposition, receipt};

fn two(m: &mut Value) {
    let prod = m["spec"]["namespaces"][0].clone();
    let mut test = prod.clone();
    test["name"] = json!("test");
    m["spec"]["namespaces"] = json!([prod, test]);
}

async fn awaited(fixture: &Fixture) -> Result<()> {
    let met = |s: &Value| s["waitingFor"] == "HandOverReceipt";
    fixture.department.until(Kind::Exit, EXIT, "awaits a receipt", met).await.map(drop)
}

/// A pod as a tenant namespace takes it.
pub fn pod(name: &str) -> Result<Pod> {
    Ok(serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "copy", "image": "copy.example/copy:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    }))?)
}

/// The department's attempt to run a pod in an entry's namespace.
async fn runs(fixture: &Fixture, entry: &str, name: &str) -> Result<Pod> {
    let client = fixture.department.cluster().client(fixture.department.applicant).await?;
    let pods: Api<Pod> = Api::namespaced(client, fixture.tenant(entry));
    Ok(pods.create(&PostParams::default(), &pod(name)?).await?)
}

pub async fn use_goes_on_until_the_receipt(context: Context) -> Result<()> {
    let fixture = Fixture::with(&context, two, &[("prod", "data"), ("test", "scratch")]).await?;
    runs(&fixture, "prod", "before").await.context("a pod before the exit")?;
    let how = json!({"default": "Destroy", "volumes": [{"namespace": "prod", "claim": "data", "action": "HandOver"}]});
    fixture.leave(how).await?;
    awaited(&fixture).await?;
    // Elsewhere nothing new runs, and what is there can be looked at only.
    let stopped = || async {
        ensure!(
            runs(&fixture, "test", &format!("late-{}", jiff::Timestamp::now().as_nanosecond()))
                .await
                .is_err(),
            "a pod still starts"
        );
        Ok(Some(()))
    };
    eventually("no new pods in the other namespace", PATIENCE, stopped).await?;
    let client = fixture.department.cluster().client(fixture.department.applicant).await?;
    let seen: Api<Pod> = Api::namespaced(client.clone(), fixture.tenant("test"));
    eventually("looking is allowed", PATIENCE, || async { Ok(Some(seen.list(&Default::default()).await?)) })
        .await?;
    // Data that is handed over can be copied out; but nothing new is stored.
    runs(&fixture, "prod", "copying").await.context("a pod that copies")?;
    let claims: Api<PersistentVolumeClaim> = fixture.claims(fixture.department.applicant).await?;
    let claim = serde_json::from_value(json!({
        "metadata": {"name": "more"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "resources": {"requests": {"storage": "1Gi"}}},
    }))?;
    let refused = claims.create(&PostParams::default(), &claim).await;
    let message = refusal(refused.map_err(Into::into)).context("a new claim")?;
    ensure!(message.contains("exceeded quota"), "{message}");
    ensure!(
        fixture.held("data")?.directory.exists() && fixture.held("scratch")?.directory.exists(),
        "data is gone"
    );
    fixture.receive("data").await?;
    fixture.phase("Completed").await?;
    fixture
        .assert_outcome(&[("data", VolumeOutcome::Destroyed), ("scratch", VolumeOutcome::Destroyed)], true)
        .await
}

pub async fn a_wrong_receipt_releases_nothing(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    fixture.leave(disposition("HandOver", &[])).await?;
    awaited(&fixture).await?;
    let uid = fixture.held("data")?.uid();
    let right = receipt(&uid);
    let give = |r: Value| json!({"spec": {"handOver": [r]}});
    for (field, value) in [
        ("receivedBy", Value::Null),
        ("receivedBy", json!("")),
        ("uri", Value::Null),
        ("sha256", Value::Null),
        ("sha256", json!("abc")),
        ("volumeUID", Value::Null),
    ] {
        let mut wrong = right.clone();
        wrong[field] = value.clone();
        let outcome = fixture.department.amend(Kind::Exit, EXIT, give(wrong)).await;
        refusal(outcome).with_context(|| format!("a receipt with {field} {value}"))?;
    }
    for who in [Actor::Provider, Actor::PlatformAdmin, Actor::Authority410000, Actor::Pipeline] {
        let outcome = fixture.department.amend_as(who, Kind::Exit, EXIT, give(right.clone())).await;
        refusal(outcome).with_context(|| format!("a receipt by {who:?}"))?;
    }
    // For another volume: taken down, and nothing goes by it.
    let other = receipt("00000000-0000-0000-0000-000000000000");
    fixture.department.amend(Kind::Exit, EXIT, give(other.clone())).await?;
    let told =
        |s: &Value| s["timeline"].as_array().is_some_and(|t| t.iter().any(|e| e["event"] == "HandedOver"));
    fixture.department.until(Kind::Exit, EXIT, "has taken it down", told).await?;
    awaited(&fixture).await?;
    fixture.phase("HandingOver").await?;
    ensure!(fixture.held("data")?.directory.exists(), "data went by another's receipt");
    // And a receipt is not changed once it is given.
    let mut changed = other.clone();
    changed["receivedBy"] = json!("别人");
    refusal(fixture.department.amend(Kind::Exit, EXIT, give(changed)).await)
        .context("a receipt is changed")?;
    fixture.receive("data").await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}

pub async fn each_volume_has_its_own_receipt(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data", "letters", "archive"]).await?;
    fixture.leave(disposition("HandOver", &[("archive", "Retain")])).await?;
    awaited(&fixture).await?;
    fixture.receive("data").await?;
    let one = |s: &Value| {
        let message = e2e::fixtures::condition(s, "Reconciling")["message"].as_str().unwrap_or_default();
        message.contains("/letters") && !message.contains("/data")
    };
    fixture.department.until(Kind::Exit, EXIT, "awaits the other alone", one).await?;
    ensure!(fixture.held("data")?.directory.exists(), "it went before everything was handed over");
    fixture.receive("letters").await?;
    let exit = fixture.phase("Completed").await?;
    ensure!(exit.data["status"]["certificate"]["volumes"].as_array().map(Vec::len) == Some(3), "{exit:?}");
    fixture.department.phase(Kind::Grant, APP, "Released").await?;
    let outcomes = [
        ("data", VolumeOutcome::Destroyed),
        ("letters", VolumeOutcome::Destroyed),
        ("archive", VolumeOutcome::Retained),
    ];
    fixture.assert_outcome(&outcomes, true).await
}

pub async fn no_receipt_before_the_approval(context: Context) -> Result<()> {
    let fixture = Fixture::open(&context, &["data"]).await?;
    let uid = fixture.held("data")?.uid();
    let give = json!({"spec": {"handOver": [receipt(&uid)]}});
    fixture.file(disposition("HandOver", &[])).await?;
    refusal(fixture.department.amend(Kind::Exit, EXIT, give.clone()).await).context("before the consent")?;
    fixture.consent().await?;
    refusal(fixture.department.amend(Kind::Exit, EXIT, give).await).context("before the decision")?;
    fixture.approve().await?;
    awaited(&fixture).await?;
    fixture.receive("data").await?;
    fixture.phase("Completed").await?;
    fixture.assert_outcome(&[("data", VolumeOutcome::Destroyed)], true).await
}
