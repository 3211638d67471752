//! The tenant Namespace: its application, and the strictness of its pods.

use govcloud_api::adoption::Facet;
use govcloud_api::{keys, resources};
use serde_json::{Value, json};

use super::{
    ApplicationIdentity, LiveNamespace, ObjectRules, Tenant, TenantObject, WriteStep, adoption, allowed,
};
use crate::names::label_value;

/// The server sets `spec.finalizers` on a Namespace; the rest of it is metadata.
pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::NAMESPACE,
    desired,
    step: WriteStep::Namespace,
    compared: &[],
    merged: &[],
    immutable: &[],
};

/// The Namespace, with Pod Security at one level for all three modes: what is refused is also warned of and audited
/// (Art. 20: protection at level three is the platform's duty). An adopted one warns and audits until the department has it
/// enforced (Art. 3).
fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    let (level, version) = (tenant.order.pod_security.as_str(), &tenant.order.pod_security_version);
    let enforces = adoption::enforces(tenant.namespace, Facet::PodSecurity);
    let modes = ["audit", "enforce", "warn"].into_iter().filter(|mode| *mode != "enforce" || enforces);
    let pod_security = modes.flat_map(|mode| {
        let key = format!("pod-security.kubernetes.io/{mode}");
        [(format!("{key}-version"), version.as_str().into()), (key, level.into())]
    });
    let labels = pod_security.chain(adoption::label(tenant.namespace));
    vec![tenant.namespace_object(&RULES, labels, allowed::lists(tenant))]
}

/// Ownership of the namespace that has a tenant's name (design, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// There is none, and none was recorded: it may be created.
    Absent,
    /// The label names the application and, once recorded, the UID is the recorded one.
    Ours,
    /// Ours, and being deleted.
    Terminating,
    /// Somebody else's, or a replacement of ours. Never adopted (S3).
    Taken,
    /// It was recorded and is gone. Nothing is created in its place unasked: its volumes may still stand (S3).
    Lost,
}

/// Determines the ownership of a live namespace, `None` where it was not found.
pub(super) fn ownership(tenant: &Tenant, live: Option<&LiveNamespace>) -> Ownership {
    let recorded = tenant.namespace.uid.as_deref();
    let Some(live) = live else {
        return if recorded.is_some() { Ownership::Lost } else { Ownership::Absent };
    };
    let labelled = live.application_uid() == Some(&tenant.order.application.uid);
    match labelled && recorded.is_none_or(|uid| live.namespace.uid() == uid) {
        false => Ownership::Taken,
        true if live.namespace.is_deleting() => Ownership::Terminating,
        true => Ownership::Ours,
    }
}

/// The UID of the earlier record whose namespace this was, if it was one of the same department, application, region
/// and entry. Records of one name follow one another, so where another record of that name exists, that one is no more.
/// `label` looks up the namespace's labels.
#[must_use]
pub fn predecessor<'a>(
    application: &ApplicationIdentity,
    entry: &str,
    label: impl Fn(&str) -> Option<&'a str>,
) -> Option<&'a str> {
    let labels = application.labels().into_iter().chain([(keys::ENTRY, label_value(entry))]);
    let mut others = labels.filter(|(key, _)| *key != keys::APPLICATION_UID);
    let same = others.all(|(key, value)| label(key) == Some(&value));
    label(keys::APPLICATION_UID).filter(|owner| same && *owner != application.uid)
}

/// The patch that takes a namespace back: the new owner, and the chain of those before. A mark for deletion that an
/// earlier exit left is taken off, for that exit is none of the present record's.
pub(super) fn take_back_patch(application_uid: &str, live: &Value) -> Value {
    let before = live["metadata"]["labels"][keys::APPLICATION_UID].as_str().unwrap_or_default();
    let chain = match live["metadata"]["annotations"][keys::REATTACHED_FROM].as_str() {
        Some(earlier) => format!("{before},{earlier}"),
        None => before.to_owned(),
    };
    json!({ "metadata": {
        "labels": { keys::APPLICATION_UID: application_uid },
        "annotations": { keys::REATTACHED_FROM: chain, keys::RECLAIM: null },
    } })
}

/// UIDs of the records whose namespace this was before.
pub(super) fn earlier_owners(live: &Value) -> impl Iterator<Item = &str> {
    let chain = live["metadata"]["annotations"][keys::REATTACHED_FROM].as_str().unwrap_or_default();
    chain.split(',').filter(|u| !u.is_empty())
}
