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

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::observe::source;
use govcloud_api::change::ChangePhase;
use govcloud_api::keys;
use govcloud_domain::names;
use govcloud_domain::record::Meta;
use govcloud_domain::tenancy::volume_source;

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

/// What of a record its tags are made of, as it is stored: one that does not fit the schema has them too.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Its spec.
    pub(super) spec: Option<Value>,
    phase: Option<Value>,
    certificate: Option<Value>,
}

impl Parts {
    /// Of its JSON.
    pub(super) fn of(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Whole {
            spec: Option<Value>,
            status: Option<Status>,
        }
        #[derive(Default, Deserialize)]
        struct Status {
            phase: Option<Value>,
            certificate: Option<Value>,
        }
        if let Ok(Whole { spec, status }) = serde_json::from_str(text) {
            let Status { phase, certificate } = status.unwrap_or_default();
            return Self { spec, phase, certificate };
        }
        // A status that is none.
        let whole: Value = serde_json::from_str(text).unwrap_or_default();
        Self { spec: whole.get("spec").cloned(), ..Self::default() }
    }
}

/// The tags of a record of this project.
pub(super) fn of_record(parts: &Parts, meta: &Meta) -> Vec<String> {
    let spec = parts.spec.as_ref().unwrap_or(&Value::Null);
    let mut tags = vec![format!("uid/{}", meta.uid)];
    tags.extend(text(spec, "/region").map(region));
    for p in ["/application", "/resourceAdjustment/application"] {
        tags.extend(text(spec, p).map(|a| format!("application/{}/{a}", meta.namespace)));
    }
    for p in ["calendar", "catalog", "parent"] {
        tags.extend(spec[p].as_str().map(|a| format!("{p}/{a}")));
    }
    // Whoever holds a name that an application would take: its going is news for the application.
    let changed = text(spec, "/resourceAdjustment/application");
    for (application, entries) in
        [(Some(meta.name.as_str()), "/namespaces"), (changed, "/resourceAdjustment/namespaces")]
    {
        let (Some(application), Some(entries)) = (application, spec.pointer(entries)) else { continue };
        let names = entries.as_array().into_iter().flatten().filter_map(|e| e["name"].as_str());
        tags.extend(
            names.map(|e| format!("wants/{}", names::tenant_namespace(&meta.namespace, application, e))),
        );
    }
    tags.extend(of_maintenance(spec, parts.phase.as_ref()));
    let fates = parts.certificate.as_ref().and_then(|c| c["volumes"].as_array()).into_iter().flatten();
    let retained = fates.filter(|f| f["outcome"] == "Retained").filter_map(|f| f["volumeUID"].as_str());
    tags.extend(retained.map(keeps));
    tags
}

/// The tags of a platform maintenance. One that is over has none: they pile up over the years.
fn of_maintenance(spec: &Value, phase: Option<&Value>) -> Vec<String> {
    let phase = phase.map(ChangePhase::deserialize).and_then(Result::ok);
    let (Some(plan), Some(region)) = (spec.get("platformMaintenance"), text(spec, "/region")) else {
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

/// The tags of any other object. The whole of it is read for a volume only.
pub(super) fn of_plain<'a>(
    kind: &str,
    label: impl Fn(&str) -> Option<&'a str>,
    whole: &dyn Fn() -> Arc<Value>,
) -> Vec<String> {
    let mut tags = Vec::new();
    tags.extend(label(keys::APPLICATION_UID).map(|uid| format!("owner/{uid}")));
    if kind == "Namespace"
        && let (Some(department), Some(application)) = (label(keys::DEPARTMENT), label(keys::APPLICATION))
    {
        tags.push(tenant(department, application));
    }
    if let (Some(_), Some(region)) = (label(keys::RETAINED), label(keys::REGION)) {
        tags.push(kept_in(region));
    }
    if kind == "PersistentVolume" {
        let volume = whole();
        tags.extend(text(&volume, "/spec/claimRef/namespace").map(|ns| format!("claims/{ns}")));
        tags.extend(volume_source::marks(&source(&volume)));
    }
    tags
}
