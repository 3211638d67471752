//! Rules that every admission policy keeps, by its structure (config/admission/README.md, "How they are written").

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The condition under which a policy judges an UPDATE at all: it changes something. The storage version migrator, which
/// rewrites every object as it is, must never be refused.
const CHANGES: &str =
    "request.operation != 'UPDATE' || request.?subResource.orValue('') != '' || object != oldObject";

const POLICY: &str = "ValidatingAdmissionPolicy";

/// Groups of resources that hold records or settings of this project: whatever is asked of them is ours.
const OURS: &str = "govcloud.dev";

/// It judges the operator alone, which is not the migrator.
const JUDGES_THE_OPERATOR: &str = "govcloud-operator-reach";

/// Policies that look at requests in namespaces that are none of ours, and why they must. Their condition `asked` comes before
/// everything else.
const LOOK_EVERYWHERE: [(&str, &str); 2] = [
    ("govcloud-roles", "a binding in any namespace can give a verb of ours"),
    (JUDGES_THE_OPERATOR, "the operator may not write there"),
];

/// Namespaced resources of Kubernetes that policies may name.
const NAMESPACED: [&str; 12] = [
    "configmaps",
    "ingresses",
    "limitranges",
    "networkpolicies",
    "persistentvolumeclaims",
    "poddisruptionbudgets",
    "pods",
    "resourcequotas",
    "rolebindings",
    "roles",
    "secrets",
    "services",
];

fn of_kind(kind: &str) -> Vec<Value> {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/admission/validating"));
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let policies = files.flat_map(|file| {
        let text = fs::read_to_string(&file).unwrap();
        serde_saphyr::from_multiple::<Value>(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
    });
    let found: Vec<Value> = policies.filter(|o| o["kind"] == kind).collect();
    assert!(found.len() > 16, "only {} of {kind}", found.len());
    found
}

fn name(policy: &Value) -> &str {
    policy["metadata"]["name"].as_str().unwrap()
}

fn rules(policy: &Value) -> impl Iterator<Item = &Value> {
    policy["spec"]["matchConstraints"]["resourceRules"].as_array().unwrap().iter()
}

fn conditions(policy: &Value) -> impl Iterator<Item = &Value> {
    policy["spec"]["matchConditions"].as_array().into_iter().flatten()
}

fn has(list: &Value, wanted: impl Fn(&str) -> bool) -> bool {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).any(wanted)
}

#[test]
fn an_update_that_changes_nothing_is_judged_by_no_policy() {
    for policy in of_kind(POLICY) {
        let updates = rules(&policy).any(|rule| {
            has(&rule["operations"], |o| o == "UPDATE" || o == "*")
                && has(&rule["resources"], |resource| !resource.contains('/'))
        });
        let stated = conditions(&policy).any(|c| c["name"] == "changes" && c["expression"] == CHANGES);
        let wanted = updates && name(&policy) != JUDGES_THE_OPERATOR;
        assert_eq!(stated, wanted, "{}: condition `changes`", name(&policy));
    }
}

/// A request in a namespace that is none of ours is not evaluated: the binding has a selector of namespaces, or the policy names
/// the objects that it is about.
#[test]
fn a_stranger_is_not_evaluated() {
    let mut exempt = BTreeSet::new();
    let bindings = of_kind("ValidatingAdmissionPolicyBinding");
    for policy in of_kind(POLICY) {
        // In every binding, so that the API server reads the selector for the kinds only that the policy is about.
        let bounded = bindings.iter().filter(|binding| binding["spec"]["policyName"] == *name(&policy)).all(
            |binding| {
                let selects = &binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"][0];
                selects["key"] == "govcloud.dev/application-uid" && selects["operator"] == "Exists"
            },
        );
        let everywhere = rules(&policy).filter(|rule| {
            let ours = has(&rule["apiGroups"], |group| group == OURS);
            let named = rule["resourceNames"].as_array().is_some_and(|names| !names.is_empty());
            let namespaced = has(&rule["resources"], |resource| {
                let resource = resource.split('/').next().unwrap_or_default();
                resource == "*" || NAMESPACED.contains(&resource)
            });
            namespaced && !ours && !named
        });
        if bounded || everywhere.count() == 0 {
            continue;
        }
        assert!(
            LOOK_EVERYWHERE.iter().any(|(known, _)| *known == name(&policy)),
            "{} evaluates requests in namespaces that are none of ours: give its binding a namespaceSelector",
            name(&policy)
        );
        assert!(
            conditions(&policy).any(|c| c["name"] == "asked"),
            "{} has no condition `asked`",
            name(&policy)
        );
        exempt.insert(name(&policy).to_owned());
    }
    assert_eq!(exempt.len(), LOOK_EVERYWHERE.len(), "{exempt:?}");
}

/// A role with any verb that the policy judges is looked at: the condition `asked` names them all.
#[test]
fn a_role_with_a_verb_of_ours_is_never_passed_over() {
    let policies = of_kind(POLICY);
    let roles = policies.iter().find(|policy| name(policy) == "govcloud-roles").unwrap();
    let asked = conditions(roles).find(|condition| condition["name"] == "asked").unwrap();
    let variables = roles["spec"]["variables"].as_array().unwrap();
    let judged = variables.iter().find(|variable| variable["name"] == "rules").unwrap();
    let verbs = |of: &Value| -> BTreeSet<String> {
        let (_, list) = of["expression"].as_str().unwrap().split_once("v in [").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        list.split(", ").map(|verb| verb.trim_matches('\'').to_owned()).collect()
    };
    let (asked, judged) = (verbs(asked), verbs(judged));
    assert!(judged.len() > 6 && asked.is_superset(&judged), "asked about {asked:?}, judged by {judged:?}");
}
