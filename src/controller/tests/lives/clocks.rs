//! Clocks over whole lives (design, section 4): late at each step, told once, across restarts; provisional days;
//! nothing by silence.

use serde_json::json;

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id};
use crate::stage::{Stage, ZHANG, at};

/// Art. 13 to 16: everybody is late everywhere, and nothing happens but that it is said.
#[test]
fn late_at_each_step() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.region(json!({ "workingDays": { "review": 5 } }));
    s.file(&app_id(), application());
    s.until("2026-03-20 10:00");
    s.refuse = Some(("Namespace", "forbidden"));
    s.decide(&app_id(), "approved", "同意");
    s.until("2026-03-30 10:00");
    s.refuse = None;
    s.settle();
    s.until("2026-06-01 10:00");
    s.edit(ZHANG, &app_id(), json!({ "goLive": { "at": "2026-06-01T01:00:00Z" } }));
    s.until("2026-06-15 10:00");
    let report = json!({ "uri": "https://p.example/t.pdf", "sha256": "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917" });
    s.edit(ZHANG, &app_id(), json!({ "goLive": { "testReport": report } }));
    s.refuse = Some(("ResourceGrant", "forbidden"));
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&change_id("enlarge"), "approved", "同意");
    s.until("2026-06-25 10:00");
    s.refuse = None;
    s.settle();
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    s.consent(&e);
    s.cluster.stuck.insert(crate::acts::tenant("prod"));
    s.decide(&e, "approved", "同意");
    s.until("2026-07-06 10:00");
    assert_eq!(s.stands(&e, "Stalled"), "True/ReclaimStuck");
    s.cluster.stuck.clear();
    s.settle();
    assert_eq!(s.phase(&app_id()), "Exited");
    for (of, overdue) in [(app_id(), 4), (change_id("enlarge"), 1), (e, 1)] {
        assert_eq!(
            (s.count(&of, "Overdue"), s.count(&of, "HalfLeft"), s.count(&of, "LastDay")),
            (overdue, overdue, overdue),
            "{of:?}"
        );
    }
    insta::assert_snapshot!(s.log);
}

/// The operator was down all the while: overdue is told once on return, with the true instant, and no warning.
#[test]
fn downtime_changes_nothing_but_the_lateness_of_the_report() {
    let mut s = Stage::provisioned("2026-03-10 09:30");
    let before = s.status(&app_id())["deadlines"].clone();
    s.now = at("2026-08-01 03:00");
    s.settle();
    s.settle();
    assert_eq!(
        (s.count(&app_id(), "Overdue"), s.count(&app_id(), "HalfLeft"), s.count(&app_id(), "LastDay")),
        (1, 0, 0)
    );
    let after = &s.status(&app_id())["deadlines"];
    assert_eq!(after[1]["dueAt"], before[1]["dueAt"]);
    assert_eq!(s.stands(&app_id(), "OnTime"), "False/GoLiveOverdue");
    assert_eq!(s.phase(&app_id()), "Provisioned", "no lapse by silence");
}

/// A clock that jumps back moves no stored deadline and reports nothing twice.
#[test]
fn a_clock_that_jumps_back_changes_nothing() {
    let mut s = Stage::provisioned("2026-03-10 09:30");
    s.until("2026-05-10 10:00");
    let (before, told) = (s.status(&app_id())["deadlines"].clone(), s.count(&app_id(), "Overdue"));
    s.now = at("2026-03-11 10:00");
    s.settle();
    let dates =
        |d: &serde_json::Value| (d[0]["dueAt"].clone(), d[1]["dueAt"].clone(), d[1]["notified"].clone());
    assert_eq!(dates(&s.status(&app_id())["deadlines"]), dates(&before));
    s.until("2026-05-10 10:00");
    assert_eq!(s.count(&app_id(), "Overdue"), told);
}

/// 2027 is not published: the date is provisional, says so, and is put right with a word when it is.
#[test]
fn a_provisional_date_is_put_right_when_the_year_is_published() {
    let mut s = Stage::provisioned("2026-12-01 10:00");
    assert_eq!(s.status(&app_id())["dueDate"], "2027-01-12");
    s.until("2026-12-10 10:00");
    s.log.clear();
    s.publish_2027();
    assert_eq!(
        (s.status(&app_id())["dueDate"].as_str(), s.count(&app_id(), "DeadlineMoved")),
        (Some("2027-01-13"), 1)
    );
    insta::assert_snapshot!(s.log);
}

