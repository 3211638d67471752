//! The table of kinds. Everything that the controller knows of one kind stands in that kind's file: where it is stored,
//! how it is found, what a decision on it reads, what enqueues it, and what is read live before it acts.
//!
//! The rest of the controller goes through this table: triggers, live reads and checks of missing references are
//! derived from each record's [`Dependency`] list ([`crate::dependencies`]).

use govcloud_api::resources::ResourceType;
use strum::VariantArray;

mod application;
mod assessment;
mod calendar;
mod catalog;
mod change;
mod claim;
mod compliance;
mod decommission;
mod filed;
mod grant;
mod inspection;
pub mod links;
mod namespace;
mod region;
mod settings;
mod snapshot;
mod snapshot_content;
mod spec;
mod statement;
mod storage_class;
mod tenant_objects;
mod volume;

pub use spec::{Dependency, Filed, KindSpec, Live, Priority, RecordSpec, Watched};
use spec::{always, existence, never, schema_error};

/// A kind that is watched. The order is that of [`KINDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, VariantArray)]
pub enum Kind {
    /// CloudApplication.
    Application,
    /// ResourceGrant.
    Grant,
    /// ChangeRequest.
    Change,
    /// Decommission.
    Decommission,
    /// Region.
    Region,
    /// WorkCalendar.
    Calendar,
    /// ServiceCatalog.
    Catalog,
    /// Namespace.
    Namespace,
    /// ResourceQuota with the operator's label.
    Quota,
    /// LimitRange with the operator's label.
    Limits,
    /// NetworkPolicy with the operator's label.
    NetworkPolicy,
    /// RoleBinding with the operator's label.
    RoleBinding,
    /// PersistentVolumeClaim.
    Claim,
    /// PersistentVolume.
    Volume,
    /// StorageClass.
    StorageClass,
    /// VolumeSnapshot.
    Snapshot,
    /// VolumeSnapshotContent.
    SnapshotContent,
    /// Statement.
    Statement,
    /// ComplianceRecord.
    Compliance,
    /// Inspection.
    Inspection,
    /// Assessment.
    Assessment,
}

/// The table.
static KINDS: &[&KindSpec] = &[
    &application::KIND,
    &grant::KIND,
    &change::KIND,
    &decommission::KIND,
    &region::KIND,
    &calendar::KIND,
    &catalog::KIND,
    &namespace::KIND,
    &tenant_objects::QUOTA,
    &tenant_objects::LIMITS,
    &tenant_objects::NETWORK_POLICY,
    &tenant_objects::ROLE_BINDING,
    &claim::KIND,
    &volume::KIND,
    &storage_class::KIND,
    &snapshot::KIND,
    &snapshot_content::KIND,
    &statement::KIND,
    &compliance::KIND,
    &inspection::KIND,
    &assessment::KIND,
];

/// Each row is about the variant of its place.
const _: () = {
    assert!(KINDS.len() == Kind::VARIANTS.len(), "every kind has a row");
    let mut i = 0;
    while i < KINDS.len() {
        assert!(KINDS[i].kind as usize == i, "the rows are in the order of the enum");
        i += 1;
    }
};

impl Kind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::VARIANTS.iter().copied()
    }

    /// Its row of the table.
    pub fn spec(self) -> &'static KindSpec {
        KINDS[self as usize]
    }

    /// Its resource type.
    pub fn resource(self) -> ResourceType {
        self.spec().resource
    }

    /// Its name in manifests.
    pub fn as_str(self) -> &'static str {
        self.resource().kind
    }

    /// The kinds that are reconciled.
    pub fn records() -> impl Iterator<Item = Self> {
        Self::all().filter(|k| k.spec().record.is_some())
    }

    /// The part of its row that only records have which are filed on an application.
    pub fn filed(self) -> Option<&'static Filed> {
        self.spec().record.as_ref()?.filed.as_ref()
    }

    /// The kind of a resource type; `None` where it is not watched.
    pub fn of(resource: ResourceType) -> Option<Self> {
        Self::all().find(|k| k.resource() == resource)
    }
}
