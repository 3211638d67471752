//! How an exit stands before its decision: conditions, and who is waited on.

use super::Evaluation;
use crate::finding::{Bilingual, Finding};
use crate::lifecycle_event::LifecycleEvent;
use crate::record::ReadyState;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::DecommissionPhase as Phase;

impl Evaluation<'_> {
    /// Conditions before the decision, and who is waited on.
    pub(super) fn stand_before_decision(&mut self, phase: Phase, findings: &[Finding]) {
        let returned = self.life.returned_and_unanswered();
        let (party, act) = match phase {
            Phase::Inventory | Phase::AwaitingConsent | Phase::AwaitingDecision if returned => {
                (Party::Department, Some("Correction"))
            }
            Phase::Inventory => (Party::Department, Some("Correction")),
            Phase::AwaitingConsent => (Party::Department, Some("Consent")),
            Phase::AwaitingDecision if self.life.void() => (Party::Authority, Some("NewDecision")),
            Phase::AwaitingDecision => (Party::Authority, Some("Decision")),
            _ => (Party::None, None),
        };
        let blocked = match act {
            Some("Decision" | "NewDecision") => None,
            _ => act,
        };
        self.review_clock(phase, blocked);
        self.life.wait_on(party, act, Some(Obligation::Review));
        if phase == Phase::Withdrawn {
            if !self.life.events.contains(&LifecycleEvent::ConsentVoid) {
                self.life.record_event(LifecycleEvent::ConsentVoid, "govcloud-operator", Some(23));
            }
            self.end_without_result("consent void");
            return;
        }
        let standing = self.standing(phase, findings, returned);
        self.life.set_ready_conditions(&standing);
    }

    /// How an exit stands before it is carried out.
    fn standing(&self, phase: Phase, findings: &[Finding], returned: bool) -> ReadyState {
        if phase == Phase::Rejected {
            let text = Bilingual::new("主管部门不同意退出", "the exit was rejected by the authority");
            return ReadyState::Stalled("Rejected", text);
        }
        if let Some(held) = ReadyState::before_decision(findings, &self.life.status, &self.seen.ground.guard)
        {
            return held;
        }
        if returned {
            return ReadyState::Reconciling(
                "Returned",
                Bilingual::new("已退回,等待补正", "returned; awaiting correction"),
            );
        }
        if phase == Phase::AwaitingConsent {
            let digest = self.status.inventory.as_ref().map(|i| i.digest.clone()).unwrap_or_default();
            let text = Bilingual::new(
                format!(
                    "等待使用部门对数据清单授权(第二十三条):核对 status.inventory 后将 spec.consent.inventoryDigest 设为 {digest}"
                ),
                format!(
                    "awaiting the department's consent (Art. 23): check status.inventory, then set spec.consent.inventoryDigest to {digest}"
                ),
            );
            return ReadyState::Reconciling("AwaitingConsent", text);
        }
        let text = Bilingual::new("等待主管部门审核(第十六条)", "awaiting the authority's review (Art. 16)");
        ReadyState::Reconciling("AwaitingDecision", text)
    }

    /// The review clock runs only while the authority is waited on.
    fn review_clock(&mut self, phase: Phase, blocked: Option<&str>) {
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        let Some(days) = region.spec().working_days.review else { return };
        let begun = self.life.clock(Obligation::Review).is_some();
        if phase == Phase::AwaitingDecision && blocked.is_none() {
            // Submitted to the authority is what the department has consented to.
            self.life.review_clock(days, None, None, calendar);
        } else if begun && blocked.is_some() {
            self.life.pause(Obligation::Review, Party::Department, blocked.unwrap_or_default(), calendar);
        }
    }
}
