//! Who asks: the personas, and the identities of machines.

use std::collections::HashMap;

use anyhow::Result;
use e2e::cluster::Cluster;
use e2e::operator;
use e2e::personas::{self, Persona};
use kube::Client;

/// Whoever sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
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
    /// Who reads.
    Auditor,
    /// The operator's own identity.
    Operator,
    /// Kubernetes' namespace controller.
    NamespaceController,
    /// Kubernetes' volume binder.
    VolumeBinder,
    /// Kubernetes' garbage collector.
    GarbageCollector,
    /// `system:masters`, for setting the stage only.
    Stage,
}

impl Who {
    /// Everyone who asks.
    pub const ALL: [Self; 16] = [
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
        Self::Stage,
    ];

    fn persona(self) -> Option<Persona> {
        Some(match self {
            Self::Department => Persona::Department,
            Self::OtherDepartment => Persona::OtherDepartment,
            Self::Pipeline => Persona::Pipeline,
            Self::Province => Persona::Authority410000,
            Self::City => Persona::Authority410100,
            Self::Provider => Persona::Provider,
            Self::ClusterAdmin => Persona::PlatformAdmin,
            Self::Auditor => Persona::Auditor,
            Self::Stage => Persona::Admin,
            _ => return None,
        })
    }

    /// The username.
    pub fn user(self) -> &'static str {
        match self {
            Self::Deputy => "deputy-410000",
            Self::FilingOfficer => "filing-officer",
            Self::FilingProvider => "filing-provider",
            Self::Operator => personas::OPERATOR,
            Self::NamespaceController => "system:serviceaccount:kube-system:namespace-controller",
            Self::VolumeBinder => "system:serviceaccount:kube-system:persistent-volume-binder",
            Self::GarbageCollector => "system:serviceaccount:kube-system:generic-garbage-collector",
            _ => self.persona().map_or("", Persona::user),
        }
    }

    async fn client(self, cluster: &Cluster) -> Result<Client> {
        if let Some(persona) = self.persona() {
            return cluster.client(persona).await;
        }
        if self == Self::Operator {
            return personas::client(&operator::credentials(&cluster.plane).await?).await;
        }
        let group = match self {
            Self::Deputy | Self::FilingOfficer => Persona::Authority410000.group(),
            Self::FilingProvider => Persona::Provider.group(),
            _ => Some("system:serviceaccounts"),
        };
        let file = cluster.plane.root().join(format!("{self:?}.kubeconfig"));
        personas::write_certificate(cluster.plane.server(), cluster.plane.pki(), &file, self.user(), group)?;
        personas::client(&file).await
    }
}

/// A client for everyone.
pub async fn everyone(cluster: &Cluster) -> Result<HashMap<Who, Client>> {
    let mut clients = HashMap::new();
    for who in Who::ALL {
        clients.insert(who, who.client(cluster).await?);
    }
    Ok(clients)
}
