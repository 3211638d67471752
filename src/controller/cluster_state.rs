//! The operator's image of the cluster: one store a kind, fed by watches and by the answers to its own writes.
//!
//! There is no LIST in steady state: every decision reads from here, and what must be certain is
//! read anew by quorum GETs (design, sections 3 and 6).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::observe::Kept;
use super::queue::{Key, Kind};
use super::store::{Changed, Store};
use super::tags;
use govcloud_api::application::CloudApplication;
use govcloud_api::catalog::ServiceCatalog;
use govcloud_api::change::ChangeRequest;
use govcloud_api::decommission::Decommission;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::keys;
use govcloud_api::region::Region;
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_domain::calendar::Calendar;
use govcloud_domain::record::is_unanswered;

mod object;
mod resting;

pub use object::{FromObject, Ours, Plain, Record, label, labels};
pub use resting::is_being_deleted;

/// A calendar prepared for counting, or why it cannot be used, with the resourceVersion that it was prepared of.
pub(super) type Prepared = (String, Result<Arc<Calendar>, String>);

/// The operator's image of the cluster.
#[derive(Debug, Default)]
pub struct ClusterState {
    /// CloudApplications.
    pub applications: Store<Record<CloudApplication>>,
    /// ResourceGrants.
    pub grants: Store<Record<ResourceGrant>>,
    /// ChangeRequests.
    pub changes: Store<Record<ChangeRequest>>,
    /// Decommissions.
    pub decommissions: Store<Record<Decommission>>,
    /// Regions.
    pub regions: Store<Record<Region>>,
    /// WorkCalendars.
    pub calendars: Store<Record<WorkCalendar>>,
    /// ServiceCatalogs.
    pub catalogs: Store<Record<ServiceCatalog>>,
    /// Namespaces.
    pub namespaces: Store<Plain>,
    /// Operator-labelled ResourceQuotas.
    pub quotas: Store<Plain>,
    /// Operator-labelled LimitRanges.
    pub limits: Store<Plain>,
    /// Operator-labelled NetworkPolicies.
    pub network_policies: Store<Plain>,
    /// Operator-labelled RoleBindings.
    pub role_bindings: Store<Plain>,
    /// PersistentVolumeClaims.
    pub claims: Store<Plain>,
    /// PersistentVolumes.
    pub volumes: Store<Plain>,
    /// VolumeSnapshots, where the cluster has them.
    pub snapshots: Store<Plain>,
    /// StorageClasses.
    pub storage_classes: Store<Plain>,
    /// Calendars prepared for counting.
    pub(super) prepared: Mutex<BTreeMap<String, Prepared>>,
    /// What is known of the volumes that each Region keeps.
    pub(super) kept: Mutex<BTreeMap<String, Kept>>,
}

impl ClusterState {
    /// Packs what was left alone for a while.
    pub fn cool(&self) {
        self.applications.cool();
        self.grants.cool();
        self.changes.cool();
        self.decommissions.cool();
        self.regions.cool();
        self.calendars.cool();
        self.catalogs.cool();
        for store in [
            &self.namespaces,
            &self.quotas,
            &self.limits,
            &self.network_policies,
            &self.role_bindings,
            &self.claims,
            &self.volumes,
            &self.snapshots,
            &self.storage_classes,
        ] {
            store.cool();
        }
    }

    /// The keys of records of one kind.
    fn keys(kind: Kind, paths: Vec<Arc<str>>) -> impl Iterator<Item = Key> {
        paths.into_iter().map(move |path| Key::held(kind, path))
    }

    /// Everything that is reconciled.
    #[must_use]
    pub fn everything(&self) -> Vec<Key> {
        let mut records: Vec<Key> = Self::keys(Kind::Application, self.applications.paths()).collect();
        records.extend(Self::keys(Kind::Grant, self.grants.paths()));
        records.extend(Self::keys(Kind::Change, self.changes.paths()));
        records.extend(Self::keys(Kind::Decommission, self.decommissions.paths()));
        // An application and its grant one after the other: they are decided on the same objects.
        records.sort_by(|a, b| (a.namespace(), a.name(), a.kind).cmp(&(b.namespace(), b.name(), b.kind)));
        let mut keys: Vec<Key> = Self::keys(Kind::Region, self.regions.paths()).collect();
        keys.append(&mut records);
        keys
    }

    /// Everything filed on an application, and the application itself.
    #[must_use]
    pub fn concerning(&self, namespace: &str, application: &str) -> Vec<Key> {
        let tag = format!("application/{namespace}/{application}");
        let mut keys = vec![
            Key::new(Kind::Application, namespace, application),
            Key::new(Kind::Grant, namespace, application),
        ];
        keys.extend(Self::keys(Kind::Change, self.changes.paths_tagged(&tag)));
        keys.extend(Self::keys(Kind::Decommission, self.decommissions.paths_tagged(&tag)));
        keys
    }

