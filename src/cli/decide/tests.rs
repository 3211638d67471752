use serde_json::json;

use super::super::test_fixtures::{self, record};
use super::*;
use govcloud_domain::reason::Reason;

#[test]
fn decision_patch_replaces_every_annotation() {
    let record = record(Kind::Application, test_fixtures::submitted());
    let body = decision(&record, Verdict::Approved, None, Named::default(), "li");
    assert_eq!(
        body,
        json!({ "metadata": { "annotations": {
            "govcloud.dev/decision": "approved", "govcloud.dev/reviewed-generation": "1", "govcloud.dev/opinion": null,
            "govcloud.dev/reattach": null, "govcloud.dev/adopt": null, "govcloud.dev/decided-by": "li",
        } } })
    );
    let uids = [
        "00000000-0000-4000-8000-000000000001".to_owned(),
        "00000000-0000-4000-8000-000000000002".to_owned(),
    ];
    let body = decision(
        &record,
        Verdict::Returned,
        Some("缺少附件"),
        Named { reattach: &uids, adopt: &uids[..1] },
        "li",
    );
    assert_eq!(body["metadata"]["annotations"]["govcloud.dev/decision"], "returned");
    assert_eq!(body["metadata"]["annotations"]["govcloud.dev/opinion"], "缺少附件");
    assert_eq!(body["metadata"]["annotations"]["govcloud.dev/reattach"], uids.join(","));
    assert_eq!(body["metadata"]["annotations"]["govcloud.dev/adopt"], uids[0]);
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
fn what_is_about_to_be_submitted_is_announced() {
    let application = record(Kind::Application, test_fixtures::submitted());
    let text = |verdict, opinion| announcement(&application, verdict, opinion, Lang::En);
    assert_eq!(
        text(Verdict::Returned, Some("缺少附件\u{1b}[2K")),
        "About to decide on capp/travel: returned for correction\nOpinion: 缺少附件\\u{1b}[2K"
    );
    assert_eq!(
        text(Verdict::Approved, None),
        "About to decide on capp/travel: approved\nNo opinion is given.\n\"approved\" is final."
    );
    let exit = record(Kind::Exit, test_fixtures::awaiting_consent());
    let destroyed = "将销毁数据卷 1 个（其中移交后销毁 0 个），保留 1 个。";
    let of_exit = |verdict| announcement(&exit, verdict, Some("同意"), Lang::Zh);
    assert!(of_exit(Verdict::Approved).contains(destroyed));
    assert!(!of_exit(Verdict::Rejected).contains("销毁"), "a rejected exit destroys nothing");
}

#[test]
fn is_uid_checks_the_format() {
    assert!(is_uid("3c0b7b1e-8a63-4f0e-a8f5-1f4cf0f7d111"));
    assert!(!is_uid("prod") && !is_uid("") && !is_uid("3c0b7b1e-8a63-4f0e-a8f5-1f4cf0f7d11g"));
}

/// A void decision, a pending one and one that counts: only the last is success.
#[test]
fn a_decision_is_recorded_once_status_has_it() {
    let state = |decision: serde_json::Value| {
        let mut raw = test_fixtures::submitted();
        raw["status"]["decision"] = decision;
        Recorded::of(&record(Kind::Application, raw), Verdict::Approved, 2, "li")
    };
    let decided = |verdict: &str, by: &str, generation: i64, void: Option<&str>| {
        let mut decision = json!({ "verdict": verdict, "by": by, "at": "2026-11-16T03:00:00Z", "atSource": "Observed",
            "generation": generation, "digest": "sha256:0" });
        if let Some(why) = void {
            decision["void"] = json!(why);
        }
        decision
    };
    assert_eq!(state(json!(null)), Recorded::Pending);
    assert_eq!(state(decided("Returned", "li", 1, None)), Recorded::Pending, "of an earlier generation");
    assert_eq!(state(decided("Approved", "wang", 2, None)), Recorded::Pending, "of somebody else");
    assert_eq!(state(decided("Approved", "li", 2, None)), Recorded::Counts);
    assert_eq!(state(decided("Approved", "li", 2, Some("甲 / a"))), Recorded::Void("甲 / a".to_owned()));
}

#[test]
fn what_would_not_count_is_refused_with_the_next_step() {
    let refused =
        |raw: serde_json::Value, force| match refuse_void(&record(Kind::Application, raw), force, Lang::En) {
            Err(CliError::Failed { message, next }) => format!("{message} | {}", next.join(" | ")),
            other => format!("{other:?}"),
        };
    assert_eq!(refused(test_fixtures::submitted(), false), "Ok(())");
    let mut void = test_fixtures::submitted();
    void["status"]["decision"] = json!({ "verdict": "Approved", "by": "li", "at": "2026-11-16T03:00:00Z", "atSource": "Observed",
        "generation": 1, "digest": "sha256:0", "void": "策略不完整 / the policies were not in place" });
    for force in [false, true] {
        let text = refused(void.clone(), force);
        assert!(
            text.contains("(the policies were not in place)") && text.contains("clear-void capp/travel"),
            "{text}"
        );
    }
    let mut open = test_fixtures::submitted();
    let reason = Reason::PolicyIntegrityViolated.as_ref();
    let stalled = test_fixtures::condition("Stalled", "True", reason, "缺失 / p missing");
    open["status"]["conditions"].as_array_mut().unwrap().push(stalled);
    let text = refused(open.clone(), false);
    assert!(text.contains("would not count now (p missing)") && text.contains("--force"), "{text}");
    assert_eq!(refused(open, true), "Ok(())");
}
