//! Names of phases, acts and labels, in Chinese and English. A value without a name is shown unchanged.

use super::super::output::Lang;
use govcloud_api::application::{AccessRole, SubjectKind};
use govcloud_api::change::Impact;
use govcloud_api::compliance::ComplianceResult;
use govcloud_api::deadline::Party;
use govcloud_api::decommission::{ExitReason, Outcome, Scope};
use govcloud_api::disposition::Action;
use govcloud_api::inspection::Severity;
use govcloud_api::record::Verdict;

/// Defines one function an enum, with its names in Chinese and English.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $type:ident { $($variant:ident $zh:literal $en:literal,)* })*) => { $(
        $(#[$doc])*
        pub(crate) fn $name(lang: Lang, value: $type) -> &'static str {
            match value { $($type::$variant => lang.pick($zh, $en),)* }
        }
    )* };
}

names! {
    /// Names a verdict.
    verdict: Verdict { Approved "同意" "approved", Rejected "不同意" "rejected", Returned "退回补正" "returned for correction", }
    /// Names the action for a volume.
    action: Action { Destroy "销毁" "destroy", Retain "保留" "retain", HandOver "移交后销毁" "hand over, then destroy", }
    /// Names the outcome of a volume.
    outcome: Outcome {
        Destroyed "已销毁" "destroyed", Retained "已保留" "retained", HandedOver "已移交并销毁" "handed over, then destroyed",
        Lost "已丢失" "lost", Removed "手工移除，未见销毁" "removed by hand, destruction not observed",
    }
    /// Names the scope of an exit.
    scope: Scope {
        Application "整个应用" "the whole application",
        Volumes "仅限未关联应用的和保留的数据卷" "unclaimed and retained volumes only",
    }
    /// Names the reason of an exit.
    exit_reason: ExitReason {
        NoLongerUsed "不再使用（第十六条）" "no longer used (Art. 16)",
        ContractEnded "合同到期（第二十八条）" "contract ended (Art. 28)",
        ContractTerminated "合同终止（第二十八条）" "contract terminated (Art. 28)",
    }
    /// Names the impact of maintenance.
    impact: Impact {
        None "无" "none",
        Degraded "变慢或短时中断" "slower, or short interruptions",
        Outage "实施时段内不可用" "not available during the window",
    }
    /// Names the result of an evaluation.
    compliance_result: ComplianceResult { Conforming "符合" "conforming", PartlyConforming "基本符合" "partly conforming", NotConforming "不符合" "not conforming", }
    /// Names the severity of a finding.
    severity: Severity { Critical "严重" "critical", High "高" "high", Medium "中" "medium", Low "低" "low", }
    /// Names the kind of a subject.
    subject_kind: SubjectKind { User "用户" "user", Group "用户组" "group", ServiceAccount "服务账号" "service account", }
    /// Names a tenant role.
    access_role: AccessRole { Admin "管理（admin）" "admin", Edit "编辑（edit）" "edit", View "查看（view）" "view", }
}

/// Names a party.
pub(crate) fn party(lang: Lang, party: Party) -> &'static str {
    lang.pick(party.zh(), party.en())
}

/// Looks a key up, with a default.
macro_rules! lookup {
    ($key:ident { $($($from:literal)|+ => $to:expr,)* } $default:expr) => {
        match $key { $($($from)|+ => $to,)* _ => $default }
    };
}

/// Names a phase of any kind of record.
pub(crate) fn phase(lang: Lang, phase: &str) -> String {
    let zh = lookup!(phase {
        "Submitted" | "AwaitingDecision" => "待审核", "Returned" => "已退回", "Rejected" => "不同意",
        "Withdrawn" => "已撤回", "Provisioning" => "开通中", "Provisioned" => "已开通", "Live" => "已上线",
        "Exiting" => "退出中", "Exited" => "已退出", "Pending" => "待批准", "Refused" => "与批准不符",
        "Applying" => "实施中", "Active" => "生效", "Released" => "已办结", "Scheduled" => "已排期",
        "InProgress" => "进行中", "Completed" => "已办结", "Inventory" => "清点中",
        "Open" => "待计算", "AwaitingConfirmation" => "待确认", "Settled" => "已结算", "Voided" => "不同意",
        "Collecting" => "采集中", "Scoring" => "评分中", "Objection" => "异议期",
        "Answering" => "待答复异议", "Published" => "已通报",
        "AwaitingConsent" => "待授权", "HandingOver" => "移交中", "Reclaiming" => "收回中",
        "Recorded" => "在案", "Rectifying" => "整改中", "Closed" => "已办结", "" => "未受理",
    } phase);
    lang.pick(zh, if phase.is_empty() { "-" } else { phase }).to_owned()
}

