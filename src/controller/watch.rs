//! The watches that feed the caches.

use std::sync::Arc;

use futures::StreamExt;
use govcloud_api::keys;
use govcloud_api::resources::CUSTOM_RESOURCE_DEFINITION;
use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::cache::{CacheUpdate, TrimmedObject};
use crate::context::Context;
use crate::kinds::{Kind, Watched};
use crate::supervision::Tasks;

/// Objects of one page of a list. All kinds are listed at once, and a page is held as text and as objects.
pub const PAGE: u32 = 100;

/// First lists that are under way at once.
const LISTS_AT_ONCE: usize = 4;

/// Starts the watches.
pub fn start(context: &Arc<Context>, tasks: &mut Tasks) {
    let turns = Arc::new(Semaphore::new(LISTS_AT_ONCE));
    for kind in Kind::all() {
        let name = format!("watch of {}", kind.resource().plural);
        match kind.spec().watched {
            Watched::All | Watched::Labelled => {
                tasks.spawn(name, watch(context.clone(), kind, turns.clone()))
            }
            Watched::WhileEstablished(crd) => {
                tasks.spawn(name, watch_while_established(context.clone(), kind, crd));
            }
        }
    }
}

/// Waits until the caches are complete.
pub async fn synchronised(context: &Context) {
    let mut progress = context.progress.subscribe();
    while !context.state.is_synced() {
        if progress.changed().await.is_err() {
            return;
        }
    }
}

/// Watches one kind for as long as the operator runs. Its first list begins when `turns` gives it a turn.
async fn watch(context: Arc<Context>, kind: Kind, turns: Arc<Semaphore>) {
    // The semaphore is never closed.
    let mut turn = turns.acquire_owned().await.ok();
    let api: Api<TrimmedObject> = Api::all_with(context.requests.client(), &kind.resource().api_resource());
    let mut config = watcher::Config::default().page_size(PAGE);
    if kind.spec().watched == Watched::Labelled {
        config = config.labels(keys::APPLICATION_UID);
    }
    // Read in a task of its own: the next page of a list is requested while this one is applied.
    let (sender, mut events) = mpsc::channel(PAGE as usize);
    let mut reader = JoinSet::new();
    reader.spawn(watcher::watcher(api, config).default_backoff().for_each(move |event| {
        let sender = sender.clone();
        // The receiver is gone when this watch ends.
        async move { drop(sender.send(event).await) }
    }));
    let resource = kind.resource().plural;
    while let Some(event) = events.recv().await {
        let update = match event {
            Ok(Event::Init) => {
                if context.state.store(kind).is_synced() {
                    context.metrics.requests.relisted(resource);
                }
                CacheUpdate::ListStarted
            }
            Ok(Event::InitApply(o) | Event::Apply(o)) => CacheUpdate::Observed(o),
            Ok(Event::InitDone) => CacheUpdate::ListCompleted,
            Ok(Event::Delete(o)) => CacheUpdate::Deleted(o),
            Err(e) => {
                context.metrics.requests.interrupted(resource);
                tracing::warn!(resource, error = %e, "watch interrupted; it is resumed");
                continue;
            }
        };
        let complete = matches!(update, CacheUpdate::ListCompleted);
        context.observe(kind, update);
        if complete {
            drop(turn.take());
            context.progress.send_modify(|n| *n += 1);
        }
    }
}

/// Watches a kind while its CRD is established, for as long as the operator runs. A cluster may get the kind, or lose it.
async fn watch_while_established(context: Arc<Context>, kind: Kind, crd: &'static str) {
    let crds: Api<DynamicObject> =
        Api::all_with(context.requests.client(), &CUSTOM_RESOURCE_DEFINITION.api_resource());
    let config = watcher::Config::default().fields(&format!("metadata.name={crd}"));
    let mut events = watcher::watcher(crds, config).default_backoff().boxed();
    let mut watching = JoinSet::new();
    let mut listed = false;
    while let Some(event) = events.next().await {
        let served = match event {
            Ok(Event::Init) => {
                listed = false;
                continue;
            }
            Ok(Event::InitApply(o)) => {
                listed = is_established(&o, kind);
                continue;
            }
            Ok(Event::InitDone) => listed,
            Ok(Event::Apply(o)) => is_established(&o, kind),
            Ok(Event::Delete(_)) => false,
            Err(e) => {
                tracing::warn!(crd, error = %e, "the watch of a CRD was interrupted; it is resumed");
                continue;
            }
        };
        context.set_served(kind, served);
        match (served, watching.is_empty()) {
            (true, true) => {
                tracing::info!(kind = kind.as_str(), "the CRD is established; its objects are watched");
                watching.spawn(watch(context.clone(), kind, Arc::new(Semaphore::new(1))));
            }
            (false, false) => {
                tracing::info!(kind = kind.as_str(), "the CRD is gone, and its objects with it");
                // Awaited: no event of the old watch may follow the empty list.
                watching.shutdown().await;
                context.observe(kind, CacheUpdate::ListStarted);
                context.observe(kind, CacheUpdate::ListCompleted);
            }
            _ => {}
        }
    }
}

/// Returns true if the API server serves the version of a kind that is watched.
fn is_established(crd: &DynamicObject, kind: Kind) -> bool {
    let list = |pointer| crd.data.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let version = kind.resource().api_version.rsplit('/').next();
    list("/spec/versions").any(|v| v["name"].as_str() == version && v["served"] == true)
        && list("/status/conditions").any(|c| c["type"] == "Established" && c["status"] == "True")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_optional_kind_is_watched_while_its_version_is_served() {
        let crd = |version: &str, status: &str| -> DynamicObject {
            serde_json::from_value(json!({
                "metadata": { "name": "volumesnapshots.snapshot.storage.k8s.io" },
                "spec": { "versions": [{ "name": version, "served": true }] },
                "status": { "conditions": [{ "type": "Established", "status": status }] },
            }))
            .unwrap()
        };
        assert!(is_established(&crd("v1", "True"), Kind::Snapshot));
        assert!(!is_established(&crd("v1", "False"), Kind::Snapshot));
        assert!(!is_established(&crd("v1beta1", "True"), Kind::Snapshot));
    }
}
