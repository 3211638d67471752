//! Adoption of a running system's namespace (Art. 3; S1, S3, S5): on three words, and never by a label, a patch or a name.

use serde_json::{Value, json};

use crate::bodies::{adopted, reclaim_policy, tenant_namespace};
use crate::caller::Caller::*;
use crate::row::{
    Row, Via, allowed, annotate, annotations, change, create, delete, denied, label, labels, merge, overlay,
    subresource,
};
use crate::target::{APPLICATION, FOUND};

/// Given to the application by its holder.
const GIVEN: &str = "ns/portal";
/// Adopted, and observed.
const OBSERVED: &str = "ns/portal-observed";
/// Adopted, and under all rules.
const CLOSED: &str = "ns/portal-closed";
const OTHER: &str = "11111111-2222-3333-4444-555555555555";
const NEVER: &str = "an existing namespace is never adopted by a label";
const LACK: &str = "you lack verb adopt-out on namespaces.govcloud.dev/";
const ALONE: &str = "the word that gives a namespace away changes nothing else";
const APPROVE: &str = "decision=approved reviewed-generation=1 opinion=同意";

/// The rows.
pub fn rows() -> Vec<Row> {
    [
        the_holders_word(),
        the_mark(),
        whose_it_is(),
        stages(),
        volumes(),
        workloads(),
        the_decision(),
        the_request(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The holder gives a namespace away: by name, and with nothing else.
fn the_holders_word() -> Vec<Row> {
    let given = format!("adopt-out={APPLICATION}");
    let mut rows = Vec::new();
    for via in Via::ALL {
        rows.push(allowed(Holder, change(via, "ns/plain", annotations(&given))));
        for who in [Department, OtherDepartment, Province, Provider, Pipeline, Operator] {
            rows.push(denied(who, change(via, "ns/plain", annotations(&given)), LACK));
        }
        let wildcard = "wildcard rights do not count: adopt-out on namespaces.govcloud.dev/plain";
        rows.push(denied(ClusterAdmin, change(via, "ns/plain", annotations(&given)), wildcard));
    }
    let with = |more: Value| {
        let mut both = annotations(&given);
        overlay(&mut both, &more);
        merge("ns/plain", both)
    };
    rows.extend([
        allowed(Holder, annotate(GIVEN, "adopt-out-")),
        allowed(Holder, annotate(GIVEN, &format!("adopt-out={OTHER}"))),
        // Of the namespaces that are his alone.
        denied(Holder, annotate("ns/kube-system", &given), LACK),
        denied(Holder, annotate("ns/dept-transport", &given), LACK),
        denied(Department, annotate(GIVEN, "adopt-out-"), LACK),
        denied(Operator, annotate(GIVEN, "adopt-out-"), LACK),
        denied(Holder, with(labels("example.org/team=a")), ALONE),
        denied(Holder, with(annotations("example.org/note=a")), ALONE),
        denied(Holder, with(json!({"metadata": {"finalizers": ["example.org/keep"]}})), ALONE),
        denied(Holder, create("ns/portal-new", annotations(&given)), ALONE),
        denied(Holder, subresource("ns/plain", "status", annotations(&given)), ALONE),
        denied(Holder, annotate(OBSERVED, &format!("adopt-out={OTHER}")), "are the operator's alone"),
    ]);
    rows
}

/// The operator marks what was given, and nobody marks anything else.
fn the_mark() -> Vec<Row> {
    let without = |part: &str, key: &str| {
        let mut mark = adopted();
        mark["metadata"][part][key] = Value::Null;
        mark
    };
    let with = |more: Value| {
        let mut mark = adopted();
        overlay(&mut mark, &more);
        mark
    };
    let owner = json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "plain", "uid": APPLICATION}]}});
    let mut rows = vec![
        allowed(Operator, merge(GIVEN, adopted())),
        denied(Operator, merge("ns/plain", adopted()), NEVER),
        denied(Operator, merge("ns/portal-helm", adopted()), NEVER),
        denied(Operator, merge("ns/dept-transport", adopted()), NEVER),
        denied(Operator, merge("ns/kube-public", adopted()), "are reserved names"),
        denied(Operator, merge("ns/kube-system", adopted()), "are reserved names"),
        denied(Operator, merge(GIVEN, with(labels(&format!("application-uid={OTHER}")))), NEVER),
        denied(Operator, merge(GIVEN, without("labels", "govcloud.dev/adopted")), NEVER),
        denied(Operator, merge(GIVEN, with(labels("adopted=network"))), NEVER),
        denied(Operator, merge(GIVEN, without("labels", "example.org/team")), NEVER),
        denied(Operator, merge(GIVEN, without("annotations", "govcloud.dev/adopt-out")), NEVER),
        denied(
            Operator,
            merge(GIVEN, with(json!({"metadata": {"finalizers": ["example.org/keep"]}}))),
            NEVER,
        ),
        denied(Operator, merge(GIVEN, with(owner)), "a tenant namespace has no ownerReferences"),
        denied(Operator, subresource(GIVEN, "status", adopted()), NEVER),
    ];
    for via in Via::ALL {
        for who in [Department, OtherDepartment, Province, Provider, ClusterAdmin, Holder] {
            rows.push(denied(who, change(via, GIVEN, adopted()), NEVER));
            rows.push(denied(
                who,
                change(via, GIVEN, labels(&format!("application-uid={APPLICATION}"))),
                NEVER,
            ));
        }
    }
    rows
}

