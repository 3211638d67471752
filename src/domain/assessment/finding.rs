//! Findings on an assessment: what it lacks, and what it waits for.

use govcloud_api::assessment::Subject;
use jiff::civil::Date;

use crate::bilingual::{Bilingual, bilingual};
use crate::reason::Reason;
use crate::utilization::MOST_ROWS;

/// Something that an assessment lacks or waits for. While there is one, it cannot be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssessmentFinding {
    /// The Region has no scheme for this subject.
    SchemeMissing(String, Subject),
    /// Scores for criteria that the scheme does not have.
    UnknownCriterion(Vec<String>),
    /// Use was asked for, and the operator has no Prometheus.
    UseNotConfigured,
    /// Use has more rows than an assessment can hold.
    UseTooLong(usize),
    /// Prometheus cannot be read, and why.
    UseUnavailable(String),
    /// The period is not over; its last day.
    PeriodRunning(Date),
    /// The facts are being taken.
    FactsPending,
    /// Criteria without a score.
    ScoresMissing(Vec<String>),
    /// The assessed party may object; the last day.
    ObjectionPeriod(Date),
    /// The objection was not answered.
    ObjectionUnanswered,
}

impl AssessmentFinding {
    /// Returns true if it is the ordinary way of things: time, or an act that comes next.
    #[must_use]
    pub fn is_wait(&self) -> bool {
        matches!(
            self,
            Self::PeriodRunning(_)
                | Self::FactsPending
                | Self::ScoresMissing(_)
                | Self::ObjectionPeriod(_)
                | Self::ObjectionUnanswered
        )
    }

    /// Reason of the condition that reports it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::SchemeMissing(..) => Reason::SchemeMissing,
            Self::UnknownCriterion(_) => Reason::UnknownCriterion,
            Self::UseNotConfigured => Reason::UseNotConfigured,
            Self::UseTooLong(_) => Reason::UseTooLong,
            Self::UseUnavailable(_) => Reason::UseUnavailable,
            Self::PeriodRunning(_) => Reason::PeriodRunning,
            Self::FactsPending => Reason::FactsPending,
            Self::ScoresMissing(_) => Reason::ScoresMissing,
            Self::ObjectionPeriod(_) => Reason::ObjectionPeriod,
            Self::ObjectionUnanswered => Reason::ObjectionUnanswered,
        }
    }

    /// Wording: the defect, its place, and the next step.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        let lists = |names: &[String]| (names.join("、"), names.join(", "));
        match self {
            Self::SchemeMissing(region, subject) => {
                let field = match subject {
                    Subject::Provider => "provider",
                    Subject::Department => "department",
                };
                bilingual!(
                    "区域 {region} 没有规定这类考评的指标；请主管部门在 Region 的 spec.assessment.{field} 中写明",
                    "region {region} has no scheme for this assessment; its authority sets spec.assessment.{field} of the Region"
                )
            }
            Self::UnknownCriterion(names) => {
                let (zh, en) = lists(names);
                bilingual!(
                    "spec.scores 所列 {zh} 不是本区域的考评指标；请改正或删除",
                    "spec.scores names {en}, which the region's scheme does not have; correct or remove it"
                )
            }
            Self::UseNotConfigured => bilingual!(
                "spec.measureUse 要求采集用量，而管控程序（operator）未配置 Prometheus；请以 --prometheus-url 指明，或将 measureUse 改为 false",
                "spec.measureUse asks for use, and the operator has no Prometheus; set --prometheus-url, or measureUse to false"
            ),
            Self::UseTooLong(rows) => bilingual!(
                "用量共 {rows} 项，一份考评最多 {MOST_ROWS} 项；请按季度分别考评",
                "use has {rows} rows, and one assessment holds at most {MOST_ROWS}; file one for each quarter"
            ),
            Self::UseUnavailable(why) => bilingual!(
                "读取 Prometheus 失败，每分钟重试一次：{why}",
                "Prometheus cannot be read, and is tried again once a minute: {why}"
            ),
            Self::PeriodRunning(last) => bilingual!(
                "考评期至 {last} 止，期满后采集事实",
                "the period runs until {last}; its facts are taken when it is over"
            ),
            Self::FactsPending => {
                bilingual!("正在采集考评事实", "the facts of the period are being taken")
            }
            Self::ScoresMissing(names) => {
                let (zh, en) = lists(names);
                bilingual!(
                    "尚未评分的指标：{zh}；请主管部门在 spec.scores 中评分",
                    "no score yet for {en}; the authority gives them in spec.scores"
                )
            }
            Self::ObjectionPeriod(last) => bilingual!(
                "异议期至 {last} 止，此前不能通报",
                "the assessed party may object until {last}; it is not published before"
            ),
            Self::ObjectionUnanswered => bilingual!(
                "异议尚未答复，不能通报；请主管部门填写 spec.answer",
                "the objection is not answered, so it is not published; the authority gives spec.answer"
            ),
        }
    }
}
