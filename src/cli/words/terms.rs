//! Names of states, acts and labels, in Chinese and English. What has no name here is shown as it stands.

use super::super::output::Lang;
use govcloud_api::decommission::{ExitReason, Outcome};
use govcloud_api::disposition::Action;
use govcloud_api::record::Verdict;

/// `phase` of any kind of record.
pub(crate) fn phase(lang: Lang, phase: &str) -> String {
    let zh = match phase {
        "Submitted" | "AwaitingDecision" => "待审核",
        "Returned" => "已退回",
        "Rejected" => "不同意",
        "Withdrawn" => "已撤回",
        "Provisioning" => "开通中",
        "Provisioned" => "已开通",
        "Live" => "已上线",
        "Exiting" => "退出中",
        "Exited" => "已退出",
        "Pending" => "待批准",
        "Refused" => "与批准不符",
        "Applying" => "实施中",
        "Active" => "生效",
        "Released" => "已终结",
        "Scheduled" => "已排期",
        "InProgress" => "进行中",
        "Completed" => "已办结",
        "Inventory" => "清点中",
        "AwaitingConsent" => "待授权",
        "HandingOver" => "移交中",
        "Reclaiming" => "收回中",
        "" => "未受理",
        other => other,
    };
    lang.pick(zh, if phase.is_empty() { "-" } else { phase }).to_owned()
}

/// `waitingFor`.
pub(crate) fn act(lang: Lang, act: &str) -> String {
    let (zh, en) = match act {
        "Correction" => ("补正", "correction"),
        "Decision" => ("审核", "decision"),
        "NewDecision" => ("重新审核", "a new decision"),
        "Provision" => ("开通资源", "provisioning"),
        "GoLive" => ("上线", "going live"),
        "GoLiveReport" => ("报送上线情况", "go-live report"),
        "Decommission" => ("退出", "the exit"),
        "ReduceUse" => ("减少用量", "reducing use"),
        "Change" => ("变更资源", "change"),
        "Maintenance" => ("平台调整", "maintenance"),
        "MaintenanceReport" => ("报告调整情况", "maintenance report"),
        "Consent" => ("授权处置数据", "consent"),
        "HandOverReceipt" => ("签收移交数据", "hand-over receipt"),
        "Reclaim" => ("收回资源", "reclaiming"),
        "Approval" => ("批准", "approval"),
        "CorrectGrant" => ("改正工单", "a correct grant"),
        "Investigation" => ("查明情况", "an investigation"),
        other => (other, other),
    };
    lang.pick(zh, en).to_owned()
}

/// A verdict, said of a decision that stands.
pub(crate) fn verdict(lang: Lang, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => lang.pick("同意", "approved"),
        Verdict::Rejected => lang.pick("不同意", "rejected"),
        Verdict::Returned => lang.pick("退回补正", "returned for correction"),
    }
}

/// What becomes of a volume.
pub(crate) fn action(lang: Lang, action: Action) -> &'static str {
    match action {
        Action::Destroy => lang.pick("销毁", "destroy"),
        Action::Retain => lang.pick("保留", "retain"),
        Action::HandOver => lang.pick("移交后销毁", "hand over, then destroy"),
    }
}

/// What became of a volume.
pub(crate) fn outcome(lang: Lang, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Destroyed => lang.pick("已销毁", "destroyed"),
        Outcome::Retained => lang.pick("已保留", "retained"),
        Outcome::HandedOver => lang.pick("已移交并销毁", "handed over, then destroyed"),
        Outcome::Lost => lang.pick("已丢失", "lost"),
    }
}

/// Why an application exits.
pub(crate) fn exit_reason(lang: Lang, reason: ExitReason) -> &'static str {
    match reason {
        ExitReason::NoLongerUsed => lang.pick("不再使用(第十六条)", "no longer used (Art. 16)"),
        ExitReason::ContractEnded => lang.pick("合同到期(第二十八条)", "contract ended (Art. 28)"),
        ExitReason::ContractTerminated => lang.pick("合同终止(第二十八条)", "contract terminated (Art. 28)"),
    }
}

/// Labels and headings; the English ones name themselves.
pub(crate) fn label(lang: Lang, label: &'static str) -> &'static str {
    let zh = match label {
        "record" => "记录",
        "namespace" | "namespaces" => "命名空间",
        "system" => "系统",
        "phase" => "状态",
        "waiting on" | "party" => "责任方",
        "waiting for" => "等待",
        "due" => "期限",
        "left" => "时限",
        "since" => "起始",
        "region" => "区域",
        "filed" => "申请",
        "generation" => "版次",
        "decision" => "审核",
        "opinion" => "意见",
        "application" => "应用",
        "protection level" => "等级保护",
        "contact" => "联系人",
        "reason" => "事由",
        "scope" => "范围",
        "window" => "窗口",
        "impact" => "影响",
        "affects" => "涉及",
        "went live" => "上线时间",
        "approved by" => "依据",
        "consent" => "授权",
        "outcome" => "结果",
        "documents" => "材料",
        "project approval" => "项目批复",
        "technical plan" => "技术方案",
        "test report" => "测试情况",
        "maintenance plan" => "调整方案",
        "contingency plan" => "应急预案",
        "hand-over receipt" => "移交回执",
        "entry" => "名称",
        "quota" => "配额",
        "access" => "权限",
        "inventory" => "数据清单",
        "claim" => "数据卷声明",
        "volume" => "数据卷",
        "size" => "容量",
        "action" => "处置",
        "snapshot" => "快照",
        "deadlines" => "各项时限",
        "obligation" => "事项",
        "started" => "起算",
        "state" => "情况",
        "timeline" => "经过",
        "needs attention" => "须处理",
        "void" => "无效",
        "object" => "对象",
        "certificate of exit from the government cloud" => "政务云退出证明",
        "begun" => "开始收回",
        "ended" => "收回完毕",
        "digest" => "摘要",
        other => other,
    };
    lang.pick(zh, label)
}
