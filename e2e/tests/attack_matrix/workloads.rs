//! Workloads of tenant namespaces: pods, services, Ingresses and disruption budgets (S1; docs/tenancy.md).

use serde_json::{Value, json};

use crate::caller::Caller::*;
use crate::row::{Row, allowed, create, denied, label, labels, merge, overlay, subresource};
use crate::target::{container, route};

const OLD_POD: &str = "pod/old@dept-transport-old-prod-4e5f6a7b";
const OLD_INGRESS: &str = "ingress/old@dept-transport-old-prod-4e5f6a7b";
const UNGRANTED: &str = "not granted to this namespace: ";
const PRIORITY: &str = "to tenants; allowed: [tenant-high]";
const RUNTIME: &str = "the region does not allow devices to tenants; allowed: [kata]";
const PLACED: &str = "the scheduler places a tenant's pods";
const AFFINITY: &str = "affinity and anti-affinity reach the own namespace only";
const TOLERATION: &str = "the region does not let tenants tolerate | not every taint may be tolerated";
const VOLUME: &str = "is neither a claim nor of a kind without data of its own";
const ADDRESSES: &str = "attracts no traffic of other addresses";
const NAMES: &str = "leads to its own pods, not to another name";
const CLASS: &str = "set spec.ingressClassName to one that the region allows: [public]";
const HOST: &str = "was not granted to this department";
const EVERY_HOST: &str = "stands for every host";
const BUDGET: &str = "a disruption budget lets maintenance go on";

/// The rows.
pub fn rows() -> Vec<Row> {
    [resources(), classes(), placement(), pod_volumes(), pod_changes(), services(), ingresses(), budgets()]
        .into_iter()
        .flatten()
        .collect()
}

fn pod(field: &str, value: Value) -> Value {
    json!({"spec": {field: value}})
}

/// Refused, whoever sends it: the object is judged and not its author, so that controllers are bound as well.
fn refused(rows: &mut Vec<Row>, target: &'static str, over: &Value, words: &'static str) {
    for who in [Department, ClusterAdmin, Pipeline] {
        rows.push(denied(who, create(target, over.clone()), words));
    }
}

fn resources() -> Vec<Row> {
    let asks = |limits: Value| pod("containers", json!([container("main", limits)]));
    let ungranted = [
        json!({"amd.com/gpu": "1"}),
        json!({"nvidia.com/gpu": "1", "example.org/fpga": "1"}),
        json!({"deviceclass.resource.kubernetes.io/gpu.water.example": "8"}),
        json!({"hugepages-1Gi": "1Gi", "cpu": "1"}),
    ];
    let mut rows = Vec::new();
    for limits in ungranted {
        refused(&mut rows, "pod/new", &asks(limits.clone()), UNGRANTED);
        let before = json!({"spec": {"initContainers": [container("before", limits.clone())]}});
        refused(&mut rows, "pod/new", &before, UNGRANTED);
        rows.push(allowed(Department, create("pod/new@plain", asks(limits))));
    }
    refused(
        &mut rows,
        "pod/new",
        &pod("resources", json!({"limits": {"hugepages-1Gi": "1Gi", "cpu": "1"}})),
        UNGRANTED,
    );
    rows.extend([
        allowed(Department, create("pod/new", json!({}))),
        allowed(
            Department,
            create("pod/new", asks(json!({"nvidia.com/gpu": "1", "cpu": "1", "memory": "1Gi"}))),
        ),
        allowed(
            Department,
            create("pod/new", asks(json!({"hugepages-2Mi": "2Mi", "cpu": "1", "ephemeral-storage": "1Gi"}))),
        ),
    ]);
    rows
}

fn classes() -> Vec<Row> {
    let mut rows = Vec::new();
    for class in ["system-node-critical", "system-cluster-critical", "tenant-low"] {
        refused(&mut rows, "pod/new", &pod("priorityClassName", json!(class)), PRIORITY);
        rows.push(allowed(Department, create("pod/new@plain", pod("priorityClassName", json!(class)))));
    }
    refused(&mut rows, "pod/new", &pod("runtimeClassName", json!("devices")), RUNTIME);
    rows.extend([
        allowed(Department, create("pod/new", pod("priorityClassName", json!("tenant-high")))),
        allowed(Department, create("pod/new", pod("runtimeClassName", json!("kata")))),
        allowed(Department, create("pod/new@plain", pod("runtimeClassName", json!("devices")))),
    ]);
    rows
}

