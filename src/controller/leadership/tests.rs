//! The election against an API server in memory that knows one Lease.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::{Instant, timeout};

use super::*;

/// The Lease, and everybody who watches it.
#[derive(Clone)]
struct Server {
    lease: Arc<Mutex<Option<Value>>>,
    events: broadcast::Sender<Value>,
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

impl Server {
    fn new() -> Self {
        Self { lease: Arc::default(), events: broadcast::Sender::new(100) }
    }

    fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.serve(request).await) }
        });
        kube::Client::new(service, OPERATOR_NAMESPACE)
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
        if head.method == Method::GET && query.contains("watch=true") {
            let events = futures::stream::unfold(self.events.subscribe(), |mut events| async {
                let lease = events.recv().await.ok()?;
                let line = format!("{}\n", json!({ "type": "MODIFIED", "object": lease }));
                Some((Ok(Frame::data(Bytes::from(line))), events))
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
            (&Method::POST | &Method::PATCH, _) => {
                let stored = lease.get_or_insert_with(|| json!({ "metadata": { "name": OPERATOR_NAME } }));
                merge(stored, &body);
                let version = stored["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok());
                stored["metadata"]["resourceVersion"] = (version.unwrap_or(1_u64) + 1).to_string().into();
                // Nobody may watch yet.
                let _ = self.events.send(stored.clone());
                answer(StatusCode::OK, stored)
            }
            _ => failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }
}

#[tokio::test]
async fn a_standby_leads_within_a_second_after_the_leader_released_the_lease() {
    let server = Server::new();
    let mut first = Election::start(server.client(), "first").await.unwrap();
    timeout(Duration::from_secs(5), first.won()).await.unwrap().unwrap();
    let mut second = Election::start(server.client(), "second").await.unwrap();
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
