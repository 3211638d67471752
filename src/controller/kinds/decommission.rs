//! Decommission: exit, inventory and reclaim (Art. 16, 23, 28).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use govcloud_api::application::CloudApplication;
use govcloud_api::decommission::Decommission;
use govcloud_api::filed::Filed as _;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::{keys, resources};
use govcloud_domain::decommission::{self, ExitNamespace, ExitPvc, ExitVolume};
use govcloud_domain::tenancy::volume_source;
use govcloud_domain::tenancy::volumes::{Claim, ClaimRef, Snapshot, StorageInventory, Volume};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::filed::{REQUEST, filed_index, region_in_spec};
use super::settings::SETTINGS;
use super::{Dependency, Filed, Kind, KindSpec, Live, Priority, RecordSpec, Watched, always, links};
use crate::cache::{Object, text};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Decommission,
    resource: resources::DECOMMISSION,
    watched: Watched::All,
    priority: Priority::High,
    index,
    count: Census::exit,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &REQUEST, &STORAGE],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<Decommission>,
        debounce: None,
        filed: Some(Filed {
            applications: |exit| exit.spec()["application"].as_str().map(str::to_owned).into_iter().collect(),
            namespaces: None,
        }),
    }),
};

/// Everything that an exit destroys, keeps or hands over: read live before each destructive write (S4).
static STORAGE: [Dependency; 4] = [
    Dependency::on(Kind::Namespace, links::TENANT_NAMESPACES, always).live(Live::Namespace),
    Dependency::on(Kind::Claim, links::IN_TENANT_NAMESPACE, always).live(Live::Contents),
    Dependency::on(Kind::Snapshot, links::IN_TENANT_NAMESPACE, always).live(Live::Contents),
    Dependency::on(Kind::Volume, links::VOLUMES, always).live(Live::Volume),
];

/// UIDs of the volumes that an exit's certificate says were retained.
pub(super) fn retained_by(exit: &Object) -> Vec<String> {
    #[derive(Deserialize)]
    struct OfCertificate {
        certificate: Option<Value>,
    }
    let certificate = exit.status::<OfCertificate>().and_then(|s| s.certificate);
    let volumes = certificate.as_ref().and_then(|c| c["volumes"].as_array()).into_iter().flatten();
    let retained = volumes.filter(|v| v["outcome"] == "Retained");
    retained.filter_map(|v| v["volumeUID"].as_str().map(str::to_owned)).collect()
}

