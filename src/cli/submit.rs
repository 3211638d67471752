//! Submits a patch for exactly the record that was shown. Each request carries its UID and resourceVersion. If only
//! fields changed that the operator maintains, the request is sent again for the same content.

use serde_json::{Value, json};

use super::error::CliError;
use super::messages;
use super::record::{Record, Target};
use super::session::Session;
use govcloud_api::keys;

/// Number of attempts if the operator writes in between.
const TRIES: usize = 5;

/// Annotations that a decision depends on.
const DECISION_KEYS: [&str; 7] = [
    keys::DECISION,
    keys::REVIEWED_GENERATION,
    keys::OPINION,
    keys::DECIDED_BY,
    keys::REATTACH,
    keys::WITHDRAW,
    keys::REQUESTED_BY,
];

/// Patches the record as it was shown. With `dry_run`, the API server only checks the request.
///
/// # Errors
/// `Ok(Err(_))` if the API server refuses, for the caller to explain. `Err` for everything else, for instance a record
/// that changed since it was shown.
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
            Ok(record) => return Ok(Ok(record)),
        }
    }
    Err(CliError::failed(messages::changed_since(session.lang, "resourceVersion")))
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
    use super::super::output::Lang;
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
}
