//! Tenant namespaces, what stands in them, claims and volumes (S2–S6).

use serde_json::{Value, json};

use crate::caller::Caller::{self, *};
use crate::fixtures::{reclaim_policy, tenant_namespace};
use crate::row::{
    Ask, Row, Via, allowed, annotate, change, create, delete, denied, label, labels, merge, overlay,
    subresource,
};
use crate::target::APPLICATION;

const LIVE: &str = "ns/dept-transport-travel-prod-0a1b2c3d";
const LEAVING: &str = "ns/dept-transport-old-prod-4e5f6a7b";
const OTHER: &str = "11111111-2222-3333-4444-555555555555";
const PASSES: &str = "passes only to a recreated record of its application";
const ELSEWHERE: &str = "the operator deletes no claim outside tenant namespaces";
const ANNOTATED: &str = "may not differ from spec.storageClassName";
const ATTRIBUTES: &str = "the region does not allow silver to tenants; allowed: [gold]";
const BY_HAND: &str = "a tenant namespace is not deleted by hand";
const MARKS: &str = "of a tenant namespace are the operator's alone";

/// The rows.
pub fn rows() -> Vec<Row> {
    [
        marks(),
        marks_by_the_operator(),
        ends(),
        access(),
        limits(),
        network(),
        claims(),
        volumes(),
        volumes_by_controllers(),
        unchanged(),
    ]
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

/// What another network policy allows is allowed, so there is no other.
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

fn claims() -> Vec<Row> {
    let class = |name: Value| json!({"spec": {"storageClassName": name}});
    let classes = "set spec.storageClassName to one that the region allows: hostpath,fast";
    let with = |field: &str, value: Value| json!({"spec": {field: value}});
    let annotated = |class: &str| json!({"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": class}}});
    let mut rows = Vec::new();
    for who in [Department, ClusterAdmin, Provider] {
        rows.extend([
            allowed(who, create("pvc/new", json!({}))),
            allowed(who, create("pvc/new", class(json!("fast")))),
            denied(who, create("pvc/new", class(json!("scratch"))), classes),
            denied(who, create("pvc/new", class(json!(""))), classes),
            denied(who, create("pvc/new", annotated("scratch")), ANNOTATED),
            denied(who, create("pvc/new", annotated("")), ANNOTATED),
            denied(who, subresource("pvc/waiting", "status", annotated("scratch")), ANNOTATED),
            denied(who, create("pvc/new", with("volumeAttributesClassName", json!("silver"))), ATTRIBUTES),
            denied(who, merge("pvc/data", with("volumeAttributesClassName", json!("silver"))), ATTRIBUTES),
            denied(who, create("pvc/new", with("volumeName", json!("kept"))), "names no volume"),
            denied(
                who,
                create("pvc/new", with("selector", json!({"matchLabels": {"a": "b"}}))),
                "selects no volume",
            ),
        ]);
    }
    rows.extend([
        allowed(Department, create("pvc/new@plain", with("volumeName", json!("foreign")))),
        allowed(Department, create("pvc/new@plain", class(json!("scratch")))),
        allowed(Department, label("pvc/data", "example.org/a=b")),
        allowed(Department, create("pvc/new", with("volumeAttributesClassName", json!("gold")))),
        allowed(Department, merge("pvc/data", with("volumeAttributesClassName", json!("gold")))),
        allowed(Department, create("pvc/new@plain", with("volumeAttributesClassName", json!("silver")))),
        allowed(Department, create("pvc/new", annotated("hostpath"))),
        // Its namespace is dropped, unless the feature CrossNamespaceVolumeDataSource is on; a policy refuses it then.
        allowed(
            Department,
            create(
                "pvc/new",
                with(
                    "dataSourceRef",
                    json!({"kind": "PersistentVolumeClaim", "name": "a", "namespace": "plain"}),
                ),
            ),
        ),
        allowed(Department, create("pvc/new@plain", annotated("scratch"))),
        allowed(Department, delete("pvc/data")),
        denied(
            Department,
            merge("pvc/waiting", with("volumeName", json!("foreign"))),
            "is set by the volume binder alone",
        ),
        denied(
            ClusterAdmin,
            merge("pvc/waiting", with("volumeName", json!("kept"))),
            "is set by the volume binder alone",
        ),
        denied(Operator, delete("pvc/data@plain"), ELSEWHERE),
        allowed(Operator, delete("pvc/data")),
        allowed(NamespaceController, delete("pvc/data@plain")),
        allowed(VolumeBinder, merge("pvc/waiting", with("volumeName", json!("foreign")))),
    ]);
    rows
}

/// An announcement to delete a volume by hand, in somebody's name.
fn announces(who: Caller) -> Value {
    json!({"metadata": {"annotations": {"govcloud.dev/removed-by": who.user()}}})
}

