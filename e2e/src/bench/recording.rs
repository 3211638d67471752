//! The operator's own writes, as the audit log has them, and a bare client that sends the same again.
//!
//! Bodies and the order within one application are kept. What the API server gives anew on another control plane,
//! UIDs and resourceVersions, is put in place of what it gave then.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use kube::Client;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use super::lanes::{self, Lanes};
use crate::audit::{Entries, Entry, Follow};
use crate::personas::OPERATOR;

mod replay;

use replay::Replay;

/// A filing namespace and the name that an application, its grant and its exit have there.
pub type Life = (String, String);

/// What tells one object from another on every control plane: resource, namespace and name; a volume by its claim.
pub type Place = (String, String, String);

/// One write.
#[derive(Clone, Debug)]
pub struct Write {
    /// `POST`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// Path and query.
    pub uri: String,
    /// Content type.
    content: &'static str,
    body: Value,
    place: Place,
    uid: Option<String>,
    /// Verb and resource, for counting.
    pub line: String,
}

/// What was written of each application.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// In the order in which each was first written, each in order of arrival.
    pub lives: Vec<Vec<Write>>,
    /// What was asked beside writes, by verb and resource.
    pub reads: BTreeMap<String, usize>,
    /// Writes that were refused.
    pub refused: usize,
    uids: HashMap<Place, String>,
}

/// UIDs and resourceVersions of everything that stands, by place.
pub type Standing = HashMap<Place, (String, String)>;

/// Reads what stands of all that lives write.
pub async fn standing(admin: &Client) -> Result<Standing> {
    let mut all = Standing::new();
    for path in [
        "/apis/govcloud.dev/v1alpha1/regions",
        "/apis/govcloud.dev/v1alpha1/cloudapplications",
        "/apis/govcloud.dev/v1alpha1/resourcegrants",
        "/apis/govcloud.dev/v1alpha1/decommissions",
        "/api/v1/namespaces",
        "/api/v1/persistentvolumes",
        "/api/v1/persistentvolumeclaims",
        "/api/v1/resourcequotas",
        "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    ] {
        let list = lanes::get(admin, path).await?;
        let resource = path.rsplit('/').next().unwrap_or_default();
        for object in list["items"].as_array().into_iter().flatten() {
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let m = &object["metadata"];
            all.insert(place(resource, object), (text(&m["uid"]), text(&m["resourceVersion"])));
        }
    }
    Ok(all)
}

fn place(resource: &str, object: &Value) -> Place {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let claim = &object["spec"]["claimRef"];
    let m = if resource == "persistentvolumes" && claim.is_object() { claim } else { &object["metadata"] };
    (resource.to_owned(), text(&m["namespace"]), text(&m["name"]))
}

impl Recording {
    /// Reads what the operator wrote since `log` was opened, once everything answered before now is in it.
    pub async fn read(log: Follow, admin: &Client, before: &Standing) -> Result<Self> {
        let mark = format!("recorded-{}", jiff::Timestamp::now().as_nanosecond());
        let path = format!("/api/v1/namespaces/default/configmaps/{mark}");
        // It does not exist; what counts is that it was asked for.
        let _ = lanes::get(admin, &path).await;
        let mut recorder = Recorder::new(before);
        recorder.take(log.until(&mark).await?);
        Ok(recorder.end())
    }

    /// How many writes there are.
    pub fn writes(&self) -> usize {
        self.lives.iter().map(Vec::len).sum()
    }

    /// How many applications were written of. Of a Region, which counts what is retained, it is written as well.
    pub fn applications(&self) -> usize {
        self.lives.iter().filter(|life| life.iter().any(|w| w.place.0 != "regions")).count()
    }

    /// How often each verb was used on each resource.
    pub fn table(&self) -> BTreeMap<String, usize> {
        let mut table = BTreeMap::new();
        for write in self.lives.iter().flatten() {
            *table.entry(write.line.clone()).or_default() += 1;
        }
        table
    }

    /// Sends every write again, each application's in order, 16 applications at a time. `now` is what stands.
    pub async fn replay(&self, lanes: &Lanes, now: &Standing) -> Result<()> {
        let known = self.known(now);
        let life = |client: Client, at: usize| {
            let replay = Replay::new(known.clone(), now);
            async move { replay.all(&client, &self.lives[at]).await }
        };
        lanes.each(&self.lives, life).await.map(drop)
    }

    /// The same, each application's as soon as it is told that its record of this resource was approved, with that record's
    /// resourceVersion.
    pub async fn replay_as_told(
        &self,
        lanes: &Lanes,
        now: &Standing,
        resource: &str,
        told: mpsc::UnboundedReceiver<(Life, String)>,
    ) -> Result<()> {
        let known = self.known(now);
        let told = Mutex::new(told);
        let of = |writes: &Vec<Write>| {
            let mut places = writes.iter().map(|w| &w.place).filter(|(r, _, _)| r == resource);
            places.next().map(|(_, namespace, name)| (namespace.clone(), name.clone()))
        };
        let approved: HashMap<Life, &Vec<Write>> =
            self.lives.iter().filter_map(|writes| Some((of(writes)?, writes))).collect();
        let each: Vec<&Life> = approved.keys().collect();
        let life = |client: Client, _: usize| {
            let mut replay = Replay::new(known.clone(), now);
            let (told, approved) = (&told, &approved);
            async move {
                let (life, version) = told.lock().await.recv().await.context("nothing more is told")?;
                let writes = approved.get(&life).context("nothing was written of it")?;
                replay.versions.insert((resource.to_owned(), life.0, life.1), version);
                replay.all(&client, writes).await
            }
        };
        lanes.each(&each, life).await.map(drop)
    }

