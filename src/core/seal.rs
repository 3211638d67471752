//! Whether the gate stands as shipped (design, section 3): policies, bindings and the project's own CRDs.
//!
//! What is compared is data: the shipped objects, the live ones, and the record of the last good check. A
//! decision that was made while something was missing or altered does not count, across downtime too.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::decision::Guard;
use crate::api::time::Instant;

/// One live object's identity: a replaced one has another UID, an altered one another generation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// UID.
    pub uid: String,
    /// Generation.
    pub generation: i64,
}

/// The record of the last good check, kept in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The release that was checked: a digest over everything shipped.
    pub release: String,
    /// Decisions from this instant on count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_since: Option<Instant>,
    /// Identity of every object, by `Kind/name`.
    pub pins: BTreeMap<String, Pin>,
}

/// `Kind/name` of an object.
#[must_use]
pub fn key(object: &Value) -> String {
    format!(
        "{}/{}",
        object["kind"].as_str().unwrap_or_default(),
        object["metadata"]["name"].as_str().unwrap_or_default()
    )
}

/// Compares the live objects with the shipped ones. Both by [`key`]; `recorded` is the last good check, if any.
/// Returns what the guard says and, when sealed, the record to keep.
#[must_use]
pub fn check(
    shipped: &BTreeMap<String, Value>,
    live: &BTreeMap<String, Value>,
    recorded: Option<&Record>,
    release: &str,
    now: Timestamp,
) -> (Guard, Option<Record>) {
    let mut wrong: Vec<String> = Vec::new();
    for (key, want) in shipped {
        match live.get(key) {
            None => wrong.push(format!("{key} 缺失 / missing")),
            Some(l) if !l["metadata"]["deletionTimestamp"].is_null() => {
                wrong.push(format!("{key} 正在删除 / being deleted"))
            }
            Some(l) => {
                if let Some(at) = first_difference(&canonical(want), &canonical(l), "spec") {
                    wrong.push(format!("{key} 被改动 / altered ({at})"));
                }
            }
        }
    }
    if !wrong.is_empty() {
        return (Guard::Open(wrong), None);
    }
    let pin = |l: &Value| Pin {
        uid: l["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
        generation: l["metadata"]["generation"].as_i64().unwrap_or(0),
    };
    let pins: BTreeMap<String, Pin> =
        shipped.keys().filter_map(|k| Some((k.clone(), pin(live.get(k)?)))).collect();
    // A recorded release is no alarm: what changed is what was shipped. Anything else was a gap.
    let since = match recorded {
        Some(r) if r.pins == pins || r.release != release => r.sealed_since.map_or(now, Timestamp::from),
        _ => now,
    };
    let record = Record { release: release.to_owned(), sealed_since: Some(since.into()), pins };
    (Guard::Sealed { since: Instant::from(since).timestamp() }, Some(record))
}

/// What counts of an object: its spec without what the API server fills in by itself.
#[must_use]
pub fn canonical(object: &Value) -> Value {
    let mut spec = object["spec"].clone();
    match object["kind"].as_str() {
        Some("CustomResourceDefinition") => canonical_crd(&spec),
        _ => {
            strip(&mut spec);
            spec
        }
    }
}

/// Where two values first differ, as a path; `None` where they are the same. Numbers count by value.
fn first_difference(want: &Value, have: &Value, at: &str) -> Option<String> {
    match (want, have) {
        (Value::Object(w), Value::Object(h)) => {
            let keys: std::collections::BTreeSet<_> = w.keys().chain(h.keys()).collect();
            keys.into_iter().find_map(|k| {
                first_difference(
                    w.get(k).unwrap_or(&Value::Null),
                    h.get(k).unwrap_or(&Value::Null),
                    &format!("{at}.{k}"),
                )
            })
        }
        (Value::Array(w), Value::Array(h)) if w.len() == h.len() => {
            w.iter().zip(h).enumerate().find_map(|(i, (w, h))| first_difference(w, h, &format!("{at}[{i}]")))
        }
        (Value::Number(w), Value::Number(h)) => (w.as_f64() != h.as_f64()).then(|| at.to_owned()),
        _ => (want != have).then(|| at.to_owned()),
    }
}

/// Of a CRD: scope, names, conversion, and of each version its schema and subresources. A removed status
/// subresource or a conversion webhook opens the gate as well.
fn canonical_crd(spec: &Value) -> Value {
    let versions = spec["versions"].as_array().cloned().unwrap_or_default();
    let version = |v: &Value| json!({ "name": v["name"], "served": v["served"], "storage": v["storage"], "schema": v["schema"], "subresources": v["subresources"] });
    let strategy = spec["conversion"]["strategy"].as_str().unwrap_or("None");
    json!({
        "group": spec["group"], "scope": spec["scope"], "plural": spec["names"]["plural"], "kind": spec["names"]["kind"],
        "conversion": strategy, "versions": versions.iter().map(version).collect::<Vec<_>>(),
    })
}

/// Takes away the values that the API server writes where nothing was said.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(strip);
            fields.retain(|k, v| {
                let filled_in = match k.as_str() {
                    "matchPolicy" => *v == "Equivalent",
                    "scope" => *v == "*",
                    "namespaceSelector" | "objectSelector" => *v == json!({}),
                    "reinvocationPolicy" => *v == "Never",
                    _ => v.is_null(),
                };
                !filled_in
            });
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(s) => *s = squeeze(s),
        _ => {}
    }
}

