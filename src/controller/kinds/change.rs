//! ChangeRequest: resource adjustments (Art. 15) and platform maintenance (Art. 18).

use std::collections::BTreeMap;
use std::sync::Arc;

use govcloud_api::application::AnnouncedMaintenance;
use govcloud_api::change::{ChangePhase, ChangeRequest, PlatformMaintenance};
use govcloud_api::decommission::Decommission;
use govcloud_api::filed::Filed as FiledRecord;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::record::Verdict;
use govcloud_api::resources;
use govcloud_domain::maintenance::notice::{ApprovedWindow, MaintenanceView};
use govcloud_domain::open_request::OpenRequest;
use govcloud_domain::tenancy::quota::{self, QuotaUse};
use govcloud_domain::{change, decision, maintenance};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::compliance::{counts_differently, relies_on};
use super::filed::{REQUEST, filed_index, region_in_spec};
use super::namespace::identity_differs;
use super::settings::SETTINGS;
use super::{
    Dependency, Filed, Kind, KindSpec, Live, Priority, RecordSpec, Watched, existence, links, tenant_objects,
};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Change,
    resource: resources::CHANGE_REQUEST,
    watched: Watched::All,
    priority: Priority::High,
    index,
    count: Census::record::<ChangeRequest>,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &REQUEST, &READS, &tenant_objects::USE],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<ChangeRequest>,
        debounce: None,
        filed: Some(Filed {
            applications: adjusted,
            namespaces: Some("/resourceAdjustment/namespaces"),
            is_over,
        }),
    }),
};

static READS: [Dependency; 4] = [
    Dependency::on(Kind::Namespace, links::WANTED_NAMESPACES, identity_differs),
    // Maintenance names applications (Art. 18).
    Dependency::on(Kind::Application, links::AFFECTED_APPLICATIONS, existence).confirm_missing(),
    // Its window may overlap with that of other maintenance.
    Dependency::on(Kind::Change, links::MAINTENANCE_OF_REGION, maintenance_moved),
    // It may name an emergency plan (Art. 18).
    Dependency::on(Kind::Compliance, links::EMERGENCY_PLAN, counts_differently)
        .live(Live::Reference)
        .confirm_missing(),
];

fn phase(change: &Object) -> Option<ChangePhase> {
    super::filed::phase(change)
}

fn is_over(change: &Object) -> bool {
    phase(change).is_some_and(ChangePhase::is_over)
}

/// The application that a resource adjustment names.
fn adjusted(change: &Object) -> Vec<String> {
    let spec = change.spec();
    let name = spec.pointer("/resourceAdjustment/application").and_then(Value::as_str);
    name.map(str::to_owned).into_iter().collect()
}

/// Returns true if a maintenance affects every application of its Region.
pub(super) fn affects_all(maintenance: &Object) -> bool {
    let spec = maintenance.spec();
    let plan = spec.get("platformMaintenance");
    plan.is_some_and(|p| p.pointer("/affects/applications").is_none_or(|a| !a.is_array()))
}

/// Returns true if a maintenance was approved, began, ended or changed while it lay ahead (Art. 18).
pub(super) fn maintenance_moved(_: &ClusterState, change: &Change) -> bool {
    let ahead = change.both().any(|c| phase(c).is_some_and(ChangePhase::is_ahead));
    ahead && change.differs(|c| (phase(c), c.meta().digest))
}

