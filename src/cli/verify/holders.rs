//! Holders of a right by which decisions can be made, faked or got around: verbs of this project, impersonation in all its
//! forms, deletion without admission, and writing mutators and roles (docs/security.md).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use kube::api::{Api, ListParams};
use serde::Serialize;

use super::super::error::CliError;
use super::super::session::Session;
use govcloud_api::GROUP;

/// One subject's rights of this sort, by one binding. The field names are an interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Holder {
    /// `User/name`, `Group/name` or `ServiceAccount/namespace/name`.
    pub subject: String,
    /// `verb resource.group`, each once. `*` is a wildcard, which does not count for `approve`, `provision`, `consent`, `confirm`,
    /// `install`, `adopt-out`.
    pub rights: BTreeSet<String>,
    /// The binding; with its namespace if the rights hold there only.
    pub binding: String,
}

/// Roles and bindings of a cluster.
#[derive(Debug, Default)]
pub(super) struct Rbac {
    /// Rules by `namespace/name`; cluster roles have no namespace.
    rules: BTreeMap<String, Vec<PolicyRule>>,
    /// Binding, namespace, role and subjects.
    bindings: Vec<(String, String, RoleRef, Vec<Subject>)>,
}

impl Rbac {
    /// Reads all of them.
    ///
    /// # Errors
    /// One that may not be listed.
    pub(super) async fn read(session: &Session) -> Result<Self, CliError> {
        let mut rbac = Self::default();
        for role in list::<ClusterRole>(session).await? {
            rbac.rules.insert(key(None, role.metadata.name.as_deref()), role.rules.unwrap_or_default());
        }
        for role in list::<Role>(session).await? {
            let key = key(role.metadata.namespace.as_deref(), role.metadata.name.as_deref());
            rbac.rules.insert(key, role.rules.unwrap_or_default());
        }
        for b in list::<ClusterRoleBinding>(session).await? {
            rbac.bind("ClusterRoleBinding", b.metadata.name, None, b.role_ref, b.subjects);
        }
        for b in list::<RoleBinding>(session).await? {
            rbac.bind("RoleBinding", b.metadata.name, b.metadata.namespace, b.role_ref, b.subjects);
        }
        Ok(rbac)
    }

    fn bind(
        &mut self,
        kind: &str,
        name: Option<String>,
        namespace: Option<String>,
        role: RoleRef,
        subjects: Option<Vec<Subject>>,
    ) {
        let namespace = namespace.unwrap_or_default();
        let name = [kind, &namespace, &name.unwrap_or_default()].join("/").replace("//", "/");
        self.bindings.push((name, namespace, role, subjects.unwrap_or_default()));
    }

    /// Every subject with such a right.
    pub(super) fn holders(&self) -> Vec<Holder> {
        let mut holders = BTreeSet::new();
        for (binding, namespace, role, subjects) in &self.bindings {
            let place = (role.kind == "Role").then_some(namespace.as_str());
            let rules = self.rules.get(&key(place, Some(&role.name)));
            let rights: BTreeSet<String> = rules.into_iter().flatten().flat_map(rights).collect();
            if rights.is_empty() {
                continue;
            }
            holders.extend(subjects.iter().map(|subject| Holder {
                subject: named(subject),
                rights: rights.clone(),
                binding: binding.clone(),
            }));
        }
        holders.into_iter().collect()
    }
}

async fn list<K>(session: &Session) -> Result<Vec<K>, CliError>
where
    K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::all(session.client.clone());
    Ok(api.list(&ListParams::default()).await.map_err(|e| session.explain(e))?.items)
}

fn key(namespace: Option<&str>, name: Option<&str>) -> String {
    format!("{}/{}", namespace.unwrap_or_default(), name.unwrap_or_default())
}

fn named(subject: &Subject) -> String {
    match &subject.namespace {
        Some(namespace) if subject.kind == "ServiceAccount" => {
            format!("{}/{namespace}/{}", subject.kind, subject.name)
        }
        _ => format!("{}/{}", subject.kind, subject.name),
    }
}

/// The rights of this sort that a rule gives.
fn rights(rule: &PolicyRule) -> Vec<String> {
    let none = Vec::new();
    let groups = rule.api_groups.as_ref().unwrap_or(&none);
    let resources = rule.resources.as_ref().unwrap_or(&none);
    let mut rights = Vec::new();
    for verb in &rule.verbs {
        for group in groups {
            for resource in resources.iter().filter(|r| concerns(verb, group, r)) {
                let names = rule.resource_names.as_ref().filter(|n| !n.is_empty());
                let names = names.map_or_else(String::new, |n| format!("/{}", n.join(",")));
                let dot = if group.is_empty() { "" } else { "." };
                rights.push(format!("{verb} {resource}{dot}{group}{names}"));
            }
        }
    }
    rights
}

