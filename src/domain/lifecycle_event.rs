//! What happens in a record's life: each becomes one timeline entry and one Event (S12).

use jiff::Timestamp;
use jiff::civil::Date;

use super::calendar::CHINA;
use super::deadline::{Moved, Notice, NoticeKind};
use super::finding::Bilingual;
use govcloud_api::change::{Impact, MaintenanceResult};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::record::Verdict;

/// One lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifecycleEvent {
    /// 提出申请 (Art. 11, 15, 16, 18).
    Submitted,
    /// Filed anew after being returned (Art. 12).
    Resubmitted(i64),
    /// The spec was changed before a decision.
    Amended(i64),
    /// The record stands elsewhere than before, and nothing else says why.
    Phase(String),
    /// 审核意见 (Art. 12).
    Decided(Verdict, Option<String>),
    /// A decision that does not count, and why.
    DecisionVoid(String),
    /// The void decision was removed; a new one can be made.
    DecisionCleared,
    /// The spec was changed after its approval (S7).
    SpecAltered,
    /// Taken back.
    Withdrawn,
    /// The application exited, or was filed anew, before the change was carried out.
    Overtaken,
    /// 通知服务提供方: the work order is published, the provider's clock starts (Art. 13, 15, 16).
    Notified,
    /// 开通完成 (Art. 13).
    Provisioned,
    /// An earlier record of this name left namespaces, by name and UID.
    NamespacesFound(String),
    /// Those namespaces are this record's now, on the authority's decision.
    Reattached(String),
    /// A grant that an earlier record of this name left carries out the present one's approval.
    GrantTakenOver(String),
    /// 上线 (Art. 14).
    WentLive(Timestamp),
    /// 测试情况已报 (Art. 14).
    Reported,
    /// An exit was filed.
    ExitBegun(String),
    /// The exit was rejected or withdrawn.
    ExitEnded(String),
    /// 已退出 (Art. 16).
    Exited(String),
    /// A work order arrived (Art. 13).
    GrantReceived,
    /// A grant came into force (Art. 13).
    InForce(String),
    /// A grant is not what was approved.
    Refused(String),
    /// The exit restricts use of the namespaces.
    Restricted(&'static str),
    /// The grant is at its end.
    Released,
    /// Change carried out (Art. 15).
    Applied,
    /// A shrink is below what is used.
    BelowUse(String),
    /// Usage fell, the change goes on.
    UseFell,
    /// Inventory published (Art. 23).
    InventoryPublished(String, usize),
    /// Consent of the department (Art. 23).
    Consented(String),
    /// Consent lost because the inventory changed.
    ConsentVoid,
    /// The department's receipt (Art. 28).
    HandedOver(String),
    /// The department acknowledged that a volume to be retained is gone (Art. 23).
    LossAcknowledged(String),
    /// There is no way back from here (Art. 16).
    Reclaiming,
    /// Reclaimed, with the certificate's digest.
    Reclaimed(String),
    /// Maintenance is going to happen (Art. 18).
    MaintenanceScheduled(String, Timestamp, Timestamp, Impact),
    /// Its approval was seen later than so many working days before the window: those affected are told late.
    NoticeShort(i32),
    /// Maintenance begins.
    MaintenanceStarted(String),
    /// The provider reported the outcome.
    MaintenanceReported(String, MaintenanceResult, String),
    /// The record of an announced maintenance is gone.
    MaintenanceGone(String),
    /// A clock started.
    ClockStarted(Obligation, Party, Date, bool),
    /// A due date moved, or would have moved were the obligation not over (S8).
    Moved(Moved),
    /// A deadline is near, or passed.
    Due(Notice),
    /// An obligation was met.
    Met(Obligation, Option<i32>),
}

/// An instant as people in China read it.
fn clock(at: Timestamp) -> impl std::fmt::Display {
    CHINA.to_datetime(at).strftime("%Y-%m-%d %H:%M")
}

/// A verdict in words.
fn verdict_words(v: Verdict) -> (&'static str, &'static str) {
    match v {
        Verdict::Approved => ("同意", "approved"),
        Verdict::Rejected => ("不同意", "rejected"),
        Verdict::Returned => ("退回补正", "returned"),
    }
}

