//! A receiver of CloudEvents that can be down, slow, or in a bad mood, and remembers everything that it was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use govcloud_domain::cloud_event;
use serde_json::Value;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

/// Behaviour of a sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// 204.
    #[default]
    Well,
    /// This status, and what was sent does not count.
    Answers(u16),
    /// Takes what is sent, but only after so long.
    Slow(Duration),
    /// Takes what is sent, and breaks off before it says so: the sender cannot know.
    Silent,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// The body.
    pub event: Value,
    /// `Authorization`.
    pub authorization: String,
    /// True if the sink accepted it.
    pub taken: bool,
}

#[derive(Debug, Default)]
struct Memory {
    mood: Mood,
    received: Vec<Received>,
    malformed: Vec<String>,
}

/// A receiver. Dropping it closes it.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
    server: Option<JoinHandle<()>>,
}

impl Sink {
    /// A sink that listens and is well.
    pub fn open() -> Result<Self> {
        let address = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut sink = Self { address, memory: Arc::default(), server: None };
        sink.listen()?;
        Ok(sink)
    }

    /// URL to which events are posted.
    pub fn url(&self) -> String {
        format!("http://{}/lifecycle", self.address)
    }

    /// Listens again, at the same address.
    pub fn listen(&mut self) -> Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        let listener = socket.listen(64)?;
        let routes = Router::new().route("/lifecycle", post(receive)).with_state(self.memory.clone());
        self.server = Some(tokio::spawn(async move {
            if let Err(e) = axum::serve(listener, routes).await {
                eprintln!("the sink ended: {e}");
            }
        }));
        Ok(())
    }

    /// Is gone: nobody listens, and what was under way breaks off.
    pub async fn close(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
    }

    fn memory<R>(&self, f: impl FnOnce(&mut Memory) -> R) -> R {
        f(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers so from now on.
    pub fn mood(&self, mood: Mood) {
        self.memory(|m| m.mood = mood);
    }

    /// Everything that was sent.
    pub fn received(&self) -> Vec<Received> {
        self.memory(|m| m.received.clone())
    }

    /// Events that it accepted, compared with the stored records.
    pub fn taken(&self) -> Result<Taken> {
        let malformed = self.memory(|m| m.malformed.clone());
        ensure!(malformed.is_empty(), "sent what is no CloudEvent: {malformed:?}");
        Ok(Taken(self.received().into_iter().filter(|r| r.taken).map(|r| r.event).collect()))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn receive(State(memory): State<Arc<Mutex<Memory>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let lock = || memory.lock().unwrap_or_else(PoisonError::into_inner);
    let mood = lock().mood;
    let parsed = serde_json::from_slice(&body);
    if !header("content-type").starts_with("application/cloudevents+json") || parsed.is_err() {
        lock().malformed.push(format!("{} {body:?}", header("content-type")));
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let taken = !matches!(mood, Mood::Answers(_));
    let event = parsed.unwrap_or_default();
    lock().received.push(Received { event, authorization: header("authorization"), taken });
    match mood {
        Mood::Well => StatusCode::NO_CONTENT,
        Mood::Answers(code) => StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        Mood::Slow(time) => {
            tokio::time::sleep(time).await;
            StatusCode::NO_CONTENT
        }
        Mood::Silent => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::NO_CONTENT
        }
    }
}

/// Events that a sink took, in that order.
#[derive(Clone, Debug)]
pub struct Taken(Vec<Value>);

/// Result of [`Taken::complete`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Records.
    pub records: usize,
    /// Their timeline entries, each of which arrived.
    pub entries: usize,
    /// Events that arrived again.
    pub repeats: usize,
    /// Types of events.
    pub types: usize,
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Taken {
    /// The events.
    pub fn events(&self) -> &[Value] {
        &self.0
    }

    /// The types that arrived.
    pub fn types(&self) -> BTreeSet<&str> {
        self.0.iter().map(|e| word(&e["type"])).collect()
    }

    /// As lines of JSON.
    pub fn lines(&self) -> String {
        self.0.iter().map(|e| format!("{e}\n")).collect()
    }

    /// Every timeline entry of these records arrived, under the id that it always has; repeats are the same but for
    /// the standing; and each record's entries were first taken in the order of its timeline.
    pub fn complete(&self, records: &[Value]) -> Result<Tally> {
        let mut by_id: BTreeMap<&str, Value> = BTreeMap::new();
        let mut order: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for event in &self.0 {
            let id = word(&event["id"]);
            let mut lasting = event.clone();
            lasting["data"]["standing"].take();
            match by_id.get(id) {
                Some(first) => ensure!(*first == lasting, "{id} is not the same again:\n{first}\n{lasting}"),
                None => {
                    by_id.insert(id, lasting);
                    order.entry(word(&event["partitionkey"])).or_default().push(word(&event["sequence"]));
                }
            }
        }
        let mut entries = 0;
        for record in records {
            let uid = word(&record["metadata"]["uid"]);
            let name = format!("{} {}", record["kind"], record["metadata"]["name"]);
            ensure!(record["status"]["timelineDropped"].is_null(), "{name} lost entries to the bound");
            let timeline =
                record["status"]["timeline"].as_array().with_context(|| format!("{name}: no timeline"))?;
            for (place, entry) in timeline.iter().enumerate() {
                let id = cloud_event::id(uid, place as u64, &serde_json::from_value(entry.clone())?);
                let event = by_id.get(id.as_str());
                let event = event.with_context(|| format!("{name}: entry {place} never arrived: {entry}"))?;
                let same = event["time"] == entry["at"]
                    && event["data"]["actor"] == entry["actor"]
                    && event["data"]["party"] == entry["party"]
                    && event["data"]["event"] == entry["event"]
                    && event["data"]["article"] == entry["article"]
                    && event["sequence"] == format!("{place:010}").as_str()
                    && event["region"] == record["spec"]["region"];
                ensure!(same, "{name}: entry {place} {entry} arrived as {event}");
                entries += 1;
            }
            let sequence: Vec<String> = (0..timeline.len()).map(|place| format!("{place:010}")).collect();
            ensure!(
                order.get(uid).is_some_and(|o| *o == sequence),
                "{name}: arrived as {:?}",
                order.get(uid)
            );
        }
        Ok(Tally {
            records: records.len(),
            entries,
            repeats: self.0.len() - by_id.len(),
            types: self.types().len(),
        })
    }
}
