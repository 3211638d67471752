//! The table of kinds. Everything that the controller knows of one kind stands in that kind's file: where it is stored,
//! how it is found, what a decision on it reads, what enqueues it, and what is read live before it acts.
//!
//! The rest of the controller goes through this table: triggers, live reads and checks of missing references are
//! derived from each record's [`Dependency`] list ([`crate::dependencies`]).

use govcloud_api::resources::ResourceType;
use govcloud_domain::plan::Target;
use jiff::{SignedDuration, Timestamp};
use strum::VariantArray;

use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

mod application;
mod calendar;
mod catalog;
mod change;
mod claim;
mod decommission;
mod grant;
pub mod links;
mod namespace;
mod region;
mod snapshot;
mod storage_class;
mod tenant_objects;
mod volume;

use links::Link;

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

/// Extent of a kind's watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// All objects.
    All,
    /// Objects with the operator's label.
    Labelled,
    /// All objects, while the CRD of this name is established: the kind may be missing in a cluster.
    WhileEstablished(&'static str),
}

/// Priority of the records that a change enqueues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Somebody acted on few records.
    High,
    /// Many records depend on it.
    Low,
}

/// A row of the table.
#[derive(Debug)]
pub struct KindSpec {
    /// The kind.
    pub kind: Kind,
    /// Its resource type.
    pub resource: ResourceType,
    /// Extent of its watch.
    pub watched: Watched,
    /// Priority of the records that its changes enqueue.
    pub priority: Priority,
    /// Index keys of an object.
    pub index: fn(&Object) -> Vec<IndexKey>,
    /// Counts an object in the gauges.
    pub count: fn(&mut Census, &Object),
    /// Set for kinds that are reconciled.
    pub record: Option<RecordSpec>,
}

/// The part of a row that only reconciled kinds have.
#[derive(Debug)]
pub struct RecordSpec {
    /// Objects that a decision reads beside the record itself. Lists that several kinds share are stated once.
    pub depends: &'static [&'static [Dependency]],
    /// Code of the Region that it is filed in, as far as it can be read.
    pub region: fn(&Object) -> Option<String>,
    /// Gathers and decides; `None` where the record does not exist or does not fit its schema.
    pub decide: fn(&ClusterState, &Key, &GatherContext, Timestamp) -> Option<Decision>,
    /// Why an object does not fit the schema; `None` where it fits.
    pub schema_error: fn(&Object) -> Option<String>,
    /// Time in which changes are gathered before the record is decided on; `None` where it is decided on at once.
    pub debounce: Option<SignedDuration>,
    /// Set for records that are filed on an application; `None` for Regions.
    pub filed: Option<Filed>,
}

/// Facts of a record that is filed on an application.
#[derive(Debug)]
pub struct Filed {
    /// Names of the applications in its namespace that it is about.
    pub applications: fn(&Object) -> Vec<String>,
    /// JSON pointer in its spec to the namespaces that it asks for; `None` where it asks for none.
    pub namespaces: Option<&'static str>,
}

/// Objects that a decision on a record reads.
#[derive(Debug)]
pub struct Dependency {
    /// Their kind.
    pub on: Kind,
    /// The way from a record to them, and back.
    pub link: Link,
    /// Returns true if a change of one of them may change a decision.
    pub enqueues: fn(&ClusterState, &Change) -> bool,
    /// Group of live reads that they belong to.
    pub live: Option<Live>,
    /// True where a record is called wrong if one of them is missing: a live GET confirms that first
    /// (`docs/decisions/0049-*`).
    pub confirm_missing: bool,
}

impl Dependency {
    /// A dependency that is in no group of live reads.
    const fn on(on: Kind, link: Link, enqueues: fn(&ClusterState, &Change) -> bool) -> Self {
        Self { on, link, enqueues, live: None, confirm_missing: false }
    }

    /// Puts it into a group of live reads.
    const fn live(self, live: Live) -> Self {
        Self { live: Some(live), ..self }
    }

    /// A live GET confirms that a missing one does not exist.
    const fn confirm_missing(self) -> Self {
        Self { confirm_missing: true, ..self }
    }
}

impl KindSpec {
    /// A kind that is not reconciled, and that is found by name alone.
    const fn new(kind: Kind, resource: ResourceType, watched: Watched, priority: Priority) -> Self {
        Self { kind, resource, watched, priority, index: |_| Vec::new(), count: |_, _| {}, record: None }
    }
}

/// Groups of live reads, in the order in which they are made: each may find objects for the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Live {
    /// Records that a decision refers to.
    Reference,
    /// Namespaces of an exit.
    Namespace,
    /// Claims and snapshots of an exit's namespaces: listed, as a new one matters.
    Contents,
    /// Volumes of an exit.
    Volume,
}

impl Live {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Reference, Self::Namespace, Self::Contents, Self::Volume];
}

impl Watched {
    /// Returns true if a cluster need not have the kind.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::WhileEstablished(_))
    }
}

impl RecordSpec {
    /// Every dependency.
    pub fn dependencies(&self) -> impl Iterator<Item = &'static Dependency> {
        self.depends.iter().flat_map(|group| group.iter())
    }
}

/// The target of a key.
impl From<&Key> for Target {
    fn from(key: &Key) -> Self {
        Self::namespaced(key.kind.resource(), key.namespace(), key.name())
    }
}

/// Every change matters.
fn always(_: &ClusterState, _: &Change) -> bool {
    true
}

/// Only its existence matters.
fn existence(_: &ClusterState, change: &Change) -> bool {
    change.changes_existence()
}

/// It is read for a decision that something else enqueues.
fn never(_: &ClusterState, _: &Change) -> bool {
    false
}

/// Why an object does not fit the schema of its kind.
fn schema_error<K: kube::Resource + serde::de::DeserializeOwned>(object: &Object) -> Option<String> {
    object.read::<K>().err()
}
