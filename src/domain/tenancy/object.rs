//! Tenant objects, whatever their resource type, and the rules that each type states for itself.

use govcloud_api::resources::ResourceType;
use govcloud_api::{OPERATOR_NAME, keys};
use serde_json::{Map, Value, json};

use super::{LiveObject, NamespaceOrder, TenancyOrder};
use crate::names::label_value;
use crate::plan::Target;

/// Rules of one resource type: how its objects are built, compared and corrected.
#[derive(Debug)]
pub struct ObjectRules {
    /// The resource type.
    pub resource: ResourceType,
    /// Builds the objects that a namespace must have.
    pub desired: fn(&Tenant) -> Vec<TenantObject>,
    /// When they are written.
    pub step: WriteStep,
    /// Top-level fields that are compared, each with the function that brings it into one form, so that only real
    /// differences count. Labels, annotations, UID and ownerReferences are always compared, status never.
    pub compared: &'static [Compared],
    /// Maps and fields of which an apply leaves standing what another manager put there: it is patched away.
    pub merged: &'static [&'static str],
    /// Fields that no write can change: the object is deleted and created anew.
    pub immutable: &'static [&'static str],
}

/// A top-level field, with the function that brings it into one form.
pub type Compared = (&'static str, fn(&Value) -> Value);

/// Steps in which the objects of an order are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStep {
    /// First: the namespace itself.
    Namespace,
    /// Then: bounds on what happens in it.
    Bounds,
    /// Last: access to it.
    Access,
}

/// One namespace of one application, with all that its objects follow from.
#[derive(Debug)]
pub struct Tenant<'a> {
    /// The order.
    pub order: &'a TenancyOrder,
    /// The namespace.
    pub namespace: &'a NamespaceOrder,
    labels: Map<String, Value>,
}

impl<'a> Tenant<'a> {
    /// One namespace of an order.
    #[must_use]
    pub fn new(order: &'a TenancyOrder, namespace: &'a NamespaceOrder) -> Self {
        let own = [(keys::MANAGED_BY, OPERATOR_NAME.into()), (keys::ENTRY, label_value(&namespace.entry))];
        let labels = order.application.labels().into_iter().chain(own);
        let labels = labels.map(|(key, value)| (key.to_owned(), value.into_owned().into())).collect();
        Self { order, namespace, labels }
    }

    /// An object in the namespace, with the labels that every tenant object has. `content` is everything beside
    /// apiVersion, kind and metadata.
    pub(super) fn object(&self, rules: &'static ObjectRules, name: &str, content: Value) -> TenantObject {
        let mut body = content;
        body["apiVersion"] = rules.resource.api_version.into();
        body["kind"] = rules.resource.kind.into();
        body["metadata"] = json!({ "name": name, "namespace": self.namespace.name, "labels": self.labels });
        TenantObject { rules, namespace: self.namespace.name.clone(), name: name.to_owned(), body }
    }

    /// The namespace itself, with labels and annotations beside the common ones.
    pub(super) fn namespace_object(
        &self,
        rules: &'static ObjectRules,
        labels: impl IntoIterator<Item = (String, Value)>,
        annotations: Value,
    ) -> TenantObject {
        let name = &self.namespace.name;
        let mut object = self.object(rules, name, json!({}));
        let metadata = json!({ "name": name, "labels": self.labels, "annotations": annotations });
        object.body["metadata"] = metadata;
        if let Some(Value::Object(all)) = object.body.pointer_mut("/metadata/labels") {
            all.extend(labels);
        }
        // The API server refuses an apply whose UID is not the live one, and one that would create.
        if let Some(uid) = &self.namespace.uid {
            object.body["metadata"]["uid"] = uid.as_str().into();
        }
        TenantObject { namespace: String::new(), ..object }
    }
}

/// A desired object.
#[derive(Clone, Debug)]
pub struct TenantObject {
    /// Rules of its resource type.
    pub rules: &'static ObjectRules,
    /// Its namespace; empty for the namespace itself.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Body of a server-side apply: apiVersion, kind, and all that is desired, without status.
    pub body: Value,
}

impl TenantObject {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.rules.resource.kind
    }

    /// The object of the API server that it is.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::namespaced(self.rules.resource, &self.namespace, &self.name)
    }

    /// Returns true if the live object is the one that it stands for.
    #[must_use]
    pub fn is(&self, live: &LiveObject) -> bool {
        self.rules.resource == live.resource && self.name == live.name
    }
}
