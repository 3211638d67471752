//! ChangeRequest: resource adjustments (Art. 15); platform maintenance is in [`super::maintenance`] (Art. 18).

use std::sync::Arc;

use jiff::Timestamp;

use super::decision;
use super::existing_namespace::{ExistingNamespace, unusable};
use super::finding::Finding;
use super::grant::same_amount;
use super::maintenance::Maintenance;
use super::names::tenant_namespace;
use super::open_request::{self, OpenRequest};
use super::plan::{Plan, RequiredReads, Step};
use super::quota_checks::{bad_quota, beyond_region, unworkable_quota};
use super::record::{ClosedReason, Meta, PauseReason, StatusBuilder};
use super::region_context::{RegionContext, Reread};
use super::tenancy;
use super::tenancy::quota::{NODE_PORTS, QuotaUse};
use govcloud_api::application::{ApplicationPhase, CloudApplication};
use govcloud_api::change::{ChangePhase as Phase, ChangeRequest, ChangeRequestStatus, ResourceAdjustment};
use govcloud_api::compliance::ComplianceRecord;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::grant::{GrantedNamespace, ResourceGrant};
use govcloud_api::quota::NamespaceQuota;
use govcloud_api::record::Verdict;
use govcloud_api::tenancy::Access;

mod carry_out;
mod ready_state;

/// Objects that are read to decide on a change.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Metadata of the record.
    pub meta: Meta,
    /// The request.
    pub record: Arc<ChangeRequest>,
    /// Its Region.
    pub region_context: RegionContext,
    /// The application that a resource adjustment names.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// That application's grant.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Other open changes and exits on the application.
    pub others: Vec<OpenRequest>,
    /// Current usage by namespace entry, as the ResourceQuota counts it.
    pub used: Vec<(String, QuotaUse)>,
    /// Namespaces that exist under the names of the entries of a resource adjustment.
    pub existing: Vec<ExistingNamespace>,
    /// Applications that a maintenance names and that do not exist in its region: `namespace/name`.
    pub affected_missing: Vec<String>,
    /// Other approved maintenance of the region that is not over, with `namespace/name`.
    pub maintenances: Vec<(String, Arc<ChangeRequest>)>,
    /// The emergency plan that a maintenance names.
    pub emergency_plan: Option<Arc<ComplianceRecord>>,
}

impl Observed {
    /// The maintenance that the request is for; `None` for a resource adjustment.
    fn maintenance(&self, now: Timestamp) -> Option<Maintenance<'_>> {
        let plan = self.record.spec.platform_maintenance.as_ref()?;
        Some(Maintenance {
            name: &self.meta.name,
            plan,
            outcome: self.record.spec.maintenance_outcome.as_ref(),
            region_context: &self.region_context,
            affected_missing: &self.affected_missing,
            others: &self.maintenances,
            emergency_plan: self.emergency_plan.as_deref(),
            now,
        })
    }
}

/// Decides on a change.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ChangeRequestStatus> {
    let unseen = ChangeRequestStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (builder, status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let maintenance = seen.maintenance(now);
    let article = if maintenance.is_some() { 18 } else { 15 };
    let mut evaluation = Evaluation { seen, now, builder, status, maintenance, article };
    let filer = if article == 18 { Party::Provider } else { Party::Department };
    evaluation.builder.record_filing(&seen.meta, filer, article);
    let phase = evaluation.verify_decision(stored.phase);
    let before_decision = matches!(phase, None | Some(Phase::Submitted | Phase::Returned));
    let findings = if before_decision { evaluation.findings() } else { Vec::new() };
    if before_decision {
        evaluation.builder.set_valid_condition(&findings);
    }
    let steps = match evaluation.advance(phase, &findings) {
        Ok(steps) => steps,
        Err(Reread(reads)) => return Plan::reread(reads, stored.clone()),
    };
    evaluation.builder.run_clocks(seen.region_context.calendar());
    if let Some(maintenance) = &evaluation.maintenance {
        maintenance.set_overlap_condition(evaluation.status.phase, &mut evaluation.builder);
    }
    evaluation.set_ready_conditions(&findings);
    let Evaluation { builder, status, .. } = evaluation;
    builder.finish(status, stored, steps, article)
}

/// Granted namespaces with the requested values in place (Art. 15): a value that is not named stays, so that a
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
                existing: None,
            }),
        }
    }
    after
}

