//! Triggers, live reads and missing references, derived from the [`Dependency`] lists of [`crate::kinds`].

use std::collections::BTreeSet;

use govcloud_domain::plan::Target;

use crate::cache::{CacheUpdate, Change, Object};
use crate::clock::Clock;
use crate::cluster_state::ClusterState;
use crate::key::Key;
use crate::kinds::{Dependency, Kind, Live};

impl ClusterState {
    /// Applies an update and returns the keys of the records that depend on what changed.
    pub fn update(&self, kind: Kind, update: CacheUpdate, clock: &Clock) -> Vec<Key> {
        dependents(self, &self.apply(kind, update, clock))
    }

    /// References of a record that the cache does not hold and that a live GET must confirm.
    pub fn missing_references(&self, key: &Key) -> Vec<Target> {
        self.object(key).map(|record| missing(self, &record)).unwrap_or_default()
    }
}

/// The records whose decision may differ after changes.
pub fn dependents(state: &ClusterState, changes: &[Change]) -> Vec<Key> {
    changes.iter().flat_map(|change| dependents_of(state, change)).collect()
}

/// The changed record itself, and those that read it.
fn dependents_of(state: &ClusterState, change: &Change) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    if change.kind.spec().record.is_some() {
        keys.extend(change.both().map(|o| o.key()));
    }
    for reader in Kind::records() {
        for dependency in dependencies(reader).filter(|d| d.on == change.kind) {
            if (dependency.enqueues)(state, change) {
                keys.extend(change.both().flat_map(|o| (dependency.link.readers)(state, o, reader)));
            }
        }
    }
    keys
}

/// Targets of one group of live reads of a record. Those of [`Live::Contents`] name the namespace to list.
pub fn live_targets(state: &ClusterState, record: &Object, live: Live) -> BTreeSet<Target> {
    let of_group = dependencies(record.kind).filter(|d| d.live == Some(live));
    let targets = of_group.flat_map(|d| {
        let targets = (d.link.targets)(state, record).into_iter();
        targets.map(|t| match live {
            Live::Contents => Target::namespaced(d.on.resource(), &t.name, ""),
            _ => t,
        })
    });
    targets.collect()
}

/// References of a record that the cache does not hold, of those whose absence makes it wrong.
pub fn missing(state: &ClusterState, record: &Object) -> Vec<Target> {
    let confirmed = dependencies(record.kind).filter(|d| d.confirm_missing);
    let absent = |(kind, t): &(Kind, Target)| state.get(*kind, &t.namespace, &t.name).is_none();
    let targets = confirmed.flat_map(|d| (d.link.targets)(state, record).into_iter().map(|t| (d.on, t)));
    targets.filter(absent).map(|(_, target)| target).collect()
}

