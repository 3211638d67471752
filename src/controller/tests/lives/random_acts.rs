//! Acts of the random lives: chosen by numbers, and carried out on the stage.

use govcloud_domain::integrity::PolicyIntegrity;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, maintenance};
use crate::cluster::{Id, whole};
use crate::stage::{LI, Stage, ZHANG};
use crate::told::maintenance_id;

/// An act of somebody, chosen by numbers. Acts that the policies refuse are left out.
#[derive(Clone, Debug)]
pub enum Act {
    Pass(u32),
    File(u8),
    Decide(u8, u8),
    DecideUnlawfully(u8, u8),
    Clear(u8),
    Correct(u8),
    Withdraw(u8),
    GoLive(bool),
    Claim(u8),
    Unclaim(u8),
    Consent(u8),
    Receive(u8),
    Use(u8),
    PolicyIntegrity(bool),
    Publish,
    Fulfilment(bool),
    Stick(bool),
    Run(bool),
    Outcome,
    Lose(u8),
}

pub fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1_u32..2_000_000).prop_map(Act::Pass),
        4 => (0_u8..8).prop_map(Act::File),
        8 => (0_u8..8, 0_u8..6).prop_map(|(r, v)| Act::Decide(r, v)),
        1 => (0_u8..8, 0_u8..3).prop_map(|(r, v)| Act::DecideUnlawfully(r, v)),
        1 => (0_u8..8).prop_map(Act::Clear),
        2 => (0_u8..8).prop_map(Act::Correct),
        1 => (0_u8..8).prop_map(Act::Withdraw),
        2 => any::<bool>().prop_map(Act::GoLive),
        4 => (0_u8..3).prop_map(Act::Claim),
        1 => (0_u8..3).prop_map(Act::Unclaim),
        5 => (0_u8..3).prop_map(Act::Consent),
        2 => (0_u8..3).prop_map(Act::Receive),
        1 => (0_u8..10).prop_map(Act::Use),
        1 => any::<bool>().prop_map(Act::PolicyIntegrity),
        1 => Just(Act::Publish),
        1 => any::<bool>().prop_map(Act::Fulfilment),
        1 => any::<bool>().prop_map(Act::Stick),
        1 => any::<bool>().prop_map(Act::Run),
        1 => Just(Act::Outcome),
        1 => (0_u8..3).prop_map(Act::Lose),
    ]
}

/// The records that take part, with their specs.
pub fn record(n: u8) -> (Id, serde_json::Value) {
    match n {
        0 => (app_id(), application()),
        1 => (change_id("more"), adjustment(json!({ "requests.cpu": "16", "pods": "60" }))),
        2 => (change_id("less"), adjustment(json!({ "requests.cpu": "2" }))),
        3 => {
            let mut two = adjustment(json!({ "requests.cpu": "9" }));
            two["resourceAdjustment"]["namespaces"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "name": "test", "quota": { "pods": "5" } }));
            (change_id("two"), two)
        }
        4 => (exit_id("leave"), exit("Application", "Retain", &[("c0", "Destroy")])),
        5 => (exit_id("hand"), exit("Application", "Destroy", &[("c0", "HandOver")])),
        6 => (exit_id("clean"), exit("Volumes", "Destroy", &[])),
        _ => (maintenance_id("storage"), maintenance("2026-09-10 22:00", "2026-09-11 02:00")),
    }
}

/// UIDs of the namespaces that a record says it found.
fn found(s: &Stage, of: &Id) -> Vec<String> {
    let found = s.status(of)["foundNamespaces"].as_array().cloned().unwrap_or_default();
    found.iter().map(|f| f["uid"].as_str().unwrap().to_owned()).collect()
}

/// Returns true while the department may change the record: nothing final was annotated.
fn correctable(s: &Stage, of: &Id) -> bool {
    let o = &s.cluster.objects[of];
    let annotated = &o["metadata"]["annotations"]["govcloud.dev/decision"];
    annotated.is_null() || annotated == "returned"
}

/// A record, where it was filed.
fn there(s: &Stage, n: u8) -> Option<Id> {
    Some(record(n).0).filter(|k| s.cluster.objects.contains_key(k))
}

