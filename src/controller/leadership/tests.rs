//! The election against an API server in memory that knows one Lease.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use tokio::sync::broadcast;
use tokio::time::timeout;

use super::*;

/// The Lease, and everybody who watches it.
#[derive(Clone)]
struct Server {
    lease: Arc<Mutex<Option<Value>>>,
    events: broadcast::Sender<Value>,
    /// Verb and path of each request, by the client that sent it.
    requests: Arc<Mutex<Vec<(&'static str, String)>>>,
    down: Arc<AtomicBool>,
}

type Answer = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>>;

fn answer(status: StatusCode, body: &Value) -> Answer {
    let body = Full::new(Bytes::from(body.to_string())).boxed_unsync();
    Response::builder().status(status).body(body).unwrap()
}

fn failure(status: StatusCode, reason: &str) -> Answer {
    let body = json!({ "kind": "Status", "status": "Failure", "reason": reason, "message": reason, "code": status.as_u16() });
    answer(status, &body)
}

/// Applies a merge patch (RFC 7386).
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return *into = patch.clone() };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut into[key], value);
        }
    }
}

/// Returns true if a patch is of the version that is stored.
fn is_of_version(lease: Option<&Value>, patch: &Value) -> bool {
    lease.is_some_and(|lease| lease["metadata"]["resourceVersion"] == patch["metadata"]["resourceVersion"])
}

impl Server {
    fn new() -> Self {
        Self {
            lease: Arc::default(),
            events: broadcast::Sender::new(100),
            requests: Arc::default(),
            down: Arc::default(),
        }
    }

