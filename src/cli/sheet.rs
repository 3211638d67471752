//! What is shown of a record: read once from it and what lies around it, then printed, in whole or in part.

use jiff::Timestamp;
use serde::Serialize;

use super::almanac::{Almanac, Remaining};
use super::record::{Body, Record};
use govcloud_api::change::{PlatformMaintenance, ResourceAdjustment};
use govcloud_api::condition::{Condition, ConditionStatus};
use govcloud_api::deadline::{Deadline, Party};
use govcloud_api::decommission::{Decommission, GivenConsent, Inventory};
use govcloud_api::grant::GrantedNamespace;
use govcloud_api::quota::Quota;
use govcloud_api::record::{Decision, TimelineEntry};
use govcloud_api::region::LocalName;
use govcloud_api::time::Instant;

/// A record as people look at it. These names are an interface.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sheet {
    pub(super) record: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) generation: i64,
    /// Digest of what a decision is on.
    pub(super) digest: String,
    pub(super) title: String,
    pub(super) region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region_name: Option<LocalName>,
    pub(super) authority: String,
    pub(super) filed_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filed_at: Option<Instant>,
    pub(super) phase: String,
    pub(super) waiting_on: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiting_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) due_date: Option<String>,
    #[serde(flatten)]
    pub(super) remaining: Option<Remaining>,
    pub(super) facts: Vec<Fact>,
    pub(super) documents: Vec<Document>,
    pub(super) namespaces: Vec<Space>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inventory: Option<Inventory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consent: Option<GivenConsent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<Decision>,
    pub(super) deadlines: Vec<Clock>,
    /// Conditions that are not as they should be.
    pub(super) trouble: Vec<Condition>,
    pub(super) timeline: Vec<TimelineEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeline_dropped: Option<i32>,
}

/// One thing that the spec says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// A document that the record names.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) role: &'static str,
    pub(super) title: String,
    pub(super) uri: String,
    pub(super) sha256: String,
}

/// A namespace: what it is asked or granted, and what it has now where that differs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Space {
    pub(super) entry: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) quota: Quota,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) now: Option<Quota>,
}

/// A deadline and how it stands.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Clock {
    #[serde(flatten)]
    pub(super) deadline: Deadline,
    #[serde(flatten)]
    pub(super) remaining: Option<Remaining>,
}

/// What else is known of a record's application.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    /// Name of its system.
    pub(super) system: Option<String>,
    /// What is in force.
    pub(super) granted: Vec<GrantedNamespace>,
}

impl Sheet {
    /// The sheet of a record at `now`.
    pub(super) fn of(record: &Record, around: &Around, almanac: &Almanac, now: Timestamp) -> Self {
        let calendar = almanac.calendar(record.region());
        let clock = |d: &Deadline| {
            let remaining = (!d.is_over()).then(|| Remaining::of(d, calendar, now));
            Clock { deadline: d.clone(), remaining }
        };
        let mut sheet = Self {
            record: record.target.to_string(),
            namespace: record.namespace().to_owned(),
            uid: record.uid().to_owned(),
            generation: record.generation(),
            digest: record.digest(),
            title: record.title().or(around.system.as_deref()).unwrap_or_default().to_owned(),
            region: record.region().to_owned(),
            region_name: almanac.regions.get(record.region()).map(|r| r.spec.display_name.clone()),
            authority: almanac.authority(record.region()),
            filed_by: record.requested_by().to_owned(),
            filed_at: record.created_at().map(Instant::new),
            phase: record.phase().to_owned(),
            waiting_on: record.life.waiting_on,
            waiting_for: record.life.waiting_for.map(|w| w.to_string()),
            due_date: record.life.due_date.clone(),
            remaining: Remaining::of_record(record, calendar, now),
            facts: Vec::new(),
            documents: Vec::new(),
            namespaces: Vec::new(),
            inventory: None,
            consent: None,
            decision: record.life.decision.clone(),
            deadlines: record.life.deadlines.iter().map(clock).collect(),
            trouble: record.life.conditions.iter().filter(|c| troubles(c)).cloned().collect(),
            timeline: record.life.timeline.to_vec(),
            timeline_dropped: record.life.timeline_dropped,
        };
        sheet.describe(record, around);
        sheet
    }

    fn fact(&mut self, name: &'static str, value: impl Into<String>) {
        self.facts.push(Fact { name, value: value.into() });
    }

    fn document(&mut self, role: &'static str, title: impl Into<String>, uri: &str, sha256: &str) {
        self.documents.push(Document {
            role,
            title: title.into(),
            uri: uri.to_owned(),
            sha256: sha256.to_owned(),
        });
    }

