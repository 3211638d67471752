//! Details of a record, as `show` and the decision commands display them.

use jiff::Timestamp;
use serde::Serialize;

use super::messages::{self, terms};
use super::output::{Lang, local};
use super::record::{Body, Record, api_name};
use super::region_calendars::{RegionCalendars, Remaining};
use govcloud_api::application::{CloudApplication, TenantNamespace};
use govcloud_api::change::{PlatformMaintenance, ResourceAdjustment};
use govcloud_api::condition::{Condition, ConditionStatus};
use govcloud_api::deadline::{Deadline, Party};
use govcloud_api::decommission::{Decommission, GivenConsent, Inventory};
use govcloud_api::grant::{GrantedNamespace, ResourceGrant};
use govcloud_api::quota::Quota;
use govcloud_api::record::{Decision, TimelineEntry};
use govcloud_api::region::LocalName;
use govcloud_api::statement::Statement;
use govcloud_api::tenancy::Access;
use govcloud_api::time::Instant;

mod assessment;
mod compliance;

/// Details of a record. The field names are an interface.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    pub(super) record: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) generation: i64,
    /// Digest that a decision covers.
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
    pub(super) namespaces: Vec<NamespaceRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inventory: Option<Inventory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consent: Option<GivenConsent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<Decision>,
    pub(super) deadlines: Vec<DeadlineRow>,
    /// Conditions that need attention.
    pub(super) trouble: Vec<Condition>,
    pub(super) timeline: Vec<TimelineEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeline_dropped: Option<i32>,
}

/// A value of the spec.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Value in Chinese and English, if it is a constant of the API.
    #[serde(skip)]
    pub(super) text: Option<[String; 2]>,
}

/// A document of the record.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) role: &'static str,
    pub(super) title: String,
    pub(super) uri: String,
    pub(super) sha256: String,
}

/// A namespace with its requested or granted quota, and the present one if it differs.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamespaceRow {
    pub(super) entry: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) quota: Quota,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) now: Option<Quota>,
}

/// A deadline and its remaining time.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DeadlineRow {
    #[serde(flatten)]
    pub(super) deadline: Deadline,
    #[serde(flatten)]
    pub(super) remaining: Option<Remaining>,
}

/// Facts about a record's application that the record does not contain.
#[derive(Clone, Debug, Default)]
pub(super) struct ApplicationContext {
    /// Name of the system.
    pub(super) system: Option<String>,
    /// Namespaces in force.
    pub(super) granted: Vec<GrantedNamespace>,
    /// Access in force, where a change replaced that of the application.
    pub(super) access: Option<Vec<Access>>,
}

impl Details {
    /// Collects the details of a record at `now`.
    pub(super) fn of(
        record: &Record,
        context: &ApplicationContext,
        calendars: &RegionCalendars,
        now: Timestamp,
    ) -> Self {
        let calendar = calendars.calendar(record.region());
        let deadline = |d: &Deadline| {
            let remaining = (!d.is_over()).then(|| Remaining::of_deadline(d, calendar, now));
            DeadlineRow { deadline: d.clone(), remaining }
        };
        let mut details = Self {
            record: record.target.to_string(),
            namespace: record.namespace().to_owned(),
            uid: record.uid().to_owned(),
            generation: record.generation(),
            digest: record.digest(),
            title: record.title().or(context.system.as_deref()).unwrap_or_default().to_owned(),
            region: record.region().to_owned(),
            region_name: calendars.regions.get(record.region()).map(|r| r.spec.display_name.clone()),
            authority: calendars.authority(record.region()),
            filed_by: record.requested_by().to_owned(),
            filed_at: record.created_at().map(Instant::new),
            phase: record.phase().to_owned(),
            waiting_on: record.status.waiting_on,
            waiting_for: record.status.waiting_for.map(|w| w.to_string()),
            due_date: record.status.due_date.clone(),
            remaining: Remaining::of_record(record, calendar, now),
            facts: Vec::new(),
            documents: Vec::new(),
            namespaces: Vec::new(),
            inventory: None,
            consent: None,
            decision: record.status.decision.clone(),
            deadlines: record.deadlines().into_iter().map(deadline).collect(),
            trouble: record.status.conditions.iter().filter(|c| needs_attention(c)).cloned().collect(),
            timeline: record.status.timeline.to_vec(),
            timeline_dropped: record.status.timeline_dropped,
        };
        details.describe(record, context);
        details
    }

    fn fact(&mut self, name: &'static str, value: impl Into<String>) {
        self.facts.push(Fact { name, value: value.into(), text: None });
    }

    fn translated(&mut self, name: &'static str, value: String, text: impl Fn(Lang) -> String) {
        self.facts.push(Fact { name, value, text: Some([text(Lang::Zh), text(Lang::En)]) });
    }

