//! Outcomes of a grant when no write is left: in force, ended, waiting, refused or stalled (Art. 13, 15, 16).

use serde_json::json;

use super::order::taken_over_from;
use super::{Evaluation, Gate};
use crate::bilingual::bilingual;
use crate::digest::digest_of;
use crate::finding::Bilingual;
use crate::lifecycle_event::LifecycleEvent;
use crate::reason::Reason;
use crate::record::{Actor, OPERATOR, ReadyState};
use crate::tenancy::{TenancyOrder, TenancyReport};
use govcloud_api::adoption::Origin;
use govcloud_api::application::TenantNamespace;
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::deadline::Party;
use govcloud_api::grant::{GrantPhase, Restriction};
use govcloud_api::record::WaitingFor;

/// The restriction of an order. The least restricted namespace counts: quiesced means that every one is.
pub(super) fn restriction(order: &TenancyOrder) -> Restriction {
    order.namespaces.iter().map(|namespace| namespace.restriction).min().unwrap_or_default()
}

impl Evaluation<'_> {
    /// Nothing is left to write: the grant is in force, or waits.
    pub(super) fn settle(&mut self, gate: &Gate, order: &TenancyOrder, report: &TenancyReport) {
        let spec = &self.seen.record.spec;
        // Whatever the grant says now, what was granted is wound down on the way out (Art. 16).
        if self.status.in_force.is_some() && !order.namespaces.is_empty() && !gate.accepts() {
            self.record_restriction(order);
        }
        match gate {
            Gate::InForce | Gate::Accepted => {
                if *gate == Gate::Accepted {
                    self.come_into_force();
                }
                self.in_force(order, report);
                if self.await_use(order, report) {
                    return;
                }
                self.builder.wait_on(Party::None, None, None);
                self.builder.set_ready_conditions(&ReadyState::Ready(
                    Reason::Active,
                    Bilingual::new("已按批准内容开通", "what was approved is in force"),
                ));
            }
            Gate::Ended => {
                if self.status.phase != Some(GrantPhase::Released) {
                    self.status.phase = Some(GrantPhase::Released);
                    self.status.released_at = Some(self.now.into());
                    let article = self.status.in_force.as_ref().map(|_| 16);
                    self.builder.record_event(LifecycleEvent::Released, OPERATOR, article);
                }
                self.builder.wait_on(Party::None, None, None);
                let why = if self.status.in_force.is_some() {
                    Bilingual::new("应用已退出，工单已办结", "the application has exited")
                } else {
                    Bilingual::new(
                        "申请已撤回，工单不再执行，已办结",
                        "the application was withdrawn; the grant is not carried out",
                    )
                };
                self.builder.set_ready_conditions(&ReadyState::Ready(Reason::Released, why));
            }
            Gate::Waiting(why) => {
                let violated = ReadyState::policies_violated(&self.seen.region_context.integrity);
                let state = violated
                    .unwrap_or_else(|| ReadyState::Reconciling(Reason::AwaitingApproval, why.clone()));
                self.wait(Party::Authority, WaitingFor::Approval, &state);
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
    fn wait(&mut self, party: Party, act: WaitingFor, state: &ReadyState) {
        let active = self.status.in_force.is_some();
        self.status.phase = Some(if active { GrantPhase::Active } else { GrantPhase::Pending });
        self.builder.wait_on(party, Some(act), None);
        self.builder.set_ready_conditions(state);
    }

    /// The grant comes into force.
    fn come_into_force(&mut self) {
        let spec = &self.seen.record.spec;
        self.status.in_force = Some(spec.approved.clone());
        self.status.in_force_since = Some(self.now.into());
        self.status.granted = spec.namespaces.clone();
        self.status.access = spec.access.clone();
        if let Some(earlier) = taken_over_from(self.seen) {
            self.builder.record_event(LifecycleEvent::GrantTakenOver(earlier), OPERATOR, Some(13));
        }
        let event = LifecycleEvent::InForce(spec.approved.name.clone());
        self.builder.record_event(event, Actor::operator_for(Party::Provider), Some(self.article()));
    }

    /// Records the namespaces of a grant in force, and their restriction by an exit (Art. 16).
    fn in_force(&mut self, order: &TenancyOrder, report: &TenancyReport) {
        self.status.phase = Some(GrantPhase::Active);
        self.set_counted_condition(report);
        let adopted = |entry: &str| order.namespaces.iter().any(|n| n.entry == entry && n.adoption.is_some());
        let namespaces = report.namespaces.iter().map(|namespace| TenantNamespace {
            entry: namespace.entry.clone(),
            namespace: namespace.name.clone(),
            uid: namespace.uid.clone(),
            origin: adopted(&namespace.entry).then_some(Origin::Adopted),
        });
        self.status.namespaces = namespaces.collect();
        self.record_adoption(order, report);
        self.record_restriction(order);
    }

    /// Records the restriction of the namespaces by an exit (Art. 16).
    fn record_restriction(&mut self, order: &TenancyOrder) {
        let restriction = restriction(order);
        if restriction != self.status.restriction {
            self.status.restriction = restriction;
            self.builder.record_event(LifecycleEvent::Restricted(restriction), OPERATOR, Some(16));
        }
    }

    /// Sets `QuotaCounted`, from the first key on under which Kubernetes counts nothing.
    fn set_counted_condition(&mut self, report: &TenancyReport) {
        let keys = report.namespaces.iter().filter(|n| !n.not_counted.is_empty());
        let keys: Vec<String> = keys.map(|n| format!("{}: {}", n.name, n.not_counted.join(", "))).collect();
        let type_ = ConditionType::QuotaCounted;
        if !keys.is_empty() {
            let list = keys.join("; ");
            let text = bilingual!(
                "Kubernetes 未统计以下配额项：{list}。该资源不存在，或其 CRD 在配额之后安装；统计前，此类对象一律不能创建（最长五分钟自动重新统计）。请核对拼写，必要时申请变更",
                "Kubernetes does not count these quota keys: {list}. There is no such resource, or its CRD came after the quota; until it is counted, every such object is refused (Kubernetes counts again within five minutes). Check the spelling, and file a change if it is wrong"
            );
            self.builder.condition(type_, ConditionStatus::False, Reason::QuotaNotCounted, &text);
        } else if self.builder.has_condition(type_) {
            let text = Bilingual::new("各配额项均已统计", "every key of the quota is counted");
            self.builder.condition(type_, ConditionStatus::True, Reason::QuotaCounted, &text);
        }
    }

    /// The grant is not what was approved (Art. 13, 15): reported once with each difference, for as long as the
    /// differences are the same. The message may be cut; the digest is of all of them.
    fn refuse(&mut self, differences: &[String], approved: &str) {
        let text = differences.join("; ");
        let digest = digest_of(&json!(differences)).expect("every JSON value has a canonical form");
        if self.refused_before.as_ref() != Some(&digest) {
            self.builder.record_event(LifecycleEvent::Refused(text.clone()), OPERATOR, Some(self.article()));
        }
        self.status.refusal_digest = Some(digest);
        let active = self.status.in_force.is_some();
        self.status.phase = Some(if active { GrantPhase::Active } else { GrantPhase::Refused });
        self.builder.wait_on(Party::Provider, Some(WaitingFor::CorrectGrant), None);
        let zh = format!(
            "工单与 {approved} 批准内容不符（工单 ≠ 批准）：{text}；可用 kubectl govcloud grant render 生成正确的工单"
        );
        let en = format!(
            "not what {approved} approved (grant ≠ approved): {text}; kubectl govcloud grant render prints the right one"
        );
        self.builder.set_ready_conditions(&ReadyState::Stalled(Reason::Refused, Bilingual::new(zh, en)));
    }

    /// Stalled by something that people must look into.
    pub(super) fn stall(&mut self, gate: &Gate, state: &ReadyState) {
        if self.status.phase.is_none() {
            self.status.phase = Some(if gate.accepts() { GrantPhase::Applying } else { GrantPhase::Pending });
        }
        self.builder.wait_on(Party::Provider, Some(WaitingFor::Provision), None);
        self.builder.set_ready_conditions(state);
    }
}
