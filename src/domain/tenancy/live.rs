//! Live objects, as they were read.

use std::sync::Arc;

use govcloud_api::keys;
use govcloud_api::resources::ResourceType;
use serde_json::Value;

use crate::plan::Precondition;

/// A live object.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveObject {
    /// Its resource type.
    pub resource: ResourceType,
    /// Its name.
    pub name: String,
    /// The object.
    pub object: Arc<Value>,
}

impl LiveObject {
    /// Takes the name from the object.
    #[must_use]
    pub fn new(resource: ResourceType, object: Arc<Value>) -> Self {
        Self { resource, name: text(&object["metadata"]["name"]).to_owned(), object }
    }

    /// Its UID.
    #[must_use]
    pub fn uid(&self) -> &str {
        text(&self.object["metadata"]["uid"])
    }

    /// Its resourceVersion.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        text(&self.object["metadata"]["resourceVersion"])
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.object["metadata"]["labels"][key].as_str()
    }

    /// Returns true if it is being deleted.
    #[must_use]
    pub fn is_deleting(&self) -> bool {
        !self.object["metadata"]["deletionTimestamp"].is_null()
    }

    /// Precondition of a write that was decided on this version of it (S4).
    pub(super) fn precondition(&self) -> Precondition {
        Precondition { uid: self.uid().to_owned(), resource_version: self.resource_version().to_owned() }
    }
}

/// A tenant namespace with the objects in it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveNamespace {
    /// The Namespace.
    pub namespace: LiveObject,
    /// Objects of [`super::resources_in_namespace`] in it. Without meaning while it is being deleted.
    pub objects: Vec<LiveObject>,
}

impl LiveNamespace {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.namespace.name
    }

    /// The Namespace and the objects in it.
    pub(super) fn all(&self) -> impl Iterator<Item = &LiveObject> {
        [&self.namespace].into_iter().chain(&self.objects)
    }

    /// UID of the application that the operator's label names.
    #[must_use]
    pub fn application_uid(&self) -> Option<&str> {
        self.namespace.label(keys::APPLICATION_UID)
    }
}

/// A PersistentVolume bound to a claim in a tenant namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveVolume {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Reclaim policy.
    pub reclaim_policy: String,
    /// UID of the application that the operator's label names.
    pub owner: Option<String>,
    /// Namespace of the claim that it serves or last served.
    pub namespace: String,
}

impl LiveVolume {
    /// Reads a PersistentVolume.
    #[must_use]
    pub fn from_object(volume: &Value) -> Self {
        let (metadata, spec) = (&volume["metadata"], &volume["spec"]);
        Self {
            name: text(&metadata["name"]).to_owned(),
            uid: text(&metadata["uid"]).to_owned(),
            resource_version: text(&metadata["resourceVersion"]).to_owned(),
            reclaim_policy: text(&spec["persistentVolumeReclaimPolicy"]).to_owned(),
            owner: metadata["labels"][keys::APPLICATION_UID].as_str().map(str::to_owned),
            namespace: text(&spec["claimRef"]["namespace"]).to_owned(),
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
