//! `verify`: compares policies, bindings and CRDs with those that this version ships.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::CliError;
use super::messages::{self, terms};
use super::output::{self, Format, Lang, table};
use super::session::Session;
use govcloud_api::resources::{ADMISSION_POLICIES, CUSTOM_RESOURCE_DEFINITION, ResourceType};
use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::integrity::{self, Defect, PolicyViolation};
use govcloud_domain::release;

/// 核对审批策略和资源类型是否与本版本一致 / check that policies and CRDs are as shipped
#[derive(Args, Debug)]
pub struct VerifyCommand {
    /// 输出格式 / output format
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

/// Returns the resource types that are compared.
fn compared_types() -> impl Iterator<Item = ResourceType> {
    std::iter::once(CUSTOM_RESOURCE_DEFINITION).chain(ADMISSION_POLICIES)
}

/// State of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum State {
    InOrder,
    Missing,
    BeingDeleted,
    Altered,
    /// The API server does not serve this optional kind.
    NotServed,
}

impl State {
    fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::InOrder => lang.pick("一致", "as shipped"),
            Self::Missing => lang.pick("缺失", "missing"),
            Self::BeingDeleted => lang.pick("正在删除", "being deleted"),
            Self::Altered => lang.pick("被改动", "altered"),
            Self::NotServed => lang.pick("不适用", "not served"),
        }
    }

    fn is_ok(self) -> bool {
        matches!(self, Self::InOrder | Self::NotServed)
    }
}

/// Result for one object. The field names are an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    object: String,
    state: State,
    /// Path of the first difference.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

impl VerifyCommand {
    /// Writes the differences to `out`.
    ///
    /// # Errors
    /// Objects that cannot be read; [`CliError::AlreadyReported`] if there are differences.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let shipped = release::shipped().map_err(CliError::failed)?;
        let (mut live, mut unserved) = (BTreeMap::new(), Vec::new());
        for resource in compared_types() {
            let kind = resource.kind;
            match session.list_raw(&resource.api_resource()).await {
                Ok(objects) => live.extend(objects.into_iter().map(|mut o| {
                    o["kind"] = json!(kind);
                    (integrity::key(&o), o)
                })),
                Err(kube::Error::Api(s)) if s.code == 404 && kind.starts_with("Mutating") => {
                    unserved.push(kind)
                }
                Err(e) => return Err(session.explain(e)),
            }
        }
        let findings = compare(&shipped, &live, &unserved, session.now);
        let bad = findings.iter().filter(|f| !f.state.is_ok()).count();
        match self.output {
            Some(format) => output::write(&findings, format, out)?,
            None => out.write_all(text(&findings, bad, lang).as_bytes())?,
        }
        out.flush()?;
        if bad == 0 { Ok(()) } else { Err(CliError::AlreadyReported) }
    }
}

/// Compares each shipped object with the live one, by the rule of the operator.
fn compare(
    shipped: &BTreeMap<String, Value>,
    live: &BTreeMap<String, Value>,
    unserved: &[&str],
    now: Timestamp,
) -> Vec<Finding> {
    let one = |(key, want): (&String, &Value)| {
        let found = live.get(key);
        let (state, place) = match found {
            None if unserved.iter().any(|kind| key.starts_with(&format!("{kind}/"))) => {
                (State::NotServed, None)
            }
            None => (State::Missing, None),
            Some(have) if !have["metadata"]["deletionTimestamp"].is_null() => (State::BeingDeleted, None),
            Some(have) => {
                let (want, have) = (
                    BTreeMap::from([(key.clone(), want.clone())]),
                    BTreeMap::from([(key.clone(), have.clone())]),
                );
                match integrity::check(&want, &have, &integrity::Release::new(), None, now).0 {
                    PolicyIntegrity::Violated(why) => (State::Altered, why.into_iter().find_map(place)),
                    PolicyIntegrity::Intact { .. } | PolicyIntegrity::Unknown => (State::InOrder, None),
                }
            }
        };
        Finding { object: key.clone(), state, place }
    };
    shipped.iter().map(one).collect()
}

/// Returns the path at which an object was altered.
fn place(violation: PolicyViolation) -> Option<String> {
    match violation.defect {
        Defect::Altered(at) => Some(at),
        Defect::Missing | Defect::BeingDeleted => None,
    }
}

fn text(findings: &[Finding], bad: usize, lang: Lang) -> String {
    let rows = findings.iter().map(|f| {
        let state = f.state.text(lang);
        vec![
            f.object.clone(),
            f.place.as_ref().map_or_else(|| state.to_owned(), |p| messages::altered_at(lang, state, p)),
        ]
    });
    let mut text = table(Some(terms::columns(lang, &["object", "state"])), rows, 0);
    if findings.iter().any(|f| f.state == State::NotServed) {
        text += &format!("{}\n", messages::unserved(lang));
    }
    let count = findings.iter().filter(|f| f.state != State::NotServed).count();
    text += &match bad {
        0 => messages::all_in_order(lang, count, env!("CARGO_PKG_VERSION")),
        _ => messages::not_in_order(lang, bad, count),
    };
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T02:00:00Z".parse().unwrap()
    }

    #[test]
    fn verify_names_missing_altered_and_deleted_objects() {
        let shipped = release::shipped().unwrap();
        assert!(compare(&shipped, &shipped, &[], now()).iter().all(|f| f.state == State::InOrder));
        let mut live = shipped.clone();
        live.get_mut("ValidatingAdmissionPolicyBinding/govcloud-decisions").unwrap()["spec"]["validationActions"] =
            json!(["Warn"]);
        live.get_mut("ValidatingAdmissionPolicy/govcloud-filing").unwrap()["metadata"]["deletionTimestamp"] =
            json!("2026-11-23T01:00:00Z");
        live.remove("ValidatingAdmissionPolicy/govcloud-status");
        let wrong: Vec<Finding> =
            compare(&shipped, &live, &[], now()).into_iter().filter(|f| !f.state.is_ok()).collect();
        insta::assert_snapshot!(text(&wrong, 3, Lang::Zh) + &text(&wrong, 3, Lang::En));
    }

    #[test]
    fn verify_accepts_unserved_mutating_policies() {
        let shipped = release::shipped().unwrap();
        let mut live = shipped.clone();
        live.retain(|k, _| !k.starts_with("Mutating"));
        let unserved = ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"];
        let findings = compare(&shipped, &live, &unserved, now());
        assert!(findings.iter().all(|f| f.state.is_ok()));
        assert!(text(&findings, 0, Lang::En).contains("before 1.36"));
        assert!(
            compare(&shipped, &live, &[], now()).iter().any(|f| f.state == State::Missing),
            "served and not there is missing"
        );
    }
}
