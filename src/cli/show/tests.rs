use serde_json::{Value, json};

use super::super::test_fixtures::{self, calendars, now, record};
use super::*;
use govcloud_api::grant::GrantedNamespace;

fn shown(kind: Kind, raw: Value, context: &ApplicationContext, lang: Lang, part: Part) -> String {
    text(&Details::of(&record(kind, raw), context, &calendars(), now()), lang, part)
}

#[test]
fn show_prints_everything_in_both_languages() {
    let both = |lang| {
        shown(
            Kind::Application,
            test_fixtures::provisioning(),
            &ApplicationContext::default(),
            lang,
            Part::All,
        )
    };
    insta::assert_snapshot!(both(Lang::Zh) + "\n--------\n\n" + &both(Lang::En));
}

#[test]
fn show_compares_a_change_with_the_present_quota() {
    let granted: Vec<GrantedNamespace> =
        serde_json::from_value(json!([{ "name": "prod", "quota": { "requests.cpu": "8", "requests.memory": "16Gi", "pods": "50" } }])).unwrap();
    let context =
        ApplicationContext { system: Some("交通出行服务平台".to_owned()), granted, access: None };
    let raw = test_fixtures::change(
        json!({ "phase": "Submitted", "waitingOn": "Authority", "waitingFor": "Decision" }),
    );
    insta::assert_snapshot!(shown(Kind::Change, raw, &context, Lang::Zh, Part::Reviewed));
}

/// A quota that was enlarged once, of an application and of a change that have ended.
#[test]
fn show_compares_nothing_after_the_end() {
    let granted: Vec<GrantedNamespace> =
        serde_json::from_value(json!([{ "name": "test", "quota": { "pods": "100" } }])).unwrap();
    let context = ApplicationContext { system: None, granted, access: None };
    let application = |phase: &str| {
        let raw = test_fixtures::application(json!({ "phase": phase, "waitingOn": "None" }));
        shown(Kind::Application, raw, &context, Lang::En, Part::All)
    };
    assert!(application("Submitted").contains("pods 100 → 20"), "a record that is filed again asks for less");
    let exited = application("Exited");
    assert!(exited.contains("pods 100") && !exited.contains('→'), "the last value in force:\n{exited}");
    let rejected = application("Rejected");
    assert!(rejected.contains("pods 20") && !rejected.contains('→'), "what was asked for:\n{rejected}");
    let change = |phase: &str, before: Value| {
        let granted = json!([{ "name": "prod", "quota": { "requests.cpu": "64" } }]);
        let context = ApplicationContext {
            system: None,
            granted: serde_json::from_value(granted).unwrap(),
            access: None,
        };
        let status = json!({ "phase": phase, "waitingOn": "None", "before": before });
        shown(Kind::Change, test_fixtures::change(status), &context, Lang::En, Part::All)
    };
    assert!(!change("Rejected", json!([])).contains('→'), "64 came later");
    let before = json!([{ "name": "prod", "quota": { "requests.cpu": "8" } }]);
    assert!(change("Completed", before).contains("requests.cpu 8 → 16"), "what the change did");
}

#[test]
fn show_lists_the_inventory_of_an_exit() {
    let raw = test_fixtures::awaiting_consent();
    let part = |lang| shown(Kind::Exit, raw.clone(), &ApplicationContext::default(), lang, Part::Reviewed);
    insta::assert_snapshot!(part(Lang::Zh) + "\n--------\n\n" + &part(Lang::En));
}

#[test]
fn the_time_since_a_claim_is_unused_has_a_column_where_one_is_known() {
    let listed =
        |raw: Value| shown(Kind::Exit, raw, &ApplicationContext::default(), Lang::En, Part::Reviewed);
    let mut raw = test_fixtures::awaiting_consent();
    assert!(!listed(raw.clone()).contains("UNUSED"), "{}", listed(raw.clone()));
    raw["status"]["inventory"]["entries"][0]["unusedSince"] = json!("2026-11-20T01:00:00Z");
    let text = listed(raw);
    let header = text.lines().find(|l| l.contains("ACTION")).unwrap_or_default();
    let row = text.lines().find(|l| l.ends_with("2026-11-20 09:00")).unwrap_or_default();
    assert_eq!(header.find("UNUSED-SINCE"), row.find("2026-11-20 09:00"), "{text}");
}

#[test]
fn show_reports_unprocessed_records_and_failed_conditions() {
    let unseen = shown(
        Kind::Application,
        test_fixtures::application(json!(null)),
        &ApplicationContext::default(),
        Lang::En,
        Part::All,
    );
    assert!(unseen.contains("not processed by the operator yet"), "{unseen}");
    let status = json!({ "phase": "Submitted", "waitingOn": "Department", "waitingFor": "Correction", "conditions": [
        test_fixtures::condition("Valid", "False", "DocumentInFuture", "日期在将来 / dated in the future"),
        test_fixtures::condition("Ready", "False", "DocumentInFuture", "日期在将来 / dated in the future"),
        test_fixtures::condition("Stalled", "True", "DocumentInFuture", "日期在将来 / dated in the future"),
        test_fixtures::condition("Reconciling", "False", "DocumentInFuture", "日期在将来 / dated in the future"),
    ] });
    let wrong = shown(
        Kind::Application,
        test_fixtures::application(status),
        &ApplicationContext::default(),
        Lang::En,
        Part::All,
    );
    assert_eq!(wrong.matches("dated in the future").count(), 1, "Stalled is not repeated:\n{wrong}");
    assert!(wrong.contains("Valid=False, DocumentInFuture"), "{wrong}");
}
