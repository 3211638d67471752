//! ChangeRequest: resource adjustments (Art. 15); platform maintenance is in [`super::maintenance`] (Art. 18).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::application::above_maximum;
use super::decision::{self, Ruling};
use super::finding::{Bilingual, Finding};
use super::ground::Ground;
use super::happening::Happening;
use super::maintenance;
use super::plan::{Plan, Precondition, Step, Write};
use super::record::{Life, Meta, Standing};
use super::targets;
use super::tenancy::quota_delta::below_use;
use crate::api::application::{ApplicationPhase, CloudApplication};
use crate::api::change::{ChangePhase as Phase, ChangeRequest, ChangeRequestStatus, ResourceAdjustment};
use crate::api::deadline::{Obligation, Party};
use crate::api::grant::{ApprovalKind, GrantPhase, GrantedNamespace, ResourceGrant};
use crate::api::record::Verdict;
use crate::api::region::Fulfilment;

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
    pub ground: Ground,
    /// The application that a resource adjustment names.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// That application's grant.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Other open changes and exits on the application.
    pub others: Vec<OpenRequest>,
    /// What is used now, by namespace entry and quota key (ResourceQuota `status.used`).
    pub used: Vec<(String, std::collections::BTreeMap<String, String>)>,
    /// Applications of the region that maintenance names, or all of them: `namespace/name`.
    pub affected: maintenance::Affected,
}

/// Decides what is to be done for a change now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ChangeRequestStatus> {
    let stored = seen.record.status.clone().unwrap_or_default();
    let mut case = Case {
        seen,
        now,
        life: Life::begin(&stored.record, seen.meta.generation, now),
        status: stored.clone(),
    };
    let article = if seen.record.spec.platform_maintenance.is_some() { 18 } else { 15 };
    case.life.note_filing(&seen.meta, article);
    let findings = case.findings();
    let open = !matches!(stored.phase, Some(Phase::Rejected | Phase::Withdrawn | Phase::Completed));
    if open {
        case.life.valid(&findings);
    }
    let mut steps = Vec::new();
    match stored.phase {
        None | Some(Phase::Submitted | Phase::Returned) => {
            if case.review(&findings, article) {
                return Plan::reread(stored);
            }
        }
        Some(Phase::Applying) => match case.apply() {
            Ok(s) => steps = s,
            Err(Reread) => return Plan::reread(stored),
        },
        Some(Phase::Scheduled | Phase::InProgress) => {
            maintenance::follow(seen, now, &mut case.life, &mut case.status)
        }
        Some(Phase::Rejected | Phase::Withdrawn | Phase::Completed) => {}
    }
    if let Some(calendar) = seen.ground.calendar() {
        case.life.run_clocks(calendar);
    }
    case.stand(&findings);
    let Case { life, mut status, .. } = case;
    let (record, notices, wake) = life.end(&stored.record);
    status.record = record;
    Plan { reread: false, steps, status, notices, wake }
}

/// Everything must be read with quorum first.
struct Reread;

/// What is in force with the requested values in place (Art. 15): named namespaces are replaced or added.
#[must_use]
pub fn merged(before: &[GrantedNamespace], asked: &ResourceAdjustment) -> Vec<GrantedNamespace> {
    let class = before.first().and_then(|g| g.storage_class.clone());
    let mut after = before.to_vec();
    for ns in &asked.namespaces {
        match after.iter_mut().find(|g| g.name == ns.name) {
            Some(g) => g.quota = ns.quota.clone(),
            None => after.push(GrantedNamespace {
                name: ns.name.clone(),
                quota: ns.quota.clone(),
                storage_class: class.clone(),
            }),
        }
    }
    after
}

/// A change being decided on.
struct Case<'a> {
    seen: &'a Observed,
    now: Timestamp,
    life: Life,
    status: ChangeRequestStatus,
}

