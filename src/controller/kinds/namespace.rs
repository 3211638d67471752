//! Namespace: all are watched, for a name may be taken by one that is no tenant's (S3).

use govcloud_api::{keys, resources};

use super::tenant_objects::content;
use super::{Kind, KindSpec, Priority, Watched};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::index::IndexKey;

pub(super) static KIND: KindSpec =
    KindSpec { index, ..KindSpec::new(Kind::Namespace, resources::NAMESPACE, Watched::All, Priority::High) };

fn index(namespace: &Object) -> Vec<IndexKey> {
    let labels = namespace.labels();
    match (labels.get(keys::DEPARTMENT), labels.get(keys::APPLICATION)) {
        (Some(d), Some(a)) => vec![IndexKey::TenantOf(d.clone(), a.clone())],
        _ => Vec::new(),
    }
}

/// Identity, labels and deletion: everything that a decision reads of a namespace that is not leaving.
pub(super) fn identity_differs(_: &ClusterState, change: &Change) -> bool {
    change.differs(|n| (n.uid.clone(), n.labels(), n.is_being_deleted()))
}

/// Identity, deletion and content: a grant corrects drift in the content.
pub(super) fn content_differs(_: &ClusterState, change: &Change) -> bool {
    change.differs(|n| (n.uid.clone(), content(n), n.is_being_deleted()))
}
