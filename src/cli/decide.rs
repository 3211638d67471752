//! `approve`, `reject`, `return`, `clear-void`: the authority's word, on exactly what was shown (Art. 12, 15, 16, 18).

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::almanac::Almanac;
use super::ask::confirm;
use super::error::CliError;
use super::output::Lang;
use super::record::{Kind, Record, Target};
use super::send::send;
use super::session::Session;
use super::show::{self, Part, sheet_of};
use super::words::{self, terms};
use govcloud_api::condition::ConditionStatus;
use govcloud_api::keys;
use govcloud_api::record::Verdict;

/// What is decided on, and how.
#[derive(Args, Debug)]
pub struct DecideCommand {
    /// KIND/NAME,如 capp/travel / such as capp/travel
    #[arg(value_name = "KIND/NAME")]
    target: String,
    /// 审核意见;不同意或退回须说明理由 / the opinion; required to reject or return
    #[arg(long, value_name = "TEXT")]
    opinion: Option<String>,
    /// 只在仍为所审版次时办理 / only if it is still the generation that you reviewed
    #[arg(long, value_name = "N")]
    generation: Option<i64>,
    /// 不再询问 / do not ask
    #[arg(short, long)]
    yes: bool,
}

/// `approve` has one flag more.
#[derive(Args, Debug)]
pub struct ApproveCommand {
    #[command(flatten)]
    decide: DecideCommand,
    /// 重新接管的已有命名空间的 UID / UIDs of existing namespaces that a recreated record takes back
    #[arg(long, value_name = "UID,…", value_delimiter = ',')]
    reattach: Vec<String>,
}

/// Which record's void decision is removed.
#[derive(Args, Debug)]
pub struct ClearVoidCommand {
    /// KIND/NAME,如 capp/travel / such as capp/travel
    #[arg(value_name = "KIND/NAME")]
    target: String,
    /// 不再询问 / do not ask
    #[arg(short, long)]
    yes: bool,
}

impl ApproveCommand {
    /// Approves.
    ///
    /// # Errors
    /// See [`DecideCommand::run`].
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        if let Some(wrong) = self.reattach.iter().find(|u| !is_uid(u)) {
            return Err(CliError::Usage(words::bad_uid(session.lang, wrong)));
        }
        self.decide.decide(session, Verdict::Approved, &self.reattach, out).await
    }
}

impl DecideCommand {
    /// What can be said to be wrong without a cluster.
    ///
    /// # Errors
    /// A missing opinion, a target that is none.
    pub fn check(&self, verdict: Verdict, lang: Lang) -> Result<(), CliError> {
        Target::parse_decided(&self.target, lang)?;
        if verdict != Verdict::Approved && self.said().is_none() {
            let verb = if verdict == Verdict::Rejected { "reject" } else { "return" };
            return Err(CliError::Usage(words::opinion_required(lang, verb)));
        }
        Ok(())
    }

    /// Rejects or returns.
    ///
    /// # Errors
    /// What was asked is wrong, the record changed since it was shown, nobody said yes, or the API server refuses.
    pub async fn run(
        self,
        session: &Session,
        verdict: Verdict,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        self.decide(session, verdict, &[], out).await
    }

    fn said(&self) -> Option<&str> {
        self.opinion.as_deref().map(str::trim).filter(|o| !o.is_empty())
    }

    async fn decide(
        self,
        session: &Session,
        verdict: Verdict,
        reattach: &[String],
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        let lang = session.lang;
        self.check(verdict, lang)?;
        let record = session.get(&Target::parse_decided(&self.target, lang)?).await?;
        let almanac = Almanac::read(session).await?;
        let me = session.whoami().await?;
        out.write_all(
            show::text(&sheet_of(session, &record, &almanac).await, lang, Part::Matter).as_bytes(),
        )?;
        let said = terms::verdict(lang, verdict);
        writeln!(out, "\n{}", words::deciding(lang, said, &record.target))?;
        if verdict != Verdict::Returned {
            writeln!(out, "{}", words::final_note(lang, said))?;
        }
        out.flush()?;
        if let Some(asked) = self.generation.filter(|g| *g != record.generation()) {
            return Err(CliError::failed(words::other_generation(lang, asked, record.generation())));
        }
        let body = decision(&record, verdict, self.said(), reattach, &me);
        // A refusal is told before anybody is asked to think it over.
        for rehearse in [true, false] {
            if let Err(error) = send(session, &record, &body, rehearse).await? {
                return Err(explain(session, &record, &almanac, verdict, &me, error).await);
            }
            if rehearse {
                confirm(self.yes, None, lang)?;
            }
        }
        Ok(writeln!(out, "{}", words::decided(lang, &record.target, record.generation(), said, me))?)
    }
}

