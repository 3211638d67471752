//! `approve`, `reject`, `return`, `clear-void`: decisions of the authority on exactly what was shown (Art. 12, 15, 16, 18).

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::error::CliError;
use super::inventory_totals::InventoryTotals;
use super::messages::{self, terms};
use super::output::{Lang, escape_controls};
use super::prompt::Confirmation;
use super::record::{Body, Kind, Record, Target};
use super::region_calendars::RegionCalendars;
use super::session::Session;
use super::show::{self, Part, details_of};
use super::submit::submit;
use super::wait::{Recorded, WaitArguments};
use govcloud_api::condition::ConditionStatus;
use govcloud_api::keys;
use govcloud_api::record::Verdict;

/// Arguments of `reject` and `return`.
#[derive(Args, Debug)]
pub struct DecideCommand {
    /// KIND/NAME，如 capp/travel / such as capp/travel
    #[arg(value_name = "KIND/NAME")]
    target: String,
    /// 审核意见；不同意、退回的须填写 / opinion; required by reject and return
    #[arg(long, value_name = "TEXT")]
    opinion: Option<String>,
    /// 所审核的是第几次提交稿；内容有变动时不予提交 / reviewed generation; fails if the record has another one
    #[arg(long, value_name = "N")]
    generation: Option<i64>,
    #[command(flatten)]
    confirmation: Confirmation,
    /// 审批策略不完整时仍然提交（结论不生效）/ submit while policies are incomplete, although it will not count
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: WaitArguments,
}

/// Arguments of `approve`.
#[derive(Args, Debug)]
pub struct ApproveCommand {
    #[command(flatten)]
    decide: DecideCommand,
    /// 恢复关联的命名空间的 UID / UIDs of namespaces that a recreated record reattaches
    #[arg(long, value_name = "UID,…", value_delimiter = ',')]
    reattach: Vec<String>,
    /// 纳管的命名空间的 UID（第三条）/ UIDs of running systems' namespaces that the application adopts (Art. 3)
    #[arg(long, value_name = "UID,…", value_delimiter = ',')]
    adopt: Vec<String>,
}

/// Namespaces that an approval names, by UID.
#[derive(Clone, Copy, Debug, Default)]
struct Named<'a> {
    reattach: &'a [String],
    adopt: &'a [String],
}

/// Arguments of `clear-void`.
#[derive(Args, Debug)]
pub struct ClearVoidCommand {
    /// KIND/NAME，如 capp/travel / such as capp/travel
    #[arg(value_name = "KIND/NAME")]
    target: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    wait: WaitArguments,
}

impl ApproveCommand {
    /// Approves the record.
    ///
    /// # Errors
    /// See [`DecideCommand::run`].
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        if let Some(wrong) = self.reattach.iter().chain(&self.adopt).find(|u| !is_uid(u)) {
            return Err(CliError::Usage(messages::bad_uid(session.lang, wrong)));
        }
        let named = Named { reattach: &self.reattach, adopt: &self.adopt };
        self.decide.decide(session, Verdict::Approved, named, out).await
    }
}

impl DecideCommand {
    /// Checks the arguments without a cluster.
    ///
    /// # Errors
    /// A missing opinion, or an invalid target.
    pub fn check(&self, verdict: Verdict, lang: Lang) -> Result<(), CliError> {
        Target::parse_decided(&self.target, lang)?;
        if verdict != Verdict::Approved && self.opinion().is_none() {
            let verb = if verdict == Verdict::Rejected { "reject" } else { "return" };
            return Err(CliError::Usage(messages::opinion_required(lang, verb)));
        }
        Ok(())
    }

    /// Rejects or returns the record.
    ///
    /// # Errors
    /// Invalid arguments, a record that changed since it was shown, no confirmation, or a refusal by the API server.
    pub async fn run(
        self,
        session: &Session,
        verdict: Verdict,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        self.decide(session, verdict, Named::default(), out).await
    }

    fn opinion(&self) -> Option<&str> {
        self.opinion.as_deref().map(str::trim).filter(|o| !o.is_empty())
    }

