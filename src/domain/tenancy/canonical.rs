//! One form for what the API server treats as the same, so that only real differences count as drift.
//!
//! The defaults are those of Kubernetes 1.37, `pkg/apis/{core,networking,rbac}/v1/defaults.go`.

use serde_json::{Map, Value, json};

use crate::quantity::Quantity;

/// The parts of an object that are compared, without what the server defaults, orders or rewrites freely:
/// `spec`, `roleRef`, `subjects` as a map by subject. Metadata is compared elsewhere, status never.
pub(super) fn canonical(kind: &str, object: &Value) -> Map<String, Value> {
    let mut parts = Map::new();
    match kind {
        "ResourceQuota" => parts.insert("spec".to_owned(), quota(&object["spec"])),
        "LimitRange" => parts.insert("spec".to_owned(), limits(&object["spec"])),
        "NetworkPolicy" => parts.insert("spec".to_owned(), network(&object["spec"])),
        "RoleBinding" => {
            parts.insert("roleRef".to_owned(), with_default(&object["roleRef"], "apiGroup", RBAC));
            parts.insert("subjects".to_owned(), subjects(&object["subjects"]))
        }
        // The server sets `spec.finalizers` on a namespace; the rest of it is metadata.
        _ => None,
    };
    parts
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn quota(spec: &Value) -> Value {
    let mut spec = tidy(spec);
    if let Some(hard) = spec.get_mut("hard") {
        amounts(hard);
    }
    spec
}

/// `limits` as a map by type, with the server's chain of defaults: default from max, defaultRequest from
/// default, then from min.
fn limits(spec: &Value) -> Value {
    let mut by_type = Map::new();
    for item in spec["limits"].as_array().into_iter().flatten() {
        let mut item = tidy(item);
        let kind = item["type"].as_str().unwrap_or_default().to_owned();
        for map in ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"] {
            item.get_mut(map).map(amounts);
        }
        if kind == "Container" {
            for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
                fill(&mut item, to, from);
            }
        }
        by_type.insert(kind, item);
    }
    json!({"limits": by_type})
}

fn fill(item: &mut Value, to: &str, from: &str) {
    let Some(source) = item.get(from).and_then(Value::as_object).cloned() else { return };
    for (key, value) in source {
        if item[to][&key].is_null() {
            item[to][&key] = value;
        }
    }
}

fn network(spec: &Value) -> Value {
    let mut spec = tidy(spec);
    if !spec.is_object() {
        return spec;
    }
    if spec["podSelector"].is_null() {
        spec["podSelector"] = json!({});
    }
    if spec["policyTypes"].is_null() {
        spec["policyTypes"] =
            if spec["egress"].is_null() { json!(["Ingress"]) } else { json!(["Ingress", "Egress"]) };
    }
    for direction in ["ingress", "egress"] {
        for rule in spec.get_mut(direction).and_then(Value::as_array_mut).into_iter().flatten() {
            for port in rule.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                *port = with_default(port, "protocol", "TCP");
            }
        }
    }
    // Rules, peers, ports and expressions are unions: their order says nothing.
    sorted(spec)
}

fn subjects(subjects: &Value) -> Value {
    let by_name = subjects.as_array().into_iter().flatten().map(|subject| {
        let kind = subject["kind"].as_str().unwrap_or_default();
        let group = if kind == "ServiceAccount" { "" } else { RBAC };
        let subject = with_default(&tidy(subject), "apiGroup", group);
        let place = subject["namespace"].as_str().map(|ns| format!("{ns}/")).unwrap_or_default();
        (format!("{kind}/{place}{}", subject["name"].as_str().unwrap_or_default()), subject)
    });
    Value::Object(by_name.collect())
}

fn with_default(object: &Value, field: &str, default: &str) -> Value {
    let mut object = object.clone();
    if let Value::Object(fields) = &mut object
        && fields.get(field).and_then(Value::as_str).is_none_or(str::is_empty)
    {
        fields.insert(field.to_owned(), default.into());
    }
    object
}

/// Without nulls, empty lists and empty label maps, which the server drops. Empty objects stay: an empty
/// selector selects everything, an empty rule allows everything.
pub(super) fn tidy(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(k, v)| (k, tidy(v))).filter(|(k, v)| !is_void(k, v));
            Value::Object(kept.map(|(k, v)| (k.clone(), v)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(tidy).collect()),
        other => other.clone(),
    }
}

fn is_void(field: &str, value: &Value) -> bool {
    let map = matches!(
        field,
        "matchLabels" | "hard" | "default" | "defaultRequest" | "max" | "min" | "maxLimitRequestRatio"
    );
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => map && fields.is_empty(),
        _ => false,
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(k, v)| (k, sorted(v))).collect()),
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(sorted).collect();
            // Not `to_string`: the order of keys in it depends on a feature of serde_json.
            items.sort_by_cached_key(|item| serde_json_canonicalizer::to_vec(item).unwrap_or_default());
            Value::Array(items)
        }
        other => other,
    }
}

/// Quantities by amount, as the server stores them in a resource list.
fn amounts(map: &mut Value) {
    for value in map.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Ok(amount) = text.parse::<Quantity>() {
            *value = format!("{}n", amount.stored().nanos()).into();
        }
    }
}
