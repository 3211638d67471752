//! Clocks of a record: started, paused, met and reported (design, section 4).

use jiff::Timestamp;

use super::super::calendar::Calendar;
use super::super::deadline::{DeadlineClock, DeadlineReports, Moved, named_en, named_zh};
use super::super::finding::Bilingual;
use super::super::lifecycle_event::LifecycleEvent;
use super::{OPERATOR, StatusBuilder};
use crate::reason::Reason;
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::deadline::{Deadline, Obligation, Party};
use strum::AsRefStr;

/// Reason of a pause: another party is waited on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
pub enum PauseReason {
    /// Correction by the department (Art. 12).
    Correction,
    /// Consent of the department (Art. 23).
    Consent,
    /// Use above the requested quota (Art. 15).
    BelowUse,
    /// Receipts of the department (Art. 28).
    HandOver,
    /// Exit of the application (Art. 16).
    Exiting,
    /// Objection of the provider (Art. 26).
    Objection,
    /// Decision of the authority on answers (Art. 25).
    Decision,
}

/// Reason for which an obligation fell away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
pub enum ClosedReason {
    /// Withdrawal by the department.
    #[strum(serialize = "withdrawn")]
    Withdrawn,
    /// Consent that became invalid (Art. 23).
    #[strum(serialize = "consent void")]
    ConsentVoid,
    /// Application that was filed anew.
    #[strum(serialize = "filed anew")]
    FiledAnew,
    /// Application that exited (Art. 16).
    Exited,
    /// Decision that turned out not to be the operator's record of one.
    #[strum(serialize = "decision void")]
    DecisionVoid,
    /// Bill that was computed anew, returned, or objected to no more (Art. 26).
    #[strum(serialize = "bill superseded")]
    BillSuperseded,
    /// Duty that the Region no longer states.
    #[strum(serialize = "no longer owed")]
    NoLongerOwed,
    /// Period for objections that went by without one (Art. 27, 29).
    #[strum(serialize = "no objection")]
    NotObjected,
    /// Objection that was made (Art. 27, 29).
    #[strum(serialize = "objected")]
    Objected,
    /// Assessment that was not to be published (Art. 27, 29).
    #[strum(serialize = "rejected")]
    Rejected,
    /// Scores that changed while the assessed party could object: it may do so anew (Art. 27, 29).
    #[strum(serialize = "scores changed")]
    ScoresChanged,
}

impl StatusBuilder {
    /// Clock of an obligation.
    #[must_use]
    pub fn clock(&self, obligation: Obligation) -> Option<&Deadline> {
        self.status.deadlines.iter().find(|d| d.obligation == obligation)
    }

    fn clock_mut(&mut self, obligation: Obligation) -> Option<&mut Deadline> {
        self.status.deadlines.iter_mut().find(|d| d.obligation == obligation)
    }

    /// Starts a clock; a clock that was started before stays as it is.
    pub fn start_clock(&mut self, obligation: Obligation, days: i32, from: Timestamp, calendar: &Calendar) {
        if self.clock(obligation).is_some_and(|d| d.closed_at.is_none()) {
            return;
        }
        self.status.deadlines.retain(|d| d.obligation != obligation);
        let (party, article) = (obligation.party(), obligation.article());
        let d = Deadline::open(obligation, days, from, calendar);
        self.record_event(
            LifecycleEvent::ClockStarted(obligation, party, d.due_date.0, d.provisional),
            OPERATOR,
            Some(article),
        );
        self.status.deadlines.push(d);
    }

    /// Runs the review clock, only while the authority is waited on. It counts from the filing where it starts on the first
    /// visit, and from now where the record was corrected or the Region set the period later.
    pub fn review_clock(
        &mut self,
        days: i32,
        created_at: Option<Timestamp>,
        blocked: Option<PauseReason>,
        calendar: &Calendar,
    ) {
        let from = match self.clock(Obligation::Review) {
            None if self.first_visit() => created_at.map_or(self.now, |c| c.min(self.now)),
            _ => self.now,
        };
        if self.clock(Obligation::Review).is_some_and(|d| d.met_at.is_some()) {
            self.status.deadlines.retain(|d| d.obligation != Obligation::Review);
        }
        self.start_clock(Obligation::Review, days, from, calendar);
        match blocked {
            None => self.resume(Obligation::Review, calendar),
            Some(why) => self.pause(Obligation::Review, Party::Department, why, calendar),
        }
    }