/// 2027 is not published: what ends on the last days of December is provisional, and moves when the notice takes one off.
#[test]
fn december_is_provisional_until_2027_is_published() {
    let mut s = Stage::new("2026-12-28 09:30");
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    s.file(&app_id(), application());
    s.decide(&app_id(), "approved", "同意");
    let clock = |s: &Stage| s.status(&app_id())["deadlines"][0].clone();
    assert_eq!((&clock(&s)["dueDate"], &clock(&s)["provisional"]), (&json!("2026-12-31"), &json!(true)));
    s.log.clear();
    s.cluster.change(&crate::cluster::id("WorkCalendar", "", "cn"), |o| {
        let years = o["spec"]["years"].as_array_mut().unwrap();
        let off = json!({ "name": "元旦", "from": "2026-12-31" });
        years.last_mut().unwrap()["holidays"].as_array_mut().unwrap().push(off);
        let holidays = json!([{ "name": "元旦", "from": "2027-01-01", "to": "2027-01-03" }]);
        years.push(json!({ "year": 2027, "holidays": holidays }));
    });
    s.settle();
    assert_eq!((&clock(&s)["dueDate"], &clock(&s)["provisional"]), (&json!("2027-01-04"), &json!(false)));
    insta::assert_snapshot!(s.log);
}

/// The calendar or the Region is deleted: what was missed by the stored date is told, and told as missed.
#[test]
fn overdue_is_told_without_calendar_and_without_region() {
    for lost in [("WorkCalendar", "cn"), ("Region", "410000")] {
        let mut s = Stage::provisioned("2026-03-10 09:30");
        s.cluster.remove(&crate::cluster::id(lost.0, "", lost.1));
        s.settle();
        s.until("2026-06-01 10:00");
        assert_eq!(s.stands(&app_id(), "OnTime"), "False/GoLiveOverdue", "{lost:?}");
        assert_eq!(s.count(&app_id(), "Overdue"), 1, "{lost:?}");
    }
}

/// An exit that waits for the department's own consent is no reason for which the department's clock stands.
#[test]
fn a_wait_on_the_department_is_the_departments() {
    let mut s = Stage::provisioned("2026-03-10 09:30");
    let due = s.status(&app_id())["dueDate"].clone();
    let e = exit_id("leave");
    s.file(&e, exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&e), "AwaitingConsent");
    s.until("2026-03-24 10:00");
    s.withdraw(&e);
    assert_eq!((s.phase(&app_id()), &s.status(&app_id())["dueDate"]), ("Provisioned", &due));
    // While the authority decides, it stands.
    let again = exit_id("again");
    s.file(&again, exit("Application", "Retain", &[]));
    s.consent(&again);
    assert_eq!(s.phase(&again), "AwaitingDecision");
    s.until("2026-03-31 10:00");
    s.withdraw(&again);
    let pauses = s.status(&app_id())["deadlines"][1]["pauses"].clone();
    assert_eq!((pauses[0]["waitingOn"].as_str(), pauses.as_array().unwrap().len()), (Some("Authority"), 1));
    assert_ne!(s.status(&app_id())["dueDate"], due);
}

/// A calendar that was missing when the provider was notified: the clock starts late, from the same instant.
#[test]
fn a_clock_without_a_calendar_starts_late_from_the_same_instant() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.region(json!({ "fulfilment": "ProviderApplied" }));
    s.file(&app_id(), application());
    s.decide_unseen(&app_id(), "approved", "同意");
    s.region(json!({ "calendar": "lost" }));
    assert_eq!((s.phase(&app_id()), &s.status(&app_id())["deadlines"]), ("Provisioning", &json!(null)));
    s.until("2026-03-12 08:00");
    s.region(json!({ "calendar": "cn" }));
    assert_eq!(s.status(&app_id())["dueDate"], "2026-03-13");
}

/// Art. 15, 16: an exit goes before a change that waits for less use, also when the use falls meanwhile.
#[test]
fn a_change_that_an_exit_overtakes_stays_on_hold() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.uses("prod", json!({ "requests.cpu": "6" }));
    let (c, e) = (change_id("shrink"), exit_id("leave"));
    s.file(&c, adjustment(json!({ "requests.cpu": "4" })));
    s.decide(&c, "approved", "同意");
    s.file(&e, exit("Application", "Retain", &[]));
    assert_eq!((s.stands(&e, "Valid").as_str(), s.phase(&e)), ("True/Valid", "AwaitingConsent"));
    s.uses("prod", json!({ "requests.cpu": "1" }));
    assert_eq!((s.phase(&c), s.phase(&e)), ("Applying", "AwaitingConsent"));
    s.withdraw(&e);
    assert_eq!(s.phase(&c), "Completed");
}
