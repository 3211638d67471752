//! VolumeSnapshots, which a cluster may have, or get, or lose: watched from the moment on which their CRD is established.
//!
//! A snapshot made after the department's consent voids it (design, section 6); so it must be seen at once, and not
//! only when everything is read anew. Where there is no such CRD nothing is asked for.

use std::sync::Arc;

use futures::StreamExt;
use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::controller::Context;
use super::news::News;
use super::watches::{self, Watched};
use govcloud_api::resources::{CUSTOM_RESOURCE_DEFINITION, VOLUME_SNAPSHOT};

/// The kind.
pub const SNAPSHOTS: Watched = Watched { of: VOLUME_SNAPSHOT, labelled: false };

/// Its CRD.
const CRD: &str = "volumesnapshots.snapshot.storage.k8s.io";

/// Watches the CRD, and the snapshots while it is established, for as long as the operator runs.
pub async fn watch(context: Arc<Context>) {
    let kind = CUSTOM_RESOURCE_DEFINITION.api_resource();
    let crds: Api<DynamicObject> = Api::all_with(context.requests.client(), &kind);
    let config = watcher::Config::default().fields(&format!("metadata.name={CRD}"));
    let mut events = watcher::watcher(crds, config).default_backoff().boxed();
    let mut watching = JoinSet::new();
    let mut listed = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed = None,
            Ok(Event::InitApply(o)) => listed = Some(established(&o)),
            Ok(Event::InitDone) => serve(&context, &mut watching, listed.unwrap_or(false)),
            Ok(Event::Apply(o)) => serve(&context, &mut watching, established(&o)),
            Ok(Event::Delete(_)) => serve(&context, &mut watching, false),
            Err(e) => {
                tracing::warn!(error = %e, "the watch of the snapshots' CRD was interrupted; it is resumed")
            }
        }
    }
}

/// Whether the API server serves the version that is watched.
fn established(crd: &DynamicObject) -> bool {
    let list = |pointer| crd.data.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
    let version = SNAPSHOTS.of.api_version.rsplit('/').next();
    list("/spec/versions").any(|v| v["name"].as_str() == version && v["served"] == true)
        && list("/status/conditions").any(|c| c["type"] == "Established" && c["status"] == "True")
}

/// Begins to watch, or ends: then there are no snapshots any more.
fn serve(context: &Arc<Context>, watching: &mut JoinSet<()>, served: bool) {
    match (served, watching.is_empty()) {
        (true, true) => {
            tracing::info!("VolumeSnapshots are watched");
            watching.spawn(watches::watch(context.clone(), SNAPSHOTS, Arc::new(Semaphore::new(1))));
        }
        (false, false) => {
            tracing::info!("VolumeSnapshots are gone with their CRD");
            // Dropped, not only aborted: nothing of the old watch comes after the empty list.
            *watching = JoinSet::new();
            for news in [News::Begin, News::Complete] {
                context.queue.add(context.state.tell(SNAPSHOTS.of.plural, news, &context.clock));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_an_established_crd_that_serves_the_version_is_watched() {
        let crd = |version: &str, status: &str| -> DynamicObject {
            serde_json::from_value(json!({
                "metadata": { "name": CRD },
                "spec": { "versions": [{ "name": version, "served": true }] },
                "status": { "conditions": [{ "type": "Established", "status": status }] },
            }))
            .unwrap()
        };
        assert!(established(&crd("v1", "True")));
        assert!(!established(&crd("v1", "False")));
        assert!(!established(&crd("v1beta1", "True")));
    }
}
