//! What a store holds: a record of this project, or any other object, and how it is packed and unpacked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text;
use crate::api::keys;
use crate::core::digest;
use crate::core::record::Meta;
use crate::core::tenancy::volume_source;
use crate::shell::clock::Clock;
use crate::shell::store::{Held, Name};
use crate::shell::stored::Stored;
use crate::shell::tags;

/// Fields of a record's spec that come later in life and are no part of what is decided on.
pub const LATER_FIELDS: [&str; 4] = ["goLive", "consent", "handOver", "maintenanceOutcome"];

/// A resource of this project: its typed form, or why it does not fit the schema (S10).
#[derive(Debug)]
pub struct Record<K> {
    /// What is known of the object itself.
    pub meta: Meta,
    /// The typed object, without managedFields.
    pub typed: Result<Arc<K>, String>,
    /// Status as it is stored, for the difference that a write is.
    pub status: Value,
    pub(super) tags: Vec<String>,
    /// The object without managedFields and status.
    object: Value,
}

impl<K> Record<K> {
    /// Whether it is found by this tag.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }
}

/// Any other object, as JSON without managedFields.
#[derive(Debug)]
pub struct Plain {
    /// Namespace and name.
    pub name: Name,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Its JSON, with apiVersion and kind.
    pub value: Arc<Value>,
    pub(super) tags: Vec<String>,
}

fn number(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

impl<K: DeserializeOwned + Send + Sync + 'static> Held for Record<K> {
    fn name(&self) -> Name {
        (self.meta.namespace.clone(), self.meta.name.clone())
    }
    fn uid(&self) -> &str {
        &self.meta.uid
    }
    fn version(&self) -> u64 {
        number(&self.meta.resource_version)
    }
    fn tags(&self) -> Vec<String> {
        self.tags.clone()
    }
    fn pack(&self) -> Vec<u8> {
        let Meta { created_at, stamped_at, digest, .. } = &self.meta;
        bytes(&Packed {
            created_at: *created_at,
            stamped_at: *stamped_at,
            digest: Cow::Borrowed(digest),
            object: Cow::Borrowed(&self.object),
            status: Cow::Borrowed(&self.status),
        })
    }
    fn unpack(bytes: &[u8]) -> Self {
        record(again(bytes))
    }
}

impl Held for Plain {
    fn name(&self) -> Name {
        self.name.clone()
    }
    fn uid(&self) -> &str {
        &self.uid
    }
    fn version(&self) -> u64 {
        number(&self.resource_version)
    }
    fn tags(&self) -> Vec<String> {
        self.tags.clone()
    }
    fn pack(&self) -> Vec<u8> {
        bytes(&*self.value)
    }
    fn unpack(bytes: &[u8]) -> Self {
        plain(again(bytes))
    }
}

/// Reads an object into what a store holds.
pub trait FromObject: Held + Sized {
    /// Reads it. Never fails: what does not fit is held as such.
    fn from_object(object: Stored, clock: &Clock) -> Self;
}

/// What a record is made of again: the object without managedFields and status, its status, and what was made of it
/// when it was read: the server's instants, shifted by the clock, and the digest of what the server sent.
#[derive(Debug, Serialize, Deserialize)]
struct Packed<'a> {
    created_at: Option<Timestamp>,
    stamped_at: Option<Timestamp>,
    digest: Cow<'a, str>,
    object: Cow<'a, Value>,
    status: Cow<'a, Value>,
}

/// Writes what is to be read again in this memory.
fn bytes<T: Serialize>(what: &T) -> Vec<u8> {
    serde_json::to_vec(what).expect("what was read as JSON is written as JSON")
}

/// Reads what was packed in this memory.
fn again<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).expect("what was written as JSON in this memory reads as JSON")
}

/// The metadata of a record, as far as anything rests on it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    namespace: String,
    name: String,
    uid: String,
    resource_version: String,
    generation: i64,
    deletion_timestamp: Option<IgnoredAny>,
    annotations: Option<BTreeMap<String, String>>,
    labels: Option<BTreeMap<String, String>>,
}

fn meta(packed: &Packed<'_>) -> Meta {
    let metadata = packed.object.get("metadata").map(Metadata::deserialize).and_then(Result::ok);
    let m = metadata.unwrap_or_default();
    Meta {
        namespace: m.namespace,
        name: m.name,
        uid: m.uid,
        resource_version: m.resource_version,
        generation: m.generation,
        created_at: packed.created_at,
        deleting: m.deletion_timestamp.is_some(),
        annotations: m.annotations.unwrap_or_default(),
        labels: m.labels.unwrap_or_default(),
        digest: packed.digest.clone().into_owned(),
        stamped_at: packed.stamped_at,
    }
}

impl<K: DeserializeOwned + Send + Sync + 'static> FromObject for Record<K> {
    fn from_object(object: Stored, clock: &Clock) -> Self {
        let Stored { stamped_at, mut json, .. } = object;
        let digest = json.get("spec").map(|s| digest::spec_digest(s, &LATER_FIELDS));
        let created_at = json.pointer("/metadata/creationTimestamp").and_then(|t| t.as_str()?.parse().ok());
        let status = json.get_mut("status").map(Value::take).unwrap_or(Value::Null);
        record(Packed {
            created_at: created_at.map(|t| clock.shift(t)),
            stamped_at: stamped_at.map(|t| clock.shift(t)),
            digest: Cow::Owned(digest.unwrap_or_default()),
            object: Cow::Owned(json),
            status: Cow::Owned(status),
        })
    }
}

/// A record of what was packed.
fn record<K: DeserializeOwned>(packed: Packed<'_>) -> Record<K> {
    let meta = meta(&packed);
    let (mut object, status) = (packed.object.into_owned(), packed.status.into_owned());
    object["status"] = status;
    let tags = tags::of_record(&object, &meta);
    let typed = K::deserialize(&object).map(Arc::new).map_err(|e| e.to_string());
    let status = object.get_mut("status").map(Value::take).unwrap_or(Value::Null);
    Record { meta, typed, status, tags, object }
}

impl FromObject for Plain {
    fn from_object(mut object: Stored, _: &Clock) -> Self {
        let annotations = object.json.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
        if let Some(annotations) = annotations {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        plain(object.json)
    }
}

/// Any other object of its JSON.
fn plain(value: Value) -> Plain {
    let mut tags = Vec::new();
    if let Some(uid) = value["metadata"]["labels"][keys::APPLICATION_UID].as_str() {
        tags.push(format!("owner/{uid}"));
    }
    if let Some(ns) = text(&value, "/spec/claimRef/namespace") {
        tags.push(format!("claims/{ns}"));
    }
    let label = |key: &str| value["metadata"]["labels"][key].as_str();
    if value["kind"] == "Namespace"
        && let (Some(department), Some(application)) = (label(keys::DEPARTMENT), label(keys::APPLICATION))
    {
        tags.push(tags::tenant(department, application));
    }
    if let (Some(_), Some(region)) = (label(keys::RETAINED), label(keys::REGION)) {
        tags.push(tags::kept_in(region));
    }
    if value["kind"] == "PersistentVolume" {
        tags.extend(volume_source::marks(&crate::shell::observe::source(&value)));
    }
    let of = |field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
    Plain {
        name: (of("namespace"), of("name")),
        uid: of("uid"),
        resource_version: of("resourceVersion"),
        value: Arc::new(value),
        tags,
    }
}

/// Labels of a plain object.
#[must_use]
pub fn labels(value: &Value) -> BTreeMap<String, String> {
    value.pointer("/metadata/labels").and_then(|l| serde_json::from_value(l.clone()).ok()).unwrap_or_default()
}
