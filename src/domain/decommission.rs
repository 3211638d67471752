//! Decommission: inventory, consent, decision, hand-over, reclaim, certificate (Art. 16, 23, 28).
//!
//! Up to the decision in this file; what follows an approved exit is in [`super::reclaim`].

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::change::OpenRequest;
use super::decision::{self, DecisionVerdict};
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::plan::{Plan, RequiredReads, Step};
use super::reclaim;
use super::record::{Meta, ReadyState, StatusBuilder};
use super::region_context::RegionContext;
use super::tenancy::volumes::{self, Extent, StorageInventory, VolumeFinding};
use govcloud_api::application::{ApplicationPhase, CloudApplication};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{
    Decommission, DecommissionPhase as Phase, DecommissionStatus, GivenConsent, Inventory, Scope,
};
use govcloud_api::disposition::Action;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::keys;
use govcloud_api::record::Verdict;

/// What the inventory does not list but goes with the namespaces all the same.
pub const NOTE: &str = "命名空间内的 Secret、ConfigMap 及临时数据随命名空间一并清除,不在清单之列 / Secrets, ConfigMaps and ephemeral data go with the namespace and are not listed";

/// How long after a shared source was seen it is looked for again.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Most volumes, and most snapshots, that one inventory lists; the schema says the same, and what an object of the
/// API server may weigh.
pub const INVENTORY_MAX: usize = 512;

/// Most volumes that one exit hands over: as many receipts as `spec.handOver` holds.
pub const HAND_OVER_MAX: usize = 256;

mod active_exit;
mod exit_resources;
mod migration;
mod ready_state;

pub use active_exit::{clearing, exit_of};
pub use exit_resources::{ExitNamespace, ExitPvc, ExitVolume};

/// All that is read to decide on an exit.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub meta: Meta,
    /// The record.
    pub record: Arc<Decommission>,
    /// Its ground.
    pub ground: RegionContext,
    /// The application that exits.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// Its grant.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Other open changes and exits on it.
    pub others: Vec<OpenRequest>,
    /// What the inventory is made of.
    pub stock: StorageInventory,
    /// The application's namespaces that exist.
    pub spaces: Vec<ExitNamespace>,
    /// The application's volumes.
    pub volumes: Vec<ExitVolume>,
}

/// Decides what is to be done for an exit now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<DecommissionStatus> {
    let stored = seen.record.status.clone().unwrap_or_default();
    let mut case = Evaluation {
        seen,
        now,
        life: StatusBuilder::begin(&stored.record, seen.meta.generation, now),
        status: stored.clone(),
    };
    case.life.record_filing(&seen.meta, 16);
    let mut steps = Vec::new();
    match stored.phase {
        None | Some(Phase::Inventory | Phase::AwaitingConsent | Phase::AwaitingDecision) => {
            if let Some(anew) = case.prepare() {
                return Plan::reread(anew, stored);
            }
        }
        Some(Phase::HandingOver) => match reclaim::hand_over(&mut case) {
            reclaim::Next::Reread(anew) => return Plan::reread(anew, stored),
            reclaim::Next::Do(s) => steps = s,
        },
        Some(Phase::Reclaiming) => match reclaim::reclaim(&mut case) {
            reclaim::Next::Reread(anew) => return Plan::reread(anew, stored),
            reclaim::Next::Do(s) => steps = s,
        },
        Some(Phase::Completed | Phase::Rejected | Phase::Withdrawn) => {}
    }
    if let Some(calendar) = seen.ground.calendar() {
        case.life.run_clocks(calendar);
    }
    case.end(&stored, steps)
}

/// An exit being decided on.
pub(super) struct Evaluation<'a> {
    pub(super) seen: &'a Observed,
    pub(super) now: Timestamp,
    pub(super) life: StatusBuilder,
    pub(super) status: DecommissionStatus,
}

