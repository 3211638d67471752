//! Writes of a reclaim, in their order: policies and marks first, then claims, then a namespace without claims
//! (step 5; S2, S4; `docs/decisions/0056-*`).

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Evaluation, ExitNamespace, volume};
use crate::names;
use crate::plan::{Precondition, Target, Write};
use govcloud_api::decommission::{HandRemoval, Scope};
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::keys;
use govcloud_api::resources;

/// Duration for which a namespace waits for a deleted claim: a pod may hold it to the namespace's end.
const CLAIM_PATIENCE: SignedDuration = SignedDuration::from_secs(60);

impl Evaluation<'_> {
    /// Writes before anything is deleted: every volume's policy and every namespace's mark.
    pub(super) fn preparations(&self, entries: &[InventoryEntry]) -> Vec<Write> {
        let policies = entries.iter().filter_map(|e| self.policy(e));
        let removals = entries.iter().filter_map(|e| self.confirm_removal(e));
        policies.chain(removals).chain(self.removable().filter_map(mark)).collect()
    }

    /// Label that lets the person delete the volume by hand who announced it, once the status has the name.
    fn confirm_removal(&self, entry: &InventoryEntry) -> Option<Write> {
        let v = volume(self.seen, entry).filter(|v| entry.action.destroys() && !v.removal_recorded)?;
        let by = v.removed_by.as_ref()?;
        let stored = self.seen.record.status.iter().flat_map(|s| &s.removed_by_hand);
        let recorded = |r: &HandRemoval| r.volume_uid == v.uid && r.by == *by;
        stored.into_iter().any(recorded).then(|| {
            let body = json!({ "metadata": { "labels": { keys::REMOVAL_RECORDED: v.uid } } });
            let read = Precondition { uid: v.uid.clone(), resource_version: v.resource_version.clone() };
            Write::Patch(Target::named(resources::PERSISTENT_VOLUME, &v.name), read, body)
        })
    }

    /// Deletions that are due: claims, each by its own UID and version, and namespaces without claims, so that none takes
    /// a claim with it that was not read. A claim that a pod holds ends with its namespace, after [`CLAIM_PATIENCE`].
    pub(super) fn removals(&self) -> Vec<Write> {
        let due = |n: &&ExitNamespace| claims_end(n).is_some_and(|at| at <= self.now);
        self.removable().flat_map(claims).chain(self.removable().filter(due).map(remove)).collect()
    }

    /// Instant at which the next namespace stops waiting for its claims.
    pub(super) fn next_removal(&self) -> Option<Timestamp> {
        self.removable().filter_map(claims_end).filter(|at| *at > self.now).min()
    }

    /// Reclaim policy that an entry's action needs, unless the volume has it.
    fn policy(&self, entry: &InventoryEntry) -> Option<Write> {
        let v = volume(self.seen, entry)?;
        // Volumes of an archived application stay its own.
        let uid =
            entry.application_uid.as_deref().or(self.status.application_uid.as_deref()).unwrap_or_default();
        let spec = &self.seen.record.spec;
        let body = match entry.action {
            Action::Retain if v.reclaim_policy == "Retain" && v.retained.as_deref() == Some(uid) => {
                return None;
            }
            Action::Retain => json!({
                "metadata": { "labels": {
                    keys::RETAINED: uid, keys::APPLICATION_UID: uid, keys::REGION: spec.region,
                    keys::DEPARTMENT: self.seen.meta.namespace,
                    keys::APPLICATION: names::label_value(&spec.application),
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

    /// Namespaces that the grant made and that nobody deleted yet; none where only volumes leave.
    fn removable(&self) -> impl Iterator<Item = &ExitNamespace> {
        let whole = self.seen.record.spec.scope == Scope::Application;
        self.seen.namespaces.iter().filter(move |n| whole && !n.deleting && self.made(n))
    }
}

/// Instant from which a namespace may go although claims are left; `None` while one was not deleted yet.
fn claims_end(namenamespace: &ExitNamespace) -> Option<Timestamp> {
    let mut end = Timestamp::MIN;
    for claim in &namenamespace.claims {
        end = end.max(claim.deleted_at?.checked_add(CLAIM_PATIENCE).ok()?);
    }
    Some(end)
}

/// Precondition on a namespace as it was read.
fn precondition(namespace: &ExitNamespace) -> Precondition {
    Precondition { uid: namespace.uid.clone(), resource_version: namespace.resource_version.clone() }
}

/// Annotation without which policy lets nobody delete the namespace, unless it has it.
fn mark(namespace: &ExitNamespace) -> Option<Write> {
    let uid = &namespace.uid;
    let body = json!({ "metadata": { "annotations": { keys::RECLAIM: uid } } });
    let target = Target::named(resources::NAMESPACE, &namespace.name);
    (namespace.reclaim.as_ref() != Some(uid)).then(|| Write::Patch(target, precondition(namespace), body))
}

/// Deletions of the claims that were not deleted yet.
fn claims(namespace: &ExitNamespace) -> impl Iterator<Item = Write> {
    namespace.claims.iter().filter(|c| c.deleted_at.is_none()).map(|c| {
        let read = Precondition { uid: c.uid.clone(), resource_version: c.resource_version.clone() };
        Write::Delete(Target::namespaced(resources::PERSISTENT_VOLUME_CLAIM, &namespace.name, &c.name), read)
    })
}

/// Deletion of a namespace.
fn remove(namespace: &ExitNamespace) -> Write {
    Write::Delete(Target::named(resources::NAMESPACE, &namespace.name), precondition(namespace))
}
