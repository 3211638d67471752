//! The report of a check: what has to be done before the adoption, and what it changes.

use std::collections::BTreeMap;

use govcloud_api::keys;
use govcloud_domain::adoption::{AdoptionFinding, obstacles};
use govcloud_domain::existing_namespace::ExistingNamespace;
use serde::Serialize;
use serde_json::Value;

use super::usage;
use govcloud_api::adoption::ExistingRef;

/// Most pods that Pod Security looks at when a label is set, and the time that it takes for it
/// (Kubernetes, `pod-security-admission/admission`). A silent answer on a larger namespace proves nothing.
pub(super) const POD_SECURITY_PODS: usize = 3000;

/// A namespace and what stands in it, as it was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub namespace: Value,
    pub pods: Vec<Value>,
    pub claims: Vec<Value>,
    pub volumes: Vec<Value>,
    pub services: Vec<Value>,
    pub quotas: Vec<Value>,
    pub limits: Vec<Value>,
    pub policies: Vec<Value>,
    pub bindings: Vec<Value>,
    /// Storage classes that the Region offers.
    pub classes: Option<Vec<String>>,
    /// UID of the application that is to adopt it.
    pub application: Option<String>,
    pub pod_security: Option<PodSecurityAnswer>,
    /// Resources that may not be listed.
    pub unread: Vec<String>,
}

/// Answer of the API server to a dry run of the enforced level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSecurityAnswer {
    /// The level.
    pub level: String,
    /// False if the caller may not ask.
    pub asked: bool,
    /// Its warnings.
    pub warnings: Vec<String>,
}

/// When a finding has to be seen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum When {
    /// Before the application can be approved.
    Before,
    /// Before the facet is enforced.
    BeforeEnforcing,
    /// Nothing has to be done: what adoption does, or what stays.
    Known,
}

/// One finding, in both languages. The field names are an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    pub when: When,
    /// One word for machines.
    pub reason: &'static str,
    pub zh: String,
    pub en: String,
}

/// The whole report. The field names are an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub namespace: String,
    pub uid: String,
    /// Use by quota key: the least that can be applied for.
    #[serde(rename = "use")]
    pub used: BTreeMap<String, String>,
    pub pod_security: Option<PodSecurityAnswer>,
    pub items: Vec<Item>,
}

impl Report {
    /// Judges what was read.
    pub(super) fn of(seen: &Seen) -> Self {
        let text = |field: &str| seen.namespace["metadata"][field].as_str().unwrap_or_default().to_owned();
        let mut items = owners(seen);
        items.extend(unread(seen));
        items.extend(workloads(seen));
        items.extend(pod_security(seen));
        items.extend(storage(seen));
        items.extend(others(seen));
        items.sort_by_key(|item| item.when);
        Self {
            namespace: text("name"),
            uid: text("uid"),
            used: usage::used(&seen.pods, &seen.claims, &seen.services),
            pod_security: seen.pod_security.clone(),
            items,
        }
    }

    /// Returns true if nothing has to be done before the application.
    pub(super) fn is_ready(&self) -> bool {
        self.items.iter().all(|item| item.when != When::Before)
    }
}

fn item(when: When, reason: &'static str, zh: String, en: String) -> Item {
    Item { when, reason, zh, en }
}

/// Obstacles as the operator finds them: owners, name, deletion, the holder's word.
fn owners(seen: &Seen) -> Vec<Item> {
    let existing = ExistingNamespace::read(&seen.namespace);
    let asked = ExistingRef { name: existing.name.clone(), uid: existing.uid.clone() };
    let uid = seen.application.as_deref().unwrap_or("UID");
    let mut items = Vec::new();
    for finding in obstacles(&asked, Some(&existing), uid) {
        // Whom the namespace is for is not said: the holder's word cannot be compared.
        let unsaid = seen.application.is_none() && matches!(finding, AdoptionFinding::NotReleased { .. });
        let when = if unsaid { When::Known } else { When::Before };
        let text = finding.text();
        items.push(item(when, finding.reason().into(), text.zh, text.en));
    }
    items.extend(existing.foreign.iter().map(|owner| letting_go(owner)));
    items
}

