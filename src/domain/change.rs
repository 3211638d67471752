//! ChangeRequest: resource adjustments (Art. 15); platform maintenance is in [`super::maintenance`] (Art. 18).

use std::sync::Arc;

use jiff::Timestamp;

use super::application::{Existing, bad_quota, beyond_region, unusable};
use super::decision::{self, DecisionVerdict};
use super::finding::{Bilingual, Finding};
use super::grant::same_amount;
use super::lifecycle_event::LifecycleEvent;
use super::maintenance;
use super::names::tenant_namespace;
use super::plan::{Plan, RequiredReads};
use super::record::{Meta, ReadyState, StatusBuilder};
use super::region_context::RegionContext;
use govcloud_api::application::{ApplicationPhase, CloudApplication};
use govcloud_api::change::{ChangePhase as Phase, ChangeRequest, ChangeRequestStatus, ResourceAdjustment};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::grant::{GrantedNamespace, ResourceGrant};
use govcloud_api::quota::NamespaceQuota;
use govcloud_api::record::Verdict;
use govcloud_api::shared::Shared;

/// Another request on the same application, as far as this one cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// When it was created; the older one goes first.
    pub created_at: Option<Timestamp>,
}

/// All that is read to decide on a change.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub meta: Meta,
    /// The request.
    pub record: Arc<ChangeRequest>,
    /// Its ground.
    pub ground: RegionContext,
    /// The application that a resource adjustment names.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// That application's grant.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Other open changes and exits on the application.
    pub others: Vec<OpenRequest>,
    /// What is used now, by namespace entry and quota key (ResourceQuota `status.used`).
    pub used: Vec<(String, std::collections::BTreeMap<String, String>)>,
    /// Namespaces that exist under the names that the entries of a resource adjustment stand for.
    pub existing: Vec<Existing>,
    /// Applications that a maintenance names and that do not exist in its region: `namespace/name`.
    pub affected_missing: Vec<String>,
    /// Other approved maintenance of the region that is not over, with `namespace/name`.
    pub maintenances: Vec<(String, Arc<ChangeRequest>)>,
}

/// Decides what is to be done for a change now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ChangeRequestStatus> {
    let unseen = ChangeRequestStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let mut status = stored.clone();
    let record = std::mem::take(&mut status.record);
    let mut case =
        Evaluation { seen, now, life: StatusBuilder::rewriting(record, seen.meta.generation, now), status };
    let article = if seen.record.spec.platform_maintenance.is_some() { 18 } else { 15 };
    case.life.record_filing(&seen.meta, article);
    let before_decision = matches!(stored.phase, None | Some(Phase::Submitted | Phase::Returned));
    let findings = if before_decision { case.findings() } else { Vec::new() };
    if before_decision {
        case.life.valid(&findings);
    }
    let mut steps = Vec::new();
    match stored.phase {
        None | Some(Phase::Submitted | Phase::Returned) => {
            if let Err(Reread(anew)) = case.review(&findings, article) {
                return Plan::reread(anew, stored.clone());
            }
        }
        Some(Phase::Applying | Phase::Scheduled | Phase::InProgress) if case.altered() => {
            case.record_alteration(article)
        }
        Some(Phase::Applying) => match case.apply() {
            Ok(s) => steps = s,
            Err(Reread(anew)) => return Plan::reread(anew, stored.clone()),
        },
        Some(Phase::Scheduled | Phase::InProgress) => {
            maintenance::follow(seen, now, &mut case.life, &mut case.status)
        }
        Some(Phase::Rejected | Phase::Withdrawn | Phase::Completed) => {}
    }
    if let Some(calendar) = seen.ground.calendar() {
        case.life.run_clocks(calendar);
    }
    maintenance::show_overlaps(seen, case.status.phase, &mut case.life);
    case.set_ready_conditions(&findings);
    case.life.record_phase(stored.phase, case.status.phase, article);
    let Evaluation { life, mut status, .. } = case;
    let (record, events, wake) = life.end(&stored.record);
    status.record = record;
    Plan { reread: None, steps, status, events, wake }
}

