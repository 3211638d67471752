//! Compliance records: filed by whom they concern, counted, returned, expired, replaced (Art. 17, 18, 22).

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition};
use e2e::suite::Context;
use e2e::wait::{eventually, until};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams};
use serde_json::{Value, json};

use crate::fixture::{day, decide, department, document, on_record, provider, refused};

pub async fn art_17_the_provider_files_for_the_platform(context: Context) -> Result<()> {
    let provider = provider(&context, "provider-docs").await?;
    let department = department(&context, "dept-docs").await?;
    context.dump_on_failure(&provider.namespace);
    bad_input(&provider, &department).await?;
    plan_and_drill(&provider).await?;
    maintenance_with_a_plan(&provider, &department).await?;
    expired_and_replaced(&provider).await?;
    reports_every_month(&provider).await
}

/// What no record can be, and whose it is not.
async fn bad_input(provider: &Department, department: &Department) -> Result<()> {
    let plan = |fields: Value| document("emergency-plan.yaml", "bad", fields);
    for (fields, fragment) in [
        (json!({"validUntil": "2025-12-31"}), "validUntil cannot be before issuedOn"),
        (json!({"application": "travel"}), "are about the platform: leave application out"),
        (json!({"type": "Drill"}), "give drill for the type Drill"),
        (json!({"type": "MlpsEvaluation"}), "need a result"),
        (json!({"type": "Plan"}), "spec.type"),
        (json!({"issuedOn": "2026-02-30"}), "spec.issuedOn"),
    ] {
        refused(provider.file(&plan(fields)?).await, &[fragment])?;
    }
    refused(
        department.file(&plan(json!({}))?).await,
        &[
            "针对平台，由服务提供方报送（第十七条）",
            "a ComplianceRecord without spec.application is about the platform",
        ],
    )?;
    let of_system = document("travel-mlps.yaml", "bad", json!({}))?;
    refused(provider.file(&of_system).await, &["who provisions does not file"])?;
    refused(department.file_as(Actor::Authority410000, &of_system).await, &["compliancerecords"])?;
    let authority = provider.cluster().kubectl(Actor::Authority410000);
    let every = r#"{"spec":{"compliance":[{"type":"Drill","party":"Provider","every":"1Y"}]}}"#;
    let patch = ["patch", "region", HENAN, "--type=merge", "--dry-run=server", "-p", every];
    let wrong = authority.run(&patch).await.err().context("a period without P")?.to_string();
    ensure!(wrong.contains("must be a calendar period of one unit"), "{wrong}");
    Ok(())
}

/// A plan on record does not change; a drill names one that exists.
async fn plan_and_drill(provider: &Department) -> Result<()> {
    provider.file(&document("drill.yaml", "drill", json!({}))?).await?;
    let unknown = provider.judged(Kind::Compliance, "drill", "EmergencyPlanUnusable").await?;
    let message = condition(&unknown.data["status"], "Valid")["message"].to_string();
    ensure!(message.contains("spec.drill.plan") && message.contains("no such ComplianceRecord"), "{message}");
    ensure!(unknown.data["status"]["waitingFor"] == "Correction", "{:?}", unknown.data["status"]);
    provider.file(&document("emergency-plan.yaml", "emergency-plan", json!({}))?).await?;
    on_record(provider, "emergency-plan").await?;
    on_record(provider, "drill").await?;
    let issuer = json!({"spec": {"issuedBy": "另一单位"}});
    let amended = provider.amend(Kind::Compliance, "emergency-plan", issuer.clone()).await;
    refused(amended, &["在案的合规材料不能更改", "on record does not change"])?;
    let uid = provider.get(Kind::Compliance, "emergency-plan").await?.metadata.uid.context("no UID")?;
    let withdraw = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}});
    refused(provider.amend(Kind::Compliance, "emergency-plan", withdraw).await, &["too late to withdraw"])?;
    let api = provider.api(Actor::Provider, Kind::Compliance).await?;
    let deleted = api.delete("emergency-plan", &DeleteParams::default()).await;
    refused(deleted.map_err(Into::into), &["deleted after export by the authority"])?;
    let other = provider
        .amend(Kind::Compliance, "drill", json!({"spec": {"type": "ProductList", "drill": null}}))
        .await;
    refused(other, &["type and application cannot change"])?;
    // Returned, it does not count, and may be corrected.
    decide(provider, Kind::Compliance, "drill", "returned").await?;
    let returned = provider.phase(Kind::Compliance, "drill", "Returned").await?;
    ensure!(returned.data["status"]["waitingOn"] == "Provider", "{:?}", returned.data["status"]);
    provider.amend(Kind::Compliance, "drill", issuer).await?;
    on_record(provider, "drill").await.map(drop)
}

/// Art. 18: the plan that maintenance names is in force until the window ends.
async fn maintenance_with_a_plan(provider: &Department, department: &Department) -> Result<()> {
    department.provision(department.application("travel")?).await?;
    let start =
        Timestamp::now().checked_add(SignedDuration::from_hours(24 * 20))?.round(jiff::Unit::Second)?;
    let end = start.checked_add(SignedDuration::from_hours(4))?;
    let mut plan = fixtures::sample("maintenance.yaml")?;
    let maintenance = &mut plan["spec"]["platformMaintenance"];
    maintenance["window"] = json!({"start": start.to_string(), "end": end.to_string()});
    maintenance["affects"] = json!({"applications": [{"namespace": department.namespace, "name": "travel"}]});
    maintenance["emergencyPlan"] = json!("no-plan");
    provider.file(&plan).await?;
    let named = |name: &str| json!({"spec": {"platformMaintenance": {"emergencyPlan": name}}});
    for (name, why) in [("no-plan", "no such ComplianceRecord"), ("drill", "its type is Drill")] {
        provider.amend(Kind::Change, "storage-upgrade", named(name)).await?;
        let judged = provider.judged(Kind::Change, "storage-upgrade", "EmergencyPlanUnusable").await?;
        let message = condition(&judged.data["status"], "Valid")["message"].to_string();
        ensure!(
            message.contains("spec.platformMaintenance.emergencyPlan") && message.contains(why),
            "{message}"
        );
        refused(provider.amend_as(
            Actor::Authority410000, Kind::Change, "storage-upgrade",
            json!({"metadata": {"annotations": {
                "govcloud.dev/decision": "approved",
                "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
            }}}),
        ).await, &["not approvable", "EmergencyPlanUnusable"])?;
    }
    provider.amend(Kind::Change, "storage-upgrade", named("emergency-plan")).await?;
    provider.approve(Kind::Change, "storage-upgrade").await?;
    provider.phase(Kind::Change, "storage-upgrade", "Scheduled").await.map(drop)
}

