//! Inspections: findings, answers, returns, and the decision that closes them (Art. 25).

use serde_json::{Value, json};

use crate::cluster::{Id, id};
use crate::stage::{DEPT, Stage, ZHANG};

/// The officer who inspects; another one decides.
const WANG: &str = "wang@bigdata";

fn inspection_id() -> Id {
    id("Inspection", DEPT, "spring")
}

fn inspection(findings: Value) -> Value {
    json!({ "region": "410000", "inspected": "Department", "inspectedOn": "2026-06-01", "findings": findings })
}

fn finding(id: &str, working_days: i32) -> Value {
    json!({ "id": id, "severity": "High", "article": 22, "text": "须整改", "workingDays": working_days })
}

/// Two findings, of three and of ten working days.
fn inspected() -> Stage {
    let mut s = Stage::new("2026-06-01 09:00");
    s.file_by(WANG, &inspection_id(), inspection(json!([finding("1", 3), finding("2", 10)])));
    s.settle();
    s
}

/// Adds an answer.
fn respond(s: &mut Stage, finding: &str, number: i32) {
    let mut all =
        s.cluster.objects[&inspection_id()]["spec"]["responses"].as_array().cloned().unwrap_or_default();
    all.push(json!({ "finding": finding, "number": number, "text": "已整改" }));
    s.edit(ZHANG, &inspection_id(), json!({ "responses": all }));
}

fn finding_status<'a>(s: &'a Stage, id: &str) -> &'a Value {
    let findings = s.status(&inspection_id())["findings"].as_array().expect("findings");
    findings.iter().find(|f| f["id"] == id).expect("the finding")
}

fn due(s: &Stage, id: &str) -> String {
    finding_status(s, id)["deadline"]["dueDate"].as_str().unwrap().to_owned()
}

#[test]
fn art_25_findings_are_answered_returned_and_closed() {
    let mut s = inspected();
    let i = inspection_id();
    assert_eq!(
        (s.phase(&i), due(&s, "1").as_str(), due(&s, "2").as_str()),
        ("Rectifying", "2026-06-04", "2026-06-15")
    );
    s.until("2026-06-03 10:00");
    respond(&mut s, "1", 1);
    assert_eq!(
        (s.phase(&i), s.status(&i)["dueDate"].as_str()),
        ("Rectifying", Some("2026-06-15")),
        "the other is open"
    );
    s.until("2026-06-08 10:00");
    respond(&mut s, "2", 1);
    assert_eq!((s.phase(&i), s.status(&i)["waitingOn"].as_str()), ("AwaitingDecision", Some("Authority")));
    assert_eq!(s.stands(&i, "OnTime"), "True/OnTime", "an answered finding runs out for nobody");
    s.until("2026-06-10 10:00");
    s.decide(&i, "returned", "问题 2 未整改到位");
    assert_eq!((s.phase(&i), s.status(&i)["waitingOn"].as_str()), ("Returned", Some("Department")));
    // Five working days of the first, two of the second were spent waiting on the authority.
    assert_eq!((due(&s, "1").as_str(), due(&s, "2").as_str()), ("2026-06-11", "2026-06-17"));
    s.until("2026-06-18 10:00");
    assert_eq!(s.stands(&i, "OnTime"), "False/RectificationOverdue");
    respond(&mut s, "2", 2);
    assert_eq!(s.phase(&i), "AwaitingDecision");
    s.until("2026-06-22 10:00");
    s.decide(&i, "approved", "整改到位");
    assert_eq!((s.phase(&i), s.stands(&i, "Ready").as_str()), ("Closed", "True/Closed"));
    assert_eq!(finding_status(&s, "2")["deadline"]["workingDaysLate"], 1);
    insta::assert_snapshot!(s.log);
}

/// Nothing but the decision closes a finding: not time, not answers.
#[test]
fn no_finding_closes_by_time() {
    let mut s = inspected();
    s.until("2026-12-01 09:00");
    let i = inspection_id();
    assert_eq!((s.phase(&i), s.stands(&i, "OnTime").as_str()), ("Rectifying", "False/RectificationOverdue"));
    assert_eq!(s.count(&i, "Overdue"), 2, "each finding once");
    respond(&mut s, "1", 1);
    respond(&mut s, "2", 1);
    s.until("2026-12-20 09:00");
    assert_eq!(s.phase(&i), "AwaitingDecision");
    assert!(finding_status(&s, "1")["deadline"]["metAt"].is_null());
}

/// An answer that comes while the authority decides on the version before lies before it again at once.
#[test]
fn an_answer_beside_a_return_is_not_lost() {
    let mut s = inspected();
    let i = inspection_id();
    respond(&mut s, "1", 1);
    respond(&mut s, "2", 1);
    let read = s.cluster.objects[&i]["metadata"]["generation"].as_i64().unwrap();
    s.annotate("li@bigdata", &i, "returned", read, "请补充证明");
    let mut all = s.cluster.objects[&i]["spec"]["responses"].as_array().cloned().unwrap();
    all.push(json!({ "finding": "1", "number": 2, "text": "补充证明" }));
    s.edit(ZHANG, &i, json!({ "responses": all }));
    assert_eq!((s.phase(&i), s.status(&i)["returned"].clone()), ("AwaitingDecision", json!(2)));
}

/// A last day that the authority named, on a Saturday, gives way to Monday.
#[test]
fn a_named_last_day_gives_way_to_a_working_day() {
    let mut s = Stage::new("2026-06-01 09:00");
    let dated =
        json!({ "id": "1", "severity": "Low", "article": 24, "text": "须整改", "dueDate": "2026-06-13" });
    s.file_by(WANG, &inspection_id(), inspection(json!([dated])));
    s.settle();
    assert_eq!(due(&s, "1"), "2026-06-15");
}

/// The provider is inspected like a department.
#[test]
fn the_provider_owes_what_was_found_at_its_platform() {
    let mut s = Stage::new("2026-06-01 09:00");
    let mut spec = inspection(json!([finding("1", 3)]));
    spec["inspected"] = json!("Provider");
    s.file_by(WANG, &inspection_id(), spec);
    s.settle();
    let i = inspection_id();
    assert_eq!(
        (s.status(&i)["waitingOn"].as_str(), finding_status(&s, "1")["deadline"]["party"].as_str()),
        (Some("Provider"), Some("Provider"))
    );
}
