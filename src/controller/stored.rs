//! An object as the API server stores it, read without what nobody here looks at.
//!
//! `managedFields` are half of most objects, and kube's `DynamicObject` reads everything into two trees, one after the
//! other. Here an object is read once, and what is kept is its text: most objects are put away unread, and a record is
//! read from it into its type alone. Of the metadata what finds an object is noted on the way; of `managedFields` only
//! what a decision rests on, and that is an instant (`docs/decisions/0048-read-once.md`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use govcloud_domain::decision::{Owned, stamped_at};

/// What kubectl notes of what it applied: the object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object as the API server stores it.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// What finds it: name, namespace, UID, resourceVersion, generation, labels, annotations, and the instants of its
    /// creation and deletion.
    pub metadata: ObjectMeta,
    /// Its kind, where it says so or was told.
    pub kind: String,
    /// When the decision annotation was last written, by the server's word ([`stamped_at`]).
    pub stamped_at: Option<Timestamp>,
    /// All of it as JSON, but `managedFields` and what kubectl noted.
    pub text: String,
}

impl Stored {
    /// The object with its type, which the items of a list come without.
    #[must_use]
    pub fn of_type(mut self, api_version: &str, kind: &str) -> Self {
        if self.kind.is_empty() {
            let fields = self.text.get(1..).filter(|rest| *rest != "}");
            let (comma, rest) = fields.map_or(("", "}"), |rest| (",", rest));
            self.text = format!(r#"{{"apiVersion":"{api_version}","kind":"{kind}"{comma}{rest}"#);
            kind.clone_into(&mut self.kind);
        }
        self
    }

    /// Its namespace; empty where it has none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Its UID.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// Its resourceVersion, as a number.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.metadata.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or(0)
    }
}

/// The fields of an object or of its metadata, written again as they are read.
#[derive(Debug)]
struct Text(Vec<u8>);

impl Text {
    /// An object is begun.
    fn begin(&mut self) {
        self.0.push(b'{');
    }

    /// The object that was begun last ends.
    fn end(&mut self) {
        self.0.push(b'}');
    }

    /// The key of a field.
    fn key<E: serde::de::Error>(&mut self, key: &str) -> Result<(), E> {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.value(key)?;
        self.0.push(b':');
        Ok(())
    }

    /// A value.
    fn value<E: serde::de::Error>(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), E> {
        serde_json::to_writer(&mut self.0, value).map_err(E::custom)
    }

    /// The value of the field whose key was read, which is noted as well.
    fn note<'de, T, M>(&mut self, key: &str, map: &mut M) -> Result<T, M::Error>
    where
        T: Deserialize<'de> + Serialize,
        M: MapAccess<'de>,
    {
        let value: T = map.next_value()?;
        self.key(key)?;
        self.value(&value)?;
        Ok(value)
    }

    /// The value of the field whose key was read, whatever it is.
    fn copy<'de, M: MapAccess<'de>>(&mut self, key: &str, map: &mut M) -> Result<(), M::Error> {
        self.key(key)?;
        map.next_value_seed(self)
    }
}

/// Writes what is read.
impl<'de> DeserializeSeed<'de> for &mut Text {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut writer = serde_json::Serializer::new(&mut self.0);
        serde_transcode::transcode(deserializer, &mut writer).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Stored;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of the API server")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Stored, M::Error> {
                let (mut stored, mut text) = (Stored::default(), Text(Vec::new()));
                text.begin();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "metadata" => {
                            text.key(&key)?;
                            map.next_value_seed(Metadata { of: &mut stored, text: &mut text })?;
                        }
                        "kind" => {
                            stored.kind = text.note::<Option<_>, _>(&key, &mut map)?.unwrap_or_default()
                        }
                        _ => text.copy(&key, &mut map)?,
                    }
                }
                text.end();
                stored.text = String::from_utf8(text.0).map_err(M::Error::custom)?;
                Ok(stored)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// The metadata of an object: written but for `managedFields`, of which the instant is noted that they tell.
struct Metadata<'a> {
    of: &'a mut Stored,
    text: &'a mut Text,
}

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the metadata of an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let Self { of: Stored { metadata, stamped_at: stamped, .. }, text } = self;
        text.begin();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => metadata.name = text.note(&key, &mut map)?,
                "namespace" => metadata.namespace = text.note(&key, &mut map)?,
                "uid" => metadata.uid = text.note(&key, &mut map)?,
                "resourceVersion" => metadata.resource_version = text.note(&key, &mut map)?,
                "generation" => metadata.generation = text.note(&key, &mut map)?,
                "creationTimestamp" => metadata.creation_timestamp = text.note(&key, &mut map)?,
                "deletionTimestamp" => metadata.deletion_timestamp = text.note(&key, &mut map)?,
                "labels" => metadata.labels = text.note(&key, &mut map)?,
                "annotations" => {
                    let mut annotations: Option<BTreeMap<String, String>> = map.next_value()?;
                    if let Some(annotations) = &mut annotations {
                        annotations.remove(LAST_APPLIED);
                    }
                    text.key(&key)?;
                    text.value(&annotations)?;
                    metadata.annotations = annotations;
                }
                "managedFields" => {
                    let owned: Option<Vec<Owned>> = map.next_value()?;
                    *stamped = stamped_at(&owned.unwrap_or_default());
                }
                _ => text.copy(&key, &mut map)?,
            }
        }
        text.end();
        Ok(())
    }
}

