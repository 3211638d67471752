//! ResourceGrant: exactly what was approved is made and kept, nothing else (Art. 13, 15; S1, S3, S5, S6).
//!
//! Three steps: [`gate`] compares the grant with its approval, [`order`] says what its tenant namespaces must be, and
//! [`tenancy::reconcile`] carries that out and reports. Status, events and conditions follow from the report.

use std::sync::Arc;

use jiff::Timestamp;

use super::finding::Bilingual;
use super::lifecycle_event::LifecycleEvent;
use super::plan::{Plan, RequiredReads, Step};
use super::reason::Reason;
use super::record::{Actor, Meta, ReadyState, StatusBuilder};
use super::region_context::RegionContext;
use super::tenancy;
pub use super::tenancy::{LiveNamespace, LiveVolume};
use govcloud_api::application::CloudApplication;
use govcloud_api::change::ChangeRequest;
use govcloud_api::deadline::Party;
use govcloud_api::decommission::Decommission;
use govcloud_api::grant::{ApprovalKind, GrantPhase, ResourceGrant, ResourceGrantStatus};
use govcloud_api::record::WaitingFor;

mod adoption;
mod gate;
mod obstacle;
mod order;
mod outcome;
mod pending;
pub mod work_order;

pub(super) use gate::same_amount;
pub use gate::{Gate, gate};
use obstacle::{obstacle, unknown_region};
pub use order::{name_of, order, restriction};

/// Everything that is read to decide on a grant.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub meta: Meta,
    /// The grant.
    pub record: Arc<ResourceGrant>,
    /// Its Region.
    pub region_context: RegionContext,
    /// The application of the same name.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// The change that `spec.approved` names, where it names one.
    pub change: Option<(Meta, Arc<ChangeRequest>)>,
    /// The approved change that is being carried out on the application, whether the grant names it already or not.
    pub applying: Option<Arc<ChangeRequest>>,
    /// The exit that is under way or done.
    pub exit: Option<Arc<Decommission>>,
    /// Its namespaces that exist.
    pub namespaces: Vec<LiveNamespace>,
    /// The volumes bound in them.
    pub volumes: Vec<LiveVolume>,
    /// Exits of scope Volumes that are being reclaimed: the volumes that they destroy are not protected.
    pub clearing: Vec<Arc<Decommission>>,
}

/// Decides what is to be done for a grant now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ResourceGrantStatus> {
    let unseen = ResourceGrantStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let gate = gate(seen, stored);
    let order = order(seen, stored, &gate, now);
    let (steps, report) = tenancy::reconcile(&order, &seen.namespaces, &seen.volumes);
    // S1: nothing is made or enlarged on what a cache says. Where it is all there, nothing is.
    let opens = order::opens(seen, stored, &gate);
    if opens && report.has_drifted() && !seen.region_context.has_read(RequiredReads::RECORDS) {
        return Plan::reread(RequiredReads::RECORDS, stored.clone());
    }
    let (builder, mut status) = StatusBuilder::split(stored, seen.meta.generation, now);
    let refused_before = status.refusal_digest.take();
    let mut evaluation = Evaluation { seen, now, builder, status, refused_before };
    evaluation.received();
    let stalled = if gate.accepts() && seen.region_context.region.is_none() {
        Some(unknown_region(&seen.record.spec))
    } else {
        report.obstacle().map(|namespace| obstacle(seen, &order, namespace))
    };
    match stalled {
        Some(state) => evaluation.stall(&gate, &state),
        None if !steps.is_empty() => {}
        None => match pending::pending(seen, stored, &gate, &order, &report) {
            // The quota controller answers within the second, most of the time: that is not worth a status of its own.
            Some((_, until)) if now < until => {
                return Plan::settle(stored.clone(), Vec::new(), Some(until));
            }
            Some((namespace, _)) => evaluation.await_quota(namespace),
            None => evaluation.settle(&gate, &order, &report),
        },
    }
    evaluation.await_facets();
    evaluation.into_plan(stored, steps)
}

/// A grant being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    builder: StatusBuilder,
    status: ResourceGrantStatus,
    /// Digest of the differences for which it was refused when it was last decided on.
    refused_before: Option<String>,
}

impl Evaluation<'_> {
    /// The article under which the grant is carried out: on provisioning (Art. 13) or on changes (Art. 15).
    fn article(&self) -> i32 {
        match self.seen.record.spec.approved.kind {
            ApprovalKind::CloudApplication => 13,
            ApprovalKind::ChangeRequest => 15,
        }
    }

    /// Records that the grant arrived (Art. 13).
    fn received(&mut self) {
        if self.builder.first_visit() {
            let Meta { created_at, .. } = &self.seen.meta;
            let by = self.seen.meta.requested_by();
            let by = Actor::person(by, Party::Provider);
            let at = created_at.filter(|c| *c <= self.now).unwrap_or(self.now);
            self.builder.record_event_at(LifecycleEvent::GrantReceived, by, Some(13), at);
        }
    }

    fn into_plan(mut self, stored: &ResourceGrantStatus, steps: Vec<Step>) -> Plan<ResourceGrantStatus> {
        if !steps.is_empty() {
            let state = match &self.seen.region_context.trouble {
                Some(t) => ReadyState::write_failed(t),
                None => ReadyState::Reconciling(
                    Reason::Applying,
                    Bilingual::new("正在开通资源", "resources are being provisioned"),
                ),
            };
            self.status.phase =
                self.status.phase.filter(|p| *p == GrantPhase::Active).or(Some(GrantPhase::Applying));
            self.builder.wait_on(Party::Provider, Some(WaitingFor::Provision), None);
            self.builder.set_ready_conditions(&state);
        }
        let article = self.article();
        self.builder.finish(self.status, stored, steps, article)
    }
}

#[cfg(test)]
mod tests;