impl Stage {
    pub fn act(&mut self, act: &Act) {
        match *act {
            Act::Pass(seconds) => {
                let to = self.now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap();
                self.until_instant(to);
            }
            Act::File(n) => {
                let (key, spec) = record(n);
                if there(self, n).is_none() {
                    self.file(&key, spec);
                }
            }
            Act::Decide(n, v) => self.decide_lawfully(n, v),
            Act::DecideUnlawfully(n, v) => self.decide_unlawfully(n, v),
            Act::Clear(n) => {
                if let Some(k) = there(self, n).filter(|k| self.status(k)["decision"]["void"].is_string()) {
                    self.clear_decision(&k);
                }
            }
            Act::Correct(n) => self.correct(n),
            Act::Withdraw(n) => self.withdraw_open(n),
            Act::GoLive(report) => self.report_go_live(report),
            Act::Claim(n) => drop(self.claim("prod", &format!("c{n}"))),
            Act::Unclaim(n) => drop(self.unclaim("prod", &format!("c{n}"))),
            Act::Consent(n) => {
                let may = |s: &Self, k: &Id| correctable(s, k) && s.status(k)["inventory"].is_object();
                if let Some(k) = there(self, n + 4).filter(|k| may(self, k)) {
                    self.consent(&k);
                }
            }
            Act::Receive(n) => self.receive_handed_over(n),
            Act::Use(n) => self.uses("prod", json!({ "requests.cpu": n.to_string(), "pods": "3" })),
            Act::PolicyIntegrity(sealed) => {
                self.guard = if sealed {
                    PolicyIntegrity::Intact { since: self.now }
                } else {
                    PolicyIntegrity::Violated(vec!["x".into()])
                };
                self.settle();
            }
            Act::Publish => {
                let years = &self.cluster.get("WorkCalendar", "", "cn").unwrap()["spec"]["years"];
                if years.as_array().unwrap().len() == 7 {
                    self.publish_2027();
                }
            }
            Act::Fulfilment(automatic) => {
                self.region(json!({ "fulfilment": if automatic { "Automatic" } else { "ProviderApplied" }, "workingDays": { "review": 5 } }));
            }
            Act::Stick(stuck) => self.stick(stuck),
            Act::Run(runs) => self.run(runs),
            Act::Outcome => self.report_outcome(),
            Act::Lose(which) => self.lose(which),
        }
    }