fn index(exit: &Object) -> Vec<IndexKey> {
    let mut keys = filed_index(exit);
    keys.extend(retained_by(exit).into_iter().map(IndexKey::Retains));
    keys
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_decommission(key, with)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, decommission::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on an exit reads.
    pub fn observed_decommission(&self, key: &Key, with: &GatherContext) -> Option<decommission::Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Decommission)?;
        let (meta, record) = object.typed::<Decommission>()?;
        let name = &record.spec.application;
        let application = self.typed::<CloudApplication>(Kind::Application, key.namespace(), name);
        let grant = self.typed::<ResourceGrant>(Kind::Grant, key.namespace(), name);
        // An exit that is over is decided without its storage.
        let (storage, volumes, namespaces) = if record.is_over() {
            Default::default()
        } else {
            let names = self.tenant_namespaces_of(key.namespace(), name);
            let uid = application.as_ref().map(|(m, _)| m.uid.as_str()).unwrap_or_default();
            let volumes = self.volumes_of(uid, &names);
            let storage = self.storage_inventory(uid, grant.as_ref().map(|(_, g)| &**g), &names, &volumes);
            let namespaces = names.iter().filter_map(|n| self.exit_namespace(n)).collect();
            (storage, volumes.iter().map(|v| exit_volume(v)).collect(), namespaces)
        };
        Some(decommission::Observed {
            region_context: self.region_context(&record.spec.region, with),
            others: self.open_requests(key, name),
            storage,
            volumes,
            namespaces,
            application,
            grant,
            meta,
            record,
        })
    }

    /// Names of the volumes that are read live for an exit: the application's, and those that its claims name.
    pub(super) fn volumes_to_verify(&self, record: &Object) -> Vec<String> {
        let mut found = BTreeSet::new();
        for name in links::applications(record) {
            let names = self.tenant_namespaces_of(record.namespace(), &name);
            let application = self.get(Kind::Application, record.namespace(), &name);
            let uid = application.as_ref().map(|a| &*a.uid).unwrap_or_default();
            found.extend(self.volumes_of(uid, &names).iter().map(|v| v.name().to_owned()));
            let claims = names.iter().flat_map(|n| self.store(Kind::Claim).in_namespace(n));
            let named = claims.map(|c| text(&c.value(), "/spec/volumeName"));
            found.extend(named.filter(|v| !v.is_empty()));
        }
        found.into_iter().collect()
    }

    /// Volumes of an application: bound in its namespaces, or labelled with its UID; in order of name.
    fn volumes_of(&self, uid: &str, names: &[String]) -> Vec<Arc<Object>> {
        let volumes = self.store(Kind::Volume);
        let bound = names.iter().flat_map(|n| volumes.find(&IndexKey::ClaimNamespace(n.clone())));
        let labelled = volumes.find(&IndexKey::Owner(uid.to_owned()));
        let by_name: BTreeMap<String, Arc<Object>> =
            bound.chain(labelled).map(|v| (v.name().to_owned(), v)).collect();
        by_name.into_values().collect()
    }

    /// Objects that an inventory is taken of, with other volumes that may share a source with the application's `own`.
    fn storage_inventory(
        &self,
        uid: &str,
        grant: Option<&ResourceGrant>,
        names: &[String],
        own: &[Arc<Object>],
    ) -> StorageInventory {
        let entries = grant.and_then(|g| g.status.as_ref()).into_iter().flat_map(|s| &s.namespaces);
        let claims = names.iter().flat_map(|n| self.store(Kind::Claim).in_namespace(n));
        let claims: Vec<Claim> = claims.map(|c| claim(&c)).collect();
        let snapshots = names.iter().flat_map(|n| self.store(Kind::Snapshot).in_namespace(n));
        StorageInventory {
            application_uid: uid.to_owned(),
            namespaces: entries.map(|n| (n.entry.clone(), n.namespace.clone())).collect(),
            volumes: self.inventory_volumes(own, &claims),
            snapshots: snapshots.map(|s| snapshot(&s)).collect(),
            claims,
        }
    }

    /// The application's own volumes, those that its claims name, and all that may be the same bytes as one of them.
    fn inventory_volumes(&self, own: &[Arc<Object>], claims: &[Claim]) -> Vec<Volume> {
        let named = claims.iter().filter_map(|c| self.get(Kind::Volume, "", &c.volume_name));
        let mut volumes: BTreeMap<String, Volume> =
            own.iter().cloned().chain(named).map(|v| (v.name().to_owned(), volume(&v))).collect();
        let reach: BTreeSet<String> =
            volumes.values().flat_map(|v| volume_source::reach(&v.source)).collect();
        let reached = reach.into_iter().map(IndexKey::VolumeSource);
        for other in reached.flat_map(|key| self.store(Kind::Volume).find(&key)) {
            volumes.entry(other.name().to_owned()).or_insert_with(|| volume(&other));
        }
        volumes.into_values().collect()
    }

    /// A namespace of an exit, if it exists, with the claims in it and the messages of what holds it.
    fn exit_namespace(&self, name: &str) -> Option<ExitNamespace> {
        let namespace = self.get(Kind::Namespace, "", name)?;
        let value = namespace.value();
        let reclaim = value.pointer("/metadata/annotations").and_then(|a| a[keys::RECLAIM].as_str());
        let conditions = value.pointer("/status/conditions").and_then(Value::as_array);
        let conditions = conditions.into_iter().flatten().filter(|c| c["status"] == "True");
        let messages = conditions.map(|c| c["message"].as_str().unwrap_or_default().to_owned());
        let mut held_by: Vec<String> = messages.filter(|m| !m.is_empty()).collect();
        let claims = self.store(Kind::Claim).in_namespace(name);
        held_by.extend(claims.iter().map(|c| format!("claim {}: {}", c.name(), finalizers(c).join(", "))));
        Some(ExitNamespace {
            name: name.to_owned(),
            uid: namespace.uid.to_string(),
            resource_version: namespace.resource_version(),
            owner: namespace.label(keys::APPLICATION_UID),
            deleting: namespace.is_being_deleted(),
            reclaim: reclaim.map(str::to_owned),
            held_by,
            claims: claims.iter().map(|c| exit_pvc(c)).collect(),
        })
    }
}

