//! A tenant's objects as the API server keeps them are no drift, whatever the server adds to them, fills in or drops.
//! So nothing is written while nothing differs (S11).

#[path = "tenancy/page.rs"]
mod page;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Setup;
use e2e::suite::{self, Context};
use govcloud_api::region::{
    Allowed, ContainerLimits, IngressHost, Network, NetworkPeer, NetworkPort, NetworkRule,
    POD_SECURITY_VERSION, PodSecurity, Protocol,
};
use govcloud_api::tenancy::{Access, AccessRole, Restriction, Subject, SubjectKind};
use govcloud_api::{OPERATOR_NAME, keys};
use govcloud_domain::tenancy::{self, ApplicationIdentity, LiveObject, NamespaceOrder, TenancyOrder};
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use page::{
    every_field_in_reach_is_listed, every_resource_in_reach_is_listed, every_rule_has_a_policy_and_a_test,
};

fn main() -> ExitCode {
    let tests = e2e::tests![
        s11_stored_objects_do_not_drift,
        every_resource_in_reach_is_listed,
        every_field_in_reach_is_listed,
        every_rule_has_a_policy_and_a_test,
    ];
    suite::main(Setup::Bare, tests)
}

fn map(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Limits of every kind of region: the sample's, with a maximum alone, with a minimum alone, with everything.
fn limits() -> [Option<ContainerLimits>; 5] {
    let limits = |default: &[_], request: &[_], max: &[_], min: &[_]| {
        let [default, default_request, max, min] = [default, request, max, min].map(map);
        Some(ContainerLimits { default, default_request, max, min })
    };
    [
        None,
        limits(&[("cpu", "500m"), ("memory", "512Mi")], &[("cpu", "0.1")], &[], &[]),
        limits(&[], &[], &[("cpu", "4"), ("memory", "8192Mi")], &[]),
        limits(&[], &[], &[], &[("cpu", "10m")]),
        limits(&[("cpu", "1")], &[("memory", "64Mi")], &[("cpu", "4"), ("memory", "2Gi")], &[("cpu", "50m")]),
    ]
}

/// Rules of both directions, with peers and ports of every form.
fn network() -> Network {
    let port = |port, end_port, protocol| NetworkPort { port, end_port, protocol };
    let pods = NetworkPeer {
        namespace: Some("ingress-nginx".to_owned()),
        pod_labels: map(&[("app.kubernetes.io/name", "ingress-nginx")]),
        cidr: None,
    };
    let all = NetworkPeer { pod_labels: BTreeMap::new(), ..pods.clone() };
    let block = |cidr: &str| NetworkPeer { cidr: Some(cidr.to_owned()), ..NetworkPeer::default() };
    let rule = |name: &str, peers, ports| NetworkRule { name: name.to_owned(), peers, ports };
    Network {
        ingress: vec![
            rule("ingress", vec![pods], vec![]),
            rule("monitoring", vec![all], vec![port(9090, Some(9099), Protocol::Tcp)]),
        ],
        egress: vec![rule(
            "dns",
            vec![block("169.254.20.10/32"), block("fd00::a/128")],
            vec![port(53, None, Protocol::Udp), port(53, None, Protocol::Tcp)],
        )],
    }
}

/// An order for one namespace.
fn order(limit_range: Option<&ContainerLimits>, restriction: Restriction, namespace: &str) -> TenancyOrder {
    let line = |kind, name: &str, role| Access {
        subject: Subject { kind, name: name.to_owned(), namespace: None },
        role,
    };
    TenancyOrder {
        application: ApplicationIdentity {
            name: "travel".to_owned(),
            uid: "6f1c0e52-0000-4000-8000-000000000001".to_owned(),
            filing_namespace: "dept-transport".to_owned(),
            region: "410000".to_owned(),
        },
        approved: String::new(),
        namespaces: vec![NamespaceOrder {
            entry: "prod".to_owned(),
            name: namespace.to_owned(),
            uid: None,
            quota: map(&[
                ("pods", "50"),
                ("requests.cpu", "8000m"),
                ("requests.memory", "1024Mi"),
                ("requests.storage", "0.5Ti"),
                ("services.loadbalancers", "1"),
                ("requests.nvidia.com/gpu", "2"),
                ("hostpath.storageclass.storage.k8s.io/requests.storage", "200Gi"),
            ]),
            counted: Vec::new(),
            storage_classes: vec!["ssd".to_owned(), "hostpath".to_owned()],
            restriction,
            take_back: None,
            adoption: None,
        }],
        access: vec![
            line(SubjectKind::User, "zhang", AccessRole::Admin),
            line(SubjectKind::ServiceAccount, "pipeline", AccessRole::Edit),
            line(SubjectKind::Group, "transport-ops", AccessRole::Edit),
            line(SubjectKind::Group, "auditors", AccessRole::View),
        ],
        pod_security: PodSecurity::Restricted,
        allowed: Allowed {
            priority_classes: vec!["tenant-high".to_owned()],
            ingress_hosts: vec![IngressHost {
                host: "*.jtt.henan.example".to_owned(),
                namespace: "dept-transport".to_owned(),
            }],
            ..Allowed::default()
        },
        pod_security_version: POD_SECURITY_VERSION.to_owned(),
        network: network(),
        limit_range: limit_range.cloned(),
        reclaiming: false,
        released_volumes: Vec::new(),
    }
}

async fn s11_stored_objects_do_not_drift(context: Context) -> Result<()> {
    let client = context.cluster.client(Actor::Admin).await?;
    let mut compared = 0;
    for (n, limits) in limits().iter().enumerate() {
        let namespace = context.namespace(&format!("tenant{n}")).await?;
        for restriction in [Restriction::None, Restriction::HandingOver, Restriction::Quiesced] {
            let order = order(limits.as_ref(), restriction, &namespace);
            for object in tenancy::desired(&order, &order.namespaces[0]) {
                let resource = object.rules.resource.api_resource();
                let api: Api<DynamicObject> = match object.namespace.as_str() {
                    "" => Api::all_with(client.clone(), &resource),
                    namespace => Api::namespaced_with(client.clone(), namespace, &resource),
                };
                let force = PatchParams::apply(OPERATOR_NAME).force();
                api.patch(&object.name, &force, &Patch::Apply(&object.body)).await?;
                let mut kept = serde_json::to_value(api.get(&object.name).await?)?;
                let drift = |kept: &Value| {
                    let live = LiveObject::new(object.rules.resource, Arc::new(kept.clone()));
                    tenancy::drift(&object, &live).paths()
                };
                let paths = drift(&kept);
                ensure!(
                    paths.is_empty(),
                    "{paths:?} with {limits:?}, {restriction:?}: applied {:#}, kept {kept:#}",
                    object.body
                );
                kept["metadata"]["labels"][keys::ENTRY] = json!("test");
                ensure!(!drift(&kept).is_empty(), "another entry's {} is no drift", object.kind());
                compared += 1;
            }
        }
    }
    ensure!(compared > 60, "only {compared}");
    println!("tenancy: {compared} objects that the server keeps are no drift");
    Ok(())
}
