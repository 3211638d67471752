//! `verify`: compares policies, bindings and CRDs with those that this version ships, names mutators of others, and asks
//! each API server for the keeper policy. `verify --holders` lists who holds a right that can get around decisions.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::CliError;
use super::messages::{self, terms};
use super::output::{self, Format, Lang, table};
use super::session::Session;
use govcloud_api::resources::{
    ADMISSION_POLICIES, CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, MUTATING_WEBHOOK_CONFIGURATION, ResourceType,
};
use govcloud_domain::integrity::{self, Defect};
use govcloud_domain::mutators::{self, AllowedMutators};
use govcloud_domain::release;

mod api_servers;
mod holders;

/// 核对审批策略、资源类型和可改写请求的他方策略 / check policies and CRDs, and who else can rewrite requests
#[derive(Args, Debug)]
pub struct VerifyCommand {
    /// 列出持有可绕过审核的权限的账号 / list who holds a right that can get around decisions
    #[arg(long)]
    holders: bool,
    /// 待核查的 API 服务器，默认取自 Service kubernetes / API server to ask; default: those of Service kubernetes
    #[arg(long, value_name = "URL", conflicts_with = "holders")]
    api_server: Vec<String>,
    /// 输出格式 / output format
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

/// Returns the resource types that are compared.
fn compared_types() -> impl Iterator<Item = ResourceType> {
    [CUSTOM_RESOURCE_DEFINITION, MUTATING_WEBHOOK_CONFIGURATION].into_iter().chain(ADMISSION_POLICIES)
}

/// State of one object, or of an API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum State {
    InOrder,
    Missing,
    BeingDeleted,
    Altered,
    /// The API server does not serve this optional kind.
    NotServed,
    /// A mutator of others that the release record does not list as it is.
    Foreign,
    /// A mutator of others that the release record lists.
    Allowed,
    /// The API server has the keeper policy.
    HasKeeper,
    /// The API server lacks the keeper policy: policies can be removed through it.
    LacksKeeper,
    /// Unknown: the caller may not write policies.
    NotKnown,
    /// Unknown: the API server did not answer.
    Unreachable,
}

impl State {
    fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::InOrder => lang.pick("一致", "as shipped"),
            Self::Missing => lang.pick("缺失", "missing"),
            Self::BeingDeleted => lang.pick("正在删除", "being deleted"),
            Self::Altered => lang.pick("被改动", "altered"),
            Self::NotServed => lang.pick("不适用", "not served"),
            Self::Foreign => {
                lang.pick("他方策略，未列入 allowedMutators", "of others, not in allowedMutators")
            }
            Self::Allowed => lang.pick("他方策略，已列入 allowedMutators", "of others, in allowedMutators"),
            Self::HasKeeper => lang.pick("已加载防拆策略", "has the keeper policy"),
            Self::LacksKeeper => lang.pick("未加载防拆策略", "lacks the keeper policy"),
            Self::NotKnown => lang.pick("无权核查防拆策略", "not known: you may not write policies"),
            Self::Unreachable => lang.pick("无法访问", "not reachable"),
        }
    }

    /// Returns true for a shipped object.
    fn is_shipped(self) -> bool {
        matches!(self, Self::InOrder | Self::Missing | Self::BeingDeleted | Self::Altered)
    }

    /// Returns true if decisions count all the same.
    fn is_ok(self) -> bool {
        !matches!(self, Self::Missing | Self::BeingDeleted | Self::Altered | Self::Foreign)
    }
}

/// Result for one object. The field names are an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    object: String,
    state: State,
    /// Path of the first difference; of a mutator, the resource that it can rewrite.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// Of a mutator: its digest, as allowedMutators lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

