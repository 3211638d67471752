use serde_json::json;

use super::super::specimen::{self, record};
use super::*;

fn application() -> Record {
    record(Kind::Application, specimen::provisioning())
}

#[test]
fn the_manifest_is_what_the_gate_asks_for() {
    let grant = of_application(&application(), None, Some("hostpath".to_owned()), Lang::En).unwrap();
    let mut out = Vec::new();
    output::write(&grant, Format::Yaml, &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn nothing_is_granted_without_an_approval_of_this_very_spec() {
    let waiting = record(Kind::Application, specimen::submitted());
    assert!(
        of_application(&waiting, None, None, Lang::En).unwrap_err().to_string().contains("is not approved")
    );
    let mut altered = specimen::provisioning();
    altered["spec"]["namespaces"][0]["quota"]["requests.cpu"] = json!("800");
    let altered = record(Kind::Application, altered);
    assert!(
        of_application(&altered, None, None, Lang::En)
            .unwrap_err()
            .to_string()
            .contains("altered after its approval")
    );
    let mut void = specimen::provisioning();
    void["status"]["decision"]["void"] = json!("x / y");
    assert!(of_application(&record(Kind::Application, void), None, None, Lang::En).is_err());
}

#[test]
fn a_change_grants_what_it_leaves_and_closes_the_way_back() {
    let mut raw = specimen::change(json!(null));
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

    let mut standing = specimen::grant(json!({ "phase": "Active" }));
    standing["status"]["inForce"] = json!({ "kind": "ChangeRequest", "name": "travel-enlarge", "uid": "c", "generation": 1, "digest": format!("sha256:{}", "0".repeat(64)) });
    let refused =
        of_application(&application(), Some(&record(Kind::Grant, standing)), None, Lang::En).unwrap_err();
    assert!(refused.to_string().contains("stands on change travel-enlarge"));
}