/// Grant in force for an entry.
fn of_entry<'a>(before: &'a [GrantedNamespace], entry: &str) -> Option<&'a GrantedNamespace> {
    before.iter().find(|g| g.name == entry)
}

/// Returns true if the request differs from the grant in force, however the amounts are written.
fn changes(before: &[GrantedNamespace], asked: &ResourceAdjustment) -> bool {
    asked.namespaces.iter().any(|ns| match of_entry(before, &ns.name) {
        Some(g) => ns.quota.0.iter().any(|(key, amount)| !same_amount(g.quota.0.get(key), Some(amount))),
        None => true,
    })
}

/// Findings on requested quota lines that could not be carried out, or not be used as granted. What is in force already
/// belongs to a line that is requested; it is no finding by itself.
fn unworkable_adjustment(before: &[GrantedNamespace], asked: &ResourceAdjustment) -> Vec<Finding> {
    let requested = |ns: &NamespaceQuota| {
        let mut quota = ns.quota.clone();
        let node_ports = of_entry(before, &ns.name).and_then(|g| g.quota.0.get_key_value(NODE_PORTS));
        if let Some((key, amount)) = node_ports {
            quota.0.entry(key.clone()).or_insert_with(|| amount.clone());
        }
        unworkable_quota(&NamespaceQuota { name: ns.name.clone(), quota, existing: None })
    };
    let twice = asked.namespaces.iter().flat_map(|ns| named_twice_by(of_entry(before, &ns.name), ns));
    asked.namespaces.iter().flat_map(requested).chain(twice).collect()
}

/// Findings on names that a change would add to a resource which is granted under another one already (Art. 26).
fn named_twice_by(before: Option<&GrantedNamespace>, asked: &NamespaceQuota) -> Vec<Finding> {
    let Some(before) = before else { return Vec::new() };
    let mut after = before.quota.0.clone();
    after.extend(asked.quota.0.clone());
    let known = tenancy::quota::named_twice(&before.quota.0);
    let within = tenancy::quota::named_twice(&asked.quota.0);
    let found = tenancy::quota::named_twice(&after).into_iter();
    let new = found.filter(|twice| !known.contains(twice) && !within.contains(twice));
    new.map(|finding| Finding::BadQuota(asked.name.clone(), finding)).collect()
}

/// A change that is being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: ChangeRequestStatus,
    maintenance: Option<Maintenance<'a>>,
    article: i32,
}

