//! Use of namespaces as Prometheus measured it (Art. 29): which days count, and three ratios that are kept apart.
//!
//! - A day counts where real use and quota were both covered by at least 90 %.
//! - A month with fewer than 25 days that count has no ratio: that is unknown, and never 0.
//! - If every namespace reads 0, the sensor is the finding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use govcloud_api::condition::ConditionStatus;
use govcloud_api::region::LowUseRule;
use govcloud_api::utilization::{LowUse, MeasuredResource, MeasuredResult, MonthUse, UseRatio, Utilization};
use jiff::Timestamp;
use jiff::civil::Date;
use strum::{EnumString, IntoEnumIterator as _};

use crate::bilingual::{Bilingual, bilingual};
use crate::calendar::{china_date, end_of};
use crate::reason::Reason;
use crate::settlement::period::{Days, Month};

/// Least coverage of a day that counts.
pub const COVERED: f64 = 0.9;

/// Least number of days that count, for a month to be measured.
pub const LEAST_DAYS: usize = 25;

/// Most rows of an assessment; the schema says the same.
pub const MOST_ROWS: usize = 1024;

/// Most namespaces with low use that are listed; the schema says the same.
const MOST_LOW: usize = 256;

/// What a series measures. The label `of` of the recording rules spells it in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Measure {
    /// Real use.
    Real,
    /// Requests of pods and claims, as the quota counts them.
    Requests,
    /// Quota in force.
    Quota,
}

/// A series on one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// Mean.
    pub mean: f64,
    /// 95th percentile.
    pub p95: f64,
    /// Share of the expected samples that there are, from 0 to 1.
    pub coverage: f64,
}

impl Sampled {
    fn counts(self) -> bool {
        self.coverage >= COVERED
    }
}

/// Readings of one resource in one namespace on one day. What was not measured is absent, and is not 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DayReading {
    /// Real use.
    pub real: Option<Sampled>,
    /// Requests.
    pub requests: Option<Sampled>,
    /// Quota.
    pub quota: Option<Sampled>,
}

impl DayReading {
    fn measure(&mut self, measure: Measure) -> &mut Option<Sampled> {
        match measure {
            Measure::Real => &mut self.real,
            Measure::Requests => &mut self.requests,
            Measure::Quota => &mut self.quota,
        }
    }

    /// Two series of the day that both count.
    fn both(first: Option<Sampled>, second: Option<Sampled>) -> Option<(Sampled, Sampled)> {
        first.zip(second).filter(|(a, b)| a.counts() && b.counts())
    }
}

/// Everything that was read for one assessment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UseReadings {
    /// Time of the reading.
    pub read_at: Timestamp,
    series: BTreeMap<(Arc<str>, MeasuredResource), BTreeMap<Date, DayReading>>,
}

impl UseReadings {
    /// Readings that were made at this time, and hold nothing yet.
    #[must_use]
    pub fn new(read_at: Timestamp) -> Self {
        Self { read_at, series: BTreeMap::new() }
    }

    /// Adds a series of a day. Of two readings of the same, the one with the better coverage stays.
    pub fn add(
        &mut self,
        namespace: &str,
        resource: MeasuredResource,
        day: Date,
        measure: Measure,
        read: Sampled,
    ) {
        let days = self.series.entry((namespace.into(), resource)).or_default();
        let kept = days.entry(day).or_default().measure(measure);
        if kept.is_none_or(|kept| read.coverage > kept.coverage) {
            *kept = Some(read);
        }
    }

    /// Readings of a day; empty where nothing was measured.
    #[must_use]
    pub fn day(&self, namespace: &str, resource: MeasuredResource, day: Date) -> DayReading {
        let series = self.series.get(&(Arc::from(namespace), resource));
        series.and_then(|days| days.get(&day)).copied().unwrap_or_default()
    }

