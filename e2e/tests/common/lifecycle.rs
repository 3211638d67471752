//! One whole life: applied for, provisioned, enlarged, evaluated, inspected, and decommissioned at contract end with one volume
//! destroyed, one retained and one handed over. Its outcome can be compared with that of a life that was disturbed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::{AuditLog, Entry};
use e2e::fixtures::{Department, HENAN, Kind, sample};
use e2e::suite::Context;
use e2e::wait::until_gone;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume};
use kube::api::PostParams;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::end_state::{LIFE, end_state, ensure_equal};

/// Outcome of a life.
#[derive(Debug)]
pub struct Outcome {
    /// End state, comparable with another life's.
    pub end_state: String,
    /// Destructive requests that succeeded, by verb, resource and object, with their number.
    pub destroyed: BTreeMap<String, usize>,
    /// Objects created, by a POST or, after a kill between two objects, by a server-side apply; likewise.
    pub created: BTreeMap<String, usize>,
}

/// Runs a life in a filing namespace that exists; each of its steps may take `patience`.
pub async fn run(context: &Context, namespace: &str, patience: Duration) -> Result<Outcome> {
    let began = AuditLog::mark();
    let mut department = Department::open(&context.cluster, namespace, HENAN).await?;
    department.patience = patience;
    let application = department.provision(department.application("travel")?).await?;
    let (tenant, tenant_uid) = Department::tenant(&application, "prod")?;
    context.dump_on_failure(&tenant);
    let mut held = Vec::new();
    for (claim, content) in [("data", "销毁"), ("archive", "保留"), ("letters", "移交")] {
        held.push(department.fill(&tenant, claim, content).await?);
    }
    department.go_live("travel").await?;
    department.enlarge("travel-enlarge", "travel").await?;
    papers(&department).await?;
    let disposition = json!({"default": "Retain", "volumes": [
        {"namespace": "prod", "claim": "data", "action": "Destroy"},
        {"namespace": "prod", "claim": "letters", "action": "HandOver"},
    ]});
    let mut exit = department.exit("travel-exit", "travel", disposition)?;
    exit["spec"]["reason"] = json!("ContractEnded");
    department.leave(exit).await?;
    let awaited = |s: &serde_json::Value| s["waitingFor"] == "HandOverReceipt";
    department.until(Kind::Exit, "travel-exit", "awaits the receipt", awaited).await?;
    // The consequences of an approval come in any order; so that two lives can be compared, the receipt comes after it.
    let restricted = |s: &serde_json::Value| s["restriction"] == "HandingOver";
    department.until(Kind::Grant, "travel", "is restricted", restricted).await?;
    let receipt = json!({"spec": {"handOver": [{
        "volumeUID": held[2].uid(), "receivedBy": "张工", "uri": "https://oa.example/receipt.pdf",
        "sha256": "9deb65b8788f41ff94a217842017db2f843954fc0eb46110835903908e5a265f",
    }]}});
    department.amend(Kind::Exit, "travel-exit", receipt).await?;
    department.phase(Kind::Exit, "travel-exit", "Completed").await?;
    department.phase(Kind::Application, "travel", "Exited").await?;
    department.phase(Kind::Grant, "travel", "Released").await?;
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    until_gone(namespaces, &tenant, Some(&tenant_uid), patience).await?;
    // The last write of this life: it would fall into the next.
    department.unmarked().await?;
    let end_state = settled(&department, &tenant, &held).await?;
    let admin = context.cluster.client(Actor::Admin).await?;
    let log = context.cluster.audit().settled(&admin).await?.since(began).by_user(OPERATOR).writes();
    let (mut destroyed, mut created) = (BTreeMap::new(), BTreeMap::new());
    for entry in log.iter().filter(|e| (200..300).contains(&e.code())) {
        let Some(line) = object(entry, &tenant, namespace, &held) else { continue };
        if entry.destroys() {
            entry.ensure_preconditions()?;
            *destroyed.entry(format!("{} {line}", entry.verb)).or_default() += 1;
        } else if entry.code() == 201 {
            *created.entry(line).or_default() += 1;
        }
    }
    let twice: Vec<_> = destroyed.iter().chain(&created).filter(|(_, n)| **n != 1).collect();
    ensure!(twice.is_empty(), "more than once: {twice:?}");
    ensure!(
        destroyed.len() >= 4 && created.len() >= 6,
        "too little was seen: {destroyed:?} {}",
        created.len()
    );
    Ok(Outcome { end_state, destroyed, created })
}