    fn document(&mut self, role: &'static str, title: impl Into<String>, uri: &str, sha256: &str) {
        self.documents.push(Document {
            role,
            title: title.into(),
            uri: uri.to_owned(),
            sha256: sha256.to_owned(),
        });
    }

    /// Adds the spec of the record by its kind.
    fn describe(&mut self, record: &Record, context: &ApplicationContext) {
        if let Body::Application(application) = &record.body {
            self.application(application, record.phase(), context);
        } else if let Body::Change(change) = &record.body {
            let before = change.status.as_ref().map(|s| s.before.as_slice());
            match (&change.spec.resource_adjustment, &change.spec.platform_maintenance) {
                (Some(adjustment), _) => self.adjustment(adjustment, before, context),
                (None, Some(plan)) => self.maintenance(plan),
                (None, None) => {}
            }
        } else if let Body::Exit(exit) = &record.body {
            self.exit(exit);
        } else if let Body::Grant(grant) = &record.body {
            self.grant(grant);
        } else if let Body::Statement(statement) = &record.body {
            self.statement(statement);
        } else if let Body::Compliance(record) = &record.body {
            self.compliance(record);
        } else if let Body::Inspection(inspection) = &record.body {
            self.inspection(inspection);
        } else if let Body::Assessment(assessment) = &record.body {
            self.assessment(assessment);
        }
        let compared = matches!(&record.body, Body::Change(c) if c.status.as_ref().is_some_and(|s| !s.before.is_empty()));
        if has_ended(record.phase()) && !compared {
            // Nothing is asked for any more. What is in force now came later.
            self.namespaces.iter_mut().for_each(|row| row.now = None);
        }
    }

    fn application(&mut self, application: &CloudApplication, phase: &str, context: &ApplicationContext) {
        let (spec, status) = (&application.spec, application.status.clone().unwrap_or_default());
        self.fact("protection level", spec.system.protection_level.to_string());
        let contact = spec.present_contact();
        self.fact("contact", format!("{} {}", contact.name, contact.phone));
        self.access(context.access.as_ref().unwrap_or(&spec.access));
        let approval = &spec.materials.project_approval;
        let title = format!("{} {} {}", approval.document_number, approval.issued_by, approval.issued_on);
        self.document("project approval", title, &approval.uri.0, &approval.sha256.0);
        let plan = &spec.materials.technical_plan;
        self.document("technical plan", plan.title.clone(), &plan.uri.0, &plan.sha256.0);
        for (entry, existing) in spec.namespaces.iter().filter_map(|n| Some((&n.name, n.existing.as_ref()?)))
        {
            self.fact("adopts", format!("{entry}: {} (UID {})", existing.name, existing.uid));
        }
        if let Some(progress) = &status.adoption {
            let until = progress.observed_until.as_deref().unwrap_or("-");
            self.fact("observed until", until.to_owned());
            self.fact("enforced", progress.enforced.map_or_else(|| "-".to_owned(), |facet| api_name(&facet)));
        }
        if let Some(live) = &spec.go_live {
            self.fact("went live", local(live.at.timestamp()));
            if let Some(report) = &live.test_report {
                let summary = report.summary.clone().unwrap_or_default();
                self.document("test report", summary, &report.uri.0, &report.sha256.0);
            }
        }
        // Once a grant is in force, its quota counts, after the exit too: changes may have replaced the requested one.
        let in_force =
            matches!(phase, "Provisioned" | "Live" | "Exiting" | "Exited") && !context.granted.is_empty();
        let requested = spec.namespaces.iter().map(|n| (n.name.clone(), n.quota.clone()));
        let granted = context.granted.iter().map(|n| (n.name.clone(), n.quota.clone()));
        let entries: Vec<_> = if in_force { granted.collect() } else { requested.collect() };
        self.namespaces = rows(entries, context, &status.namespaces);
    }

    /// Adds who may work in the namespaces.
    fn access(&mut self, access: &[Access]) {
        for a in access {
            let subject = &a.subject;
            let name = match &subject.namespace {
                Some(namespace) => format!("{namespace}/{}", subject.name),
                None => subject.name.clone(),
            };
            let value = format!("{} {name}: {}", api_name(&subject.kind), api_name(&a.role));
            self.translated("access", value, |lang| {
                let kind = terms::subject_kind(lang, subject.kind);
                messages::access(lang, kind, &name, terms::access_role(lang, a.role))
            });
        }
    }

