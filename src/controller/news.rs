//! What the image of the cluster is told: by the watches, and by the answers to reads and writes.

use super::clock::Clock;
use super::cluster_state::{ClusterState, FromObject, Triggers};
use super::queue::Key;
use super::store::{Changed, Since, Store};
use super::stored::Stored;
use super::watches::WATCHED;
use govcloud_domain::plan::Target;

/// What is told to a store.
#[derive(Debug)]
pub enum News {
    /// An object as the watch tells of it, or its list.
    Is(Stored),
    /// An object as the API server answered it, to a quorum read or to a write.
    Answered(Stored, Since),
    /// The watch says that it was deleted.
    Deleted(Stored),
    /// The API server answered that there is none of this namespace and name.
    Absent(String, String, Since),
    /// The API server answered that the object of this namespace and name is gone that had this UID.
    Gone(String, String, String),
    /// The watch begins a list.
    Begin,
    /// The watch's list is complete.
    Complete,
}

/// Takes in news; what changed.
fn take_in<T: FromObject>(store: &Store<T>, news: News, clock: &Clock) -> Vec<Changed<T>> {
    match news {
        News::Is(o) => learn(store, o, None, clock),
        News::Answered(o, since) => {
            let (namespace, name, version) = (o.namespace().to_owned(), o.name().to_owned(), o.version());
            let changed = learn(store, o, Some(since), clock);
            store.answered(&namespace, &name, version);
            changed
        }
        News::Deleted(o) => store.deleted(&T::from_object(o, clock)).into_iter().collect(),
        News::Absent(ns, name, since) => store.absent(&(ns, name), since).into_iter().collect(),
        News::Gone(ns, name, uid) => store.gone(&(ns, name), &uid).into_iter().collect(),
        News::Begin => {
            store.begin();
            Vec::new()
        }
        News::Complete => store.complete(),
    }
}

/// Takes in an object. One that tells nothing new is not even read: an event that tells of our own write, for instance.
fn learn<T: FromObject>(store: &Store<T>, o: Stored, since: Option<Since>, clock: &Clock) -> Vec<Changed<T>> {
    if store.knows(o.namespace(), o.name(), o.uid(), o.version(), since) {
        return Vec::new();
    }
    store.put(T::from_object(o, clock), since).into_iter().collect()
}

fn tell<T: FromObject>(state: &ClusterState, store: &Store<T>, news: News, clock: &Clock) -> Vec<Key>
where
    ClusterState: Triggers<T>,
{
    take_in(store, news, clock).iter().flat_map(|c| state.triggers(c)).collect()
}

fn tell_first<T: FromObject>(state: &ClusterState, store: &Store<T>, news: News, clock: &Clock) -> Vec<Key>
where
    ClusterState: Triggers<T>,
{
    take_in(store, news, clock).iter().filter_map(|c| state.unanswered(c)).collect()
}

/// Runs `$f` on the store of a resource.
macro_rules! on_store {
    ($state:expr, $resource:expr, |$store:ident| $f:expr, $none:expr) => {
        match $resource {
            "cloudapplications" => {
                let $store = &$state.applications;
                $f
            }
            "resourcegrants" => {
                let $store = &$state.grants;
                $f
            }
            "changerequests" => {
                let $store = &$state.changes;
                $f
            }
            "decommissions" => {
                let $store = &$state.decommissions;
                $f
            }
            "regions" => {
                let $store = &$state.regions;
                $f
            }
            "workcalendars" => {
                let $store = &$state.calendars;
                $f
            }
            "servicecatalogs" => {
                let $store = &$state.catalogs;
                $f
            }
            "namespaces" => {
                let $store = &$state.namespaces;
                $f
            }
            "resourcequotas" => {
                let $store = &$state.quotas;
                $f
            }
            "limitranges" => {
                let $store = &$state.limits;
                $f
            }
            "networkpolicies" => {
                let $store = &$state.network_policies;
                $f
            }
            "rolebindings" => {
                let $store = &$state.role_bindings;
                $f
            }
            "persistentvolumeclaims" => {
                let $store = &$state.claims;
                $f
            }
            "persistentvolumes" => {
                let $store = &$state.volumes;
                $f
            }
            "storageclasses" => {
                let $store = &$state.storage_classes;
                $f
            }
            "volumesnapshots" => {
                let $store = &$state.snapshots;
                $f
            }
            _ => $none,
        }
    };
}

impl ClusterState {
    /// Takes in news of a resource; returns what must be looked at.
    pub fn tell(&self, resource: &str, news: News, clock: &Clock) -> Vec<Key> {
        on_store!(self, resource, |store| tell(self, store, news, clock), Vec::new())
    }

    /// Takes in news while the first lists are under way. Everything is looked at once they are complete; returns what
    /// is to be looked at before the rest, because somebody waits for the operator's word on it.
    pub fn tell_first(&self, resource: &str, news: News, clock: &Clock) -> Vec<Key> {
        on_store!(self, resource, |store| tell_first(self, store, news, clock), Vec::new())
    }

    /// A request about a target begins, whose answer is to be taken in.
    #[must_use]
    pub fn ask<'a>(&'a self, target: &'a Target) -> Asking<'a> {
        let (ns, name) = (&target.namespace, &target.name);
        let since = on_store!(self, target.resource.plural, |store| Some(store.begin_asking(ns, name)), None);
        Asking { state: self, target, since }
    }

    /// Whether the API server itself answered with what is known of an object, just now.
    #[must_use]
    pub fn answered_just_now(&self, resource: &str, namespace: &str, name: &str) -> bool {
        on_store!(self, resource, |store| store.answered_just_now(namespace, name), false)
    }

    /// Whether the first list of a resource is complete.
    #[must_use]
    pub fn synced(&self, resource: &str) -> bool {
        on_store!(self, resource, |store| store.synced(), true)
    }

    /// How many objects of a resource are held, and the bytes of those that are held packed.
    #[must_use]
    pub fn held(&self, resource: &str) -> (usize, usize) {
        on_store!(self, resource, |store| (store.len(), store.packed_bytes()), (0, 0))
    }

    /// Whether every first list is complete.
    #[must_use]
    pub fn all_synced(&self) -> bool {
        WATCHED.iter().all(|w| self.synced(w.of.plural))
    }
}

/// A request that is under way. What its answer says is held against what was known when it was begun.
#[derive(Debug)]
pub struct Asking<'a> {
    state: &'a ClusterState,
    target: &'a Target,
    /// Nothing of a kind of which there is no image.
    since: Option<Since>,
}

impl Asking<'_> {
    /// An object was answered.
    #[must_use]
    pub fn answered(&self, object: Stored) -> Option<News> {
        self.since.map(|since| News::Answered(object, since))
    }

    /// It was answered that there is none: then what was known when it was asked for is gone. What came meanwhile is there.
    #[must_use]
    pub fn absent(&self) -> Option<News> {
        let Target { namespace, name, .. } = self.target;
        self.since.map(|since| News::Absent(namespace.clone(), name.clone(), since))
    }

    /// The target of this UID is gone.
    #[must_use]
    pub fn gone(&self, uid: &str) -> News {
        News::Gone(self.target.namespace.clone(), self.target.name.clone(), uid.to_owned())
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(since) = self.since {
            on_store!(self.state, self.target.resource.plural, |store| store.end_asking(since), ());
        }
    }
}

#[cfg(test)]
mod tests;