    /// Resources of which real use was read, and every reading was 0.
    fn suspect(&self) -> BTreeSet<MeasuredResource> {
        let of = |resource: MeasuredResource| {
            let series = self.series.iter().filter(move |((_, of), _)| *of == resource);
            series.flat_map(|(_, days)| days.values().filter_map(|day| day.real))
        };
        let dead = |resource: &MeasuredResource| {
            let mut read = of(*resource).peekable();
            read.peek().is_some() && read.all(|real| real.mean == 0.0 && real.p95 == 0.0)
        };
        MeasuredResource::iter().filter(dead).collect()
    }
}

/// A namespace whose use is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredNamespace {
    /// Name of the CloudApplication.
    pub application: String,
    /// Tenant namespace.
    pub namespace: String,
    /// Go-live of the application; `None` before it.
    pub live_at: Option<Timestamp>,
}

/// Months of a period, in order.
fn months(period: Days) -> Vec<Days> {
    let mut all: Vec<Days> = period.iter().map(|day| Month::of(day).days()).collect();
    all.dedup();
    all
}

/// Number of rows that the use of so many namespaces takes in a period.
#[must_use]
pub fn rows(namespaces: usize, period: Days) -> usize {
    namespaces * months(period).len() * MeasuredResource::iter().count()
}

/// Use of namespaces in a period, from what was read.
#[must_use]
pub fn utilization(
    namespaces: &[MeasuredNamespace],
    period: Days,
    readings: &UseReadings,
    rule: Option<&LowUseRule>,
) -> Utilization {
    let suspect = readings.suspect();
    let mut all = Vec::new();
    for namespace in namespaces {
        for resource in MeasuredResource::iter() {
            for month in months(period) {
                all.push(row(namespace, resource, month, readings, suspect.contains(&resource)));
            }
        }
    }
    let low = rule.map(|rule| low_use(namespaces, period, &all, rule)).unwrap_or_default();
    Utilization { read_at: readings.read_at.into(), months: all, suspect: suspect.into_iter().collect(), low }
}

/// Sums over the days that count.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    days: usize,
    above: f64,
    peak: f64,
    below: f64,
}

impl Sums {
    fn of(days: impl Iterator<Item = (Sampled, Sampled)>) -> Self {
        days.fold(Self::default(), |sums, (above, below)| Self {
            days: sums.days + 1,
            above: sums.above + above.mean,
            peak: sums.peak + above.p95,
            below: sums.below + below.mean,
        })
    }

    /// A ratio over enough days; `None` where it is not known.
    fn ratio(self, above: f64) -> Option<String> {
        let ratio = above / self.below;
        (self.days >= LEAST_DAYS && self.below > 0.0 && ratio.is_finite()).then(|| format!("{ratio:.4}"))
    }
}

/// Row of one namespace, resource and month.
fn row(
    namespace: &MeasuredNamespace,
    resource: MeasuredResource,
    month: Days,
    readings: &UseReadings,
    suspect: bool,
) -> MonthUse {
    let days: Vec<DayReading> =
        month.iter().map(|day| readings.day(&namespace.namespace, resource, day)).collect();
    let coverage = |day: &DayReading| percent(day.real.map_or(0.0, |real| real.coverage));
    let applied = Sums::of(days.iter().filter_map(|d| DayReading::both(d.requests, d.quota)));
    let used = Sums::of(days.iter().filter_map(|d| DayReading::both(d.real, d.quota)));
    let dense = Sums::of(days.iter().filter_map(|d| DayReading::both(d.real, d.requests)));
    let known = |ratio: Option<String>| ratio.filter(|_| !suspect);
    MonthUse {
        application: namespace.application.clone(),
        namespace: namespace.namespace.clone(),
        month: Month::of(month.from).to_string(),
        resource,
        result: match used.days {
            _ if suspect => MeasuredResult::SensorSuspect,
            LEAST_DAYS.. => MeasuredResult::Measured,
            _ => MeasuredResult::InsufficientData,
        },
        days: count(days.len()),
        counting_days: count(used.days),
        coverage: days.iter().map(coverage).collect(),
        applied: applied.ratio(applied.above),
        used: known(used.ratio(used.above)),
        used_p95: known(used.ratio(used.peak)),
        dense: known(dense.ratio(dense.above)),
    }
}

