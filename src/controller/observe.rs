//! Gathering: all that a decision needs, from the image of the cluster, into the core's `Observed`.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cluster_state::{ClusterState, Plain, Record, is_being_deleted, label, labels};
use super::queue::{Key, Kind};
use super::store::Held as _;
use super::tags;
use govcloud_api::application::CloudApplication;
use govcloud_api::decommission::Decommission;
use govcloud_api::filed::Filed;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::keys;
use govcloud_domain::calendar::Calendar;
use govcloud_domain::change::OpenRequest;
use govcloud_domain::decision::PolicyIntegrity;
use govcloud_domain::grant::{LiveNamespace, LiveVolume};
use govcloud_domain::names;
use govcloud_domain::plan::RequiredReads;
use govcloud_domain::record::Meta;
use govcloud_domain::region_context::{RegionContext, RegionView, StorageClass};
use govcloud_domain::tenancy::{LiveObject, Whole};
use govcloud_domain::{application, change, decommission, grant};

mod kept;
mod leaving;
mod storage;

pub use kept::Kept;
use storage::held;
pub(super) use storage::source;

/// What the context knows beside the state: the guard, and how the last try went.
#[derive(Clone, Debug)]
pub struct GatherContext {
    /// Whether the policies stand.
    pub guard: PolicyIntegrity,
    /// What was read with quorum just now.
    pub anew: Option<RequiredReads>,
    /// Why the last try to carry out a plan failed.
    pub trouble: Option<String>,
}

/// A typed record with what is known of the object.
type Seen<K> = (Meta, Arc<K>);