    /// Every record of a region.
    #[must_use]
    pub fn of_region(&self, code: &str) -> Vec<Key> {
        let tag = format!("region/{code}");
        let mut keys = vec![Key::new(Kind::Region, "", code)];
        keys.extend(Self::keys(Kind::Application, self.applications.paths_tagged(&tag)));
        keys.extend(Self::keys(Kind::Grant, self.grants.paths_tagged(&tag)));
        keys.extend(Self::keys(Kind::Change, self.changes.paths_tagged(&tag)));
        keys.extend(Self::keys(Kind::Decommission, self.decommissions.paths_tagged(&tag)));
        keys
    }

    /// Every record of a region and of those below it. Names come from people: a circle ends where it began.
    #[must_use]
    pub fn under_region(&self, code: &str) -> Vec<Key> {
        let mut codes = vec![code.to_owned()];
        let mut keys = Vec::new();
        let mut next = 0;
        while let Some(code) = codes.get(next).cloned() {
            keys.extend(self.of_region(&code));
            for (_, below) in self.regions.names_tagged(&format!("parent/{code}")) {
                if !codes.contains(&below) {
                    codes.push(below);
                }
            }
            next += 1;
        }
        keys
    }

    /// The applications, and changes of applications, that would take a namespace of this name.
    fn wanting(&self, namespace: &str) -> Vec<Key> {
        let tag = format!("wants/{namespace}");
        let mut keys: Vec<Key> =
            Self::keys(Kind::Application, self.applications.paths_tagged(&tag)).collect();
        keys.extend(Self::keys(Kind::Change, self.changes.paths_tagged(&tag)));
        keys
    }

    /// Everything filed on the application of this UID.
    #[must_use]
    pub fn of_owner(&self, uid: &str) -> Vec<Key> {
        let applications = self.applications.names_tagged(&format!("uid/{uid}"));
        applications.iter().flat_map(|(namespace, name)| self.concerning(namespace, name)).collect()
    }

    /// Everything filed on the application that a tenant namespace belongs to.
    #[must_use]
    pub fn of_namespace(&self, namespace: &str) -> Vec<Key> {
        let owner = self.namespaces.get("", namespace).and_then(|n| label(n.value(), keys::APPLICATION_UID));
        owner.map(|uid| self.of_owner(&uid)).unwrap_or_default()
    }

    /// Everything that must be looked at when a record of an application changed.
    fn after_record<K>(&self, kind: Kind, changed: &Changed<Record<K>>) -> Vec<Key> {
        let mut keys = Vec::new();
        for r in [&changed.old, &changed.new].into_iter().flatten() {
            keys.push(Key::new(kind, &r.meta.namespace, &r.meta.name));
            let prefix = format!("application/{}/", r.meta.namespace);
            for application in r.tags.iter().filter_map(|t| t.strip_prefix(&prefix)) {
                keys.extend(self.concerning(&r.meta.namespace, application));
            }
            if matches!(kind, Kind::Application | Kind::Grant) {
                keys.extend(self.concerning(&r.meta.namespace, &r.meta.name));
            }
        }
        keys
    }
}

/// What must be looked at after a change to each kind of object.
pub trait Triggers<T> {
    /// The keys.
    fn triggers(&self, changed: &Changed<T>) -> Vec<Key>;

    /// The key of a record on which somebody waits for the operator's word.
    fn unanswered(&self, _: &Changed<T>) -> Option<Key> {
        None
    }
}

/// The key of a record on which somebody waits for the operator's word.
fn unanswered<K>(kind: Kind, changed: &Changed<Record<K>>) -> Option<Key> {
    let record = changed.new.as_ref()?;
    is_unanswered(&record.meta, record.status_as().as_ref())
        .then(|| Key::new(kind, &record.meta.namespace, &record.meta.name))
}

impl Triggers<Record<CloudApplication>> for ClusterState {
    fn triggers(&self, changed: &Changed<Record<CloudApplication>>) -> Vec<Key> {
        let mut keys = self.after_record(Kind::Application, changed);
        keys.extend(self.naming(changed));
        keys
    }

    fn unanswered(&self, changed: &Changed<Record<CloudApplication>>) -> Option<Key> {
        unanswered(Kind::Application, changed)
    }
}
impl Triggers<Record<ResourceGrant>> for ClusterState {
    fn triggers(&self, changed: &Changed<Record<ResourceGrant>>) -> Vec<Key> {
        self.after_record(Kind::Grant, changed)
    }

