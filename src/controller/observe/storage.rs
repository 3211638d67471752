//! Gathering what is stored: volumes, claims and snapshots, and what an inventory is taken of (Art. 16, 23).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use super::text;
use crate::cluster_state::{ClusterState, Plain, label, labels};
use govcloud_api::application::UnclaimedVolume;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::keys;
use govcloud_domain::decommission::ExitVolume;
use govcloud_domain::tenancy::volume_source;
use govcloud_domain::tenancy::volumes::{Claim, ClaimRef, Snapshot, StorageInventory, Volume, is_unclaimed};

impl ClusterState {
    /// Volumes of an application whose claim is gone.
    pub(super) fn unclaimed(&self, uid: &str) -> Vec<UnclaimedVolume> {
        let volumes = self.volumes.tagged(&format!("owner/{uid}"));
        let unclaimed = |v: &&Arc<Plain>| is_unclaimed(&text(v.value(), "/status/phase"));
        let view = |v: &Arc<Plain>| UnclaimedVolume {
            volume: v.name.1.clone(),
            uid: v.uid.clone(),
            namespace: text(v.value(), "/spec/claimRef/namespace"),
            claim: text(v.value(), "/spec/claimRef/name"),
        };
        volumes.iter().filter(unclaimed).map(view).collect()
    }

    /// The volumes of an application: bound in its namespaces, or labelled with its UID.
    pub(crate) fn volumes_of(&self, uid: &str, names: &[String]) -> Vec<Arc<Plain>> {
        let bound = names.iter().flat_map(|n| self.volumes.tagged(&format!("claims/{n}")));
        let mut volumes: BTreeMap<String, Arc<Plain>> = BTreeMap::new();
        for v in bound.chain(self.volumes.tagged(&format!("owner/{uid}"))) {
            volumes.insert(v.name.1.clone(), v);
        }
        volumes.into_values().collect()
    }

    /// What an inventory is taken of, with the foreign' volumes that may share a source with our `own`.
    pub(super) fn stock(
        &self,
        uid: &str,
        grant: Option<&ResourceGrant>,
        names: &[String],
        own: &[Arc<Plain>],
    ) -> StorageInventory {
        let entries = grant.and_then(|g| g.status.as_ref()).into_iter().flat_map(|s| &s.namespaces);
        let claims: Vec<Claim> =
            names.iter().flat_map(|n| self.claims.within(n)).map(|c| claim(&c)).collect();
        StorageInventory {
            application_uid: uid.to_owned(),
            namespaces: entries.map(|n| (n.entry.clone(), n.namespace.clone())).collect(),
            volumes: self.concerned(own, &claims),
            claims,
            snapshots: names.iter().flat_map(|n| self.snapshots.within(n)).map(|s| snapshot(&s)).collect(),
        }
    }

    /// The volumes that an inventory concerns: an application's own, those that its claims name, and all that may be the
    /// same bytes as one of them.
    fn concerned(&self, own: &[Arc<Plain>], claims: &[Claim]) -> Vec<Volume> {
        let named = claims.iter().filter_map(|c| self.volumes.get("", &c.volume_name));
        let mut volumes = BTreeMap::new();
        let add = |volumes: &mut BTreeMap<String, Volume>, v: &Plain| {
            volumes.entry(v.name.1.clone()).or_insert_with(|| volume(v));
        };
        own.iter().cloned().chain(named).for_each(|v| add(&mut volumes, &v));
        let reach: BTreeSet<String> =
            volumes.values().flat_map(|v| volume_source::reach(&v.source)).collect();
        reach.iter().flat_map(|word| self.volumes.tagged(word)).for_each(|v| add(&mut volumes, &v));
        volumes.into_values().collect()
    }
}

/// A volume with what preconditions and reports need.
pub(super) fn held(v: &Plain) -> ExitVolume {
    let finalizers = v.value().pointer("/metadata/finalizers").and_then(|f| Vec::deserialize(f).ok());
    ExitVolume {
        name: v.name.1.clone(),
        uid: v.uid.clone(),
        resource_version: v.resource_version.clone(),
        reclaim_policy: text(v.value(), "/spec/persistentVolumeReclaimPolicy"),
        phase: text(v.value(), "/status/phase"),
        message: text(v.value(), "/status/message"),
        finalizers: finalizers.unwrap_or_default(),
        retained: label(v.value(), keys::RETAINED),
    }
}

fn claim(c: &Plain) -> Claim {
    let capacity = text(c.value(), "/status/capacity/storage");
    Claim {
        namespace: c.name.0.clone(),
        name: c.name.1.clone(),
        uid: c.uid.clone(),
        volume_name: text(c.value(), "/spec/volumeName"),
        capacity: if capacity.is_empty() {
            text(c.value(), "/spec/resources/requests/storage")
        } else {
            capacity
        },
        class: text(c.value(), "/spec/storageClassName"),
    }
}

fn snapshot(s: &Plain) -> Snapshot {
    let optional = |pointer: &str| s.value().pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Snapshot {
        namespace: s.name.0.clone(),
        name: s.name.1.clone(),
        uid: s.uid.clone(),
        claim: optional("/spec/source/persistentVolumeClaimName"),
        content: optional("/status/boundVolumeSnapshotContentName"),
    }
}

fn volume(v: &Plain) -> Volume {
    let claim_ref = v.value().pointer("/spec/claimRef").map(|_| ClaimRef {
        namespace: text(v.value(), "/spec/claimRef/namespace"),
        name: text(v.value(), "/spec/claimRef/name"),
        uid: text(v.value(), "/spec/claimRef/uid"),
    });
    Volume {
        name: v.name.1.clone(),
        uid: v.uid.clone(),
        reclaim_policy: text(v.value(), "/spec/persistentVolumeReclaimPolicy"),
        phase: text(v.value(), "/status/phase"),
        capacity: text(v.value(), "/spec/capacity/storage"),
        class: text(v.value(), "/spec/storageClassName"),
        source: source(v.value()),
        node_affinity: v.value().pointer("/spec/nodeAffinity").cloned().unwrap_or(Value::Null),
        claim_ref,
        labels: labels(v.value()),
    }
}

/// The volume source as stored: what is left of the spec without what Kubernetes keeps around it.
pub(crate) fn source(value: &Value) -> Value {
    const AROUND: [&str; 9] = [
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    ];
    let Some(spec) = value["spec"].as_object() else { return value["spec"].clone() };
    let left = spec.iter().filter(|(k, _)| !AROUND.contains(&k.as_str()));
    left.map(|(k, v)| (k.clone(), v.clone())).collect()
}
