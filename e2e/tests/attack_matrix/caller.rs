//! Callers: the actors, and the identities of machines.

use std::collections::HashMap;

use anyhow::Result;
use e2e::actors::{self, Actor};
use e2e::cluster::Cluster;
use e2e::operator;
use kube::Client;

/// Whoever sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The department of transport: `file` and `consent` in `dept-transport`.
    Department,
    /// The department of health of Zhengzhou: nothing in `dept-transport`.
    OtherDepartment,
    /// GitOps: `file` in `dept-transport`.
    Pipeline,
    /// Authority of the province: `approve` and `administer` on 410000.
    Province,
    /// Its second officer, with the same rights.
    Deputy,
    /// Authority of Zhengzhou: the same on 410100.
    City,
    /// The provider's staff: `provision` on both regions, `file` for maintenance in a namespace of its own.
    Provider,
    /// The provider's cluster-admin, with wildcard rights.
    ClusterAdmin,
    /// An officer of the province who is also bound as department of transport: two hats on one head.
    FilingOfficer,
    /// One of the provider's staff, likewise.
    FilingProvider,
    /// Reads everything, writes nothing.
    Auditor,
    /// The operator's own identity.
    Operator,
    /// Kubernetes' namespace controller.
    NamespaceController,
    /// Kubernetes' volume binder.
    VolumeBinder,
    /// Kubernetes' garbage collector.
    GarbageCollector,
    /// Kubernetes' controller that gathers aggregated roles.
    RoleAggregator,
    /// The installer, by name: `install` and `administer`, and no wildcard.
    Installer,
    /// Who administers some namespaces today, outside of the government cloud: `adopt-out` on them, by name.
    Holder,
    /// `system:masters`, for setting the fixtures, and where even it is refused.
    Harness,
}

impl Caller {
    /// Everyone who asks.
    pub const ALL: [Self; 19] = [
        Self::Department,
        Self::OtherDepartment,
        Self::Pipeline,
        Self::Province,
        Self::Deputy,
        Self::City,
        Self::Provider,
        Self::ClusterAdmin,
        Self::FilingOfficer,
        Self::FilingProvider,
        Self::Auditor,
        Self::Operator,
        Self::NamespaceController,
        Self::VolumeBinder,
        Self::GarbageCollector,
        Self::RoleAggregator,
        Self::Installer,
        Self::Holder,
        Self::Harness,
    ];

    fn actor(self) -> Option<Actor> {
        Some(match self {
            Self::Department => Actor::Department,
            Self::OtherDepartment => Actor::OtherDepartment,
            Self::Pipeline => Actor::Pipeline,
            Self::Province => Actor::Authority410000,
            Self::City => Actor::Authority410100,
            Self::Provider => Actor::Provider,
            Self::ClusterAdmin => Actor::PlatformAdmin,
            Self::Auditor => Actor::Auditor,
            Self::Harness => Actor::Admin,
            _ => return None,
        })
    }

    /// The username.
    pub fn user(self) -> &'static str {
        match self {
            Self::Deputy => "deputy-410000",
            Self::FilingOfficer => "filing-officer",
            Self::FilingProvider => "filing-provider",
            Self::Operator => actors::OPERATOR,
            Self::NamespaceController => "system:serviceaccount:kube-system:namespace-controller",
            Self::VolumeBinder => "system:serviceaccount:kube-system:persistent-volume-binder",
            Self::GarbageCollector => "system:serviceaccount:kube-system:generic-garbage-collector",
            Self::RoleAggregator => "system:serviceaccount:kube-system:clusterrole-aggregation-controller",
            Self::Installer => "installer",
            Self::Holder => "holder",
            _ => self.actor().map_or("", Actor::user),
        }
    }

    async fn client(self, cluster: &Cluster) -> Result<Client> {
        if let Some(actor) = self.actor() {
            return cluster.client(actor).await;
        }
        if self == Self::Operator {
            return actors::client(&operator::credentials(&cluster.plane).await?).await;
        }
        let group = match self {
            Self::Deputy | Self::FilingOfficer => Actor::Authority410000.group(),
            Self::FilingProvider => Actor::Provider.group(),
            Self::Installer | Self::Holder => None,
            _ => Some("system:serviceaccounts"),
        };
        let file = cluster.plane.root().join(format!("{self:?}.kubeconfig"));
        actors::write_certificate(cluster.plane.server(), cluster.plane.pki(), &file, self.user(), group)?;
        actors::client(&file).await
    }
}

/// A client for everyone.
pub async fn everyone(cluster: &Cluster) -> Result<HashMap<Caller, Client>> {
    let mut clients = HashMap::new();
    for who in Caller::ALL {
        clients.insert(who, who.client(cluster).await?);
    }
    Ok(clients)
}