fn seen<K: DeserializeOwned>(record: Option<Arc<Record<K>>>) -> Option<Seen<K>> {
    let record = record?;
    record.typed().ok().map(|t| (record.meta.clone(), t.clone()))
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl ClusterState {
    /// A Region with all that it refers to.
    #[must_use]
    pub fn region(&self, code: &str) -> Option<Arc<RegionView>> {
        let (_, region) = seen(self.regions.get("", code))?;
        let parent = region.spec.parent.as_ref().and_then(|p| seen(self.regions.get("", p))).map(|(_, r)| r);
        let class = |name: &String| {
            let c = self.storage_classes.get("", name)?;
            let policy = c.value()["reclaimPolicy"].as_str().unwrap_or("Delete").to_owned();
            Some(StorageClass { name: name.clone(), reclaim_policy: policy })
        };
        Some(Arc::new(RegionView {
            parent,
            calendar: self.calendar(&region.spec.calendar),
            catalog_exists: region.spec.catalog.as_ref().is_none_or(|c| self.catalogs.get("", c).is_some()),
            storage_classes: region.spec.tenancy.storage_classes.iter().filter_map(class).collect(),
            region,
        }))
    }

    /// The Region that the record behind a key names, where both exist.
    #[must_use]
    pub fn region_of(&self, key: &Key) -> Option<Arc<RegionView>> {
        self.region(&self.region_code(key)?)
    }

    /// The code of the Region that the record behind a key names.
    pub(super) fn region_code(&self, key: &Key) -> Option<String> {
        let (ns, name) = (key.namespace(), key.name());
        Some(match key.kind {
            Kind::Application => self.applications.get(ns, name)?.typed().ok()?.spec.region.clone(),
            Kind::Grant => self.grants.get(ns, name)?.typed().ok()?.spec.region.clone(),
            Kind::Change => self.changes.get(ns, name)?.typed().ok()?.spec.region.clone(),
            Kind::Decommission => self.decommissions.get(ns, name)?.typed().ok()?.spec.region.clone(),
            Kind::Region => key.name().to_owned(),
        })
    }

    /// A calendar prepared for counting, or why it cannot be used.
    pub(super) fn calendar(&self, name: &str) -> Result<Arc<Calendar>, String> {
        let record = self.calendars.get("", name).ok_or_else(|| "不存在 / it does not exist".to_owned())?;
        let version = &record.meta.resource_version;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, calendar)) = prepared.get(name).filter(|(v, _)| v == version) {
            return calendar.clone();
        }
        let calendar = record.typed().map_err(Clone::clone).and_then(|typed| {
            Calendar::new(name, record.meta.generation, &typed.spec).map(Arc::new).map_err(|e| e.to_string())
        });
        prepared.insert(name.to_owned(), (version.clone(), calendar.clone()));
        calendar
    }

    fn ground(&self, code: &str, with: &GatherContext) -> RegionContext {
        RegionContext {
            region: self.region(code),
            guard: with.guard.clone(),
            anew: with.anew,
            trouble: with.trouble.clone(),
        }
    }

    /// The exits that were filed on an application and that can be read.
    fn exits(&self, namespace: &str, application: &str) -> Vec<Arc<Decommission>> {
        let filed = self.decommissions.tagged(&format!("application/{namespace}/{application}"));
        filed.iter().filter_map(|r| r.typed().ok()).cloned().collect()
    }

    /// All that is read to decide on an application.
    #[must_use]
    pub fn application(&self, key: &Key, with: &GatherContext) -> Option<application::Observed> {
        let (meta, record) = seen(self.applications.get(key.namespace(), key.name()))?;
        let exits = self.exits(key.namespace(), key.name()).iter().map(|d| exit_view(d)).collect();
        let entries = record.spec.namespaces.iter().map(|e| e.name.as_str());
        let announced = record.status.as_ref().map(|s| s.maintenances.as_slice()).unwrap_or_default();
        Some(application::Observed {
            existing: self.existing(key.namespace(), key.name(), entries),
            ground: self.ground(&record.spec.region, with),
            grant: seen(self.grants.get(key.namespace(), key.name())),
            unclaimed: self.unclaimed(&meta.uid),
            maintenances: self.maintenances(key, &record.spec.region, announced),
            exits,
            meta,
            record,
        })
    }

    /// Namespaces that bear on an application: under the names that some of its entries stand for, or with its
    /// department's name and its own.
    fn existing<'a>(
        &self,
        filing: &str,
        application: &str,
        entries: impl Iterator<Item = &'a str>,
    ) -> Vec<application::Existing> {
        let wanted = entries.map(|entry| names::tenant_namespace(filing, application, entry));
        let by_name = wanted.filter_map(|name| self.namespaces.get("", &name));
        let by_label = self.namespaces.tagged(&tags::tenant(filing, application));
        let all: BTreeMap<_, _> = by_name.chain(by_label).map(|ns| (ns.name.1.clone(), ns)).collect();
        let view = |(name, ns): (String, Arc<Plain>)| {
            let labels = labels(ns.value());
            let owner = labels.get(keys::APPLICATION_UID);
            let lives = |uid: &String| !self.applications.tagged(&format!("uid/{uid}")).is_empty();
            application::Existing {
                uid: ns.uid.clone(),
                deleting: is_being_deleted(ns.value()),
                owner_exists: owner.is_some_and(lives),
                used: self.used_in(&name),
                labels,
                name,
            }
        };
        all.into_iter().map(view).collect()
    }

    /// The tenant namespaces of an application that exist, with the operator's objects in them.
    fn tenant_namespaces(&self, names: impl IntoIterator<Item = String>) -> Vec<LiveNamespace> {
        let live = |name: String| {
            let ns = self.namespaces.get("", &name)?;
            let deleting = is_being_deleted(ns.value());
            let inside = [
                ("ResourceQuota", &self.quotas),
                ("LimitRange", &self.limits),
                ("NetworkPolicy", &self.network_policies),
                ("RoleBinding", &self.role_bindings),
            ];
            // What is in a namespace that is being deleted goes with it.
            let inside = inside.into_iter().filter(|_| !deleting);
            let objects = inside.flat_map(|(kind, store)| {
                let found = store.glimpses(&name).into_iter();
                found.map(move |g| LiveObject {
                    kind,
                    name: g.name.clone(),
                    letter: g.letter,
                    whole: Whole::read_by(move || g.open().value().clone()),
                })
            });
            Some(LiveNamespace {
                uid: ns.uid.clone(),
                resource_version: ns.resource_version.clone(),
                owner: label(ns.value(), keys::APPLICATION_UID),
                deleting,
                objects: objects.collect(),
                object: LiveObject {
                    kind: "Namespace",
                    name: name.clone(),
                    letter: ns.letter(),
                    whole: Whole::read_by(move || ns.value().clone()),
                },
                name,
            })
        };
        names.into_iter().filter_map(live).collect()
    }

    /// All that is read to decide on a grant.
    #[must_use]
    pub fn grant(&self, key: &Key, with: &GatherContext) -> Option<grant::Observed> {
        let (meta, record) = seen(self.grants.get(key.namespace(), key.name()))?;
        let spec = &record.spec;
        let names: Vec<String> = tenant_names(&meta, &record);
        let exits = self.exits(key.namespace(), &spec.application.name);
        let volumes = names.iter().flat_map(|n| self.volumes.tagged(&format!("claims/{n}")));
        let volume = |v: Arc<Plain>| LiveVolume {
            name: v.name.1.clone(),
            uid: v.uid.clone(),
            resource_version: v.resource_version.clone(),
            reclaim_policy: text(v.value(), "/spec/persistentVolumeReclaimPolicy"),
            owner: label(v.value(), keys::APPLICATION_UID),
            namespace: text(v.value(), "/spec/claimRef/namespace"),
        };
        Some(grant::Observed {
            ground: self.ground(&spec.region, with),
            application: seen(self.applications.get(key.namespace(), &spec.application.name)),
            change: seen(self.changes.get(key.namespace(), &spec.approved.name)),
            exit: decommission::exit_of(exits.iter().cloned(), &spec.application.uid),
            clearing: decommission::clearing(exits),
            volumes: volumes.map(volume).collect(),
            namespaces: self.tenant_namespaces(names),
            meta,
            record,
        })
    }

    /// All that is read to decide on a change.
    #[must_use]
    pub fn change(&self, key: &Key, with: &GatherContext) -> Option<change::Observed> {
        let (meta, record) = seen(self.changes.get(key.namespace(), key.name()))?;
        let name = record.spec.resource_adjustment.as_ref().map(|a| a.application.clone());
        let grant = name.as_ref().and_then(|n| seen(self.grants.get(key.namespace(), n)));
        let asked = record.spec.resource_adjustment.as_ref();
        let entries = asked.into_iter().flat_map(|a| &a.namespaces).map(|n| n.name.as_str());
        let plan = record.spec.platform_maintenance.as_ref();
        let region = &record.spec.region;
        Some(change::Observed {
            ground: self.ground(&record.spec.region, with),
            application: name.as_ref().and_then(|n| seen(self.applications.get(key.namespace(), n))),
            others: name.as_ref().map(|n| self.open_requests(key, n)).unwrap_or_default(),
            used: grant.as_ref().map(|(_, g)| self.used(g)).unwrap_or_default(),
            existing: name.as_ref().map(|n| self.existing(key.namespace(), n, entries)).unwrap_or_default(),
            affected_missing: plan.map(|m| self.affected_missing(region, m)).unwrap_or_default(),
            maintenances: plan.map(|_| self.other_maintenances(key, region)).unwrap_or_default(),
            grant,
            meta,
            record,
        })
    }

    /// Other open requests on an application. One that does not fit the schema holds nobody up (S10).
    fn open_requests(&self, own: &Key, application: &str) -> Vec<OpenRequest> {
        let tag = format!("application/{}/{application}", own.namespace());
        let mut requests = open(own, Kind::Change, &self.changes.tagged(&tag));
        requests.extend(open(own, Kind::Decommission, &self.decommissions.tagged(&tag)));
        requests
    }

    /// What is used in the namespaces of a grant, by entry.
    fn used(&self, grant: &ResourceGrant) -> Vec<(String, BTreeMap<String, String>)> {
        let namespaces = grant.status.iter().flat_map(|s| &s.namespaces);
        namespaces.map(|ns| (ns.entry.clone(), self.used_in(&ns.namespace))).collect()
    }

    /// What the granted quota of a namespace counts as used; nothing where it is being deleted.
    fn used_in(&self, namespace: &str) -> BTreeMap<String, String> {
        if self.is_leaving(namespace) {
            return BTreeMap::new();
        }
        let quotas = self.quotas.within(namespace);
        let used = |q: &Arc<Plain>| BTreeMap::deserialize(q.value().pointer("/status/used")?).ok();
        quotas.iter().find_map(used).unwrap_or_default()
    }

    /// The exit behind a key. None of another kind's key: an exit may bear its application's name.
    #[must_use]
    pub fn exit(&self, key: &Key) -> Option<Arc<Record<Decommission>>> {
        let of_exit = key.kind == Kind::Decommission;
        of_exit.then(|| self.decommissions.get(key.namespace(), key.name())).flatten()
    }

    /// All that is read to decide on an exit.
    #[must_use]
    pub fn decommission(&self, key: &Key, with: &GatherContext) -> Option<decommission::Observed> {
        let (meta, record) = seen(self.exit(key))?;
        let application: Option<Seen<CloudApplication>> =
            seen(self.applications.get(key.namespace(), &record.spec.application));
        let grant = seen(self.grants.get(key.namespace(), &record.spec.application));
        let with_storage = || {
            let names = grant.as_ref().map(|(m, g)| tenant_names(m, g)).unwrap_or_default();
            let uid = application.as_ref().map(|(m, _)| m.uid.clone()).unwrap_or_default();
            let volumes = self.volumes_of(&uid, &names);
            let stock = self.stock(&uid, grant.as_ref().map(|(_, g)| g.as_ref()), &names, &volumes);
            let spaces = names.iter().filter_map(|n| self.space(n)).collect();
            (stock, volumes.iter().map(|v| held(v)).collect(), spaces)
        };
        // What is over is decided on nothing that is stored.
        let (stock, volumes, spaces) = if record.is_over() { Default::default() } else { with_storage() };
        Some(decommission::Observed {
            ground: self.ground(&record.spec.region, with),
            others: self.open_requests(key, &record.spec.application),
            stock,
            volumes,
            spaces,
            application,
            grant,
            meta,
            record,
        })
    }
}