fn volumes() -> Vec<Row> {
    let by_hand = "a tenant's volume is not deleted by hand";
    let policy = "the reclaim policy of a tenant's volume is the operator's";
    let fixed = "spec.claimRef is neither changed nor cleared";
    let marks = "of a tenant's volume are the operator's alone";
    let mine = json!({"spec": {"claimRef": {"namespace": "plain", "name": "mine", "uid": "11111111-2222-3333-4444-555555555555"}}});
    let freed = json!({"spec": {"claimRef": null}});
    let mark = format!("application-uid={APPLICATION}");
    let mut rows = Vec::new();
    for via in [Via::Merge, Via::Json, Via::Put] {
        for who in [Department, Provider, ClusterAdmin, VolumeBinder] {
            rows.push(denied(who, change(via, "pv/kept", reclaim_policy("Delete")), policy));
            rows.push(denied(who, change(via, "pv/kept", freed.clone()), fixed));
        }
        rows.push(allowed(Operator, change(via, "pv/kept", reclaim_policy("Delete"))));
    }
    for who in [Department, Provider, ClusterAdmin, Province, Operator, GarbageCollector, VolumeBinder] {
        rows.push(denied(who, delete("pv/kept"), by_hand));
        rows.push(denied(who, merge("pv/kept", mine.clone()), fixed));
        rows.push(denied(
            who,
            label("pv/kept", "application-uid-"),
            "is never removed from a volume | are the operator's alone",
        ));
    }
    for who in [Department, Provider, ClusterAdmin, VolumeBinder] {
        rows.push(denied(who, label("pv/unseen", &mark), marks));
        rows.push(denied(who, label("pv/kept", "retained=true"), marks));
        rows.push(denied(
            who,
            subresource("pv/kept", "status", labels("application-uid-")),
            "is never removed from a volume | are the operator's alone",
        ));
        rows.push(denied(who, create("pv/forged", labels(&mark)), "is not created with label"));
        rows.push(denied(who, merge("pv/doomed", reclaim_policy("Retain")), policy));
    }
    rows
}

/// Rows on the operator and the volume binder: their permitted writes, and those refused even to them.
fn volumes_by_controllers() -> Vec<Row> {
    let fixed = "spec.claimRef is neither changed nor cleared";
    let marks = "of a tenant's volume are the operator's alone";
    let unbound = json!({"spec": {"claimRef": {"uid": null}}});
    let mine = json!({"spec": {"claimRef": {"namespace": "plain", "name": "mine", "uid": "11111111-2222-3333-4444-555555555555"}}});
    let freed = json!({"spec": {"claimRef": null}});
    let mark = format!("application-uid={APPLICATION}");
    vec![
        allowed(Operator, label("pv/unseen", &mark)),
        denied(
            Operator,
            merge("pv/foreign", reclaim_policy("Delete")),
            "the operator sets a volume without label",
        ),
        allowed(Operator, label("pv/kept", "retained=true")),
        allowed(Operator, label("pv/kept", "application-uid=11111111-2222-3333-4444-555555555555")),
        denied(Operator, label("pv/kept", "department=dept-health"), "a tenant's volume keeps its labels"),
        denied(Operator, label("pv/kept", "application=parking"), "a tenant's volume keeps its labels"),
        denied(Operator, label("pv/kept", "region=410100"), "a tenant's volume keeps its labels"),
        denied(Operator, label("pv/kept", "department-"), "a tenant's volume keeps its labels"),
        // Made by hand for a claim that was still to come, and seen by the operator before the binder.
        allowed(VolumeBinder, merge("pv/reserved", json!({"spec": {"claimRef": {"uid": APPLICATION}}}))),
        denied(VolumeBinder, merge("pv/reserved", json!({"spec": {"claimRef": {"name": "other"}}})), fixed),
        denied(VolumeBinder, merge("pv/reserved", mine.clone()), fixed),
        denied(ClusterAdmin, merge("pv/reserved", freed.clone()), fixed),
        // The road back of a claim that was deleted by mistake: the same namespace and name, and nobody else's.
        allowed(ClusterAdmin, merge("pv/released", unbound.clone())),
        denied(ClusterAdmin, merge("pv/released", freed.clone()), fixed),
        denied(ClusterAdmin, merge("pv/released", mine.clone()), fixed),
        denied(ClusterAdmin, merge("pv/retained", unbound.clone()), fixed),
        // By hand, by whoever announced it, and once it is recorded.
        denied(ClusterAdmin, delete("pv/doomed"), "announces it first"),
        denied(Provider, delete("pv/announced"), "announces it first"),
        allowed(ClusterAdmin, delete("pv/announced")),
        denied(ClusterAdmin, merge("pv/doomed", announces(Province)), "names nobody but who sets it"),
        allowed(ClusterAdmin, merge("pv/doomed", announces(ClusterAdmin))),
        denied(ClusterAdmin, label("pv/doomed", "removal-recorded=yes"), marks),
        allowed(VolumeBinder, delete("pv/doomed")),
        allowed(VolumeBinder, subresource("pv/kept", "status", json!({"status": {"phase": "Released"}}))),
        allowed(VolumeBinder, merge("pv/kept", json!({"spec": {"capacity": {"storage": "2Gi"}}}))),
        allowed(ClusterAdmin, delete("pv/foreign")),
        allowed(ClusterAdmin, merge("pv/foreign", reclaim_policy("Delete"))),
        allowed(ClusterAdmin, label("pv/kept", "example.org/a=b")),
        denied(Operator, create("pv/forged", labels(&mark)), "is not created with label"),
    ]
}
