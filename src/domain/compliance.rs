//! ComplianceRecord: documents of operation and security (Art. 17, 19, 21, 22, 24). One counts from its filing on, once it
//! is in order; the authority may return it. What is owed of them is in [`duty`].

use std::sync::Arc;

use jiff::Timestamp;

use super::calendar::{china_date, end_of};
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::plan::{Plan, RequiredReads};
use super::reason::Reason;
use super::record::{Meta, OPERATOR, ReadyState, StatusBuilder};
use super::region_context::{RegionContext, Reread};
use crate::bilingual::bilingual;
use govcloud_api::application::CloudApplication;
use govcloud_api::compliance::{CompliancePhase as Phase, ComplianceRecord, ComplianceRecordStatus};
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::deadline::Party;
use govcloud_api::record::{Verdict, WaitingFor};

pub mod duty;
pub mod emergency_plan;

/// Objects that are read to decide on a compliance record.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Metadata of the record.
    pub meta: Meta,
    /// The record.
    pub record: Arc<ComplianceRecord>,
    /// Its Region.
    pub region_context: RegionContext,
    /// The application that it is about.
    pub application: Option<Arc<CloudApplication>>,
    /// The emergency plan that a drill names.
    pub plan: Option<Arc<ComplianceRecord>>,
    /// Name of a newer one of its kind and subject that counts.
    pub newer: Option<String>,
}

/// Decides on a compliance record.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ComplianceRecordStatus> {
    let unseen = ComplianceRecordStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (builder, status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let spec = &seen.record.spec;
    let filer = if spec.application.is_some() { Party::Department } else { Party::Provider };
    let article = spec.type_.article(filer);
    let mut evaluation = Evaluation { seen, now, builder, status, filer, article };
    evaluation.builder.record_filing(&seen.meta, filer, article);
    let phase = evaluation.verify_decision(stored.phase);
    // What counts is not judged again: its application may exit.
    let open = !phase.is_some_and(Phase::is_over);
    let findings = if open { evaluation.findings() } else { Vec::new() };
    if open {
        evaluation.builder.set_valid_condition(&findings);
    }
    if let Err(Reread(reads)) = evaluation.review(phase, &findings) {
        return Plan::reread(reads, stored.clone());
    }
    let expired = evaluation.set_current_condition();
    evaluation.set_ready_conditions(&findings, expired);
    let Evaluation { builder, status, .. } = evaluation;
    builder.finish(status, stored, Vec::new(), article)
}

/// A compliance record that is being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: ComplianceRecordStatus,
    filer: Party,
    article: i32,
}

