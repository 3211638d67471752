//! A system that runs already moves in (Art. 3): its namespace is adopted on three words, with no Pod disturbed, its volumes
//! kept, and nothing of others touched; and it leaves with its data.

#[path = "adoption/refusals.rs"]
mod refusals;
#[path = "adoption/system.rs"]
mod system;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Setup;
use e2e::fixtures::{Department, HENAN, Kind, PATIENCE, condition, refusal};
use e2e::plugin::govcloud;
use e2e::suite::{self, Context, Pace};
use e2e::wait::until;
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use refusals::every_refusal_has_its_own_sentence;
use system::{HOLDER, System, ready_region};

fn main() -> ExitCode {
    let tests = e2e::tests![
        a_running_system_is_adopted_and_leaves_with_its_data,
        every_refusal_has_its_own_sentence,
    ];
    suite::run_at(Setup::Operating, tests, Pace { parallel: 2, patience: Duration::from_secs(420) })
}

async fn a_running_system_is_adopted_and_leaves_with_its_data(context: Context) -> Result<()> {
    ready_region(&context.cluster).await?;
    let filing = context.filing_namespace("dept-portal", HENAN).await?;
    let department = Department::open(&context.cluster, &filing, HENAN).await?;
    let system = System::start(&context, "legacy-portal").await?;
    let before = system.pods().await?;

    let filed = department.file(&system.application(&department, "portal")?).await?;
    let uid = filed.uid().context("no UID")?;
    checked(&context, &system, &uid, 1, "has not given it to this application").await?;
    the_holder_gives_it(&department, &system, &uid).await?;
    checked(&context, &system, &uid, 0, "Nothing stands in the way").await?;
    ensure!(
        !system.labels().await?.contains_key("govcloud.dev/application-uid"),
        "marked before the approval"
    );
    let application = the_authority_approves(&department, &system).await?;
    ensure!(Department::tenant(&application, "prod")? == (system.name.clone(), system.uid.clone()));
    ensure!(application.data["status"]["namespaces"][0]["origin"] == "Adopted");
    system.assert_marked(&uid).await?;

    system.observed(&department, "portal").await?;
    ensure!(system.pods().await? == before, "a Pod was disturbed by the marks, the limits or the quota");
    system.a_pod_comes_back().await?;
    let before = system.pods().await?;
    enforced(&department, &system).await?;
    ensure!(system.pods().await? == before, "a Pod was disturbed by the rules");
    leaves(&department, &system).await
}

/// `kubectl govcloud adopt --check`: it reads, and changes nothing.
async fn checked(context: &Context, system: &System, uid: &str, code: i32, says: &str) -> Result<()> {
    let before = system.version().await?;
    let admin = context.cluster.kubectl(Actor::PlatformAdmin);
    let line = format!("adopt --check {} --region {HENAN} --application {uid}", system.name);
    let shown = govcloud(&admin, &line).await?.expect(code, &[says, "requests.storage", "Pod"])?;
    ensure!(shown.out.contains("do not have reclaim policy Retain"), "{}", shown.out);
    let data = govcloud(&admin, &format!("{line} -o json")).await?.expect(code, &[])?;
    let data: Value = serde_json::from_str(&data.out)?;
    ensure!(data["use"]["persistentvolumeclaims"] == "2" && data["use"]["pods"] == "3", "{data}");
    let known =
        |reason: &str| data["items"].as_array().is_some_and(|i| i.iter().any(|i| i["reason"] == reason));
    for reason in ["NoRequests", "PodSecurity", "DeletedVolumes", "OtherClass", "Foreign"] {
        ensure!(known(reason), "{reason} is not in {data}");
    }
    ensure!(system.version().await? == before, "the check changed the namespace");
    Ok(())
}

/// Without the holder's word nothing is approved; and nobody else gives it.
async fn the_holder_gives_it(department: &Department, system: &System, uid: &str) -> Result<()> {
    let judged = department.judged(Kind::Application, "portal", "NotReleased").await?;
    let said = condition(&judged.data["status"], "Valid")["message"].to_string();
    ensure!(said.contains(&format!("govcloud.dev/adopt-out={uid}")), "{said}");
    let early = approve(department, judged.metadata.generation, Some(&system.uid)).await;
    let said = refusal(early)?;
    ensure!(said.contains("condition Valid is not True") && said.contains("NotReleased"), "{said}");
    for (who, words) in [
        (Actor::PlatformAdmin, "wildcard rights do not count"),
        (department.authority, "you lack verb adopt-out"),
    ] {
        let said = refusal(system.release_as(who, uid).await)?;
        ensure!(said.contains(words), "{who:?}: {said}");
    }
    system.release_as(HOLDER, uid).await?;
    department.judged(Kind::Application, "portal", "Valid").await.map(drop)
}

