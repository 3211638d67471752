//! What cannot be adopted, each with its own sentence, and nothing changed.

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, HENAN, Kind, condition};
use e2e::suite::Context;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::DeleteParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::system::{HOLDER, System, ready_region};

/// A namespace that is in the way by its metadata: what, its change, the reason, and what is said.
type Spoiled = (&'static str, Value, &'static str, &'static str);

fn spoiled() -> Vec<Spoiled> {
    let annotated = |key: &str| json!({"metadata": {"annotations": {key: "portal"}}});
    let labelled = |key: &str| json!({"metadata": {"labels": {key: "portal"}}});
    let owner = json!([{"apiVersion": "v1", "kind": "Namespace", "name": "default"}]);
    vec![
        (
            "helm",
            annotated("meta.helm.sh/release-name"),
            "ForeignOwner",
            "Helm: meta.helm.sh/release-name=portal",
        ),
        (
            "argo",
            annotated("argocd.argoproj.io/tracking-id"),
            "ForeignOwner",
            "Argo CD: argocd.argoproj.io/tracking-id",
        ),
        (
            "flux",
            labelled("kustomize.toolkit.fluxcd.io/name"),
            "ForeignOwner",
            "Flux: kustomize.toolkit.fluxcd.io/name",
        ),
        (
            "capsule",
            labelled("capsule.clastix.io/tenant"),
            "ForeignOwner",
            "Capsule: capsule.clastix.io/tenant",
        ),
        (
            "rancher",
            annotated("field.cattle.io/projectId"),
            "ForeignOwner",
            "Rancher: field.cattle.io/projectId",
        ),
        (
            "owned",
            json!({"metadata": {"ownerReferences": owner}}),
            "ForeignOwner",
            "ownerReferences: Namespace/default",
        ),
        (
            "filing",
            json!({"metadata": {"labels": {"govcloud.dev/filing-region": HENAN}}}),
            "NamespaceReserved",
            "is a filing namespace",
        ),
    ]
}

pub async fn every_refusal_has_its_own_sentence(context: Context) -> Result<()> {
    ready_region(&context.cluster).await?;
    let filing = context.filing_namespace("dept-refused", HENAN).await?;
    let department = Department::open(&context.cluster, &filing, HENAN).await?;
    let namespaces: Api<Namespace> = Api::all(context.cluster.client(Actor::Admin).await?);
    let default = namespaces.get("default").await?.uid();
    for (what, mut change, reason, words) in spoiled() {
        let system = given(&context, &department, what).await?;
        department.judged(Kind::Application, what, "Valid").await?;
        if what == "owned" {
            // An owner that exists, or the garbage collector would take the namespace away.
            change["metadata"]["ownerReferences"][0]["uid"] = json!(default);
        }
        system.change(change).await?;
        told(&department, what, reason, words).await?;
        unmarked(&context, &system).await?;
    }
    of_the_request(&context, &department).await?;
    of_others(&context, &department).await
}

/// A namespace, an application that asks for it, and the holder's word.
async fn given(context: &Context, department: &Department, name: &str) -> Result<System> {
    let system = System::empty(context, &format!("portal-{name}")).await?;
    let filed = department.file(&system.application(department, name)?).await?;
    system.release_as(HOLDER, &filed.uid().unwrap_or_default()).await?;
    Ok(system)
}

/// The application is not valid, for this reason, and says so.
async fn told(department: &Department, name: &str, reason: &str, words: &str) -> Result<()> {
    let judged = department.judged(Kind::Application, name, reason).await?;
    let said = condition(&judged.data["status"], "Valid")["message"].to_string();
    ensure!(said.contains(words), "{name}: {said}");
    Ok(())
}

async fn unmarked(context: &Context, system: &System) -> Result<()> {
    let namespaces: Api<Namespace> = Api::all(context.cluster.client(Actor::Admin).await?);
    let labels = namespaces.get(&system.name).await?.metadata.labels.unwrap_or_default();
    ensure!(!labels.contains_key("govcloud.dev/application-uid"), "{}: {labels:?}", system.name);
    Ok(())
}

/// Another UID, no such namespace, a reserved one, and less than is used.
async fn of_the_request(context: &Context, department: &Department) -> Result<()> {
    type Change = fn(&mut Value);
    let system = System::start(context, "portal-asked").await?;
    let spoil: [(&str, Change, &str, &str); 4] = [
        (
            "renamed",
            |n| n["existing"]["uid"] = json!("11111111-2222-3333-4444-555555555555"),
            "ExistingReplaced",
            "not 11111111-2222-3333-4444-555555555555 as asked for",
        ),
        ("nowhere", |n| n["existing"]["name"] = json!("portal-nowhere"), "ExistingMissing", "does not exist"),
        (
            "system",
            |n| n["existing"]["name"] = json!("kube-system"),
            "NamespaceReserved",
            "kube-system is reserved",
        ),
        (
            "small",
            |n| n["quota"]["requests.storage"] = json!("5Gi"),
            "BelowUse",
            "requests.storage: 5Gi < 10Gi",
        ),
    ];
    for (name, change, reason, words) in spoil {
        let mut manifest = system.application(department, name)?;
        change(&mut manifest["spec"]["namespaces"][0]);
        let filed = department.file(&manifest).await?;
        if name == "small" {
            system.release_as(HOLDER, &filed.uid().unwrap_or_default()).await?;
        }
        told(department, name, reason, words).await?;
    }
    // What is taken away makes room for what is asked.
    let manifest = system.application(department, "small")?;
    let namespaces = json!({"spec": {"namespaces": manifest["spec"]["namespaces"]}});
    department.amend(Kind::Application, "small", namespaces).await?;
    department.judged(Kind::Application, "small", "Valid").await.map(drop)
}

/// Another department asks for what was given to this one; a tenant's; and one that is being deleted.
async fn of_others(context: &Context, department: &Department) -> Result<()> {
    let system = given(context, department, "mine").await?;
    department.judged(Kind::Application, "mine", "Valid").await?;
    let filing = context.filing_namespace("dept-greedy", HENAN).await?;
    let greedy = Department::open(&context.cluster, &filing, HENAN).await?;
    greedy.file(&system.application(&greedy, "theirs")?).await?;
    told(&greedy, "theirs", "NotReleased", "not to this application").await?;

    let tenant = department.provision(department.application("tenant")?).await?;
    let (name, uid) = Department::tenant(&tenant, "prod")?;
    let mut manifest = greedy.application("taking")?;
    manifest["spec"]["namespaces"][0]["existing"] = json!({"name": name, "uid": uid});
    greedy.file(&manifest).await?;
    told(&greedy, "taking", "NamespaceTaken", "is another application's").await?;

    system.change(json!({"metadata": {"finalizers": ["example.org/keep"]}})).await?;
    let namespaces: Api<Namespace> = Api::all(context.cluster.client(Actor::Admin).await?);
    namespaces.delete(&system.name, &DeleteParams::default()).await?;
    told(department, "mine", "NamespaceTerminating", "is being deleted").await?;
    system.change(json!({"metadata": {"finalizers": null}})).await
}
