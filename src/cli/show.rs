//! `show`: displays a record with its documents, decision, deadlines and timeline.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;

use super::details::{ApplicationContext, DeadlineRow, Details, NamespaceRow};
use super::error::CliError;
use super::messages::{self, terms};
use super::output::{self, Format, Lang, escape_controls, local, table};
use super::record::{Body, Kind, Record, Target};
use super::region_calendars::RegionCalendars;
use super::session::Session;
use govcloud_api::condition::Condition;
use govcloud_api::deadline::Party;
use govcloud_api::record::TimelineEntry;

/// 办理详情：材料、审核结论、各项时限、办理过程 / display a record: documents, decision, deadlines, timeline
#[derive(Args, Debug)]
pub struct ShowCommand {
    /// KIND/NAME，如 capp/travel、chreq/…、decom/…、grant/…、comp/…、insp/… / such as capp/travel, chreq/…, decom/…, grant/…, comp/…, insp/…
    #[arg(value_name = "KIND/NAME")]
    target: String,
    /// 输出格式 / output format
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

impl ShowCommand {
    /// Writes the details to `out`.
    ///
    /// # Errors
    /// A record that does not exist or cannot be read, or `out` failing.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let target = Target::parse(&self.target, session.lang)?;
        let record = session.get(&target).await?;
        let details = details_of(session, &record, &RegionCalendars::read(session).await?).await;
        match self.output {
            Some(format) => Ok(output::write(&details, format, out)?),
            None => Ok(out.write_all(text(&details, session.lang, Part::All).as_bytes())?),
        }
    }
}

/// Reads the details of a record and of its application.
pub(super) async fn details_of(session: &Session, record: &Record, calendars: &RegionCalendars) -> Details {
    let mut context = ApplicationContext::default();
    if let Some(name) = record.application() {
        let name = name.to_owned();
        if record.target.kind != Kind::Application {
            let application = session.find(&Target { kind: Kind::Application, name: name.clone() }).await;
            context.system = application.as_ref().and_then(|a| a.title().map(str::to_owned));
        }
        if let Some(Body::Grant(grant)) =
            session.find(&Target { kind: Kind::Grant, name }).await.map(|g| g.body)
        {
            let status = grant.status.unwrap_or_default();
            (context.granted, context.access) = (status.granted, status.access);
        }
    }
    Details::of(record, &context, calendars, session.now)
}

/// Part of the details that is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything.
    All,
    /// The content that a decision covers.
    Reviewed,
}

/// Formats the details.
pub(super) fn text(details: &Details, lang: Lang, part: Part) -> String {
    let title = details.title.replace('\n', " ");
    let mut text =
        format!("{}  -n {}  {title}", details.record, details.namespace).trim_end().to_owned() + "\n";
    text += &head(details, lang);
    text += &documents(details, lang);
    text += &namespaces(details, lang);
    text += &inventory(details, lang);
    if part == Part::All {
        text += &deadlines(details, lang);
    }
    text += &trouble(details, lang);
    if part == Part::All {
        text += &timeline(details, lang);
    }
    escape_controls(&text)
}

fn heading(lang: Lang, label: &'static str) -> String {
    format!("\n{}\n", terms::heading(lang, label))
}

fn head(details: &Details, lang: Lang) -> String {
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    let name =
        details.region_name.as_ref().map(|n| lang.pick(n.zh.as_str(), n.en.as_str())).unwrap_or_default();
    rows.push(("region", messages::region(lang, name, &details.region, &details.authority)));
    let filed = details.filed_at.map(|at| local(at.timestamp())).unwrap_or_default();
    rows.push(("filed", format!("{filed}  {}", details.filed_by)));
    rows.push(("generation", format!("{}  {}", details.generation, details.digest)));
    rows.push((
        "phase",
        format!(
            "{}  {}",
            terms::phase_waiting(lang, &details.phase, details.waiting_for.as_deref()),
            waiting(details, lang)
        )
        .trim_end()
        .to_owned(),
    ));
    for fact in &details.facts {
        let text = fact.text.as_ref().map(|[zh, en]| lang.pick(zh, en));
        rows.push((fact.name, text.unwrap_or(&fact.value).clone()));
    }
    if let Some(c) = &details.consent {
        rows.push(("consent", format!("{}  {}  {}", local(c.at.timestamp()), c.by, c.digest)));
    }
    if let Some(d) = &details.decision {
        let verdict = terms::verdict(lang, d.verdict);
        rows.push((
            "decision",
            format!(
                "{verdict}  {}  {}  {}",
                local(d.at.timestamp()),
                d.by,
                messages::generation(lang, d.generation)
            ),
        ));
        rows.extend(d.opinion.iter().map(|o| ("opinion", o.clone())));
        rows.extend(d.void.iter().map(|v| ("void", lang.half(v).to_owned())));
    }
    let mut last = "";
    let rows = rows.into_iter().map(|(label, value)| {
        let shown = if label == last { String::new() } else { terms::heading(lang, label) };
        last = label;
        vec![shown, value.trim().to_owned()]
    });
    table(None, rows, 0)
}

