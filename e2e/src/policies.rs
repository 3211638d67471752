//! Resources that this project's policies match, read from their files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::kubectl::Kubectl;
use crate::paths::in_repository;

/// Operations that a policy matches, by resource: `pods`, or `roles.rbac.authorization.k8s.io`.
pub type Matched = BTreeMap<String, BTreeSet<String>>;

/// Every resource that a policy names, without subresources, and the operations on it; `*` as the server knows it.
pub async fn matched(admin: &Kubectl) -> Result<Matched> {
    let mut all = Matched::new();
    for directory in ["config/admission/validating", "config/admission/mutating"] {
        for entry in fs::read_dir(in_repository(directory))? {
            let text = fs::read_to_string(entry?.path())?;
            for document in serde_saphyr::from_multiple::<Value>(&text)? {
                let rules = document["spec"]["matchConstraints"]["resourceRules"].as_array();
                for rule in rules.into_iter().flatten() {
                    add(&mut all, admin, rule).await?;
                }
            }
        }
    }
    Ok(all)
}

async fn add(all: &mut Matched, admin: &Kubectl, rule: &Value) -> Result<()> {
    let words = |field: &str| rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
    for group in words("apiGroups") {
        for resource in words("resources").filter(|resource| !resource.contains('/')) {
            for name in names(admin, group, resource).await? {
                all.entry(name).or_default().extend(words("operations").map(str::to_owned));
            }
        }
    }
    Ok(())
}

async fn names(admin: &Kubectl, group: &str, resource: &str) -> Result<Vec<String>> {
    if resource == "*" {
        let api_group = format!("--api-group={group}");
        let served = admin.run(&["api-resources", &api_group, "-o", "name"]).await?;
        return Ok(served.lines().map(str::to_owned).collect());
    }
    Ok(vec![if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }])
}
