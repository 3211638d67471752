//! An object of the API server, read without `managedFields`.
//!
//! `managedFields` are half of most objects, and nothing here reads them but for one instant: when the decision
//! annotation was last written. kube's `DynamicObject` keeps them, and its metadata watcher leaves `spec` and `status`
//! out. So an object is read without them, and kept as the text of its JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use govcloud_domain::decision::{Owned, stamped_at};

/// Annotation in which `kubectl apply` repeats the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object of the API server without `managedFields`, `apiVersion` and `kind`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Sent")]
pub struct TrimmedObject {
    /// Name, namespace, UID, resourceVersion, labels and creation time, which are not in the text; the rest of the metadata
    /// is there alone.
    pub metadata: ObjectMeta,
    /// Server time of the last write of the decision annotation, from `managedFields`.
    pub stamped_at: Option<Timestamp>,
    /// JSON of the object.
    pub text: String,
}

impl TrimmedObject {
    /// Namespace; empty for a cluster-scoped object.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// Name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// UID.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// resourceVersion as a number; comparable since Kubernetes 1.35 (KEP-5504), and in practice before.
    pub fn version(&self) -> u64 {
        self.metadata.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or(0)
    }
}

/// An object as the API server sends it, and as its text is written.
#[derive(Deserialize, Serialize)]
struct Sent {
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Value>,
    #[serde(flatten)]
    content: Map<String, Value>,
}

/// The metadata of an object. Its identity and `managedFields` are read and not written.
#[derive(Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    #[serde(skip_serializing)]
    name: Option<String>,
    #[serde(skip_serializing)]
    namespace: Option<String>,
    #[serde(skip_serializing)]
    uid: Option<String>,
    #[serde(skip_serializing)]
    resource_version: Option<String>,
    #[serde(skip_serializing)]
    creation_timestamp: Option<Time>,
    #[serde(skip_serializing)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing)]
    managed_fields: Option<Vec<Owned>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    content: Map<String, Value>,
}

impl TryFrom<Sent> for TrimmedObject {
    type Error = serde_json::Error;

    fn try_from(mut sent: Sent) -> Result<Self, serde_json::Error> {
        for field in ["apiVersion", "kind"] {
            sent.content.remove(field);
        }
        if let Some(annotations) = sent.metadata.as_mut().and_then(|m| m.annotations.as_mut()) {
            annotations.remove(LAST_APPLIED);
        }
        let text = serde_json::to_string(&sent)?;
        let of = sent.metadata.unwrap_or_default();
        let metadata = ObjectMeta {
            name: of.name,
            namespace: of.namespace,
            uid: of.uid,
            resource_version: of.resource_version,
            creation_timestamp: of.creation_timestamp,
            labels: of.labels,
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, stamped_at: stamped_at(&of.managed_fields.unwrap_or_default()), text })
    }
}

impl Resource for TrimmedObject {
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
    use serde_json::json;

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

    /// The text that is kept: without type, identity and `managedFields`.
    fn kept(mut sent: Value) -> Value {
        let fields = sent.as_object_mut().unwrap();
        fields.remove("apiVersion");
        fields.remove("kind");
        for field in ["managedFields", "name", "namespace", "uid", "resourceVersion", "labels"] {
            fields["metadata"].as_object_mut().unwrap().remove(field);
        }
        sent
    }

    fn json_of(object: &TrimmedObject) -> Value {
        serde_json::from_str(&object.text).unwrap()
    }

    proptest! {
        /// No value is lost or altered.
        #[test]
        fn transcoding_loses_nothing(text in "\\PC{0,12}", key in "\\PC{0,6}", whole in any::<i64>(), real in any::<f64>()) {
            let mut sent = sent();
            sent["spec"] = json!({ format!("k{key}"): [text, whole, real, { "": { "deep": [[], {}, null, true] } }] });
            sent["metadata"]["labels"] = json!({ key: text });
            let object: TrimmedObject = serde_json::from_str(&sent.to_string()).unwrap();
            prop_assert_eq!(json_of(&object), kept(sent));
        }
    }

    #[test]
    fn last_applied_configuration_is_dropped() {
        let mut sent = sent();
        sent["metadata"]["annotations"] = json!({ LAST_APPLIED: "{}", "a": "b" });
        let object: TrimmedObject = serde_json::from_value(sent).unwrap();
        assert_eq!(json_of(&object)["metadata"]["annotations"], json!({ "a": "b" }));
    }

    #[test]
    fn metadata_and_decision_time_are_read() {
        let object: TrimmedObject = serde_json::from_str(&sent().to_string()).unwrap();
        assert_eq!(json_of(&object), kept(sent()));
        assert_eq!((object.namespace(), object.name()), ("dept-transport", "travel"));
        assert_eq!((object.uid(), object.version()), ("u", 17));
        assert_eq!(object.stamped_at, Some("2026-03-10T01:30:00Z".parse().unwrap()));
    }

    #[test]
    fn list_items_and_watch_events_are_read_alike() {
        let event = json!({ "type": "ADDED", "object": sent() }).to_string();
        let WatchEvent::Added(watched) = serde_json::from_str::<WatchEvent<TrimmedObject>>(&event).unwrap()
        else {
            panic!("not added")
        };
        let mut item = sent();
        for field in ["apiVersion", "kind"] {
            item.as_object_mut().unwrap().remove(field);
        }
        let list = json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": [item] }).to_string();
        let mut list: kube::core::ObjectList<TrimmedObject> = serde_json::from_str(&list).unwrap();
        let listed = list.items.pop().unwrap();
        assert_eq!(json_of(&listed), json_of(&watched));
        assert_eq!(listed.stamped_at, watched.stamped_at);
    }

    #[test]
    fn incomplete_metadata_is_read() {
        for metadata in [json!({}), json!({ "managedFields": null }), json!({ "managedFields": [{}] })] {
            let object: TrimmedObject = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
            assert_eq!((object.version(), object.stamped_at), (0, None));
        }
        let empty: TrimmedObject = serde_json::from_value(json!({})).unwrap();
        assert_eq!((empty.name(), empty.text.as_str()), ("", "{}"));
    }
}
