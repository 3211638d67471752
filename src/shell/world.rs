//! The operator's image of the cluster: one store a kind, fed by watches and by the answers to its own writes.
//!
//! There is no LIST in steady state: every decision reads from here, and what must be certain is
//! read anew by quorum GETs (design, sections 3 and 6).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Clock;
use super::queue::{Key, Kind};
use super::store::{Changed, Held, Name, Store};
use super::tags;
use crate::api::application::CloudApplication;
use crate::api::catalog::ServiceCatalog;
use crate::api::change::ChangeRequest;
use crate::api::decommission::Decommission;
use crate::api::grant::ResourceGrant;
use crate::api::keys;
use crate::api::region::Region;
use crate::api::work_calendar::WorkCalendar;
use crate::core::calendar::Calendar;
use crate::core::decision;
use crate::core::digest;
use crate::core::record::Meta;
use crate::core::tenancy::volume_source;

/// Fields of a record's spec that come later in life and are no part of what is decided on.
pub const LATER_FIELDS: [&str; 4] = ["goLive", "consent", "handOver", "maintenanceOutcome"];

/// A resource of this project: its typed form, or why it does not fit the schema (S10).
#[derive(Debug)]
pub struct Record<K> {
    /// What is known of the object itself.
    pub meta: Meta,
    /// The typed object, without managedFields.
    pub typed: Result<Arc<K>, String>,
    /// Status as it is stored, for the difference that a write is.
    pub status: Value,
    tags: Vec<String>,
    packed: Vec<u8>,
}

impl<K> Record<K> {
    /// Whether it is found by this tag.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> bool {
        self.tags.iter().any(|t| t == tag)
    }
}

/// Any other object, as JSON without managedFields.
#[derive(Debug)]
pub struct Plain {
    /// Namespace and name.
    pub name: Name,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Its JSON, with apiVersion and kind.
    pub value: Arc<Value>,
    tags: Vec<String>,
    packed: Vec<u8>,
}

fn number(version: &str) -> u64 {
    version.parse().unwrap_or(0)
}

impl<K: DeserializeOwned + Send + Sync + 'static> Held for Record<K> {
    fn name(&self) -> Name {
        (self.meta.namespace.clone(), self.meta.name.clone())
    }
    fn uid(&self) -> &str {
        &self.meta.uid
    }
    fn version(&self) -> u64 {
        number(&self.meta.resource_version)
    }
    fn tags(&self) -> Vec<String> {
        self.tags.clone()
    }
    fn pack(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.packed)
    }
    fn unpack(bytes: &[u8]) -> Self {
        record(again(bytes))
    }
}

impl Held for Plain {
    fn name(&self) -> Name {
        self.name.clone()
    }
    fn uid(&self) -> &str {
        &self.uid
    }
    fn version(&self) -> u64 {
        number(&self.resource_version)
    }
    fn tags(&self) -> Vec<String> {
        self.tags.clone()
    }
    fn pack(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.packed)
    }
    fn unpack(bytes: &[u8]) -> Self {
        plain(again(bytes))
    }
}

/// Reads an object into what a store holds.
pub trait FromObject: Held + Sized {
    /// Reads it. Never fails: what does not fit is held as such.
    fn from_object(object: DynamicObject, clock: &Clock) -> Self;
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().map(str::to_owned)
}

/// What a record is made of again: the object without managedFields, and what was made of it when it was read:
/// the server's instants, shifted by the clock, and the digest of what the server sent.
#[derive(Debug, Serialize, Deserialize)]
struct Packed {
    created_at: Option<Timestamp>,
    stamped_at: Option<Timestamp>,
    digest: String,
    object: Value,
}

/// Reads what was packed in this memory.
fn again<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).expect("what was written as JSON in this memory reads as JSON")
}

fn meta(packed: &Packed) -> Meta {
    let metadata = packed.object.get("metadata").map(ObjectMeta::deserialize).and_then(Result::ok);
    let m = metadata.unwrap_or_default();
    Meta {
        namespace: m.namespace.unwrap_or_default(),
        name: m.name.unwrap_or_default(),
        uid: m.uid.unwrap_or_default(),
        resource_version: m.resource_version.unwrap_or_default(),
        generation: m.generation.unwrap_or(0),
        created_at: packed.created_at,
        deleting: m.deletion_timestamp.is_some(),
        annotations: m.annotations.unwrap_or_default(),
        labels: m.labels.unwrap_or_default(),
        digest: packed.digest.clone(),
        stamped_at: packed.stamped_at,
    }
}

