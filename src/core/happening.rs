//! What happens in a record's life: each becomes one timeline entry and one Event (S12).

use jiff::Timestamp;
use jiff::civil::Date;

use super::finding::Bilingual;
use crate::api::deadline::{Obligation, Party};
use crate::api::record::Verdict;

/// One lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// 提出申请 (Art. 11, 15, 16, 18).
    Submitted,
    /// Filed anew after being returned (Art. 12).
    Resubmitted(i64),
    /// The spec was changed before a decision.
    Amended(i64),
    /// 审核意见 (Art. 12).
    Decided(Verdict, Option<String>),
    /// A decision that does not count, and why.
    DecisionVoid(String),
    /// The void decision was removed; a new one can be made.
    DecisionCleared,
    /// Taken back.
    Withdrawn,
    /// 通知服务提供方: the work order is published, the provider's clock starts (Art. 13, 15, 16).
    Notified,
    /// 开通完成 (Art. 13).
    Provisioned,
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
    /// There is no way back from here (Art. 16).
    Reclaiming,
    /// Reclaimed, with the certificate's digest.
    Reclaimed(String),
    /// Maintenance is going to happen (Art. 18).
    MaintenanceScheduled(String, Timestamp, Timestamp),
    /// Maintenance begins.
    MaintenanceStarted(String),
    /// The provider reported the outcome.
    MaintenanceReported(String),
    /// A clock started.
    ClockStarted(Obligation, Party, Date, bool),
    /// A due date moved (S8).
    DeadlineMoved(Obligation, Date, Date, String),
    /// An edited calendar would move a past deadline; it stays (S8).
    DeadlineKept(Obligation, Date, Date, String),
    /// Half of the time is left.
    HalfLeft(Obligation, Party, Date),
    /// The last working day begins.
    LastDay(Obligation, Party, Date),
    /// A deadline passed.
    Overdue(Obligation, Party, Timestamp),
    /// An obligation was met.
    Met(Obligation, Option<i32>),
}

/// An article of the measures in a wording.
fn verdict_words(v: Verdict) -> (&'static str, &'static str) {
    match v {
        Verdict::Approved => ("同意", "approved"),
        Verdict::Rejected => ("不同意", "rejected"),
        Verdict::Returned => ("退回补正", "returned"),
    }
}

/// Name of an obligation for people.
#[must_use]
pub fn obligation_words(o: Obligation) -> Bilingual {
    match o {
        Obligation::Review => Bilingual::new("审核", "review"),
        Obligation::Provision => Bilingual::new("资源开通", "provisioning"),
        Obligation::GoLive => Bilingual::new("部署上线", "going live"),
        Obligation::GoLiveReport => Bilingual::new("上线情况报告", "the go-live report"),
        Obligation::Change => Bilingual::new("资源变更", "the change"),
        Obligation::Reclaim => Bilingual::new("资源收回", "reclaiming"),
        Obligation::Migration => Bilingual::new("协助迁出", "assisting migration"),
        Obligation::MaintenanceReport => Bilingual::new("平台调整结果报告", "the maintenance report"),
    }
}

/// Name of a party for people.
#[must_use]
pub fn party_words(p: Party) -> Bilingual {
    match p {
        Party::Department => Bilingual::new("使用部门", "the department"),
        Party::Authority => Bilingual::new("主管部门", "the authority"),
        Party::Provider => Bilingual::new("服务提供方", "the provider"),
        Party::None => Bilingual::new("无", "nobody"),
    }
}

