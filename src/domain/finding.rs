//! Findings: everything that keeps a record from going on until a person acts, with its reason and wording.
//!
//! One variant, one [`Reason`], one wording in Chinese and English.

use jiff::Timestamp;

use super::adoption::AdoptionFinding;
use super::assessment::AssessmentFinding;
pub use super::bilingual::Bilingual;
use super::reason::Reason;
use super::settlement::CatalogFinding;
use super::tenancy::AccessRefusal;
use super::tenancy::limits::LimitFinding;
use super::tenancy::quota::QuotaFinding;
use super::tenancy::volumes::VolumeFinding;
use crate::bilingual::bilingual;
use govcloud_api::application::ApplicationPhase;
use govcloud_api::region::Tier;

/// Defect that a person has to correct before the record can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The stored object does not fit the schema any more.
    Malformed(String),
    /// The operator's clock is wrong by so many seconds.
    ClockSkewed(i64),
    /// `spec.region` names no Region.
    UnknownRegion(String),
    /// A City's Province does not exist, or is not a Province.
    ParentMissing(String, Option<String>, Option<Tier>),
    /// The Region's WorkCalendar does not exist or cannot be used.
    CalendarUnusable(String, Bilingual),
    /// The Region's ServiceCatalog does not exist.
    CatalogMissing(String),
    /// The platform's protection level is below what the measures ask for (Art. 20).
    PlatformBelowLevel(i32),
    /// A StorageClass of the Region does not exist.
    StorageClassMissing(String),
    /// A StorageClass of the Region would delete volumes (Art. 23, S5).
    StorageClassNotRetain(String, String),
    /// The system's protection level is above the platform's (Art. 20).
    ProtectionLevelTooHigh(i32, i32),
    /// A document is dated in the future.
    DocumentInFuture(String, String),
    /// A namespace asks for more than the Region allows.
    QuotaAboveMaximum(String, String, String, String),
    /// The Region's limits for containers contradict each other, or no LimitRange could be made of them.
    BadLimits(LimitFinding),
    /// A maximum of the Region that no application could be within.
    BadMaximum(QuotaFinding),
    /// A field of the Region's network settings that holds no block of addresses, and what it holds.
    BadNetwork(String, String),
    /// A quota that the API server would refuse once it is approved, with its namespace.
    BadQuota(String, QuotaFinding),
    /// Access for a subject that may get none.
    AccessRefused(AccessRefusal),
    /// The namespace name that would result is reserved.
    NamespaceReserved(String),
    /// The namespace exists and is not this application's.
    NamespaceTaken(String, String),
    /// The namespace that an earlier record of this name left is being deleted.
    NamespaceTerminating(String, String),
    /// An earlier record of this name left a namespace for an entry that this one does not ask for: entry, name, UID.
    NamespaceLeftOut(String, String, String),
    /// An obstacle to the adoption of a running system's namespace.
    Adoption(AdoptionFinding),
    /// More is used in a namespace that would be taken back than this record asks for.
    BelowUse(String, String),
    /// `goLive` came before the resources were provisioned (Art. 14).
    GoLiveBeforeProvisioning(Option<Timestamp>),
    /// `goLive.at` lies in the future (Art. 14).
    GoLiveInFuture(Timestamp),
    /// The record's application does not exist.
    ApplicationMissing(String),
    /// The record's region is not its application's.
    RegionMismatch(String, String),
    /// The application is not provisioned or live.
    ApplicationNotActive(String, Option<ApplicationPhase>),
    /// Another request on the application is open.
    AnotherOpen(String, String),
    /// A change names nothing that differs from what is in force.
    NothingChanges,
    /// More namespaces than an application may have.
    TooManyNamespaces(usize),
    /// A storage class that the Region does not offer.
    StorageClassNotOffered(String),
    /// Maintenance window too near for the notice that Art. 18 asks for.
    WindowTooNear(String, i32),
    /// Maintenance names an application that does not exist.
    AffectedMissing(String),
    /// A defect of the inventory or the disposition.
    Inventory(VolumeFinding),
    /// Consent names another inventory than the one published.
    ConsentStale(String, String),
    /// There is no volume to dispose of.
    NoVolumes,
    /// More volumes, or more snapshots, than one inventory can list: how many of each.
    InventoryTooLong(usize, usize),
    /// A read that a decision needs and that the API server refused.
    ReadRefused(String),
    /// The service catalogue of the Region cannot be billed by, or would charge twice or nothing (Art. 26).
    Catalog(CatalogFinding),
    /// The Region makes no statements.
    SettlementOff(String),
    /// The statement of the month before is not settled yet.
    MonthBeforeOpen(String),
    /// Facts are missing from the records that a statement is computed from (Art. 26).
    StatementIncomplete(Bilingual),
    /// A statement with more lines, corrections, remarks or namespaces than one can have: how many of which.
    StatementTooLong(Bilingual, usize, usize),
    /// The department has not confirmed the statement (Art. 6, 26).
    NotConfirmed,
    /// The confirmation names another digest than the statement has.
    OtherDigest(String, String),
    /// A quantity that was recorded for an application that does not exist in this department: its name, code of the item.
    ManualUnknown(String, String),
    /// An emergency plan that cannot be relied on: the field that names it, its name, and why.
    EmergencyPlanUnusable(&'static str, String, Bilingual),
    /// Something that an assessment lacks or waits for (Art. 27, 29).
    Assessment(AssessmentFinding),
}