impl<K: DeserializeOwned + Send + Sync + 'static> FromObject for Record<K> {
    fn from_object(mut object: DynamicObject, clock: &Clock) -> Self {
        let stamped_at = object.metadata.managed_fields.take().and_then(|m| {
            let raw = serde_json::json!({ "managedFields": m });
            decision::stamped_at(&raw)
        });
        let digest = object.data.get("spec").map(|s| digest::spec_digest(s, &LATER_FIELDS));
        let packed = Packed {
            digest: digest.unwrap_or_default(),
            created_at: object.metadata.creation_timestamp.as_ref().map(|t| clock.shift(t.0)),
            stamped_at: stamped_at.map(|t| clock.shift(t)),
            object: serde_json::to_value(&object).unwrap_or_default(),
        };
        let bytes = serde_json::to_vec(&packed).unwrap_or_default();
        Self { packed: bytes, ..record(packed) }
    }
}

/// A record of what was packed.
fn record<K: DeserializeOwned>(mut packed: Packed) -> Record<K> {
    let meta = meta(&packed);
    let object = &packed.object;
    let tags = tags::of_record(object, &meta);
    let typed = K::deserialize(object).map(Arc::new).map_err(|e| e.to_string());
    let status = packed.object.get_mut("status").map(Value::take).unwrap_or(Value::Null);
    Record { meta, typed, status, tags, packed: Vec::new() }
}

impl FromObject for Plain {
    fn from_object(mut object: DynamicObject, _: &Clock) -> Self {
        object.metadata.managed_fields = None;
        if let Some(a) = object.metadata.annotations.as_mut() {
            a.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        let value = serde_json::to_value(&object).unwrap_or_default();
        let packed = serde_json::to_vec(&value).unwrap_or_default();
        Self { packed, ..plain(value) }
    }
}

/// Any other object of its JSON.
fn plain(value: Value) -> Plain {
    let mut tags = Vec::new();
    if let Some(uid) = value["metadata"]["labels"][keys::APPLICATION_UID].as_str() {
        tags.push(format!("owner/{uid}"));
    }
    if let Some(ns) = text(&value, "/spec/claimRef/namespace") {
        tags.push(format!("claims/{ns}"));
    }
    let label = |key: &str| value["metadata"]["labels"][key].as_str();
    if value["kind"] == "Namespace"
        && let (Some(department), Some(application)) = (label(keys::DEPARTMENT), label(keys::APPLICATION))
    {
        tags.push(tags::tenant(department, application));
    }
    if let (Some(_), Some(region)) = (label(keys::RETAINED), label(keys::REGION)) {
        tags.push(tags::kept_in(region));
    }
    if value["kind"] == "PersistentVolume" {
        tags.extend(volume_source::marks(&super::observe::source(&value)));
    }
    let of = |field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
    Plain {
        name: (of("namespace"), of("name")),
        uid: of("uid"),
        resource_version: of("resourceVersion"),
        value: Arc::new(value),
        tags,
        packed: Vec::new(),
    }
}

/// A calendar prepared for counting, or why it cannot be used, with the resourceVersion that it was prepared of.
pub(super) type Prepared = (String, Result<Arc<Calendar>, String>);

/// The operator's image of the cluster.
#[derive(Debug, Default)]
pub struct World {
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
}

impl World {
    /// The keys of records of one kind.
    fn keys(kind: Kind, names: Vec<Name>) -> impl Iterator<Item = Key> {
        names.into_iter().map(move |(namespace, name)| Key { kind, namespace, name })
    }

    /// Everything that is reconciled.
    #[must_use]
    pub fn everything(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = Self::keys(Kind::Region, self.regions.names()).collect();
        keys.extend(Self::keys(Kind::Application, self.applications.names()));
        keys.extend(Self::keys(Kind::Grant, self.grants.names()));
        keys.extend(Self::keys(Kind::Change, self.changes.names()));
        keys.extend(Self::keys(Kind::Decommission, self.decommissions.names()));
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
        keys.extend(Self::keys(Kind::Change, self.changes.names_tagged(&tag)));
        keys.extend(Self::keys(Kind::Decommission, self.decommissions.names_tagged(&tag)));
        keys
    }

