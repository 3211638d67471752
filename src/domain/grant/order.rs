//! From records to an order: everything that the tenant objects of a grant follow from (Art. 13, 15, 16).

use jiff::Timestamp;

use super::adoption::adoption;
use super::{Gate, Observed};
use crate::decision;
use crate::names;
use crate::tenancy::quota::named_classes;
use crate::tenancy::quota_delta::newly_limited;
use crate::tenancy::{ApplicationIdentity, NamespaceOrder, TakeBack, TenancyOrder, limits};
use govcloud_api::application::CloudApplication;
use govcloud_api::decommission::{Decommission, DecommissionPhase};
use govcloud_api::disposition::Action;
use govcloud_api::grant::{GrantedNamespace, ResourceGrantStatus, Restriction};
use govcloud_api::region::{Allowed, ContainerLimits};
use govcloud_api::tenancy::Access;

/// The order of a grant. It names no namespace where the record, the region or the approval that they follow from is
/// missing: they are left as they are (S3).
#[must_use]
pub fn order(seen: &Observed, stored: &ResourceGrantStatus, gate: &Gate, now: Timestamp) -> TenancyOrder {
    let spec = &seen.record.spec;
    let granted = match gate {
        _ if !is_certain(seen, gate) => &[],
        Gate::InForce | Gate::Accepted => &spec.namespaces[..],
        Gate::Ended => &[],
        Gate::Waiting(_) | Gate::InUse(_) | Gate::Refused(_) | Gate::Altered => &stored.granted,
    };
    let region = seen.region_context.region.as_ref().map(|region| &region.spec().tenancy);
    let sound = |limits: &ContainerLimits| limits::findings(limits).is_empty();
    let limit_range = region.map(|tenancy| tenancy.limit_range.clone().unwrap_or_default()).filter(sound);
    TenancyOrder {
        application: ApplicationIdentity {
            name: spec.application.name.clone(),
            uid: spec.application.uid.clone(),
            filing_namespace: seen.meta.namespace.clone(),
            region: spec.region.clone(),
        },
        approved: spec.approved.digest.clone(),
        namespaces: granted.iter().map(|granted| namespace(seen, stored, gate, granted, now)).collect(),
        access: access(seen, stored, gate),
        pod_security: region.map(|tenancy| tenancy.pod_security).unwrap_or_default(),
        allowed: region.map(|tenancy| allowed(&tenancy.allowed, &seen.meta.namespace)).unwrap_or_default(),
        pod_security_version: region.map(|tenancy| tenancy.pod_security_version.clone()).unwrap_or_default(),
        limit_range,
        network: region.map(|tenancy| tenancy.network.clone()).unwrap_or_default(),
        reclaiming: is_reclaiming(seen),
        released_volumes: seen.clearing.iter().flat_map(|exit| destroyed(exit)).collect(),
    }
}

/// Names that a Region allows to one department, which its filing namespace stands for.
fn allowed(all: &Allowed, filing_namespace: &str) -> Allowed {
    let own = all.ingress_hosts.iter().filter(|host| host.namespace == filing_namespace);
    Allowed { ingress_hosts: own.cloned().collect(), ..all.clone() }
}

/// Access to the namespaces: the application's, or that of the change that replaced it (Art. 15).
fn access(seen: &Observed, stored: &ResourceGrantStatus, gate: &Gate) -> Vec<Access> {
    let replaced = if gate.accepts() { &seen.record.spec.access } else { &stored.access };
    let own = || seen.application.as_ref().map(|(_, application)| application.spec.access.clone());
    replaced.clone().or_else(own).unwrap_or_default()
}

