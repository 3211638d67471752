//! ResourceGrant: the work order, and the tenant's objects that it makes (Art. 13, 15).

use std::sync::Arc;

use govcloud_api::grant::{GrantPhase, ResourceGrant};
use govcloud_api::resources;
use govcloud_domain::record::Meta;
use govcloud_domain::tenancy::{LiveNamespace, LiveObject, LiveVolume};
use govcloud_domain::{decommission, grant};
use jiff::Timestamp;

use super::filed::{filed_index, phase, region_in_spec};
use super::namespace::content_differs;
use super::settings::SETTINGS;
use super::tenant_objects::{self, IN_NAMESPACE};
use super::volume::ownership_or_policy_differs;
use super::{Dependency, Filed, Kind, KindSpec, Live, Priority, RecordSpec, Watched, always, links, never};
use crate::cache::Object;
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Grant,
    resource: resources::RESOURCE_GRANT,
    watched: Watched::All,
    priority: Priority::High,
    index,
    count: Census::record::<ResourceGrant>,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &READS, &tenant_objects::DRIFT],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<ResourceGrant>,
        debounce: None,
        filed: Some(Filed {
            applications,
            namespaces: None,
            is_over: |grant| phase(grant).is_some_and(GrantPhase::is_over),
        }),
    }),
};

/// Keys of a filed record, and the running systems' namespaces that it adopts: their obstacles go before they are marked.
fn index(grant: &Object) -> Vec<IndexKey> {
    let spec = grant.spec();
    let entries = spec["namespaces"].as_array().into_iter().flatten();
    let existing = entries.filter_map(|entry| entry["existing"]["name"].as_str());
    let existing = existing.map(|name| IndexKey::WantsNamespace(name.to_owned()));
    filed_index(grant).into_iter().chain(existing).collect()
}

static READS: [Dependency; 6] = [
    Dependency::on(Kind::Application, links::APPLICATION_OF_RECORD, always)
        .live(Live::Reference)
        .confirm_missing(),
    // The change whose approval it carries out is read live before anything is enlarged (S1).
    Dependency::on(Kind::Change, links::APPROVED_CHANGE, never).live(Live::Reference),
    Dependency::on(Kind::Change, links::SAME_APPLICATION, always),
    // An exit restricts the namespaces.
    Dependency::on(Kind::Decommission, links::SAME_APPLICATION, always),
    Dependency::on(Kind::Namespace, links::TENANT_NAMESPACES, content_differs),
    Dependency::on(Kind::Volume, links::VOLUMES, ownership_or_policy_differs),
];

/// The grant bears its application's name; one of a provider may name another by mistake.
fn applications(grant: &Object) -> Vec<String> {
    let named = grant.spec()["application"]["name"].as_str().map(str::to_owned);
    let mut names = vec![grant.name().to_owned()];
    names.extend(named.filter(|n| *n != grant.name()));
    names
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_grant(key, with)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, grant::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on a grant reads.
    pub fn observed_grant(&self, key: &Key, with: &GatherContext) -> Option<grant::Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Grant)?;
        let (meta, record) = object.typed::<ResourceGrant>()?;
        let spec = &record.spec;
        let names = tenant_names(&meta, &record);
        let exits = self.exits_on(key.namespace(), &spec.application.name);
        let volumes = names.iter().map(|n| IndexKey::ClaimNamespace(n.clone()));
        let volumes = volumes.flat_map(|key| self.store(Kind::Volume).find(&key));
        Some(grant::Observed {
            region_context: self.region_context(&spec.region, with),
            application: self.typed(Kind::Application, key.namespace(), &spec.application.name),
            change: self.typed(Kind::Change, key.namespace(), &spec.approved.name),
            applying: self.change_under_way(key.namespace(), &spec.application.name, &spec.application.uid),
            exit: decommission::exit_of(exits.iter().cloned(), &spec.application.uid),
            clearing: decommission::clearing(exits),
            volumes: volumes.map(|v| LiveVolume::from_object(&v.value())).collect(),
            namespaces: names.iter().filter_map(|n| self.live_namespace(n)).collect(),
            meta,
            record,
        })
    }

    /// A tenant namespace that exists, with the operator's objects in it. Objects of one that is being deleted go with it.
    fn live_namespace(&self, name: &str) -> Option<LiveNamespace> {
        let live = |o: &Object| LiveObject::new(o.kind.spec().resource, Arc::new(o.value()));
        let namespace = self.get(Kind::Namespace, "", name)?;
        let leaving = namespace.is_being_deleted();
        let kinds = IN_NAMESPACE.into_iter().filter(|_| !leaving);
        let inside = kinds.flat_map(|kind| self.store(kind).in_namespace(name));
        Some(LiveNamespace { namespace: live(&namespace), objects: inside.map(|o| live(&o)).collect() })
    }

    /// Names of the tenant namespaces of an application's grant; none without a grant.
    pub(crate) fn tenant_namespaces_of(&self, namespace: &str, application: &str) -> Vec<String> {
        let grant = self.typed::<ResourceGrant>(Kind::Grant, namespace, application);
        grant.map(|(meta, grant)| tenant_names(&meta, &grant)).unwrap_or_default()
    }
}

/// Names of the namespaces that a grant asks for, and of those that it once made; sorted.
pub fn tenant_names(meta: &Meta, grant: &ResourceGrant) -> Vec<String> {
    let application = &grant.spec.application.name;
    let asked = grant.spec.namespaces.iter();
    let asked = asked.map(|n| grant::name_of(&meta.namespace, application, n));
    let made = grant.status.iter().flat_map(|s| s.namespaces.iter().map(|n| n.namespace.clone()));
    let mut names: Vec<String> = asked.chain(made).collect();
    names.sort();
    names.dedup();
    names
}
