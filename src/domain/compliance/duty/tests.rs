//! Duties at one subject: the first record, the next, one that is returned, and what the Region changes.

use super::*;
use crate::calendar::tests::{at, cn};
use govcloud_api::record::RecordStatus;

fn duty(type_: ComplianceType, every: Option<&str>, first: Option<&str>) -> ComplianceDuty {
    let period = |p: &str| Period(p.to_owned());
    let (every, first) = (every.map(period), first.map(period));
    ComplianceDuty { type_, party: DutyParty::Provider, every, first, working_days: 0 }
}

fn record(name: &str, type_: ComplianceType, issued_on: &str, recorded_at: &str) -> Evidence {
    let met = MetDuty {
        type_,
        namespace: "provider".to_owned(),
        record: name.to_owned(),
        uid: format!("uid-{name}"),
        issued_on: issued_on.parse().unwrap(),
    };
    Evidence { met, recorded_at: at(recorded_at) }
}

/// The subject over several visits.
struct Subject {
    status: RecordStatus,
    met: Vec<MetDuty>,
}

impl Subject {
    fn new() -> Self {
        Self { status: RecordStatus::default(), met: Vec::new() }
    }

    fn visit(&mut self, now: &str, duties: &[ComplianceDuty], evidence: &[Evidence]) -> Vec<&'static str> {
        let mut builder = StatusBuilder::begin(&self.status, 1, at(now));
        let duties = Duties { of_region: duties, party: DutyParty::Provider, evidence, since: at(now) };
        duties.keep(&mut builder, &mut self.met, &cn());
        self.status = builder.status;
        builder.events.iter().map(LifecycleEvent::event).collect()
    }

    fn due(&self) -> Option<(String, bool)> {
        let clock = self.status.deadlines.first()?;
        Some((clock.due_date.to_string(), clock.is_over()))
    }
}

#[test]
fn the_first_is_due_from_when_it_is_owed_and_the_next_from_the_date_of_issue() {
    let monthly = [duty(ComplianceType::OperationReport, Some("P1M"), None)];
    let mut region = Subject::new();
    assert_eq!(region.visit("2026-05-15T10:00", &monthly, &[]), ["ClockStarted"]);
    assert_eq!(region.due(), Some(("2026-06-15".to_owned(), false)));
    assert!(region.visit("2026-05-16T10:00", &monthly, &[]).is_empty(), "nothing at rest");
    let mut reports = vec![record("may", ComplianceType::OperationReport, "2026-06-01", "2026-06-02T10:00")];
    assert_eq!(region.visit("2026-06-02T10:00", &monthly, &reports), ["Met", "ClockStarted"]);
    assert_eq!(region.due(), Some(("2026-07-01".to_owned(), false)));
    assert!(region.visit("2026-06-03T10:00", &monthly, &reports).is_empty());
    reports.push(record("june", ComplianceType::OperationReport, "2026-07-01", "2026-07-03T10:00"));
    assert_eq!(region.visit("2026-07-03T10:00", &monthly, &reports), ["Met", "ClockStarted"]);
    let late = region.status.timeline.iter().rfind(|e| e.event == "Met").unwrap();
    assert!(late.message.contains("2 working days late"), "{}", late.message);
    assert_eq!(region.met[0].record, "june");
    // An older document that comes later meets nothing, and one that is returned starts nothing anew.
    reports.push(record("april", ComplianceType::OperationReport, "2026-05-01", "2026-07-04T10:00"));
    assert!(region.visit("2026-07-04T10:00", &monthly, &reports).is_empty());
    reports.remove(1);
    assert!(region.visit("2026-07-05T10:00", &monthly, &reports).is_empty());
}

#[test]
fn a_document_that_is_enough_once_ends_its_duty() {
    let once = [duty(ComplianceType::MlpsFiling, None, Some("P30D"))];
    let mut region = Subject::new();
    region.visit("2026-03-03T10:00", &once, &[]);
    assert_eq!(region.due(), Some(("2026-04-02".to_owned(), false)));
    // Issued before the duty began: it counts all the same.
    let filing = [record("filing", ComplianceType::MlpsFiling, "2026-02-01", "2026-03-10T10:00")];
    assert_eq!(region.visit("2026-03-10T10:00", &once, &filing), ["Met"]);
    assert_eq!(region.due(), Some(("2026-04-02".to_owned(), true)));
    assert!(region.visit("2027-03-10T10:00", &once, &filing).is_empty());
}

#[test]
fn a_duty_that_the_region_no_longer_states_ends_and_may_come_back() {
    let yearly = [duty(ComplianceType::Drill, Some("P1Y"), Some("P3M"))];
    let mut region = Subject::new();
    region.visit("2026-03-03T10:00", &yearly, &[]);
    assert_eq!(region.due(), Some(("2026-06-03".to_owned(), false)));
    region.visit("2026-04-03T10:00", &[], &[]);
    assert_eq!(region.status.deadlines[0].closed_reason.as_deref(), Some("no longer owed"));
    assert_eq!(region.visit("2026-05-06T10:00", &yearly, &[]), ["ClockStarted"]);
    assert_eq!(region.due(), Some(("2026-08-06".to_owned(), false)));
    let of_others = [ComplianceDuty { party: DutyParty::Department, ..yearly[0].clone() }];
    region.visit("2026-05-07T10:00", &of_others, &[]);
    assert_eq!(region.due(), Some(("2026-08-06".to_owned(), true)), "another party's");
}

#[test]
fn a_duty_names_the_article_of_its_party() {
    let duties: Vec<_> = [(DutyParty::Provider, 21), (DutyParty::Department, 22)].into();
    for (party, article) in duties {
        let duty = ComplianceDuty { party, ..duty(ComplianceType::MlpsEvaluation, Some("P1Y"), None) };
        let mut builder = StatusBuilder::begin(&RecordStatus::default(), 1, at("2026-03-03T10:00"));
        let duties = Duties { of_region: &[duty], party, evidence: &[], since: at("2026-03-03T10:00") };
        duties.keep(&mut builder, &mut Vec::new(), &cn());
        let clock = &builder.status.deadlines[0];
        assert_eq!((clock.article, clock.party), (article, Party::from(party)));
    }
}