impl Evaluation<'_> {
    /// How much leaves.
    pub(super) fn extent(&self) -> Extent {
        match self.seen.record.spec.scope {
            Scope::Application => Extent::Application,
            Scope::Volumes => Extent::Unclaimed,
        }
    }

    /// The inventory as it is now.
    pub(super) fn inventory(&self) -> volumes::Inventory {
        volumes::inventory(&self.seen.stock, self.extent(), &self.seen.record.spec.disposition)
    }

    /// Inventory, consent and decision (design, section 6, steps 1 to 3). Returns what to read anew first.
    fn prepare(&mut self) -> Option<RequiredReads> {
        if self.withdrawn() {
            return None;
        }
        let mut findings = self.findings();
        let inventory = self.inventory();
        let stalling = inventory.findings.iter().filter(|f| f.stalls_destruction());
        findings.extend(stalling.map(|f| Finding::Inventory(f.reason(), f.to_string())));
        if inventory.findings.iter().any(|f| matches!(f, VolumeFinding::SharedSource { .. })) {
            self.look_again();
        }
        if self.extent() == Extent::Unclaimed && inventory.entries.is_empty() {
            findings.push(Finding::NoVolumes);
        }
        if too_long(&inventory) {
            findings.push(Finding::InventoryTooLong(inventory.entries.len(), inventory.snapshots.len()));
        }
        let handed_over = inventory.entries.iter().filter(|e| e.action == Action::HandOver).count();
        if handed_over > HAND_OVER_MAX {
            findings.push(Finding::TooManyToHandOver(handed_over));
        }
        if self.seen.application.is_some()
            && self
                .life
                .status
                .decision
                .as_ref()
                .is_none_or(|d| d.void.is_some() || d.verdict == Verdict::Returned)
        {
            // A watch may lag behind, and consent must be to all there is: published from a quorum read.
            let published = self.status.inventory.as_ref().map(|i| &i.digest);
            let news =
                if too_long(&inventory) { published.is_some() } else { published != Some(&inventory.digest) };
            if news && !self.seen.ground.has_read(RequiredReads::EVERYTHING) {
                return Some(RequiredReads::EVERYTHING);
            }
            self.publish(inventory);
        }
        findings.extend(self.take_consent());
        self.life.valid(&findings);
        let ruling = self.life.take_decision(
            &self.seen.meta,
            &self.seen.ground.guard,
            16,
            self.seen.ground.calendar(),
        );
        // What is to be destroyed is read before that begins: a decision destroys nothing.
        if matches!(ruling, DecisionVerdict::New(_) | DecisionVerdict::Cleared)
            && !self.seen.ground.has_read(RequiredReads::REFERENCES)
        {
            return Some(RequiredReads::REFERENCES);
        }
        self.status.phase = Some(self.prepared_phase(&findings));
        match self.status.phase {
            Some(Phase::HandingOver) => self.approved(),
            Some(phase) => self.stand_before_decision(phase, &findings),
            None => {}
        }
        None
    }

    /// Where the exit stands before it is carried out.
    fn prepared_phase(&self, findings: &[Finding]) -> Phase {
        if self.life.decided(Verdict::Rejected) {
            return Phase::Rejected;
        }
        if decision::approved(&self.life.status, &self.seen.meta.digest).is_some() {
            // Consent was lost between the authority's reading and now: nothing goes on (step 2).
            return if self.consented() { Phase::HandingOver } else { Phase::Withdrawn };
        }
        // Consent to an inventory that is no more is asked for anew; anything else is to be put in order first.
        let in_order = findings.iter().all(|f| matches!(f, Finding::ConsentStale(..)));
        match (in_order, self.consented()) {
            (false, _) => Phase::Inventory,
            (true, false) => Phase::AwaitingConsent,
            (true, true) => Phase::AwaitingDecision,
        }
    }

    /// A volume that shares a source may be anybody's: its going is no news of this exit, so it is looked for.
    pub(super) fn look_again(&mut self) {
        self.life.wake = self.now.checked_add(LOOK_AGAIN).ok();
    }

    /// Taken back by the department, possible until reclaiming begins.
    pub(super) fn withdrawn(&mut self) -> bool {
        if !self.seen.meta.withdrawn() {
            return false;
        }
        self.life.record_event(LifecycleEvent::Withdrawn, "department", None);
        self.end_without_result("withdrawn");
        true
    }

    /// The exit ends without result: the application goes on.
    pub(super) fn end_without_result(&mut self, why: &str) {
        self.status.phase = Some(Phase::Withdrawn);
        for o in [Obligation::Review, Obligation::Reclaim, Obligation::Migration] {
            self.life.drop_clock(o, why);
        }
        self.life.wait_on(Party::None, None, None);
        self.life.set_ready_conditions(&ReadyState::Stalled(
            "Withdrawn",
            Bilingual::new(
                "已撤回或授权失效,应用恢复原状态",
                "withdrawn, or consent was lost; the application is as before",
            ),
        ));
    }

    /// Everything that is wrong with the request by more than itself alone.
    fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.ground.findings(&spec.region);
        let Some((meta, app)) = &self.seen.application else {
            found.push(Finding::ApplicationMissing(spec.application.clone()));
            return found;
        };
        if app.spec.region != spec.region {
            found.push(Finding::RegionMismatch(spec.region.clone(), app.spec.region.clone()));
        }
        if self.status.application_uid.as_ref().is_some_and(|u| *u != meta.uid) {
            found.push(Finding::ApplicationMissing(spec.application.clone()));
        }
        let status = app.status.as_ref();
        let phase = status.and_then(|s| s.phase);
        let own_exit = phase == Some(ApplicationPhase::Exiting)
            && status.and_then(|s| s.decommission.as_ref()) == Some(&self.seen.meta.name);
        let active =
            matches!(phase, Some(ApplicationPhase::Provisioned | ApplicationPhase::Live)) || own_exit;
        let leftover = spec.scope == Scope::Volumes && phase == Some(ApplicationPhase::Exited);
        if !active && !leftover {
            let phase = phase.map_or_else(|| "Submitted".to_owned(), |p| format!("{p:?}"));
            found.push(Finding::ApplicationNotActive(spec.application.clone(), phase));
        }
        let own = (self.seen.meta.created_at, "Decommission", self.seen.meta.name.as_str());
        let before = |o: &&OpenRequest| (o.created_at, o.kind, o.name.as_str()) < own;
        if let Some(other) = self.seen.others.iter().find(before) {
            found.push(Finding::AnotherOpen(other.kind.to_owned(), other.name.clone()));
        }
        found
    }

    /// Publishes the inventory where it changed; consent to another one is void (step 1, 2).
    fn publish(&mut self, inventory: volumes::Inventory) {
        self.status.application_uid = self.seen.application.as_ref().map(|(m, _)| m.uid.clone());
        if self.status.inventory.as_ref().is_some_and(|i| i.digest == inventory.digest) {
            return;
        }
        if self.status.consent.take().is_some() {
            self.life.record_event(LifecycleEvent::ConsentVoid, "govcloud-operator", Some(23));
        }
        if too_long(&inventory) {
            // A part of it would be consent to a part: nothing is published, so nothing can be consented to.
            self.status.inventory = None;
            return;
        }
        let count = inventory.entries.len() + inventory.snapshots.len();
        self.life.record_event(
            LifecycleEvent::InventoryPublished(inventory.digest.clone(), count),
            "govcloud-operator",
            Some(23),
        );
        self.status.inventory = Some(Inventory {
            digest: inventory.digest,
            published_at: self.now.into(),
            note: NOTE.to_owned(),
            entries: inventory.entries,
            snapshots: inventory.snapshots,
        });
    }

    /// Takes the department's consent, if it names exactly the published inventory (step 2).
    fn take_consent(&mut self) -> Option<Finding> {
        let given = self.seen.record.spec.consent.as_ref()?;
        let published = self.status.inventory.as_ref()?;
        if given.inventory_digest != published.digest {
            return Some(Finding::ConsentStale(given.inventory_digest.clone(), published.digest.clone()));
        }
        if self.status.consent.as_ref().is_none_or(|c| c.digest != given.inventory_digest) {
            let by = self.seen.meta.annotations.get(keys::CONSENTED_BY).cloned().unwrap_or_default();
            self.status.consent = Some(GivenConsent {
                digest: given.inventory_digest.clone(),
                by: by.clone(),
                at: self.now.into(),
            });
            self.life.record_event(LifecycleEvent::Consented(given.inventory_digest.clone()), &by, Some(23));
        }
        None
    }

    /// Whether the department consented to exactly what is there now (S2).
    pub(super) fn consented(&self) -> bool {
        let published = self.status.inventory.as_ref().map(|i| &i.digest);
        let spec = self.seen.record.spec.consent.as_ref().map(|c| &c.inventory_digest);
        let given = self.status.consent.as_ref().map(|c| &c.digest);
        published.is_some()
            && published == spec
            && published == given
            && published == Some(&self.inventory().digest)
    }

    /// Approved: the provider is notified and its clock starts (Art. 16).
    fn approved(&mut self) {
        self.life.record_notice(16);
        self.keep_clock();
        reclaim::stand_handing_over(self);
    }

    /// The provider's clock; it starts late, from the same instant, where there was no calendar.
    pub(super) fn keep_clock(&mut self) {
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        let days = region.spec().working_days.reclaim;
        let notified = self.life.notified_at();
        self.life.start_clock(Obligation::Reclaim, Party::Provider, days, notified, calendar);
        self.keep_migration_clock(notified);
    }

    /// Whether the spec is another than the one that was approved: said, and nothing is done from it (S7).
    pub(super) fn altered(&mut self) -> bool {
        if decision::approved(&self.life.status, &self.seen.meta.digest).is_some() {
            return false;
        }
        if !self.life.stalled_for("SpecAltered") {
            self.life.record_event(LifecycleEvent::SpecAltered, "govcloud-operator", Some(16));
        }
        self.life.wait_on(Party::Authority, Some("Investigation"), None);
        self.life.set_ready_conditions(&ReadyState::spec_altered());
        true
    }

    /// The plan.
    fn end(mut self, stored: &DecommissionStatus, steps: Vec<Step>) -> Plan<DecommissionStatus> {
        self.life.record_phase(stored.phase, self.status.phase, 16);
        let Self { life, mut status, .. } = self;
        let (record, events, wake) = life.end(&stored.record);
        status.record = record;
        Plan { reread: None, steps, status, events, wake }
    }
}

/// Whether there is more than an inventory can list.
fn too_long(inventory: &volumes::Inventory) -> bool {
    inventory.entries.len().max(inventory.snapshots.len()) > INVENTORY_MAX
}
