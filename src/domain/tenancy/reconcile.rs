//! From an order and the live objects to writes and a report.

use std::collections::BTreeMap;

use govcloud_api::resources;
use govcloud_api::tenancy::Restriction;
use govcloud_api::{OPERATOR_NAME, keys};
use serde_json::json;

use super::namespace::{Ownership, earlier_owners, ownership, predecessor, take_back_patch};
use super::{
    LiveNamespace, LiveObject, LiveVolume, NamespaceReport, NamespaceState, TenancyOrder, TenancyReport,
    Tenant, TenantObject, WriteStep, adoption, desired, drift, quota, resources_in_namespace,
};
use crate::plan::{Precondition, Step, Target, Write};

/// Carries an order out as far as the live objects allow: the writes that are left, none where nothing differs (S11),
/// and the state of every namespace. While one namespace is an obstacle, no namespace is written to; volumes are
/// protected all the same (S5).
#[must_use]
pub fn reconcile(
    order: &TenancyOrder,
    live: &[LiveNamespace],
    volumes: &[LiveVolume],
) -> (Vec<Step>, TenancyReport) {
    let mut batch = WriteBatch::default();
    let mut report = TenancyReport::default();
    for namespace in &order.namespaces {
        let tenant = Tenant::new(order, namespace);
        let live = live.iter().find(|live| live.name() == namespace.name);
        report.namespaces.push(reconcile_namespace(&tenant, live, &mut batch));
    }
    if report.obstacle().is_some() {
        batch = WriteBatch::default();
    }
    for volume in volumes {
        // Of a namespace that is adopted, the volumes are retained before it is marked (S5).
        let first = adoption::takes(&batch.marked, volume);
        if first || needs_protection(order, live, volume) {
            let step = if first { &mut batch.volumes } else { &mut batch.namespaces };
            step.push(protect(order, volume));
            report.protected_volumes.push(volume.uid.clone());
        }
    }
    (batch.into_steps(), report)
}

/// The writes of one order in the order in which they must happen.
#[derive(Debug, Default)]
struct WriteBatch {
    /// Names of the namespaces that are marked as adopted.
    marked: Vec<String>,
    volumes: Vec<Write>,
    namespaces: Vec<Write>,
    bounds: Vec<Write>,
    access: Vec<Write>,
    /// Patches that take away what an apply leaves standing.
    corrections: Vec<Write>,
}

impl WriteBatch {
    fn push(&mut self, step: WriteStep, write: Write) {
        match step {
            WriteStep::Namespace => self.namespaces.push(write),
            WriteStep::Bounds => self.bounds.push(write),
            WriteStep::Access => self.access.push(write),
        }
    }

    fn into_steps(self) -> Vec<Step> {
        let Self { marked: _, volumes, namespaces, bounds, access, corrections } = self;
        let steps = [volumes, namespaces, bounds, access, corrections];
        steps.into_iter().filter(|writes| !writes.is_empty()).map(Step::Write).collect()
    }
}

