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
    let mut comparison = Comparison { tenant, compared: 0 };
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    let namespace = serde_json::to_value(namespaces.get(tenant).await?)?;
    comparison.namespace(&namespace["metadata"], department, application)?;
    comparison.quota(&list(&admin, tenant).await?, application)?;
    comparison.limits(&list(&admin, tenant).await?)?;
    comparison.network_policies(&list(&admin, tenant).await?)?;
    comparison.access(&list(&admin, tenant).await?, department)?;
    Ok(comparison.compared)
}

/// Counts what it compares.
struct Comparison<'a> {
    tenant: &'a str,
    compared: usize,
}

impl Comparison<'_> {
    fn same(&mut self, what: &str, is: &Value, should: Value) -> Result<()> {
        self.compared += 1;
        ensure!(*is == should, "{what} of {} is {is}, and should be {should}", self.tenant);
        Ok(())
    }

    fn namespace(
        &mut self,
        metadata: &Value,
        department: &Department,
        application: &DynamicObject,
    ) -> Result<()> {
        let labels = &metadata["labels"];
        let uid = application.uid().context("no UID")?;
        self.same("application-uid", &labels["govcloud.dev/application-uid"], json!(uid))?;
        self.same("application", &labels["govcloud.dev/application"], json!(application.name_any()))?;
        self.same("department", &labels["govcloud.dev/department"], json!(department.namespace))?;
        self.same("region", &labels["govcloud.dev/region"], json!(department.region))?;
        self.same("enforce", &labels["pod-security.kubernetes.io/enforce"], json!("restricted"))?;
        self.same("version", &labels["pod-security.kubernetes.io/enforce-version"], json!("v1.34"))?;
        self.same("ownerReferences", &metadata["ownerReferences"], Value::Null)?;
        self.same("finalizers", &metadata["finalizers"], Value::Null)?;
        self.same("classes", &metadata["annotations"]["govcloud.dev/storage-classes"], json!("hostpath"))
    }

    fn quota(&mut self, quotas: &[ResourceQuota], application: &DynamicObject) -> Result<()> {
        self.same("the number of quotas", &json!(quotas.len()), json!(1))?;
        let mut hard = application.data["spec"]["namespaces"][0]["quota"].clone();
        hard["services.loadbalancers"] = json!("0");
        hard["services.nodeports"] = json!("0");
        self.same("the quota", &serde_json::to_value(&quotas[0])?["spec"]["hard"], hard)
    }

    fn limits(&mut self, limits: &[LimitRange]) -> Result<()> {
        self.same("the number of limit ranges", &json!(limits.len()), json!(1))?;
        let items = &serde_json::to_value(&limits[0])?["spec"]["limits"];
        let expected = json!([
            {
                "type": "Container",
                "default": {"cpu": "200m", "memory": "256Mi"},
                "defaultRequest": {"cpu": "50m", "memory": "64Mi"},
            },
            {"type": "Pod", "min": {"cpu": "1m", "memory": "1Mi"}},
        ]);
        self.same("the limits", items, expected)
    }

    fn network_policies(&mut self, policies: &[NetworkPolicy]) -> Result<()> {
        let names: Vec<String> = policies.iter().map(ResourceExt::name_any).collect();
        self.same("the network policies", &json!(names), json!(["govcloud-default-deny"]))?;
        let policy = &serde_json::to_value(&policies[0])?["spec"];
        self.same("what it selects", &policy["podSelector"], json!({}))?;
        self.same("what it covers", &policy["policyTypes"], json!(["Ingress", "Egress"]))?;
        self.same("from where", &policy["ingress"], json!([{"from": [{"podSelector": {}}]}]))?;
        self.same("to where", &policy["egress"][0], json!({"to": [{"podSelector": {}}]}))?;
        let ports = json!([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]);
        self.same("DNS", &policy["egress"][1]["ports"], ports)?;
        self.same("the ways out", &json!(policy["egress"].as_array().map(Vec::len)), json!(2))
    }

    fn access(&mut self, bindings: &[RoleBinding], department: &Department) -> Result<()> {
        self.same("the number of bindings", &json!(bindings.len()), json!(1))?;
        let binding = serde_json::to_value(&bindings[0])?;
        self.same("the role", &binding["roleRef"]["name"], json!("govcloud-tenant-edit"))?;
        self.same("the subject", &binding["subjects"][0]["name"], json!(department.applicant.group()))?;
        self.same("the number of subjects", &json!(binding["subjects"].as_array().map(Vec::len)), json!(1))
    }
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
    let more = json!({"spec": {"hard": {"requests.cpu": "800"}}});
    let quotas: Api<ResourceQuota> = Api::namespaced(admin, tenant);
    is_refused(&quotas, QUOTA, &more, "配额、限制和网络策略由 operator 依批准设定").await?;
    let elsewhere = json!({"metadata": {"labels": {"govcloud.dev/region": null}}});
    let spaces: Api<Namespace> = Api::all(thief.clone());
    is_refused(&spaces, tenant, &elsewhere, "部门、申请、区域和条目终身不变").await?;

    put_right(
        &Api::<ResourceQuota>::namespaced(thief.clone(), tenant),
        QUOTA,
        Drift { what: "the quota", patch: more, right: |q| q["spec"]["hard"]["requests.cpu"] == "8" },
    )
    .await?;
    put_right(
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
        &Api::<NetworkPolicy>::namespaced(thief.clone(), tenant),
        "govcloud-default-deny",
        Drift {
            what: "a network policy",
            patch: json!({"spec": {"ingress": [{}]}}),
            right: |p| p["spec"]["ingress"] == json!([{"from": [{"podSelector": {}}]}]),
        },
    )
    .await?;
    put_right(&Api::<RoleBinding>::namespaced(thief.clone(), tenant), "govcloud-edit", Drift {
        what: "a binding's subjects",
        patch: json!({"subjects": [{"kind": "User", "name": "eve", "apiGroup": "rbac.authorization.k8s.io"}]}),
        right: |b| b["subjects"].as_array().is_some_and(|s| s.len() == 1 && s[0]["name"] != "eve"),
    })
    .await?;
    put_right(
        &Api::<LimitRange>::namespaced(thief, tenant),
        "govcloud-defaults",
        Drift {
            what: "the limits",
            patch: json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "1m"}}]}}),
            right: |l| {
                let item = &l["spec"]["limits"][0];
                item["max"].is_null() && item["default"]["cpu"] == "200m"
            },
        },
    )
    .await?;
    Ok(5)
}

/// A policy refuses the change and says why.
async fn is_refused<K>(api: &Api<K>, name: &str, patch: &Value, why: &str) -> Result<()>
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let refused = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
    let message = refusal(refused.map_err(Into::into))?;
    ensure!(message.contains(why), "{message}");
    Ok(())
}

async fn put_right<K>(api: &Api<K>, name: &str, drift: Drift) -> Result<()>
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
