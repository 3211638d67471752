//! A collector of spans on loopback, as small as can be: OTLP over HTTP, protobuf.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use e2e::wait::eventually;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::task::JoinHandle;

type Received = Arc<Mutex<Vec<Bytes>>>;

/// A running collector.
pub struct Collector {
    address: SocketAddr,
    received: Received,
    serving: JoinHandle<()>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(received): State<Received>, request: Request) -> StatusCode {
    let protobuf = request.headers().get("content-type").is_some_and(|c| c == "application/x-protobuf");
    match to_bytes(request.into_body(), 16 * 1024 * 1024).await {
        Ok(body) if protobuf => {
            received.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            StatusCode::OK
        }
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Attributes as text.
fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Any| match value {
        Any::StringValue(s) => s.clone(),
        Any::IntValue(n) => n.to_string(),
        other => format!("{other:?}"),
    };
    let pair = |a: &KeyValue| Some((a.key.clone(), text(a.value.as_ref()?.value.as_ref()?)));
    of.iter().filter_map(pair).collect()
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Result<Self> {
        let received = Received::default();
        let routes = Router::new().route("/v1/traces", post(take)).with_state(received.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            if let Err(e) = axum::serve(listener, routes).await {
                eprintln!("the collector ended: {e}");
            }
        });
        Ok(Self { address, received, serving })
    }

    /// Address that spans are sent to.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything received, as it came.
    pub fn raw(&self) -> Vec<Bytes> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every span with the service that sent it.
    fn spans(&self) -> Result<Vec<(String, Span)>> {
        let mut spans = Vec::new();
        for body in self.raw() {
            for of_resource in ExportTraceServiceRequest::decode(body)?.resource_spans {
                let resource = attributes(&of_resource.resource.unwrap_or_default().attributes);
                let service = resource.get("service.name").cloned().unwrap_or_default();
                let all = of_resource.scope_spans.into_iter().flat_map(|s| s.spans);
                spans.extend(all.map(|s| (service.clone(), s)));
            }
        }
        Ok(spans)
    }

    /// One span a reconcile, with what it was about and what was decided: of each kind, and of this record.
    pub async fn check(&self, namespace: &str, uid: &str) -> Result<()> {
        let seen = || async {
            let spans = self.spans()?;
            let mut kinds = BTreeSet::new();
            let mut decisions = BTreeSet::new();
            for (service, span) in &spans {
                ensure!(service == "govcloud-operator", "a span of {service:?}");
                ensure!(span.name == "reconcile", "a span {:?}", span.name);
                let a = attributes(&span.attributes);
                ensure!(a.len() == span.attributes.len(), "an attribute twice: {:?}", span.attributes);
                for field in ["kind", "namespace", "name"] {
                    ensure!(a.contains_key(field), "a span without {field}: {a:?}");
                }
                kinds.insert(a["kind"].clone());
                if a.get("uid").is_some_and(|u| u == uid) {
                    ensure!(a["kind"] == "CloudApplication" && a["name"] == "travel", "{a:?}");
                    ensure!(a["namespace"] == namespace, "{a:?}");
                    decisions.insert(a.get("decision").context("no decision")?.clone());
                }
            }
            let expected = ["AwaitingDecision", "Provisioned", "Live", "Exited"];
            let missing: Vec<_> = expected.iter().filter(|d| !decisions.contains(**d)).collect();
            ensure!(missing.is_empty(), "no span decided {missing:?}, only {decisions:?}");
            let of_kinds = ["CloudApplication", "ResourceGrant", "Decommission", "Region"];
            ensure!(of_kinds.iter().all(|k| kinds.contains(*k)), "spans only of {kinds:?}");
            Ok(Some((spans.len(), decisions)))
        };
        let (count, decisions) = eventually("spans of the life", Duration::from_secs(30), seen).await?;
        println!("traces: {count} spans received; the application's decided {decisions:?}");
        Ok(())
    }
}