/// Expiry is a condition and an Event, until a successor is on record.
async fn expired_and_replaced(provider: &Department) -> Result<()> {
    let list = |name: &str, issued: i64, last: Value| {
        let fields = json!({"type": "ProductList", "issuedOn": day(issued), "validUntil": last});
        document("emergency-plan.yaml", name, fields)
    };
    provider.file(&list("products", -60, day(-1))?).await?;
    let expired = |s: &Value| {
        s["phase"] == "Recorded"
            && condition(s, "Current")["reason"] == "Expired"
            && condition(s, "Stalled")["reason"] == "Expired"
    };
    provider.until(Kind::Compliance, "products", "has expired", expired).await?;
    let events: Api<Event> = Api::namespaced(provider.admin().await?, &provider.namespace);
    let reported = || async {
        let list = events.list(&ListParams::default()).await?;
        let of = |e: &Event| {
            e.reason.as_deref() == Some("Expired")
                && e.regarding.as_ref().is_some_and(|r| r.name.as_deref() == Some("products"))
        };
        Ok((list.items.iter().filter(|e| of(e)).count() == 1).then_some(()))
    };
    eventually("one Event of the expiry", PATIENCE, reported).await?;
    provider.file(&list("products-2", -1, day(300))?).await?;
    on_record(provider, "products-2").await?;
    let replaced = |s: &Value| {
        condition(s, "Current")["reason"] == "Superseded" && condition(s, "Ready")["status"] == "True"
    };
    provider.until(Kind::Compliance, "products", "was replaced", replaced).await.map(drop)
}

/// The clock of the monthly report is on the Region.
async fn reports_every_month(provider: &Department) -> Result<()> {
    let report = |name: &str, issued: i64| {
        let fields = json!({"type": "OperationReport", "issuedOn": day(issued), "validUntil": null});
        document("emergency-plan.yaml", name, fields)
    };
    let resource = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let regions: Api<DynamicObject> =
        Api::all_with(provider.admin().await?, &ApiResource::from_gvk_with_plural(&resource, "regions"));
    let stands = async |what: &str, reason: &str| {
        let met = |r: &DynamicObject| condition(&r.data["status"], "OnTime")["reason"] == reason;
        until(regions.clone(), HENAN, what, PATIENCE, met).await
    };
    stands("owes its first report", "OnTime").await?;
    provider.file(&report("early", -90)?).await?;
    on_record(provider, "early").await?;
    let late = stands("is late with the next", "OperationReportOverdue").await?;
    ensure!(condition(&late.data["status"], "Ready")["status"] == "True", "{:?}", late.data["status"]);
    let due = &late.data["status"]["deadlines"][0];
    ensure!(due["period"] == "P1M" && due["party"] == "Provider" && due["article"] == 17, "{due}");
    provider.file(&report("now", 0)?).await?;
    on_record(provider, "now").await?;
    let met = stands("is in time again", "OnTime").await?;
    ensure!(met.data["status"]["compliance"][0]["record"] == "now", "{:?}", met.data["status"]);
    Ok(())
}

pub async fn art_22_the_department_files_for_its_application(context: Context) -> Result<()> {
    let department = department(&context, "dept-mlps").await?;
    context.dump_on_failure(&department.namespace);
    let evaluation = |name: &str, fields: Value| document("travel-mlps.yaml", name, fields);
    department.file(&evaluation("lost", json!({"application": "parking"}))?).await?;
    department.judged(Kind::Compliance, "lost", "ApplicationMissing").await?;
    department.provision(department.application("travel")?).await?;
    department.go_live("travel").await?;
    let owes = |s: &Value| {
        let deadlines = s["deadlines"].as_array();
        let of = |d: &&Value| d["obligation"] == "MlpsEvaluation";
        deadlines.and_then(|d| d.iter().find(of)).is_some_and(|d| d["article"] == 22 && d["period"] == "P1Y")
    };
    department.until(Kind::Application, "travel", "owes its evaluation", owes).await?;
    let dates = json!({"issuedOn": day(-500), "validUntil": day(-100)});
    department.file(&evaluation("old", dates)?).await?;
    let late = |s: &Value| {
        condition(s, "OnTime")["reason"] == "MlpsEvaluationOverdue"
            && s["waitingFor"] == "ComplianceRecord"
            && s["phase"] == "Live"
            && condition(s, "Ready")["status"] == "True"
    };
    department.until(Kind::Application, "travel", "is overdue, and live", late).await?;
    department.file(&evaluation("new", json!({"issuedOn": day(0), "validUntil": day(365)}))?).await?;
    let met = |s: &Value| condition(s, "OnTime")["status"] == "True" && s["compliance"][0]["record"] == "new";
    department.until(Kind::Application, "travel", "has its evaluation", met).await.map(drop)
}
