//! `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use super::controller::Shell;
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

async fn ready(State(shell): State<Arc<Shell>>) -> impl IntoResponse {
    if !shell.world.all_synced() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the image of the cluster is not complete yet\n".to_owned(),
        );
    }
    match shell.guard() {
        Guard::Unchecked => (StatusCode::SERVICE_UNAVAILABLE, "the guard has not looked yet\n".to_owned()),
        Guard::Open(why) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the guard is open: {}\n", why.join("; ")))
        }
        Guard::Sealed { .. } => (StatusCode::OK, "ok\n".to_owned()),
    }
}

async fn metrics(State(shell): State<Arc<Shell>>) -> impl IntoResponse {
    let text = shell.metrics.text(
        &shell.world,
        shell.queue.len(),
        shell.skew.seconds(),
        &shell.guard(),
        shell.clock.now(),
    );
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
