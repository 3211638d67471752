//! The merge patch of a status write: only the fields that differ.

use serde_json::{Map, Value};

/// The merge patch that turns one JSON into another (RFC 7396); `None` where they are the same.
pub fn difference(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(o), Value::Object(n)) => {
            let mut patch = Map::new();
            for (k, v) in n {
                match o.get(k) {
                    Some(before) => {
                        if let Some(d) = difference(before, v) {
                            patch.insert(k.clone(), d);
                        }
                    }
                    None => drop(patch.insert(k.clone(), v.clone())),
                }
            }
            for k in o.keys().filter(|k| !n.contains_key(*k)) {
                patch.insert(k.clone(), Value::Null);
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        (o, n) => (o != n).then(|| n.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_what_a_merge_patch_needs_and_nothing_else() {
        let old = json!({ "a": 1, "b": { "c": [1, 2], "d": "x" }, "gone": true });
        let new = json!({ "a": 1, "b": { "c": [1, 3], "d": "x" }, "new": 2 });
        assert_eq!(difference(&old, &new), Some(json!({ "b": { "c": [1, 3] }, "gone": null, "new": 2 })));
        assert_eq!(difference(&old, &old), None);
        assert_eq!(difference(&Value::Null, &new), Some(new));
    }
}