/// How an owner lets go, without the namespace being deleted.
fn letting_go(owner: &str) -> Item {
    let (zh, en) = match owner.split(':').next().unwrap_or_default() {
        "Helm" => (
            "在该 release 的模板中去掉 Namespace 对象（先加 helm.sh/resource-policy: keep 并升级一次），再删除命名空间上的 meta.helm.sh/* 注解和 app.kubernetes.io/managed-by 标签；不要 helm uninstall",
            "take the Namespace out of the release's templates (first add helm.sh/resource-policy: keep and upgrade once), then remove its meta.helm.sh/* annotations and label app.kubernetes.io/managed-by; do not helm uninstall",
        ),
        "Argo CD" => (
            "在 Git 中从该 Application 去掉 Namespace 对象（同步时不勾选 prune，或先加 argocd.argoproj.io/sync-options: Prune=false），再删除跟踪标记",
            "take the Namespace out of the Application in Git (sync without prune, or first annotate argocd.argoproj.io/sync-options: Prune=false), then remove the tracking mark",
        ),
        "Flux" => (
            "先加注解 kustomize.toolkit.fluxcd.io/prune: disabled，再从 Kustomization 去掉 Namespace 对象并删除标记",
            "first annotate kustomize.toolkit.fluxcd.io/prune: disabled, then take the Namespace out of the Kustomization and remove the mark",
        ),
        "Capsule" => (
            "从 Capsule 的 Tenant 移出该命名空间（去掉标签和属主引用）",
            "take the namespace out of its Capsule Tenant (label and ownerReference)",
        ),
        "Rancher" => (
            "在 Rancher 中把该命名空间移出项目，并删除项目下发的配额",
            "move the namespace out of its Rancher project, and remove the quota that the project left",
        ),
        "ownerReferences" => (
            "去掉命名空间的 ownerReferences，否则属主被删时命名空间一并被删",
            "remove the namespace's ownerReferences: it would be deleted with its owner",
        ),
        _ => ("由其管理方解除管理，再删除该标记", "have that manager let go, then remove the mark"),
    };
    item(When::Before, "LetGo", format!("{owner}：{zh}"), format!("{owner}: {en}"))
}

fn unread(seen: &Seen) -> Vec<Item> {
    let one = |resource: &String| {
        item(
            When::Before,
            "NotRead",
            format!("您无权查看 {resource}，本次未检查；请由该命名空间的管理员执行"),
            format!(
                "you may not list {resource}, so they were not checked; have an administrator of the namespace run this"
            ),
        )
    };
    seen.unread.iter().map(one).collect()
}

/// At most five names, and the number of the rest.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=5 => shown,
        more => format!("{shown}, … (+{})", more - 5),
    }
}