fn reconcile_namespace(
    tenant: &Tenant,
    live: Option<&LiveNamespace>,
    batch: &mut WriteBatch,
) -> NamespaceReport {
    let namespace = tenant.namespace;
    let mut differences = Vec::new();
    let quota = live.and_then(granted_quota);
    let counted = quota.map(|quota| quota::QuotaUse::of(&quota.object)).unwrap_or_default();
    let ownership = ownership(tenant, live);
    // On the way out nothing is made any more: what is gone, or another's now, has ended.
    let leaving = tenant.order.reclaiming || namespace.restriction != Restriction::None;
    let state = match ownership {
        // It was to be taken back or adopted, and is not there.
        Ownership::Absent if namespace.take_back.is_some() || namespace.adoption.is_some() => {
            NamespaceState::Lost
        }
        Ownership::Absent | Ownership::Ours => reconcile_objects(tenant, live, batch, &mut differences),
        Ownership::Lost | Ownership::Terminating if leaving => NamespaceState::Released,
        Ownership::Taken if leaving && namespace.uid.is_some() => NamespaceState::Released,
        Ownership::Lost => NamespaceState::Lost,
        Ownership::Terminating => NamespaceState::Terminating,
        Ownership::Taken => match live.and_then(|live| take_back(tenant, live)) {
            Some(write) => {
                batch.namespaces.push(write);
                NamespaceState::Drifted
            }
            None => match live.and_then(|live| adoption::mark(tenant, live)) {
                Some(write) => {
                    batch.namespaces.push(write);
                    batch.marked.push(namespace.name.clone());
                    NamespaceState::Drifted
                }
                None => NamespaceState::Taken,
            },
        },
    };
    NamespaceReport {
        entry: namespace.entry.clone(),
        name: namespace.name.clone(),
        uid: match state {
            // Whatever stands there now, the recorded one is what ended.
            NamespaceState::Released => namespace.uid.clone().or_else(|| live.map(uid)),
            _ => live.map(uid).or_else(|| namespace.uid.clone()),
        },
        state,
        differences,
        not_counted: counted.not_counted(),
        used: counted.used,
        unenforced: live.map(|live| adoption::unenforced(tenant, live)).unwrap_or_default(),
        quota_since: quota
            .and_then(|quota| quota.object["metadata"]["creationTimestamp"].as_str()?.parse().ok()),
    }
}

/// Brings every object of one namespace to what is ordered, and removes those that are not ordered any more. Nobody gets new
/// access before the API server enforces the quota: until then nothing would limit them (S1).
fn reconcile_objects(
    tenant: &Tenant,
    live: Option<&LiveNamespace>,
    batch: &mut WriteBatch,
    differences: &mut Vec<String>,
) -> NamespaceState {
    let objects = desired(tenant.order, tenant.namespace);
    let found = |object: &TenantObject| live.and_then(|live| live.all().find(|found| object.is(found)));
    let quotas = objects.iter().filter(|object| object.rules.resource == resources::RESOURCE_QUOTA);
    let enforced =
        quotas.map(found).all(|quota| quota.is_some_and(|quota| quota::is_in_force(&quota.object)));
    for object in &objects {
        let named = |path: &str| format!("{}/{} {path}", object.kind(), object.name);
        let Some(found) = found(object) else {
            if object.rules.step == WriteStep::Access && !enforced {
                continue;
            }
            differences.push(named("-"));
            if adoption::comes_later(tenant, object, &objects, live) {
                continue;
            }
            let body = object.body.clone();
            // POST until the namespace was in force, so that nothing of that name is ever adopted (S3).
            let write = match live.and(tenant.namespace.uid.as_ref()) {
                None => Write::Create(object.target(), body),
                Some(_) => Write::Apply(object.target(), body),
            };
            batch.push(object.rules.step, write);
            continue;
        };
        let drift = drift(object, found);
        if drift.is_empty() {
            continue;
        }
        differences.extend(drift.paths().iter().map(|path| named(path)));
        let write = if drift.must_replace() {
            Write::Delete(object.target(), found.precondition())
        } else {
            let patch = drift.removal_patch().map(|patch| Write::Correct(object.target(), patch));
            batch.corrections.extend(patch);
            Write::Apply(object.target(), object.body.clone())
        };
        batch.push(object.rules.step, write);
    }
    let undesired = live.into_iter().flat_map(|live| undesired(tenant, live, &objects));
    for object in undesired {
        differences.push(format!("{}/{} +", object.resource.kind, object.name));
        let target = Target::namespaced(object.resource, &tenant.namespace.name, &object.name);
        batch.access.push(Write::Delete(target, object.precondition()));
    }
    match differences.is_empty() {
        false => NamespaceState::Drifted,
        true if enforced => NamespaceState::InForce,
        true => NamespaceState::QuotaPending,
    }
}