impl Happening {
    /// One CamelCase word: the timeline's `event` and the Event's `reason`.
    #[must_use]
    pub fn event(&self) -> &'static str {
        match self {
            Self::Submitted => "Submitted",
            Self::Resubmitted(_) => "Resubmitted",
            Self::Amended(_) => "Amended",
            Self::Decided(Verdict::Approved, _) => "Approved",
            Self::Decided(Verdict::Rejected, _) => "Rejected",
            Self::Decided(Verdict::Returned, _) => "Returned",
            Self::DecisionVoid(_) => "DecisionVoid",
            Self::DecisionCleared => "DecisionCleared",
            Self::Withdrawn => "Withdrawn",
            Self::Notified => "Notified",
            Self::Provisioned => "Provisioned",
            Self::WentLive(_) => "WentLive",
            Self::Reported => "Reported",
            Self::ExitBegun(_) => "ExitBegun",
            Self::ExitEnded(_) => "ExitEnded",
            Self::Exited(_) => "Exited",
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
            Self::Reclaiming => "Reclaiming",
            Self::Reclaimed(_) => "Reclaimed",
            Self::MaintenanceScheduled(..) => "MaintenanceScheduled",
            Self::MaintenanceStarted(_) => "MaintenanceStarted",
            Self::MaintenanceReported(_) => "MaintenanceReported",
            Self::ClockStarted(..) => "ClockStarted",
            Self::DeadlineMoved(..) => "DeadlineMoved",
            Self::DeadlineKept(..) => "DeadlineKept",
            Self::HalfLeft(..) => "HalfLeft",
            Self::LastDay(..) => "LastDay",
            Self::Overdue(..) => "Overdue",
            Self::Met(..) => "Met",
        }
    }

    /// Whether it calls for attention: such Events are Warnings.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::DecisionVoid(_)
                | Self::Refused(_)
                | Self::BelowUse(_)
                | Self::ConsentVoid
                | Self::HalfLeft(..)
                | Self::LastDay(..)
                | Self::Overdue(..)
                | Self::Decided(Verdict::Rejected | Verdict::Returned, _)
        )
    }

    /// Wording for people.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Submitted => Bilingual::new("已提交,待审核", "filed; awaiting review"),
            Self::Resubmitted(g) => Bilingual::new(format!("补正后重新提交(第 {g} 版)"), format!("corrected and filed again (generation {g})")),
            Self::Amended(g) => Bilingual::new(format!("审核前修改(第 {g} 版)"), format!("amended before review (generation {g})")),
            Self::Decided(v, opinion) => {
                let (zh, en) = verdict_words(*v);
                let o = opinion.as_deref().unwrap_or("");
                let zh = if o.is_empty() { zh.to_owned() } else { format!("{zh}:{o}") };
                let en = if o.is_empty() { en.to_owned() } else { format!("{en}: {o}") };
                Bilingual::new(zh, en)
            }
            Self::DecisionVoid(why) => Bilingual::new(format!("审核意见无效:{why};请主管部门清除后重新作出"), format!("the decision does not count: {why}; the authority must remove it and decide again")),
            Self::DecisionCleared => Bilingual::new("无效的审核意见已清除,可重新审核", "the void decision was removed; it can be decided again"),
            Self::Withdrawn => Bilingual::new("使用部门撤回", "withdrawn by the department"),
            Self::Notified => Bilingual::new("已通知服务提供方", "the provider was notified"),
            Self::Provisioned => Bilingual::new("云资源已开通", "resources are provisioned"),
            Self::WentLive(t) => Bilingual::new(format!("系统已上线({t})"), format!("the system went live at {t}")),
            Self::Reported => Bilingual::new("测试情况已报主管部门", "the test report was received"),
            Self::ExitBegun(n) => Bilingual::new(format!("退出申请 {n} 已提交"), format!("exit {n} was filed")),
            Self::ExitEnded(n) => Bilingual::new(format!("退出申请 {n} 未获同意或已撤回,恢复原状态"), format!("exit {n} was rejected or withdrawn; the application is as before")),
            Self::Exited(n) => Bilingual::new(format!("已退出,证明见 {n}"), format!("exited; the certificate is in {n}")),
            Self::InForce(n) => Bilingual::new(format!("按 {n} 开通的资源已生效"), format!("what {n} approved is in force")),
            Self::Refused(d) => Bilingual::new(format!("工单与批准内容不符:{d}"), format!("the grant is not what was approved: {d}")),
            Self::Restricted(s) => Bilingual::new(format!("退出中,命名空间限制为 {s}"), format!("exiting; the namespaces are restricted to {s}")),
            Self::Released => Bilingual::new("工单已终结", "the grant is at its end"),
            Self::Applied => Bilingual::new("变更已生效", "the change is in force"),
            Self::BelowUse(d) => Bilingual::new(format!("申请值低于现用量,等待使用部门:{d}"), format!("the request is below what is used, waiting on the department: {d}")),
            Self::UseFell => Bilingual::new("用量已降,继续变更", "usage fell; the change goes on"),
            Self::InventoryPublished(d, n) => Bilingual::new(format!("数据清单已公布,共 {n} 项,{d}"), format!("inventory of {n} items published, {d}")),
            Self::Consented(d) => Bilingual::new(format!("使用部门已授权 {d}"), format!("the department consented to {d}")),
            Self::ConsentVoid => Bilingual::new("清单有变,授权失效", "the inventory changed; consent is void"),
            Self::HandedOver(v) => Bilingual::new(format!("数据卷 {v} 已移交并签收"), format!("volume {v} was handed over and received")),
            Self::Reclaiming => Bilingual::new("开始收回云资源", "reclaiming begins"),
            Self::Reclaimed(d) => Bilingual::new(format!("云资源已收回,证明 {d}"), format!("resources are reclaimed, certificate {d}")),
            Self::MaintenanceScheduled(n, s, e) => Bilingual::new(format!("平台调整 {n} 定于 {s} 至 {e}"), format!("maintenance {n} is scheduled from {s} to {e}")),
            Self::MaintenanceStarted(n) => Bilingual::new(format!("平台调整 {n} 开始"), format!("maintenance {n} begins")),
            Self::MaintenanceReported(r) => Bilingual::new(format!("平台调整结果:{r}"), format!("outcome of the maintenance: {r}")),
            other => other.clock_text(),
        }
    }

    /// Wording of what clocks do.
    fn clock_text(&self) -> Bilingual {
        match self {
            Self::ClockStarted(o, p, d, provisional) => {
                let (o, p) = (obligation_words(*o), party_words(*p));
                let (zh, en) = if *provisional { ("(暂定:节假日安排未公布)", " (provisional: the year's holidays are not published)") } else { ("", "") };
                Bilingual::new(format!("{}:{}须于 {d} 前完成{zh}", o.zh, p.zh), format!("{}: due from {} by {d}{en}", o.en, p.en))
            }
            Self::DeadlineMoved(o, old, new, why) => {
                let o = obligation_words(*o);
                Bilingual::new(format!("{}期限由 {old} 调整为 {new}:{why}", o.zh), format!("{} is now due {new} instead of {old}: {why}", o.en))
            }
            Self::DeadlineKept(o, old, new, why) => {
                let o = obligation_words(*o);
                Bilingual::new(format!("{}期限仍为 {old}(按新日历为 {new}):{why}", o.zh), format!("{} stays due {old} (the edited calendar gives {new}): {why}", o.en))
            }
            Self::HalfLeft(o, p, d) => {
                let (o, p) = (obligation_words(*o), party_words(*p));
                Bilingual::new(format!("{}期限过半,{}须于 {d} 前完成", o.zh, p.zh), format!("half of the time for {} is left, due from {} by {d}", o.en, p.en))
            }
            Self::LastDay(o, p, d) => {
                let (o, p) = (obligation_words(*o), party_words(*p));
                Bilingual::new(format!("{}期限剩一个工作日,{}须于 {d} 前完成", o.zh, p.zh), format!("one working day is left for {}, due from {} by {d}", o.en, p.en))
            }
            Self::Overdue(o, p, at) => {
                let (o, p) = (obligation_words(*o), party_words(*p));
                Bilingual::new(format!("{}已于 {at} 逾期,责任方:{}", o.zh, p.zh), format!("{} has been overdue since {at}, owed by {}", o.en, p.en))
            }
            Self::Met(o, late) => {
                let o = obligation_words(*o);
                match late {
                    Some(n) if *n > 0 => Bilingual::new(format!("{}已完成,逾期 {n} 个工作日", o.zh), format!("{} done, {n} working days late", o.en)),
                    _ => Bilingual::new(format!("{}按期完成", o.zh), format!("{} done in time", o.en)),
                }
            }
            _ => unreachable!("every other variant has its wording in `text`"),
        }
    }
}
