//! Integrity of the admission policies, their bindings and the project's CRDs, compared as shipped (design, section 3).
//!
//! The comparison is over data: the shipped objects, the live ones, and the record of the last good check. A
//! decision that was made while something was missing or altered does not count, across downtime too.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bilingual::{Bilingual, bilingual};
use super::digest::digest_of;
use govcloud_api::resources::{CUSTOM_RESOURCE_DEFINITION, MUTATING_WEBHOOK_CONFIGURATION};
use govcloud_api::time::Instant;

/// Integrity of the admission policies that guard decisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyIntegrity {
    /// Not checked yet: no approval counts, nothing is invalid.
    Unknown,
    /// All in place, without a gap since `since`.
    Intact {
        /// Beginning of this period. A decision counts where the operator saw its record without it in this period.
        since: Timestamp,
    },
    /// Something is missing, altered or replaced.
    Violated(Vec<PolicyViolation>),
}

/// Difference between one shipped object and the live one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyViolation {
    /// The object, as `Kind/name`.
    pub object: String,
    /// Its defect.
    pub defect: Defect,
}

/// Defect of a live object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It does not exist.
    Missing,
    /// It is being deleted.
    BeingDeleted,
    /// It differs at this path.
    Altered(String),
    /// It is a mutator of others, not allowed, that can rewrite this resource.
    ForeignMutator(String),
}

impl PolicyViolation {
    /// Wording for people.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        let object = &self.object;
        match &self.defect {
            Defect::Missing => bilingual!("{object} 缺失", "{object} missing"),
            Defect::BeingDeleted => bilingual!("{object} 正在删除", "{object} being deleted"),
            Defect::Altered(at) => bilingual!("{object} 被改动（{at}）", "{object} altered ({at})"),
            Defect::ForeignMutator(resource) => bilingual!(
                "{object} 可改写 {resource}，且未列入版本登记的 allowedMutators",
                "{object} can rewrite {resource} and is not among the release record's allowedMutators"
            ),
        }
    }
}

impl From<&str> for PolicyViolation {
    /// A missing object.
    fn from(object: &str) -> Self {
        Self { object: object.to_owned(), defect: Defect::Missing }
    }
}

/// One live object's identity: a replaced one has another UID, an altered one another generation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// UID.
    pub uid: String,
    /// Generation.
    pub generation: i64,
    /// Digest of its canonical form, by which a later check tells an upgrade from a detour.
    #[serde(default)]
    pub digest: String,
}

impl Pin {
    /// Returns true if it is the same object, unwritten since.
    fn is(&self, other: &Self) -> bool {
        self.uid == other.uid && self.generation == other.generation
    }
}

/// The record of the last good check, kept in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Decisions from this instant on count.
    #[serde(default, alias = "sealedSince", skip_serializing_if = "Option::is_none")]
    pub intact_since: Option<Instant>,
    /// Identity of every object, by `Kind/name`.
    pub pins: BTreeMap<String, Pin>,
    /// Name of the period since then: a digest of the pins at its beginning, equal for every replica.
    #[serde(default)]
    pub period: String,
    /// Name of the key under whose seal records are in this period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// True if records of the time before that key count: the policies were intact then and since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopts: bool,
}

/// A release that was recorded before it was applied: digest of each object's canonical form, by `Kind/name`.
/// Only a holder of `administer` may write it (policy), so an upgrade is no alarm and an alteration is one.
pub type Release = BTreeMap<String, String>;

/// `Kind/name` of an object.
#[must_use]
pub fn key(object: &Value) -> String {
    format!(
        "{}/{}",
        object["kind"].as_str().unwrap_or_default(),
        object["metadata"]["name"].as_str().unwrap_or_default()
    )
}

/// The release that some shipped objects are.
#[must_use]
pub fn release(shipped: &BTreeMap<String, Value>) -> Release {
    shipped.iter().map(|(k, o)| (k.clone(), digest_of(&canonical(o)).unwrap_or_default())).collect()
}

/// One live object, compared with the shipped one of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    pin: Pin,
    /// False while it is being deleted.
    stands: bool,
    /// Path of the first difference.
    difference: Option<String>,
}

