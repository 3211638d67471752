//! Live policies, bindings, CRDs and the recorded release, as the watches report them.
//!
//! A list replaces a kind's objects only when it is complete: a relist never looks like a deletion.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use govcloud_api::resources::{CONFIG_MAP, MUTATING_WEBHOOK_CONFIGURATION};
use govcloud_domain::integrity::{self, Release};
use govcloud_domain::mutators::AllowedMutators;
use govcloud_domain::release::{self, RELEASE};

/// Objects by `Kind/name`, as JSON text: a tenth of the size of their trees, and read only when one of them changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Objects(BTreeMap<String, Box<str>>);

impl Objects {
    /// The objects as trees.
    pub(super) fn read(&self) -> BTreeMap<String, Value> {
        let read = |text: &str| serde_json::from_str(text).expect("JSON text that this process wrote");
        self.0.iter().map(|(key, text)| (key.clone(), read(text))).collect()
    }

    fn insert(&mut self, object: &Value) {
        self.0.insert(integrity::key(object), object.to_string().into());
    }
}

impl From<BTreeMap<String, Value>> for Objects {
    fn from(objects: BTreeMap<String, Value>) -> Self {
        Self(objects.into_iter().map(|(key, object)| (key, object.to_string().into())).collect())
    }
}

/// One watched kind.
#[derive(Debug, Default)]
struct Watched {
    /// As of the last complete list and the events since; `None` before the first list.
    current: Option<Objects>,
    /// Of the list that is under way.
    listing: Objects,
}

/// Everything that the guard watches, by kind.
#[derive(Debug)]
pub(super) struct Live(BTreeMap<&'static str, Watched>);

impl Live {
    /// Nothing listed yet of these kinds.
    pub(super) fn new(kinds: impl IntoIterator<Item = &'static str>) -> Self {
        Self(kinds.into_iter().map(|kind| (kind, Watched::default())).collect())
    }

    /// Applies one event. Returns true if it may have changed the objects, once each kind has been listed.
    pub(super) fn apply(&mut self, kind: &'static str, event: Event<DynamicObject>) -> bool {
        let watched = self.0.entry(kind).or_default();
        match event {
            Event::Init => {
                watched.listing = Objects::default();
                return false;
            }
            Event::InitApply(o) => {
                watched.listing.insert(&compared(&o, kind));
                return false;
            }
            Event::InitDone => watched.current = Some(std::mem::take(&mut watched.listing)),
            Event::Apply(o) => {
                watched.current.iter_mut().for_each(|current| current.insert(&compared(&o, kind)));
            }
            Event::Delete(o) => {
                let key = integrity::key(&compared(&o, kind));
                watched.current.iter_mut().for_each(|current| drop(current.0.remove(&key)));
            }
        }
        self.0.values().all(|watched| watched.current.is_some())
    }

    /// All live objects by `Kind/name`.
    pub(super) fn objects(&self) -> BTreeMap<String, Value> {
        self.0.values().filter_map(|watched| watched.current.as_ref()).flat_map(Objects::read).collect()
    }

    /// The release that was recorded in these objects, and the mutators that it allows; both empty where none is.
    pub(super) fn release(objects: &BTreeMap<String, Value>) -> (Release, AllowedMutators) {
        let Some(map) = objects.get(&format!("{}/{RELEASE}", CONFIG_MAP.kind)) else {
            return (Release::default(), AllowedMutators::default());
        };
        (release::read_release(&map["data"]), release::read_allowed_mutators(&map["data"]))
    }
}

/// The part of a live object that [`integrity::check`] and [`govcloud_domain::mutators`] compare; of a ConfigMap, its data.
pub(super) fn compared(o: &DynamicObject, kind: &str) -> Value {
    let ObjectMeta { name, uid, generation, deletion_timestamp, .. } = &o.metadata;
    let metadata = json!({
        "name": name, "uid": uid, "generation": generation, "deletionTimestamp": deletion_timestamp,
    });
    if kind == CONFIG_MAP.kind {
        return json!({ "kind": kind, "metadata": metadata, "data": o.data["data"] });
    }
    if kind == MUTATING_WEBHOOK_CONFIGURATION.kind {
        let webhooks = &integrity::webhooks_of(&o.data)["webhooks"];
        return json!({ "kind": kind, "metadata": metadata, "webhooks": webhooks });
    }
    json!({ "kind": kind, "metadata": metadata, "spec": o.data["spec"] })
}
