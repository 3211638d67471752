//! Lifecycle events, counted once the status that records them was written.
//!
//! A record that is reconciled again, by this process or the next, records nothing new and is not counted again.
//! A process that ends between the write and the count loses one; none is ever counted twice.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::kinds::Kind;
use govcloud_api::deadline::Obligation;
use govcloud_api::record::{RecordStatus, Verdict};
use govcloud_domain::calendar::Calendar;
use govcloud_domain::lifecycle_event::LifecycleEvent;
use govcloud_domain::record::durations;

/// Upper bounds of the histograms of working days.
const WORKING_DAYS: [f64; 10] = [0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0];

labels! {
    ByEvent { kind: &'static str, event: &'static str }
    ByVerdict { region: String, kind: &'static str, verdict: &'static str }
    ByTimeliness { region: String, obligation: &'static str, result: &'static str }
    Decided { kind: &'static str, verdict: &'static str }
    Owed { obligation: &'static str }
}

type Days<L> = Family<L, Histogram, fn() -> Histogram>;

/// Lifecycle events.
#[derive(Clone, Debug)]
pub struct Events {
    events: Family<ByEvent, Counter>,
    decisions: Family<ByVerdict, Counter>,
    decision_days: Days<Decided>,
    met: Family<ByTimeliness, Counter>,
    met_days: Days<Owed>,
}

impl Default for Events {
    fn default() -> Self {
        let days: fn() -> Histogram = || Histogram::new(WORKING_DAYS);
        Self {
            events: Family::default(),
            decisions: Family::default(),
            decision_days: Family::new_with_constructor(days),
            met: Family::default(),
            met_days: Family::new_with_constructor(days),
        }
    }
}

/// Record and Region of some events.
#[derive(Clone, Copy, Debug)]
pub struct Where<'a> {
    /// Kind of the record.
    pub kind: Kind,
    /// Code of its Region.
    pub region: &'a str,
    /// The Region's calendar, where it can be used.
    pub calendar: Option<&'a Calendar>,
}

impl Events {
    /// A status was written that records these events.
    pub fn recorded(&self, place: Where<'_>, events: &[LifecycleEvent], status: &RecordStatus) {
        let kind = place.kind.as_str();
        for event in events {
            self.events.get_or_create(&ByEvent { kind, event: event.event() }).inc();
            match event {
                LifecycleEvent::Approved(_) => self.decided(place, Verdict::Approved, status),
                LifecycleEvent::Rejected(_) => self.decided(place, Verdict::Rejected, status),
                LifecycleEvent::Returned(_) => self.decided(place, Verdict::Returned, status),
                LifecycleEvent::DecisionVoid(_) => self.count_decision(place, "void"),
                LifecycleEvent::Met(o, late) => self.met(place, *o, late.is_some(), status),
                _ => {}
            }
        }
    }

    fn count_decision(&self, place: Where<'_>, verdict: &'static str) {
        let label = ByVerdict { region: place.region.to_owned(), kind: place.kind.as_str(), verdict };
        self.decisions.get_or_create(&label).inc();
    }

    fn decided(&self, place: Where<'_>, verdict: Verdict, status: &RecordStatus) {
        let verdict = verdict.into();
        self.count_decision(place, verdict);
        if let Some(days) = place.calendar.and_then(|c| durations::days_to_decide(status, c)) {
            let label = Decided { kind: place.kind.as_str(), verdict };
            self.decision_days.get_or_create(&label).observe(f64::from(days));
        }
    }

    fn met(&self, place: Where<'_>, which: Obligation, late: bool, status: &RecordStatus) {
        let result = if late { "late" } else { "in_time" };
        let name = which.into();
        self.met
            .get_or_create(&ByTimeliness { region: place.region.to_owned(), obligation: name, result })
            .inc();
        let deadline = status.deadlines.iter().find(|d| d.obligation == which);
        if let Some(days) = place.calendar.zip(deadline).and_then(|(c, d)| durations::days_taken(d, c)) {
            self.met_days.get_or_create(&Owed { obligation: name }).observe(f64::from(days));
        }
    }

    pub(super) fn register(&self, to: &mut Registry) {
        to.register(
            "lifecycle_events",
            "Lifecycle events recorded by this process, by kind and timeline event",
            self.events.clone(),
        );
        to.register(
            "decisions",
            "Decisions recorded by this process, by verdict; void is an invalid one",
            self.decisions.clone(),
        );
        to.register(
            "decision_workdays",
            "Working days from the last submission of a record to the authority until its decision",
            self.decision_days.clone(),
        );
        to.register(
            "obligations_met",
            "Obligations met, in time or late, as recorded by this process",
            self.met.clone(),
        );
        to.register(
            "obligation_workdays",
            "Working days that a met obligation took, without those spent waiting for another party",
            self.met_days.clone(),
        );
    }
}
