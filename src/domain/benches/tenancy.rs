//! Tenancy: the cost of reconciling one application in force with its namespaces, from the texts that a cache holds. The
//! bound for a whole decision on a grant with eight namespaces is 0.5 ms.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use govcloud_api::region::{Allowed, ContainerLimits, Network, POD_SECURITY_VERSION, PodSecurity};
use govcloud_api::resources::ResourceType;
use govcloud_api::tenancy::{Access, AccessRole, Restriction, Subject, SubjectKind};
use govcloud_domain::tenancy::{
    self, ApplicationIdentity, LiveNamespace, LiveObject, NamespaceOrder, NamespaceState, TenancyOrder,
};

fn map(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn order(namespaces: usize) -> TenancyOrder {
    let namespace = |n: usize| NamespaceOrder {
        entry: format!("e{n}"),
        name: format!("dept-transport-travel-e{n}-b4ac6df6"),
        uid: Some(format!("2b1c0e52-0000-4000-8000-00000000000{n}")),
        quota: map(&[
            ("pods", "50"),
            ("requests.cpu", "8"),
            ("requests.memory", "16Gi"),
            ("requests.storage", "200Gi"),
        ]),
        counted: Vec::new(),
        storage_classes: vec!["hostpath".to_owned()],
        restriction: Restriction::None,
        take_back: None,
        adoption: None,
    };
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
        namespaces: (0..namespaces).map(namespace).collect(),
        access: vec![
            line(SubjectKind::User, "zhang", AccessRole::Admin),
            line(SubjectKind::Group, "transport-ops", AccessRole::Edit),
        ],
        pod_security: PodSecurity::Restricted,
        allowed: Allowed::default(),
        pod_security_version: POD_SECURITY_VERSION.to_owned(),
        network: Network::default(),
        limit_range: Some(ContainerLimits {
            default: map(&[("cpu", "500m"), ("memory", "512Mi")]),
            default_request: map(&[("cpu", "100m"), ("memory", "128Mi")]),
            max: BTreeMap::new(),
            min: BTreeMap::new(),
        }),
        reclaiming: false,
        released_volumes: Vec::new(),
    }
}

/// The objects of one namespace as a cache holds them.
type Texts = Vec<(ResourceType, String)>;

fn texts(order: &TenancyOrder) -> Vec<Texts> {
    let of_namespace = |namespace: &NamespaceOrder| {
        let objects = tenancy::desired(order, namespace).into_iter().map(|object| {
            let mut body = object.body;
            body["metadata"]["resourceVersion"] = "12345".into();
            body["metadata"]["uid"] = namespace.uid.clone().into();
            (object.rules.resource, body.to_string())
        });
        objects.collect()
    };
    order.namespaces.iter().map(of_namespace).collect()
}

fn live(texts: &[Texts]) -> Vec<LiveNamespace> {
    let parse = |(resource, text): &(ResourceType, String)| {
        LiveObject::new(*resource, Arc::new(serde_json::from_str(text).expect("JSON")))
    };
    let namespace = |texts: &Texts| {
        let mut objects = texts.iter().map(parse);
        LiveNamespace { namespace: objects.next().expect("a namespace"), objects: objects.collect() }
    };
    texts.iter().map(namespace).collect()
}

fn reconcile(c: &mut Criterion) {
    for namespaces in [1, 8] {
        let order = order(namespaces);
        let texts = texts(&order);
        let parsed = live(&texts);
        let (steps, report) = tenancy::reconcile(&order, &parsed, &[]);
        assert!(steps.is_empty() && report.namespaces.iter().all(|n| n.state == NamespaceState::InForce));
        let mut group = c.benchmark_group(format!("{namespaces} namespaces"));
        group.bench_function("parse live objects", |b| b.iter(|| live(black_box(&texts))));
        group.bench_function("reconcile", |b| b.iter(|| tenancy::reconcile(&order, black_box(&parsed), &[])));
        group.finish();
    }
}

criterion_group!(benches, reconcile);
criterion_main!(benches);
