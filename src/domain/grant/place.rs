//! Where the namespaces of a grant are, and the tenants that they stand for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::slice;

use foldhash::fast::RandomState;

use super::{Evaluation, LiveNamespace, Observed, access, restriction};
use crate::names;
use crate::tenancy::{AccessList, Limits, Owner, OwnershipLabels, PodSecurity, Stage, Tenant};
use govcloud_api::application::TenantNamespace;
use govcloud_api::grant::{GrantedNamespace, Restriction};
use govcloud_api::region::Tenancy;

impl LiveNamespace {
    /// What tells whose it is.
    pub(super) fn marks(&self) -> OwnershipLabels<'_> {
        OwnershipLabels { uid: &self.uid, owner: self.owner.as_deref(), deleting: self.deleting }
    }
}

/// Where a granted namespace is: what was recorded of it, its name in the cluster, and what is there.
pub(super) struct NamespaceSlot<'a> {
    pub(super) granted: &'a GrantedNamespace,
    recorded: Option<&'a TenantNamespace>,
    pub(super) name: Cow<'a, str>,
    pub(super) live: Option<&'a LiveNamespace>,
}

impl NamespaceSlot<'_> {
    /// The UID of its namespace. A recorded one stays after the namespace is gone.
    pub(super) fn uid(&self) -> Option<&str> {
        let live = self.live.map(|n| n.uid.as_str());
        live.or_else(|| self.recorded?.uid.as_deref())
    }

    /// Whether it was recorded as it is.
    pub(super) fn is(&self, recorded: &TenantNamespace) -> bool {
        self.granted.name == recorded.entry
            && self.name == recorded.namespace
            && self.uid() == recorded.uid.as_deref()
    }
}

/// Where granted namespaces are. A name that was recorded stays: it is not made anew for each look.
pub(super) fn places<'a>(
    granted: &'a [GrantedNamespace],
    seen: &'a Observed,
) -> impl Iterator<Item = NamespaceSlot<'a>> + use<'a> {
    let application = &seen.record.spec.application.name;
    let recorded = seen.record.status.as_ref().map(|s| s.namespaces.as_slice()).unwrap_or_default();
    let live: HashMap<_, _, RandomState> = seen.namespaces.iter().map(|n| (n.name.as_str(), n)).collect();
    granted.iter().enumerate().map(move |(place, granted)| {
        let of_entry = |n: &&TenantNamespace| n.entry == granted.name;
        // Nearly always they were recorded in the order in which they are granted.
        let recorded = recorded.get(place).filter(of_entry).or_else(|| recorded.iter().find(of_entry));
        let name = match recorded {
            Some(recorded) => Cow::Borrowed(recorded.namespace.as_str()),
            None => names::tenant_namespace(&seen.meta.namespace, application, &granted.name).into(),
        };
        let live = live.get(&*name).copied();
        NamespaceSlot { granted, recorded, name, live }
    })
}

/// What all namespaces of an application have in common.
pub(super) struct Common<'a> {
    owner: Owner<'a>,
    access: AccessList<'a>,
    limits: Option<Limits<'a>>,
    pod_security: PodSecurity<'a>,
}

impl Evaluation<'_> {
    /// What the region calls for.
    fn tenancy(&self) -> Option<&Tenancy> {
        self.seen.ground.region.as_ref().map(|r| &r.spec().tenancy)
    }

    /// What all of its namespaces have in common.
    pub(super) fn common(&self) -> Common<'_> {
        let spec = &self.seen.record.spec;
        let filing_namespace = &self.seen.meta.namespace;
        let (region, lines) =
            (self.tenancy(), self.seen.application.iter().flat_map(|(_, a)| &a.spec.access));
        Common {
            owner: Owner::new(&spec.application.name, &spec.application.uid, filing_namespace, &spec.region),
            access: AccessList::new(filing_namespace, lines.map(access)),
            limits: region.and_then(|r| r.limit_range.as_ref()).map(Limits::new),
            pod_security: PodSecurity::new(region.map(|r| r.pod_security).unwrap_or_default().as_str()),
        }
    }

    /// The tenant that one granted namespace stands for.
    pub(super) fn tenant<'a>(&'a self, place: &'a NamespaceSlot<'_>, common: &'a Common<'_>) -> Tenant<'a> {
        let NamespaceSlot { granted, name, recorded, .. } = place;
        Tenant {
            owner: &common.owner,
            entry: &granted.name,
            namespace: name,
            namespace_uid: recorded.and_then(|n| n.uid.as_deref()),
            quota: &granted.quota.0,
            pod_security: &common.pod_security,
            storage_classes: match &granted.storage_class {
                Some(class) => slice::from_ref(class),
                None => self.tenancy().map_or(&[], |r| &r.storage_classes),
            },
            limit_range: common.limits,
            access: &common.access,
            stage: match restriction(self.seen.exit.as_deref(), name) {
                Restriction::None => Stage::Active,
                Restriction::HandingOver => Stage::HandingOver,
                Restriction::Quiesced => Stage::Quiesced,
            },
        }
    }
}