/// Terms of affinity: required and preferred, to and against.
fn affinities(term: &Value) -> [Value; 4] {
    let mut whole = json!({"topologyKey": "kubernetes.io/hostname"});
    overlay(&mut whole, term);
    let weighted = json!([{"weight": 1, "podAffinityTerm": whole}]);
    let whole = json!([whole]);
    [
        json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": whole}}),
        json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": whole}}),
        json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": weighted}}),
        json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": weighted}}),
    ]
}

fn placement() -> Vec<Row> {
    let mut rows = Vec::new();
    refused(&mut rows, "pod/new", &pod("nodeName", json!("node-1")), PLACED);
    for term in [
        json!({"namespaceSelector": {}}),
        json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "plain"}}}),
        json!({"namespaces": ["plain"]}),
    ] {
        for affinity in affinities(&term) {
            refused(&mut rows, "pod/new", &pod("affinity", affinity), AFFINITY);
        }
    }
    for affinity in affinities(&json!({"labelSelector": {}})) {
        rows.push(allowed(Department, create("pod/new", pod("affinity", affinity))));
    }
    for toleration in [
        json!({"operator": "Exists"}),
        json!({"operator": "Exists", "effect": "NoSchedule"}),
        json!({"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}),
        json!({"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}),
        json!({"key": "somebody", "value": "else"}),
    ] {
        refused(&mut rows, "pod/new", &pod("tolerations", json!([toleration])), TOLERATION);
        rows.push(denied(
            Department,
            merge(OLD_POD, pod("tolerations", tolerations(&toleration))),
            TOLERATION,
        ));
    }
    let tolerated = json!([
        {"key": "dedicated", "operator": "Exists"}, {"key": "nvidia.com/gpu", "operator": "Exists"},
        {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"},
    ]);
    rows.push(allowed(Department, create("pod/new", pod("tolerations", tolerated))));
    rows.push(allowed(
        ClusterAdmin,
        create("pod/new@plain", pod("tolerations", json!([{"operator": "Exists"}]))),
    ));
    rows.push(allowed(ClusterAdmin, create("pod/new@plain", pod("nodeName", json!("node-1")))));
    rows
}

/// Tolerations of the old pod as the API server keeps them, and one more: those that there are never go.
fn tolerations(more: &Value) -> Value {
    let kept = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    json!([
        {"key": "dedicated", "operator": "Exists"}, kept("node.kubernetes.io/not-ready"),
        kept("node.kubernetes.io/unreachable"), more,
    ])
}

fn pod_volumes() -> Vec<Row> {
    let volume = |source: Value| {
        let mut volume = source;
        volume["name"] = json!("data");
        pod("volumes", json!([volume]))
    };
    let mut rows = Vec::new();
    refused(&mut rows, "pod/new", &volume(json!({"csi": {"driver": "disks.csi.example"}})), VOLUME);
    let claim = json!({"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath", "resources": {"requests": {"storage": "1Gi"}}}});
    for inside in [
        json!({"csi": {"driver": "secrets.csi.example"}}),
        json!({"configMap": {"name": "a"}}),
        json!({"secret": {"secretName": "a"}}),
        json!({"downwardAPI": {}}),
        json!({"projected": {"sources": []}}),
        json!({"emptyDir": {}}),
        json!({"persistentVolumeClaim": {"claimName": "data"}}),
        json!({"ephemeral": {"volumeClaimTemplate": claim}}),
        json!({"image": {"reference": "registry.example/model:1"}}),
    ] {
        rows.push(allowed(Department, create("pod/new", volume(inside))));
    }
    // In a Region with Pod Security `baseline`, which lets them pass.
    let outside = volume(json!({"nfs": {"server": "files.example", "path": "/"}}));
    refused(&mut rows, "pod/new@dept-transport-lax-prod-5a6b7c8d", &outside, VOLUME);
    rows.push(allowed(Department, create("pod/new@plain", outside)));
    rows
}

/// Pods and claims from before a rule: they stay and can be served, and take no more.
fn pod_changes() -> Vec<Row> {
    let mut main = container("main", json!({"nvidia.com/gpu": "1"}));
    main["resources"]["requests"] = json!({"cpu": "200m", "nvidia.com/gpu": "1"});
    let resized = pod("containers", json!([main]));
    let mut renewed = main;
    renewed["image"] = json!("registry.example/travel:2");
    renewed["resources"]["requests"]["cpu"] = json!("100m");
    vec![
        allowed(Department, label(OLD_POD, "example.org/a=b")),
        allowed(Department, merge(OLD_POD, pod("containers", json!([renewed])))),
        allowed(Department, subresource(OLD_POD, "resize", resized)),
    ]
}

fn services() -> Vec<Row> {
    let addresses = json!({"spec": {"externalIPs": ["203.0.113.7"]}});
    let name = json!({"spec": {"type": "ExternalName", "externalName": "kubernetes.default.svc"}});
    let mut rows = Vec::new();
    refused(&mut rows, "svc/new", &addresses, ADDRESSES);
    refused(&mut rows, "svc/new", &name, NAMES);
    rows.extend([
        denied(Department, merge("svc/front", addresses.clone()), ADDRESSES),
        denied(Department, merge("svc/front", name.clone()), NAMES),
        allowed(Department, create("svc/new", json!({}))),
        allowed(Department, merge("svc/front", json!({"spec": {"selector": {"a": "b"}}}))),
        allowed(Department, create("svc/new@plain", addresses)),
        allowed(Department, create("svc/new@plain", name)),
    ]);
    rows
}

fn ingresses() -> Vec<Row> {
    let spec = |field: &str, value: Value| json!({"spec": {field: value}});
    let hosts = |host: &str| spec("rules", json!([route(host)]));
    let class = |class: &str| json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": class}}});
    let mut old_style = class("public");
    old_style["spec"] = json!({"ingressClassName": null});
    let backend = json!({"service": {"name": "travel", "port": {"number": 443}}});
    let mut every = route("");
    every.as_object_mut().map(|rule| rule.remove("host"));
    let mut rows = Vec::new();
    for (over, words) in [
        (hosts("tax.henan.example"), HOST),
        (hosts("jtt.henan.example"), HOST),
        (hosts("*.henan.example"), HOST),
        (spec("rules", json!([route("travel.henan.example"), route("tax.henan.example")])), HOST),
        (spec("tls", json!([{"hosts": ["tax.henan.example"], "secretName": "a"}])), HOST),
        (spec("tls", json!([{"secretName": "a"}])), EVERY_HOST),
        (spec("rules", json!([every])), EVERY_HOST),
        (spec("defaultBackend", backend), EVERY_HOST),
        (spec("ingressClassName", json!("internal")), CLASS),
        (spec("ingressClassName", json!(null)), CLASS),
        (old_style, CLASS),
    ] {
        refused(&mut rows, "ingress/new", &over, words);
        rows.push(allowed(Department, create("ingress/new@plain", over)));
    }
    rows.extend([
        allowed(Department, create("ingress/new", json!({}))),
        allowed(Department, create("ingress/new", hosts("a.jtt.henan.example"))),
        allowed(Department, create("ingress/new", hosts("*.jtt.henan.example"))),
        allowed(
            Department,
            create(
                "ingress/new",
                spec("tls", json!([{"hosts": ["travel.henan.example"], "secretName": "a"}])),
            ),
        ),
        allowed(Department, label(OLD_INGRESS, "example.org/a=b")),
        denied(
            Department,
            merge(OLD_INGRESS, class("internal")),
            "set spec.ingressClassName | may not differ from spec.ingressClassName",
        ),
        denied(
            Department,
            merge(OLD_INGRESS, hosts("a.jtt.henan.example")),
            "set spec.ingressClassName | was not granted",
        ),
    ]);
    rows
}

fn budgets() -> Vec<Row> {
    let budget = |most: Value, least: Value| json!({"spec": {"maxUnavailable": most, "minAvailable": least}});
    let mut rows = Vec::new();
    for over in
        [budget(json!(0), json!(null)), budget(json!("0%"), json!(null)), budget(json!(null), json!("100%"))]
    {
        refused(&mut rows, "budget/new", &over, BUDGET);
        rows.push(denied(Department, merge("budget/one", over.clone()), BUDGET));
        rows.push(allowed(Department, create("budget/new@plain", over)));
    }
    rows.extend([
        allowed(Department, create("budget/new", json!({}))),
        allowed(Department, create("budget/new", budget(json!("50%"), json!(null)))),
        allowed(Department, create("budget/new", budget(json!(null), json!(1)))),
        allowed(ClusterAdmin, merge("budget/one", labels("example.org/a=b"))),
    ]);
    rows
}