    async fn decide(
        self,
        session: &Session,
        verdict: Verdict,
        named: Named<'_>,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        let lang = session.lang;
        self.check(verdict, lang)?;
        let record = session.get(&Target::parse_decided(&self.target, lang)?).await?;
        let calendars = RegionCalendars::read(session).await?;
        let me = session.whoami().await?;
        out.write_all(
            show::text(&details_of(session, &record, &calendars).await, lang, Part::Reviewed).as_bytes(),
        )?;
        writeln!(out, "\n{}", announcement(&record, verdict, self.opinion(), lang))?;
        out.flush()?;
        if let Some(reviewed) = self.generation.filter(|g| *g != record.generation()) {
            return Err(CliError::failed(messages::other_generation(lang, reviewed, record.generation())));
        }
        refuse_void(&record, self.force, lang)?;
        let body = decision(&record, verdict, self.opinion(), named, &me);
        // A refusal is reported before the confirmation prompt.
        for dry_run in [true, false] {
            let stored = match submit(session, &record, &body, dry_run).await? {
                Ok(stored) => stored,
                Err(error) => {
                    return Err(explain(session, &record, &calendars, verdict, &me, error).await);
                }
            };
            if dry_run {
                if self.confirmation.only_checks() {
                    return Ok(writeln!(out, "{}", messages::only_checked(lang, &record.target))?);
                }
                self.confirmation.ask(None, lang)?;
            } else if stored.resource_version() == record.resource_version() {
                let advice = state_advice(&record, verdict, lang);
                return Err(
                    CliError::failed(messages::nothing_changed(lang, &record.target)).advise([advice])
                );
            }
        }
        self.conclude(session, &record, verdict, &me, out).await
    }

    /// Waits until the decision is recorded, and reports it.
    async fn conclude(
        &self,
        session: &Session,
        record: &Record,
        verdict: Verdict,
        me: &str,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        let (lang, generation) = (session.lang, record.generation());
        let verdict_name = terms::verdict(lang, verdict);
        let recorded = |now: &Record| match Recorded::of(now, verdict, generation, me) {
            Recorded::Pending => None,
            recorded => Some(recorded),
        };
        match self.wait.until(session, record, recorded).await? {
            None => Ok(writeln!(out, "{}", messages::submitted(lang, &record.target, verdict_name))?),
            Some(Recorded::Void(why)) => {
                let next = messages::next_clear_void(lang, &record.target, record.namespace());
                let why = lang.half(&why);
                Err(CliError::failed(messages::recorded_void(lang, &record.target, why)).advise([next]))
            }
            Some(_) => Ok(writeln!(
                out,
                "{}",
                messages::decided(lang, &record.target, generation, verdict_name, me)
            )?),
        }
    }
}

/// Formats what is about to be submitted: the verdict, the opinion, and what an approved exit does to the data.
fn announcement(record: &Record, verdict: Verdict, opinion: Option<&str>, lang: Lang) -> String {
    let verdict_name = terms::verdict(lang, verdict);
    let mut lines = vec![messages::deciding(lang, verdict_name, &record.target)];
    lines.push(match opinion {
        Some(opinion) => messages::with_opinion(lang, escape_controls(opinion)),
        None => messages::without_opinion(lang),
    });
    if let (Verdict::Approved, Body::Exit(exit)) = (verdict, &record.body)
        && let Some(inventory) = exit.status.as_ref().and_then(|s| s.inventory.as_ref())
    {
        lines.push(InventoryTotals::of(inventory).text(lang));
    }
    if verdict != Verdict::Returned {
        lines.push(messages::final_note(lang, verdict_name));
    }
    lines.join("\n")
}

/// Refuses what would not count: over an invalid decision, and while the policies are incomplete.
fn refuse_void(record: &Record, force: bool, lang: Lang) -> Result<(), CliError> {
    let (target, namespace) = (&record.target, record.namespace());
    if let Some(why) = record.status.decision.as_ref().and_then(|d| d.void.as_deref()) {
        let next = messages::next_clear_void(lang, target, namespace);
        return Err(CliError::failed(messages::void_stands(lang, target, lang.half(why))).advise([next]));
    }
    match record.violation() {
        Some(c) if !force => {
            let message = messages::would_not_count(lang, target, lang.half(&c.message));
            Err(CliError::failed(message).advise([messages::next_policies(lang)]))
        }
        _ => Ok(()),
    }
}

/// Builds the patch of a decision. It removes the annotations of an earlier return.
fn decision(record: &Record, verdict: Verdict, opinion: Option<&str>, named: Named<'_>, me: &str) -> Value {
    let value: &str = verdict.into();
    let list = |uids: &[String]| (!uids.is_empty()).then(|| uids.join(","));
    json!({ "metadata": { "annotations": {
        keys::DECISION: value,
        keys::REVIEWED_GENERATION: record.generation().to_string(),
        keys::OPINION: opinion,
        keys::REATTACH: list(named.reattach),
        keys::ADOPT: list(named.adopt),
        keys::DECIDED_BY: me,
    } } })
}

