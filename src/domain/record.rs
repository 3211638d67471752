//! The parts of a life that every record shares: conditions, who is waited on, clocks, timeline.
//!
//! [`StatusBuilder`] is a status being rewritten: each kind's `decide` begins one from what is stored, tells it
//! what happened, and ends it into a [`Plan`](super::plan::Plan).

use jiff::Timestamp;

use super::calendar::Calendar;
use super::decision::{self, DecisionVerdict, PolicyIntegrity, Subject};
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use govcloud_api::condition::{Condition, ConditionStatus};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::keys;
use govcloud_api::record::{RecordStatus, TimelineEntry, Verdict};

mod clocks;
pub mod durations;
mod ready_state;

pub use clocks::article_of;
pub use ready_state::ReadyState;

/// The operator as an actor in timelines.
pub const OPERATOR: &str = "govcloud-operator";

/// Most entries that a timeline holds; the schema says the same.
pub const TIMELINE_MAX: usize = 256;

/// What is known of the object itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Generation.
    pub generation: i64,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Annotations.
    pub annotations: std::collections::BTreeMap<String, String>,
    /// Labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Digest of the spec without the later fields.
    pub digest: String,
    /// When the API server says that the decision was annotated.
    pub stamped_at: Option<Timestamp>,
}

impl Meta {
    /// Who filed the record, as stamped.
    #[must_use]
    pub fn requested_by(&self) -> &str {
        self.annotations.get(keys::REQUESTED_BY).map_or("", String::as_str)
    }

    /// Whether the department took it back.
    #[must_use]
    pub fn withdrawn(&self) -> bool {
        self.annotations.get(keys::WITHDRAW).is_some_and(|u| *u == self.uid)
    }

    /// The subject of a decision.
    #[must_use]
    pub fn subject(&self, in_order: bool) -> Subject<'_> {
        Subject {
            annotations: &self.annotations,
            generation: self.generation,
            digest: &self.digest,
            stamped_at: self.stamped_at,
            in_order,
            found: &[],
        }
    }
}

/// Whether somebody waits for the operator's word: its spec or its decision is not what the status tells of, or
/// provisioning is under way. After a start this is looked at before all that was at rest.
#[must_use]
pub fn is_unanswered(meta: &Meta, status: Option<&RecordStatus>) -> bool {
    let Some(status) = status.filter(|s| s.observed_generation == Some(meta.generation)) else { return true };
    let decided = match (decision::read(&meta.annotations), &status.decision) {
        (Ok(None), None) => false,
        (Ok(None), Some(d)) => d.void.is_some(),
        (Ok(Some(new)), Some(d)) => new.reviewed_generation != d.generation,
        (Err(_), Some(_)) => false,
        (_, None) => true,
    };
    decided || (status.waiting_on == Party::Provider && !meta.deleting)
}

/// A status being rewritten.
#[derive(Clone, Debug)]
pub struct StatusBuilder {
    /// The status as it will be.
    pub status: RecordStatus,
    /// What happened.
    pub events: Vec<LifecycleEvent>,
    /// When to look again.
    pub wake: Option<Timestamp>,
    /// UIDs of the namespaces that an earlier record left behind.
    pub found: Vec<String>,
    generation: i64,
    now: Timestamp,
    in_order: bool,
}

impl StatusBuilder {
    /// Begins from what is stored.
    #[must_use]
    pub fn begin(stored: &RecordStatus, generation: i64, now: Timestamp) -> Self {
        Self::rewriting(stored.clone(), generation, now)
    }

    /// Begins on a copy of what is stored.
    #[must_use]
    pub fn rewriting(stored: RecordStatus, generation: i64, now: Timestamp) -> Self {
        let valid = |c: &Condition| c.type_ == "Valid" && c.status == ConditionStatus::True;
        let in_order =
            stored.conditions.iter().any(|c| valid(c) && c.observed_generation == Some(generation));
        Self { status: stored, events: Vec::new(), wake: None, found: Vec::new(), generation, now, in_order }
    }

    /// Whether this is the first visit.
    #[must_use]
    pub fn first_visit(&self) -> bool {
        self.status.observed_at.is_none()
    }

    /// Records what happened: in the timeline, and as an Event (S12).
    pub fn record_event(&mut self, happening: LifecycleEvent, actor: &str, article: Option<i32>) {
        self.record_event_at(happening, actor, article, self.now);
    }

    /// Records what happened at another instant than now.
    pub fn record_event_at(
        &mut self,
        happening: LifecycleEvent,
        actor: &str,
        article: Option<i32>,
        at: Timestamp,
    ) {
        let timeline = self.status.timeline.to_mut();
        if timeline.len() >= TIMELINE_MAX {
            timeline.remove(1);
            *self.status.timeline_dropped.get_or_insert(0) += 1;
        }
        timeline.push(TimelineEntry {
            at: at.into(),
            actor: actor.to_owned(),
            event: happening.event().to_owned(),
            article,
            message: clip(happening.text().to_string(), 2000),
        });
        self.events.push(happening);
    }

