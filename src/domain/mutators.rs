//! Mutators of others: MutatingAdmissionPolicies, their bindings and MutatingWebhookConfigurations that this project does
//! not ship (design, section 3; decision 0070).
//!
//! A mutator runs after the sender and before every validating policy, so it can store `approved` where an officer sent
//! `returned`. The validating policies then see the officer's name. Each mutator that can match what decisions or tenants
//! rest on is therefore named, and no decision counts until the release record lists it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::digest::digest_of;
use super::integrity::{Defect, PolicyIntegrity, PolicyViolation, Record, canonical};
use govcloud_api::GROUP;
use govcloud_api::resources::{
    MUTATING_ADMISSION_POLICY, MUTATING_ADMISSION_POLICY_BINDING, MUTATING_WEBHOOK_CONFIGURATION,
};

/// Mutators that the release record allows: digest of each one's [`canonical`] form, by `Kind/name`. An altered one is
/// another mutator.
pub type AllowedMutators = BTreeMap<String, String>;

/// A resource that no unlisted mutator may match.
struct Guarded {
    group: &'static str,
    /// `*` is every resource of the group.
    resource: &'static str,
    /// The names that count; empty for every name.
    names: &'static [&'static str],
}

const fn every(group: &'static str, resource: &'static str) -> Guarded {
    Guarded { group, resource, names: &[] }
}

/// Records and settings, and every object that the operator writes or trusts under its own name: the policies let the
/// operator's request through, and would let through what a mutator adds to it.
const GUARDED: [Guarded; 9] = [
    every(GROUP, "*"),                                  // decisions, status, stamps (S1, S6, S7)
    every("", "namespaces"),                            // owner, reclaim mark, filing region (S3, S5)
    every("", "persistentvolumes"),                     // reclaim policy, claim, label (S2, S5)
    every("", "persistentvolumeclaims"),                // class and volume, as the volume binder sets it (S5)
    every("", "resourcequotas"),                        // what was granted (S1)
    every("", "limitranges"),                           // the same
    every("networking.k8s.io", "networkpolicies"),      // isolation of tenants
    every("rbac.authorization.k8s.io", "rolebindings"), // access to tenants (S1)
    Guarded {
        group: "",
        resource: "configmaps", // what the guard itself rests on (S1)
        names: &["govcloud-guard", "govcloud-release", "govcloud-cloudevents"],
    },
];

/// One mutator of others that can match a guarded resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutator {
    /// `Kind/name`.
    pub object: String,
    /// `group/resource` of the first guarded resource that it can match; of a binding, that of its policy.
    pub touches: String,
    /// Digest of its canonical form, as the release record lists it.
    pub digest: String,
}

/// Mutators among the live objects of others, by `Kind/name`, that can match a guarded resource.
#[must_use]
pub fn foreign(others: &BTreeMap<String, Value>) -> Vec<Mutator> {
    let policies: BTreeMap<&str, String> = others
        .iter()
        .filter(|(_, o)| o["kind"] == MUTATING_ADMISSION_POLICY.kind)
        .filter_map(|(_, o)| Some((o["metadata"]["name"].as_str()?, touched(o)?)))
        .collect();
    let reach = |object: &Value| {
        if object["kind"] == MUTATING_ADMISSION_POLICY_BINDING.kind {
            return policies.get(object["spec"]["policyName"].as_str()?).cloned();
        }
        touched(object)
    };
    let mutator = |(key, object): (&String, &Value)| {
        let digest = digest_of(&canonical(object)).unwrap_or_default();
        Some(Mutator { object: key.clone(), touches: reach(object)?, digest })
    };
    others.iter().filter_map(mutator).collect()
}

/// Violations by the mutators that the release record does not list as they are.
#[must_use]
pub fn unlisted(foreign: Vec<Mutator>, allowed: &AllowedMutators) -> Vec<PolicyViolation> {
    let listed = |m: &Mutator| allowed.get(&m.object) == Some(&m.digest);
    let violation =
        |m: Mutator| PolicyViolation { object: m.object, defect: Defect::ForeignMutator(m.touches) };
    foreign.into_iter().filter(|m| !listed(m)).map(violation).collect()
}

/// The result of a check, with the violations by mutators. They end the record of the last good check: when they are gone,
/// decisions count from then on.
#[must_use]
pub fn with_unlisted(
    checked: (PolicyIntegrity, Option<Record>),
    unlisted: Vec<PolicyViolation>,
) -> (PolicyIntegrity, Option<Record>) {
    if unlisted.is_empty() {
        return checked;
    }
    let mut all = match checked.0 {
        PolicyIntegrity::Violated(violations) => violations,
        PolicyIntegrity::Unknown | PolicyIntegrity::Intact { .. } => Vec::new(),
    };
    all.extend(unlisted);
    (PolicyIntegrity::Violated(all), None)
}

