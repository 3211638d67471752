//! Tenant namespaces and the objects of the operator in them (S3, S4, S6).

use serde_json::{Value, json};

use crate::bodies::tenant_namespace;
use crate::caller::Caller::*;
use crate::row::{
    Ask, Row, Via, allowed, annotate, change, create, delete, denied, label, labels, merge, overlay,
    subresource,
};
use crate::target::APPLICATION;

const LIVE: &str = "ns/dept-transport-travel-prod-0a1b2c3d";
const LEAVING: &str = "ns/dept-transport-old-prod-4e5f6a7b";
const OTHER: &str = "11111111-2222-3333-4444-555555555555";
const PASSES: &str = "passes only to a recreated record of its application";
const BY_HAND: &str = "a tenant namespace is not deleted by hand";
const MARKS: &str = "of a tenant namespace are the operator's alone";

/// The rows.
pub fn rows() -> Vec<Row> {
    [marks(), marks_by_the_operator(), ends(), access(), limits(), network(), unchanged()]
        .into_iter()
        .flatten()
        .collect()
}

fn owner() -> Value {
    json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "plain", "uid": APPLICATION}]}})
}

/// The marks of a tenant namespace are nobody's but the operator's.
fn marks() -> Vec<Row> {
    let mut rows = Vec::new();
    let other = labels("application-uid=11111111-2222-3333-4444-555555555555");
    for via in Via::ALL {
        for who in [Department, Provider, ClusterAdmin, Province] {
            rows.push(denied(who, change(via, LIVE, other.clone()), MARKS));
            rows.push(denied(
                who,
                change(via, LIVE, labels("pod-security.kubernetes.io/enforce=privileged")),
                MARKS,
            ));
        }
    }
    for who in [Department, Provider, ClusterAdmin, Province, Deputy, City] {
        rows.extend([
            denied(
                who,
                create("ns/mine", tenant_namespace()),
                "tenant namespaces are created by the operator",
            ),
            denied(
                who,
                label("ns/plain", &format!("application-uid={APPLICATION}")),
                "an existing namespace is never adopted",
            ),
            denied(
                who,
                label(LIVE, "application-uid-"),
                "is never removed from a namespace | are the operator's alone",
            ),
            denied(who, label(LIVE, "region=410100"), MARKS),
            denied(who, annotate(LIVE, "reclaim=$uid"), MARKS),
            denied(who, annotate(LIVE, "storage-classes=fast"), MARKS),
            denied(
                who,
                subresource(LIVE, "status", labels("application-uid-")),
                "namespace controller's alone | is never removed",
            ),
            denied(who, merge(LIVE, owner()), "a tenant namespace has no ownerReferences"),
        ]);
    }
    rows
}

/// Rows on marks: those that the operator may set, those that not even it may, and those that are nobody's.
fn marks_by_the_operator() -> Vec<Row> {
    let mut both = tenant_namespace();
    overlay(&mut both, &labels("filing-region=410000"));
    let mut rows = vec![
        allowed(Operator, create("ns/dept-transport-new-prod-11111111", tenant_namespace())),
        allowed(Operator, annotate(LIVE, "storage-classes=hostpath")),
        denied(
            Operator,
            label("ns/plain", &format!("application-uid={APPLICATION}")),
            "an existing namespace is never adopted",
        ),
        denied(Operator, label(LIVE, "application-uid-"), "is never removed from a namespace"),
        denied(Operator, merge(LIVE, owner()), "a tenant namespace has no ownerReferences"),
        denied(Operator, create("ns/kube-tenant", tenant_namespace()), "are reserved names"),
        denied(Operator, create("ns/govcloud-tenant", tenant_namespace()), "are reserved names"),
        denied(Operator, create("ns/dept-both", both), "you lack verb administer"),
        allowed(Operator, merge(LIVE, passed(OTHER, Some(APPLICATION)))),
        denied(Operator, merge(LIVE, passed(OTHER, None)), PASSES),
        denied(Operator, merge(LIVE, passed(OTHER, Some(OTHER))), PASSES),
        denied(Operator, merge(LEAVING, passed(OTHER, Some(APPLICATION))), PASSES),
        denied(Operator, annotate(LIVE, "reattached-from=6f1ed002"), "and never changed otherwise"),
        denied(Operator, annotate(LIVE, "reattached-from=$uid"), "and never changed otherwise"),
        denied(ClusterAdmin, merge(LIVE, passed(OTHER, Some(APPLICATION))), MARKS),
        denied(Provider, merge(LIVE, passed(OTHER, Some(APPLICATION))), MARKS),
        allowed(ClusterAdmin, label(LIVE, "example.org/team=a")),
        allowed(Provider, annotate(LIVE, "example.org/note=a")),
        allowed(ClusterAdmin, label("ns/plain", "example.org/team=a")),
    ];
    // Not even the operator gives a namespace to another department, application, region or entry.
    for words in
        ["department=dept-health", "application=parking", "region=410100", "entry=test", "department-"]
    {
        rows.push(denied(Operator, label(LIVE, words), "a tenant namespace keeps its labels"));
        let mut given = passed(OTHER, Some(APPLICATION));
        for (key, value) in labels(words)["metadata"]["labels"].as_object().into_iter().flatten() {
            given["metadata"]["labels"][key] = value.clone();
        }
        rows.push(denied(Operator, merge(LIVE, given), "a tenant namespace keeps its labels"));
    }
    rows
}