/// The open ones among some records, but for the one that asks.
fn open<K: Filed>(own: &Key, kind: Kind, records: &[Arc<Record<K>>]) -> Vec<OpenRequest> {
    let other = |r: &&Arc<Record<K>>| own.kind != kind || own.name() != r.meta.name;
    let open = |r: &&Arc<Record<K>>| r.typed().is_ok_and(|k| !k.is_over());
    let view = |r: &Arc<Record<K>>| OpenRequest {
        kind: kind.as_str(),
        name: r.meta.name.clone(),
        created_at: r.meta.created_at,
    };
    records.iter().filter(other).filter(open).map(view).collect()
}

/// Names of the namespaces that a grant stands for: what it asks for, and what it once made.
#[must_use]
pub fn tenant_names(meta: &Meta, grant: &ResourceGrant) -> Vec<String> {
    let asked = grant
        .spec
        .namespaces
        .iter()
        .map(|n| names::tenant_namespace(&meta.namespace, &grant.spec.application.name, &n.name));
    let made = grant.status.iter().flat_map(|s| s.namespaces.iter().map(|n| n.namespace.clone()));
    let mut names: Vec<String> = asked.chain(made).collect();
    names.sort();
    names.dedup();
    names
}

fn exit_view(d: &Decommission) -> application::ExitView {
    let status = d.status.as_ref();
    application::ExitView {
        name: d.metadata.name.clone().unwrap_or_default(),
        scope: d.spec.scope,
        phase: status.and_then(|s| s.phase),
        application_uid: status.and_then(|s| s.application_uid.clone()),
        ended_at: status.and_then(|s| s.certificate.as_ref()).map(|c| c.ended_at.timestamp()),
    }
}