/// Returns true if the verb on the resource is of this sort. Wildcards include it.
fn concerns(verb: &str, group: &str, resource: &str) -> bool {
    let of = |wanted: &str, resources: &[&str]| {
        (group == "*" || group == wanted) && (resource == "*" || resources.contains(&resource))
    };
    let wild = verb == "*";
    let ours = ["approve", "provision", "administer", "install", "consent", "confirm", "adopt-out"];
    verb.starts_with("impersonate")
        || verb == "unsafe-delete-ignore-read-errors"
        || wild && ["", "authentication.k8s.io"].iter().any(|g| of(g, &["users", "groups", "uids"]))
        || (wild || ours.contains(&verb)) && (group == "*" || group == GROUP)
        || (wild || ["bind", "escalate"].contains(&verb))
            && of("rbac.authorization.k8s.io", &["roles", "clusterroles"])
        || (wild || verb == "create")
            && of(
                "admissionregistration.k8s.io",
                &[
                    "mutatingadmissionpolicies",
                    "mutatingadmissionpolicybindings",
                    "mutatingwebhookconfigurations",
                ],
            )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(verbs: &[&str], group: &str, resources: &[&str]) -> PolicyRule {
        serde_json::from_value(json!({ "verbs": verbs, "apiGroups": [group], "resources": resources }))
            .unwrap()
    }

    #[test]
    fn every_form_of_impersonation_is_a_right_of_this_sort() {
        for (verb, group, resource, expected) in [
            ("impersonate", "", "users", true),
            ("impersonate", "", "serviceaccounts", true),
            ("impersonate:user-info", "authentication.k8s.io", "users", true),
            ("impersonate:arbitrary-node", "authentication.k8s.io", "nodes", true),
            ("impersonate-on:user-info:patch", "govcloud.dev", "cloudapplications", true),
            ("unsafe-delete-ignore-read-errors", "govcloud.dev", "cloudapplications", true),
            ("approve", "govcloud.dev", "regions", true),
            ("install", "govcloud.dev", "gates", true),
            ("confirm", "govcloud.dev", "statements", true),
            ("adopt-out", "govcloud.dev", "namespaces", true),
            ("escalate", "rbac.authorization.k8s.io", "clusterroles", true),
            ("create", "admissionregistration.k8s.io", "mutatingadmissionpolicies", true),
            ("*", "*", "*", true),
            ("*", "govcloud.dev", "regions", true),
            ("*", "apps", "*", false),
            ("approve", "certificates.k8s.io", "signers", false),
            ("create", "", "pods", false),
            ("get", "govcloud.dev", "regions", false),
        ] {
            assert_eq!(
                !rights(&rule(&[verb], group, &[resource])).is_empty(),
                expected,
                "{verb} {resource}.{group}"
            );
        }
    }

    #[test]
    fn holders_are_the_subjects_of_bindings_to_such_roles() {
        let mut rbac = Rbac::default();
        rbac.rules.insert("/officer".into(), vec![rule(&["get", "approve"], "govcloud.dev", &["regions"])]);
        rbac.rules.insert("plain/officer".into(), vec![rule(&["get"], "", &["pods"])]);
        rbac.rules.insert("plain/robot".into(), vec![rule(&["impersonate"], "", &["serviceaccounts"])]);
        let role =
            |kind: &str, name: &str| RoleRef { kind: kind.into(), name: name.into(), ..RoleRef::default() };
        let subject = |v: Value| Some(vec![serde_json::from_value::<Subject>(v).unwrap()]);
        let li = json!({ "kind": "User", "name": "li" });
        let bot = json!({ "kind": "ServiceAccount", "namespace": "ci", "name": "bot" });
        rbac.bind(
            "ClusterRoleBinding",
            Some("a".into()),
            None,
            role("ClusterRole", "officer"),
            subject(li.clone()),
        );
        rbac.bind("RoleBinding", Some("b".into()), Some("plain".into()), role("Role", "robot"), subject(bot));
        rbac.bind(
            "RoleBinding",
            Some("c".into()),
            Some("plain".into()),
            role("Role", "officer"),
            subject(li),
        );
        rbac.bind("RoleBinding", Some("d".into()), Some("plain".into()), role("Role", "gone"), None);
        let lines: Vec<String> = rbac
            .holders()
            .into_iter()
            .map(|h| format!("{} {:?} {}", h.subject, h.rights, h.binding))
            .collect();
        assert_eq!(
            lines,
            [
                r#"ServiceAccount/ci/bot {"impersonate serviceaccounts"} RoleBinding/plain/b"#,
                r#"User/li {"approve regions.govcloud.dev"} ClusterRoleBinding/a"#,
            ]
        );
    }
}
