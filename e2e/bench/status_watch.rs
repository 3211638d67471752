//! One watch of a kind's records: when each was first seen to reach which milestone.
//!
//! Milestones are the phases, `Valid` (the condition is true for the record's generation), `Overdue` (a deadline was reported
//! overdue), `approved` (annotated so) and `generation N` (observed by the operator).

use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::{ApiResource, NotUsed, Object};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout_at;
use tokio_util::task::AbortOnDropHandle;

use crate::record::Record;

/// Time without any progress after which a measurement is given up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The fields of a status that are read; the rest is not kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    observed_generation: i64,
    conditions: Vec<Condition>,
    deadlines: Vec<Value>,
}

#[derive(Default)]
struct State {
    records: HashMap<Record, HashMap<String, Instant>>,
    counts: HashMap<String, usize>,
}

/// The watch of one kind. Dropping it ends it.
pub struct StatusWatch {
    state: Arc<Mutex<State>>,
    changed: watch::Receiver<()>,
    _task: AbortOnDropHandle<()>,
}

impl StatusWatch {
    pub fn start(client: Client, resource: &ApiResource) -> Self {
        let api: Api<Object<NotUsed, Status>> = Api::all_with(client, resource);
        let state: Arc<Mutex<State>> = Arc::default();
        let (sender, changed) = watch::channel(());
        let shared = state.clone();
        let task = tokio::spawn(async move {
            let mut events = watcher::watcher(api, watcher::Config::default()).default_backoff().boxed();
            while let Some(event) = events.next().await {
                if let Ok(Event::Apply(record) | Event::InitApply(record)) = event {
                    shared.lock().unwrap_or_else(PoisonError::into_inner).observe(record);
                    sender.send_replace(());
                }
            }
        });
        Self { state, changed, _task: AbortOnDropHandle::new(task) }
    }

    fn read<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        f(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Number of records that reached a milestone.
    pub fn count(&self, milestone: &str) -> usize {
        self.read(|s| s.counts.get(milestone).copied().unwrap_or(0))
    }

    /// When each record that reached a milestone did.
    pub fn times(&self, milestone: &str) -> Vec<Instant> {
        self.read(|s| s.records.values().filter_map(|reached| reached.get(milestone).copied()).collect())
    }

    /// Waits until this many records reached a milestone; an error when none does for [`PATIENCE`].
    pub async fn until(&self, milestone: &str, count: usize) -> Result<()> {
        let reached = |s: &State| match s.counts.get(milestone).copied().unwrap_or(0) {
            now if now >= count => Ok(()),
            now => Err(now),
        };
        self.wait(reached).await.with_context(|| format!("{count} are {milestone}"))
    }

    /// Waits until one record reached a milestone; returns when that was seen.
    pub async fn reached(&self, record: &Record, milestone: &str) -> Result<Instant> {
        let reached = |s: &State| s.records.get(record).and_then(|r| r.get(milestone).copied()).ok_or(0);
        self.wait(reached).await.with_context(|| format!("{record:?} is {milestone}"))
    }

    /// Waits until a condition is met; its error is a measure of the progress.
    async fn wait<T>(&self, met: impl Fn(&State) -> Result<T, usize>) -> Result<T> {
        let mut changed = self.changed.clone();
        let (mut best, mut deadline) = (0, Instant::now() + PATIENCE);
        loop {
            match self.read(&met) {
                Ok(result) => return Ok(result),
                Err(progress) if progress > best => (best, deadline) = (progress, Instant::now() + PATIENCE),
                Err(_) => {}
            }
            let stuck = || format!("no progress beyond {best} in {PATIENCE:?}");
            timeout_at(deadline.into(), changed.changed()).await.with_context(stuck)??;
        }
    }
}

impl State {
    fn observe(&mut self, object: Object<NotUsed, Status>) {
        let (meta, status, now) = (object.metadata, object.status.unwrap_or_default(), Instant::now());
        let (namespace, name) = (meta.namespace.unwrap_or_default(), meta.name.unwrap_or_default());
        let is_current = |c: &Condition| c.status == "True" && c.observed_generation == meta.generation;
        let milestones = [
            (!status.phase.is_empty()).then_some(status.phase),
            Some(format!("generation {}", status.observed_generation)),
            status.conditions.iter().any(|c| c.type_ == "Valid" && is_current(c)).then(|| "Valid".to_owned()),
            status
                .deadlines
                .iter()
                .any(|d| d["notified"]["overdue"].is_string())
                .then(|| "Overdue".to_owned()),
            meta.annotations
                .is_some_and(|a| a.contains_key("govcloud.dev/decision"))
                .then(|| "approved".to_owned()),
        ];
        let reached = self.records.entry(Record { namespace, name }).or_default();
        for milestone in milestones.into_iter().flatten() {
            if let Entry::Vacant(entry) = reached.entry(milestone) {
                *self.counts.entry(entry.key().clone()).or_default() += 1;
                entry.insert(now);
            }
        }
    }
}
