//! Latency at ease: one approval a second, from its answer to when the namespace can be used, beside a bare watcher
//! that makes the same objects. Both are told by the API server's own clock, from its audit log.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt;
use futures::future::try_join_all;
use govcloud::core::names;
use jiff::Timestamp;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::figures::Spread;
use super::lanes;
use super::scene::{Filed, PATIENCE, Scene, approval, path};
use crate::audit::{AuditLog, Entries};
use crate::office::Kind;
use crate::personas::{self, OPERATOR};
use crate::wait::eventually;

/// Objects that make a namespace usable: itself, quota, limits, two network policies, one role binding.
const OBJECTS: usize = 6;

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// The operator's.
    pub operator: Spread,
    /// The bare watcher's.
    pub bare: Spread,
}

/// Measures so many approvals of each.
pub async fn measure(approvals: usize) -> Result<Latency> {
    let scene = Scene::open(2).await?;
    scene.operate().await?;
    let board = scene.board(Kind::Application);
    let applications = scene.applications(0, 2 * approvals);
    scene.file(&board, &applications).await?;
    let (first, second) = applications.split_at(approvals);
    let mark = AuditLog::mark();
    at_ease(&scene, first).await?;
    let entries = usable(&scene, mark, first).await?;
    let operator = Spread::of(&latencies(&entries, first)?);
    let bodies = bodies(&entries, &first[0])?;
    scene.rest().await?;
    let own = personas::kubeconfig(scene.cluster.plane.root(), personas::OPERATOR_SERVICE_ACCOUNT);
    let bare = tokio::spawn(bare_watcher(personas::client(&own).await?, bodies, second.to_vec()));
    let mark = AuditLog::mark();
    at_ease(&scene, second).await?;
    let entries = usable(&scene, mark, second).await;
    bare.abort();
    Ok(Latency { operator, bare: Spread::of(&latencies(&entries?, second)?) })
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

/// One object that a bare watcher makes.
struct Made {
    method: &'static str,
    content: &'static str,
    uri: String,
    body: String,
}

/// The requests that made one application's namespace usable, the namespace itself first.
fn bodies(entries: &Entries, of: &Filed) -> Result<Vec<Made>> {
    let tenant = names::tenant_namespace(&of.namespace, &of.name, "prod");
    let ours = |e: &&crate::audit::Entry| {
        e.user.username == OPERATOR
            && e.is_write()
            && e.object_ref.as_ref().is_some_and(|o| {
                o.namespace == tenant
                    || e.request_object.as_ref().is_some_and(|b| {
                        o.resource == "namespaces" && b["metadata"]["name"] == tenant.as_str()
                    })
            })
    };
    let made = entries.iter().filter(ours).map(|e| Made {
        method: if e.verb == "create" { "POST" } else { "PATCH" },
        content: if e.verb == "create" { "application/json" } else { "application/apply-patch+yaml" },
        uri: e.request_uri.clone(),
        body: e.request_object.as_ref().map(Value::to_string).unwrap_or_default(),
    });
    let made: Vec<Made> = made.collect();
    ensure!(
        made.len() == OBJECTS && made[0].method == "POST",
        "{} objects make a namespace usable",
        made.len()
    );
    Ok(made)
}

/// The least that can be done: on seeing an approval, the namespace, then everything in it at once.
async fn bare_watcher(client: Client, made: Vec<Made>, applications: Vec<Filed>) -> Result<()> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &Kind::Application.resource());
    let mut events = watcher::watcher(api, watcher::Config::default()).boxed();
    let mut done = std::collections::HashSet::new();
    while let Some(event) = events.next().await {
        let Ok(Event::Apply(o) | Event::InitApply(o)) = event else { continue };
        let m = o.metadata;
        let filed = Filed { namespace: m.namespace.unwrap_or_default(), name: m.name.unwrap_or_default() };
        let approved = m.annotations.is_some_and(|a| a.contains_key("govcloud.dev/decision"));
        if approved && applications.contains(&filed) && done.insert(filed.name.clone()) {
            let uid = m.uid.unwrap_or_default();
            make(&client, &made, &filed, &uid).await?;
        }
    }
    Ok(())
}

/// Makes the objects of another application, by its names and UID.
async fn make(client: &Client, made: &[Made], filed: &Filed, uid: &str) -> Result<()> {
    let template: Value = serde_json::from_str(&made[0].body)?;
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let labels = &template["metadata"]["labels"];
    let tenant = names::tenant_namespace(&filed.namespace, &filed.name, "prod");
    let (old_tenant, old_uid) =
        (text(&template["metadata"]["name"]), text(&labels["govcloud.dev/application-uid"]));
    let (old_name, old_office) =
        (text(&labels["govcloud.dev/application"]), text(&labels["govcloud.dev/department"]));
    let ours = |s: &str| {
        // The tenant's name holds the others' names: first.
        let s = s.replace(&old_tenant, &tenant).replace(&old_uid, uid);
        s.replace(&format!("\"{old_name}\""), &format!("\"{}\"", filed.name))
            .replace(&format!("\"{old_office}\""), &format!("\"{}\"", filed.namespace))
    };
    let send = |m: &Made| {
        let (method, content) = (m.method, m.content);
        let (uri, body) = (ours(&m.uri), ours(&m.body).into_bytes());
        async move { lanes::send(client, method, &uri, content, body).await.map(drop) }
    };
    send(&made[0]).await?;
    try_join_all(made[1..].iter().map(send)).await.map(drop)
}
