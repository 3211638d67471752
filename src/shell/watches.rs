//! The watches that feed the image of the cluster.

use std::sync::Arc;

use futures::StreamExt;
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::client::resource;
use super::controller::Shell;
use super::news::News;
use super::stored::Stored;
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
        } else {
            shell.look_at(what.resource, shell.world.tell(what.resource, news, &shell.clock));
        }
        if complete {
            drop(turn.take());
            shell.progress.send_modify(|n| *n += 1);
        }
    }
}
