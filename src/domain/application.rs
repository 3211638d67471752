//! CloudApplication: apply, review, provision, go live, report, exit (Art. 10–14, 16).

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::compliance::duty::{self, Duties, Evidence};
use super::decision;
use super::existing_namespace::ExistingNamespace;
use super::filing::FilingNamespace;
use super::finding::Finding;
use super::grant::work_order;
use super::lifecycle_event::LifecycleEvent;
use super::maintenance::notice::{self, MaintenanceView};
use super::names;
use super::plan::{Plan, RequiredReads, Step, Target, Write};
use super::record::{Actor, ClosedReason, Meta, PauseReason, StatusBuilder};
use super::region_context::{RegionContext, Reread};
use govcloud_api::adoption::Origin;
use govcloud_api::application::{
    ApplicationPhase as Phase, CloudApplication, CloudApplicationStatus, TenantNamespace, UnclaimedVolume,
};
use govcloud_api::compliance::DutyParty;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{DecommissionPhase, Scope};
use govcloud_api::grant::{ApprovalKind, GrantPhase, ResourceGrant, ResourceGrantStatus};
use govcloud_api::quota::NamespaceQuota;
use govcloud_api::record::{Decision, Verdict};
use govcloud_api::resources;

mod adopt;
mod exit;
mod findings;
mod go_live;
mod ready_state;
mod reattach;
mod withdrawal;

/// Most unclaimed volumes that a status lists; the schema says the same.
const UNCLAIMED_MAX: usize = 256;

/// An exit of the application, reduced to what the application follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitView {
    /// Name of the Decommission.
    pub name: String,
    /// Its scope.
    pub scope: Scope,
    /// Its phase; `None` before its first visit.
    pub phase: Option<DecommissionPhase>,
    /// Party that it waits on.
    pub waiting_on: Party,
    /// UID of the application that it was published for.
    pub application_uid: Option<String>,
    /// Its completion.
    pub ended_at: Option<Timestamp>,
}

/// Objects that are read to decide on an application.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Metadata of the record.
    pub meta: Meta,
    /// The record.
    pub record: Arc<CloudApplication>,
    /// Its Region.
    pub region_context: RegionContext,
    /// The grant of the same name.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Its exits.
    pub exits: Vec<ExitView>,
    /// Namespaces that exist under names that it would take, or that its department's namespace of this name had.
    pub existing: Vec<ExistingNamespace>,
    /// The filing namespace that it stands in; `None` where that is none, or is not read yet.
    pub filing: Option<FilingNamespace>,
    /// Volumes that lost their claim.
    pub unclaimed: Vec<UnclaimedVolume>,
    /// Maintenance that affects it and is not over, and maintenance whose outcome it was not told yet.
    pub maintenances: Vec<MaintenanceView>,
    /// Compliance records about it that count.
    pub evidence: Vec<Evidence>,
}

/// Decides on an application.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<CloudApplicationStatus> {
    let unseen = CloudApplicationStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (builder, status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let mut evaluation = Evaluation { seen, now, builder, status, tenants: OnceCell::new() };
    evaluation.builder.record_filing(&seen.meta, Party::Department, 11);
    let phase = evaluation.verify_decision(stored.phase);
    let findings = evaluation.findings();
    evaluation.builder.set_valid_condition(&findings);
    let steps = match evaluation.advance(phase, &findings) {
        Ok(steps) => steps,
        Err(Reread(reads)) => return Plan::reread(reads, stored.clone()),
    };
    evaluation.list_volumes_and_maintenances();
    evaluation.keep_duties(stored.live_at.is_some());
    evaluation.builder.run_clocks(seen.region_context.calendar());
    evaluation.set_ready_conditions(&findings);
    let Evaluation { builder, status, .. } = evaluation;
    builder.finish(status, stored, steps, 10)
}

/// An application that is being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: CloudApplicationStatus,
    tenants: OnceCell<Vec<TenantNamespace>>,
}