impl VerifyCommand {
    /// Writes the differences to `out`.
    ///
    /// # Errors
    /// Objects that cannot be read; [`CliError::AlreadyReported`] if there are differences.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        if self.holders {
            return self.list_holders(session, out).await;
        }
        let shipped = release::shipped().map_err(CliError::failed)?;
        let (mut live, unserved) = read_live(session).await?;
        let mut findings = compare(&shipped, &live, &unserved);
        live.retain(|key, _| !shipped.contains_key(key));
        let foreign = mutators::foreign(&live);
        if !foreign.is_empty() {
            findings.extend(judged(foreign, &session.allowed_mutators().await));
        }
        findings.extend(api_servers::findings(session, &self.api_server).await);
        match self.output {
            Some(format) => output::write(&findings, format, out)?,
            None => out.write_all(text(&findings, lang).as_bytes())?,
        }
        out.flush()?;
        let in_order = findings.iter().all(|f| f.state.is_ok()) && !is_half_protected(&findings);
        if in_order { Ok(()) } else { Err(CliError::AlreadyReported) }
    }

    async fn list_holders(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let holders = holders::Rbac::read(session).await?.holders();
        match self.output {
            Some(format) => output::write(&holders, format, out)?,
            None => {
                let columns = terms::columns(session.lang, &["account", "rights", "binding"]);
                let row = |h: holders::Holder| {
                    let rights: Vec<String> = h.rights.into_iter().collect();
                    vec![h.subject, rights.join("\n"), h.binding]
                };
                let text = table(Some(columns), holders.into_iter().map(row), 0);
                writeln!(out, "{text}{}", messages::masters_too(session.lang))?;
            }
        }
        Ok(out.flush()?)
    }
}

/// Reads the live objects by `Kind/name`, and which kinds the API server does not serve.
async fn read_live(session: &Session) -> Result<(BTreeMap<String, Value>, Vec<&'static str>), CliError> {
    let (mut live, mut unserved) = (BTreeMap::new(), Vec::new());
    for resource in compared_types() {
        let kind = resource.kind;
        match session.list_raw(&resource.api_resource()).await {
            Ok(objects) => live.extend(objects.into_iter().map(|mut o| {
                o["kind"] = json!(kind);
                (integrity::key(&o), o)
            })),
            Err(kube::Error::Api(s)) if s.code == 404 && kind.starts_with("Mutating") => unserved.push(kind),
            Err(e) => return Err(session.explain(e)),
        }
    }
    Ok((live, unserved))
}

impl Session {
    /// Mutators that the release record allows; none if it cannot be read.
    async fn allowed_mutators(&self) -> AllowedMutators {
        let maps = self.in_operator_namespace(CONFIG_MAP);
        match maps.get_opt(release::RELEASE).await {
            Ok(Some(map)) => release::read_allowed_mutators(&map.data["data"]),
            Ok(None) | Err(_) => AllowedMutators::new(),
        }
    }
}

/// Findings on the mutators of others.
fn judged(foreign: Vec<mutators::Mutator>, allowed: &AllowedMutators) -> Vec<Finding> {
    let finding = |m: mutators::Mutator| {
        let listed = allowed.get(&m.object) == Some(&m.digest);
        let state = if listed { State::Allowed } else { State::Foreign };
        Finding { object: m.object, state, place: Some(m.touches), digest: Some(m.digest) }
    };
    foreign.into_iter().map(finding).collect()
}

/// Returns true if some API servers have the keeper policy and others do not: those are the way round.
fn is_half_protected(findings: &[Finding]) -> bool {
    let any = |state: State| findings.iter().any(|f| f.state == state);
    any(State::HasKeeper) && any(State::LacksKeeper)
}

/// Compares each shipped object with the live one, by the rule of the operator.
fn compare(
    shipped: &BTreeMap<String, Value>,
    live: &BTreeMap<String, Value>,
    unserved: &[&str],
) -> Vec<Finding> {
    let is_unserved = |key: &str| unserved.iter().any(|kind| key.starts_with(&format!("{kind}/")));
    let one = |(key, defect): (String, Option<Defect>)| {
        let (state, place) = match defect {
            None => (State::InOrder, None),
            Some(Defect::Altered(at)) => (State::Altered, Some(at)),
            Some(Defect::BeingDeleted) => (State::BeingDeleted, None),
            Some(_) if is_unserved(&key) => (State::NotServed, None),
            Some(_) => (State::Missing, None),
        };
        Finding { object: key, state, place, digest: None }
    };
    let compared = integrity::compare(shipped, live).into_iter();
    compared
        .map(|(key, live)| (key, live.map_or(Some(Defect::Missing), |live| live.defect())))
        .map(one)
        .collect()
}

