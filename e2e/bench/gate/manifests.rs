//! An object of each kind that a policy matches, and the paths of its requests.

use anyhow::{Context as _, Result};
use e2e::fixtures::{self, HENAN};
use serde_json::{Value, json};

use super::Place;

/// A kind that no policy matches: what its ratio differs from 1 by is not the policies'.
pub const CONTROL: &str = "leases.coordination.k8s.io";

/// A kind that only [`look`] matches: what its ratio is above that of [`CONTROL`] is the least that any policy takes of a request
/// that it has to look at.
pub const LOOKED_AT: &str = "controllerrevisions.apps";

/// A policy whose only condition is false.
pub fn look() -> [Value; 2] {
    let metadata = json!({"name": "measured-look"});
    let version = "admissionregistration.k8s.io/v1";
    let rule = json!({"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["controllerrevisions"]});
    let policy = json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": {
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "never", "expression": "false"}],
        "validations": [{"expression": "true"}],
    }});
    let binding = json!({"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": metadata,
        "spec": {"policyName": "measured-look", "validationActions": ["Deny"]}});
    [policy, binding]
}

/// Resources that belong to no namespace.
const CLUSTER_SCOPED: [&str; 11] = [
    "apiservices.apiregistration.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "namespaces",
    "persistentvolumes",
    "priorityclasses.scheduling.k8s.io",
    "regions.govcloud.dev",
    "servicecatalogs.govcloud.dev",
    "workcalendars.govcloud.dev",
];

/// Places in which objects of a resource are measured.
pub fn places(resource: &str) -> &'static [Place] {
    let ours = resource.ends_with(".govcloud.dev");
    match (resource, CLUSTER_SCOPED.contains(&resource), ours) {
        (CONTROL | LOOKED_AT, ..) => &[Place::Stranger],
        (_, true, true) => &[Place::Settings],
        (_, true, false) => &[Place::Cluster],
        (_, false, true) => &[Place::Filing],
        (_, false, false) => &[Place::Stranger, Place::Filing, Place::Tenant],
    }
}

/// Path of the objects of a resource in a namespace, or of the cluster where there is none.
pub fn collection(resource: &str, object: &Value, namespace: Option<&str>) -> Result<String> {
    let version = object["apiVersion"].as_str().context("no apiVersion")?;
    let root = if version.contains('/') { "/apis" } else { "/api" };
    let plural = resource.split('.').next().unwrap_or_default();
    let within = namespace.map(|name| format!("/namespaces/{name}")).unwrap_or_default();
    Ok(format!("{root}/{version}{within}/{plural}"))
}

/// One of two objects of a resource, which differ in their names alone.
pub fn object(resource: &str, place: Place, second: bool) -> Result<Value> {
    // A statement is named by its month.
    let name = match (resource, second) {
        ("statements.govcloud.dev", false) => "2026-10",
        ("statements.govcloud.dev", true) => "2026-11",
        (_, false) => "first",
        (_, true) => "second",
    };
    let found =
        record(resource, name)?.or_else(|| settings(resource, second)).or_else(|| cluster(resource, name));
    let found = found.or_else(|| workload(resource)).or_else(|| bound(resource, place));
    let mut object = found.with_context(|| format!("no object of {resource} is written down here"))?;
    if object["metadata"]["name"].is_null() || resource.ends_with(".govcloud.dev") && !is_region(resource) {
        object["metadata"]["name"] = json!(name);
    }
    Ok(object)
}

fn is_region(resource: &str) -> bool {
    resource == "regions.govcloud.dev"
}

/// Records of a department, and the work order.
fn record(resource: &str, name: &str) -> Result<Option<Value>> {
    Ok(Some(match resource {
        "cloudapplications.govcloud.dev" => fixtures::sample("travel.yaml")?,
        "changerequests.govcloud.dev" => fixtures::sample("travel-enlarge.yaml")?,
        "decommissions.govcloud.dev" => fixtures::sample("travel-exit.yaml")?,
        "workcalendars.govcloud.dev" => fixtures::sample("../calendars/cn.yaml")?,
        "compliancerecords.govcloud.dev" => fixtures::sample("travel-mlps.yaml")?,
        "inspections.govcloud.dev" => fixtures::sample("travel-inspection.yaml")?,
        "assessments.govcloud.dev" => {
            let mut assessment = fixtures::sample("assessment-department.yaml")?;
            assessment["metadata"] = json!({});
            assessment
        }
        "statements.govcloud.dev" => {
            json!({"apiVersion": "govcloud.dev/v1alpha1", "kind": "Statement", "spec": {"region": HENAN, "month": name}})
        }
        "resourcegrants.govcloud.dev" => {
            let uid = "00000000-0000-4000-8000-000000000001";
            let digest = format!("sha256:{}", "0".repeat(64));
            json!({"apiVersion": "govcloud.dev/v1alpha1", "kind": "ResourceGrant", "spec": {
                "region": HENAN, "application": {"name": name, "uid": uid},
                "approved": {"kind": "CloudApplication", "name": name, "uid": uid, "generation": 1, "digest": digest},
                "namespaces": [{"name": "prod", "quota": {"pods": "5"}}],
            }})
        }
        _ => return Ok(None),
    }))
}