impl Case<'_> {
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
        if let Some(region) = &self.seen.ground.region {
            for ns in &asked.namespaces {
                found.extend(above_maximum(&ns.name, &ns.quota.0, &region.spec().tenancy.max_quota));
            }
        }
        let before = self.in_force();
        let after = merged(&before, asked);
        if after.len() > 8 {
            found.push(Finding::TooManyNamespaces(after.len()));
        }
        if found.is_empty() && !before.is_empty() && after == before {
            found.push(Finding::NothingChanges);
        }
        found
    }

    /// One open request on an application at a time: the older goes first, and one that is being carried out stays first.
    fn goes_before(&self, other: &OpenRequest) -> bool {
        if self.status.phase == Some(Phase::Applying) {
            return false;
        }
        (other.created_at, &other.name) < (self.seen.meta.created_at, &self.seen.meta.name)
            || other.kind == "Decommission"
    }

    /// What the grant has in force.
    fn in_force(&self) -> Vec<GrantedNamespace> {
        self.seen
            .grant
            .as_ref()
            .and_then(|(_, g)| g.status.as_ref())
            .map(|s| s.granted.clone())
            .unwrap_or_default()
    }

    /// Review by the authority (Art. 15, 18). Returns whether everything must be read anew first.
    fn review(&mut self, findings: &[Finding], article: i32) -> bool {
        if self.seen.meta.withdrawn()
            && !self.life.decided(Verdict::Approved)
            && !self.life.decided(Verdict::Rejected)
        {
            self.life.drop_clock(Obligation::Review, "withdrawn");
            self.life.happen(Happening::Withdrawn, "department", None);
            self.status.phase = Some(Phase::Withdrawn);
            return false;
        }
        let ruling = self.life.take_decision(
            &self.seen.meta,
            &self.seen.ground.guard,
            article,
            self.seen.ground.calendar(),
        );
        if matches!(ruling, Ruling::New(_) | Ruling::Cleared) && !self.seen.ground.fresh {
            return true;
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
        false
    }

    /// The review clock, where the region sets one; it stands while the request is not in order.
    fn review_clock(&mut self, findings: &[Finding]) {
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        let Some(days) = region.spec().working_days.review else { return };
        self.life.start_clock(Obligation::Review, Party::Authority, days, self.now, calendar);
        if findings.is_empty() {
            self.life.resume(Obligation::Review, calendar);
        } else {
            self.life.pause(Obligation::Review, Party::Department, "Correction", calendar);
        }
    }

    /// Approved: the provider is notified and its clock starts (Art. 15), or maintenance is scheduled (Art. 18).
    fn approved(&mut self) {
        let Some(asked) = self.seen.record.spec.resource_adjustment.as_ref() else {
            maintenance::schedule(self.seen, &mut self.life, &mut self.status);
            return;
        };
        self.status.before = self.in_force();
        self.status.after = merged(&self.status.before, asked);
        self.status.phase = Some(Phase::Applying);
        self.life.happen(Happening::Notified, "govcloud-operator", Some(15));
        if let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) {
            self.life.start_clock(
                Obligation::Change,
                Party::Provider,
                region.spec().working_days.change,
                self.now,
                calendar,
            );
        }
    }

    /// Values below what is used now: a shrink waits for the department (design, section 5).
    fn below_use(&self) -> Vec<String> {
        let below = |g: &GrantedNamespace| {
            let (_, used) = self.seen.used.iter().find(|(entry, _)| *entry == g.name)?;
            let below = below_use(&g.quota.0, used).ok()?;
            Some(
                below
                    .into_iter()
                    .map(|b| format!("{} {}: {} < {}", g.name, b.key, b.new, b.used))
                    .collect::<Vec<_>>(),
            )
        };
        self.status.after.iter().filter_map(below).flatten().collect()
    }

    /// Carries an approved adjustment out: through the grant, which has its own gate (Art. 15).
    fn apply(&mut self) -> Result<Vec<Step>, Reread> {
        let (Some((grant_meta, grant)), Some(decision)) =
            (&self.seen.grant, decision::approved(&self.life.status, &self.seen.meta.digest).cloned())
        else {
            return Ok(Vec::new());
        };
        let exiting = self
            .seen
            .application
            .as_ref()
            .and_then(|(_, a)| a.status.as_ref()?.phase)
            .is_some_and(|p| p >= ApplicationPhase::Exiting);
        if exiting {
            return Ok(Vec::new());
        }
        let mine = grant.spec.approved.kind == ApprovalKind::ChangeRequest
            && grant.spec.approved.uid == self.seen.meta.uid;
        let in_force = grant.status.as_ref().is_some_and(|s| {
            s.phase == Some(GrantPhase::Active)
                && s.in_force.as_ref().is_some_and(|a| a.uid == self.seen.meta.uid)
        });
        if in_force {
            self.completed(grant);
            return Ok(Vec::new());
        }
        if !self.wait_for_use() {
            return Ok(Vec::new());
        }
        let automatic =
            self.seen.ground.region.as_ref().is_some_and(|r| r.spec().fulfilment == Fulfilment::Automatic);
        if mine || !automatic || !matches!(self.seen.ground.guard, decision::Guard::Sealed { .. }) {
            return Ok(Vec::new());
        }
        if !self.seen.ground.fresh {
            return Err(Reread);
        }
        let body = json!({ "spec": {
            "approved": { "kind": "ChangeRequest", "name": self.seen.meta.name, "uid": self.seen.meta.uid, "generation": decision.generation, "digest": decision.digest },
            "namespaces": self.status.after,
        } });
        let precondition = Precondition {
            uid: grant_meta.uid.clone(),
            resource_version: grant_meta.resource_version.clone(),
        };
        let target = targets::GRANT.within(&grant_meta.namespace, &grant_meta.name);
        Ok(vec![Step::Write(vec![Write::Patch(target, precondition, body)])])
    }

    /// Whether use allows the new values; while it does not, the provider's clock stands.
    fn wait_for_use(&mut self) -> bool {
        let below = self.below_use();
        let waiting = self.life.status.waiting_for.as_deref() == Some("ReduceUse");
        if below.is_empty() {
            if let (true, Some(calendar)) = (waiting, self.seen.ground.calendar()) {
                self.life.happen(Happening::UseFell, "department", Some(15));
                self.life.resume(Obligation::Change, calendar);
            }
            return true;
        }
        if !waiting {
            self.life.happen(Happening::BelowUse(below.join("; ")), "govcloud-operator", Some(15));
            if let Some(calendar) = self.seen.ground.calendar() {
                self.life.pause(Obligation::Change, Party::Department, "BelowUse", calendar);
            }
        }
        false
    }

    /// 变更完成: the provider's clock is met (Art. 15).
    fn completed(&mut self, grant: &ResourceGrant) {
        let at = grant.status.as_ref().and_then(|s| s.in_force_since).map_or(self.now, |t| t.timestamp());
        self.status.phase = Some(Phase::Completed);
        self.status.applied_at = Some(at.into());
        self.life.happen_at(Happening::Applied, "provider", Some(15), at);
        if let Some(calendar) = self.seen.ground.calendar() {
            self.life.resume(Obligation::Change, calendar);
            self.life.meet(Obligation::Change, at, calendar);
        }
    }

    /// Conditions, and who is waited on.
    fn stand(&mut self, findings: &[Finding]) {
        let phase = self.status.phase.unwrap_or(Phase::Submitted);
        let void = self.life.status.decision.as_ref().is_some_and(|d| d.void.is_some());
        let below = if phase == Phase::Applying { self.below_use() } else { Vec::new() };
        let (party, act, clock) = match phase {
            Phase::Submitted if !findings.is_empty() => (self.filer(), Some("Correction"), None),
            Phase::Submitted if void => (Party::Authority, Some("NewDecision"), None),
            Phase::Submitted => (Party::Authority, Some("Decision"), Some(Obligation::Review)),
            Phase::Returned => (self.filer(), Some("Correction"), None),
            Phase::Applying if !below.is_empty() => (Party::Department, Some("ReduceUse"), None),
            Phase::Applying => (Party::Provider, Some("Change"), Some(Obligation::Change)),
            Phase::Scheduled => (Party::Provider, Some("Maintenance"), None),
            Phase::InProgress => {
                (Party::Provider, Some("MaintenanceReport"), Some(Obligation::MaintenanceReport))
            }
            Phase::Rejected | Phase::Withdrawn | Phase::Completed => (Party::None, None, None),
        };
        self.life.wait_on(party, act, clock);
        let standing = match (findings.first(), phase) {
            (Some(f), Phase::Submitted) => Standing::Stalled(f.reason(), f.text()),
            (_, Phase::Submitted) if void => Standing::Stalled(
                "DecisionVoid",
                Bilingual::new(
                    "审核意见无效,待重新审核",
                    "the decision does not count; it must be made anew",
                ),
            ),
            (_, Phase::Applying) => self.applying(&below),
            _ => standing(phase),
        };
        self.life.stand(&standing);
    }

    /// Who filed: the department, or the provider for maintenance.
    fn filer(&self) -> Party {
        if self.seen.record.spec.platform_maintenance.is_some() { Party::Provider } else { Party::Department }
    }

    /// What a change that is being carried out waits for.
    fn applying(&self, below: &[String]) -> Standing {
        let exiting = self
            .seen
            .application
            .as_ref()
            .and_then(|(_, a)| a.status.as_ref()?.phase)
            .is_some_and(|p| p >= ApplicationPhase::Exiting);
        if exiting {
            return Standing::Stalled(
                "ApplicationExiting",
                Bilingual::new(
                    "应用正在退出,变更不予实施",
                    "the application is exiting; the change is not carried out",
                ),
            );
        }
        if let Some(t) = &self.seen.ground.trouble {
            return Standing::Stalled(
                "WriteRefused",
                Bilingual::new(format!("写入被拒:{t}"), format!("a write was refused: {t}")),
            );
        }
        if !below.is_empty() {
            let list = below.join("; ");
            return Standing::Underway(
                "BelowUse",
                Bilingual::new(
                    format!("申请值低于现用量,请先减少用量:{list}"),
                    format!("the request is below what is used; reduce use first: {list}"),
                ),
            );
        }
        Standing::Underway(
            "Applying",
            Bilingual::new("服务提供方正在变更资源(第十五条)", "the change is being carried out (Art. 15)"),
        )
    }
}

/// How a change stands in each phase.
fn standing(phase: Phase) -> Standing {
    match phase {
        Phase::Submitted => Standing::Underway(
            "AwaitingDecision",
            Bilingual::new("等待主管部门审核", "awaiting the authority's review"),
        ),
        Phase::Returned => {
            Standing::Underway("Returned", Bilingual::new("已退回,等待补正", "returned; awaiting correction"))
        }
        Phase::Rejected => {
            Standing::Stalled("Rejected", Bilingual::new("主管部门不同意", "rejected by the authority"))
        }
        Phase::Withdrawn => Standing::Stalled("Withdrawn", Bilingual::new("已撤回", "withdrawn")),
        Phase::Applying => Standing::Underway("Applying", Bilingual::new("正在变更", "being carried out")),
        Phase::Scheduled => Standing::Underway(
            "Scheduled",
            Bilingual::new("已批准,等待窗口(第十八条)", "approved; waits for its window (Art. 18)"),
        ),
        Phase::InProgress => Standing::Underway(
            "InProgress",
            Bilingual::new("平台调整实施中,等待结果报告", "maintenance is under way; its outcome is awaited"),
        ),
        Phase::Completed => Standing::Ready("Completed", Bilingual::new("已办结", "completed")),
    }
}