/// A coverage in per cent, cut: 0.899 is not 90.
fn percent(coverage: f64) -> i32 {
    (0..=100).rev().find(|percent| f64::from(*percent) <= coverage * 100.0).unwrap_or(0)
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Namespaces whose ratio was below the threshold in each of the last months of the period. One whose system was not live
/// all that time is left out, and so is one of which a month is not known.
fn low_use(
    namespaces: &[MeasuredNamespace],
    period: Days,
    all: &[MonthUse],
    rule: &LowUseRule,
) -> Vec<LowUse> {
    let (months, last) = (months(period), usize::try_from(rule.months).unwrap_or(usize::MAX));
    let Some(judged) = months.len().checked_sub(last).map(|first| &months[first..]) else {
        return Vec::new();
    };
    let (Some(first), Ok(below)) = (judged.first(), rule.below.parse::<f64>()) else { return Vec::new() };
    let live = |n: &&MeasuredNamespace| n.live_at.is_some_and(|at| china_date(at) <= first.from);
    let ratio = |n: &MeasuredNamespace, month: &Days| {
        let month = Month::of(month.from).to_string();
        let row = all.iter().find(|row| {
            row.namespace == n.namespace && row.resource == rule.resource && row.month == month
        })?;
        let text = match rule.ratio {
            UseRatio::Applied => row.applied.as_ref(),
            UseRatio::Used => row.used.as_ref(),
            UseRatio::UsedP95 => row.used_p95.as_ref(),
            UseRatio::Dense => row.dense.as_ref(),
        }?;
        Some((text.parse::<f64>().ok()?, text.clone()))
    };
    let low = |n: &MeasuredNamespace| {
        let ratios: Option<Vec<(f64, String)>> = judged.iter().map(|month| ratio(n, month)).collect();
        let highest = ratios?.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
        (highest.0 < below).then(|| LowUse {
            application: n.application.clone(),
            namespace: n.namespace.clone(),
            highest: highest.1,
            months: rule.months,
        })
    };
    namespaces.iter().filter(live).filter_map(low).take(MOST_LOW).collect()
}

/// The end of a day in China: the instant at which its window of 24 hours is read.
#[must_use]
pub fn window_end(day: Date) -> Timestamp {
    end_of(day)
}

/// The condition `UseMeasured`: its status, reason and wording.
#[must_use]
pub fn verdict(utilization: &Utilization) -> (ConditionStatus, Reason, Bilingual) {
    if !utilization.suspect.is_empty() {
        let names: Vec<&str> = utilization.suspect.iter().map(|resource| (*resource).into()).collect();
        let (zh, en) = (names.join("、"), names.join(", "));
        let text = bilingual!(
            "所有命名空间的 {zh} 实际用量均为 0，应先检查采集：这不表示没有使用",
            "real use of {en} reads 0 in every namespace: look at the sensor first, for this does not say that nothing is used"
        );
        return (ConditionStatus::False, Reason::SensorSuspect, text);
    }
    let unknown = utilization.months.iter().filter(|row| row.result != MeasuredResult::Measured).count();
    let all = utilization.months.len();
    if unknown > 0 {
        let text = bilingual!(
            "{all} 项月度用量中有 {unknown} 项数据不足（每月须有 25 天达到 90% 覆盖），不计为 0",
            "{unknown} of {all} monthly readings have too little data (25 days of a month must be covered by 90 %); they do not count as 0"
        );
        return (ConditionStatus::False, Reason::InsufficientData, text);
    }
    let text = bilingual!("{all} 项月度用量均已测得", "all {all} monthly readings are measured");
    (ConditionStatus::True, Reason::UseMeasured, text)
}

#[cfg(test)]
mod tests;
