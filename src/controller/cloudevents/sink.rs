//! The sink: one HTTP request for each event, in structured mode.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use govcloud_domain::cloud_event::CloudEvent;

/// Time that a sink may take to respond.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a response that are read, so that its connection can be used again.
const ANSWER: usize = 64 * 1024;

/// The longest pause that a sink may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Accepted.
    Delivered,
    /// Rejected for good: the sink rejects this very event.
    Refused(StatusCode),
    /// Not accepted now: the reason, and the pause that the sink asks for.
    Retry(String, Option<Duration>),
}

#[derive(Clone, Debug)]
enum Http {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// The destination of events.
#[derive(Clone, Debug)]
pub struct Sink {
    url: Uri,
    token_file: Option<PathBuf>,
    http: Http,
}

impl Sink {
    /// A sink at a URL, `http` or `https`; for the latter the machine's trust store counts (`SSL_CERT_FILE`).
    ///
    /// # Errors
    /// The URL or the trust store is not usable.
    pub fn new(url: &str, token_file: Option<PathBuf>) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|e| format!("the CloudEvents sink is no URL: {e}"))?;
        let host = uri.host().unwrap_or_default();
        if host.is_empty() || uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err("the CloudEvents sink must be http://HOST… or https://HOST…, without a name or password; give a token by --cloudevents-token-file".to_owned());
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(TIMEOUT / 2));
        let http = match uri.scheme_str() {
            Some("http") => Http::Plain(Client::builder(TokioExecutor::new()).build(connector)),
            Some("https") => {
                connector.enforce_http(false);
                let tls = HttpsConnectorBuilder::new().with_native_roots();
                let tls = tls.map_err(|e| {
                    format!("no certificates to trust an https sink by: {e}; name a file in SSL_CERT_FILE")
                })?;
                let connector = tls.https_only().enable_http1().wrap_connector(connector);
                Http::Tls(Client::builder(TokioExecutor::new()).build(connector))
            }
            _ => return Err(format!("the CloudEvents sink must be http or https, not {url:?}")),
        };
        Ok(Self { url: uri, token_file, http })
    }

    /// The host, for logs: what follows it may be secret.
    pub fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    /// Posts one event.
    pub async fn post(&self, event: &CloudEvent) -> Answer {
        let request = match self.request(event).await {
            Ok(request) => request,
            Err(why) => return Answer::Retry(why, None),
        };
        let exchange = async {
            let response = match &self.http {
                Http::Plain(client) => client.request(request).await,
                Http::Tls(client) => client.request(request).await,
            };
            match response {
                Ok(response) => read(response).await,
                Err(e) => Answer::Retry(chain(&e), None),
            }
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await;
        answer.unwrap_or_else(|_| Answer::Retry(format!("no answer within {TIMEOUT:?}"), None))
    }

    async fn request(&self, event: &CloudEvent) -> Result<Request<Full<Bytes>>, String> {
        let body = serde_json::to_vec(event).map_err(|e| e.to_string())?;
        let mut request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header(http::header::USER_AGENT, concat!("govcloud-operator/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = &self.token_file {
            let token = tokio::fs::read_to_string(file).await;
            let token =
                token.map_err(|e| format!("the token file {} cannot be read: {e}", file.display()))?;
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        request.body(Full::new(Bytes::from(body))).map_err(|e| e.to_string())
    }
}

/// Reads a response to its end and interprets it.
async fn read(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    // The body is not used; an unread rest would close the connection.
    let _ = Limited::new(body, ANSWER).collect().await;
    let pause = parts.headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
    interpret(parts.status, pause.map(Duration::from_secs))
}

/// Interprets a status. Only a rejection of the event itself is final. Faults of the sink, its address or our token
/// (401, 403, 404, 410, a redirect, …) are retried until they are fixed, and nothing is lost until then.
fn interpret(status: StatusCode, pause: Option<Duration>) -> Answer {
    match status.as_u16() {
        200..300 => Answer::Delivered,
        400 | 413 | 415 | 422 => Answer::Refused(status),
        _ => Answer::Retry(format!("the sink answered {status}"), pause.map(|p| p.min(LONGEST_PAUSE))),
    }
}

/// An error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_objection_to_the_event_itself_is_final() {
        for code in 200..600 {
            let status = StatusCode::from_u16(code).expect("a status");
            let expected = match code {
                200..=299 => Answer::Delivered,
                400 | 413 | 415 | 422 => Answer::Refused(status),
                _ => Answer::Retry(format!("the sink answered {status}"), None),
            };
            assert_eq!(interpret(status, None), expected);
        }
        let long = interpret(StatusCode::SERVICE_UNAVAILABLE, Some(Duration::from_secs(86400)));
        assert!(matches!(long, Answer::Retry(_, Some(LONGEST_PAUSE))), "{long:?}");
    }

    #[test]
    fn a_url_that_nothing_can_be_posted_to_is_said_at_once() {
        for url in ["", "not a url", "/path", "ftp://host/x", "http://", "https://name:secret@host/"] {
            let why = Sink::new(url, None).expect_err(url);
            assert!(!why.contains("secret"), "{why}");
        }
        assert_eq!(
            Sink::new("http://broker.events.svc/govcloud", None).expect("a sink").host(),
            "broker.events.svc"
        );
    }
}
