//! A city's region: its own authority decides, and data is handed over before anything goes (Art. 28, 30).

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, Kind, PATIENCE, ZHENGZHOU, refusal};
use e2e::suite::Context;
use e2e::volumes;
use e2e::wait::until_gone;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, ResourceQuota};
use k8s_openapi::api::rbac::v1::{RoleBinding, RoleRef};
use kube::api::DynamicObject;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

pub async fn city_authority_decides_its_own_lifecycle(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    fixtures::regions(cluster).await?;
    let namespace = context.filing_namespace("dept-health", ZHENGZHOU).await?;
    let department = Department::open(cluster, &namespace, ZHENGZHOU).await?;
    let mut manifest = department.application("clinic")?;
    let prod = manifest["spec"]["namespaces"][0].clone();
    let mut test = prod.clone();
    test["name"] = json!("test");
    manifest["spec"]["namespaces"] = json!([prod, test]);
    department.file(&manifest).await?;
    the_province_cannot_decide(&department).await?;
    department.approve(Kind::Application, "clinic").await?;
    let clinic = department.phase(Kind::Application, "clinic", "Provisioned").await?;
    ensure!(clinic.data["status"]["decision"]["by"] == Actor::Authority410100.user(), "{clinic:?}");
    let (prod, prod_uid) = Department::tenant(&clinic, "prod")?;
    let (test, test_uid) = Department::tenant(&clinic, "test")?;
    context.dump_on_failure(&prod);
    let handed = department.fill(&prod, "patients", "病历").await?;
    let destroyed = department.fill(&test, "scratch", "试验").await?;

    let disposition = json!({
        "default": "Destroy", "volumes": [{"namespace": "prod", "claim": "patients", "action": "HandOver"}],
    });
    let mut exit = department.exit("clinic-exit", "clinic", disposition)?;
    exit["spec"]["reason"] = json!("ContractEnded");
    department.leave(exit).await?;

    // Quiesced where nothing is handed over; where something is, it can be copied out, and nothing new comes in.
    department
        .until(Kind::Exit, "clinic-exit", "awaits the receipt", |s| s["waitingFor"] == "HandOverReceipt")
        .await?;
    until_restriction(&department, &test, ("0", "0", "govcloud-tenant-view")).await?;
    until_restriction(&department, &prod, ("0", "50", "govcloud-tenant-edit")).await?;
    let directories = (volumes::directory(&handed)?, volumes::directory(&destroyed)?);
    ensure!(directories.0.exists() && directories.1.exists(), "data went before it was handed over");
    let copied = std::fs::read_to_string(directories.0.join("record"))?;
    ensure!(copied == "病历", "{copied}");

    send_receipt(&department, &handed).await?;
    let done = department.phase(Kind::Exit, "clinic-exit", "Completed").await?;
    department.phase(Kind::Application, "clinic", "Exited").await?;
    let events = events_in_order(&done)?;
    let fates = (fate(&done, &handed), fate(&done, &destroyed));
    ensure!(fates.0 == "HandedOver" && fates.1 == "Destroyed", "{done:?}");
    ensure!(!directories.0.exists() && !directories.1.exists(), "directories are still there");
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    until_gone(namespaces.clone(), &prod, Some(&prod_uid), PATIENCE).await?;
    until_gone(namespaces, &test, Some(&test_uid), PATIENCE).await?;
    println!("life: a city's system exited with {events} events, one volume handed over, one destroyed");
    Ok(())
}

/// The department's receipt for a volume counts, the provider's does not.
async fn send_receipt(department: &Department, handed: &PersistentVolume) -> Result<()> {
    let uid = handed.uid().context("no UID")?;
    let receipt = json!({"spec": {"handOver": [{
        "volumeUID": uid, "receivedBy": "市卫健委 李工", "uri": "https://oa.example/receipt.pdf",
        "sha256": "9deb65b8788f41ff94a217842017db2f843954fc0eb46110835903908e5a265f",
    }]}});
    let forged = department.amend_as(Actor::Provider, Kind::Exit, "clinic-exit", receipt.clone()).await;
    refusal(forged).context("a receipt by the provider")?;
    department.amend(Kind::Exit, "clinic-exit", receipt).await.map(drop)
}

/// Approved, then handed over, and only then reclaimed. Returns the number of events.
fn events_in_order(exit: &DynamicObject) -> Result<usize> {
    let timeline = exit.data["status"]["timeline"].as_array().into_iter().flatten();
    let events: Vec<&str> = timeline.filter_map(|t| t["event"].as_str()).collect();
    let at = |event: &str| {
        events.iter().position(|e| *e == event).with_context(|| format!("no {event} in {events:?}"))
    };
    ensure!(at("Approved")? < at("HandedOver")? && at("HandedOver")? < at("Reclaiming")?, "{events:?}");
    Ok(events.len())
}

/// Outcome of a volume by the certificate.
fn fate(exit: &DynamicObject, volume: &PersistentVolume) -> Value {
    let mut volumes = exit.data["status"]["certificate"]["volumes"].as_array().into_iter().flatten();
    let uid = volume.uid();
    volumes
        .find(|v| v["volumeUID"].as_str() == uid.as_deref())
        .map(|v| v["outcome"].clone())
        .unwrap_or_default()
}

/// The province's authority holds the verb on its own code only.
async fn the_province_cannot_decide(department: &Department) -> Result<()> {
    let clinic = department.judged(Kind::Application, "clinic", "Valid").await?;
    let annotations = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved",
        "govcloud.dev/reviewed-generation": clinic.metadata.generation.unwrap_or_default().to_string(),
    }}});
    let outcome = department.amend_as(Actor::Authority410000, Kind::Application, "clinic", annotations).await;
    refusal(outcome).map(drop)
}

/// Restriction of a tenant namespace: its quota of claims and of pods, and the department's role.
async fn restriction(department: &Department, namespace: &str) -> Result<(String, String, String)> {
    let admin = department.admin().await?;
    let quota = Api::<ResourceQuota>::namespaced(admin.clone(), namespace).get("govcloud").await?;
    let hard = serde_json::to_value(quota)?["spec"]["hard"].clone();
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let bindings = Api::<RoleBinding>::namespaced(admin, namespace).list(&Default::default()).await?;
    let roles: Vec<String> = bindings
        .iter()
        .map(|b| {
            let RoleRef { name, .. } = &b.role_ref;
            name.clone()
        })
        .collect();
    Ok((text(&hard["persistentvolumeclaims"]), text(&hard["pods"]), roles.join(",")))
}

async fn until_restriction(
    department: &Department,
    namespace: &str,
    expected: (&str, &str, &str),
) -> Result<()> {
    let met = || async {
        let is = restriction(department, namespace).await?;
        ensure!((is.0.as_str(), is.1.as_str(), is.2.as_str()) == expected, "{is:?}");
        Ok(Some(()))
    };
    e2e::wait::eventually(&format!("{namespace} at {expected:?}"), PATIENCE, met).await
}
