//! CloudEvents out: every timeline entry to an optional sink, at least once (decision 0040).
//!
//! [`Outbox`] is the controller's end: after each look at a record it says that there may be news. [`run`] is the
//! leader's task: it knows for each record which entry is next ([`places`]), reads it from the state when its turn
//! comes, posts it ([`sink`]), and keeps on the cluster how far everything is delivered ([`cursor`]). Nothing that
//! the controller does waits for any of it.

pub mod counts;
mod cursor;
mod deliver;
mod places;
mod sink;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http::Uri;
use tokio::sync::Notify;

use super::key::Key;
use super::kinds::Kind;
pub use cursor::CURSOR;
pub use deliver::run;
pub use sink::Sink;

/// Where events go, as the command line has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Options {
    /// URL to which every lifecycle event is posted as a CloudEvent; `K_SINK` says the same. Nothing is sent without.
    #[arg(long = "cloudevents-sink", env = "GOVCLOUD_CLOUDEVENTS_SINK", value_name = "URL")]
    pub sink: Option<String>,
    /// What goes before the record's path in an event's `source`, to tell clusters apart.
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
    /// The sink that is configured; `K_SINK` where the flag says nothing, as Knative sets it.
    ///
    /// # Errors
    /// A URL that nothing can be posted to, with what is wrong.
    pub fn sink(&self) -> Result<Option<Sink>, String> {
        let told = [self.sink.clone(), std::env::var("K_SINK").ok()];
        let named = told.into_iter().flatten().find(|url| !url.is_empty());
        named.map(|url| Sink::new(&url, self.token_file.clone())).transpose()
    }

    /// What goes before the record's path in `source`.
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

/// The controller's end: what may have news. It holds keys only, each once.
#[derive(Debug, Default)]
pub struct Outbox {
    wanted: bool,
    touched: Mutex<BTreeSet<Key>>,
    rung: Notify,
}

impl Outbox {
    /// An outbox that somebody empties.
    #[must_use]
    pub fn wanted() -> Arc<Self> {
        Arc::new(Self { wanted: true, ..Self::default() })
    }

    /// A record was looked at: there may be news of it.
    pub fn look(&self, key: &Key) {
        if self.wanted && key.kind != Kind::Region {
            self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
            self.rung.notify_one();
        }
    }

    /// Everything that may have news.
    fn take(&self) -> BTreeSet<Key> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
