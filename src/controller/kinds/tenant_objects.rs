//! Objects of the operator in tenant namespaces: ResourceQuota, LimitRange, NetworkPolicy and RoleBinding (Art. 13).

use std::collections::BTreeMap;

use govcloud_api::resources::{self, ResourceType};
use govcloud_domain::tenancy::quota::QuotaUse;
use serde_json::Value;

use super::{Dependency, Kind, KindSpec, Priority, Watched, links};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;

const fn tenant_object(kind: Kind, resource: ResourceType) -> KindSpec {
    KindSpec::new(kind, resource, Watched::Labelled, Priority::High)
}

pub(super) static QUOTA: KindSpec = tenant_object(Kind::Quota, resources::RESOURCE_QUOTA);
pub(super) static LIMITS: KindSpec = tenant_object(Kind::Limits, resources::LIMIT_RANGE);
pub(super) static NETWORK_POLICY: KindSpec = tenant_object(Kind::NetworkPolicy, resources::NETWORK_POLICY);
pub(super) static ROLE_BINDING: KindSpec = tenant_object(Kind::RoleBinding, resources::ROLE_BINDING);

/// Kinds whose objects a grant makes and keeps in each namespace.
pub(super) const IN_NAMESPACE: [Kind; 4] =
    [Kind::Quota, Kind::Limits, Kind::NetworkPolicy, Kind::RoleBinding];

const fn made_in_namespace(on: Kind) -> Dependency {
    Dependency::on(on, links::IN_TENANT_NAMESPACE, content_differs)
}

/// Dependencies of a grant, which corrects drift in these objects.
pub(super) static DRIFT: [Dependency; 4] = [
    Dependency::on(Kind::Quota, links::IN_TENANT_NAMESPACE, |state, change| {
        content_differs(state, change) || !is_leaving(state, change) && change.differs(counting)
    }),
    made_in_namespace(Kind::Limits),
    made_in_namespace(Kind::NetworkPolicy),
    made_in_namespace(Kind::RoleBinding),
];

/// Use of a quota, which bounds what may be asked for (Art. 15).
pub(super) static USE: [Dependency; 1] =
    [Dependency::on(Kind::Quota, links::IN_TENANT_NAMESPACE, |state, change| {
        !is_leaving(state, change) && change.differs(|quota| quota.value()["status"].clone())
    })];

/// State of a quota that a grant waits for: the API server enforces it, and the keys that Kubernetes does not count. The amounts
/// in use are none of it: they change with every object of a tenant. Those of keys that are only counted are: a limit waits
/// for them.
fn counting(quota: &Object) -> (bool, Vec<String>, BTreeMap<String, String>) {
    let quota = quota.value();
    let counted = QuotaUse::of(&quota);
    (counted.in_force, counted.not_counted(), QuotaUse::without_limit(&quota))
}

/// Content of an object, in which drift is corrected: all but its status, and of its metadata the labels, annotations
/// and owners (S3).
pub(super) fn content(object: &Object) -> Value {
    let mut value = object.value();
    let metadata = ["labels", "annotations", "ownerReferences"].map(|part| value["metadata"][part].take());
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
        fields.insert("metadata".to_owned(), metadata.into_iter().collect());
    }
    value
}

fn content_differs(state: &ClusterState, change: &Change) -> bool {
    !is_leaving(state, change) && change.differs(|o| (o.uid.clone(), content(o)))
}

/// Returns true if the namespace is being deleted: its objects go with it, and nothing is decided on them any more.
fn is_leaving(state: &ClusterState, change: &Change) -> bool {
    change.both().next().is_some_and(|o| state.is_leaving(o.namespace()))
}

impl ClusterState {
    /// Returns true if a namespace is being deleted.
    pub fn is_leaving(&self, namespace: &str) -> bool {
        self.get(Kind::Namespace, "", namespace).is_some_and(|n| n.is_being_deleted())
    }
}
