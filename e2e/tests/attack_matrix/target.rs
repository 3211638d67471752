//! Targets such as `capp/fresh`, `quota/hard@tenant-ns` or `crd/regions.govcloud.dev`, and their samples.

use anyhow::{Context, Result, bail};
use e2e::paths::in_repository;
use serde_json::{Value, json};

use crate::row::overlay;

/// Filing namespace of the department of transport, region 410000.
pub const TRANSPORT: &str = "dept-transport";
/// A tenant namespace in use.
pub const TENANT: &str = "dept-transport-travel-prod-0a1b2c3d";
/// A namespace that has nothing to do with the government cloud.
pub const PLAIN: &str = "plain";
/// UID of the application that the tenant namespaces belong to, as far as labels tell.
pub const APPLICATION: &str = "6f1ed002-ab59-4a36-8f5c-1c2d3e4f5a6b";
/// UIDs of the namespaces that a recreated record found.
pub const FOUND: [&str; 2] = ["a0a0a0a0-0000-4000-8000-000000000001", "a0a0a0a0-0000-4000-8000-000000000002"];
/// An inventory digest.
pub const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
/// Another one.
pub const OTHER_DIGEST: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

/// One object.
#[derive(Clone, Debug)]
pub struct Target {
    /// `group/version`.
    pub api_version: &'static str,
    /// Kind.
    pub kind: &'static str,
    plural: &'static str,
    /// Namespace, for namespaced kinds.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl Target {
    /// Reads `short/name` or `short/name@namespace`.
    pub fn parse(text: &str) -> Result<Self> {
        let (short, rest) = text.split_once('/').with_context(|| format!("no kind in {text}"))?;
        let (name, namespace) = match rest.split_once('@') {
            Some((name, namespace)) => (name, Some(namespace)),
            None => (rest, None),
        };
        const OURS: &str = "govcloud.dev/v1alpha1";
        const RBAC: &str = "rbac.authorization.k8s.io/v1";
        const NETWORKING: &str = "networking.k8s.io/v1";
        let (api_version, kind, plural, usual) = match short {
            "capp" => (OURS, "CloudApplication", "cloudapplications", Some(TRANSPORT)),
            "chreq" => (OURS, "ChangeRequest", "changerequests", Some(TRANSPORT)),
            "decom" => (OURS, "Decommission", "decommissions", Some(TRANSPORT)),
            "comp" => (OURS, "ComplianceRecord", "compliancerecords", Some(TRANSPORT)),
            "insp" => (OURS, "Inspection", "inspections", Some(TRANSPORT)),
            "grant" => (OURS, "ResourceGrant", "resourcegrants", Some(TRANSPORT)),
            "stmt" => (OURS, "Statement", "statements", Some(TRANSPORT)),
            "asmt" => (OURS, "Assessment", "assessments", Some(TRANSPORT)),
            "region" => (OURS, "Region", "regions", None),
            "calendar" => (OURS, "WorkCalendar", "workcalendars", None),
            "catalog" => (OURS, "ServiceCatalog", "servicecatalogs", None),
            "ns" => ("v1", "Namespace", "namespaces", None),
            "pv" => ("v1", "PersistentVolume", "persistentvolumes", None),
            "pvc" => ("v1", "PersistentVolumeClaim", "persistentvolumeclaims", Some(TENANT)),
            "quota" => ("v1", "ResourceQuota", "resourcequotas", Some(TENANT)),
            "limits" => ("v1", "LimitRange", "limitranges", Some(TENANT)),
            "netpol" => (NETWORKING, "NetworkPolicy", "networkpolicies", Some(TENANT)),
            "pod" => ("v1", "Pod", "pods", Some(TENANT)),
            "sa" => ("v1", "ServiceAccount", "serviceaccounts", Some(TENANT)),
            "svc" => ("v1", "Service", "services", Some(TENANT)),
            "ingress" => (NETWORKING, "Ingress", "ingresses", Some(TENANT)),
            "budget" => ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", Some(TENANT)),
            "priority" => ("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", None),
            "runtime" => ("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", None),
            "role" => (RBAC, "Role", "roles", Some(TENANT)),
            "binding" => (RBAC, "RoleBinding", "rolebindings", Some(TENANT)),
            "clusterrole" => (RBAC, "ClusterRole", "clusterroles", None),
            "clusterbinding" => (RBAC, "ClusterRoleBinding", "clusterrolebindings", None),
            "crd" => {
                ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", None)
            }
            "apiservice" => ("apiregistration.k8s.io/v1", "APIService", "apiservices", None),
            "mutatinghook" => (
                "admissionregistration.k8s.io/v1",
                "MutatingWebhookConfiguration",
                "mutatingwebhookconfigurations",
                None,
            ),
            "configmap" => ("v1", "ConfigMap", "configmaps", Some(PLAIN)),
            other => bail!("unknown kind {other} in {text}"),
        };
        let namespace = usual.map(|usual| namespace.unwrap_or(usual).to_owned());
        Ok(Self { api_version, kind, plural, namespace, name: name.to_owned() })
    }

