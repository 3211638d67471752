//! A timeline entry as a CloudEvent 1.0 (decision 0040; `docs/cloudevents.md` is for those who receive them).
//!
//! Identity and content come from the record alone: whoever reads the same entry twice, before a crash and
//! after it, makes the same event of it.

use serde::{Deserialize as _, Serialize};
use serde_json::Value;

use super::bilingual::Bilingual;
use super::digest;
use super::lifecycle_event::EventKind;
use govcloud_api::deadline::Party;
use govcloud_api::record::TimelineEntry;
use govcloud_api::{API_VERSION, time::Instant};

/// Name of an entry for ever: 16 hex digits of a digest of the record's UID, the entry's place in its timeline, its
/// event and who acted; of a decision its wording and time as well. A Kubernetes Event is named after the entries in its note
/// (S9).
///
/// A place alone would name two decisions where etcd was restored between them (docs/decisions/0077). Wording and time of all
/// else are left out: a repeated try would tell another event, as a certificate made a second later has another digest.
#[must_use]
pub fn id(uid: &str, place: u64, entry: &TimelineEntry) -> String {
    let TimelineEntry { at, actor, party, event, article: _, message, place: _ } = entry;
    let decided =
        matches!(event.parse(), Ok(EventKind::Approved | EventKind::Rejected | EventKind::Returned));
    let decision = decided.then_some((message, at));
    short_digest(&(uid, place.to_string(), event, (actor, party, decision)))
}

/// Name of several entries together; one alone keeps its own.
#[must_use]
pub fn id_of_all(ids: &[&str]) -> String {
    match ids {
        [alone] => (*alone).to_owned(),
        several => short_digest(several),
    }
}

/// The first 16 hex digits of a digest.
fn short_digest<T: Serialize + ?Sized>(value: &T) -> String {
    let hash = digest::digest_of(&value).unwrap_or_default();
    hash.trim_start_matches("sha256:").chars().take(16).collect()
}

/// The record that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Kind.
    pub kind: &'static str,
    /// Its plural, as in URLs.
    pub plural: &'static str,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// `spec.region`; empty where the record is malformed.
    pub region: String,
    /// The application that it is about; itself, for one. Absent for maintenance, which may concern many.
    pub application: Option<String>,
}

/// A record's timeline as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'a> {
    status: &'a Value,
}

impl<'a> Timeline<'a> {
    /// The timeline in a status.
    #[must_use]
    pub fn of(status: &'a Value) -> Self {
        Self { status }
    }

    fn entries(&self) -> &'a [Value] {
        self.status["timeline"].as_array().map_or(&[], Vec::as_slice)
    }

    fn dropped(&self) -> u64 {
        self.status["timelineDropped"].as_u64().unwrap_or(0)
    }

    /// The place after the last entry: how many there ever were.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.entries().len() as u64 + self.dropped()
    }

    /// The entries that are still there, each with its place.
    fn placed(&self) -> impl Iterator<Item = (u64, &'a Value)> {
        let dropped = self.dropped();
        self.entries().iter().zip(0_u64..).map(move |(entry, index)| {
            let by_position = if index == 0 { 0 } else { index + dropped };
            (entry["place"].as_u64().unwrap_or(by_position), entry)
        })
    }

    /// The first place from `place` on that is still there: past its bound the timeline drops entries.
    #[must_use]
    pub fn first_kept(&self, place: u64) -> u64 {
        self.placed()
            .map(|(kept, _)| kept)
            .find(|kept| *kept >= place)
            .unwrap_or_else(|| self.end().max(place))
    }

    /// The entry at a place, if it is still there and can be read.
    #[must_use]
    pub fn entry(&self, place: u64) -> Option<TimelineEntry> {
        let (_, entry) = self.placed().find(|(kept, _)| *kept == place)?;
        TimelineEntry::deserialize(entry).ok()
    }
}

/// The envelope of CloudEvents 1.0, in structured JSON.
#[derive(Clone, Debug, Serialize)]
pub struct CloudEvent {
    /// `1.0`.
    pub specversion: &'static str,
    /// Equal for one entry, always.
    pub id: String,
    /// The record's URI.
    pub source: String,
    /// `dev.govcloud.<kind>.<Event>.v1alpha1`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `<namespace>/<application>`: the lifecycle that it belongs to.
    pub subject: String,
    /// Time of the event.
    pub time: Instant,
    /// `application/json`.
    pub datacontenttype: &'static str,
    /// Code of the region, to route by.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The record's UID: what is to be kept in order (the partitioning extension).
    pub partitionkey: String,
    /// The entry's place in the record's timeline, ten digits (the sequence extension).
    pub sequence: String,
    /// Event.
    pub data: Data,
}

