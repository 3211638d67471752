//! A grant that differs from the approval is refused, field by field; nothing is provisioned from it, and the clock runs on (Art. 13; S1).

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, Kind, condition, refusal};
use e2e::suite::Context;
use kube::api::{DeleteParams, DynamicObject};
use serde_json::{Value, json};

use crate::fixture::{clock, event, hard, message, order, provider_applied, tenants};

/// One way in which a grant can differ: what it is, what is merged into the right spec, and the difference as it is said.
type Difference = (&'static str, fn(&mut Value), &'static str);

const DIFFERENCES: [Difference; 11] = [
    (
        "a greater amount",
        |s| s["namespaces"][0]["quota"]["pods"] = json!("51"),
        "spec.namespaces[prod].quota.pods: 51 ≠ 50",
    ),
    (
        "a smaller amount",
        |s| s["namespaces"][0]["quota"]["requests.cpu"] = json!("7999m"),
        "spec.namespaces[prod].quota.requests.cpu: 7999m ≠ 8",
    ),
    (
        "an amount left out",
        |s| drop(s["namespaces"][0]["quota"].as_object_mut().and_then(|q| q.remove("pods"))),
        "spec.namespaces[prod].quota.pods: - ≠ 50",
    ),
    (
        "an amount more",
        |s| s["namespaces"][0]["quota"]["services.nodeports"] = json!("1"),
        "spec.namespaces[prod].quota.services.nodeports: 1 ≠ -",
    ),
    ("another namespace", |s| s["namespaces"][0]["name"] = json!("other"), "spec.namespaces[other]: "),
    (
        "a namespace more",
        |s| s["namespaces"] = json!([s["namespaces"][0], {"name": "extra", "quota": {"pods": "1"}}]),
        r#"spec.namespaces[extra]: {"pods":"1"} ≠ -"#,
    ),
    (
        "a class that is not offered",
        |s| s["namespaces"][0]["storageClass"] = json!("gold"),
        "spec.namespaces[prod].storageClass: gold ∉ hostpath",
    ),
    (
        "another record's approval",
        |s| s["approved"]["name"] = json!("other"),
        "spec.approved.name: other ≠ clinic",
    ),
    ("the approval of another UID", |s| s["approved"]["uid"] = json!("0"), "spec.approved.uid: 0 ≠ "),
    ("another generation", |s| s["approved"]["generation"] = json!(7), "spec.approved.generation: 7 ≠ 1"),
    (
        "a stale digest",
        |s| s["approved"]["digest"] = json!(format!("sha256:{}", "0".repeat(64))),
        "spec.approved.digest: sha256:0000",
    ),
];

pub async fn every_difference_from_the_approval_is_refused(context: Context) -> Result<()> {
    let department = provider_applied(&context, "differs").await?;
    department.file(&department.application("clinic")?).await?;
    department.approve(Kind::Application, "clinic").await?;
    let app = department.phase(Kind::Application, "clinic", "Provisioning").await?;
    let due = clock(&app, "Provision")?["dueAt"].clone();
    let right = order(&app, &app, app.data["spec"]["namespaces"].clone());
    another_applications_uid(&department, &right).await?;

    for (what, change, said) in DIFFERENCES {
        let mut wrong = right.clone();
        change(&mut wrong["spec"]);
        let grant = put(&department, &wrong).await.with_context(|| what.to_owned())?;
        ensure!(grant.data["status"]["phase"] == "Refused", "{what}: {}", grant.data["status"]);
        let why = message(&grant, "Stalled");
        ensure!(why.contains(said), "{what}: {said:?} is not in {why}");
        ensure!(why.contains("工单 ≠ 批准") && why.contains("grant ≠ approved"), "{what}: {why}");
        nothing_was_made(&department, &due).await.with_context(|| what.to_owned())?;
    }
    let told = event(&department, "ResourceGrant", "clinic", "Refused").await?;
    ensure!(told.contains('≠'), "{told}");

    // A change that does not exist approves nothing either: it is waited for.
    let mut of_change = right.clone();
    of_change["spec"]["approved"]["kind"] = json!("ChangeRequest");
    of_change["spec"]["approved"]["name"] = json!("none");
    let grant = put(&department, &of_change).await?;
    ensure!(message(&grant, "Ready").contains("there is no change none"), "{}", grant.data["status"]);
    nothing_was_made(&department, &due).await?;

    // Amounts in another notation equal the approved ones.
    let mut corrected = right.clone();
    corrected["spec"]["namespaces"][0]["quota"]["requests.cpu"] = json!("8000m");
    put(&department, &corrected).await?;
    let app = department.phase(Kind::Application, "clinic", "Provisioned").await?;
    ensure!(clock(&app, "Provision")?["metAt"].is_string(), "{}", app.data["status"]);
    let (prod, _) = Department::tenant(&app, "prod")?;
    ensure!(hard(&department, &prod).await?["pods"] == "50");
    a_change_too(&department, &app).await?;
    println!("change: {} kinds of difference were refused by name", DIFFERENCES.len() + 2);
    Ok(())
}