impl Resource for Stored {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn api_version(of: &ApiResource) -> Cow<'_, str> {
        of.api_version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use kube::core::WatchEvent;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use govcloud_api::keys;

    fn sent() -> Value {
        let by = |manager: &str, time: &str, annotation: &str| {
            let fields =
                json!({ "f:metadata": { "f:annotations": { ".": {}, format!("f:{annotation}"): {} } } });
            json!({ "manager": manager, "operation": "Update", "apiVersion": "v1", "time": time, "fieldsV1": fields })
        };
        json!({
            "apiVersion": "govcloud.dev/v1alpha1", "kind": "CloudApplication",
            "metadata": { "name": "travel", "namespace": "dept-transport", "uid": "u", "resourceVersion": "17",
                "managedFields": [
                    by("kubectl", "2026-03-10T01:30:00Z", keys::DECISION),
                    by("flux", "2026-03-10T01:31:00Z", keys::OPINION),
                ],
                "labels": { "a": "b" } },
            "spec": { "a": [1, 2.5, null] },
            "status": { "phase": "Submitted" },
        })
    }

    impl Stored {
        fn json(&self) -> Value {
            serde_json::from_str(&self.text).unwrap()
        }
    }

    proptest! {
        /// Whatever an object holds is written as it was read: the letters, and their meaning.
        #[test]
        fn nothing_is_lost(text in "\\PC{0,12}", key in "\\PC{0,6}", whole in any::<i64>(), real in any::<f64>()) {
            let mut sent = sent();
            sent["spec"] = json!({ format!("k{key}"): [text, whole, real, { "": { "deep": [[], {}, null, true] } }] });
            sent["metadata"]["labels"] = json!({ key: text });
            let stored: Stored = serde_json::from_str(&sent.to_string()).unwrap();
            sent["metadata"].as_object_mut().unwrap().remove("managedFields");
            prop_assert_eq!(stored.json(), sent);
        }
    }

    #[test]
    fn what_kubectl_noted_is_left_out() {
        let mut sent = sent();
        sent["metadata"]["annotations"] = json!({ LAST_APPLIED: "{}", "a": "b" });
        let stored: Stored = serde_json::from_value(sent).unwrap();
        assert_eq!(stored.json()["metadata"]["annotations"], json!({ "a": "b" }));
        assert_eq!(stored.metadata.annotations, Some([("a".to_owned(), "b".to_owned())].into()));
    }

    #[test]
    fn it_is_what_was_sent_without_managed_fields() {
        let stored: Stored = serde_json::from_str(&sent().to_string()).unwrap();
        let mut wanted = sent();
        wanted["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(stored.json(), wanted);
        assert_eq!((stored.namespace(), stored.name()), ("dept-transport", "travel"));
        assert_eq!((stored.uid(), stored.version()), ("u", 17));
        assert_eq!(stored.stamped_at, Some("2026-03-10T01:30:00Z".parse().unwrap()));
    }

    #[test]
    fn the_items_of_a_list_and_of_a_watch_are_read_alike() {
        let event = json!({ "type": "ADDED", "object": sent() }).to_string();
        let WatchEvent::Added(watched) = serde_json::from_str::<WatchEvent<Stored>>(&event).unwrap() else {
            panic!("not added")
        };
        let mut item = sent();
        for field in ["apiVersion", "kind"] {
            item.as_object_mut().unwrap().remove(field);
        }
        let list = json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": [item] }).to_string();
        let mut list: kube::core::ObjectList<Stored> = serde_json::from_str(&list).unwrap();
        let listed = list.items.pop().unwrap().of_type("govcloud.dev/v1alpha1", "CloudApplication");
        assert_eq!(listed.json(), watched.json());
        assert_eq!(listed.stamped_at, watched.stamped_at);
    }

    #[test]
    fn what_is_odd_is_read_all_the_same() {
        for metadata in [json!({}), json!({ "managedFields": null }), json!({ "managedFields": [{}] })] {
            let stored: Stored = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
            assert_eq!((stored.version(), stored.stamped_at), (0, None));
        }
        let empty: Stored = serde_json::from_value(json!({})).unwrap();
        assert_eq!(empty.name(), "");
        assert_eq!(
            empty.of_type("v1", "Namespace").json(),
            json!({ "apiVersion": "v1", "kind": "Namespace" })
        );
    }
}