    fn unanswered(&self, changed: &Changed<Record<ResourceGrant>>) -> Option<Key> {
        unanswered(Kind::Grant, changed)
    }
}
impl Triggers<Record<ChangeRequest>> for ClusterState {
    fn triggers(&self, changed: &Changed<Record<ChangeRequest>>) -> Vec<Key> {
        let mut keys = self.after_record(Kind::Change, changed);
        keys.extend(self.after_maintenance(changed));
        keys
    }

    fn unanswered(&self, changed: &Changed<Record<ChangeRequest>>) -> Option<Key> {
        unanswered(Kind::Change, changed)
    }
}
impl Triggers<Record<Decommission>> for ClusterState {
    fn triggers(&self, changed: &Changed<Record<Decommission>>) -> Vec<Key> {
        let mut keys = self.after_record(Kind::Decommission, changed);
        // A region tells of what it keeps by whose certificate.
        let keeps = |r: &Option<Arc<Record<Decommission>>>| -> Vec<String> {
            r.iter().flat_map(|r| r.tags.iter().filter(|t| tags::is_keeping(t)).cloned()).collect()
        };
        if keeps(&changed.old) != keeps(&changed.new) {
            let records = [&changed.old, &changed.new].into_iter().flatten();
            let regions = records.filter_map(|r| r.tags.iter().find_map(|t| t.strip_prefix("region/")));
            keys.extend(regions.map(|r| Key::new(Kind::Region, "", r)));
        }
        keys
    }

    fn unanswered(&self, changed: &Changed<Record<Decommission>>) -> Option<Key> {
        unanswered(Kind::Decommission, changed)
    }
}
impl Triggers<Record<Region>> for ClusterState {
    fn triggers(&self, changed: &Changed<Record<Region>>) -> Vec<Key> {
        let spec_changed = changed.old.as_ref().map(|r| r.meta.generation)
            != changed.new.as_ref().map(|r| r.meta.generation);
        let name =
            changed.new.as_ref().or(changed.old.as_ref()).map(|r| r.meta.name.clone()).unwrap_or_default();
        if spec_changed { self.under_region(&name) } else { Vec::new() }
    }
}
impl Triggers<Record<WorkCalendar>> for ClusterState {
    fn triggers(&self, changed: &Changed<Record<WorkCalendar>>) -> Vec<Key> {
        let name =
            changed.new.as_ref().or(changed.old.as_ref()).map(|r| r.meta.name.clone()).unwrap_or_default();
        let regions = self.regions.names_tagged(&format!("calendar/{name}"));
        regions.iter().flat_map(|(_, code)| self.under_region(code)).collect()
    }
}
impl Triggers<Record<ServiceCatalog>> for ClusterState {
    fn triggers(&self, changed: &Changed<Record<ServiceCatalog>>) -> Vec<Key> {
        let name =
            changed.new.as_ref().or(changed.old.as_ref()).map(|r| r.meta.name.clone()).unwrap_or_default();
        Self::keys(Kind::Region, self.regions.paths_tagged(&format!("catalog/{name}"))).collect()
    }
}
impl Triggers<Plain> for ClusterState {
    fn triggers(&self, changed: &Changed<Plain>) -> Vec<Key> {
        let mut keys = Vec::new();
        let resting = self.resting_on(changed);
        let concerned = |keys: Vec<Key>| keys.into_iter().filter(|k| resting.contains(&k.kind));
        for o in [&changed.old, &changed.new].into_iter().flatten() {
            let of_tag = |tag| o.tags.iter().filter_map(move |t| t.strip_prefix(tag));
            keys.extend(of_tag("owner/").flat_map(|uid| concerned(self.of_owner(uid))));
            keys.extend(of_tag("claims/").flat_map(|ns| concerned(self.of_namespace(ns))));
            let kept = o.tags.iter().filter_map(|t| tags::keeper(t));
            keys.extend(kept.map(|region| Key::new(Kind::Region, "", region)));
            match o.kind.as_str() {
                "StorageClass" => {
                    keys.extend(self.regions.names().iter().flat_map(|(_, code)| self.of_region(code)))
                }
                "Namespace" => {
                    // What an earlier record left concerns whoever has its name now.
                    let named = o.tags.iter().filter_map(|t| tags::tenant_of(t));
                    let named = named.map(|(ns, name)| Key::new(Kind::Application, ns, name)).collect();
                    keys.extend(concerned(named));
                    keys.extend(concerned(self.of_namespace(&o.name.1)));
                    keys.extend(concerned(self.wanting(&o.name.1)));
                }
                _ => keys.extend(concerned(self.of_namespace(&o.name.0))),
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }
}
