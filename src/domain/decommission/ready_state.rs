//! Ready conditions of an exit before its decision, and the awaited party.

use super::Evaluation;
use crate::bilingual::bilingual;
use crate::finding::{Bilingual, Finding};
use crate::lifecycle_event::LifecycleEvent;
use crate::reason::Reason;
use crate::record::{ClosedReason, OPERATOR, PauseReason, ReadyState};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::DecommissionPhase as Phase;
use govcloud_api::record::WaitingFor;

impl Evaluation<'_> {
    /// Sets the awaited act and the ready conditions before the decision.
    pub(super) fn set_conditions_before_decision(&mut self, phase: Phase, findings: &[Finding]) {
        let returned = self.builder.returned_and_unanswered();
        let (party, act) = match phase {
            Phase::Inventory | Phase::AwaitingConsent | Phase::AwaitingDecision if returned => {
                (Party::Department, Some(WaitingFor::Correction))
            }
            // A Region is put right by the authority, not by the department.
            Phase::Inventory
                if matches!(
                    findings.first(),
                    Some(Finding::UnknownRegion(..) | Finding::CalendarUnusable(..))
                ) =>
            {
                (Party::Authority, Some(WaitingFor::Correction))
            }
            Phase::Inventory => (Party::Department, Some(WaitingFor::Correction)),
            Phase::AwaitingConsent => (Party::Department, Some(WaitingFor::Consent)),
            Phase::AwaitingDecision if self.builder.invalid_decision() => {
                (Party::Authority, Some(WaitingFor::NewDecision))
            }
            Phase::AwaitingDecision => (Party::Authority, Some(WaitingFor::Decision)),
            _ => (Party::None, None),
        };
        let blocked = match act {
            Some(WaitingFor::Correction) => Some(PauseReason::Correction),
            Some(WaitingFor::Consent) => Some(PauseReason::Consent),
            _ => None,
        };
        self.review_clock(phase, blocked);
        self.builder.wait_on(party, act, Some(Obligation::Review));
        if phase == Phase::Withdrawn {
            if !self.builder.events.contains(&LifecycleEvent::ConsentVoid) {
                self.builder.record_event(LifecycleEvent::ConsentVoid, OPERATOR, Some(23));
            }
            self.end_without_result(ClosedReason::ConsentVoid);
            return;
        }
        let state = self.state(phase, findings, returned);
        self.builder.set_ready_conditions(&state);
    }

    /// Ready state before the exit is carried out.
    fn state(&self, phase: Phase, findings: &[Finding], returned: bool) -> ReadyState {
        if phase == Phase::Rejected {
            let text = Bilingual::new("主管部门不同意退出", "the exit was rejected by the authority");
            return ReadyState::Stalled(Reason::Rejected, text);
        }
        let obstacle = ReadyState::before_decision(findings, &self.builder.status, &self.seen.region_context);
        if let Some(obstacle) = obstacle {
            return obstacle;
        }
        if returned {
            return ReadyState::Reconciling(
                Reason::Returned,
                Bilingual::new("已退回，等待补正", "returned; awaiting correction"),
            );
        }
        if phase == Phase::AwaitingConsent {
            let digest = self.status.inventory.as_ref().map(|i| i.digest.clone()).unwrap_or_default();
            let text = bilingual!(
                "等待使用部门对数据清单授权（第二十三条）：核对 status.inventory 后将 spec.consent.inventoryDigest 设为 {digest}",
                "awaiting the department's consent (Art. 23): check status.inventory, then set spec.consent.inventoryDigest to {digest}"
            );
            return ReadyState::Reconciling(Reason::AwaitingConsent, text);
        }
        let text =
            Bilingual::new("等待主管部门审核（第十六条）", "awaiting the authority's review (Art. 16)");
        ReadyState::Reconciling(Reason::AwaitingDecision, text)
    }

    /// The review clock runs only while the authority is waited on.
    fn review_clock(&mut self, phase: Phase, blocked: Option<PauseReason>) {
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        let Some(days) = region.working_days.review else { return };
        let begun = self.builder.clock(Obligation::Review).is_some();
        if phase == Phase::AwaitingDecision && blocked.is_none() {
            // The authority has it from the consent on.
            self.builder.review_clock(days, None, None, calendar);
        } else if let Some(why) = blocked.filter(|_| begun) {
            self.builder.pause(Obligation::Review, Party::Department, why, calendar);
        }
    }
}
