//! The inventory: every volume of an application, and what is to become of it (Art. 16, 23). Its digest is
//! what the department consents to; no volume outside it is ever destroyed (S2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::LABEL_APPLICATION_UID;
pub use super::storage_inventory::{Claim, ClaimRef, Snapshot, StorageInventory, Volume};
use super::volume_source::same_bytes;
use crate::digest::digest_of;
use govcloud_api::disposition::{Action, Disposition, InventoryEntry, SnapshotEntry};

mod finding;

pub use finding::VolumeFinding;

/// How much of an application leaves: `spec.scope` of a Decommission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Application,
    /// Only volumes whose claim is gone: retained ones of an earlier exit, leftovers of a deleted claim.
    Unclaimed,
}

/// What is there, what becomes of it, and what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// Volumes, sorted by namespace, claim and UIDs.
    pub entries: Vec<InventoryEntry>,
    /// Snapshots, sorted by namespace and name.
    pub snapshots: Vec<SnapshotEntry>,
    /// `sha256:…` over what the department decides upon: namespace, claim, both UIDs, capacity, class, volume
    /// source and action of every volume; likewise of snapshots. Neither reclaim policy nor phase.
    pub digest: String,
    /// What stands in the way, sorted.
    pub findings: Vec<VolumeFinding>,
}

/// Whether a volume's phase says that its claim is gone. The volume's own word: claims come by another watch, which may
/// be behind this one. One that is `Available` waits for the claim that it was made for, or was released by hand.
#[must_use]
pub fn is_unclaimed(phase: &str) -> bool {
    matches!(phase, "Released" | "Failed")
}

/// The inventory of an application under a disposition. Pure and independent of the order of its inputs.
pub fn inventory(stock: &StorageInventory, extent: Extent, disposition: &Disposition) -> Inventory {
    let mut findings = BTreeSet::new();
    let (actions, contradictions) = overrides(stock, disposition);
    findings.extend(contradictions);

    let (mut entries, mut snapshots) = held(stock, extent, &mut findings);
    for entry in &mut entries {
        entry.action = resolve(disposition, &actions, &entry.namespace, &entry.claim);
    }
    for snapshot in &mut snapshots {
        let claim = snapshot.claim.as_deref().unwrap_or_default();
        snapshot.action = resolve(disposition, &actions, &snapshot.namespace, claim);
    }
    entries.sort();
    entries.dedup();
    snapshots.sort();
    snapshots.dedup();

    findings.extend(unknown(stock, disposition, &entries));
    let kept = snapshots.iter().filter(|s| !s.action.destroys());
    findings.extend(
        kept.map(|s| VolumeFinding::SnapshotNotKept { namespace: s.namespace.clone(), name: s.name.clone() }),
    );
    findings.extend(reused_names(&entries));
    findings.extend(shared_sources(stock, &entries));
    let digest = digest(&entries, &snapshots);
    Inventory { entries, snapshots, digest, findings: findings.into_iter().collect() }
}

/// Volumes and snapshots, in no order, and nothing decided about them.
fn held(
    stock: &StorageInventory,
    extent: Extent,
    findings: &mut BTreeSet<VolumeFinding>,
) -> (Vec<InventoryEntry>, Vec<SnapshotEntry>) {
    let mut entries = claimed(stock, findings);
    entries.extend(unclaimed(stock));
    match extent {
        Extent::Application => (entries, snapshots(stock)),
        Extent::Unclaimed => {
            entries.retain(|entry| entry.unclaimed);
            (entries, Vec::new())
        }
    }
}

/// The first claim or snapshot of an application, as `namespace/name`, that is not in what was listed: another one, or one
/// with another volume.
pub fn unlisted_volume(
    stock: &StorageInventory,
    entries: &[InventoryEntry],
    snapshots: &[SnapshotEntry],
) -> Option<String> {
    let (found, taken) = held(stock, Extent::Application, &mut BTreeSet::new());
    let known = |e: &InventoryEntry| {
        entries
            .iter()
            .any(|k| k.claim_uid == e.claim_uid && (e.volume_uid.is_none() || k.volume_uid == e.volume_uid))
    };
    let new_snapshots = taken.iter().filter(|s| !snapshots.iter().any(|k| k.uid == s.uid));
    let new_claims = found.iter().filter(|e| !known(e));
    let snapshot = new_snapshots.map(|s| format!("{}/{}", s.namespace, s.name)).min();
    snapshot.or_else(|| new_claims.map(|e| format!("{}/{}", e.namespace, e.claim)).min())
}

