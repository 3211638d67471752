//! The adoption of running systems (Art. 3): marked when the grant comes into force, observed for the Region's working days,
//! then under the rules facet by facet, on the department's word.

use jiff::Timestamp;
use jiff::civil::Date;

use super::order::opens;
use super::{Evaluation, Gate, Observed};
use crate::adoption::{counted_only, listed};
use crate::bilingual::bilingual;
use crate::calendar::{china_date, end_of};
use crate::decision;
use crate::reason::Reason;
use crate::record::ReadyState;
use crate::tenancy::quota::effective;
use crate::tenancy::quota_delta::below_use;
use crate::tenancy::{
    AdoptionOrder, AdoptionStep, NamespaceReport, NamespaceState, TenancyOrder, TenancyReport, enforced,
    granted_quota,
};
use govcloud_api::adoption::{Adoption, Facet};
use govcloud_api::deadline::Party;
use govcloud_api::grant::{GrantedNamespace, ResourceGrantStatus};
use govcloud_api::record::WaitingFor;

/// Most differences that a status lists; the schema says the same.
const DIFFERENCES_MAX: usize = 32;
/// Most bytes of one difference; the schema says the same.
const DIFFERENCE_MAX: usize = 256;

/// The adoption of one granted namespace, as far as it is to go now; `None` where the operator made it.
pub(super) fn adoption(
    seen: &Observed,
    stored: &ResourceGrantStatus,
    gate: &Gate,
    granted: &GrantedNamespace,
    now: Timestamp,
) -> Option<AdoptionOrder> {
    let existing = granted.existing.clone()?;
    let recorded = stored.namespaces.iter().any(|n| n.entry == granted.name && n.uid.is_some());
    let live = seen.namespaces.iter().find(|live| live.name() == existing.name);
    let progress = stored.adoption.clone().unwrap_or_default();
    let step = match recorded {
        true => AdoptionStep::Furnish,
        false if opens(seen, stored, gate) && is_approved(seen, &existing.uid) => AdoptionStep::Mark,
        false => AdoptionStep::Waits,
    };
    let quota = live.and_then(granted_quota).map(|quota| &*quota.object);
    Some(AdoptionOrder {
        // The label remembers how far it came, also where the grant was lost.
        enforced: progress.enforced.max(live.and_then(enforced)).max(asked(seen, &progress, now)),
        counted: if progress.limited { Vec::new() } else { counted_only(&granted.quota, quota) },
        existing,
        step,
    })
}

/// Returns true if the approval in force names the namespace (S1).
fn is_approved(seen: &Observed, uid: &str) -> bool {
    let Some((meta, application)) = &seen.application else { return false };
    let Some(status) = &application.status else { return false };
    let approval = decision::approved(&status.record, &meta.digest);
    approval.is_some_and(|approval| approval.adopt.iter().any(|named| named == uid))
}

/// Facet that the department says, once the namespaces were observed for long enough. Nothing is enforced before the quota
/// limits: what is in use would be cut off unseen.
fn asked(seen: &Observed, progress: &Adoption, now: Timestamp) -> Option<Facet> {
    let (_, application) = seen.application.as_ref()?;
    let over = progress.limited && now >= observed_until(progress)?;
    application.spec.enforce.filter(|_| over)
}

/// The instant up to which the namespaces are observed.
fn observed_until(progress: &Adoption) -> Option<Timestamp> {
    let day: Date = progress.observed_until.as_ref()?.parse().ok()?;
    Some(end_of(day))
}

impl Evaluation<'_> {
    /// Records how far the adoption has come.
    pub(super) fn record_adoption(&mut self, order: &TenancyOrder, report: &TenancyReport) {
        let adopted: Vec<(&AdoptionOrder, &NamespaceReport)> = order
            .namespaces
            .iter()
            .zip(&report.namespaces)
            .filter_map(|(ordered, found)| Some((ordered.adoption.as_ref()?, found)))
            .collect();
        if adopted.is_empty() {
            return;
        }
        let mut progress = self.status.adoption.take().unwrap_or_default();
        if progress.observed_until.is_none() {
            progress.observed_until = self.last_day_observed().map(|day| day.to_string());
        }
        // The namespaces were furnished as ordered.
        let furnished = adopted.iter().all(|(ordered, _)| ordered.step == AdoptionStep::Furnish);
        let limits = |(o, n): &(&AdoptionOrder, &NamespaceReport)| {
            o.counted.is_empty() && n.state == NamespaceState::InForce
        };
        progress.limited |= furnished && adopted.iter().all(limits);
        let everywhere = adopted.iter().map(|(ordered, _)| ordered.enforced).min().flatten();
        progress.enforced = progress.enforced.max(everywhere);
        let paths = adopted.iter().flat_map(|(_, found)| &found.unenforced);
        let cut = |path: &String| path.chars().take(DIFFERENCE_MAX / 4).collect::<String>();
        let short = |path: &String| if path.len() > DIFFERENCE_MAX { cut(path) } else { path.clone() };
        progress.differences = paths.map(short).take(DIFFERENCES_MAX).collect();
        self.status.adoption = Some(progress);
    }

    /// Last day on which the namespaces are observed: the Region's working days after they were marked. With none, the day
    /// before. `None` without a calendar.
    fn last_day_observed(&self) -> Option<Date> {
        let (region, calendar) = self.seen.region_context.counting()?;
        let marked = china_date(self.status.in_force_since.map_or(self.now, |at| at.timestamp()));
        match u32::try_from(region.working_days.adoption_observe).ok()? {
            0 => marked.yesterday().ok(),
            days => Some(calendar.add(marked, days)),
        }
    }

    /// Waits while more is used in an adopted namespace than was granted: its quota counts, and limits those keys later.
    /// Returns true if it waits.
    pub(super) fn await_use(&mut self, order: &TenancyOrder, report: &TenancyReport) -> bool {
        let above = |(ordered, found): (&crate::tenancy::NamespaceOrder, &NamespaceReport)| {
            let counted = &ordered.adoption.as_ref()?.counted;
            let below = below_use(&effective(&ordered.quota), &found.used).ok()?;
            let below: Vec<_> = below.into_iter().filter(|b| counted.contains(&b.key)).collect();
            (!below.is_empty()).then(|| format!("{}: {}", ordered.name, listed(&below)))
        };
        let above: Vec<String> = order.namespaces.iter().zip(&report.namespaces).filter_map(above).collect();
        if above.is_empty() {
            return false;
        }
        let list = above.join("; ");
        self.builder.wait_on(Party::Department, Some(WaitingFor::ReduceUse), None);
        self.builder.set_ready_conditions(&ReadyState::Reconciling(
            Reason::BelowUse,
            bilingual!(
                "纳管的命名空间现用量高于批准的配额，这些项暂只统计、不限制，运行中的实例不受影响：{list}；请使用部门降低用量，或申请变更",
                "more is used in an adopted namespace than was granted; these keys are counted and not limited yet, and no instance is disturbed: {list}. The department uses less, or files a change"
            ),
        ));
        true
    }

    /// Wakes when the namespaces were observed for long enough, if the department has said what is enforced then.
    pub(super) fn await_facets(&mut self) {
        let Some(progress) = &self.status.adoption else { return };
        let said = self.seen.application.as_ref().and_then(|(_, application)| application.spec.enforce);
        let due = observed_until(progress).filter(|at| said > progress.enforced && *at > self.now);
        self.builder.wake = self.builder.wake.into_iter().chain(due).min();
    }
}