/// A grant for another application's UID is refused; whose it is cannot be changed, so it is taken away again.
async fn another_applications_uid(department: &Department, right: &Value) -> Result<()> {
    let mut anothers = right.clone();
    anothers["spec"]["application"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    let grant = put(department, &anothers).await?;
    ensure!(grant.data["status"]["phase"] == "Refused", "{grant:?}");
    let why = message(&grant, "Stalled");
    ensure!(why.contains("spec.application.uid: 00000000-0000-0000-0000-000000000000 ≠ "), "{why}");
    let moved = json!({"spec": {"application": right["spec"]["application"]}});
    let refused = refusal(department.amend_as(Actor::Provider, Kind::Grant, "clinic", moved).await)?;
    ensure!(refused.contains("a grant passes only to a recreated record"), "{refused}");
    let elsewhere = json!({"spec": {"region": "410000"}});
    refusal(department.amend_as(Actor::Provider, Kind::Grant, "clinic", elsewhere).await)
        .context("the region")?;
    let app = department.until(Kind::Application, "clinic", "says whose it is", |s| {
        condition(s, "Stalled")["reason"] == "GrantOfAnother"
    });
    ensure!(app.await?.data["status"]["phase"] == "Provisioning");
    let grants = department.api(Actor::Provider, Kind::Grant).await?;
    grants.delete("clinic", &DeleteParams::default()).await?;
    Ok(())
}

/// An approved change is carried out exactly, too; what was in force stays meanwhile.
async fn a_change_too(department: &Department, app: &DynamicObject) -> Result<()> {
    department.file(&department.change("enlarge", "clinic")?).await?;
    department.approve(Kind::Change, "enlarge").await?;
    let change = department.phase(Kind::Change, "enlarge", "Applying").await?;
    let due = clock(&change, "Change")?["dueAt"].clone();
    let right = order(app, &change, change.data["status"]["after"].clone());
    let mut wrong = right.clone();
    wrong["spec"]["namespaces"][0]["quota"]["requests.memory"] = json!("64Gi");
    let grant = put(department, &wrong).await?;
    let why = message(&grant, "Stalled");
    ensure!(why.contains("spec.namespaces[prod].quota.requests.memory: 64Gi ≠ 32Gi"), "{why}");
    ensure!(grant.data["status"]["phase"] == "Active", "what was in force stays: {}", grant.data["status"]);
    let (prod, _) = Department::tenant(app, "prod")?;
    ensure!(hard(department, &prod).await?["requests.memory"] == "16Gi", "a refused grant changed something");
    let change = department
        .until(Kind::Change, "enlarge", "says so", |s| condition(s, "Stalled")["reason"] == "GrantStalled")
        .await?;
    ensure!(
        clock(&change, "Change")?["dueAt"] == due && clock(&change, "Change")?["metAt"].is_null(),
        "{change:?}"
    );
    put(department, &right).await?;
    department.phase(Kind::Change, "enlarge", "Completed").await?;
    ensure!(hard(department, &prod).await?["requests.memory"] == "32Gi");
    Ok(())
}

/// The provider applies a grant; gives it once the operator has looked at it.
async fn put(department: &Department, grant: &Value) -> Result<DynamicObject> {
    let grants = department.api(Actor::Provider, Kind::Grant).await?;
    let written = match grants.get_opt("clinic").await? {
        None => department.file_as(Actor::Provider, grant).await?,
        Some(mut there) => {
            there.data["spec"] = grant["spec"].clone();
            grants.replace("clinic", &Default::default(), &there).await?
        }
    };
    let generation = written.metadata.generation;
    let looked = move |s: &Value| s["observedGeneration"].as_i64() == generation && s["phase"].is_string();
    department.until(Kind::Grant, "clinic", "was looked at", looked).await
}

/// No tenant object exists, the application is where it was, and the provider's clock runs on.
async fn nothing_was_made(department: &Department, due: &Value) -> Result<()> {
    let app = department.get(Kind::Application, "clinic").await?;
    let made = tenants(department, &app).await?;
    ensure!(made.is_empty(), "{made:?} was made");
    let running = clock(&app, "Provision")?;
    ensure!(app.data["status"]["phase"] == "Provisioning", "{}", app.data["status"]);
    ensure!(
        running["dueAt"] == *due && running["metAt"].is_null() && running["pauses"].is_null(),
        "{running}"
    );
    Ok(())
}
