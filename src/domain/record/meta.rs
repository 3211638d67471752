//! Metadata of a record.

use jiff::Timestamp;

use crate::decision::{self, Subject};
use govcloud_api::deadline::Party;
use govcloud_api::keys;
use govcloud_api::record::RecordStatus;

/// Metadata of a record, with what is derived from its spec and annotations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Generation.
    pub generation: i64,
    /// Creation.
    pub created_at: Option<Timestamp>,
    /// True while it is being deleted.
    pub deleting: bool,
    /// Annotations.
    pub annotations: std::collections::BTreeMap<String, String>,
    /// Labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Digest of the spec without the later fields.
    pub digest: String,
    /// Instant of the decision annotation, by the API server.
    pub stamped_at: Option<Timestamp>,
}

impl Meta {
    /// Username of the requester, as stamped.
    #[must_use]
    pub fn requested_by(&self) -> &str {
        self.annotations.get(keys::REQUESTED_BY).map_or("", String::as_str)
    }

    /// Returns true if the department withdrew it.
    #[must_use]
    pub fn withdrawn(&self) -> bool {
        self.annotations.get(keys::WITHDRAW).is_some_and(|u| *u == self.uid)
    }

    /// Subject of a decision on it.
    #[must_use]
    pub fn subject(&self, in_order: bool) -> Subject<'_> {
        Subject {
            uid: &self.uid,
            annotations: &self.annotations,
            generation: self.generation,
            digest: &self.digest,
            stamped_at: self.stamped_at,
            in_order,
            found: &[],
            existing: &[],
        }
    }
}

/// Returns true if the operator owes the record an answer: its spec or decision is newer than its status, or the provider
/// is at work. After a start such records are decided before those at rest.
#[must_use]
pub fn is_unanswered(meta: &Meta, status: Option<&RecordStatus>) -> bool {
    let Some(status) = status.filter(|s| s.observed_generation == Some(meta.generation)) else { return true };
    let decided = match (decision::read(&meta.annotations), &status.decision) {
        (Ok(None), None) => false,
        (Ok(None), Some(d)) => d.void.is_some(),
        (Ok(Some(new)), Some(d)) => new.reviewed_generation != d.generation,
        (Err(_), Some(_)) => false,
        (_, None) => true,
    };
    decided || (status.waiting_on == Party::Provider && !meta.deleting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use govcloud_api::record::{Decision, TimeSource, Verdict};

    #[test]
    fn a_spec_or_decision_newer_than_the_status_is_unanswered() {
        let at = Timestamp::UNIX_EPOCH;
        let approved = |generation: i64| {
            [(keys::DECISION, "approved".to_owned()), (keys::REVIEWED_GENERATION, generation.to_string())]
                .into_iter()
                .chain([(keys::DECIDED_BY, "clerk".to_owned())])
                .map(|(key, value)| (key.to_owned(), value))
                .collect()
        };
        let recorded = |generation: i64, void: Option<&str>| Decision {
            verdict: Verdict::Approved,
            by: "clerk".to_owned(),
            at: at.into(),
            at_source: TimeSource::Observed,
            opinion: None,
            generation,
            digest: String::new(),
            reattach: Vec::new(),
            adopt: Vec::new(),
            void: void.map(str::to_owned),
            seal: None,
        };
        let filed = Meta { generation: 2, ..Meta::default() };
        let decided = Meta { annotations: approved(2), ..filed.clone() };
        let seen = RecordStatus { observed_generation: Some(2), ..RecordStatus::default() };
        let known = RecordStatus { decision: Some(recorded(2, None)), ..seen.clone() };
        let void = RecordStatus { decision: Some(recorded(2, Some("why"))), ..seen.clone() };
        let earlier = RecordStatus { decision: Some(recorded(1, None)), ..seen.clone() };
        let behind = RecordStatus { observed_generation: Some(1), ..RecordStatus::default() };
        let under_way = RecordStatus { waiting_on: Party::Provider, ..known.clone() };
        let waits = |meta: &Meta, status| is_unanswered(meta, status);
        assert!(waits(&filed, None) && waits(&filed, Some(&behind)), "filed, amended");
        assert!(waits(&decided, Some(&seen)) && waits(&decided, Some(&earlier)), "decided");
        assert!(waits(&filed, Some(&void)), "a void decision was taken away");
        assert!(waits(&decided, Some(&under_way)), "approved, not provisioned yet");
        assert!(!waits(&filed, Some(&seen)) && !waits(&decided, Some(&known)), "all is told");
        assert!(!waits(&decided, Some(&void)), "that it is void is told");
    }
}
