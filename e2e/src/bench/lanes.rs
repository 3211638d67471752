//! A bare client of the API server: so many connections, each with one request under way at a time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use futures::future::try_join_all;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use crate::personas;

/// Connections of the raw client, as the issue sets them.
pub const CONNECTIONS: usize = 16;

/// So many connections as one user.
#[derive(Clone)]
pub struct Lanes {
    clients: Vec<Client>,
}

impl Lanes {
    /// Opens [`CONNECTIONS`] of them by a kubeconfig. A client's pool holds one connection as long as it has one
    /// request under way.
    pub async fn open(kubeconfig: &Path) -> Result<Self> {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(personas::client(kubeconfig).await?);
        }
        Ok(Self { clients })
    }

    /// The first of them, for what is done one after the other.
    pub fn first(&self) -> &Client {
        &self.clients[0]
    }

    /// Does every job, in order of the list, as many at once as there are connections.
    pub async fn each<J, R, F, Fut>(&self, jobs: &[J], work: F) -> Result<Vec<R>>
    where
        J: Sync,
        F: Fn(Client, usize) -> Fut,
        Fut: Future<Output = Result<R>>,
    {
        let next = Arc::new(AtomicUsize::new(0));
        let lane = |client: &Client| {
            let (client, next, work) = (client.clone(), next.clone(), &work);
            async move {
                let mut done = Vec::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= jobs.len() {
                        return anyhow::Ok(done);
                    }
                    done.push((at, work(client.clone(), at).await?));
                }
            }
        };
        let mut done: Vec<(usize, R)> =
            try_join_all(self.clients.iter().map(lane)).await?.into_iter().flatten().collect();
        done.sort_by_key(|(at, _)| *at);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }
}

/// Sends one request and reads its whole answer; anything but success is an error with the server's words.
pub async fn send(client: &Client, method: &str, path: &str, content: &str, body: Vec<u8>) -> Result<Value> {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::CONTENT_TYPE, content)
        .header(http::header::ACCEPT, "application/json")
        .body(Body::from(body))?;
    let answer = client.send(request).await.with_context(|| format!("{method} {path}"))?;
    let status = answer.status();
    let bytes = answer.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("{method} {path}: {status}: {}", String::from_utf8_lossy(&bytes));
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// Reads an object or a list.
pub async fn get(client: &Client, path: &str) -> Result<Value> {
    send(client, "GET", path, "application/json", Vec::new()).await
}

/// Creates an object.
pub async fn create(client: &Client, path: &str, object: &Value) -> Result<Value> {
    send(client, "POST", path, "application/json", serde_json::to_vec(object)?).await
}

/// Merge-patches an object.
pub async fn merge(client: &Client, path: &str, patch: &Value) -> Result<Value> {
    send(client, "PATCH", path, "application/merge-patch+json", serde_json::to_vec(patch)?).await
}
