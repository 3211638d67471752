//! Writing exactly what was shown: every request carries the UID and the resourceVersion of what was read, and
//! where only the record's upkeep moved in between, it is sent again for the very same content.

use serde_json::{Value, json};

use super::error::CliError;
use super::record::{Record, Target};
use super::session::Session;
use super::words;
use govcloud_api::keys;

/// How often a request is sent again because the operator wrote in between.
const TRIES: usize = 5;

/// Annotations that an act depends on.
const ACTS: [&str; 7] = [
    keys::DECISION,
    keys::REVIEWED_GENERATION,
    keys::OPINION,
    keys::DECIDED_BY,
    keys::REATTACH,
    keys::WITHDRAW,
    keys::REQUESTED_BY,
];

/// Sends `body` for the record as it was shown. With `rehearse`, the API server only says whether it would do it.
///
/// # Errors
/// `Ok(Err(_))` where the API server refuses, for the caller to explain; `Err` for everything else, a record that
/// changed since it was shown included.
pub(super) async fn send(
    session: &Session,
    shown: &Record,
    body: &Value,
    rehearse: bool,
) -> Result<Result<Record, kube::Error>, CliError> {
    let target: &Target = &shown.target;
    let mut version = shown.resource_version().to_owned();
    for _ in 0..TRIES {
        match session.patch(target, &pinned(body, shown.uid(), &version), rehearse).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {
                let now = session.get(target).await?;
                if let Some(what) = changed(shown, &now) {
                    return Err(CliError::failed(words::changed_since(session.lang, what)));
                }
                version = now.resource_version().to_owned();
            }
            Err(e @ kube::Error::Api(_)) => return Ok(Err(e)),
            Err(e) => return Err(session.explain(e)),
            Ok(record) => return Ok(Ok(record)),
        }
    }
    Err(CliError::failed(words::changed_since(session.lang, "resourceVersion")))
}

fn pinned(body: &Value, uid: &str, version: &str) -> Value {
    let mut body = body.clone();
    body["metadata"]["uid"] = json!(uid);
    body["metadata"]["resourceVersion"] = json!(version);
    body
}

/// What of a record is not as it was shown; `None` where only its upkeep moved (clocks, conditions' wording).
fn changed(shown: &Record, now: &Record) -> Option<String> {
    if shown.uid() != now.uid() {
        return Some("uid".to_owned());
    }
    if shown.raw["spec"] != now.raw["spec"] {
        return Some(format!("spec, {} → {}", shown.generation(), now.generation()));
    }
    if let Some(key) = ACTS.into_iter().find(|k| shown.annotation(k) != now.annotation(k)) {
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
        r.life.conditions.iter().find(|c| c.type_ == "Valid").map(|c| (c.status, c.reason.clone()))
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
    fn upkeep_is_no_change_and_everything_else_is() {
        let shown = grant("u", 1, "5", json!({ "phase": "Pending" }));
        let upkeep =
            json!({ "phase": "Pending", "observedAt": "2026-11-23T00:00:00Z", "dueDate": "2026-11-26" });
        assert_eq!(changed(&shown, &grant("u", 1, "5", upkeep)), None);
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
    fn the_request_names_what_was_read() {
        let body = pinned(&json!({ "metadata": { "annotations": { "a": "b" } } }), "u", "7");
        assert_eq!(
            body,
            json!({ "metadata": { "annotations": { "a": "b" }, "uid": "u", "resourceVersion": "7" } })
        );
    }
}
