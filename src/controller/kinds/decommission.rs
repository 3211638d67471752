//! Decommission: exit, inventory and reclaim (Art. 16, 23, 28).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use govcloud_api::adoption::Origin;
use govcloud_api::application::{CloudApplication, TenantNamespace};
use govcloud_api::decommission::{Decommission, DecommissionPhase, Scope};
use govcloud_api::filed::Filed as _;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::{keys, resources};
use govcloud_domain::decommission::{self, ExitNamespace, ExitPvc, ExitVolume};
use govcloud_domain::names;
use govcloud_domain::tenancy::volume_source;
use govcloud_domain::tenancy::volumes::{Claim, ClaimRef, Snapshot, StorageInventory, Volume};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::filed::{REQUEST, filed_index, phase, region_in_spec};
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
            is_over: |exit| phase(exit).is_some_and(DecommissionPhase::is_over),
        }),
    }),
};

/// Everything that an exit destroys, keeps or hands over: read live before each destructive write (S4).
static STORAGE: [Dependency; 6] = [
    Dependency::on(Kind::Namespace, links::TENANT_NAMESPACES, always).live(Live::Namespace),
    Dependency::on(Kind::Claim, links::IN_TENANT_NAMESPACE, always).live(Live::Contents),
    Dependency::on(Kind::Snapshot, links::IN_TENANT_NAMESPACE, always).live(Live::Contents),
    Dependency::on(Kind::Volume, links::VOLUMES, always).live(Live::Volume),
    // Volumes that archived applications of the name left (docs/decisions/0078-*).
    Dependency::on(Kind::Volume, links::VOLUMES_OF_NAME, always).live(Live::Volume),
    Dependency::on(Kind::SnapshotContent, links::SNAPSHOT_CONTENTS, always).live(Live::Volume),
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
    keys.extend(of_name(exit));
    keys.extend(listed_contents(exit).into_iter().map(IndexKey::ListsContent));
    keys
}

/// Names of the contents that an exit's inventory lists.
fn listed_contents(exit: &Object) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct OfInventory {
        inventory: Option<Value>,
    }
    let inventory = exit.status::<OfInventory>().and_then(|s| s.inventory).unwrap_or_default();
    let snapshots = inventory["snapshots"].as_array().into_iter().flatten();
    snapshots.filter_map(|s| s["content"].as_str().map(str::to_owned)).collect()
}

