use serde_json::json;

use super::super::specimen::{self, almanac, now, record};
use super::*;

/// An exit that waits for consent, an application that is late, one not looked at, and two grants.
fn queue() -> Vec<Record> {
    let mut unseen = specimen::application(json!(null));
    unseen["metadata"]["name"] = json!("new");
    let mut due_today = specimen::change(json!({
        "phase": "Applying", "waitingOn": "Provider", "waitingFor": "Change", "dueDate": "2026-11-23",
        "deadlines": [specimen::clock("Change", "Provider", 15, 3, "2026-11-18T03:00:00Z", "2026-11-23")],
    }));
    due_today["metadata"]["name"] = json!("travel-enlarge");
    vec![
        record(Kind::Exit, specimen::awaiting_consent()),
        record(Kind::Application, specimen::provisioning()),
        record(Kind::Application, unseen),
        record(Kind::Change, due_today),
        record(
            Kind::Grant,
            specimen::grant(
                json!({ "phase": "Refused", "waitingOn": "Provider", "waitingFor": "CorrectGrant" }),
            ),
        ),
        record(
            Kind::Grant,
            specimen::grant(
                json!({ "phase": "Applying", "waitingOn": "Provider", "waitingFor": "Provision" }),
            ),
        ),
    ]
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn the_oldest_due_comes_first_and_columns_align() {
    let items = items(&queue(), &almanac(), now());
    let text = text(&items, Lang::Zh, true) + "\n" + &text(&items, Lang::En, false);
    insta::assert_snapshot!(text);
}

#[test]
fn each_party_sees_its_own() {
    let items = items(&queue(), &almanac(), now());
    let seen = |rights: &Rights| {
        items.iter().filter(|i| rights.concern(i)).map(|i| i.record.as_str()).collect::<Vec<_>>()
    };
    let provider = Rights { provisions: set(&["410000"]), ..Rights::default() };
    assert_eq!(seen(&provider), ["capp/travel", "chreq/travel-enlarge"]);
    let both_tiers = Rights { provisions: set(&["410000", "410100"]), ..Rights::default() };
    assert_eq!(seen(&both_tiers).len(), 3);
    let department = Rights { files: set(&["dept-transport"]), ..Rights::default() };
    assert_eq!(seen(&department), ["decom/travel-exit"]);
    assert_eq!(
        seen(&Rights { decides: set(&["410000"]), files: set(&["dept-transport"]), ..Rights::default() }),
        [""; 0],
        "who decides does not file"
    );
    assert_eq!(seen(&Rights::default()), [""; 0]);
}

#[test]
fn lines_in_json_are_an_interface() {
    let items = items(&queue()[1..2], &almanac(), now());
    assert_eq!(
        serde_json::to_value(&items).unwrap(),
        json!([{
            "record": "capp/travel", "namespace": "dept-transport", "region": "410000", "system": "交通出行服务平台", "phase": "Provisioning",
            "waitingOn": "Provider", "waitingFor": "Provision", "dueDate": "2026-11-19", "workingDaysLate": 2, "since": "2026-11-16T03:00:01Z",
        }])
    );
}

#[test]
fn who_one_is_is_said() {
    let rights = Rights { decides: set(&["410000", "410100"]), ..Rights::default() };
    assert_eq!(rights.who(Lang::Zh).unwrap(), "主管部门 410000 410100");
    assert_eq!(Rights::default().who(Lang::En), None);
}