    /// Sets one condition; `lastTransitionTime` moves only when its status does.
    pub fn condition(&mut self, type_: &str, status: ConditionStatus, reason: &str, message: &Bilingual) {
        let mut next = Condition {
            type_: type_.to_owned(),
            status,
            observed_generation: Some(self.generation),
            last_transition_time: self.now.into(),
            reason: reason.to_owned(),
            message: clip(message.to_string(), 8000),
        };
        match self.status.conditions.iter_mut().find(|c| c.type_ == type_) {
            Some(c) => {
                if c.status == next.status {
                    next.last_transition_time = c.last_transition_time;
                }
                *c = next;
            }
            None => self.status.conditions.push(next),
        }
    }

    /// No record changes its phase in silence (S12): where nothing else was said, the phase itself is.
    pub fn record_phase<P: PartialEq + std::fmt::Debug>(
        &mut self,
        old: Option<P>,
        new: Option<P>,
        article: i32,
    ) {
        if old != new && self.events.is_empty() {
            let phase = new.map(|p| format!("{p:?}")).unwrap_or_default();
            self.record_event(LifecycleEvent::Phase(phase), OPERATOR, Some(article));
        }
    }

    /// Whether the record was stalled for this reason when it was last looked at.
    #[must_use]
    pub fn stalled_for(&self, reason: &str) -> bool {
        let stalled = |c: &&Condition| c.type_ == "Stalled" && c.status == ConditionStatus::True;
        self.status.conditions.iter().find(stalled).is_some_and(|c| c.reason == reason)
    }

    /// Whether the decision that stands does not count.
    #[must_use]
    pub fn void(&self) -> bool {
        self.status.decision.as_ref().is_some_and(|d| d.void.is_some())
    }

    /// Whether a condition is True.
    #[must_use]
    pub fn is(&self, type_: &str) -> bool {
        self.status.conditions.iter().any(|c| c.type_ == type_ && c.status == ConditionStatus::True)
    }

    /// Sets `Valid` from the findings (Art. 12): none is valid.
    pub fn valid(&mut self, findings: &[Finding]) {
        match findings.first() {
            None => self.condition(
                "Valid",
                ConditionStatus::True,
                "Valid",
                &Bilingual::new("材料齐全,符合要求", "complete and in order"),
            ),
            Some(first) => {
                let zh = findings.iter().map(|f| f.text().zh).collect::<Vec<_>>().join(";");
                let en = findings.iter().map(|f| f.text().en).collect::<Vec<_>>().join("; ");
                self.condition("Valid", ConditionStatus::False, first.reason(), &Bilingual::new(zh, en));
            }
        }
    }

    /// Sets `Ready`, `Reconciling` and `Stalled`.
    pub fn set_ready_conditions(&mut self, standing: &ReadyState) {
        use ConditionStatus::{False, True};
        let (ready, reconciling, stalled, reason, text) = match standing {
            ReadyState::Ready(r, t) => (True, False, False, r, t),
            ReadyState::Reconciling(r, t) => (False, True, False, r, t),
            ReadyState::Stalled(r, t) => (False, False, True, r, t),
        };
        self.condition("Ready", ready, reason, text);
        self.condition("Reconciling", reconciling, reason, text);
        self.condition("Stalled", stalled, reason, text);
    }

    /// Says which party's act is awaited, and by which clock.
    pub fn wait_on(&mut self, party: Party, act: Option<&str>, clock: Option<Obligation>) {
        self.status.waiting_on = party;
        self.status.waiting_for = act.map(str::to_owned);
        let running = clock.and_then(|o| self.clock(o)).filter(|d| !d.is_over() && !d.is_paused());
        self.status.due_date = running.map(|d| d.due_date.to_string());
    }

    /// Records that the approval was published to the provider.
    pub fn record_notice(&mut self, article: i32) {
        self.status.notified_at = Some(self.now.into());
        self.record_event(LifecycleEvent::Notified, OPERATOR, Some(article));
    }

    /// The instant from which the provider's period counts.
    #[must_use]
    pub fn notified_at(&self) -> Timestamp {
        self.status.notified_at.map_or(self.now, |t| t.timestamp())
    }

    /// Rules on the decision annotations and records what they mean (Art. 12). Returns the ruling.
    pub fn take_decision(
        &mut self,
        meta: &Meta,
        guard: &PolicyIntegrity,
        article: i32,
        calendar: Option<&Calendar>,
    ) -> DecisionVerdict {
        let subject = Subject { found: &self.found, ..meta.subject(self.in_order) };
        let ruling = decision::rule(subject, &self.status, guard, self.now);
        match &ruling {
            DecisionVerdict::New(d) => {
                match &d.void {
                    Some(why) => {
                        self.record_event(LifecycleEvent::DecisionVoid(why.clone()), &d.by, Some(article))
                    }
                    None => {
                        if let Some(c) = calendar {
                            self.meet(Obligation::Review, d.at.timestamp(), c);
                        }
                        self.record_event_at(
                            LifecycleEvent::Decided(d.verdict, d.opinion.clone()),
                            &d.by,
                            Some(article),
                            d.at.timestamp(),
                        );
                    }
                }
                self.status.decision = Some(d.clone());
            }
            DecisionVerdict::Cleared => {
                self.status.decision = None;
                self.record_event(LifecycleEvent::DecisionCleared, "authority", Some(article));
            }
            DecisionVerdict::Undecided
            | DecisionVerdict::Recorded
            | DecisionVerdict::SpecAltered
            | DecisionVerdict::Wait => {}
        }
        ruling
    }