async fn approve(
    department: &Department,
    generation: Option<i64>,
    adopt: Option<&str>,
) -> Result<DynamicObject> {
    let mut annotations = json!({
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": "同意纳管",
        "govcloud.dev/reviewed-generation": generation.unwrap_or_default().to_string(),
    });
    if let Some(uids) = adopt {
        annotations["govcloud.dev/adopt"] = json!(uids);
    }
    let patch = json!({"metadata": {"annotations": annotations}});
    department.amend_as(department.authority, Kind::Application, "portal", patch).await
}

/// An approval names exactly the namespace.
async fn the_authority_approves(department: &Department, system: &System) -> Result<DynamicObject> {
    let generation = department.get(Kind::Application, "portal").await?.metadata.generation;
    let other = "11111111-2222-3333-4444-555555555555";
    for (named, words) in [
        (None, format!("add govcloud.dev/adopt={}", system.uid)),
        (Some(other.to_owned()), "does not ask to adopt".to_owned()),
        (Some(format!("{},{other}", system.uid)), "does not ask to adopt".to_owned()),
    ] {
        let said = refusal(approve(department, generation, named.as_deref()).await)?;
        ensure!(said.contains(&words), "{named:?}: {said}");
    }
    approve(department, generation, Some(&system.uid)).await?;
    department.phase(Kind::Application, "portal", "Provisioned").await
}

/// The rules come facet by facet on the department's word, and the network last.
async fn enforced(department: &Department, system: &System) -> Result<()> {
    for facet in ["PodSecurity", "Workloads", "Network"] {
        department.amend(Kind::Application, "portal", json!({"spec": {"enforce": facet}})).await?;
        let reached = |s: &Value| s["adoption"]["enforced"] == facet;
        department.until(Kind::Application, "portal", &format!("enforces {facet}"), reached).await?;
        let closed = system.names("networkpolicies").await?.iter().any(|n| n == "govcloud-default-deny");
        ensure!(closed == (facet == "Network"), "{facet}: closed is {closed}");
        let level = system.labels().await?.get("pod-security.kubernetes.io/enforce").cloned();
        ensure!(level.as_deref() == Some("restricted"), "{facet}: {level:?}");
    }
    let back =
        department.amend(Kind::Application, "portal", json!({"spec": {"enforce": "PodSecurity"}})).await;
    let said = refusal(back)?;
    ensure!(said.contains("enforce only moves on"), "{said}");
    let application = department.get(Kind::Application, "portal").await?;
    ensure!(
        application.data["status"]["adoption"]["differences"].is_null(),
        "{}",
        application.data["status"]
    );
    Ok(())
}

/// The exit destroys nothing by default; what it leaves behind is retained.
async fn leaves(department: &Department, system: &System) -> Result<()> {
    let manifest = department.exit("portal-exit", "portal", json!({"default": "Destroy"}))?;
    department.file(&manifest).await?;
    let exit = department.phase(Kind::Exit, "portal-exit", "AwaitingConsent").await?;
    let rows = exit.data["status"]["inventory"]["entries"].as_array().context("no inventory")?;
    ensure!(rows.len() == 2 && rows.iter().all(|row| row["action"] == "Retain"), "{rows:?}");
    let warned = condition(&exit.data["status"], "InventoryWarning");
    ensure!(warned["message"].as_str().is_some_and(|m| m.contains("was adopted")), "{warned}");
    department.consent("portal-exit").await?;
    department.approve(Kind::Exit, "portal-exit").await?;
    department.phase(Kind::Exit, "portal-exit", "Completed").await?;
    let released =
        |v: &PersistentVolume| v.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Released");
    for volume in &system.volumes {
        until(department.volumes().await?, volume, "is kept", PATIENCE, released).await?;
    }
    system.assert_bytes(department).await?;
    let application = department.phase(Kind::Application, "portal", "Exited").await?;
    ensure!(application.data["status"]["namespaces"][0]["origin"] == "Adopted");
    Ok(())
}