    /// Starts a clock anew if none runs: an obligation that was met before is owed once more.
    pub fn run_clock(&mut self, obligation: Obligation, days: i32, calendar: &Calendar) {
        if self.clock(obligation).is_none_or(Deadline::is_over) {
            self.status.deadlines.retain(|d| d.obligation != obligation);
            self.start_clock(obligation, days, self.now, calendar);
        }
    }

    /// Meets an obligation at `at`.
    pub fn meet(&mut self, obligation: Obligation, at: Timestamp, calendar: &Calendar) {
        let Some(clock) = self.clock_mut(obligation) else { return };
        let article = clock.article;
        let Some(met) = clock.meet(at, calendar) else { return };
        self.moved(met.moved);
        let event = LifecycleEvent::Met(obligation, met.working_days_late);
        self.record_event_at(event, OPERATOR, Some(article), at);
    }

    /// Ends a clock whose obligation fell away.
    pub fn drop_clock(&mut self, obligation: Obligation, why: ClosedReason) {
        let now = self.now;
        if let Some(d) = self.clock_mut(obligation) {
            d.close(now, why.as_ref());
        }
    }

    /// Stops a clock while another party is waited on.
    pub fn pause(&mut self, obligation: Obligation, on: Party, why: PauseReason, calendar: &Calendar) {
        let now = self.now;
        let moved = self.clock_mut(obligation).map(|d| d.pause(now, on, why.as_ref(), calendar));
        self.moved(moved.unwrap_or_default());
    }

    /// Lets a stopped clock run again; the due date moves by the whole working days that it stood.
    pub fn resume(&mut self, obligation: Obligation, calendar: &Calendar) {
        let now = self.now;
        let moved = self.clock_mut(obligation).map(|d| d.resume(now, calendar));
        self.moved(moved.unwrap_or_default());
    }

    /// Records moved due dates (S8).
    pub(crate) fn moved(&mut self, moved: Vec<Moved>) {
        for m in moved {
            let article = self.clock(m.obligation).map_or(m.obligation.article(), |d| d.article);
            self.record_event(LifecycleEvent::moved(m), OPERATOR, Some(article));
        }
    }

    /// Recomputes, warns and reports every clock; sets `OnTime` (design, section 4). Without a calendar, because it or the
    /// Region is gone, the stored dates stand, and what they say is reported.
    pub fn run_clocks(&mut self, calendar: Option<&Calendar>) {
        let now = self.now;
        let (mut moved, mut due, mut wakes) = (Vec::new(), Vec::new(), Vec::new());
        for d in &mut self.status.deadlines {
            match calendar {
                Some(calendar) => {
                    moved.extend(d.recompute(calendar, now));
                    due.extend(d.tick(now, calendar));
                    wakes.extend(d.next_wake(now, calendar));
                }
                None => {
                    due.extend(d.tick_without_calendar(now));
                    let runs = !d.is_over() && !d.is_paused() && d.notified.overdue.is_none();
                    wakes.extend(runs.then(|| d.due_at.timestamp()));
                }
            }
        }
        self.wake = self.wake.into_iter().chain(wakes).min();
        self.moved(moved);
        for notice in due {
            let article = notice.article;
            self.record_event(LifecycleEvent::due(notice), OPERATOR, Some(article));
        }
        self.on_time();
    }

    /// `OnTime`: False while an obligation is overdue and not met.
    fn on_time(&mut self) {
        if self.status.deadlines.is_empty() {
            return;
        }
        let late = self.status.deadlines.iter().find(|d| d.is_overdue(self.now));
        let late = late.map(|d| (d.obligation, d.item.clone(), d.party, d.due_date, d.provisional));
        match late {
            Some((o, item, p, due, provisional)) => {
                let (zh, en) = if provisional { ("（暂定）", " (provisional)") } else { ("", "") };
                let text = Bilingual::new(
                    format!("{}已逾期，期限 {due}{zh}，责任方：{}", named_zh(o, item.as_ref()), p.zh()),
                    format!(
                        "{} is overdue since {due}{en}, owed by the {}",
                        named_en(o, item.as_ref()),
                        p.en()
                    ),
                );
                self.condition(ConditionType::OnTime, ConditionStatus::False, Reason::overdue(o), &text);
            }
            None => self.condition(
                ConditionType::OnTime,
                ConditionStatus::True,
                Reason::OnTime,
                &Bilingual::new("各期限均未逾期", "no deadline has passed"),
            ),
        }
    }
}