impl Finding {
    /// Reason of the condition that reports it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Malformed(..) => Reason::Malformed,
            Self::ClockSkewed(..) => Reason::ClockSkewed,
            Self::UnknownRegion(..) => Reason::UnknownRegion,
            Self::ParentMissing(..) => Reason::ParentMissing,
            Self::CalendarUnusable(..) => Reason::CalendarUnusable,
            Self::CatalogMissing(..) => Reason::CatalogMissing,
            Self::PlatformBelowLevel(..) => Reason::PlatformBelowLevel,
            Self::StorageClassMissing(..) => Reason::StorageClassMissing,
            Self::StorageClassNotRetain(..) => Reason::StorageClassNotRetain,
            Self::ProtectionLevelTooHigh(..) => Reason::ProtectionLevelTooHigh,
            Self::DocumentInFuture(..) => Reason::DocumentInFuture,
            Self::QuotaAboveMaximum(..) => Reason::QuotaAboveMaximum,
            Self::BadLimits(LimitFinding::NotAQuantity { .. })
            | Self::BadMaximum(QuotaFinding::NotAQuantity { .. }) => Reason::BadQuantity,
            Self::BadLimits(..) => Reason::BadLimits,
            Self::BadMaximum(..) => Reason::BadQuota,
            Self::BadNetwork(..) => Reason::BadNetwork,
            Self::BadQuota(..) => Reason::BadQuota,
            Self::AccessRefused(..) => Reason::AccessRefused,
            Self::NamespaceReserved(..) => Reason::NamespaceReserved,
            Self::NamespaceTaken(..) => Reason::NamespaceTaken,
            Self::NamespaceTerminating(..) => Reason::NamespaceTerminating,
            Self::NamespaceLeftOut(..) => Reason::NamespaceLeftOut,
            Self::Adoption(finding) => finding.reason(),
            Self::BelowUse(..) => Reason::BelowUse,
            Self::GoLiveBeforeProvisioning(..) => Reason::GoLiveBeforeProvisioning,
            Self::GoLiveInFuture(..) => Reason::GoLiveInFuture,
            Self::ApplicationMissing(..) => Reason::ApplicationMissing,
            Self::RegionMismatch(..) => Reason::RegionMismatch,
            Self::ApplicationNotActive(..) => Reason::ApplicationNotActive,
            Self::AnotherOpen(..) => Reason::AnotherOpen,
            Self::NothingChanges => Reason::NothingChanges,
            Self::TooManyNamespaces(..) => Reason::TooManyNamespaces,
            Self::StorageClassNotOffered(..) => Reason::StorageClassNotOffered,
            Self::WindowTooNear(..) => Reason::WindowTooNear,
            Self::AffectedMissing(..) => Reason::AffectedMissing,
            Self::Inventory(finding) => finding.reason(),
            Self::ConsentStale(..) => Reason::ConsentStale,
            Self::NoVolumes => Reason::NoVolumes,
            Self::InventoryTooLong(..) => Reason::InventoryTooLong,
            Self::ReadRefused(..) => Reason::ReadRefused,
            Self::Catalog(CatalogFinding::ItemsOverlap { .. }) => Reason::ItemsOverlap,
            Self::Catalog(CatalogFinding::PricedKeyUnbounded { .. }) => Reason::PricedKeyUnbounded,
            Self::Catalog(..) => Reason::CatalogUnusable,
            Self::SettlementOff(..) => Reason::SettlementOff,
            Self::MonthBeforeOpen(..) => Reason::MonthBeforeOpen,
            Self::StatementIncomplete(..) | Self::ManualUnknown(..) => Reason::Incomplete,
            Self::StatementTooLong(..) => Reason::StatementTooLong,
            Self::NotConfirmed => Reason::AwaitingConfirmation,
            Self::OtherDigest(..) => Reason::OtherDigest,
            Self::EmergencyPlanUnusable(..) => Reason::EmergencyPlanUnusable,
            Self::Assessment(finding) => finding.reason(),
        }
    }

    /// Wording: the defect, its place, the allowed values, and the next step.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Malformed(e) => bilingual!(
                "该记录不再符合现行格式（{e}）；请改正，或删除后重新申请",
                "this object does not fit the schema ({e}); correct it, or delete it and file anew"
            ),
            Self::ClockSkewed(s) => bilingual!(
                "管控程序（operator）时钟与 API 服务器相差 {s} 秒，与时间有关的步骤暂停；请校准该机器的时钟",
                "the operator's clock is {s} seconds off the API server's; steps that depend on time are held until it is set right"
            ),
            Self::UnknownRegion(r) => bilingual!(
                "spec.region {r} 没有对应的 Region；用 kubectl get regions 查看可用的区划代码",
                "spec.region {r} names no Region; see kubectl get regions for the codes that exist"
            ),
            Self::ParentMissing(r, parent, tier) => {
                let parent = parent.as_deref().unwrap_or("-");
                match tier {
                    Some(_) => bilingual!(
                        "区域 {r} 的上级 {parent} 不是省级",
                        "the parent {parent} of region {r} is not a Province"
                    ),
                    None => bilingual!(
                        "区域 {r} 的上级 {parent} 不存在；请主管部门先建立该省级 Region",
                        "the parent {parent} of region {r} does not exist; its authority must create that Region first"
                    ),
                }
            }
            Self::CalendarUnusable(c, e) => Bilingual::new(
                format!("工作日历 {c} 不可用：{}", e.zh),
                format!("work calendar {c} cannot be used: {}", e.en),
            ),
            Self::CatalogMissing(c) => {
                bilingual!("服务目录 {c} 不存在", "service catalog {c} does not exist")
            }
            Self::PlatformBelowLevel(l) => bilingual!(
                "平台等级保护为第 {l} 级，低于第三级（第二十条）",
                "the platform is protected at level {l}, below level 3 (Art. 20)"
            ),
            Self::StorageClassMissing(c) => {
                bilingual!("存储类 {c} 不存在", "storage class {c} does not exist")
            }
            Self::StorageClassNotRetain(c, p) => bilingual!(
                "存储类 {c} 的 reclaimPolicy 为 {p}，须为 Retain，否则删除持久卷申领（PVC）即销毁数据（第二十三条）",
                "storage class {c} has reclaimPolicy {p}; it must be Retain, or deleting a claim destroys data (Art. 23)"
            ),
            Self::ProtectionLevelTooHigh(s, p) => bilingual!(
                "系统等级保护为第 {s} 级，高于平台的第 {p} 级（第二十条）",
                "the system's protection level {s} is above the platform's {p} (Art. 20)"
            ),
            Self::DocumentInFuture(f, d) => {
                bilingual!("{f} 的日期 {d} 在将来，请改正", "{f} is dated {d}, in the future; correct it")
            }
            Self::QuotaAboveMaximum(n, k, v, m) => bilingual!(
                "命名空间 {n} 的 {k} 申请 {v}，超过本区域上限 {m}",
                "namespace {n} asks for {k} {v}, above this region's maximum {m}"
            ),
            Self::BadLimits(finding) => finding.text(),
            Self::BadMaximum(finding) => {
                let Bilingual { zh, en } = finding.text();
                bilingual!("tenancy.maxQuota 的{zh}", "tenancy.maxQuota: {en}")
            }
            Self::BadNetwork(field, value) => bilingual!(
                "{field} 的“{value}”不是地址段；应如 169.254.20.10/32",
                "“{value}” of {field} is no block of addresses; one like 169.254.20.10/32 is allowed"
            ),
            Self::BadQuota(n, finding) => {
                let Bilingual { zh, en } = finding.text();
                bilingual!("命名空间 {n} 的{zh}", "namespace {n}: {en}")
            }
            Self::AccessRefused(refusal) => refusal.text(),
            Self::NamespaceReserved(n) => bilingual!(
                "命名空间名 {n} 为系统保留，请更换申请名称或部门申报空间",
                "the namespace name {n} is reserved; choose another application name or filing namespace"
            ),
            Self::NamespaceTaken(n, uid) => bilingual!(
                "命名空间 {n}（UID {uid}）已存在且不属于本申请，不会自动关联；请更换申请名称，或由其所有者移除后再试",
                "namespace {n} (UID {uid}) exists and is not this application's; it is never adopted. Choose another name, or have its owner remove it"
            ),
            Self::NamespaceTerminating(n, uid) => bilingual!(
                "原命名空间 {n}（UID {uid}）正在被删除；请等其删除完毕",
                "the earlier namespace {n} (UID {uid}) is being deleted; wait until it is gone"
            ),
            Self::NamespaceLeftOut(entry, n, uid) => bilingual!(
                "同名原申请的命名空间 {n}（UID {uid}）仍在，而本申请没有 {entry}；请在 spec.namespaces 中加上 {entry}，或更换申请名称",
                "an earlier application of this name left namespace {n} (UID {uid}), and entry {entry} is not asked for; add {entry} to spec.namespaces, or choose another name"
            ),
            Self::Adoption(finding) => finding.text(),
            Self::BelowUse(n, list) => bilingual!(
                "原命名空间 {n} 的现用量高于所申请的配额：{list}；请按现用量申请",
                "in the earlier namespace {n} more is used than is asked for: {list}; ask for at least what is used"
            ),
            Self::GoLiveBeforeProvisioning(None) => Bilingual::new(
                "资源尚未开通，不能填写上线情况（第十四条）",
                "goLive cannot be given before the resources are provisioned (Art. 14)",
            ),
            Self::GoLiveBeforeProvisioning(Some(t)) => bilingual!(
                "上线时间早于资源开通时间 {t}（第十四条），请更正 spec.goLive.at",
                "goLive.at is before provisioning at {t} (Art. 14); correct spec.goLive.at"
            ),
            Self::GoLiveInFuture(t) => bilingual!(
                "上线时间 {t} 在将来；请在上线后填写（第十四条）",
                "goLive.at {t} is in the future; report it once live (Art. 14)"
            ),
            Self::ApplicationMissing(a) => bilingual!(
                "本命名空间没有名为 {a} 的 CloudApplication",
                "there is no CloudApplication {a} in this namespace"
            ),
            Self::RegionMismatch(own, app) => bilingual!(
                "spec.region {own} 与其申请的区域 {app} 不一致",
                "spec.region {own} is not its application's region {app}"
            ),
            Self::ApplicationNotActive(a, phase) => {
                let phase: &str = phase.unwrap_or(ApplicationPhase::Submitted).into();
                bilingual!(
                    "应用 {a} 处于 {phase}，须已开通或已上线",
                    "application {a} is {phase}; it must be Provisioned or Live"
                )
            }
            Self::AnotherOpen(k, n) => bilingual!(
                "该应用已有未办结的 {k} {n}；请先办结或撤回",
                "{k} {n} on this application is still open; let it end or withdraw it first"
            ),
            Self::NothingChanges => Bilingual::new(
                "申请的配额和授权与现行的相同，没有可变更的内容",
                "the requested quotas and access equal those in force; nothing would change",
            ),
            Self::TooManyNamespaces(n) => bilingual!(
                "变更后将有 {n} 个命名空间，最多 8 个",
                "there would be {n} namespaces after the change; at most 8 are allowed"
            ),
            Self::StorageClassNotOffered(c) => {
                bilingual!("本区域不提供存储类 {c}", "this region does not offer storage class {c}")
            }
            Self::WindowTooNear(d, n) => bilingual!(
                "窗口太近：须至少提前 {n} 个工作日告知（第十八条），最早 {d}",
                "the window is too near: {n} working days of notice are needed (Art. 18); the earliest start is {d}"
            ),
            Self::AffectedMissing(a) => bilingual!(
                "受影响的应用 {a} 不存在或不在本区域",
                "affected application {a} does not exist in this region"
            ),
            Self::Inventory(finding) => finding.text(),
            Self::ConsentStale(c, i) => bilingual!(
                "授权所指清单 {c} 不是当前清单 {i}；请核对后重新授权",
                "consent names {c}, but the inventory is {i}; check it and consent again"
            ),
            Self::NoVolumes => Bilingual::new(
                "没有未关联应用或保留的数据卷可处置",
                "there is no unclaimed or retained volume to dispose of",
            ),
            Self::InventoryTooLong(volumes, snapshots) => bilingual!(
                "须列入清单的有 {volumes} 个数据卷、{snapshots} 个快照，一份清单各以 512 个、合计 700 kB 为限，不能公布；请使用部门先删除不需要的快照，或删除不需要的持久卷申领（PVC）：其数据卷保留，可以 scope: Volumes 分批处置",
                "{volumes} volumes and {snapshots} snapshots must be listed, and one inventory lists at most 512 of each and 700 kB, so none is published; the department first deletes snapshots that it does not need, or claims: their volumes stay, and leave in parts with scope: Volumes"
            ),
            Self::ReadRefused(e) => bilingual!(
                "读取被拒，不作任何办理：{e}；请检查管控程序（operator）的权限",
                "a read was refused, so nothing is decided: {e}; check the operator's rights"
            ),
            Self::Catalog(finding) => finding.text(),
            Self::SettlementOff(r) => bilingual!(
                "区域 {r} 未设 settlement，不出结算单；请主管部门恢复 spec.settlement，或者不予同意本结算单",
                "region {r} has no settlement, so no bill is computed; restore spec.settlement, or reject this statement"
            ),
            Self::MonthBeforeOpen(month) => bilingual!(
                "{month} 结算单尚未办结，其期末状态是本月的期初状态；请先办结 {month}",
                "the statement of {month} is not settled yet, and this month opens with its closing state; settle {month} first"
            ),
            Self::StatementIncomplete(missing) => {
                let Bilingual { zh, en } = missing;
                bilingual!(
                    "缺少计费所需的事实，不能确认：{zh}",
                    "facts are missing, so nothing can be confirmed: {en}"
                )
            }
            Self::StatementTooLong(what, n, max) => {
                let Bilingual { zh, en } = what;
                bilingual!(
                    "{zh}共 {n} 项，超过一份结算单的上限 {max}，不出结算单；请主管部门将本部门的应用分到多个申报空间",
                    "{n} {en} are more than the {max} that one statement can have, so none is made; divide the department's applications between several filing namespaces"
                )
            }
            Self::NotConfirmed => Bilingual::new(
                "使用部门尚未确认；逾期未确认的，不视为同意",
                "the department has not confirmed it; silence is no consent",
            ),
            Self::OtherDigest(named, current) => bilingual!(
                "确认所写校验值 {named} 不是本结算单的校验值 {current}；请核对后按现校验值确认",
                "the confirmation names {named}, and the statement has {current}; check it and confirm the present digest"
            ),
            Self::ManualUnknown(application, item) => bilingual!(
                "spec.manual 中 {item} 所属的应用 {application} 不存在；请服务提供方更正",
                "spec.manual records {item} for application {application}, which does not exist here; the provider corrects it"
            ),
            Self::EmergencyPlanUnusable(field, n, why) => Bilingual::new(
                format!(
                    "{field} 所列应急预案 {n} 不能作为依据：{}；请改写为在案有效的 EmergencyPlan",
                    why.zh
                ),
                format!(
                    "{field} names {n}, which cannot be relied on: {}; name an EmergencyPlan that is in force",
                    why.en
                ),
            ),
            Self::Assessment(finding) => finding.text(),
        }
    }
}
