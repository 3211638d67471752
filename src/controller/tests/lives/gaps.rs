//! Gaps of the admission policies, in every order with decisions, the operator's absence and what somebody writes into
//! status and `managedFields` meanwhile (design, section 3; S1, S7).

use govcloud_domain::integrity::PolicyIntegrity;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::acts::{app_id, application};
use crate::stage::{LI, Stage};

/// Events of a case, in order.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// The policies are taken away, or put back.
    Policies(bool),
    /// The operator goes, or comes back.
    Operator(bool),
    /// Somebody writes the annotations of an approval.
    Decide,
    /// Somebody writes status or `managedFields`. With the policies in force the API server refuses it.
    Tamper(Tampering),
    /// The invalid decision is removed.
    Clear,
}

#[derive(Clone, Copy, Debug)]
enum Tampering {
    /// Status says that the decision is valid.
    NotVoid,
    /// Status knows of no decision.
    Forgotten,
    /// Status has an approval as the operator would write it, without or with a seal of another.
    Forged(bool),
    /// Status was looked at in the future.
    Ahead,
    /// The decision annotation has no owner, one of long ago, or one of the time to come.
    Times(i64),
    /// The record is where an approval would have brought it.
    Phase(&'static str),
}

fn acts() -> impl Strategy<Value = Act> {
    let tampering = prop_oneof![
        Just(Tampering::NotVoid),
        Just(Tampering::Forgotten),
        any::<bool>().prop_map(Tampering::Forged),
        Just(Tampering::Ahead),
        prop_oneof![Just(i64::MIN), Just(-86_400), Just(0), Just(86_400)].prop_map(Tampering::Times),
        prop_oneof![Just("Submitted"), Just("Provisioning"), Just("Provisioned"), Just("Live")]
            .prop_map(Tampering::Phase),
    ];
    prop_oneof![
        3 => any::<bool>().prop_map(Act::Policies),
        2 => any::<bool>().prop_map(Act::Operator),
        3 => Just(Act::Decide),
        4 => tampering.prop_map(Act::Tamper),
        1 => Just(Act::Clear),
    ]
}

/// The stage, and what a judge who saw everything would say.
struct Play {
    stage: Stage,
    intact: bool,
    up: bool,
    /// The operator has looked at the record in this period of intact policies.
    seen: bool,
    /// An approval was made while the policies were intact, after that look, and it stands.
    lawful: bool,
    /// Annotations of a decision are there.
    decided: bool,
}

impl Play {
    fn new() -> Self {
        let mut stage = Stage::new("2026-03-10 09:30");
        stage.file(&app_id(), application());
        Self { stage, intact: true, up: true, seen: true, lawful: false, decided: false }
    }

    fn act(&mut self, act: Act) {
        self.stage.now = self.stage.now.checked_add(SignedDuration::from_mins(10)).unwrap();
        match act {
            Act::Policies(intact) => {
                if intact && !self.intact {
                    self.stage.guard = PolicyIntegrity::Intact { since: self.stage.now };
                    self.seen = false;
                } else if !intact {
                    self.stage.guard = PolicyIntegrity::Violated(vec!["govcloud-decisions".into()]);
                }
                self.intact = intact;
            }
            Act::Operator(up) => self.up = up,
            Act::Decide => self.decide(),
            Act::Tamper(tampering) if !self.intact => self.tamper(tampering),
            Act::Tamper(_) => {}
            Act::Clear => self.clear(),
        }
        if self.up {
            self.stage.settle();
            self.seen |= self.intact;
        }
    }

    /// With the policies in force, only the authority decides, once, and on what the operator found in order.
    fn decide(&mut self) {
        if self.decided {
            return;
        }
        let void = self.stage.status(&app_id())["decision"]["void"].is_string();
        if self.intact && void {
            return;
        }
        self.decided = true;
        if self.intact && self.seen {
            self.lawful = true;
            let record = &self.stage.cluster.objects[&app_id()];
            let uid = record["metadata"]["uid"].as_str().unwrap().to_owned();
            let spec = record["spec"].clone();
            self.stage.ledger.approved.insert(uid, spec);
        }
        self.stage.annotate(LI, &app_id(), "approved", 1, "同意");
    }

    /// With the policies in force, only what status calls void can be removed.
    fn clear(&mut self) {
        let void = self.stage.status(&app_id())["decision"]["void"].is_string();
        if self.decided && (void || !self.intact) && !self.lawful {
            self.decided = false;
            self.stage.remove_decision(&app_id());
        }
    }

