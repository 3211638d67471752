//! Assessments (Art. 27, 29): facts at the end of the period, scores, objection, publication.

use std::sync::Arc;

use govcloud_api::utilization::MeasuredResource;
use govcloud_domain::assessment::UseState;
use govcloud_domain::utilization::{Measure, Sampled, UseReadings};
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, application, change_id, maintenance, tenant};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, LI, Stage, ZHANG, at};

/// Who files and scores. LI publishes.
const WANG: &str = "wang@bigdata";

fn provider_id() -> Id {
    id("Assessment", "provider", "2026-q3")
}

fn department_id() -> Id {
    id("Assessment", DEPT, "2026-q3")
}

fn assessment(subject: &str) -> Value {
    json!({ "region": "410000", "subject": subject, "measureUse": false,
        "period": { "from": "2026-07-01", "to": "2026-09-30" } })
}

fn score(criterion: &str, score: i32) -> Value {
    json!({ "criterion": criterion, "score": score })
}

/// A Region with two criteria for each subject.
fn scheme(stage: &mut Stage) {
    let criterion = |name: &str, weight: i32| json!({ "name": name, "title": { "zh": "指标", "en": "criterion" }, "weight": weight });
    let criteria = json!([criterion("timeliness", 60), criterion("service", 40)]);
    let steps = json!([{ "from": 0, "coefficient": "0.8" }, { "from": 80, "coefficient": "1" }]);
    stage.region(json!({ "assessment": {
        "provider": { "criteria": criteria, "coefficients": steps },
        "department": { "criteria": criteria },
        "objectionWorkingDays": 5,
        "lowUse": { "resource": "cpu", "ratio": "Used", "below": "0.10", "months": 3 },
    } }));
}

fn file(stage: &mut Stage, of: &Id, spec: Value) {
    stage.file_by(WANG, of, spec);
    stage.settle();
}

