//! What a reclaim writes, in its order: policies and marks first, then claims, and a namespace when it has none any more
//! (step 5; S2, S4; `docs/decisions/0056-a-namespace-waits-for-its-claims.md`).

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{recorded, volume};
use crate::decommission::{Evaluation, ExitNamespace, ExitPvc};
use crate::names;
use crate::plan::{Precondition, Target, Write};
use govcloud_api::decommission::Scope;
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::keys;
use govcloud_api::resources;

/// How long a namespace waits for a claim that was deleted and is still there: a pod may hold it to the namespace's end.
const CLAIM_PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// What comes before anything is deleted: every volume's policy and every namespace's mark.
pub(super) fn preparations(case: &Evaluation<'_>, entries: &[InventoryEntry]) -> Vec<Write> {
    let policies = entries.iter().filter_map(|e| policy(case, e));
    policies.chain(to_go(case).filter_map(mark)).collect()
}

/// The deletions that are due: the claims, each by its own UID and version, and the namespaces without any, so that none
/// takes a claim with it that was not read, and its controller goes through it once. One that a pod holds goes no sooner than
/// its namespace, and that has the patience of [`CLAIM_PATIENCE`].
pub(super) fn removals(case: &Evaluation<'_>) -> Vec<Write> {
    let empty = to_go(case).filter(|s| empty_at(s).is_some_and(|at| at <= case.now)).map(remove);
    to_go(case).flat_map(claims).chain(empty).collect()
}

/// When the next namespace that waits for its claims waits no more, whatever holds them.
pub(super) fn next_removal(case: &Evaluation<'_>) -> Option<Timestamp> {
    to_go(case).filter_map(empty_at).filter(|at| *at > case.now).min()
}

/// When a namespace is as good as empty: at once without claims, and not before each was deleted.
fn empty_at(space: &ExitNamespace) -> Option<Timestamp> {
    let patience = |c: &ExitPvc| c.deleted_at?.checked_add(CLAIM_PATIENCE).ok();
    space.claims.iter().map(patience).try_fold(Timestamp::MIN, |latest, at| Some(latest.max(at?)))
}

/// The policy that a volume's fate needs, where it does not have it yet.
fn policy(case: &Evaluation<'_>, entry: &InventoryEntry) -> Option<Write> {
    let v = volume(case, entry)?;
    let uid = case.status.application_uid.as_deref().unwrap_or_default();
    let body = match entry.action {
        Action::Retain if v.reclaim_policy == "Retain" && v.retained.as_deref() == Some(uid) => return None,
        Action::Retain => json!({
            "metadata": { "labels": {
                keys::RETAINED: uid, keys::APPLICATION_UID: uid, keys::REGION: case.seen.record.spec.region,
                keys::DEPARTMENT: case.seen.meta.namespace,
                keys::APPLICATION: names::label_value(&case.seen.record.spec.application),
            } },
            "spec": { "persistentVolumeReclaimPolicy": "Retain" },
        }),
        Action::Destroy | Action::HandOver if v.reclaim_policy == "Delete" => return None,
        Action::Destroy | Action::HandOver => json!({
            "metadata": { "labels": { keys::RETAINED: null } },
            "spec": { "persistentVolumeReclaimPolicy": "Delete" },
        }),
    };
    let precondition = Precondition { uid: v.uid.clone(), resource_version: v.resource_version.clone() };
    Some(Write::Patch(Target::named(resources::PERSISTENT_VOLUME, &v.name), precondition, body))
}

/// The namespaces that the grant made and that nobody deleted yet; none where only volumes leave.
fn to_go<'a>(case: &'a Evaluation<'_>) -> impl Iterator<Item = &'a ExitNamespace> {
    let whole = case.seen.record.spec.scope == Scope::Application;
    let made = |s: &ExitNamespace| {
        s.owner.as_deref() == case.status.application_uid.as_deref()
            && recorded(case).any(|n| n.uid.as_deref() == Some(&s.uid))
    };
    case.seen.spaces.iter().filter(move |s| whole && !s.deleting && made(s))
}

/// The namespace as it was read.
fn precondition(space: &ExitNamespace) -> Precondition {
    Precondition { uid: space.uid.clone(), resource_version: space.resource_version.clone() }
}

/// The annotation without which policy lets nobody delete the namespace, where it does not have it yet.
fn mark(space: &ExitNamespace) -> Option<Write> {
    let uid = &space.uid;
    let body = json!({ "metadata": { "annotations": { keys::RECLAIM: uid } } });
    let target = Target::named(resources::NAMESPACE, &space.name);
    (space.reclaim.as_ref() != Some(uid)).then(|| Write::Patch(target, precondition(space), body))
}

fn claims(space: &ExitNamespace) -> impl Iterator<Item = Write> {
    space.claims.iter().filter(|c| c.deleted_at.is_none()).map(|c| {
        let read = Precondition { uid: c.uid.clone(), resource_version: c.resource_version.clone() };
        Write::Delete(Target::namespaced(resources::PERSISTENT_VOLUME_CLAIM, &space.name, &c.name), read)
    })
}

fn remove(space: &ExitNamespace) -> Write {
    Write::Delete(Target::named(resources::NAMESPACE, &space.name), precondition(space))
}
