//! Compliance records and the duties that they meet (Art. 17, 18, 19, 21, 22, 24).

use serde_json::{Value, json};

use crate::acts::{app_id, maintenance};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, LI, Stage};

const HASH: &str = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

fn of_provider(name: &str) -> Id {
    id("ComplianceRecord", "provider", name)
}

fn of_department(name: &str) -> Id {
    id("ComplianceRecord", DEPT, name)
}

fn region() -> Id {
    id("Region", "", "410000")
}

/// The spec of a document.
fn document(type_: &str, issued_on: &str) -> Value {
    json!({ "region": "410000", "type": type_, "issuedBy": "某单位", "issuedOn": issued_on,
        "document": { "title": "材料", "uri": "https://p.example/d.pdf", "sha256": HASH } })
}

fn with(mut spec: Value, field: &str, value: Value) -> Value {
    spec[field] = value;
    spec
}

fn owes(s: &mut Stage, duties: Value) {
    s.region(json!({ "compliance": duties }));
}

/// Art. 17: the provider reports every month; a late report is reported once, and the next is due from its date.
#[test]
fn art_17_reports_come_every_month_or_are_overdue() {
    let mut s = Stage::new("2026-03-10 09:30");
    owes(
        &mut s,
        json!([{ "type": "OperationReport", "party": "Provider", "every": "P1M", "workingDays": 3 }]),
    );
    s.until("2026-04-10 09:30");
    s.file_by("provider", &of_provider("march"), document("OperationReport", "2026-04-10"));
    s.settle();
    assert_eq!(s.phase(&of_provider("march")), "Recorded");
    s.until("2026-05-20 10:00");
    assert_eq!(s.stands(&region(), "OnTime"), "False/OperationReportOverdue");
    assert_eq!(s.stands(&region(), "Ready"), "True/Ready", "nothing is shut down");
    s.file_by("provider", &of_provider("april"), document("OperationReport", "2026-05-20"));
    s.settle();
    assert_eq!(s.stands(&region(), "OnTime"), "True/OnTime");
    assert_eq!(s.stands(&of_provider("march"), "Current"), "False/Superseded");
    assert_eq!(s.status(&region())["compliance"][0]["record"], "april");
    insta::assert_snapshot!(s.log);
}

/// Art. 22: a department owes the evaluation of a live system; the queue shows it once it was warned.
#[test]
fn art_22_a_department_owes_its_evaluation_from_go_live_on() {
    let mut s = Stage::live("2026-06-01 09:00");
    let duties = json!([
        { "type": "MlpsFiling", "party": "Department", "first": "P30D" },
        { "type": "MlpsEvaluation", "party": "Department", "every": "P1Y", "first": "P3M" },
    ]);
    owes(&mut s, duties);
    assert_eq!(s.count(&app_id(), "ClockStarted"), 5, "Provision, GoLive and its report, and two duties");
    assert_eq!(s.status(&app_id())["waitingOn"], "None");
    s.log.clear();
    s.until("2026-06-25 10:00");
    assert_eq!(s.status(&app_id())["waitingFor"], "ComplianceRecord");
    s.until("2026-07-03 10:00");
    assert_eq!(s.stands(&app_id(), "OnTime"), "False/MlpsFilingOverdue");
    let filing = with(document("MlpsFiling", "2026-07-02"), "application", json!("travel"));
    s.file(&of_department("filing"), filing);
    assert_eq!(
        (s.status(&app_id())["waitingOn"].clone(), s.stands(&app_id(), "OnTime")),
        (json!("None"), "True/OnTime".to_owned())
    );
    let evaluation = with(document("MlpsEvaluation", "2026-07-03"), "application", json!("travel"));
    s.file(&of_department("evaluation"), with(evaluation, "result", json!("Conforming")));
    let clock = &s.status(&app_id())["deadlines"][4];
    assert_eq!(
        (clock["article"].clone(), clock["dueDate"].clone()),
        (json!(22), json!("2027-07-05")),
        "a Saturday gives way"
    );
    insta::assert_snapshot!(s.log);
}

/// Expiry is reported once, at the end of the last day, and a successor takes its place. Nothing is written meanwhile.
#[test]
fn expiry_is_reported_once_and_ends_with_a_successor() {
    let mut s = Stage::new("2026-03-10 09:30");
    let plan = of_provider("plan");
    s.file_by(
        "provider",
        &plan,
        with(document("EmergencyPlan", "2026-01-05"), "validUntil", json!("2026-06-30")),
    );
    s.settle();
    let writes = s.writes;
    s.until("2026-06-30 23:59");
    assert_eq!((s.writes, s.stands(&plan, "Current").as_str()), (writes, "True/Current"));
    s.until("2026-07-01 00:00");
    assert_eq!(
        (s.stands(&plan, "Current").as_str(), s.stands(&plan, "Stalled").as_str()),
        ("False/Expired", "True/Expired")
    );
    s.until("2026-09-01 09:00");
    assert_eq!((s.count(&plan, "Expired"), s.phase(&plan)), (1, "Recorded"));
    s.file_by("provider", &of_provider("plan-2"), document("EmergencyPlan", "2026-08-31"));
    s.settle();
    assert_eq!(
        (s.stands(&plan, "Current").as_str(), s.stands(&plan, "Ready").as_str()),
        ("False/Superseded", "True/Recorded")
    );
}

