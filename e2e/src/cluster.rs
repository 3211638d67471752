//! Everything at once: a control plane, what is installed into it, and the operator.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::PostParams;
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::actors::Actor;
use crate::audit::AuditLog;
use crate::control_plane::{ControlPlane, Home};
use crate::install;
use crate::kubectl::Kubectl;
use crate::operator::{Operator, Options};

/// Parts of a cluster that are set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Setup {
    /// The control plane, the actors, the StorageClass.
    Bare,
    /// And all that the project installs, in force.
    Installed,
    /// And the operator at work.
    Operating,
}

/// Flags that make an API server serve no MutatingAdmissionPolicy, as before 1.36: the two resources, and the plugin that
/// would wait for them.
const WITHOUT_MUTATING_POLICIES: [&str; 2] = [
    "--runtime-config=admissionregistration.k8s.io/v1/mutatingadmissionpolicies=false,\
     admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings=false",
    "--disable-admission-plugins=MutatingAdmissionPolicy",
];

/// A cluster for tests. Dropping it leaves nothing behind.
pub struct Cluster {
    /// The operator, for tests that stop, kill or restart it. Ended before the control plane.
    pub operator: Mutex<Option<Operator>>,
    /// The control plane.
    pub plane: ControlPlane,
    /// Number of namespaces created here.
    made: AtomicU32,
}

impl Cluster {
    /// Starts a temporary cluster.
    pub async fn start(setup: Setup) -> Result<Self> {
        Self::start_in(Home::Temporary, setup, Options::default()).await
    }

    /// Starts a cluster in a place of one's own, with an operator of one's own.
    pub async fn start_in(home: Home, setup: Setup, options: Options) -> Result<Self> {
        let plane = ControlPlane::start(home, &[]).await?;
        match setup {
            Setup::Bare => install::storage_class(&plane.kubectl(Actor::Admin)).await?,
            Setup::Installed | Setup::Operating => install::everything(&plane).await?,
        }
        let operator = match setup {
            Setup::Operating => Some(Operator::start(&plane, options).await?),
            Setup::Bare | Setup::Installed => None,
        };
        Ok(Self { operator: Mutex::new(operator), plane, made: AtomicU32::new(0) })
    }

    /// Starts a temporary cluster, bare, whose API server has no MutatingAdmissionPolicy, as before 1.36.
    pub async fn start_without_mutating_policies() -> Result<Self> {
        let plane = ControlPlane::start(Home::Temporary, &WITHOUT_MUTATING_POLICIES).await?;
        install::storage_class(&plane.kubectl(Actor::Admin)).await?;
        Ok(Self { operator: Mutex::new(None), plane, made: AtomicU32::new(0) })
    }

    /// A client that acts as `actor`.
    pub async fn client(&self, actor: Actor) -> Result<Client> {
        self.plane.client(actor).await
    }

    /// kubectl as `actor`.
    pub fn kubectl(&self, actor: Actor) -> Kubectl {
        self.plane.kubectl(actor)
    }

    /// The API server's audit log.
    pub fn audit(&self) -> AuditLog {
        self.plane.audit()
    }

    /// Creates a namespace of a name that nobody else has, and returns the name.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        self.create_namespace(prefix, json!({})).await
    }

    /// Creates a namespace in which records of `region` may be filed, and returns its name.
    pub async fn filing_namespace(&self, prefix: &str, region: &str) -> Result<String> {
        self.create_namespace(prefix, json!({"govcloud.dev/filing-region": region})).await
    }

    async fn create_namespace(&self, prefix: &str, labels: serde_json::Value) -> Result<String> {
        let name = format!("{prefix}-{}", self.made.fetch_add(1, Ordering::Relaxed) + 1);
        let namespace: Namespace =
            serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}}))?;
        let namespaces: Api<Namespace> = Api::all(self.client(Actor::Admin).await?);
        namespaces.create(&PostParams::default(), &namespace).await?;
        Ok(name)
    }
}
