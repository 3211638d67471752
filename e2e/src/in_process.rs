//! The operator in the test's own process, on the operator's own credentials, by a clock that the test sets.

use anyhow::Result;
use govcloud_controller::clock::Clock;
use govcloud_controller::cloudevents;
use govcloud_controller::run::{Options, operate};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::task::JoinHandle;

use crate::cluster::Cluster;
use crate::operator;

/// An operator in this process. Dropping it ends it.
pub struct InProcess(JoinHandle<()>);

impl InProcess {
    /// Starts it against a cluster that has none.
    pub async fn start(cluster: &Cluster, clock: Clock) -> Result<Self> {
        Self::start_telling(cluster, clock, cloudevents::Options::default()).await
    }

    /// Starts it with a sink for CloudEvents.
    pub async fn start_telling(
        cluster: &Cluster,
        clock: Clock,
        cloudevents: cloudevents::Options,
    ) -> Result<Self> {
        let file = operator::credentials(&cluster.plane).await?;
        let mut config =
            kube::Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &KubeConfigOptions::default())
                .await?;
        config.proxy_url = None;
        let options = Options {
            listen: ([127, 0, 0, 1], 0).into(),
            leader_election: false,
            identity: Some("in-process".into()),
            namespace_controller: govcloud_domain::release::NAMESPACE_CONTROLLER.into(),
            cloudevents,
            prometheus: govcloud_controller::utilization::Options::default(),
        };
        Ok(Self(tokio::spawn(async move {
            if let Err(e) = operate(config, clock, options).await {
                eprintln!("the operator ended: {e}");
            }
        })))
    }

    /// Ends it as a crash would, and waits until it has ended.
    pub async fn stop(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.0.abort();
    }
}
