//! Leader election by a Lease: one replica acts, the others stand by (decision 0087).
//!
//! [`lease`] has the rules; here are the requests. A standby watches the lease and sends nothing. A destructive write carries
//! preconditions whoever leads (S4).

use std::time::Duration;

use futures::StreamExt;
use futures::future::pending;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep_until, timeout_at};

use govcloud_api::{OPERATOR_NAME, OPERATOR_NAMESPACE};

mod lease;
#[cfg(test)]
mod tests;

use lease::{Hold, Observed};

/// Pause after a request on the lease that failed.
const RETRY: Duration = Duration::from_secs(1);

/// Longest time of one request on the lease.
const REQUEST: Duration = Duration::from_secs(2);

/// Why this replica does not lead, or leads no longer.
#[derive(Debug, thiserror::Error)]
pub enum ElectionError {
    /// A request on the lease failed for good.
    #[error("the lease {OPERATOR_NAMESPACE}/{OPERATOR_NAME}: {0}")]
    Lease(#[source] Box<kube::Error>),
    /// The election's task panicked.
    #[error("the election's task: {0}")]
    Task(#[from] JoinError),
    /// Another replica took over, or may have by now.
    #[error("leadership was lost; ending so that nothing is done twice")]
    Lost,
}

impl From<kube::Error> for ElectionError {
    fn from(error: kube::Error) -> Self {
        Self::Lease(Box::new(error))
    }
}

/// The running election.
pub struct Election {
    leads: watch::Receiver<bool>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ElectionError>>,
}

impl Election {
    /// Starts to take part under this identity.
    ///
    /// # Errors
    /// The lease cannot be read.
    pub async fn start(client: kube::Client, identity: &str) -> Result<Self, ElectionError> {
        let leases: Api<Lease> = Api::namespaced(client, OPERATOR_NAMESPACE);
        // A replica without rights on it would stand by for ever.
        leases.get_opt(OPERATOR_NAME).await?;
        let (sender, leads) = watch::channel(false);
        let (stop, stopped) = oneshot::channel();
        let candidate = Candidate { leases, identity: identity.to_owned() };
        let task = tokio::spawn(candidate.take_part(sender, stopped));
        Ok(Self { leads, stop, task })
    }

    /// Waits until this replica leads.
    ///
    /// # Errors
    /// The election ended.
    pub async fn won(&mut self) -> Result<(), ElectionError> {
        self.until(true).await
    }

    /// Waits until this replica leads no longer.
    pub async fn lost(&mut self) -> ElectionError {
        self.until(false).await.err().unwrap_or(ElectionError::Lost)
    }

    async fn until(&mut self, wanted: bool) -> Result<(), ElectionError> {
        if self.leads.wait_for(|leads| *leads == wanted).await.is_ok() {
            return Ok(());
        }
        // The sender is gone, and so its task has ended: with this error.
        (&mut self.task).await??;
        Err(ElectionError::Lost)
    }

    /// Ends the election, and releases the lease if this replica holds it: another can lead at once.
    ///
    /// # Errors
    /// The lease was not released; it expires.
    pub async fn release(self) -> Result<(), ElectionError> {
        drop(self.stop);
        self.task.await?
    }
}

/// One replica that wants to lead.
struct Candidate {
    leases: Api<Lease>,
    identity: String,
}

impl Candidate {
    /// Takes the lease when it is free, and renews it until `stop`; then releases it.
    async fn take_part(
        self,
        leads: watch::Sender<bool>,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<(), ElectionError> {
        let Some(hold) = self.take(&mut stop).await else { return Ok(()) };
        leads.send_replace(true);
        let released = self.keep(hold, &mut stop).await;
        leads.send_replace(false);
        match released {
            Some(hold) => Ok(self.write_held(&hold, &lease::released()).await.map(drop)?),
            None => Ok(()),
        }
    }

    /// Waits until the lease is free, and takes it. `None` if this replica is to stop.
    async fn take(&self, stop: &mut oneshot::Receiver<()>) -> Option<Hold> {
        let mut versions = watch_object(self.leases.clone(), OPERATOR_NAME).default_backoff().boxed();
        let mut observed: Option<Observed> = None;
        let mut again = Instant::now();
        loop {
            let free_at = observed.as_ref().map(|observed| observed.free_at(&self.identity).max(again));
            tokio::select! {
                biased;
                _ = &mut *stop => return None,
                Some(version) = versions.next() => match version {
                    Ok(lease) => {
                        observed = Some(Observed::next(observed.as_ref(), lease.as_ref(), Instant::now()));
                    }
                    Err(error) => tracing::warn!(%error, "the lease's watch was interrupted; it is resumed"),
                },
                () = reach(free_at) => {
                    let Some(free) = &observed else { continue };
                    let sent = Instant::now();
                    match timeout_at(sent + REQUEST, self.write_taken(free)).await {
                        Ok(Ok(lease)) => return Some(Hold::new(&lease, sent)),
                        Ok(Err(error)) if is_conflict(&error) => {
                            tracing::debug!("another replica changed the lease first");
                        }
                        failed => warn_of(failed),
                    }
                    again = Instant::now() + RETRY;
                }
            }
        }
    }

    /// Renews the lease until this replica is to stop, and returns its hold then; `None` if another replica took the lease, or
    /// may have.
    async fn keep(&self, mut hold: Hold, stop: &mut oneshot::Receiver<()>) -> Option<Hold> {
        let mut next = hold.renewal_at();
        loop {
            tokio::select! {
                biased;
                _ = &mut *stop => return Some(hold),
                () = sleep_until(next) => {}
            }
            let sent = Instant::now();
            if sent >= hold.ends_at() {
                return None;
            }
            let ends_at = hold.ends_at().min(sent + REQUEST);
            match timeout_at(ends_at, self.write_held(&hold, &lease::renewed(Timestamp::now()))).await {
                Ok(Ok(Some(lease))) => {
                    hold = Hold::new(&lease, sent);
                    next = hold.renewal_at();
                }
                Ok(Ok(None)) => return None,
                failed => {
                    warn_of(failed);
                    next = hold.ends_at().min(Instant::now() + RETRY);
                }
            }
        }
    }

    /// Takes the lease, if it is still of the version that was observed.
    async fn write_taken(&self, observed: &Observed) -> kube::Result<Lease> {
        let spec = lease::taken(&self.identity, observed.transitions, Timestamp::now());
        let Some(version) = &observed.version else {
            let lease = json!({ "metadata": { "name": OPERATOR_NAME }, "spec": spec });
            let lease = serde_json::from_value(lease).map_err(kube::Error::SerdeError)?;
            return self.leases.create(&PostParams::default(), &lease).await;
        };
        self.patch(version, &spec).await
    }

    /// Changes the lease that this replica holds, whatever else of it changed meanwhile. `None` if another one holds it.
    async fn write_held(&self, hold: &Hold, spec: &Value) -> kube::Result<Option<Lease>> {
        match self.patch(&hold.version, spec).await {
            Err(error) if is_conflict(&error) => {}
            answer => return answer.map(Some),
        }
        let lease = self.leases.get(OPERATOR_NAME).await?;
        let holder = lease.spec.and_then(|spec| spec.holder_identity);
        if holder.as_ref() != Some(&self.identity) {
            return Ok(None);
        }
        self.patch(&lease.metadata.resource_version.unwrap_or_default(), spec).await.map(Some)
    }

    /// Patches one version of the lease.
    async fn patch(&self, version: &str, spec: &Value) -> kube::Result<Lease> {
        let manager = PatchParams { field_manager: Some(OPERATOR_NAME.to_owned()), ..PatchParams::default() };
        let patch = json!({ "metadata": { "resourceVersion": version }, "spec": spec });
        self.leases.patch(OPERATOR_NAME, &manager, &Patch::Merge(patch)).await
    }
}

/// Waits until a time; for ever where there is none.
async fn reach(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Returns true if the lease is of another version than the one that was to be changed, or exists already.
fn is_conflict(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 409)
}

/// Logs a request on the lease that failed, or was not answered in time.
fn warn_of<T>(failed: Result<kube::Result<T>, tokio::time::error::Elapsed>) {
    match failed {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, again_in = ?RETRY, "a request on the lease failed"),
        Err(error) => tracing::warn!(%error, again_in = ?RETRY, "a request on the lease was not answered"),
    }
}
