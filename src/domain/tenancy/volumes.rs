//! The inventory: every volume of an application with its action (Art. 16, 23). The department consents to its
//! digest; no volume outside it is ever destroyed (S2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

pub use super::storage_inventory::{Claim, ClaimRef, Snapshot, StorageInventory, Volume};
use super::volume_source::{self, same_bytes};
use crate::digest::digest_of;
use govcloud_api::disposition::{Action, Disposition, InventoryEntry, SnapshotEntry};
use govcloud_api::keys;

mod difference;
mod finding;
mod part;

pub use difference::differences;
pub use finding::VolumeFinding;
pub use part::{INVENTORY_BYTES, INVENTORY_MAX, bytes};

/// The part of an application that leaves: `spec.scope` of a Decommission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Application,
    /// Only volumes whose claim is gone: retained ones of an earlier exit, leftovers of a deleted claim.
    Unclaimed,
}

/// Volumes and snapshots with their actions, and the findings on them.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// Volumes, sorted by namespace, claim and UIDs.
    pub entries: Vec<InventoryEntry>,
    /// Snapshots, sorted by namespace and name.
    pub snapshots: Vec<SnapshotEntry>,
    /// Number of volumes without a claim that it leaves out.
    pub left_out: usize,
    /// `sha256:…` over what the department decides upon: namespace, claim, both UIDs, capacity, class, volume
    /// source and action of every volume; likewise of snapshots. Neither reclaim policy nor phase.
    pub digest: String,
    /// Obstacles and warnings, sorted.
    pub findings: Vec<VolumeFinding>,
}

/// Returns true if a volume's phase says that its claim is gone. Claims come by another watch, which may be behind
/// this one. One that is `Available` waits for the claim that it was made for, or was released by hand.
#[must_use]
pub fn is_unclaimed(phase: &str) -> bool {
    matches!(phase, "Released" | "Failed")
}

/// The inventory of an application under a disposition. Pure and independent of the order of its inputs. Of more than it can
/// list, it lists a part ([`part`]); `listed` are the UIDs of the volumes that are published already.
pub fn inventory(
    storage: &StorageInventory,
    extent: Extent,
    disposition: &Disposition,
    listed: &BTreeSet<&str>,
) -> Inventory {
    let mut findings = BTreeSet::new();
    let (actions, contradictions) = overrides(storage, disposition);
    findings.extend(contradictions);

    let (mut entries, mut snapshots) = entries_and_snapshots(storage, extent, &mut findings);
    for entry in &mut entries {
        entry.action = resolve(storage, disposition, &actions, &entry.namespace, &entry.claim);
    }
    for snapshot in &mut snapshots {
        let claim = snapshot.claim.as_deref().unwrap_or_default();
        snapshot.action = resolve(storage, disposition, &actions, &snapshot.namespace, claim);
    }
    entries.sort();
    entries.dedup();
    snapshots.sort();
    snapshots.dedup();

    findings.extend(unknown(storage, disposition, &entries));
    findings.extend(adopted_kept(storage, disposition, &actions, &entries));
    let named = |e: &InventoryEntry| actions.contains_key(&(e.namespace.clone(), e.claim.clone()));
    let (entries, left_out) = part::of(storage, entries, &snapshots, named, listed);
    findings.extend(snapshot_findings(&snapshots));
    findings.extend(reused_names(&entries));
    findings.extend(shared_sources(storage, &entries));
    let digest = digest(&entries, &snapshots);
    Inventory { entries, snapshots, left_out, digest, findings: findings.into_iter().collect() }
}

/// Findings on snapshots: one that is there goes with its namespace, and its content need not go with it.
fn snapshot_findings(snapshots: &[SnapshotEntry]) -> impl Iterator<Item = VolumeFinding> {
    let finding = |s: &SnapshotEntry| {
        let (namespace, name) = (s.namespace.clone(), s.name.clone());
        if !s.action.destroys() {
            return (!s.orphaned).then_some(VolumeFinding::SnapshotNotKept { namespace, name });
        }
        let content = s.content.clone().filter(|_| s.deletion_policy.as_deref() == Some("Retain"))?;
        Some(VolumeFinding::ContentKept { namespace, name, content })
    };
    snapshots.iter().filter_map(finding)
}

