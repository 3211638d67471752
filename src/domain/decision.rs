//! Decision (Art. 12, 15, 16, 18): the authority's annotations, and the verdict on their validity.
//!
//! The API server's policies decide who may annotate; here the operator trusts nothing and checks
//! again: prior observation, generation, digest, identity, and that the policies were intact all the while. What a
//! client can write, `managedFields` and status among it, proves none of that; a [`Seal`] does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::integrity::PolicyIntegrity;
use super::seal::Seal;
use govcloud_api::keys;
use govcloud_api::record::{Decision, RecordStatus, TimeSource, Verdict};

mod invalid;

pub use invalid::InvalidDecision;

/// Most namespaces that a recorded decision names; the schema says the same.
const REATTACH_MAX: usize = 64;

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
    /// Namespaces of running systems to adopt, by UID, sorted.
    pub adopt: Vec<String>,
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
    let named = |key: &str| uids(annotations.get(key).map_or("", String::as_str));
    let (reattach, adopt) = (named(keys::REATTACH), named(keys::ADOPT));
    Ok(Some(Annotated { verdict, reviewed_generation, opinion, by, reattach, adopt }))
}

/// The UIDs of a list separated by commas, sorted, each once; as many as a status holds, and one more.
fn uids(list: &str) -> Vec<String> {
    let named = list.split(',').map(str::trim).filter(|u| !u.is_empty());
    let named: std::collections::BTreeSet<String> = named.map(|u| u.chars().take(64).collect()).collect();
    named.into_iter().take(REATTACH_MAX + 1).collect()
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

impl Annotated {
    /// Returns true if a recorded decision is this one.
    fn is(&self, recorded: &Decision) -> bool {
        let Self { verdict, reviewed_generation, opinion, by, reattach, adopt } = self;
        let (reattach, adopt) = (reattach.iter().take(REATTACH_MAX), adopt.iter().take(REATTACH_MAX));
        (verdict, by, opinion) == (&recorded.verdict, &recorded.by, &recorded.opinion)
            && *reviewed_generation == recorded.generation
            && reattach.eq(&recorded.reattach)
            && adopt.eq(&recorded.adopt)
    }

    /// The decision to record.
    fn decision(self, at: Timestamp, at_source: TimeSource, digest: &str, void: Option<String>) -> Decision {
        Decision {
            verdict: self.verdict,
            by: self.by,
            at: at.into(),
            at_source,
            opinion: self.opinion,
            generation: self.reviewed_generation,
            digest: digest.to_owned(),
            reattach: self.reattach.into_iter().take(REATTACH_MAX).collect(),
            adopt: self.adopt.into_iter().take(REATTACH_MAX).collect(),
            void,
            seal: None,
        }
    }
}

/// The admission policies, as far as a decision rests on them.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a> {
    /// Their integrity.
    pub integrity: &'a PolicyIntegrity,
    /// The operator's seal.
    pub seal: &'a Seal,
}

/// Record that a decision is on.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its UID.
    pub uid: &'a str,
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
    /// UIDs of the running systems' namespaces that it asks to adopt: an approval names exactly these.
    pub existing: &'a [String],
}

/// Verdict on the annotations of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionVerdict {
    /// There is no decision that the record does not know.
    Undecided,
    /// The recorded decision is unchanged.
    Recorded,
    /// A new decision, to be recorded; with a reason if it is invalid.
    New(Box<Decision>, Option<InvalidDecision>),
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
    policies: Policies<'_>,
    now: Timestamp,
) -> DecisionVerdict {
    let annotated = read(subject.annotations);
    match &status.decision {
        Some(d) if d.void.is_some() => match annotated {
            Ok(None) => DecisionVerdict::Cleared,
            // It was removed and made anew before anybody looked.
            Ok(Some(a)) if !a.is(d) && policies.seal.wrote(subject.uid, d) => {
                fresh(a, subject, status, policies, now)
            }
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
                fresh(a, subject, status, policies, now)
            }
            _ => DecisionVerdict::Recorded,
        },
        None => match annotated {
            Ok(None) => DecisionVerdict::Undecided,
            Ok(Some(a)) => fresh(a, subject, status, policies, now),
            Err(e) => unreadable(subject, now, e),
        },
    }
}

/// A decision that the record has not seen before.
fn fresh(
    a: Annotated,
    subject: Subject<'_>,
    status: &RecordStatus,
    policies: Policies<'_>,
    now: Timestamp,
) -> DecisionVerdict {
    let (at, at_source) = decided_at(subject.stamped_at, status, now);
    let why = match policies.integrity {
        PolicyIntegrity::Unknown => return DecisionVerdict::Wait,
        PolicyIntegrity::Violated(why) => Some(InvalidDecision::PoliciesViolated(why.clone())),
        PolicyIntegrity::Intact { since } => {
            let seen = policies.seal.saw(subject.uid, status.period_seal.as_ref());
            why_invalid(&a, subject, status, seen && at >= *since)
        }
    };
    let void = why.as_ref().map(InvalidDecision::stored);
    DecisionVerdict::New(Box::new(a.decision(at, at_source, subject.digest, void)), why)
}

/// Reason for which a new decision is invalid, if it is. `seen_before` is true if the operator saw the record without it
/// in the present period of intact policies.
fn why_invalid(
    a: &Annotated,
    subject: Subject<'_>,
    status: &RecordStatus,
    seen_before: bool,
) -> Option<InvalidDecision> {
    let requested_by = subject.annotations.get(keys::REQUESTED_BY);
    let answered = a.verdict == Verdict::Returned && a.reviewed_generation < subject.generation;
    let approved = a.verdict == Verdict::Approved;
    if status.observed_at.is_none() {
        Some(InvalidDecision::BeforeFirstVisit)
    } else if !seen_before {
        Some(InvalidDecision::PoliciesWereViolated)
    } else if requested_by.is_none_or(|r| *r == a.by) {
        Some(InvalidDecision::SelfDecided)
    } else if a.reviewed_generation != subject.generation && !answered {
        Some(InvalidDecision::OtherGeneration(a.reviewed_generation, subject.generation))
    } else if approved && !subject.in_order {
        Some(InvalidDecision::NotValid)
    } else if approved && !same(&a.reattach, subject.found) {
        Some(InvalidDecision::OtherNamespaces(a.reattach.clone(), subject.found.to_vec()))
    } else if approved && !same(&a.adopt, subject.existing) {
        Some(InvalidDecision::OtherExisting(a.adopt.clone(), subject.existing.to_vec()))
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

/// An invalid decision that cannot be read.
fn unreadable(subject: Subject<'_>, now: Timestamp, why: String) -> DecisionVerdict {
    let why = InvalidDecision::Unreadable(why);
    let unread = Annotated {
        verdict: Verdict::Returned,
        reviewed_generation: subject.generation,
        opinion: None,
        by: String::new(),
        reattach: Vec::new(),
        adopt: Vec::new(),
    };
    let decision = unread.decision(now, TimeSource::Observed, subject.digest, Some(why.stored()));
    DecisionVerdict::New(Box::new(decision), Some(why))
}

/// Returns the recorded decision if it is a valid approval of exactly this spec.
#[must_use]
pub fn approved<'a>(status: &'a RecordStatus, digest: &str) -> Option<&'a Decision> {
    status
        .decision
        .as_ref()
        .filter(|d| d.verdict == Verdict::Approved && d.void.is_none() && d.digest == digest)
}
