use serde_json::json;

use super::super::test_fixtures::{self, calendars, now, record};
use super::*;

/// An exit that waits for consent, an application that is late, one not looked at, and two grants.
fn queue() -> Vec<Record> {
    let mut unseen = test_fixtures::application(json!(null));
    unseen["metadata"]["name"] = json!("new");
    let mut due_today = test_fixtures::change(json!({
        "phase": "Applying", "waitingOn": "Provider", "waitingFor": "Change", "dueDate": "2026-11-23",
        "deadlines": [test_fixtures::clock("Change", "Provider", 15, 3, "2026-11-18T03:00:00Z", "2026-11-23")],
    }));
    due_today["metadata"]["name"] = json!("travel-enlarge");
    vec![
        record(Kind::Exit, test_fixtures::awaiting_consent()),
        record(Kind::Application, test_fixtures::provisioning()),
        record(Kind::Application, unseen),
        record(Kind::Change, due_today),
        record(
            Kind::Grant,
            test_fixtures::grant(
                json!({ "phase": "Refused", "waitingOn": "Provider", "waitingFor": "CorrectGrant" }),
            ),
        ),
        record(
            Kind::Grant,
            test_fixtures::grant(
                json!({ "phase": "Applying", "waitingOn": "Provider", "waitingFor": "Provision" }),
            ),
        ),
    ]
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn table_is_sorted_by_due_date_and_aligned() {
    let items = items(&queue(), &calendars(), now());
    let text = text(&items, Lang::Zh, true) + "\n" + &text(&items, Lang::En, false);
    insta::assert_snapshot!(text);
}

#[test]
fn a_record_that_waits_for_its_correction_is_not_under_review() {
    let status = json!({ "phase": "Submitted", "waitingOn": "Department", "waitingFor": "Correction" });
    let items = items(&[record(Kind::Application, test_fixtures::application(status))], &calendars(), now());
    let zh = text(&items, Lang::Zh, false);
    assert!(zh.contains("待补正") && !zh.contains("待审核"), "{zh}");
}

#[test]
fn rights_filter_by_party() {
    let items = items(&queue(), &calendars(), now());
    let seen = |rights: &Rights| {
        items.iter().filter(|i| rights.is_responsible_for(i)).map(|i| i.record.as_str()).collect::<Vec<_>>()
    };
    let provider = Rights { provisions: set(&["410000"]), ..Rights::default() };
    assert_eq!(seen(&provider), ["capp/travel", "chreq/travel-enlarge"]);
    let both_tiers = Rights { provisions: set(&["410000", "410100"]), ..Rights::default() };
    assert_eq!(seen(&both_tiers).len(), 3);
    let department = Rights { files: set(&["dept-transport"]), ..Rights::default() };
    assert_eq!(seen(&department), ["decom/travel-exit"]);
    assert_eq!(
        seen(&Rights { approves: set(&["410000"]), files: set(&["dept-transport"]), ..Rights::default() }),
        [""; 0],
        "an approver does not file"
    );
    assert_eq!(seen(&Rights::default()), [""; 0]);
}

#[test]
fn json_field_names_are_stable() {
    let items = items(&queue()[1..2], &calendars(), now());
    assert_eq!(
        serde_json::to_value(&items).unwrap(),
        json!([{
            "record": "capp/travel", "namespace": "dept-transport", "region": "410000", "system": "交通出行服务平台", "phase": "Provisioning",
            "waitingOn": "Provider", "waitingFor": "Provision", "dueDate": "2026-11-19", "workingDaysLate": 2, "since": "2026-11-16T03:00:01Z",
        }])
    );
}

#[test]
fn parties_names_regions() {
    let rights = Rights { approves: set(&["410000", "410100"]), ..Rights::default() };
    assert_eq!(rights.parties(Lang::Zh).unwrap(), "主管部门 410000 410100");
    assert_eq!(Rights::default().parties(Lang::En), None);
}
