//! At contract end the provider helps to move out and hands over (Art. 28), under a clock of its own.
//!
//! It runs from the notice until the data is out: every receipt is in, use has wound down, and reclaiming begins. While
//! the department copies its data and owes the receipt, the clock stands (docs/decisions/0020).

use jiff::Timestamp;

use super::Evaluation;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{ExitReason, Scope};

/// Why the clocks of the provider stand.
const RECEIPT: &str = "HandOver";

impl Evaluation<'_> {
    /// Starts the clock of an exit at contract end; other exits have none.
    pub(super) fn keep_migration_clock(&mut self, notified: Timestamp) {
        let spec = &self.seen.record.spec;
        let owed = spec.scope == Scope::Application
            && matches!(spec.reason, ExitReason::ContractEnded | ExitReason::ContractTerminated);
        let (true, Some(region), Some(calendar)) =
            (owed, &self.seen.ground.region, self.seen.ground.calendar())
        else {
            return;
        };
        let days = region.spec().working_days.migration;
        self.life.start_clock(Obligation::Migration, Party::Provider, days, notified, calendar);
    }

    /// The department owes a receipt: the provider's clocks stand.
    pub(crate) fn await_receipts(&mut self) {
        let Some(calendar) = self.seen.ground.calendar() else { return };
        for o in [Obligation::Reclaim, Obligation::Migration] {
            self.life.pause(o, Party::Department, RECEIPT, calendar);
        }
    }

    /// Every receipt is in: the provider's clocks run.
    pub(crate) fn receipts_in(&mut self) {
        let Some(calendar) = self.seen.ground.calendar() else { return };
        for o in [Obligation::Reclaim, Obligation::Migration] {
            self.life.resume(o, calendar);
        }
    }

    /// The data is out, and reclaiming begins.
    pub(crate) fn moved_out(&mut self) {
        if let Some(calendar) = self.seen.ground.calendar() {
            self.life.meet(Obligation::Migration, self.now, calendar);
        }
    }
}
