//! Use of namespaces from Prometheus (Art. 29): the leader reads it when an Assessment asks for it, and never at rest
//! (decision 0097).
//!
//! [`UseStore`] is the controller's end: after each reconcile it marks the assessment as possibly asking, and decisions find
//! in it what was read. [`run`] is the leader's task. What was read is kept in memory until the facts are recorded: a new
//! leader reads anew.

mod collect;
mod prometheus;
mod store;

use std::path::PathBuf;

pub use collect::{read, run};
pub use prometheus::Prometheus;
pub use store::UseStore;

/// Where use is read, from the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(skip)]
pub struct Options {
    /// URLs of Prometheus servers with the recording rules of config/monitoring/utilization-rules.yaml, separated by commas.
    /// Of two readings of one day the one with the better coverage counts. Without it no use is read.
    #[arg(
        long = "prometheus-url",
        env = "GOVCLOUD_PROMETHEUS_URL",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub prometheus_urls: Vec<String>,
    /// File that holds a bearer token for them; read anew for every request.
    #[arg(long = "prometheus-token-file", env = "GOVCLOUD_PROMETHEUS_TOKEN_FILE", value_name = "FILE")]
    pub prometheus_token_file: Option<PathBuf>,
}

impl Options {
    /// The configured servers.
    ///
    /// # Errors
    /// A URL that nothing can be read from, with what is wrong.
    pub fn sources(&self) -> Result<Vec<Prometheus>, String> {
        let named = self.prometheus_urls.iter().map(|url| url.trim()).filter(|url| !url.is_empty());
        named.map(|url| Prometheus::new(url, self.prometheus_token_file.clone())).collect()
    }
}
