//! ResourceGrant: exactly what was approved is made and kept, nothing else (Art. 13, 15; S1, S3, S5, S6).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::names;
use super::plan::{Plan, Precondition, RequiredReads, Step, Target, Write};
use super::record::{Meta, ReadyState, StatusBuilder};
use super::region_context::RegionContext;
use super::tenancy::{self, Content, LiveObject, Ownership};
use govcloud_api::application::CloudApplication;
use govcloud_api::change::ChangeRequest;
use govcloud_api::deadline::Party;
use govcloud_api::decommission::{Decommission, DecommissionPhase};
use govcloud_api::disposition::Action;
use govcloud_api::grant::{GrantPhase, ResourceGrant, ResourceGrantStatus, Restriction};
use govcloud_api::keys;
use govcloud_api::record::WaitingFor;
use govcloud_api::resources;

/// A tenant namespace as it is, with the operator's objects in it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveNamespace {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// UID of the application that the operator's label names.
    pub owner: Option<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The Namespace itself.
    pub object: LiveObject,
    /// Operator-labelled ResourceQuotas, LimitRanges, NetworkPolicies and RoleBindings in it, as they are.
    pub objects: Vec<LiveObject>,
}

/// A PersistentVolume bound to a claim in one of the namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveVolume {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Reclaim policy.
    pub reclaim_policy: String,
    /// UID of the application that the operator's label names.
    pub owner: Option<String>,
    /// Namespace of the claim that it serves or last served.
    pub namespace: String,
}

/// All that is read to decide on a grant.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub meta: Meta,
    /// The grant.
    pub record: Arc<ResourceGrant>,
    /// Its ground.
    pub ground: RegionContext,
    /// The application of the same name.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// The change that `spec.approved` names, where it names one.
    pub change: Option<(Meta, Arc<ChangeRequest>)>,
    /// The exit that is under way or done.
    pub exit: Option<Arc<Decommission>>,
    /// Its namespaces that exist.
    pub namespaces: Vec<LiveNamespace>,
    /// The volumes bound in them.
    pub volumes: Vec<LiveVolume>,
    /// Exits of scope Volumes that are being reclaimed: what they destroy is not kept.
    pub clearing: Vec<Arc<Decommission>>,
}

mod gate;
pub(super) mod order;
mod outcome;
mod place;
mod ready_state;
mod reattach;
pub mod work_order;

use crate::reason::Reason;
pub(super) use gate::same_amount;
pub use gate::{Gate, gate};
pub(super) use order::access;
use order::{WriteBatch, removal};
use place::{NamespaceSlot, places};
use ready_state::{lost, taken, terminating};

/// Decides what is to be done for a grant now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ResourceGrantStatus> {
    let unseen = ResourceGrantStatus::default();
    let stored = seen.record.status.as_ref().unwrap_or(&unseen);
    let mut status = stored.clone();
    let record = std::mem::take(&mut status.record);
    let mut case =
        Evaluation { seen, now, life: StatusBuilder::rewriting(record, seen.meta.generation, now), status };
    let gate = gate(seen, stored);
    case.received();
    let effective = match &gate {
        Gate::InForce | Gate::Accepted => &seen.record.spec.namespaces[..],
        Gate::Ended => &[],
        Gate::Waiting(_) | Gate::InUse(_) | Gate::Refused(_) | Gate::Altered => &stored.granted,
    };
    let places: Vec<_> = places(effective, seen).collect();
    let opens = gate == Gate::Accepted && stored.in_force.as_ref() != Some(&seen.record.spec.approved);
    let made = match &seen.ground.region {
        None if gate.accepts() => {
            let finding = Finding::UnknownRegion(seen.record.spec.region.clone());
            Err(ReadyState::Stalled(finding.reason(), finding.text()))
        }
        _ if case.certain(&gate) => case.make(&places, opens),
        _ => Ok(WriteBatch::default()),
    };
    let (mut order, held) = match made {
        Ok(order) => (order, None),
        Err(standing) => (WriteBatch::default(), Some(standing)),
    };
    // S1: nothing is made or enlarged on what a cache says. Where it is all there, nothing is.
    if opens && !order.is_empty() && !seen.ground.has_read(RequiredReads::RECORDS) {
        return Plan::reread(RequiredReads::RECORDS, stored.clone());
    }
    // S5: whatever else is held up, volumes are kept.
    if !case.reclaiming() {
        order.first.extend(case.keep_volumes());
    }
    let steps = order.steps();
    match held {
        Some(standing) => case.hold(&gate, &standing),
        None if steps.is_empty() => case.rest(&gate, &places),
        None => {}
    }
    case.end(stored, steps)
}

/// How far an exit restricts one namespace (design, section 6, step 4).
#[must_use]
pub fn restriction(exit: Option<&Decommission>, namespace: &str) -> Restriction {
    let Some(status) = exit.and_then(|e| e.status.as_ref()) else { return Restriction::None };
    match status.phase {
        Some(DecommissionPhase::HandingOver) => {
            let received =
                |uid: &str| exit.is_some_and(|e| e.spec.hand_over.iter().any(|r| r.volume_uid == uid));
            let entries = status.inventory.iter().flat_map(|i| &i.entries);
            let waits = entries.filter(|e| e.namespace == namespace).any(|e| {
                e.action == Action::HandOver && e.volume_uid.as_deref().is_some_and(|u| !received(u))
            });
            if waits { Restriction::HandingOver } else { Restriction::Quiesced }
        }
        Some(DecommissionPhase::Reclaiming | DecommissionPhase::Completed) => Restriction::Quiesced,
        _ => Restriction::None,
    }
}

/// A grant being decided on.
struct Evaluation<'a> {
    seen: &'a Observed,
    now: Timestamp,
    life: StatusBuilder,
    status: ResourceGrantStatus,
}