fn text(findings: &[Finding], lang: Lang) -> String {
    let rows = findings.iter().map(|f| {
        let state = f.state.text(lang);
        let details: Vec<&str> = [&f.place, &f.digest].into_iter().flatten().map(String::as_str).collect();
        let state = match details.is_empty() {
            true => state.to_owned(),
            false => messages::altered_at(lang, state, details.join(" ")),
        };
        vec![f.object.clone(), state]
    });
    let mut text = table(Some(terms::columns(lang, &["object", "state"])), rows, 0);
    let count = |state: fn(State) -> bool| findings.iter().filter(|f| state(f.state)).count();
    let mut say = |line: String| text += &format!("{line}\n");
    if count(|s| s == State::NotServed) > 0 {
        say(messages::unserved(lang));
    }
    let shipped = count(State::is_shipped);
    say(match count(|s| s.is_shipped() && !s.is_ok()) {
        0 => messages::all_in_order(lang, shipped, env!("CARGO_PKG_VERSION")),
        bad => messages::not_in_order(lang, bad, shipped),
    });
    match count(|s| s == State::Foreign) {
        0 => {}
        foreign => say(messages::foreign_mutators(lang, foreign)),
    }
    let (with, without) = (count(|s| s == State::HasKeeper), count(|s| s == State::LacksKeeper));
    say(match (with, without) {
        (0, 0) => messages::keeper_not_known(lang),
        (0, _) => messages::no_keeper(lang),
        (with, 0) => messages::keepers(lang, with),
        (with, without) => messages::some_keepers(lang, without, with + without),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verify_names_missing_altered_and_deleted_objects() {
        let shipped = release::shipped().unwrap();
        assert!(compare(&shipped, &shipped, &[]).iter().all(|f| f.state == State::InOrder));
        let mut live = shipped.clone();
        live.get_mut("ValidatingAdmissionPolicyBinding/govcloud-decisions").unwrap()["spec"]["validationActions"] =
            json!(["Warn"]);
        live.get_mut("ValidatingAdmissionPolicy/govcloud-filing").unwrap()["metadata"]["deletionTimestamp"] =
            json!("2026-11-23T01:00:00Z");
        live.remove("ValidatingAdmissionPolicy/govcloud-status");
        let wrong: Vec<Finding> =
            compare(&shipped, &live, &[]).into_iter().filter(|f| !f.state.is_ok()).collect();
        insta::assert_snapshot!(text(&wrong, Lang::Zh) + &text(&wrong, Lang::En));
    }

    #[test]
    fn verify_accepts_unserved_mutating_policies() {
        let shipped = release::shipped().unwrap();
        let mut live = shipped.clone();
        live.retain(|k, _| !k.starts_with("Mutating"));
        let unserved = ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"];
        let findings = compare(&shipped, &live, &unserved);
        assert!(findings.iter().all(|f| f.state.is_ok()));
        assert!(text(&findings, Lang::En).contains("before 1.36"));
        assert!(
            compare(&shipped, &live, &[]).iter().any(|f| f.state == State::Missing),
            "served and not there is missing"
        );
    }

    #[test]
    fn verify_names_mutators_of_others_and_api_servers() {
        let rule = json!({ "apiGroups": ["*"], "operations": ["*"], "resources": ["*"] });
        let hook = |name: &str| json!({ "kind": "MutatingWebhookConfiguration", "metadata": { "name": name }, "webhooks": [{ "name": name, "rules": [rule] }] });
        let live = [hook("a"), hook("b")].map(|o| (integrity::key(&o), o)).into();
        let foreign = mutators::foreign(&live);
        let allowed = AllowedMutators::from([(foreign[1].object.clone(), foreign[1].digest.clone())]);
        let mut findings = judged(foreign, &allowed);
        assert_eq!(findings.iter().map(|f| f.state.is_ok()).collect::<Vec<_>>(), [false, true]);
        let server = |n: u8, state: State| Finding {
            object: format!("APIServer/https://10.0.0.{n}:6443"),
            state,
            place: None,
            digest: None,
        };
        findings.extend([
            server(1, State::HasKeeper),
            server(2, State::LacksKeeper),
            server(3, State::Unreachable),
        ]);
        assert!(
            is_half_protected(&findings)
                && !is_half_protected(&findings[..3])
                && !is_half_protected(&findings[3..])
        );
        insta::assert_snapshot!(text(&findings, Lang::Zh) + &text(&findings, Lang::En));
        let none = [server(1, State::LacksKeeper)];
        insta::assert_snapshot!("verify_names_no_keeper", text(&none, Lang::Zh) + &text(&none, Lang::En));
    }
}