/// A namespace passes to a recreated record, with this one before.
fn passed(to: &str, from: Option<&str>) -> Value {
    let mut patch = labels(&format!("application-uid={to}"));
    patch["metadata"]["annotations"]["govcloud.dev/reattached-from"] = json!(from);
    patch
}

fn ends() -> Vec<Row> {
    let finalize = |target| subresource(target, "finalize", json!({"spec": {"finalizers": []}}));
    let with_uid = |target| Ask::Delete(target, json!({"preconditions": {"uid": "$uid"}}));
    let mut rows = Vec::new();
    for who in
        [Department, Pipeline, Provider, ClusterAdmin, Province, City, NamespaceController, GarbageCollector]
    {
        rows.push(denied(who, delete(LIVE), BY_HAND));
        rows.push(denied(who, with_uid(LEAVING), BY_HAND));
        if who != NamespaceController {
            rows.push(denied(
                who,
                finalize(LIVE),
                "of a tenant namespace is the namespace controller's alone",
            ));
            rows.push(denied(
                who,
                subresource(LIVE, "status", labels("example.org/a=b")),
                "of a tenant namespace is the namespace controller's alone",
            ));
        }
    }
    rows.extend([
        denied(Operator, delete(LIVE), "no authorised exit"),
        denied(Operator, with_uid(LIVE), "no authorised exit"),
        allowed(Operator, with_uid(LEAVING)),
        denied(
            Operator,
            label("ns/plain", "pod-security.kubernetes.io/enforce=privileged"),
            "the operator touches no namespace without label",
        ),
        denied(Operator, create("ns/mine", json!({})), "the operator touches no namespace without label"),
        denied(Operator, delete("ns/plain"), "the operator touches no namespace without label"),
        denied(Operator, finalize(LIVE), "of a tenant namespace is the namespace controller's alone"),
        denied(
            Operator,
            subresource(LIVE, "status", json!({})),
            "of a tenant namespace is the namespace controller's alone",
        ),
        allowed(NamespaceController, finalize(LIVE)),
        allowed(NamespaceController, subresource(LIVE, "status", json!({}))),
        allowed(ClusterAdmin, delete("ns/plain")),
    ]);
    rows
}

fn access() -> Vec<Row> {
    let refused = "roles and role bindings in a tenant namespace are the operator's";
    let me = json!({"subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"}]});
    let bound = json!({"roleRef": {"name": "govcloud-tenant-view"}});
    let mut rows = Vec::new();
    for who in [Department, Provider, ClusterAdmin, Province, Pipeline] {
        rows.extend([
            denied(who, create("binding/mine", bound.clone()), refused),
            denied(who, create("role/mine", json!({"rules": []})), refused),
            denied(who, merge("binding/access", me.clone()), refused),
            denied(who, label("binding/access", "application-uid-"), refused),
            denied(who, delete("binding/access"), refused),
            denied(who, Ask::DeleteAll("binding/ours"), refused),
        ]);
    }
    rows.extend([
        allowed(Operator, create("binding/mine", bound)),
        allowed(Operator, merge("binding/access", me)),
        allowed(Operator, delete("binding/access")),
        denied(
            Operator,
            create("binding/mine@plain", json!({"roleRef": {"name": "govcloud-tenant-admin"}})),
            "in tenant namespaces alone",
        ),
        denied(
            Operator,
            create("binding/mine@govcloud-system", json!({"roleRef": {"name": "govcloud-tenant-admin"}})),
            "in tenant namespaces alone",
        ),
        denied(NamespaceController, delete("binding/access"), refused),
        denied(GarbageCollector, delete("binding/gone@dept-transport-old-prod-4e5f6a7b"), refused),
    ]);
    rows
}

