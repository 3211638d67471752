//! One form for everything that the API server treats as the same, so that only real differences count as drift (S11).
//! Rules of a single resource type stand in its own file.

use serde_json::{Map, Value};

use crate::quantity::Quantity;

/// The value without nulls and empty lists, which the server drops. Empty objects stay: an empty selector selects
/// everything, an empty rule allows everything.
pub(super) fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(k, v)| (k, without_empty(v))).filter(|(_, v)| !is_empty(v));
            Value::Object(kept.map(|(k, v)| (k.clone(), v)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_empty).collect()),
        other => other.clone(),
    }
}

/// Returns true if both are equal [`without_empty`], without building either.
pub(super) fn equal_but_empty(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let same = |(key, value)| equal_but_empty(value, b.get(key).unwrap_or(&Value::Null));
            a.iter().all(same) && b.iter().all(|(key, value)| a.contains_key(key) || is_empty(value))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal_but_empty(a, b))
        }
        (a, b) => a == b || is_empty(a) && is_empty(b),
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The object with a default where the field is absent or empty.
pub(super) fn with_default(object: &Value, field: &str, default: &str) -> Value {
    let mut object = object.clone();
    if let Value::Object(fields) = &mut object
        && fields.get(field).and_then(Value::as_str).is_none_or(str::is_empty)
    {
        fields.insert(field.to_owned(), default.into());
    }
    object
}

/// Lists that are unions, at any depth, in one order.
pub(super) fn sorted(value: Value) -> Value {
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

/// Replaces the quantities of some maps by their amounts, and drops those maps that are empty, as the server does.
pub(super) fn amounts(object: &mut Value, maps: &[&str]) {
    let Value::Object(fields) = object else { return };
    fields.retain(|key, map| !(maps.contains(&key.as_str()) && map.as_object().is_some_and(Map::is_empty)));
    let maps = fields.iter_mut().filter(|(key, _)| maps.contains(&key.as_str()));
    for value in maps.filter_map(|(_, map)| map.as_object_mut()).flat_map(|map| map.values_mut()) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Ok(amount) = text.parse::<Quantity>() {
            *value = format!("{}n", amount.stored().nanos()).into();
        }
    }
}

/// A quantity as the API server will store it; anything else is passed on for the server to refuse.
pub(super) fn stored(value: &str) -> Value {
    match value.parse::<Quantity>() {
        Ok(amount) => amount.stored().to_string().into(),
        Err(_) => value.into(),
    }
}