impl Evaluation<'_> {
    /// The writes that bring the tenant objects to what is granted; none where nothing differs (S11).
    /// `opens` where the approval that the grant carries out is not in force yet.
    fn make(&self, places: &[NamespaceSlot<'_>], opens: bool) -> Result<WriteBatch, ReadyState> {
        let reclaiming = self.reclaiming();
        let common = self.common();
        let mut order = WriteBatch::default();
        for place in places {
            let tenant = self.tenant(place, &common);
            let NamespaceSlot { live, .. } = *place;
            match tenancy::ownership(&tenant, live.map(LiveNamespace::marks)) {
                Ownership::Absent if opens && self.left_behind(tenant.entry).is_some() => {
                    return Err(lost(tenant.namespace));
                }
                Ownership::Absent | Ownership::Ours => {}
                Ownership::Vanished | Ownership::Terminating if reclaiming => continue,
                Ownership::Terminating => return Err(terminating(tenant.namespace)),
                Ownership::Vanished => return Err(lost(tenant.namespace)),
                Ownership::Taken => match live.and_then(|l| self.take_back(&tenant, l)).filter(|_| opens) {
                    Some(write) => {
                        order.first.push(write);
                        continue;
                    }
                    None => return Err(taken(tenant.namespace, live)),
                },
            }
            let objects = live.map_or(&[][..], |n| &n.objects);
            let mut wanted = 0;
            for object in tenancy::each(&tenant) {
                let found = match object.content() {
                    Content::Namespace => live.map(|n| &n.object),
                    _ => objects.iter().find(|o| object.is(o)).inspect(|_| wanted += 1),
                };
                order.bring(&object, found, live.is_none());
            }
            if wanted < objects.len() {
                let extra = tenancy::extra(objects, &tenancy::desired(&tenant));
                order.last.extend(extra.into_iter().filter_map(removal));
            }
        }
        Ok(order)
    }

    /// Whether what the tenant objects follow from is there and stands: with a record, a region or an approval
    /// missing, what is there is left as it is (S3).
    fn certain(&self, gate: &Gate) -> bool {
        let own = |a: &Meta| a.uid == self.seen.record.spec.application.uid;
        let application = self.seen.application.as_ref().is_some_and(|(m, _)| own(m));
        application && self.seen.ground.region.is_some() && *gate != Gate::Altered
    }

    /// The order arrived.
    fn received(&mut self) {
        if self.life.first_visit() {
            let Meta { created_at, .. } = &self.seen.meta;
            let by = self.seen.meta.requested_by();
            let by = if by.is_empty() { "provider" } else { by };
            let at = created_at.filter(|c| *c <= self.now).unwrap_or(self.now);
            self.life.record_event_at(LifecycleEvent::GrantReceived, by, Some(13), at);
        }
    }

    /// Whether an exit of the application is past the point of no return.
    fn reclaiming(&self) -> bool {
        matches!(self.phase_of_exit(), Some(DecommissionPhase::Reclaiming | DecommissionPhase::Completed))
    }

    /// Where the exit stands.
    fn phase_of_exit(&self) -> Option<DecommissionPhase> {
        self.seen.exit.as_ref()?.status.as_ref()?.phase
    }

    /// While an application is active its volumes are `Retain` and labelled, from first sight (S5).
    fn keep_volumes(&self) -> Vec<Write> {
        let spec = &self.seen.record.spec;
        let destroys = |d: &Decommission, uid: &str| {
            let entries = d.status.iter().filter_map(|s| s.inventory.as_ref()).flat_map(|i| &i.entries);
            entries.filter(|e| e.action.destroys()).any(|e| e.volume_uid.as_deref() == Some(uid))
        };
        let cleared = |v: &&LiveVolume| !self.seen.clearing.iter().any(|d| destroys(d, &v.uid));
        let own = |v: &&LiveVolume| self.owns(v);
        let loose = |v: &&LiveVolume| {
            v.reclaim_policy != "Retain" || v.owner.as_deref() != Some(&spec.application.uid)
        };
        let keep = |v: &LiveVolume| {
            let body = json!({
                "metadata": { "labels": {
                    keys::APPLICATION_UID: spec.application.uid, keys::APPLICATION: names::label_value(&spec.application.name),
                    keys::DEPARTMENT: self.seen.meta.namespace, keys::REGION: spec.region,
                } },
                "spec": { "persistentVolumeReclaimPolicy": "Retain" },
            });
            let precondition =
                Precondition { uid: v.uid.clone(), resource_version: v.resource_version.clone() };
            Write::Patch(Target::named(resources::PERSISTENT_VOLUME, &v.name), precondition, body)
        };
        self.seen.volumes.iter().filter(own).filter(cleared).filter(loose).map(keep).collect()
    }

    /// The plan.
    fn end(mut self, stored: &ResourceGrantStatus, steps: Vec<Step>) -> Plan<ResourceGrantStatus> {
        if !steps.is_empty() {
            let standing = match &self.seen.ground.trouble {
                Some(t) => ReadyState::write_refused(t),
                None => ReadyState::Reconciling(
                    Reason::Applying,
                    Bilingual::new("正在开通资源", "resources are being provisioned"),
                ),
            };
            self.status.phase =
                self.status.phase.filter(|p| *p == GrantPhase::Active).or(Some(GrantPhase::Applying));
            self.life.wait_on(Party::Provider, Some(WaitingFor::Provision), None);
            self.life.set_ready_conditions(&standing);
        }
        self.life.record_phase(stored.phase, self.status.phase, 13);
        let Self { life, mut status, .. } = self;
        let (record, events, wake) = life.end(&stored.record);
        status.record = record;
        Plan { reread: None, steps, status, events, wake }
    }
}