/// Volumes and snapshots, in no order, with no action resolved.
fn entries_and_snapshots(
    storage: &StorageInventory,
    extent: Extent,
    findings: &mut BTreeSet<VolumeFinding>,
) -> (Vec<InventoryEntry>, Vec<SnapshotEntry>) {
    let mut entries = claimed(storage, findings);
    entries.extend(unclaimed(storage, extent));
    match extent {
        Extent::Application => (entries, snapshots(storage)),
        Extent::Unclaimed => {
            entries.retain(|entry| entry.unclaimed);
            (entries, Vec::new())
        }
    }
}

/// The first claim or snapshot of an application, as `namespace/name`, that is not in what was listed: another one, or one
/// with another volume. Where the list is a part, a retained volume without a claim may be outside of it: nothing ends it.
pub fn unlisted_volume(
    storage: &StorageInventory,
    entries: &[InventoryEntry],
    snapshots: &[SnapshotEntry],
    is_part: bool,
) -> Option<String> {
    let (found, taken) = entries_and_snapshots(storage, Extent::Application, &mut BTreeSet::new());
    let known = |e: &InventoryEntry| {
        entries
            .iter()
            .any(|k| k.claim_uid == e.claim_uid && (e.volume_uid.is_none() || k.volume_uid == e.volume_uid))
    };
    let new_snapshots = taken.iter().filter(|s| !snapshots.iter().any(|k| k.uid == s.uid));
    let new_claims = found.iter().filter(|e| !(known(e) || is_part && part::may_stay(storage, e)));
    let snapshot = new_snapshots.map(|s| format!("{}/{}", s.namespace, s.name)).min();
    snapshot.or_else(|| new_claims.map(|e| format!("{}/{}", e.namespace, e.claim)).min())
}

/// Actions by (tenant namespace, claim).
type Actions = BTreeMap<(String, String), Action>;

/// The action for one claim: the override, else the default. In an adopted namespace the default destroys nothing: what is
/// destroyed there is named (Art. 3, 23).
fn resolve(
    storage: &StorageInventory,
    disposition: &Disposition,
    actions: &Actions,
    namespace: &str,
    claim: &str,
) -> Action {
    let default = match disposition.default {
        Action::Destroy if storage.adopted.contains(namespace) => Action::Retain,
        default => default,
    };
    actions.get(&(namespace.to_owned(), claim.to_owned())).copied().unwrap_or(default)
}

/// The overrides by tenant namespace. A volume with two different ones is retained, and destruction stalls.
fn overrides(storage: &StorageInventory, disposition: &Disposition) -> (Actions, Vec<VolumeFinding>) {
    let (mut actions, mut contradictions) = (Actions::new(), Vec::new());
    for volume in &disposition.volumes {
        let namespace = full_name(storage, &volume.namespace);
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
fn full_name<'a>(storage: &'a StorageInventory, written: &'a str) -> &'a str {
    storage.namespaces.get(written).map_or(written, String::as_str)
}

/// One entry per claim, with the volume that really serves it.
fn claimed(storage: &StorageInventory, findings: &mut BTreeSet<VolumeFinding>) -> Vec<InventoryEntry> {
    let entry = |claim: &Claim| {
        let (namespace, name) = (claim.namespace.clone(), claim.name.clone());
        let named = storage.volumes.iter().find(|v| v.name == claim.volume_name);
        // The volume's claimRef counts: anyone who may write a claim can put any volume's name into it.
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
            application_uid: None,
            unused_since: claim.unused_since.map(Into::into),
        }
    };
    let ours = |claim: &&Claim| storage.namespaces.values().any(|ns| *ns == claim.namespace);
    storage.claims.iter().filter(ours).map(entry).collect()
}

/// Volumes of the application that no live claim accounts for: labelled with its UID, or still pointing at a
/// claim in one of its namespaces. What archived applications of its name left leaves with scope Volumes alone.
fn unclaimed(storage: &StorageInventory, extent: Extent) -> Vec<InventoryEntry> {
    let live: BTreeSet<_> = storage.claims.iter().map(|c| (&*c.uid, &*c.volume_name)).collect();
    let earlier = |volume: &Volume| {
        let owner = volume.labels.get(keys::APPLICATION_UID)?;
        // Nobody lists the claims of an archived application: its volume's own phase says that it is in use.
        let left = storage.earlier.contains(owner) && is_unclaimed(&volume.phase);
        (extent == Extent::Unclaimed && left).then(|| owner.clone())
    };
    let ours = |volume: &&Volume| {
        let owner = volume.labels.get(keys::APPLICATION_UID);
        let labelled = owner.is_some_and(|uid| !uid.is_empty() && *uid == storage.application_uid);
        let labelled = labelled || earlier(volume).is_some();
        let ref_ = volume.claim_ref.as_ref();
        let points = ref_.is_some_and(|r| storage.namespaces.values().any(|ns| *ns == r.namespace));
        let unlabelled = !volume.labels.contains_key(keys::APPLICATION_UID);
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
            application_uid: earlier(volume),
            unused_since: None,
        }
    };
    storage.volumes.iter().filter(ours).map(entry).collect()
}