/// `group/resource` of the first guarded resource that a policy or a webhook configuration can match.
fn touched(object: &Value) -> Option<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (rules, excluded): (Vec<Value>, Vec<Value>) = if object["kind"] == MUTATING_WEBHOOK_CONFIGURATION.kind
    {
        (list(&object["webhooks"]).iter().flat_map(|w| list(&w["rules"])).collect(), Vec::new())
    } else if object["kind"] == MUTATING_ADMISSION_POLICY.kind {
        let constraints = &object["spec"]["matchConstraints"];
        (list(&constraints["resourceRules"]), list(&constraints["excludeResourceRules"]))
    } else {
        return None;
    };
    let touching = |g: &&Guarded| {
        rules.iter().any(|rule| may_match(rule, g)) && !excluded.iter().any(|rule| excludes(rule, g))
    };
    GUARDED.iter().find(touching).map(|g| format!("{}/{}", g.group, g.resource).trim_matches('/').to_owned())
}

/// Texts of a list.
fn texts<'a>(rule: &'a Value, field: &str) -> BTreeSet<&'a str> {
    rule[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Returns true if a rule can match a request that writes the resource, or one of its subresources.
fn may_match(rule: &Value, guarded: &Guarded) -> bool {
    let (groups, operations) = (texts(rule, "apiGroups"), texts(rule, "operations"));
    let names = texts(rule, "resourceNames");
    let resource = |r: &&str| {
        let resource = r.split('/').next().unwrap_or_default();
        guarded.resource == "*" || resource == "*" || resource == guarded.resource
    };
    (groups.contains("*") || groups.contains(guarded.group))
        && ["*", "CREATE", "UPDATE"].iter().any(|o| operations.contains(o))
        && texts(rule, "resources").iter().any(resource)
        && (names.is_empty()
            || guarded.names.is_empty()
            || guarded.names.iter().any(|name| names.contains(name)))
}

/// Returns true if a rule excludes every write of the resource and of its subresources.
fn excludes(rule: &Value, guarded: &Guarded) -> bool {
    let (groups, operations) = (texts(rule, "apiGroups"), texts(rule, "operations"));
    let resources = texts(rule, "resources");
    let covers =
        |resource: &str, subresources: &str| resources.contains(resource) && resources.contains(subresources);
    (groups.contains("*") || groups.contains(guarded.group))
        && texts(rule, "apiVersions").contains("*")
        && operations.contains("*")
        && texts(rule, "resourceNames").is_empty()
        && matches!(rule["scope"].as_str(), None | Some("*"))
        && (resources.contains("*/*")
            || guarded.resource != "*" && covers(guarded.resource, &format!("{}/*", guarded.resource)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrity::key;
    use jiff::Timestamp;
    use serde_json::json;

    fn policy(rules: Value) -> Value {
        json!({ "kind": "MutatingAdmissionPolicy", "metadata": { "name": "other" }, "spec": { "matchConstraints": rules } })
    }

    fn webhook(rule: Value) -> Value {
        json!({ "kind": "MutatingWebhookConfiguration", "metadata": { "name": "hook" }, "webhooks": [
            { "name": "a.example.org", "clientConfig": { "url": "https://a.example.org", "caBundle": "MQ==" }, "rules": [rule] },
        ] })
    }

    fn rule(group: &str, resource: &str, operation: &str) -> Value {
        json!({ "apiGroups": [group], "apiVersions": ["*"], "operations": [operation], "resources": [resource] })
    }

    fn by_key(objects: impl IntoIterator<Item = Value>) -> BTreeMap<String, Value> {
        objects.into_iter().map(|o| (key(&o), o)).collect()
    }

    fn touches(object: Value) -> Option<String> {
        foreign(&by_key([object])).pop().map(|m| m.touches)
    }

    #[test]
    fn s1_a_mutator_of_records_or_tenant_objects_is_foreign() {
        for (group, resource, expected) in [
            ("govcloud.dev", "cloudapplications", Some("govcloud.dev/*")),
            ("govcloud.dev", "*/status", Some("govcloud.dev/*")),
            ("*", "*", Some("govcloud.dev/*")),
            ("*", "pods", Some("govcloud.dev/*")),
            ("", "*", Some("namespaces")),
            ("", "*/*", Some("namespaces")),
            ("", "namespaces/finalize", Some("namespaces")),
            ("", "persistentvolumes", Some("persistentvolumes")),
            ("", "persistentvolumeclaims/*", Some("persistentvolumeclaims")),
            ("", "resourcequotas", Some("resourcequotas")),
            ("", "limitranges", Some("limitranges")),
            ("", "configmaps", Some("configmaps")),
            ("networking.k8s.io", "networkpolicies", Some("networking.k8s.io/networkpolicies")),
            ("rbac.authorization.k8s.io", "rolebindings", Some("rbac.authorization.k8s.io/rolebindings")),
            ("", "pods", None),
            ("apps", "*", None),
            ("networking.k8s.io", "ingresses", None),
        ] {
            for operation in ["CREATE", "UPDATE", "*"] {
                let rule = rule(group, resource, operation);
                let name = format!("{group}/{resource} {operation}");
                assert_eq!(touches(webhook(rule.clone())).as_deref(), expected, "{name}");
                let rules = json!({ "resourceRules": [rule] });
                assert_eq!(touches(policy(rules)).as_deref(), expected, "{name}");
            }
            assert_eq!(touches(webhook(rule(group, resource, "DELETE"))), None, "nothing to rewrite");
        }
    }

    #[test]
    fn a_policy_that_excludes_everything_guarded_is_not_foreign() {
        let everything = rule("*", "*/*", "*");
        let excluding = |excluded: Value| {
            touches(policy(json!({ "resourceRules": [everything], "excludeResourceRules": excluded })))
        };
        assert_eq!(excluding(json!([rule("*", "*/*", "*")])), None);
        assert_eq!(excluding(json!([rule("govcloud.dev", "*/*", "*")])).as_deref(), Some("namespaces"));
        for half in [rule("govcloud.dev", "*", "*"), rule("govcloud.dev", "*/*", "CREATE")] {
            assert_eq!(excluding(json!([half])).as_deref(), Some("govcloud.dev/*"));
        }
        let mut named = rule("govcloud.dev", "*/*", "*");
        named["resourceNames"] = json!(["one"]);
        assert_eq!(excluding(json!([named])).as_deref(), Some("govcloud.dev/*"));
    }

    #[test]
    fn a_rule_for_other_names_is_not_foreign() {
        let mut named = rule("", "configmaps", "CREATE");
        named["resourceNames"] = json!(["marker"]);
        assert_eq!(touches(policy(json!({ "resourceRules": [named] }))), None);
        named["resourceNames"] = json!(["marker", "govcloud-guard"]);
        assert_eq!(touches(policy(json!({ "resourceRules": [named] }))).as_deref(), Some("configmaps"));
    }

    #[test]
    fn a_binding_counts_with_its_policy() {
        let other = policy(json!({ "resourceRules": [rule("govcloud.dev", "*", "*")] }));
        let binding = |to: &str| json!({ "kind": "MutatingAdmissionPolicyBinding", "metadata": { "name": "b" }, "spec": { "policyName": to } });
        let named = |objects: [Value; 2]| {
            let found = foreign(&by_key(objects));
            found.into_iter().map(|m| m.object).collect::<Vec<_>>()
        };
        assert_eq!(
            named([other.clone(), binding("other")]),
            ["MutatingAdmissionPolicy/other", "MutatingAdmissionPolicyBinding/b"]
        );
        assert_eq!(named([other, binding("nobody")]), ["MutatingAdmissionPolicy/other"]);
    }

    #[test]
    fn only_a_mutator_that_is_listed_as_it_is_passes() {
        let mut hook = webhook(rule("*", "*", "*"));
        let live = |hook: &Value| foreign(&by_key([hook.clone()]));
        let allowed = AllowedMutators::from([(key(&hook), live(&hook)[0].digest.clone())]);
        assert!(unlisted(live(&hook), &allowed).is_empty());
        hook["webhooks"][0]["clientConfig"]["caBundle"] = json!("Mg==");
        assert!(unlisted(live(&hook), &allowed).is_empty(), "a renewed CA is no other mutator");
        hook["webhooks"][0]["clientConfig"]["url"] = json!("https://b.example.org");
        assert_eq!(unlisted(live(&hook), &allowed).len(), 1);
        assert_eq!(unlisted(live(&hook), &AllowedMutators::new()).len(), 1);
    }

    #[test]
    fn an_unlisted_mutator_ends_the_record() {
        let good = || (PolicyIntegrity::Intact { since: Timestamp::UNIX_EPOCH }, Some(Record::default()));
        assert_eq!(with_unlisted(good(), Vec::new()), good());
        let found = unlisted(foreign(&by_key([webhook(rule("*", "*", "*"))])), &AllowedMutators::new());
        let (integrity, record) = with_unlisted(good(), found.clone());
        assert_eq!((integrity, record), (PolicyIntegrity::Violated(found.clone()), None));
        insta::assert_snapshot!(found[0].text(), @"MutatingWebhookConfiguration/hook 可改写 govcloud.dev/*，且未列入版本登记的 allowedMutators / MutatingWebhookConfiguration/hook can rewrite govcloud.dev/* and is not among the release record's allowedMutators");
    }
}
