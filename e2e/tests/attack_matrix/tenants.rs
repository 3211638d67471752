//! Tenant namespaces, what stands in them, claims and volumes (S2–S6).

use serde_json::{Value, json};

use crate::row::{
    Ask, Row, Via, annotate, change, create, delete, label, labels, merge, no, overlay, subresource, yes,
};
use crate::stage::{reclaim_policy, tenant_namespace};
use crate::target::APPLICATION;
use crate::who::Who::*;

const LIVE: &str = "ns/dept-transport-travel-prod-0a1b2c3d";
const LEAVING: &str = "ns/dept-transport-old-prod-4e5f6a7b";
const OTHER: &str = "11111111-2222-3333-4444-555555555555";
const PASSES: &str = "passes only to a recreated record of its application";
const ELSEWHERE: &str = "the operator deletes no claim outside tenant namespaces";
const BY_HAND: &str = "a tenant namespace is not deleted by hand";
const MARKS: &str = "of a tenant namespace are the operator's alone";

/// The rows.
pub fn rows() -> Vec<Row> {
    [marks(), ends(), access(), limits(), claims(), volumes()].into_iter().flatten().collect()
}

fn owner() -> Value {
    json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "plain", "uid": APPLICATION}]}})
}

fn marks() -> Vec<Row> {
    let mut rows = Vec::new();
    let other = labels("application-uid=11111111-2222-3333-4444-555555555555");
    for via in Via::ALL {
        for who in [Department, Provider, ClusterAdmin, Province] {
            rows.push(no(who, change(via, LIVE, other.clone()), MARKS));
            rows.push(no(
                who,
                change(via, LIVE, labels("pod-security.kubernetes.io/enforce=privileged")),
                MARKS,
            ));
        }
    }
    for who in [Department, Provider, ClusterAdmin, Province, Deputy, City] {
        rows.extend([
            no(who, create("ns/mine", tenant_namespace()), "tenant namespaces are created by the operator"),
            no(
                who,
                label("ns/plain", &format!("application-uid={APPLICATION}")),
                "an existing namespace is never adopted",
            ),
            no(
                who,
                label(LIVE, "application-uid-"),
                "is never removed from a namespace | are the operator's alone",
            ),
            no(who, label(LIVE, "region=410100"), MARKS),
            no(who, annotate(LIVE, "reclaim=$uid"), MARKS),
            no(who, annotate(LIVE, "storage-classes=fast"), MARKS),
            no(
                who,
                subresource(LIVE, "status", labels("application-uid-")),
                "namespace controller's alone | is never removed",
            ),
            no(who, merge(LIVE, owner()), "a tenant namespace has no ownerReferences"),
        ]);
    }
    let mut both = tenant_namespace();
    overlay(&mut both, &labels("filing-region=410000"));
    rows.extend([
        yes(Operator, create("ns/dept-transport-new-prod-11111111", tenant_namespace())),
        yes(Operator, annotate(LIVE, "storage-classes=hostpath")),
        no(
            Operator,
            label("ns/plain", &format!("application-uid={APPLICATION}")),
            "an existing namespace is never adopted",
        ),
        no(Operator, label(LIVE, "application-uid-"), "is never removed from a namespace"),
        no(Operator, merge(LIVE, owner()), "a tenant namespace has no ownerReferences"),
        no(Operator, create("ns/kube-tenant", tenant_namespace()), "are reserved names"),
        no(Operator, create("ns/govcloud-tenant", tenant_namespace()), "are reserved names"),
        no(Operator, create("ns/dept-both", both), "you lack verb administer"),
        yes(Operator, merge(LIVE, passed(OTHER, Some(APPLICATION)))),
        no(Operator, merge(LIVE, passed(OTHER, None)), PASSES),
        no(Operator, merge(LIVE, passed(OTHER, Some(OTHER))), PASSES),
        no(Operator, merge(LEAVING, passed(OTHER, Some(APPLICATION))), PASSES),
        no(Operator, annotate(LIVE, "reattached-from=6f1ed002"), "and never changed otherwise"),
        no(Operator, annotate(LIVE, "reattached-from=$uid"), "and never changed otherwise"),
        no(ClusterAdmin, merge(LIVE, passed(OTHER, Some(APPLICATION))), MARKS),
        no(Provider, merge(LIVE, passed(OTHER, Some(APPLICATION))), MARKS),
        yes(ClusterAdmin, label(LIVE, "example.org/team=a")),
        yes(Provider, annotate(LIVE, "example.org/note=a")),
        yes(ClusterAdmin, label("ns/plain", "example.org/team=a")),
    ]);
    // Not even the operator gives a namespace to another department, application, region or entry.
    for words in
        ["department=dept-health", "application=parking", "region=410100", "entry=test", "department-"]
    {
        rows.push(no(Operator, label(LIVE, words), "a tenant namespace keeps its labels"));
        let mut given = passed(OTHER, Some(APPLICATION));
        for (key, value) in labels(words)["metadata"]["labels"].as_object().into_iter().flatten() {
            given["metadata"]["labels"][key] = value.clone();
        }
        rows.push(no(Operator, merge(LIVE, given), "a tenant namespace keeps its labels"));
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
        rows.push(no(who, delete(LIVE), BY_HAND));
        rows.push(no(who, with_uid(LEAVING), BY_HAND));
        if who != NamespaceController {
            rows.push(no(who, finalize(LIVE), "of a tenant namespace is the namespace controller's alone"));
            rows.push(no(
                who,
                subresource(LIVE, "status", labels("example.org/a=b")),
                "of a tenant namespace is the namespace controller's alone",
            ));
        }
    }
    rows.extend([
        no(Operator, delete(LIVE), "no authorised exit"),
        no(Operator, with_uid(LIVE), "no authorised exit"),
        yes(Operator, with_uid(LEAVING)),
        no(
            Operator,
            label("ns/plain", "pod-security.kubernetes.io/enforce=privileged"),
            "the operator touches no namespace without label",
        ),
        no(Operator, create("ns/mine", json!({})), "the operator touches no namespace without label"),
        no(Operator, delete("ns/plain"), "the operator touches no namespace without label"),
        no(Operator, finalize(LIVE), "of a tenant namespace is the namespace controller's alone"),
        no(
            Operator,
            subresource(LIVE, "status", json!({})),
            "of a tenant namespace is the namespace controller's alone",
        ),
        yes(NamespaceController, finalize(LIVE)),
        yes(NamespaceController, subresource(LIVE, "status", json!({}))),
        yes(ClusterAdmin, delete("ns/plain")),
    ]);
    rows
}

