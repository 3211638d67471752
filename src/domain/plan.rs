//! What a decision comes to: an ordered list of writes, the new status, events, and when to look again.
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

/// What must still hold of an object for a write to go through (S4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    /// The object's UID.
    pub uid: String,
    /// The resourceVersion that the decision was made on.
    pub resource_version: String,
}

/// One request that changes something.
#[derive(Clone, Debug, PartialEq)]
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
    /// What is written.
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

/// One step of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Writes that do not depend on each other; all end before the next step.
    Write(Vec<Write>),
    /// The status is written now, under its resourceVersion, before what follows.
    Record,
}

/// What must be read with quorum before anything is done, as a watch may lag behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredReads {
    /// What a decision rests on beside its own record, unless the API server answered with it just now. The record itself
    /// is certain by the write that takes the decision: it names the resourceVersion that was decided on, and is refused
    /// where that is no more (S1).
    Beside,
    /// The same with the record itself, before anything is made of what was decided (S1).
    Basis,
    /// The same with what has a name of an exit that is being carried out, before volumes' policies are set (S4).
    Reclaim,
    /// The same with its claims and snapshots, which are always listed, for a new one halts it: before reclaiming begins,
    /// before claims are deleted, and before their namespace is (S4).
    Removal,
    /// Whether the namespaces and volumes of an exit are at their end, whatever was answered just now: before that is
    /// certified.
    End,
    /// Everything, whatever was answered just now: before data is inventoried, or consent is found void (S4).
    Everything,
}

impl RequiredReads {
    /// Whether who read this has read `needed` as well.
    #[must_use]
    pub fn covers(self, needed: Self) -> bool {
        let within: &[Self] = match self {
            Self::Beside | Self::End => &[],
            Self::Basis => &[Self::Beside],
            Self::Reclaim => &[Self::Beside, Self::Basis],
            Self::Removal => &[Self::Beside, Self::Basis, Self::Reclaim],
            Self::Everything => return true,
        };
        self == needed || within.contains(&needed)
    }
}

/// What a decision comes to. `S` is the kind's status.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<S> {
    /// Nothing may be done on what was read: this is to be read anew with quorum first.
    pub reread: Option<RequiredReads>,
    /// What is done, in order. After steps the interpreter observes and decides again.
    pub steps: Vec<Step>,
    /// The status as it should be; written where it differs and no step other than [`Step::Record`] is left.
    pub status: S,
    /// What happened: one Event each, written with the status.
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
