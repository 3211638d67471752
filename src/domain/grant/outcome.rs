//! What a grant comes to when nothing is left to write, or nothing may be: in force, waiting, refused, held up.

use super::{Evaluation, Gate, NamespaceSlot, restriction};
use crate::finding::Bilingual;
use crate::lifecycle_event::LifecycleEvent;
use crate::reason::Reason;
use crate::record::ReadyState;
use govcloud_api::application::TenantNamespace;
use govcloud_api::deadline::Party;
use govcloud_api::grant::{GrantPhase, Restriction};
use govcloud_api::record::WaitingFor;

impl Evaluation<'_> {
    /// Nothing is left to write: what is granted is in force.
    pub(super) fn rest(&mut self, gate: &Gate, places: &[NamespaceSlot<'_>]) {
        let spec = &self.seen.record.spec;
        match gate {
            Gate::InForce | Gate::Accepted => {
                if *gate == Gate::Accepted {
                    self.come_into_force();
                }
                self.in_force(places);
                self.life.wait_on(Party::None, None, None);
                self.life.set_ready_conditions(&ReadyState::Ready(
                    Reason::Active,
                    Bilingual::new("已按批准内容开通", "what was approved is in force"),
                ));
            }
            Gate::Ended => {
                if self.status.phase != Some(GrantPhase::Released) {
                    self.status.phase = Some(GrantPhase::Released);
                    self.life.record_event(LifecycleEvent::Released, "govcloud-operator", Some(16));
                }
                self.life.wait_on(Party::None, None, None);
                self.life.set_ready_conditions(&ReadyState::Ready(
                    Reason::Released,
                    Bilingual::new("应用已退出，工单已办结", "the application has exited"),
                ));
            }
            Gate::Waiting(why) => {
                let open = ReadyState::policies_violated(&self.seen.ground.integrity);
                let standing =
                    open.unwrap_or_else(|| ReadyState::Reconciling(Reason::AwaitingApproval, why.clone()));
                self.wait(Party::Authority, WaitingFor::Approval, &standing);
            }
            Gate::InUse(why) => {
                self.wait(
                    Party::Department,
                    WaitingFor::ReduceUse,
                    &ReadyState::Reconciling(Reason::BelowUse, why.clone()),
                );
            }
            Gate::Altered => {
                self.wait(Party::Authority, WaitingFor::Investigation, &ReadyState::spec_altered())
            }
            Gate::Refused(d) => self.refuse(d, &spec.approved.name.clone()),
        }
    }

    /// Nothing new is made; what is in force stays.
    fn wait(&mut self, party: Party, act: WaitingFor, standing: &ReadyState) {
        let active = self.status.in_force.is_some();
        self.status.phase = Some(if active { GrantPhase::Active } else { GrantPhase::Pending });
        self.life.wait_on(party, Some(act), None);
        self.life.set_ready_conditions(standing);
    }

    /// The grant comes into force.
    fn come_into_force(&mut self) {
        let spec = &self.seen.record.spec;
        self.status.in_force = Some(spec.approved.clone());
        self.status.in_force_since = Some(self.now.into());
        self.status.granted = spec.namespaces.clone().into();
        if let Some(earlier) = self.taken_over() {
            self.life.record_event(LifecycleEvent::GrantTakenOver(earlier), "govcloud-operator", Some(13));
        }
        self.life.record_event(LifecycleEvent::InForce(spec.approved.name.clone()), "provider", Some(13));
    }

    /// It is in force: where, and how far an exit restricts it.
    fn in_force(&mut self, places: &[NamespaceSlot<'_>]) {
        self.status.phase = Some(GrantPhase::Active);
        self.record(places);
        let restrictions = places.iter().map(|p| restriction(self.seen.exit.as_deref(), &p.name));
        let order = |r: &Restriction| match r {
            Restriction::None => 0,
            Restriction::HandingOver => 1,
            Restriction::Quiesced => 2,
        };
        // The least restricted namespace counts: quiesced means that every one is.
        let now = restrictions.min_by_key(order).unwrap_or_default();
        if now != self.status.restriction {
            self.status.restriction = now;
            self.life.record_event(LifecycleEvent::Restricted(now), "govcloud-operator", Some(16));
        }
    }

    /// Records the entries with the UIDs of their namespaces.
    fn record(&mut self, places: &[NamespaceSlot<'_>]) {
        let recorded = &self.status.namespaces;
        if places.len() == recorded.len() && places.iter().zip(&**recorded).all(|(p, n)| p.is(n)) {
            return;
        }
        let entry = |p: &NamespaceSlot<'_>| TenantNamespace {
            entry: p.granted.name.clone(),
            namespace: p.name.clone().into_owned(),
            uid: p.uid().map(str::to_owned),
        };
        self.status.namespaces = places.iter().map(entry).collect();
    }

    /// The grant is not what was approved: said, with each difference (Art. 13).
    fn refuse(&mut self, differences: &[String], approved: &str) {
        let text = differences.join("; ");
        let news = !self
            .life
            .status
            .conditions
            .iter()
            .any(|c| c.reason == Reason::Refused.as_ref() && c.message.contains(&text));
        if news {
            self.life.record_event(LifecycleEvent::Refused(text.clone()), "govcloud-operator", Some(13));
        }
        let active = self.status.in_force.is_some();
        self.status.phase = Some(if active { GrantPhase::Active } else { GrantPhase::Refused });
        self.life.wait_on(Party::Provider, Some(WaitingFor::CorrectGrant), None);
        let zh = format!(
            "工单与 {approved} 批准内容不符（工单 ≠ 批准）：{text}；可用 kubectl govcloud grant render 生成正确的工单"
        );
        let en = format!(
            "not what {approved} approved (grant ≠ approved): {text}; kubectl govcloud grant render prints the right one"
        );
        self.life.set_ready_conditions(&ReadyState::Stalled(Reason::Refused, Bilingual::new(zh, en)));
    }

    /// Held up by something that must be seen to.
    pub(super) fn hold(&mut self, gate: &Gate, standing: &ReadyState) {
        if self.status.phase.is_none() {
            self.status.phase = Some(if gate.accepts() { GrantPhase::Applying } else { GrantPhase::Pending });
        }
        self.life.wait_on(Party::Provider, Some(WaitingFor::Provision), None);
        self.life.set_ready_conditions(standing);
    }
}
