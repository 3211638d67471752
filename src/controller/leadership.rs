//! Leader election: one replica acts, the others stand by. Advisory: destructive writes carry preconditions anyway.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::watch_object;
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseManagerError};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinHandle};

use govcloud_api::{OPERATOR_NAME, OPERATOR_NAMESPACE};

#[cfg(test)]
mod tests;

/// Seconds that the lease holds after its last renewal.
const DURATION_SECONDS: u64 = 15;

/// Seconds before its end that it is renewed.
const GRACE_SECONDS: u64 = 5;

/// Pause after a request on the lease that failed.
const RETRY: Duration = Duration::from_secs(1);

/// Why this replica does not lead, or leads no longer.
#[derive(Debug, thiserror::Error)]
pub enum ElectionError {
    /// A request on the lease failed for good.
    #[error("the lease {OPERATOR_NAMESPACE}/{OPERATOR_NAME}: {0}")]
    Lease(#[from] LeaseManagerError),
    /// The election's task panicked.
    #[error("the election's task: {0}")]
    Task(#[from] JoinError),
    /// Another replica took over.
    #[error("leadership was lost; ending so that nothing is done twice")]
    Lost,
}

/// The running election.
pub struct Election {
    leads: watch::Receiver<bool>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), LeaseManagerError>>,
}

impl Election {
    /// Starts to take part under this identity.
    ///
    /// # Errors
    /// The lease can be neither read nor created.
    pub async fn start(client: kube::Client, identity: &str) -> Result<Self, ElectionError> {
        let (sender, leads) = watch::channel(false);
        let (stop, stopped) = oneshot::channel();
        let candidate = Candidate { client, identity: identity.to_owned() };
        let manager = candidate.manager().await?;
        let task = tokio::spawn(candidate.take_part(manager, sender, stopped));
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
        Ok(self.task.await??)
    }
}

/// One replica that wants to lead.
struct Candidate {
    client: kube::Client,
    identity: String,
}

impl Candidate {
    /// A manager that has not read the lease yet.
    async fn manager(&self) -> Result<LeaseManager, LeaseManagerError> {
        LeaseManagerBuilder::new(self.client.clone(), OPERATOR_NAME)
            .with_namespace(OPERATOR_NAMESPACE)
            .with_identity(&self.identity)
            .with_duration(DURATION_SECONDS)
            .with_grace(GRACE_SECONDS)
            .build()
            .await
    }

    /// Takes the lease when it is free, and renews it until `stop`; then releases it.
    async fn take_part(
        self,
        mut manager: LeaseManager,
        leads: watch::Sender<bool>,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<(), LeaseManagerError> {
        let mut released = released(self.client.clone());
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => return manager.release().await,
                changed = manager.changed() => match changed {
                    Ok(leading) => {
                        leads.send_replace(leading);
                        released = stream::pending().boxed();
                    }
                    Err(e) => retry_later(&e).await,
                },
                // A manager sleeps until the lease expires as it read it last; a new one reads it now.
                Some(()) = released.next() => match self.manager().await {
                    Ok(new) => manager = new,
                    Err(e) => retry_later(&e).await,
                },
            }
        }
    }
}

async fn retry_later(error: &LeaseManagerError) {
    tracing::warn!(%error, again_in = ?RETRY, "a request on the lease failed");
    tokio::time::sleep(RETRY).await;
}

/// Reports each time that nobody holds the lease.
fn released(client: kube::Client) -> BoxStream<'static, ()> {
    let leases: Api<Lease> = Api::namespaced(client, OPERATOR_NAMESPACE);
    let observed = watch_object(leases, OPERATOR_NAME).default_backoff().filter_map(|lease| async {
        let lease =
            lease.inspect_err(|e| tracing::warn!(error = %e, "the lease's watch was interrupted")).ok()?;
        let holder = lease.and_then(|lease| lease.spec?.holder_identity);
        holder.is_none().then_some(())
    });
    observed.boxed()
}