    /// Records filing, amendment and correction before an approval (Art. 11, 12). A generation that differs only in
    /// [`LATER_FIELDS`](super::digest::LATER_FIELDS) is no amendment: each of those is recorded by itself.
    pub fn record_filing(&mut self, meta: &Meta, article: i32) {
        let by = meta.requested_by();
        let seen = self.status.observed_generation.unwrap_or(0);
        let digest = self.status.spec_digest.replace(meta.digest.clone());
        let later = digest.is_some_and(|d| d == meta.digest);
        if self.first_visit() {
            let at = meta.created_at.filter(|c| *c <= self.now).unwrap_or(self.now);
            self.record_event_at(LifecycleEvent::Submitted, by, Some(article), at);
        } else if seen != meta.generation && !later {
            match self.status.decision.as_ref().map(|d| (d.verdict, d.void.is_some())) {
                None => self.record_event(LifecycleEvent::Amended(meta.generation), by, Some(article)),
                Some((Verdict::Returned, false)) => {
                    self.record_event(LifecycleEvent::Resubmitted(meta.generation), by, Some(article))
                }
                Some(_) => {}
            }
        }
    }

    /// Whether a returned record has been answered by a new generation (Art. 12).
    #[must_use]
    pub fn returned_and_unanswered(&self) -> bool {
        self.status.decision.as_ref().is_some_and(|d| {
            d.void.is_none() && d.verdict == Verdict::Returned && d.generation >= self.generation
        })
    }

    /// The recorded decision, if it counts and is the given verdict.
    #[must_use]
    pub fn decided(&self, verdict: Verdict) -> bool {
        self.status.decision.as_ref().is_some_and(|d| d.void.is_none() && d.verdict == verdict)
    }

    /// Ends the rewriting: `observedGeneration`, and `observedAt` where anything else changed.
    #[must_use]
    pub fn end(mut self, stored: &RecordStatus) -> (RecordStatus, Vec<LifecycleEvent>, Option<Timestamp>) {
        self.status.observed_generation = Some(self.generation);
        if self.status != *stored || stored.observed_at.is_none() {
            self.status.observed_at = Some(self.now.into());
        }
        (self.status, self.events, self.wake)
    }
}

/// Cuts a text to at most `max` bytes at a character boundary.
fn clip(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use govcloud_api::record::{Decision, TimeSource};

    #[test]
    fn what_the_status_does_not_tell_of_is_unanswered() {
        let at = Timestamp::UNIX_EPOCH;
        let approved = |generation: i64| {
            [(keys::DECISION, "approved".to_owned()), (keys::REVIEWED_GENERATION, generation.to_string())]
                .into_iter()
                .chain([(keys::DECIDED_BY, "clerk".to_owned())])
                .map(|(key, value)| (key.to_owned(), value))
                .collect()
        };
        let recorded = |generation: i64, void: Option<&str>| Decision {
            verdict: Verdict::Approved,
            by: "clerk".to_owned(),
            at: at.into(),
            at_source: TimeSource::Observed,
            opinion: None,
            generation,
            digest: String::new(),
            reattach: Vec::new(),
            void: void.map(str::to_owned),
        };
        let filed = Meta { generation: 2, ..Meta::default() };
        let decided = Meta { annotations: approved(2), ..filed.clone() };
        let seen = RecordStatus { observed_generation: Some(2), ..RecordStatus::default() };
        let known = RecordStatus { decision: Some(recorded(2, None)), ..seen.clone() };
        let void = RecordStatus { decision: Some(recorded(2, Some("why"))), ..seen.clone() };
        let earlier = RecordStatus { decision: Some(recorded(1, None)), ..seen.clone() };
        let behind = RecordStatus { observed_generation: Some(1), ..RecordStatus::default() };
        let under_way = RecordStatus { waiting_on: Party::Provider, ..known.clone() };
        let waits = |meta: &Meta, status| is_unanswered(meta, status);
        assert!(waits(&filed, None) && waits(&filed, Some(&behind)), "filed, amended");
        assert!(waits(&decided, Some(&seen)) && waits(&decided, Some(&earlier)), "decided");
        assert!(waits(&filed, Some(&void)), "a void decision was taken away");
        assert!(waits(&decided, Some(&under_way)), "approved, not provisioned yet");
        assert!(!waits(&filed, Some(&seen)) && !waits(&decided, Some(&known)), "all is told");
        assert!(!waits(&decided, Some(&void)), "that it is void is told");
    }
}
