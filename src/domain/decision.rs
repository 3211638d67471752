//! The decision (Art. 12, 15, 16, 18): reading the authority's annotations, and ruling on whether they count.
//!
//! The API server's policies decide who may annotate; here the operator trusts nothing and checks
//! again: prior observation, generation, digest, identity, and that the policies stood all the while.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use govcloud_api::keys;
use govcloud_api::record::{Decision, RecordStatus, TimeSource, Verdict};

/// Whether the policies that guard decisions stand as shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyIntegrity {
    /// Not looked at yet: no gate opens, nothing is voided.
    Unknown,
    /// All in place, without a gap since `since`.
    Intact {
        /// Decisions made before this instant and not yet recorded were made in a gap.
        since: Timestamp,
    },
    /// Something is missing, altered or replaced.
    Violated(Vec<String>),
}

/// The authority's annotations as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotated {
    /// The verdict.
    pub verdict: Verdict,
    /// The generation that it names.
    pub reviewed_generation: i64,
    /// The opinion.
    pub opinion: Option<String>,
    /// Who decided, as stamped.
    pub by: String,
    /// Namespaces to take back, by UID, sorted.
    pub reattach: Vec<String>,
}

/// Reads the annotations. `None` where no decision stands; `Err` where one stands that cannot be read.
///
/// # Errors
/// Says which annotation is missing or wrong.
pub fn read(annotations: &BTreeMap<String, String>) -> Result<Option<Annotated>, String> {
    let Some(verdict) = annotations.get(keys::DECISION) else { return Ok(None) };
    let verdict = match verdict.as_str() {
        "approved" => Verdict::Approved,
        "rejected" => Verdict::Rejected,
        "returned" => Verdict::Returned,
        other => return Err(format!("{} = {other:?}", keys::DECISION)),
    };
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

/// When the API server says that the decision annotation was last written: the newest entry that owns it.
#[must_use]
pub fn stamped_at(owned: &[Owned]) -> Option<Timestamp> {
    let owns = |e: &&Owned| {
        let annotations = e.fields.as_ref().and_then(|f| f.metadata.as_ref()?.annotations.as_ref());
        annotations.is_some_and(|a| a.decision.is_some())
    };
    owned.iter().filter(owns).filter_map(|e| e.time.as_ref()?.parse().ok()).max()
}

/// What is known of the record that a decision is on.
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
    /// Whether the stored status said `Valid=True` of this generation: policy lets nothing else be approved.
    pub in_order: bool,
    /// UIDs of the namespaces that an earlier record left behind: an approval names exactly these.
    pub found: &'a [String],
}

/// What the annotations mean for the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionVerdict {
    /// No decision stands that the record does not know.
    Undecided,
    /// The recorded decision stands.
    Recorded,
    /// A new decision, to be recorded; void where it does not count.
    New(Decision),
    /// A void decision was removed: the record can be decided anew.
    Cleared,
    /// The recorded decision was on another spec than the one that stands (S7).
    SpecAltered,
    /// The guard has not been looked at yet: wait.
    Wait,
}

/// Rules on the annotations of a record (Art. 12). `now` is server time.
#[must_use]
pub fn rule(
    subject: Subject<'_>,
    status: &RecordStatus,
    guard: &PolicyIntegrity,
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
                fresh(a, subject, status, guard, now)
            }
            _ => DecisionVerdict::Recorded,
        },
        None => match annotated {
            Ok(None) => DecisionVerdict::Undecided,
            Ok(Some(a)) => fresh(a, subject, status, guard, now),
            Err(e) => DecisionVerdict::New(void_of(Verdict::Returned, String::new(), subject, now, e)),
        },
    }
}

/// A decision that the record has not seen before.
fn fresh(
    a: Annotated,
    subject: Subject<'_>,
    status: &RecordStatus,
    guard: &PolicyIntegrity,
    now: Timestamp,
) -> DecisionVerdict {
    let since = match guard {
        PolicyIntegrity::Unknown => return DecisionVerdict::Wait,
        PolicyIntegrity::Violated(why) => {
            return DecisionVerdict::New(void_of(
                a.verdict,
                a.by,
                subject,
                now,
                format!("审批策略不完整 / the policies were not in place: {}", why.join(", ")),
            ));
        }
        PolicyIntegrity::Intact { since } => *since,
    };
    let (at, at_source) = decided_at(subject.stamped_at, status, now);
    let void = why_void(&a, subject, status, since, at);
    DecisionVerdict::New(Decision {
        verdict: a.verdict,
        by: a.by,
        at: at.into(),
        at_source,
        opinion: a.opinion,
        generation: a.reviewed_generation,
        digest: subject.digest.to_owned(),
        reattach: a.reattach.into_iter().take(64).collect(),
        void,
    })
}

/// Why a decision does not count, if it does not.
fn why_void(
    a: &Annotated,
    subject: Subject<'_>,
    status: &RecordStatus,
    intact_since: Timestamp,
    at: Timestamp,
) -> Option<String> {
    let requested_by = subject.annotations.get(keys::REQUESTED_BY);
    if status.observed_at.is_none() {
        return Some(
            "该记录受理前已带有审核意见 / it was there before the record was first looked at".to_owned(),
        );
    }
    if at < intact_since {
        return Some("作出时审批策略不完整 / it was made while the policies were not in place".to_owned());
    }
    if requested_by.is_none_or(|r| *r == a.by) {
        return Some("审核人与申请人为同一人 / who decided is who filed".to_owned());
    }
    let answered = a.verdict == Verdict::Returned && a.reviewed_generation < subject.generation;
    if a.reviewed_generation != subject.generation && !answered {
        return Some(format!(
            "所审为第 {} 版,现为第 {} 版 / it is on generation {}, not {}",
            a.reviewed_generation, subject.generation, a.reviewed_generation, subject.generation
        ));
    }
    if a.verdict == Verdict::Approved && !subject.in_order {
        return Some("作出时申请尚不符合要求(Valid 不为 True) / the record was not in order when it was decided: Valid was not True".to_owned());
    }
    if a.verdict == Verdict::Approved && !same(&a.reattach, subject.found) {
        let (named, found) = (a.reattach.join(","), subject.found.join(","));
        return Some(format!(
            "所列命名空间 [{named}] 不是现存的 [{found}] / it names the namespaces [{named}], and those found are [{found}]"
        ));
    }
    if a.verdict != Verdict::Approved && a.opinion.is_none() {
        return Some("未附审核意见(第十二条) / it gives no opinion (Art. 12)".to_owned());
    }
    None
}

/// Whether two lists hold the same, in whatever order.
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

/// A decision that cannot count.
fn void_of(verdict: Verdict, by: String, subject: Subject<'_>, now: Timestamp, why: String) -> Decision {
    Decision {
        verdict,
        by,
        at: now.into(),
        at_source: TimeSource::Observed,
        opinion: None,
        generation: subject.generation,
        digest: subject.digest.to_owned(),
        reattach: Vec::new(),
        void: Some(why.chars().take(1024).collect()),
    }
}

/// Whether the recorded decision is an approval that counts, on exactly this spec.
#[must_use]
pub fn approved<'a>(status: &'a RecordStatus, digest: &str) -> Option<&'a Decision> {
    status
        .decision
        .as_ref()
        .filter(|d| d.verdict == Verdict::Approved && d.void.is_none() && d.digest == digest)
}