fn dependencies(kind: Kind) -> impl Iterator<Item = &'static Dependency> {
    kind.spec().record.iter().flat_map(|r| r.dependencies())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn observe(state: &ClusterState, kind: Kind, mut object: Value, name: (&str, &str)) {
        object["metadata"] =
            json!({ "namespace": name.0, "name": name.1, "uid": name.1, "resourceVersion": "1" });
        let object = serde_json::from_value(object).expect("an object");
        state.update(kind, CacheUpdate::Observed(object), &Clock::default());
    }

    fn sample(text: &str) -> Value {
        serde_saphyr::from_str(text).expect("a sample")
    }

    fn missing_of(state: &ClusterState, kind: Kind, name: (&str, &str)) -> Vec<String> {
        let missing = state.missing_references(&Key::new(kind, name.0, name.1));
        missing.iter().map(|t| format!("{} {}", t.resource.plural, t.name)).collect()
    }

    #[test]
    fn missing_references_are_those_that_a_record_names_and_nothing_else() {
        let state = ClusterState::default();
        let travel = ("dept-transport", "travel");
        observe(&state, Kind::Application, sample(include_str!("../../config/samples/travel.yaml")), travel);
        assert_eq!(missing_of(&state, Kind::Application, travel), ["regions 410000"]);
        let mut region = sample(include_str!("../../config/samples/region-410000.yaml"));
        region["spec"]["parent"] = json!("110000");
        region["spec"]["catalog"] = json!("prices");
        region["spec"]["tenancy"]["storageClasses"] = json!(["retained"]);
        observe(&state, Kind::Region, region, ("", "410000"));
        let missing =
            ["regions 110000", "workcalendars cn", "servicecatalogs prices", "storageclasses retained"];
        assert_eq!(missing_of(&state, Kind::Application, travel), missing);
        assert_eq!(missing_of(&state, Kind::Region, ("", "410000")), missing);
        observe(&state, Kind::Calendar, sample(include_str!("../../config/calendars/cn.yaml")), ("", "cn"));
        observe(&state, Kind::StorageClass, json!({}), ("", "retained"));
        let rest = ["regions 110000", "servicecatalogs prices"];
        assert_eq!(missing_of(&state, Kind::Application, travel), rest);

        let exit = sample(include_str!("../../config/samples/travel-exit.yaml"));
        for department in ["dept-transport", "dept-other"] {
            observe(&state, Kind::Decommission, exit.clone(), (department, "exit"));
        }
        let of = |department| missing_of(&state, Kind::Decommission, (department, "exit"));
        assert!(!of("dept-transport").contains(&"cloudapplications travel".to_owned()));
        assert!(of("dept-other").contains(&"cloudapplications travel".to_owned()));
        assert!(missing_of(&state, Kind::Grant, ("dept-other", "unknown")).is_empty());

        let enlarge = sample(include_str!("../../config/samples/travel-enlarge.yaml"));
        let mut maintenance = sample(include_str!("../../config/samples/maintenance.yaml"));
        maintenance["spec"]["platformMaintenance"]["affects"] = json!({ "applications": [
            { "namespace": "dept-transport", "name": "travel" }, { "namespace": "dept-other", "name": "parking" },
        ] });
        for (name, change) in [("enlarge", enlarge), ("maintenance", maintenance)] {
            observe(&state, Kind::Change, change, ("dept-other", name));
        }
        let of = |name| missing_of(&state, Kind::Change, ("dept-other", name));
        assert!(of("enlarge").contains(&"cloudapplications travel".to_owned()));
        assert!(of("maintenance").contains(&"cloudapplications parking".to_owned()));
        assert!(!of("maintenance").contains(&"cloudapplications travel".to_owned()), "it exists");
    }

    /// Decision 0085: that nothing was made of what was withdrawn is read, and not assumed.
    #[test]
    fn namespaces_of_a_withdrawn_application_are_read_whether_they_exist_or_not() {
        let state = ClusterState::default();
        let namespaces = |version: &str, annotations: Value| {
            let mut object = sample(include_str!("../../config/samples/travel.yaml"));
            object["metadata"] = json!({ "namespace": "dept-transport", "name": "travel", "uid": "u",
                "resourceVersion": version, "annotations": annotations });
            let object = serde_json::from_value(object).expect("an object");
            state.update(Kind::Application, CacheUpdate::Observed(object), &Clock::default());
            let record = state.object(&Key::new(Kind::Application, "dept-transport", "travel"));
            let targets = live_targets(&state, &record.expect("a record"), Live::Reference);
            targets.iter().filter(|t| t.resource.kind == "Namespace").count()
        };
        assert_eq!(namespaces("1", json!({})), 0, "none exists");
        assert_eq!(namespaces("2", json!({ "govcloud.dev/withdraw": "u" })), 1);
    }

    /// Row 17 of the second review: a label of a StorageClass is nobody's business.
    #[test]
    fn a_storage_class_enqueues_records_of_the_regions_that_name_it_when_its_policy_changes() {
        let state = ClusterState::default();
        let mut region = sample(include_str!("../../config/samples/region-410000.yaml"));
        region["spec"]["tenancy"]["storageClasses"] = json!(["retained"]);
        observe(&state, Kind::Region, region, ("", "410000"));
        let travel = ("dept-transport", "travel");
        observe(&state, Kind::Application, sample(include_str!("../../config/samples/travel.yaml")), travel);
        let class = |name: &str, version: u32, policy: &str, label: &str| {
            let object = json!({ "reclaimPolicy": policy, "metadata": {
                "name": name, "uid": name, "resourceVersion": version.to_string(), "labels": { "team": label } } });
            let object = serde_json::from_value(object).expect("an object");
            state.update(Kind::StorageClass, CacheUpdate::Observed(object), &Clock::default()).len()
        };
        assert_eq!(class("retained", 1, "Retain", "a"), 2, "the Region and its application");
        assert_eq!(class("retained", 2, "Retain", "b"), 0, "a label");
        assert_eq!(class("retained", 3, "Delete", "b"), 2);
        assert_eq!(class("other", 4, "Delete", "b"), 0, "no Region names it");
    }
}
