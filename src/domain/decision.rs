//! Decision (Art. 12, 15, 16, 18): the authority's annotations, and the verdict on their validity.
//!
//! The API server's policies decide who may annotate; here the operator trusts nothing and checks
//! again: prior observation, generation, digest, identity, and that the policies stood all the while.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::bilingual::Bilingual;
use super::integrity::{PolicyIntegrity, PolicyViolation};
use crate::bilingual::bilingual;
use govcloud_api::keys;
use govcloud_api::record::{Decision, RecordStatus, TimeSource, Verdict};

/// The authority's annotations, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotated {
    /// The verdict.
    pub verdict: Verdict,
    /// The generation that it names.
    pub reviewed_generation: i64,
    /// The opinion.
    pub opinion: Option<String>,
    /// Username of the approver, as stamped.
    pub by: String,
    /// Namespaces to take back, by UID, sorted.
    pub reattach: Vec<String>,
}

/// Reads the annotations. `None` without a decision; `Err` where one cannot be read.
///
/// # Errors
/// Says which annotation is missing or wrong.
pub fn read(annotations: &BTreeMap<String, String>) -> Result<Option<Annotated>, String> {
    let Some(verdict) = annotations.get(keys::DECISION) else { return Ok(None) };
    let verdict = verdict.parse::<Verdict>().map_err(|_| format!("{} = {verdict:?}", keys::DECISION))?;
    let reviewed_generation = annotations
        .get(keys::REVIEWED_GENERATION)
        .and_then(|g| g.parse().ok())
        .ok_or_else(|| format!("{} missing or not a number", keys::REVIEWED_GENERATION))?;
    let by =
        annotations.get(keys::DECIDED_BY).cloned().ok_or_else(|| format!("{} missing", keys::DECIDED_BY))?;
    let opinion = annotations.get(keys::OPINION).filter(|o| !o.is_empty()).cloned();
    // Cut to what the status holds, or the API server would refuse it.
    let opinion = opinion.map(|o| o.chars().take(4096).collect());
    let by = by.chars().take(512).collect();
    let reattach = uids(annotations.get(keys::REATTACH).map_or("", String::as_str));
    Ok(Some(Annotated { verdict, reviewed_generation, opinion, by, reattach }))
}

/// The UIDs of a list separated by commas, sorted, each once; as many as a status holds, and one more.
fn uids(list: &str) -> Vec<String> {
    let named = list.split(',').map(str::trim).filter(|u| !u.is_empty());
    let named: std::collections::BTreeSet<String> = named.map(|u| u.chars().take(64).collect()).collect();
    named.into_iter().take(65).collect()
}

/// An entry of `metadata.managedFields`, as far as a decision rests on it: whether it owns the decision annotation, and
/// when it was written.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Owned {
    time: Option<String>,
    #[serde(rename = "fieldsV1")]
    fields: Option<OwnedFields>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnedFields {
    #[serde(rename = "f:metadata")]
    metadata: Option<OwnedMetadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnedMetadata {
    #[serde(rename = "f:annotations")]
    annotations: Option<OwnedAnnotations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OwnedAnnotations {
    /// `f:` and [`keys::DECISION`].
    #[serde(rename = "f:govcloud.dev/decision")]
    decision: Option<IgnoredAny>,
}

/// Instant at which the decision annotation was last written, by the API server: the newest entry that owns it.
#[must_use]
pub fn stamped_at(owned: &[Owned]) -> Option<Timestamp> {
    let owns = |e: &&Owned| {
        let annotations = e.fields.as_ref().and_then(|f| f.metadata.as_ref()?.annotations.as_ref());
        annotations.is_some_and(|a| a.decision.is_some())
    };
    owned.iter().filter(owns).filter_map(|e| e.time.as_ref()?.parse().ok()).max()
}

/// Record that a decision is on.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its annotations.
    pub annotations: &'a BTreeMap<String, String>,
    /// Its `metadata.generation`.
    pub generation: i64,
    /// Digest of its spec without the later fields.
    pub digest: &'a str,
    /// [`stamped_at`].
    pub stamped_at: Option<Timestamp>,
    /// True if the stored status said `Valid=True` of this generation: policy lets nothing else be approved.
    pub in_order: bool,
    /// UIDs of the namespaces that an earlier record left behind: an approval names exactly these.
    pub found: &'a [String],
}

/// Verdict on the annotations of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionVerdict {
    /// There is no decision that the record does not know.
    Undecided,
    /// The recorded decision is unchanged.
    Recorded,
    /// A new decision, to be recorded; with a reason if it is invalid.
    New(Decision, Option<InvalidDecision>),
    /// An invalid decision was removed: the record can be decided anew.
    Cleared,
    /// The recorded decision was on another spec than the present one (S7).
    SpecAltered,
    /// The policies have not been checked yet: wait.
    Wait,
}

/// Judges the annotations of a record (Art. 12). `now` is server time.
#[must_use]
pub fn rule(
    subject: Subject<'_>,
    status: &RecordStatus,
    integrity: &PolicyIntegrity,
    now: Timestamp,
) -> DecisionVerdict {
    let annotated = read(subject.annotations);
    match &status.decision {
        Some(d) if d.void.is_some() => match annotated {
            Ok(None) => DecisionVerdict::Cleared,
            _ => DecisionVerdict::Recorded,
        },
        Some(d) if d.verdict != Verdict::Returned => {
            if d.digest == subject.digest {
                DecisionVerdict::Recorded
            } else {
                DecisionVerdict::SpecAltered
            }
        }
        Some(returned) => match annotated {
            Ok(Some(a)) if a.reviewed_generation > returned.generation => {
                fresh(a, subject, status, integrity, now)
            }
            _ => DecisionVerdict::Recorded,
        },
        None => match annotated {
            Ok(None) => DecisionVerdict::Undecided,
            Ok(Some(a)) => fresh(a, subject, status, integrity, now),
            Err(e) => invalid(Verdict::Returned, String::new(), subject, now, InvalidDecision::Unreadable(e)),
        },
    }
}

