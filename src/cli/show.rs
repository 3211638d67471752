//! `show`: a record's life, as a timeline, with what it says and what it waits for.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;

use super::almanac::{self, Almanac};
use super::error::CliError;
use super::output::{self, Format, Lang, local, table, visible};
use super::record::{Body, Kind, Record, Target};
use super::session::Session;
use super::sheet::{Around, Clock, Sheet, Space};
use super::words::{self, terms};
use govcloud_api::deadline::Party;
use govcloud_api::decommission::ExitReason;

/// 记录的一生:材料、审核、时限、经过 / a record's life: documents, decision, deadlines, timeline
#[derive(Args, Debug)]
pub struct ShowCommand {
    /// KIND/NAME,如 capp/travel、chreq/…、decom/…、grant/… / such as capp/travel, chreq/…, decom/…, grant/…
    #[arg(value_name = "KIND/NAME")]
    target: String,
    /// 输出格式 / output format
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

impl ShowCommand {
    /// Answers on `out`.
    ///
    /// # Errors
    /// A record that does not exist or cannot be read, or `out` failing.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let target = Target::parse(&self.target, session.lang)?;
        let record = session.get(&target).await?;
        let sheet = sheet_of(session, &record, &Almanac::read(session).await?).await;
        match self.output {
            Some(format) => Ok(output::write(&sheet, format, out)?),
            None => Ok(out.write_all(text(&sheet, session.lang, Part::Life).as_bytes())?),
        }
    }
}

/// The sheet of a record, with what is known of its application.
pub(super) async fn sheet_of(session: &Session, record: &Record, almanac: &Almanac) -> Sheet {
    let mut around = Around::default();
    if let Some(name) = record.application() {
        let name = name.to_owned();
        if record.target.kind != Kind::Application {
            let application = session.find(&Target { kind: Kind::Application, name: name.clone() }).await;
            around.system = application.as_ref().and_then(|a| a.title().map(str::to_owned));
        }
        if let Some(Body::Grant(grant)) =
            session.find(&Target { kind: Kind::Grant, name }).await.map(|g| g.body)
        {
            around.granted = grant.status.map(|s| s.granted.to_vec()).unwrap_or_default();
        }
    }
    Sheet::of(record, &around, almanac, session.now)
}

/// How much of a sheet is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Life,
    /// What a decision is on, and no more.
    Matter,
}

/// The sheet in words.
pub(super) fn text(sheet: &Sheet, lang: Lang, part: Part) -> String {
    let title = sheet.title.replace('\n', " ");
    let mut text = format!("{}  -n {}  {title}", sheet.record, sheet.namespace).trim_end().to_owned() + "\n";
    text += &head(sheet, lang);
    text += &documents(sheet, lang);
    text += &namespaces(sheet, lang);
    text += &inventory(sheet, lang);
    if part == Part::Life {
        text += &deadlines(sheet, lang);
    }
    text += &trouble(sheet, lang);
    if part == Part::Life {
        text += &timeline(sheet, lang);
    }
    visible(&text)
}

fn heading(lang: Lang, label: &'static str) -> String {
    format!("\n{}\n", capital(terms::label(lang, label)))
}

