//! `/healthz`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::context::Context;
use super::metrics::{CONTENT_TYPE, Scrape};
use govcloud_domain::decision::PolicyIntegrity;

/// Serves until the process ends.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(context: Arc<Context>, address: SocketAddr) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(context);
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, routes).await
}

/// Ready is who could act now, leading or standing by; the body says which, or what is missing.
async fn ready(State(context): State<Arc<Context>>) -> impl IntoResponse {
    let missing = missing(&context);
    if missing.is_empty() {
        let role = if context.leads.load(Ordering::Relaxed) {
            "leading / 主副本"
        } else {
            "standing by, another replica leads / 备用副本"
        };
        return (StatusCode::OK, format!("ready: {role}\n"));
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready / 尚未就绪:\n- {}\n", missing.join("\n- ")))
}

/// What keeps this replica from being ready, a line each.
fn missing(context: &Context) -> Vec<String> {
    let mut missing = Vec::new();
    let unread: Vec<&str> = context.state.unsynced().map(|k| k.resource().plural).collect();
    if !unread.is_empty() {
        missing.push(format!("caches: not yet read: {}", unread.join(", ")));
    }
    match context.integrity() {
        PolicyIntegrity::Intact { .. } => {}
        PolicyIntegrity::Unknown => missing.push("guard: policies and CRDs are not yet checked".to_owned()),
        PolicyIntegrity::Violated(why) => {
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
async fn metrics(State(context): State<Arc<Context>>) -> impl IntoResponse {
    let text = move || {
        context.metrics.text(&Scrape {
            state: &context.state,
            queue: context.queue.stats(),
            waits: &context.queue.waits,
            skew: context.skew.seconds(),
            guard: &context.integrity(),
            leads: context.leads.load(Ordering::Relaxed),
            now: context.clock.now(),
        })
    };
    match tokio::task::spawn_blocking(text).await {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, CONTENT_TYPE)], text),
        Err(e) => {
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], format!("{e}\n"))
        }
    }
}

/// What an operator says of its readiness.
pub struct Readiness {
    /// Whether it is ready.
    pub ready: bool,
    /// In its own words.
    pub text: String,
}

/// How long an operator may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the operator that listens at `address` (host and port, the host in brackets or not) whether it is ready.
///
/// # Errors
/// No port, nobody who answers there within ten seconds, or not in HTTP.
pub async fn ask_ready(address: &str) -> std::io::Result<Readiness> {
    tokio::time::timeout(PATIENCE, ask(address)).await?
}

async fn ask(address: &str) -> std::io::Result<Readiness> {
    let no_port = || std::io::Error::other("host:port is wanted");
    let (host, port) = address.rsplit_once(':').ok_or_else(no_port)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port: u16 = port.parse().map_err(|_| no_port())?;
    let mut stream = TcpStream::connect((host, port)).await?;
    let request = format!("GET /readyz HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, text) =
        answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("the answer is not HTTP"))?;
    let ready = head.split(' ').nth(1) == Some("200");
    Ok(Readiness { ready, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers one request with a status and a text.
    async fn answering(status: StatusCode, text: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let routes = Router::new().route("/readyz", get(move || async move { (status, text) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn who_asks_hears_the_reason() {
        let address = answering(StatusCode::OK, "ok\n").await;
        // Brackets are IPv6's; a Pod that is told host and port as two variables need not know which it is.
        let ready = ask_ready(&address.replace("127.0.0.1", "[127.0.0.1]")).await.unwrap();
        assert!(ready.ready && ready.text == "ok\n", "{}", ready.text);
        let not = ask_ready(&answering(StatusCode::SERVICE_UNAVAILABLE, "the guard is open\n").await).await;
        let not = not.unwrap();
        assert!(!not.ready && not.text == "the guard is open\n", "{}", not.text);
        assert!(ask_ready("127.0.0.1:1").await.is_err());
    }
}
