//! CloudApplication: apply, review, provision, go live, report, exit (Art. 10–14, 16).

use std::cell::OnceCell;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::decision::{self, DecisionVerdict};
use super::finding::Finding;
use super::grant::work_order;
use super::lifecycle_event::LifecycleEvent;
use super::maintenance::notice::{self, MaintenanceView};
use super::names;
use super::plan::{Plan, RequiredReads, Step, Target, Write};
use super::record::{Meta, StatusBuilder};
use super::region_context::RegionContext;
use govcloud_api::application::{
    ApplicationPhase as Phase, CloudApplication, CloudApplicationStatus, TenantNamespace, UnclaimedVolume,
};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{DecommissionPhase, Scope};
use govcloud_api::grant::{ApprovalKind, GrantPhase, ResourceGrant, ResourceGrantStatus};
use govcloud_api::quota::NamespaceQuota;
use govcloud_api::record::{Decision, Verdict};
use govcloud_api::region::Fulfilment;
use govcloud_api::resources;
use govcloud_api::shared::Shared;

mod exit;
mod findings;
mod ready_state;
mod reattach;

pub(super) use findings::{bad_quota, beyond_region, unusable};
pub use reattach::Existing;

/// Most unclaimed volumes that a status lists; the schema says the same.
const UNCLAIMED_MAX: usize = 256;

/// An exit of the application, as far as the application cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitView {
    /// Name of the Decommission.
    pub name: String,
    /// How much exits.
    pub scope: Scope,
    /// Where it stands; `None` before its first visit.
    pub phase: Option<DecommissionPhase>,
    /// UID of the application that it was published for.
    pub application_uid: Option<String>,
    /// When it completed.
    pub ended_at: Option<Timestamp>,
}

/// All that is read to decide on an application.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub meta: Meta,
    /// The record.
    pub record: Arc<CloudApplication>,
    /// Its ground.
    pub ground: RegionContext,
    /// The grant of the same name.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Its exits.
    pub exits: Vec<ExitView>,
    /// Namespaces that exist under names that it would take, or that its department's namespace of this name had.
    pub existing: Vec<Existing>,
    /// Volumes that lost their claim.
    pub unclaimed: Vec<UnclaimedVolume>,
    /// Maintenance that affects it and is not over, and what it was told of and waits for the outcome of.
    pub maintenances: Vec<MaintenanceView>,
}

/// Decides what is to be done for an application now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<CloudApplicationStatus> {
    let unseen = CloudApplicationStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let mut status = stored.clone();
    let record = std::mem::take(&mut status.record);
    let life = StatusBuilder::rewriting(record, seen.meta.generation, now);
    let mut case = Evaluation { seen, now, life, status, tenants: OnceCell::new() };
    case.life.record_filing(&seen.meta, 11);
    let findings = case.findings();
    case.life.valid(&findings);
    let under_review = matches!(stored.phase, None | Some(Phase::Submitted | Phase::Returned));
    if under_review {
        case.look_for_namespaces();
    }
    let mut steps = Vec::new();
    let mut reread = None;
    match stored.phase {
        None | Some(Phase::Submitted | Phase::Returned) => reread = case.review(&findings).err(),
        Some(Phase::Rejected | Phase::Withdrawn | Phase::Exited) => {}
        Some(Phase::Provisioning | Phase::Provisioned | Phase::Live) if case.altered() => {
            case.record_alteration()
        }
        Some(Phase::Provisioning) => match case.provision() {
            Ok(s) => steps = s,
            Err(first) => reread = Some(first),
        },
        Some(Phase::Provisioned | Phase::Live) => {
            case.keep_clocks();
            case.go_live(&findings);
            case.begin_exit();
        }
        Some(Phase::Exiting) => case.follow_exit(),
    }
    if let Some(Reread(anew)) = reread {
        return Plan::reread(anew, stored.clone());
    }
    if !case.reclaiming() {
        case.status.unclaimed_volumes = seen.unclaimed.iter().take(UNCLAIMED_MAX).cloned().collect();
    }
    match case.status.phase {
        Some(p) if p.is_in_use() => {
            notice::tell(&seen.maintenances, &mut case.status.maintenances, &mut case.life);
        }
        _ => notice::forget(&mut case.status.maintenances, &mut case.life),
    }
    if let Some(calendar) = seen.ground.calendar() {
        case.life.run_clocks(calendar);
    }
    case.set_ready_conditions(&findings);
    case.end(stored, steps)
}

