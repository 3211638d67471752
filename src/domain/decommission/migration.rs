//! At contract end the provider helps to move out and hands over (Art. 28), under a clock of its own.
//!
//! It runs from the notice until the data is out: every receipt is in, use has wound down, and reclaiming begins. It is
//! paused while the department copies its data and owes the receipt (docs/decisions/0020-*).

use jiff::Timestamp;

use super::Evaluation;
use crate::record::PauseReason;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{ExitReason, Scope};

impl Evaluation<'_> {
    /// Starts the clock of an exit at contract end; other exits have none.
    pub(super) fn keep_migration_clock(&mut self, notified: Timestamp) {
        let spec = &self.seen.record.spec;
        let owed = spec.scope == Scope::Application
            && matches!(spec.reason, ExitReason::ContractEnded | ExitReason::ContractTerminated);
        if !owed {
            return;
        }
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        self.builder.start_clock(Obligation::Migration, region.working_days.migration, notified, calendar);
    }

    /// Pauses the provider's clocks: the department is waited on.
    pub(super) fn pause_clocks(&mut self, why: PauseReason) {
        let Some(calendar) = self.seen.region_context.calendar() else { return };
        for o in [Obligation::Reclaim, Obligation::Migration] {
            self.builder.pause(o, Party::Department, why, calendar);
        }
    }

    /// Resumes the provider's clocks: the department has done its part.
    pub(super) fn resume_clocks(&mut self) {
        let Some(calendar) = self.seen.region_context.calendar() else { return };
        for o in [Obligation::Reclaim, Obligation::Migration] {
            self.builder.resume(o, calendar);
        }
    }

    /// Meets the obligation: the data is out, and reclaiming begins.
    pub(super) fn moved_out(&mut self) {
        if let Some(calendar) = self.seen.region_context.calendar() {
            self.builder.meet(Obligation::Migration, self.now, calendar);
        }
    }
}