fn index(change: &Object) -> Vec<IndexKey> {
    let spec = change.spec();
    let mut keys = filed_index(change);
    // Maintenance that is over piles up over the years and is found by name alone.
    if let (false, Some(plan), Some(region)) =
        (is_over(change), spec.get("platformMaintenance"), spec["region"].as_str())
    {
        keys.push(IndexKey::Maintenance(region.to_owned()));
        keys.extend(relies_on(change));
        match plan.pointer("/affects/applications").and_then(Value::as_array) {
            None => keys.push(IndexKey::MaintainsAll(region.to_owned())),
            Some(named) => keys.extend(named.iter().filter_map(|a| {
                Some(IndexKey::Maintains(a["namespace"].as_str()?.into(), a["name"].as_str()?.into()))
            })),
        }
    }
    keys
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_change(key, with)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, change::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on a change reads.
    pub fn observed_change(&self, key: &Key, with: &GatherContext) -> Option<change::Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Change)?;
        let (meta, record) = object.typed::<ChangeRequest>()?;
        let name = record.spec.resource_adjustment.as_ref().map(|a| a.application.as_str());
        let grant = name.and_then(|n| self.typed::<ResourceGrant>(Kind::Grant, key.namespace(), n));
        let plan = record.spec.platform_maintenance.as_ref();
        let region = &record.spec.region;
        Some(change::Observed {
            region_context: self.region_context(region, with),
            application: name.and_then(|n| self.typed(Kind::Application, key.namespace(), n)),
            others: name.map(|n| self.open_requests(key, n)).unwrap_or_default(),
            used: grant.as_ref().map(|(_, g)| self.used(g)).unwrap_or_default(),
            emergency_plan: self.emergency_plan(&object),
            existing: name.map(|_| self.observed_namespaces(&object)).unwrap_or_default(),
            affected_missing: plan.map(|m| self.affected_missing(region, m)).unwrap_or_default(),
            maintenances: plan.map(|_| self.other_maintenance(key, region)).unwrap_or_default(),
            grant,
            meta,
            record,
        })
    }

    /// Other open requests on an application. One that does not fit its schema holds nobody up (S10).
    pub(super) fn open_requests(&self, own: &Key, application: &str) -> Vec<OpenRequest> {
        let filed = |kind| self.filed_on(kind, own.namespace(), application);
        let mut requests = open::<ChangeRequest>(own, &filed(Kind::Change));
        requests.extend(open::<Decommission>(own, &filed(Kind::Decommission)));
        requests
    }

    /// Use of the namespaces of a grant, by entry.
    fn used(&self, grant: &ResourceGrant) -> Vec<(String, QuotaUse)> {
        let namespaces = grant.status.iter().flat_map(|s| &s.namespaces);
        namespaces.filter_map(|ns| Some((ns.entry.clone(), self.used_in(&ns.namespace)?))).collect()
    }

    /// Use that the granted quota of a namespace counts; `None` without one, and while the namespace is being deleted.
    pub(super) fn used_in(&self, namespace: &str) -> Option<QuotaUse> {
        let quota = self.get(Kind::Quota, namespace, quota::NAME).filter(|_| !self.is_leaving(namespace))?;
        Some(QuotaUse::of(&quota.value()))
    }

    /// The approved change that is being carried out on an application.
    pub(super) fn change_under_way(
        &self,
        namespace: &str,
        application: &str,
        uid: &str,
    ) -> Option<Arc<ChangeRequest>> {
        let changes = self.filed_on(Kind::Change, namespace, application);
        let applying = changes.iter().filter(|change| phase(change) == Some(ChangePhase::Applying));
        let own = |change: &ChangeRequest| {
            change.status.as_ref().is_some_and(|s| s.application_uid.as_deref() == Some(uid))
        };
        applying.filter_map(|change| change.read::<ChangeRequest>().ok()).find(own).map(Arc::new)
    }

    /// Maintenance that affects an application and is not over, and maintenance that was announced to it.
    pub(super) fn maintenance_of(
        &self,
        key: &Key,
        region: &str,
        announced: &[AnnouncedMaintenance],
    ) -> Vec<MaintenanceView> {
        let changes = self.store(Kind::Change);
        let all = changes.find(&IndexKey::MaintainsAll(region.to_owned()));
        let named = changes.find(&IndexKey::Maintains(key.namespace().into(), key.name().into()));
        let named = named.into_iter().filter(|o| region_in_spec(o).as_deref() == Some(region));
        let announced = announced.iter();
        let announced =
            announced.filter_map(|a| changes.get(&a.namespace, &a.name).filter(|o| *o.uid == *a.uid));
        let found = all.into_iter().chain(named).chain(announced);
        let by_uid: BTreeMap<String, MaintenanceView> =
            found.map(|o| (o.uid.to_string(), maintenance_view(&o))).collect();
        by_uid.into_values().collect()
    }

    /// Applications that a maintenance names and that do not exist in its Region.
    fn affected_missing(&self, region: &str, plan: &PlatformMaintenance) -> Vec<String> {
        let exists = |namespace: &str, name: &str| {
            let application = self.get(Kind::Application, namespace, name);
            application.is_some_and(|a| region_in_spec(&a).as_deref() == Some(region))
        };
        let named = plan.affects.applications.iter().flatten();
        let missing = named.filter(|a| !exists(&a.namespace, &a.name));
        missing.map(|a| format!("{}/{}", a.namespace, a.name)).collect()
    }

    /// Other approved maintenance of a Region that is not over.
    fn other_maintenance(&self, own: &Key, region: &str) -> Vec<(String, Arc<ChangeRequest>)> {
        let all = self.store(Kind::Change).find(&IndexKey::Maintenance(region.to_owned()));
        let others = all.iter().filter(|o| o.key() != *own);
        let others = others.filter_map(|o| {
            Some((format!("{}/{}", o.namespace(), o.name()), Arc::new(o.read::<ChangeRequest>().ok()?)))
        });
        others.filter(|(_, c)| maintenance::is_ahead(c)).collect()
    }
}

/// Returns true for a change that was approved and waits until the department uses less (Art. 15).
fn waits_for_use(change: &Object) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct OfHold {
        below_use_since: Option<IgnoredAny>,
    }
    change.status::<OfHold>().is_some_and(|status| status.below_use_since.is_some())
}

/// The open ones among some records, but for the one that asks. One that is being deleted and was never approved comes to
/// nothing, however long a finalizer holds it.
fn open<K: FiledRecord>(own: &Key, records: &[Arc<Object>]) -> Vec<OpenRequest> {
    let others = records.iter().filter(|o| o.key() != *own);
    let approved = |record: &K| {
        let decision = record.record().and_then(|r| r.decision.as_ref());
        decision.is_some_and(|d| d.verdict == Verdict::Approved && d.void.is_none())
    };
    let is_open = |o: &Object, k: &K| !k.is_over() && (!o.is_being_deleted() || approved(k));
    let open = others.filter(|o| o.read::<K>().is_ok_and(|k| is_open(o, &k)));
    let view = |o: &Arc<Object>| OpenRequest {
        kind: o.kind.as_str(),
        name: o.name().to_owned(),
        created_at: o.meta().created_at,
        on_hold: waits_for_use(o),
    };
    open.map(view).collect()
}

/// A maintenance as those affected see it. One that does not fit its schema is seen by its phase.
fn maintenance_view(object: &Object) -> MaintenanceView {
    let typed = object.typed::<ChangeRequest>();
    let approved = typed.as_ref().filter(|(meta, change)| {
        let status = change.status.as_ref();
        status.is_some_and(|s| decision::approved(&s.record, &meta.digest).is_some())
    });
    let plan = approved.and_then(|(_, c)| c.spec.platform_maintenance.as_ref());
    MaintenanceView {
        uid: object.uid.to_string(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        phase: phase(object),
        approved: plan.map(|p| ApprovedWindow { window: p.window.clone(), impact: p.impact }),
        outcome: typed.as_ref().and_then(|(_, c)| c.spec.maintenance_outcome.clone()),
    }
}
