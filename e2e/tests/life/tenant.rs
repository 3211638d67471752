//! Expected content of a tenant namespace, and correction of its drift.

use anyhow::{Context, Result, ensure};
use e2e::actors::{self, Actor, OPERATOR};
use e2e::fixtures::{Department, PATIENCE, refusal};
use e2e::wait::until;
use k8s_openapi::api::core::v1::{LimitRange, Namespace, ResourceQuota};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

/// The name of the quota that the operator keeps.
const QUOTA: &str = "govcloud";

/// Checks every object of a tenant namespace against what was applied for. Returns how many things were compared.
pub async fn is_as_applied_for(
    department: &Department,
    application: &DynamicObject,
    tenant: &str,
) -> Result<usize> {
    let admin = department.admin().await?;
    let uid = application.uid().context("no UID")?;
    let mut compared = 0;
    let mut same = |what: &str, is: &Value, should: Value| {
        compared += 1;
        ensure!(*is == should, "{what} of {tenant} is {is}, and should be {should}");
        Ok(())
    };
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    let namespace = serde_json::to_value(namespaces.get(tenant).await?)?;
    let labels = &namespace["metadata"]["labels"];
    same("application-uid", &labels["govcloud.dev/application-uid"], json!(uid))?;
    same("application", &labels["govcloud.dev/application"], json!(application.name_any()))?;
    same("department", &labels["govcloud.dev/department"], json!(department.namespace))?;
    same("region", &labels["govcloud.dev/region"], json!(department.region))?;
    same("enforce", &labels["pod-security.kubernetes.io/enforce"], json!("restricted"))?;
    same("ownerReferences", &namespace["metadata"]["ownerReferences"], Value::Null)?;
    same("finalizers", &namespace["metadata"]["finalizers"], Value::Null)?;
    same(
        "classes",
        &namespace["metadata"]["annotations"]["govcloud.dev/storage-classes"],
        json!("hostpath"),
    )?;

    let quotas: Vec<ResourceQuota> = list(&admin, tenant).await?;
    same("the number of quotas", &json!(quotas.len()), json!(1))?;
    let mut hard = application.data["spec"]["namespaces"][0]["quota"].clone();
    hard["services.loadbalancers"] = json!("0");
    hard["services.nodeports"] = json!("0");
    same("the quota", &serde_json::to_value(&quotas[0])?["spec"]["hard"], hard)?;

    let limits: Vec<LimitRange> = list(&admin, tenant).await?;
    same("the number of limit ranges", &json!(limits.len()), json!(1))?;
    let item = &serde_json::to_value(&limits[0])?["spec"]["limits"][0];
    same(
        "the limits",
        item,
        json!({
            "type": "Container",
            "default": {"cpu": "500m", "memory": "512Mi"},
            "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        }),
    )?;

    let mut policies: Vec<NetworkPolicy> = list(&admin, tenant).await?;
    policies.sort_by_key(ResourceExt::name_any);
    let names: Vec<String> = policies.iter().map(ResourceExt::name_any).collect();
    let expected = ["govcloud-allow-same-namespace-and-dns", "govcloud-default-deny"];
    same("the network policies", &json!(names), json!(expected))?;
    let deny = &serde_json::to_value(&policies[1])?["spec"];
    same("what deny selects", &deny["podSelector"], json!({}))?;
    same("what deny covers", &deny["policyTypes"], json!(["Ingress", "Egress"]))?;
    same("what deny lets in", &deny["ingress"], Value::Null)?;
    same("what deny lets out", &deny["egress"], Value::Null)?;
    let allow = &serde_json::to_value(&policies[0])?["spec"];
    same("from where", &allow["ingress"], json!([{"from": [{"podSelector": {}}]}]))?;
    same("to where", &allow["egress"][0], json!({"to": [{"podSelector": {}}]}))?;
    let ports = json!([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]);
    same("DNS", &allow["egress"][1]["ports"], ports)?;

    let bindings: Vec<RoleBinding> = list(&admin, tenant).await?;
    same("the number of bindings", &json!(bindings.len()), json!(1))?;
    let binding = serde_json::to_value(&bindings[0])?;
    same("the role", &binding["roleRef"]["name"], json!("govcloud-tenant-edit"))?;
    same("the subject", &binding["subjects"][0]["name"], json!(department.applicant.group()))?;
    same("the number of subjects", &json!(binding["subjects"].as_array().map(Vec::len)), json!(1))?;
    Ok(compared)
}

async fn list<K>(client: &Client, namespace: &str) -> Result<Vec<K>>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + k8s_openapi::Metadata + Clone,
    K: serde::de::DeserializeOwned + std::fmt::Debug,
    <K as kube::Resource>::DynamicType: Default,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    Ok(api.list(&ListParams::default()).await?.items)
}

/// One thing that somebody changes, and what it is like once it is put right.
struct Drift {
    what: &'static str,
    patch: Value,
    right: fn(&Value) -> bool,
}

/// The administrator's changes are refused; where somebody gets past the policies (as the operator itself), the
/// operator puts right what differs. Returns how many changes were put right.
pub async fn drift_is_put_right(department: &Department, tenant: &str) -> Result<usize> {
    let admin = department.admin().await?;
    let thief = actors::impersonate(&department.cluster().plane.kubeconfig(Actor::Admin), OPERATOR).await?;
    let namespaced = |client: &Client| Api::<ResourceQuota>::namespaced(client.clone(), tenant);
    let more = json!({"spec": {"hard": {"requests.cpu": "800"}}});
    let refused = namespaced(&admin).patch(QUOTA, &PatchParams::default(), &Patch::Merge(&more)).await;
    let message = refusal(refused.map_err(Into::into))?;
    ensure!(message.contains("配额、限制和网络策略由 operator 依批准设定"), "{message}");

    put_right(
        &thief,
        &namespaced(&thief),
        QUOTA,
        Drift { what: "the quota", patch: more, right: |q| q["spec"]["hard"]["requests.cpu"] == "8" },
    )
    .await?;
    let spaces = Api::<Namespace>::all(thief.clone());
    let elsewhere = json!({"metadata": {"labels": {"govcloud.dev/region": null}}});
    let refused = spaces.patch(tenant, &PatchParams::default(), &Patch::Merge(&elsewhere)).await;
    let message = refusal(refused.map_err(Into::into))?;
    ensure!(message.contains("部门、申请、区域和条目终身不变"), "{message}");
    put_right(
        &thief,
        &spaces,
        tenant,
        Drift {
            what: "the namespace's labels",
            patch: json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}),
            right: |n| n["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted",
        },
    )
    .await?;
    put_right(
        &thief,
        &Api::<NetworkPolicy>::namespaced(thief.clone(), tenant),
        "govcloud-default-deny",
        Drift {
            what: "a network policy",
            patch: json!({"spec": {"ingress": [{}]}}),
            right: |p| p["spec"]["ingress"].as_array().is_none_or(Vec::is_empty),
        },
    )
    .await?;
    put_right(&thief, &Api::<RoleBinding>::namespaced(thief.clone(), tenant), "govcloud-edit", Drift {
        what: "a binding's subjects",
        patch: json!({"subjects": [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}]}),
        right: |b| b["subjects"].as_array().is_some_and(|s| s.len() == 1 && s[0]["name"] != "eve"),
    })
    .await?;
    put_right(
        &thief,
        &Api::<LimitRange>::namespaced(thief.clone(), tenant),
        "govcloud-defaults",
        Drift {
            what: "the limits",
            patch: json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "1m"}}]}}),
            right: |l| {
                l["spec"]["limits"][0]["max"].is_null() && l["spec"]["limits"][0]["default"]["cpu"] == "500m"
            },
        },
    )
    .await?;
    Ok(5)
}

async fn put_right<K>(_: &Client, api: &Api<K>, name: &str, drift: Drift) -> Result<()>
where
    K: kube::Resource
        + Clone
        + serde::de::DeserializeOwned
        + serde::Serialize
        + std::fmt::Debug
        + Send
        + 'static,
{
    let Drift { what, patch, right } = drift;
    let wrong = api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await;
    let wrong = wrong.with_context(|| format!("changing {what}"))?;
    let seen = |object: &K| serde_json::to_value(object).is_ok_and(|object| right(&object));
    ensure!(!seen(&wrong), "{what} did not change");
    until(api.clone(), name, &format!("{what} is put right"), PATIENCE, seen).await?;
    Ok(())
}
