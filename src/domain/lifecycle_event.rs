//! Events of a record's lifecycle: each becomes one timeline entry, and is in the note of one Event (S12).

use jiff::Timestamp;
use jiff::civil::Date;
use strum::{AsRefStr, EnumDiscriminants, EnumIter, EnumString, IntoStaticStr};

use super::calendar::CHINA;
use super::deadline::{Moved, Notice, NoticeKind};
use crate::bilingual::{Bilingual, bilingual};
use govcloud_api::adoption::Facet;
use govcloud_api::change::{Impact, MaintenanceResult};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::grant::Restriction;
use govcloud_api::record::Verdict;

/// One lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(EventKind),
    doc = "Word of a lifecycle event: the timeline's `event`; of a main step the Event's `reason`.",
    derive(AsRefStr, EnumIter, EnumString, IntoStaticStr),
    allow(missing_docs)
)]
pub enum LifecycleEvent {
    /// 提出申请 (Art. 11, 15, 16, 18).
    Submitted,
    /// Correction of a returned record, with its generation (Art. 12).
    Resubmitted(i64),
    /// Change of the spec before a decision, with its generation.
    Amended(i64),
    /// Change of phase that no other event explains.
    PhaseChanged(&'static str),
    /// Approval with its opinion (Art. 12).
    Approved(Option<String>),
    /// Rejection with its opinion (Art. 12).
    Rejected(Option<String>),
    /// Return for correction with its opinion (Art. 12).
    Returned(Option<String>),
    /// Decision that is invalid, with the reason.
    DecisionVoid(Bilingual),
    /// Removal of an invalid decision; a new one can be made.
    DecisionCleared,
    /// Change of the spec after its approval (S7).
    SpecAltered,
    /// Withdrawal by the department.
    Withdrawn,
    /// Withdrawal that does not count, because provisioning had begun.
    WithdrawnTooLate,
    /// End of a change whose application exited or was filed anew.
    Overtaken,
    /// 通知政务云服务提供方: the work order is published, the provider's period begins (Art. 13, 15, 16).
    Notified,
    /// 开通完成 (Art. 13).
    Provisioned,
    /// Discovery of namespaces that an earlier record of this name left, by name and UID.
    NamespacesFound(String),
    /// Reattachment of those namespaces on the authority's decision.
    Reattached(String),
    /// Marking of running systems' namespaces as this application's, by name and UID (Art. 3).
    Adopted(String),
    /// Facet up to which the rules for tenants are enforced in adopted namespaces (Art. 3).
    Enforced(Facet),
    /// Transfer of a grant from the earlier record with this UID.
    GrantTakenOver(String),
    /// 上线 (Art. 14).
    WentLive(Timestamp),
    /// Receipt of the test report (Art. 14).
    Reported,
    /// Filing of an exit.
    ExitBegun(String),
    /// Rejection or withdrawal of the exit.
    ExitEnded(String),
    /// 已退出 (Art. 16).
    Exited(String),
    /// Arrival of a work order (Art. 13).
    GrantReceived,
    /// Entry into force of a grant (Art. 13).
    InForce(String),
    /// Refusal of a grant that differs from its approval, with the differences.
    Refused(String),
    /// Restriction of the namespaces by an exit.
    Restricted(Restriction),
    /// End of the grant.
    Released,
    /// Completion of a change (Art. 15).
    Applied,
    /// Hold of a reduction below current use.
    BelowUse(String),
    /// End of that hold.
    UseFell,
    /// Publication of an inventory: digest and length (Art. 23).
    InventoryPublished(String, usize),
    /// Consent of the department to a digest (Art. 23).
    Consented(String),
    /// Loss of the consent, because the inventory changed.
    ConsentVoid,
    /// Change of the inventory after the approval, which holds the exit: the differences (Art. 23).
    InventoryChanged(String),
    /// End of that hold: the inventory is as consented again.
    InventoryAsConsented,
    /// The department's receipt for a volume (Art. 28).
    HandedOver(String),
    /// The department's acknowledgement that a volume to be retained is gone (Art. 23).
    LossAcknowledged(String),
    /// A person's announcement to delete a volume by hand, with the volume's name.
    RemovalAnnounced(String),
    /// Start of reclaiming, after which there is no way back (Art. 16).
    Reclaiming,
    /// End of reclaiming, with the certificate's digest.
    Reclaimed(String),
    /// Announcement of maintenance: name, start, end, impact (Art. 18).
    MaintenanceScheduled(String, Timestamp, Timestamp, Impact),
    /// Approval of maintenance that was seen fewer than so many working days before its window.
    NoticeShort(i32),
    /// Start of maintenance.
    MaintenanceStarted(String),
    /// The provider's report on maintenance.
    MaintenanceReported(String, MaintenanceResult, String),
    /// Disappearance of the record of an announced maintenance.
    MaintenanceGone(String),
    /// Start of a clock: obligation, party, due date, whether provisional.
    ClockStarted(Obligation, Party, Date, bool),
    /// Move of a due date (S8).
    DeadlineMoved(Moved),
    /// Move of a due date that is only recorded, because the obligation is over.
    DeadlineKept(Moved),
    /// Warning at half of the period.
    HalfLeft(Notice),
    /// Warning at one working day left.
    LastDay(Notice),
    /// Report that the period is over.
    Overdue(Notice),
    /// Fulfilment of an obligation, with the working days that it was late.
    Met(Obligation, Option<i32>),
    /// A department's statement of a month was made (Art. 26).
    StatementMade(String),
    /// A bill was computed: total and currency.
    BillComputed(String, String),
    /// Facts are missing for a bill: how many.
    BillIncomplete(usize),
    /// The department confirmed a digest (Art. 6, 26).
    Confirmed(String),
    /// A confirmation does not count any more: the bill is another one.
    ConfirmationVoid,
    /// A party objects, with the reason: the provider to a statement (Art. 26), the assessed party to an assessment.
    Objected(String),
    /// The provider took its objection back.
    ObjectionWithdrawn,
    /// A statement is settled: total and currency (Art. 26).
    Settled(String, String),
    /// The year's fees are above the ceiling: fees and ceiling (Art. 7).
    BudgetExceeded(String, String),
    /// Record of a compliance document that counts from now on (Art. 17, 19, 21, 22, 24).
    Recorded,
    /// End of a compliance document's validity, with its last day.
    Expired(Date),
    /// Filing of an inspection, with the number of its findings (Art. 25).
    FindingsIssued(usize),
    /// Answer of the inspected party to a finding, with its id (Art. 25).
    Responded(String),
    /// Facts of an assessment, with their digest (Art. 27, 29).
    FactsTaken(String),
    /// Scores of every criterion, with their total: the assessed party may object (Art. 27, 29).
    Scored(String),
    /// Answer of the authority to an objection (Art. 27, 29).
    ObjectionAnswered(String),
    /// End of the period for objections (Art. 27, 29).
    ObjectionPeriodEnded,
    /// 通报: publication of an assessment, with its total (Art. 27, 29).
    Published(String),
}

/// Formats an instant in China's time.
fn clock(at: Timestamp) -> impl std::fmt::Display {
    CHINA.to_datetime(at).strftime("%Y-%m-%d %H:%M")
}

/// Wording of a decision with its opinion; an opinion that repeats the verdict is left out.
fn decision_text(zh: &str, en: &str, opinion: Option<&str>) -> Bilingual {
    match opinion.filter(|o| !["", zh, en].contains(&o.trim())) {
        Some(o) => bilingual!("{zh}：{o}", "{en}: {o}"),
        None => Bilingual::new(zh, en),
    }
}

/// Wording of an impact.
fn impact_text(impact: Impact) -> (&'static str, &'static str) {
    match impact {
        Impact::None => ("预计无影响", "no impact is expected"),
        Impact::Degraded => ("期间变慢或短时中断", "slower, with short interruptions"),
        Impact::Outage => ("期间不可用", "not available meanwhile"),
    }
}

/// Wording of a maintenance result.
fn result_text(result: MaintenanceResult) -> (&'static str, &'static str) {
    match result {
        MaintenanceResult::Succeeded => ("按计划完成", "went as planned"),
        MaintenanceResult::RolledBack => ("已按应急预案回退", "was rolled back by the contingency plan"),
        MaintenanceResult::Failed => ("失败", "failed"),
    }
}

impl LifecycleEvent {
    /// The event of a decision.
    #[must_use]
    pub fn decided(verdict: Verdict, opinion: Option<String>) -> Self {
        match verdict {
            Verdict::Approved => Self::Approved(opinion),
            Verdict::Rejected => Self::Rejected(opinion),
            Verdict::Returned => Self::Returned(opinion),
        }
    }

