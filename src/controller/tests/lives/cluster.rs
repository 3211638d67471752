//! An imagined API server: objects as JSON, resourceVersions, UIDs, server-side apply, and the two controllers
//! of Kubernetes that matter here, those of namespaces and of volumes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use govcloud_api::keys;
use govcloud_controller::cache::{CacheUpdate, TrimmedObject};
use govcloud_controller::clock::Clock;
use govcloud_controller::cluster_state::ClusterState;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::plan::{Precondition, Target, Write};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Kind, namespace and name.
pub type Id = (String, String, String);

pub fn id(kind: &str, namespace: &str, name: &str) -> Id {
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

#[derive(Clone, Default)]
pub struct Cluster {
    pub objects: BTreeMap<Id, Value>,
    pub version: u64,
    births: BTreeMap<Id, u32>,
    applied: BTreeMap<Id, Value>,
    /// Namespaces that something holds.
    pub stuck: BTreeSet<String>,
    /// True while the quota controller stands still.
    pub uncounted: bool,
    /// Keys that it does not know.
    pub unknown_keys: BTreeSet<String>,
    /// Amounts in use, by namespace and quota key.
    pub amounts: BTreeMap<String, BTreeMap<String, String>>,
    /// Namespaces whose pods hold their claims, until the namespace ends them.
    pub in_use: BTreeSet<String>,
    /// Everything that was created and destroyed, in order.
    pub created: Vec<Id>,
    pub destroyed: Vec<Id>,
    image: Image,
    woken: RefCell<BTreeSet<Key>>,
}

/// The operator's image, fed as its watches would feed it. A cloned cluster is watched anew.
#[derive(Default)]
struct Image(RefCell<Option<Rc<ClusterState>>>);

impl Clone for Image {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Cluster {
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&id(kind, namespace, name))
    }

    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |((k, _, _), _)| k == kind).map(|(_, v)| v)
    }

    /// Creates an object as the API server would: UID, generation, time.
    pub fn create(&mut self, mut object: Value, now: Timestamp) -> Result<(), String> {
        let key = key_of(&object);
        if self.objects.contains_key(&key) {
            return Err(format!("{} {} already exists", key.0, key.2));
        }
        if !key.1.is_empty()
            && self.get("Namespace", "", &key.1).is_none_or(|n| !n["metadata"]["deletionTimestamp"].is_null())
        {
            return Err(format!("namespace {} does not take new content", key.1));
        }
        let n = self.births.entry(key.clone()).or_default();
        *n += 1;
        object["metadata"]["uid"] = json!(format!("{}:{}:{n}", key.0.to_lowercase(), key.2));
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["creationTimestamp"] = json!(whole(now).to_string());
        self.created.push(key.clone());
        self.put(key, object);
        Ok(())
    }

    /// Stores an object under a new resourceVersion.
    pub fn put(&mut self, key: Id, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        // The server keeps no empty lists of rules.
        if key.0 == "NetworkPolicy"
            && let Some(spec) = object["spec"].as_object_mut()
        {
            spec.retain(|_, rules| *rules != json!([]));
        }
        if key.0 == "ResourceQuota" && !self.uncounted {
            self.count(&key.1, &mut object);
        }
        self.tell(&object, false);
        self.objects.insert(key, object);
    }

    /// The quota controller: what is in the quota is in force, and its use is counted.
    fn count(&self, namespace: &str, quota: &mut Value) {
        let hard = quota["spec"]["hard"].clone();
        let amounts = self.amounts.get(namespace);
        let keys = hard.as_object().into_iter().flatten().map(|(key, _)| key);
        let known = keys.filter(|key| !self.unknown_keys.contains(*key));
        let used = known.map(|key| {
            let amount = amounts.and_then(|amounts| amounts.get(key)).map_or("0", String::as_str);
            (key.clone(), json!(amount))
        });
        let used: Value = Value::Object(used.collect());
        quota["status"] = json!({ "hard": hard, "used": used });
    }

    /// The quota controller goes on, or counts anew.
    pub fn count_all(&mut self) {
        self.uncounted = false;
        let quotas: Vec<Id> = self.objects.keys().filter(|key| key.0 == "ResourceQuota").cloned().collect();
        for key in quotas {
            let mut quota = self.objects[&key].clone();
            self.count(&key.1, &mut quota);
            self.change(&key, |o| *o = quota);
        }
    }

    /// Changes an object; the generation moves with the spec.
    pub fn change(&mut self, key: &Id, change: impl FnOnce(&mut Value)) {
        let mut object = self.objects[key].clone();
        let before = object.clone();
        change(&mut object);
        if object["spec"] != before["spec"] {
            object["metadata"]["generation"] =
                json!(before["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
        }
        if object != before {
            self.put(key.clone(), object);
        }
    }

    /// Removes an object at once.
    pub fn remove(&mut self, key: &Id) {
        self.version += 1;
        if let Some(old) = self.objects.remove(key) {
            self.tell(&old, true);
            self.destroyed.push(key.clone());
        }
        self.applied.remove(key);
    }

    /// One write of a plan.
    pub fn write(&mut self, write: &Write, now: Timestamp) -> Result<(), String> {
        let t = write.target();
        let key = id(t.resource.kind, &t.namespace, &t.name);
        match write {
            Write::Create(_, body) => {
                self.create(complete(t, body), now)?;
                self.applied.insert(key, body.clone());
            }
            Write::Apply(_, body) => self.apply(&key, t, body, now)?,
            Write::Correct(_, patch) => self.patch(&key, patch)?,
            Write::Patch(_, p, patch) => {
                self.holds(&key, p)?;
                self.patch(&key, patch)?;
            }
            Write::Delete(_, p) => {
                self.holds(&key, p)?;
                // Both have finalizers: of the namespace controller, and of who protects claims in use.
                if matches!(t.resource.kind, "Namespace" | "PersistentVolumeClaim") {
                    self.change(&key, |o| o["metadata"]["deletionTimestamp"] = json!(whole(now).to_string()));
                } else {
                    self.remove(&key);
                }
            }
        }
        Ok(())
    }

    fn patch(&mut self, key: &Id, patch: &Value) -> Result<(), String> {
        if !self.objects.contains_key(key) {
            return Err(format!("{} {} not found", key.0, key.2));
        }
        self.change(key, |o| merge_patch(o, patch));
        Ok(())
    }

    /// Returns true if a precondition holds.
    fn holds(&self, key: &Id, p: &Precondition) -> Result<(), String> {
        let o = self.objects.get(key).ok_or_else(|| format!("{} {} not found", key.0, key.2))?;
        if o["metadata"]["uid"] != p.uid.as_str()
            || o["metadata"]["resourceVersion"] != p.resource_version.as_str()
        {
            return Err(format!("conflict: {} {} is not as it was read", key.0, key.2));
        }
        Ok(())
    }

    /// Server-side apply by one manager: what was applied before and is no more is taken away, lists are one.
    fn apply(&mut self, key: &Id, t: &Target, body: &Value, now: Timestamp) -> Result<(), String> {
        let uid = body["metadata"]["uid"].as_str();
        match self.objects.get(key) {
            None if uid.is_some() => return Err("an apply with a UID creates nothing".to_owned()),
            None => self.create(complete(t, body), now)?,
            Some(live) if uid.is_some_and(|u| live["metadata"]["uid"] != u) => {
                return Err("another UID".to_owned());
            }
            Some(_) => {
                let last = self.applied.get(key).cloned().unwrap_or(Value::Null);
                self.change(key, |o| {
                    take_away(o, &last, body);
                    merge_patch(o, body);
                });
            }
        }
        self.applied.insert(key.clone(), body.clone());
        Ok(())
    }

    /// The next step of the controllers of Kubernetes, which is returned.
    pub fn controllers(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        let ended = |o: &Value| !o["metadata"]["deletionTimestamp"].is_null();
        let unused = |c: &Id| !self.in_use.contains(&c.1);
        let claims = self.of_kind("PersistentVolumeClaim").filter(|c| ended(c)).map(key_of).filter(unused);
        let claims: Vec<Id> = claims.collect();
        for claim in claims {
            self.remove(&claim);
            said.push(format!("claim {} is gone", claim.2));
        }
        let ending: Vec<String> = self
            .of_kind("Namespace")
            .filter(|n| ended(n))
            .filter_map(|n| n["metadata"]["name"].as_str().map(str::to_owned))
            .collect();
        for ns in ending {
            let content: Vec<Id> = self.objects.keys().filter(|k| k.1 == ns).cloned().collect();
            content.iter().for_each(|k| self.remove(k));
            if self.stuck.contains(&ns) {
                let held = json!([{ "type": "NamespaceFinalizersRemaining", "status": "True", "message": "some.example/finalizer in 1 resource instances" }]);
                self.change(&id("Namespace", "", &ns), |o| o["status"]["conditions"] = held);
                continue;
            }
            self.remove(&id("Namespace", "", &ns));
            said.push(format!("namespace {ns} is gone"));
        }
        said.extend(self.volumes());
        let content = |o: &Value| {
            let of = &o["spec"]["volumeSnapshotRef"];
            let live = self.get("VolumeSnapshot", of["namespace"].as_str()?, of["name"].as_str()?);
            (live.is_none() && o["spec"]["deletionPolicy"] == "Delete").then(|| key_of(o))
        };
        let contents: Vec<Id> = self.of_kind("VolumeSnapshotContent").filter_map(content).collect();
        for content in contents {
            self.remove(&content);
            said.push(format!("snapshot content {} is destroyed", content.2));
        }
        said
    }

    /// A volume whose claim is gone is released, or deleted by its policy.
    fn volumes(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        let volumes: Vec<Id> = self.objects.keys().filter(|k| k.0 == "PersistentVolume").cloned().collect();
        for key in volumes {
            let v = &self.objects[&key];
            let claim = &v["spec"]["claimRef"];
            let text = |x: &Value| x.as_str().unwrap_or_default().to_owned();
            let served = self.get("PersistentVolumeClaim", &text(&claim["namespace"]), &text(&claim["name"]));
            if served.is_some_and(|c| c["metadata"]["uid"] == claim["uid"]) {
                continue;
            }
            if v["spec"]["persistentVolumeReclaimPolicy"] == "Delete" {
                self.remove(&key);
                said.push(format!("volume {} is destroyed", key.2));
            } else if v["status"]["phase"] != "Released" {
                self.change(&key, |o| o["status"]["phase"] = json!("Released"));
                said.push(format!("volume {} is released", key.2));
            }
        }
        said
    }

    /// The operator's image of it all.
    pub fn state(&self) -> Rc<ClusterState> {
        let listed = || {
            let w = ClusterState::default();
            self.objects.values().for_each(|o| drop(watch(&w, o, false)));
            Rc::new(w)
        };
        self.image.0.borrow_mut().get_or_insert_with(listed).clone()
    }

    fn tell(&self, object: &Value, gone: bool) {
        if let Some(w) = self.image.0.borrow().as_ref() {
            self.woken.borrow_mut().extend(watch(w, object, gone));
        }
    }

    /// Keys that were enqueued since the last call, in order.
    pub fn woken(&self) -> Vec<Key> {
        self.woken.take().into_iter().collect()
    }

    /// Everything but resourceVersions, for comparing two ends.
    pub fn end(&self) -> BTreeMap<Id, Value> {
        let bare = |v: &Value| {
            let mut v = v.clone();
            v["metadata"]["resourceVersion"] = Value::Null;
            v
        };
        self.objects.iter().map(|(k, v)| (k.clone(), bare(v))).collect()
    }
}

fn key_of(object: &Value) -> Id {
    let text = |p: &str| object.pointer(p).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

/// The body with what the target says of it.
fn complete(t: &Target, body: &Value) -> Value {
    let mut o = body.clone();
    o["apiVersion"] = json!(t.resource.api_version);
    o["kind"] = json!(t.resource.kind);
    assert_eq!(o["metadata"]["name"], t.name.as_str(), "the body's name is the target's");
    if t.resource.kind == "Statement" {
        // Stamped by the API server; the operator makes nothing else that is decided on.
        o["metadata"]["annotations"] = json!({ keys::REQUESTED_BY: "govcloud-operator" });
    }
    if !t.namespace.is_empty() {
        assert_eq!(o["metadata"]["namespace"], t.namespace.as_str());
    }
    o
}

/// A time as the API server stores it.
pub fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
}

/// RFC 7386.
pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (k, v) in fields {
        if v.is_null() {
            target.as_object_mut().unwrap().remove(k);
        } else {
            merge_patch(&mut target[k], v);
        }
    }
}

/// Takes away what was applied last and is not applied now.
fn take_away(live: &mut Value, last: &Value, now: &Value) {
    let (Value::Object(last), Some(fields)) = (last, live.as_object_mut()) else { return };
    for (k, v) in last {
        match now.get(k) {
            None => drop(fields.remove(k)),
            Some(n) if n.is_object() => take_away(&mut fields[k], v, n),
            Some(_) => {}
        }
    }
}

/// One event of a watch, and the keys that it queues.
fn watch(w: &ClusterState, object: &Value, gone: bool) -> Vec<Key> {
    let kind = object["kind"].as_str().unwrap();
    let kind = Kind::all().find(|k| k.as_str() == kind).unwrap_or_else(|| panic!("{kind} is not watched"));
    let object: TrimmedObject = serde_json::from_value(object.clone()).unwrap();
    let update = if gone { CacheUpdate::Deleted(object) } else { CacheUpdate::Observed(object) };
    w.update(kind, update, &Clock::default())
}