impl ClearVoidCommand {
    /// Removes a decision that the operator marked invalid, so that a new decision is possible.
    ///
    /// # Errors
    /// No invalid decision, a record that changed since it was shown, or a refusal by the API server.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get(&Target::parse_decided(&self.target, lang)?).await?;
        let Some(why) = record.status.decision.as_ref().and_then(|d| d.void.as_deref()) else {
            return Err(CliError::failed(messages::not_void(lang, &record.target)));
        };
        writeln!(out, "{}", messages::clearing(lang, &record.target, lang.half(why)))?;
        out.flush()?;
        let none = Value::Null;
        let body = json!({ "metadata": { "annotations": {
            keys::DECISION: none, keys::REVIEWED_GENERATION: none, keys::OPINION: none, keys::REATTACH: none,
            keys::ADOPT: none, keys::DECIDED_BY: none,
        } } });
        for dry_run in [true, false] {
            if let Err(error) = submit(session, &record, &body, dry_run).await? {
                let refused = session.explain(error);
                return Err(refused
                    .advise(rights_advice(session, &record, &RegionCalendars::read(session).await?).await));
            }
            if dry_run {
                if self.confirmation.only_checks() {
                    return Ok(writeln!(out, "{}", messages::only_checked(lang, &record.target))?);
                }
                self.confirmation.ask(None, lang)?;
            }
        }
        let gone = |now: &Record| now.status.decision.is_none().then_some(());
        match self.wait.until(session, &record, gone).await? {
            Some(()) => Ok(writeln!(out, "{}", messages::cleared(lang, &record.target))?),
            None => Ok(writeln!(out, "{}", messages::clear_submitted(lang, &record.target))?),
        }
    }
}

/// Adds the next step to a refusal, from the record and the caller's rights.
async fn explain(
    session: &Session,
    record: &Record,
    calendars: &RegionCalendars,
    verdict: Verdict,
    me: &str,
    error: kube::Error,
) -> CliError {
    let lang = session.lang;
    let refused = session.explain(error);
    let by_rights = rights_advice(session, record, calendars).await;
    // A caller who is not the approver of this region is referred to its authority, not to a role.
    match refused {
        CliError::Failed { message, .. } if !by_rights.is_empty() => {
            CliError::failed(message).advise(by_rights)
        }
        CliError::Failed { ref next, .. } if !next.is_empty() => refused,
        other if record.requested_by() == me => other.advise([messages::next_other_person(lang)]),
        other => other.advise([state_advice(record, verdict, lang)]),
    }
}

/// Derives the next step from the caller's rights on the region.
async fn rights_advice(session: &Session, record: &Record, calendars: &RegionCalendars) -> Vec<String> {
    let (lang, region) = (session.lang, record.region());
    if !session.can_on_region("approve", region).await.unwrap_or(true) {
        return vec![messages::next_authority(lang, region, calendars.authority(region))];
    }
    if session.is_wildcard_on_region(region).await.unwrap_or(false) {
        return vec![messages::next_wildcard(lang, region)];
    }
    Vec::new()
}

/// Derives the next step from the state of the record.
fn state_advice(record: &Record, verdict: Verdict, lang: Lang) -> String {
    let (target, namespace) = (&record.target, record.namespace());
    if record.status.decision.as_ref().is_some_and(|d| d.void.is_some()) {
        return messages::next_clear_void(lang, target, namespace);
    }
    match record.annotation(keys::DECISION) {
        Some("approved" | "rejected") => return messages::next_decided(lang, target, namespace),
        Some("returned")
            if record.annotation(keys::REVIEWED_GENERATION) == Some(&record.generation().to_string()) =>
        {
            return messages::next_wait_correction(lang);
        }
        _ => {}
    }
    if verdict != Verdict::Approved {
        return messages::next_show(lang, target, namespace);
    }
    let valid = record.status.conditions.iter().find(|c| c.type_ == "Valid");
    match valid.map(|c| (c.status, c.observed_generation)) {
        Some((ConditionStatus::False, _)) => messages::next_return(lang, target, namespace),
        Some((ConditionStatus::True, Some(seen))) if seen == record.generation() => {
            match record.target.kind {
                Kind::Exit if record.phase() != "AwaitingDecision" => {
                    messages::next_consent(lang, &target.name, namespace)
                }
                _ => messages::next_show(lang, target, namespace),
            }
        }
        _ => messages::next_wait_operator(lang),
    }
}

/// Returns true if the text is a UID: 8-4-4-4-12 hexadecimal digits.
pub(super) fn is_uid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|p| p.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|p| p.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
