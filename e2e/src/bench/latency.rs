//! Latency at ease: one approval a second, from its answer to when the namespace can be used, beside a bare watcher
//! that writes the same, and one that makes the objects of the namespace alone. All are told by the API server's own clock,
//! from its audit log.
//!
//! The operator has a control plane, and the watchers one beside it. They take turns within each second, so that all three
//! meet the machine as it is then: between two runs it differs by more than they do.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use govcloud_domain::names;
use jiff::Timestamp;
use kube::Client;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::bare::{self, Extent, Template};
use super::figures::{Differences, Spread, median};
use super::lanes;
use super::recording;
use super::scene::{Filed, PATIENCE, Scene, approval, path};
use crate::audit::{AuditLog, Entries};
use crate::office::Kind;
use crate::personas::{self, OPERATOR};
use crate::wait::eventually;

/// Objects that make a namespace usable: itself, quota, limits, two network policies, one role binding.
const OBJECTS: usize = 6;

/// Approvals before the measured ones, the last of which is what the watchers send again.
const MODELS: usize = 5;

/// Who serves approvals in the same second, one after the other.
const TURNS: u32 = 3;

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// The operator's.
    pub operator: Spread,
    /// The bare watcher's, with the objects of the namespace alone.
    pub bare: Spread,
    /// The bare watcher's, with all that the operator writes until then.
    pub same: Spread,
    /// By how much the operator was later than [`Latency::same`] in the same second.
    pub later: Differences,
    /// What the operator asked of the API server meanwhile, and when.
    #[serde(default)]
    pub story: Vec<Asked>,
}

/// The requests of one verb and resource for one application. Medians, in milliseconds from the approval's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// Verb and resource.
    pub line: String,
    /// How many for each application.
    pub each: f64,
    /// When the first arrived.
    pub from: f64,
    /// When the last was answered.
    pub to: f64,
}

/// Measures so many approvals of each.
pub async fn measure(approvals: usize) -> Result<Latency> {
    let (scene, beside) = (Scene::open(2).await?, Scene::open(2).await?);
    let operators = filed(&scene, MODELS + approvals).await?;
    let watched = filed(&beside, 2 * approvals).await?;
    beside.rest().await?;
    let (models, operators) = operators.split_at(MODELS);
    let (same, bare) = watched.split_at(approvals);

    let mark = AuditLog::mark();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for model in models {
        seconds.tick().await;
        approve(&scene, model).await?;
    }
    let entries = usable(&scene, mark, models).await?;
    let model = &models[MODELS - 1];
    let mut watchers = JoinSet::new();
    for (extent, applications) in [(Extent::Everything, same), (Extent::Objects, bare)] {
        let template = Template::of(&entries, model, extent)?;
        watchers.spawn(bare::watch(client_of_operator(&beside).await?, template, applications.to_vec()));
    }

    let mark = AuditLog::mark();
    let measured = async {
        in_turns(&scene, operators, &beside, same, bare).await?;
        anyhow::Ok((usable(&scene, mark, operators).await?, usable(&beside, mark, &watched).await?))
    };
    let (entries, others) = tokio::select! {
        measured = measured => measured?,
        Some(ended) = watchers.join_next() => {
            ended??;
            bail!("a bare watcher's watch ended")
        }
    };
    let operator = latencies(&entries, operators)?;
    let (same, bare) = (latencies(&others, same)?, latencies(&others, bare)?);
    Ok(Latency {
        operator: Spread::of(&operator),
        bare: Spread::of(&bare),
        same: Spread::of(&same),
        later: Differences::of(&operator, &same),
        story: story(&entries, operators),
    })
}

/// Files applications with the operator, which finds them valid.
async fn filed(scene: &Scene, count: usize) -> Result<Vec<Filed>> {
    scene.operate().await?;
    let applications = scene.applications(0, count);
    scene.file(&scene.board(Kind::Application), &applications).await?;
    Ok(applications)
}

/// A client with the operator's rights.
async fn client_of_operator(scene: &Scene) -> Result<Client> {
    let own = personas::kubeconfig(scene.cluster.plane.root(), personas::OPERATOR_SERVICE_ACCOUNT);
    personas::client(&own).await
}

async fn approve(scene: &Scene, Filed { namespace, name }: &Filed) -> Result<()> {
    let path = format!("{}/{name}", path(namespace, Kind::Application));
    lanes::merge(scene.authority.first(), &path, &approval(1)).await.map(drop)
}