mod carry_out;

/// This must be read with quorum first.
struct Reread(RequiredReads);

/// What is in force with the requested values in place (Art. 15): a value that is not named stays, so that a
/// slip of the pen never takes a limit away; a namespace that is not in force is added.
#[must_use]
pub fn merged(before: &[GrantedNamespace], asked: &ResourceAdjustment) -> Vec<GrantedNamespace> {
    let class = before.first().and_then(|g| g.storage_class.clone());
    let mut after = before.to_vec();
    for ns in &asked.namespaces {
        match after.iter_mut().find(|g| g.name == ns.name) {
            Some(g) => g.quota.0.extend(ns.quota.0.clone()),
            None => after.push(GrantedNamespace {
                name: ns.name.clone(),
                quota: ns.quota.clone(),
                storage_class: class.clone(),
            }),
        }
    }
    after
}

/// What is in force for an entry.
fn of_entry<'a>(before: &'a [GrantedNamespace], entry: &str) -> Option<&'a GrantedNamespace> {
    before.iter().find(|g| g.name == entry)
}

/// Whether what is asked for is anything but what is in force, however the amounts are written.
fn changes(before: &[GrantedNamespace], asked: &ResourceAdjustment) -> bool {
    asked.namespaces.iter().any(|ns| match of_entry(before, &ns.name) {
        Some(g) => ns.quota.0.iter().any(|(key, amount)| !same_amount(g.quota.0.get(key), Some(amount))),
        None => true,
    })
}

/// A change being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    life: StatusBuilder,
    status: ChangeRequestStatus,
}

