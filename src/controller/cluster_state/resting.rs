//! Which records rest on what changed of an object of Kubernetes (`docs/decisions/0052-who-is-woken.md`);
//! `tests/lives/woken.rs` holds this to what is gathered for each.

use serde_json::Value;

use super::{ClusterState, Plain, label};
use crate::queue::Kind::{self, Application, Change, Decommission, Grant};
use crate::store::{Changed, Held as _};
use govcloud_api::keys;
use govcloud_domain::tenancy::volumes::is_unclaimed;

impl ClusterState {
    /// The kinds of an application's records that rest on what changed.
    pub(super) fn resting_on(&self, changed: &Changed<Plain>) -> &'static [Kind] {
        let Some(o) = changed.new.as_ref().or(changed.old.as_ref()) else { return &[] };
        match o.kind.as_str() {
            "PersistentVolumeClaim" | "VolumeSnapshot" => &[Decommission],
            "PersistentVolume" => of_volume(changed),
            "ResourceQuota" | "LimitRange" | "NetworkPolicy" | "RoleBinding"
                if self.is_leaving(&o.name.0) =>
            {
                &[]
            }
            // What is used bounds what is asked for; what is granted is the grant's.
            "ResourceQuota" if says_the_same(changed) => &[Application, Change],
            "ResourceQuota" => &[Application, Change, Grant],
            "LimitRange" | "NetworkPolicy" | "RoleBinding" if says_the_same(changed) => &[],
            "LimitRange" | "NetworkPolicy" | "RoleBinding" => &[Grant],
            // Its controller writes there what holds it, which an exit reports.
            "Namespace" if says_the_same(changed) => &[Decommission],
            _ => &Kind::ALL,
        }
    }

    /// Whether a namespace is being deleted: what is in it goes with it, and nobody decides on that any more.
    #[must_use]
    pub fn is_leaving(&self, namespace: &str) -> bool {
        self.namespaces.get("", namespace).is_some_and(|n| is_being_deleted(n.value()))
    }
}

/// Whether an object is being deleted.
#[must_use]
pub fn is_being_deleted(value: &Value) -> bool {
    value.pointer("/metadata/deletionTimestamp").is_some()
}

/// Whether an object of a tenant says what it said before, and belongs to whom it belonged to.
fn says_the_same(changed: &Changed<Plain>) -> bool {
    let (Some(old), Some(new)) = (&changed.old, &changed.new) else { return false };
    let around = |o: &Plain| {
        let meta = &o.value()["metadata"];
        (o.kind == "Namespace").then(|| [meta["labels"].clone(), meta["deletionTimestamp"].clone()])
    };
    (&old.uid, &old.tags, old.letter(), around(old)) == (&new.uid, &new.tags, new.letter(), around(new))
}

/// An exit rests on all of a volume, down to what its controllers say of it; a grant on whose it is and whether it is kept; an
/// application on whether its claim is gone.
fn of_volume(changed: &Changed<Plain>) -> &'static [Kind] {
    const ALL: &[Kind] = &[Application, Grant, Decommission];
    let (Some(old), Some(new)) = (&changed.old, &changed.new) else { return ALL };
    let whose = |v: &Plain| {
        let claim = &v.value()["spec"]["claimRef"];
        (
            v.uid.clone(),
            label(v.value(), keys::APPLICATION_UID),
            claim["namespace"].clone(),
            claim["name"].clone(),
        )
    };
    if whose(old) != whose(new) {
        return ALL;
    }
    let kept = |v: &Plain| v.value()["spec"]["persistentVolumeReclaimPolicy"].clone();
    let unclaimed = |v: &Plain| v.value()["status"]["phase"].as_str().is_some_and(is_unclaimed);
    match (kept(old) == kept(new), unclaimed(old) == unclaimed(new)) {
        (true, true) => &[Decommission],
        (true, false) => &[Application, Decommission],
        (false, true) => &[Grant, Decommission],
        (false, false) => ALL,
    }
}
