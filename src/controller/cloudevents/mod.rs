//! CloudEvents out: every timeline entry to an optional sink, at least once (decision 0040).
//!
//! [`Outbox`] is the controller's end: after each reconcile it marks the record as possibly changed. [`run`] is the
//! leader's task: it knows the next entry of each record ([`progress`]), reads it from the cluster state, posts it
//! ([`sink`]), and stores on the cluster up to when everything is delivered ([`cursor`]). The controller never waits for it.

pub mod counts;
mod cursor;
mod deliver;
mod progress;
mod sink;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use tokio::sync::Notify;

use super::key::Key;
pub use cursor::CURSOR;
pub use deliver::run;
pub use sink::Sink;

/// Destination of events, from the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(skip)]
pub struct Options {
    /// URL to which every lifecycle event is posted as a CloudEvent. Without it, and without `K_SINK`, none is sent.
    #[arg(long = "cloudevents-sink", env = "GOVCLOUD_CLOUDEVENTS_SINK", value_name = "URL")]
    pub sink: Option<String>,
    /// Prefix of the record's path in an event's `source`, to tell clusters apart.
    #[arg(
        long = "cloudevents-source",
        env = "GOVCLOUD_CLOUDEVENTS_SOURCE",
        value_name = "URI",
        default_value = ""
    )]
    pub source: String,
    /// File that holds a bearer token for the sink; read anew for every request.
    #[arg(long = "cloudevents-token-file", env = "GOVCLOUD_CLOUDEVENTS_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

impl Options {
    /// The configured sink; without the flag that of `K_SINK`, with the extensions of `K_CE_OVERRIDES`, which Knative sets.
    ///
    /// # Errors
    /// A URL that nothing can be posted to, with what is wrong.
    pub fn sink(&self) -> Result<Option<Sink>, String> {
        let configured = [self.sink.clone(), std::env::var("K_SINK").ok()];
        let named = configured.into_iter().flatten().find(|url| !url.is_empty());
        let Some(url) = named else { return Ok(None) };
        let sink = Sink::new(&url, self.token_file.clone())?;
        match std::env::var("K_CE_OVERRIDES") {
            Ok(overrides) if !overrides.is_empty() => sink.with_overrides(&overrides).map(Some),
            _ => Ok(Some(sink)),
        }
    }

    /// Prefix of the record's path in `source`.
    ///
    /// # Errors
    /// A prefix that makes no URI of it.
    pub fn origin(&self) -> Result<String, String> {
        let origin = self.source.trim_end_matches('/').to_owned();
        match format!("{origin}/apis").parse::<Uri>() {
            Ok(_) => Ok(origin),
            Err(e) => Err(format!("--cloudevents-source {:?} makes no URI: {e}", self.source)),
        }
    }
}

/// The controller's end: keys of records that may have new entries, each once.
#[derive(Debug, Default)]
pub struct Outbox {
    enabled: bool,
    touched: Mutex<BTreeSet<Key>>,
    changed: Notify,
}

impl Outbox {
    /// An outbox for a configured sink.
    pub fn enabled() -> Arc<Self> {
        Arc::new(Self { enabled: true, ..Self::default() })
    }

    /// A record was reconciled: it may have new entries.
    pub fn mark(&self, key: &Key) {
        if self.enabled && key.kind.filed().is_some() {
            self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
            self.changed.notify_one();
        }
    }

    /// Takes all keys.
    fn take(&self) -> BTreeSet<Key> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
