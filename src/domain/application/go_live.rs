//! Go-live and its report (Art. 14).

use super::Evaluation;
use crate::finding::Finding;
use crate::lifecycle_event::LifecycleEvent;
use crate::record::Actor;
use govcloud_api::application::{ApplicationPhase as Phase, GoLive};
use govcloud_api::deadline::{Obligation, Party};

impl Evaluation<'_> {
    /// 上线 and its report (Art. 14).
    pub(super) fn go_live(&mut self, findings: &[Finding]) {
        if let Some((_, grant)) = &self.seen.grant
            && let Some(status) = &grant.status
            && !status.namespaces.is_empty()
        {
            self.status.namespaces = status.namespaces.clone();
        }
        self.follow_adoption();
        let Some(go_live) = &self.seen.record.spec.go_live else { return };
        if self.seen.region_context.counting().is_none() {
            return;
        }
        for finding in findings {
            match finding {
                Finding::GoLiveInFuture(at) => {
                    self.builder.wake = Some(*at);
                    return;
                }
                Finding::GoLiveBeforeProvisioning(_) => return,
                _ => {}
            }
        }
        self.accept_go_live(go_live);
    }

    /// Accepts the go-live time, and the report once it is there.
    fn accept_go_live(&mut self, go_live: &GoLive) {
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        let at = go_live.at.timestamp();
        if self.status.live_at.is_none() {
            self.status.live_at = Some(go_live.at);
            self.status.phase = Some(Phase::Live);
            self.builder.record_event(
                LifecycleEvent::WentLive(at),
                Actor::unnamed(Party::Department),
                Some(14),
            );
            self.builder.meet(Obligation::GoLive, at, calendar);
            // A reattached system was live before; its report is due from here on.
            let from = self.status.provisioned_at.map_or(at, |p| p.timestamp().max(at));
            let days = region.working_days.go_live_report;
            self.builder.start_clock(Obligation::GoLiveReport, days, from, calendar);
        }
        if go_live.test_report.is_some() && self.status.reported_at.is_none() {
            self.status.reported_at = Some(self.now.into());
            self.builder.record_event(LifecycleEvent::Reported, Actor::unnamed(Party::Department), Some(14));
            self.builder.meet(Obligation::GoLiveReport, self.now, calendar);
        }
    }
}
