//! HTTP proxy between one client and the API server that injects faults: it kills the client around a write, answers in
//! the API server's place, closes the connection, holds an answer back, or ends a watch with 410.
//!
//! It speaks plain HTTP on loopback and forwards requests with the client's own credentials. Writes pass one at a time.
//! A client that is killed *before* a write never sent it, as far as the API server knows; a client that is killed
//! *after* it never sees the answer.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::actors::{self, Server};

mod watches;

pub use watches::Watches;

/// Response handed to the client.
type Response = http::Response<UnsyncBoxBody<Bytes, anyhow::Error>>;

/// Request of the client.
#[derive(Clone, Debug)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// Query, or empty.
    pub query: String,
    /// JSON body; null where there is none.
    pub body: Value,
}

impl Request {
    fn new(parts: &http::request::Parts, body: &[u8]) -> Self {
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    /// Returns true if it asks to change something.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// Returns true if it opens a watch.
    pub fn is_watch(&self) -> bool {
        self.method == "GET" && self.query.split('&').any(|p| p == "watch=true" || p == "watch=1")
    }

    /// Identity among writes: method, path, and for a POST the name of the new object.
    pub fn identity(&self) -> String {
        let name = if self.method == "POST" { self.body["metadata"]["name"].as_str() } else { None };
        format!("{} {} {}", self.method, self.path, name.unwrap_or_default())
    }
}

/// Fault that is injected around a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// None: it is forwarded.
    Forward,
    /// The client is killed, and the request is not forwarded.
    KillBefore,
    /// The request is forwarded, and the client is killed before it sees the answer.
    KillAfter,
    /// The proxy answers; the API server never sees the request.
    Reply(Reply),
    /// The connection is closed, and the request is not forwarded.
    CloseBefore,
    /// The request is forwarded, and the connection is closed instead of an answer.
    CloseAfter,
}

/// Answer of the proxy in the API server's place: a Status with a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status code.
    pub code: u16,
    /// Reason of the Status.
    pub reason: &'static str,
    /// Message of the Status.
    pub message: String,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
}

impl Reply {
    fn response(&self) -> Result<Response> {
        let status = json!({
            "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
            "code": self.code, "reason": self.reason, "message": self.message,
        });
        let mut response =
            http::Response::builder().status(self.code).header("content-type", "application/json");
        if let Some(seconds) = self.retry_after {
            response = response.header("retry-after", seconds.to_string());
        }
        let body = Full::new(Bytes::from(status.to_string()));
        Ok(response.body(body.map_err(|never| match never {}).boxed_unsync())?)
    }
}

/// Decides which faults are injected, and kills the client.
pub trait FaultInjector: Send + Sync + 'static {
    /// Fault around this request. It may wait: a write that waits holds up the writes behind it.
    fn action<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Action> {
        ready(Action::Forward).boxed()
    }
    /// Called when the API server has answered a request.
    fn answered(&self, _: &Request, _code: u16) {}
    /// Kills the client; when this is done it no longer runs. A new one may be started at once.
    fn kill(&self) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
    /// Resolves when the API server's answer may be handed back.
    fn before_answer(&self, _: &Request, _code: u16) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

struct State {
    server: Client,
    injector: Arc<dyn FaultInjector>,
    watches: Watches,
    /// Held by the write under way: writes pass one at a time.
    turn: Mutex<()>,
    /// Number of clients killed; requests of a killed client are not forwarded.
    generation: AtomicU64,
}

/// Running proxy. Dropping it ends it.
pub struct Proxy {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of `server`.
    pub async fn start(server: &Server, injector: Arc<dyn FaultInjector>) -> Result<Self> {
        Self::start_with(server, injector, Watches::default()).await
    }

