//! Hand-over and reclaim after an approved exit (Art. 16, 23, 28; S2, S4; design, section 6, steps 4 and 5).
//!
//! Nothing is deleted until every volume has its verified policy. Claims are deleted before their namespaces. Every
//! destructive write carries preconditions from a quorum read. The end is observed, never assumed.

use jiff::{SignedDuration, Timestamp};

use super::{Evaluation, ExitVolume, Phase, recorded, volume};
use crate::bilingual::bilingual;
use crate::finding::{Bilingual, Finding};
use crate::lifecycle_event::LifecycleEvent;
use crate::plan::{RequiredReads, Step};
use crate::reason::Reason;
use crate::record::{Actor, ClosedReason, OPERATOR, ReadyState};
use crate::region_context::Reread;
use crate::tenancy::volumes;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::Scope;
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::grant::Restriction;
use govcloud_api::record::WaitingFor;

/// Duration after which an unfinished reclaim is reported as `Stalled`.
pub const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(5);

impl Evaluation<'_> {
    /// Waits for receipts and for the end of use, then begins to reclaim.
    pub(super) fn hand_over(&mut self) -> Result<Vec<Step>, Reread> {
        if self.withdrawn() || self.stop_if_altered() {
            return Ok(Vec::new());
        }
        if !self.consented() {
            self.seen.region_context.require(RequiredReads::EVERYTHING)?;
            self.builder.record_event(LifecycleEvent::ConsentVoid, OPERATOR, Some(23));
            self.end_without_result(ClosedReason::ConsentVoid);
            return Ok(Vec::new());
        }
        self.keep_clock();
        self.record_receipts();
        self.set_hand_over_conditions();
        if !self.outstanding().is_empty() {
            return Ok(Vec::new());
        }
        if let Some(violated) = ReadyState::policies_violated(&self.seen.region_context.integrity) {
            self.builder.set_ready_conditions(&violated);
        }
        if !self.seen.region_context.intact() || self.stop_at_shared_source() || !self.wound_down() {
            return Ok(Vec::new());
        }
        self.seen.region_context.require(RequiredReads::CONTENTS)?;
        self.status.phase = Some(Phase::Reclaiming);
        self.status.reclaiming_since = Some(self.now.into());
        self.moved_out();
        self.builder.record_event(LifecycleEvent::Reclaiming, Actor::operator_for(Party::Provider), Some(16));
        self.set_reclaim_conditions(&[]);
        Ok(Vec::new())
    }

    /// Volumes to hand over whose receipt is still missing.
    fn outstanding(&self) -> Vec<&InventoryEntry> {
        let entries = self.status.inventory.iter().flat_map(|i| &i.entries);
        let waits = |e: &&InventoryEntry| {
            e.action == Action::HandOver && e.volume_uid.is_some() && !self.acknowledged(e)
        };
        entries.filter(waits).collect()
    }

    /// Returns true if the department gave a receipt for the volume.
    pub(super) fn acknowledged(&self, entry: &InventoryEntry) -> bool {
        self.seen.record.spec.hand_over.iter().any(|r| Some(&r.volume_uid) == entry.volume_uid.as_ref())
    }

    /// Returns true if a volume was to be retained and is gone: somebody else removed it.
    pub(super) fn is_lost(&self, entry: &InventoryEntry) -> bool {
        entry.action == Action::Retain && entry.volume_uid.is_some() && volume(self.seen, entry).is_none()
    }

    /// Records each receipt once (Art. 28).
    fn record_receipts(&mut self) {
        for receipt in &self.seen.record.spec.hand_over {
            self.record_receipt(&receipt.volume_uid, LifecycleEvent::HandedOver, 28);
        }
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

    /// Records a receipt in status and timeline, unless status has it.
    fn record_receipt(&mut self, uid: &String, event: fn(String) -> LifecycleEvent, article: i32) {
        if !self.status.received_volumes.contains(uid) {
            self.status.received_volumes.push(uid.clone());
            self.builder.record_event(event(uid.clone()), Actor::unnamed(Party::Department), Some(article));
        }
    }

    /// Returns true if the namespaces are restricted to view.
    fn wound_down(&self) -> bool {
        let status = self.seen.grant.as_ref().and_then(|(_, g)| g.status.as_ref());
        self.seen.record.spec.scope == Scope::Volumes
            || status.is_some_and(|s| s.restriction == Restriction::Quiesced)
    }

    /// Sets the conditions of a hand-over; the provider's clocks are paused while receipts are missing.
    pub(super) fn set_hand_over_conditions(&mut self) {
        let names: Vec<String> =
            self.outstanding().iter().map(|e| format!("{}/{}", e.namespace, e.claim)).collect();
        if names.is_empty() {
            self.receipts_in();
            self.builder.wait_on(Party::Provider, Some(WaitingFor::Reclaim), Some(Obligation::Reclaim));
            self.builder.set_ready_conditions(&ReadyState::Reconciling(
                Reason::WindingDown,
                Bilingual::new("正在停止使用，随后收回资源", "use is winding down; reclaiming follows"),
            ));
            return;
        }
        self.await_receipts();
        self.builder.wait_on(Party::Department, Some(WaitingFor::HandOverReceipt), None);
        let list = names.join(", ");
        self.builder.set_ready_conditions(&ReadyState::Reconciling(
            Reason::HandingOver,
            bilingual!(
                "等待使用部门签收移交的数据卷（第二十八条）：{list}；在 spec.handOver 中填写回执",
                "awaiting the department's receipts (Art. 28) for {list}; add them to spec.handOver"
            ),
        ));
    }

    /// Reclaims in order: policies and marks, claims, namespaces, verification, certificate.
    pub(super) fn reclaim(&mut self) -> Result<Vec<Step>, Reread> {
        let Some(inventory) = self.status.inventory.clone() else { return Ok(Vec::new()) };
        self.keep_clock();
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
        let held = self.holding(&inventory.entries);
        if held.is_empty() {
            self.seen.region_context.require(RequiredReads::END)?;
            self.certify(&inventory.entries);
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
            Scope::Application => volumes::unlisted_volume(&self.seen.storage, entries, snapshots),
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
            for n in &self.seen.namespaces {
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
            ReadyState::write_refused(error)
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
