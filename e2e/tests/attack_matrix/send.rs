//! Sends a request as somebody, for trial (dry run) or for real, and says what came of it.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use http::Request;
use kube::{Client, Error};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::row::{Ask, Via, as_json_patch, overlay};
use crate::target::Target;

/// Result of a request.
#[derive(Debug)]
pub enum Answer {
    /// It went through; the object as it then is.
    Done(Value),
    /// An admission policy of this project refused it.
    Refused(String),
    /// A rule in a CRD's schema did.
    Invalid(String),
    /// Something else did.
    Failed(String),
}

/// Everyone's clients.
pub struct Sender {
    /// By who asks.
    pub clients: HashMap<Caller, Client>,
}

/// Execution of a request: a dry run passes admission, and stores nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dry run.
    DryRun,
    /// For real.
    Execute,
}

impl Sender {
    /// The object as it is.
    pub async fn get(&self, target: &Target) -> Result<Value> {
        let request = Request::get(target.path("")).body(Vec::new())?;
        self.client(Caller::Harness)?.request(request).await.with_context(|| target.path(""))
    }

    /// Sends it for real; anything but success is an error.
    pub async fn execute(&self, who: Caller, ask: Ask) -> Result<Value> {
        match self.send(who, &ask, Mode::Execute).await? {
            Answer::Done(object) => Ok(object),
            refused => bail!("{who:?} {ask:?}: {refused:?}"),
        }
    }

    /// Sends it.
    pub async fn send(&self, who: Caller, ask: &Ask, mode: Mode) -> Result<Answer> {
        let request = self.request(who, ask, mode).await?;
        let answer = match self.client(who)?.request::<Value>(request).await {
            Ok(object) => Answer::Done(object),
            Err(Error::Api(status)) if status.message.contains("AdmissionPolicy 'govcloud-") => {
                Answer::Refused(status.message)
            }
            Err(Error::Api(status)) if status.code == 422 && status.message.contains("govcloud.dev") => {
                Answer::Invalid(status.message)
            }
            Err(Error::Api(status)) => Answer::Failed(format!("{} {}", status.code, status.message)),
            Err(error) => return Err(error).with_context(|| format!("{who:?} {ask:?}")),
        };
        Ok(answer)
    }

    fn client(&self, who: Caller) -> Result<&Client> {
        self.clients.get(&who).with_context(|| format!("no client for {who:?}"))
    }

    async fn request(&self, who: Caller, ask: &Ask, mode: Mode) -> Result<Request<Vec<u8>>> {
        let (method, target, subresource, kind, body) = match ask {
            Ask::Create(target, over) => {
                let target = Target::parse(target)?;
                let mut object = target.sample()?;
                overlay(&mut object, over);
                return build("POST", target.collection(), mode, "application/json", &object, "");
            }
            Ask::Delete(target, options) => ("DELETE", target, "", "application/json", options.clone()),
            Ask::DeleteAll(target) => {
                let target = Target::parse(target)?;
                let query = format!("&labelSelector=matrix={}", target.name);
                return build("DELETE", target.collection(), mode, "application/json", &json!({}), &query);
            }
            Ask::EveryVersion(target, field, value) => {
                let target = Target::parse(target)?;
                let mut whole = self.get(&target).await?;
                for version in whole["spec"]["versions"].as_array_mut().into_iter().flatten() {
                    overlay(version, &json!({*field: value}));
                }
                return build("PUT", target.path(""), mode, "application/json", &whole, "");
            }
            Ask::Change(via, target, subresource, change) => {
                let (method, kind) = match via {
                    Via::Merge => ("PATCH", "application/merge-patch+json"),
                    Via::Json => ("PATCH", "application/json-patch+json"),
                    Via::Apply => ("PATCH", "application/apply-patch+yaml"),
                    Via::Put => ("PUT", "application/json"),
                };
                (method, target, *subresource, kind, change.clone())
            }
        };
        let target = Target::parse(target)?;
        let current = self.get(&target).await?;
        let mut body = filled(&body, &current);
        let mut query = String::new();
        if let Ask::Change(via, ..) = ask {
            match via {
                Via::Merge => {}
                Via::Json => body = as_json_patch(&current, &body),
                Via::Apply => {
                    let mut whole = target.head();
                    overlay(&mut whole, &body);
                    body = whole;
                    query = format!("&force=true&fieldManager=matrix-{who:?}");
                }
                Via::Put => {
                    let mut whole = current;
                    overlay(&mut whole, &body);
                    body = whole;
                }
            }
        }
        build(method, target.path(subresource), mode, kind, &body, &query)
    }
}

fn build(
    method: &str,
    path: String,
    mode: Mode,
    kind: &str,
    body: &Value,
    query: &str,
) -> Result<Request<Vec<u8>>> {
    let trial = if mode == Mode::DryRun { "dryRun=All" } else { "" };
    let mut body = body.clone();
    if method == "DELETE" && mode == Mode::DryRun {
        body["dryRun"] = json!(["All"]); // with a body the query is not looked at
    }
    let request = Request::builder().method(method).uri(format!("{path}?{trial}{query}"));
    Ok(request.header("content-type", kind).body(serde_json::to_vec(&body)?)?)
}

/// `$uid` becomes the UID of the object.
fn filled(value: &Value, current: &Value) -> Value {
    let uid = current["metadata"]["uid"].as_str().unwrap_or_default();
    match value {
        Value::String(text) => json!(text.replace("$uid", uid)),
        Value::Array(items) => items.iter().map(|item| filled(item, current)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (key.clone(), filled(item, current)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}
