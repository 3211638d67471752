//! Live policies, bindings, CRDs and the recorded release, as the watches report them.
//!
//! A list replaces a kind's objects only when it is complete: a relist never looks like a deletion.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::DynamicObject;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use govcloud_api::resources::{CONFIG_MAP, MUTATING_WEBHOOK_CONFIGURATION, MUTATORS};
use govcloud_domain::integrity::{self, Compared, Comparison, Release};
use govcloud_domain::mutators::AllowedMutators;
use govcloud_domain::release::{self, RELEASE};

/// The small part of one live object that decides a check: equal parts give equal results.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kept {
    /// Comparison of a shipped object.
    Shipped(Compared),
    /// A mutator of others, or the recorded release, as JSON text: a tenth of the size of its tree.
    Other(Box<str>),
}

/// The objects of a kind, by `Kind/name`.
type Objects = BTreeMap<String, Kept>;

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
pub(super) struct Live {
    /// The shipped objects by `Kind/name`, as JSON text: one is read when its live one changes.
    shipped: BTreeMap<String, Box<str>>,
    kinds: BTreeMap<&'static str, Watched>,
}

impl Live {
    /// Nothing listed yet of these kinds.
    pub(super) fn new(
        shipped: &BTreeMap<String, Value>,
        kinds: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self {
            shipped: shipped.iter().map(|(key, object)| (key.clone(), object.to_string().into())).collect(),
            kinds: kinds.into_iter().map(|kind| (kind, Watched::default())).collect(),
        }
    }

    /// Applies one event. Returns true if a check may find something else than before, once each kind has been listed.
    pub(super) fn apply(&mut self, kind: &'static str, event: Event<DynamicObject>) -> bool {
        let kept = match &event {
            Event::InitApply(o) | Event::Apply(o) => self.kept(kind, o),
            Event::Init | Event::InitDone | Event::Delete(_) => None,
        };
        let watched = self.kinds.entry(kind).or_default();
        let changed = match (event, &mut watched.current) {
            (Event::Init, _) => {
                watched.listing = Objects::default();
                false
            }
            (Event::InitApply(_), _) => {
                watched.listing.extend(kept);
                false
            }
            (Event::InitDone, current) => {
                let listed = Some(std::mem::take(&mut watched.listing));
                std::mem::replace(current, listed) != *current
            }
            (Event::Apply(_) | Event::Delete(_), None) => false,
            (Event::Apply(_), Some(current)) => kept.is_some_and(|(key, kept)| {
                let same = current.get(&key) == Some(&kept);
                current.insert(key, kept);
                !same
            }),
            (Event::Delete(o), Some(current)) => current.remove(&key(kind, &o)).is_some(),
        };
        changed && self.kinds.values().all(|watched| watched.current.is_some())
    }

    /// Key and kept part of an object; `None` for a validating policy or a CRD of others.
    fn kept(&self, kind: &str, o: &DynamicObject) -> Option<(String, Kept)> {
        let key = key(kind, o);
        let kept = match self.shipped.get(&key) {
            Some(shipped) => Kept::Shipped(Compared::new(&read(shipped), &trimmed(o, kind))),
            None if kind == CONFIG_MAP.kind || MUTATORS.iter().any(|m| m.kind == kind) => {
                Kept::Other(trimmed(o, kind).to_string().into())
            }
            None => return None,
        };
        Some((key, kept))
    }

    fn objects(&self) -> impl Iterator<Item = (&String, &Kept)> {
        self.kinds.values().filter_map(|watched| watched.current.as_ref()).flatten()
    }

    /// Comparison of each shipped object with its live one.
    pub(super) fn comparison(&self) -> Comparison {
        let mut comparison: Comparison = self.shipped.keys().map(|key| (key.clone(), None)).collect();
        comparison.extend(self.objects().filter_map(|(key, kept)| match kept {
            Kept::Shipped(compared) => Some((key.clone(), Some(compared.clone()))),
            Kept::Other(_) => None,
        }));
        comparison
    }

    /// The recorded release and the mutators of others, by `Kind/name`.
    pub(super) fn others(&self) -> BTreeMap<String, Value> {
        let other = |(key, kept): (&String, &Kept)| match kept {
            Kept::Other(text) => Some((key.clone(), read(text))),
            Kept::Shipped(_) => None,
        };
        self.objects().filter_map(other).collect()
    }

    /// The release that was recorded in these objects, and the mutators that it allows; both empty where none is.
    pub(super) fn release(objects: &BTreeMap<String, Value>) -> (Release, AllowedMutators) {
        let Some(map) = objects.get(&format!("{}/{RELEASE}", CONFIG_MAP.kind)) else {
            return (Release::default(), AllowedMutators::default());
        };
        (release::read_release(&map["data"]), release::read_allowed_mutators(&map["data"]))
    }
}

/// `Kind/name` of an object, which a watch reports without its kind.
fn key(kind: &str, o: &DynamicObject) -> String {
    format!("{kind}/{}", o.metadata.name.as_deref().unwrap_or_default())
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON text that this process wrote")
}

/// The part of a live object that [`Compared`] and [`govcloud_domain::mutators`] read; of a ConfigMap, its data.
pub(super) fn trimmed(o: &DynamicObject, kind: &str) -> Value {
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
