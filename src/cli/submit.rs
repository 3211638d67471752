//! Submits a patch for exactly the record that was shown. Each request carries its UID and resourceVersion. If only
//! fields changed that the operator maintains, the request is sent again for the same content. The response is compared
//! with what was sent, because a mutating policy or webhook of others can rewrite a request.

use json_patch::merge;
use serde_json::{Map, Value, json};

use super::error::CliError;
use super::messages;
use super::output::Lang;
use super::record::{Record, Target};
use super::session::Session;
use govcloud_api::keys;

/// Number of attempts if the operator writes in between.
const TRIES: usize = 5;

/// Annotations that a decision depends on.
const DECISION_KEYS: [&str; 8] = [
    keys::DECISION,
    keys::REVIEWED_GENERATION,
    keys::OPINION,
    keys::DECIDED_BY,
    keys::REATTACH,
    keys::ADOPT,
    keys::WITHDRAW,
    keys::REQUESTED_BY,
];

/// Annotations that are compared with what was sent: those of a decision, and of a consent.
const COMPARED_KEYS: [&str; 9] = [
    keys::DECISION,
    keys::REVIEWED_GENERATION,
    keys::OPINION,
    keys::DECIDED_BY,
    keys::REATTACH,
    keys::ADOPT,
    keys::WITHDRAW,
    keys::REQUESTED_BY,
    keys::CONSENTED_BY,
];

/// Patches the record as it was shown. With `dry_run`, the API server only checks the request.
///
/// # Errors
/// `Ok(Err(_))` if the API server refuses, for the caller to explain. `Err` for everything else, for instance a record
/// that changed since it was shown, or one that was stored other than it was sent.
pub(super) async fn submit(
    session: &Session,
    shown: &Record,
    body: &Value,
    dry_run: bool,
) -> Result<Result<Record, kube::Error>, CliError> {
    let target: &Target = &shown.target;
    let mut version = shown.resource_version().to_owned();
    for _ in 0..TRIES {
        match session.patch(target, &with_preconditions(body, shown.uid(), &version), dry_run).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {
                let now = session.get(target).await?;
                if let Some(what) = changed(shown, &now) {
                    return Err(CliError::failed(messages::changed_since(session.lang, what)));
                }
                version = now.resource_version().to_owned();
            }
            Err(e @ kube::Error::Api(_)) => return Ok(Err(e)),
            Err(e) => return Err(session.explain(e)),
            Ok(stored) => {
                return match rewritten(shown, body, &stored) {
                    Some(rewrite) => Err(rewrite.error(session.lang, dry_run)),
                    None => Ok(Ok(stored)),
                };
            }
        }
    }
    Err(CliError::failed(messages::changed_since(session.lang, "resourceVersion")))
}

/// A field that was stored other than it was sent.
#[derive(Debug, PartialEq, Eq)]
struct Rewrite {
    field: String,
    sent: String,
    stored: String,
}

impl Rewrite {
    fn error(&self, lang: Lang, dry_run: bool) -> CliError {
        let Self { field, sent, stored } = self;
        let message = match dry_run {
            true => messages::would_be_rewritten(lang, field, sent, stored),
            false => messages::was_rewritten(lang, field, sent, stored),
        };
        CliError::failed(message).advise([messages::next_verify(lang), messages::next_report(lang)])
    }
}

/// The first field of the spec and of the annotations of decisions and consents that is not as the patch makes it.
fn rewritten(shown: &Record, body: &Value, stored: &Record) -> Option<Rewrite> {
    let compared = |raw: &Value| {
        let of = &raw["metadata"]["annotations"];
        let annotations = COMPARED_KEYS.iter().filter_map(|k| Some(((*k).to_owned(), of.get(k)?.clone())));
        json!({ "metadata": { "annotations": annotations.collect::<Map<_, _>>() }, "spec": raw["spec"] })
    };
    let mut sent = compared(&shown.raw);
    merge(&mut sent, body);
    difference(&sent, &compared(&stored.raw), "")
}

/// The first difference of two values, by the order of their fields.
fn difference(sent: &Value, stored: &Value, at: &str) -> Option<Rewrite> {
    if let (Value::Object(a), Value::Object(b)) = (sent, stored) {
        let fields: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
        return fields.into_iter().find_map(|field| {
            difference(&sent[field.as_str()], &stored[field.as_str()], &format!("{at}/{field}"))
        });
    }
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    (sent != stored).then(|| Rewrite {
        field: at.trim_start_matches("/metadata/annotations").trim_start_matches('/').to_owned(),
        sent: text(sent),
        stored: text(stored),
    })
}

fn with_preconditions(body: &Value, uid: &str, version: &str) -> Value {
    let mut body = body.clone();
    body["metadata"]["uid"] = json!(uid);
    body["metadata"]["resourceVersion"] = json!(version);
    body
}

