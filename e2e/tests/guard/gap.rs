//! Decisions around a gap of the policies: whatever is written into `managedFields` and status meanwhile, one that first
//! appeared in the gap never counts, and one from before it does.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::install;
use e2e::kubectl::Kubectl;
use e2e::operator::{Operator, Options};
use e2e::paths::in_repository;
use e2e::sample_department::{DEPARTMENT, condition, timeline_count};
use e2e::suite::Context;
use serde_json::{Value, json};

use super::{decide_anew, start};

pub async fn a_decision_from_a_gap_never_counts(context: Context) -> Result<()> {
    let (cluster, department) = start(&context).await?;
    context.dump_on_failure(DEPARTMENT);
    let admin = department.by(Actor::Admin);
    let before = department.file("before").await?;
    department.approve(&before).await?;
    let decided = department.until_phase(&before, "Provisioned").await?["status"]["decision"].clone();
    let erased = department.file("erased").await?;
    let (timeless, forged) = (department.file("timeless").await?, department.file("forged").await?);

    // The operator sees it: the decision is recorded as void, and status is changed within the same gap.
    let policies = in_repository("config/admission").display().to_string();
    admin.run(&["delete", "-k", &policies]).await?;
    let held = |o: &Value| condition(o, "Stalled")["reason"] == "PolicyIntegrityViolated";
    department.until(&erased, "held", held).await?;
    annotate(&admin, &erased).await?;
    department.until(&erased, "void", is_void).await?;
    patch_status(&admin, &erased, json!({ "decision": { "void": null }, "phase": "Provisioning" })).await?;
    let again = |o: &Value| is_void(o) && o["status"]["phase"] == "Submitted";
    department.until(&erased, "void again", again).await?;

    // The operator is away: one decision without a time of the API server, and one that status has already.
    let mut operator = cluster.operator.lock().await.take().context("no operator")?;
    operator.stop()?;
    patch_status(&admin, &erased, json!({ "decision": null })).await?;
    for record in [&timeless, &forged] {
        annotate(&admin, record).await?;
        let none = json!({ "metadata": { "managedFields": [{}] } }).to_string();
        admin.run(&["patch", record, "-n", DEPARTMENT, "--type=merge", "-p", &none]).await?;
        let owners = department.by(Actor::Admin);
        let owners =
            owners.run(&["get", record, "-n", DEPARTMENT, "--show-managed-fields", "-o", "json"]).await?;
        let owners: Value = serde_json::from_str(&owners)?;
        ensure!(owners["metadata"]["managedFields"].is_null(), "{}", owners["metadata"]["managedFields"]);
    }
    let record = department.get(&forged).await?;
    let mut recorded = decided.clone();
    recorded["digest"] = record["status"]["specDigest"].clone();
    patch_status(&admin, &forged, json!({ "decision": recorded, "phase": "Provisioning" })).await?;
    install::admission(&admin, &cluster.client(Actor::Admin).await?).await?;
    *cluster.operator.lock().await = Some(Operator::start(&cluster.plane, Options::default()).await?);

    for record in [&erased, &timeless, &forged] {
        let void = department.until(record, "void", again).await?;
        ensure!(timeline_count(&void, "DecisionVoid") > 0, "{record}: {}", void["status"]["timeline"]);
    }
    let grants = admin.run(&["get", "resourcegrants", "-n", DEPARTMENT, "-o", "name"]).await?;
    ensure!(grants.lines().count() == 1, "granted on a decision from the gap: {grants}");
    let stands = department.get(&before).await?;
    ensure!(
        stands["status"]["phase"] == "Provisioned" && stands["status"]["decision"] == decided,
        "a decision from before the gap: {}",
        stands["status"]["decision"]
    );
    println!("guard: three decisions from a gap are void, and the one from before it stands");
    decide_anew(&department, &timeless).await
}

fn is_void(object: &Value) -> bool {
    object["status"]["decision"]["void"].is_string()
}

/// An approval as the authority's own client sends it, by whoever may write while nothing forbids it.
async fn annotate(admin: &Kubectl, record: &str) -> Result<()> {
    let by = format!("govcloud.dev/decided-by={}", Actor::Authority410000.user());
    let args = [
        "annotate",
        record,
        "-n",
        DEPARTMENT,
        "govcloud.dev/decision=approved",
        "govcloud.dev/reviewed-generation=1",
        "govcloud.dev/opinion=同意",
        &by,
    ];
    admin.run(&args).await.map(drop)
}

async fn patch_status(admin: &Kubectl, record: &str, status: Value) -> Result<()> {
    let patch = json!({ "status": status }).to_string();
    let args = ["patch", record, "-n", DEPARTMENT, "--subresource=status", "--type=merge", "-p", &patch];
    admin.run(&args).await.map(drop)
}
