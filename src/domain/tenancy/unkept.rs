//! Parts of a write that did not stay: paths at which the object reads otherwise, although the write was accepted. A mutating policy,
//! a webhook or another controller altered it.

use std::sync::Arc;

use serde_json::Value;

use super::drift::dotted;
use super::{LiveObject, OBJECTS, TenantObject, drift};
use crate::plan::Write;

/// Paths of a write that its object does not have now, as `Kind/name path`. A creation and a deletion have none.
#[must_use]
pub fn unkept(write: &Write, live: &Value) -> Vec<String> {
    let target = write.target();
    let rules = OBJECTS.iter().find(|rules| rules.resource == target.resource).copied();
    let paths = match (write, rules) {
        (Write::Apply(_, body), Some(rules)) => {
            let (namespace, name, body) = (target.namespace.clone(), target.name.clone(), body.clone());
            let desired = TenantObject { rules, namespace, name, body };
            drift(&desired, &LiveObject::new(target.resource, Arc::new(live.clone()))).paths()
        }
        (Write::Apply(_, patch) | Write::Correct(_, patch) | Write::Patch(_, _, patch), _) => {
            let mut paths = Vec::new();
            leaves(patch, live, &mut Vec::new(), &mut paths);
            paths
        }
        (Write::Create(..) | Write::Delete(..), _) => Vec::new(),
    };
    paths.iter().map(|path| format!("{}/{} {path}", target.resource.kind, target.name)).collect()
}

/// Paths of the leaves of a merge patch that an object does not have. Null is what is to be absent.
fn leaves(patch: &Value, live: &Value, path: &mut Vec<String>, found: &mut Vec<String>) {
    match patch {
        Value::Object(fields) => {
            for (field, value) in fields {
                path.push(field.clone());
                leaves(value, live.get(field).unwrap_or(&Value::Null), path, found);
                path.pop();
            }
        }
        value if value != live => found.push(dotted(path)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use govcloud_api::resources;
    use serde_json::json;

    use super::*;
    use crate::plan::{Precondition, Target};

    #[test]
    fn a_patch_names_the_leaves_that_did_not_stay() {
        let target = Target::named(resources::NAMESPACE, "dept");
        let precondition = Precondition { uid: "u".into(), resource_version: "1".into() };
        let patch = json!({ "metadata": { "labels": { "a.example/b": "true", "gone": null } } });
        let write = Write::Patch(target, precondition, patch);
        let of = |labels: Value| unkept(&write, &json!({ "metadata": { "name": "dept", "labels": labels } }));
        assert_eq!(of(json!({ "a.example/b": "true" })), [""; 0]);
        assert_eq!(
            of(json!({ "gone": "no" })),
            ["Namespace/dept metadata.labels[a.example/b]", "Namespace/dept metadata.labels.gone",]
        );
    }

    #[test]
    fn an_apply_is_compared_as_drift_is() {
        let target = Target::named(resources::NAMESPACE, "tenant");
        let enforce = "pod-security.kubernetes.io/enforce";
        let body = |level: &str| json!({ "metadata": { "name": "tenant", "labels": { enforce: level } } });
        let write = Write::Apply(target, body("baseline"));
        assert_eq!(
            unkept(&write, &body("privileged")),
            [format!("Namespace/tenant metadata.labels[{enforce}]")]
        );
        assert_eq!(unkept(&write, &body("baseline")), [""; 0]);
    }
}
