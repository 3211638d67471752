//! The watches that feed the image of the cluster, and the answers to reads and writes that do too.

use std::sync::Arc;

use futures::StreamExt;
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::client::resource;
use super::controller::Shell;
use super::queue::Key;
use super::store::{Changed, Held, Store};
use super::stored::Stored;
use super::world::{FromObject, Triggers, World};
use crate::api::{API_VERSION, keys};

/// A kind that is watched.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// `group/version`, or `v1`.
    pub api_version: &'static str,
    /// Plural.
    pub resource: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Only what carries the operator's label.
    pub labelled: bool,
}

impl Watched {
    /// Whether many records rest on each of its objects.
    fn is_setting(&self) -> bool {
        matches!(self.resource, "regions" | "workcalendars" | "servicecatalogs" | "storageclasses")
    }
}

const fn own(resource: &'static str, kind: &'static str) -> Watched {
    Watched { api_version: API_VERSION, resource, kind, labelled: false }
}

const fn other(
    api_version: &'static str,
    resource: &'static str,
    kind: &'static str,
    labelled: bool,
) -> Watched {
    Watched { api_version, resource, kind, labelled }
}

/// Every kind that is watched from the start.
pub const WATCHED: [Watched; 15] = [
    own("cloudapplications", "CloudApplication"),
    own("resourcegrants", "ResourceGrant"),
    own("changerequests", "ChangeRequest"),
    own("decommissions", "Decommission"),
    own("regions", "Region"),
    own("workcalendars", "WorkCalendar"),
    own("servicecatalogs", "ServiceCatalog"),
    other("v1", "namespaces", "Namespace", false),
    other("v1", "resourcequotas", "ResourceQuota", true),
    other("v1", "limitranges", "LimitRange", true),
    other("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", true),
    other("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", true),
    other("v1", "persistentvolumeclaims", "PersistentVolumeClaim", false),
    other("v1", "persistentvolumes", "PersistentVolume", false),
    other("storage.k8s.io/v1", "storageclasses", "StorageClass", false),
];

/// What is told to a store.
#[derive(Debug)]
pub enum News {
    /// An object as the watch or a list has it.
    Is(Stored),
    /// An object as the API server answered it, to a quorum read or to a write.
    Answered(Stored),
    /// The watch says that it was deleted.
    Deleted(Stored),
    /// A read says that no object of this name is there; the UID is the one that was known.
    Gone(String, String, String),
    /// The watch begins a list.
    Begin,
    /// The watch's list is complete.
    Complete,
}

/// Takes in news; what changed.
fn take_in<T: FromObject>(store: &Store<T>, news: News, clock: &super::clock::Clock) -> Vec<Changed<T>> {
    match news {
        // An event that tells of our own write tells nothing new: it is not even read.
        News::Is(o) if known(store, &o) => Vec::new(),
        News::Is(o) => store.put(T::from_object(o, clock)).into_iter().collect(),
        News::Answered(o) => {
            let (namespace, name, version) = (o.namespace().to_owned(), o.name().to_owned(), o.version());
            let changed = take_in(store, News::Is(o), clock);
            store.answered(&namespace, &name, version);
            changed
        }
        News::Deleted(o) => store.deleted(&T::from_object(o, clock)).into_iter().collect(),
        News::Gone(ns, name, uid) => store.gone(&(ns, name), &uid).into_iter().collect(),
        News::Begin => {
            store.begin();
            Vec::new()
        }
        News::Complete => store.complete(),
    }
}

fn tell<T: FromObject>(world: &World, store: &Store<T>, news: News, clock: &super::clock::Clock) -> Vec<Key>
where
    World: Triggers<T>,
{
    take_in(store, news, clock).iter().flat_map(|c| world.triggers(c)).collect()
}

fn tell_first<T: FromObject>(
    world: &World,
    store: &Store<T>,
    news: News,
    clock: &super::clock::Clock,
) -> Vec<Key>
where
    World: Triggers<T>,
{
    take_in(store, news, clock).iter().filter_map(|c| world.unanswered(c)).collect()
}

/// Whether a store holds something at least as new.
fn known<T: Held>(store: &Store<T>, object: &Stored) -> bool {
    store.knows(object.namespace(), object.name(), object.uid(), object.version())
}

/// The UID that a store knows an object by.
fn uid_in<T: Held>(store: &Store<T>, namespace: &str, name: &str) -> Option<String> {
    store.get(namespace, name).map(|o| o.uid().to_owned())
}

