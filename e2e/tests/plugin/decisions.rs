//! Decisions that would not count, consent without the right, a long finding, and the cluster's calendar.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::install;
use e2e::paths::in_repository;
use e2e::sample_department::{DEPARTMENT, SampleDepartment, condition};
use e2e::suite::Context;
use e2e::wait::eventually;
use serde_json::{Value, json};

use super::command::govcloud;

async fn start(context: &Context) -> Result<(Arc<Cluster>, SampleDepartment)> {
    let cluster = context.own_cluster(Setup::Operating).await?;
    let department = SampleDepartment::install(cluster.clone()).await?;
    Ok((cluster, department))
}

/// The policies are incomplete: nothing is submitted. A decision is invalid: it is removed first. Then it is decided.
pub async fn approval_over_an_invalid_decision_is_refused(context: Context) -> Result<()> {
    let (cluster, department) = start(&context).await?;
    context.dump_on_failure(DEPARTMENT);
    let admin = department.by(Actor::Admin);
    let (capp, open) = (department.file("void").await?, department.file("open").await?);
    let line = |verb: &str, record: &str| format!("{verb} {record} -n {DEPARTMENT} --yes");
    let authority = async |line: String| govcloud(&cluster, Actor::Authority410000, &line).await;

    let binding = "validatingadmissionpolicybinding/govcloud-decisions";
    let shipped = admin.run(&["get", binding, "-o", "json"]).await?;
    admin.run(&["delete", binding]).await?;
    let held = |o: &Value| condition(o, "Stalled")["reason"] == "PolicyIntegrityViolated";
    department.until(&capp, "held", held).await?;
    department.until(&open, "held", held).await?;
    let refused = ["a decision on capp/open would not count now", "govcloud-decisions missing", "--force"];
    authority(line("approve", &open)).await?.expect(1, &refused)?;
    let annotations = department.get(&open).await?["metadata"]["annotations"].clone();
    ensure!(annotations["govcloud.dev/decision"].is_null(), "submitted all the same: {annotations}");
    let void = ["the decision on capp/void does not count", "next: first remove the invalid decision"];
    authority(line("approve --force", &capp)).await?.expect(1, &void)?;

    let mut object: Value = serde_json::from_str(&shipped)?;
    for field in ["resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"] {
        object["metadata"].as_object_mut().context("no metadata")?.remove(field);
    }
    admin.apply(&object.to_string()).await?;
    install::admission(&admin, &cluster.client(Actor::Admin).await?).await?;
    department.until(&open, "free", |o| condition(o, "Stalled")["status"] == "False").await?;
    let stands = ["capp/void has an invalid decision", "clear-void capp/void"];
    authority(line("approve", &capp)).await?.expect(1, &stands)?;
    authority(line("clear-void", &capp)).await?.expect(0, &["was removed; a new decision is possible"])?;
    authority(line("approve", &capp)).await?.expect(0, &["generation 1: approved by authority-410000"])?;
    let decided = department.get(&capp).await?;
    ensure!(decided["status"]["decision"]["void"].is_null(), "{}", decided["status"]["decision"]);
    calendar_reads_the_cluster(&cluster, &department).await
}

/// 2027 is added to the cluster's calendar: the plugin counts in it where it is asked to.
async fn calendar_reads_the_cluster(cluster: &Cluster, department: &SampleDepartment) -> Result<()> {
    let admin = department.by(Actor::PlatformAdmin);
    let calendar = admin.run(&["get", "workcalendar", "cn", "-o", "json"]).await?;
    let mut calendar: Value = serde_json::from_str(&calendar)?;
    let published =
        json!({ "year": 2027, "holidays": [{ "name": "元旦", "from": "2027-01-01", "to": "2027-01-03" }] });
    calendar["spec"]["years"].as_array_mut().context("no years")?.push(published);
    let patch = json!({ "spec": calendar["spec"] }).to_string();
    admin.run(&["patch", "workcalendar", "cn", "--type=merge", "-p", &patch]).await?;
    let ask = async |line: &str| govcloud(cluster, Actor::Authority410000, line).await;
    let due = "calendar due --from 2026-12-24 --working-days 3";
    ask(due)
        .await?
        .expect(0, &["due      2026-12-29", "provisional", "calendar cn, built into this plugin"])?;
    for source in ["--calendar cn", "--region 410000"] {
        let answer = ask(&format!("{due} {source}")).await?.expect(0, &["2026-12-29", "from the cluster"])?;
        ensure!(!answer.out.contains("provisional"), "2027 is published: {}", answer.out);
    }
    ask("calendar show 2027-01").await?.expect(2, &["has no data for the year 2027"])?;
    ask("calendar show 2027-01 --region 410000").await?.expect(0, &["January 2027"])?;
    ask("calendar show 2027-01 --region 999999").await?.expect(1, &["there is no Region 999999"]).map(drop)
}