fn limits() -> Vec<Row> {
    let refused = "with label govcloud.dev/application-uid are the operator's";
    let more = json!({"spec": {"hard": {"pods": "500"}}});
    let ours = labels(&format!("application-uid={APPLICATION}"));
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [Department, Provider, ClusterAdmin, Province] {
            rows.push(denied(who, change(via, "quota/granted", more.clone()), refused));
        }
        rows.push(allowed(Operator, change(via, "quota/granted", more.clone())));
    }
    for who in [Department, Provider, ClusterAdmin] {
        for target in ["quota/granted", "limits/granted", "netpol/closed"] {
            rows.push(denied(who, delete(target), refused));
            rows.push(denied(who, label(target, "application-uid-"), refused));
        }
        rows.push(denied(who, Ask::DeleteAll("netpol/ours"), refused));
        rows.push(denied(who, subresource("quota/granted", "status", labels("application-uid-")), refused));
        rows.push(denied(who, create("quota/forged", ours.clone()), refused));
        rows.push(denied(who, label("quota/extra", &format!("application-uid={APPLICATION}")), refused));
    }
    rows.extend([
        allowed(
            ClusterAdmin,
            subresource("quota/granted", "status", json!({"status": {"used": {"pods": "1"}}})),
        ),
        allowed(ClusterAdmin, merge("quota/extra", more)),
        allowed(ClusterAdmin, delete("quota/extra")),
        allowed(ClusterAdmin, create("netpol/mine@plain", json!({}))),
        allowed(Operator, delete("netpol/closed")),
        denied(Operator, create("quota/mine@plain", json!({})), "in tenant namespaces alone"),
        denied(Operator, create("netpol/mine@dept-transport", json!({})), "in tenant namespaces alone"),
    ]);
    rows
}

/// NetworkPolicies: they are a union, so nobody adds one to those of the operator.
fn network() -> Vec<Row> {
    let refused = "network policies in a tenant namespace are the operator's";
    let open = json!({"spec": {"ingress": [{}]}});
    let mut rows = Vec::new();
    for who in [Department, Provider, ClusterAdmin, Province, Pipeline] {
        rows.push(denied(who, create("netpol/open", open.clone()), refused));
        rows.push(denied(who, create("netpol/closed-too", json!({})), refused));
        rows.push(denied(who, merge("netpol/unmarked", open.clone()), refused));
    }
    rows.extend([
        allowed(Operator, create("netpol/open", open.clone())),
        allowed(Operator, merge("netpol/unmarked", open.clone())),
        allowed(ClusterAdmin, label("netpol/unmarked", "example.org/a=b")),
        allowed(ClusterAdmin, delete("netpol/unmarked")),
        allowed(ClusterAdmin, create("netpol/open@plain", open)),
    ]);
    rows
}

/// A request that changes nothing passes, whoever sends it: the storage version migrator sends one for every object.
fn unchanged() -> Vec<Row> {
    let mut rows = Vec::new();
    for via in [Via::Merge, Via::Put] {
        for target in [
            "capp/approved",
            "decom/published",
            "grant/active",
            "region/410000",
            "catalog/henan",
            LIVE,
            "ns/dept-transport",
            "quota/granted",
            "limits/granted",
            "netpol/closed",
            "binding/access",
            "pvc/data",
            "pv/kept",
            "pod/old@dept-transport-old-prod-4e5f6a7b",
            "ingress/old@dept-transport-old-prod-4e5f6a7b",
            "clusterrole/govcloud:department",
            "crd/regions.govcloud.dev",
        ] {
            rows.push(allowed(Auditor, change(via, target, json!({}))));
        }
    }
    rows
}
