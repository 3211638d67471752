//! The words that records are found by, so that no decision looks through what it has nothing to do with.
//!
//! | tag | on | finds |
//! |---|---|---|
//! | `region/CODE` | every record | the records of a region |
//! | `application/NS/NAME` | changes, exits, grants | what is filed on an application |
//! | `calendar/`, `catalog/`, `parent/` | Regions | the Regions that refer to a setting |
//! | `uid/UID` | every record | a record by its UID |
//! | `wants/NAMESPACE` | applications, changes | who would take a namespace of that name |
//! | `tenant/NS/NAME` | namespaces, by their labels | what an application of that name has, or an earlier one had |
//! | `maintenance/CODE` | maintenance that is not over | the maintenance of a region |
//! | `maintains-all/CODE` | the same, with `all: true` | what affects every application of a region |
//! | `maintains/NS/NAME` | the same, with names | what affects an application |
//! | `tenant/NS/NAME` | tenant namespaces | what carries an application's name, whoever's UID it carries |
//! | `keeps/UID` | exits whose certificate says that the volume was retained | on whose word it is kept |
//! | `kept-in/CODE` | retained volumes | what a region keeps |

use serde::Deserialize as _;
use serde_json::Value;

use crate::api::change::ChangePhase;
use crate::core::names;
use crate::core::record::Meta;

const MAINTENANCE: &str = "maintenance/";
const MAINTAINS_ALL: &str = "maintains-all/";
const MAINTAINS: &str = "maintains/";
const TENANT: &str = "tenant/";
const KEEPS: &str = "keeps/";
const KEPT: &str = "kept-in/";

/// The records of a region.
#[must_use]
pub fn region(code: &str) -> String {
    format!("region/{code}")
}

/// Maintenance of a region that is not over.
#[must_use]
pub fn maintenance(region: &str) -> String {
    format!("{MAINTENANCE}{region}")
}

/// Maintenance that affects every application of a region.
#[must_use]
pub fn maintains_all(region: &str) -> String {
    format!("{MAINTAINS_ALL}{region}")
}

/// Maintenance that names an application.
#[must_use]
pub fn maintains(namespace: &str, name: &str) -> String {
    format!("{MAINTAINS}{namespace}/{name}")
}

/// Namespaces whose labels give them to an application of this name.
#[must_use]
pub fn tenant(namespace: &str, application: &str) -> String {
    format!("{TENANT}{}/{}", names::label_value(namespace), names::label_value(application))
}

/// Namespace and name of the application that a namespace's labels give it to.
pub(super) fn tenant_of(tag: &str) -> Option<(&str, &str)> {
    tag.strip_prefix(TENANT)?.split_once('/')
}

/// Whether it finds the maintenance of a region.
pub(super) fn is_maintenance(tag: &str) -> bool {
    tag.starts_with(MAINTENANCE)
}

/// The region whose applications are all affected.
pub(super) fn region_of_all(tag: &str) -> Option<&str> {
    tag.strip_prefix(MAINTAINS_ALL)
}

/// Namespace and name of the application that is affected.
pub(super) fn maintained(tag: &str) -> Option<(&str, &str)> {
    tag.strip_prefix(MAINTAINS)?.split_once('/')
}

/// Exits by whose certificate a volume was retained.
#[must_use]
pub fn keeps(volume_uid: &str) -> String {
    format!("{KEEPS}{volume_uid}")
}

/// Volumes that a region keeps.
#[must_use]
pub fn kept_in(region: &str) -> String {
    format!("{KEPT}{region}")
}

/// Whether it finds an exit by a volume that it retained.
pub(super) fn is_keeping(tag: &str) -> bool {
    tag.starts_with(KEEPS)
}

/// The region that keeps a volume.
pub(super) fn keeper(tag: &str) -> Option<&str> {
    tag.strip_prefix(KEPT)
}

fn text<'a>(data: &'a Value, pointer: &str) -> Option<&'a str> {
    data.pointer(pointer)?.as_str()
}

/// The tags of a record of this project, from its stored JSON: one that does not fit the schema has them too.
pub(super) fn of_record(data: &Value, meta: &Meta) -> Vec<String> {
    let mut tags = vec![format!("uid/{}", meta.uid)];
    tags.extend(text(data, "/spec/region").map(region));
    for p in ["/spec/application", "/spec/resourceAdjustment/application"] {
        tags.extend(text(data, p).map(|a| format!("application/{}/{a}", meta.namespace)));
    }
    for p in ["/spec/calendar", "/spec/catalog", "/spec/parent"] {
        tags.extend(text(data, p).map(|a| format!("{}/{a}", &p[6..])));
    }
    // Whoever holds a name that an application would take: its going is news for the application.
    let changed = text(data, "/spec/resourceAdjustment/application");
    for (application, entries) in
        [(Some(meta.name.as_str()), "/spec/namespaces"), (changed, "/spec/resourceAdjustment/namespaces")]
    {
        let (Some(application), Some(entries)) = (application, data.pointer(entries)) else { continue };
        let names = entries.as_array().into_iter().flatten().filter_map(|e| e["name"].as_str());
        tags.extend(
            names.map(|e| format!("wants/{}", names::tenant_namespace(&meta.namespace, application, e))),
        );
    }
    tags.extend(of_maintenance(data));
    let fates = data.pointer("/status/certificate/volumes").and_then(Value::as_array).into_iter().flatten();
    let retained = fates.filter(|f| f["outcome"] == "Retained").filter_map(|f| f["volumeUID"].as_str());
    tags.extend(retained.map(keeps));
    tags
}

/// The tags of a platform maintenance. One that is over has none: they pile up over the years.
fn of_maintenance(data: &Value) -> Vec<String> {
    let phase = data.pointer("/status/phase").map(ChangePhase::deserialize).and_then(Result::ok);
    let (Some(plan), Some(region)) = (data.pointer("/spec/platformMaintenance"), text(data, "/spec/region"))
    else {
        return Vec::new();
    };
    if phase.is_some_and(ChangePhase::is_over) {
        return Vec::new();
    }
    let mut tags = vec![maintenance(region)];
    match plan.pointer("/affects/applications").and_then(Value::as_array) {
        None => tags.push(maintains_all(region)),
        Some(named) => tags.extend(
            named.iter().filter_map(|a| Some(maintains(a["namespace"].as_str()?, a["name"].as_str()?))),
        ),
    }
    tags
}