    fn grant(&mut self, grant: &ResourceGrant) {
        let (approved, status) = (&grant.spec.approved, grant.status.clone().unwrap_or_default());
        self.fact("application", grant.spec.application.name.clone());
        let kind = api_name(&approved.kind);
        self.fact(
            "approved by",
            format!("{kind} {} ({}, {})", approved.name, approved.generation, approved.digest),
        );
        self.access(grant.spec.access.as_deref().unwrap_or_default());
        let context = ApplicationContext { granted: status.granted.to_vec(), ..Default::default() };
        let entries = grant.spec.namespaces.iter().map(|n| (n.name.clone(), n.quota.clone()));
        self.namespaces = rows(entries, &context, &status.namespaces);
    }

    fn statement(&mut self, statement: &Statement) {
        self.fact("month", statement.spec.month.clone());
        let status = statement.status.clone().unwrap_or_default();
        if let Some(bill) = &status.bill {
            self.fact("total", format!("{} {}", bill.total, bill.currency));
            self.fact("bill digest", bill.digest.clone().unwrap_or_default());
        }
        if let Some(confirmation) = &status.confirmation {
            let at = local(confirmation.at.timestamp());
            self.fact("confirmed", format!("{at}  {}", confirmation.by));
        }
        if let Some(objection) = &status.objection {
            self.fact("objection", objection.reason.clone());
        }
    }

    fn adjustment(
        &mut self,
        adjustment: &ResourceAdjustment,
        before: Option<&[GrantedNamespace]>,
        context: &ApplicationContext,
    ) {
        self.fact("application", adjustment.application.clone());
        self.fact("reason", adjustment.reason.clone());
        self.access(adjustment.access.as_deref().unwrap_or_default());
        // After the decision, the quota it was compared with; before it, the quota in force.
        let before = before.filter(|b| !b.is_empty()).map_or_else(
            || context.clone(),
            |b| ApplicationContext { granted: b.to_vec(), ..context.clone() },
        );
        let entries = adjustment.namespaces.iter().map(|n| (n.name.clone(), n.quota.clone()));
        self.namespaces = rows(entries, &before, &[]);
    }

    fn maintenance(&mut self, plan: &PlatformMaintenance) {
        let at = |i: Instant| local(i.timestamp());
        self.fact("window", format!("{} – {}", at(plan.window.start), at(plan.window.end)));
        self.translated("impact", api_name(&plan.impact), |lang| terms::impact(lang, plan.impact).to_owned());
        let affected = plan.affects.applications.iter().flatten();
        let affected: Vec<String> = affected.map(|a| format!("{}/{}", a.namespace, a.name)).collect();
        if affected.is_empty() {
            self.translated("affects", "*".to_owned(), messages::all_applications);
        } else {
            self.fact("affects", affected.join(", "));
        }
        self.document("maintenance plan", plan.plan.title.clone(), &plan.plan.uri.0, &plan.plan.sha256.0);
        if let Some(p) = &plan.contingency_plan {
            self.document("contingency plan", "", &p.uri.0, &p.sha256.0);
        }
        if let Some(name) = &plan.emergency_plan {
            self.fact("emergency plan", name.clone());
        }
    }

    fn exit(&mut self, exit: &Decommission) {
        self.fact("application", exit.spec.application.clone());
        let (scope, reason) = (exit.spec.scope, exit.spec.reason);
        self.translated("scope", api_name(&scope), |lang| terms::scope(lang, scope).to_owned());
        self.translated("reason", api_name(&reason), |lang| terms::exit_reason(lang, reason).to_owned());
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

/// Pairs each entry with its namespace and its present quota.
fn rows(
    entries: impl IntoIterator<Item = (String, Quota)>,
    context: &ApplicationContext,
    namespaces: &[TenantNamespace],
) -> Vec<NamespaceRow> {
    let row = |(entry, quota): (String, Quota)| {
        let granted = context.granted.iter().find(|g| g.name == entry).map(|g| g.quota.clone());
        let namespace = namespaces.iter().find(|n| n.entry == entry).map(|n| n.namespace.clone());
        NamespaceRow { now: granted.filter(|now| *now != quota), entry, namespace, quota }
    };
    entries.into_iter().map(row).collect()
}

/// Returns true for a phase after which nothing happens on a record.
fn has_ended(phase: &str) -> bool {
    matches!(phase, "Rejected" | "Withdrawn" | "Exited" | "Completed" | "Released")
        || matches!(phase, "Settled" | "Voided" | "Recorded" | "Closed" | "Published")
}

/// Returns true if a condition needs attention. `Reconciling` does not.
fn needs_attention(condition: &Condition) -> bool {
    match condition.type_.as_str() {
        "Stalled" | "NamespacesFound" | "WindowOverlaps" | "InventoryWarning" => {
            condition.status == ConditionStatus::True
        }
        "Ready" | "Reconciling" | "MaintenanceScheduled" => false,
        // One that a newer one replaced, or that does not count yet, is in order.
        "Current" => condition.reason == "Expired",
        _ => condition.status != ConditionStatus::True,
    }
}