/// Settings of the authority.
fn settings(resource: &str, second: bool) -> Option<Value> {
    match resource {
        "regions.govcloud.dev" => {
            let mut region = fixtures::sample("region-410100.yaml").ok()?;
            region["metadata"]["name"] = json!(if second { "411700" } else { "411600" });
            Some(region)
        }
        "servicecatalogs.govcloud.dev" => {
            let item = json!({"code": "cpu", "name": "vCPU", "resource": "requests.cpu", "unit": "1", "per": "Month", "price": "60"});
            Some(json!({"apiVersion": "govcloud.dev/v1alpha1", "kind": "ServiceCatalog", "spec": {
                "edition": "2026年版", "currency": "CNY", "effectiveFrom": "2026-01-01", "items": [item],
            }}))
        }
        _ => None,
    }
}

/// Objects of the cluster that are none of ours.
fn cluster(resource: &str, name: &str) -> Option<Value> {
    const GROUP: &str = "measured.example.org";
    let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"});
    Some(match resource {
        "namespaces" => json!({"apiVersion": "v1", "kind": "Namespace"}),
        "persistentvolumes" => json!({"apiVersion": "v1", "kind": "PersistentVolume", "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "none",
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/nonexistent/measured"},
        }}),
        "priorityclasses.scheduling.k8s.io" => {
            json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1})
        }
        "clusterroles.rbac.authorization.k8s.io" => {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": rules()})
        }
        "clusterrolebindings.rbac.authorization.k8s.io" => {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "roleRef": role_ref, "subjects": subjects()})
        }
        "customresourcedefinitions.apiextensions.k8s.io" => {
            let schema = json!({"openAPIV3Schema": {"type": "object"}});
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{name}s.{GROUP}")}, "spec": {
                "group": GROUP, "scope": "Namespaced",
                "names": {"plural": format!("{name}s"), "singular": name, "kind": name, "listKind": format!("{name}List")},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
            }})
        }
        "apiservices.apiregistration.k8s.io" => {
            let group = format!("{name}.{GROUP}");
            json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": {"name": format!("v1.{group}")},
                "spec": {"group": group, "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 10}})
        }
        "mutatingwebhookconfigurations.admissionregistration.k8s.io" => {
            let rules = json!([{"apiGroups": [GROUP], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["nothing"]}]);
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "webhooks": [{
                "name": format!("hook.{GROUP}"), "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "failurePolicy": "Ignore", "clientConfig": {"url": "https://127.0.0.1:1/"}, "rules": rules,
            }]})
        }
        _ => return None,
    })
}

/// Workloads, and what they read.
fn workload(resource: &str) -> Option<Value> {
    let backend = json!({"service": {"name": "first", "port": {"number": 443}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    Some(match resource {
        "configmaps" => json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}),
        "secrets" => json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "b"}}),
        CONTROL => {
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": "a"}})
        }
        LOOKED_AT => {
            json!({"apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1, "data": {}})
        }
        "pods" => json!({"apiVersion": "v1", "kind": "Pod", "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "main", "image": "registry.example/travel:1",
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        }}),
        "services" => {
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"clusterIP": "None", "ports": [{"port": 443}]}})
        }
        "ingresses.networking.k8s.io" => {
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {
                "ingressClassName": "public", "rules": [{"host": "travel.henan.example", "http": {"paths": paths}}],
            }})
        }
        "poddisruptionbudgets.policy" => json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "spec": {"maxUnavailable": 1, "selector": {}}}),
        "persistentvolumeclaims" => json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {
            "storageClassName": "hostpath", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        }}),
        _ => return None,
    })
}

/// Bounds of a namespace, and the roles and bindings that open it to people.
fn bound(resource: &str, place: Place) -> Option<Value> {
    let role = if place == Place::Tenant { "govcloud-tenant-view" } else { "view" };
    let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role});
    Some(match resource {
        "roles.rbac.authorization.k8s.io" => {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": rules()})
        }
        "rolebindings.rbac.authorization.k8s.io" => json!({"apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding", "roleRef": role_ref, "subjects": subjects()}),
        // Of a resource and a kind of limit that nothing else here is.
        "resourcequotas" => {
            json!({"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"count/jobs.batch": "5"}}})
        }
        "limitranges" => json!({"apiVersion": "v1", "kind": "LimitRange",
            "spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Ti"}}]}}),
        "networkpolicies.networking.k8s.io" => {
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})
        }
        _ => return None,
    })
}

fn rules() -> Value {
    json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])
}

fn subjects() -> Value {
    json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "somebody"}])
}