impl Evaluation<'_> {
    /// Verifies the recorded decision. Without a valid one a rejection does not stand.
    fn verify_decision(&mut self, phase: Option<Phase>) -> Option<Phase> {
        self.builder.verify_decision(&self.seen.meta, &self.seen.region_context, self.article);
        if phase == Some(Phase::Rejected) && self.builder.undecided() {
            self.status.phase = Some(Phase::Submitted);
        }
        self.status.phase
    }

    /// Every finding that the schema cannot see.
    fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.region_context.findings(&spec.region);
        match (&spec.application, &self.seen.application) {
            (Some(name), None) => found.push(Finding::ApplicationMissing(name.clone())),
            (Some(_), Some(application)) if application.spec.region != spec.region => {
                found.push(Finding::RegionMismatch(spec.region.clone(), application.spec.region.clone()));
            }
            _ => {}
        }
        if spec.issued_on.0 > china_date(self.now) {
            let (field, date) = ("spec.issuedOn".to_owned(), spec.issued_on.to_string());
            found.push(Finding::DocumentInFuture(field, date));
        }
        if let Some(name) = spec.drill.as_ref().and_then(|d| d.plan.as_ref()) {
            let plan = self.seen.plan.as_deref();
            found.extend(emergency_plan::unusable("spec.drill.plan", name, plan, spec.issued_on.0));
        }
        found
    }

    /// Takes the authority's decision, if there is one; without one the record counts once it is in order.
    fn review(&mut self, phase: Option<Phase>, findings: &[Finding]) -> Result<(), Reread> {
        if matches!(phase, Some(Phase::Rejected | Phase::Withdrawn)) {
            return Ok(());
        }
        let decided = self.builder.decided(Verdict::Approved) || self.builder.decided(Verdict::Rejected);
        if self.seen.meta.withdrawn() && !decided && phase != Some(Phase::Recorded) {
            self.builder.record_withdrawal();
            self.status.phase = Some(Phase::Withdrawn);
            return Ok(());
        }
        if self.builder.take_decision(&self.seen.meta, &self.seen.region_context, self.article) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
        }
        let in_order = findings.is_empty() && self.seen.region_context.intact();
        let next = if self.builder.decided(Verdict::Rejected) {
            Phase::Rejected
        } else if self.builder.returned_and_unanswered() {
            Phase::Returned
        } else if in_order || phase == Some(Phase::Recorded) {
            Phase::Recorded
        } else {
            Phase::Submitted
        };
        self.status.phase = Some(next);
        if next != Phase::Recorded {
            self.status.recorded_at = None;
        } else if phase != Some(Phase::Recorded) {
            self.status.recorded_at = Some(self.now.into());
            self.builder.record_event(LifecycleEvent::Recorded, OPERATOR, Some(self.article));
        }
        if findings.iter().any(|f| matches!(f, Finding::DocumentInFuture(..))) {
            let first_day = self.seen.record.spec.issued_on.0.yesterday().map(end_of);
            self.builder.wake = first_day.ok();
        }
        Ok(())
    }

    /// Sets `Current`, and reports the end of validity once. Returns true if it has expired.
    fn set_current_condition(&mut self) -> bool {
        let last = self.seen.record.spec.valid_until.map(|d| d.0);
        let (status, reason, text) = match (self.status.phase, &self.seen.newer, last) {
            (Some(Phase::Recorded), Some(newer), _) => {
                let text = bilingual!("已由 {newer} 接替", "replaced by {newer}");
                (ConditionStatus::False, Reason::Superseded, text)
            }
            (Some(Phase::Recorded), None, Some(last)) if end_of(last) <= self.now => {
                if !self.is_marked_expired() {
                    let at = self.status.recorded_at.map_or(self.now, |t| t.timestamp()).max(end_of(last));
                    self.builder.record_event_at(
                        LifecycleEvent::Expired(last),
                        OPERATOR,
                        Some(self.article),
                        at,
                    );
                }
                (ConditionStatus::False, Reason::Expired, expired_text(last))
            }
            (Some(Phase::Recorded), None, last) => {
                self.builder.wake = self.builder.wake.into_iter().chain(last.map(end_of)).min();
                (ConditionStatus::True, Reason::Current, Bilingual::new("在案有效", "on record and valid"))
            }
            _ => {
                let text = Bilingual::new("不在案", "not on record");
                (ConditionStatus::False, Reason::NotRecorded, text)
            }
        };
        self.builder.condition(ConditionType::Current, status, reason, &text);
        reason == Reason::Expired
    }

    /// Returns true if its end was reported.
    fn is_marked_expired(&self) -> bool {
        let current = |type_: &str| type_ == ConditionType::Current.as_ref();
        let mut conditions = self.builder.status.conditions.iter();
        conditions.any(|c| current(&c.type_) && c.reason == Reason::Expired.as_ref())
    }

    /// Sets the awaited act and the ready conditions.
    fn set_ready_conditions(&mut self, findings: &[Finding], expired: bool) {
        let phase = self.status.phase.unwrap_or(Phase::Submitted);
        let corrects = phase == Phase::Returned || (phase == Phase::Submitted && !findings.is_empty());
        if corrects {
            self.builder.wait_on(self.filer, Some(WaitingFor::Correction), None);
        } else if self.builder.invalid_decision() {
            self.builder.wait_on(Party::Authority, Some(WaitingFor::NewDecision), None);
        } else {
            self.builder.wait_on(Party::None, None, None);
        }
        let held = match phase {
            Phase::Submitted => {
                ReadyState::before_decision(findings, &self.builder.status, &self.seen.region_context)
            }
            Phase::Recorded if self.builder.altered(&self.seen.meta) => Some(ReadyState::spec_altered()),
            Phase::Recorded if self.builder.invalid_decision() => Some(ReadyState::decision_invalid()),
            Phase::Recorded if expired => {
                let last = self.seen.record.spec.valid_until.map(|d| d.0);
                last.map(|last| ReadyState::Stalled(Reason::Expired, expired_text(last)))
            }
            _ => None,
        };
        self.builder.set_ready_conditions(&held.unwrap_or_else(|| state(phase)));
    }
}

/// Wording of the end of validity.
fn expired_text(last: jiff::civil::Date) -> Bilingual {
    bilingual!("有效期至 {last}，已过期；请重新报送", "valid until {last}, and expired; file a new one")
}

/// Ready state in each phase.
fn state(phase: Phase) -> ReadyState {
    match phase {
        Phase::Submitted => {
            ReadyState::Reconciling(Reason::NotRecorded, Bilingual::new("正在核验", "being checked"))
        }
        Phase::Returned => ReadyState::Reconciling(
            Reason::Returned,
            Bilingual::new("已退回，等待补正", "returned; awaiting correction"),
        ),
        Phase::Rejected => ReadyState::Stalled(
            Reason::Rejected,
            Bilingual::new("主管部门不同意", "rejected by the authority"),
        ),
        Phase::Withdrawn => ReadyState::Stalled(Reason::Withdrawn, Bilingual::new("已撤回", "withdrawn")),
        Phase::Recorded => ReadyState::Ready(Reason::Recorded, Bilingual::new("已在案", "on record")),
    }
}
