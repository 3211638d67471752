//! Gaps and remarks of a bill (Art. 26). A gap is a fact that the records do not have: the bill is incomplete, has no digest,
//! and cannot be confirmed. A remark is a fact that people should see: it stops nothing.

use serde::{Deserialize, Serialize};

use crate::bilingual::{Bilingual, bilingual};

/// Missing fact, without which nobody knows what was in force.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// Reason.
    pub reason: GapReason,
    /// Name of the application; empty where the gap is not of one.
    pub application: String,
    /// Its UID.
    #[serde(rename = "applicationUID")]
    pub application_uid: String,
    /// Names of what is missing, or of what it is missing between; [`GapReason`] says which.
    pub names: Vec<String>,
}

/// Reason of a gap.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapReason {
    /// The opening state is not the end of the month before, or of another department or Region.
    OpeningForeign,
    /// The opening state is not the one that the month before closed with: that month.
    ChainBroken,
    /// An edition that a month was billed by is gone or has changed: its name, that month.
    EditionChanged,
    /// This month, or a later one, is settled: that month.
    MonthSettled,
    /// Two different records have one UID.
    RecordTwice,
    /// The application was in force in the opening state, and its record is gone.
    RecordMissing,
    /// Nothing says since when its first quotas were in force.
    StartUnknown,
    /// Nothing says since when its use had ended: name of the Decommission.
    EndUnknown,
    /// A change between two known states is not recorded: the record before it, and the one after it.
    ChangeMissing,
    /// A completed change has lost the time since when it was in force: its name.
    ChangeUndated,
    /// There is no ResourceGrant to compare the changes with.
    GrantMissing,
    /// The namespace of an entry is not recorded: the entry.
    NamespaceUnknown,
    /// Two applications had one namespace at one time: UID of the namespace, name of the other application.
    NamespaceTwice,
    /// The namespace was taken back, and no record is left of the time before: its UID.
    PredecessorUnknown,
    /// A quota is no quantity: name of the record, entry, quota key.
    QuotaUnreadable,
    /// No edition of the catalogue is in force: the first and the last of these days.
    NoEdition,
    /// A recorded quantity has no application, no item of that basis, or no number: code of the item, its first day.
    ManualUnusable,
}

impl Gap {
    /// A gap that is not of one application.
    pub(super) fn general(reason: GapReason, names: Vec<String>) -> Self {
        Self { reason, application: String::new(), application_uid: String::new(), names }
    }

