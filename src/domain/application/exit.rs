//! Exit as the application sees it (Art. 16): it follows the Decommission to its end, or returns.

use super::{Evaluation, ExitView};
use crate::lifecycle_event::LifecycleEvent;
use crate::record::{Actor, ClosedReason, OPERATOR, PauseReason};
use govcloud_api::application::{ApplicationPhase as Phase, CloudApplicationStatus};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{DecommissionPhase, Scope};

/// Phase to which an application returns when an exit ends without result.
fn before_exit(status: &CloudApplicationStatus) -> Phase {
    status.phase_before_exit.unwrap_or(if status.live_at.is_some() {
        Phase::Live
    } else {
        Phase::Provisioned
    })
}

impl Evaluation<'_> {
    /// Exit that is being followed; else the one that begins.
    fn exit(&self) -> Option<&ExitView> {
        let own = |e: &&ExitView| {
            e.scope == Scope::Application && e.application_uid.as_deref() == Some(&self.seen.meta.uid)
        };
        // An exit that began is followed to its end, also while its inventory is corrected.
        let followed = |e: &&ExitView| self.status.decommission.as_deref() == Some(&e.name);
        let begins = |e: &&ExitView| e.phase.is_some_and(|p| p != DecommissionPhase::Inventory);
        let open = |e: &&ExitView| !e.phase.is_some_and(DecommissionPhase::came_to_nothing);
        let mut open = self.seen.exits.iter().filter(own).filter(open);
        if self.status.phase == Some(Phase::Exiting) { open.find(followed) } else { open.find(begins) }
    }

    /// Returns true while its volumes are reclaimed: their outcome is in the exit's inventory and certificate.
    pub(super) fn reclaiming(&self) -> bool {
        self.status.phase == Some(Phase::Exiting)
            && self.exit().is_some_and(|e| e.phase == Some(DecommissionPhase::Reclaiming))
    }

    /// An exit was filed: the application is Exiting until it ends (Art. 16).
    pub(super) fn begin_exit(&mut self) {
        let Some(exit) = self.exit().cloned() else { return };
        self.status.phase_before_exit = self.status.phase;
        self.status.phase = Some(Phase::Exiting);
        self.status.decommission = Some(exit.name.clone());
        self.builder.record_event(LifecycleEvent::ExitBegun(exit.name), OPERATOR, Some(16));
        self.follow_exit();
    }

    /// Lets the department's clocks run while the exit waits on the department, and pauses them while it waits on
    /// another party: a period is nobody's but that of the party that was waited on.
    fn attribute_time(&mut self, waiting_on: Party) {
        let Some(calendar) = self.seen.region_context.calendar() else { return };
        for obligation in [Obligation::GoLive, Obligation::GoLiveReport] {
            match waiting_on {
                Party::Department | Party::None => self.builder.resume(obligation, calendar),
                other => self.builder.pause(obligation, other, PauseReason::Exiting, calendar),
            }
        }
    }

    /// Follows the exit to its end, or back to where the application was.
    pub(super) fn follow_exit(&mut self) {
        match self.exit().cloned() {
            None => {
                let name = self.status.decommission.take().unwrap_or_default();
                self.status.phase = Some(before_exit(&self.status));
                self.status.phase_before_exit = None;
                if let Some(calendar) = self.seen.region_context.calendar() {
                    self.builder.resume(Obligation::GoLive, calendar);
                    self.builder.resume(Obligation::GoLiveReport, calendar);
                }
                self.builder.record_event(LifecycleEvent::ExitEnded(name), OPERATOR, Some(16));
            }
            Some(exit) if exit.phase == Some(DecommissionPhase::Completed) => {
                self.status.phase = Some(Phase::Exited);
                for o in [Obligation::GoLive, Obligation::GoLiveReport] {
                    self.builder.drop_clock(o, ClosedReason::Exited);
                }
                let at = exit.ended_at.unwrap_or(self.now);
                self.status.exited_at = Some(at.into());
                let provider = Actor::operator_for(Party::Provider);
                self.builder.record_event_at(LifecycleEvent::Exited(exit.name), provider, Some(16), at);
            }
            Some(exit) => self.attribute_time(exit.waiting_on),
        }
    }
}
