//! What a store holds: a record of this project, or any other object, and how it is packed and unpacked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Clock;
use crate::store::{Held, Name};
use crate::stored::Stored;
use crate::tags;
use govcloud_domain::digest;
use govcloud_domain::record::Meta;
use govcloud_domain::tenancy::{self, Letter};

/// A kind of this project.
pub trait Ours: Resource + DeserializeOwned + Send + Sync + 'static {}

impl<K: Resource + DeserializeOwned + Send + Sync + 'static> Ours for K {}

/// A resource of this project: its typed form, or why it does not fit the schema (S10).
#[derive(Debug)]
pub struct Record<K> {
    /// What is known of the object itself.
    pub meta: Meta,
    pub(super) tags: Vec<String>,
    /// The object as JSON, without managedFields.
    text: Box<str>,
    /// Read of the text when it is asked for.
    typed: OnceLock<Result<Arc<K>, String>>,
}

impl<K> Record<K> {
    /// Whether it is found by this tag.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }

    /// Status as it is stored, for the difference that a write is.
    #[must_use]
    pub fn status(&self) -> Value {
        self.status_as().unwrap_or_default()
    }

    /// Status as it is stored, as far as a type reads it; `None` where there is none and where it does not fit.
    #[must_use]
    pub fn status_as<S: DeserializeOwned>(&self) -> Option<S> {
        #[derive(Deserialize)]
        struct OfStatus<S> {
            status: Option<S>,
        }
        serde_json::from_str::<OfStatus<S>>(&self.text).ok()?.status
    }
}

impl<K: DeserializeOwned> Record<K> {
    /// Its typed form, or why it does not fit the schema.
    pub fn typed(&self) -> Result<&Arc<K>, &String> {
        self.typed.get_or_init(|| typed(&self.text)).as_ref()
    }
}

/// The typed form of an object's JSON. An error names no place: the text is none that anybody has seen.
fn typed<K: DeserializeOwned>(text: &str) -> Result<Arc<K>, String> {
    let placeless = |e: serde_json::Error| {
        let why = e.to_string();
        let place = format!(" at line {} column {}", e.line(), e.column());
        why.strip_suffix(&place).map_or_else(|| why.clone(), str::to_owned)
    };
    serde_json::from_str(text).map(Arc::new).map_err(placeless)
}

/// Any other object.
#[derive(Debug)]
pub struct Plain {
    /// Namespace and name.
    pub name: Name,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Its kind.
    pub kind: String,
    pub(super) tags: Vec<String>,
    /// The object as JSON, without managedFields; of what was unpacked, only as it is read.
    text: Option<Box<str>>,
    value: OnceLock<Arc<Value>>,
}

impl Plain {
    /// Whether it is found by this tag.
    #[must_use]
    pub fn is_tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }

    /// Its JSON, with apiVersion and kind and without managedFields.
    #[must_use]
    pub fn value(&self) -> &Arc<Value> {
        self.value.get_or_init(|| Arc::new(again(self.text.as_deref().unwrap_or("null"))))
    }
}

