//! `queue`: the list of what the caller has to do, oldest due date first.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use clap::{Args, ValueEnum};
use futures::future::try_join_all;
use serde::Serialize;

use super::error::CliError;
use super::messages::{self, terms};
use super::output::{self, Format, Lang, escape_controls, local};
use super::record::{Kind, Record, api_name};
use super::region_calendars::{RegionCalendars, Remaining};
use super::session::Session;
use govcloud_api::deadline::{Deadline, Party};
use govcloud_api::record::{TimelineEntry, WaitingFor};
use govcloud_api::region::Region;
use govcloud_api::time::Instant;

mod scope;

use scope::{Inbox, Listed, Scope};

/// 待办事项，截止日期早的在前 / list what I have to do, oldest due date first
#[derive(Args, Debug)]
pub struct QueueCommand {
    /// 全部命名空间；同时写明 -n 的，以本项为准 / all namespaces, whatever -n says
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// 查看哪一方的待办事项，默认按您的权限 / party, default from your rights
    #[arg(long, value_enum)]
    party: Option<PartyFilter>,
    /// 输出格式 / output format
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

/// Party whose queue is listed.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyFilter {
    /// 使用部门 / the department
    Department,
    /// 主管部门 / the authority
    Authority,
    /// 政务云服务提供方 / the provider
    Provider,
    /// 全部 / everybody
    All,
}

impl PartyFilter {
    fn party(self) -> Option<Party> {
        match self {
            Self::Department => Some(Party::Department),
            Self::Authority => Some(Party::Authority),
            Self::Provider => Some(Party::Provider),
            Self::All => None,
        }
    }
}

/// The caller's rights that count: regions where it approves or provisions, namespaces where it files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rights {
    approves: BTreeSet<String>,
    provisions: BTreeSet<String>,
    files: BTreeSet<String>,
}