/// Key of the name of the application that an exit is about.
fn of_name(exit: &Object) -> Option<IndexKey> {
    let label = |name: &str| names::label_value(name).into_owned();
    let application = links::applications(exit).into_iter().next()?;
    Some(IndexKey::OfName(label(exit.namespace()), label(&application)))
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
        let (storage, volumes, namespaces, contents) = if record.is_over() {
            Default::default()
        } else {
            let names = self.tenant_namespaces_of(key.namespace(), name);
            let uid = application.as_ref().map(|(m, _)| m.uid.as_str()).unwrap_or_default();
            let earlier = match record.spec.scope {
                Scope::Volumes => self.volumes_of_earlier(&object, uid),
                Scope::Application => Vec::new(),
            };
            let mut volumes = self.volumes_of(uid, &names);
            volumes.extend(earlier.iter().cloned());
            let mut storage =
                self.storage_inventory(uid, grant.as_ref().map(|(_, g)| &**g), &names, &volumes);
            storage.earlier = earlier.iter().filter_map(|v| v.label(keys::APPLICATION_UID)).collect();
            let namespaces = names.iter().filter_map(|n| self.exit_namespace(n)).collect();
            (storage, volumes.iter().map(|v| exit_volume(v)).collect(), namespaces, self.contents(&object))
        };
        Some(decommission::Observed {
            region_context: self.region_context(&record.spec.region, with),
            others: self.open_requests(key, name),
            storage,
            volumes,
            namespaces,
            contents,
            application,
            grant,
            meta,
            record,
        })
    }

    /// Volumes that archived applications of an exit's name left in its Region, in order of name. Whose data a volume is stands
    /// in labels that policy lets nobody change, and records of one name follow one another.
    fn volumes_of_earlier(&self, exit: &Object, uid: &str) -> Vec<Arc<Object>> {
        let region = self.region_code(exit);
        let found = of_name(exit).map(|key| self.store(Kind::Volume).find(&key)).unwrap_or_default();
        let earlier = |v: &Arc<Object>| {
            v.label(keys::REGION) == region && v.label(keys::APPLICATION_UID).is_some_and(|o| o != uid)
        };
        found.into_iter().filter(earlier).collect()
    }

    /// Names of the volumes that archived applications of an exit's name left; an exit of a whole application reads none.
    pub(super) fn names_of_earlier(&self, exit: &Object) -> Vec<String> {
        if exit.spec()["scope"] != "Volumes" {
            return Vec::new();
        }
        let name = links::applications(exit).into_iter().next().unwrap_or_default();
        let application = self.get(Kind::Application, exit.namespace(), &name);
        let uid = application.as_ref().map(|a| &*a.uid).unwrap_or_default();
        self.volumes_of_earlier(exit, uid).iter().map(|v| v.name().to_owned()).collect()
    }

    /// Names of the contents that hold bytes of an exit's snapshots: bound to them, named in its inventory, or left by one in
    /// its namespaces.
    pub(super) fn contents_to_verify(&self, exit: &Object) -> BTreeSet<String> {
        let mut names = listed_contents(exit);
        for application in links::applications(exit) {
            for namespace in self.tenant_namespaces_of(exit.namespace(), &application) {
                let snapshots = self.store(Kind::Snapshot).in_namespace(&namespace);
                names.extend(snapshots.iter().filter_map(|s| snapshot(s).content));
                let left = self.store(Kind::SnapshotContent).find(&IndexKey::SnapshotNamespace(namespace));
                names.extend(left.iter().map(|c| c.name().to_owned()));
            }
        }
        names
    }

    /// Names of the contents that exist.
    fn contents(&self, exit: &Object) -> BTreeSet<String> {
        let exists = |name: &String| self.get(Kind::SnapshotContent, "", name).is_some();
        self.contents_to_verify(exit).into_iter().filter(exists).collect()
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
        // A namespace that took the name of one that is gone is another's, and so is what stands in it (S3).
        let own_namespace = |n: &&TenantNamespace| {
            let live = self.get(Kind::Namespace, "", &n.namespace);
            live.is_none_or(|live| n.uid.as_ref().is_none_or(|uid| *live.uid == **uid))
        };
        let entries = grant.and_then(|g| g.status.as_ref()).into_iter().flat_map(|s| &s.namespaces);
        let entries = entries.filter(own_namespace);
        let claims = names.iter().flat_map(|n| self.store(Kind::Claim).in_namespace(n));
        let claims: Vec<Claim> = claims.map(|c| claim(&c)).collect();
        StorageInventory {
            application_uid: uid.to_owned(),
            earlier: BTreeSet::new(),
            adopted: entries
                .clone()
                .filter(|n| n.origin == Some(Origin::Adopted))
                .map(|n| n.namespace.clone())
                .collect(),
            namespaces: entries.map(|n| (n.entry.clone(), n.namespace.clone())).collect(),
            volumes: self.inventory_volumes(own, &claims),
            snapshots: names.iter().flat_map(|n| self.snapshots_in(n)).collect(),
            claims,
        }
    }

    /// Snapshots in a namespace, and contents whose snapshot was there and is gone.
    fn snapshots_in(&self, namespace: &str) -> Vec<Snapshot> {
        let mut found: Vec<Snapshot> =
            self.store(Kind::Snapshot).in_namespace(namespace).iter().map(|s| snapshot(s)).collect();
        for snapshot in &mut found {
            let content = snapshot.content.as_ref();
            let content = content.and_then(|c| self.get(Kind::SnapshotContent, "", c));
            snapshot.deletion_policy = content.map(|c| text(&c.value(), "/spec/deletionPolicy"));
        }
        let contents =
            self.store(Kind::SnapshotContent).find(&IndexKey::SnapshotNamespace(namespace.to_owned()));
        for content in contents {
            let left = left_content(&content);
            // A content refers to its snapshot before the snapshot names it.
            let live = |s: &Snapshot| s.uid == left.uid || (left.uid.is_empty() && s.name == left.name);
            if !found.iter().any(|s| live(s) || s.content.as_deref() == Some(content.name())) {
                found.push(left);
            }
        }
        found
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
        let mut held_by = holders(&namespace);
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

/// Causes that hold a namespace: its own finalizers, and its conditions with their reasons.
fn holders(namespace: &Object) -> Vec<String> {
    let value = namespace.value();
    let own = finalizers(namespace).into_iter();
    let spec = value.pointer("/spec/finalizers").and_then(Value::as_array).into_iter().flatten();
    let spec = spec.filter_map(Value::as_str).filter(|f| *f != "kubernetes").map(str::to_owned);
    let named: Vec<String> = own.chain(spec).collect();
    let named = (!named.is_empty()).then(|| format!("finalizers of the namespace: {}", named.join(", ")));
    let conditions = value.pointer("/status/conditions").and_then(Value::as_array);
    let conditions = conditions.into_iter().flatten().filter(|c| c["status"] == "True");
    let told = conditions.map(|c| {
        let named: Vec<&str> = [&c["type"], &c["reason"]].into_iter().filter_map(Value::as_str).collect();
        format!("{}: {}", named.join(" "), c["message"].as_str().unwrap_or_default())
    });
    named.into_iter().chain(told).collect()
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
        removed_by: value
            .pointer("/metadata/annotations")
            .and_then(|a| a[keys::REMOVED_BY].as_str())
            .map(str::to_owned),
        removal_recorded: volume.label(keys::REMOVAL_RECORDED).is_some(),
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
        unused_since: unused_since(&value),
    }
}

/// Time since which Kubernetes says that no Pod uses a claim: its condition `Unused`, from 1.37 on.
fn unused_since(claim: &Value) -> Option<Timestamp> {
    let conditions = claim.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let unused = conditions.find(|c| c["type"] == "Unused" && c["status"] == "True")?;
    unused["lastTransitionTime"].as_str()?.parse().ok()
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
        deletion_policy: None,
        orphaned: false,
    }
}

/// Content of a snapshot that is gone.
fn left_content(content: &Object) -> Snapshot {
    let value = content.value();
    Snapshot {
        namespace: text(&value, "/spec/volumeSnapshotRef/namespace"),
        name: text(&value, "/spec/volumeSnapshotRef/name"),
        uid: text(&value, "/spec/volumeSnapshotRef/uid"),
        claim: None,
        content: Some(content.name().to_owned()),
        deletion_policy: Some(text(&value, "/spec/deletionPolicy")),
        orphaned: true,
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
