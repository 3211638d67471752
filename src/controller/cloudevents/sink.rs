//! The sink: one HTTP request for each event, in structured mode.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::fmt::rfc2822;
use serde_json::{Map, Value};

use govcloud_domain::cloud_event::CloudEvent;

/// Time that a sink may take to respond.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a response that are read, so that its connection can be used again.
const ANSWER: usize = 64 * 1024;

/// The longest pause that a sink may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Attributes that the operator sets itself.
const ATTRIBUTES: [&str; 8] =
    ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"];

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
    extensions: Map<String, Value>,
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
        Ok(Self { url: uri, token_file, extensions: Map::new(), http })
    }

    /// Adds the extension attributes of `K_CE_OVERRIDES`, which a Knative SinkBinding sets: `{"extensions": {"NAME": "TEXT"}}`.
    ///
    /// # Errors
    /// The defect of a text that is no such object, or of an attribute.
    pub fn with_overrides(self, overrides: &str) -> Result<Self, String> {
        #[derive(serde::Deserialize)]
        struct Overrides {
            #[serde(default)]
            extensions: std::collections::BTreeMap<String, String>,
        }
        let Overrides { extensions } =
            serde_json::from_str(overrides).map_err(|e| format!("K_CE_OVERRIDES: {e}"))?;
        let named = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if let Some(name) = extensions.keys().find(|name| !named(name) || ATTRIBUTES.contains(&name.as_str()))
        {
            return Err(format!(
                "K_CE_OVERRIDES: {name:?} is no extension attribute: use small letters and digits, and no attribute that the operator sets"
            ));
        }
        let extensions = extensions.into_iter().map(|(name, text)| (name, text.into())).collect();
        Ok(Self { extensions, ..self })
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
        let mut body = serde_json::to_value(event).map_err(|e| e.to_string())?;
        if let Value::Object(attributes) = &mut body {
            attributes.extend(self.extensions.clone());
        }
        let body = body.to_string();
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
    interpret(parts.status, pause(&parts.headers))
}

/// The pause of `Retry-After`: seconds, or a date, which counts from the response's own `Date` (RFC 9110, 10.2.3).
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| Some(value.to_str().ok()?.trim()));
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let instant = |text| Some(rfc2822::parse(text).ok()?.timestamp());
    Duration::try_from(instant(after)?.duration_since(instant(text(DATE)?)?)).ok()
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
    fn a_sink_asks_for_a_pause_by_seconds_or_by_date() {
        let of = |pairs: &[(http::HeaderName, &'static str)]| {
            let headers =
                pairs.iter().map(|(name, text)| (name.clone(), http::HeaderValue::from_static(text)));
            pause(&headers.collect())
        };
        assert_eq!(of(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        let date = "Mon, 30 Nov 2026 08:00:30 GMT";
        assert_eq!(
            of(&[(RETRY_AFTER, date), (DATE, "Mon, 30 Nov 2026 08:00:00 GMT")]),
            Some(Duration::from_secs(30))
        );
        assert_eq!(of(&[(RETRY_AFTER, date), (DATE, "Mon, 30 Nov 2026 09:00:00 GMT")]), None, "it is over");
        assert_eq!(of(&[(RETRY_AFTER, date)]), None);
        assert_eq!(of(&[(RETRY_AFTER, "soon")]), None);
    }

    #[test]
    fn overrides_add_extensions_and_no_attribute() {
        let sink = || Sink::new("http://broker.events.svc/", None).expect("a sink");
        let bound = sink().with_overrides(r#"{"extensions":{"team":"platform"}}"#).expect("extensions");
        assert_eq!(bound.extensions["team"], "platform");
        assert!(sink().with_overrides("{}").expect("none").extensions.is_empty());
        for bad in ["", "7", r#"{"extensions":{"id":"1"}}"#, r#"{"extensions":{"Team":"x"}}"#] {
            assert!(sink().with_overrides(bad).is_err_and(|why| why.starts_with("K_CE_OVERRIDES")), "{bad}");
        }
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
