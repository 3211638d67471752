//! Tenancy: from an order to tenant objects (Art. 13), their restriction on the way out (Art. 16), and a report.
//!
//! [`reconcile`] is the whole of it: a [`TenancyOrder`] and the live objects in, writes and a [`TenancyReport`] out.
//! Records are unknown here (docs/decisions/0061-*). Each resource type has a file of its
//! own with an [`ObjectRules`], and a line in [`OBJECTS`].
//!
//! No tenant object has ownerReferences or finalizers: a record that is gone destroys nothing (S3).

mod access;
mod adoption;
mod allowed;
mod drift;
pub mod limits;
mod live;
mod namespace;
mod network;
mod normalize;
mod object;
mod order;
pub mod quota;
pub mod quota_delta;
mod reconcile;
mod report;
mod storage_inventory;
mod unkept;
pub mod volume_source;
pub mod volumes;

pub use access::{AccessRefusal, refusals};
pub use adoption::enforced;
pub use drift::{Drift, drift};
pub use live::{LiveNamespace, LiveObject, LiveVolume};
pub use namespace::predecessor;
pub use network::bad_blocks;
pub use object::{ObjectRules, Tenant, TenantObject, WriteStep};
pub use order::{AdoptionOrder, AdoptionStep, ApplicationIdentity, NamespaceOrder, TakeBack, TenancyOrder};
pub use reconcile::{granted_quota, reconcile};
pub use report::{NamespaceReport, NamespaceState, TenancyReport};
pub use unkept::unkept;

use govcloud_api::resources::ResourceType;

/// Rules of every tenant object, in the order in which they are applied: the namespace, its bounds, access to it.
pub static OBJECTS: [&ObjectRules; 5] =
    [&namespace::RULES, &quota::RULES, &limits::RULES, &network::RULES, &access::RULES];

/// Objects that a namespace must have (S1).
pub fn desired(order: &TenancyOrder, namespace: &NamespaceOrder) -> Vec<TenantObject> {
    let tenant = Tenant::new(order, namespace);
    let due = OBJECTS.iter().filter(|rules| adoption::is_due(namespace, rules));
    due.flat_map(|rules| (rules.desired)(&tenant)).collect()
}

/// Resource types of the objects inside a tenant namespace.
pub fn resources_in_namespace() -> impl Iterator<Item = ResourceType> {
    OBJECTS.iter().map(|rules| rules.resource).filter(|resource| *resource != namespace::RULES.resource)
}

#[cfg(test)]
mod tests;
