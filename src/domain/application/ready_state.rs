//! Ready conditions of an application, and the awaited party.

use super::Evaluation;
use crate::bilingual::bilingual;
use crate::compliance::duty;
use crate::finding::{Bilingual, Finding};
use crate::reason::Reason;
use crate::record::{ReadyState, stalled};
use govcloud_api::application::ApplicationPhase as Phase;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::record::WaitingFor;

impl Evaluation<'_> {
    /// Sets the awaited act and the ready conditions.
    pub(super) fn set_ready_conditions(&mut self, findings: &[Finding]) {
        let phase = self.status.phase.unwrap_or(Phase::Submitted);
        let pressing = duty::pressing(&self.builder);
        let (party, act, clock) = match phase {
            Phase::Submitted if !findings.is_empty() => {
                (Party::Department, Some(WaitingFor::Correction), None)
            }
            Phase::Submitted if self.builder.invalid_decision() => {
                (Party::Authority, Some(WaitingFor::NewDecision), None)
            }
            Phase::Submitted => (Party::Authority, Some(WaitingFor::Decision), Some(Obligation::Review)),
            Phase::Returned => (Party::Department, Some(WaitingFor::Correction), None),
            Phase::Provisioning | Phase::Provisioned | Phase::Live if self.altered() => {
                (Party::Authority, Some(WaitingFor::Investigation), None)
            }
            Phase::Provisioned | Phase::Live if self.builder.undecided() => {
                (Party::Authority, Some(WaitingFor::NewDecision), None)
            }
            Phase::Provisioning => {
                (Party::Provider, Some(WaitingFor::Provision), Some(Obligation::Provision))
            }
            Phase::Provisioned => (Party::Department, Some(WaitingFor::GoLive), Some(Obligation::GoLive)),
            Phase::Live if self.status.reported_at.is_none() => {
                (Party::Department, Some(WaitingFor::GoLiveReport), Some(Obligation::GoLiveReport))
            }
            Phase::Live if pressing.is_some() => {
                (Party::Department, Some(WaitingFor::ComplianceRecord), pressing)
            }
            Phase::Exiting => (Party::None, Some(WaitingFor::Decommission), None),
            Phase::Live | Phase::Rejected | Phase::Withdrawn | Phase::Exited => (Party::None, None, None),
        };
        self.builder.wait_on(party, act, clock);
        let held = match phase {
            Phase::Submitted => {
                ReadyState::before_decision(findings, &self.builder.status, &self.seen.region_context)
            }
            Phase::Provisioning | Phase::Provisioned | Phase::Live if self.altered() => {
                Some(ReadyState::spec_altered())
            }
            Phase::Provisioned | Phase::Live if self.builder.undecided() => {
                Some(ReadyState::decision_invalid())
            }
            Phase::Provisioned | Phase::Live => self.lost_namespaces(),
            _ => None,
        };
        self.builder.set_ready_conditions(&held.unwrap_or_else(|| self.state(phase)));
    }

    /// Ready state in each phase.
    fn state(&self, phase: Phase) -> ReadyState {
        match phase {
            Phase::Submitted => match self.found_text() {
                Some(text) => ReadyState::Reconciling(Reason::AwaitingReattach, text),
                None => ReadyState::Reconciling(
                    Reason::AwaitingDecision,
                    Bilingual::new(
                        "等待主管部门审核（第十二条）",
                        "awaiting the authority's review (Art. 12)",
                    ),
                ),
            },
            Phase::Returned => ReadyState::Reconciling(
                Reason::Returned,
                Bilingual::new(
                    "已退回，等待使用部门补正（第十二条）",
                    "returned; awaiting correction by the department (Art. 12)",
                ),
            ),
            Phase::Rejected => ReadyState::Stalled(
                Reason::Rejected,
                Bilingual::new("主管部门不同意（第十二条）", "rejected by the authority (Art. 12)"),
            ),
            Phase::Withdrawn => ReadyState::Stalled(
                Reason::Withdrawn,
                Bilingual::new("使用部门已撤回", "withdrawn by the department"),
            ),
            Phase::Provisioning => self.provisioning_state(),
            Phase::Provisioned => ReadyState::Ready(
                Reason::Provisioned,
                Bilingual::new(
                    "资源已开通，等待部署上线（第十四条）",
                    "provisioned; awaiting go-live (Art. 14)",
                ),
            ),
            Phase::Live => ReadyState::Ready(Reason::Live, Bilingual::new("已上线运行", "live")),
            // The record is as it should be: what is under way, or held up, is on the Decommission. Workloads are not
            // held up by an exit that waits for its consent (docs/decisions/0082-*).
            Phase::Exiting => {
                let name = self.status.decommission.as_deref().unwrap_or_default();
                ReadyState::Ready(
                    Reason::Exiting,
                    bilingual!("退出中，见 Decommission {name}", "exiting; see Decommission {name}"),
                )
            }
            Phase::Exited => ReadyState::Ready(
                Reason::Exited,
                Bilingual::new("已退出，资源已收回（第十六条）", "exited; resources are reclaimed (Art. 16)"),
            ),
        }
    }

    /// State of an application in use that lost tenant namespaces, by name: they are not made again by themselves (S3).
    fn lost_namespaces(&self) -> Option<ReadyState> {
        let (_, grant) = self.seen.grant.as_ref()?;
        let own = grant.spec.application.uid == self.seen.meta.uid;
        let held = grant.status.as_ref().filter(|_| own).and_then(|s| stalled(&s.record))?;
        let reasons = [Reason::NamespaceLost, Reason::NamespaceTerminating, Reason::NamespaceTaken];
        let reason = reasons.into_iter().find(|r| held.reason == r.as_ref())?;
        let live = |uid: &String| self.seen.existing.iter().any(|e| e.uid == *uid && !e.deleting);
        let lost = self.status.namespaces.iter().filter(|n| !n.uid.as_ref().is_some_and(live));
        let names = lost.map(|n| n.namespace.as_str()).collect::<Vec<_>>().join(", ");
        let text = bilingual!(
            "命名空间 {names} 已不存在或正在被删除，不会自动重建；请主管部门与使用部门核实，数据卷仍保留，可照常申请退出",
            "namespace {names} is gone or is being deleted and is not made again by itself; the authority and the department must look into it. Its volumes are kept, and the application can exit"
        );
        Some(ReadyState::Stalled(reason, text))
    }

    /// Ready state while the application is provisioned.
    fn provisioning_state(&self) -> ReadyState {
        if let Some(t) = &self.seen.region_context.trouble {
            return ReadyState::write_failed(t);
        }
        let Some((_, grant)) = &self.seen.grant else {
            // The operator's own grant follows at once: that is not worth a status of its own.
            if self.seen.region_context.automatic() {
                return provisioning();
            }
            let command = format!("kubectl govcloud grant render {}", self.seen.meta.name);
            let text = bilingual!(
                "已通知政务云服务提供方，等待工单（第十三条）；工单内容：{command}",
                "the provider was notified; its grant is awaited (Art. 13); the work order: {command}"
            );
            return ReadyState::Reconciling(Reason::AwaitingGrant, text);
        };
        if grant.spec.application.uid != self.seen.meta.uid
            && !self.may_take_over(grant)
            && !self.is_left_over(grant)
        {
            let text = Bilingual::new(
                "同名 ResourceGrant 属于另一申请，须由主管部门归档移除后才能开通",
                "the ResourceGrant of this name is another application's; the authority must archive and remove it first",
            );
            return ReadyState::Stalled(Reason::GrantOfAnother, text);
        }
        match grant.status.as_ref().and_then(|s| stalled(&s.record)) {
            Some(c) => {
                let text = Bilingual::new(
                    format!("工单受阻（{}），见同名 ResourceGrant", c.reason),
                    format!("the grant is held up ({}); see the ResourceGrant of the same name", c.reason),
                );
                ReadyState::Stalled(Reason::GrantStalled, text)
            }
            None => provisioning(),
        }
    }
}

/// Ready state while the provider is at work.
fn provisioning() -> ReadyState {
    let text = Bilingual::new(
        "政务云服务提供方正在开通资源（第十三条）",
        "resources are being provisioned (Art. 13)",
    );
    ReadyState::Reconciling(Reason::Provisioning, text)
}