/// Formats the party that it waits on, the act and the due date.
fn waiting(details: &Details, lang: Lang) -> String {
    if details.phase.is_empty() {
        return messages::not_looked_at(lang);
    }
    if details.waiting_on == Party::None {
        return messages::waits_for_nobody(lang);
    }
    let act = details.waiting_for.as_deref().map(|a| terms::act(lang, a)).unwrap_or_default();
    let mut text = messages::waits(lang, terms::party(lang, details.waiting_on), act);
    if let Some(due) = &details.due_date {
        text += &format!("  {}", messages::until(lang, due));
    }
    if let Some(remaining) = details.remaining {
        text += &format!("  {}", remaining.text(lang));
    }
    text
}

fn documents(details: &Details, lang: Lang) -> String {
    if details.documents.is_empty() {
        return String::new();
    }
    let rows = details.documents.iter().flat_map(|d| {
        let role = terms::heading(lang, d.role);
        let title = (!d.title.is_empty()).then(|| d.title.clone());
        let lines: Vec<String> =
            title.into_iter().chain([d.uri.clone(), format!("sha256 {}", d.sha256)]).collect();
        lines
            .into_iter()
            .enumerate()
            .map(move |(i, line)| vec![if i == 0 { role.clone() } else { String::new() }, line])
    });
    heading(lang, "documents") + &table(None, rows, 2)
}

fn namespaces(details: &Details, lang: Lang) -> String {
    if details.namespaces.is_empty() {
        return String::new();
    }
    let quota = |s: &NamespaceRow| {
        let line = |(key, value): (&String, &String)| match s.now.as_ref().map(|now| now.0.get(key)) {
            Some(Some(now)) if now != value => format!("{key} {now} → {value}"),
            Some(None) => format!("{key} - → {value}"),
            _ => format!("{key} {value}"),
        };
        let gone = s
            .now
            .iter()
            .flat_map(|now| &now.0)
            .filter(|(k, _)| !s.quota.0.contains_key(*k))
            .map(|(k, v)| format!("{k} {v} → -"));
        s.quota.0.iter().map(line).chain(gone).collect::<Vec<_>>()
    };
    let rows = details.namespaces.iter().map(|s| {
        vec![s.entry.clone(), s.namespace.clone().unwrap_or_else(|| "-".to_owned()), quota(s).join(", ")]
    });
    heading(lang, "namespaces")
        + &table(Some(terms::columns(lang, &["entry", "namespace", "quota"])), rows, 2)
}

/// Formats the inventory of an exit, with the action for each volume.
pub(super) fn inventory(details: &Details, lang: Lang) -> String {
    let Some(inventory) = &details.inventory else { return String::new() };
    // Kubernetes before 1.37 does not say since when a claim is unused: no column then.
    let columns = ["action", "namespace", "claim", "size", "volume", "unused since"];
    let known = inventory.entries.iter().any(|e| e.unused_since.is_some());
    let columns = &columns[..if known { 6 } else { 5 }];
    let rows = inventory.entries.iter().map(|e| {
        vec![
            terms::action(lang, e.action).to_owned(),
            e.namespace.clone(),
            e.claim.clone(),
            e.capacity.clone(),
            format!(
                "{} {}",
                e.volume.as_deref().unwrap_or("-"),
                e.volume_uid
                    .as_deref()
                    .filter(|u| e.volume.as_deref().is_none_or(|v| !v.ends_with(u)))
                    .unwrap_or_default()
            )
            .trim()
            .to_owned(),
            e.unused_since.map(|at| local(at.timestamp())).unwrap_or_default(),
        ]
    });
    let snapshots = inventory.snapshots.iter().map(|s| {
        let name = format!("{} {}", terms::heading(lang, "snapshot"), s.name);
        vec![
            terms::action(lang, s.action).to_owned(),
            s.namespace.clone(),
            s.claim.clone().unwrap_or_default(),
            String::new(),
            name,
            String::new(),
        ]
    });
    let rows = rows.chain(snapshots).map(|mut row| {
        row.truncate(columns.len());
        row
    });
    let listed = table(Some(terms::columns(lang, columns)), rows, 2);
    let left_out = match inventory.left_out {
        0 => String::new(),
        count => format!("  {}\n", messages::left_out(lang, count)),
    };
    format!(
        "{}  {}\n{listed}{left_out}  {}\n",
        heading(lang, "inventory"),
        inventory.digest,
        lang.half(&inventory.note)
    )
}

