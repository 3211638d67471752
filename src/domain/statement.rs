//! Statement: the bill of a department's month, from its making to its settlement (Art. 6, 7, 26).
//!
//! [`bill`] computes it with [`crate::settlement`]; `acts` carries out what people do with it, by the state machine of
//! [`crate::settlement::confirmation`]; `ready_state` says who is waited on.
//!
//! The operator writes the digest of the bill into `spec.digest`, so that each computed bill is a generation of its own:
//! a decision names the generation that was read, and with it exactly one digest (docs/decisions/0091).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::bilingual::Bilingual;
use super::calendar::Calendar;
use super::finding::Finding;
use super::lifecycle_event::LifecycleEvent;
use super::plan::{Plan, Precondition, Step, Target, Write};
use super::reason::Reason;
use super::record::{Actor, ClosedReason, Meta, OPERATOR, PauseReason, ReadyState, StatusBuilder};
use super::region_context::{RegionContext, Reread};
use super::settlement::confirmation::{Act, Clock, ClockChange, Progress, Refusal, Signed};
use super::settlement::export::ApplicationRecord;
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::region::Settlement;
use govcloud_api::resources;
use govcloud_api::statement::{Statement, StatementPhase as Phase, StatementStatus};

mod acts;
pub mod bill;
mod ready_state;

use bill::Computed;

/// Article that asks for settlement by the catalogue.
const ARTICLE: i32 = 26;

/// Objects that are read to decide on a statement.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Metadata of the record.
    pub meta: Meta,
    /// The record.
    pub record: Arc<Statement>,
    /// Its Region.
    pub region_context: RegionContext,
    /// The department's records; `None` once the statement is final, as it is not computed any more.
    pub records: Option<Records>,
}

/// Records of a department that a bill is computed from.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Its applications, with their grants, changes and exits.
    pub applications: Vec<ApplicationRecord>,
    /// Its other statements, by month.
    pub others: Vec<Arc<Statement>>,
}

/// Decides on a statement.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<StatementStatus> {
    let unseen = StatementStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (builder, status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let mut evaluation = Evaluation { seen, now, builder, status, findings: Vec::new() };
    evaluation.made();
    evaluation.verify_decision();
    let steps = match evaluation.advance() {
        Ok(steps) => steps,
        Err(Reread(reads)) => return Plan::reread(reads, stored.clone()),
    };
    evaluation.keep_clocks();
    evaluation.builder.run_clocks(seen.region_context.calendar());
    if !evaluation.is_over() && steps.is_empty() {
        let findings = std::mem::take(&mut evaluation.findings);
        evaluation.builder.set_valid_condition(&findings);
        evaluation.findings = findings;
    }
    evaluation.set_ready_conditions(!steps.is_empty());
    let Evaluation { builder, status, .. } = evaluation;
    builder.finish(status, stored, steps, ARTICLE)
}

/// A statement that is being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: StatementStatus,
    findings: Vec<Finding>,
}

impl<'a> Evaluation<'a> {
    /// Records that the statement was made.
    fn made(&mut self) {
        if self.builder.first_visit() {
            let at = self.seen.meta.created_at.filter(|c| *c <= self.now).unwrap_or(self.now);
            let event = LifecycleEvent::StatementMade(self.seen.record.spec.month.clone());
            self.builder.record_event_at(event, OPERATOR, Some(ARTICLE), at);
        }
        self.builder.status.spec_digest = Some(self.seen.meta.digest.clone());
    }

    fn phase(&self) -> Phase {
        self.status.phase.unwrap_or_default()
    }

    fn is_over(&self) -> bool {
        self.phase().is_over()
    }