    /// The event of a moved due date.
    #[must_use]
    pub fn moved(moved: Moved) -> Self {
        if moved.applied { Self::DeadlineMoved(moved) } else { Self::DeadlineKept(moved) }
    }

    /// The event of a report about a deadline.
    #[must_use]
    pub fn due(notice: Notice) -> Self {
        match notice.kind {
            NoticeKind::Half => Self::HalfLeft(notice),
            NoticeKind::LastDay => Self::LastDay(notice),
            NoticeKind::Overdue => Self::Overdue(notice),
        }
    }

    /// One CamelCase word: the timeline's `event`; of a main step the Event's `reason`.
    #[must_use]
    pub fn event(&self) -> &'static str {
        EventKind::from(self).into()
    }

    /// Returns true if it calls for attention: its Event is a Warning.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        use EventKind as E;
        match self {
            Self::MaintenanceReported(_, result, _) => *result != MaintenanceResult::Succeeded,
            _ => matches!(
                EventKind::from(self),
                E::DecisionVoid
                    | E::NamespacesFound
                    | E::SpecAltered
                    | E::WithdrawnTooLate
                    | E::Overtaken
                    | E::Refused
                    | E::BelowUse
                    | E::ConsentVoid
                    | E::InventoryChanged
                    | E::RemovalAnnounced
                    | E::LossAcknowledged
                    | E::HalfLeft
                    | E::LastDay
                    | E::Overdue
                    | E::NoticeShort
                    | E::MaintenanceGone
                    | E::Expired
                    | E::FindingsIssued
                    | E::Rejected
                    | E::Returned
                    | E::BillIncomplete
                    | E::ConfirmationVoid
                    | E::Objected
                    | E::BudgetExceeded
            ),
        }
    }

    /// Wording in the note of the Event that is written before the status that records this. It names no digest that exists with that status
    /// alone: if the status is refused because the record changed meanwhile, there may be another one.
    #[must_use]
    pub fn note(&self) -> Bilingual {
        match self {
            Self::InventoryPublished(_, n) => bilingual!(
                "数据清单已公布，共 {n} 项，校验值见 status.inventory",
                "inventory of {n} items published; status.inventory has its digest"
            ),
            Self::Reclaimed(_) => bilingual!(
                "云资源已收回，证明及其校验值见 status.certificate",
                "resources are reclaimed; status.certificate has the certificate and its digest"
            ),
            Self::FactsTaken(_) => bilingual!(
                "考评事实已采集，见 status.facts",
                "the facts of the period were taken; status.facts has them with their digest"
            ),
            _ => self.text(),
        }
    }

    /// Wording for people: one table, exhaustive.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Submitted => bilingual!("已提交，待审核", "filed; awaiting review"),
            Self::Resubmitted(g) => {
                bilingual!("补正后重新提交（第 {g} 次提交稿）", "corrected and filed again (generation {g})")
            }
            Self::Amended(g) => {
                bilingual!("审核前修改（第 {g} 次提交稿）", "amended before review (generation {g})")
            }
            Self::PhaseChanged(p) => bilingual!("转入 {p}", "now {p}"),
            Self::Approved(o) => decision_text("同意", "approved", o.as_deref()),
            Self::Rejected(o) => decision_text("不同意", "rejected", o.as_deref()),
            Self::Returned(o) => decision_text("退回补正", "returned", o.as_deref()),
            Self::DecisionVoid(why) => Bilingual::new(
                format!("审核结论无效：{}；请主管部门清除后重新审核", why.zh),
                format!("the decision is invalid: {}; the authority must remove it and decide again", why.en),
            ),
            Self::DecisionCleared => bilingual!(
                "无效的审核结论已清除，可重新审核",
                "the invalid decision was removed; it can be decided again"
            ),
            Self::SpecAltered => bilingual!(
                "批准后申请内容被改动，停止办理",
                "the spec was altered after its approval; nothing is done from it"
            ),
            Self::Withdrawn => bilingual!("使用部门撤回", "withdrawn by the department"),
            Self::WithdrawnTooLate => bilingual!(
                "使用部门撤回时资源已开始开通，撤回不生效；不再使用的，开通后提交退出申请（第十六条）",
                "withdrawn by the department when provisioning had begun, which does not count; file a Decommission once it is provisioned (Art. 16)"
            ),
            Self::Overtaken => bilingual!(
                "应用已退出或已重新提交，变更终止",
                "the application has exited, or was filed anew; the change ends"
            ),
            Self::Notified => bilingual!("已通知政务云服务提供方", "the provider was notified"),
            Self::Provisioned => bilingual!("云资源已开通", "resources are provisioned"),
            Self::NamespacesFound(list) => bilingual!(
                "发现同名原申请的命名空间，未作任何改动：{list}",
                "namespaces of an earlier application of this name were found and are left alone: {list}"
            ),
            Self::Reattached(list) => bilingual!(
                "依主管部门审核结论恢复关联命名空间：{list}",
                "reattached on the authority's decision: {list}"
            ),
            Self::Adopted(list) => bilingual!(
                "依现管理方同意移出和主管部门审核结论纳管命名空间，数据卷已设为保留，运行中的实例未受影响：{list}",
                "adopted on the holder's word and the authority's decision; its volumes are retained, and no instance was disturbed: {list}"
            ),
            Self::Enforced(facet) => {
                let facet = facet.as_ref();
                bilingual!(
                    "依使用部门意见，纳管的命名空间开始执行 {facet} 约束",
                    "{facet} is enforced in the adopted namespaces, on the department's word"
                )
            }
            Self::GrantTakenOver(uid) => bilingual!(
                "工单由原申请 {uid} 转归现申请",
                "the grant of the earlier application {uid} belongs to the present one now"
            ),
            Self::WentLive(t) => Bilingual::new(
                format!("系统已上线（{}）", clock(*t)),
                format!("the system went live at {}", clock(*t)),
            ),
            Self::Reported => bilingual!("测试情况已报主管部门", "the test report was received"),
            Self::ExitBegun(n) => bilingual!("退出申请 {n} 已提交", "exit {n} was filed"),
            Self::ExitEnded(n) => bilingual!(
                "退出申请 {n} 未获同意或已撤回，恢复原状态",
                "exit {n} was rejected or withdrawn; the application is as before"
            ),
            Self::Exited(n) => bilingual!("已退出，证明见 {n}", "exited; the certificate is in {n}"),
            Self::GrantReceived => bilingual!("收到工单", "the work order was received"),
            Self::InForce(n) => {
                bilingual!("按 {n} 开通的资源已生效", "what {n} approved is in force")
            }
            Self::Refused(d) => {
                bilingual!("工单与批准内容不符：{d}", "the grant is not what was approved: {d}")
            }
            Self::Restricted(Restriction::None) => {
                bilingual!("解除命名空间限制", "the namespaces are no longer restricted")
            }
            Self::Restricted(r) => Bilingual::new(
                format!("退出中，命名空间限制为 {}", r.as_ref()),
                format!("exiting; the namespaces are restricted to {}", r.as_ref()),
            ),
            Self::Released => bilingual!("工单已办结", "the grant has ended"),
            Self::Applied => bilingual!("变更已生效", "the change is in force"),
            Self::BelowUse(d) => bilingual!(
                "申请值低于现用量，等待使用部门：{d}",
                "the request is below what is used, waiting on the department: {d}"
            ),
            Self::UseFell => bilingual!("用量已降，继续变更", "usage fell; the change goes on"),
            Self::InventoryPublished(d, n) => {
                bilingual!("数据清单已公布，共 {n} 项，校验值 {d}", "inventory of {n} items published, {d}")
            }
            Self::Consented(d) => {
                bilingual!("使用部门已授权，清单校验值 {d}", "the department consented to {d}")
            }
            Self::ConsentVoid => {
                bilingual!("清单有变，授权失效", "the inventory changed; the consent is invalid")
            }
            Self::InventoryChanged(d) => bilingual!(
                "现有数据与已授权的清单不符，暂停办理：{d}",
                "the inventory differs from what was consented to; the exit is held: {d}"
            ),
            Self::InventoryAsConsented => bilingual!(
                "现有数据恢复为已授权的清单，继续办理",
                "the inventory is as consented again; the exit goes on"
            ),
            Self::RemovalAnnounced(v) => bilingual!(
                "声明将手工删除数据卷 {v}，其内容是否已销毁未经观测",
                "announced to delete volume {v} by hand; nobody observes that its bytes are gone"
            ),
            Self::HandedOver(v) => {
                bilingual!("数据卷 {v} 已移交并签收", "volume {v} was handed over and received")
            }
            Self::LossAcknowledged(v) => bilingual!(
                "使用部门确认数据卷 {v} 已丢失，未能保留",
                "the department acknowledged that volume {v} was lost and could not be retained"
            ),
            Self::Reclaiming => bilingual!("开始收回云资源", "reclaiming begins"),
            Self::Reclaimed(d) => {
                bilingual!("云资源已收回，证明校验值 {d}", "resources are reclaimed, certificate {d}")
            }
            Self::MaintenanceScheduled(n, s, e, impact) => {
                let ((zh, en), s, e) = (impact_text(*impact), clock(*s), clock(*e));
                bilingual!(
                    "平台调整 {n} 定于 {s} 至 {e}，{zh}",
                    "maintenance {n} is scheduled from {s} to {e}, {en}"
                )
            }
            Self::NoticeShort(days) => bilingual!(
                "系统得知批准时距窗口已不足 {days} 个工作日，告知晚于要求（第十八条）",
                "the approval was seen less than {days} working days before the window; the notice to those affected is late (Art. 18)"
            ),
            Self::MaintenanceStarted(n) => bilingual!("平台调整 {n} 开始", "maintenance {n} begins"),
            Self::MaintenanceReported(n, result, summary) => {
                let (zh, en) = result_text(*result);
                bilingual!("平台调整 {n} {zh}：{summary}", "maintenance {n} {en}: {summary}")
            }
            Self::MaintenanceGone(n) => bilingual!(
                "平台调整 {n} 的记录已不存在，其结果请向政务云服务提供方查询",
                "the record of maintenance {n} is gone; ask the provider for its outcome"
            ),
            Self::ClockStarted(o, p, d, provisional) => {
                let (zh, en) = match provisional {
                    true => (
                        "（暂定：有关年度的节假日安排未公布）",
                        " (provisional: the holidays of a year that counts are not published)",
                    ),
                    false => ("", ""),
                };
                if o.is_right() {
                    return Bilingual::new(
                        format!("{}：{}可于 {d} 前提出{zh}", o.zh(), p.zh()),
                        format!("{}: open to the {} until {d}{en}", o.en(), p.en()),
                    );
                }
                Bilingual::new(
                    format!("{}：{}须于 {d} 前完成{zh}", o.zh(), p.zh()),
                    format!("{}: due from the {} by {d}{en}", o.en(), p.en()),
                )
            }
            Self::DeadlineMoved(m) | Self::DeadlineKept(m) => Bilingual::new(m.zh(), m.en()),
            Self::HalfLeft(n) | Self::LastDay(n) | Self::Overdue(n) => Bilingual::new(n.zh(), n.en()),
            Self::Met(o, Some(late)) => Bilingual::new(
                format!("{}已完成，逾期 {late} 个工作日", o.zh()),
                format!("{} done, {late} working days late", o.en()),
            ),
            Self::Recorded => bilingual!("已核验在案", "checked, and on record"),
            Self::Expired(last) => {
                bilingual!(
                    "有效期至 {last}，已过期，须重新报送",
                    "valid until {last}, and expired; a new one is to be filed"
                )
            }
            Self::FindingsIssued(n) => {
                bilingual!(
                    "安全检查发现 {n} 项问题，须限期整改",
                    "the inspection has {n} findings, to be put right in time"
                )
            }
            Self::Responded(id) => bilingual!("对问题 {id} 作出整改答复", "finding {id} was answered"),
            Self::Met(o, None) => {
                Bilingual::new(format!("{}按期完成", o.zh()), format!("{} done in time", o.en()))
            }
            Self::StatementMade(month) => {
                bilingual!("{month} 结算单已生成", "the statement of {month} was made")
            }
            Self::BillComputed(total, currency) => bilingual!(
                "费用已计算，合计 {total} {currency}，请使用部门核对确认",
                "the bill is computed, {total} {currency} in total; the department is to check and confirm it"
            ),
            Self::BillIncomplete(n) => bilingual!(
                "缺少 {n} 项计费所需的事实，见条件 Complete",
                "{n} facts are missing for the bill; condition Complete names them"
            ),
            Self::Confirmed(d) => {
                bilingual!("使用部门已确认，校验值 {d}", "the department confirmed {d}")
            }
            Self::ConfirmationVoid => {
                bilingual!(
                    "账单有变，原确认失效",
                    "the bill changed; the confirmation does not count any more"
                )
            }
            Self::Objected(reason) => bilingual!("提出异议：{reason}", "an objection: {reason}"),
            Self::ObjectionWithdrawn => {
                bilingual!("服务提供方撤回异议", "the provider took its objection back")
            }
            Self::Settled(total, currency) => {
                bilingual!("已结算，合计 {total} {currency}", "settled, {total} {currency} in total")
            }
            Self::BudgetExceeded(used, ceiling) => bilingual!(
                "本年度费用 {used} 已超过预算 {ceiling}（第七条）；不影响办理",
                "the year's fees of {used} are above the budget of {ceiling} (Art. 7); nothing is refused for that"
            ),
            Self::FactsTaken(d) => {
                bilingual!("考评事实已采集，校验值 {d}", "the facts of the period were taken, {d}")
            }
            Self::Scored(total) => bilingual!(
                "评分完成，总分 {total}，被考评方可在异议期内提出异议",
                "every criterion is scored, {total} in total; the assessed party may object"
            ),
            Self::ObjectionAnswered(text) => {
                bilingual!("主管部门答复异议：{text}", "the authority answers the objection: {text}")
            }
            Self::ObjectionPeriodEnded => {
                bilingual!("异议期满，无异议", "the period for objections is over; there was none")
            }
            Self::Published(total) => {
                bilingual!("考评结果已通报，总分 {total}", "the assessment is published, {total} in total")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Event comes first; a digest in it may never be stored.
    #[test]
    fn a_note_names_no_digest_that_comes_with_the_status() {
        let digest = "sha256:0123".to_owned();
        let published = LifecycleEvent::InventoryPublished(digest.clone(), 3);
        for event in [published, LifecycleEvent::Reclaimed(digest.clone())] {
            let note = event.note().to_string();
            assert!(!note.contains(&digest) && event.text().to_string().contains(&digest), "{note}");
        }
        // A digest that the department itself wrote exists already.
        assert!(LifecycleEvent::Consented(digest.clone()).note().to_string().contains(&digest));
    }
}
