//! Reports: what there is of an order in the cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// State of one application's tenant namespaces, compared with an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenancyReport {
    /// Every namespace of the order, in its order.
    pub namespaces: Vec<NamespaceReport>,
    /// UIDs of volumes that are being protected: set to `Retain` and labelled (S5).
    pub protected_volumes: Vec<String>,
}

/// State of one tenant namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamespaceReport {
    /// Entry of the order.
    pub entry: String,
    /// Name of the Namespace.
    pub name: String,
    /// UID of the live Namespace, or the recorded one where it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// State of the namespace and its objects.
    pub state: NamespaceState,
    /// Paths at which live objects differ from the order, as `Kind/name path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// Amounts in use by quota key, as the ResourceQuota counts them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<String, String>,
    /// Quota keys in force under which Kubernetes counts nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_counted: Vec<String>,
    /// Paths of an adopted namespace that would differ were every rule enforced, as `Kind/name path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unenforced: Vec<String>,
    /// Creation of the live ResourceQuota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_since: Option<Timestamp>,
}

/// State of a tenant namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NamespaceState {
    /// Everything is as ordered.
    InForce,
    /// Everything is as ordered, but the API server does not enforce the quota yet. New access waits for that (S1).
    QuotaPending,
    /// Something is missing or differs, and is being written.
    Drifted,
    /// An exit is removing it, or has removed it.
    Released,
    /// Obstacle: it is being deleted outside an exit.
    Terminating,
    /// Obstacle: it is another's, or took the place of the recorded one. Never adopted (S3).
    Taken,
    /// Obstacle: it is gone. It is not created anew by itself, for its volumes may still stand (S3).
    Lost,
}

impl NamespaceState {
    /// Returns true if the order cannot be carried out before people have looked into it.
    #[must_use]
    pub fn is_obstacle(self) -> bool {
        matches!(self, Self::Terminating | Self::Taken | Self::Lost)
    }
}

impl TenancyReport {
    /// The first namespace that keeps the order from being carried out. No namespace is written to while there is one.
    #[must_use]
    pub fn obstacle(&self) -> Option<&NamespaceReport> {
        self.namespaces.iter().find(|n| n.state.is_obstacle())
    }

    /// The first namespace whose quota the API server does not enforce yet.
    #[must_use]
    pub fn pending_quota(&self) -> Option<&NamespaceReport> {
        self.namespaces.iter().find(|n| n.state == NamespaceState::QuotaPending)
    }

    /// Returns true if tenant objects are missing or differ and are being written.
    #[must_use]
    pub fn has_drifted(&self) -> bool {
        self.obstacle().is_none() && self.namespaces.iter().any(|n| n.state == NamespaceState::Drifted)
    }
}