impl Evaluation<'_> {
    /// Everything that is wrong with the request by more than itself alone.
    fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.ground.findings(&spec.region);
        match (&spec.resource_adjustment, &spec.platform_maintenance) {
            (Some(asked), _) => found.extend(self.adjustment_findings(asked)),
            (None, Some(plan)) => {
                found.extend(maintenance::findings(self.seen, plan, &self.status, self.now))
            }
            (None, None) => {}
        }
        found
    }

    /// What is wrong with a resource adjustment (Art. 15).
    fn adjustment_findings(&self, asked: &ResourceAdjustment) -> Vec<Finding> {
        let Some((_, app)) = &self.seen.application else {
            return vec![Finding::ApplicationMissing(asked.application.clone())];
        };
        let mut found = Vec::new();
        let spec = &self.seen.record.spec;
        if app.spec.region != spec.region {
            found.push(Finding::RegionMismatch(spec.region.clone(), app.spec.region.clone()));
        }
        let phase = app.status.as_ref().and_then(|s| s.phase);
        if !matches!(phase, Some(ApplicationPhase::Provisioned | ApplicationPhase::Live)) {
            let phase = phase.map_or_else(|| "Submitted".to_owned(), |p| format!("{p:?}"));
            found.push(Finding::ApplicationNotActive(asked.application.clone(), phase));
        }
        if let Some(other) = self.seen.others.iter().find(|o| self.goes_before(o)) {
            found.push(Finding::AnotherOpen(other.kind.to_owned(), other.name.clone()));
        }
        found.extend(asked.namespaces.iter().flat_map(bad_quota));
        let before = self.in_force();
        if let Some(region) = &self.seen.ground.region {
            let new = |ns: &NamespaceQuota| of_entry(&before, &ns.name).is_none();
            let beyond = |ns| beyond_region(ns, &region.spec().tenancy, new(ns));
            found.extend(asked.namespaces.iter().flat_map(beyond));
        }
        found.extend(self.name_findings(asked, &before));
        let added = asked.namespaces.iter().filter(|ns| of_entry(&before, &ns.name).is_none()).count();
        if before.len() + added > 8 {
            found.push(Finding::TooManyNamespaces(before.len() + added));
        }
        let carried_out = matches!(self.status.phase, Some(Phase::Applying | Phase::Completed));
        if found.is_empty() && !carried_out && !before.is_empty() && !changes(&before, asked) {
            found.push(Finding::NothingChanges);
        }
        found
    }

    /// Names of added namespaces that are reserved or taken (S3: nothing is ever adopted).
    fn name_findings(&self, asked: &ResourceAdjustment, before: &[GrantedNamespace]) -> Vec<Finding> {
        let Some((application, _)) = &self.seen.application else { return Vec::new() };
        let added = asked.namespaces.iter().filter(|n| of_entry(before, &n.name).is_none());
        let name = |entry: &str| tenant_namespace(&application.namespace, &application.name, entry);
        added.flat_map(|n| unusable(&name(&n.name), &application.uid, &self.seen.existing)).collect()
    }

    /// One open request on an application at a time: the older goes first, and one that is being carried out stays first.
    fn goes_before(&self, other: &OpenRequest) -> bool {
        if self.status.phase == Some(Phase::Applying) {
            return false;
        }
        let own = (self.seen.meta.created_at, "ChangeRequest", self.seen.meta.name.as_str());
        (other.created_at, other.kind, other.name.as_str()) < own
    }

    /// What the grant has in force.
    fn in_force(&self) -> Shared<Vec<GrantedNamespace>> {
        let status = self.seen.grant.as_ref().and_then(|(_, g)| g.status.as_ref());
        status.map(|s| s.granted.clone()).unwrap_or_default()
    }

    /// Review by the authority (Art. 15, 18).
    fn review(&mut self, findings: &[Finding], article: i32) -> Result<(), Reread> {
        if self.seen.meta.withdrawn()
            && !self.life.decided(Verdict::Approved)
            && !self.life.decided(Verdict::Rejected)
        {
            self.life.drop_clock(Obligation::Review, "withdrawn");
            self.life.record_event(LifecycleEvent::Withdrawn, "department", None);
            self.status.phase = Some(Phase::Withdrawn);
            return Ok(());
        }
        let ruling = self.life.take_decision(
            &self.seen.meta,
            &self.seen.ground.guard,
            article,
            self.seen.ground.calendar(),
        );
        if matches!(ruling, DecisionVerdict::New(_) | DecisionVerdict::Cleared)
            && !self.seen.ground.has_read(RequiredReads::REFERENCES)
        {
            return Err(Reread(RequiredReads::REFERENCES));
        }
        if self.life.decided(Verdict::Rejected) {
            self.status.phase = Some(Phase::Rejected);
        } else if decision::approved(&self.life.status, &self.seen.meta.digest).is_some() {
            self.approved();
        } else if self.life.returned_and_unanswered() {
            self.status.phase = Some(Phase::Returned);
        } else {
            self.status.phase = Some(Phase::Submitted);
            self.review_clock(findings);
        }
        Ok(())
    }

    /// The review clock, where the region sets one; it stands while the request is not in order.
    fn review_clock(&mut self, findings: &[Finding]) {
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        if let Some(plan) = &self.seen.record.spec.platform_maintenance {
            let at = maintenance::too_near_at(plan, region.spec().working_days.maintenance_notice, calendar);
            self.life.wake = Some(at).filter(|at| *at > self.now);
        }
        let Some(days) = region.spec().working_days.review else { return };
        let blocked = (!findings.is_empty()).then_some("Correction");
        self.life.review_clock(days, self.seen.meta.created_at, blocked, calendar);
    }

    /// Whether the spec is another than the one that was approved: the policies did not hold (S7).
    fn altered(&self) -> bool {
        self.life.decided(Verdict::Approved)
            && decision::approved(&self.life.status, &self.seen.meta.digest).is_none()
    }

    /// Said once; from then on nothing is done with the change (S1).
    fn record_alteration(&mut self, article: i32) {
        if !self.life.stalled_for("SpecAltered") {
            self.life.record_event(LifecycleEvent::SpecAltered, "govcloud-operator", Some(article));
        }
    }

    /// Conditions, and who is waited on.
    fn set_ready_conditions(&mut self, findings: &[Finding]) {
        let phase = self.status.phase.unwrap_or(Phase::Submitted);
        let below = if phase == Phase::Applying { self.below_use() } else { Vec::new() };
        let decided = matches!(phase, Phase::Applying | Phase::Scheduled | Phase::InProgress);
        let (party, act, clock) = match phase {
            Phase::Submitted if !findings.is_empty() => (self.filer(), Some("Correction"), None),
            Phase::Submitted if self.life.void() => (Party::Authority, Some("NewDecision"), None),
            Phase::Submitted => (Party::Authority, Some("Decision"), Some(Obligation::Review)),
            Phase::Returned => (self.filer(), Some("Correction"), None),
            _ if decided && self.altered() => (Party::Authority, Some("Investigation"), None),
            Phase::Applying if self.application_phase() >= Some(ApplicationPhase::Exiting) => {
                (Party::None, Some("Decommission"), None)
            }
            Phase::Applying if !below.is_empty() => (Party::Department, Some("ReduceUse"), None),
            Phase::Applying => (Party::Provider, Some("Change"), Some(Obligation::Change)),
            Phase::Scheduled => (Party::Provider, Some("Maintenance"), None),
            Phase::InProgress => {
                (Party::Provider, Some("MaintenanceReport"), Some(Obligation::MaintenanceReport))
            }
            Phase::Rejected | Phase::Withdrawn | Phase::Completed => (Party::None, None, None),
        };
        self.life.wait_on(party, act, clock);
        let held = match phase {
            Phase::Submitted => {
                ReadyState::before_decision(findings, &self.life.status, &self.seen.ground.guard)
            }
            _ if decided && self.altered() => Some(ReadyState::spec_altered()),
            Phase::Applying => Some(self.applying(&below)),
            _ => None,
        };
        self.life.set_ready_conditions(&held.unwrap_or_else(|| standing(phase)));
    }

    /// Where the application stands.
    fn application_phase(&self) -> Option<ApplicationPhase> {
        self.seen.application.as_ref()?.1.status.as_ref()?.phase
    }

    /// Who filed: the department, or the provider for maintenance.
    fn filer(&self) -> Party {
        if self.seen.record.spec.platform_maintenance.is_some() { Party::Provider } else { Party::Department }
    }
}