fn snapshots(storage: &StorageInventory) -> Vec<SnapshotEntry> {
    let ours = |snapshot: &&Snapshot| storage.namespaces.values().any(|ns| *ns == snapshot.namespace);
    let entry = |snapshot: &Snapshot| SnapshotEntry {
        namespace: snapshot.namespace.clone(),
        name: snapshot.name.clone(),
        uid: snapshot.uid.clone(),
        claim: snapshot.claim.clone(),
        content: snapshot.content.clone(),
        action: Action::Retain,
        deletion_policy: snapshot.deletion_policy.clone(),
        orphaned: snapshot.orphaned,
    };
    storage.snapshots.iter().filter(ours).map(entry).collect()
}

/// Overrides that name no volume: a slip of the pen must not decide by default.
fn unknown(
    storage: &StorageInventory,
    disposition: &Disposition,
    entries: &[InventoryEntry],
) -> Vec<VolumeFinding> {
    let known =
        |namespace: &str, claim: &str| entries.iter().any(|e| e.namespace == namespace && e.claim == claim);
    let unknown = disposition.volumes.iter().filter(|v| !known(full_name(storage, &v.namespace), &v.claim));
    let finding = |v: &govcloud_api::disposition::VolumeDisposition| VolumeFinding::UnknownVolume {
        namespace: v.namespace.clone(),
        claim: v.claim.clone(),
    };
    unknown.map(finding).collect()
}

/// Adopted namespaces with volumes that the disposition would destroy by default, and which are retained.
fn adopted_kept(
    storage: &StorageInventory,
    disposition: &Disposition,
    actions: &Actions,
    entries: &[InventoryEntry],
) -> BTreeSet<VolumeFinding> {
    let kept = |e: &&InventoryEntry| {
        let named = actions.contains_key(&(e.namespace.clone(), e.claim.clone()));
        disposition.default == Action::Destroy && !named && storage.adopted.contains(&e.namespace)
    };
    let finding = |e: &InventoryEntry| VolumeFinding::AdoptedKept { namespace: e.namespace.clone() };
    entries.iter().filter(kept).map(finding).collect()
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

/// Pairs of volumes that are the same bytes, at least one of them in the inventory. Each pair is listed once,
/// the inventory's volume first.
pub fn shared_sources(storage: &StorageInventory, entries: &[InventoryEntry]) -> Vec<VolumeFinding> {
    let listed: BTreeSet<_> = entries.iter().filter_map(|e| e.volume_uid.as_deref()).collect();
    let inside = |v: &Volume| listed.contains(&*v.uid);
    let mut marked: BTreeMap<String, Vec<&Volume>> = BTreeMap::new();
    for volume in &storage.volumes {
        for mark in volume_source::marks(&volume.source) {
            marked.entry(mark).or_default().push(volume);
        }
    }
    let mut found = BTreeSet::new();
    for volume in storage.volumes.iter().filter(|v| inside(v)) {
        let reach = volume_source::reach(&volume.source);
        let near = reach.iter().filter_map(|mark| marked.get(mark)).flatten();
        let pairs =
            near.filter(|other| volume.uid < other.uid || (volume.uid != other.uid && !inside(other)));
        for other in pairs.filter(|other| same_bytes(volume, other)) {
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
        // A volume's name adds nothing to its UID, and a claim that goes leaves its volume the same.
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
            application_uid,
            unused_since: _,
        } = e;
        let mut counted =
            vec![json!([namespace, claim, claim_uid, volume_uid, capacity, class, source_digest, action])];
        // Counted where there is one, so that the digests of earlier versions stay the same.
        counted.extend(application_uid.iter().map(|uid| json!(uid)));
        if counted.len() == 1 { counted.remove(0) } else { json!(counted) }
    };
    let snapshot = |s: &SnapshotEntry| {
        // The fate of the content is said before the consent; its policy is the provider's, and may be put right.
        let SnapshotEntry { namespace, name, uid, claim, content, action, deletion_policy: _, orphaned: _ } =
            s;
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