/// Consent was given: who may not consent is told so all the same.
pub async fn consent_without_the_right_is_refused(context: Context) -> Result<()> {
    let (cluster, department) = start(&context).await?;
    context.dump_on_failure(DEPARTMENT);
    let capp = department.file("leaves").await?;
    department.approve(&capp).await?;
    department.until_phase(&capp, "Provisioned").await?;
    let exit = json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "Decommission", "metadata": { "name": "leave", "namespace": DEPARTMENT },
        "spec": { "region": "410000", "application": "leaves", "reason": "NoLongerUsed", "disposition": { "default": "Retain" } },
    });
    department.by(Actor::Department).apply(&exit.to_string()).await?;
    department.until_phase("decom/leave", "AwaitingConsent").await?;
    let consent = format!("consent leave -n {DEPARTMENT} --yes");
    let may_not = ["you may not consent for the department in namespace", "next: "];
    for actor in [Actor::Authority410000, Actor::PlatformAdmin] {
        govcloud(&cluster, actor, &consent).await?.expect(1, &may_not)?;
    }
    govcloud(&cluster, Actor::Department, &consent).await?.expect(0, &["consented to sha256:"])?;
    department.until_phase("decom/leave", "AwaitingDecision").await?;
    govcloud(&cluster, Actor::Authority410000, &consent).await?.expect(1, &may_not)?;
    govcloud(&cluster, Actor::Department, &consent).await?.expect(0, &["has consent already"]).map(drop)
}

/// Forty findings: the refusal is one line that says what is wrong, and not the policy's expression.
pub async fn a_long_finding_is_cut_in_one_line(context: Context) -> Result<()> {
    let (cluster, department) = start(&context).await?;
    context.dump_on_failure(DEPARTMENT);
    let keys = ["requests.cpu", "requests.memory", "requests.storage", "pods", "services"];
    let maximum: Value =
        keys.iter().map(|key| ((*key).to_owned(), json!("1"))).collect::<serde_json::Map<_, _>>().into();
    let patch = json!({ "spec": { "tenancy": { "maxQuota": maximum } } }).to_string();
    let admin = department.by(Actor::PlatformAdmin);
    admin.run(&["patch", "region", "410000", "--type=merge", "-p", &patch]).await?;
    let manifest = std::fs::read_to_string(in_repository("config/samples/travel.yaml"))?;
    let mut manifest: Value = serde_saphyr::from_str(&manifest)?;
    manifest["metadata"] = json!({ "name": "long", "namespace": DEPARTMENT });
    let quota: Value =
        keys.iter().map(|key| ((*key).to_owned(), json!("2"))).collect::<serde_json::Map<_, _>>().into();
    let entry = |n: usize| json!({ "name": format!("a-namespace-with-a-long-name-{n}"), "quota": quota });
    manifest["spec"]["namespaces"] = (0..8).map(entry).collect();
    department.by(Actor::Department).apply(&manifest.to_string()).await?;
    let wrong = department
        .until("capp/long", "not valid", |o| condition(o, "Valid")["reason"] == "QuotaAboveMaximum")
        .await?;
    let message = condition(&wrong, "Valid")["message"].as_str().context("no message")?.to_owned();
    ensure!(message.lines().count() == 1 && message.len() < 2200, "{} bytes: {message}", message.len());
    ensure!(
        message.contains(" more") && message.contains("另有"),
        "nothing says that there are more: {message}"
    );
    let refused = || async {
        let error = department.approve("capp/long").await.err().context("it was approved")?.to_string();
        Ok(error.contains("not approvable").then_some(error))
    };
    let error = eventually("refused for its findings", Duration::from_secs(20), refused).await?;
    ensure!(!error.contains("failed expression"), "{error}");
    ensure!(error.contains("QuotaAboveMaximum") && error.contains("above this region's maximum"), "{error}");
    let line = format!("approve capp/long -n {DEPARTMENT} --yes");
    let plugin = govcloud(&cluster, Actor::Authority410000, &line).await?;
    let plugin = plugin.expect(1, &["refused: not approvable", "above this region's maximum"])?;
    let refusal = plugin.err.lines().find(|l| l.contains("not approvable")).context("no line")?;
    let chinese = refusal.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    ensure!(!chinese && !refusal.contains("failed expression"), "one language, and no expression: {refusal}");
    Ok(())
}
