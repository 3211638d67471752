//! Differences between what the department consented to and what is there now.

use super::Inventory;
use govcloud_api::disposition::{InventoryEntry, SnapshotEntry};

/// Most differences that a text names.
const NAMED: usize = 10;

/// The differences, as `+ namespace/name`, `- namespace/name` and `≠ namespace/name`, cut to ten of them.
#[must_use]
pub fn differences(entries: &[InventoryEntry], snapshots: &[SnapshotEntry], now: &Inventory) -> String {
    let volume = |e: &InventoryEntry| (format!("{}/{}", e.namespace, e.claim), comparable(e));
    let snapshot =
        |s: &SnapshotEntry| (format!("snapshot {}/{}", s.namespace, s.name), comparable_snapshot(s));
    let both = |entries: &[InventoryEntry], snapshots: &[SnapshotEntry]| -> Vec<(String, String)> {
        entries.iter().map(volume).chain(snapshots.iter().map(snapshot)).collect()
    };
    let (before, after) = (both(entries, snapshots), both(&now.entries, &now.snapshots));
    let mut found: Vec<String> = Vec::new();
    for item in &after {
        if !before.contains(item) {
            let sign = if before.iter().any(|(name, _)| *name == item.0) { '≠' } else { '+' };
            found.push(format!("{sign} {}", item.0));
        }
    }
    let gone = before.iter().filter(|(name, _)| !after.iter().any(|(other, _)| other == name));
    found.extend(gone.map(|(name, _)| format!("- {name}")));
    let more = found.len().saturating_sub(NAMED);
    found.truncate(NAMED);
    let list = found.join(", ");
    if more > 0 { format!("{list}, … (+{more})") } else { list }
}

/// The part of an entry that consent is given to.
fn comparable(e: &InventoryEntry) -> String {
    format!("{:?}", (&e.claim_uid, &e.volume_uid, &e.capacity, &e.class, &e.source_digest, e.action))
}

fn comparable_snapshot(s: &SnapshotEntry) -> String {
    format!("{:?}", (&s.uid, &s.claim, &s.content, s.action))
}
