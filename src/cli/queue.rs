//! `queue`: what waits on me, oldest due first.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use clap::{Args, ValueEnum};
use futures::future::try_join_all;
use serde::Serialize;

use super::almanac::{self, Almanac, Remaining};
use super::error::CliError;
use super::output::{self, Format, Lang, local, visible};
use super::record::{Kind, Record};
use super::session::Session;
use super::words::{self, terms};
use govcloud_api::deadline::Party;
use govcloud_api::record::{TimelineEntry, WaitingFor};
use govcloud_api::time::Instant;

/// 待办:等待我办理的事项,期限早的在前 / what waits on me, oldest due first
#[derive(Args, Debug)]
pub struct QueueCommand {
    /// 全部命名空间 / all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// 看哪一方的待办,缺省按你的权限 / whose, by default that of your rights
    #[arg(long, value_enum)]
    party: Option<Whose>,
    /// 输出格式 / output format
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

/// Whose queue.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// 使用部门 / the department
    Department,
    /// 主管部门 / the authority
    Authority,
    /// 服务提供方 / the provider
    Provider,
    /// 全部 / everybody
    All,
}

impl Whose {
    fn party(self) -> Option<Party> {
        match self {
            Self::Department => Some(Party::Department),
            Self::Authority => Some(Party::Authority),
            Self::Provider => Some(Party::Provider),
            Self::All => None,
        }
    }
}

/// What the caller is, by rights that count: regions where it decides or provisions, namespaces where it files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rights {
    decides: BTreeSet<String>,
    provisions: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Rights {
    /// Asks the API server about every region and namespace in question.
    async fn ask(
        session: &Session,
        regions: BTreeSet<String>,
        namespaces: BTreeSet<String>,
    ) -> Result<Self, CliError> {
        let of_region = |region: String| async move {
            let wildcard = session.is_wildcard_on_region(&region).await?;
            let decides = !wildcard && session.can_on_region("approve", &region).await?;
            let provisions = !wildcard && session.can_on_region("provision", &region).await?;
            Ok::<_, CliError>((region, decides, provisions))
        };
        let of_namespace = |namespace: String| async move {
            Ok::<_, CliError>((session.files_in(&namespace).await?, namespace))
        };
        let mut rights = Self::default();
        for (region, decides, provisions) in try_join_all(regions.into_iter().map(of_region)).await? {
            if decides {
                rights.decides.insert(region.clone());
            }
            if provisions {
                rights.provisions.insert(region);
            }
        }
        let files = try_join_all(namespaces.into_iter().map(of_namespace)).await?;
        rights.files =
            files.into_iter().filter_map(|(files, namespace)| files.then_some(namespace)).collect();
        Ok(rights)
    }

    /// Whether the caller is the party that a record waits on.
    fn concern(&self, item: &Item) -> bool {
        match item.waiting_on {
            Party::Authority => self.decides.contains(&item.region),
            Party::Provider => self.provisions.contains(&item.region),
            Party::Department => {
                self.files.contains(&item.namespace)
                    && !self.decides.contains(&item.region)
                    && !self.provisions.contains(&item.region)
            }
            Party::None => false,
        }
    }

    /// Who the caller is, in words; `None` for nobody.
    fn who(&self, lang: Lang) -> Option<String> {
        let mut who = Vec::new();
        let regions = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        if !self.decides.is_empty() {
            who.push(format!("{} {}", almanac::party(lang, Party::Authority), regions(&self.decides)));
        }
        if !self.provisions.is_empty() {
            who.push(format!("{} {}", almanac::party(lang, Party::Provider), regions(&self.provisions)));
        }
        if !self.files.is_empty() {
            who.push(almanac::party(lang, Party::Department).to_owned());
        }
        (!who.is_empty()).then(|| who.join(", "))
    }
}

/// One line. These names are an interface.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    record: String,
    namespace: String,
    region: String,
    system: String,
    phase: String,
    waiting_on: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<String>,
    #[serde(flatten)]
    remaining: Option<Remaining>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Instant>,
}

impl QueueCommand {
    /// Answers on `out`.
    ///
    /// # Errors
    /// Records that cannot be listed, or `out` failing.
    pub async fn run(
        self,
        session: &Session,
        namespace_given: bool,
        out: &mut impl Write,
    ) -> Result<(), CliError> {
        let lang = session.lang;
        if self.all_namespaces && namespace_given {
            return Err(CliError::Usage(words::namespace_or_all(lang)));
        }
        let lists = try_join_all(Kind::ALL.map(|kind| session.list(kind, self.all_namespaces))).await?;
        let almanac = Almanac::read(session).await?;
        let records: Vec<Record> = lists.into_iter().flatten().collect();
        let mut items = items(&records, &almanac, session.now);
        let who = match self.party.map(Whose::party) {
            Some(Some(party)) => {
                items.retain(|i| i.waiting_on == party);
                almanac::party(lang, party).to_owned()
            }
            Some(None) => words::anybody(lang),
            None => {
                let rights = self.rights(session, &almanac, &items).await?;
                items.retain(|i| rights.concern(i));
                match rights.who(lang) {
                    Some(who) => who,
                    None if self.output.is_some() => String::new(),
                    None => return Ok(writeln!(out, "{}", words::no_party(lang))?),
                }
            }
        };
        if let Some(format) = self.output {
            return Ok(output::write(&items, format, out)?);
        }
        if items.is_empty() {
            let scope = if self.all_namespaces {
                words::in_all(lang)
            } else {
                words::in_namespace(lang, &session.namespace)
            };
            return Ok(writeln!(out, "{}", words::nothing_waits(lang, who, scope))?);
        }
        Ok(out.write_all(text(&items, lang, self.party == Some(Whose::All)).as_bytes())?)
    }

