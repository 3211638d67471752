//! A row of the table of kinds.

use govcloud_api::resources::ResourceType;
use jiff::{SignedDuration, Timestamp};

use super::Kind;
use super::links::Link;
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

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
    /// Returns true if a record is at its end. One whose phase cannot be read is not.
    pub is_over: fn(&Object) -> bool,
}

/// Objects that a decision on a record reads.
#[derive(Clone, Copy, Debug)]
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
    pub(super) const fn on(on: Kind, link: Link, enqueues: fn(&ClusterState, &Change) -> bool) -> Self {
        Self { on, link, enqueues, live: None, confirm_missing: false }
    }

    /// Puts it into a group of live reads.
    pub(super) const fn live(self, live: Live) -> Self {
        Self { live: Some(live), ..self }
    }

    /// A live GET confirms that a missing one does not exist.
    pub(super) const fn confirm_missing(self) -> Self {
        Self { confirm_missing: true, ..self }
    }
}

impl KindSpec {
    /// A kind that is not reconciled, and that is found by name alone.
    pub(super) const fn new(
        kind: Kind,
        resource: ResourceType,
        watched: Watched,
        priority: Priority,
    ) -> Self {
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

/// Every change matters.
pub(super) fn always(_: &ClusterState, _: &Change) -> bool {
    true
}

/// Only its existence matters.
pub(super) fn existence(_: &ClusterState, change: &Change) -> bool {
    change.changes_existence()
}

/// It is read for a decision that something else enqueues.
pub(super) fn never(_: &ClusterState, _: &Change) -> bool {
    false
}

/// Why an object does not fit the schema of its kind.
pub(super) fn schema_error<K: kube::Resource + serde::de::DeserializeOwned>(
    object: &Object,
) -> Option<String> {
    object.read::<K>().err()
}