    fn tamper(&mut self, tampering: Tampering) {
        let now = self.stage.now;
        let ahead = now.checked_add(SignedDuration::from_hours(24)).unwrap();
        self.stage.cluster.change(&app_id(), |o| {
            let digest = o["status"]["specDigest"].clone();
            match tampering {
                Tampering::NotVoid => {
                    if let Some(decision) = o["status"]["decision"].as_object_mut() {
                        decision.remove("void");
                    }
                }
                Tampering::Forgotten => o["status"]["decision"] = Value::Null,
                Tampering::Forged(sealed) => {
                    o["status"]["decision"] = json!({
                        "verdict": "Approved", "by": LI, "at": now.to_string(), "atSource": "ManagedFields",
                        "generation": 1, "digest": digest, "opinion": "同意",
                    });
                    if sealed {
                        o["status"]["decision"]["seal"] = json!("0".repeat(64));
                    }
                }
                Tampering::Ahead => o["status"]["observedAt"] = json!(ahead.to_string()),
                Tampering::Times(i64::MIN) => o["metadata"]["managedFields"] = json!([]),
                Tampering::Times(seconds) => {
                    let at = now.checked_add(SignedDuration::from_secs(seconds)).unwrap().to_string();
                    let owned = json!({ "f:metadata": { "f:annotations": { "f:govcloud.dev/decision": {} } } });
                    o["metadata"]["managedFields"] =
                        json!([{ "manager": "kubectl", "operation": "Update", "time": at, "fieldsV1": owned }]);
                }
                Tampering::Phase(phase) => o["status"]["phase"] = json!(phase),
            }
        });
    }

    /// Policies are put back, and the operator looks: nothing is made of an approval that nobody lawful made.
    fn end(mut self) {
        self.act(Act::Policies(true));
        self.act(Act::Operator(true));
        let s = &self.stage;
        let made = s.cluster.of_kind("ResourceQuota").count() > 0;
        let status = s.status(&app_id());
        assert!(self.lawful || !made, "made without an approval: {status}\n{}", s.log);
        if !self.lawful {
            let recorded = &status["decision"];
            assert!(recorded.is_null() || recorded["void"].is_string(), "counts: {status}\n{}", s.log);
            assert_eq!(s.phase(&app_id()), "Submitted", "{status}\n{}", s.log);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A decision that first appeared while the policies were not intact never counts, whatever was written meanwhile and
    /// whether or not anybody looked.
    #[test]
    fn s1_a_decision_from_a_gap_never_counts(acts in proptest::collection::vec(acts(), 1..12)) {
        let mut play = Play::new();
        for act in acts {
            play.act(act);
            // An approval that was carried out is another life.
            if play.lawful && play.stage.phase(&app_id()) == "Provisioned" {
                return Ok(());
            }
        }
        play.end();
    }
}

/// kubernetes#91748: the decision was recorded as void, and status was changed within the same gap.
#[test]
fn a_void_that_is_erased_in_the_gap_is_void_again() {
    for tampering in [Tampering::NotVoid, Tampering::Forgotten, Tampering::Forged(true)] {
        let mut play = Play::new();
        for act in [Act::Policies(false), Act::Decide, Act::Tamper(tampering)] {
            play.act(act);
        }
        let s = &play.stage;
        assert!(s.status(&app_id())["decision"]["void"].is_string(), "{tampering:?}, in the gap: {}", s.log);
        play.end();
    }
}

/// kubernetes#81524: operator and policies were away, and the decision has no time that the API server gave.
#[test]
fn a_decision_without_a_time_from_downtime_is_void() {
    for seconds in [i64::MIN, -86_400, 0, 86_400] {
        let mut play = Play::new();
        let times = Act::Tamper(Tampering::Times(seconds));
        for act in [Act::Operator(false), Act::Policies(false), Act::Decide, times] {
            play.act(act);
        }
        play.end();
    }
}

/// A decision from before the gap stands, and what was provisioned on it goes on.
#[test]
fn a_decision_from_before_the_gap_stands() {
    let mut s = Stage::provisioned("2026-03-10 09:30");
    let before = s.status(&app_id())["decision"].clone();
    s.guard = PolicyIntegrity::Violated(vec!["govcloud-decisions".into()]);
    s.settle();
    s.until("2026-03-11 10:00");
    s.guard = PolicyIntegrity::Intact { since: s.now };
    s.settle();
    assert_eq!(s.status(&app_id())["decision"], before);
    assert_eq!((s.phase(&app_id()), s.count(&app_id(), "DecisionVoid")), ("Provisioned", 0));
}

/// An application with a grant in force whose decision cannot be verified keeps what it has, and is decided anew.
#[test]
fn what_is_in_force_stays_until_it_is_decided_anew() {
    let mut s = Stage::provisioned("2026-03-10 09:30");
    let quotas = s.cluster.of_kind("ResourceQuota").count();
    s.guard = PolicyIntegrity::Violated(vec!["govcloud-status".into()]);
    s.settle();
    s.cluster.change(&app_id(), |o| o["status"]["decision"]["by"] = json!("mallory"));
    s.until("2026-03-10 10:00");
    s.guard = PolicyIntegrity::Intact { since: s.now };
    s.settle();
    assert_eq!(s.stands(&app_id(), "Stalled"), "True/DecisionVoid");
    assert_eq!((s.phase(&app_id()), s.count(&app_id(), "DecisionVoid")), ("Provisioned", 2));
    s.clear_decision(&app_id());
    s.decide(&app_id(), "approved", "同意");
    assert_eq!(s.stands(&app_id(), "Ready"), "True/Provisioned");
    assert_eq!(s.cluster.of_kind("ResourceQuota").count(), quotas);
}