/// Names what changed since the record was shown; `None` if only clocks or texts of conditions did.
fn changed(shown: &Record, now: &Record) -> Option<String> {
    if shown.uid() != now.uid() {
        return Some("uid".to_owned());
    }
    if shown.raw["spec"] != now.raw["spec"] {
        return Some(format!("spec, {} → {}", shown.generation(), now.generation()));
    }
    if let Some(key) = DECISION_KEYS.into_iter().find(|k| shown.annotation(k) != now.annotation(k)) {
        return Some(format!("{key}={}", now.annotation(key).unwrap_or_default()));
    }
    if shown.phase() != now.phase() {
        return Some(format!("phase, {} → {}", shown.phase(), now.phase()));
    }
    let parts = ["/status/decision", "/status/inventory/digest"];
    if let Some(part) = parts.into_iter().find(|p| shown.raw.pointer(p) != now.raw.pointer(p)) {
        return Some(part[1..].replace('/', "."));
    }
    let valid = |r: &Record| {
        r.status.conditions.iter().find(|c| c.type_ == "Valid").map(|c| (c.status, c.reason.clone()))
    };
    (valid(shown) != valid(now)).then(|| "Valid".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::record::Kind;
    use super::*;

    fn grant(uid: &str, generation: i64, quota: &str, status: Value) -> Record {
        let raw = json!({
            "metadata": { "name": "travel", "namespace": "dept", "uid": uid, "generation": generation, "resourceVersion": "1" },
            "spec": { "region": "410000", "application": { "name": "travel", "uid": "a" },
                "approved": { "kind": "CloudApplication", "name": "travel", "uid": "a", "generation": 1, "digest": "sha256:0" },
                "namespaces": [{ "name": "prod", "quota": { "pods": quota } }] },
            "status": status,
        });
        Record::read(Kind::Grant, raw, Lang::En).unwrap()
    }

    #[test]
    fn changed_ignores_clocks_and_due_dates() {
        let shown = grant("u", 1, "5", json!({ "phase": "Pending" }));
        let clocks =
            json!({ "phase": "Pending", "observedAt": "2026-11-23T00:00:00Z", "dueDate": "2026-11-26" });
        assert_eq!(changed(&shown, &grant("u", 1, "5", clocks)), None);
        assert_eq!(
            changed(&shown, &grant("u", 2, "6", json!({ "phase": "Pending" }))).as_deref(),
            Some("spec, 1 → 2")
        );
        assert_eq!(
            changed(&shown, &grant("v", 1, "5", json!({ "phase": "Pending" }))).as_deref(),
            Some("uid")
        );
        assert_eq!(
            changed(&shown, &grant("u", 1, "5", json!({ "phase": "Active" }))).as_deref(),
            Some("phase, Pending → Active")
        );
    }

    #[test]
    fn with_preconditions_adds_uid_and_resource_version() {
        let body = with_preconditions(&json!({ "metadata": { "annotations": { "a": "b" } } }), "u", "7");
        assert_eq!(
            body,
            json!({ "metadata": { "annotations": { "a": "b" }, "uid": "u", "resourceVersion": "7" } })
        );
    }

    #[test]
    fn s7_rewritten_names_what_was_stored_other_than_it_was_sent() {
        let with = |annotations: Value, quota: &str| {
            let mut raw = grant("u", 1, quota, json!({})).raw;
            raw["metadata"]["annotations"] = annotations;
            Record::read(Kind::Grant, raw, Lang::En).unwrap()
        };
        let shown = with(json!({ "govcloud.dev/requested-by": "zhang", "govcloud.dev/opinion": "旧" }), "5");
        let body = json!({ "metadata": { "annotations": {
            "govcloud.dev/decision": "returned", "govcloud.dev/decided-by": "li", "govcloud.dev/opinion": null,
        } } });
        let stored = |change: Value| {
            let mut annotations = json!({
                "govcloud.dev/requested-by": "zhang", "govcloud.dev/decision": "returned", "govcloud.dev/decided-by": "li",
                "example.org/other": "of somebody else",
            });
            merge(&mut annotations, &change);
            with(annotations, "5")
        };
        assert_eq!(rewritten(&shown, &body, &stored(json!({}))), None);
        for (key, sent, found) in [
            ("govcloud.dev/decision", "returned", json!("approved")),
            ("govcloud.dev/decided-by", "li", json!("wang")),
            ("govcloud.dev/opinion", "null", json!("同意")),
            ("govcloud.dev/reattach", "null", json!("u1")),
            ("govcloud.dev/decision", "returned", Value::Null),
        ] {
            let found_text = found.as_str().map_or_else(|| "null".to_owned(), str::to_owned);
            let rewrite = Rewrite { field: key.to_owned(), sent: sent.to_owned(), stored: found_text };
            assert_eq!(rewritten(&shown, &body, &stored(json!({ key: found }))), Some(rewrite));
        }
        let annotations = stored(json!({})).raw["metadata"]["annotations"].clone();
        let rewrite = rewritten(&shown, &body, &with(annotations, "500")).unwrap();
        assert!(rewrite.field.starts_with("spec/namespaces"), "{rewrite:?}");
    }
}
