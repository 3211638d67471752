//! Use of a namespace by quota key, counted as a ResourceQuota counts it.

use std::collections::BTreeMap;

use govcloud_domain::quantity::Quantity;
use govcloud_domain::tenancy::quota::claimed;
use serde_json::Value;

/// Resources of a pod that a quota counts.
const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// Returns true if a quota counts the pod: it has not ended.
pub(super) fn counts(pod: &Value) -> bool {
    !matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// Use by quota key: pods with their requests and limits, claims, services.
pub(super) fn used(pods: &[Value], claims: &[Value], services: &[Value]) -> BTreeMap<String, String> {
    let running = || pods.iter().filter(|pod| counts(pod));
    let mut used: BTreeMap<String, String> = claimed(claims.iter().cloned());
    used.insert("pods".to_owned(), running().count().to_string());
    for resource in RESOURCES {
        for kind in ["requests", "limits"] {
            let sum = running().map(|pod| of_pod(pod, kind, resource)).fold(Quantity::ZERO, plus);
            used.insert(format!("{kind}.{resource}"), sum.to_string());
        }
    }
    used.insert("services".to_owned(), services.len().to_string());
    let balancers = services.iter().filter(|service| service["spec"]["type"] == "LoadBalancer");
    used.insert("services.loadbalancers".to_owned(), balancers.count().to_string());
    let ports = services.iter().flat_map(|service| service["spec"]["ports"].as_array().into_iter().flatten());
    let node_ports = ports.filter(|port| port["nodePort"].as_i64().is_some_and(|port| port > 0));
    used.insert("services.nodeports".to_owned(), node_ports.count().to_string());
    used
}

/// Amount of a resource that a pod takes: its containers and sidecars together, or the largest of its other init containers,
/// and its overhead.
fn of_pod(pod: &Value, kind: &str, resource: &str) -> Quantity {
    let spec = &pod["spec"];
    let amount = |of: &Value| {
        let text = of["resources"][kind][resource].as_str();
        text.and_then(|text| text.parse().ok()).unwrap_or(Quantity::ZERO)
    };
    let list = |field: &str| spec[field].as_array().into_iter().flatten();
    let sidecar = |container: &&Value| container["restartPolicy"] == "Always";
    let together = list("containers").chain(list("initContainers").filter(sidecar));
    let together = together.map(amount).fold(Quantity::ZERO, plus);
    let first = list("initContainers").filter(|c| !sidecar(c)).map(amount).max().unwrap_or(Quantity::ZERO);
    let overhead = spec["overhead"][resource].as_str().and_then(|text| text.parse().ok());
    plus(together.max(first), overhead.unwrap_or(Quantity::ZERO))
}

fn plus(a: Quantity, b: Quantity) -> Quantity {
    a.checked_add(b).unwrap_or(a)
}

/// Names of the pods that a quota on CPU or memory would refuse at their next start: a container states no request.
pub(super) fn without_requests(pods: &[Value]) -> Vec<String> {
    let states = |container: &Value| {
        let resources = &container["resources"];
        RESOURCES.iter().all(|r| resources["requests"][*r].is_string() || resources["limits"][*r].is_string())
    };
    let silent = |pod: &&Value| {
        let whole = RESOURCES.iter().all(|r| pod["spec"]["resources"]["requests"][*r].is_string());
        let mut containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        counts(pod) && !whole && containers.any(|container| !states(container))
    };
    pods.iter().filter(silent).filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect()
}