fn number(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

impl<K: Ours> Held for Record<K> {
    fn name(&self) -> Name {
        (self.meta.namespace.clone(), self.meta.name.clone())
    }
    fn uid(&self) -> &str {
        &self.meta.uid
    }
    fn version(&self) -> u64 {
        number(&self.meta.resource_version)
    }
    fn tags(&self) -> &[String] {
        &self.tags
    }
    fn pack(&self) -> Vec<u8> {
        let Meta { created_at, stamped_at, digest, .. } = &self.meta;
        let made = Made {
            created_at: *created_at,
            stamped_at: *stamped_at,
            digest: Cow::Borrowed(digest),
            tags: Cow::Borrowed(&self.tags),
        };
        let mut bytes = serde_json::to_vec(&made).expect("instants and words are written as JSON");
        bytes.push(BETWEEN);
        bytes.extend_from_slice(self.text.as_bytes());
        bytes
    }
    fn unpack(bytes: &[u8]) -> Self {
        let (made, text) =
            text_of(bytes).split_once(char::from(BETWEEN)).expect("what was packed is two lines");
        let Made { created_at, stamped_at, digest, tags } = again(made);
        let typed: Result<Arc<K>, String> = typed(text);
        let known = typed.as_ref().map_or_else(|_| meta(&metadata(text)), |k| meta(k.meta()));
        let meta = Meta { created_at, stamped_at, digest: digest.into_owned(), ..known };
        Self { meta, tags: tags.into_owned(), text: text.into(), typed: typed.into() }
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
    fn tags(&self) -> &[String] {
        &self.tags
    }
    fn letter(&self) -> Letter {
        match &self.text {
            _ if !tenancy::is_kind(&self.kind) => Letter::default(),
            Some(text) => Letter::of(&mut serde_json::Deserializer::from_str(text)),
            None => Letter::of(&**self.value()),
        }
    }
    fn pack(&self) -> Vec<u8> {
        match &self.text {
            Some(text) => text.as_bytes().to_vec(),
            None => self.value().to_string().into_bytes(),
        }
    }
    fn unpack(bytes: &[u8]) -> Self {
        let value: Arc<Value> = Arc::new(again(text_of(bytes)));
        let of = |field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
        let label = |key: &str| value["metadata"]["labels"][key].as_str();
        let kind = value["kind"].as_str().unwrap_or_default().to_owned();
        Self {
            name: (of("namespace"), of("name")),
            uid: of("uid"),
            resource_version: of("resourceVersion"),
            tags: tags::of_plain(&kind, label, &|| value.clone()),
            kind,
            text: None,
            value: value.clone().into(),
        }
    }
}

/// Reads an object into what a store holds.
pub trait FromObject: Held + Sized {
    /// Reads it. Never fails: what does not fit is held as such.
    fn from_object(object: Stored, clock: &Clock) -> Self;
}

/// What was made of a record when it was read: the server's instants, shifted by the clock, the digest of what the
/// server sent, and the words to find it by.
#[derive(Debug, Serialize, Deserialize)]
struct Made<'a> {
    created_at: Option<Timestamp>,
    stamped_at: Option<Timestamp>,
    digest: Cow<'a, str>,
    tags: Cow<'a, [String]>,
}

/// What is between that and the object; JSON in one line holds none.
const BETWEEN: u8 = b'\n';

/// What was packed in this memory, as text.
fn text_of(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("what was packed as text unpacks as text")
}

/// Reads what was written in this memory.
fn again<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).expect("what was written as JSON in this memory reads as JSON")
}

/// The metadata of an object's JSON.
fn metadata(text: &str) -> ObjectMeta {
    #[derive(Deserialize)]
    struct OfMetadata {
        metadata: ObjectMeta,
    }
    serde_json::from_str::<OfMetadata>(text).map(|o| o.metadata).unwrap_or_default()
}

/// What is known of a record by its metadata alone.
fn meta(metadata: &ObjectMeta) -> Meta {
    let text = |of: &Option<String>| of.clone().unwrap_or_default();
    Meta {
        namespace: text(&metadata.namespace),
        name: text(&metadata.name),
        uid: text(&metadata.uid),
        resource_version: text(&metadata.resource_version),
        generation: metadata.generation.unwrap_or_default(),
        deleting: metadata.deletion_timestamp.is_some(),
        annotations: metadata.annotations.clone().unwrap_or_default(),
        labels: metadata.labels.clone().unwrap_or_default(),
        ..Meta::default()
    }
}

impl<K: Ours> FromObject for Record<K> {
    fn from_object(object: Stored, clock: &Clock) -> Self {
        let Stored { metadata, stamped_at, text, .. } = object;
        let parts = tags::Parts::of(&text);
        let digest = parts.spec.as_ref().map(|s| digest::spec_digest(s));
        let meta = Meta {
            created_at: metadata.creation_timestamp.as_ref().map(|t| clock.shift(t.0)),
            stamped_at: stamped_at.map(|t| clock.shift(t)),
            digest: digest.unwrap_or_default(),
            ..meta(&metadata)
        };
        let tags = tags::of_record(&parts, &meta);
        Self { meta, tags, text: text.into(), typed: OnceLock::new() }
    }
}

impl FromObject for Plain {
    fn from_object(object: Stored, _: &Clock) -> Self {
        let Stored { metadata, kind, text, .. } = object;
        let labels = metadata.labels.unwrap_or_default();
        let label = |key: &str| labels.get(key).map(String::as_str);
        Self {
            tags: tags::of_plain(&kind, label, &|| Arc::new(again(&text))),
            kind,
            name: (metadata.namespace.unwrap_or_default(), metadata.name.unwrap_or_default()),
            uid: metadata.uid.unwrap_or_default(),
            resource_version: metadata.resource_version.unwrap_or_default(),
            text: Some(text.into()),
            value: OnceLock::new(),
        }
    }
}

/// Labels of a plain object.
#[must_use]
pub fn labels(value: &Value) -> BTreeMap<String, String> {
    value.pointer("/metadata/labels").and_then(|l| BTreeMap::deserialize(l).ok()).unwrap_or_default()
}