/// Live objects of ours that are no longer ordered: a RoleBinding whose role lost its subjects, a NetworkPolicy of an earlier
/// release. Never a Namespace and never data: those end only through a Decommission (S3). A LimitRange
/// is left as it is while the Region's limits contradict each other.
fn undesired<'a>(
    tenant: &Tenant,
    live: &'a LiveNamespace,
    desired: &[TenantObject],
) -> impl Iterator<Item = &'a LiveObject> {
    let left = (tenant.order.limit_range.is_none()).then_some(resources::LIMIT_RANGE);
    let marks = adoption::marks(tenant.namespace);
    let ours = move |object: &&LiveObject| {
        !marks
            && left != Some(object.resource)
            && resources_in_namespace().any(|resource| resource == object.resource)
            && object.object["metadata"]["namespace"] == *tenant.namespace.name
            && object.label(keys::APPLICATION_UID) == Some(&tenant.order.application.uid)
            && object.label(keys::MANAGED_BY) == Some(OPERATOR_NAME)
            && !object.is_deleting()
    };
    live.objects.iter().filter(ours).filter(|object| !desired.iter().any(|d| d.is(object)))
}

/// The write that takes one namespace back: of this very UID, and still that earlier record's (S1, S3).
fn take_back(tenant: &Tenant, live: &LiveNamespace) -> Option<Write> {
    let (application, namespace) = (&tenant.order.application, tenant.namespace);
    let take_back = namespace.take_back.as_ref()?;
    let owner = predecessor(application, &namespace.entry, |key| live.namespace.label(key))?;
    let same = live.namespace.uid() == take_back.uid && owner == take_back.from;
    (same && !live.namespace.is_deleting()).then(|| {
        let target = Target::named(resources::NAMESPACE, live.name());
        let patch = take_back_patch(&application.uid, &live.namespace.object);
        Write::Patch(target, live.namespace.precondition(), patch)
    })
}

fn uid(live: &LiveNamespace) -> String {
    live.namespace.uid().to_owned()
}

/// The live ResourceQuota that holds what was granted.
pub fn granted_quota(live: &LiveNamespace) -> Option<&LiveObject> {
    let granted = |o: &&LiveObject| o.resource == resources::RESOURCE_QUOTA && o.name == quota::NAME;
    live.objects.iter().find(granted)
}

/// Returns true for a volume that must be set to `Retain` and labelled, from first sight, while its application is
/// active (S5).
fn needs_protection(order: &TenancyOrder, live: &[LiveNamespace], volume: &LiveVolume) -> bool {
    let loose = volume.reclaim_policy != "Retain" || volume.owner.as_ref() != Some(&order.application.uid);
    loose
        && !order.reclaiming
        && !order.released_volumes.contains(&volume.uid)
        && owns(&order.application.uid, live, volume)
}

/// Returns true if a volume is the application's to protect: by its label; or it stands in one of its namespaces and
/// has no label yet, or that of an earlier record from which just this namespace was taken back.
fn owns(application_uid: &str, live: &[LiveNamespace], volume: &LiveVolume) -> bool {
    if volume.owner.as_deref() == Some(application_uid) {
        return true;
    }
    let claims =
        |n: &&LiveNamespace| n.name() == volume.namespace && n.application_uid() == Some(application_uid);
    let Some(namespace) = live.iter().find(claims) else { return false };
    match &volume.owner {
        None => true,
        Some(owner) => earlier_owners(&namespace.namespace.object).any(|uid| uid == owner),
    }
}

fn protect(order: &TenancyOrder, volume: &LiveVolume) -> Write {
    let labels: BTreeMap<_, _> = order.application.labels().into();
    let patch = json!({
        "metadata": { "labels": labels },
        "spec": { "persistentVolumeReclaimPolicy": "Retain" },
    });
    let precondition =
        Precondition { uid: volume.uid.clone(), resource_version: volume.resource_version.clone() };
    Write::Patch(Target::named(resources::PERSISTENT_VOLUME, &volume.name), precondition, patch)
}
