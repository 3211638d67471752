//! Plain requests to the API server.

use anyhow::{Context as _, Result};
use futures::{Stream, StreamExt, TryStreamExt};
use http::header::CONTENT_TYPE;
use kube::Client;
use serde_json::Value;

/// Requests that [`for_each`] has in flight at once. The client speaks HTTP/1: they are as many connections.
pub const AT_ONCE: usize = 16;

/// Runs jobs in their order, [`AT_ONCE`] at once.
pub async fn for_each<J>(jobs: impl Stream<Item = J>, run: impl AsyncFn(J) -> Result<()>) -> Result<()> {
    let run = &run;
    jobs.map(Ok).try_for_each_concurrent(AT_ONCE, |job| run(job)).await
}

/// Sends one request; an error of kube where the API server refuses it.
pub async fn send(client: &Client, method: &str, path: &str, content: &str, body: Vec<u8>) -> Result<Value> {
    let request = http::Request::builder().method(method).uri(path).header(CONTENT_TYPE, content);
    client.request(request.body(body)?).await.with_context(|| format!("{method} {path}"))
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