/// The one patch that a decision is. What it does not say is removed, so that nothing of an earlier return stays.
fn decision(
    record: &Record,
    verdict: Verdict,
    opinion: Option<&str>,
    reattach: &[String],
    me: &str,
) -> Value {
    let word = match verdict {
        Verdict::Approved => "approved",
        Verdict::Rejected => "rejected",
        Verdict::Returned => "returned",
    };
    json!({ "metadata": { "annotations": {
        keys::DECISION: word,
        keys::REVIEWED_GENERATION: record.generation().to_string(),
        keys::OPINION: opinion,
        keys::REATTACH: (!reattach.is_empty()).then(|| reattach.join(",")),
        keys::DECIDED_BY: me,
    } } })
}

impl ClearVoidCommand {
    /// Removes a decision that the operator marked void, so that it can be made anew.
    ///
    /// # Errors
    /// No void decision stands, the record changed since it was shown, or the API server refuses.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get(&Target::parse_decided(&self.target, lang)?).await?;
        let Some(why) = record.life.decision.as_ref().and_then(|d| d.void.as_deref()) else {
            return Err(CliError::failed(words::not_void(lang, &record.target)));
        };
        writeln!(out, "{}", words::clearing(lang, &record.target, lang.half(why)))?;
        out.flush()?;
        let none = Value::Null;
        let body = json!({ "metadata": { "annotations": {
            keys::DECISION: none, keys::REVIEWED_GENERATION: none, keys::OPINION: none, keys::REATTACH: none, keys::DECIDED_BY: none,
        } } });
        for rehearse in [true, false] {
            if let Err(error) = send(session, &record, &body, rehearse).await? {
                let refused = session.explain(error);
                return Err(
                    refused.advise(rights_advice(session, &record, &Almanac::read(session).await?).await)
                );
            }
            if rehearse {
                confirm(self.yes, None, lang)?;
            }
        }
        Ok(writeln!(out, "{}", words::cleared(lang, &record.target))?)
    }
}

/// A refusal, with what to do next as far as the record and the caller's rights tell.
async fn explain(
    session: &Session,
    record: &Record,
    almanac: &Almanac,
    verdict: Verdict,
    me: &str,
    error: kube::Error,
) -> CliError {
    let lang = session.lang;
    let refused = session.explain(error);
    let by_rights = rights_advice(session, record, almanac).await;
    // Who does not decide here is sent to who does, and not to look for a role.
    match refused {
        CliError::Failed { what, .. } if !by_rights.is_empty() => CliError::failed(what).advise(by_rights),
        CliError::Failed { ref next, .. } if !next.is_empty() => refused,
        other if record.requested_by() == me => other.advise([words::next_other_person(lang)]),
        other => other.advise([state_advice(record, verdict, lang)]),
    }
}

/// What the caller's rights on the region tell.
async fn rights_advice(session: &Session, record: &Record, almanac: &Almanac) -> Vec<String> {
    let (lang, region) = (session.lang, record.region());
    if !session.can_on_region("approve", region).await.unwrap_or(true) {
        return vec![words::next_authority(lang, region, almanac.authority(region))];
    }
    if session.is_wildcard_on_region(region).await.unwrap_or(false) {
        return vec![words::next_wildcard(lang, region)];
    }
    Vec::new()
}

/// What the record's state tells.
fn state_advice(record: &Record, verdict: Verdict, lang: Lang) -> String {
    let (target, namespace) = (&record.target, record.namespace());
    if record.life.decision.as_ref().is_some_and(|d| d.void.is_some()) {
        return words::next_clear_void(lang, target, namespace);
    }
    match record.annotation(keys::DECISION) {
        Some("approved" | "rejected") => return words::next_decided(lang, target, namespace),
        Some("returned")
            if record.annotation(keys::REVIEWED_GENERATION) == Some(&record.generation().to_string()) =>
        {
            return words::next_wait_correction(lang);
        }
        _ => {}
    }
    if verdict != Verdict::Approved {
        return words::next_show(lang, target, namespace);
    }
    let valid = record.life.conditions.iter().find(|c| c.type_ == "Valid");
    match valid.map(|c| (c.status, c.observed_generation)) {
        Some((ConditionStatus::False, _)) => words::next_return(lang, target, namespace),
        Some((ConditionStatus::True, Some(seen))) if seen == record.generation() => {
            match record.target.kind {
                Kind::Exit if record.phase() != "AwaitingDecision" => {
                    words::next_consent(lang, &target.name, namespace)
                }
                _ => words::next_show(lang, target, namespace),
            }
        }
        _ => words::next_wait_operator(lang),
    }
}

/// 8-4-4-4-12 hexadecimal digits.
pub(super) fn is_uid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|p| p.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
