//! Random lives: departments with applications that are provisioned, changed, lost and taken back, and that exit, around the
//! edges of a month; with editions that begin in it, and a month before it that is settled.

use proptest::prelude::*;

use super::super::export::{EarlierMonth, ExitRecord, ManualRecord};
use super::super::period::Month;
use super::super::state::State;
use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Months with leap days, without, of each length, and at the turn of the year.
const MONTHS: [&str; 6] = ["2024-02", "2023-02", "2026-10", "2026-11", "2025-12", "2024-01"];

/// Random numbers, used one after the other. Without any left it gives zeros, so that a shorter list is a simpler life.
struct Dice<'a> {
    numbers: std::slice::Iter<'a, u32>,
}

impl Dice<'_> {
    /// A number from 0 to below `sides`.
    fn below(&mut self, sides: i64) -> i64 {
        i64::from(*self.numbers.next().unwrap_or(&0)) % sides
    }

    /// True once in `sides` throws.
    fn once_in(&mut self, sides: i64) -> bool {
        self.below(sides) == sides - 1
    }

    fn one_of<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        let count = i64::try_from(choices.len()).unwrap();
        choices[usize::try_from(self.below(count)).unwrap()]
    }

    /// An instant from `from` on, within some days: on any second, or on a midnight.
    fn instant(&mut self, from: i64, days: i64) -> i64 {
        let at = from + self.below(days) * DAY + self.below(DAY);
        // 24:00 in China is 16:00 in UTC.
        if self.once_in(4) { at + (16 * HOUR - at).rem_euclid(DAY) } else { at }
    }
}

/// A whole life with complete records, and its export.
pub(super) fn lives() -> impl Strategy<Value = Export> {
    proptest::collection::vec(any::<u32>(), 40..260).prop_map(|numbers| life(&numbers))
}

/// The same with records that may be gone.
pub(super) fn lives_with_holes() -> impl Strategy<Value = Export> {
    (lives(), any::<prop::sample::Index>(), 0..4_u8).prop_map(|(mut export, which, hole)| {
        if export.applications.is_empty() {
            return export;
        }
        let at = which.index(export.applications.len());
        let record = &mut export.applications[at];
        match hole {
            0 => drop(record.changes.pop()),
            1 if !record.changes.is_empty() => drop(record.changes.remove(0)),
            2 => record.granted = None,
            _ => drop(export.applications.remove(at)),
        }
        export
    })
}

fn instant_of(second: i64) -> Instant {
    jiff::Timestamp::from_second(second).unwrap().into()
}

fn life(numbers: &[u32]) -> Export {
    let mut dice = Dice { numbers: numbers.iter() };
    let month: Month = dice.one_of(&MONTHS).parse().unwrap();
    let mut export = Export {
        month,
        proration: if dice.once_in(2) { Proration::Exact } else { Proration::Daily },
        charge_until: if dice.once_in(2) { ChargeUntil::Reclaimed } else { ChargeUntil::EndOfUse },
        ..export(&month.to_string(), Vec::new())
    };
    export.editions = editions(&mut dice, month);
    for number in 0..dice.below(5) {
        let record = application(&mut dice, number, month);
        export.manual.extend(manual(&mut dice, &record, month));
        export.applications.push(record);
    }
    let by_chance = dice.once_in(2);
    if by_chance { after_a_settled_month(&mut dice, export) } else { export }
}

/// Two editions: one from long ago, and one from a day of the month.
fn editions(dice: &mut Dice, month: Month) -> Vec<EditionRecord> {
    let first = edition("old", "2020-01-01", items(dice));
    let day = dice.below(28) + 1;
    let second = edition("new", &format!("{month}-{day:02}"), items(dice));
    if dice.once_in(3) { vec![first] } else { vec![second, first] }
}

fn items(dice: &mut Dice) -> Vec<ItemRecord> {
    let per = |dice: &mut Dice| match dice.below(4) {
        0 => Period::Month,
        1 => Period::Year,
        2 => Period::Day,
        _ => Period::Hour,
    };
    let price = |dice: &mut Dice| match dice.below(3) {
        0 => format!("{}", dice.below(4000)),
        1 => format!("{}.{:02}", dice.below(300), dice.below(100)),
        _ => format!("0.{:08}", dice.below(100_000_000)),
    };
    let granted = [
        ("cpu", "cpu", "1"),
        ("memory", "requests.memory", "1Gi"),
        ("disk", "requests.storage", "100G"),
        ("pods", "pods", "1"),
    ];
    let mut items = Vec::new();
    for (code, resource, unit) in granted {
        if !dice.once_in(5) {
            let (per, price) = (per(dice), price(dice));
            items.push(item(code, resource, unit, per, &price));
        }
    }
    let others = [("ns", Basis::PerNamespace), ("system", Basis::PerApplication), ("expert", Basis::Manual)];
    for (code, basis) in others {
        if basis == Basis::Manual || dice.once_in(2) {
            let (per, price) = (per(dice), price(dice));
            items.push(ItemRecord { basis, resource: None, ..item(code, "", "1", per, &price) });
        }
    }
    items
}