/// Actions by (tenant namespace, claim).
type Actions = BTreeMap<(String, String), Action>;

/// What is decided for one claim: the override, else the default.
fn resolve(disposition: &Disposition, actions: &Actions, namespace: &str, claim: &str) -> Action {
    actions.get(&(namespace.to_owned(), claim.to_owned())).copied().unwrap_or(disposition.default)
}

/// The overrides by tenant namespace. Said twice and differently, a volume is retained, and nothing moves.
fn overrides(stock: &StorageInventory, disposition: &Disposition) -> (Actions, Vec<VolumeFinding>) {
    let (mut actions, mut contradictions) = (Actions::new(), Vec::new());
    for volume in &disposition.volumes {
        let namespace = full_name(stock, &volume.namespace);
        let key = (namespace.to_owned(), volume.claim.clone());
        if actions.get(&key).is_some_and(|action| *action != volume.action) {
            let (namespace, claim) = key.clone();
            contradictions.push(VolumeFinding::Contradiction { namespace, claim });
            actions.insert(key, Action::Retain);
        } else {
            actions.insert(key, volume.action);
        }
    }
    (actions, contradictions)
}

/// The tenant namespace that an override means: an entry's name, else the full name itself.
fn full_name<'a>(stock: &'a StorageInventory, written: &'a str) -> &'a str {
    stock.namespaces.get(written).map_or(written, String::as_str)
}

/// One entry per claim, with the volume that really serves it.
fn claimed(stock: &StorageInventory, findings: &mut BTreeSet<VolumeFinding>) -> Vec<InventoryEntry> {
    let entry = |claim: &Claim| {
        let (namespace, name) = (claim.namespace.clone(), claim.name.clone());
        let named = stock.volumes.iter().find(|v| v.name == claim.volume_name);
        // The volume's word counts: anyone who may write a claim can put any volume's name into it.
        let own = named.filter(|v| v.claim_ref.as_ref().is_some_and(|r| r.uid == claim.uid));
        match (named, own) {
            (None, _) if !claim.volume_name.is_empty() => {
                let volume = claim.volume_name.clone();
                findings.insert(VolumeFinding::LostVolume { namespace, claim: name, volume });
            }
            (Some(volume), None) => {
                let volume = volume.name.clone();
                findings.insert(VolumeFinding::NotItsVolume { namespace, claim: name, volume });
            }
            _ => {}
        }
        InventoryEntry {
            namespace: claim.namespace.clone(),
            claim: claim.name.clone(),
            claim_uid: claim.uid.clone(),
            volume: own.map(|v| v.name.clone()),
            volume_uid: own.map(|v| v.uid.clone()),
            capacity: own.map_or(&claim.capacity, |v| &v.capacity).clone(),
            class: own.map_or(&claim.class, |v| &v.class).clone(),
            source_digest: own.map(|v| source_digest(&v.source)),
            action: Action::Retain,
            unclaimed: false,
        }
    };
    let ours = |claim: &&Claim| stock.namespaces.values().any(|ns| *ns == claim.namespace);
    stock.claims.iter().filter(ours).map(entry).collect()
}

/// Volumes of the application that no live claim accounts for: labelled with its UID, or still pointing at a
/// claim in one of its namespaces.
fn unclaimed(stock: &StorageInventory) -> Vec<InventoryEntry> {
    let live: BTreeSet<_> = stock.claims.iter().map(|c| (&*c.uid, &*c.volume_name)).collect();
    let ours = |volume: &&Volume| {
        let labelled = volume.labels.get(LABEL_APPLICATION_UID) == Some(&stock.application_uid);
        let ref_ = volume.claim_ref.as_ref();
        let points = ref_.is_some_and(|r| stock.namespaces.values().any(|ns| *ns == r.namespace));
        let unlabelled = !volume.labels.contains_key(LABEL_APPLICATION_UID);
        let served = ref_.is_some_and(|r| live.contains(&(&*r.uid, &*volume.name)));
        (labelled || points && unlabelled) && !served
    };
    let entry = |volume: &Volume| {
        let last = volume.claim_ref.clone().unwrap_or_default();
        InventoryEntry {
            namespace: last.namespace,
            claim: last.name,
            claim_uid: last.uid,
            volume: Some(volume.name.clone()),
            volume_uid: Some(volume.uid.clone()),
            capacity: volume.capacity.clone(),
            class: volume.class.clone(),
            source_digest: Some(source_digest(&volume.source)),
            action: Action::Retain,
            unclaimed: true,
        }
    };
    stock.volumes.iter().filter(ours).map(entry).collect()
}