/// An adopted namespace is a tenant's as every other.
fn whose_it_is() -> Vec<Row> {
    let mut rows = Vec::new();
    for who in [Department, Provider, ClusterAdmin, Holder] {
        rows.push(denied(who, delete(OBSERVED), "a tenant namespace is not deleted by hand"));
        rows.push(denied(
            who,
            label(OBSERVED, "application-uid-"),
            "is never removed | are the operator's alone",
        ));
        rows.push(denied(who, label(OBSERVED, "adopted=network"), "are the operator's alone"));
        rows.push(denied(
            who,
            create("binding/mine@portal-observed", json!({})),
            "roles and role bindings in a tenant namespace are the operator's",
        ));
        rows.push(denied(
            who,
            create("netpol/open@portal-observed", json!({})),
            "network policies in a tenant namespace are the operator's",
        ));
    }
    rows.push(denied(Operator, delete(OBSERVED), "no authorised exit"));
    rows
}

/// The mark that says how far the rules go only moves on.
fn stages() -> Vec<Row> {
    let on = "only moves on";
    let mut made = tenant_namespace();
    overlay(&mut made, &labels("adopted=observe"));
    let mut rows = vec![
        denied(Operator, create("ns/dept-transport-new-prod-22222222", made), on),
        denied(Operator, label("ns/dept-transport-travel-prod-0a1b2c3d", "adopted=observe"), on),
        denied(Operator, label(OBSERVED, "adopted-"), on),
        denied(Operator, label(OBSERVED, "adopted=none"), on),
        denied(ClusterAdmin, label("ns/plain", "adopted=observe"), on),
    ];
    for stage in ["pod-security", "workloads", "network"] {
        rows.push(allowed(Operator, label(OBSERVED, &format!("adopted={stage}"))));
    }
    for stage in ["observe", "pod-security", "workloads"] {
        rows.push(denied(Operator, label(CLOSED, &format!("adopted={stage}")), on));
    }
    rows
}

/// A volume becomes a tenant's once it is retained.
fn volumes() -> Vec<Row> {
    let mark = labels(&format!("application-uid={APPLICATION}"));
    let mut kept = reclaim_policy("Retain");
    overlay(&mut kept, &mark);
    vec![
        denied(
            Operator,
            merge("pv/deletes", mark.clone()),
            "becomes a tenant's only with persistentVolumeReclaimPolicy Retain",
        ),
        allowed(Operator, merge("pv/deletes", kept)),
        denied(ClusterAdmin, merge("pv/deletes", mark), "of a tenant's volume are the operator's alone"),
    ]
}

