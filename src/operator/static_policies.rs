//! The keeper and every shipped policy as files for API servers: the same policies, with the suffix that names of static
//! policies must have (docs/static-policies.md).

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use govcloud_domain::release;
use serde_json::{Value, json};

/// Suffix of the names of policies from files (KEP-5793).
const SUFFIX: &str = ".static.k8s.io";

/// The shipped keeper, as text: its hash is that of the file.
const KEEPER: &str = include_str!("../../config/static/validating/govcloud-keeper.yaml");

/// One file for each plugin, so that it is never in force half-way.
const FILE: &str = "govcloud-keeper.yaml";

/// Writes `admission.yaml`, `validating/` and `mutating/`.
pub fn write(directory: &Path) -> Result<(), Box<dyn Error>> {
    let mut files: BTreeMap<&str, String> = BTreeMap::from([("Validating", KEEPER.to_owned())]);
    for mut policy in release::shipped()?.into_values() {
        let kind = policy["kind"].as_str().unwrap_or_default();
        let Some(plugin) = ["Validating", "Mutating"].into_iter().find(|p| kind.starts_with(p)) else {
            continue;
        };
        rename(&mut policy);
        let text = files.entry(plugin).or_default();
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(&policy)?);
    }
    for (plugin, text) in &files {
        let directory = directory.join(plugin.to_lowercase());
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(FILE), text)?;
    }
    let plugins: Vec<Value> = files.keys().map(|plugin| configuration(plugin)).collect();
    let admission = json!({ "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": plugins });
    Ok(fs::write(directory.join("admission.yaml"), serde_saphyr::to_string(&admission)?)?)
}

/// Gives a policy or a binding the name that a static one has.
fn rename(policy: &mut Value) {
    let fields = ["/metadata/name", "/spec/policyName"];
    for field in fields {
        if let Some(name) = policy.pointer_mut(field) {
            *name = json!(format!("{}{SUFFIX}", name.as_str().unwrap_or_default()));
        }
    }
}

fn configuration(plugin: &str) -> Value {
    let name = format!("{plugin}AdmissionPolicy");
    json!({ "name": name, "configuration": {
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": format!("{name}Configuration"),
        "staticManifestsDir": format!("/etc/kubernetes/govcloud/{}", plugin.to_lowercase()),
    } })
}