/// An application that is provisioned up to forty days before the month, and changed and left at any time.
fn application(dice: &mut Dice, number: i64, month: Month) -> ApplicationRecord {
    let start = month.days().start();
    let provisioned = dice.instant(start - 40 * DAY, 70);
    let entries = &["prod", "test", "dr"][..usize::try_from(dice.below(3) + 1).unwrap()];
    let namespace = |entry: &&str| NamespaceRecord {
        entry: (*entry).to_owned(),
        uid: format!("n{number}-{entry}"),
        took_back: false,
    };
    let approved: Quotas =
        entries.iter().take(2).map(|entry| ((*entry).to_owned(), random_quota(dice))).collect();
    let (mut changes, mut current, mut at) = (Vec::new(), approved.clone(), provisioned);
    for change in 0..dice.below(4) {
        at = dice.instant(at + 60, 12);
        let mut after = current.clone();
        after.insert(dice.one_of(entries).to_owned(), random_quota(dice));
        changes.push(ChangeRecord {
            name: format!("change-{change}"),
            uid: format!("c{number}-{change}"),
            applied_at: Some(instant_of(at)),
            before: std::mem::replace(&mut current, after.clone()),
            after,
        });
    }
    ApplicationRecord {
        name: format!("app-{}", dice.below(3)),
        uid: format!("a{number}"),
        outside_budget: dice.once_in(3),
        provisioned_at: Some(instant_of(provisioned)),
        namespaces: entries.iter().map(namespace).collect(),
        approved,
        changes,
        granted: Some(current),
        exit: dice.once_in(3).then(|| exit(dice, at)),
    }
}

/// An exit after the last change; the provider may be late, and need not have ended.
fn exit(dice: &mut Dice, last: i64) -> ExitRecord {
    let reclaiming = dice.instant(last + 60, 20);
    let due = dice.instant(reclaiming, 6);
    let ended = dice.instant(reclaiming, 12);
    ExitRecord {
        name: "exit".to_owned(),
        quiesced_at: dice.once_in(2).then(|| instant_of(reclaiming - dice.below(50))),
        reclaiming_since: Some(instant_of(reclaiming)),
        reclaim_due_at: Some(instant_of(due)),
        ended_at: (!dice.once_in(4)).then(|| instant_of(ended)),
    }
}

fn random_quota(dice: &mut Dice) -> Quota {
    let cores = dice.one_of(&["0", "1", "8", "500m", "2.5", "16", "1k"]);
    let memory = dice.one_of(&["1Gi", "1536Mi", "16Gi", "2G", "0.1Gi", "7"]);
    let mut lines = vec![(dice.one_of(&["cpu", "requests.cpu"]), cores), ("memory", memory)];
    if dice.once_in(2) {
        lines.push(("requests.storage", dice.one_of(&["200Gi", "1T", "50G", "1e9"])));
    }
    if dice.once_in(2) {
        lines.push(("pods", dice.one_of(&["10", "50", "3"])));
    }
    quota(&lines)
}

fn manual(dice: &mut Dice, record: &ApplicationRecord, month: Month) -> Option<ManualRecord> {
    let (from, to) = (dice.below(28) + 1, dice.below(28) + 1);
    let day = |day: i64| format!("{month}-{day:02}").parse().unwrap();
    dice.once_in(3).then(|| ManualRecord {
        application_uid: record.uid.clone(),
        item: "expert".to_owned(),
        from: day(from.min(to)),
        to: day(from.max(to)),
        units: dice.one_of(&["1", "2.5", "0.25"]).to_owned(),
    })
}

/// The month after a settled one, which did not have all of the facts: some changes and exits were recorded since, and some
/// records were lost, and their namespaces taken back.
fn after_a_settled_month(dice: &mut Dice, mut export: Export) -> Export {
    let mut then = Export { month: export.month.before(), manual: Vec::new(), ..export.clone() };
    for record in &mut then.applications {
        if dice.once_in(2) {
            record.exit = None;
        }
        if dice.once_in(3)
            && let Some(late) = record.changes.pop()
        {
            record.granted = Some(late.before);
        }
    }
    let settlement = settled(&then);
    export.earlier = vec![EarlierMonth::of(&settlement.statement, None)];
    let start = export.month.days().start();
    for number in 0..export.applications.len() {
        let before = export.applications[number].provisioned_at < Some(instant_of(start));
        if before && export.applications[number].exit.is_none() && dice.once_in(3) {
            let taken = take_back(dice, &export.applications[number], &settlement.closing);
            export.manual.retain(|manual| manual.application_uid != export.applications[number].uid);
            export.applications[number] = taken;
        }
    }
    export.opening = Some(settlement.closing);
    export
}

/// A record that was filed anew in the month, and took back the namespaces that a lost one had when the month opened.
fn take_back(dice: &mut Dice, lost: &ApplicationRecord, opening: &State) -> ApplicationRecord {
    let mut record = lost.clone();
    record.uid = format!("{}-anew", lost.uid);
    record.provisioned_at = Some(instant_of(dice.instant(opening.at.timestamp().as_second() + 1, 20)));
    record.namespaces.retain(|own| opening.namespaces.iter().any(|opened| opened.namespace_uid == own.uid));
    for namespace in &mut record.namespaces {
        namespace.took_back = true;
    }
    record.approved = record.namespaces.iter().map(|n| (n.entry.clone(), random_quota(dice))).collect();
    record.changes.clear();
    record.granted = Some(record.approved.clone());
    record
}
