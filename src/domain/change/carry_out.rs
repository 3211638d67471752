//! An approved resource adjustment, carried out through the grant (Art. 15).

use serde_json::json;

use super::{Evaluation, merged, of_entry};
use crate::bilingual::bilingual;
use crate::decision;
use crate::finding::Bilingual;
use crate::grant::work_order;
use crate::lifecycle_event::LifecycleEvent;
use crate::plan::{Precondition, RequiredReads, Step, Target, Write};
use crate::reason::Reason;
use crate::record::{Actor, ClosedReason, Meta, OPERATOR, PauseReason, ReadyState, stalled};
use crate::region_context::Reread;
use crate::tenancy::quota::QuotaUse;
use crate::tenancy::quota_delta::{BelowUse, is_judged, lowered_below_use};
use govcloud_api::application::ApplicationPhase;
use govcloud_api::change::ChangePhase as Phase;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::grant::{ApprovalKind, GrantPhase, GrantedNamespace, ResourceGrant};
use govcloud_api::record::WaitingFor;
use govcloud_api::resources;

impl Evaluation<'_> {
    /// Approved: the provider is notified and its clock starts (Art. 15), or maintenance is scheduled (Art. 18).
    pub(super) fn approved(&mut self) {
        if let Some(maintenance) = &self.maintenance {
            maintenance.schedule(&mut self.builder, &mut self.status);
        }
        let Some(asked) = self.seen.record.spec.resource_adjustment.as_ref() else { return };
        self.status.before = self.in_force();
        self.status.after = merged(&self.status.before, asked);
        self.status.access_after = asked.access.clone().or_else(|| self.access_in_force().cloned());
        self.status.application_uid = self.seen.application.as_ref().map(|(m, _)| m.uid.clone());
        self.status.phase = Some(Phase::Applying);
        self.builder.record_notice(15);
        self.keep_clock();
        self.wait_for_use();
    }

    /// The provider's clock; it starts late, from the same instant, where there was no calendar.
    fn keep_clock(&mut self) {
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        let (days, notified) = (region.working_days.change, self.builder.notified_at());
        self.builder.start_clock(Obligation::Change, days, notified, calendar);
    }

    /// Namespaces with their quota before and after, and the use of what exists.
    fn adjusted(&self) -> impl Iterator<Item = (&GrantedNamespace, &GrantedNamespace, &QuotaUse)> {
        self.status.after.iter().filter_map(|after| {
            let (_, used) = self.seen.used.iter().find(|(entry, _)| *entry == after.name)?;
            Some((of_entry(&self.status.before, &after.name)?, after, used))
        })
    }

    /// Values that are lowered below what is used now: a shrink waits for the department (design, section 5).
    pub(super) fn below_use(&self) -> Vec<String> {
        let below = self.adjusted().filter_map(|(before, after, live)| {
            let below = lowered_below_use(&before.quota.0, &after.quota.0, &live.used).ok()?;
            let line = |b: BelowUse| format!("{} {}: {} < {}", after.name, b.key, b.new, b.used);
            Some(below.into_iter().map(line).collect::<Vec<_>>())
        });
        below.flatten().collect()
    }

    /// Returns true once the use of all that is limited for the first time was counted.
    fn is_use_counted(&self) -> bool {
        self.adjusted().all(|(before, after, live)| is_judged(&before.quota.0, &after.quota.0, live))
    }

    /// Carries an approved adjustment out: through the grant, which has its own gate (Art. 15).
    pub(super) fn apply(&mut self) -> Result<Vec<Step>, Reread> {
        self.keep_clock();
        if !self.application_allows() {
            return Ok(Vec::new());
        }
        let (Some((grant_meta, grant)), Some(decision)) =
            (&self.seen.grant, decision::approved(&self.builder.status, &self.seen.meta.digest).cloned())
        else {
            return Ok(Vec::new());
        };
        let mine = grant.spec.approved.kind == ApprovalKind::ChangeRequest
            && grant.spec.approved.uid == self.seen.meta.uid;
        let in_force = grant.status.as_ref().is_some_and(|s| {
            s.phase == Some(GrantPhase::Active)
                && s.in_force.as_ref().is_some_and(|a| a.uid == self.seen.meta.uid)
        });
        if in_force {
            self.completed(grant);
            return Ok(Vec::new());
        }
        if !self.wait_for_use() || !self.is_use_counted() {
            return Ok(Vec::new());
        }
        if mine || !self.seen.region_context.automatic() || !self.seen.region_context.intact() {
            return Ok(Vec::new());
        }
        self.seen.region_context.require(RequiredReads::RECORDS)?;
        let Meta { name, uid, .. } = &self.seen.meta;
        let approved = work_order::approval(ApprovalKind::ChangeRequest, name, uid, &decision);
        let body = json!({ "spec": {
            "approved": approved, "namespaces": self.status.after, "access": self.status.access_after,
        } });
        let precondition = Precondition {
            uid: grant_meta.uid.clone(),
            resource_version: grant_meta.resource_version.clone(),
        };
        let target = Target::namespaced(resources::RESOURCE_GRANT, &grant_meta.namespace, &grant_meta.name);
        Ok(vec![Step::Write(vec![Write::Patch(target, precondition, body)])])
    }

    /// Returns true if current use allows the new values; until then the provider's clock is paused.
    fn wait_for_use(&mut self) -> bool {
        let below = self.below_use();
        let calendar = self.seen.region_context.calendar();
        match (below.is_empty(), self.status.below_use_since.is_some()) {
            (true, true) => {
                self.status.below_use_since = None;
                self.builder.record_event(LifecycleEvent::UseFell, OPERATOR, Some(15));
                if let Some(c) = calendar {
                    self.builder.resume(Obligation::Change, c);
                }
            }
            (false, false) => {
                self.status.below_use_since = Some(self.now.into());
                self.builder.record_event(LifecycleEvent::BelowUse(below.join("; ")), OPERATOR, Some(15));
                if let Some(c) = calendar {
                    self.builder.pause(Obligation::Change, Party::Department, PauseReason::BelowUse, c);
                }
            }
            (true, false) | (false, true) => {}
        }
        below.is_empty()
    }

    /// Returns true unless the application is exiting or was replaced; the clock is paused during an exit (Art. 16).
    fn application_allows(&mut self) -> bool {
        let calendar = self.seen.region_context.calendar();
        // With the application missing nothing is written (S3); of one that was filed anew nothing was approved here (S1).
        let Some((application, _)) = &self.seen.application else { return false };
        let another = self.status.application_uid.as_ref().is_some_and(|u| *u != application.uid);
        match self.application_phase() {
            _ if another => self.overtaken(ClosedReason::FiledAnew, 15),
            Some(ApplicationPhase::Exited) => self.overtaken(ClosedReason::Exited, 16),
            Some(ApplicationPhase::Exiting) => {
                if let Some(c) = calendar {
                    self.builder.pause(Obligation::Change, Party::Authority, PauseReason::Exiting, c);
                }
                false
            }
            _ => {
                match (calendar, self.status.below_use_since) {
                    (Some(c), None) => self.builder.resume(Obligation::Change, c),
                    // After an exit that came to nothing the department is waited on again.
                    (Some(c), Some(_)) => {
                        self.builder.pause(Obligation::Change, Party::Department, PauseReason::BelowUse, c);
                    }
                    (None, _) => {}
                }
                true
            }
        }
    }

    /// Ends a change that its application can no longer take.
    fn overtaken(&mut self, why: ClosedReason, article: i32) -> bool {
        self.builder.drop_clock(Obligation::Change, why);
        self.builder.record_event(LifecycleEvent::Overtaken, OPERATOR, Some(article));
        self.status.phase = Some(Phase::Withdrawn);
        false
    }

    /// 变更完成: the provider's clock is met (Art. 15).
    fn completed(&mut self, grant: &ResourceGrant) {
        let at = grant.status.as_ref().and_then(|s| s.in_force_since).map_or(self.now, |t| t.timestamp());
        self.status.phase = Some(Phase::Completed);
        self.status.applied_at = Some(at.into());
        self.builder.record_event_at(
            LifecycleEvent::Applied,
            Actor::operator_for(Party::Provider),
            Some(15),
            at,
        );
        if let Some(calendar) = self.seen.region_context.calendar() {
            self.builder.resume(Obligation::Change, calendar);
            self.builder.meet(Obligation::Change, at, calendar);
        }
    }

    /// Ready state of a change that is being carried out.
    pub(super) fn applying(&self, below: &[String]) -> ReadyState {
        if self.application_phase() >= Some(ApplicationPhase::Exiting) {
            let text = Bilingual::new(
                "应用正在退出，变更暂不实施",
                "the application is exiting; the change is on hold",
            );
            return ReadyState::Stalled(Reason::ApplicationExiting, text);
        }
        if let Some(t) = &self.seen.region_context.trouble {
            return ReadyState::write_failed(t);
        }
        if !below.is_empty() {
            let list = below.join("; ");
            return ReadyState::Reconciling(
                Reason::BelowUse,
                bilingual!(
                    "申请值低于现用量，请先减少用量：{list}",
                    "the request is below what is used; reduce use first: {list}"
                ),
            );
        }
        if let Some(violated) = ReadyState::policies_violated(&self.seen.region_context.integrity) {
            return violated;
        }
        if let Some(held) = self.held_grant() {
            return held;
        }
        if !self.seen.region_context.automatic() {
            return self.awaiting_grant();
        }
        ReadyState::Reconciling(
            Reason::Applying,
            Bilingual::new(
                "政务云服务提供方正在变更资源（第十五条）",
                "the change is being carried out (Art. 15)",
            ),
        )
    }

    /// State of a change whose grant is held up: its people look here, and not at the grant.
    fn held_grant(&self) -> Option<ReadyState> {
        let (_, grant) = self.seen.grant.as_ref()?;
        let approved = &grant.spec.approved;
        let record = &grant.status.as_ref()?.record;
        let held = stalled(record).filter(|_| approved.name == self.seen.meta.name)?;
        if record.waiting_for == Some(WaitingFor::CorrectGrant) {
            let (application, command) = (self.application(), self.render_command());
            let text = bilingual!(
                "工单与批准内容不符，差异见 ResourceGrant {application}；正确的工单：{command}",
                "the grant is not what was approved; ResourceGrant {application} says where; the right one: {command}"
            );
            return Some(ReadyState::Stalled(Reason::GrantStalled, text));
        }
        if approved.kind != ApprovalKind::ChangeRequest {
            return None;
        }
        let Bilingual { zh, en } = Bilingual::read(&held.message);
        let text = Bilingual::new(
            format!("工单受阻（{}）：{zh}", held.reason),
            format!("the grant is held up ({}): {en}", held.reason),
        );
        Some(ReadyState::Stalled(Reason::GrantStalled, text))
    }

    /// Name of the application that is changed.
    fn application(&self) -> &str {
        self.seen.record.spec.resource_adjustment.as_ref().map_or("", |asked| asked.application.as_str())
    }

    /// The command that prints the right work order.
    fn render_command(&self) -> String {
        format!("kubectl govcloud grant render {} --change {}", self.application(), self.seen.meta.name)
    }

    /// The provider is to apply the work order.
    fn awaiting_grant(&self) -> ReadyState {
        let command = self.render_command();
        ReadyState::Reconciling(
            Reason::AwaitingGrant,
            bilingual!(
                "已通知政务云服务提供方，等待工单（第十五条）；工单内容：{command}",
                "the provider was notified; its grant is awaited (Art. 15); the work order: {command}"
            ),
        )
    }
}
