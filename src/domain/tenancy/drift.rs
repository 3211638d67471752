//! Drift: differences between a live object and the desired one, and their correction. No difference, no write (S11).

use serde_json::{Value, json};

use super::normalize::equal_but_empty;
use super::{LiveObject, TenantObject};

/// Differences between a live object and the desired one.
#[derive(Debug, Default)]
pub struct Drift {
    differences: Vec<Difference>,
    replaces: bool,
    removal: Option<Value>,
}

/// One place where live and desired differ.
#[derive(Debug)]
struct Difference {
    path: Vec<String>,
    /// Live has something there, desired has nothing.
    extra: bool,
}

/// Compares a live object with the desired one.
///
/// Labels and annotations must hold what is desired and may hold more (the server adds some). Everything else
/// must be the same in meaning: quantities by amount, unions in any order. So an extra subject, an extra quota key,
/// an extra rule are drift. OwnerReferences always are: they would let the garbage collector destroy what only a
/// Decommission may (S3).
#[must_use]
pub fn drift(desired: &TenantObject, live: &LiveObject) -> Drift {
    let (rules, live) = (desired.rules, &*live.object);
    let mut differences = metadata_differences(&desired.body["metadata"], &live["metadata"]);
    for (field, normalize) in rules.compared {
        let (wanted, found) = (&desired.body[*field], &live[*field]);
        // Nearly always they are equal as they stand.
        if !equal_but_empty(wanted, found) {
            let mut path = vec![(*field).to_owned()];
            compare(Some(&normalize(wanted)), Some(&normalize(found)), &mut path, &mut differences);
        }
    }
    let names = |d: &Difference, field: &str| {
        let mut parts = d.path.iter();
        field.split('.').all(|part| parts.next().is_some_and(|p| p == part))
    };
    let replaces = differences.iter().any(|d| rules.immutable.iter().any(|field| names(d, field)));
    let mut removal = json!({});
    let merged = rules.merged.iter().chain(&["metadata.ownerReferences"]);
    for difference in differences.iter().filter(|d| d.extra) {
        if merged.clone().any(|field| names(difference, field)) {
            let place = difference.path.iter().fold(&mut removal, |place, part| &mut place[part]);
            *place = Value::Null;
        }
    }
    let removal = removal.as_object().is_some_and(|fields| !fields.is_empty()).then_some(removal);
    Drift { differences, replaces, removal }
}

impl Drift {
    /// Returns true if nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// Paths that differ, sorted: `spec.hard[requests.cpu]`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let mut paths: Vec<_> = self.differences.iter().map(|d| dotted(&d.path)).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// Returns true if an apply cannot put it right, because the field is immutable: the object must be deleted, with
    /// preconditions (S4), and created again.
    #[must_use]
    pub fn must_replace(&self) -> bool {
        self.replaces
    }

    /// A JSON merge patch that takes away what an apply leaves standing because another manager owns it. To be sent
    /// after the apply; `None` where there is nothing to take away.
    #[must_use]
    pub fn removal_patch(&self) -> Option<Value> {
        self.removal.clone()
    }
}

fn metadata_differences(desired: &Value, live: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut push = |path: &[&str], extra: bool| {
        let path = ["metadata"].iter().chain(path).map(|part| (*part).to_owned()).collect();
        differences.push(Difference { path, extra });
    };
    for part in ["labels", "annotations"] {
        for (key, value) in desired[part].as_object().into_iter().flatten() {
            if live[part].get(key) != Some(value) {
                push(&[part, key], false);
            }
        }
    }
    if desired.get("uid").is_some_and(|uid| live["uid"] != *uid) {
        push(&["uid"], false);
    }
    if live["ownerReferences"].as_array().is_some_and(|owners| !owners.is_empty()) {
        push(&["ownerReferences"], true);
    }
    differences
}

fn compare(
    desired: Option<&Value>,
    live: Option<&Value>,
    path: &mut Vec<String>,
    differences: &mut Vec<Difference>,
) {
    let (Some(Value::Object(wanted)), Some(Value::Object(found))) = (desired, live) else {
        if desired != live {
            differences.push(Difference { path: path.clone(), extra: desired.is_none() });
        }
        return;
    };
    let only_live = found.keys().filter(|key| !wanted.contains_key(*key));
    for key in wanted.keys().chain(only_live) {
        path.push(key.clone());
        compare(wanted.get(key), found.get(key), path, differences);
        path.pop();
    }
}

/// `spec.hard[requests.cpu]`: plain names with dots between, others in brackets.
pub(super) fn dotted(path: &[String]) -> String {
    path.iter().fold(String::new(), |text, part| match part.chars().all(|c| c.is_ascii_alphanumeric()) {
        true if text.is_empty() => part.clone(),
        true => format!("{text}.{part}"),
        false => format!("{text}[{part}]"),
    })
}
