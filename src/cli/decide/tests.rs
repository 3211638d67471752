use serde_json::json;

use super::super::test_fixtures::{self, record};
use super::*;

#[test]
fn decision_patch_replaces_every_annotation() {
    let record = record(Kind::Application, test_fixtures::submitted());
    let body = decision(&record, Verdict::Approved, None, &[], "li");
    assert_eq!(
        body,
        json!({ "metadata": { "annotations": {
            "govcloud.dev/decision": "approved", "govcloud.dev/reviewed-generation": "1", "govcloud.dev/opinion": null,
            "govcloud.dev/reattach": null, "govcloud.dev/decided-by": "li",
        } } })
    );
    let uids = [
        "00000000-0000-4000-8000-000000000001".to_owned(),
        "00000000-0000-4000-8000-000000000002".to_owned(),
    ];
    let body = decision(&record, Verdict::Returned, Some("缺少附件"), &uids, "li");
    assert_eq!(body["metadata"]["annotations"]["govcloud.dev/decision"], "returned");
    assert_eq!(body["metadata"]["annotations"]["govcloud.dev/opinion"], "缺少附件");
    assert_eq!(body["metadata"]["annotations"]["govcloud.dev/reattach"], uids.join(","));
}

#[test]
fn state_advice_follows_the_record() {
    let advice = |raw, verdict| state_advice(&record(Kind::Application, raw), verdict, Lang::En);
    assert!(advice(test_fixtures::submitted(), Verdict::Approved).starts_with("show its status"));
    let mut wrong = test_fixtures::submitted();
    wrong["status"]["conditions"][0] =
        test_fixtures::condition("Valid", "False", "DocumentInFuture", "x / y");
    assert!(
        advice(wrong.clone(), Verdict::Approved)
            .contains("kubectl govcloud return capp/travel -n dept-transport --opinion")
    );
    wrong["metadata"]["generation"] = json!(2);
    wrong["status"]["conditions"][0]["status"] = json!("True");
    assert!(
        advice(wrong, Verdict::Approved).starts_with("the operator has not checked"),
        "what is valid is another generation"
    );
    let mut decided = test_fixtures::provisioning();
    decided["metadata"]["annotations"]["govcloud.dev/decision"] = json!("approved");
    assert!(advice(decided.clone(), Verdict::Rejected).starts_with("a decision exists already"));
    decided["status"]["decision"]["void"] = json!("甲 / a");
    assert!(advice(decided, Verdict::Approved).contains("clear-void capp/travel"));
    let mut returned = test_fixtures::submitted();
    returned["metadata"]["annotations"]["govcloud.dev/decision"] = json!("returned");
    returned["metadata"]["annotations"]["govcloud.dev/reviewed-generation"] = json!("1");
    assert!(advice(returned, Verdict::Approved).starts_with("wait for"));
    let mut exit = test_fixtures::awaiting_consent();
    exit["status"]["conditions"] = json!([test_fixtures::condition("Valid", "True", "Valid", "x / y")]);
    let exit = state_advice(&record(Kind::Exit, exit), Verdict::Approved, Lang::En);
    assert!(exit.contains("kubectl govcloud consent travel-exit"));
}

#[test]
fn is_uid_checks_the_format() {
    assert!(is_uid("3c0b7b1e-8a63-4f0e-a8f5-1f4cf0f7d111"));
    assert!(!is_uid("prod") && !is_uid("") && !is_uid("3c0b7b1e-8a63-4f0e-a8f5-1f4cf0f7d11g"));
}