    /// Path of the collection.
    pub fn collection(&self) -> String {
        let root = match self.api_version.contains('/') {
            true => format!("/apis/{}", self.api_version),
            false => format!("/api/{}", self.api_version),
        };
        match &self.namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// Path of the object, or of its subresource.
    pub fn path(&self, subresource: &str) -> String {
        let path = format!("{}/{}", self.collection(), self.name);
        if subresource.is_empty() { path } else { format!("{path}/{subresource}") }
    }

    /// Fields that identify the object in a body.
    pub fn head(&self) -> Value {
        let mut head = json!({
            "apiVersion": self.api_version, "kind": self.kind, "metadata": {"name": self.name},
        });
        if let Some(namespace) = &self.namespace {
            head["metadata"]["namespace"] = json!(namespace);
        }
        head
    }

    /// A complete object of the kind.
    pub fn sample(&self) -> Result<Value> {
        let mut object = match self.kind {
            "CloudApplication" => repository("travel.yaml")?,
            "ChangeRequest" => repository("travel-enlarge.yaml")?,
            "Decommission" => repository("travel-exit.yaml")?,
            "ComplianceRecord" => repository("travel-mlps.yaml")?,
            "Inspection" => repository("travel-inspection.yaml")?,
            "Assessment" => repository("assessment-department.yaml")?,
            "Region" => repository("region-410000.yaml")?,
            "ResourceGrant" => grant(&self.name),
            "Statement" => json!({"spec": {"region": "410000", "month": self.name, "digest": DIGEST}}),
            "WorkCalendar" => json!({"spec": {}}),
            "ServiceCatalog" => catalog(),
            "PersistentVolume" => volume(),
            "PersistentVolumeClaim" => claim(),
            "ResourceQuota" => json!({"spec": {"hard": {"pods": "5"}}}),
            "LimitRange" => json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}}),
            "NetworkPolicy" => json!({"spec": {"podSelector": {}}}),
            "RoleBinding" | "ClusterRoleBinding" => binding(),
            "MutatingWebhookConfiguration" => hook("pods"),
            "Pod" => pod(),
            "Service" => json!({"spec": {"ports": [{"port": 443}]}}),
            "Ingress" => ingress(),
            "PodDisruptionBudget" => json!({"spec": {"selector": {}, "maxUnavailable": 1}}),
            "PriorityClass" => json!({"value": 10}),
            "RuntimeClass" => json!({"handler": "handler"}),
            _ => json!({}),
        };
        overlay(&mut object, &self.head());
        Ok(object)
    }
}

fn repository(file: &str) -> Result<Value> {
    let path = in_repository("config/samples").join(file);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_saphyr::from_str(&text)?)
}

fn grant(name: &str) -> Value {
    json!({"spec": {
        "region": "410000",
        "application": {"name": name, "uid": APPLICATION},
        "approved": {
            "kind": "CloudApplication", "name": name, "uid": APPLICATION, "generation": 1, "digest": DIGEST,
        },
        "namespaces": [{"name": "prod", "quota": {"pods": "50"}}],
    }})
}

fn catalog() -> Value {
    json!({"spec": {
        "edition": "2026年版", "currency": "CNY", "effectiveFrom": "2026-01-01",
        "items": [{
            "code": "cpu", "name": "vCPU", "resource": "requests.cpu", "unit": "1", "per": "Month", "price": "60",
        }],
    }})
}

fn volume() -> Value {
    json!({"spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "by-hand",
        "hostPath": {"path": "/nowhere"},
    }})
}

fn claim() -> Value {
    json!({"spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "hostpath",
        "resources": {"requests": {"storage": "1Gi"}},
    }})
}

/// A webhook configuration for one resource of the core group; nobody answers it.
pub fn hook(resource: &str) -> Value {
    json!({"webhooks": [{
        "name": "hook.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [resource]}],
    }]})
}

fn binding() -> Value {
    json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"}],
    })
}

/// A pod in order for `restricted`, which names nothing that has to be allowed.
fn pod() -> Value {
    json!({"spec": {
        "serviceAccountName": "runner", "automountServiceAccountToken": false,
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container("main", json!({}))],
    }})
}

/// A container that asks for these amounts.
pub fn container(name: &str, limits: Value) -> Value {
    json!({
        "name": name, "image": "registry.example/travel:1", "resources": {"limits": limits},
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
    })
}

fn ingress() -> Value {
    json!({"spec": {"ingressClassName": "public", "rules": [route("travel.henan.example")]}})
}

/// A rule of an Ingress for one host.
pub fn route(host: &str) -> Value {
    let backend = json!({"service": {"name": "travel", "port": {"number": 443}}});
    json!({"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}})
}
