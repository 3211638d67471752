//! LimitRanges and quota keys, as the API server judges and counts them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{PATIENCE, refusal};
use e2e::suite::Context;
use e2e::wait::eventually;
use govcloud_api::region::{Allowed, ContainerLimits, Network, POD_SECURITY_VERSION, PodSecurity};
use govcloud_api::tenancy::Restriction;
use govcloud_domain::tenancy::{self, ApplicationIdentity, NamespaceOrder, TenancyOrder, limits};
use k8s_openapi::api::core::v1::{LimitRange, Pod, ResourceQuota};
use kube::api::PostParams;
use kube::{Api, Client};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{generate, ranges, runner};

/// A Region's limits: contradictory ones are those that the server refuses, and no others.
pub async fn limits_of_a_region_are_judged_as_by_the_server(context: Context) -> Result<()> {
    let ranges = ranges(&context).await?;
    let resource = prop_oneof![3 => Just("cpu"), 3 => Just("memory"), 2 => Just("example.com/gpu"), 1 => Just("hugepages-2Mi"), 1 => Just("pods")];
    let map = || prop::collection::btree_map(resource.clone().prop_map(str::to_owned), "[1-3]", 0..3);
    let all = generate(&mut runner(11), &(map(), map(), map(), map()), 400)?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let (mut taken, mut refused) = (0, 0);
    for (default, default_request, max, min) in all {
        let limits = ContainerLimits { default, default_request, max, min };
        let mut item = serde_json::to_value(&limits)?;
        item["type"] = json!("Container");
        let object = json!({"metadata": {"name": "limits"}, "spec": {"limits": [item]}});
        let found = limits::findings(&limits);
        match (ranges.create(&dry, &serde_json::from_value(object)?).await, found.is_empty()) {
            (Ok(_), true) => taken += 1,
            (Err(kube::Error::Api(_)), false) => refused += 1,
            (Ok(_), false) => anyhow::bail!("we refuse {limits:?}, and the server takes it: {found:?}"),
            (Err(e), _) => anyhow::bail!("we find nothing wrong with {limits:?}: {e}"),
        }
    }
    ensure!(taken > 40 && refused > 40, "{taken} taken, {refused} refused");
    println!("quantity: of 400 limits {taken} are taken by both and {refused} by neither");
    Ok(())
}

/// The bounds of a tenant with this quota, as the operator makes them.
async fn tenant(client: &Client, namespace: &str, quota: &[(&str, &str)], limited: bool) -> Result<()> {
    let map = |lines: &[(&str, &str)]| -> BTreeMap<String, String> {
        lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let order = TenancyOrder {
        application: ApplicationIdentity {
            name: "travel".into(),
            uid: "u".into(),
            filing_namespace: "dept".into(),
            region: "410000".into(),
        },
        approved: String::new(),
        namespaces: vec![NamespaceOrder {
            entry: "prod".into(),
            name: namespace.into(),
            uid: None,
            quota: map(quota),
            counted: Vec::new(),
            storage_classes: Vec::new(),
            restriction: Restriction::None,
            take_back: None,
            adoption: None,
        }],
        access: Vec::new(),
        allowed: Allowed::default(),
        pod_security: PodSecurity::Baseline,
        pod_security_version: POD_SECURITY_VERSION.into(),
        limit_range: Some(ContainerLimits::default()),
        network: Network::default(),
        reclaiming: false,
        released_volumes: Vec::new(),
    };
    let body = |kind: &str| {
        let objects = tenancy::desired(&order, &order.namespaces[0]);
        objects.into_iter().find(|object| object.kind() == kind).map(|object| object.body)
    };
    let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), namespace);
    let quota = body("ResourceQuota").context("no quota")?;
    quotas.create(&PostParams::default(), &serde_json::from_value(quota)?).await?;
    if limited {
        let ranges: Api<LimitRange> = Api::namespaced(client.clone(), namespace);
        let range = body("LimitRange").context("no limits")?;
        ranges.create(&PostParams::default(), &serde_json::from_value(range)?).await?;
    }
    let counted = || async {
        let quota = serde_json::to_value(quotas.get("govcloud").await?)?;
        Ok(tenancy::quota::is_in_force(&quota).then_some(()))
    };
    eventually("the quota is enforced", PATIENCE, counted).await
}

