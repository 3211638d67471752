//! The manifests in `docs/gitops.md` and `config/argocd` are accepted by the API server that they are for.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, HENAN};
use e2e::paths::in_repository;
use e2e::suite::Context;
use govcloud_domain::names::tenant_namespace;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use serde_json::Value;

/// Kinds of other projects, whose API servers are not here: read, not sent.
const FOREIGN: [(&str, &str); 3] = [
    ("argoproj.io/v1alpha1", "AppProject"),
    ("argoproj.io/v1alpha1", "Application"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
];

fn page() -> Result<String> {
    Ok(std::fs::read_to_string(in_repository("docs/gitops.md"))?)
}

/// Every YAML document of the page.
fn documents() -> Result<Vec<Value>> {
    let page = page()?;
    let blocks = page.split("```").skip(1).step_by(2).filter_map(|b| b.strip_prefix("yaml\n"));
    let mut all = Vec::new();
    for block in blocks {
        all.extend(serde_saphyr::from_multiple::<Value>(block).with_context(|| block.to_owned())?);
    }
    Ok(all)
}

/// Every project that an Application names is on the page, and lets the Application's source and its kinds pass.
fn projects_are_given(documents: &[Value]) -> Result<()> {
    let of = |kind: &'static str| documents.iter().filter(move |d| d["kind"] == kind);
    let mut applications = 0;
    for application in of("Application") {
        applications += 1;
        let named = |p: &&Value| p["metadata"]["name"] == application["spec"]["project"];
        let project = of("AppProject").find(named).with_context(|| {
            format!("{} names a project that the page does not give", application["metadata"]["name"])
        })?;
        let source = application["spec"]["source"]["repoURL"].as_str().context("no repoURL")?;
        let allowed = project["spec"]["sourceRepos"].as_array().context("no sourceRepos")?;
        let covers = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => source.starts_with(prefix),
            None => source == pattern,
        };
        ensure!(allowed.iter().filter_map(Value::as_str).any(covers), "{source} is not of {project}");
    }
    ensure!(applications >= 4, "{applications} Applications on the page");
    Ok(())
}

pub async fn documented_manifests_are_accepted(context: Context) -> Result<()> {
    fixtures::regions(&context.cluster).await?;
    let namespace = context.filing_namespace("dept-page", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    projects_are_given(&documents()?)?;
    for document in documents()? {
        let (version, kind) = (document["apiVersion"].as_str(), document["kind"].as_str());
        let named = (version.unwrap_or_default(), kind.unwrap_or_default());
        if FOREIGN.contains(&named) {
            *seen.entry("of other projects").or_default() += 1;
            continue;
        }
        // The page's filing namespace stands here under another name.
        let text = document.to_string().replace("\"dept-transport\"", &format!("\"{namespace}\""));
        let who = match named.0 {
            "govcloud.dev/v1alpha1" => department.applicant,
            "rbac.authorization.k8s.io/v1" => Actor::PlatformAdmin,
            _ => anyhow::bail!("nobody applies {named:?}"),
        };
        dry_run(&context, who, &text).await.with_context(|| format!("{named:?}"))?;
        *seen.entry("accepted").or_default() += 1;
    }
    ensure!(seen.get("accepted") >= Some(&3) && seen.get("of other projects") >= Some(&8), "{seen:?}");
    // The one name that the page cannot choose.
    let tenant = tenant_namespace("dept-transport", "travel", "prod");
    let page = page()?;
    let named = page.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let wrong: Vec<_> = named.filter(|w| w.starts_with("dept-transport-travel") && *w != tenant).collect();
    ensure!(wrong.is_empty() && page.contains(&tenant), "the page names {wrong:?}, and it is {tenant}");
    println!("  documents of docs/gitops.md: {seen:?}");
    Ok(())
}

async fn dry_run(context: &Context, who: Actor, text: &str) -> Result<()> {
    let file = tempfile::NamedTempFile::with_suffix(".json")?;
    std::fs::write(file.path(), text)?;
    let path = file.path().display().to_string();
    let args = ["apply", "--server-side", "--dry-run=server", "--field-manager=page", "-f", &path];
    context.cluster.kubectl(who).run(&args).await.map(drop)
}

pub async fn argo_cd_settings_merge(context: Context) -> Result<()> {
    let kubectl = context.cluster.kubectl(Actor::PlatformAdmin);
    kubectl.run(&["create", "namespace", "argocd"]).await?;
    let own = [
        "create",
        "configmap",
        "argocd-cm",
        "-n",
        "argocd",
        "--from-literal=url=https://argocd.henan.example",
    ];
    kubectl.run(&own).await?;
    let path = in_repository("config/argocd").display().to_string();
    let rendered = kubectl.run(&["kustomize", &path]).await?;
    kubectl.apply(&rendered).await?;
    let maps: Api<ConfigMap> = Api::namespaced(context.cluster.client(Actor::Admin).await?, "argocd");
    let data = maps.get("argocd-cm").await?.data.unwrap_or_default();
    let script = in_repository("config/argocd/resource_customizations/govcloud.dev/_/health.lua");
    let script = std::fs::read_to_string(script)?;
    ensure!(data["url"] == "https://argocd.henan.example", "what Argo CD had is gone: {:?}", data.keys());
    let kinds = [
        "Assessment",
        "CloudApplication",
        "ResourceGrant",
        "ChangeRequest",
        "Decommission",
        "ComplianceRecord",
        "Inspection",
        "Region",
        "Statement",
    ];
    for kind in kinds {
        let key = format!("resource.customizations.health.govcloud.dev_{kind}");
        ensure!(data.get(&key) == Some(&script), "{key} is not the script that was tested");
    }
    ensure!(data.len() == kinds.len() + 1, "{:?}", data.keys());
    Ok(())
}