    async fn rights(&self, session: &Session, almanac: &Almanac, items: &[Item]) -> Result<Rights, CliError> {
        let mut regions: BTreeSet<String> = items.iter().map(|i| i.region.clone()).collect();
        let mut namespaces: BTreeSet<String> = items.iter().map(|i| i.namespace.clone()).collect();
        if items.is_empty() {
            regions.extend(almanac.regions.keys().cloned());
        }
        if !self.all_namespaces {
            namespaces.insert(session.namespace.clone());
        }
        Rights::ask(session, regions, namespaces).await
    }
}

/// What waits, oldest due first; without a due date last, by how long it has waited.
fn items(records: &[Record], almanac: &Almanac, now: jiff::Timestamp) -> Vec<Item> {
    let systems: BTreeMap<(&str, &str), &str> = records
        .iter()
        .filter(|r| r.target.kind == Kind::Application)
        .filter_map(|r| Some(((r.namespace(), r.target.name.as_str()), r.title()?)))
        .collect();
    let item = |r: &Record| Item {
        record: r.target.to_string(),
        namespace: r.namespace().to_owned(),
        region: r.region().to_owned(),
        system: r
            .title()
            .or_else(|| systems.get(&(r.namespace(), r.application()?)).copied())
            .unwrap_or_default()
            .to_owned(),
        phase: r.phase().to_owned(),
        waiting_on: r.life.waiting_on,
        waiting_for: r.life.waiting_for.map(|w| w.to_string()),
        due_date: r.life.due_date.clone(),
        remaining: Remaining::of_record(r, almanac.calendar(r.region()), now),
        since: since(r),
    };
    let mut items: Vec<Item> = records.iter().filter(|r| waits(r)).map(item).collect();
    items.sort_by(|a, b| {
        let key = |i: &Item| {
            (i.due_date.is_none(), i.due_date.clone(), i.since, i.namespace.clone(), i.record.clone())
        };
        key(a).cmp(&key(b))
    });
    items
}

/// Whether anybody is waited on. A grant that is being carried out is waited for by its application.
fn waits(record: &Record) -> bool {
    let corrects = record.life.waiting_for == Some(WaitingFor::CorrectGrant);
    let own =
        record.target.kind != Kind::Grant || corrects || matches!(record.phase(), "Refused" | "Pending");
    let unseen = record.phase().is_empty() && record.target.kind != Kind::Grant;
    (own && record.life.waiting_on != Party::None) || unseen
}

/// Since when it waits: the last thing that happened to it, clocks aside.
fn since(record: &Record) -> Option<Instant> {
    let of_clock = [
        "ClockStarted",
        "DeadlineMoved",
        "DeadlineKept",
        "HalfLeft",
        "LastDay",
        "Overdue",
        "Met",
        "MaintenanceScheduled",
    ];
    // What the platform's maintenance does beside it is not what an application waits for.
    let beside = |event: &str| record.target.kind == Kind::Application && event.starts_with("Maintenance");
    let counts = |t: &&TimelineEntry| !of_clock.contains(&t.event.as_str()) && !beside(&t.event);
    let last = record.life.timeline.iter().rev().find(counts);
    last.map(|t| t.at).or_else(|| record.created_at().map(Instant::new))
}

/// The table.
fn text(items: &[Item], lang: Lang, all: bool) -> String {
    let mut labels = vec!["record", "namespace", "system", "phase", "waiting for", "due", "left", "since"];
    if all {
        labels.insert(4, "waiting on");
    }
    let header: Vec<String> = labels
        .into_iter()
        .map(|l| lang.pick(terms::label(lang, l).to_owned(), l.to_uppercase().replace(' ', "-")))
        .collect();
    let rows = items.iter().map(|i| {
        let act = match &i.waiting_for {
            Some(act) => terms::act(lang, act),
            None if i.phase.is_empty() => words::not_looked_at(lang),
            None => String::new(),
        };
        let mut row = vec![
            i.record.clone(),
            i.namespace.clone(),
            i.system.clone(),
            terms::phase(lang, &i.phase),
            act,
            i.due_date.clone().unwrap_or_else(|| "-".to_owned()),
            i.remaining.map_or_else(|| "-".to_owned(), |r| r.text(lang)),
            i.since.map_or_else(|| "-".to_owned(), |s| local(s.timestamp())),
        ];
        if all {
            row.insert(4, almanac::party(lang, i.waiting_on).to_owned());
        }
        row
    });
    visible(&output::table(Some(header), rows, 0))
}

#[cfg(test)]
mod tests;