/// An expression with each run of white space outside of quotes as one space: YAML readers fold lines
/// differently, and CEL does not care.
fn squeeze(text: &str) -> String {
    let (mut out, mut quote, mut gap) = (String::with_capacity(text.len()), None, false);
    for c in text.chars() {
        if quote.is_none() && c.is_whitespace() {
            gap = true;
            continue;
        }
        if gap && !out.is_empty() {
            out.push(' ');
        }
        gap = false;
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(uid: &str, generation: i64, action: &str) -> BTreeMap<String, Value> {
        let o = json!({ "kind": "ValidatingAdmissionPolicyBinding", "metadata": { "name": "p", "uid": uid, "generation": generation }, "spec": { "policyName": "p", "validationActions": [action] } });
        BTreeMap::from([(key(&o), o)])
    }

    fn at(s: &str) -> Timestamp {
        s.parse().unwrap()
    }

    #[test]
    fn missing_or_altered_is_open() {
        let shipped = policy("", 0, "Deny");
        assert!(matches!(
            check(&shipped, &BTreeMap::new(), None, "1", at("2026-01-01T00:00:00Z")),
            (Guard::Open(_), None)
        ));
        assert!(matches!(
            check(&shipped, &policy("a", 2, "Warn"), None, "1", at("2026-01-01T00:00:00Z")),
            (Guard::Open(_), None)
        ));
    }

    #[test]
    fn a_replacement_while_nobody_looked_is_a_gap_and_a_release_is_none() {
        let shipped = policy("", 0, "Deny");
        let (_, first) = check(&shipped, &policy("a", 1, "Deny"), None, "1", at("2026-01-01T00:00:00Z"));
        let first = first.unwrap();
        let (same, _) =
            check(&shipped, &policy("a", 1, "Deny"), Some(&first), "1", at("2026-01-02T00:00:00Z"));
        assert_eq!(same, Guard::Sealed { since: at("2026-01-01T00:00:00Z") });
        let (gap, _) =
            check(&shipped, &policy("b", 1, "Deny"), Some(&first), "1", at("2026-01-02T00:00:00Z"));
        assert_eq!(gap, Guard::Sealed { since: at("2026-01-02T00:00:00Z") });
        let (release, _) =
            check(&shipped, &policy("a", 2, "Deny"), Some(&first), "2", at("2026-01-02T00:00:00Z"));
        assert_eq!(release, Guard::Sealed { since: at("2026-01-01T00:00:00Z") });
    }

    #[test]
    fn white_space_counts_only_in_quotes() {
        assert_eq!(squeeze("a\n\n  && b "), "a && b");
        assert_ne!(squeeze("x == 'a b'"), squeeze("x == 'a  b'"));
    }

    #[test]
    fn what_the_api_server_fills_in_is_no_alteration_and_what_weakens_is() {
        let shipped = json!({ "kind": "ValidatingAdmissionPolicy", "spec": { "matchConstraints": { "resourceRules": [{ "resources": ["a"] }] } } });
        let mut live = shipped.clone();
        live["spec"]["matchConstraints"]["matchPolicy"] = json!("Equivalent");
        live["spec"]["matchConstraints"]["namespaceSelector"] = json!({});
        live["spec"]["matchConstraints"]["resourceRules"][0]["scope"] = json!("*");
        assert_eq!(canonical(&shipped), canonical(&live));
        live["spec"]["matchConstraints"]["namespaceSelector"] = json!({ "matchLabels": { "a": "b" } });
        assert_ne!(canonical(&shipped), canonical(&live));
    }
}