/// Quota keys that a change under way limits for the first time in a namespace: they are counted before.
fn counted(seen: &Observed, stored: &ResourceGrantStatus, entry: &str) -> Vec<String> {
    let of_entry =
        |list: &[GrantedNamespace]| list.iter().find(|n| n.name == entry).map(|n| n.quota.0.clone());
    let after = seen.applying.as_ref().and_then(|change| of_entry(&change.status.as_ref()?.after));
    match (of_entry(&stored.granted), after) {
        (Some(before), Some(after)) => newly_limited(&before, &after).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Storage classes that claims in a namespace may name: the one that the grant assigns, or every one of the Region; and
/// those that the quota names.
fn storage_classes(granted: &GrantedNamespace, offered: &[String]) -> Vec<String> {
    let assigned = granted.storage_class.as_ref().map_or(offered, std::slice::from_ref);
    let named =
        named_classes(&granted.quota.0).filter(|class| offered.iter().any(|offered| offered == class));
    let mut classes: Vec<String> = assigned.iter().cloned().chain(named.map(str::to_owned)).collect();
    classes.sort();
    classes.dedup();
    classes
}

/// Name of the tenant namespace of an entry: that of the running system that is adopted, or one that the operator makes.
#[must_use]
pub fn name_of(filing_namespace: &str, application: &str, granted: &GrantedNamespace) -> String {
    let made = || names::tenant_namespace(filing_namespace, application, &granted.name);
    granted.existing.as_ref().map_or_else(made, |existing| existing.name.clone())
}

/// One granted namespace. A recorded name stays.
fn namespace(
    seen: &Observed,
    stored: &ResourceGrantStatus,
    gate: &Gate,
    granted: &GrantedNamespace,
    now: Timestamp,
) -> NamespaceOrder {
    let spec = &seen.record.spec;
    let recorded = stored.namespaces.iter().find(|recorded| recorded.entry == granted.name);
    let name = recorded.map(|recorded| recorded.namespace.clone());
    let name = name.unwrap_or_else(|| name_of(&seen.meta.namespace, &spec.application.name, granted));
    let region = seen.region_context.region.as_ref();
    let offered = region.map(|region| &*region.spec().tenancy.storage_classes).unwrap_or_default();
    NamespaceOrder {
        entry: granted.name.clone(),
        uid: recorded.and_then(|recorded| recorded.uid.clone()),
        quota: granted.quota.0.clone(),
        counted: counted(seen, stored, &granted.name),
        storage_classes: storage_classes(granted, offered),
        restriction: restriction(seen.exit.as_deref(), &name),
        take_back: take_back(seen, &granted.name).filter(|_| opens(seen, stored, gate)),
        adoption: adoption(seen, stored, gate, granted, now),
        name,
    }
}

/// Returns true if the grant comes into force: the approval that it carries out is not in force yet.
pub(super) fn opens(seen: &Observed, stored: &ResourceGrantStatus, gate: &Gate) -> bool {
    *gate == Gate::Accepted && stored.in_force.as_ref() != Some(&seen.record.spec.approved)
}

/// Returns true if everything that the tenant objects follow from is there and as approved.
fn is_certain(seen: &Observed, gate: &Gate) -> bool {
    let uid = &seen.record.spec.application.uid;
    let application = seen.application.as_ref().is_some_and(|(meta, _)| meta.uid == *uid);
    application && seen.region_context.region.is_some() && *gate != Gate::Altered
}

/// Returns true if an exit of the application is past the point of no return.
fn is_reclaiming(seen: &Observed) -> bool {
    let phase = seen.exit.as_ref().and_then(|exit| exit.status.as_ref()?.phase);
    matches!(phase, Some(DecommissionPhase::Reclaiming | DecommissionPhase::Completed))
}

/// UIDs of the volumes that an exit destroys (S2).
fn destroyed(exit: &Decommission) -> impl Iterator<Item = String> {
    let inventory = exit.status.iter().filter_map(|status| status.inventory.as_ref());
    let entries = inventory.flat_map(|inventory| &inventory.entries);
    entries.filter(|entry| entry.action.destroys()).filter_map(|entry| entry.volume_uid.clone())
}

/// The restriction of one namespace by an exit (Art. 16; design, section 6, step 4).
#[must_use]
pub fn restriction(exit: Option<&Decommission>, namespace: &str) -> Restriction {
    let Some(status) = exit.and_then(|e| e.status.as_ref()) else { return Restriction::None };
    match status.phase {
        Some(DecommissionPhase::HandingOver) => {
            // Of the receipts that the exit has recorded: its own status is written before use winds down.
            let received = |uid: &String| status.received_volumes.contains(uid);
            let entries = status.inventory.iter().flat_map(|i| &i.entries);
            let waits = entries
                .filter(|e| e.namespace == namespace)
                .any(|e| e.action == Action::HandOver && e.volume_uid.as_ref().is_some_and(|u| !received(u)));
            if waits { Restriction::HandingOver } else { Restriction::Quiesced }
        }
        Some(DecommissionPhase::Reclaiming | DecommissionPhase::Completed) => Restriction::Quiesced,
        _ => Restriction::None,
    }
}

/// The application whose approval names namespaces to take back, until it is provisioned (S1, S3).
fn reattaching(seen: &Observed) -> Option<&CloudApplication> {
    let (meta, application) = seen.application.as_ref()?;
    let status = application.status.as_ref()?;
    let approval = decision::approved(&status.record, &meta.digest)?;
    let own = meta.uid == seen.record.spec.application.uid;
    let begins = status.provisioned_at.is_none() && !approval.reattach.is_empty();
    (own && begins).then_some(application.as_ref())
}

/// The namespace that an earlier record left for an entry, and that the authority let this one take back.
fn take_back(seen: &Observed, entry: &str) -> Option<TakeBack> {
    let status = reattaching(seen)?.status.as_ref()?;
    let named = |uid: &String| status.record.decision.as_ref().is_some_and(|d| d.reattach.contains(uid));
    let found = status.found_namespaces.iter().find(|found| found.entry == entry)?;
    named(&found.uid).then(|| TakeBack { uid: found.uid.clone(), from: found.application_uid.clone() })
}

/// UID of the earlier record whose grant this was, when it comes into force for the present one.
pub(super) fn taken_over_from(seen: &Observed) -> Option<String> {
    let found = &reattaching(seen)?.status.as_ref()?.found_namespaces;
    found.first().map(|found| found.application_uid.clone())
}
