//! Facts that records have in common which are filed on an application.

use govcloud_api::deadline::Party;
use govcloud_api::record::{Decision, RecordStatus};
use govcloud_domain::names;
use govcloud_domain::record::is_unanswered;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Dependency, Kind, Live, always, links};
use crate::cache::Object;
use crate::index::IndexKey;

/// Records that a request on an application depends on. Of open requests there is one at a time.
pub(super) static REQUEST: [Dependency; 4] = [
    Dependency::on(Kind::Application, links::APPLICATION_OF_RECORD, always)
        .live(Live::Reference)
        .confirm_missing(),
    Dependency::on(Kind::Grant, links::GRANT_OF_APPLICATION, always).live(Live::Reference),
    Dependency::on(Kind::Change, links::SAME_APPLICATION, always),
    Dependency::on(Kind::Decommission, links::SAME_APPLICATION, always),
];

/// The phase of a status, and nothing else of it: read of records that do not fit their schema as well.
#[derive(Deserialize)]
struct OfPhase<P> {
    phase: Option<P>,
}

/// Phase of a record; `None` before its first visit, and where it cannot be read.
pub(super) fn phase<P: DeserializeOwned>(record: &Object) -> Option<P> {
    record.status::<OfPhase<P>>()?.phase
}

/// Returns true if a record was filed and is not at its end.
pub(super) fn is_open(record: &Object) -> bool {
    record.kind.filed().is_some_and(|filed| !(filed.is_over)(record))
}

/// Region of a record that names one.
pub(super) fn region_in_spec(record: &Object) -> Option<String> {
    record.spec()["region"].as_str().map(str::to_owned)
}

/// The part of a status that tells whether a record is unanswered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfAnswer {
    observed_generation: Option<i64>,
    #[serde(default)]
    waiting_on: Party,
    decision: Option<Decision>,
}

/// Returns true if the operator owes a record an answer. It is found when the record arrives, and not after the lists, when every
/// record waits for its turn.
fn awaits_answer(record: &Object) -> bool {
    let status = record.status().map(|OfAnswer { observed_generation, waiting_on, decision }| RecordStatus {
        observed_generation,
        waiting_on,
        decision,
        ..RecordStatus::default()
    });
    is_unanswered(&record.meta(), status.as_ref())
}

/// Index keys that every filed record has.
pub(super) fn filed_index(record: &Object) -> Vec<IndexKey> {
    let spec = record.spec();
    let mut keys = vec![IndexKey::Uid(record.uid.to_string())];
    keys.extend(spec["region"].as_str().map(|r| IndexKey::Region(r.to_owned())));
    keys.extend(awaits_answer(record).then_some(IndexKey::Unanswered));
    for application in links::applications(record) {
        keys.extend(wanted(record, &application, &spec).into_iter().map(IndexKey::WantsNamespace));
        keys.push(IndexKey::Application(record.namespace().to_owned(), application));
    }
    keys
}

/// Names of the tenant namespaces that a record's spec asks for.
pub(super) fn wanted(record: &Object, application: &str, spec: &Value) -> Vec<String> {
    let entries = record.kind.filed().and_then(|filed| spec.pointer(filed.namespaces?)?.as_array());
    let name = |entry: &Value| match entry["existing"]["name"].as_str() {
        Some(existing) => Some(existing.to_owned()),
        None => Some(names::tenant_namespace(record.namespace(), application, entry["name"].as_str()?)),
    };
    entries.into_iter().flatten().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cache::CacheUpdate;
    use crate::clock::Clock;
    use crate::cluster_state::ClusterState;
    use crate::kinds::Kind;

    /// A start decides on these records before all others.
    #[test]
    fn a_record_that_is_owed_an_answer_is_indexed() {
        let unanswered = |generation: i64, waiting_on: &str| {
            let record = serde_json::from_value(json!({
                "metadata": {
                    "name": "more", "namespace": "dept", "uid": "u", "resourceVersion": "7", "generation": 2,
                    "creationTimestamp": "2026-03-10T01:30:00Z",
                },
                "spec": { "region": "410000", "resourceAdjustment": { "application": "travel" } },
                "status": { "observedGeneration": generation, "waitingOn": waiting_on },
            }));
            let state = ClusterState::default();
            state.update(Kind::Change, CacheUpdate::Observed(record.unwrap()), &Clock::default());
            !state.unanswered().is_empty()
        };
        assert!(unanswered(1, "Authority"), "its spec is newer than its status");
        assert!(unanswered(2, "Provider"), "the provider is at work");
        assert!(!unanswered(2, "Authority") && !unanswered(2, "None"));
    }
}
