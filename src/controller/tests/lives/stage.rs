//! The stage: the imagined cluster, the time, the guard, and the operator's interpreter of plans.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use govcloud_controller::decision::{Decision, GatherContext};
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::lifecycle_event::LifecycleEvent;
use govcloud_domain::plan::{Plan, RequiredReads, Step, Write, WriteFailure};
use govcloud_domain::record::OPERATOR;
use govcloud_domain::seal::{KEY_LENGTH, Seal};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cluster::{Cluster, Id, id};
use crate::ledger::Ledger;

/// The department's filing namespace.
pub const DEPT: &str = "dept-transport";
/// The requester of the department.
pub const ZHANG: &str = "zhang@transport";
/// The officer who decides.
pub const LI: &str = "li@bigdata";

#[derive(Clone)]
pub struct Stage {
    pub cluster: Cluster,
    pub now: Timestamp,
    pub guard: PolicyIntegrity,
    pub ledger: Ledger,
    /// The golden timeline.
    pub log: String,
    /// The operator is killed before its n-th write from now.
    pub kill_before: Option<usize>,
    /// Number of writes that the operator made.
    pub writes: usize,
    /// Writes to this kind are refused, and why.
    pub refuse: Option<(&'static str, &'static str)>,
    trouble: BTreeMap<Key, String>,
}

/// An instant in China: `2026-09-24 10:00`.
pub fn at(text: &str) -> Timestamp {
    format!("{}:00+08:00", text.replace(' ', "T")).parse().unwrap()
}