/// Data of an event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Data {
    /// The record.
    pub record: Reference,
    /// Word of the timeline.
    pub event: String,
    /// The article of the measures that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article: Option<i32>,
    /// Username of who acted, or `govcloud-operator`; absent where the record does not show who it was.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// Party that acted, or for which the operator acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// Wording for people.
    pub message: Bilingual,
    /// State of the record when this was sent. Unlike all the rest it may differ when the event is repeated.
    pub standing: RecordState,
}

/// A record, named.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// `govcloud.dev/v1alpha1`.
    pub api_version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Code of the region.
    pub region: String,
    /// The application that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
}

/// State of a record.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordState {
    /// Phase.
    pub phase: Value,
    /// Which party's act is awaited.
    pub waiting_on: Value,
    /// Which act.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub waiting_for: Value,
    /// Last lawful day for it.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub due_date: Value,
}

impl CloudEvent {
    /// The event of one entry. `origin` goes before the record's path in `source`.
    #[must_use]
    pub fn of(subject: &Subject, origin: &str, place: u64, entry: TimelineEntry, status: &Value) -> Self {
        let Subject { kind, plural, namespace, name, uid, region, application } = subject;
        Self {
            specversion: "1.0",
            id: id(uid, place, &entry),
            source: format!("{origin}/apis/{API_VERSION}/namespaces/{namespace}/{plural}/{name}"),
            type_: type_of(kind, &entry.event),
            subject: format!("{namespace}/{}", application.as_ref().unwrap_or(name)),
            time: entry.at,
            datacontenttype: "application/json",
            region: region.clone(),
            partitionkey: uid.clone(),
            sequence: format!("{place:010}"),
            data: Data {
                record: Reference {
                    api_version: API_VERSION,
                    kind,
                    namespace: namespace.clone(),
                    name: name.clone(),
                    uid: uid.clone(),
                    region: region.clone(),
                    application: application.clone(),
                },
                event: entry.event,
                article: entry.article,
                actor: entry.actor,
                party: entry.party,
                message: Bilingual::read(&entry.message),
                standing: RecordState {
                    phase: status["phase"].clone(),
                    waiting_on: status["waitingOn"].clone(),
                    waiting_for: status["waitingFor"].clone(),
                    due_date: status["dueDate"].clone(),
                },
            },
        }
    }
}

