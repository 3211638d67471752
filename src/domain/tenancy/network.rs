//! The NetworkPolicies: nothing passes unless said, and what is said is the own namespace and DNS (Art. 20, 21).

use std::sync::LazyLock;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::canonical::tidy;
use super::letter::Letter;
use super::object;

/// Name of the policy that closes everything.
pub const DEFAULT_DENY: &str = "govcloud-default-deny";
/// Name of the policy that opens the own namespace and DNS.
pub const ALLOW: &str = "govcloud-allow-same-namespace-and-dns";

/// What a policy says: the same for every tenant, made once.
#[derive(Debug, PartialEq)]
pub struct Rules {
    name: &'static str,
    spec: NetworkPolicySpec,
    /// What the spec says as the server keeps it, without empty lists.
    letter: Letter,
}

impl Rules {
    /// The policy's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// What they say.
    pub(super) fn letter(&self) -> Letter {
        self.letter
    }

    /// The policy with these rules.
    pub(super) fn policy(&self, metadata: ObjectMeta) -> NetworkPolicy {
        NetworkPolicy { metadata, spec: Some(self.spec.clone()) }
    }
}

static RULES: LazyLock<[Rules; 2]> = LazyLock::new(|| {
    let same_namespace =
        || NetworkPolicyPeer { pod_selector: Some(LabelSelector::default()), ..Default::default() };
    let allow_in = NetworkPolicyIngressRule { from: Some(vec![same_namespace()]), ports: None };
    let allow_out = NetworkPolicyEgressRule { to: Some(vec![same_namespace()]), ports: None };
    // Empty lists, not absent ones: applied, they also take away rules that somebody else put in. Such an
    // apply writes even where nothing differs (seen on 1.37), so only drift may trigger it (S11).
    let closed = spec(vec![], vec![]);
    let open = spec(vec![allow_in], vec![allow_out, dns()]);
    [(DEFAULT_DENY, closed), (ALLOW, open)].map(|(name, spec)| {
        let letter = Letter::of(json!({ "spec": tidy(&object::json(&spec)) }));
        Rules { name, spec, letter }
    })
});

/// The rules of each policy.
pub(super) fn rules() -> &'static [Rules] {
    &*RULES
}

fn spec(ingress: Vec<NetworkPolicyIngressRule>, egress: Vec<NetworkPolicyEgressRule>) -> NetworkPolicySpec {
    NetworkPolicySpec {
        pod_selector: Some(LabelSelector::default()),
        policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
        ingress: Some(ingress),
        egress: Some(egress),
    }
}

/// The cluster's DNS, by the labels that CoreDNS and its forerunner both carry.
fn dns() -> NetworkPolicyEgressRule {
    let selector = |key: &str, value: &str| LabelSelector {
        match_labels: Some([(key.to_owned(), value.to_owned())].into()),
        ..Default::default()
    };
    let port = |protocol: &str| NetworkPolicyPort {
        port: Some(IntOrString::Int(53)),
        protocol: Some(protocol.to_owned()),
        ..Default::default()
    };
    NetworkPolicyEgressRule {
        to: Some(vec![NetworkPolicyPeer {
            namespace_selector: Some(selector("kubernetes.io/metadata.name", "kube-system")),
            pod_selector: Some(selector("k8s-app", "kube-dns")),
            ..Default::default()
        }]),
        ports: Some(vec![port("UDP"), port("TCP")]),
    }
}