fn snapshots(stock: &StorageInventory) -> Vec<SnapshotEntry> {
    let ours = |snapshot: &&Snapshot| stock.namespaces.values().any(|ns| *ns == snapshot.namespace);
    let entry = |snapshot: &Snapshot| SnapshotEntry {
        namespace: snapshot.namespace.clone(),
        name: snapshot.name.clone(),
        uid: snapshot.uid.clone(),
        claim: snapshot.claim.clone(),
        content: snapshot.content.clone(),
        action: Action::Retain,
    };
    stock.snapshots.iter().filter(ours).map(entry).collect()
}

/// Overrides that name no volume: a slip of the pen must not decide by default.
fn unknown(
    stock: &StorageInventory,
    disposition: &Disposition,
    entries: &[InventoryEntry],
) -> Vec<VolumeFinding> {
    let known =
        |namespace: &str, claim: &str| entries.iter().any(|e| e.namespace == namespace && e.claim == claim);
    let unknown = disposition.volumes.iter().filter(|v| !known(full_name(stock, &v.namespace), &v.claim));
    let finding = |v: &govcloud_api::disposition::VolumeDisposition| VolumeFinding::UnknownVolume {
        namespace: v.namespace.clone(),
        claim: v.claim.clone(),
    };
    unknown.map(finding).collect()
}

fn reused_names(entries: &[InventoryEntry]) -> Vec<VolumeFinding> {
    let twice = entries.windows(2).filter(|two| {
        let [a, b] = two else { return false };
        (&a.namespace, &a.claim) == (&b.namespace, &b.claim)
    });
    let finding = |two: &[InventoryEntry]| VolumeFinding::SeveralVolumes {
        namespace: two[0].namespace.clone(),
        claim: two[0].claim.clone(),
    };
    twice.map(finding).collect()
}

/// Pairs of volumes that are the same bytes, at least one of them in the inventory. Each pair is told once,
/// the inventory's volume first.
pub fn shared_sources(stock: &StorageInventory, entries: &[InventoryEntry]) -> Vec<VolumeFinding> {
    let listed: BTreeSet<_> = entries.iter().filter_map(|e| e.volume_uid.as_deref()).collect();
    let (inside, outside): (Vec<_>, Vec<_>) = stock.volumes.iter().partition(|v| listed.contains(&*v.uid));
    let mut found = BTreeSet::new();
    for volume in &inside {
        let pairs = inside.iter().filter(|other| volume.uid < other.uid).chain(&outside);
        for other in pairs.filter(|other| volume.uid != other.uid && same_bytes(volume, other)) {
            let (volume, other) = (volume.name.clone(), other.name.clone());
            found.insert(VolumeFinding::SharedSource { volume, other });
        }
    }
    found.into_iter().collect()
}

fn source_digest(source: &Value) -> String {
    digest_of(source).expect("every JSON value has a canonical form")
}

/// Destructured without `..`, so that a new field is counted in or left out on purpose.
fn digest(entries: &[InventoryEntry], snapshots: &[SnapshotEntry]) -> String {
    let entry = |e: &InventoryEntry| {
        // A volume's name says nothing its UID does not, and a claim that goes leaves its volume the same.
        let InventoryEntry {
            namespace,
            claim,
            claim_uid,
            volume: _,
            volume_uid,
            capacity,
            class,
            source_digest,
            action,
            unclaimed: _,
        } = e;
        json!([namespace, claim, claim_uid, volume_uid, capacity, class, source_digest, action])
    };
    let snapshot = |s: &SnapshotEntry| {
        let SnapshotEntry { namespace, name, uid, claim, content, action } = s;
        json!([namespace, name, uid, claim, content, action])
    };
    let counted = json!({
        "volumes": entries.iter().map(entry).collect::<Vec<_>>(),
        "snapshots": snapshots.iter().map(snapshot).collect::<Vec<_>>(),
    });
    digest_of(&counted).expect("every JSON value has a canonical form")
}

#[cfg(test)]
mod tests;