fn workloads(seen: &Seen) -> Vec<Item> {
    let silent = usage::without_requests(&seen.pods);
    let mut items = Vec::new();
    if !silent.is_empty() {
        let (count, names) = (silent.len(), some(&silent));
        items.push(item(
            When::Known,
            "NoRequests",
            format!("{count} 个实例未写明 CPU 或内存请求（{names}）：纳管后先设 LimitRange 再设配额，重启时取区域的缺省值；缺省值不够的，请事先写明"),
            format!("{count} pods state no CPU or memory request ({names}): the LimitRange comes before the quota, and they take the Region's defaults at their next start; state requests beforehand where those are too small"),
        ));
    }
    let open = |kind: &str| {
        let of = seen.services.iter().filter(|service| service["spec"]["type"] == kind);
        of.filter_map(|service| service["metadata"]["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    for (kind, key) in [("LoadBalancer", "services.loadbalancers"), ("NodePort", "services.nodeports")] {
        let found = open(kind);
        if !found.is_empty() {
            let names = some(&found);
            items.push(item(
                When::Known,
                "OpenService",
                format!("有 {kind} 服务（{names}）：须在配额中申请 {key}，未申请即为 0"),
                format!("there are {kind} services ({names}): ask for {key} in the quota; what is not asked for is 0"),
            ));
        }
    }
    items
}

fn pod_security(seen: &Seen) -> Vec<Item> {
    let Some(answer) = &seen.pod_security else { return Vec::new() };
    let level = &answer.level;
    let running = seen.pods.iter().filter(|pod| usage::counts(pod)).count();
    if !answer.asked {
        return vec![item(
            When::BeforeEnforcing,
            "PodSecurityNotAsked",
            format!("您无权试改该命名空间，未能核对 Pod 安全级别 {level}"),
            format!(
                "you may not patch the namespace, not even as a dry run: Pod Security level {level} was not checked"
            ),
        )];
    }
    let mut items: Vec<Item> = answer
        .warnings
        .iter()
        .map(|warning| {
            item(
                When::BeforeEnforcing,
                "PodSecurity",
                format!("执行 PodSecurity 约束（{level}）前须整改：{warning}"),
                format!("to be corrected before PodSecurity ({level}) is enforced: {warning}"),
            )
        })
        .collect();
    if running > POD_SECURITY_PODS || answer.warnings.iter().any(|w| w.contains("timeout")) {
        items.push(item(
            When::BeforeEnforcing,
            "PodSecurityPartial",
            format!("Pod 安全检查最多看 {POD_SECURITY_PODS} 个实例、1 秒；本命名空间有 {running} 个，没有警告不等于合格"),
            format!("Pod Security looks at no more than {POD_SECURITY_PODS} pods and for 1 s; there are {running}, so silence proves nothing"),
        ));
    }
    items
}

fn storage(seen: &Seen) -> Vec<Item> {
    let text = |object: &Value, pointer: &str| {
        object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut items = Vec::new();
    let deleted: Vec<String> = seen
        .volumes
        .iter()
        .filter(|volume| text(volume, "/spec/persistentVolumeReclaimPolicy") != "Retain")
        .map(|volume| text(volume, "/metadata/name"))
        .collect();
    if !deleted.is_empty() {
        let names = some(&deleted);
        items.push(item(
            When::Known,
            "DeletedVolumes",
            format!("数据卷 {names} 的回收策略不是 Retain：纳管时最先改为 Retain，此前误删其申领即销毁数据"),
            format!("volumes {names} do not have reclaim policy Retain: adoption sets it first of all; until then, deleting their claim destroys the data"),
        ));
    }
    if let Some(classes) = &seen.classes {
        let other: Vec<String> = seen
            .claims
            .iter()
            .filter(|claim| !classes.contains(&text(claim, "/spec/storageClassName")))
            .map(|claim| {
                format!("{} ({})", text(claim, "/metadata/name"), text(claim, "/spec/storageClassName"))
            })
            .collect();
        if !other.is_empty() {
            let (names, offered) = (some(&other), classes.join(", "));
            items.push(item(
                When::Known,
                "OtherClass",
                format!("申领 {names} 的存储类不在本区域提供之列（{offered}）：现有的继续使用，新建的须改用所列存储类，包括 StatefulSet 扩容"),
                format!("claims {names} have a class that the Region does not offer ({offered}): they go on, and new ones, also of a StatefulSet that grows, take an offered class"),
            ));
        }
    }
    items
}

/// Objects of others that stay as they are.
fn others(seen: &Seen) -> Vec<Item> {
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let foreign = |objects: &[Value]| -> Vec<String> {
        let ours = |object: &&Value| object["metadata"]["labels"][keys::APPLICATION_UID].is_string();
        objects.iter().filter(|object| !ours(object)).map(name).collect()
    };
    let kept = [
        (
            &seen.quotas,
            "ResourceQuota",
            "两份配额同时生效，以较小者为准",
            "both quotas hold, and the smaller amount counts",
        ),
        (&seen.limits, "LimitRange", "与区域的限制同时生效", "it holds beside the Region's limits"),
        (
            &seen.policies,
            "NetworkPolicy",
            "纳管后保留；此后新增或放宽须由 operator 按区域规则进行",
            "it stays; afterwards only the operator adds or opens one, as the Region says",
        ),
        (
            &seen.bindings,
            "RoleBinding",
            "纳管后保留，不再由租户增改；请核对其中的人员是否仍应有权",
            "it stays, and nobody adds or changes one afterwards; see whether its people should still have access",
        ),
    ];
    let mut items = Vec::new();
    for (objects, kind, zh, en) in kept {
        let found = foreign(objects);
        if !found.is_empty() {
            let names = some(&found);
            items.push(item(
                When::Known,
                "Foreign",
                format!("已有 {kind}（{names}）：{zh}"),
                format!("there is already {kind} ({names}): {en}"),
            ));
        }
    }
    items
}