    fn client(&self, name: &'static str) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            let line = format!("{} {}", request.method(), request.uri());
            server.requests.lock().unwrap().push((name, line));
            async move { Ok::<_, Infallible>(server.serve(request).await) }
        });
        kube::Client::new(service, OPERATOR_NAMESPACE)
    }

    fn candidate(&self, name: &'static str) -> Candidate {
        let leases = Api::namespaced(self.client(name), OPERATOR_NAMESPACE);
        Candidate { leases, identity: name.to_owned() }
    }

    /// Requests of a client, without the watch.
    fn requests_of(&self, client: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let own = requests.iter().filter(|(name, line)| *name == client && !line.contains("watch=true"));
        own.map(|(_, line)| line.split('?').next().unwrap_or_default().to_owned()).collect()
    }

    /// Somebody else changes the lease.
    fn change(&self, patch: &Value) {
        self.store(&mut self.lease.lock().unwrap(), patch);
    }

    fn store(&self, lease: &mut Option<Value>, patch: &Value) -> Value {
        let stored = lease.get_or_insert_with(|| json!({ "metadata": { "name": OPERATOR_NAME } }));
        let version = stored["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok());
        merge(stored, patch);
        stored["metadata"]["resourceVersion"] = (version.unwrap_or(1_u64) + 1).to_string().into();
        // Nobody may watch yet.
        let _ = self.events.send(stored.clone());
        stored.clone()
    }

    fn holder(&self) -> Option<String> {
        let lease = self.lease.lock().unwrap();
        lease.as_ref()?["spec"]["holderIdentity"].as_str().map(str::to_owned)
    }

    async fn serve(&self, request: Request<Body>) -> Answer {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let query = head.uri.query().unwrap_or_default();
        let is_collection = head.uri.path().ends_with("/leases");
        if self.down.load(Ordering::Relaxed) {
            return failure(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
        }
        if head.method == Method::GET && query.contains("watch=true") {
            let events = self.events.subscribe();
            // What changed since the list is among them.
            let present = futures::stream::iter(self.lease.lock().unwrap().clone());
            let later = futures::stream::unfold(events, |mut events| async {
                Some((events.recv().await.ok()?, events))
            });
            let events = present.chain(later).map(|lease| {
                let line = format!("{}\n", json!({ "type": "MODIFIED", "object": lease }));
                Ok(Frame::data(Bytes::from(line)))
            });
            return Response::new(StreamBody::new(events.boxed()).boxed_unsync());
        }
        let mut lease = self.lease.lock().unwrap();
        match (&head.method, is_collection) {
            (&Method::GET, true) => {
                let items: Vec<&Value> = lease.iter().collect();
                answer(StatusCode::OK, &json!({ "metadata": { "resourceVersion": "1" }, "items": items }))
            }
            (&Method::GET, false) => match &*lease {
                Some(lease) => answer(StatusCode::OK, lease),
                None => failure(StatusCode::NOT_FOUND, "NotFound"),
            },
            (&Method::POST, _) if lease.is_some() => failure(StatusCode::CONFLICT, "AlreadyExists"),
            (&Method::PATCH, _) if !is_of_version(lease.as_ref(), &body) => {
                failure(StatusCode::CONFLICT, "Conflict")
            }
            (&Method::POST | &Method::PATCH, _) => answer(StatusCode::OK, &self.store(&mut lease, &body)),
            _ => failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }
}

#[tokio::test]
async fn a_standby_leads_within_a_second_after_the_leader_released_the_lease() {
    let server = Server::new();
    let mut first = Election::start(server.client("first"), "first").await.unwrap();
    timeout(Duration::from_secs(5), first.won()).await.unwrap().unwrap();
    let mut second = Election::start(server.client("second"), "second").await.unwrap();
    assert!(timeout(Duration::from_millis(300), second.won()).await.is_err(), "the first one leads");
    assert_eq!(server.holder().as_deref(), Some("first"));
    let begun = Instant::now();
    first.release().await.unwrap();
    timeout(Duration::from_secs(5), second.won()).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(server.holder().as_deref(), Some("second"));
    second.release().await.unwrap();
    assert_eq!(server.holder(), None, "awaited: the lease is free when the process ends");
}

/// S11: a standby costs no write, and asks for nothing once it watches.
#[tokio::test]
async fn a_standby_only_watches() {
    let server = Server::new();
    let mut first = Election::start(server.client("first"), "first").await.unwrap();
    timeout(Duration::from_secs(5), first.won()).await.unwrap().unwrap();
    let mut second = Election::start(server.client("second"), "second").await.unwrap();
    for _ in 0..5 {
        server.change(&json!({ "spec": { "renewTime": "2026-11-30T02:00:00.000000Z" } }));
        assert!(timeout(Duration::from_millis(50), second.won()).await.is_err(), "the first one leads");
    }
    let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{OPERATOR_NAMESPACE}/leases");
    let once = [format!("GET {leases}/{OPERATOR_NAME}"), format!("GET {leases}")];
    assert_eq!(server.requests_of("second"), once);
}

/// A hold on the lease as it is stored, by a request of so long ago.
fn hold_since(server: &Server, ago: Duration) -> Hold {
    let stored = server.lease.lock().unwrap().clone().unwrap();
    Hold::new(&serde_json::from_value(stored).unwrap(), Instant::now() - ago)
}

#[tokio::test]
async fn a_leader_keeps_a_lease_that_somebody_annotated_and_not_one_that_another_took() {
    let server = Server::new();
    let (_sender, mut stop) = oneshot::channel();
    let candidate = server.candidate("first");
    let hold = candidate.take(&mut stop).await.unwrap();
    server.change(&json!({ "metadata": { "annotations": { "a": "b" } } }));
    let renewed = candidate.write_held(&hold, &lease::renewed(Timestamp::now())).await.unwrap();
    assert!(renewed.is_some());
    server.change(&json!({ "spec": { "holderIdentity": "second" } }));
    let due = Hold::new(&renewed.unwrap(), Instant::now() - lease::RENEWAL);
    assert_eq!(candidate.keep(due, &mut stop).await, None, "the other one leads");
    assert_eq!(server.holder().as_deref(), Some("second"), "and is not disturbed");
}

/// Another replica may take the lease from its end on.
#[tokio::test]
async fn a_leader_that_cannot_renew_stops_before_the_lease_ends() {
    let server = Server::new();
    let (_sender, mut stop) = oneshot::channel();
    let candidate = server.candidate("first");
    candidate.take(&mut stop).await.unwrap();
    let hold = hold_since(&server, lease::TERM - Duration::from_millis(300));
    let ends_at = hold.ends_at();
    server.down.store(true, Ordering::Relaxed);
    let kept = timeout(Duration::from_secs(5), candidate.keep(hold, &mut stop)).await.unwrap();
    assert_eq!(kept, None);
    assert!(Instant::now() >= ends_at);
}

/// Of several that wait, one takes a lease that was released; the others go on waiting.
#[tokio::test]
async fn one_of_several_standbys_takes_over() {
    let server = Server::new();
    let mut leader = Election::start(server.client("leader"), "leader").await.unwrap();
    timeout(Duration::from_secs(5), leader.won()).await.unwrap().unwrap();
    let mut standbys = Vec::new();
    for name in ["a", "b", "c"] {
        standbys.push(Election::start(server.client(name), name).await.unwrap());
    }
    leader.release().await.unwrap();
    let won = standbys.iter_mut().map(|standby| Box::pin(standby.won()));
    let (first, _, others) = timeout(Duration::from_secs(5), futures::future::select_all(won)).await.unwrap();
    first.unwrap();
    let others = timeout(Duration::from_millis(300), futures::future::select_all(others)).await;
    assert!(others.is_err(), "two lead");
}

/// An election of which only the task is real.
fn election(task: impl Future<Output = ()> + Send + 'static) -> (watch::Sender<bool>, Election) {
    let (sender, leads) = watch::channel(true);
    let (stop, _) = oneshot::channel();
    let task = tokio::spawn(async move {
        task.await;
        Ok(())
    });
    (sender, Election { leads, stop, task })
}

#[tokio::test]
async fn lost_returns_when_another_replica_leads() {
    let (sender, mut election) = election(std::future::pending());
    election.won().await.unwrap();
    sender.send_replace(false);
    assert!(matches!(election.lost().await, ElectionError::Lost));
}

#[tokio::test]
async fn lost_returns_the_panic_of_the_task() {
    let (sender, mut election) = election(async { panic!("no clock") });
    drop(sender);
    let error = election.lost().await;
    assert!(matches!(error, ElectionError::Task(_)), "{error}");
    assert!(error.to_string().contains("no clock"), "{error}");
}
