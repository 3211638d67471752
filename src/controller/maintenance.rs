//! Maintenance and those whom it affects (Art. 18): gathered for decisions, and who is woken when it changes
//! (`docs/decisions/0011-maintenance-reaches-applications.md`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::cluster_state::{ClusterState, Record};
use super::queue::{Key, Kind};
use super::store::{Changed, Held as _};
use super::tags;
use govcloud_api::application::{AnnouncedMaintenance, ApplicationPhase, CloudApplication};
use govcloud_api::change::{ChangePhase, ChangeRequest, PlatformMaintenance};
use govcloud_domain::maintenance::notice::{ApprovedWindow, MaintenanceView};
use govcloud_domain::{decision, maintenance};

impl ClusterState {
    /// Maintenance that affects an application and is not over, found by tag, and what it was told of, found by name:
    /// the ended ones of all the years before are not looked through.
    pub(super) fn maintenances(
        &self,
        key: &Key,
        region: &str,
        announced: &[AnnouncedMaintenance],
    ) -> Vec<MaintenanceView> {
        let all = self.changes.tagged(&tags::maintains_all(region));
        let named = self.changes.tagged(&tags::maintains(key.namespace(), key.name()));
        let told = announced
            .iter()
            .filter_map(|a| self.changes.get(&a.namespace, &a.name).filter(|r| r.meta.uid == a.uid));
        let of_region = |r: &Arc<Record<ChangeRequest>>| r.tagged(&tags::maintenance(region));
        let found = all.into_iter().chain(named.into_iter().filter(of_region)).chain(told);
        let by_uid: BTreeMap<String, MaintenanceView> =
            found.map(|r| (r.meta.uid.clone(), maintenance_view(&r))).collect();
        by_uid.into_values().collect()
    }

    /// The applications that a maintenance names and that do not exist in its region.
    pub(super) fn affected_missing(&self, region: &str, plan: &PlatformMaintenance) -> Vec<String> {
        let there = |namespace: &str, name: &str| {
            self.applications.get(namespace, name).is_some_and(|a| a.tagged(&tags::region(region)))
        };
        let named = plan.affects.applications.iter().flatten();
        named
            .filter(|a| !there(&a.namespace, &a.name))
            .map(|a| format!("{}/{}", a.namespace, a.name))
            .collect()
    }

    /// Other approved maintenance of a region that is not over.
    pub(super) fn other_maintenances(&self, own: &Key, region: &str) -> Vec<(String, Arc<ChangeRequest>)> {
        let all = self.changes.tagged(&tags::maintenance(region));
        all.iter()
            .filter(|r| (r.meta.namespace.as_str(), r.meta.name.as_str()) != (own.namespace(), own.name()))
            .filter_map(|r| Some((format!("{}/{}", r.meta.namespace, r.meta.name), r.typed().ok()?.clone())))
            .filter(|(_, c)| maintenance::is_ahead(c))
            .collect()
    }

    /// Who must hear of it when a maintenance was approved, began or ended: the applications in use that it affects,
    /// and other maintenance of the region, whose windows may overlap. Nobody, where nothing of that changed.
    pub(super) fn after_maintenance(&self, changed: &Changed<Record<ChangeRequest>>) -> Vec<Key> {
        let stand =
            |r: &Option<Arc<Record<ChangeRequest>>>| r.as_ref().map(|r| (phase(r), r.meta.digest.clone()));
        let both = [&changed.old, &changed.new];
        let matters = |r: &Arc<Record<ChangeRequest>>| phase(r).is_some_and(ChangePhase::is_ahead);
        if stand(&changed.old) == stand(&changed.new) || !both.into_iter().flatten().any(matters) {
            return Vec::new();
        }
        let mut keys = Vec::new();
        for tag in both.into_iter().flatten().flat_map(|r| r.tags()) {
            if let Some(region) = tags::region_of_all(tag) {
                let of_region = self.applications.tagged(&tags::region(region));
                keys.extend(of_region.iter().filter_map(|a| in_use(a)));
            }
            if let Some((namespace, name)) = tags::maintained(tag) {
                keys.extend(self.applications.get(namespace, name).and_then(|a| in_use(&a)));
            }
            if tags::is_maintenance(tag) {
                let others = self.changes.tagged(tag);
                keys.extend(others.iter().map(|r| Key::new(Kind::Change, &r.meta.namespace, &r.meta.name)));
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }

    /// The maintenance that names an application which came or went.
    pub(super) fn naming(&self, changed: &Changed<Record<CloudApplication>>) -> Vec<Key> {
        let ((None, Some(r)) | (Some(r), None)) = (&changed.old, &changed.new) else { return Vec::new() };
        let maintenance = self.changes.tagged(&tags::maintains(&r.meta.namespace, &r.meta.name));
        maintenance.iter().map(|r| Key::new(Kind::Change, &r.meta.namespace, &r.meta.name)).collect()
    }
}

/// A status, as far as it says where a record stands.
#[derive(Deserialize)]
struct Phase<P> {
    phase: Option<P>,
}

/// Where a change stands, read of what is stored: also of one that does not fit the schema.
fn phase(r: &Record<ChangeRequest>) -> Option<ChangePhase> {
    r.status_as::<Phase<_>>()?.phase
}

/// A maintenance as those affected see it. What cannot be read is there all the same: its phase is.
fn maintenance_view(r: &Record<ChangeRequest>) -> MaintenanceView {
    let typed = r.typed().ok();
    let status = typed.and_then(|c| c.status.as_ref());
    let stands = status.is_some_and(|s| decision::approved(&s.record, &r.meta.digest).is_some());
    let plan = typed.and_then(|c| c.spec.platform_maintenance.as_ref()).filter(|_| stands);
    MaintenanceView {
        uid: r.meta.uid.clone(),
        namespace: r.meta.namespace.clone(),
        name: r.meta.name.clone(),
        phase: phase(r),
        approved: plan.map(|p| ApprovedWindow { window: p.window.clone(), impact: p.impact }),
        outcome: typed.and_then(|c| c.spec.maintenance_outcome.clone()),
    }
}

/// The key of an application that maintenance can affect.
fn in_use(application: &Record<CloudApplication>) -> Option<Key> {
    let phase: ApplicationPhase = application.status_as::<Phase<_>>()?.phase?;
    phase
        .is_in_use()
        .then(|| Key::new(Kind::Application, &application.meta.namespace, &application.meta.name))
}
