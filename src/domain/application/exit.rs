//! The application's side of its exit (Art. 16): it follows the Decommission to its end, or comes back.

use super::{Evaluation, ExitView};
use crate::lifecycle_event::LifecycleEvent;
use govcloud_api::application::{ApplicationPhase as Phase, CloudApplicationStatus};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{DecommissionPhase, Scope};

/// Where an application returns to when an exit ends without result.
fn before_exit(status: &CloudApplicationStatus) -> Phase {
    status.phase_before_exit.unwrap_or(if status.live_at.is_some() {
        Phase::Live
    } else {
        Phase::Provisioned
    })
}

impl Evaluation<'_> {
    /// The exit that is being followed; else the one that begins.
    fn exit(&self) -> Option<&ExitView> {
        let own = |e: &&ExitView| {
            e.scope == Scope::Application && e.application_uid.as_deref() == Some(&self.seen.meta.uid)
        };
        // What began is followed to its end, also while its inventory has to be put in order again.
        let followed = |e: &&ExitView| self.status.decommission.as_deref() == Some(&e.name);
        let begins = |e: &&ExitView| e.phase.is_some_and(|p| p != DecommissionPhase::Inventory);
        let open = |e: &&ExitView| !e.phase.is_some_and(DecommissionPhase::came_to_nothing);
        let mut open = self.seen.exits.iter().filter(own).filter(open);
        if self.status.phase == Some(Phase::Exiting) { open.find(followed) } else { open.find(begins) }
    }

    /// Whether its volumes are on their way: what becomes of each is in the exit's inventory, and said at its end.
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
        if let Some(calendar) = self.seen.ground.calendar() {
            self.life.pause(Obligation::GoLive, Party::Authority, "Exiting", calendar);
            self.life.pause(Obligation::GoLiveReport, Party::Authority, "Exiting", calendar);
        }
        self.life.record_event(LifecycleEvent::ExitBegun(exit.name), "department", Some(16));
        self.follow_exit();
    }

    /// Follows the exit to its end, or back to where the application was.
    pub(super) fn follow_exit(&mut self) {
        match self.exit().cloned() {
            None => {
                let name = self.status.decommission.take().unwrap_or_default();
                self.status.phase = Some(before_exit(&self.status));
                self.status.phase_before_exit = None;
                if let Some(calendar) = self.seen.ground.calendar() {
                    self.life.resume(Obligation::GoLive, calendar);
                    self.life.resume(Obligation::GoLiveReport, calendar);
                }
                self.life.record_event(LifecycleEvent::ExitEnded(name), "govcloud-operator", Some(16));
            }
            Some(exit) if exit.phase == Some(DecommissionPhase::Completed) => {
                self.status.phase = Some(Phase::Exited);
                for o in [Obligation::GoLive, Obligation::GoLiveReport] {
                    self.life.drop_clock(o, "Exited");
                }
                let at = exit.ended_at.unwrap_or(self.now);
                self.life.record_event_at(LifecycleEvent::Exited(exit.name), "provider", Some(16), at);
            }
            Some(_) => {}
        }
    }
}
