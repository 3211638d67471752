//! What is seen of the records while something is measured: one watch, and when each first showed what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt;
use kube::core::{ApiResource, NotUsed, Object};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a record can be seen to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// `Valid=True` for its generation.
    Valid,
    /// Phase `Provisioned`.
    Provisioned,
    /// An obligation was reported overdue.
    Overdue,
    /// An exit that awaits consent.
    AwaitingConsent,
    /// An exit that awaits its decision.
    AwaitingDecision,
    /// Phase `Completed`.
    Completed,
}

const MARKS: usize = 6;

/// The little of a status that is looked at; the rest is not kept.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    observed_generation: i64,
    conditions: Vec<Condition>,
    deadlines: Vec<Deadline>,
    inventory: Option<Inventory>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    observed_generation: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Deadline {
    notified: Notified,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Notified {
    overdue: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Inventory {
    digest: String,
}

type Record = Object<NotUsed, Status>;

/// What is known of one record.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    marks: [Option<Instant>; MARKS],
    /// Its generation.
    pub generation: i64,
    /// The last generation that the operator has looked at, and when that was first seen.
    pub observed: Option<(i64, Instant)>,
    /// The digest of its inventory, where it is an exit.
    pub inventory: String,
}

impl Seen {
    /// When it was first seen to be so.
    pub fn at(&self, mark: Mark) -> Option<Instant> {
        self.marks[mark as usize]
    }
}

#[derive(Default)]
struct Inner {
    seen: HashMap<(String, String), Seen>,
    counts: [usize; MARKS],
}

/// What is seen of one kind's records. Dropping it ends its watch.
pub struct Board {
    inner: Arc<Mutex<Inner>>,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Drop for Board {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Board {
    /// Watches all records of a kind.
    pub fn of(client: Client, resource: &ApiResource) -> Self {
        let api: Api<Record> = Api::all_with(client, resource);
        let inner = Arc::new(Mutex::new(Inner::default()));
        let (says, changed) = watch::channel(0);
        let told = inner.clone();
        let task = tokio::spawn(async move {
            let mut events = watcher::watcher(api, watcher::Config::default()).default_backoff().boxed();
            while let Some(event) = events.next().await {
                if let Ok(Event::Apply(record) | Event::InitApply(record)) = event {
                    told.lock().unwrap_or_else(PoisonError::into_inner).take_in(&record);
                    says.send_modify(|n| *n += 1);
                }
            }
        });
        Self { inner, changed, task }
    }

    fn look<R>(&self, f: impl FnOnce(&Inner) -> R) -> R {
        f(&self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many were seen to be so.
    pub fn count(&self, mark: Mark) -> usize {
        self.look(|i| i.counts[mark as usize])
    }

    /// What is known of one.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Seen> {
        self.look(|i| i.seen.get(&(namespace.to_owned(), name.to_owned())).cloned())
    }

    /// When each of those that were seen to be so first was.
    pub fn all(&self, mark: Mark) -> Vec<Instant> {
        self.look(|i| i.seen.values().filter_map(|s| s.at(mark)).collect())
    }

    /// Waits until so many were seen to be so; an error when nothing moves for `patience`.
    pub async fn until(&self, mark: Mark, count: usize, patience: Duration) -> Result<()> {
        let mut changed = self.changed.clone();
        let mut best = (self.count(mark), Instant::now());
        loop {
            let now = self.count(mark);
            if now >= count {
                return Ok(());
            }
            if now > best.0 {
                best = (now, Instant::now());
            }
            if best.1.elapsed() > patience {
                bail!("only {now} of {count} are {mark:?}, and none more in {patience:?}");
            }
            // Woken now and then as well, to notice that nothing moves.
            let _ = tokio::time::timeout(Duration::from_secs(1), changed.changed()).await;
        }
    }

    /// Waits until the operator has looked at a generation of one record; returns when that was seen.
    pub async fn observed(
        &self,
        namespace: &str,
        name: &str,
        generation: i64,
        patience: Duration,
    ) -> Result<Instant> {
        let mut changed = self.changed.clone();
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let seen = self.get(namespace, name).and_then(|s| s.observed);
            if let Some((_, at)) = seen.filter(|(g, _)| *g >= generation) {
                return Ok(at);
            }
            let what = || format!("{namespace}/{name}: generation {generation} is not looked at: {seen:?}");
            tokio::time::timeout_at(deadline, changed.changed()).await.with_context(what)??;
        }
    }
}

impl Inner {
    fn take_in(&mut self, record: &Record) {
        let m = &record.metadata;
        let key = (m.namespace.clone().unwrap_or_default(), m.name.clone().unwrap_or_default());
        let now = Instant::now();
        let seen = self.seen.entry(key).or_default();
        seen.generation = m.generation.unwrap_or(0);
        let Some(status) = &record.status else { return };
        if seen.observed.is_none_or(|(g, _)| g < status.observed_generation) {
            seen.observed = Some((status.observed_generation, now));
        }
        if let Some(inventory) = &status.inventory {
            seen.inventory.clone_from(&inventory.digest);
        }
        let valid =
            |c: &Condition| c.type_ == "Valid" && c.status == "True" && c.observed_generation == m.generation;
        let mut is = |mark: Mark, so: bool| {
            if so && seen.marks[mark as usize].is_none() {
                seen.marks[mark as usize] = Some(now);
                self.counts[mark as usize] += 1;
            }
        };
        is(Mark::Valid, status.conditions.iter().any(valid));
        is(Mark::Provisioned, status.phase == "Provisioned");
        is(Mark::Overdue, status.deadlines.iter().any(|d| d.notified.overdue.is_some()));
        is(Mark::AwaitingConsent, status.phase == "AwaitingConsent");
        is(Mark::AwaitingDecision, status.phase == "AwaitingDecision");
        is(Mark::Completed, status.phase == "Completed");
    }
}
