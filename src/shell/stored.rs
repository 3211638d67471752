//! An object as the API server stores it, read without what nobody here looks at.
//!
//! `managedFields` are half of most objects, and kube's `DynamicObject` reads everything into two trees, one after the
//! other. Here an object is read once, straight into the JSON that is kept; of `managedFields` only what a decision
//! rests on, and that is an instant (`docs/decisions/0048-read-once.md`).

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::core::decision::{Owned, stamped_at};

/// An object as the API server stores it.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Name, namespace, UID and resourceVersion, and nothing else: what [`kube::runtime::watcher`] asks for.
    identity: ObjectMeta,
    /// When the decision annotation was last written, by the server's word ([`stamped_at`]).
    pub stamped_at: Option<Timestamp>,
    /// All of it but `managedFields`.
    pub json: Value,
}

impl Stored {
    /// The object with its type, which the items of a list come without.
    #[must_use]
    pub fn of_type(mut self, api_version: &str, kind: &str) -> Self {
        if let Value::Object(fields) = &mut self.json {
            for (field, value) in [("apiVersion", api_version), ("kind", kind)] {
                fields.entry(field).or_insert_with(|| value.into());
            }
        }
        self
    }

    /// Its namespace; empty where it has none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.identity.namespace.as_deref().unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.identity.name.as_deref().unwrap_or_default()
    }

    /// Its UID.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.identity.uid.as_deref().unwrap_or_default()
    }

    /// Its resourceVersion, as a number.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.identity.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or(0)
    }
}

/// The metadata of an object, and the instant that its `managedFields` tell.
#[derive(Default)]
struct Metadata {
    fields: Map<String, Value>,
    stamped_at: Option<Timestamp>,
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
                let (mut fields, mut stamped_at) = (Map::new(), None);
                while let Some(key) = map.next_key::<String>()? {
                    let value = if key == "metadata" {
                        let metadata: Metadata = map.next_value()?;
                        stamped_at = metadata.stamped_at;
                        Value::Object(metadata.fields)
                    } else {
                        map.next_value()?
                    };
                    fields.insert(key, value);
                }
                let text = |field: &str| Some(fields.get("metadata")?.get(field)?.as_str()?.to_owned());
                let identity = ObjectMeta {
                    name: text("name"),
                    namespace: text("namespace"),
                    uid: text("uid"),
                    resource_version: text("resourceVersion"),
                    ..ObjectMeta::default()
                };
                Ok(Stored { identity, stamped_at, json: Value::Object(fields) })
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the metadata of an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Metadata, M::Error> {
                let mut metadata = Metadata::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "managedFields" {
                        let owned: Option<Vec<Owned>> = map.next_value()?;
                        metadata.stamped_at = stamped_at(&owned.unwrap_or_default());
                    } else {
                        metadata.fields.insert(key, map.next_value()?);
                    }
                }
                Ok(metadata)
            }
        }
        deserializer.deserialize_map(Fields)
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
        &self.identity
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.identity
    }
}

#[cfg(test)]
mod tests {
    use kube::core::WatchEvent;
    use serde_json::json;

    use super::*;
    use crate::api::keys;

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

    #[test]
    fn it_is_what_was_sent_without_managed_fields() {
        let stored: Stored = serde_json::from_str(&sent().to_string()).unwrap();
        let mut wanted = sent();
        wanted["metadata"].as_object_mut().unwrap().remove("managedFields");
        assert_eq!(stored.json, wanted);
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
        assert_eq!(listed.json, watched.json);
        assert_eq!(listed.stamped_at, watched.stamped_at);
    }

    #[test]
    fn what_is_odd_is_read_all_the_same() {
        for metadata in [json!({}), json!({ "managedFields": null }), json!({ "managedFields": [{}] })] {
            let stored: Stored = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
            assert_eq!((stored.version(), stored.stamped_at), (0, None));
        }
        assert_eq!(serde_json::from_value::<Stored>(json!({})).unwrap().name(), "");
    }
}
