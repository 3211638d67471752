//! Latency at ease: one approval a second, from its answer to when the namespace can be used, beside a bare watcher
//! that makes the same objects, and one that writes the same record before. All are told by the API server's own clock,
//! from its audit log.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use govcloud::core::names;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bare::{self, Extent, Template};
use super::figures::{Spread, median};
use super::lanes;
use super::recording;
use super::scene::{Filed, PATIENCE, Scene, approval, path};
use crate::audit::{AuditLog, Entries};
use crate::office::Kind;
use crate::personas::{self, OPERATOR};
use crate::wait::eventually;

/// Objects that make a namespace usable: itself, quota, limits, two network policies, one role binding.
const OBJECTS: usize = 6;

/// What was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// The operator's.
    pub operator: Spread,
    /// The bare watcher's, with the objects of the namespace alone.
    pub bare: Spread,
    /// The bare watcher's, with all that the operator writes until then.
    pub same: Spread,
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
    let scene = Scene::open(2).await?;
    scene.operate().await?;
    let board = scene.board(Kind::Application);
    let applications = scene.applications(0, 3 * approvals);
    scene.file(&board, &applications).await?;
    let (operators, others) = applications.split_at(approvals);
    let (bare, same) = others.split_at(approvals);
    let mark = AuditLog::mark();
    at_ease(&scene, operators).await?;
    let entries = usable(&scene, mark, operators).await?;
    let operator = Spread::of(&latencies(&entries, operators)?);
    let story = story(&entries, operators);
    scene.rest().await?;
    let model = &operators[approvals / 2];
    let bare = watched(&scene, Template::of(&entries, model, Extent::Objects)?, bare).await?;
    let same = watched(&scene, Template::of(&entries, model, Extent::Everything)?, same).await?;
    Ok(Latency { operator, bare, same, story })
}

/// The bare watcher's latencies.
async fn watched(scene: &Scene, template: Template, applications: &[Filed]) -> Result<Spread> {
    let own = personas::kubeconfig(scene.cluster.plane.root(), personas::OPERATOR_SERVICE_ACCOUNT);
    let client = personas::client(&own).await?;
    let mut watcher = tokio::spawn(bare::watch(client, template, applications.to_vec()));
    let mark = AuditLog::mark();
    at_ease(scene, applications).await?;
    let entries = tokio::select! {
        entries = usable(scene, mark, applications) => entries?,
        ended = &mut watcher => {
            ended??;
            anyhow::bail!("the bare watcher's watch ended")
        }
    };
    watcher.abort();
    Ok(Spread::of(&latencies(&entries, applications)?))
}

/// One approval a second.
async fn at_ease(scene: &Scene, applications: &[Filed]) -> Result<()> {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    for Filed { namespace, name } in applications {
        seconds.tick().await;
        let path = format!("{}/{name}", path(namespace, Kind::Application));
        lanes::merge(scene.authority.first(), &path, &approval(1)).await?;
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
