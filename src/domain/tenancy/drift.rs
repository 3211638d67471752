//! Drift: where a live object is not what is desired, and how it is put right. No difference, no write (S11).

use serde_json::{Map, Value, json};

use super::canonical::canonical;
use super::object::{Content, LiveObject, ObjectRef, TenantObject};
use super::{LABEL_APPLICATION_UID, LABEL_MANAGED_BY, MANAGER};

/// Kinds whose objects may be removed from a tenant's namespace.
pub(super) const REMOVABLE: [&str; 4] = ["ResourceQuota", "LimitRange", "NetworkPolicy", "RoleBinding"];

/// One place where live and desired differ.
struct Difference {
    path: Vec<String>,
    /// Live has something there, desired has nothing.
    extra: bool,
}

/// The paths at which `live` differs from `desired`, sorted; `None` where it does not.
///
/// Labels and annotations must hold what is desired and may hold more (the server adds some). Everything else
/// must be the same in meaning: quantities by amount, unions in any order, the server's defaults filled in.
/// So an extra subject, an extra quota key, an extra rule are drift. OwnerReferences always are: they would
/// let the garbage collector destroy what only a Decommission may (S3).
pub fn drift(desired: &TenantObject, live: &LiveObject) -> Option<Vec<String>> {
    if desired.agrees(live) { None } else { differs(desired, &live.whole) }
}

/// The same by the meaning of each part.
pub(super) fn differs(desired: &TenantObject, live: &Value) -> Option<Vec<String>> {
    let mut paths: Vec<_> = differences(desired, live).iter().map(|d| dotted(&d.path)).collect();
    paths.sort();
    paths.dedup();
    (!paths.is_empty()).then_some(paths)
}

/// Whether an apply cannot put this drift right because the field is immutable: the object must be deleted,
/// with preconditions, and created again.
pub fn must_replace(drifted: &[String]) -> bool {
    drifted.iter().any(|path| path.starts_with("roleRef") || path == "spec.scopes")
}

/// A JSON merge patch that takes away what a server-side apply leaves standing because another manager owns
/// it: extra quota keys, a scope selector, ownerReferences. Send it after the apply; `None` where there is
/// nothing to take away. Lists need none, they are replaced as a whole by the apply.
pub fn removal_patch(desired: &TenantObject, live: &Value) -> Option<Value> {
    let mut patch = json!({});
    for Difference { path, .. } in differences(desired, live).iter().filter(|d| d.extra) {
        match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["metadata", "ownerReferences"] => patch["metadata"]["ownerReferences"] = Value::Null,
            ["spec", "scopeSelector"] => patch["spec"]["scopeSelector"] = Value::Null,
            ["spec", "hard", key] => patch["spec"]["hard"][key] = Value::Null,
            _ => {}
        }
    }
    patch.as_object().is_some_and(|fields| !fields.is_empty()).then_some(patch)
}

/// Live objects of ours in the tenant namespace that are no longer desired, to be deleted: a RoleBinding
/// whose role lost its subjects, the LimitRange of a Region that dropped its own. Never a Namespace and never data: those end only through a Decommission (S3).
pub fn extra(live: &[LiveObject], desired: &[TenantObject]) -> Vec<ObjectRef> {
    // Without the namespace there is no telling what is ours.
    let Some(namespace) = desired.iter().find(|object| object.content() == Content::Namespace) else {
        return Vec::new();
    };
    let ours = |metadata: &Value| {
        metadata["namespace"] == namespace.name()
            && metadata["labels"][LABEL_APPLICATION_UID] == namespace.tenant().owner.uid
            && metadata["labels"][LABEL_MANAGED_BY] == MANAGER
            && metadata["deletionTimestamp"].is_null()
    };
    let undesired =
        |live: &&LiveObject| REMOVABLE.contains(&live.kind) && !desired.iter().any(|d| d.is(live));
    let refs = live.iter().filter(undesired).filter_map(|live| {
        let metadata = &live.whole["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        ours(metadata).then(|| ObjectRef {
            kind: live.kind.to_owned(),
            namespace: text("namespace"),
            name: live.name.clone(),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
        })
    });
    refs.collect()
}

fn differences(desired: &TenantObject, live: &Value) -> Vec<Difference> {
    let (kind, desired) = (desired.kind(), desired.to_apply_json());
    let mut found = Vec::new();
    for part in ["labels", "annotations"] {
        for (key, value) in desired["metadata"][part].as_object().into_iter().flatten() {
            if live["metadata"][part].get(key) != Some(value) {
                push(&mut found, &["metadata", part, key], false);
            }
        }
    }
    if let Some(uid) = desired["metadata"].get("uid")
        && live["metadata"]["uid"] != *uid
    {
        push(&mut found, &["metadata", "uid"], false);
    }
    if live["metadata"]["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty()) {
        push(&mut found, &["metadata", "ownerReferences"], true);
    }
    compare(&canonical(kind, &desired), &canonical(kind, live), &mut Vec::new(), &mut found);
    found
}

fn push(found: &mut Vec<Difference>, path: &[&str], extra: bool) {
    found.push(Difference { path: path.iter().map(|s| (*s).to_owned()).collect(), extra });
}

fn compare(
    desired: &Map<String, Value>,
    live: &Map<String, Value>,
    path: &mut Vec<String>,
    found: &mut Vec<Difference>,
) {
    let only_live = live.keys().filter(|key| !desired.contains_key(*key));
    for key in desired.keys().chain(only_live) {
        path.push(key.clone());
        match (desired.get(key), live.get(key)) {
            (Some(Value::Object(desired)), Some(Value::Object(live))) => compare(desired, live, path, found),
            (desired, live) if desired == live => {}
            (desired, _) => found.push(Difference { path: path.clone(), extra: desired.is_none() }),
        }
        path.pop();
    }
}

/// `spec.hard[requests.cpu]`: plain names with dots between, others in brackets.
fn dotted(path: &[String]) -> String {
    path.iter().fold(String::new(), |mut text, part| {
        if !part.chars().all(|c| c.is_ascii_alphanumeric()) {
            text.push_str(&format!("[{part}]"));
        } else {
            let dot = if text.is_empty() { "" } else { "." };
            text.push_str(dot);
            text.push_str(part);
        }
        text
    })
}