fn finalizers(object: &Object) -> Vec<String> {
    let value = object.value();
    value.pointer("/metadata/finalizers").and_then(|f| Vec::deserialize(f).ok()).unwrap_or_default()
}

/// A claim with the preconditions of its deletion.
fn exit_pvc(claim: &Object) -> ExitPvc {
    ExitPvc {
        name: claim.name().to_owned(),
        uid: claim.uid.to_string(),
        resource_version: claim.resource_version(),
        deleted_at: text(&claim.value(), "/metadata/deletionTimestamp").parse().ok(),
    }
}

/// A volume with the preconditions of its writes, and the messages of what holds it.
fn exit_volume(volume: &Object) -> ExitVolume {
    let value = volume.value();
    ExitVolume {
        name: volume.name().to_owned(),
        uid: volume.uid.to_string(),
        resource_version: volume.resource_version(),
        reclaim_policy: text(&value, "/spec/persistentVolumeReclaimPolicy"),
        phase: text(&value, "/status/phase"),
        message: text(&value, "/status/message"),
        finalizers: finalizers(volume),
        retained: volume.label(keys::RETAINED),
    }
}

fn claim(claim: &Object) -> Claim {
    let value = claim.value();
    let capacity = text(&value, "/status/capacity/storage");
    let requested = || text(&value, "/spec/resources/requests/storage");
    Claim {
        namespace: claim.namespace().to_owned(),
        name: claim.name().to_owned(),
        uid: claim.uid.to_string(),
        volume_name: text(&value, "/spec/volumeName"),
        capacity: if capacity.is_empty() { requested() } else { capacity },
        class: text(&value, "/spec/storageClassName"),
    }
}

fn snapshot(snapshot: &Object) -> Snapshot {
    let value = snapshot.value();
    let optional = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Snapshot {
        namespace: snapshot.namespace().to_owned(),
        name: snapshot.name().to_owned(),
        uid: snapshot.uid.to_string(),
        claim: optional("/spec/source/persistentVolumeClaimName"),
        content: optional("/status/boundVolumeSnapshotContentName"),
    }
}

fn volume(volume: &Object) -> Volume {
    let value = volume.value();
    let claim_ref = value.pointer("/spec/claimRef").map(|_| ClaimRef {
        namespace: text(&value, "/spec/claimRef/namespace"),
        name: text(&value, "/spec/claimRef/name"),
        uid: text(&value, "/spec/claimRef/uid"),
    });
    Volume {
        name: volume.name().to_owned(),
        uid: volume.uid.to_string(),
        reclaim_policy: text(&value, "/spec/persistentVolumeReclaimPolicy"),
        phase: text(&value, "/status/phase"),
        capacity: text(&value, "/spec/capacity/storage"),
        class: text(&value, "/spec/storageClassName"),
        source: volume_source::source_of(&value),
        node_affinity: value.pointer("/spec/nodeAffinity").cloned().unwrap_or(Value::Null),
        claim_ref,
        labels: volume.labels(),
    }
}