/// The records of [`papers`].
const PAPERS: [(Kind, &str); 2] =
    [(Kind::Compliance, "travel-mlps"), (Kind::Inspection, "travel-inspection")];

/// A document of the department, and an inspection from its findings to its end (Art. 22, 25).
async fn papers(department: &Department) -> Result<()> {
    department.file(&sample("travel-mlps.yaml")?).await?;
    department.phase(Kind::Compliance, "travel-mlps", "Recorded").await?;
    let officer = department.second_officer(Kind::Inspection).await?;
    let findings = serde_json::from_value(sample("travel-inspection.yaml")?)?;
    officer.create(&PostParams::default(), &findings).await?;
    let name = "travel-inspection";
    department.phase(Kind::Inspection, name, "Rectifying").await?;
    let answer = |finding: &str| json!({"finding": finding, "number": 1, "text": "已整改到位"});
    let answers = json!({"spec": {"responses": [answer("1"), answer("2")]}});
    department.amend(Kind::Inspection, name, answers).await?;
    department.phase(Kind::Inspection, name, "AwaitingDecision").await?;
    department.approve(Kind::Inspection, name).await?;
    department.phase(Kind::Inspection, name, "Closed").await.map(drop)
}

/// End state, once two reads of it in a row are equal.
async fn settled(department: &Department, tenant: &str, held: &[PersistentVolume]) -> Result<String> {
    let records = [&LIFE[..], &PAPERS[..]].concat();
    let read = || async {
        let first = end_state(department, tenant, held, &records).await?;
        let second = end_state(department, tenant, held, &records).await?;
        Ok((first == second).then_some(second))
    };
    e2e::wait::eventually("the end state is settled", department.patience, read).await
}

/// Fails unless two lives have the same end state, and created and destroyed the same.
pub fn ensure_same(name: &str, undisturbed: &Outcome, disturbed: &Outcome) -> Result<()> {
    let (destroyed, created) = (&undisturbed.destroyed, &undisturbed.created);
    ensure!(
        *destroyed == disturbed.destroyed,
        "{name} destroyed {:?}, undisturbed {destroyed:?}",
        disturbed.destroyed
    );
    ensure!(*created == disturbed.created, "{name} created {:?}, undisturbed {created:?}", disturbed.created);
    ensure_equal(name, &undisturbed.end_state, &disturbed.end_state)
}

/// Object of a request, named alike in every life; `None` if it belongs to another life.
fn object(entry: &Entry, tenant: &str, department: &str, held: &[PersistentVolume]) -> Option<String> {
    let object = entry.object_ref.clone()?;
    let named =
        entry.response_object.as_ref().and_then(|o| o["metadata"]["name"].as_str()).unwrap_or_default();
    let name = if object.name.is_empty() { named.to_owned() } else { object.name.clone() };
    let claim = |v: &PersistentVolume| v.spec.as_ref()?.claim_ref.as_ref()?.name.clone();
    let own_volume = held.iter().find(|v| v.name_any() == name).and_then(claim);
    let (place, name) = match object.resource.as_str() {
        "persistentvolumes" => ("", format!("of {}", own_volume?)),
        "namespaces" if name == tenant => ("", "TENANT".to_owned()),
        // Events are in the end state, each by its record, reason and note.
        "events" => return None,
        _ if object.namespace == department => ("FILING_NAMESPACE", name),
        _ if object.namespace == tenant => ("TENANT", name),
        _ => return None,
    };
    Some(format!("{} {place} {name}", object.resource))
}
