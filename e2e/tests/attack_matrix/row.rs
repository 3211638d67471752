//! One row of the matrix: who asks what of the API server, and what comes of it.

use std::fmt;

use serde_json::{Value, json};

use crate::caller::Caller;

/// One request and its expected answer.
pub struct Row {
    /// Caller.
    pub who: Caller,
    /// Request.
    pub ask: Ask,
    /// Expected answer.
    pub verdict: Verdict,
}

/// The expected answer.
#[derive(Debug)]
pub enum Verdict {
    /// It goes through.
    Allowed,
    /// It goes through, and this annotation then bears this name, whatever was sent.
    Stamped(&'static str, Caller),
    /// A policy or a schema of this project refuses it, with this in its message; ` | ` parts alternatives.
    Denied(&'static str),
}

/// Kind of patch by which a change is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// JSON merge patch, which is what `kubectl annotate`, `label` and `patch --type merge` send.
    Merge,
    /// JSON patch.
    Json,
    /// Server-side apply.
    Apply,
    /// Update, which is what `kubectl replace` and `edit` may send.
    Put,
}

impl Via {
    /// Every way to change an object.
    pub const ALL: [Self; 4] = [Self::Merge, Self::Json, Self::Apply, Self::Put];
}

/// A request on a target such as `capp/fresh`, with `@namespace` where it is not the kind's usual one.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Create `target` with this in it, laid over the kind's sample.
    Create(&'static str, Value),
    /// Change `target`, or its subresource, by this merge patch in one of four ways.
    Change(Via, &'static str, &'static str, Value),
    /// Change a field in every version of a CRD.
    EveryVersion(&'static str, &'static str, Value),
    /// Delete `target`, with these options.
    Delete(&'static str, Value),
    /// Delete every object of the target's kind in its namespace that bears the label `matrix=<name>`.
    DeleteAll(&'static str),
}

impl fmt::Display for Ask {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(target, over) => write!(out, "creates {target} with {over}"),
            Self::Change(via, target, "", change) => write!(out, "changes {target} by {via:?} to {change}"),
            Self::Change(via, target, sub, change) => {
                write!(out, "changes {target} {sub} by {via:?} to {change}")
            }
            Self::EveryVersion(target, field, value) => write!(out, "sets {field} of {target} to {value}"),
            Self::Delete(target, options) => write!(out, "deletes {target} with {options}"),
            Self::DeleteAll(target) => write!(out, "deletes all like {target}"),
        }
    }
}

/// Denied, with this in the message.
pub fn denied(who: Caller, ask: Ask, fragment: &'static str) -> Row {
    Row { who, ask, verdict: Verdict::Denied(fragment) }
}

/// Allowed.
pub fn allowed(who: Caller, ask: Ask) -> Row {
    Row { who, ask, verdict: Verdict::Allowed }
}

/// Allowed, and stamped.
pub fn stamped(who: Caller, ask: Ask, key: &'static str, whose: Caller) -> Row {
    Row { who, ask, verdict: Verdict::Stamped(key, whose) }
}

/// Create.
pub fn create(target: &'static str, over: Value) -> Ask {
    Ask::Create(target, over)
}

/// Change by merge patch.
pub fn merge(target: &'static str, change: Value) -> Ask {
    Ask::Change(Via::Merge, target, "", change)
}

/// Change in one of four ways.
pub fn change(via: Via, target: &'static str, change: Value) -> Ask {
    Ask::Change(via, target, "", change)
}

/// Write the status.
pub fn status(via: Via, target: &'static str, status: Value) -> Ask {
    Ask::Change(via, target, "status", json!({"status": status}))
}

/// Update a subresource with the object as it is, changed by this merge patch.
pub fn subresource(target: &'static str, name: &'static str, change: Value) -> Ask {
    Ask::Change(Via::Put, target, name, change)
}

/// Delete.
pub fn delete(target: &'static str) -> Ask {
    Ask::Delete(target, json!({}))
}

/// `kubectl annotate`: `key=value` sets, `key-` removes; keys are below `govcloud.dev/` unless they name a domain.
pub fn annotate(target: &'static str, words: &str) -> Ask {
    merge(target, annotations(words))
}

/// The merge patch of [`annotate`].
pub fn annotations(words: &str) -> Value {
    json!({"metadata": {"annotations": pairs(words)}})
}

/// `kubectl label`, as [`annotate`].
pub fn label(target: &'static str, words: &str) -> Ask {
    merge(target, labels(words))
}

/// The merge patch of [`label`].
pub fn labels(words: &str) -> Value {
    json!({"metadata": {"labels": pairs(words)}})
}

fn pairs(words: &str) -> Value {
    let pair = |word: &str| match word.split_once('=') {
        Some((key, value)) => (full(key), json!(value)),
        None => (full(word.trim_end_matches('-')), Value::Null),
    };
    words.split_whitespace().map(pair).collect::<serde_json::Map<_, _>>().into()
}

fn full(key: &str) -> String {
    if key.contains('/') { key.to_owned() } else { format!("govcloud.dev/{key}") }
}

/// JSON merge patch (RFC 7386) on a value at hand.
pub fn overlay(base: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *base = patch.clone();
        return;
    };
    if !base.is_object() {
        *base = json!({});
    }
    for (key, value) in patch {
        match value {
            Value::Null => {
                base.as_object_mut().map(|map| map.remove(key));
            }
            value => overlay(&mut base[key], value),
        }
    }
}

/// Translates a change into a JSON patch, given the object as it is.
pub fn as_json_patch(current: &Value, patch: &Value) -> Value {
    let mut operations = Vec::new();
    descend(current, patch, String::new(), &mut operations);
    operations.into()
}

fn descend(current: &Value, patch: &Value, path: String, operations: &mut Vec<Value>) {
    match (current, patch) {
        (Value::Object(current), Value::Object(patch)) => {
            for (key, value) in patch {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                descend(current.get(key).unwrap_or(&Value::Null), value, path, operations);
            }
        }
        (Value::Null, Value::Null) => {}
        (_, Value::Null) => operations.push(json!({"op": "remove", "path": path})),
        (_, value) => {
            let mut whole = Value::Null;
            overlay(&mut whole, value);
            operations.push(json!({"op": "add", "path": path, "value": whole}));
        }
    }
}
