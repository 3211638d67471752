//! The leader's delivery task: sends new timeline entries, in the order of each record, until the sink accepts them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::counts::Outcome;
use super::cursor::{Cursor, PERIOD};
use super::progress::Progress;
use super::sink::{Answer, Sink};
use crate::cluster_state::ClusterState;
use crate::context::Context;
use crate::key::Key;
use crate::kinds::{Kind, links};
use crate::supervision::{Panicked, catch_panic};
use govcloud_domain::cloud_event::{CloudEvent, Subject, Timeline};

/// Result of one attempt to send the next entry of a record.
struct Sent {
    key: Key,
    uid: String,
    next: u64,
    end: u64,
    lost: u64,
    event: Option<CloudEvent>,
    answer: Answer,
}

/// Delivers for as long as this process leads.
pub async fn run(context: Arc<Context>, sink: Sink, origin: String) {
    let cursor = Cursor::load(context.requests.client()).await;
    tracing::info!(sink = sink.host(), "CloudEvents are sent");
    let progress = begin(&context.state, &cursor);
    let mut delivery = Delivery {
        context,
        sink,
        origin,
        cursor,
        progress,
        sending: JoinSet::new(),
        last: None,
        troubled: false,
    };
    delivery.observe_all();
    delivery.run().await;
}

/// Progress of every record when the last leader ended.
fn begin(state: &ClusterState, cursor: &Cursor) -> Progress {
    let mut progress = Progress::default();
    for key in keys(state) {
        let sent = |subject: Subject, status: &Value| {
            let end = Timeline::of(status).end();
            (subject.uid, if cursor.covers(recorded(status)) { end } else { 0 })
        };
        if let Some((uid, sent)) = read_record(state, &key, sent) {
            progress.begin(key, &uid, sent);
        }
    }
    progress
}

struct Delivery {
    context: Arc<Context>,
    sink: Sink,
    origin: String,
    cursor: Cursor,
    progress: Progress,
    sending: JoinSet<Result<Sent, (Key, Panicked)>>,
    last: Option<Timestamp>,
    troubled: bool,
}

impl Delivery {
    async fn run(&mut self) {
        let context = self.context.clone();
        let mut write_at = context.clock.now();
        loop {
            while let Some((key, next)) = self.progress.start(Instant::now()) {
                let send = send(context.clone(), self.sink.clone(), self.origin.clone(), key.clone(), next);
                self.sending
                    .spawn(async move { catch_panic(send).await.map_err(|panicked| (key, panicked)) });
            }
            context.metrics.cloudevents.pending(self.progress.pending());
            let wake = self.progress.wake(Instant::now());
            let behind = self.cursor.behind(self.last);
            tokio::select! {
                Some(sent) = self.sending.join_next() => match sent {
                    Ok(Ok(sent)) => self.finish(sent),
                    Ok(Err((key, panicked))) => self.retry_after_panic(&key, &panicked),
                    // Nobody aborts one, and a panic is caught within it.
                    Err(error) => tracing::error!(%error, "a delivery ended"),
                },
                () = context.outbox.changed.notified() => {
                    for key in context.outbox.take() {
                        self.observe(&key);
                    }
                }
                () = async { tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)).await }, if wake.is_some() => {}
                () = context.clock.reach(write_at), if behind => {
                    let now = context.clock.now();
                    if now >= write_at {
                        self.cursor.advance(self.progress.open_since(now)).await;
                        write_at = now.saturating_add(PERIOD).unwrap_or(Timestamp::MAX);
                    }
                }
            }
        }
    }

    fn observe_all(&mut self) {
        for key in keys(&self.context.state) {
            self.observe(&key);
        }
    }

    /// Observes a record that may have new entries.
    fn observe(&mut self, key: &Key) {
        let timeline =
            |subject: Subject, status: &Value| (subject.uid, Timeline::of(status).end(), recorded(status));
        let lost = match read_record(&self.context.state, key, timeline) {
            Some((uid, end, at)) => {
                self.progress.observe(key, &uid, end, at.unwrap_or_else(|| self.context.clock.now()))
            }
            None => self.progress.remove(key),
        };
        self.lost(key, lost);
    }

    fn retry_after_panic(&mut self, key: &Key, panicked: &Panicked) {
        self.context.metrics.cloudevents.count(Outcome::Retried, 1);
        tracing::error!(kind = key.kind.as_str(), namespace = key.namespace(), name = key.name(), %panicked, "a CloudEvent was not sent; it is retried");
        self.progress.failed(key, Instant::now());
    }

    fn lost(&self, key: &Key, entries: u64) {
        if entries > 0 {
            tracing::error!(
                kind = key.kind.as_str(),
                namespace = key.namespace(),
                name = key.name(),
                entries,
                "timeline entries were lost before the CloudEvents sink accepted them"
            );
            self.context.metrics.cloudevents.count(Outcome::Lost, entries);
        }
    }

    /// An attempt ended.
    fn finish(&mut self, sent: Sent) {
        let Sent { key, uid, next, end, lost, event, answer } = sent;
        let counts = &self.context.metrics.cloudevents;
        let sent_event = event.is_some();
        let id = event.map(|e| e.id).unwrap_or_default();
        match answer {
            Answer::Retry(why, pause) => {
                counts.count(Outcome::Retried, 1);
                if self.progress.retry(&key, &uid, Instant::now(), pause) {
                    self.troubled = true;
                    tracing::warn!(
                        sink = self.sink.host(),
                        why,
                        "the CloudEvents sink accepts nothing; it is retried until it does"
                    );
                } else {
                    tracing::debug!(id, why, "a CloudEvent was not accepted");
                }
                return;
            }
            Answer::Refused(status) => {
                counts.count(Outcome::Refused, 1);
                tracing::error!(kind = key.kind.as_str(), namespace = key.namespace(), name = key.name(), id, %status, "the CloudEvents sink refuses an event; it is skipped");
            }
            Answer::Delivered if !sent_event => {}
            Answer::Delivered => counts.count(Outcome::Delivered, 1),
        }
        if sent_event {
            if std::mem::take(&mut self.troubled) {
                tracing::info!(sink = self.sink.host(), "the CloudEvents sink accepts events again");
            }
            self.last = Some(self.context.clock.now());
            self.progress.resume();
        }
        self.lost(&key, lost);
        self.progress.done(&key, &uid, next, end);
        self.observe(&key);
    }
}

