//! The kinds that the operator writes, or reads by name, as targets of requests.

use super::plan::Target;

/// `group/version`, plural and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub &'static str, pub &'static str, pub &'static str);

/// CloudApplication.
pub const APPLICATION: Kind = Kind("govcloud.dev/v1alpha1", "cloudapplications", "CloudApplication");
/// Region.
pub const REGION: Kind = Kind("govcloud.dev/v1alpha1", "regions", "Region");
/// WorkCalendar.
pub const CALENDAR: Kind = Kind("govcloud.dev/v1alpha1", "workcalendars", "WorkCalendar");
/// ServiceCatalog.
pub const CATALOG: Kind = Kind("govcloud.dev/v1alpha1", "servicecatalogs", "ServiceCatalog");
/// StorageClass.
pub const STORAGE_CLASS: Kind = Kind("storage.k8s.io/v1", "storageclasses", "StorageClass");
/// ResourceGrant.
pub const GRANT: Kind = Kind("govcloud.dev/v1alpha1", "resourcegrants", "ResourceGrant");
/// Namespace.
pub const NAMESPACE: Kind = Kind("v1", "namespaces", "Namespace");
/// PersistentVolume.
pub const VOLUME: Kind = Kind("v1", "persistentvolumes", "PersistentVolume");
/// PersistentVolumeClaim.
pub const CLAIM: Kind = Kind("v1", "persistentvolumeclaims", "PersistentVolumeClaim");
/// VolumeSnapshot.
pub const SNAPSHOT: Kind = Kind("snapshot.storage.k8s.io/v1", "volumesnapshots", "VolumeSnapshot");
/// ResourceQuota.
pub const QUOTA: Kind = Kind("v1", "resourcequotas", "ResourceQuota");
/// LimitRange.
pub const LIMITS: Kind = Kind("v1", "limitranges", "LimitRange");
/// NetworkPolicy.
pub const NETWORK_POLICY: Kind = Kind("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy");
/// RoleBinding.
pub const ROLE_BINDING: Kind = Kind("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding");

impl From<Kind> for Target {
    fn from(Kind(api_version, resource, kind): Kind) -> Self {
        Self { api_version, resource, kind, namespace: String::new(), name: String::new() }
    }
}

impl Kind {
    /// A cluster-scoped object of this kind.
    #[must_use]
    pub fn named(self, name: &str) -> Target {
        Target { name: name.to_owned(), ..self.into() }
    }

    /// A namespaced object of this kind.
    #[must_use]
    pub fn within(self, namespace: &str, name: &str) -> Target {
        Target { namespace: namespace.to_owned(), name: name.to_owned(), ..self.into() }
    }
}
