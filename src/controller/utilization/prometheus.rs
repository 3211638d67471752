//! A Prometheus: instant queries over its HTTP API, on the HTTP client that is there already.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde::Deserialize;

/// Time that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Most bytes of an answer.
const ANSWER: usize = 16 * 1024 * 1024;

#[derive(Clone, Debug)]
enum Http {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// A Prometheus, or something that speaks its API.
#[derive(Clone, Debug)]
pub struct Prometheus {
    query: Uri,
    token_file: Option<PathBuf>,
    http: Http,
}

/// One series of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Prometheus {
    /// The server at a URL, `http` or `https`; for the latter the machine's trust store counts (`SSL_CERT_FILE`).
    ///
    /// # Errors
    /// The URL or the trust store is not usable.
    pub fn new(url: &str, token_file: Option<PathBuf>) -> Result<Self, String> {
        let query = format!("{}/api/v1/query", url.trim_end_matches('/'));
        let query: Uri = query.parse().map_err(|e| format!("--prometheus-url is no URL: {e}"))?;
        if query.host().unwrap_or_default().is_empty()
            || query.authority().is_some_and(|a| a.as_str().contains('@'))
        {
            return Err("--prometheus-url must be http://HOST… or https://HOST…, without a name or password; give a token by --prometheus-token-file".to_owned());
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(TIMEOUT / 2));
        let http = match query.scheme_str() {
            Some("http") => Http::Plain(Client::builder(TokioExecutor::new()).build(connector)),
            Some("https") => {
                connector.enforce_http(false);
                let tls = HttpsConnectorBuilder::new().with_native_roots();
                let tls = tls.map_err(|e| {
                    format!(
                        "no certificates to trust an https Prometheus by: {e}; name a file in SSL_CERT_FILE"
                    )
                })?;
                let connector = tls.https_only().enable_http1().wrap_connector(connector);
                Http::Tls(Client::builder(TokioExecutor::new()).build(connector))
            }
            _ => return Err("--prometheus-url must be http or https".to_owned()),
        };
        Ok(Self { query, token_file, http })
    }

    /// The host, for logs and conditions: what follows it may be secret.
    #[must_use]
    pub fn host(&self) -> &str {
        self.query.host().unwrap_or_default()
    }

    /// Evaluates an expression at an instant. Values that are no finite numbers are left out.
    ///
    /// # Errors
    /// Says why there is no answer.
    pub async fn query(&self, expr: &str, at: Timestamp) -> Result<Vec<Sample>, String> {
        let request = self.request(expr, at).await?;
        let exchange = async {
            let response = match &self.http {
                Http::Plain(client) => client.request(request).await,
                Http::Tls(client) => client.request(request).await,
            };
            let response = response.map_err(|e| chain(&e))?;
            let (parts, body) = response.into_parts();
            samples(parts.status, &read(body).await?)
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}")))
    }

    async fn request(&self, expr: &str, at: Timestamp) -> Result<Request<Full<Bytes>>, String> {
        let body = format!("query={}&time={}", encoded(expr), at.as_second());
        let mut request = Request::post(&self.query)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
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

/// Reads a body to its end.
async fn read(body: Incoming) -> Result<Bytes, String> {
    let read = Limited::new(body, ANSWER).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|e| format!("the answer cannot be read: {e}"))
}

/// A text as the value of a form (application/x-www-form-urlencoded).
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// An answer of the query API.
#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    result_type: String,
    #[serde(default)]
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    value: (f64, String),
}

/// The series of an answer.
fn samples(status: StatusCode, body: &[u8]) -> Result<Vec<Sample>, String> {
    let answer: Result<Answer, _> = serde_json::from_slice(body);
    match answer {
        Ok(Answer { error: Some(why), .. }) => {
            Err(format!("{status}: {}", why.chars().take(300).collect::<String>()))
        }
        Ok(Answer { data: Some(data), .. }) if status.is_success() && data.result_type == "vector" => {
            let sample = |series: Series| {
                let value = series.value.1.parse::<f64>().ok().filter(|value| value.is_finite())?;
                Some(Sample { labels: series.metric, value })
            };
            Ok(data.result.into_iter().filter_map(sample).collect())
        }
        _ => Err(format!("{status}, and no answer of a Prometheus")),
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
    fn a_url_that_nothing_can_be_read_from_is_said_at_once() {
        for url in ["", "/path", "ftp://host/x", "http://", "https://name:secret@host/"] {
            let why = Prometheus::new(url, None).expect_err(url);
            assert!(why.contains("--prometheus-url") && !why.contains("secret"), "{why}");
        }
        let prometheus =
            Prometheus::new("http://prometheus.monitoring.svc:9090/select/", None).expect("a URL");
        assert_eq!(prometheus.host(), "prometheus.monitoring.svc");
        assert_eq!(prometheus.query.path(), "/select/api/v1/query");
    }

    #[test]
    fn a_form_is_encoded_byte_by_byte() {
        assert_eq!(encoded("a{b=~\"c|d\"}[1d] + 1"), "a%7Bb%3D~%22c%7Cd%22%7D%5B1d%5D%20%2B%201");
        assert_eq!(encoded("量"), "%E9%87%8F");
    }

    #[test]
    fn an_answer_is_a_vector_or_says_why_not() {
        let vector = br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"namespace":"prod","of":"real"},"value":[1790784000,"0.25"]},
            {"metric":{"namespace":"prod","of":"quota"},"value":[1790784000,"NaN"]}]}}"#;
        let found = samples(StatusCode::OK, vector).expect("a vector");
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.labels["of"].as_str(), one.value), ("real", 0.25));
        let refused = br#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        assert_eq!(samples(StatusCode::BAD_REQUEST, refused), Err("400 Bad Request: parse error".to_owned()));
        for (status, body) in [
            (StatusCode::BAD_GATEWAY, "<html>"),
            (StatusCode::OK, r#"{"status":"success","data":{"resultType":"scalar","result":[]}}"#),
            (StatusCode::UNAUTHORIZED, r#"{"data":{"resultType":"vector","result":[]}}"#),
        ] {
            assert!(
                samples(status, body.as_bytes()).is_err_and(|why| why.contains("no answer of a Prometheus"))
            );
        }
    }
}
