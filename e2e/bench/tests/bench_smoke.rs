//! The short form of `make bench`: the operator's writes are those that are necessary, and the other clients get as far with them. No
//! times are judged.

use std::process::Command;

/// The writes that an application with one namespace needs from approval to provisioned; docs/performance.md says for what.
const NECESSARY: [(&str, f64); 9] = [
    ("create resourcegrants", 1.0),
    ("create namespaces", 1.0),
    ("create resourcequotas", 1.0),
    ("create limitranges", 1.0),
    ("create networkpolicies", 1.0),
    ("create rolebindings", 1.0),
    ("patch cloudapplications/status", 2.0),
    ("patch resourcegrants/status", 1.0),
    // One for each status: decided, in force, provisioned.
    ("create events", 3.0),
];

#[test]
fn the_writes_of_a_provision_are_those_necessary() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).arg("smoke").output().expect("the bench runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures: Vec<(String, f64)> = serde_json::from_slice(&output.stdout).expect("figures");
    assert!(figures.iter().any(|(name, _)| name == "zero-overhead client, s"), "{figures:?}");
    for (name, figure) in &figures {
        let necessary = NECESSARY.iter().find(|(n, _)| n == name).map(|(_, count)| *count);
        let most = match name.as_str() {
            // One where more than a second passed between an answer and the decision on it.
            "reads each" => 0.9,
            _ if ["create ", "patch ", "delete ", "refused "].iter().any(|verb| name.starts_with(verb)) => {
                0.0
            }
            _ => f64::MAX,
        };
        assert!(*figure <= necessary.unwrap_or(most), "{name}: {figure}; necessary are {necessary:?}");
    }
}
