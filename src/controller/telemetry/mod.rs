//! Logs and traces. Logs: text for people, JSON for machines. Traces: one span for each reconcile, by OTLP if configured.
//!
//! Neither contains a document's content, an opinion, a telephone number or a token. Spans have kind, namespace, name,
//! UID and decision; logs have those and the API server's refusals.

use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

mod carrier;

use carrier::Carrier;

/// Name of the service in traces, unless `OTEL_SERVICE_NAME` says another.
const SERVICE: &str = "govcloud-operator";

/// Time that the last spans may take when the operator ends.
const PARTING: Duration = Duration::from_secs(3);

/// Format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Reason why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// No certificate authorities to verify the collector by.
    #[error(
        "no CA certificates to verify {0} by: {1}; set SSL_CERT_FILE, or send to an http:// collector beside the operator"
    )]
    Roots(String, #[source] std::io::Error),
    /// The exporter refuses its settings.
    #[error("traces cannot be sent to {0}: {1}")]
    Exporter(String, #[source] opentelemetry_otlp::ExporterBuildError),
}

/// Must be ended with the process, so that the last spans are sent.
#[derive(Debug, Default)]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    /// Sends the remaining spans; gives up after some seconds. Blocks: not for a thread of the runtime.
    pub fn end(self) {
        if let Some(provider) = self.0
            && let Err(e) = provider.shutdown_with_timeout(PARTING)
        {
            tracing::warn!(error = %e, "the last spans were not sent");
        }
    }
}

/// Starts logging to standard error, filtered by `RUST_LOG` (default `info`), and sends spans to the OTLP
/// collector at `otlp` (http/protobuf; `/v1/traces` is appended), where one is given.
///
/// # Errors
/// [`TelemetryError`]. Must be called within a runtime.
pub fn init(format: LogFormat, otlp: Option<&str>) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,kube_client=warn,kube_runtime=warn"));
    let logs = tracing_subscriber::fmt::layer().with_ansi(coloured()).with_writer(std::io::stderr);
    let logs = match format {
        LogFormat::Text => logs.with_filter(filter).boxed(),
        LogFormat::Json => logs.json().with_filter(filter).boxed(),
    };
    let provider = otlp.map(provider).transpose()?;
    let spans = provider.as_ref().map(|p| {
        // Only this project's own spans, whatever the logs are filtered by.
        let own = Targets::new().with_target("govcloud", LevelFilter::INFO);
        let layer = tracing_opentelemetry::layer().with_tracer(p.tracer(SERVICE));
        layer.with_location(false).with_threads(false).with_filter(own)
    });
    tracing_subscriber::registry().with(logs).with(spans).init();
    Ok(Telemetry(provider))
}

/// Returns true if text on standard error may have colours: on a terminal, and without `NO_COLOR`.
#[must_use]
pub fn coloured() -> bool {
    colours(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref())
}

/// An empty `NO_COLOR` is none (no-color.org).
fn colours(terminal: bool, no_color: Option<&OsStr>) -> bool {
    terminal && no_color.is_none_or(OsStr::is_empty)
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Carrier::to(endpoint)?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()
        .map_err(|e| TelemetryError::Exporter(endpoint.to_owned(), e))?;
    let resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => resource,
        None => resource.with_service_name(SERVICE),
    };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_only() {
        assert!(colours(true, None) && colours(true, Some(OsStr::new(""))));
        assert!(!colours(false, None), "a file or a pipe");
        assert!(!colours(true, Some(OsStr::new("1"))));
    }
}