/// The authority returns a document: it does not count until it is corrected.
#[test]
fn a_returned_document_counts_once_it_is_corrected() {
    let mut s = Stage::new("2026-03-10 09:30");
    let report = of_provider("march");
    s.file_by("provider", &report, document("OperationReport", "2026-04-10"));
    s.settle();
    assert_eq!(
        (s.phase(&report), s.stands(&report, "Valid").as_str()),
        ("Submitted", "False/DocumentInFuture")
    );
    s.until("2026-04-10 00:00");
    assert_eq!(s.phase(&report), "Recorded");
    s.until("2026-04-11 10:00");
    s.decide(&report, "returned", "缺少资源使用情况");
    assert_eq!((s.phase(&report), s.status(&report)["waitingOn"].as_str()), ("Returned", Some("Provider")));
    assert_eq!(s.stands(&report, "Current"), "False/NotRecorded");
    s.edit("provider", &report, json!({ "document": { "title": "材料（补充）" } }));
    assert_eq!((s.phase(&report), s.status(&report)["waitingOn"].as_str()), ("Recorded", Some("None")));
    s.decide(&report, "rejected", "与实际不符");
    assert_eq!((s.phase(&report), s.stands(&report, "Current").as_str()), ("Rejected", "False/NotRecorded"));
    insta::assert_snapshot!(s.log);
}

/// A document about an application that does not exist, or with a plan that cannot be relied on, does not count.
#[test]
fn what_a_document_names_must_exist() {
    let mut s = Stage::live("2026-06-01 09:00");
    let lost = of_department("lost");
    s.file(&lost, with(document("ProductList", "2026-05-01"), "application", json!("parking")));
    assert_eq!(s.stands(&lost, "Valid"), "False/ApplicationMissing");
    let drill = of_provider("drill");
    let what = json!({ "plan": "plan", "participants": ["某云服务商"] });
    s.file_by("provider", &drill, with(document("Drill", "2026-05-20"), "drill", what));
    s.settle();
    assert_eq!(s.stands(&drill, "Valid"), "False/EmergencyPlanUnusable");
    s.file_by("provider", &of_provider("plan"), document("EmergencyPlan", "2026-01-05"));
    s.settle();
    assert_eq!(s.phase(&drill), "Recorded", "it is looked at again when the plan comes");
    s.withdraw(&lost);
    assert_eq!(s.phase(&lost), "Withdrawn");
}

/// Art. 18: maintenance may rely on a plan on record, which must be in force until the window ends.
#[test]
fn art_18_maintenance_relies_on_a_plan_in_force() {
    let mut s = Stage::live("2026-06-01 09:00");
    let m = id("ChangeRequest", "provider", "storage");
    let mut spec = maintenance("2026-06-10 22:00", "2026-06-11 02:00");
    spec["platformMaintenance"]["emergencyPlan"] = json!("plan");
    s.file_by("provider", &m, spec);
    s.settle();
    assert_eq!(s.stands(&m, "Valid"), "False/EmergencyPlanUnusable");
    assert!(!s.may_decide(LI, &m, "approved"));
    s.file_by(
        "provider",
        &of_provider("plan"),
        with(document("EmergencyPlan", "2026-01-05"), "validUntil", json!("2026-06-10")),
    );
    s.settle();
    let valid = s.condition(&m, "Valid").unwrap()["message"].as_str().unwrap().to_owned();
    assert!(
        valid.contains("spec.platformMaintenance.emergencyPlan") && valid.contains("before 2026-06-11"),
        "{valid}"
    );
    s.file_by("provider", &of_provider("plan-2"), document("EmergencyPlan", "2026-05-05"));
    s.edit("provider", &m, json!({ "platformMaintenance": { "emergencyPlan": "plan-2" } }));
    assert_eq!(s.stands(&m, "Valid"), "True/Valid");
    s.decide(&m, "approved", "同意");
    assert_eq!(s.phase(&m), "Scheduled");
}

/// A record that its department took back, or filed while the policies were altered, meets nothing.
#[test]
fn nothing_counts_while_the_policies_are_altered() {
    let mut s = Stage::new("2026-03-10 09:30");
    let intact = s.guard.clone();
    s.guard = govcloud_domain::integrity::PolicyIntegrity::Unknown;
    let report = of_provider("march");
    s.file_by("provider", &report, document("OperationReport", "2026-03-09"));
    s.settle();
    assert_eq!(s.phase(&report), "Submitted");
    s.guard = intact;
    s.settle();
    assert_eq!(s.phase(&report), "Recorded");
}