/// English labels begin with a capital.
fn capital(label: &str) -> String {
    let mut chars = label.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

fn columns(lang: Lang, labels: &[&'static str]) -> Option<Vec<String>> {
    Some(
        labels
            .iter()
            .map(|l| lang.pick(terms::label(lang, l).to_owned(), l.to_uppercase().replace(' ', "-")))
            .collect(),
    )
}

fn head(sheet: &Sheet, lang: Lang) -> String {
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    let name =
        sheet.region_name.as_ref().map(|n| lang.pick(n.zh.as_str(), n.en.as_str())).unwrap_or_default();
    rows.push(("region", format!("{} {name}  {}", sheet.region, sheet.authority)));
    let filed = sheet.filed_at.map(|at| local(at.timestamp())).unwrap_or_default();
    rows.push(("filed", format!("{filed}  {}", sheet.filed_by)));
    rows.push(("generation", format!("{}  {}", sheet.generation, sheet.digest)));
    rows.push((
        "phase",
        format!("{}  {}", terms::phase(lang, &sheet.phase), waiting(sheet, lang)).trim_end().to_owned(),
    ));
    for fact in &sheet.facts {
        rows.push((fact.name, fact_value(fact.name, &fact.value, lang)));
    }
    if let Some(c) = &sheet.consent {
        rows.push(("consent", format!("{}  {}  {}", local(c.at.timestamp()), c.by, c.digest)));
    }
    if let Some(d) = &sheet.decision {
        let verdict = terms::verdict(lang, d.verdict);
        rows.push((
            "decision",
            format!(
                "{verdict}  {}  {}  {}",
                local(d.at.timestamp()),
                d.by,
                words::generation(lang, d.generation)
            ),
        ));
        rows.extend(d.opinion.iter().map(|o| ("opinion", o.clone())));
        rows.extend(d.void.iter().map(|v| ("void", lang.half(v).to_owned())));
    }
    let mut last = "";
    let rows = rows.into_iter().map(|(label, value)| {
        let shown = if label == last { String::new() } else { capital(terms::label(lang, label)) };
        last = label;
        vec![shown, value.trim().to_owned()]
    });
    table(None, rows, 0)
}

/// Values that are words of the API.
fn fact_value(name: &str, value: &str, lang: Lang) -> String {
    match (name, value) {
        ("reason", "NoLongerUsed") => terms::exit_reason(lang, ExitReason::NoLongerUsed).to_owned(),
        ("reason", "ContractEnded") => terms::exit_reason(lang, ExitReason::ContractEnded).to_owned(),
        ("reason", "ContractTerminated") => {
            terms::exit_reason(lang, ExitReason::ContractTerminated).to_owned()
        }
        ("scope", "Application") => lang.pick("整个应用", "the whole application").to_owned(),
        ("scope", "Volumes") => {
            lang.pick("仅无主或保留的数据卷", "unclaimed and retained volumes only").to_owned()
        }
        ("impact", "None") => lang.pick("无", "none").to_owned(),
        ("impact", "Degraded") => lang.pick("变慢或短时中断", "slower, or short interruptions").to_owned(),
        ("impact", "Outage") => lang.pick("窗口内不可用", "not available during the window").to_owned(),
        ("affects", "*") => lang.pick("本区域全部应用", "every application of the region").to_owned(),
        _ => value.to_owned(),
    }
}

/// Whom it waits on, for what, until when.
fn waiting(sheet: &Sheet, lang: Lang) -> String {
    if sheet.phase.is_empty() {
        return words::not_looked_at(lang);
    }
    if sheet.waiting_on == Party::None {
        return words::waits_for_nobody(lang);
    }
    let act = sheet.waiting_for.as_deref().map(|a| terms::act(lang, a)).unwrap_or_default();
    let mut text = words::waits(lang, almanac::party(lang, sheet.waiting_on), act);
    if let Some(due) = &sheet.due_date {
        text += &format!("  {}", words::until(lang, due));
    }
    if let Some(remaining) = sheet.remaining {
        text += &format!("  {}", remaining.text(lang));
    }
    text
}

fn documents(sheet: &Sheet, lang: Lang) -> String {
    if sheet.documents.is_empty() {
        return String::new();
    }
    let rows = sheet.documents.iter().flat_map(|d| {
        let role = capital(terms::label(lang, d.role));
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

fn namespaces(sheet: &Sheet, lang: Lang) -> String {
    if sheet.namespaces.is_empty() {
        return String::new();
    }
    let quota = |s: &Space| {
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
    let rows = sheet.namespaces.iter().map(|s| {
        vec![s.entry.clone(), s.namespace.clone().unwrap_or_else(|| "-".to_owned()), quota(s).join(", ")]
    });
    heading(lang, "namespaces") + &table(columns(lang, &["entry", "namespace", "quota"]), rows, 2)
}

/// The inventory of an exit, with what becomes of each volume.
pub(super) fn inventory(sheet: &Sheet, lang: Lang) -> String {
    let Some(inventory) = &sheet.inventory else { return String::new() };
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
        ]
    });
    let snapshots = inventory.snapshots.iter().map(|s| {
        let name = format!("{} {}", capital(terms::label(lang, "snapshot")), s.name);
        vec![
            terms::action(lang, s.action).to_owned(),
            s.namespace.clone(),
            s.claim.clone().unwrap_or_default(),
            String::new(),
            name,
        ]
    });
    let listed =
        table(columns(lang, &["action", "namespace", "claim", "size", "volume"]), rows.chain(snapshots), 2);
    format!(
        "{}  {}\n{listed}  {}\n",
        heading(lang, "inventory"),
        inventory.digest,
        lang.half(&inventory.note)
    )
}

fn deadlines(sheet: &Sheet, lang: Lang) -> String {
    if sheet.deadlines.is_empty() {
        return String::new();
    }
    let state = |c: &Clock| {
        let at = |i: govcloud_api::time::Instant| local(i.timestamp());
        let late =
            c.deadline.working_days_late.map(|n| format!(" ({})", words::late(lang, n))).unwrap_or_default();
        match (c.deadline.met_at, c.deadline.closed_at, c.remaining) {
            (Some(met), ..) => format!("{} {}{late}", lang.pick("完成于", "met"), at(met)),
            (None, Some(closed), _) => format!("{} {}", lang.pick("终止于", "closed"), at(closed)),
            (None, None, remaining) => {
                let paused = if c.deadline.is_paused() { lang.pick("停计 ", "paused ") } else { "" };
                format!("{paused}{}", remaining.map(|r| r.text(lang)).unwrap_or_default())
            }
        }
    };
    let rows = sheet.deadlines.iter().map(|c| {
        let d = &c.deadline;
        let name = words::by_article(lang, lang.pick(d.obligation.zh(), d.obligation.en()), d.article);
        vec![
            name,
            almanac::party(lang, d.party).to_owned(),
            local(d.started_at.timestamp()),
            d.due_date.to_string(),
            state(c),
        ]
    });
    heading(lang, "deadlines")
        + &table(columns(lang, &["obligation", "party", "started", "due", "state"]), rows, 2)
}

fn trouble(sheet: &Sheet, lang: Lang) -> String {
    if sheet.trouble.is_empty() {
        return String::new();
    }
    let rows = sheet
        .trouble
        .iter()
        .map(|c| vec![format!("{} ({})", c.type_, c.reason), lang.half(&c.message).to_owned()]);
    heading(lang, "needs attention") + &table(None, rows, 2)
}

fn timeline(sheet: &Sheet, lang: Lang) -> String {
    if sheet.timeline.is_empty() {
        return String::new();
    }
    let line = |at: Timestamp, actor: &str, article: Option<i32>, message: &str| {
        vec![
            local(at),
            actor.to_owned(),
            article.map(|n| words::article(lang, n)).unwrap_or_default(),
            message.to_owned(),
        ]
    };
    let mut rows: Vec<_> = sheet
        .timeline
        .iter()
        .map(|t| line(t.at.timestamp(), &actor(&t.actor, lang), t.article, lang.half(&t.message)))
        .collect();
    if let (Some(count), Some(first)) = (sheet.timeline_dropped, sheet.timeline.first()) {
        rows.insert(1, line(first.at.timestamp(), "", None, &words::dropped(lang, count)));
    }
    heading(lang, "timeline") + &table(None, rows, 2)
}

/// Who did it: a username as it is, a party by its name.
fn actor(actor: &str, lang: Lang) -> String {
    let party = [Party::Department, Party::Authority, Party::Provider].into_iter().find(|p| p.en() == actor);
    party.map_or(actor, |p| almanac::party(lang, p)).to_owned()
}

#[cfg(test)]
mod tests;