    /// Every record of a region.
    #[must_use]
    pub fn of_region(&self, code: &str) -> Vec<Key> {
        let tag = format!("region/{code}");
        let mut keys = vec![Key::new(Kind::Region, "", code)];
        keys.extend(Self::keys(Kind::Application, self.applications.names_tagged(&tag)));
        keys.extend(Self::keys(Kind::Grant, self.grants.names_tagged(&tag)));
        keys.extend(Self::keys(Kind::Change, self.changes.names_tagged(&tag)));
        keys.extend(Self::keys(Kind::Decommission, self.decommissions.names_tagged(&tag)));
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
            Self::keys(Kind::Application, self.applications.names_tagged(&tag)).collect();
        keys.extend(Self::keys(Kind::Change, self.changes.names_tagged(&tag)));
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
        let owner = self.namespaces.get("", namespace).and_then(|n| {
            text(&n.value, &format!("/metadata/labels/{}", keys::APPLICATION_UID.replace('/', "~1")))
        });
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
}

impl Triggers<Record<CloudApplication>> for World {
    fn triggers(&self, changed: &Changed<Record<CloudApplication>>) -> Vec<Key> {
        let mut keys = self.after_record(Kind::Application, changed);
        keys.extend(self.naming(changed));
        keys
    }
}
impl Triggers<Record<ResourceGrant>> for World {
    fn triggers(&self, changed: &Changed<Record<ResourceGrant>>) -> Vec<Key> {
        self.after_record(Kind::Grant, changed)
    }
}
impl Triggers<Record<ChangeRequest>> for World {
    fn triggers(&self, changed: &Changed<Record<ChangeRequest>>) -> Vec<Key> {
        let mut keys = self.after_record(Kind::Change, changed);
        keys.extend(self.after_maintenance(changed));
        keys
    }
}
impl Triggers<Record<Decommission>> for World {
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
}
impl Triggers<Record<Region>> for World {
    fn triggers(&self, changed: &Changed<Record<Region>>) -> Vec<Key> {
        let spec_changed = changed.old.as_ref().map(|r| r.meta.generation)
            != changed.new.as_ref().map(|r| r.meta.generation);
        let name =
            changed.new.as_ref().or(changed.old.as_ref()).map(|r| r.meta.name.clone()).unwrap_or_default();
        if spec_changed { self.under_region(&name) } else { Vec::new() }
    }
}
impl Triggers<Record<WorkCalendar>> for World {
    fn triggers(&self, changed: &Changed<Record<WorkCalendar>>) -> Vec<Key> {
        let name =
            changed.new.as_ref().or(changed.old.as_ref()).map(|r| r.meta.name.clone()).unwrap_or_default();
        let regions = self.regions.names_tagged(&format!("calendar/{name}"));
        regions.iter().flat_map(|(_, code)| self.under_region(code)).collect()
    }
}
impl Triggers<Record<ServiceCatalog>> for World {
    fn triggers(&self, changed: &Changed<Record<ServiceCatalog>>) -> Vec<Key> {
        let name =
            changed.new.as_ref().or(changed.old.as_ref()).map(|r| r.meta.name.clone()).unwrap_or_default();
        Self::keys(Kind::Region, self.regions.names_tagged(&format!("catalog/{name}"))).collect()
    }
}
impl Triggers<Plain> for World {
    fn triggers(&self, changed: &Changed<Plain>) -> Vec<Key> {
        let mut keys = Vec::new();
        for o in [&changed.old, &changed.new].into_iter().flatten() {
            keys.extend(
                o.tags.iter().filter_map(|t| t.strip_prefix("owner/")).flat_map(|uid| self.of_owner(uid)),
            );
            keys.extend(
                o.tags.iter().filter_map(|t| t.strip_prefix("claims/")).flat_map(|ns| self.of_namespace(ns)),
            );
            let kept = o.tags.iter().filter_map(|t| tags::keeper(t));
            keys.extend(kept.map(|region| Key::new(Kind::Region, "", region)));
            match o.value["kind"].as_str() {
                Some("StorageClass") => {
                    keys.extend(self.regions.names().iter().flat_map(|(_, code)| self.of_region(code)))
                }
                Some("Namespace") => {
                    // What an earlier record left concerns whoever has its name now.
                    let named = o.tags.iter().filter_map(|t| tags::tenant_of(t));
                    keys.extend(named.map(|(ns, name)| Key::new(Kind::Application, ns, name)));
                    keys.extend(self.of_namespace(&o.name.1));
                    keys.extend(self.wanting(&o.name.1));
                }
                _ => keys.extend(self.of_namespace(&o.name.0)),
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }
}

/// Labels of a plain object.
#[must_use]
pub fn labels(value: &Value) -> BTreeMap<String, String> {
    value.pointer("/metadata/labels").and_then(|l| serde_json::from_value(l.clone()).ok()).unwrap_or_default()
}
