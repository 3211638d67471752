//! `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::controller::Shell;
use super::metrics::{CONTENT_TYPE, Scrape};
use super::watches::WATCHED;
use crate::core::decision::Guard;

/// Serves until the process ends.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(shell: Arc<Shell>, address: SocketAddr) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(shell);
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, routes).await
}

/// Ready is who could act now, leading or standing by; the body says which, or what is missing.
async fn ready(State(shell): State<Arc<Shell>>) -> impl IntoResponse {
    let missing = missing(&shell);
    if missing.is_empty() {
        let role = if shell.leads.load(Ordering::Relaxed) {
            "leading / 主副本"
        } else {
            "standing by, another replica leads / 备用副本"
        };
        return (StatusCode::OK, format!("ready: {role}\n"));
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready / 尚未就绪:\n- {}\n", missing.join("\n- ")))
}

/// What keeps this replica from being ready, a line each.
fn missing(shell: &Shell) -> Vec<String> {
    let mut missing = Vec::new();
    let unread = WATCHED.iter().map(|w| w.resource).filter(|r| !shell.world.synced(r)).collect::<Vec<_>>();
    if !unread.is_empty() {
        missing.push(format!("caches: not yet read: {}", unread.join(", ")));
    }
    match shell.guard() {
        Guard::Sealed { .. } => {}
        Guard::Unchecked => missing.push("guard: policies and CRDs are not yet checked".to_owned()),
        Guard::Open(why) => {
            let (crds, policies): (Vec<_>, Vec<_>) =
                why.into_iter().partition(|w| w.contains("CustomResourceDefinition"));
            if !crds.is_empty() {
                missing.push(format!("CRDs: not as shipped: {}", crds.join("; ")));
            }
            if !policies.is_empty() {
                missing.push(format!("guard: open, no decision counts: {}", policies.join("; ")));
            }
        }
    }
    missing
}

/// Counting goes over every record: that is no work for the threads that reconcile.
async fn metrics(State(shell): State<Arc<Shell>>) -> impl IntoResponse {
    let text = move || {
        shell.metrics.text(&Scrape {
            world: &shell.world,
            queue: shell.queue.standing(),
            waits: &shell.queue.waits,
            skew: shell.skew.seconds(),
            guard: &shell.guard(),
            leads: shell.leads.load(Ordering::Relaxed),
            now: shell.clock.now(),
        })
    };
    match tokio::task::spawn_blocking(text).await {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text),
        Err(e) => {
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], format!("{e}\n"))
        }
    }
}
