//! What a record names and the image of the cluster does not have: asked for before the record is said to be wrong.
//!
//! A pipeline applies a Region, its calendar and an application in one go, and the watches of the three kinds bring them in
//! any order, or seconds later where one of them was interrupted. A record that is called wrong for that is `Stalled` for a
//! moment, and Flux gives up on it at once. Nobody is told that something does not exist before the API server said so
//! (`docs/decisions/0049-absence-is-asked-for.md`).

use super::cluster_state::ClusterState;
use super::controller::Context;
use super::queue::{Key, Kind};
use govcloud_api::resources::{CLOUD_APPLICATION, REGION, SERVICE_CATALOG, STORAGE_CLASS, WORK_CALENDAR};
use govcloud_domain::plan::Target;

impl ClusterState {
    /// What the record behind a key names and the image does not have, as far as it tells: what a Region names is known
    /// once the Region is.
    #[must_use]
    pub fn absent(&self, key: &Key) -> Vec<Target> {
        let mut absent = self.absent_applications(key);
        if let Some(code) = self.region_code(key) {
            absent.extend(self.absent_settings(&code));
        }
        absent
    }

    /// The region that a Region refers to, its calendar, catalog and storage classes, and the Region itself.
    fn absent_settings(&self, code: &str) -> Vec<Target> {
        let Some(region) = self.regions.get("", code) else { return vec![Target::named(REGION, code)] };
        let Ok(region) = region.typed() else { return Vec::new() };
        let spec = &region.spec;
        let mut absent = Vec::new();
        absent.extend(
            spec.parent
                .iter()
                .filter(|p| self.regions.get("", p).is_none())
                .map(|p| Target::named(REGION, p)),
        );
        if self.calendars.get("", &spec.calendar).is_none() {
            absent.push(Target::named(WORK_CALENDAR, &spec.calendar));
        }
        let catalog = spec.catalog.iter().filter(|c| self.catalogs.get("", c).is_none());
        absent.extend(catalog.map(|c| Target::named(SERVICE_CATALOG, c)));
        let classes = spec.tenancy.storage_classes.iter();
        absent.extend(
            classes
                .filter(|c| self.storage_classes.get("", c).is_none())
                .map(|c| Target::named(STORAGE_CLASS, c)),
        );
        absent
    }

    /// The applications that the record is about.
    fn absent_applications(&self, key: &Key) -> Vec<Target> {
        let (ns, name) = (key.namespace(), key.name());
        let mut named: Vec<(String, String)> = Vec::new();
        match key.kind {
            Kind::Application | Kind::Region => {}
            Kind::Grant => {
                let grant = self.grants.get(ns, name);
                let grant = grant.as_ref().and_then(|r| r.typed().ok());
                named.extend(grant.map(|g| (ns.to_owned(), g.spec.application.name.clone())));
            }
            Kind::Change => {
                let change = self.changes.get(ns, name);
                if let Some(Ok(change)) = change.as_ref().map(|r| r.typed()) {
                    let adjusted = change.spec.resource_adjustment.iter();
                    named.extend(adjusted.map(|a| (ns.to_owned(), a.application.clone())));
                    let affected = change.spec.platform_maintenance.iter();
                    let affected = affected.flat_map(|m| m.affects.applications.iter().flatten());
                    named.extend(affected.map(|a| (a.namespace.clone(), a.name.clone())));
                }
            }
            Kind::Decommission => {
                let exit = self.decommissions.get(ns, name);
                let exit = exit.as_ref().and_then(|r| r.typed().ok());
                named.extend(exit.map(|d| (ns.to_owned(), d.spec.application.clone())));
            }
        }
        let absent = named.into_iter().filter(|(ns, name)| self.applications.get(ns, name).is_none());
        absent.map(|(ns, name)| Target::namespaced(CLOUD_APPLICATION, &ns, &name)).collect()
    }
}

impl Context {
    /// What the record behind a key names, is not known, and has not been asked for yet.
    pub(super) fn unasked(&self, key: &Key, asked: &mut Vec<Target>) -> Vec<Target> {
        let unasked: Vec<Target> =
            self.state.absent(key).into_iter().filter(|t| !asked.contains(t)).collect();
        asked.extend(unasked.iter().cloned());
        unasked
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Clock;
    use crate::news::News;

    fn tell(state: &ClusterState, resource: &str, mut object: Value, name: (&str, &str)) {
        object["metadata"] =
            json!({ "namespace": name.0, "name": name.1, "uid": name.1, "resourceVersion": "1" });
        let object = serde_json::from_value(object).expect("an object");
        state.tell(resource, News::Is(object), &Clock::default());
    }

    fn sample(text: &str) -> Value {
        serde_saphyr::from_str(text).expect("a sample")
    }

    fn named(state: &ClusterState, kind: Kind, name: (&str, &str)) -> Vec<String> {
        let absent = state.absent(&Key::new(kind, name.0, name.1));
        absent.iter().map(|t| format!("{} {}", t.resource.plural, t.name)).collect()
    }

    #[test]
    fn what_is_named_and_not_known_is_asked_for_and_nothing_else() {
        let state = ClusterState::default();
        let travel = ("dept-transport", "travel");
        tell(&state, "cloudapplications", sample(include_str!("../../config/samples/travel.yaml")), travel);
        assert_eq!(named(&state, Kind::Application, travel), ["regions 410000"]);
        let mut region = sample(include_str!("../../config/samples/region-410000.yaml"));
        region["spec"]["parent"] = json!("110000");
        region["spec"]["catalog"] = json!("prices");
        region["spec"]["tenancy"]["storageClasses"] = json!(["retained"]);
        tell(&state, "regions", region, ("", "410000"));
        let missing =
            ["regions 110000", "workcalendars cn", "servicecatalogs prices", "storageclasses retained"];
        assert_eq!(named(&state, Kind::Application, travel), missing);
        assert_eq!(named(&state, Kind::Region, ("", "410000")), missing);
        tell(&state, "workcalendars", sample(include_str!("../../config/calendars/cn.yaml")), ("", "cn"));
        tell(&state, "storageclasses", json!({ "kind": "StorageClass" }), ("", "retained"));
        assert_eq!(named(&state, Kind::Application, travel), ["regions 110000", "servicecatalogs prices"]);

        let exit = sample(include_str!("../../config/samples/travel-exit.yaml"));
        for department in ["dept-transport", "dept-other"] {
            tell(&state, "decommissions", exit.clone(), (department, "exit"));
        }
        let of = |department| named(&state, Kind::Decommission, (department, "exit"));
        assert!(!of("dept-transport").contains(&"cloudapplications travel".to_owned()));
        assert!(of("dept-other").contains(&"cloudapplications travel".to_owned()));
        assert!(named(&state, Kind::Grant, ("dept-other", "unknown")).is_empty());

        let enlarge = sample(include_str!("../../config/samples/travel-enlarge.yaml"));
        let mut maintenance = sample(include_str!("../../config/samples/maintenance.yaml"));
        maintenance["spec"]["platformMaintenance"]["affects"] = json!({ "applications": [
            { "namespace": "dept-transport", "name": "travel" }, { "namespace": "dept-other", "name": "parking" },
        ] });
        for (name, change) in [("enlarge", enlarge), ("maintenance", maintenance)] {
            tell(&state, "changerequests", change, ("dept-other", name));
        }
        let of = |name| named(&state, Kind::Change, ("dept-other", name)).swap_remove(0);
        assert_eq!(
            [of("enlarge"), of("maintenance")],
            ["cloudapplications travel", "cloudapplications parking"]
        );
    }
}
