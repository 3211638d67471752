//! Adopted namespaces (Art. 3): marked first, then furnished, with the rules for tenants enforced facet by facet. What others
//! put there is no drift, and is left alone (S11; docs/decisions/0098-*).

use govcloud_api::adoption::Facet;
use govcloud_api::{keys, resources};
use serde_json::{Value, json};

use super::{
    AdoptionStep, LiveNamespace, LiveVolume, NamespaceOrder, ObjectRules, Tenant, TenantObject, desired,
    drift, namespace,
};
use crate::adoption::obstacles;
use crate::existing_namespace::ExistingNamespace;
use crate::plan::{Target, Write};

/// Value of the label of an adopted namespace that is observed.
const OBSERVE: &str = "observe";

/// Returns true if a facet of the rules is enforced: everywhere but in an adopted namespace that has not come to it.
pub(super) fn enforces(namespace: &NamespaceOrder, facet: Facet) -> bool {
    namespace.adoption.as_ref().is_none_or(|adoption| adoption.enforced >= Some(facet))
}

/// Returns true if a namespace is to be marked, and no more.
pub(super) fn marks(namespace: &NamespaceOrder) -> bool {
    namespace.adoption.as_ref().is_some_and(|adoption| adoption.step != AdoptionStep::Furnish)
}

/// Returns true if objects of these rules are due in a namespace. Network policies come last: the first of them closes it.
pub(super) fn is_due(namespace: &NamespaceOrder, rules: &ObjectRules) -> bool {
    if rules.resource == resources::NAMESPACE {
        return true;
    }
    !marks(namespace) && (rules.resource != resources::NETWORK_POLICY || enforces(namespace, Facet::Network))
}

/// Label that says of an adopted namespace how far the rules are enforced. Policies of tenants' workloads select by it.
pub(super) fn label(namespace: &NamespaceOrder) -> Option<(String, Value)> {
    let adoption = namespace.adoption.as_ref()?;
    let value = adoption.enforced.as_ref().map_or(OBSERVE, AsRef::as_ref);
    Some((keys::ADOPTED.to_owned(), value.into()))
}

/// Facet that the label of a live namespace names.
#[must_use]
pub fn enforced(live: &LiveNamespace) -> Option<Facet> {
    live.namespace.label(keys::ADOPTED)?.parse().ok()
}

/// The write that marks a running system's namespace: of this very UID, free of other owners, and given to this application
/// by its holder. The precondition makes sure of the version that was judged (S1, S4).
pub(super) fn mark(tenant: &Tenant, live: &LiveNamespace) -> Option<Write> {
    let adoption = tenant.namespace.adoption.as_ref().filter(|a| a.step == AdoptionStep::Mark)?;
    let found = ExistingNamespace::read(&live.namespace.object);
    let free = obstacles(&adoption.existing, Some(&found), &tenant.order.application.uid).is_empty();
    let object = (namespace::RULES.desired)(tenant).into_iter().next().filter(|_| free)?;
    let metadata = &object.body["metadata"];
    let patch =
        json!({ "metadata": { "labels": metadata["labels"], "annotations": metadata["annotations"] } });
    let target = Target::named(resources::NAMESPACE, live.name());
    Some(Write::Patch(target, live.namespace.precondition(), patch))
}

/// Returns true for a volume of a namespace that is being marked, of nobody else.
pub(super) fn takes(marked: &[String], volume: &LiveVolume) -> bool {
    volume.owner.is_none() && marked.contains(&volume.namespace)
}

/// Returns true for the quota of an adopted namespace while its LimitRange is not there: with a quota on CPU or memory, a pod
/// without requests would not come back after a restart.
pub(super) fn comes_later(
    tenant: &Tenant,
    object: &TenantObject,
    objects: &[TenantObject],
    live: Option<&LiveNamespace>,
) -> bool {
    let is = |object: &TenantObject, resource| object.rules.resource == resource;
    let there =
        |limits: &TenantObject| live.is_some_and(|live| live.objects.iter().any(|found| limits.is(found)));
    tenant.namespace.adoption.is_some()
        && is(object, resources::RESOURCE_QUOTA)
        && objects.iter().filter(|o| is(o, resources::LIMIT_RANGE)).any(|limits| !there(limits))
}

/// Paths of an adopted namespace that differ from what is in force once every rule is enforced.
pub(super) fn unenforced(tenant: &Tenant, live: &LiveNamespace) -> Vec<String> {
    if tenant.namespace.adoption.is_none() || marks(tenant.namespace) {
        return Vec::new();
    }
    let whole = NamespaceOrder { adoption: None, ..tenant.namespace.clone() };
    let mut paths = Vec::new();
    for object in desired(tenant.order, &whole) {
        let named = |path: &str| format!("{}/{} {path}", object.kind(), object.name);
        match live.all().find(|found| object.is(found)) {
            Some(found) => paths.extend(drift(&object, found).paths().iter().map(|path| named(path))),
            None => paths.push(named("-")),
        }
    }
    paths
}