/// This must be read with quorum first.
struct Reread(RequiredReads);

/// An application being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    life: StatusBuilder,
    status: CloudApplicationStatus,
    tenants: OnceCell<Shared<Vec<TenantNamespace>>>,
}

impl Evaluation<'_> {
    /// The namespaces that the application's spec comes to.
    fn tenants(&self) -> &Shared<Vec<TenantNamespace>> {
        let Meta { namespace, name, .. } = &self.seen.meta;
        let entries = self.seen.record.spec.namespaces.iter();
        let tenant = |e: &NamespaceQuota| TenantNamespace {
            entry: e.name.clone(),
            namespace: names::tenant_namespace(namespace, name, &e.name),
            uid: None,
        };
        self.tenants.get_or_init(|| entries.map(tenant).collect())
    }

    /// Review by the authority (Art. 12).
    fn review(&mut self, findings: &[Finding]) -> Result<(), Reread> {
        if self.seen.meta.withdrawn()
            && self
                .life
                .status
                .decision
                .as_ref()
                .is_none_or(|d| d.verdict == Verdict::Returned || d.void.is_some())
        {
            self.life.drop_clock(Obligation::Review, "withdrawn");
            self.life.record_event(LifecycleEvent::Withdrawn, "department", None);
            self.status.phase = Some(Phase::Withdrawn);
            return Ok(());
        }
        // Nothing is decided on a cache (design, section 3): the record is certain by the write that takes the decision
        // (docs/decisions/0053-taken-under-its-version.md).
        let ruling = self.life.take_decision(
            &self.seen.meta,
            &self.seen.ground.guard,
            12,
            self.seen.ground.calendar(),
        );
        if matches!(ruling, DecisionVerdict::New(_) | DecisionVerdict::Cleared)
            && !self.seen.ground.has_read(RequiredReads::REFERENCES)
        {
            return Err(Reread(RequiredReads::REFERENCES));
        }
        if self.life.decided(Verdict::Rejected) {
            self.status.phase = Some(Phase::Rejected);
        } else if let Some(approval) = decision::approved(&self.life.status, &self.seen.meta.digest).cloned()
        {
            self.notify(&approval);
        } else if self.life.returned_and_unanswered() {
            self.status.phase = Some(Phase::Returned);
        } else {
            self.await_review(findings);
        }
        Ok(())
    }

    /// Awaits the review, under a clock where the region sets one.
    fn await_review(&mut self, findings: &[Finding]) {
        self.status.phase = Some(Phase::Submitted);
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        if let Some(days) = region.spec().working_days.review {
            let blocked = (!findings.is_empty()).then_some("Correction");
            self.life.review_clock(days, self.seen.meta.created_at, blocked, calendar);
        }
    }

    /// 通知: the work order is published and the provider's 3 working days begin (Art. 13).
    fn notify(&mut self, approval: &Decision) {
        debug_assert!(approval.void.is_none());
        self.status.phase = Some(Phase::Provisioning);
        self.status.namespaces = self.tenants().clone();
        self.life.record_notice(13);
        self.keep_clocks();
    }

    /// The clocks that run by now (Art. 13, 14); those that could not start for want of a calendar start late,
    /// from the same instant.
    fn keep_clocks(&mut self) {
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        let days = &region.spec().working_days;
        self.life.start_clock(Obligation::Provision, Party::Provider, days.provision, self.life.notified_at(), calendar);
        if let Some(at) = self.status.provisioned_at.map(|t| t.timestamp()) {
            self.life.meet(Obligation::Provision, at, calendar);
            self.life.start_clock(Obligation::GoLive, Party::Department, days.go_live, at, calendar);
        }
    }

    /// Whether the spec is another than the one that was approved: the policies did not hold (S7).
    fn altered(&self) -> bool {
        self.life.decided(Verdict::Approved)
            && decision::approved(&self.life.status, &self.seen.meta.digest).is_none()
    }

    /// Said once; from then on nothing is done with the application (S1).
    fn record_alteration(&mut self) {
        if !self.life.stalled_for("SpecAltered") {
            self.life.record_event(LifecycleEvent::SpecAltered, "govcloud-operator", Some(12));
        }
    }

    /// The grant is written, or awaited from the provider (Art. 13); done when it is in force.
    fn provision(&mut self) -> Result<Vec<Step>, Reread> {
        self.keep_clocks();
        let automatic =
            self.seen.ground.region.as_ref().is_some_and(|r| r.spec().fulfilment == Fulfilment::Automatic);
        match &self.seen.grant {
            None if automatic => {
                let approval = decision::approved(&self.life.status, &self.seen.meta.digest);
                let order = approval.map(|d| Write::Create(self.grant_target(), json!(self.work_order(d))));
                return Ok(order.map(|w| Step::Write(vec![w])).into_iter().collect());
            }
            Some((meta, grant)) if self.may_take_over(grant) => {
                return self.take_over(meta, grant, automatic);
            }
            Some((_, grant)) if grant.spec.application.uid == self.seen.meta.uid => {
                // In force for this very record: a grant that passed to it is Active from before.
                let own = |s: &ResourceGrantStatus| {
                    s.phase == Some(GrantPhase::Active)
                        && s.in_force.as_ref().is_some_and(|a| a.uid == self.seen.meta.uid)
                };
                if grant.status.as_ref().is_some_and(own) {
                    self.provisioned(grant);
                }
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// The work order that says exactly what was approved.
    fn work_order(&self, approval: &Decision) -> ResourceGrant {
        let Meta { namespace, name, uid, .. } = &self.seen.meta;
        let spec = &self.seen.record.spec;
        let approved = work_order::approval(ApprovalKind::CloudApplication, name, uid, approval);
        let class = self.seen.ground.region.as_ref().and_then(|r| r.spec().tenancy.storage_classes.first());
        let namespaces = work_order::as_applied_for(&spec.namespaces, class);
        let application = work_order::For { namespace, name, uid, region: &spec.region };
        work_order::work_order(application, approved, namespaces)
    }

    /// Where it stands.
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
        self.life.record_event_at(LifecycleEvent::Provisioned, "provider", Some(13), at);
        self.record_reattached();
        self.keep_clocks();
    }

    /// 上线 and its report (Art. 14).
    fn go_live(&mut self, findings: &[Finding]) {
        if let Some((_, grant)) = &self.seen.grant
            && let Some(status) = &grant.status
            && !status.namespaces.is_empty()
        {
            self.status.namespaces = status.namespaces.clone();
        }
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        let Some(go_live) = &self.seen.record.spec.go_live else { return };
        let refused = findings
            .iter()
            .any(|f| matches!(f, Finding::GoLiveBeforeProvisioning(_) | Finding::GoLiveInFuture(_)));
        if refused {
            if let Some(Finding::GoLiveInFuture(at)) =
                findings.iter().find(|f| matches!(f, Finding::GoLiveInFuture(_)))
            {
                self.life.wake = Some(*at);
            }
            return;
        }
        if self.status.live_at.is_none() {
            self.status.live_at = Some(go_live.at);
            self.status.phase = Some(Phase::Live);
            self.life.record_event_at(
                LifecycleEvent::WentLive(go_live.at.timestamp()),
                "department",
                Some(14),
                self.now,
            );
            self.life.meet(Obligation::GoLive, go_live.at.timestamp(), calendar);
            self.life.start_clock(
                Obligation::GoLiveReport,
                Party::Department,
                region.spec().working_days.go_live_report,
                // What was taken back was live before; its report is asked for anew from here on.
                self.status
                    .provisioned_at
                    .map_or(go_live.at.timestamp(), |p| p.timestamp().max(go_live.at.timestamp())),
                calendar,
            );
        }
        if go_live.test_report.is_some() && self.status.reported_at.is_none() {
            self.status.reported_at = Some(self.now.into());
            self.life.record_event(LifecycleEvent::Reported, "department", Some(14));
            self.life.meet(Obligation::GoLiveReport, self.now, calendar);
        }
    }

    /// The plan.
    fn end(mut self, stored: &CloudApplicationStatus, steps: Vec<Step>) -> Plan<CloudApplicationStatus> {
        self.life.record_phase(stored.phase, self.status.phase, 10);
        let Self { life, mut status, .. } = self;
        let (record, events, wake) = life.end(&stored.record);
        status.record = record;
        Plan { reread: None, steps, status, events, wake }
    }
}
