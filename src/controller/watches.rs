//! The watches that feed the image of the cluster.

use std::sync::Arc;

use futures::StreamExt;
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::controller::Context;
use super::news::News;
use super::stored::Stored;
use govcloud_api::keys;
use govcloud_api::resources;

/// A kind that is watched.
#[derive(Clone, Copy, Debug)]
pub struct Watched {
    /// Its resource type.
    pub of: resources::ResourceType,
    /// Only what carries the operator's label.
    pub labelled: bool,
}

const fn all(of: resources::ResourceType) -> Watched {
    Watched { of, labelled: false }
}

const fn labelled(of: resources::ResourceType) -> Watched {
    Watched { of, labelled: true }
}

/// Every kind that is watched from the start.
pub const WATCHED: [Watched; 15] = [
    all(resources::CLOUD_APPLICATION),
    all(resources::RESOURCE_GRANT),
    all(resources::CHANGE_REQUEST),
    all(resources::DECOMMISSION),
    all(resources::REGION),
    all(resources::WORK_CALENDAR),
    all(resources::SERVICE_CATALOG),
    all(resources::NAMESPACE),
    labelled(resources::RESOURCE_QUOTA),
    labelled(resources::LIMIT_RANGE),
    labelled(resources::NETWORK_POLICY),
    labelled(resources::ROLE_BINDING),
    all(resources::PERSISTENT_VOLUME_CLAIM),
    all(resources::PERSISTENT_VOLUME),
    all(resources::STORAGE_CLASS),
];

/// Objects of one page of a list. Every kind is listed at once, and a page is in memory as text and as objects: small
/// pages bound what a restart takes.
pub const PAGE: u32 = 100;

/// Kinds whose first lists are under way at once.
pub const LISTS_AT_ONCE: usize = 4;

/// Watches one kind for as long as the operator runs. Its first list begins when `turns` gives it a turn.
pub async fn watch(context: Arc<Context>, what: Watched, turns: Arc<Semaphore>) {
    // The semaphore is never closed.
    let mut turn = turns.acquire_owned().await.ok();
    let api: Api<Stored> = Api::all_with(context.requests.client(), &what.of.api_resource());
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
        let typed = |o: Stored| o.of_type(what.of.api_version, what.of.kind);
        let news = match event {
            Ok(Event::Init) => {
                if context.state.synced(what.of.plural) {
                    context.metrics.requests.relisted(what.of.plural);
                }
                News::Begin
            }
            Ok(Event::InitApply(o) | Event::Apply(o)) => News::Is(typed(o)),
            Ok(Event::InitDone) => News::Complete,
            Ok(Event::Delete(o)) => News::Deleted(typed(o)),
            Err(e) => {
                context.metrics.requests.interrupted(what.of.plural);
                tracing::warn!(resource = what.of.plural, error = %e, "watch interrupted; it is resumed");
                continue;
            }
        };
        let complete = matches!(news, News::Complete);
        begun = begun || context.state.all_synced();
        if !begun {
            context.queue.add(context.state.tell_first(what.of.plural, news, &context.clock));
            if context.state.all_synced() {
                // The last list became complete meanwhile: nothing that came in beside it is passed over.
                context.look_at_everything();
            }
        } else {
            context.look_at(what.of.plural, context.state.tell(what.of.plural, news, &context.clock));
        }
        if complete {
            drop(turn.take());
            context.progress.send_modify(|n| *n += 1);
        }
    }
}