impl Rights {
    /// Reviews the rights on these regions and namespaces.
    async fn review(
        session: &Session,
        regions: BTreeSet<String>,
        namespaces: BTreeSet<String>,
    ) -> Result<Self, CliError> {
        let of_region = |region: String| async move {
            let wildcard = session.is_wildcard_on_region(&region).await?;
            let approves = !wildcard && session.can_on_region("approve", &region).await?;
            let provisions = !wildcard && session.can_on_region("provision", &region).await?;
            Ok::<_, CliError>((region, approves, provisions))
        };
        let of_namespace = |namespace: String| async move {
            Ok::<_, CliError>((session.files_in(&namespace).await?, namespace))
        };
        let mut rights = Self::default();
        for (region, approves, provisions) in try_join_all(regions.into_iter().map(of_region)).await? {
            if approves {
                rights.approves.insert(region.clone());
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

    /// The Regions in which the caller approves or provisions.
    fn regions(self) -> BTreeSet<String> {
        self.approves.into_iter().chain(self.provisions).collect()
    }

    /// Returns true if the caller is the party that a record waits on.
    fn is_responsible_for(&self, item: &Item) -> bool {
        match item.waiting_on {
            Party::Authority => self.approves.contains(&item.region),
            Party::Provider => self.provisions.contains(&item.region),
            Party::Department => {
                self.files.contains(&item.namespace)
                    && !self.approves.contains(&item.region)
                    && !self.provisions.contains(&item.region)
            }
            Party::None => false,
        }
    }

    /// Names the parties that the caller acts for; `None` if there is none.
    fn parties(&self, lang: Lang) -> Option<String> {
        let at = |party, regions: &BTreeSet<String>| {
            let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
            (!regions.is_empty()).then(|| format!("{} {}", terms::party(lang, party), regions.join(" ")))
        };
        let department = (!self.files.is_empty()).then(|| terms::party(lang, Party::Department).to_owned());
        let parties =
            [at(Party::Authority, &self.approves), at(Party::Provider, &self.provisions), department];
        let parties: Vec<String> = parties.into_iter().flatten().collect();
        (!parties.is_empty()).then(|| parties.join(lang.pick("、", ", ")))
    }
}

/// One row. The field names are an interface.
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

impl Item {
    /// Place in the list: oldest due date first, then what has waited longest.
    fn order(&self) -> (bool, Option<String>, Option<Instant>, String, String) {
        let Self { due_date, since, namespace, record, .. } = self;
        (due_date.is_none(), due_date.clone(), *since, namespace.clone(), record.clone())
    }
}

impl QueueCommand {
    /// Writes the list to `out`.
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
        let calendars = RegionCalendars::read(session).await?;
        let scope = self.scope(session, namespace_given, &calendars).await?;
        let Listed { records, refused } = scope.list(session).await?;
        let mut items = items(&records, &calendars, session.now);
        if !matches!(scope, Scope::Namespace(_)) {
            items.extend(platform_duties(&calendars, session.now));
            items.sort_by_key(Item::order);
        }
        let gaps = scope.gaps(&refused, lang);
        let who = match self.party.map(PartyFilter::party) {
            Some(Some(party)) => {
                items.retain(|i| i.waiting_on == party);
                terms::party(lang, party).to_owned()
            }
            Some(None) => messages::anybody(lang),
            None => {
                let rights = Self::rights(session, &calendars, &items, &scope).await?;
                items.retain(|i| rights.is_responsible_for(i));
                match rights.parties(lang) {
                    Some(who) => who,
                    None if self.output.is_some() => String::new(),
                    None => return Ok(writeln!(out, "{}", messages::no_party(lang))?),
                }
            }
        };
        if let Some(format) = self.output {
            // A program reads the output in its format; what is missing in it is said on stderr.
            gaps.iter().for_each(|gap| drop(writeln!(io::stderr().lock(), "{}", escape_controls(gap))));
            return Ok(output::write(&items, format, out)?);
        }
        if items.is_empty() {
            writeln!(out, "{}", messages::nothing_waits(lang, who, scope.text(lang)))?;
        } else {
            out.write_all(text(&items, lang, self.party == Some(PartyFilter::All)).as_bytes())?;
            if records.iter().any(Record::policies_violated) {
                writeln!(out, "\n{}", messages::queue_violated(lang))?;
            }
        }
        for gap in gaps {
            writeln!(out, "{}", escape_controls(&gap))?;
        }
        Ok(())
    }

    /// Namespaces that are listed. Without `-n` and `-A`, who decides or provisions for Regions sees what is filed in all of them.
    async fn scope(
        &self,
        session: &Session,
        namespace_given: bool,
        calendars: &RegionCalendars,
    ) -> Result<Scope, CliError> {
        if self.all_namespaces {
            return Ok(Scope::All);
        }
        let own = || Scope::Namespace(session.namespace.clone());
        if namespace_given {
            return Ok(own());
        }
        let regions = calendars.regions.keys().cloned().collect();
        let regions = Rights::review(session, regions, BTreeSet::new()).await?.regions();
        Ok(if regions.is_empty() { own() } else { Scope::Regions(Inbox::of(regions, calendars)) })
    }

    async fn rights(
        session: &Session,
        calendars: &RegionCalendars,
        items: &[Item],
        scope: &Scope,
    ) -> Result<Rights, CliError> {
        let mut regions: BTreeSet<String> = items.iter().map(|i| i.region.clone()).collect();
        // A Region is in none.
        let named = items.iter().map(|i| i.namespace.clone()).filter(|n| n != "-");
        let mut namespaces: BTreeSet<String> = named.collect();
        if items.is_empty() {
            regions.extend(calendars.regions.keys().cloned());
        }
        match scope {
            Scope::Namespace(namespace) => {
                namespaces.insert(namespace.clone());
            }
            Scope::Regions(inbox) => regions.extend(inbox.regions.iter().cloned()),
            Scope::All => {}
        }
        Rights::review(session, regions, namespaces).await
    }
}

/// Lists the records that wait on a party, oldest due date first. Records without a due date come last, oldest first.
fn items(records: &[Record], calendars: &RegionCalendars, now: jiff::Timestamp) -> Vec<Item> {
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
        waiting_on: r.status.waiting_on,
        waiting_for: r.status.waiting_for.map(|w| w.to_string()),
        due_date: r.status.due_date.clone(),
        remaining: Remaining::of_record(r, calendars.calendar(r.region()), now),
        since: since(r),
    };
    let mut items: Vec<Item> = records.iter().filter(|r| waits(r)).map(item).collect();
    items.sort_by_key(Item::order);
    items
}

/// Compliance records about a platform that the provider was warned of, or that are overdue (Art. 17, 21, 24).
fn platform_duties(calendars: &RegionCalendars, now: jiff::Timestamp) -> Vec<Item> {
    let item = |code: &str, deadline: &Deadline| Item {
        record: format!("region/{code}"),
        namespace: "-".to_owned(),
        region: code.to_owned(),
        system: api_name(&deadline.obligation),
        phase: "-".to_owned(),
        waiting_on: deadline.party,
        waiting_for: Some(WaitingFor::ComplianceRecord.to_string()),
        due_date: Some(deadline.due_date.to_string()),
        remaining: Some(Remaining::of_deadline(deadline, calendars.calendar(code), now)),
        since: Some(deadline.started_at),
    };
    let pressing = |d: &&Deadline| !d.is_over() && !d.notified.is_empty();
    let of_region = |(code, region): (&String, &Region)| {
        let deadlines = region.status.iter().flat_map(|s| &s.deadlines).filter(pressing);
        deadlines.map(|d| item(code, d)).collect::<Vec<_>>()
    };
    calendars.regions.iter().flat_map(of_region).collect()
}

/// Returns true if the record waits on a party. While a grant is carried out, its application is listed instead.
fn waits(record: &Record) -> bool {
    let corrects = record.status.waiting_for == Some(WaitingFor::CorrectGrant);
    let own =
        record.target.kind != Kind::Grant || corrects || matches!(record.phase(), "Refused" | "Pending");
    let unseen = record.phase().is_empty() && record.target.kind != Kind::Grant;
    (own && record.status.waiting_on != Party::None) || unseen
}

/// Returns the time since which it waits: its last lifecycle event that is not about a clock.
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
    // An application does not wait for maintenance of the platform.
    let beside = |event: &str| record.target.kind == Kind::Application && event.starts_with("Maintenance");
    let counts = |t: &&TimelineEntry| !of_clock.contains(&t.event.as_str()) && !beside(&t.event);
    let last = record.status.timeline.iter().rev().find(counts);
    last.map(|t| t.at).or_else(|| record.created_at().map(Instant::new))
}

/// Formats the table.
fn text(items: &[Item], lang: Lang, all: bool) -> String {
    let mut labels = vec!["record", "namespace", "system", "phase", "waiting for", "due", "left", "since"];
    if all {
        labels.insert(4, "waiting on");
    }
    let rows = items.iter().map(|i| {
        let act = match &i.waiting_for {
            Some(act) => terms::act(lang, act),
            None if i.phase.is_empty() => messages::not_looked_at(lang),
            None => String::new(),
        };
        let mut row = vec![
            i.record.clone(),
            i.namespace.clone(),
            i.system.clone(),
            terms::phase_waiting(lang, &i.phase, i.waiting_for.as_deref()),
            act,
            i.due_date.clone().unwrap_or_else(|| "-".to_owned()),
            i.remaining.map_or_else(|| "-".to_owned(), |r| r.text(lang)),
            i.since.map_or_else(|| "-".to_owned(), |s| local(s.timestamp())),
        ];
        if all {
            row.insert(4, terms::party(lang, i.waiting_on).to_owned());
        }
        row
    });
    escape_controls(&output::table(Some(terms::columns(lang, &labels)), rows, 0))
}

#[cfg(test)]
mod tests;