    /// Wording: what is missing, and what to do.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        let name = |at: usize| self.names.get(at).map_or("", String::as_str);
        let (a, first, second, third) = (&self.application, name(0), name(1), name(2));
        match self.reason {
            GapReason::OpeningForeign => Bilingual::new(
                "期初状态不是本部门、本区域上月末的状态；请使用上月结算单的期末状态",
                "the opening state is not this department's at the end of the month before; use the closing state of that statement",
            ),
            GapReason::ChainBroken => bilingual!(
                "期初状态与 {first} 结算单的期末校验值不符；请使用该结算单的期末状态",
                "the opening state does not have the closing digest of {first}; use the closing state of that statement"
            ),
            GapReason::EditionChanged => bilingual!(
                "{second} 结算所用的服务目录 {first} 已更改或不存在；已用于结算的版本不得更改，请恢复原内容，另立新版",
                "service catalog {first}, by which {second} was billed, has changed or is gone; restore it, and make a new edition for new prices"
            ),
            GapReason::MonthSettled => bilingual!(
                "{first} 已结算；已结算月份的差错列入其后月份更正",
                "{first} is settled; what was wrong in a settled month is corrected in a later one"
            ),
            GapReason::RecordTwice => {
                bilingual!("应用 {a} 有两份内容不同的记录", "application {a} has two records that differ")
            }
            GapReason::RecordMissing => bilingual!(
                "应用 {a} 上月末仍在使用，其记录已不存在；请恢复记录，或由主管部门恢复关联",
                "application {a} was in force at the end of the month before and its record is gone; restore the record, or reattach its namespaces"
            ),
            GapReason::StartUnknown => {
                bilingual!(
                    "应用 {a} 的开通时间没有记录",
                    "the time at which application {a} was provisioned is not recorded"
                )
            }
            GapReason::EndUnknown => bilingual!(
                "应用 {a} 的退出 {first} 没有停止使用的时间",
                "exit {first} of application {a} does not have the time at which use ended"
            ),
            GapReason::ChangeMissing => bilingual!(
                "应用 {a}：{first} 与 {second} 之间缺少变更记录；已办结的变更申请在当月结算前不得删除",
                "application {a}: a change between {first} and {second} is not recorded; a completed change may be deleted only after its month is settled"
            ),
            GapReason::ChangeUndated => bilingual!(
                "应用 {a} 的变更 {first} 没有生效时间",
                "change {first} of application {a} does not have the time at which it came into force"
            ),
            GapReason::GrantMissing => {
                bilingual!(
                    "应用 {a} 的资源工单已不存在，变更无法核对",
                    "the ResourceGrant of application {a} is gone, so its changes cannot be compared"
                )
            }
            GapReason::NamespaceUnknown => {
                bilingual!(
                    "应用 {a} 的条目 {first} 没有命名空间的 UID",
                    "entry {first} of application {a} does not have the UID of its namespace"
                )
            }
            GapReason::NamespaceTwice => bilingual!(
                "命名空间 {first} 同时属于应用 {a} 和 {second}；同一命名空间只计费一次",
                "namespace {first} is of applications {a} and {second} at one time; a namespace is charged once"
            ),
            GapReason::PredecessorUnknown => bilingual!(
                "应用 {a} 恢复关联了命名空间 {first}，此前的配额没有记录",
                "application {a} took back namespace {first}, and its quota before that is not recorded"
            ),
            GapReason::QuotaUnreadable => bilingual!(
                "应用 {a} 的 {first}：条目 {second} 的配额“{third}”不是数量",
                "{first} of application {a}: quota “{third}” of entry {second} is not a quantity"
            ),
            GapReason::NoEdition => bilingual!(
                "{first} 至 {second} 没有施行的服务目录",
                "no edition of the service catalog is in force from {first} to {second}"
            ),
            GapReason::ManualUnusable => bilingual!(
                "自 {second} 起人工登记的 {first} 无法计费：须有应用、施行目录中计费依据为 Manual 的条目和不小于零的数量",
                "the quantity of {first} that was recorded from {second} on cannot be billed: it needs an application, an item with basis Manual in the edition in force, and a number of zero or more"
            ),
        }
    }
}

/// Fact that people should see before they confirm.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// Reason.
    pub reason: RemarkReason,
    /// Name of the application.
    pub application: String,
    /// UID of the namespace.
    #[serde(rename = "namespaceUID")]
    pub namespace_uid: String,
    /// Code of the item, where the remark is on one; otherwise empty.
    pub item: String,
}

/// Reason of a remark.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemarkReason {
    /// Records now say otherwise than the state that the month opened with: the months before are corrected.
    OpeningDiffers,
    /// The quota has no limit for a priced key, so nothing is charged for it.
    Unbounded,
    /// The namespace was opened and closed between two ends of days, so nothing is charged for it.
    WithinOneDay,
}

impl Remark {
    /// Wording of the fact.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        let Self { reason, application, namespace_uid, item } = self;
        match reason {
            RemarkReason::OpeningDiffers => bilingual!(
                "应用 {application} 的命名空间 {namespace_uid}：记录与期初状态不同，差额列入更正",
                "application {application}, namespace {namespace_uid}: the records differ from the opening state; the difference is a correction"
            ),
            RemarkReason::Unbounded => bilingual!(
                "应用 {application} 的命名空间 {namespace_uid}：配额未设“{item}”的上限，该项未计费",
                "application {application}, namespace {namespace_uid}: the quota does not bound {item}, which is not charged"
            ),
            RemarkReason::WithinOneDay => bilingual!(
                "应用 {application} 的命名空间 {namespace_uid}：当日开通当日收回，未计费",
                "application {application}, namespace {namespace_uid}: opened and closed within a day, not charged"
            ),
        }
    }
}