    /// The authority decides, where the policies let it.
    fn decide_lawfully(&mut self, n: u8, v: u8) {
        let verdict =
            ["approved", "approved", "approved", "approved", "rejected", "returned"][usize::from(v)];
        if let Some(k) = there(self, n).filter(|k| {
            self.may_decide(LI, k, verdict) && matches!(self.guard, PolicyIntegrity::Intact { .. })
        }) {
            // Mostly with what is found, and sometimes past it, which the policies refuse.
            let found: Vec<String> = found(self, &k);
            self.decide_as(&k, verdict, "意见", &found.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }

    /// A decision that does not count: by the requester, or on another generation.
    fn decide_unlawfully(&mut self, n: u8, v: u8) {
        if let Some(k) =
            there(self, n).filter(|k| self.status(k)["decision"].is_null() && correctable(self, k))
        {
            let generation = self.cluster.objects[&k]["metadata"]["generation"].as_i64().unwrap();
            match v {
                0 => self.annotate(ZHANG, &k, "approved", generation, "自批"),
                1 => self.annotate(LI, &k, "approved", generation - 1, "旧版"),
                _ => self.annotate(LI, &k, "approved", generation + 1, "来版"),
            }
            self.settle();
        }
    }

    /// The department changes what it filed.
    fn correct(&mut self, n: u8) {
        if let Some(k) = there(self, n).filter(|k| correctable(self, k)) {
            let patch = match n {
                0 => {
                    json!({ "system": { "contact": { "phone": self.now.as_second().to_string() } } })
                }
                7 => {
                    json!({ "platformMaintenance": { "plan": { "title": self.now.as_second().to_string() } } })
                }
                1..=3 => {
                    json!({ "resourceAdjustment": { "reason": self.now.as_second().to_string() } })
                }
                _ => {
                    json!({ "disposition": { "default": if self.now.as_second() % 2 == 0 { "Retain" } else { "Destroy" } } })
                }
            };
            self.edit(ZHANG, &k, patch);
        }
    }

    /// The department withdraws what can be withdrawn.
    fn withdraw_open(&mut self, n: u8) {
        let before = |s: &Self, k: &Id| {
            correctable(s, k)
                || ((4..7).contains(&n) && s.phase(k) == "HandingOver")
                || (*k == app_id() && s.phase(k) == "Provisioning")
        };
        if let Some(k) = there(self, n).filter(|k| before(self, k)) {
            self.withdraw(&k);
        }
    }

    /// The department goes live, with its report or without.
    fn report_go_live(&mut self, report: bool) {
        if there(self, 0).is_some() && ["Provisioned", "Live"].contains(&self.phase(&app_id())) {
            let mut patch = json!({ "goLive": {} });
            if self.cluster.objects[&app_id()]["spec"]["goLive"].is_null() {
                patch["goLive"]["at"] = json!(whole(self.now).to_string());
            }
            if report {
                patch["goLive"]["testReport"] = json!({ "uri": "https://p.example/t.pdf", "sha256": "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917" });
            }
            self.edit(ZHANG, &app_id(), patch);
        }
    }

    /// The department gives the receipt that is waited for.
    fn receive_handed_over(&mut self, n: u8) {
        let waits = |s: &Self, k: &Id| {
            s.status(k)["waitingFor"] == "HandOverReceipt"
                && s.cluster.objects[k]["spec"]["handOver"].is_null()
        };
        if let Some(k) = there(self, n + 4).filter(|k| waits(self, k)) {
            let inventory = self.status(&k)["inventory"]["entries"].as_array().unwrap().clone();
            let claim = inventory.iter().find(|e| e["action"] == "HandOver").unwrap()["claim"]
                .as_str()
                .unwrap()
                .to_owned();
            self.receive(&k, &claim);
        }
    }

    /// The provider reports on its maintenance.
    fn report_outcome(&mut self) {
        let m = maintenance_id("storage");
        let reports = self.cluster.objects.contains_key(&m)
            && self.phase(&m) == "InProgress"
            && self.cluster.objects[&m]["spec"]["maintenanceOutcome"].is_null();
        if reports {
            let outcome =
                json!({ "result": "Failed", "endedAt": whole(self.now).to_string(), "summary": "中止" });
            self.edit("provider", &m, json!({ "maintenanceOutcome": outcome }));
        }
    }

    /// Records are lost with what was filed on them, or without it: namespaces and volumes stand.
    fn lose(&mut self, which: u8) {
        let stands = |s: &Self| {
            let tenant =
                |o: &serde_json::Value| o["metadata"]["labels"]["govcloud.dev/application-uid"].is_string();
            let of = |k: &str| {
                s.cluster
                    .of_kind(k)
                    .filter(|o| tenant(o))
                    .map(|o| o["metadata"]["uid"].clone())
                    .collect::<Vec<_>>()
            };
            (of("Namespace"), of("PersistentVolume"))
        };
        let before = stands(self);
        // An exit that reclaims goes on by itself; what it ends is not the loss's doing.
        let reclaims = self
            .cluster
            .of_kind("Decommission")
            .any(|d| ["Reclaiming", "HandingOver"].contains(&d["status"]["phase"].as_str().unwrap_or("")));
        let kinds = ["CloudApplication", "ResourceGrant", "ChangeRequest", "Decommission"];
        let kinds = &kinds[..[1, 2, 4][usize::from(which)]];
        let gone: Vec<Id> =
            self.cluster.objects.keys().filter(|k| kinds.contains(&k.0.as_str())).cloned().collect();
        self.say("somebody", &format!("loses {kinds:?}"));
        gone.iter().for_each(|k| self.cluster.remove(k));
        self.settle();
        if !reclaims {
            assert_eq!(stands(self), before, "S3: a lost record destroyed something");
        }
    }

    /// Something holds a namespace, or lets it go.
    fn stick(&mut self, stuck: bool) {
        let ns = crate::acts::tenant("prod");
        if stuck {
            self.cluster.stuck.insert(ns);
        } else {
            self.cluster.stuck.remove(&ns);
            self.settle();
        }
    }

    /// The department has pods in a namespace, or none.
    fn run(&mut self, runs: bool) {
        let ns = crate::acts::tenant("prod");
        self.say("the department", if runs { "has pods running" } else { "has no pods" });
        if runs {
            self.cluster.in_use.insert(ns);
        } else {
            self.cluster.in_use.remove(&ns);
            self.settle();
        }
    }

    /// Phase, decision and volumes: what only people's acts may change. That an approved window begins was decided.
    pub fn standing_of_all(&self) -> Vec<serde_json::Value> {
        let of = |k: &str| {
            self.cluster
                .of_kind(k)
                .map(|o| {
                    let begun = o["status"]["phase"] == "InProgress";
                    let phase = if begun { json!("Scheduled") } else { o["status"]["phase"].clone() };
                    json!([o["metadata"]["name"], phase, o["status"]["decision"]])
                })
                .collect::<Vec<_>>()
        };
        ["CloudApplication", "ResourceGrant", "ChangeRequest", "Decommission", "PersistentVolume"]
            .iter()
            .flat_map(|k| of(k))
            .collect()
    }
}
