//! The result of a decision: an ordered list of writes, the new status, events, and the time of the next decision.
//!
//! A plan is data. The shell's one interpreter executes it; nothing here knows how.

use govcloud_api::resources::ResourceType;
use jiff::Timestamp;
use serde_json::Value;

use super::lifecycle_event::LifecycleEvent;

/// An object of the API server, by resource type and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Its resource type.
    pub resource: ResourceType,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Target {
    /// A cluster-scoped object.
    #[must_use]
    pub fn named(resource: ResourceType, name: &str) -> Self {
        Self { resource, namespace: String::new(), name: name.to_owned() }
    }

    /// A namespaced object.
    #[must_use]
    pub fn namespaced(resource: ResourceType, namespace: &str, name: &str) -> Self {
        Self { resource, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

/// Precondition of a write: the identity and version of the object that was decided on (S4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    /// The object's UID.
    pub uid: String,
    /// The resourceVersion that the decision was made on.
    pub resource_version: String,
}

/// One request that changes something. Metrics spell its kind in lower case.
#[derive(Clone, Debug, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Write {
    /// POST: fails if the name is taken, so that nothing is ever adopted (S3).
    Create(Target, Value),
    /// Server-side apply by the field manager `govcloud-operator`: creates, or corrects drift.
    Apply(Target, Value),
    /// Merge patch that takes away what an apply leaves standing because another manager owns it.
    Correct(Target, Value),
    /// Merge patch under a precondition.
    Patch(Target, Precondition, Value),
    /// Delete under a precondition.
    Delete(Target, Precondition),
}

impl Write {
    /// The object that is written.
    #[must_use]
    pub fn target(&self) -> &Target {
        match self {
            Self::Create(t, _)
            | Self::Apply(t, _)
            | Self::Correct(t, _)
            | Self::Patch(t, _, _)
            | Self::Delete(t, _) => t,
        }
    }
}

impl Write {
    /// Returns true if another write brings the same object to the same content. A creation fails the second time, and a
    /// deletion is not planned again.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Apply(target, body), Self::Apply(same, content))
            | (Self::Correct(target, body), Self::Correct(same, content))
            | (Self::Patch(target, _, body), Self::Patch(same, _, content)) => {
                target == same && body == content
            }
            _ => false,
        }
    }
}

/// Failure of the last write, as a record reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteFailure {
    /// The API server refused it, with this message.
    Refused(String),
    /// It was accepted, and something else altered the object: the paths that did not stay.
    Altered(String),
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Writes that do not depend on each other; all end before the next step.
    Write(Vec<Write>),
}

/// Live reads that must be made before a plan is carried out, for a watch may lag behind (S1, S4).
///
/// | reads | before |
/// |---|---|
/// | [`REFERENCES`](Self::REFERENCES) | a decision is recorded; the record itself is compared by that write |
/// | [`RECORDS`](Self::RECORDS) | anything is made of an approval |
/// | [`VOLUMES`](Self::VOLUMES) | reclaim policies are set and namespaces marked |
/// | [`CONTENTS`](Self::CONTENTS) | reclaiming begins, claims are deleted, and their namespace is |
/// | [`END`](Self::END) | the end of namespaces and volumes is certified |
/// | [`EVERYTHING`](Self::EVERYTHING) | data is inventoried, or consent is found void |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredReads {
    /// The record itself.
    pub own: bool,
    /// Records that the decision refers to.
    pub references: bool,
    /// Namespaces and volumes of an exit.
    pub storage: bool,
    /// Claims and snapshots of an exit. They are always listed: a new one matters, and has no known name.
    pub contents: bool,
    /// True if an object is read even where the API server answered with it just now.
    pub fresh: bool,
}

impl RequiredReads {
    const NONE: Self = Self { own: false, references: false, storage: false, contents: false, fresh: false };
    /// Records that the decision refers to.
    pub const REFERENCES: Self = Self { references: true, ..Self::NONE };
    /// The record itself as well.
    pub const RECORDS: Self = Self { own: true, ..Self::REFERENCES };
    /// Namespaces and volumes of an exit as well.
    pub const VOLUMES: Self = Self { storage: true, ..Self::RECORDS };
    /// Its claims and snapshots as well.
    pub const CONTENTS: Self = Self { contents: true, ..Self::VOLUMES };
    /// Namespaces, volumes, claims and snapshots of an exit, read anew.
    pub const END: Self = Self { storage: true, contents: true, fresh: true, ..Self::NONE };
    /// Everything, read anew.
    pub const EVERYTHING: Self = Self { fresh: true, ..Self::CONTENTS };

    /// Returns true if these reads hold the needed ones.
    #[must_use]
    pub fn covers(self, needed: Self) -> bool {
        let Self { own, references, storage, contents, fresh } = needed;
        (self.own || !own)
            && (self.references || !references)
            && (self.storage || !storage)
            && (self.contents || !contents)
            && (self.fresh || !fresh)
    }
}

/// The result of a decision. `S` is the kind's status.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<S> {
    /// Nothing may be done on what was read: this is to be read anew with quorum first.
    pub reread: Option<RequiredReads>,
    /// Writes, in order. After them the reconciler gathers and decides again.
    pub steps: Vec<Step>,
    /// The status as it should be; written where it differs and no step is left.
    pub status: S,
    /// Lifecycle events: in the note of an Event that is written before the status.
    pub events: Vec<LifecycleEvent>,
    /// When to look again although nothing changed.
    pub wake: Option<Timestamp>,
}

impl<S> Plan<S> {
    /// A plan that changes nothing but the status.
    pub fn settle(status: S, events: Vec<LifecycleEvent>, wake: Option<Timestamp>) -> Self {
        Self { reread: None, steps: Vec::new(), status, events, wake }
    }

    /// A request to read anew with quorum, and decide then.
    pub fn reread(anew: RequiredReads, status: S) -> Self {
        Self { reread: Some(anew), steps: Vec::new(), status, events: Vec::new(), wake: None }
    }
}
