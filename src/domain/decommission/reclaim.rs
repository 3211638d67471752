//! Reclaim after an approved exit (Art. 16, 23, 28; S2, S4; design, section 6, step 5).
//!
//! Nothing is deleted until every volume has its verified policy. Claims are deleted before their namespaces. Every
//! destructive write carries preconditions from a quorum read. The end is observed, never assumed.

use jiff::{SignedDuration, Timestamp};

use super::{Evaluation, ExitNamespace, ExitVolume, recorded, volume};
use crate::bilingual::bilingual;
use crate::finding::{Bilingual, Finding};
use crate::lifecycle_event::LifecycleEvent;
use crate::plan::{RequiredReads, Step};
use crate::reason::Reason;
use crate::record::{Actor, ReadyState};
use crate::region_context::Reread;
use crate::tenancy::volumes;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{HandRemoval, Scope};
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::record::WaitingFor;

/// Duration after which an unfinished reclaim is reported as `Stalled`.
pub const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(5);

impl Evaluation<'_> {
    /// Returns true if a volume was to be retained and is gone: somebody else removed it.
    pub(super) fn is_lost(&self, entry: &InventoryEntry) -> bool {
        entry.action == Action::Retain && entry.volume_uid.is_some() && volume(self.seen, entry).is_none()
    }

    /// Records the receipts for volumes that were to be retained and are gone (Art. 23).
    pub(super) fn record_losses(&mut self, entries: &[InventoryEntry]) {
        for entry in entries {
            if let Some(uid) = &entry.volume_uid
                && self.is_lost(entry)
                && self.acknowledged(entry)
            {
                self.record_receipt(uid, LifecycleEvent::LossAcknowledged, 23);
            }
        }
    }

    /// Reclaims in order: policies and marks, claims, namespaces, verification, certificate.
    pub(super) fn reclaim(&mut self) -> Result<Vec<Step>, Reread> {
        let Some(inventory) = self.status.inventory.clone() else { return Ok(Vec::new()) };
        if self.stop_without_region() {
            return Ok(Vec::new());
        }
        self.keep_clock();
        self.record_hand_removals(&inventory.entries);
        self.builder.wait_on(Party::Provider, Some(WaitingFor::Reclaim), Some(Obligation::Reclaim));
        if self.stop_if_altered()
            || self.stop_at_shared_source()
            || self.stop_without_grant()
            || self.stop_at_unlisted(&inventory.entries)
        {
            return Ok(Vec::new());
        }
        // S4: preconditions come from a quorum read that follows the last verification of the decision.
        let preparations = self.preparations(&inventory.entries);
        let (reads, writes) = if preparations.is_empty() {
            (RequiredReads::CONTENTS, self.removals())
        } else {
            (RequiredReads::VOLUMES, preparations)
        };
        if !writes.is_empty() {
            self.seen.region_context.require(reads)?;
            self.set_reclaim_conditions(&[]);
            return Ok(vec![Step::Write(writes)]);
        }
        self.record_losses(&inventory.entries);
        let mut held = self.holding(&inventory.entries);
        held.extend(self.contents_left());
        if held.is_empty() {
            self.seen.region_context.require(RequiredReads::END)?;
            self.certify();
        } else {
            self.set_reclaim_conditions(&held);
        }
        Ok(Vec::new())
    }

    /// Stops where two volumes share one source: destroying one would destroy the other, without consent (S2).
    pub(super) fn stop_at_shared_source(&mut self) -> bool {
        let entries = self.status.inventory.iter().flat_map(|i| i.entries.clone()).collect::<Vec<_>>();
        let shared = volumes::shared_sources(&self.seen.storage, &entries);
        let Some(first) = shared.into_iter().next() else { return false };
        self.look_again();
        self.builder.set_ready_conditions(&ReadyState::from(&Finding::Inventory(first)));
        true
    }

    /// Stops without the grant, which records the namespaces that were made: nothing could be certified.
    fn stop_without_grant(&mut self) -> bool {
        if self.seen.record.spec.scope == Scope::Volumes || recorded(self.seen).next().is_some() {
            return false;
        }
        let text = Bilingual::new(
            "ResourceGrant 缺失，无法核对命名空间，停止收回",
            "the ResourceGrant is missing, so the namespaces cannot be verified; reclaiming stopped",
        );
        self.builder.set_ready_conditions(&ReadyState::Stalled(Reason::GrantMissing, text));
        true
    }

    /// Stops at a claim, volume or snapshot of the application outside of the inventory (S2). Volumes that an application
    /// in use gives up meanwhile are not touched, and stop nothing.
    fn stop_at_unlisted(&mut self, entries: &[InventoryEntry]) -> bool {
        let snapshots = self.status.inventory.as_ref().map(|i| i.snapshots.as_slice()).unwrap_or_default();
        let unlisted = match self.seen.record.spec.scope {
            Scope::Volumes => None,
            Scope::Application => {
                let is_part = self.status.inventory.as_ref().is_some_and(|i| i.left_out > 0);
                volumes::unlisted_volume(&self.seen.storage, entries, snapshots, is_part)
            }
        };
        let Some(name) = unlisted else { return false };
        let text = bilingual!(
            "出现清单以外的数据卷或快照 {name}，停止收回",
            "{name} is a volume or snapshot that is not in the inventory; reclaiming stopped"
        );
        self.builder.set_ready_conditions(&ReadyState::Stalled(Reason::VolumeAppeared, text));
        true
    }

    /// Resources that are not at their end yet, by name, with what holds them.
    fn holding(&self, entries: &[InventoryEntry]) -> Vec<String> {
        let mut held = Vec::new();
        if self.seen.record.spec.scope == Scope::Application {
            for n in self.seen.namespaces.iter().filter(|n| self.made(n)) {
                let why =
                    if n.held_by.is_empty() { String::new() } else { format!(" ({})", n.held_by.join("; ")) };
                held.push(format!("namespace {}{why}", n.name));
            }
        }
        for entry in entries {
            match (entry.action, volume(self.seen, entry)) {
                (Action::Retain, None) if self.is_lost(entry) && !self.acknowledged(entry) => {
                    let (name, uid) = (entry.volume.as_deref(), entry.volume_uid.as_deref());
                    let (name, uid) = (name.unwrap_or_default(), uid.unwrap_or_default());
                    held.push(format!("volume {name} (lost, UID {uid})"));
                }
                (Action::Retain, Some(v)) if v.phase != "Released" && v.phase != "Available" => {
                    held.push(format!("volume {} ({})", v.name, v.phase));
                }
                (Action::Destroy | Action::HandOver, Some(v)) => held.push(undestroyed(v)),
                _ => {}
            }
        }
        held
    }

    /// Contents of snapshots to be destroyed that are still there: as long as the bytes are, nothing is certified.
    fn contents_left(&self) -> Vec<String> {
        let snapshots =
            self.status.inventory.iter().flat_map(|i| &i.snapshots).filter(|s| s.action.destroys());
        let left = snapshots.filter_map(|s| s.content.as_ref()).filter(|c| self.seen.contents.contains(*c));
        left.map(|c| format!("snapshot content {c}")).collect()
    }

    /// Returns true if the grant made the namespace; another one of its name is nobody's business here (S3).
    pub(super) fn made(&self, namespace: &ExitNamespace) -> bool {
        namespace.owner.is_some()
            && namespace.owner == self.status.application_uid
            && recorded(self.seen).any(|r| r.uid.as_deref() == Some(&namespace.uid))
    }

    /// Records who announced to delete a volume by hand: when it is gone, nobody observed that its bytes are.
    fn record_hand_removals(&mut self, entries: &[InventoryEntry]) {
        for entry in entries.iter().filter(|e| e.action.destroys()) {
            let Some(v) = volume(self.seen, entry) else { continue };
            let Some(by) = &v.removed_by else { continue };
            let removal = HandRemoval { volume_uid: v.uid.clone(), by: by.chars().take(512).collect() };
            if !self.status.removed_by_hand.contains(&removal) {
                self.status.removed_by_hand.retain(|r| r.volume_uid != v.uid);
                self.status.removed_by_hand.push(removal);
                let event = LifecycleEvent::RemovalAnnounced(v.name.clone());
                self.builder.record_event(event, Actor::of_annotation(by), Some(16));
            }
        }
    }

    /// Sets the conditions of a reclaim; after [`STUCK_AFTER`] what holds it is reported by name, never forced.
    pub(super) fn set_reclaim_conditions(&mut self, held: &[String]) {
        self.builder.wait_on(Party::Provider, Some(WaitingFor::Reclaim), Some(Obligation::Reclaim));
        let since: Timestamp = self.status.reclaiming_since.map_or(self.now, |t| t.timestamp());
        let stuck_at = since.saturating_add(STUCK_AFTER).unwrap_or(since);
        if !held.is_empty() {
            let wakes = self.next_removal().into_iter().chain([stuck_at]);
            self.builder.wake = wakes.filter(|at| *at > self.now).min();
        }
        let state = if let Some(error) = &self.seen.region_context.trouble {
            ReadyState::write_failed(error)
        } else if !held.is_empty() && self.now >= stuck_at {
            ReadyState::Stalled(Reason::ReclaimStuck, self.stuck_text(held))
        } else {
            ReadyState::Reconciling(
                Reason::Reclaiming,
                Bilingual::new("正在收回资源（第十六条）", "resources are being reclaimed (Art. 16)"),
            )
        };
        self.builder.set_ready_conditions(&state);
    }

    /// Text on what holds a reclaim, with the way out for a lost volume.
    fn stuck_text(&self, held: &[String]) -> Bilingual {
        let mut entries = self.status.inventory.iter().flat_map(|i| &i.entries);
        let (zh, en) = match entries.any(|e| self.is_lost(e) && !self.acknowledged(e)) {
            true => (
                "；丢失的数据卷须由使用部门在 spec.handOver 中填写回执确认",
                "; the department acknowledges a lost volume with a receipt in spec.handOver",
            ),
            false => ("", ""),
        };
        let list = held.join("; ");
        bilingual!("收回受阻：{list}{zh}", "reclaiming is held up by {list}{en}")
    }
}

/// Name of a volume that is still there although it is to be destroyed, with its finalizers, phase and message.
fn undestroyed(v: &ExitVolume) -> String {
    let why = v.finalizers.iter().map(String::as_str).chain([v.phase.as_str(), v.message.as_str()]);
    let why: Vec<&str> = why.filter(|t| !t.is_empty()).collect();
    format!("volume {} ({})", v.name, why.join(", "))
}