fn deadlines(details: &Details, lang: Lang) -> String {
    if details.deadlines.is_empty() {
        return String::new();
    }
    let state = |c: &DeadlineRow| {
        let at = |i: govcloud_api::time::Instant| local(i.timestamp());
        match (c.deadline.met_at, c.deadline.closed_at, c.deadline.working_days_late) {
            (Some(met), _, None) => messages::met(lang, at(met)),
            (Some(met), _, Some(days)) => messages::met_late(lang, at(met), messages::late(lang, days)),
            (None, Some(closed), _) => messages::closed(lang, at(closed)),
            (None, None, _) => {
                let left = c.remaining.map(|r| r.text(lang)).unwrap_or_default();
                if c.deadline.is_paused() { messages::paused(lang, left) } else { left }
            }
        }
    };
    let rows = details.deadlines.iter().map(|c| {
        let d = &c.deadline;
        let obligation = lang.pick(d.obligation.zh(), d.obligation.en());
        let item = d.item.as_ref().map(|item| format!("{obligation} {item}"));
        let name = messages::by_article(
            lang,
            item.unwrap_or_else(|| obligation.to_owned()),
            messages::article(lang, d.article),
        );
        vec![
            name,
            terms::party(lang, d.party).to_owned(),
            local(d.started_at.timestamp()),
            d.due_date.to_string(),
            state(c),
        ]
    });
    heading(lang, "deadlines")
        + &table(Some(terms::columns(lang, &["obligation", "party", "started", "due", "state"])), rows, 2)
}

fn trouble(details: &Details, lang: Lang) -> String {
    if details.trouble.is_empty() {
        return String::new();
    }
    // `Stalled` repeats the condition that causes it, under its reason or in its words.
    let repeats = |c: &Condition| {
        let same = |o: &Condition| o.reason == c.reason || o.message == c.message;
        c.type_ == "Stalled" && details.trouble.iter().any(|o| o.type_ != c.type_ && same(o))
    };
    let rows = details.trouble.iter().filter(|c| !repeats(c)).map(|c| {
        let state = format!("{}={:?}", c.type_, c.status);
        let name = messages::condition(lang, terms::condition(lang, &c.type_), &state, &c.reason);
        vec![name, lang.half(&c.message).to_owned()]
    });
    heading(lang, "needs attention") + &table(None, rows, 2)
}

fn timeline(details: &Details, lang: Lang) -> String {
    if details.timeline.is_empty() {
        return String::new();
    }
    let line = |at: Timestamp, actor: &str, article: Option<i32>, message: &str| {
        vec![
            local(at),
            actor.to_owned(),
            article.map(|n| messages::article(lang, n)).unwrap_or_default(),
            message.to_owned(),
        ]
    };
    let mut rows: Vec<_> = details
        .timeline
        .iter()
        .map(|t| line(t.at.timestamp(), &actor(t, lang), t.article, lang.half(&t.message)))
        .collect();
    if let (Some(count), Some(first)) = (details.timeline_dropped, details.timeline.first()) {
        rows.insert(1, line(first.at.timestamp(), "", None, &messages::dropped(lang, count)));
    }
    heading(lang, "timeline") + &table(None, rows, 2)
}

/// Formats who acted: the username with its party, or either alone.
fn actor(entry: &TimelineEntry, lang: Lang) -> String {
    match (entry.actor.as_str(), entry.party.map(|p| terms::party(lang, p))) {
        ("", party) => party.unwrap_or_default().to_owned(),
        (actor, None) => actor.to_owned(),
        (actor, Some(party)) => messages::of_party(lang, actor, party),
    }
}

#[cfg(test)]
mod tests;