/// Names the phase of a record that waits for an act. One that its filer must correct is not under review.
pub(crate) fn phase_waiting(lang: Lang, of: &str, waiting_for: Option<&str>) -> String {
    match (of, waiting_for, lang) {
        ("Submitted" | "Inventory", Some("Correction"), Lang::Zh) => "待补正".to_owned(),
        _ => phase(lang, of),
    }
}

/// Names an act, as in `waitingFor`.
pub(crate) fn act(lang: Lang, act: &str) -> String {
    let (zh, en) = lookup!(act {
        "Correction" => ("补正", "correction"), "Decision" => ("审核", "decision"),
        "NewDecision" => ("重新审核", "a new decision"), "Provision" => ("开通资源", "provisioning"),
        "GoLive" => ("上线", "going live"), "GoLiveReport" => ("报送上线情况", "go-live report"),
        "Decommission" => ("退出", "the exit"), "ReduceUse" => ("减少用量", "reducing use"),
        "Change" => ("变更资源", "change"), "Maintenance" => ("平台调整", "maintenance"),
        "MaintenanceReport" => ("报告调整情况", "maintenance report"),
        "Consent" => ("授权处置数据", "consent"),
        "ConsentedInventory" => ("恢复已授权的清单或撤回", "the inventory as consented, or withdrawal"),
        "HandOverReceipt" => ("签收移交数据", "hand-over receipt"), "Reclaim" => ("收回资源", "reclaiming"),
        "Approval" => ("批准", "approval"), "CorrectGrant" => ("改正工单", "a correct grant"),
        "Investigation" => ("查明情况", "an investigation"),
        "Confirmation" => ("确认结算单", "confirmation"), "Records" => ("补全或更正记录", "complete records"),
        "ComplianceRecord" => ("报送合规材料", "a compliance record"),
        "Rectification" => ("整改并答复", "putting right and answering"),
        "Facts" => ("采集事实", "the facts"), "Scores" => ("评分", "scores"),
        "Objection" => ("提出异议", "an objection, if any"),
        "ObjectionAnswer" => ("答复异议", "an answer to the objection"),
    } (act, act));
    lang.pick(zh, en).to_owned()
}

/// Names a request in Chinese, such as 查看上云申请.
pub(crate) fn request(verb: &str, resource: &str) -> String {
    let act =
        lookup!(verb { "get" | "list" => "查看", "patch" | "update" => "办理", "create" => "提交", } verb);
    let object = lookup!(resource {
        "cloudapplications" => "上云申请", "changerequests" => "变更申请", "decommissions" => "退出申请",
        "compliancerecords" => "合规材料", "inspections" => "安全检查", "assessments" => "考评",
        "resourcegrants" => "资源工单", "statements" => "结算单", "customresourcedefinitions" => "资源类型",
    } resource);
    format!("{act}{object}")
}

/// Names a condition that needs attention.
pub(crate) fn condition(lang: Lang, type_: &str) -> &str {
    let (zh, en) = lookup!(type_ {
        "Valid" => ("未核验通过", "not valid"), "OnTime" => ("已逾期", "overdue"), "Stalled" => ("已暂停", "stalled"),
        "NamespacesFound" => ("发现原有命名空间", "namespaces found"),
        "WindowOverlaps" => ("实施时段重叠", "windows overlap"),
        "InventoryWarning" => ("清单须注意事项", "inventory warning"),
        "Complete" => ("计费事实不全", "incomplete"), "WithinBudget" => ("超出预算", "above budget"),
        "Current" => ("已过期", "expired"),
        "UseMeasured" => ("用量未充分测得", "use not measured"),
    } (type_, type_));
    lang.pick(zh, en)
}

