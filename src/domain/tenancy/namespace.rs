//! The tenant namespace itself: whose it is, and how strict its pods must be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::{
    ANNOTATION_STORAGE_CLASSES, LABEL_APPLICATION, LABEL_APPLICATION_UID, LABEL_DEPARTMENT, LABEL_ENTRY,
    LABEL_REGION, Tenant,
    letter::{Letter, Path},
};
use crate::names::label_value;
use govcloud_api::keys;

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

/// What tells whose a live namespace is.
#[derive(Clone, Copy, Debug)]
pub struct OwnershipLabels<'a> {
    /// Its UID.
    pub uid: &'a str,
    /// UID of the application that the operator's label names.
    pub owner: Option<&'a str>,
    /// Whether it is being deleted.
    pub deleting: bool,
}

/// Whose the live namespace of the tenant's name is. `live` is what was read, `None` where it was not found.
pub fn ownership(tenant: &Tenant, live: Option<OwnershipLabels>) -> Ownership {
    let Some(live) = live else {
        return if tenant.namespace_uid.is_some() { Ownership::Vanished } else { Ownership::Absent };
    };
    let labelled = live.owner == Some(tenant.owner.uid);
    let recorded = tenant.namespace_uid.is_none_or(|uid| live.uid == uid);
    match (labelled && recorded, live.deleting) {
        (false, _) => Ownership::Taken,
        (true, false) => Ownership::Ours,
        (true, true) => Ownership::Terminating,
    }
}

/// Whose an existing namespace was before: department, application, region and entry, which it keeps for life.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Filing namespace.
    pub filing_namespace: &'a str,
    /// Name of the application.
    pub application: &'a str,
    /// Region code.
    pub region: &'a str,
    /// Entry of `spec.namespaces`.
    pub entry: &'a str,
}

/// The UID of the earlier record whose namespace this was, if it was one of the same department, application, region
/// and entry. Records of one name follow one another, so where another record of that name exists, that one is no more.
/// `live` are the namespace's labels, `uid` is the record's that asks.
#[must_use]
pub fn predecessor<'a>(
    identity: &Identity<'_>,
    uid: &str,
    live: &'a BTreeMap<String, String>,
) -> Option<&'a str> {
    let Identity { filing_namespace, application, region, entry } = *identity;
    let is = |key: &str, value: &str| live.get(key).is_some_and(|v| *v == label_value(value));
    let same = is(LABEL_DEPARTMENT, filing_namespace)
        && is(LABEL_APPLICATION, application)
        && is(LABEL_REGION, region)
        && is(LABEL_ENTRY, entry);
    live.get(LABEL_APPLICATION_UID).map(String::as_str).filter(|owner| same && *owner != uid)
}

/// What taking it back writes: the new owner, and the chain of those before. A mark for deletion that an earlier
/// exit left is taken off, for that exit is none of the present record's.
#[must_use]
pub fn taken_back(uid: &str, live: &Value) -> Value {
    let before = live["metadata"]["labels"][LABEL_APPLICATION_UID].as_str().unwrap_or_default();
    let chain = match live["metadata"]["annotations"][keys::REATTACHED_FROM].as_str() {
        Some(earlier) => format!("{before},{earlier}"),
        None => before.to_owned(),
    };
    json!({ "metadata": {
        "labels": { LABEL_APPLICATION_UID: uid },
        "annotations": { keys::REATTACHED_FROM: chain, keys::RECLAIM: null },
    } })
}

/// The UIDs of the records whose namespace this was before.
pub fn earlier_owners(live: &Value) -> impl Iterator<Item = &str> {
    let chain = live["metadata"]["annotations"][keys::REATTACHED_FROM].as_str().unwrap_or_default();
    chain.split(',').filter(|u| !u.is_empty())
}

/// What the labels of Pod Security begin with.
pub(super) const POD_SECURITY: &str = "pod-security.kubernetes.io/";

/// Pod Security at one level for all three modes: what is refused is also what is warned of and audited
/// (Art. 20: protection at level three is the platform's duty). The same in every namespace of an application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodSecurity<'a> {
    pub(super) labels: [(&'static str, &'a str); 6],
    letter: Letter,
}

impl<'a> PodSecurity<'a> {
    /// At a level: `restricted`, `baseline` or `privileged`.
    pub fn new(level: &'a str) -> Self {
        let labels = [
            ("pod-security.kubernetes.io/audit", level),
            ("pod-security.kubernetes.io/audit-version", "latest"),
            ("pod-security.kubernetes.io/enforce", level),
            ("pod-security.kubernetes.io/enforce-version", "latest"),
            ("pod-security.kubernetes.io/warn", level),
            ("pod-security.kubernetes.io/warn-version", "latest"),
        ];
        Self { labels, letter: Path::root().at("metadata").at("labels").texts(labels) }
    }
}

/// The storage classes a PVC may name, as the annotation lists them.
fn storage_classes<'a>(tenant: &Tenant<'a>) -> Cow<'a, str> {
    if let [one] = tenant.storage_classes {
        return Cow::Borrowed(one);
    }
    let mut classes: Vec<_> = tenant.storage_classes.iter().map(String::as_str).collect();
    classes.sort_unstable();
    classes.dedup();
    Cow::Owned(classes.join(","))
}

/// The Namespace of a tenant.
pub(super) fn desired(tenant: &Tenant, metadata: ObjectMeta) -> Namespace {
    Namespace {
        metadata: ObjectMeta {
            // The API server refuses an apply whose UID is not the live one, and one that would create.
            uid: tenant.namespace_uid.map(str::to_owned),
            annotations: Some(
                [(ANNOTATION_STORAGE_CLASSES.to_owned(), storage_classes(tenant).into_owned())].into(),
            ),
            ..metadata
        },
        ..Default::default()
    }
}

/// What the tenant's says beside the shared labels. The server sets `spec.finalizers` on a namespace; the rest of it is
/// metadata.
pub(super) fn letter(tenant: &Tenant) -> Letter {
    let classes = Path::root().at("metadata").at("annotations").at(ANNOTATION_STORAGE_CLASSES);
    tenant.pod_security.letter + classes.text(&storage_classes(tenant))
}
