//! The short form of `make bench`: the operator's writes for one application are those that are necessary.

use anyhow::{Result, ensure};
use e2e::say;

use crate::comparison::{PROVISION, measure};

/// The writes that an application with one namespace needs from approval to provisioned; docs/performance.md says for what.
const NECESSARY: [(&str, f64); 9] = [
    ("create resourcegrants", 1.0),
    ("create namespaces", 1.0),
    ("create resourcequotas", 1.0),
    ("create limitranges", 1.0),
    ("create networkpolicies", 2.0),
    ("create rolebindings", 1.0),
    ("patch cloudapplications/status", 2.0),
    ("patch resourcegrants/status", 1.0),
    // Decided, notified, clock started; received, in force; provisioned, clock met, clock started.
    ("create events", 8.0),
];

/// Runs the operator and both other clients with a few applications. No times are judged.
pub async fn smoke() -> Result<()> {
    for (name, figure) in measure(PROVISION, 6).await? {
        let necessary = NECESSARY.iter().find(|(n, _)| *n == name).map(|(_, count)| *count);
        let most = match name.as_str() {
            // One where more than a second passed between an answer and the decision on it.
            "reads each" => 0.9,
            _ if ["create ", "patch ", "delete ", "refused "].iter().any(|verb| name.starts_with(verb)) => {
                0.0
            }
            _ => f64::MAX,
        };
        say!("{name}: {figure:.2}");
        ensure!(figure <= necessary.unwrap_or(most), "{figure} of {name}: necessary are {necessary:?}");
    }
    Ok(())
}