fn access() -> Vec<Row> {
    let refused = "roles and role bindings in a tenant namespace are the operator's";
    let me =
        json!({"subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "mallory"}]});
    let bound = json!({"roleRef": {"name": "govcloud-tenant-view"}});
    let mut rows = Vec::new();
    for who in [Department, Provider, ClusterAdmin, Province, Pipeline] {
        rows.extend([
            no(who, create("binding/mine", bound.clone()), refused),
            no(who, create("role/mine", json!({"rules": []})), refused),
            no(who, merge("binding/access", me.clone()), refused),
            no(who, label("binding/access", "application-uid-"), refused),
            no(who, delete("binding/access"), refused),
            no(who, Ask::DeleteAll("binding/ours"), refused),
        ]);
    }
    rows.extend([
        yes(Operator, create("binding/mine", bound)),
        yes(Operator, merge("binding/access", me)),
        yes(Operator, delete("binding/access")),
        no(
            Operator,
            create("binding/mine@plain", json!({"roleRef": {"name": "govcloud-tenant-admin"}})),
            "in tenant namespaces alone",
        ),
        no(
            Operator,
            create("binding/mine@govcloud-system", json!({"roleRef": {"name": "govcloud-tenant-admin"}})),
            "in tenant namespaces alone",
        ),
        no(NamespaceController, delete("binding/access"), refused),
        no(GarbageCollector, delete("binding/gone@dept-transport-old-prod-4e5f6a7b"), refused),
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
            rows.push(no(who, change(via, "quota/granted", more.clone()), refused));
        }
        rows.push(yes(Operator, change(via, "quota/granted", more.clone())));
    }
    for who in [Department, Provider, ClusterAdmin] {
        for target in ["quota/granted", "limits/granted", "netpol/closed"] {
            rows.push(no(who, delete(target), refused));
            rows.push(no(who, label(target, "application-uid-"), refused));
        }
        rows.push(no(who, Ask::DeleteAll("netpol/ours"), refused));
        rows.push(no(who, subresource("quota/granted", "status", labels("application-uid-")), refused));
        rows.push(no(who, create("quota/forged", ours.clone()), refused));
        rows.push(no(who, label("quota/extra", &format!("application-uid={APPLICATION}")), refused));
    }
    rows.extend([
        yes(ClusterAdmin, subresource("quota/granted", "status", json!({"status": {"used": {"pods": "1"}}}))),
        yes(ClusterAdmin, merge("quota/extra", more)),
        yes(ClusterAdmin, delete("quota/extra")),
        yes(ClusterAdmin, create("netpol/mine@plain", json!({}))),
        yes(Operator, delete("netpol/closed")),
        no(Operator, create("quota/mine@plain", json!({})), "in tenant namespaces alone"),
        no(Operator, create("netpol/mine@dept-transport", json!({})), "in tenant namespaces alone"),
    ]);
    rows
}

fn claims() -> Vec<Row> {
    let class = |name: Value| json!({"spec": {"storageClassName": name}});
    let allowed = "set spec.storageClassName to one that the region allows: hostpath,fast";
    let with = |field: &str, value: Value| json!({"spec": {field: value}});
    let mut rows = Vec::new();
    for who in [Department, ClusterAdmin, Provider] {
        rows.extend([
            yes(who, create("pvc/new", json!({}))),
            yes(who, create("pvc/new", class(json!("fast")))),
            no(who, create("pvc/new", class(json!("scratch"))), allowed),
            no(who, create("pvc/new", class(json!(""))), allowed),
            no(who, create("pvc/new", with("volumeName", json!("kept"))), "names no volume"),
            no(
                who,
                create("pvc/new", with("selector", json!({"matchLabels": {"a": "b"}}))),
                "selects no volume",
            ),
        ]);
    }
    rows.extend([
        yes(Department, create("pvc/new@plain", with("volumeName", json!("foreign")))),
        yes(Department, create("pvc/new@plain", class(json!("scratch")))),
        yes(Department, label("pvc/data", "example.org/a=b")),
        yes(Department, delete("pvc/data")),
        no(
            Department,
            merge("pvc/waiting", with("volumeName", json!("foreign"))),
            "is set by the volume binder alone",
        ),
        no(
            ClusterAdmin,
            merge("pvc/waiting", with("volumeName", json!("kept"))),
            "is set by the volume binder alone",
        ),
        no(Operator, delete("pvc/data@plain"), ELSEWHERE),
        yes(Operator, delete("pvc/data")),
        yes(NamespaceController, delete("pvc/data@plain")),
        yes(VolumeBinder, merge("pvc/waiting", with("volumeName", json!("foreign")))),
    ]);
    rows
}

fn volumes() -> Vec<Row> {
    let by_hand = "a tenant's volume is not deleted by hand";
    let policy = "the reclaim policy of a tenant's volume is the operator's";
    let fixed = "spec.claimRef is neither changed nor cleared";
    let marks = "of a tenant's volume are the operator's alone";
    let mine = json!({"spec": {"claimRef": {"namespace": "plain", "name": "mine", "uid": "11111111-2222-3333-4444-555555555555"}}});
    let freed = json!({"spec": {"claimRef": null}});
    let unbound = json!({"spec": {"claimRef": {"uid": null}}});
    let mark = format!("application-uid={APPLICATION}");
    let mut rows = Vec::new();
    for via in [Via::Merge, Via::Json, Via::Put] {
        for who in [Department, Provider, ClusterAdmin, VolumeBinder] {
            rows.push(no(who, change(via, "pv/kept", reclaim_policy("Delete")), policy));
            rows.push(no(who, change(via, "pv/kept", freed.clone()), fixed));
        }
        rows.push(yes(Operator, change(via, "pv/kept", reclaim_policy("Delete"))));
    }
    for who in [Department, Provider, ClusterAdmin, Province, Operator, GarbageCollector, VolumeBinder] {
        rows.push(no(who, delete("pv/kept"), by_hand));
        rows.push(no(who, merge("pv/kept", mine.clone()), fixed));
        rows.push(no(who, merge("pv/kept", unbound.clone()), fixed));
        rows.push(no(
            who,
            label("pv/kept", "application-uid-"),
            "is never removed from a volume | are the operator's alone",
        ));
    }
    for who in [Department, Provider, ClusterAdmin, VolumeBinder] {
        rows.push(no(who, label("pv/unseen", &mark), marks));
        rows.push(no(who, label("pv/kept", "retained=true"), marks));
        rows.push(no(
            who,
            subresource("pv/kept", "status", labels("application-uid-")),
            "is never removed from a volume | are the operator's alone",
        ));
        rows.push(no(who, create("pv/forged", labels(&mark)), "is not created with label"));
        rows.push(no(who, merge("pv/doomed", reclaim_policy("Retain")), policy));
    }
    rows.extend([
        yes(Operator, label("pv/unseen", &mark)),
        no(
            Operator,
            merge("pv/foreign", reclaim_policy("Delete")),
            "the operator sets a volume without label",
        ),
        yes(Operator, label("pv/kept", "retained=true")),
        yes(Operator, label("pv/kept", "application-uid=11111111-2222-3333-4444-555555555555")),
        no(Operator, label("pv/kept", "department=dept-health"), "a tenant's volume keeps its labels"),
        no(Operator, label("pv/kept", "application=parking"), "a tenant's volume keeps its labels"),
        no(Operator, label("pv/kept", "region=410100"), "a tenant's volume keeps its labels"),
        no(Operator, label("pv/kept", "department-"), "a tenant's volume keeps its labels"),
        // Made by hand for a claim that was still to come, and seen by the operator before the binder.
        yes(VolumeBinder, merge("pv/reserved", json!({"spec": {"claimRef": {"uid": APPLICATION}}}))),
        no(VolumeBinder, merge("pv/reserved", json!({"spec": {"claimRef": {"name": "other"}}})), fixed),
        no(VolumeBinder, merge("pv/reserved", mine.clone()), fixed),
        no(ClusterAdmin, merge("pv/reserved", freed.clone()), fixed),
        yes(VolumeBinder, delete("pv/doomed")),
        yes(VolumeBinder, subresource("pv/kept", "status", json!({"status": {"phase": "Released"}}))),
        yes(VolumeBinder, merge("pv/kept", json!({"spec": {"capacity": {"storage": "2Gi"}}}))),
        yes(ClusterAdmin, delete("pv/foreign")),
        yes(ClusterAdmin, merge("pv/foreign", reclaim_policy("Delete"))),
        yes(ClusterAdmin, label("pv/kept", "example.org/a=b")),
        no(Operator, create("pv/forged", labels(&mark)), "is not created with label"),
    ]);
    rows
}