impl Compared {
    /// Compares two objects.
    #[must_use]
    pub fn new(shipped: &Value, live: &Value) -> Self {
        let canonical_live = canonical(live);
        Self {
            pin: Pin {
                uid: live["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
                generation: live["metadata"]["generation"].as_i64().unwrap_or(0),
                digest: digest_of(&canonical_live).unwrap_or_default(),
            },
            stands: live["metadata"]["deletionTimestamp"].is_null(),
            difference: first_difference(&canonical(shipped), &canonical_live, "spec"),
        }
    }

    /// Its defect, by what is shipped alone: [`Defect::BeingDeleted`] or [`Defect::Altered`].
    #[must_use]
    pub fn defect(&self) -> Option<Defect> {
        if self.stands { self.difference.clone().map(Defect::Altered) } else { Some(Defect::BeingDeleted) }
    }
}

/// Each shipped object's live one, compared; `None` where it is missing. By [`key`].
pub type Comparison = BTreeMap<String, Option<Compared>>;

/// Compares each shipped object with the live one. Both by [`key`].
#[must_use]
pub fn compare(shipped: &BTreeMap<String, Value>, live: &BTreeMap<String, Value>) -> Comparison {
    shipped.iter().map(|(k, s)| (k.clone(), live.get(k).map(|l| Compared::new(s, l)))).collect()
}

/// Judges the live objects by the recorded release and the last good check, if any. Returns what the guard says and the
/// record to keep.
///
/// The record outlives an open gate only where nothing happened to it that was not recorded first: a binary that
/// starts before, or runs on after, its release's policies waits for them and voids nothing.
#[must_use]
pub fn check(
    compared: &Comparison,
    released: &Release,
    recorded: Option<&Record>,
    now: Timestamp,
) -> (PolicyIntegrity, Option<Record>) {
    let standing = |c: &Option<Compared>| c.as_ref().filter(|c| c.stands).map(|c| c.pin.clone());
    let pins: BTreeMap<String, Pin> =
        compared.iter().filter_map(|(k, c)| Some((k.clone(), standing(c)?))).collect();
    let violation = |(key, compared): (&String, &Option<Compared>)| {
        let defect = match compared {
            None => Defect::Missing,
            Some(c) if c.stands && released.get(key) == Some(&c.pin.digest) => return None,
            Some(c) => c.defect()?,
        };
        Some(PolicyViolation { object: key.clone(), defect })
    };
    let wrong: Vec<PolicyViolation> = compared.iter().filter_map(violation).collect();
    let before = recorded.filter(|r| compared.keys().all(|k| unbroken(k, pins.get(k), r, released)));
    if !wrong.is_empty() {
        return (PolicyIntegrity::Violated(wrong), before.cloned());
    }
    let kept = before.cloned().unwrap_or_default();
    let since = kept.intact_since.unwrap_or_else(|| now.into());
    let period = Some(kept.period).filter(|p| !p.is_empty());
    let period = period.unwrap_or_else(|| digest_of(&pins).unwrap_or_default());
    let record = Record { intact_since: Some(since), pins, period, ..kept };
    (PolicyIntegrity::Intact { since: since.timestamp() }, Some(record))
}

/// Returns true if one object changed since the last good check only as the recorded release says. A release
/// speaks for a change of content in place, from what was pinned to what it names: it does not excuse an object
/// that was replaced, nor one that was changed and put back.
fn unbroken(key: &str, now: Option<&Pin>, last: &Record, released: &Release) -> bool {
    let is_released = |p: &Pin| released.get(key) == Some(&p.digest);
    match (last.pins.get(key), now) {
        (Some(was), Some(is)) => {
            was.is(is) || was.uid == is.uid && was.digest != is.digest && is_released(is)
        }
        (Some(_), None) => !released.is_empty() && !released.contains_key(key),
        (None, Some(is)) => is_released(is),
        (None, None) => true,
    }
}

/// Compared part of an object: its spec, or its webhooks, without the API server's defaults.
#[must_use]
pub fn canonical(object: &Value) -> Value {
    if object["kind"] == CUSTOM_RESOURCE_DEFINITION.kind {
        return canonical_crd(&object["spec"]);
    }
    let mut compared = match object["kind"] == MUTATING_WEBHOOK_CONFIGURATION.kind {
        true => webhooks_of(object),
        false => object["spec"].clone(),
    };
    strip(&mut compared);
    compared
}

/// The compared part of a webhook configuration: its webhooks without the CA bundles, which are renewed in the course of
/// business.
#[must_use]
pub fn webhooks_of(object: &Value) -> Value {
    let mut webhooks = object["webhooks"].clone();
    for webhook in webhooks.as_array_mut().into_iter().flatten() {
        if let Some(client) = webhook["clientConfig"].as_object_mut() {
            client.remove("caBundle");
        }
    }
    json!({ "webhooks": webhooks })
}

/// Path of the first difference of two values; `None` where they are the same. Numbers count by value.
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
    fn a_missing_or_altered_policy_violates_integrity() {
        let (shipped, now) = (policy("", 0, "Deny"), at("2026-01-01T00:00:00Z"));
        let none = Release::new();
        assert!(matches!(
            check(&compare(&shipped, &BTreeMap::new()), &none, None, now),
            (PolicyIntegrity::Violated(_), None)
        ));
        assert!(matches!(
            check(&compare(&shipped, &policy("a", 2, "Warn")), &none, None, now),
            (PolicyIntegrity::Violated(_), None)
        ));
    }