/// Translates a label; the key is the English text.
pub(crate) fn label(lang: Lang, key: &'static str) -> &'static str {
    let zh = lookup!(key {
        "record" => "记录", "namespace" | "namespaces" => "命名空间", "system" => "系统", "phase" => "状态",
        "waiting on" | "party" => "责任方", "waiting for" => "待办事项", "due" => "截止日期",
        "left" => "剩余时间", "since" => "到达时间", "region" => "区域", "filed" => "申请",
        "generation" => "提交稿", "decision" => "审核结论", "opinion" => "审核意见",
        "application" => "应用", "adopts" => "纳管", "observed until" => "观察至", "enforced" => "已执行约束", "protection level" => "等级保护", "contact" => "联系人",
        "reason" => "事由", "scope" => "范围", "window" => "实施时段", "impact" => "影响",
        "affects" => "涉及应用", "went live" => "上线时间", "approved by" => "审核依据",
        "consent" => "授权", "outcome" => "处置结果", "documents" => "材料",
        "project approval" => "项目批复文件", "technical plan" => "技术方案", "test report" => "测试情况",
        "maintenance plan" => "调整方案", "contingency plan" => "应急预案",
        "hand-over receipt" => "移交回执", "entry" => "名称", "quota" => "配额", "access" => "权限",
        "inventory" => "数据清单", "claim" => "数据卷", "volume" => "持久卷（PV）", "size" => "容量",
        "action" => "处置方式", "snapshot" => "快照", "snapshots" => "快照", "unused since" => "停用时间",
        "received by" => "接收人", "receipt" => "回执", "receipts" => "移交回执", "content" => "快照内容", "total" => "合计",
        "removed by" => "移除人", "claims without a volume" => "未绑定数据卷的申领（PVC）", "deadlines" => "各项时限", "obligation" => "事项",
        "started" => "起算", "state" => "情况", "timeline" => "办理过程", "needs attention" => "须处理",
        "void" => "无效", "object" => "对象", "account" => "账号", "rights" => "权限", "binding" => "授权",
        "certificate of exit from the government cloud" => "政务云退出证明", "begun" => "开始收回",
        "ended" => "收回完毕", "digest" => "校验值",
        "month" => "月份", "bill digest" => "账单校验值", "confirmed" => "已确认", "objection" => "异议",
        "statement of the government cloud" => "政务云结算单", "department" => "使用部门", "editions" => "服务目录",
        "item" => "条目", "edition" => "目录", "unit-days" => "数量×天数", "of days" => "计价天数", "per" => "计价周期",
        "price" => "单价", "amount" => "金额", "corrections" => "更正", "settled" => "已结算", "recomputed" => "重新计算",
        "in budget" => "预算内合计", "outside budget" => "预算外合计", "remarks" => "提示", "budget" => "预算",
        "type" => "种类", "issued by" => "出具", "valid until" => "有效期至", "result" => "结论", "document" => "材料",
        "emergency plan" => "应急预案", "participants" => "参加单位", "shortfalls" => "不足",
        "inspected" => "检查对象", "inspected on" => "检查日期", "inspection report" => "检查报告",
        "findings" => "问题", "responses" | "response" => "整改答复",
        "subject" => "考评对象", "period" => "考评期",
        "total score" => "总分", "coefficient" => "系数", "score" => "评分", "facts" => "事实校验值",
        "punctuality" => "按期情况", "overdue reports" => "逾期未报", "platform maintenance" => "平台调整",
        "use" => "用量", "low use" => "用量偏低", "answer" => "答复",
    } key);
    lang.pick(zh, key)
}

/// Translates a label and capitalises it in English.
pub(crate) fn heading(lang: Lang, key: &'static str) -> String {
    let mut chars = label(lang, key).chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// Formats the header of a table.
pub(crate) fn columns(lang: Lang, keys: &[&'static str]) -> Vec<String> {
    keys.iter().map(|k| lang.pick(label(lang, k).to_owned(), k.to_uppercase().replace(' ', "-"))).collect()
}
