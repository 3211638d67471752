//! `/healthz`, `/readyz` and `/metrics`.

use std::convert::Infallible;
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
use tokio::net::{TcpListener, TcpStream};

use super::context::Context;
use super::metrics::{CONTENT_TYPE, Scrape};
use govcloud_domain::integrity::PolicyIntegrity;

/// Listens on an address.
///
/// # Errors
/// The address cannot be listened on.
pub async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until the process ends.
///
/// # Errors
/// Connections can no longer be accepted.
pub async fn serve(context: Arc<Context>, listener: TcpListener) -> std::io::Result<Infallible> {
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(context);
    axum::serve(listener, routes).await?;
    Err(std::io::Error::other("no more connections are accepted"))
}

/// A replica is ready if it could act now, as leader or as standby. The body says which, or what is missing.
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
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready / 尚未就绪：\n- {}\n", missing.join("\n- ")))
}

/// Reasons why this replica is not ready, one a line.
fn missing(context: &Context) -> Vec<String> {
    let mut missing = Vec::new();
    let unread: Vec<&str> = context.state.unsynced().map(|k| k.resource().plural).collect();
    if !unread.is_empty() {
        missing.push(format!("caches: not yet read: {}", unread.join(", ")));
    }
    let unlisted: Vec<&str> = context.unlisted().iter().map(|k| k.resource().plural).collect();
    if !unlisted.is_empty() {
        missing.push(format!(
            "rights: the cluster serves {} and they cannot be listed; no exit is decided (config/rbac/operator.yaml)",
            unlisted.join(", ")
        ));
    }
    match context.integrity() {
        PolicyIntegrity::Intact { .. } => {}
        PolicyIntegrity::Unknown => missing.push("policies: not yet checked, nor are CRDs".to_owned()),
        PolicyIntegrity::Violated(why) => {
            let (crds, policies): (Vec<_>, Vec<_>) = why
                .iter()
                .map(|w| w.text().to_string())
                .partition(|w| w.contains("CustomResourceDefinition"));
            if !crds.is_empty() {
                missing.push(format!("CRDs: not as shipped: {}", crds.join("; ")));
            }
            if !policies.is_empty() {
                missing.push(format!(
                    "policies: not as shipped, approvals do not count: {}",
                    policies.join("; ")
                ));
            }
        }
    }
    missing
}

/// Counts on a thread of its own: it visits every record.
async fn metrics(State(context): State<Arc<Context>>) -> impl IntoResponse {
    let text = move || {
        context.metrics.text(&Scrape {
            state: &context.state,
            queue: context.queue.stats(),
            waits: &context.queue.waits,
            skew: context.skew.seconds(),
            integrity: &context.integrity(),
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

/// An operator's response on its readiness.
pub struct Readiness {
    /// True if it is ready.
    pub ready: bool,
    /// The body.
    pub text: String,
}

/// Time that an operator may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks the operator that listens at `address` (host and port, the host in brackets or not) whether it is ready.
///
/// # Errors
/// No port, nobody who answers there within ten seconds, or not in HTTP.
pub async fn ask_ready(address: &str) -> std::io::Result<Readiness> {
    tokio::time::timeout(TIMEOUT, get_ready(address)).await?
}

async fn get_ready(address: &str) -> std::io::Result<Readiness> {
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let routes = Router::new().route("/readyz", get(move || async move { (status, text) }));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    #[tokio::test]
    async fn ask_ready_returns_the_reason() {
        let address = answering(StatusCode::OK, "ok\n").await;
        // Brackets are IPv6's; a Pod that gets host and port in two variables need not know the address family.
        let ready = ask_ready(&address.replace("127.0.0.1", "[127.0.0.1]")).await.unwrap();
        assert!(ready.ready && ready.text == "ok\n", "{}", ready.text);
        let not =
            ask_ready(&answering(StatusCode::SERVICE_UNAVAILABLE, "policies: not as shipped\n").await).await;
        let not = not.unwrap();
        assert!(!not.ready && not.text == "policies: not as shipped\n", "{}", not.text);
        assert!(ask_ready("127.0.0.1:1").await.is_err());
    }
}