/// What those affected will notice, in words.
fn impact_words(impact: Impact) -> (&'static str, &'static str) {
    match impact {
        Impact::None => ("预计无影响", "no impact is expected"),
        Impact::Degraded => ("期间变慢或短时中断", "slower, with short interruptions"),
        Impact::Outage => ("期间不可用", "not available meanwhile"),
    }
}

/// How a maintenance went, in words.
fn result_words(result: MaintenanceResult) -> (&'static str, &'static str) {
    match result {
        MaintenanceResult::Succeeded => ("按计划完成", "went as planned"),
        MaintenanceResult::RolledBack => ("已按应急预案回退", "was rolled back by the contingency plan"),
        MaintenanceResult::Failed => ("失败", "failed"),
    }
}

impl LifecycleEvent {
    /// One CamelCase word: the timeline's `event` and the Event's `reason`.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self {
            Self::Submitted => "Submitted",
            Self::Resubmitted(_) => "Resubmitted",
            Self::Amended(_) => "Amended",
            Self::Phase(_) => "PhaseChanged",
            Self::Decided(Verdict::Approved, _) => "Approved",
            Self::Decided(Verdict::Rejected, _) => "Rejected",
            Self::Decided(Verdict::Returned, _) => "Returned",
            Self::DecisionVoid(_) => "DecisionVoid",
            Self::DecisionCleared => "DecisionCleared",
            Self::SpecAltered => "SpecAltered",
            Self::Withdrawn => "Withdrawn",
            Self::Overtaken => "Overtaken",
            Self::Notified => "Notified",
            Self::Provisioned => "Provisioned",
            Self::NamespacesFound(_) => "NamespacesFound",
            Self::Reattached(_) => "Reattached",
            Self::GrantTakenOver(_) => "GrantTakenOver",
            Self::WentLive(_) => "WentLive",
            Self::Reported => "Reported",
            Self::ExitBegun(_) => "ExitBegun",
            Self::ExitEnded(_) => "ExitEnded",
            Self::Exited(_) => "Exited",
            Self::GrantReceived => "GrantReceived",
            Self::InForce(_) => "InForce",
            Self::Refused(_) => "Refused",
            Self::Restricted(_) => "Restricted",
            Self::Released => "Released",
            Self::Applied => "Applied",
            Self::BelowUse(_) => "BelowUse",
            Self::UseFell => "UseFell",
            Self::InventoryPublished(..) => "InventoryPublished",
            Self::Consented(_) => "Consented",
            Self::ConsentVoid => "ConsentVoid",
            Self::HandedOver(_) => "HandedOver",
            Self::LossAcknowledged(_) => "LossAcknowledged",
            Self::Reclaiming => "Reclaiming",
            Self::Reclaimed(_) => "Reclaimed",
            Self::MaintenanceScheduled(..) => "MaintenanceScheduled",
            Self::MaintenanceStarted(_) => "MaintenanceStarted",
            Self::NoticeShort(_) => "NoticeShort",
            Self::MaintenanceReported(..) => "MaintenanceReported",
            Self::MaintenanceGone(_) => "MaintenanceGone",
            Self::ClockStarted(..) => "ClockStarted",
            Self::Moved(m) if m.applied => "DeadlineMoved",
            Self::Moved(_) => "DeadlineKept",
            Self::Due(n) => match n.kind {
                NoticeKind::Half => "HalfLeft",
                NoticeKind::LastDay => "LastDay",
                NoticeKind::Overdue => "Overdue",
            },
            Self::Met(..) => "Met",
        }
    }

    /// Whether it calls for attention: such Events are Warnings.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::DecisionVoid(_)
                | Self::NamespacesFound(_)
                | Self::SpecAltered
                | Self::Overtaken
                | Self::Refused(_)
                | Self::BelowUse(_)
                | Self::ConsentVoid
                | Self::LossAcknowledged(_)
                | Self::Due(_)
                | Self::NoticeShort(_)
                | Self::MaintenanceGone(_)
                | Self::MaintenanceReported(_, MaintenanceResult::RolledBack | MaintenanceResult::Failed, _)
                | Self::Decided(Verdict::Rejected | Verdict::Returned, _)
        )
    }

    /// Wording for people.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Submitted => Bilingual::new("已提交,待审核", "filed; awaiting review"),
            Self::Resubmitted(g) => Bilingual::new(
                format!("补正后重新提交(第 {g} 版)"),
                format!("corrected and filed again (generation {g})"),
            ),
            Self::Amended(g) => Bilingual::new(
                format!("审核前修改(第 {g} 版)"),
                format!("amended before review (generation {g})"),
            ),
            Self::Phase(p) => Bilingual::new(format!("转入 {p}"), format!("now {p}")),
            Self::Decided(v, opinion) => {
                let (zh, en) = verdict_words(*v);
                let o = opinion.as_deref().unwrap_or("");
                // 「同意」 said twice says nothing more.
                let bare = o.is_empty() || o.trim() == zh || o.trim() == en;
                let zh = if bare { zh.to_owned() } else { format!("{zh}:{o}") };
                let en = if bare { en.to_owned() } else { format!("{en}: {o}") };
                Bilingual::new(zh, en)
            }
            Self::DecisionVoid(why) => Bilingual::new(
                format!("审核意见无效:{why};请主管部门清除后重新作出"),
                format!("the decision does not count: {why}; the authority must remove it and decide again"),
            ),
            Self::DecisionCleared => Bilingual::new(
                "无效的审核意见已清除,可重新审核",
                "the void decision was removed; it can be decided again",
            ),
            Self::SpecAltered => Bilingual::new(
                "批准后申请内容被改动,停止办理",
                "the spec was altered after its approval; nothing is done from it",
            ),
            Self::Withdrawn => Bilingual::new("使用部门撤回", "withdrawn by the department"),
            Self::Overtaken => Bilingual::new(
                "应用已退出或已重新提交,变更终止",
                "the application has exited, or was filed anew; the change ends",
            ),
            Self::Notified => Bilingual::new("已通知服务提供方", "the provider was notified"),
            Self::Provisioned => Bilingual::new("云资源已开通", "resources are provisioned"),
            Self::NamespacesFound(list) => Bilingual::new(
                format!("发现同名原申请的命名空间,未作任何改动:{list}"),
                format!(
                    "namespaces of an earlier application of this name were found and are left alone: {list}"
                ),
            ),
            Self::Reattached(list) => Bilingual::new(
                format!("依主管部门审核意见接回命名空间:{list}"),
                format!("taken back on the authority's decision: {list}"),
            ),
            Self::GrantTakenOver(uid) => Bilingual::new(
                format!("工单由原申请 {uid} 转归现申请"),
                format!("the grant of the earlier application {uid} is the present one's now"),
            ),
            Self::WentLive(t) => Bilingual::new(
                format!("系统已上线({})", clock(*t)),
                format!("the system went live at {}", clock(*t)),
            ),
            Self::Reported => Bilingual::new("测试情况已报主管部门", "the test report was received"),
            Self::ExitBegun(n) => {
                Bilingual::new(format!("退出申请 {n} 已提交"), format!("exit {n} was filed"))
            }
            Self::ExitEnded(n) => Bilingual::new(
                format!("退出申请 {n} 未获同意或已撤回,恢复原状态"),
                format!("exit {n} was rejected or withdrawn; the application is as before"),
            ),
            Self::Exited(n) => {
                Bilingual::new(format!("已退出,证明见 {n}"), format!("exited; the certificate is in {n}"))
            }
            Self::GrantReceived => Bilingual::new("收到工单", "the work order was received"),
            Self::InForce(n) => {
                Bilingual::new(format!("按 {n} 开通的资源已生效"), format!("what {n} approved is in force"))
            }
            Self::Refused(d) => Bilingual::new(
                format!("工单与批准内容不符:{d}"),
                format!("the grant is not what was approved: {d}"),
            ),
            Self::Restricted("None") => {
                Bilingual::new("解除命名空间限制", "the namespaces are no longer restricted")
            }
            Self::Restricted(s) => Bilingual::new(
                format!("退出中,命名空间限制为 {s}"),
                format!("exiting; the namespaces are restricted to {s}"),
            ),
            Self::Released => Bilingual::new("工单已终结", "the grant is at its end"),
            Self::Applied => Bilingual::new("变更已生效", "the change is in force"),
            Self::BelowUse(d) => Bilingual::new(
                format!("申请值低于现用量,等待使用部门:{d}"),
                format!("the request is below what is used, waiting on the department: {d}"),
            ),
            Self::UseFell => Bilingual::new("用量已降,继续变更", "usage fell; the change goes on"),
            Self::InventoryPublished(d, n) => Bilingual::new(
                format!("数据清单已公布,共 {n} 项,{d}"),
                format!("inventory of {n} items published, {d}"),
            ),
            Self::Consented(d) => {
                Bilingual::new(format!("使用部门已授权 {d}"), format!("the department consented to {d}"))
            }
            Self::ConsentVoid => {
                Bilingual::new("清单有变,授权失效", "the inventory changed; consent is void")
            }
            Self::HandedOver(v) => Bilingual::new(
                format!("数据卷 {v} 已移交并签收"),
                format!("volume {v} was handed over and received"),
            ),
            Self::LossAcknowledged(v) => Bilingual::new(
                format!("使用部门确认数据卷 {v} 已丢失，未能保留"),
                format!("the department acknowledged that volume {v} was lost and could not be retained"),
            ),
            Self::Reclaiming => Bilingual::new("开始收回云资源", "reclaiming begins"),
            Self::Reclaimed(d) => Bilingual::new(
                format!("云资源已收回,证明 {d}"),
                format!("resources are reclaimed, certificate {d}"),
            ),
            Self::MaintenanceScheduled(n, s, e, impact) => {
                let (zh, en) = impact_words(*impact);
                Bilingual::new(
                    format!("平台调整 {n} 定于 {} 至 {},{zh}", clock(*s), clock(*e)),
                    format!("maintenance {n} is scheduled from {} to {}, {en}", clock(*s), clock(*e)),
                )
            }
            Self::NoticeShort(days) => Bilingual::new(
                format!("系统得知批准时距窗口已不足 {days} 个工作日,告知晚于要求(第十八条)"),
                format!(
                    "the approval was seen less than {days} working days before the window; those affected are told late (Art. 18)"
                ),
            ),
            Self::MaintenanceStarted(n) => {
                Bilingual::new(format!("平台调整 {n} 开始"), format!("maintenance {n} begins"))
            }
            Self::MaintenanceReported(n, result, summary) => {
                let (zh, en) = result_words(*result);
                Bilingual::new(
                    format!("平台调整 {n} {zh}:{summary}"),
                    format!("maintenance {n} {en}: {summary}"),
                )
            }
            Self::MaintenanceGone(n) => Bilingual::new(
                format!("平台调整 {n} 的记录已不存在,其结果请向服务提供方查询"),
                format!("the record of maintenance {n} is gone; ask the provider what came of it"),
            ),
            Self::ClockStarted(o, p, d, provisional) => {
                let (zh, en) = if *provisional {
                    ("(暂定:节假日安排未公布)", " (provisional: the year's holidays are not published)")
                } else {
                    ("", "")
                };
                Bilingual::new(
                    format!("{}:{}须于 {d} 前完成{zh}", o.zh(), p.zh()),
                    format!("{}: due from the {} by {d}{en}", o.en(), p.en()),
                )
            }
            Self::Moved(m) => Bilingual::new(m.zh(), m.en()),
            Self::Due(n) => Bilingual::new(n.zh(), n.en()),
            Self::Met(o, Some(late)) => Bilingual::new(
                format!("{}已完成,逾期 {late} 个工作日", o.zh()),
                format!("{} done, {late} working days late", o.en()),
            ),
            Self::Met(o, None) => {
                Bilingual::new(format!("{}按期完成", o.zh()), format!("{} done in time", o.en()))
            }
        }
    }
}