    /// Starts a proxy whose open watches are registered in `watches`.
    pub async fn start_with(
        server: &Server,
        injector: Arc<dyn FaultInjector>,
        watches: Watches,
    ) -> Result<Self> {
        let config = actors::anonymous(server)?;
        let mut config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?;
        config.proxy_url = None;
        // Every answer is the client's to see, also one that asks it to try again.
        config.default_retry = false;
        let state = Arc::new(State {
            server: Client::try_from(config)?,
            injector,
            watches,
            turn: Mutex::default(),
            generation: AtomicU64::new(0),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                // A client that connected before a kill is dead, whatever it still has under way.
                let generation = state.generation.load(Ordering::SeqCst);
                let serve = service_fn(move |request| {
                    let state = state.clone();
                    // A task of its own: a request that was begun is ended, also when the client is gone.
                    async move { tokio::spawn(handle(state, generation, request)).await? }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                let connection = connection.serve_connection(TokioIo::new(stream), serve);
                tokio::spawn(async move { connection.await.ok() });
            }
        });
        Ok(Self { address, accepting })
    }

    /// Writes a copy of a kubeconfig that leads through the proxy, beside the original.
    pub fn kubeconfig(&self, original: &Path) -> Result<PathBuf> {
        let mut config: Value = serde_saphyr::from_str(&std::fs::read_to_string(original)?)?;
        let cluster = config.pointer_mut("/clusters/0/cluster").context("a kubeconfig has a cluster")?;
        *cluster = json!({ "server": format!("http://{}", self.address) });
        let file = original.with_extension("proxied.kubeconfig");
        std::fs::write(&file, serde_saphyr::to_string(&config)?)?;
        Ok(file)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn handle(state: Arc<State>, generation: u64, request: http::Request<Incoming>) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let request = Request::new(&parts, &body);
    let _turn = if request.is_write() { Some(state.turn.lock().await) } else { None };
    if request.is_write() && state.generation.load(Ordering::SeqCst) != generation {
        return Err(anyhow!("sent by a client that is dead"));
    }
    let action = state.injector.action(&request).await;
    let answer = match &action {
        Action::KillBefore | Action::CloseBefore => None,
        Action::Reply(reply) => return reply.response(),
        Action::Forward | Action::KillAfter | Action::CloseAfter => {
            let answer = forward(&state, parts, body.to_vec()).await;
            if let Ok(answer) = &answer {
                state.injector.answered(&request, answer.status().as_u16());
            }
            Some(answer)
        }
    };
    match (action, answer) {
        (Action::Forward, Some(answer)) => {
            drop(_turn);
            let answer = answer?;
            state.injector.before_answer(&request, answer.status().as_u16()).await;
            Ok(respond(&state, &request, answer))
        }
        (Action::KillBefore | Action::KillAfter, _) => {
            state.generation.fetch_add(1, Ordering::SeqCst);
            state.injector.kill().await;
            Err(anyhow!("killed around {request:?}"))
        }
        (action, _) => Err(anyhow!("{action:?} of {}", request.path)),
    }
}

/// Forwards a request as it is.
async fn forward(
    state: &State,
    mut parts: http::request::Parts,
    body: Vec<u8>,
) -> Result<http::Response<Body>> {
    for header in [http::header::HOST, http::header::CONNECTION, http::header::TRANSFER_ENCODING] {
        parts.headers.remove(header);
    }
    let path = parts.uri.path_and_query().context("a request has a path")?.as_str().to_owned();
    parts.uri = path.parse()?;
    let mut answer = state.server.send(http::Request::from_parts(parts, Body::from(body))).await?;
    answer.headers_mut().remove(http::header::TRANSFER_ENCODING);
    Ok(answer)
}

/// Hands an answer back; that of a watch is registered, so that it can be expired.
fn respond(state: &State, request: &Request, answer: http::Response<Body>) -> Response {
    if request.is_watch() && answer.status().is_success() {
        return answer.map(|body| state.watches.register(request, body));
    }
    answer.map(|body| body.map_err(anyhow::Error::from).boxed_unsync())
}