fn china(t: Timestamp) -> String {
    t.checked_add(SignedDuration::from_hours(8)).unwrap().strftime("%Y-%m-%d %H:%M").to_string()
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

impl Stage {
    /// A region with its calendar and storage, and the department's namespace.
    pub fn new(now: &str) -> Self {
        let now = at(now);
        let mut s = Self {
            cluster: Cluster::default(),
            now,
            guard: PolicyIntegrity::Intact {
                since: now.checked_sub(SignedDuration::from_hours(24)).unwrap(),
            },
            ledger: Ledger::default(),
            log: String::new(),
            kill_before: None,
            writes: 0,
            refuse: None,
            trouble: BTreeMap::new(),
        };
        for text in [
            include_str!("../../../../config/samples/region-410000.yaml"),
            include_str!("../../../../config/calendars/cn.yaml"),
        ] {
            s.cluster.create(yaml(text), now).unwrap();
        }
        for name in [DEPT, "provider"] {
            s.cluster
                .create(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}), now)
                .unwrap();
        }
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "hostpath"}, "reclaimPolicy": "Retain", "provisioner": "kubernetes.io/host-path"});
        s.cluster.create(class, now).unwrap();
        s.settle();
        s.log.clear();
        s.cluster.created.clear();
        s.writes = 0;
        s
    }

    /// A line that a person's act leaves in the golden timeline.
    pub fn say(&mut self, who: &str, what: &str) {
        writeln!(self.log, "\n{} {who}: {what}", china(self.now)).unwrap();
    }

    /// Lets the operator and the cluster do all that they do now, then checks that they are at rest (S11).
    pub fn settle(&mut self) {
        for _ in 0..200 {
            let mut moved = false;
            for key in self.keys() {
                moved |= self.reconcile(&key);
            }
            let before = self.cluster.version;
            for what in self.cluster.controllers() {
                writeln!(self.log, "  cluster: {what}").unwrap();
            }
            if !moved && before == self.cluster.version {
                self.at_rest();
                return;
            }
        }
        panic!("does not come to rest:\n{}", self.log);
    }

    /// Settles where a volume appeared that nobody keeps: volumes in use are not checked.
    pub fn settle_unkept(&mut self) {
        for _ in 0..20 {
            for key in self.keys() {
                self.reconcile(&key);
            }
        }
    }

    /// Lets time pass up to `to`, with the operator woken when it asked to be.
    pub fn until(&mut self, to: &str) {
        self.until_instant(at(to));
    }

    pub fn until_instant(&mut self, to: Timestamp) {
        assert!(to >= self.now);
        for _ in 0..500 {
            let wakes =
                self.keys().into_iter().filter_map(|k| self.plan(&k, Some(RequiredReads::EVERYTHING))?.wake);
            match wakes.min().filter(|w| *w <= to) {
                Some(w) => {
                    assert!(w > self.now, "the operator asked to be woken at {w}, and it is {}", self.now);
                    self.now = w;
                    self.settle();
                }
                None => {
                    self.now = to;
                    self.settle();
                    return;
                }
            }
        }
        panic!("wakes without end:\n{}", self.log);
    }

    /// Keys that were enqueued since the last call.
    pub fn woken(&self) -> Vec<Key> {
        self.cluster.woken()
    }

    /// Every record.
    pub fn keys(&self) -> Vec<Key> {
        let kind = |kind: &str| match kind {
            "CloudApplication" => Some(Kind::Application),
            "ResourceGrant" => Some(Kind::Grant),
            "ChangeRequest" => Some(Kind::Change),
            "Decommission" => Some(Kind::Decommission),
            "Region" => Some(Kind::Region),
            "Statement" => Some(Kind::Statement),
            "ComplianceRecord" => Some(Kind::Compliance),
            "Inspection" => Some(Kind::Inspection),
            "Assessment" => Some(Kind::Assessment),
            _ => None,
        };
        self.cluster
            .objects
            .keys()
            .filter_map(|(k, ns, n)| Some(Key::new(kind(k)?, ns.clone(), n.clone())))
            .collect()
    }

    /// The operator's seal in the guard's period.
    pub fn seal(&self) -> Seal {
        let period = match self.guard {
            PolicyIntegrity::Intact { since } => Some(since.to_string()),
            PolicyIntegrity::Unknown | PolicyIntegrity::Violated(_) => None,
        };
        Seal::new([7; KEY_LENGTH]).in_period(period, false)
    }

    /// The decision on a record now, by the table of kinds.
    pub fn plan(&self, key: &Key, reads: Option<RequiredReads>) -> Option<Plan<Value>> {
        let state = self.cluster.state();
        let failure = self.trouble.get(key).cloned().map(WriteFailure::Refused);
        let with = GatherContext { integrity: self.guard.clone(), seal: self.seal(), reads, failure };
        let decide = key.kind.spec().record.as_ref()?.decide;
        let Decision { reads: reread, steps, status, events, wake, .. } =
            decide(&state, key, &with, self.now)?;
        let stored = || self.cluster.objects[&self.id(key)]["status"].clone();
        Some(Plan { reread, steps, status: status.unwrap_or_else(stored), events, wake })
    }

    /// Decides on a record and carries the plan out, as the context does. Says whether anything was written.
    pub fn reconcile(&mut self, key: &Key) -> bool {
        let (mut anew, mut wrote) = (None, false);
        for _ in 0..40 {
            let Some(plan) = self.plan(key, anew) else { return wrote };
            Ledger::rests_on(key, &self.cluster.objects[&self.id(key)]["status"], &plan, anew);
            if let Some(asked) = plan.reread {
                let read = anew.is_some_and(|a: RequiredReads| a.covers(asked));
                assert!(
                    !read && plan.steps.is_empty() && plan.events.is_empty(),
                    "{key:?} asks to read anew what was read"
                );
                anew = Some(asked);
                continue;
            }
            for step in &plan.steps {
                let done = match step {
                    Step::Write(ws) => ws.iter().all(|w| self.write(key, w, anew)),
                };
                wrote = true;
                if !done {
                    // Killed: all that was in memory is lost. Or refused: said in the status.
                    if let Some(plan) = self.trouble.contains_key(key).then(|| self.plan(key, anew)).flatten()
                    {
                        return self.record(key, &plan).unwrap_or(true);
                    }
                    return true;
                }
            }
            if !plan.steps.is_empty() {
                anew = None;
                continue;
            }
            return wrote | self.record(key, &plan).unwrap_or(true);
        }
        panic!("{key:?} writes without end:\n{}", self.log);
    }

    fn killed(&mut self) -> bool {
        match self.kill_before {
            Some(0) => {
                self.kill_before = None;
                true
            }
            Some(n) => {
                self.kill_before = Some(n - 1);
                false
            }
            None => false,
        }
    }

    /// One write. False if the operator was killed before it, or it was refused.
    fn write(&mut self, key: &Key, write: &Write, anew: Option<RequiredReads>) -> bool {
        if self.killed() {
            return false;
        }
        let t = write.target();
        if let Some((kind, why)) = self.refuse
            && t.resource.kind == kind
        {
            self.trouble.insert(key.clone(), why.to_owned());
            return false;
        }
        self.ledger.permits(&self.cluster, key, write, anew);
        self.cluster
            .write(write, self.now)
            .unwrap_or_else(|e| panic!("{key:?} {write:?}: {e}\n{}", self.log));
        self.trouble.remove(key);
        self.writes += 1;
        let verb = match write {
            Write::Create(..) => "create",
            Write::Apply(..) => "apply",
            Write::Correct(..) => "correct",
            Write::Patch(..) => "patch",
            Write::Delete(..) => "delete",
        };
        writeln!(self.log, "  {verb} {} {}{}", t.resource.kind, t.name, detail(write)).unwrap();
        true
    }

    /// The status, where it differs. `None` if the operator was killed before it was written.
    fn record(&mut self, key: &Key, plan: &Plan<Value>) -> Option<bool> {
        let which = self.id(key);
        let old = self.cluster.objects[&which]["status"].clone();
        if old == plan.status {
            assert!(plan.events.is_empty(), "{key:?} tells {:?} and records nothing", plan.events);
            return Some(false);
        }
        if self.killed() {
            return None;
        }
        let uid = self.cluster.objects[&which]["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        self.ledger.records(key, &old, plan, &uid, &self.seal());
        self.cluster.change(&which, |o| o["status"] = plan.status.clone());
        self.writes += 1;
        self.log_status(key, &old, plan);
        Some(true)
    }

    fn log_status(&mut self, key: &Key, old: &Value, plan: &Plan<Value>) {
        let (before, after) = (headline(old), headline(&plan.status));
        if before != after {
            writeln!(self.log, "  {} {}: {after}", key.kind.as_str(), key.name()).unwrap();
        }
        let dates = plan.status["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
        let dates = &dates[dates.len().saturating_sub(plan.events.len())..];
        for (notice, entry) in plan.events.iter().zip(dates) {
            let mark = if notice.is_warning() { "!" } else { "-" };
            let when: Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
            let back = if when == crate::cluster::whole(self.now) {
                String::new()
            } else {
                format!(" [{}]", china(when))
            };
            let article = entry["article"].as_i64().map(|a| format!(" 第{a}条")).unwrap_or_default();
            writeln!(
                self.log,
                "    {mark} {}{article} {}{back}: {}",
                notice.event(),
                who(entry),
                told(notice)
            )
            .unwrap();
        }
    }

    pub fn id(&self, key: &Key) -> Id {
        id(key.kind.as_str(), key.namespace(), key.name())
    }

    /// S11: deciding again writes nothing and says nothing. S5: what is in use is kept.
    fn at_rest(&mut self) {
        for key in self.keys() {
            for anew in [None, Some(RequiredReads::EVERYTHING)] {
                let Some(plan) = self.plan(&key, anew) else { continue };
                let stored = &self.cluster.objects[&self.id(&key)]["status"];
                let refused = self.trouble.contains_key(&key);
                if refused && plan.reread.is_some() {
                    continue;
                }
                assert!(plan.reread.is_none(), "{key:?} reads anew in steady state");
                assert!(refused || plan.steps.is_empty(), "{key:?} is not at rest: {:?}", plan.steps);
                assert_eq!(plan.status, *stored, "{key:?} is not at rest");
                assert!(plan.events.is_empty());
                assert!(plan.wake.is_none_or(|w| w > self.now), "{key:?} wants to be woken at once");
            }
        }
        self.ledger.at_rest(&self.cluster);
    }
}

fn told(h: &LifecycleEvent) -> String {
    let text = h.text();
    assert!(!text.zh.is_empty() && !text.en.is_empty());
    text.to_string()
}

/// The part of a status that a person sees first.
fn headline(status: &Value) -> String {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let mut line = text(&status["phase"]);
    if status["waitingOn"].is_string() && status["waitingOn"] != "None" {
        write!(line, ", waiting on {}", text(&status["waitingOn"])).unwrap();
    }
    if let Some(act) = status["waitingFor"].as_str() {
        write!(line, " for {act}").unwrap();
    }
    if let Some(due) = status["dueDate"].as_str() {
        write!(line, " until {due}").unwrap();
    }
    for c in status["conditions"].as_array().into_iter().flatten() {
        let of_note = match c["type"].as_str().unwrap_or_default() {
            "Valid" | "OnTime" => c["status"] == "False",
            "Current" => c["status"] == "False" && c["reason"] != "NotRecorded",
            "Ready" | "Stalled" | "MaintenanceScheduled" | "WindowOverlaps" => c["status"] == "True",
            _ => false,
        };
        if of_note {
            let message =
                if c["type"] == "Ready" { String::new() } else { format!(" {}", text(&c["message"])) };
            write!(
                line,
                "\n      {}={} {}{message}",
                text(&c["type"]),
                text(&c["status"]),
                text(&c["reason"])
            )
            .unwrap();
        }
    }
    line
}

/// The part of a write that matters to a reader of the timeline.
fn detail(write: &Write) -> String {
    match write {
        Write::Apply(t, body) | Write::Create(t, body) if t.resource.kind == "ResourceQuota" => {
            format!(" {}", body["spec"]["hard"])
        }
        Write::Create(t, body) if t.resource.kind == "ResourceGrant" => {
            format!(" {}", body["spec"]["namespaces"])
        }
        Write::Patch(t, _, body) if t.resource.kind == "ResourceGrant" => {
            format!(" {}", body["spec"]["namespaces"])
        }
        Write::Patch(_, _, body) | Write::Correct(_, body) => format!(" {body}"),
        _ => String::new(),
    }
}

/// Actor and party of an entry.
fn who(entry: &Value) -> String {
    let (actor, party) = (entry["actor"].as_str(), entry["party"].as_str());
    match (actor, party.map(str::to_lowercase)) {
        (Some(actor), Some(party)) if actor == OPERATOR.name => format!("{actor} for the {party}"),
        (Some(actor), _) => actor.to_owned(),
        (None, party) => party.unwrap_or_default(),
    }
}