/// A pod with these resources for itself and for its container, in a dry run.
async fn pod(client: &Client, namespace: &str, whole: Value, container: Value) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let pod = json!({"metadata": {"name": "p"}, "spec": {
        "resources": whole, "containers": [{"name": "c", "image": "example/c:1", "resources": container}],
    }});
    let pod: Pod = serde_json::from_value(pod)?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    // The default ServiceAccount of a new namespace comes a moment later.
    let sent = || async {
        match pods.create(&dry, &pod).await {
            Err(kube::Error::Api(s)) if s.message.contains("serviceaccount") => {
                anyhow::bail!("{}", s.message)
            }
            outcome => Ok(Some(outcome.map(drop))),
        }
    };
    Ok(eventually("a pod is judged", PATIENCE, sent).await??)
}

/// A pod that states one resource for the whole pod states the other as well, and its limits where limits are granted. Without
/// the operator's LimitRange it need not, and takes as much as it likes.
pub async fn s1_a_pod_level_resource_evades_no_quota(context: Context) -> Result<()> {
    let client = context.cluster.client(Actor::Admin).await?;
    let quota = [("requests.cpu", "1"), ("requests.memory", "1Gi"), ("limits.memory", "2Gi")];
    let cpu = json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "100m"}});
    let open = context.namespace("open").await?;
    tenant(&client, &open, &quota, false).await?;
    pod(&client, &open, cpu.clone(), json!({})).await.context("what the LimitRange is for is no more")?;

    let bounded = context.namespace("bounded").await?;
    tenant(&client, &bounded, &quota, true).await?;
    let said = refusal(pod(&client, &bounded, cpu.clone(), json!({})).await)?;
    ensure!(said.contains("minimum memory usage per Pod is 1Mi.  No request is specified"), "{said}");
    ensure!(said.contains("maximum memory usage per Pod is 2Gi.  No limit is specified"), "{said}");
    let requests = json!({"requests": {"cpu": "100m", "memory": "64Mi"}});
    let said = refusal(pod(&client, &bounded, requests.clone(), json!({})).await)?;
    ensure!(said.contains("No limit is specified"), "{said}");
    let all = json!({"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}});
    pod(&client, &bounded, all.clone(), json!({})).await.context("a pod that states everything")?;
    pod(&client, &bounded, json!({}), all).await.context("a pod whose container states everything")?;
    let much = json!({"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "3Gi"}});
    let said = refusal(pod(&client, &bounded, much, json!({})).await)?;
    ensure!(said.contains("maximum memory usage per Pod is 2Gi"), "{said}");
    Ok(())
}

/// Both keys of device classes are counted, from the beginning.
pub async fn device_classes_are_counted(context: Context) -> Result<()> {
    let client = context.cluster.client(Actor::Admin).await?;
    let namespace = context.namespace("devices").await?;
    let keys = ["gpu.deviceclass.resource.k8s.io/devices", "requests.deviceclass.resource.kubernetes.io/gpu"];
    tenant(&client, &namespace, &[(keys[0], "2"), (keys[1], "0"), ("count/widgets.example.com", "1")], false)
        .await?;
    let quotas: Api<ResourceQuota> = Api::namespaced(client, &namespace);
    let quota = tenancy::quota::QuotaUse::of(&serde_json::to_value(quotas.get("govcloud").await?)?);
    ensure!(keys.iter().all(|key| quota.used.get(*key).is_some_and(|used| used == "0")), "{quota:?}");
    ensure!(quota.not_counted() == ["count/widgets.example.com"], "{quota:?}");
    Ok(())
}
