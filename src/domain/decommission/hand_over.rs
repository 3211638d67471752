//! Hand-over after an approved exit, up to the start of reclaiming (Art. 16, 23, 28; S2; design, section 6, step 4).

use super::{Evaluation, Phase};
use crate::bilingual::bilingual;
use crate::finding::{Bilingual, Finding};
use crate::lifecycle_event::LifecycleEvent;
use crate::plan::{RequiredReads, Step};
use crate::reason::Reason;
use crate::record::{Actor, ClosedReason, OPERATOR, PauseReason, ReadyState, stalled};
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
        if !self.consent_is_given() {
            self.seen.region_context.require(RequiredReads::EVERYTHING)?;
            self.builder.record_event(LifecycleEvent::ConsentVoid, OPERATOR, Some(23));
            self.end_without_result(ClosedReason::ConsentVoid);
            return Ok(Vec::new());
        }
        self.record_receipts();
        self.record_end_of_use();
        if self.stop_without_region() || self.hold_while_it_differs()? {
            return Ok(Vec::new());
        }
        self.keep_clock();
        self.set_hand_over_conditions();
        if !self.outstanding().is_empty() {
            return Ok(Vec::new());
        }
        if let Some(violated) = ReadyState::policies_violated(&self.seen.region_context.integrity) {
            self.builder.set_ready_conditions(&violated);
        }
        if !self.seen.region_context.intact()
            || self.stop_at_shared_source()
            || self.stop_if_too_large()
            || !self.wound_down()
        {
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

    /// Stops while there is no Region: its provider, its clocks and its grant's settings are not known. Goes on when it is
    /// back.
    pub(super) fn stop_without_region(&mut self) -> bool {
        if self.seen.region_context.region.is_some() {
            return false;
        }
        let finding = Finding::UnknownRegion(self.seen.record.spec.region.clone());
        self.builder.wait_on(Party::Authority, Some(WaitingFor::Correction), None);
        self.builder.set_ready_conditions(&ReadyState::from(&finding));
        true
    }

    /// Holds the exit while what is there differs from what was consented to, and says in what. It goes on by itself when the
    /// difference is gone: a backup's snapshot comes and goes. The department can withdraw meanwhile.
    fn hold_while_it_differs(&mut self) -> Result<bool, Reread> {
        let held = self.builder.stalled_for(Reason::InventoryChanged);
        let Some(difference) = self.difference() else {
            if held {
                self.builder.record_event(LifecycleEvent::InventoryAsConsented, OPERATOR, Some(23));
            }
            return Ok(false);
        };
        if !held {
            self.seen.region_context.require(RequiredReads::EVERYTHING)?;
            let event = LifecycleEvent::InventoryChanged(difference.clone());
            self.builder.record_event(event, OPERATOR, Some(23));
        }
        self.pause_clocks(PauseReason::Consent);
        self.builder.wait_on(Party::Department, Some(WaitingFor::ConsentedInventory), None);
        let text = bilingual!(
            "现有数据与已授权的清单不符：{difference}；恢复为已授权的清单后自动继续，不能恢复的请撤回后重新申请",
            "what is there differs from the inventory that was consented to: {difference}; the exit goes on by itself when it is as consented, and can be withdrawn"
        );
        self.builder.set_ready_conditions(&ReadyState::Stalled(Reason::InventoryChanged, text));
        Ok(true)
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

    /// Records each receipt once (Art. 28).
    fn record_receipts(&mut self) {
        for receipt in &self.seen.record.spec.hand_over {
            self.record_receipt(&receipt.volume_uid, LifecycleEvent::HandedOver, 28);
        }
    }

    /// Records a receipt in status and timeline, unless status has it.
    pub(super) fn record_receipt(&mut self, uid: &String, event: fn(String) -> LifecycleEvent, article: i32) {
        if !self.status.received_volumes.contains(uid) {
            self.status.received_volumes.push(uid.clone());
            self.builder.record_event(event(uid.clone()), Actor::unnamed(Party::Department), Some(article));
        }
    }

    /// Records since when the application is not used any more, which its fees end with (Art. 26).
    fn record_end_of_use(&mut self) {
        if self.seen.record.spec.scope == Scope::Application && self.wound_down() {
            self.status.quiesced_at.get_or_insert(self.now.into());
        }
    }

    /// Returns true if the namespaces are restricted to view, or gone.
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
            self.resume_clocks();
            self.builder.wait_on(Party::Provider, Some(WaitingFor::Reclaim), Some(Obligation::Reclaim));
            self.builder.set_ready_conditions(&self.winding_down());
            return;
        }
        self.pause_clocks(PauseReason::HandOver);
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

    /// State while use winds down: what keeps the grant from restricting the namespaces is said here too.
    fn winding_down(&self) -> ReadyState {
        let held = self.seen.grant.as_ref().filter(|_| !self.wound_down());
        match held.and_then(|(_, grant)| grant.status.as_ref().and_then(|s| stalled(&s.record))) {
            Some(c) => ReadyState::Stalled(
                Reason::GrantStalled,
                Bilingual::new(
                    format!("停止使用受阻（{}），见同名 ResourceGrant", c.reason),
                    format!(
                        "use cannot wind down ({}); see the ResourceGrant of the application's name",
                        c.reason
                    ),
                ),
            ),
            None => ReadyState::Reconciling(
                Reason::WindingDown,
                Bilingual::new("正在停止使用，随后收回资源", "use is winding down; reclaiming follows"),
            ),
        }
    }
}