    /// The moment of the last good check, and a later one.
    fn times() -> (Timestamp, Timestamp) {
        (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"))
    }

    #[test]
    fn a_policy_replaced_between_checks_invalidates_decisions() {
        let (shipped, none, (first, later)) = (policy("", 0, "Deny"), Release::new(), times());
        let record = check(&compare(&shipped, &policy("a", 1, "Deny")), &none, None, first).1.unwrap();
        let again = |live: &BTreeMap<String, Value>, released: &Release| {
            check(&compare(&shipped, live), released, Some(&record), later).0
        };
        for released in [none, release(&shipped)] {
            assert_eq!(again(&policy("a", 1, "Deny"), &released), PolicyIntegrity::Intact { since: first });
            assert_eq!(
                again(&policy("b", 1, "Deny"), &released),
                PolicyIntegrity::Intact { since: later },
                "replaced"
            );
            assert_eq!(
                again(&policy("a", 3, "Deny"), &released),
                PolicyIntegrity::Intact { since: later },
                "and back"
            );
        }
    }

    #[test]
    fn a_recorded_upgrade_in_place_keeps_decisions_valid() {
        let (old, new, (first, later)) = (policy("a", 1, "Deny"), policy("a", 2, "Audit"), times());
        let record = check(&compare(&old, &old), &Release::new(), None, first).1.unwrap();
        let say = |ships: &BTreeMap<String, Value>, live: &BTreeMap<String, Value>, released: &Release| {
            check(&compare(ships, live), released, Some(&record), later)
        };
        let released = release(&new);
        for binary in [&old, &new] {
            // Both binaries run for a while. Unrecorded, the same is an alteration and ends the record.
            assert_eq!(say(binary, &new, &released).0, PolicyIntegrity::Intact { since: first });
            assert_eq!(say(&old, &new, &Release::new()), (PolicyIntegrity::Violated(altered()), None));
        }
        // The new binary is there before its policies: no gate opens, and nothing is voided.
        assert_eq!(say(&new, &old, &released), (PolicyIntegrity::Violated(altered()), Some(record.clone())));
        // A release that brings one more, which is not there yet; and one that takes the only one away.
        let mut more = new.clone();
        more.insert("ValidatingAdmissionPolicy/q".to_owned(), json!({}));
        assert_eq!(say(&more, &new, &release(&more)).1, Some(record.clone()));
        let other = Release::from([("x".to_owned(), String::new())]);
        assert_eq!(say(&old, &BTreeMap::new(), &other).1, Some(record.clone()));
        assert_eq!(say(&old, &BTreeMap::new(), &released).1, None, "missing, and not by the release");
        assert_eq!(say(&old, &BTreeMap::new(), &Release::new()).1, None, "missing");
    }

    fn altered() -> Vec<PolicyViolation> {
        let defect = Defect::Altered("spec.validationActions[0]".to_owned());
        vec![PolicyViolation { object: "ValidatingAdmissionPolicyBinding/p".to_owned(), defect }]
    }

    #[test]
    fn canonical_form_ignores_white_space_outside_of_quotes() {
        assert_eq!(squeeze("a\n\n  && b "), "a && b");
        assert_ne!(squeeze("x == 'a b'"), squeeze("x == 'a  b'"));
    }

    #[test]
    fn canonical_form_ignores_api_server_defaults_only() {
        let shipped = json!({ "kind": "ValidatingAdmissionPolicy", "spec": { "matchConstraints": { "resourceRules": [{ "resources": ["a"] }] } } });
        let mut live = shipped.clone();
        live["spec"]["matchConstraints"]["matchPolicy"] = json!("Equivalent");
        live["spec"]["matchConstraints"]["namespaceSelector"] = json!({});
        live["spec"]["matchConstraints"]["resourceRules"][0]["scope"] = json!("*");
        assert_eq!(canonical(&shipped), canonical(&live));
        live["spec"]["matchConstraints"]["namespaceSelector"] = json!({ "matchLabels": { "a": "b" } });
        assert_ne!(canonical(&shipped), canonical(&live));
    }

    /// An operator of 0.1.0 stored the instant under another name: an upgrade is no gap.
    #[test]
    fn a_record_of_an_earlier_version_is_read() {
        let stored = json!({ "sealedSince": "2026-03-10T01:30:00Z", "pins": {} });
        let record: Record = serde_json::from_value(stored).unwrap();
        assert_eq!(record.intact_since, Some("2026-03-10T01:30:00Z".parse::<Timestamp>().unwrap().into()));
    }
}
