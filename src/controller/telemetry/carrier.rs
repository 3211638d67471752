//! Sends spans to the collector by the HTTP client library that the API server's client uses too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

use super::TelemetryError;

/// Bytes of a collector's response that are read.
const ANSWER: usize = 64 * 1024;

#[derive(Clone, Debug)]
enum Connection {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// Sends on the operator's runtime: the exporter calls from a thread of its own, which has none.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    connection: Connection,
    runtime: Handle,
    failing: Arc<AtomicBool>,
}

impl Carrier {
    /// A carrier to an endpoint.
    pub(super) fn to(endpoint: &str) -> Result<Self, TelemetryError> {
        let client = Client::builder(TokioExecutor::new());
        let connection = if endpoint.starts_with("https:") {
            let tls = HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
                .map_err(|e| TelemetryError::Roots(endpoint.to_owned(), e))?;
            Connection::Tls(client.build(tls.https_only().enable_http1().build()))
        } else {
            Connection::Plain(client.build_http())
        };
        Ok(Self { connection, runtime: Handle::current(), failing: Arc::default() })
    }

    async fn send(self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, HttpError> {
        let answer = match &self.connection {
            Connection::Plain(c) => c.request(request).await?,
            Connection::Tls(c) => c.request(request).await?,
        };
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER).collect().await?.to_bytes();
        Ok(Response::from_parts(head, body))
    }

    /// Logs once that the collector cannot be reached, and once that it can again.
    fn note(&self, failed: Option<String>) {
        let before = self.failing.swap(failed.is_some(), Ordering::Relaxed);
        match failed {
            Some(error) if !before => tracing::warn!(error, "spans cannot be sent to the OTLP collector"),
            None if before => tracing::info!("spans reach the OTLP collector again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Carrier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sending = self.runtime.spawn(self.clone().send(request.map(Full::new)));
        let answer = sending.await.map_err(HttpError::from).flatten();
        self.note(match &answer {
            Ok(a) if a.status().is_success() => None,
            Ok(a) => Some(a.status().to_string()),
            Err(e) => Some(e.to_string()),
        });
        answer
    }
}
