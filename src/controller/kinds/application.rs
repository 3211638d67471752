//! CloudApplication (Art. 10–14, 16).

use std::collections::BTreeMap;
use std::sync::Arc;

use govcloud_api::application::{ApplicationPhase, CloudApplication, UnclaimedVolume};
use govcloud_api::decommission::Decommission;
use govcloud_api::{keys, resources};
use govcloud_domain::application;
use govcloud_domain::existing_namespace::ExistingNamespace;
use govcloud_domain::names;
use govcloud_domain::tenancy::quota;
use govcloud_domain::tenancy::volumes::is_unclaimed;
use jiff::Timestamp;

use super::compliance::counts_differently;
use super::filed::{filed_index, phase, region_in_spec, wanted};
use super::namespace::{filing_differs, identity_differs};
use super::settings::SETTINGS;
use super::volume::ownership_or_claim_differs;
use super::{
    Dependency, Filed, Kind, KindSpec, Live, Priority, RecordSpec, Watched, always, links, tenant_objects,
};
use crate::cache::{Change, Object, text};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Application,
    resource: resources::CLOUD_APPLICATION,
    watched: Watched::All,
    priority: Priority::High,
    index: filed_index,
    count: Census::record::<CloudApplication>,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &READS, &tenant_objects::USE],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<CloudApplication>,
        debounce: None,
        filed: Some(Filed {
            applications: |application| vec![application.name().to_owned()],
            namespaces: Some("/namespaces"),
            is_over: |application| phase(application).is_some_and(ApplicationPhase::is_over),
        }),
    }),
};

static READS: [Dependency; 8] = [
    // A recreated record takes over the grant that the earlier one left (S4).
    Dependency::on(Kind::Grant, links::EXISTING_GRANT, always).live(Live::Reference),
    Dependency::on(Kind::Decommission, links::SAME_APPLICATION, always),
    Dependency::on(Kind::Change, links::MAINTENANCE_OF_APPLICATION, super::change::maintenance_moved),
    // Names that are taken, and namespaces of an earlier record.
    Dependency::on(Kind::Namespace, links::WANTED_NAMESPACES, identity_differs).live(Live::Reference),
    Dependency::on(Kind::Volume, links::VOLUMES, ownership_or_claim_differs),
    // What is claimed in a namespace that is to be adopted.
    Dependency::on(Kind::Claim, links::CLAIMS_IN_EXISTING, requests_differ),
    // Marked before anything is made.
    Dependency::on(Kind::Namespace, links::FILING_NAMESPACE, filing_differs),
    // What its department owes for it (Art. 19, 22, 24).
    Dependency::on(Kind::Compliance, links::SAME_APPLICATION, counts_differently),
];

