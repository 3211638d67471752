//! The operator's requests about each application, read from the audit log.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use e2e::actors::OPERATOR;
use e2e::audit::{Entries, Entry};
use e2e::requests;
use futures::stream::{self, Stream};
use jiff::Timestamp;
use kube::Client;
use serde_json::Value;

use crate::record::{ObjectKey, Record};

/// The UIDs of objects.
pub type Snapshot = HashMap<ObjectKey, String>;

/// One write.
#[derive(Clone)]
pub struct Write {
    pub method: &'static str,
    pub content_type: &'static str,
    /// Path and query.
    pub uri: String,
    pub body: String,
    /// UID of the object that was written.
    pub uid: Option<String>,
    /// The record's phase after it, of a status.
    pub phase: Option<String>,
    /// Verb and resource.
    pub request: String,
    pub received: Timestamp,
    pub answered: Timestamp,
}

impl Write {
    fn of(entry: &Entry) -> Self {
        let mut body = entry.request_object.clone().unwrap_or(Value::Null);
        for pointer in ["/metadata", "/preconditions"] {
            if let Some(Value::Object(fields)) = body.pointer_mut(pointer) {
                fields.remove("resourceVersion");
            }
        }
        if entry.verb == "delete" && body.is_object() {
            // The audit log has the options in the API server's internal version, which it does not accept.
            body["apiVersion"] = "v1".into();
        }
        let (method, content_type) = match entry.verb.as_str() {
            "create" => ("POST", "application/json"),
            "delete" => ("DELETE", "application/json"),
            _ if entry.request_uri.contains("force=true") => ("PATCH", "application/apply-patch+yaml"),
            _ => ("PATCH", "application/merge-patch+json"),
        };
        let answered = |pointer: &str| {
            let object = entry.response_object.as_ref()?;
            object.pointer(pointer)?.as_str().map(str::to_owned)
        };
        Self {
            method,
            content_type,
            uri: entry.request_uri.clone(),
            body: if body.is_null() { String::new() } else { body.to_string() },
            uid: answered("/metadata/uid"),
            phase: answered("/status/phase"),
            request: request(entry),
            received: entry.request_received_timestamp,
            answered: entry.stage_timestamp,
        }
    }
}

/// The operator's requests during a measurement.
#[derive(Default)]
pub struct Recording {
    /// Its writes by application, in the order in which each application was first written; each in order of arrival. The
    /// writes to a Region are a list of their own.
    pub writes: Vec<(String, Vec<Write>)>,
    /// Number of its reads, without watches.
    pub reads: usize,
    /// Number of its writes that were refused.
    pub refused: usize,
    /// The objects that existed before.
    pub before: Snapshot,
}

impl Recording {
    /// Selects the operator's requests.
    pub fn of(requests: &Entries, before: Snapshot) -> Self {
        let mut recording = Self { before, ..Self::default() };
        let mut places = HashMap::new();
        for entry in requests.iter().filter(|e| e.user.username == OPERATOR && e.verb != "watch") {
            let Some(object) = &entry.object_ref else { continue };
            if matches!(object.resource.as_str(), "leases" | "configmaps") {
                continue;
            }
            if !entry.is_write() {
                recording.reads += 1;
            } else if !(200..300).contains(&entry.code()) {
                recording.refused += 1;
            } else if let Some(application) = application_of(entry, &object.resource) {
                let place = *places.entry(application.clone()).or_insert(recording.writes.len());
                if place == recording.writes.len() {
                    recording.writes.push((application, Vec::new()));
                }
                recording.writes[place].1.push(Write::of(entry));
            }
        }
        recording.writes.iter_mut().for_each(|(_, writes)| writes.sort_by_key(|w| w.received));
        recording
    }

    /// The names of the applications and Regions, in the order of the writes.
    pub fn names(&self) -> impl Stream<Item = String> {
        stream::iter(self.writes.iter().map(|(name, _)| name.clone()))
    }

    /// Number of applications that were written.
    pub fn applications(&self) -> usize {
        self.writes.iter().filter(|(name, _)| name.starts_with("app-")).count()
    }

    /// Number of applications of which a record reached this phase.
    pub fn reached(&self, phase: &str) -> usize {
        let reached = |writes: &[Write]| writes.iter().any(|w| w.phase.as_deref() == Some(phase));
        self.writes.iter().filter(|(_, writes)| reached(writes)).count()
    }

    /// Number of writes by verb and resource.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for write in self.writes.iter().flat_map(|(_, writes)| writes) {
            *counts.entry(write.request.clone()).or_default() += 1;
        }
        counts
    }

    /// The writes of one application.
    pub fn of_application(&self, record: &Record) -> &[Write] {
        self.writes.iter().find(|(name, _)| *name == record.name).map_or(&[], |(_, writes)| writes)
    }
}

/// Reads the UIDs of all objects that applications and their exits write.
pub async fn snapshot(admin: &Client) -> Result<Snapshot> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Snapshot::new();
    let govcloud = ["regions", "cloudapplications", "resourcegrants", "decommissions"];
    let core = ["namespaces", "persistentvolumes", "persistentvolumeclaims", "resourcequotas"];
    let of = |group: &'static str, resources: [&'static str; 4]| resources.map(|resource| (group, resource));
    let all_of = [of("/apis/govcloud.dev/v1alpha1", govcloud), of("/api/v1", core)].concat();
    for (group, resource) in
        all_of.into_iter().chain([("/apis/rbac.authorization.k8s.io/v1", "rolebindings")])
    {
        let list = requests::get(admin, &format!("{group}/{resource}")).await?;
        for object in list["items"].as_array().into_iter().flatten() {
            let (meta, claim) = (&object["metadata"], &object["spec"]["claimRef"]);
            let of = if resource == "persistentvolumes" && claim.is_object() { claim } else { meta };
            all.insert((resource.to_owned(), text(&of["namespace"]), text(&of["name"])), text(&meta["uid"]));
        }
    }
    Ok(all)
}

/// Verb and resource of a request.
fn request(entry: &Entry) -> String {
    let object = entry.object_ref.clone().unwrap_or_default();
    let slash = if object.subresource.is_empty() { "" } else { "/" };
    format!("{} {}{slash}{}", entry.verb, object.resource, object.subresource)
}

/// Name of the application that a write is about, or of the Region.
fn application_of(entry: &Entry, resource: &str) -> Option<String> {
    let body = |path: &str| entry.request_object.as_ref()?.pointer(path)?.as_str();
    let answer = |path: &str| entry.response_object.as_ref()?.pointer(path)?.as_str();
    match resource {
        "regions" => entry.object_ref.as_ref().map(|o| o.name.clone()),
        "events" if body("/regarding/kind") == Some("Region") => body("/regarding/name").map(str::to_owned),
        "events" => application_in(body("/regarding/name")?),
        "persistentvolumes" => application_in(answer("/spec/claimRef/namespace")?),
        _ => application_in(&entry.request_uri).or_else(|| application_in(body("/metadata/name")?)),
    }
}

/// The first `app-` and five digits in a text: the names of tenant namespaces contain that of their application.
fn application_in(text: &str) -> Option<String> {
    let mut names = text.match_indices("app-").filter_map(|(at, _)| text.get(at..at + 9));
    names.find(|name| name[4..].bytes().all(|b| b.is_ascii_digit())).map(str::to_owned)
}