    /// Settings of the Region, where it settles.
    fn settings(&self) -> Option<&'a Settlement> {
        self.seen.region_context.region.as_ref()?.spec().settlement.as_ref()
    }

    /// Settings and calendar, where clocks can run.
    fn counting(&self) -> Option<(&'a Settlement, &'a Calendar)> {
        Some((self.settings()?, self.seen.region_context.calendar()?))
    }

    /// Verifies the recorded decision. Without a valid one the statement is as before it.
    fn verify_decision(&mut self) {
        self.builder.verify_decision(&self.seen.meta, &self.seen.region_context, ARTICLE);
        if self.is_over() && self.builder.undecided() {
            self.status.phase = Some(Phase::AwaitingDecision);
        }
    }

    /// Takes what people did with the published bill, then computes it anew unless it is final.
    fn advance(&mut self) -> Result<Vec<Step>, Reread> {
        if self.is_over() {
            return Ok(Vec::new());
        }
        self.status.phase = Some(self.phase());
        self.act()?;
        if self.is_over() {
            return Ok(Vec::new());
        }
        let computed = self.compute();
        let digest = computed.digest();
        if self.seen.record.spec.digest.as_ref() != digest {
            return Ok(vec![Step::Write(vec![self.write_digest(digest)])]);
        }
        self.publish(computed);
        self.require_confirmation();
        Ok(Vec::new())
    }

    /// The write that makes a computed bill the one to confirm.
    fn write_digest(&self, digest: Option<&String>) -> Write {
        let Meta { namespace, name, uid, resource_version, .. } = &self.seen.meta;
        let target = Target::namespaced(resources::STATEMENT, namespace, name);
        let precondition = Precondition { uid: uid.clone(), resource_version: resource_version.clone() };
        Write::Patch(target, precondition, json!({ "spec": { "digest": digest } }))
    }

    /// Takes a computed bill into the status. One that differs voids what was done with the last one.
    fn publish(&mut self, computed: Computed) {
        let confirmed = self.status.confirmation.is_some();
        let (digest, gaps) = (computed.digest().cloned(), computed.gaps());
        let differs = self.progress().digest != digest;
        if self.apply(&Act::Computed(digest.clone())).is_err() {
            return;
        }
        if differs && confirmed {
            self.builder.record_event(LifecycleEvent::ConfirmationVoid, OPERATOR, Some(ARTICLE));
        }
        let unknown = !self.builder.has_condition(ConditionType::Complete);
        let complete = self.builder.is(ConditionType::Complete);
        if let Some(bill) = computed.bill.as_ref().filter(|bill| differs && bill.digest.is_some()) {
            let event = LifecycleEvent::BillComputed(bill.total.clone(), bill.currency.clone());
            self.builder.record_event(event, OPERATOR, Some(ARTICLE));
        } else if gaps > 0 && (unknown || complete) {
            self.builder.record_event(LifecycleEvent::BillIncomplete(gaps), OPERATOR, Some(ARTICLE));
        }
        self.set_complete_condition(&computed);
        self.set_budget(&computed);
        self.status.closing_state = computed.closing_state.filter(|_| digest.is_some());
        self.status.bill = computed.bill;
        self.findings.extend(computed.findings);
    }

    /// Nothing is approved that the department has not confirmed (Art. 6, 26).
    fn require_confirmation(&mut self) {
        if self.findings.is_empty() && self.status.confirmation.is_none() {
            self.findings.push(Finding::NotConfirmed);
        }
    }

    /// Sets `Complete`, with every missing fact.
    fn set_complete_condition(&mut self, computed: &Computed) {
        let (status, reason, text) = match computed.findings.first() {
            None => (
                ConditionStatus::True,
                Reason::Complete,
                Bilingual::new("计费所需的事实齐全", "every fact that the bill needs is on record"),
            ),
            Some(first) => {
                let texts: Vec<Bilingual> = computed.findings.iter().map(Finding::text).collect();
                (ConditionStatus::False, first.reason(), Bilingual::list(&texts))
            }
        };
        self.builder.condition(ConditionType::Complete, status, reason, &text);
    }

    /// Sets `WithinBudget` where the Region has a ceiling for the department and year (Art. 7). It refuses nothing.
    fn set_budget(&mut self, computed: &Computed) {
        let within = self.builder.is(ConditionType::WithinBudget);
        let known = self.builder.has_condition(ConditionType::WithinBudget);
        self.status.budget = computed.budget.clone();
        let Some(budget) = &computed.budget else { return };
        let (used, ceiling) = (budget.used.clone(), budget.ceiling.clone());
        let event = LifecycleEvent::BudgetExceeded(used.clone(), ceiling.clone());
        let text = match computed.over_budget {
            true => event.text(),
            false => crate::bilingual::bilingual!(
                "本年度费用 {used}，预算 {ceiling}（第七条）",
                "fees of {used} this year, within the budget of {ceiling} (Art. 7)"
            ),
        };
        let (status, reason) = match computed.over_budget {
            true => (ConditionStatus::False, Reason::BudgetExceeded),
            false => (ConditionStatus::True, Reason::WithinBudget),
        };
        if computed.over_budget && (within || !known) {
            self.builder.record_event(event, OPERATOR, Some(7));
        }
        self.builder.condition(ConditionType::WithinBudget, status, reason, &text);
    }
}

#[cfg(test)]
mod tests;