/// How a change stands in each phase.
fn standing(phase: Phase) -> ReadyState {
    match phase {
        Phase::Submitted => ReadyState::Reconciling(
            "AwaitingDecision",
            Bilingual::new("等待主管部门审核", "awaiting the authority's review"),
        ),
        Phase::Returned => ReadyState::Reconciling(
            "Returned",
            Bilingual::new("已退回,等待补正", "returned; awaiting correction"),
        ),
        Phase::Rejected => {
            ReadyState::Stalled("Rejected", Bilingual::new("主管部门不同意", "rejected by the authority"))
        }
        Phase::Withdrawn => ReadyState::Stalled("Withdrawn", Bilingual::new("已撤回", "withdrawn")),
        Phase::Applying => {
            ReadyState::Reconciling("Applying", Bilingual::new("正在变更", "being carried out"))
        }
        Phase::Scheduled => ReadyState::Reconciling(
            "Scheduled",
            Bilingual::new("已批准,等待窗口(第十八条)", "approved; waits for its window (Art. 18)"),
        ),
        Phase::InProgress => ReadyState::Reconciling(
            "InProgress",
            Bilingual::new("平台调整实施中,等待结果报告", "maintenance is under way; its outcome is awaited"),
        ),
        Phase::Completed => ReadyState::Ready("Completed", Bilingual::new("已办结", "completed")),
    }
}

#[cfg(test)]
mod tests;
