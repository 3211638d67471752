//! A proxy between one client and the API server that sees every write and may have the client killed around it, and may
//! hold any answer back.
//!
//! It speaks plain HTTP on loopback and hands everything on with the client's own credentials. Writes pass one at a
//! time. Whoever is killed *before* a write never sent it, as far as the API server knows; whoever is killed *after* it
//! never learns what came of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::personas::{self, Server};

/// A request that asks to change something.
#[derive(Clone, Debug)]
pub struct Write {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The object's name, where the body gives it.
    pub name: String,
}

impl Write {
    /// What tells it from other writes: method, path, and for a POST the name that is asked for.
    pub fn identity(&self) -> String {
        let name = if self.method == "POST" { self.name.as_str() } else { "" };
        format!("{} {} {name}", self.method, self.path)
    }
}

/// What is to happen around a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It passes.
    Through,
    /// The client is killed, and the write is not handed on.
    Before,
    /// The write is handed on, and then the client is killed before it sees the answer.
    After,
}

/// Says what happens around each write, and has the client killed; and when each answer is handed back.
pub trait Judge: Send + Sync + 'static {
    /// What is to happen around this write.
    fn judge(&self, _: &Write) -> Fate {
        Fate::Through
    }
    /// A write was answered with this status code.
    fn answered(&self, _: &Write, _code: u16) {}
    /// Kills the client; when this is done it runs no more. A new one may be started at once.
    fn kill(&self) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
    /// Resolves when this answer may be handed back.
    fn hands_back(&self, _: &Answer) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

/// What a request, of any kind, was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The method of the request.
    pub method: String,
    /// Its path, without its query.
    pub path: String,
    /// The status code.
    pub code: u16,
}

impl Answer {
    /// An answer.
    pub fn new(method: &str, path: &str, code: u16) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), code }
    }
}

struct State {
    server: Client,
    judge: Arc<dyn Judge>,
    /// Writes pass one at a time.
    turn: Mutex<()>,
    /// How many clients were killed: what a dead one sent before is not handed on.
    generation: AtomicU64,
}

/// A running proxy. Dropping it ends it.
pub struct Proxy {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of `server`.
    pub async fn start(server: &Server, judge: Arc<dyn Judge>) -> Result<Self> {
        let config = personas::anonymous(server)?;
        let mut config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await?;
        config.proxy_url = None;
        let state = Arc::new(State {
            server: Client::try_from(config)?,
            judge,
            turn: Mutex::default(),
            generation: AtomicU64::new(0),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                // Whoever connected before a kill is dead, whatever it still has under way.
                let generation = state.generation.load(Ordering::SeqCst);
                let serve = service_fn(move |request| {
                    let state = state.clone();
                    // A task of its own: what was begun is ended, also when the client is gone.
                    async move { tokio::spawn(handle(state, generation, request)).await? }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                let connection = connection.serve_connection(TokioIo::new(stream), serve);
                tokio::spawn(async move { connection.await.ok() });
            }
        });
        Ok(Self { address, accepting })
    }

    /// A copy of a kubeconfig that leads here, beside the original.
    pub fn lead(&self, kubeconfig: &Path) -> Result<PathBuf> {
        let mut config: Value = serde_saphyr::from_str(&std::fs::read_to_string(kubeconfig)?)?;
        let cluster = config.pointer_mut("/clusters/0/cluster").context("a kubeconfig has a cluster")?;
        *cluster = serde_json::json!({ "server": format!("http://{}", self.address) });
        let file = kubeconfig.with_extension("proxied.kubeconfig");
        std::fs::write(&file, serde_saphyr::to_string(&config)?)?;
        Ok(file)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn handle(
    state: Arc<State>,
    generation: u64,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>> {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let answer = pass(&state, generation, request).await?;
    state.judge.hands_back(&Answer { method, path, code: answer.status().as_u16() }).await;
    Ok(answer)
}

async fn pass(
    state: &State,
    generation: u64,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if matches!(parts.method, http::Method::GET | http::Method::HEAD | http::Method::OPTIONS) {
        return forward(state, parts, body.to_vec()).await;
    }
    let named = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let write = Write {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        name: named["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
    };
    let _turn = state.turn.lock().await;
    let alive = || state.generation.load(Ordering::SeqCst) == generation;
    if !alive() {
        return Err(anyhow!("sent by a client that is dead"));
    }
    let fate = state.judge.judge(&write);
    let answer = match fate {
        Fate::Before => Err(anyhow!("killed before {write:?}")),
        Fate::Through | Fate::After => forward(state, parts, body.to_vec()).await,
    };
    if let Ok(answer) = &answer {
        state.judge.answered(&write, answer.status().as_u16());
    }
    if fate == Fate::Through {
        return answer;
    }
    state.generation.fetch_add(1, Ordering::SeqCst);
    state.judge.kill().await;
    Err(anyhow!("killed around {write:?}"))
}

/// Hands a request on as it is, and its answer back.
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