    /// The UIDs of what stood when this was recorded, and of what stands in its place now.
    fn known(&self, now: &Standing) -> Arc<HashMap<String, String>> {
        let known =
            self.uids.iter().filter_map(|(place, old)| Some((old.clone(), now.get(place)?.0.clone())));
        Arc::new(known.collect())
    }
}

struct Recorder<'a> {
    before: &'a Standing,
    recording: Recording,
    lives: HashMap<Life, Vec<(jiff::Timestamp, Write)>>,
    order: Vec<Life>,
    tenants: HashMap<String, Life>,
}

impl<'a> Recorder<'a> {
    fn new(before: &'a Standing) -> Self {
        Self {
            before,
            recording: Recording::default(),
            lives: HashMap::new(),
            order: Vec::new(),
            tenants: HashMap::new(),
        }
    }

    fn take(&mut self, entries: Entries) {
        for entry in entries.iter().filter(|e| e.user.username == OPERATOR) {
            let Some(object) = &entry.object_ref else { continue };
            if matches!(object.resource.as_str(), "leases" | "configmaps") {
                continue;
            }
            if !entry.is_write() {
                *self.recording.reads.entry(line(entry)).or_default() += 1;
            } else if (200..300).contains(&entry.code()) {
                self.write(entry);
            } else {
                self.recording.refused += 1;
            }
        }
    }

    fn write(&mut self, entry: &Entry) {
        let Some(life) = self.life(entry) else { return };
        let answer = entry.response_object.as_ref().unwrap_or(&Value::Null);
        let object = entry.object_ref.clone().unwrap_or_default();
        let own = answer["metadata"]["name"].is_string();
        let mut body = entry.request_object.clone().unwrap_or(Value::Null);
        if entry.verb == "delete" && body.is_object() {
            // The audit log has them in the API server's internal version, which it does not take.
            body["apiVersion"] = "v1".into();
        }
        let write = Write {
            method: match entry.verb.as_str() {
                "create" => "POST",
                "delete" => "DELETE",
                _ => "PATCH",
            },
            content: match entry.verb.as_str() {
                "patch" if entry.request_uri.contains("force=true") => "application/apply-patch+yaml",
                "patch" => "application/merge-patch+json",
                _ => "application/json",
            },
            uri: entry.request_uri.clone(),
            body,
            place: if own {
                place(&object.resource, answer)
            } else {
                (object.resource, object.namespace, object.name)
            },
            uid: answer["metadata"]["uid"].as_str().map(str::to_owned),
            line: line(entry),
        };
        if !self.lives.contains_key(&life) {
            self.order.push(life.clone());
        }
        self.lives.entry(life).or_default().push((entry.request_received_timestamp, write));
    }

    /// Whose life a write belongs to.
    fn life(&mut self, entry: &Entry) -> Option<Life> {
        let object = entry.object_ref.as_ref()?;
        let text = |v: &Value| v.as_str().map(str::to_owned);
        let body = entry.request_object.as_ref().unwrap_or(&Value::Null);
        if object.resource == "events" {
            return Some((text(&body["regarding"]["namespace"])?, text(&body["regarding"]["name"])?));
        }
        if object.api_group == "govcloud.dev" {
            let name =
                if object.name.is_empty() { text(&body["metadata"]["name"])? } else { object.name.clone() };
            return Some((object.namespace.clone(), name));
        }
        let answer = entry.response_object.as_ref().unwrap_or(&Value::Null);
        let tenant = match object.resource.as_str() {
            "namespaces" => text(&answer["metadata"]["name"]).unwrap_or_else(|| object.name.clone()),
            "persistentvolumes" => text(&answer["spec"]["claimRef"]["namespace"])?,
            _ => object.namespace.clone(),
        };
        let labels = &answer["metadata"]["labels"];
        let department = text(&labels["govcloud.dev/department"]);
        if let (Some(department), Some(application)) = (department, text(&labels["govcloud.dev/application"]))
        {
            self.tenants.insert(tenant.clone(), (department, application));
        }
        self.tenants.get(&tenant).cloned()
    }

    fn end(mut self) -> Recording {
        for life in &self.order {
            let mut writes = self.lives.remove(life).unwrap_or_default();
            writes.sort_by_key(|(at, _)| *at);
            self.recording.lives.push(writes.into_iter().map(|(_, write)| write).collect());
        }
        self.recording.uids = self.before.iter().map(|(p, (uid, _))| (p.clone(), uid.clone())).collect();
        self.recording
    }
}

/// Verb and resource.
pub fn line(entry: &Entry) -> String {
    let object = entry.object_ref.clone().unwrap_or_default();
    let slash = if object.subresource.is_empty() { "" } else { "/" };
    format!("{} {}{slash}{}", entry.verb, object.resource, object.subresource)
}