/// One approval a second of each, a third of a second apart.
async fn in_turns(
    scene: &Scene,
    operators: &[Filed],
    beside: &Scene,
    same: &[Filed],
    bare: &[Filed],
) -> Result<()> {
    let mut turns = tokio::time::interval(Duration::from_secs(1) / TURNS);
    for ((operators, same), bare) in operators.iter().zip(same).zip(bare) {
        for (scene, filed) in [(scene, operators), (beside, same), (beside, bare)] {
            turns.tick().await;
            approve(scene, filed).await?;
        }
    }
    Ok(())
}

/// The audit entries since a mark, once every namespace is usable.
async fn usable(scene: &Scene, mark: Timestamp, applications: &[Filed]) -> Result<Entries> {
    let look = || async {
        let entries = scene.cluster.audit().read()?.since(mark);
        latencies(&entries, applications)?;
        Ok(Some(entries))
    };
    eventually("every namespace is usable", PATIENCE, look).await
}

/// What the operator asked for each application, from its approval to the last object of its namespace.
fn story(entries: &Entries, applications: &[Filed]) -> Vec<Asked> {
    /// Of one line: when the first of each application arrived, when the last was answered; and how many there were.
    type Times = (Vec<f64>, Vec<f64>, usize);
    let mut lines: BTreeMap<String, Times> = BTreeMap::new();
    for filed in applications {
        let own = bare::of_operator(entries, filed);
        let approval = entries.iter().find(|e| bare::is_approval(e, filed));
        let last = own.iter().filter(|e| bare::is_object(e, filed)).map(|e| e.stage_timestamp).max();
        let (Some(approval), Some(last)) = (approval, last) else { continue };
        let ms = |at: Timestamp| at.duration_since(approval.stage_timestamp).as_secs_f64() * 1000.0;
        // What the approval's watchers ask may arrive before its own answer has left.
        let meanwhile = approval.request_received_timestamp..last;
        let mut of_this: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for e in own.iter().filter(|e| meanwhile.contains(&e.request_received_timestamp)) {
            let line = recording::line(e);
            lines.entry(line.clone()).or_default().2 += 1;
            let times = of_this.entry(line).or_insert((f64::MAX, 0.0));
            times.0 = times.0.min(ms(e.request_received_timestamp));
            times.1 = times.1.max(ms(e.stage_timestamp));
        }
        for (line, (from, to)) in of_this {
            let times = lines.entry(line).or_default();
            times.0.push(from);
            times.1.push(to);
        }
    }
    let asked = |(line, (from, to, count)): (String, Times)| Asked {
        line,
        each: count as f64 / applications.len() as f64,
        from: median(&from),
        to: median(&to),
    };
    let mut story: Vec<Asked> = lines.into_iter().map(asked).collect();
    story.sort_by(|a, b| a.from.total_cmp(&b.from));
    story
}

/// From each approval's answer to the answer to the last object of its namespace.
fn latencies(entries: &Entries, applications: &[Filed]) -> Result<Vec<Duration>> {
    let mut approved: HashMap<(String, String), Timestamp> = HashMap::new();
    let mut made: HashMap<String, Vec<Timestamp>> = HashMap::new();
    for entry in entries.iter().filter(|e| e.is_write() && (200..300).contains(&e.code())) {
        let Some(object) = &entry.object_ref else { continue };
        let tenant = match object.resource.as_str() {
            "cloudapplications" if object.subresource.is_empty() => {
                let at = entry.stage_timestamp;
                approved.insert((object.namespace.clone(), object.name.clone()), at);
                continue;
            }
            _ if entry.user.username != OPERATOR => continue,
            "namespaces" => entry.request_object.as_ref().and_then(|o| o["metadata"]["name"].as_str()),
            "resourcequotas" | "limitranges" | "networkpolicies" | "rolebindings" => {
                Some(object.namespace.as_str())
            }
            _ => None,
        };
        if let Some(tenant) = tenant {
            made.entry(tenant.to_owned()).or_default().push(entry.stage_timestamp);
        }
    }
    let latency = |f: &Filed| {
        let from = approved.get(&(f.namespace.clone(), f.name.clone())).context("not approved")?;
        let tenant = names::tenant_namespace(&f.namespace, &f.name, "prod");
        let made = made.get(&tenant).map_or(&[][..], Vec::as_slice);
        ensure!(made.len() >= OBJECTS, "{tenant} has {} objects", made.len());
        let last = made.iter().max().context("none")?;
        Ok(Duration::try_from(last.duration_since(*from)).unwrap_or_default())
    };
    applications.iter().map(latency).collect()
}
