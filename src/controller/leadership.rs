//! Leadership: one replica acts, the others stand by. Advisory: destructive writes carry preconditions anyway.

use kube_lease_manager::{LeaseManager, LeaseManagerBuilder, LeaseManagerError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use govcloud_api::{OPERATOR_NAME, OPERATOR_NAMESPACE};

/// Seconds that the lease holds after its last renewal.
const DURATION_SECONDS: u64 = 15;
/// Seconds before its end that it is renewed.
const GRACE_SECONDS: u64 = 5;

/// The running election.
pub struct Election {
    /// Whether this replica leads.
    pub leads: watch::Receiver<bool>,
    /// The task; ends after the last receiver is dropped, having released the lease.
    pub task: JoinHandle<Result<LeaseManager, LeaseManagerError>>,
}

/// Takes part in the election under this identity.
///
/// # Errors
/// The lease's parameters are refused.
pub async fn elect(client: kube::Client, identity: &str) -> Result<Election, LeaseManagerError> {
    let manager = LeaseManagerBuilder::new(client, OPERATOR_NAME)
        .with_namespace(OPERATOR_NAMESPACE)
        .with_identity(identity)
        .with_duration(DURATION_SECONDS)
        .with_grace(GRACE_SECONDS)
        .build()
        .await?;
    let (leads, task) = manager.watch().await;
    Ok(Election { leads, task })
}