/// Runs `$f` on the store of a resource.
macro_rules! on_store {
    ($world:expr, $resource:expr, |$store:ident| $f:expr, $none:expr) => {
        match $resource {
            "cloudapplications" => {
                let $store = &$world.applications;
                $f
            }
            "resourcegrants" => {
                let $store = &$world.grants;
                $f
            }
            "changerequests" => {
                let $store = &$world.changes;
                $f
            }
            "decommissions" => {
                let $store = &$world.decommissions;
                $f
            }
            "regions" => {
                let $store = &$world.regions;
                $f
            }
            "workcalendars" => {
                let $store = &$world.calendars;
                $f
            }
            "servicecatalogs" => {
                let $store = &$world.catalogs;
                $f
            }
            "namespaces" => {
                let $store = &$world.namespaces;
                $f
            }
            "resourcequotas" => {
                let $store = &$world.quotas;
                $f
            }
            "limitranges" => {
                let $store = &$world.limits;
                $f
            }
            "networkpolicies" => {
                let $store = &$world.network_policies;
                $f
            }
            "rolebindings" => {
                let $store = &$world.role_bindings;
                $f
            }
            "persistentvolumeclaims" => {
                let $store = &$world.claims;
                $f
            }
            "persistentvolumes" => {
                let $store = &$world.volumes;
                $f
            }
            "storageclasses" => {
                let $store = &$world.storage_classes;
                $f
            }
            "volumesnapshots" => {
                let $store = &$world.snapshots;
                $f
            }
            _ => $none,
        }
    };
}

impl World {
    /// Takes in news of a resource; returns what must be looked at.
    pub fn tell(&self, resource: &str, news: News, clock: &super::clock::Clock) -> Vec<Key> {
        on_store!(self, resource, |store| tell(self, store, news, clock), Vec::new())
    }

    /// Takes in news while the first lists are under way. Everything is looked at once they are complete; returns what
    /// is to be looked at before the rest, because somebody waits for the operator's word on it.
    pub fn tell_first(&self, resource: &str, news: News, clock: &super::clock::Clock) -> Vec<Key> {
        on_store!(self, resource, |store| tell_first(self, store, news, clock), Vec::new())
    }

    /// The UID that an object is known by.
    #[must_use]
    pub fn uid(&self, resource: &str, namespace: &str, name: &str) -> Option<String> {
        on_store!(self, resource, |store| uid_in(store, namespace, name), None)
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
        WATCHED.iter().all(|w| self.synced(w.resource))
    }
}

/// Objects of one page of a list. Every kind is listed at once, and a page is in memory as text and as objects: small
/// pages bound what a restart takes.
pub const PAGE: u32 = 100;

/// Kinds whose first lists are under way at once.
pub const LISTS_AT_ONCE: usize = 4;

/// Watches one kind for as long as the operator runs. Its first list begins when `turns` gives it a turn.
pub async fn watch(shell: Arc<Shell>, what: Watched, turns: Arc<Semaphore>) {
    // The semaphore is never closed.
    let mut turn = turns.acquire_owned().await.ok();
    let api: Api<Stored> =
        Api::all_with(shell.requests.client(), &resource(what.api_version, what.resource, what.kind));
    let mut config = watcher::Config::default().page_size(PAGE);
    if what.labelled {
        config = config.labels(keys::APPLICATION_UID);
    }
    // Read in a task of its own: the next page of a list is asked for while this one is taken in.
    let (sender, mut events) = mpsc::channel(PAGE as usize);
    let mut reader = JoinSet::new();
    reader.spawn(watcher::watcher(api, config).default_backoff().for_each(move |event| {
        let sender = sender.clone();
        // Nobody takes events any more: this task is about to end.
        async move { drop(sender.send(event).await) }
    }));
    let mut begun = false;
    while let Some(event) = events.recv().await {
        let typed = |o: Stored| o.of_type(what.api_version, what.kind);
        let news = match event {
            Ok(Event::Init) => {
                if shell.world.synced(what.resource) {
                    shell.metrics.requests.relisted(what.resource);
                }
                News::Begin
            }
            Ok(Event::InitApply(o) | Event::Apply(o)) => News::Is(typed(o)),
            Ok(Event::InitDone) => News::Complete,
            Ok(Event::Delete(o)) => News::Deleted(typed(o)),
            Err(e) => {
                shell.metrics.requests.interrupted(what.resource);
                tracing::warn!(resource = what.resource, error = %e, "watch interrupted; it is resumed");
                continue;
            }
        };
        let complete = matches!(news, News::Complete);
        begun = begun || shell.world.all_synced();
        if !begun {
            shell.queue.add(shell.world.tell_first(what.resource, news, &shell.clock));
            if shell.world.all_synced() {
                // The last list became complete meanwhile: nothing that came in beside it is passed over.
                shell.look_at_everything();
            }
        } else if what.is_setting() {
            shell.queue.add_due(shell.world.tell(what.resource, news, &shell.clock));
        } else {
            shell.queue.add(shell.world.tell(what.resource, news, &shell.clock));
        }
        if complete {
            drop(turn.take());
            shell.progress.send_modify(|n| *n += 1);
        }
    }
}
