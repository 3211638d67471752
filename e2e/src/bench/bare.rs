//! The bare watcher: on seeing an approval it sends what the operator sent for another application, with the names
//! changed, and does nothing else: it decides nothing and reads nothing.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt;
use futures::future::try_join_all;
use govcloud_domain::names;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use serde_json::Value;

use super::lanes;
use super::scene::Filed;
use crate::audit::{Entries, Entry, ObjectRef};
use crate::office::Kind;
use crate::personas::OPERATOR;

/// What the bare watcher sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The namespace, then everything in it at once.
    Objects,
    /// The record, its Events and the work order as well: all that the operator wrote until the last object, side by
    /// side where the operator did so.
    Everything,
}

/// One request.
struct Request {
    method: &'static str,
    content: &'static str,
    uri: String,
    body: String,
}

/// What was sent for one application: in each group side by side, one group after the other.
pub struct Template {
    groups: Vec<Vec<Request>>,
    of: Filed,
    uid: String,
}

impl Template {
    /// What the operator sent for an application, by the audit log.
    pub fn of(entries: &Entries, filed: &Filed, extent: Extent) -> Result<Self> {
        let objects = |e: &&Entry| is_object(e, filed);
        let last = entries.iter().filter(objects).map(|e| e.stage_timestamp).max().context("no object")?;
        let mut sent: Vec<&Entry> = match extent {
            Extent::Objects => entries.iter().filter(objects).collect(),
            Extent::Everything => {
                let all = of_operator(entries, filed).into_iter().filter(|e| e.is_write());
                all.filter(|e| e.request_received_timestamp < last).collect()
            }
        };
        sent.sort_by_key(|e| e.request_received_timestamp);
        let groups = match extent {
            Extent::Objects => {
                let (namespace, rest): (Vec<_>, Vec<_>) = sent.into_iter().partition(|e| is_namespace(e));
                vec![namespace, rest]
            }
            Extent::Everything => side_by_side(sent),
        };
        let namespace = groups.iter().flatten().find(|e| is_namespace(e)).context("no namespace")?;
        let uid = body(namespace)["metadata"]["labels"]["govcloud.dev/application-uid"].as_str();
        let uid = uid.context("no UID")?.to_owned();
        let groups: Vec<Vec<Request>> =
            groups.into_iter().map(|group| group.into_iter().map(Request::of).collect()).collect();
        ensure!(groups.iter().all(|g| !g.is_empty()), "nothing was sent");
        Ok(Self { groups, of: filed.clone(), uid })
    }

    /// Sends the same for another application.
    async fn send(&self, client: &Client, to: &Filed, uid: &str) -> Result<()> {
        let renamed = |s: &str| {
            // The namespace's name is made of the others': first.
            s.replace(&tenant(&self.of), &tenant(to))
                .replace(&self.uid, uid)
                .replace(&self.of.name, &to.name)
                .replace(&self.of.namespace, &to.namespace)
        };
        for group in &self.groups {
            let send = |r: &Request| {
                let (method, content) = (r.method, r.content);
                let (uri, body) = (renamed(&r.uri), renamed(&r.body).into_bytes());
                async move { lanes::send(client, method, &uri, content, body).await.map(drop) }
            };
            try_join_all(group.iter().map(send)).await?;
        }
        Ok(())
    }
}

impl Request {
    fn of(entry: &Entry) -> Self {
        let mut body = body(entry).clone();
        let (method, content) = match entry.verb.as_str() {
            "create" => ("POST", "application/json"),
            _ if entry.request_uri.contains("force=true") => ("PATCH", "application/apply-patch+yaml"),
            _ => ("PATCH", "application/merge-patch+json"),
        };
        if let Some(metadata) = body["metadata"].as_object_mut() {
            // That of another record; nobody else writes here.
            metadata.remove("resourceVersion");
        }
        Self { method, content, uri: entry.request_uri.clone(), body: body.to_string() }
    }
}

/// Watches, and sends for each of these applications once it is approved.
pub async fn watch(client: Client, template: Template, applications: Vec<Filed>) -> Result<()> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &Kind::Application.resource());
    let mut events = watcher::watcher(api, watcher::Config::default()).boxed();
    let mut done = HashSet::new();
    while let Some(event) = events.next().await {
        let Ok(Event::Apply(o) | Event::InitApply(o)) = event else { continue };
        let m = o.metadata;
        let filed = Filed { namespace: m.namespace.unwrap_or_default(), name: m.name.unwrap_or_default() };
        let approved = m.annotations.is_some_and(|a| a.contains_key("govcloud.dev/decision"));
        if approved && applications.contains(&filed) && done.insert(filed.name.clone()) {
            template.send(&client, &filed, &m.uid.unwrap_or_default()).await?;
        }
    }
    Ok(())
}

/// All that the operator asked of the API server about an application and was answered well, watches apart.
pub fn of_operator<'a>(entries: &'a Entries, filed: &Filed) -> Vec<&'a Entry> {
    let tenant = tenant(filed);
    let about = |e: &&Entry| concerns(e, &tenant, "") || concerns(e, &filed.namespace, &filed.name);
    entries.iter().filter(about).collect()
}

/// Whether this is the approval of an application.
pub fn is_approval(entry: &Entry, filed: &Filed) -> bool {
    let of =
        |o: &ObjectRef| o.namespace == filed.namespace && o.name == filed.name && o.subresource.is_empty();
    entry.verb == "patch" && entry.user.username != OPERATOR && entry.object_ref.as_ref().is_some_and(of)
}

/// Whether this makes an application's namespace, or something in it.
pub fn is_object(entry: &Entry, filed: &Filed) -> bool {
    entry.is_write() && concerns(entry, &tenant(filed), "")
}

fn tenant(filed: &Filed) -> String {
    names::tenant_namespace(&filed.namespace, &filed.name, "prod")
}

fn body(entry: &Entry) -> &Value {
    entry.request_object.as_ref().unwrap_or(&Value::Null)
}

fn is_namespace(entry: &Entry) -> bool {
    entry.object_ref.as_ref().is_some_and(|o| o.resource == "namespaces")
}

/// Whether the operator wrote this, in a namespace and of what bears a name; or the namespace itself.
fn concerns(entry: &Entry, namespace: &str, name: &str) -> bool {
    let Some(object) = &entry.object_ref else { return false };
    let named = body(entry)["metadata"]["name"].as_str().unwrap_or(&object.name);
    entry.user.username == OPERATOR
        && entry.verb != "watch"
        && (200..300).contains(&entry.code())
        && match object.resource.as_str() {
            "namespaces" => named == namespace,
            _ => object.namespace == namespace && (object.name.starts_with(name) || named.starts_with(name)),
        }
}

/// What was under way at the same time, together.
fn side_by_side(sent: Vec<&Entry>) -> Vec<Vec<&Entry>> {
    let mut groups: Vec<Vec<&Entry>> = Vec::new();
    for entry in sent {
        let ended = groups.last().and_then(|g| g.iter().map(|e| e.stage_timestamp).max());
        match (ended, groups.last_mut()) {
            (Some(ended), Some(group)) if entry.request_received_timestamp < ended => group.push(entry),
            _ => groups.push(vec![entry]),
        }
    }
    groups
}
