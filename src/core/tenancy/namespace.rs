//! The tenant namespace itself: whose it is, and how strict its pods must be.

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::{ANNOTATION_STORAGE_CLASSES, LABEL_APPLICATION_UID, Tenant, labels};

/// Whose a namespace of the tenant's name is (design, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// There is none, and none was recorded: it may be created.
    Absent,
    /// Ours: the label says so and, once recorded, the UID too.
    Ours,
    /// Ours, and on its way out.
    Terminating,
    /// Somebody else's, or a replacement of ours. Never adopted: `Stalled`, reason `NamespaceTaken`.
    Taken,
    /// It was recorded and is gone. Nothing is created in its place unasked: its volumes may still stand.
    Vanished,
}

/// Whose the live namespace of the tenant's name is. `live` is what was read, `None` where it was not found.
pub fn ownership(tenant: &Tenant, live: Option<&Value>) -> Ownership {
    let Some(live) = live else {
        return if tenant.namespace_uid.is_some() { Ownership::Vanished } else { Ownership::Absent };
    };
    let metadata = &live["metadata"];
    let labelled = metadata["labels"][LABEL_APPLICATION_UID] == tenant.application_uid.as_str();
    let recorded = tenant.namespace_uid.as_deref().is_none_or(|uid| metadata["uid"] == uid);
    match (labelled && recorded, metadata["deletionTimestamp"].is_null()) {
        (false, _) => Ownership::Taken,
        (true, true) => Ownership::Ours,
        (true, false) => Ownership::Terminating,
    }
}

/// Pod Security at one level for all three modes: what is refused is also what is warned of and audited
/// (Art. 20: protection at level three is the platform's duty).
pub(super) fn desired(tenant: &Tenant) -> Namespace {
    let mut labels = labels(tenant);
    for mode in ["enforce", "audit", "warn"] {
        labels.insert(format!("pod-security.kubernetes.io/{mode}"), tenant.pod_security.clone());
        labels.insert(format!("pod-security.kubernetes.io/{mode}-version"), "latest".to_owned());
    }
    let mut classes = tenant.storage_classes.clone();
    classes.sort();
    classes.dedup();
    Namespace {
        metadata: ObjectMeta {
            name: Some(tenant.namespace.clone()),
            // The API server refuses an apply whose UID is not the live one, and one that would create.
            uid: tenant.namespace_uid.clone(),
            labels: Some(labels),
            annotations: Some([(ANNOTATION_STORAGE_CLASSES.to_owned(), classes.join(","))].into()),
            ..Default::default()
        },
        ..Default::default()
    }
}
