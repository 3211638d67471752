//! The part of an application's volumes that one inventory lists (Art. 16, 23): an object of the API server has a bound, and
//! the certificate stands in the same record.
//!
//! A claim goes with its namespace, so every claim is listed. A retained volume without a claim goes with nothing: it may
//! stay, and leaves with a later exit of scope Volumes.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Inventory, InventoryEntry, SnapshotEntry, StorageInventory};

/// Most volumes, and most snapshots, that one inventory lists; the schema says the same.
pub const INVENTORY_MAX: usize = 512;

/// Most bytes of JSON of one inventory and the certificate on it.
pub const INVENTORY_BYTES: usize = 700_000;

/// Bytes of JSON that an inventory and the certificate on it take.
#[must_use]
pub fn bytes(inventory: &Inventory) -> usize {
    let volumes: usize = inventory.entries.iter().map(bytes_of).sum();
    volumes + inventory.snapshots.iter().map(bytes_of).sum::<usize>()
}

/// Bytes of JSON that an entry takes in the inventory and in the certificate.
fn bytes_of(entry: &impl Serialize) -> usize {
    // A row of the certificate repeats most fields, with an outcome instead of digests.
    2 * serde_json::to_vec(entry).map_or(0, |json| json.len())
}

/// Returns true if a volume may stay outside of an inventory: it has no claim, and its policy keeps it.
pub(super) fn may_stay(storage: &StorageInventory, entry: &InventoryEntry) -> bool {
    let kept = |uid: &String| {
        let volume = storage.volumes.iter().find(|v| v.uid == *uid);
        volume.is_some_and(|v| v.reclaim_policy == "Retain")
    };
    entry.unclaimed && entry.volume_uid.as_ref().is_some_and(kept)
}

/// The entries that one inventory lists, in their order, and the number of those that it leaves out. All that must be listed
/// comes first, then what the disposition names, what is published already, and the rest in its order.
pub(super) fn of(
    storage: &StorageInventory,
    entries: Vec<InventoryEntry>,
    snapshots: &[SnapshotEntry],
    named: impl Fn(&InventoryEntry) -> bool,
    listed: &BTreeSet<&str>,
) -> (Vec<InventoryEntry>, usize) {
    let mut room = INVENTORY_BYTES.saturating_sub(snapshots.iter().map(bytes_of).sum());
    let total: usize = entries.iter().map(bytes_of).sum();
    if entries.len() <= INVENTORY_MAX && total <= room {
        return (entries, 0);
    }
    let published = |e: &InventoryEntry| e.volume_uid.as_deref().is_some_and(|uid| listed.contains(uid));
    let mut ranked: Vec<(u8, InventoryEntry)> = entries
        .into_iter()
        .map(|e| match () {
            () if !may_stay(storage, &e) => (0, e),
            () if named(&e) => (1, e),
            () if published(&e) => (2, e),
            () => (3, e),
        })
        .collect();
    ranked.sort();
    let (mut kept, mut left_out) = (Vec::new(), 0);
    for (rank, entry) in ranked {
        let size = bytes_of(&entry);
        if rank > 0 && (kept.len() >= INVENTORY_MAX || size > room) {
            left_out += 1;
            continue;
        }
        room = room.saturating_sub(size);
        kept.push(entry);
    }
    kept.sort();
    (kept, left_out)
}
