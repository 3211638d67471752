//! Decommission: inventory, consent, decision, hand-over, reclaim, certificate (Art. 16, 23, 28).
//!
//! This file reads up to the decision; [`reclaim`] and [`certificate`] follow an approved exit.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::decision;
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::open_request::{self, OpenRequest};
use super::plan::{Plan, RequiredReads};
use super::reason::Reason;
use super::record::{Actor, ClosedReason, Meta, ReadyState, StatusBuilder};
use super::region_context::{RegionContext, Reread};
use super::tenancy::volumes::{self, Extent, StorageInventory, VolumeFinding};
use govcloud_api::application::{ApplicationPhase, CloudApplication, TenantNamespace};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{
    Decommission, DecommissionPhase as Phase, DecommissionStatus, ExitReason, Scope,
};
use govcloud_api::disposition::InventoryEntry;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::record::{Verdict, WaitingFor};

mod active_exit;
mod certificate;
mod consent;
mod exit_resources;
mod hand_over;
mod migration;
mod ready_state;
mod reclaim;
mod size;
mod writes;

pub use super::tenancy::volumes::INVENTORY_MAX;
pub use active_exit::{clearing, exit_of};
pub use certificate::certificate_digest;
pub use exit_resources::{ExitNamespace, ExitPvc, ExitVolume};
pub use reclaim::STUCK_AFTER;
pub use size::RECORD_BYTES;

/// Note in the inventory on what goes with the namespaces without being listed.
pub const NOTE: &str = "命名空间内的 Secret、ConfigMap 及临时数据随命名空间一并清除，不在清单之列 / Secrets, ConfigMaps and ephemeral data go with the namespace and are not listed";

/// Interval at which a shared source is looked for again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Objects that are read to decide on an exit.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Metadata of the record.
    pub meta: Meta,
    /// The record.
    pub record: Arc<Decommission>,
    /// Its Region.
    pub region_context: RegionContext,
    /// The application that exits.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// Its grant.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Other open changes and exits on it.
    pub others: Vec<OpenRequest>,
    /// Claims, volumes and snapshots that the inventory is made of.
    pub storage: StorageInventory,
    /// The application's namespaces that exist.
    pub namespaces: Vec<ExitNamespace>,
    /// The application's volumes.
    pub volumes: Vec<ExitVolume>,
    /// Names of the VolumeSnapshotContents that exist, of those that the inventory lists.
    pub contents: BTreeSet<String>,
}

impl Observed {
    /// Party that files an exit for this reason (Art. 16, 28).
    fn filer(&self) -> Party {
        match self.record.spec.reason {
            ExitReason::NoLongerUsed => Party::Department,
            ExitReason::ContractEnded | ExitReason::ContractTerminated => Party::Authority,
        }
    }
}

/// Volume of an inventory entry, if it exists.
fn volume<'a>(seen: &'a Observed, entry: &InventoryEntry) -> Option<&'a ExitVolume> {
    seen.volumes.iter().find(|v| Some(v.uid.as_str()) == entry.volume_uid.as_deref())
}

/// Namespaces that the grant made.
fn recorded(seen: &Observed) -> impl Iterator<Item = &TenantNamespace> {
    seen.grant.iter().filter_map(|(_, g)| g.status.as_ref()).flat_map(|s| &s.namespaces)
}

/// Decides on an exit.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<DecommissionStatus> {
    let unseen = DecommissionStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let (builder, status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let mut evaluation = Evaluation { seen, now, builder, status };
    evaluation.builder.record_filing(&seen.meta, seen.filer(), 16);
    let phase = evaluation.verify_decision(stored.phase);
    let advanced = match phase {
        None | Some(Phase::Inventory | Phase::AwaitingConsent | Phase::AwaitingDecision) => {
            evaluation.prepare().map(|()| Vec::new())
        }
        Some(Phase::HandingOver) => evaluation.hand_over(),
        Some(Phase::Reclaiming) => evaluation.reclaim(),
        Some(Phase::Completed | Phase::Rejected | Phase::Withdrawn) => Ok(Vec::new()),
    };
    let steps = match advanced {
        Ok(steps) => steps,
        Err(Reread(reads)) => return Plan::reread(reads, stored.clone()),
    };
    evaluation.builder.run_clocks(seen.region_context.calendar());
    let Evaluation { builder, status, .. } = evaluation;
    builder.finish(status, stored, steps, 16)
}

/// An exit that is being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: DecommissionStatus,
}

