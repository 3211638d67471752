use serde_json::json;

use super::super::test_fixtures::{self, record};
use super::*;

fn application() -> Record {
    record(Kind::Application, test_fixtures::provisioning())
}

#[test]
fn render_matches_the_approval() {
    let grant = of_application(&application(), None, Some("hostpath".to_owned()), Lang::En).unwrap();
    let mut out = Vec::new();
    output::write(&grant, Format::Yaml, &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn render_requires_an_approval_of_this_spec() {
    let waiting = record(Kind::Application, test_fixtures::submitted());
    assert!(
        of_application(&waiting, None, None, Lang::En).unwrap_err().to_string().contains("is not approved")
    );
    let mut altered = test_fixtures::provisioning();
    altered["spec"]["namespaces"][0]["quota"]["requests.cpu"] = json!("800");
    let altered = record(Kind::Application, altered);
    assert!(
        of_application(&altered, None, None, Lang::En)
            .unwrap_err()
            .to_string()
            .contains("altered after its approval")
    );
    let mut void = test_fixtures::provisioning();
    void["status"]["decision"]["void"] = json!("x / y");
    assert!(of_application(&record(Kind::Application, void), None, None, Lang::En).is_err());
}

#[test]
fn render_of_a_change_supersedes_the_first_approval() {
    let mut raw = test_fixtures::change(json!(null));
    let digest = record(Kind::Change, raw.clone()).digest();
    raw["status"] = json!({
        "phase": "Applying",
        "decision": { "verdict": "Approved", "by": "a", "at": "2026-11-16T03:00:00Z", "atSource": "Observed", "generation": 1, "digest": digest },
        "after": [{ "name": "prod", "quota": { "requests.cpu": "16" } }, { "name": "test", "quota": { "pods": "20" } }],
    });
    let grant = of_change(&application(), &record(Kind::Change, raw.clone()), Lang::En).unwrap();
    assert_eq!(
        (grant.spec.approved.kind, grant.spec.approved.name.as_str()),
        (ApprovalKind::ChangeRequest, "travel-enlarge")
    );
    assert_eq!(grant.spec.namespaces.len(), 2);
    raw["status"]["phase"] = json!("Completed");
    assert!(of_change(&application(), &record(Kind::Change, raw.clone()), Lang::En).is_err());
    raw["spec"]["resourceAdjustment"]["application"] = json!("other");
    assert!(of_change(&application(), &record(Kind::Change, raw), Lang::En).is_err());

    let mut existing = test_fixtures::grant(json!({ "phase": "Active" }));
    existing["status"]["inForce"] = json!({ "kind": "ChangeRequest", "name": "travel-enlarge", "uid": "c", "generation": 1, "digest": format!("sha256:{}", "0".repeat(64)) });
    let refused =
        of_application(&application(), Some(&record(Kind::Grant, existing)), None, Lang::En).unwrap_err();
    assert!(refused.to_string().contains("was changed by travel-enlarge"));
}