/// While it is observed, nothing keeps its pods and Services from coming back; its claims are judged at once (S5).
fn workloads() -> Vec<Row> {
    let pod = json!({"spec": {"runtimeClassName": "devices"}});
    let claim = json!({"spec": {"storageClassName": "scratch"}});
    let budget = json!({"spec": {"maxUnavailable": 0}});
    vec![
        allowed(Department, create("pod/again@portal-observed", pod.clone())),
        denied(Department, create("pod/again@portal-closed", pod), "spec.runtimeClassName"),
        allowed(Department, create("budget/all@portal-observed", budget.clone())),
        denied(
            Department,
            create("budget/all@portal-closed", budget),
            "a disruption budget lets maintenance go on",
        ),
        denied(
            Department,
            create("pvc/more@portal-observed", claim),
            "set spec.storageClassName to one that the region allows",
        ),
    ]
}

/// An approval names exactly the namespaces that are asked for.
fn the_decision() -> Vec<Row> {
    let [asked, other] = FOUND;
    let approve = |target, named: &str| annotate(target, &format!("{APPROVE} adopt={named}"));
    let missing = "must name them one by one: add govcloud.dev/adopt=a0a0a0a0-0000-4000-8000-000000000001";
    let foreign = "names a namespace that this record does not ask to adopt";
    let mut rows = vec![
        allowed(Province, approve("capp/adopting", asked)),
        allowed(Province, approve("capp/adopting", &format!("{asked},"))),
        allowed(Province, annotate("capp/adopting", "decision=rejected reviewed-generation=1 opinion=不符")),
        denied(Province, annotate("capp/adopting", APPROVE), missing),
        denied(Province, approve("capp/adopting", other), foreign),
        denied(Province, approve("capp/adopting", &format!("{asked},{other}")), foreign),
        denied(Province, approve("capp/adopting", "portal"), foreign),
        denied(Province, approve("capp/adopting", "*"), foreign),
        denied(Province, approve("capp/fresh", asked), "leave it out"),
        denied(
            Province,
            annotate(
                "capp/adopting",
                &format!("decision=rejected reviewed-generation=1 opinion=不 adopt={asked}"),
            ),
            "adopt goes with govcloud.dev/decision=approved only",
        ),
        denied(Department, create("capp/new", annotations("adopt=x")), "a decision cannot be set at create"),
    ];
    for who in [City, Department, Provider, ClusterAdmin, Pipeline, Holder] {
        let refused = "you lack verb approve | wildcard rights do not count | you filed this record yourself";
        rows.push(denied(who, approve("capp/adopting", asked), refused));
    }
    rows
}

/// The word that the rules are enforced comes after the adoption, and a change adopts nothing.
fn the_request() -> Vec<Row> {
    let enforce = json!({"spec": {"enforce": "PodSecurity"}});
    let existing = json!({"name": "portal", "uid": FOUND[0]});
    let adjust = json!({"spec": {"resourceAdjustment": {"namespaces": [{"name": "prod", "quota": {"pods": "5"}, "existing": existing}]}}});
    let misnamed = json!({"spec": {"namespaces": [{"name": "prod", "quota": {"pods": "5"}, "existing": {"name": "portal", "uid": "portal"}}]}});
    let entry = |name: &str| json!({"name": name, "quota": {"pods": "5"}, "existing": existing});
    let twice = json!({"spec": {"namespaces": [entry("prod"), entry("test")]}});
    vec![
        denied(Department, create("capp/new", enforce.clone()), "come later in life | leave it out"),
        denied(
            Department,
            merge("capp/adopting", enforce.clone()),
            "enforce is said once the namespaces are adopted",
        ),
        denied(
            Department,
            merge("capp/provisioned", enforce),
            "leave it out | once the namespaces are adopted",
        ),
        denied(Department, create("chreq/new", adjust), "is adopted by an application, not by a change"),
        denied(Department, create("capp/new", misnamed), "must be the namespace's UID"),
        denied(Department, create("capp/new", twice), "is named by one entry only"),
    ]
}