/// One label of a plain object.
#[must_use]
pub fn label(value: &Value, key: &str) -> Option<String> {
    value["metadata"]["labels"][key].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use govcloud_api::change::{ChangePhase, ChangeRequest};
    use govcloud_api::keys;

    fn change(status: Value) -> Record<ChangeRequest> {
        let object = json!({
            "apiVersion": "govcloud.dev/v1alpha1", "kind": "ChangeRequest",
            "metadata": {
                "name": "patch", "namespace": "govcloud-platform", "uid": "u", "resourceVersion": "17", "generation": 3,
                "creationTimestamp": "2026-03-10T01:30:00Z", "labels": { "a": "b" },
                "annotations": { "govcloud.dev/opinion": "同意\n原则上" },
            },
            "spec": { "region": "410000", "platformMaintenance": {} },
            "status": status,
        });
        Record::from_object(serde_json::from_value(object).unwrap(), &Clock::default())
    }

    #[test]
    fn a_record_is_unpacked_as_it_was_packed() {
        let record = change(json!({ "phase": "Approved", "added": ["later"] }));
        let again: Record<ChangeRequest> = Record::unpack(&record.pack());
        assert_eq!((&again.meta, &again.tags), (&record.meta, &record.tags));
        assert_eq!(
            again.status(),
            json!({ "phase": "Approved", "added": ["later"] }),
            "what no type knows as well"
        );
        assert!(record.meta.generation == 3 && record.meta.digest.starts_with("sha256:"));
        assert!(record.meta.created_at.is_some() && record.meta.annotations.len() == 1);
        assert!(again.tagged("maintenance/410000") && again.tagged("maintains-all/410000"));
    }

    #[test]
    fn what_does_not_fit_is_held_and_says_why_by_what_was_written() {
        for record in [change(json!({})), Record::unpack(&change(json!({})).pack())] {
            let why = record.typed().unwrap_err();
            assert!(why.contains("missing field") && !why.contains("line"), "{why}");
            assert_eq!((record.meta.name.as_str(), record.meta.generation), ("patch", 3));
        }
    }

    #[test]
    fn a_status_is_read_as_far_as_it_can_be() {
        #[derive(Debug, Deserialize)]
        struct OfPhase {
            phase: ChangePhase,
        }
        let phase = |status| change(status).status_as::<OfPhase>().map(|s| s.phase);
        assert_eq!(phase(json!({ "phase": "Completed", "deadlines": 7 })), Some(ChangePhase::Completed));
        assert_eq!(phase(json!({ "phase": "Unheard" })), None);
        assert_eq!(phase(json!(7)), None);
        assert!(change(json!({ "phase": "Completed" })).tags.iter().all(|t| !tags::is_maintenance(t)));
        assert!(change(json!(7)).tagged("maintenance/410000"), "a status that is none");
    }

    #[test]
    fn any_other_object_is_unpacked_as_it_was_packed() {
        let object = json!({
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": { "name": "pv", "uid": "u", "resourceVersion": "5", "labels": { keys::APPLICATION_UID: "a" } },
            "spec": { "claimRef": { "namespace": "tenant", "name": "data" } },
        });
        let plain = Plain::from_object(serde_json::from_value(object.clone()).unwrap(), &Clock::default());
        let again = Plain::unpack(&plain.pack());
        let once_more = Plain::unpack(&again.pack());
        for p in [&plain, &again, &once_more] {
            assert_eq!((&p.name, p.uid.as_str(), p.version()), (&(String::new(), "pv".to_owned()), "u", 5));
            assert_eq!(**p.value(), object);
            assert_eq!(p.tags, ["owner/a", "claims/tenant"]);
        }
    }

    #[test]
    fn a_tenants_object_has_one_letter_as_it_comes_in_and_as_it_is_unpacked() {
        let object = |kind: &str, entry: &str| {
            let metadata = json!({ "name": "a", "labels": { "govcloud.dev/entry": entry } });
            let sent = json!({ "apiVersion": "v1", "kind": kind, "metadata": metadata });
            Plain::from_object(serde_json::from_value(sent).unwrap(), &Clock::default())
        };
        let prod = object("Namespace", "prod");
        assert_eq!(Plain::unpack(&prod.pack()).letter(), prod.letter());
        assert!(prod.letter() != Letter::default() && prod.letter() != object("Namespace", "test").letter());
        assert_eq!(object("StorageClass", "prod").letter(), Letter::default(), "nobody compares it");
    }
}