impl Evaluation<'_> {
    /// Takes the next step from the stored phase.
    fn advance(&mut self, phase: Option<Phase>, findings: &[Finding]) -> Result<Vec<Step>, Reread> {
        if phase == Some(Phase::Provisioning) && self.withdraw_approved()? {
            return Ok(Vec::new());
        }
        match phase {
            None | Some(Phase::Submitted | Phase::Returned) => {
                self.look_for_namespaces();
                self.review(findings)?;
            }
            Some(Phase::Rejected | Phase::Withdrawn | Phase::Exited) => {}
            Some(Phase::Provisioning | Phase::Provisioned | Phase::Live) if self.altered() => {
                self.builder.record_alteration(12);
            }
            Some(Phase::Provisioned | Phase::Live) if self.builder.undecided() => self.decide_anew()?,
            Some(Phase::Provisioning) => return self.provision(),
            Some(Phase::Provisioned | Phase::Live) => {
                self.keep_clocks();
                self.go_live(findings);
                self.begin_exit();
            }
            Some(Phase::Exiting) => self.follow_exit(),
        }
        Ok(Vec::new())
    }

    /// Verifies the recorded decision. Without a valid one the application is as before its review; one that has a grant
    /// in force keeps what it has, and waits for a decision.
    fn verify_decision(&mut self, phase: Option<Phase>) -> Option<Phase> {
        self.builder.verify_decision(&self.seen.meta, &self.seen.region_context, 12);
        let decided = match phase {
            Some(Phase::Provisioning | Phase::Rejected) => true,
            Some(Phase::Provisioned | Phase::Live) => !self.keeps_a_grant(),
            _ => false,
        };
        if !decided || !self.builder.undecided() {
            return phase;
        }
        for obligation in [Obligation::Provision, Obligation::GoLive, Obligation::GoLiveReport] {
            self.builder.drop_clock(obligation, ClosedReason::DecisionVoid);
        }
        self.status.phase = Some(Phase::Submitted);
        (self.status.provisioned_at, self.status.live_at, self.status.reported_at) = (None, None, None);
        self.builder.status.notified_at = None;
        self.status.phase
    }

    /// Waits for a new decision on an application that has a grant in force.
    fn decide_anew(&mut self) -> Result<(), Reread> {
        self.name_existing();
        if self.builder.take_decision(&self.seen.meta, &self.seen.region_context, 12) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
        }
        Ok(())
    }

    /// Returns true if a grant of this record is in force, on its own approval or on that of a change.
    fn keeps_a_grant(&self) -> bool {
        self.seen.grant.as_ref().is_some_and(|(_, grant)| {
            grant.spec.application.uid == self.seen.meta.uid
                && grant.status.as_ref().is_some_and(|s| s.in_force.is_some())
        })
    }

    /// The grant, where it is in force for this very record: one that passed to it is Active from before.
    fn granted(&self) -> Option<&ResourceGrant> {
        let (_, grant) = self.seen.grant.as_ref()?;
        let in_force = |s: &&ResourceGrantStatus| {
            s.phase == Some(GrantPhase::Active)
                && s.in_force.as_ref().is_some_and(|a| a.uid == self.seen.meta.uid)
        };
        (grant.spec.application.uid == self.seen.meta.uid
            && grant.status.as_ref().is_some_and(|s| in_force(&s)))
        .then_some(grant)
    }

    /// Namespaces that the application's spec asks for.
    fn tenants(&self) -> &Vec<TenantNamespace> {
        let Meta { namespace, name, .. } = &self.seen.meta;
        let entries = self.seen.record.spec.namespaces.iter();
        let tenant = |e: &NamespaceQuota| TenantNamespace {
            entry: e.name.clone(),
            namespace: match &e.existing {
                Some(existing) => existing.name.clone(),
                None => names::tenant_namespace(namespace, name, &e.name),
            },
            uid: None,
            origin: e.existing.as_ref().map(|_| Origin::Adopted),
        };
        self.tenants.get_or_init(|| entries.map(tenant).collect())
    }

    /// Review by the authority (Art. 12).
    fn review(&mut self, findings: &[Finding]) -> Result<(), Reread> {
        let decision = self.builder.status.decision.as_ref();
        let open = decision.is_none_or(|d| d.verdict == Verdict::Returned || d.void.is_some());
        if self.seen.meta.withdrawn() && open {
            self.withdraw();
            return Ok(());
        }
        self.name_existing();
        // Nothing is decided on a cache (design, section 3). The record itself is certain by the write that takes the
        // decision (docs/decisions/0053-*).
        if self.builder.take_decision(&self.seen.meta, &self.seen.region_context, 12) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
        }
        if self.builder.decided(Verdict::Rejected) {
            self.status.phase = Some(Phase::Rejected);
        } else if decision::approved(&self.builder.status, &self.seen.meta.digest).is_some() {
            self.notify();
        } else if self.builder.returned_and_unanswered() {
            self.status.phase = Some(Phase::Returned);
        } else {
            self.await_review(findings);
        }
        Ok(())
    }

    /// Awaits the review, under a clock where the region sets one.
    fn await_review(&mut self, findings: &[Finding]) {
        self.status.phase = Some(Phase::Submitted);
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        if let Some(days) = region.working_days.review {
            let blocked = (!findings.is_empty()).then_some(PauseReason::Correction);
            self.builder.review_clock(days, self.seen.meta.created_at, blocked, calendar);
        }
    }

    /// 通知: the work order is published and the provider's 3 working days begin (Art. 13).
    fn notify(&mut self) {
        self.status.phase = Some(Phase::Provisioning);
        self.status.namespaces = self.tenants().clone();
        self.builder.record_notice(13);
        self.keep_clocks();
    }

    /// Clocks that run by now (Art. 13, 14). One that could not start without a calendar starts late, from the same
    /// instant.
    fn keep_clocks(&mut self) {
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        let days = &region.working_days;
        let notified = self.builder.notified_at();
        self.builder.start_clock(Obligation::Provision, days.provision, notified, calendar);
        if let Some(at) = self.status.provisioned_at.map(|t| t.timestamp()) {
            self.builder.meet(Obligation::Provision, at, calendar);
            self.builder.start_clock(Obligation::GoLive, days.go_live, at, calendar);
        }
    }

    /// Returns true if the spec changed after its approval (S7).
    fn altered(&self) -> bool {
        self.builder.altered(&self.seen.meta)
    }

    /// Writes the grant, or awaits it from the provider (Art. 13), until it is in force.
    fn provision(&mut self) -> Result<Vec<Step>, Reread> {
        self.keep_clocks();
        // Nothing is made where somebody could delete the record with its namespace.
        if let Some(mark) = self.seen.filing.as_ref().and_then(|namespace| namespace.mark(true)) {
            return Ok(vec![Step::Write(vec![mark])]);
        }
        let automatic = self.seen.region_context.automatic();
        match &self.seen.grant {
            None if automatic && self.seen.region_context.intact() => {
                let approval = decision::approved(&self.builder.status, &self.seen.meta.digest);
                let order = approval.map(|d| Write::Create(self.grant_target(), json!(self.work_order(d))));
                return Ok(order.map(|w| Step::Write(vec![w])).into_iter().collect());
            }
            Some((meta, grant)) if self.may_take_over(grant) => {
                return self.take_over(meta, grant, automatic);
            }
            Some((meta, grant)) if self.is_left_over(grant) => return self.remove_left_over(meta),
            Some(_) => {
                if let Some(grant) = self.granted().cloned() {
                    self.provisioned(&grant);
                }
            }
            None => {}
        }
        Ok(Vec::new())
    }

    /// Work order that says exactly what was approved.
    fn work_order(&self, approval: &Decision) -> ResourceGrant {
        let Meta { namespace, name, uid, .. } = &self.seen.meta;
        let spec = &self.seen.record.spec;
        let approved = work_order::approval(ApprovalKind::CloudApplication, name, uid, approval);
        let region = self.seen.region_context.region.as_ref();
        let class = region.and_then(|r| r.spec().tenancy.storage_classes.first());
        let namespaces = work_order::as_applied_for(&spec.namespaces, class);
        let application = work_order::For { namespace, name, uid, region: &spec.region };
        work_order::work_order(application, approved, namespaces, None)
    }

    /// Target of the grant.
    fn grant_target(&self) -> Target {
        Target::namespaced(resources::RESOURCE_GRANT, &self.seen.meta.namespace, &self.seen.meta.name)
    }

    /// 开通完成: the provider's clock is met, the department's 30 working days begin (Art. 13, 14).
    fn provisioned(&mut self, grant: &ResourceGrant) {
        let at =
            grant.status.as_ref().and_then(|s| s.in_force_since.as_ref()).map_or(self.now, |t| t.timestamp());
        self.status.phase = Some(Phase::Provisioned);
        self.status.provisioned_at = Some(at.into());
        self.status.namespaces = grant.status.as_ref().map(|s| s.namespaces.clone()).unwrap_or_default();
        self.builder.record_event_at(
            LifecycleEvent::Provisioned,
            Actor::operator_for(Party::Provider),
            Some(13),
            at,
        );
        self.record_reattached();
        self.record_adopted();
        self.keep_clocks();
    }

    /// Keeps the clocks of the compliance records that the department owes since go-live (Art. 19, 22, 24). A duty that the
    /// Region states later counts from then on.
    fn keep_duties(&mut self, was_live: bool) {
        match self.status.phase {
            Some(Phase::Live) => {}
            Some(Phase::Exited) => return duty::end_all(&mut self.builder),
            _ => return,
        }
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        let live = self.status.live_at.max(self.status.provisioned_at).filter(|_| !was_live);
        let duties = Duties {
            of_region: &region.compliance,
            party: DutyParty::Department,
            evidence: &self.seen.evidence,
            since: live.map_or(self.now, |t| t.timestamp()),
        };
        duties.keep(&mut self.builder, &mut self.status.compliance, calendar);
    }

    /// Lists unclaimed volumes, and tells the department of maintenance (Art. 18).
    fn list_volumes_and_maintenances(&mut self) {
        if !self.reclaiming() {
            self.status.unclaimed_volumes = self.seen.unclaimed.iter().take(UNCLAIMED_MAX).cloned().collect();
        }
        let (announced, builder) = (&mut self.status.maintenances, &mut self.builder);
        match self.status.phase {
            Some(p) if p.is_in_use() => notice::announce(&self.seen.maintenances, announced, builder),
            _ => notice::forget(announced, builder),
        }
    }
}