    /// What the spec of each kind says.
    fn describe(&mut self, record: &Record, around: &Around) {
        match &record.body {
            Body::Application(app) => {
                let (spec, status) = (&app.spec, app.status.clone().unwrap_or_default());
                self.fact("protection level", spec.system.protection_level.to_string());
                self.fact("contact", format!("{} {}", spec.system.contact.name, spec.system.contact.phone));
                for a in &spec.access {
                    self.fact(
                        "access",
                        format!("{:?} {}: {:?}", a.subject.kind, a.subject.name, a.role).to_owned(),
                    );
                }
                if let Some(live) = &spec.go_live {
                    self.fact("went live", super::output::local(live.at.timestamp()));
                }
                let approval = &spec.materials.project_approval;
                let title =
                    format!("{} {} {}", approval.document_number, approval.issued_by, approval.issued_on);
                self.document("project approval", title, &approval.uri.0, &approval.sha256.0);
                let plan = &spec.materials.technical_plan;
                self.document("technical plan", plan.title.clone(), &plan.uri.0, &plan.sha256.0);
                if let Some(report) = spec.go_live.as_ref().and_then(|l| l.test_report.as_ref()) {
                    self.document(
                        "test report",
                        report.summary.clone().unwrap_or_default(),
                        &report.uri.0,
                        &report.sha256.0,
                    );
                }
                let named = |entry: &str| {
                    status.namespaces.iter().find(|n| n.entry == entry).map(|n| n.namespace.clone())
                };
                // Once there is something in force, that is what counts: changes may have moved it since.
                let in_force = matches!(record.phase(), "Provisioned" | "Live" | "Exiting")
                    && !around.granted.is_empty();
                let asked = spec.namespaces.iter().map(|n| (n.name.clone(), n.quota.clone()));
                let granted = around.granted.iter().map(|n| (n.name.clone(), n.quota.clone()));
                let entries: Vec<_> = if in_force { granted.collect() } else { asked.collect() };
                self.namespaces =
                    entries.into_iter().map(|(entry, quota)| space(entry, quota, around, named)).collect();
            }
            Body::Change(change) => {
                match (&change.spec.resource_adjustment, &change.spec.platform_maintenance) {
                    (Some(asked), _) => {
                        self.adjustment(asked, change.status.as_ref().map(|s| s.before.as_slice()), around)
                    }
                    (None, Some(plan)) => self.maintenance(plan),
                    (None, None) => {}
                }
            }
            Body::Exit(exit) => self.exit(exit),
            Body::Grant(grant) => {
                let approved = &grant.spec.approved;
                self.fact("application", grant.spec.application.name.clone());
                self.fact(
                    "approved by",
                    format!(
                        "{:?} {} ({}, {})",
                        approved.kind, approved.name, approved.generation, approved.digest
                    ),
                );
                let status = grant.status.clone().unwrap_or_default();
                let named = |entry: &str| {
                    status.namespaces.iter().find(|n| n.entry == entry).map(|n| n.namespace.clone())
                };
                let around = Around { granted: status.granted.to_vec(), ..Around::default() };
                let granted = grant.spec.namespaces.iter().map(|n| (n.name.clone(), n.quota.clone()));
                self.namespaces = granted.map(|(entry, quota)| space(entry, quota, &around, named)).collect();
            }
        }
    }

    fn adjustment(
        &mut self,
        asked: &ResourceAdjustment,
        before: Option<&[GrantedNamespace]>,
        around: &Around,
    ) {
        self.fact("application", asked.application.clone());
        self.fact("reason", asked.reason.clone());
        // Once decided, what it was compared with then; before, what is in force now.
        let before = before
            .filter(|b| !b.is_empty())
            .map_or_else(|| around.clone(), |b| Around { granted: b.to_vec(), ..around.clone() });
        let namespaces =
            asked.namespaces.iter().map(|n| space(n.name.clone(), n.quota.clone(), &before, |_| None));
        self.namespaces = namespaces.collect();
    }

    fn maintenance(&mut self, plan: &PlatformMaintenance) {
        let at = |i: Instant| super::output::local(i.timestamp());
        self.fact("window", format!("{} – {}", at(plan.window.start), at(plan.window.end)));
        self.fact("impact", format!("{:?}", plan.impact));
        let affected =
            plan.affects.applications.iter().flatten().map(|a| format!("{}/{}", a.namespace, a.name));
        let affected: Vec<String> = affected.collect();
        self.fact("affects", if affected.is_empty() { "*".to_owned() } else { affected.join(", ") });
        self.document("maintenance plan", plan.plan.title.clone(), &plan.plan.uri.0, &plan.plan.sha256.0);
        if let Some(p) = &plan.contingency_plan {
            self.document("contingency plan", "", &p.uri.0, &p.sha256.0);
        }
    }

    fn exit(&mut self, exit: &Decommission) {
        self.fact("application", exit.spec.application.clone());
        self.fact("scope", format!("{:?}", exit.spec.scope));
        self.fact("reason", format!("{:?}", exit.spec.reason));
        let status = exit.status.clone().unwrap_or_default();
        let claim = |uid: &str| {
            let entry = status
                .inventory
                .iter()
                .flat_map(|i| &i.entries)
                .find(|e| e.volume_uid.as_deref() == Some(uid));
            entry.map_or_else(|| uid.to_owned(), |e| format!("{}/{}", e.namespace, e.claim))
        };
        for r in &exit.spec.hand_over {
            self.document(
                "hand-over receipt",
                format!("{} {}", claim(&r.volume_uid), r.received_by),
                &r.uri.0,
                &r.sha256.0,
            );
        }
        self.inventory = status.inventory.clone();
        self.consent = status.consent;
    }
}

fn space(entry: String, quota: Quota, around: &Around, named: impl Fn(&str) -> Option<String>) -> Space {
    let now =
        around.granted.iter().find(|g| g.name == entry).map(|g| g.quota.clone()).filter(|now| *now != quota);
    Space { namespace: named(&entry), entry, quota, now }
}

/// Whether a condition calls for somebody. Waiting in good order (`Reconciling`) does not.
fn troubles(condition: &Condition) -> bool {
    match condition.type_.as_str() {
        "Stalled" | "NamespacesFound" | "WindowOverlaps" => condition.status == ConditionStatus::True,
        "Ready" | "Reconciling" | "MaintenanceScheduled" => false,
        _ => condition.status != ConditionStatus::True,
    }
}