/// A claim comes, goes or asks for more.
fn requests_differ(_: &ClusterState, change: &Change) -> bool {
    change.differs(|claim| (claim.uid.clone(), quota::claimed([claim.value()])))
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_application(key, with)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, application::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on an application reads.
    pub fn observed_application(&self, key: &Key, with: &GatherContext) -> Option<application::Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Application)?;
        let (meta, record) = object.typed::<CloudApplication>()?;
        let announced = record.status.as_ref().map(|s| s.maintenances.as_slice()).unwrap_or_default();
        Some(application::Observed {
            existing: self.observed_namespaces(&object),
            region_context: self.region_context(&record.spec.region, with),
            grant: self.typed(Kind::Grant, key.namespace(), key.name()),
            filing: self.filing_namespace(key.namespace()),
            evidence: self.evidence(&IndexKey::Application(key.namespace().into(), key.name().into())),
            unclaimed: self.unclaimed_volumes(&meta.uid),
            maintenances: self.maintenance_of(key, &record.spec.region, announced),
            exits: self.exits_on(key.namespace(), key.name()).iter().map(|d| exit_view(d)).collect(),
            meta,
            record,
        })
    }

    /// The exits that were filed on an application and fit their schema.
    pub(super) fn exits_on(&self, namespace: &str, application: &str) -> Vec<Arc<Decommission>> {
        let filed = self.filed_on(Kind::Decommission, namespace, application);
        filed.iter().filter_map(|o| o.read().ok()).map(Arc::new).collect()
    }

    /// Namespaces under the names that a record's entries need, or with its application's labels; in order of name.
    pub(super) fn existing_namespaces(&self, record: &Object) -> Vec<Arc<Object>> {
        let spec = record.spec();
        let namespace = record.namespace();
        let mut found: BTreeMap<String, Arc<Object>> = BTreeMap::new();
        for application in links::applications(record) {
            let by_name = wanted(record, &application, &spec);
            let by_name = by_name.iter().filter_map(|n| self.get(Kind::Namespace, "", n));
            let label = |name| names::label_value(name).into_owned();
            let labels = IndexKey::TenantOf(label(namespace), label(&application));
            let by_label = self.store(Kind::Namespace).find(&labels);
            found.extend(by_name.chain(by_label).map(|n| (n.name().to_owned(), n)));
        }
        found.into_values().collect()
    }

    /// Existing namespaces in the form that a decision reads.
    pub(super) fn observed_namespaces(&self, record: &Object) -> Vec<ExistingNamespace> {
        let existing = self.existing_namespaces(record);
        let view = |namespace: &Arc<Object>| {
            let labels = namespace.labels();
            let owner = labels.get(keys::APPLICATION_UID);
            // Use bounds the quota that may be asked for of a namespace that another record left.
            let own = owner.is_some_and(|uid| **uid == *record.uid);
            let Some(owner) = owner.cloned().map(IndexKey::Uid) else {
                // No tenant namespace: it may be one to adopt.
                let used = self.claimed_in(namespace.name());
                return ExistingNamespace { used, ..ExistingNamespace::read(&namespace.value()) };
            };
            let used = (!own).then(|| self.used_in(namespace.name())).flatten();
            ExistingNamespace {
                name: namespace.name().to_owned(),
                uid: namespace.uid.to_string(),
                deleting: namespace.is_being_deleted(),
                owner_exists: !self.store(Kind::Application).find(&owner).is_empty(),
                used: used.map(|quota| quota.used).unwrap_or_default(),
                labels,
                ..ExistingNamespace::default()
            }
        };
        existing.iter().map(view).collect()
    }

    /// Use by the claims in a namespace that has no quota of the operator, by quota key. Pods are nothing that the operator
    /// may read: what they use is counted once the namespace is marked.
    fn claimed_in(&self, namespace: &str) -> BTreeMap<String, String> {
        let claims = self.store(Kind::Claim).in_namespace(namespace);
        quota::claimed(claims.iter().map(|claim| claim.value()))
    }

    /// Volumes of an application whose claim is gone.
    fn unclaimed_volumes(&self, uid: &str) -> Vec<UnclaimedVolume> {
        let volumes = self.store(Kind::Volume).find(&IndexKey::Owner(uid.to_owned()));
        let unclaimed = |v: &Arc<Object>| {
            let value = v.value();
            is_unclaimed(&text(&value, "/status/phase")).then(|| UnclaimedVolume {
                volume: v.name().to_owned(),
                uid: v.uid.to_string(),
                namespace: text(&value, "/spec/claimRef/namespace"),
                claim: text(&value, "/spec/claimRef/name"),
            })
        };
        volumes.iter().filter_map(unclaimed).collect()
    }

    /// Applications in use that a maintenance affects.
    pub(super) fn affected_in_use(&self, maintenance: &Object) -> Vec<Key> {
        let Some(region) = self.region_code(maintenance) else { return Vec::new() };
        let applications = match super::change::affects_all(maintenance) {
            true => self.store(Kind::Application).find(&IndexKey::Region(region)),
            false => {
                let named = (links::AFFECTED_APPLICATIONS.targets)(self, maintenance);
                let get =
                    |t: &govcloud_domain::plan::Target| self.get(Kind::Application, &t.namespace, &t.name);
                named.iter().filter_map(get).collect()
            }
        };
        let in_use = |a: &&Arc<Object>| phase(a).is_some_and(ApplicationPhase::is_in_use);
        applications.iter().filter(in_use).map(|a| a.key()).collect()
    }
}

/// The part of an exit that its application reads.
fn exit_view(exit: &Decommission) -> application::ExitView {
    let status = exit.status.as_ref();
    application::ExitView {
        name: exit.metadata.name.clone().unwrap_or_default(),
        scope: exit.spec.scope,
        phase: status.and_then(|s| s.phase),
        waiting_on: status.map(|s| s.record.waiting_on).unwrap_or_default(),
        application_uid: status.and_then(|s| s.application_uid.clone()),
        ended_at: status.and_then(|s| s.certificate.as_ref()).map(|c| c.ended_at.timestamp()),
    }
}
