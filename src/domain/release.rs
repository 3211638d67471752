//! The policies, bindings and CRDs that this build ships, and the record of a release (Art. 20; decision 0025).

use std::collections::BTreeMap;

use govcloud_api::OPERATOR_NAMESPACE;
use govcloud_api::resources::{ADMISSION_POLICIES, CUSTOM_RESOURCE_DEFINITION};
use include_dir::{Dir, include_dir};
use serde_json::{Value, json};

use crate::integrity;
use crate::mutators::AllowedMutators;

/// The policies as shipped.
static ADMISSION: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../config/admission");

/// ConfigMap that records a release before it is applied. Only a holder of `administer` may write it (policy).
pub const RELEASE: &str = "govcloud-release";

/// Username that writes `namespaces/finalize` and `namespaces/status` by default: the namespace controller of a
/// kube-controller-manager with `--use-service-account-credentials`.
pub const NAMESPACE_CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";

/// Every shipped and guarded object by `Kind/name`, for the usual namespace controller.
///
/// # Errors
/// A shipped file that cannot be read: a defect of the build.
pub fn shipped() -> Result<BTreeMap<String, Value>, String> {
    shipped_for(NAMESPACE_CONTROLLER)
}

/// Every shipped and guarded object, for a namespace controller with this username.
///
/// # Errors
/// A shipped file that cannot be read: a defect of the build.
pub fn shipped_for(namespace_controller: &str) -> Result<BTreeMap<String, Value>, String> {
    let mut objects = BTreeMap::new();
    let files = ADMISSION.find("**/*.yaml").map_err(|e| e.to_string())?;
    for file in files.filter_map(include_dir::DirEntry::as_file) {
        let text = file.contents_utf8().unwrap_or_default();
        let text = text.replace(NAMESPACE_CONTROLLER, namespace_controller);
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).map_err(|e| format!("{}: {e}", file.path().display()))?;
        let guarded = |o: &Value| ADMISSION_POLICIES.iter().any(|r| o["kind"] == *r.kind);
        objects.extend(documents.into_iter().filter(guarded).map(|o| (integrity::key(&o), o)));
    }
    for crd in govcloud_api::crds() {
        let mut o = serde_json::to_value(&crd).map_err(|e| e.to_string())?;
        o["kind"] = json!(CUSTOM_RESOURCE_DEFINITION.kind);
        objects.insert(integrity::key(&o), o);
    }
    Ok(objects)
}

/// The ConfigMap that records this build's release, to be applied before its policies.
///
/// # Errors
/// A shipped file that cannot be read: a defect of the build.
pub fn release_manifest(namespace_controller: &str) -> Result<Value, String> {
    let shipped = shipped_for(namespace_controller)?;
    let objects = serde_json::to_string_pretty(&integrity::release(&shipped)).map_err(|e| e.to_string())?;
    Ok(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": RELEASE, "namespace": OPERATOR_NAMESPACE }, "data": { "objects": objects },
    }))
}

/// The mutators of others that the ConfigMap's `data` allows: `allowedMutators`, digests by `Kind/name` as JSON or YAML. A
/// text that cannot be read allows none.
#[must_use]
pub fn read_allowed_mutators(data: &Value) -> AllowedMutators {
    let text = data["allowedMutators"].as_str();
    text.and_then(|t| serde_saphyr::from_str(t).ok()).unwrap_or_default()
}

/// The release that the ConfigMap's `data` records: digests in `objects`, and in `rendered` whole manifests whose
/// digests only their renderer knew too late (the chart's, for another namespace controller).
#[must_use]
pub fn read_release(data: &Value) -> integrity::Release {
    let text = |key: &str| data[key].as_str();
    let mut release: integrity::Release =
        text("objects").and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    let rendered: Vec<Value> =
        text("rendered").and_then(|t| serde_saphyr::from_multiple(t).ok()).unwrap_or_default();
    let rendered = rendered.into_iter().map(|o| (integrity::key(&o), o)).collect();
    release.extend(integrity::release(&rendered));
    release
}
