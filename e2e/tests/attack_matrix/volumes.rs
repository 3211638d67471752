//! Claims and volumes of tenants (S2, S5).

use serde_json::{Value, json};

use crate::bodies::reclaim_policy;
use crate::caller::Caller::{self, *};
use crate::row::{Row, Via, allowed, change, create, delete, denied, label, labels, merge, subresource};
use crate::target::APPLICATION;

const ELSEWHERE: &str = "the operator deletes no claim outside tenant namespaces";
const ANNOTATED: &str = "may not differ from spec.storageClassName";
const ATTRIBUTES: &str = "the region does not allow silver to tenants; allowed: [gold]";

/// The rows.
pub fn rows() -> Vec<Row> {
    [claims(), volumes(), volumes_by_controllers()].into_iter().flatten().collect()
}

fn claims() -> Vec<Row> {
    let class = |name: Value| json!({"spec": {"storageClassName": name}});
    let classes = "set spec.storageClassName to one that the region allows: hostpath,fast";
    let with = |field: &str, value: Value| json!({"spec": {field: value}});
    let annotated = |class: &str| json!({"metadata": {"annotations": {"volume.beta.kubernetes.io/storage-class": class}}});
    let elsewhere = json!({"kind": "PersistentVolumeClaim", "name": "a", "namespace": "plain"});
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
        allowed(Department, create("pvc/new", with("dataSourceRef", elsewhere))),
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
