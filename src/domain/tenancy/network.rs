//! The NetworkPolicies: nothing passes unless allowed, and allowed are the own namespace and DNS (Art. 20, 21).

use govcloud_api::resources;
use serde_json::{Value, json};

use super::normalize::{sorted, with_default, without_empty};
use super::{ObjectRules, Tenant, TenantObject, WriteStep};

/// Name of the policy that closes everything.
const DEFAULT_DENY: &str = "govcloud-default-deny";
/// Name of the policy that opens the own namespace and DNS.
const ALLOW: &str = "govcloud-allow-same-namespace-and-dns";

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::NETWORK_POLICY,
    desired,
    step: WriteStep::Bounds,
    compared: &[("spec", normalized)],
    merged: &[],
    immutable: &[],
};

fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    let policy = |name, ingress: Value, egress: Value| {
        let types = ["Ingress", "Egress"];
        let spec = json!({ "podSelector": {}, "policyTypes": types, "ingress": ingress, "egress": egress });
        tenant.object(&RULES, name, json!({ "spec": spec }))
    };
    let same_namespace = json!([{ "podSelector": {} }]);
    vec![
        // Empty lists, not absent ones: applied, they also take away rules that somebody else put in. Such an
        // apply writes even where nothing differs (seen on 1.37), so only drift may trigger it (S11).
        policy(DEFAULT_DENY, json!([]), json!([])),
        policy(ALLOW, json!([{ "from": same_namespace }]), json!([{ "to": same_namespace }, dns()])),
    ]
}

/// The cluster's DNS, by the labels that CoreDNS and its forerunner both carry.
fn dns() -> Value {
    json!({
        "to": [{
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } },
            "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } },
        }],
        "ports": [{ "port": 53, "protocol": "UDP" }, { "port": 53, "protocol": "TCP" }],
    })
}

/// The spec with its rules, peers, ports and expressions in one order: they are unions.
fn normalized(spec: &Value) -> Value {
    let mut spec = without_empty(spec);
    for direction in ["ingress", "egress"] {
        for rule in spec.get_mut(direction).and_then(Value::as_array_mut).into_iter().flatten() {
            for port in rule.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                *port = with_default(port, "protocol", "TCP");
            }
        }
    }
    sorted(spec)
}