/// Sends the entry at a position, read now.
async fn send(context: Arc<Context>, sink: Sink, origin: String, key: Key, place: u64) -> Sent {
    let read = |subject: Subject, status: &Value| {
        let timeline = Timeline::of(status);
        let (end, kept) = (timeline.end(), timeline.first_kept(place).min(timeline.end()));
        let event = timeline.entry(kept).map(|entry| CloudEvent::of(&subject, &origin, kept, entry, status));
        (subject.uid, kept, end, event)
    };
    let found = read_record(&context.state, &key, read);
    let (uid, kept, end, event) = found.unwrap_or_else(|| (String::new(), place, place, None));
    let answer = match &event {
        Some(event) => sink.post(event).await,
        None => Answer::Delivered,
    };
    // An entry that cannot be read is as lost as one that is gone.
    let unread = u64::from(event.is_none() && kept < end);
    let lost = kept.saturating_sub(place) + unread;
    Sent { key, uid, next: (kept + 1).min(end), end, lost, event, answer }
}

/// Time at which the operator last wrote this status.
fn recorded(status: &Value) -> Option<Timestamp> {
    status["observedAt"].as_str()?.parse().ok()
}

/// Keys of all records that have a timeline.
fn keys(state: &ClusterState) -> Vec<Key> {
    Kind::records()
        .filter(|k| k.filed().is_some())
        .flat_map(|kind| state.store(kind).all())
        .map(|o| o.key())
        .collect()
}

/// Reads a cached record that has a timeline; `None` if there is none.
fn read_record<R>(state: &ClusterState, key: &Key, read: impl FnOnce(Subject, &Value) -> R) -> Option<R> {
    key.kind.filed()?;
    let record = state.object(key)?;
    let subject = Subject {
        kind: key.kind.as_str(),
        plural: key.kind.resource().plural,
        namespace: key.namespace().to_owned(),
        name: key.name().to_owned(),
        uid: record.uid.to_string(),
        region: state.region_code(&record).unwrap_or_default(),
        application: links::applications(&record).pop(),
    };
    Some(read(subject, &record.status::<Value>().unwrap_or_default()))
}