impl Evaluation<'_> {
    /// Verifies the recorded decision. Without a valid one the exit is as before its review, and nothing more is reclaimed until the department consented to what is left and the authority decided anew.
    fn verify_decision(&mut self, phase: Option<Phase>) -> Option<Phase> {
        self.builder.verify_decision(&self.seen.meta, &self.seen.region_context, 16);
        let decided = matches!(phase, Some(Phase::HandingOver | Phase::Reclaiming | Phase::Rejected));
        if !decided || !self.builder.undecided() {
            return phase;
        }
        for obligation in [Obligation::Reclaim, Obligation::Migration] {
            self.builder.drop_clock(obligation, ClosedReason::DecisionVoid);
        }
        self.builder.status.notified_at = None;
        self.status.phase = Some(Phase::AwaitingDecision);
        self.status.phase
    }

    /// Extent of the exit.
    fn extent(&self) -> Extent {
        match self.seen.record.spec.scope {
            Scope::Application => Extent::Application,
            Scope::Volumes => Extent::Unclaimed,
        }
    }

    /// Inventory of what is there now.
    fn inventory(&self) -> volumes::Inventory {
        let published = self.status.inventory.iter().flat_map(|i| &i.entries);
        let listed = published.filter_map(|e| e.volume_uid.as_deref()).collect();
        volumes::inventory(&self.seen.storage, self.extent(), &self.seen.record.spec.disposition, &listed)
    }

    /// Inventory, consent and decision (design, section 6, steps 1 to 3).
    fn prepare(&mut self) -> Result<(), Reread> {
        if self.withdrawn() {
            return Ok(());
        }
        let inventory = self.inventory();
        let mut findings = self.findings();
        let noted = inventory.findings.clone();
        findings.extend(self.inventory_findings(&inventory));
        if inventory.findings.iter().any(|f| matches!(f, VolumeFinding::SharedSource { .. })) {
            self.look_again();
        }
        let decision = self.builder.status.decision.as_ref();
        let open = decision.is_none_or(|d| d.void.is_some() || d.verdict == Verdict::Returned);
        // An approval that has just arrived is on what is published: what changed meanwhile holds the exit, and ends it not.
        if self.has_subject() && open && !self.approval_arrived() {
            // A watch may lag behind, and consent must be to all there is: published from a quorum read.
            let published = self.status.inventory.as_ref().map(|i| &i.digest);
            let changed = match too_long(&inventory) {
                true => published.is_some(),
                false => published != Some(&self.published_digest(&inventory)),
            };
            if changed {
                self.seen.region_context.require(RequiredReads::EVERYTHING)?;
            }
            self.publish(inventory);
        }
        self.set_inventory_warning(&noted);
        findings.extend(self.take_consent());
        self.builder.set_valid_condition(&findings);
        // A decision destroys nothing: the volumes are read again before reclaiming begins.
        if self.builder.take_decision(&self.seen.meta, &self.seen.region_context, 16) {
            self.seen.region_context.require(RequiredReads::REFERENCES)?;
        }
        let phase = self.prepared_phase(&findings);
        self.status.phase = Some(phase);
        match phase {
            Phase::HandingOver => self.approved(),
            phase => self.set_conditions_before_decision(phase, &findings),
        }
        Ok(())
    }

    /// Findings on the inventory and its length.
    fn inventory_findings(&self, inventory: &volumes::Inventory) -> Vec<Finding> {
        let stalling = inventory.findings.iter().filter(|f| f.stalls_destruction());
        let mut found: Vec<Finding> = stalling.cloned().map(Finding::Inventory).collect();
        if self.extent() == Extent::Unclaimed && inventory.entries.is_empty() {
            found.push(Finding::NoVolumes);
        }
        if too_long(inventory) {
            found.push(Finding::InventoryTooLong(inventory.entries.len(), inventory.snapshots.len()));
        }
        found
    }

    /// Phase before the exit is carried out.
    fn prepared_phase(&self, findings: &[Finding]) -> Phase {
        if self.builder.decided(Verdict::Rejected) {
            return Phase::Rejected;
        }
        if decision::approved(&self.builder.status, &self.seen.meta.digest).is_some() {
            // Without consent to what the authority read the policies did not hold: the exit ends (S2).
            return if self.consent_is_given() { Phase::HandingOver } else { Phase::Withdrawn };
        }
        // Stale consent is asked for again; any other finding is corrected first.
        let in_order = findings.iter().all(|f| matches!(f, Finding::ConsentStale(..)));
        match (in_order, self.consented()) {
            (false, _) => Phase::Inventory,
            (true, false) => Phase::AwaitingConsent,
            (true, true) => Phase::AwaitingDecision,
        }
    }

    /// Wakes to look again: the volume that shares a source may be anybody's, and its removal wakes no exit.
    fn look_again(&mut self) {
        self.builder.wake = self.now.checked_add(LOOK_AGAIN).ok();
    }

    /// Ends the exit if the department withdrew it, which is possible until reclaiming begins.
    fn withdrawn(&mut self) -> bool {
        if !self.seen.meta.withdrawn() {
            return false;
        }
        self.builder.record_event(LifecycleEvent::Withdrawn, Actor::unnamed(Party::Department), None);
        self.end_without_result(ClosedReason::Withdrawn);
        true
    }

    /// Ends the exit without result: the application goes on.
    fn end_without_result(&mut self, why: ClosedReason) {
        self.status.phase = Some(Phase::Withdrawn);
        for o in [Obligation::Review, Obligation::Reclaim, Obligation::Migration] {
            self.builder.drop_clock(o, why);
        }
        self.builder.wait_on(Party::None, None, None);
        self.builder.set_ready_conditions(&ReadyState::Stalled(
            Reason::Withdrawn,
            Bilingual::new(
                "已撤回或授权失效，应用恢复原状态",
                "withdrawn, or consent was lost; the application is as before",
            ),
        ));
    }

    /// Every finding that the schema cannot see, but those on the inventory. What a Region offers to new systems holds no exit
    /// up: its storage classes, its catalog, the level of its platform.
    fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.region_context.findings(&spec.region);
        found.retain(|f| matches!(f, Finding::UnknownRegion(..) | Finding::CalendarUnusable(..)));
        let Some((meta, app)) = &self.seen.application else {
            if !self.has_subject() {
                found.push(Finding::ApplicationMissing(spec.application.clone()));
            }
            found.extend(open_request::older("Decommission", &self.seen.meta, &self.seen.others));
            return found;
        };
        if app.spec.region != spec.region {
            found.push(Finding::RegionMismatch(spec.region.clone(), app.spec.region.clone()));
        }
        if self.status.application_uid.as_ref().is_some_and(|u| *u != meta.uid && !u.is_empty()) {
            found.push(Finding::ApplicationMissing(spec.application.clone()));
        }
        let status = app.status.as_ref();
        let phase = status.and_then(|s| s.phase);
        let own_exit = phase == Some(ApplicationPhase::Exiting)
            && status.and_then(|s| s.decommission.as_ref()) == Some(&self.seen.meta.name);
        let active =
            matches!(phase, Some(ApplicationPhase::Provisioned | ApplicationPhase::Live)) || own_exit;
        // Volumes of earlier applications of this name can go whatever becomes of the present one.
        let leftover = spec.scope == Scope::Volumes
            && (phase == Some(ApplicationPhase::Exited) || !self.seen.storage.earlier.is_empty());
        if !active && !leftover {
            found.push(Finding::ApplicationNotActive(spec.application.clone(), phase));
        }
        found.extend(open_request::older("Decommission", &self.seen.meta, &self.seen.others));
        found
    }

    /// Returns true if there is something to exit: the application, or volumes that archived ones of its name left.
    fn has_subject(&self) -> bool {
        let left = self.extent() == Extent::Unclaimed && !self.seen.storage.earlier.is_empty();
        self.seen.application.is_some() || left
    }

    /// Approved: the provider is notified and its clock starts (Art. 16).
    fn approved(&mut self) {
        self.builder.record_notice(16);
        self.keep_clock();
        self.set_hand_over_conditions();
    }

    /// The provider's clock; it starts late, from the same instant, where there was no calendar.
    fn keep_clock(&mut self) {
        let Some((region, calendar)) = self.seen.region_context.counting() else { return };
        let (days, notified) = (region.working_days.reclaim, self.builder.notified_at());
        self.builder.start_clock(Obligation::Reclaim, days, notified, calendar);
        self.keep_migration_clock(notified);
    }

    /// Stops if the spec changed after its approval (S7).
    fn stop_if_altered(&mut self) -> bool {
        if decision::approved(&self.builder.status, &self.seen.meta.digest).is_some() {
            return false;
        }
        self.builder.record_alteration(16);
        self.builder.wait_on(Party::Authority, Some(WaitingFor::Investigation), None);
        self.builder.set_ready_conditions(&ReadyState::spec_altered());
        true
    }
}

/// Returns true if there is more than an inventory can list: claims and snapshots cannot be left out of it.
fn too_long(inventory: &volumes::Inventory) -> bool {
    let bytes = volumes::bytes(inventory);
    inventory.entries.len().max(inventory.snapshots.len()) > INVENTORY_MAX || bytes > volumes::INVENTORY_BYTES
}