/// A decision that the record has not seen before.
fn fresh(
    a: Annotated,
    subject: Subject<'_>,
    status: &RecordStatus,
    integrity: &PolicyIntegrity,
    now: Timestamp,
) -> DecisionVerdict {
    let since = match integrity {
        PolicyIntegrity::Unknown => return DecisionVerdict::Wait,
        PolicyIntegrity::Violated(why) => {
            return invalid(a.verdict, a.by, subject, now, InvalidDecision::PoliciesViolated(why.clone()));
        }
        PolicyIntegrity::Intact { since } => *since,
    };
    let (at, at_source) = decided_at(subject.stamped_at, status, now);
    let why = why_invalid(&a, subject, status, since, at);
    let decision = Decision {
        verdict: a.verdict,
        by: a.by,
        at: at.into(),
        at_source,
        opinion: a.opinion,
        generation: a.reviewed_generation,
        digest: subject.digest.to_owned(),
        reattach: a.reattach.into_iter().take(64).collect(),
        void: why.as_ref().map(InvalidDecision::stored),
    };
    DecisionVerdict::New(decision, why)
}

/// Reason for which a decision is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidDecision {
    /// An annotation is missing or cannot be read.
    Unreadable(String),
    /// The policies are incomplete now; the violations.
    PoliciesViolated(Vec<PolicyViolation>),
    /// It was there before the operator's first visit.
    BeforeFirstVisit,
    /// The policies were incomplete when it was made.
    PoliciesWereViolated,
    /// The requester decided.
    SelfDecided,
    /// It is on another generation than the present one: both.
    OtherGeneration(i64, i64),
    /// The record was not `Valid` when it was approved.
    NotValid,
    /// It names other namespaces than those found: both lists of UIDs.
    OtherNamespaces(Vec<String>, Vec<String>),
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
            Self::PoliciesWereViolated => {
                Bilingual::new("作出时审批策略不完整", "it was made while the policies were not in place")
            }
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
            Self::NoOpinion => Bilingual::new("未附审核意见（第十二条）", "it gives no opinion (Art. 12)"),
        }
    }

    /// Text for `status.decision.void`, cut to its length.
    fn stored(&self) -> String {
        self.text().to_string().chars().take(1024).collect()
    }
}

/// Reason for which a new decision is invalid, if it is.
fn why_invalid(
    a: &Annotated,
    subject: Subject<'_>,
    status: &RecordStatus,
    intact_since: Timestamp,
    at: Timestamp,
) -> Option<InvalidDecision> {
    let requested_by = subject.annotations.get(keys::REQUESTED_BY);
    let answered = a.verdict == Verdict::Returned && a.reviewed_generation < subject.generation;
    let approved = a.verdict == Verdict::Approved;
    if status.observed_at.is_none() {
        Some(InvalidDecision::BeforeFirstVisit)
    } else if at < intact_since {
        Some(InvalidDecision::PoliciesWereViolated)
    } else if requested_by.is_none_or(|r| *r == a.by) {
        Some(InvalidDecision::SelfDecided)
    } else if a.reviewed_generation != subject.generation && !answered {
        Some(InvalidDecision::OtherGeneration(a.reviewed_generation, subject.generation))
    } else if approved && !subject.in_order {
        Some(InvalidDecision::NotValid)
    } else if approved && !same(&a.reattach, subject.found) {
        Some(InvalidDecision::OtherNamespaces(a.reattach.clone(), subject.found.to_vec()))
    } else if !approved && a.opinion.is_none() {
        Some(InvalidDecision::NoOpinion)
    } else {
        None
    }
}

/// Returns true if two lists hold the same, in any order.
fn same(a: &[String], b: &[String]) -> bool {
    let set = |l: &[String]| l.iter().cloned().collect::<std::collections::BTreeSet<_>>();
    set(a) == set(b)
}

/// The API server's time where it is credible: after the last observation and not after now; else the time of observation.
fn decided_at(stamped: Option<Timestamp>, status: &RecordStatus, now: Timestamp) -> (Timestamp, TimeSource) {
    let seen_without = status.observed_at.as_ref().map(|t| t.timestamp());
    match stamped {
        Some(t) if t <= now && seen_without.is_none_or(|s| t >= s) => (t, TimeSource::ManagedFields),
        _ => (now, TimeSource::Observed),
    }
}

/// An invalid decision without an instant of its own.
fn invalid(
    verdict: Verdict,
    by: String,
    subject: Subject<'_>,
    now: Timestamp,
    why: InvalidDecision,
) -> DecisionVerdict {
    let decision = Decision {
        verdict,
        by,
        at: now.into(),
        at_source: TimeSource::Observed,
        opinion: None,
        generation: subject.generation,
        digest: subject.digest.to_owned(),
        reattach: Vec::new(),
        void: Some(why.stored()),
    };
    DecisionVerdict::New(decision, Some(why))
}

/// Returns the recorded decision if it is a valid approval of exactly this spec.
#[must_use]
pub fn approved<'a>(status: &'a RecordStatus, digest: &str) -> Option<&'a Decision> {
    status
        .decision
        .as_ref()
        .filter(|d| d.verdict == Verdict::Approved && d.void.is_none() && d.digest == digest)
}
