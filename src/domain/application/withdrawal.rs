//! Withdrawal by the department: before a decision, and after an approval as long as nothing was made of it (decision 0085).
//!
//! A grant decides by itself whether anything is made of it, and one key is never handled twice at a time. So an open grant
//! ends first, or it began before the withdrawal, which is too late then.

use govcloud_api::application::ApplicationPhase as Phase;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::grant::GrantPhase;

use super::Evaluation;
use crate::lifecycle_event::LifecycleEvent;
use crate::plan::RequiredReads;
use crate::record::{Actor, ClosedReason};
use crate::region_context::Reread;

impl Evaluation<'_> {
    /// Ends the application as withdrawn.
    pub(super) fn withdraw(&mut self) {
        self.builder.record_withdrawal();
        self.builder.drop_clock(Obligation::Provision, ClosedReason::Withdrawn);
        self.status.namespaces.clear();
        self.status.phase = Some(Phase::Withdrawn);
    }

    /// Ends an approved application that its department withdrew, as long as nothing was made of the approval (S1, S3).
    /// Returns true if it ended.
    pub(super) fn withdraw_approved(&mut self) -> Result<bool, Reread> {
        if !self.seen.meta.withdrawn() {
            return Ok(false);
        }
        if self.is_begun() {
            self.record_late_withdrawal();
            return Ok(false);
        }
        if self.has_open_grant() {
            return Ok(false);
        }
        self.seen.region_context.require(RequiredReads::REFERENCES)?;
        self.withdraw();
        Ok(true)
    }

    /// Returns true if anything was made of an approval: its grant is in force, or a namespace of this record exists.
    fn is_begun(&self) -> bool {
        let own = &self.seen.meta.uid;
        self.keeps_a_grant() || self.seen.existing.iter().any(|namespace| namespace.owner() == Some(own))
    }

    /// Returns true if a grant of this record has not ended.
    fn has_open_grant(&self) -> bool {
        self.seen.grant.as_ref().is_some_and(|(_, grant)| {
            grant.spec.application.uid == self.seen.meta.uid
                && grant.status.as_ref().and_then(|s| s.phase) != Some(GrantPhase::Released)
        })
    }

    /// Records once that a withdrawal came too late.
    fn record_late_withdrawal(&mut self) {
        let event = LifecycleEvent::WithdrawnTooLate;
        if !self.builder.status.timeline.iter().any(|entry| entry.event == event.event()) {
            self.builder.record_event(event, Actor::unnamed(Party::Department), Some(16));
        }
    }
}