/// Art. 27: facts of the provider with their denominators; it objects, is answered, and the result is published by another.
#[test]
fn assessment_of_the_provider_objected_answered_and_published() {
    let mut s = Stage::live("2026-07-06 09:00");
    scheme(&mut s);
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&change_id("enlarge"), "approved", "同意");
    let m = id("ChangeRequest", "provider", "storage");
    s.file_by("provider", &m, maintenance("2026-08-12 22:00", "2026-08-13 02:00"));
    s.settle();
    s.decide(&m, "approved", "同意");
    s.until("2026-08-18 10:00");
    let outcome =
        json!({ "result": "RolledBack", "endedAt": at("2026-08-13 03:00").to_string(), "summary": "已回退" });
    s.edit("provider", &m, json!({ "maintenanceOutcome": outcome }));
    s.log.clear();

    let a = provider_id();
    file(&mut s, &a, assessment("Provider"));
    assert_eq!((s.phase(&a), s.stands(&a, "Valid").as_str()), ("Collecting", "False/PeriodRunning"));
    s.until("2026-10-01 00:59");
    assert!(s.status(&a)["facts"].is_null(), "what happened at the end is recorded first");
    s.until("2026-10-01 01:00");
    let facts = &s.status(&a)["facts"];
    let fact = |obligation: &str| {
        let facts = facts["obligations"].as_array().unwrap();
        facts.iter().find(|f| f["obligation"] == obligation).unwrap().clone()
    };
    for obligation in ["Provision", "Change"] {
        assert_eq!(
            (&fact(obligation)["due"], &fact(obligation)["onTime"]),
            (&json!(1), &json!(1)),
            "{facts}"
        );
    }
    let report = fact("MaintenanceReport");
    assert_eq!(
        (&report["due"], &report["late"], &report["worstWorkingDaysLate"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(report["worstRecord"], "ChangeRequest provider/storage");
    assert_eq!(
        facts["maintenance"],
        json!({ "windows": 1, "outsideWindow": 1, "noticesLate": 0, "rolledBack": 1, "failed": 0, "unreported": 0 })
    );
    assert_eq!((s.phase(&a), s.stands(&a, "Valid").as_str()), ("Scoring", "False/ScoresMissing"));

    s.edit(WANG, &a, json!({ "scores": [score("timeliness", 80), score("service", 70)] }));
    assert_eq!((s.phase(&a), s.status(&a)["total"].as_str()), ("Objection", Some("76.00")));
    assert_eq!(
        (s.status(&a)["coefficient"].as_str(), s.status(&a)["waitingOn"].as_str()),
        (Some("0.8"), Some("Provider"))
    );
    assert!(!s.may_decide(LI, &a, "approved"), "the provider may object");
    s.until("2026-10-12 10:00");
    s.edit("provider", &a, json!({ "objection": { "reason": "回退是应使用部门要求" } }));
    assert_eq!((s.phase(&a), s.stands(&a, "Valid").as_str()), ("Answering", "False/ObjectionUnanswered"));
    s.until("2026-11-20 10:00");
    assert_eq!(s.phase(&a), "Answering", "time ends no pause");
    s.edit(
        WANG,
        &a,
        json!({ "scores": [score("timeliness", 90), score("service", 70)], "answer": { "text": "采纳" } }),
    );
    assert_eq!((s.phase(&a), s.stands(&a, "Valid").as_str()), ("AwaitingDecision", "True/Valid"));
    s.decide(&a, "approved", "同意通报");
    assert_eq!((s.phase(&a), s.status(&a)["total"].as_str()), ("Published", Some("82.00")));
    assert_eq!(
        (s.status(&a)["coefficient"].as_str(), s.stands(&a, "Ready").as_str()),
        (Some("1"), "True/Published")
    );
    insta::assert_snapshot!(s.log);
}

/// Without an objection the right lapses. Scores that change before that start its period anew.
#[test]
fn the_right_to_object_lapses_and_begins_anew_with_other_scores() {
    let mut s = Stage::new("2026-10-09 09:00");
    scheme(&mut s);
    let a = provider_id();
    let scores =
        |timeliness: i32| json!({ "scores": [score("timeliness", timeliness), score("service", 70)] });
    let mut spec = assessment("Provider");
    spec["scores"] = scores(80)["scores"].clone();
    file(&mut s, &a, spec);
    assert_eq!((s.phase(&a), s.status(&a)["dueDate"].as_str()), ("Objection", Some("2026-10-15")));
    s.until("2026-10-15 09:00");
    s.edit(WANG, &a, scores(81));
    assert_eq!((s.phase(&a), s.status(&a)["dueDate"].as_str()), ("Objection", Some("2026-10-22")));
    assert_eq!(s.count(&a, "Scored"), 2);
    s.until("2026-10-23 00:00");
    assert_eq!(
        (s.phase(&a), s.count(&a, "ObjectionPeriodEnded"), s.count(&a, "Overdue")),
        ("AwaitingDecision", 1, 0)
    );
    s.decide(&a, "returned", "请补充评分理由");
    assert_eq!((s.phase(&a), s.stands(&a, "Ready").as_str()), ("Returned", "False/Returned"));
    s.edit(WANG, &a, scores(81));
    assert_eq!(s.phase(&a), "Returned", "nothing was changed");
    s.edit(WANG, &a, scores(85));
    assert_eq!(s.phase(&a), "Objection", "other scores");
    s.until("2026-11-02 09:00");
    s.decide(&a, "rejected", "不予通报");
    assert_eq!(s.phase(&a), "Rejected");
}

/// What is wrong is said, and mends itself once it is put right.
#[test]
fn an_assessment_without_scheme_or_with_a_foreign_criterion_waits_for_its_correction() {
    let mut s = Stage::new("2026-10-09 09:00");
    let a = provider_id();
    let mut spec = assessment("Provider");
    spec["scores"] = json!([score("timeliness", 80), score("beauty", 70)]);
    file(&mut s, &a, spec);
    assert_eq!(s.stands(&a, "Stalled"), "True/SchemeMissing");
    scheme(&mut s);
    assert_eq!(s.stands(&a, "Stalled"), "True/UnknownCriterion");
    assert!(s.status(&a)["total"].is_null() && !s.may_decide(LI, &a, "approved"));
    s.edit(WANG, &a, json!({ "scores": [score("timeliness", 80)] }));
    assert_eq!((s.phase(&a), s.stands(&a, "Valid").as_str()), ("Scoring", "False/ScoresMissing"));
    s.withdraw(&a);
    assert_eq!(s.phase(&a), "Withdrawn");
}

/// Readings of a quarter: an eighth of the quota is used, half of it is requested.
fn readings(namespace: &str) -> UseReadings {
    let mut readings = UseReadings::new(at("2026-10-09 09:00"));
    let (first, last): (Date, Date) = ("2026-07-01".parse().unwrap(), "2026-09-30".parse().unwrap());
    let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(|day| *day <= last);
    for day in days {
        for (measure, mean) in [(Measure::Real, 0.5), (Measure::Requests, 4.0), (Measure::Quota, 8.0)] {
            let read = Sampled { mean, p95: mean, coverage: 1.0 };
            readings.add(namespace, MeasuredResource::Cpu, day, measure, read);
        }
    }
    readings
}

/// Art. 29: facts of a department wait for the use that was asked for; low use is reported, and nothing is done.
#[test]
fn assessment_of_a_department_with_its_use() {
    let mut s = Stage::live("2026-06-01 09:00");
    scheme(&mut s);
    let late = id("CloudApplication", DEPT, "late");
    s.file(&late, application());
    s.decide(&late, "approved", "同意");
    s.until("2026-10-09 09:00");
    s.log.clear();
    let a = department_id();
    let mut spec = assessment("Department");
    spec["measureUse"] = json!(true);
    file(&mut s, &a, spec);
    assert_eq!((s.phase(&a), s.stands(&a, "Stalled").as_str()), ("Collecting", "True/UseNotConfigured"));

    let uid = s.cluster.objects[&a]["metadata"]["uid"].as_str().unwrap().to_owned();
    s.cluster.state().use_readings.enable();
    s.settle();
    assert_eq!((s.phase(&a), s.stands(&a, "Stalled").as_str()), ("Collecting", "False/FactsPending"));
    s.cluster.state().use_readings.set(&uid, UseState::Failed("prometheus: no answer".to_owned()));
    s.settle();
    assert_eq!(s.stands(&a, "Stalled"), "True/UseUnavailable");
    s.cluster.state().use_readings.set(&uid, UseState::Read(Arc::new(readings(&tenant("prod")))));
    s.settle();
    assert_eq!(s.phase(&a), "Scoring");
    let facts = &s.status(&a)["facts"];
    let go_live =
        facts["obligations"].as_array().unwrap().iter().find(|f| f["obligation"] == "GoLive").unwrap();
    assert_eq!(
        (&go_live["due"], &go_live["onTime"], &go_live["unmet"]),
        (&json!(2), &json!(1), &json!(1)),
        "{facts}"
    );
    assert!(facts["maintenance"].is_null());
    let rows = facts["utilization"]["months"].as_array().unwrap();
    let row = rows.iter().find(|r| r["namespace"] == tenant("prod") && r["resource"] == "cpu").unwrap();
    assert_eq!(
        (&row["applied"], &row["used"], &row["dense"]),
        (&json!("0.5000"), &json!("0.0625"), &json!("0.1250"))
    );
    assert_eq!(facts["utilization"]["low"].as_array().unwrap().len(), 1);
    assert_eq!(s.stands(&a, "UseMeasured"), "False/InsufficientData", "memory and storage were not measured");
    assert_eq!(s.phase(&app_id()), "Live", "low use is never acted on");

    s.edit(WANG, &a, json!({ "scores": [score("timeliness", 80), score("service", 70)] }));
    assert_eq!(s.status(&a)["waitingOn"], "Department");
    s.edit(ZHANG, &a, json!({ "objection": { "reason": "系统尚在推广期" } }));
    s.edit(WANG, &a, json!({ "answer": { "text": "维持原评分" } }));
    s.decide(&a, "approved", "同意通报");
    assert_eq!((s.phase(&a), s.status(&a)["coefficient"].as_str()), ("Published", None));
}