impl Evaluation<'_> {
    /// Takes the next step from the stored phase.
    fn advance(&mut self, phase: Option<Phase>, findings: &[Finding]) -> Result<Vec<Step>, Reread> {
        match phase {
            None | Some(Phase::Submitted | Phase::Returned) => self.review(findings)?,
            Some(Phase::Applying | Phase::Scheduled | Phase::InProgress) if self.altered() => {
                self.builder.record_alteration(self.article);
            }
            Some(Phase::Applying) => return self.apply(),
            Some(Phase::Scheduled | Phase::InProgress) => {
                if let Some(maintenance) = &self.maintenance {
                    maintenance.follow(&mut self.builder, &mut self.status);
                }
            }
            Some(Phase::Rejected | Phase::Withdrawn | Phase::Completed) => {}
        }
        Ok(Vec::new())
    }

    /// Verifies the recorded decision. Without a valid one the change is as before its review; what is in force stays.
    fn verify_decision(&mut self, phase: Option<Phase>) -> Option<Phase> {
        self.builder.verify_decision(&self.seen.meta, &self.seen.region_context, self.article);
        let decided =
            matches!(phase, Some(Phase::Applying | Phase::Scheduled | Phase::InProgress | Phase::Rejected));
        if !decided || !self.builder.undecided() {
            return phase;
        }
        for obligation in [Obligation::Change, Obligation::MaintenanceReport] {
            self.builder.drop_clock(obligation, ClosedReason::DecisionVoid);
        }
        self.status.phase = Some(Phase::Submitted);
        self.status.below_use_since = None;
        self.builder.status.notified_at = None;
        self.status.phase
    }

    /// Every finding that the schema cannot see.
    fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.region_context.findings(&spec.region);
        match (&spec.resource_adjustment, &self.maintenance) {
            (Some(asked), _) => found.extend(self.adjustment_findings(asked)),
            (None, Some(maintenance)) => found.extend(maintenance.findings(self.status.phase)),
            (None, None) => {}
        }
        found
    }

    /// Findings on a resource adjustment (Art. 15).
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
            found.push(Finding::ApplicationNotActive(asked.application.clone(), phase));
        }
        // One that is being carried out stays first.
        if self.status.phase != Some(Phase::Applying) {
            found.extend(open_request::older("ChangeRequest", &self.seen.meta, &self.seen.others));
        }
        found.extend(asked.namespaces.iter().flat_map(bad_quota));
        let refused = tenancy::refusals(asked.access.as_deref().unwrap_or_default());
        found.extend(refused.into_iter().map(Finding::AccessRefused));
        let before = self.in_force();
        found.extend(unworkable_adjustment(&before, asked));
        if let Some(region) = &self.seen.region_context.region {
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
        let changes = changes(&before, asked) || self.changes_access(asked);
        if found.is_empty() && !carried_out && !before.is_empty() && !changes {
            found.push(Finding::NothingChanges);
        }
        found
    }

    /// Findings on names of added namespaces that are reserved or taken (S3: nothing is ever adopted).
    fn name_findings(&self, asked: &ResourceAdjustment, before: &[GrantedNamespace]) -> Vec<Finding> {
        let Some((application, _)) = &self.seen.application else { return Vec::new() };
        let added = asked.namespaces.iter().filter(|n| of_entry(before, &n.name).is_none());
        let name = |entry: &str| tenant_namespace(&application.namespace, &application.name, entry);
        added.flat_map(|n| unusable(&name(&n.name), &application.uid, &self.seen.existing)).collect()
    }

    /// Namespaces that the grant has in force.
    fn in_force(&self) -> Vec<GrantedNamespace> {
        let status = self.seen.grant.as_ref().and_then(|(_, g)| g.status.as_ref());
        status.map(|s| s.granted.clone()).unwrap_or_default()
    }

    /// Access in force: the grant's, where a change replaced that of the application.
    fn access_in_force(&self) -> Option<&Vec<Access>> {
        self.seen.grant.as_ref()?.1.status.as_ref()?.access.as_ref()
    }

    /// Returns true if the request asks for another access than is in force.
    fn changes_access(&self, asked: &ResourceAdjustment) -> bool {
        let own = || self.seen.application.as_ref().map(|(_, application)| &application.spec.access);
        asked.access.is_some() && asked.access.as_ref() != self.access_in_force().or_else(own)
    }

    /// Review by the authority (Art. 15, 18).
    fn review(&mut self, findings: &[Finding]) -> Result<(), Reread> {
        let final_verdict =
            self.builder.decided(Verdict::Approved) || self.builder.decided(Verdict::Rejected);
        if self.seen.meta.withdrawn() && !final_verdict {
            self.builder.record_withdrawal();
            self.status.phase = Some(Phase::Withdrawn);
            return Ok(());
        }
        if self.builder.take_decision(&self.seen.meta, &self.seen.region_context, self.article) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
        }
        if self.builder.decided(Verdict::Rejected) {
            self.status.phase = Some(Phase::Rejected);
        } else if decision::approved(&self.builder.status, &self.seen.meta.digest).is_some() {
            self.approved();
        } else if self.builder.returned_and_unanswered() {
            self.status.phase = Some(Phase::Returned);
        } else {
            self.status.phase = Some(Phase::Submitted);
            self.await_review(findings);
        }
        Ok(())
    }

    /// Awaits the review, under a clock where the region sets one; it is paused while the request is not valid.
    fn await_review(&mut self, findings: &[Finding]) {
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        if let Some(maintenance) = &self.maintenance {
            let at = maintenance.too_near_at(region.working_days.maintenance_notice, calendar);
            self.builder.wake = Some(at).filter(|at| *at > self.now);
        }
        let Some(days) = region.working_days.review else { return };
        let blocked = (!findings.is_empty()).then_some(PauseReason::Correction);
        self.builder.review_clock(days, self.seen.meta.created_at, blocked, calendar);
    }

    /// Returns true if the spec changed after its approval (S7).
    fn altered(&self) -> bool {
        self.builder.altered(&self.seen.meta)
    }
}

#[cfg(test)]
mod tests;
