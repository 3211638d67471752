//! Reasons for which a decision is invalid, and their wording.

use crate::bilingual::{Bilingual, bilingual};
use crate::integrity::PolicyViolation;

/// Reason for which a decision is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidDecision {
    /// An annotation is missing or cannot be read.
    Unreadable(String),
    /// The policies are incomplete now; the violations.
    PoliciesViolated(Vec<PolicyViolation>),
    /// It was there before the operator's first visit.
    BeforeFirstVisit,
    /// It appeared before the record was seen in the present period of intact policies.
    PoliciesWereViolated,
    /// Status has it, and the operator did not record it while the policies were intact.
    NotSealed,
    /// The requester decided.
    SelfDecided,
    /// It is on another generation than the present one: both.
    OtherGeneration(i64, i64),
    /// The record was not `Valid` when it was approved.
    NotValid,
    /// It names other namespaces than those found: both lists of UIDs.
    OtherNamespaces(Vec<String>, Vec<String>),
    /// It names other existing namespaces than those that the application asks to adopt: both lists of UIDs.
    OtherExisting(Vec<String>, Vec<String>),
    /// It lacks the opinion that Art. 12 asks for.
    NoOpinion,
}

impl InvalidDecision {
    /// Wording for people.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Unreadable(e) => bilingual!(
                "审核注解缺失或无法识别（{e}）",
                "an annotation is missing or cannot be read ({e})"
            ),
            Self::PoliciesViolated(why) => {
                let texts: Vec<Bilingual> = why.iter().map(PolicyViolation::text).collect();
                let Bilingual { zh, en } = Bilingual::list(&texts);
                bilingual!("审批策略不完整：{zh}", "the policies were not in place: {en}")
            }
            Self::BeforeFirstVisit => Bilingual::new(
                "该记录受理前已带有审核结论",
                "it was there before the record was first looked at",
            ),
            Self::PoliciesWereViolated => Bilingual::new(
                "不能证明其作出时审批策略完整：策略恢复后首次核对本记录时，该结论已经存在",
                "it may have been made while the policies were not in place: it was there when the record was first seen after they were",
            ),
            Self::NotSealed => Bilingual::new(
                "状态中的该结论不是管控程序（operator）在审批策略完整时所记录",
                "status has it, but the operator did not record it there while the policies were in place",
            ),
            Self::SelfDecided => {
                Bilingual::new("审核人与申请人为同一人", "the requester and the approver are the same person")
            }
            Self::OtherGeneration(reviewed, now) => bilingual!(
                "所审为第 {reviewed} 次提交稿，现为第 {now} 次提交稿",
                "it is on generation {reviewed}, not {now}"
            ),
            Self::NotValid => Bilingual::new(
                "作出时申请尚不符合要求（Valid 不为 True）",
                "the record was not in order when it was decided: Valid was not True",
            ),
            Self::OtherNamespaces(named, found) => {
                let (named, found) = (named.join(","), found.join(","));
                bilingual!(
                    "所列命名空间 [{named}] 不是现存的 [{found}]",
                    "it names the namespaces [{named}], and those found are [{found}]"
                )
            }
            Self::OtherExisting(named, asked) => {
                let (named, asked) = (named.join(","), asked.join(","));
                bilingual!(
                    "所列纳管的命名空间 [{named}] 不是所申请的 [{asked}]",
                    "it lets the namespaces [{named}] be adopted, and those asked for are [{asked}]"
                )
            }
            Self::NoOpinion => Bilingual::new("未附审核意见（第十二条）", "it gives no opinion (Art. 12)"),
        }
    }

    /// Text for `status.decision.void`, cut to its length.
    pub(crate) fn stored(&self) -> String {
        self.text().stored(1024)
    }
}