/// The `type` of what happened to a kind.
#[must_use]
pub fn type_of(kind: &str, event: &str) -> String {
    format!("dev.govcloud.{}.{event}.v1alpha1", kind.to_lowercase())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::lifecycle_event::LifecycleEvent;
    use crate::record::{OPERATOR, StatusBuilder, TIMELINE_MAX};
    use strum::IntoEnumIterator;

    fn subject() -> Subject {
        Subject {
            kind: "ChangeRequest",
            plural: "changerequests",
            namespace: "dept".to_owned(),
            name: "enlarge".to_owned(),
            uid: "u-1".to_owned(),
            region: "410000".to_owned(),
            application: Some("travel".to_owned()),
        }
    }

    #[test]
    fn a_timeline_entry_becomes_a_cloud_event() {
        let status = json!({
            "phase": "Applying", "waitingOn": "Provider", "waitingFor": "Change", "dueDate": "2026-11-26",
            "timeline": [{ "at": "2026-11-23T02:00:00Z", "actor": "officer", "party": "Authority", "event": "Approved", "article": 15, "message": "同意 / approved" }],
        });
        let entry = Timeline::of(&status).entry(0).expect("an entry");
        let name = id("u-1", 0, &entry);
        let event = CloudEvent::of(&subject(), "https://cloud.example", 0, entry, &status);
        assert_eq!(
            serde_json::to_value(event).expect("JSON"),
            json!({
                "specversion": "1.0",
                "id": name,
                "source": "https://cloud.example/apis/govcloud.dev/v1alpha1/namespaces/dept/changerequests/enlarge",
                "type": "dev.govcloud.changerequest.Approved.v1alpha1",
                "subject": "dept/travel",
                "time": "2026-11-23T02:00:00Z",
                "datacontenttype": "application/json",
                "region": "410000",
                "partitionkey": "u-1",
                "sequence": "0000000000",
                "data": {
                    "record": {
                        "apiVersion": "govcloud.dev/v1alpha1", "kind": "ChangeRequest", "namespace": "dept",
                        "name": "enlarge", "uid": "u-1", "region": "410000", "application": "travel",
                    },
                    "event": "Approved", "article": 15, "actor": "officer", "party": "Authority",
                    "message": { "zh": "同意", "en": "approved" },
                    "standing": { "phase": "Applying", "waitingOn": "Provider", "waitingFor": "Change", "dueDate": "2026-11-26" },
                },
            })
        );
    }

    /// etcd was restored between two approvals: they stand at one place of the timeline, and are two events.
    #[test]
    fn two_decisions_at_one_place_are_two_events() {
        let entry = |at: &str, actor: &str, event: &str, message: &str| -> TimelineEntry {
            let entry = json!({ "at": at, "actor": actor, "event": event, "message": message });
            serde_json::from_value(entry).expect("an entry")
        };
        let first = ("2026-11-23T02:00:00Z", "li", "Approved", "同意 / approved");
        let others = [
            ("2026-11-23T02:00:00Z", "wang", "Approved", "同意 / approved"),
            ("2026-11-23T02:00:00Z", "li", "Approved", "同意：按附件 / approved: as attached"),
            ("2026-11-23T02:00:09Z", "li", "Approved", "同意 / approved"),
            ("2026-11-23T02:00:00Z", "li", "Returned", "同意 / approved"),
        ];
        let name = |(at, actor, event, message)| id("u-1", 3, &entry(at, actor, event, message));
        let names: BTreeSet<String> = [first].into_iter().chain(others).map(name).collect();
        assert_eq!(names.len(), 5);
        // An act of the operator is told again under the same name after a crash.
        let told = |at, text| id("u-1", 4, &entry(at, "govcloud-operator", "Reclaimed", text));
        assert_eq!(told("2026-11-23T02:00:00Z", "sha256:1"), told("2026-11-23T02:00:09Z", "sha256:2"));
    }

    #[test]
    fn a_message_with_several_separators_is_sent_whole() {
        let nested = "不符：甲 / a / differs: 甲 / a";
        assert_eq!(Bilingual::read(nested), Bilingual::same(nested));
    }

    #[test]
    fn every_type_is_in_the_documentation_and_no_other() {
        let page = include_str!("../../docs/cloudevents.md");
        let table =
            page.split_once("## What is sent").and_then(|(_, s)| s.split_once("\n## ")).expect("the table").0;
        let rows = table.lines().filter_map(|l| l.strip_prefix("| `")?.split_once('`'));
        let told: BTreeSet<&str> = rows.map(|(word, _)| word).collect();
        let words: BTreeSet<&str> = EventKind::iter().map(Into::into).collect();
        assert_eq!(told, words, "docs/cloudevents.md (left) and EventKind (right)");
    }

    proptest! {
        /// Each kept entry is found under its first place, however many entries there are.
        #[test]
        fn a_place_stays_when_the_timeline_drops_entries(count in 1_usize..TIMELINE_MAX * 3) {
            let now = jiff::Timestamp::UNIX_EPOCH;
            let mut builder = StatusBuilder::begin(&Default::default(), 1, now);
            for place in 0..count {
                builder.record_event(LifecycleEvent::ExitBegun(place.to_string()), OPERATOR, None);
            }
            let status = serde_json::to_value(&builder.status).expect("JSON");
            let timeline = Timeline::of(&status);
            prop_assert_eq!(timeline.end(), count as u64);
            let mut seen = 0;
            for place in 0..count as u64 {
                match timeline.entry(place) {
                    Some(entry) => {
                        let said = format!("exit {} was filed", place);
                        prop_assert!(entry.message.ends_with(&said));
                        prop_assert_eq!(timeline.first_kept(place), place);
                        seen += 1;
                    }
                    None => prop_assert!(timeline.first_kept(place) > place),
                }
            }
            prop_assert_eq!(seen, count.min(TIMELINE_MAX));
            prop_assert_eq!(timeline.entry(count as u64), None);
        }
    }
}
