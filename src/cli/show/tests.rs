use serde_json::{Value, json};

use super::super::specimen::{self, almanac, now, record};
use super::*;
use govcloud_api::grant::GrantedNamespace;

fn shown(kind: Kind, raw: Value, around: &Around, lang: Lang, part: Part) -> String {
    text(&Sheet::of(&record(kind, raw), around, &almanac(), now()), lang, part)
}

#[test]
fn a_life_is_told_whole() {
    let life =
        |lang| shown(Kind::Application, specimen::provisioning(), &Around::default(), lang, Part::Life);
    insta::assert_snapshot!(life(Lang::Zh) + "\n--------\n\n" + &life(Lang::En));
}

#[test]
fn a_change_shows_what_is_now_beside_what_is_asked() {
    let granted: Vec<GrantedNamespace> =
        serde_json::from_value(json!([{ "name": "prod", "quota": { "requests.cpu": "8", "requests.memory": "16Gi", "pods": "50" } }])).unwrap();
    let around = Around { system: Some("交通出行服务平台".to_owned()), granted };
    let raw =
        specimen::change(json!({ "phase": "Submitted", "waitingOn": "Authority", "waitingFor": "Decision" }));
    insta::assert_snapshot!(shown(Kind::Change, raw, &around, Lang::Zh, Part::Matter));
}

#[test]
fn an_exit_shows_its_inventory_with_what_becomes_of_it() {
    let raw = specimen::awaiting_consent();
    let part = |lang| shown(Kind::Exit, raw.clone(), &Around::default(), lang, Part::Matter);
    insta::assert_snapshot!(part(Lang::Zh) + "\n--------\n\n" + &part(Lang::En));
}

#[test]
fn what_was_not_looked_at_says_so_and_what_is_wrong_stands_out() {
    let unseen = shown(
        Kind::Application,
        specimen::application(json!(null)),
        &Around::default(),
        Lang::En,
        Part::Life,
    );
    assert!(unseen.contains("the operator has not looked at it yet"), "{unseen}");
    let status = json!({ "phase": "Submitted", "waitingOn": "Department", "waitingFor": "Correction", "conditions": [
        specimen::condition("Valid", "False", "DocumentInFuture", "日期在将来 / dated in the future"),
        specimen::condition("Ready", "False", "DocumentInFuture", "日期在将来 / dated in the future"),
        specimen::condition("Stalled", "True", "DocumentInFuture", "日期在将来 / dated in the future"),
        specimen::condition("Reconciling", "False", "DocumentInFuture", "日期在将来 / dated in the future"),
    ] });
    let wrong =
        shown(Kind::Application, specimen::application(status), &Around::default(), Lang::En, Part::Life);
    assert_eq!(
        wrong.matches("dated in the future").count(),
        2,
        "Valid and Stalled, and nothing twice more:\n{wrong}"
    );
}
