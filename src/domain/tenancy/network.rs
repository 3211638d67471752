//! The NetworkPolicy: nothing passes unless allowed, and allowed are the own namespace, DNS, and what the Region names
//! (Art. 20, 21).

use std::net::IpAddr;

use govcloud_api::region::{Network, NetworkPeer, NetworkPort, NetworkRule};
use govcloud_api::resources;
use serde_json::{Value, json};

use super::normalize::{sorted, with_default, without_empty};
use super::{ObjectRules, Tenant, TenantObject, WriteStep};

/// Name of the policy: what it does not allow is denied.
const NAME: &str = "govcloud-default-deny";

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::NETWORK_POLICY,
    desired,
    step: WriteStep::Bounds,
    compared: &[("spec", normalized)],
    merged: &[],
    immutable: &[],
};

fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    let same_namespace = json!([{ "podSelector": {} }]);
    let Network { ingress, egress } = &tenant.order.network;
    let from = [json!({ "from": same_namespace })].into_iter().chain(rules("from", ingress));
    let to = [json!({ "to": same_namespace }), dns()].into_iter().chain(rules("to", egress));
    let spec = json!({
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": from.collect::<Vec<Value>>(),
        "egress": to.collect::<Vec<Value>>(),
    });
    vec![tenant.object(&RULES, NAME, json!({ "spec": spec }))]
}

/// Rules of one direction, as a NetworkPolicy has them. A rule without peers would allow everybody: it is left out.
fn rules(direction: &str, rules: &[NetworkRule]) -> Vec<Value> {
    let rule = |rule: &NetworkRule| {
        let peers: Vec<Value> = rule.peers.iter().filter_map(peer).collect();
        let mut allowed = json!({ direction: peers });
        if !rule.ports.is_empty() {
            allowed["ports"] = rule.ports.iter().map(port).collect();
        }
        (!peers.is_empty()).then_some(allowed)
    };
    rules.iter().filter_map(rule).collect()
}

fn peer(peer: &NetworkPeer) -> Option<Value> {
    match (&peer.namespace, &peer.cidr) {
        (Some(namespace), _) => {
            // The API server itself sets this label.
            let mut allowed = json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } } });
            if !peer.pod_labels.is_empty() {
                allowed["podSelector"] = json!({ "matchLabels": peer.pod_labels });
            }
            Some(allowed)
        }
        (None, Some(cidr)) => Some(json!({ "ipBlock": { "cidr": cidr } })),
        (None, None) => None,
    }
}

fn port(port: &NetworkPort) -> Value {
    let mut allowed = json!({ "port": port.port, "protocol": port.protocol.as_ref() });
    if let Some(end) = port.end_port {
        allowed["endPort"] = end.into();
    }
    allowed
}

/// Fields of a Region's network settings that hold no block of addresses. A newer schema refuses them.
pub fn bad_blocks(network: &Network) -> Vec<(String, String)> {
    let direction = |name: &'static str, rules: &'_ [NetworkRule]| {
        let bad = rules.iter().flat_map(|rule| {
            let blocks = rule.peers.iter().filter_map(|peer| peer.cidr.as_ref());
            blocks.filter(|cidr| !is_block(cidr)).map(|cidr| (rule.name.clone(), cidr.clone()))
        });
        bad.map(|(rule, cidr)| (format!("tenancy.network.{name}[{rule}]"), cidr)).collect::<Vec<_>>()
    };
    [direction("ingress", &network.ingress), direction("egress", &network.egress)].concat()
}

fn is_block(cidr: &str) -> bool {
    let Some((address, length)) = cidr.split_once('/') else { return false };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.bytes().all(|b| b.is_ascii_digit()) && length.parse::<u8>().is_ok_and(|length| length <= most)
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
