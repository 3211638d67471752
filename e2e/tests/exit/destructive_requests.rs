//! Destructive requests, read once from the audit log for all scenarios.

use anyhow::{Context as _, Result};
use e2e::actors::Actor;
use e2e::audit::{Entry, Follow};
use e2e::cluster::Cluster;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use tokio::sync::Mutex;

/// Prefix of requests that only mark a position in the log.
const MARK: &str = "exit-mark-";

/// A reader of the audit log that keeps what matters here.
pub struct DestructiveRequests {
    admin: kube::Client,
    read: Mutex<(Follow, Vec<Entry>)>,
}

impl DestructiveRequests {
    /// Begins to read. What was asked before is not in it.
    pub async fn begin(cluster: &Cluster) -> Result<Self> {
        let read = Mutex::new((cluster.audit().follow()?, Vec::new()));
        Ok(Self { admin: cluster.client(Actor::Admin).await?, read })
    }

    /// Every request that destroys or may destroy, and every LIST of claims, answered with success before this call, that
    /// `about` picks.
    pub async fn asked(&self, about: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>> {
        let mark = format!("{MARK}{}", Timestamp::now().as_nanosecond());
        let maps: Api<ConfigMap> = Api::namespaced(self.admin.clone(), "default");
        maps.get_opt(&mark).await.context("the mark in the audit log")?;
        let mut read = self.read.lock().await;
        let (follow, kept) = &mut *read;
        let is_mark = |e: &Entry| e.object_ref.as_ref().is_some_and(|o| o.name == mark);
        // Somebody else may have read past it already.
        while !kept.iter().any(is_mark) {
            let entries = follow.next().await?;
            kept.extend(entries.iter().filter(|e| e.destroys() || lists_claims(e) || marks(e)).cloned());
        }
        let success = |e: &&Entry| (200..300).contains(&e.code()) && !marks(e) && !e.is_dry_run();
        Ok(read.1.iter().filter(success).filter(|e| about(e)).cloned().collect())
    }
}

fn marks(entry: &Entry) -> bool {
    entry.object_ref.as_ref().is_some_and(|o| o.name.starts_with(MARK))
}

/// Returns true if it lists the claims of a namespace.
pub fn lists_claims(entry: &Entry) -> bool {
    entry.verb == "list" && entry.object_ref.as_ref().is_some_and(|o| o.resource == "persistentvolumeclaims")
}
