//! Hand-over after the approval (Art. 28), until reclaiming may begin (design, section 6, step 4).

use super::{Evaluation, Phase, volume};
use crate::finding::Bilingual;
use crate::lifecycle_event::LifecycleEvent;
use crate::plan::{RequiredReads, Step};
use crate::reason::Reason;
use crate::record::{ClosedReason, OPERATOR, ReadyState};
use crate::region_context::Reread;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::Scope;
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::grant::Restriction;
use govcloud_api::record::WaitingFor;

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
        self.builder.record_event(LifecycleEvent::Reclaiming, OPERATOR, Some(16));
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
            self.builder.record_event(event(uid.clone()), "department", Some(article));
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
            Bilingual::new(
                format!("等待使用部门签收移交的数据卷（第二十八条）：{list}；在 spec.handOver 中填写回执"),
                format!("awaiting the department's receipts (Art. 28) for {list}; add them to spec.handOver"),
            ),
        ));
    }
}
