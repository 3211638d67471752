//! A statement until it is settled (Art. 6, 26).

use govcloud_api::deadline::{Deadline, Obligation};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::calendar::Calendar;
use crate::calendar::tests::cn_spec;
use crate::deadline::DeadlineClock;

fn signed(digest: &str, by: &str) -> Signed {
    Signed { digest: digest.to_owned(), by: by.to_owned() }
}

fn computed(digest: &str) -> Act {
    Act::Computed(Some(digest.to_owned()))
}

fn confirm(digest: &str) -> Act {
    Act::Confirm(signed(digest, "li"))
}

fn decide(verdict: Verdict, digest: &str) -> Act {
    Act::Decide(verdict, signed(digest, "wang"))
}

fn object() -> Act {
    Act::Object { reason: "数量有误".to_owned() }
}

/// The state after allowed acts, and all that was done with the clocks.
fn after(acts: &[Act]) -> (Progress, Vec<ClockChange>) {
    let mut clocks = Vec::new();
    let mut progress = Progress::default();
    for act in acts {
        let (next, changes) = progress.act(act).unwrap_or_else(|refusal| panic!("{act:?}: {refusal}"));
        progress = next;
        clocks.extend(changes);
    }
    (progress, clocks)
}

fn refused(acts: &[Act], act: &Act) -> Refusal {
    after(acts).0.act(act).unwrap_err()
}

#[test]
fn art_26_confirmed_and_settled() {
    let (progress, clocks) = after(&[computed("a"), confirm("a"), decide(Verdict::Approved, "a")]);
    assert_eq!(progress.phase, Phase::Settled);
    assert_eq!((progress.confirmed, progress.settled), (Some(signed("a", "li")), Some(signed("a", "wang"))));
    let expected = [Open(Clock::Confirm), Meet(Clock::Confirm), Open(Clock::Settle), Meet(Clock::Settle)];
    assert_eq!(clocks, expected);
}

#[test]
fn only_the_present_digest_is_confirmed() {
    let refusal = refused(&[computed("a")], &confirm("b"));
    assert_eq!(refusal, Refusal::AnotherDigest { named: "b".to_owned(), current: "a".to_owned() });
    assert!(refusal.to_string().contains("校验值 b"));
    assert_eq!(refused(&[computed("a"), confirm("a")], &confirm("a")), Refusal::AlreadyConfirmed);
    // It was computed anew: what was confirmed is another statement.
    let (progress, clocks) = after(&[computed("a"), confirm("a"), computed("b")]);
    assert_eq!((progress.phase, &progress.confirmed), (Phase::AwaitingConfirmation, &None));
    assert_eq!(clocks[3..], [Close(Clock::Settle), Open(Clock::Confirm)]);
    let approve = decide(Verdict::Approved, "a");
    assert!(matches!(progress.act(&approve), Err(Refusal::AnotherDigest { .. })));
    assert_eq!(progress.act(&decide(Verdict::Approved, "b")), Err(Refusal::NotConfirmed));
}

#[test]
fn what_is_incomplete_cannot_be_confirmed() {
    assert_eq!(refused(&[], &confirm("a")), Refusal::Incomplete);
    assert_eq!(refused(&[], &object()), Refusal::Incomplete);
    let (progress, clocks) = after(&[computed("a"), confirm("a"), Act::Computed(None)]);
    assert_eq!(progress, Progress::default());
    assert_eq!(clocks.last(), Some(&Close(Clock::Settle)));
}

#[test]
fn an_objection_pauses_the_department_and_calls_the_authority() {
    let objected = [computed("a"), object()];
    let (progress, clocks) = after(&objected);
    assert_eq!((progress.phase, progress.waiting_on()), (Phase::AwaitingConfirmation, Party::Authority));
    assert_eq!(clocks[1..], [Pause(Clock::Confirm), Open(Clock::Settle)]);
    assert_eq!(refused(&objected, &object()), Refusal::Objection);
    assert_eq!(refused(&objected, &decide(Verdict::Approved, "a")), Refusal::NotConfirmed);
    let (progress, clocks) = after(&[computed("a"), object(), decide(Verdict::Returned, "a")]);
    assert_eq!((progress.phase, progress.waiting_on()), (Phase::Returned, Party::None));
    assert_eq!(clocks[3..], [Meet(Clock::Settle), Close(Clock::Confirm)]);
    let (progress, clocks) = after(&[computed("a"), object(), Act::WithdrawObjection]);
    assert_eq!((progress.objection, progress.phase), (None, Phase::AwaitingConfirmation));
    assert_eq!(clocks[3..], [Resume(Clock::Confirm), Close(Clock::Settle)]);
    // The authority settles over an objection where the department confirmed.
    let (progress, clocks) = after(&[computed("a"), object(), confirm("a"), decide(Verdict::Approved, "a")]);
    assert_eq!(progress.phase, Phase::Settled);
    assert_eq!(clocks[3..], [Meet(Clock::Confirm), Meet(Clock::Settle)]);
    let empty = Act::Object { reason: " ".to_owned() };
    assert_eq!(refused(&[computed("a")], &empty), Refusal::ReasonMissing);
    assert_eq!(refused(&[computed("a")], &Act::WithdrawObjection), Refusal::Objection);
}

#[test]
fn what_was_returned_is_computed_anew() {
    let returned = [computed("a"), confirm("a"), decide(Verdict::Returned, "a")];
    assert_eq!(refused(&returned, &confirm("a")), Refusal::Returned);
    assert_eq!(refused(&returned, &object()), Refusal::Returned);
    assert_eq!(refused(&returned, &decide(Verdict::Approved, "a")), Refusal::Returned);
    let (progress, _) = after(&[&returned[..], &[computed("a")]].concat());
    assert_eq!(progress.phase, Phase::Returned, "the records are as they were");
    let (progress, clocks) = after(&[&returned[..], &[computed("b")]].concat());
    assert_eq!(progress.phase, Phase::AwaitingConfirmation);
    assert_eq!(clocks.last(), Some(&Open(Clock::Confirm)));
}

#[test]
fn who_confirmed_does_not_decide() {
    let own = Act::Decide(Verdict::Approved, signed("a", "li"));
    let refusal = refused(&[computed("a"), confirm("a")], &own);
    assert_eq!(refusal, Refusal::SamePerson { by: "li".to_owned() });
}

/// The changes are those that a stored deadline takes, on the days that the law counts.
#[test]
fn the_clocks_are_deadlines() {
    let calendar = Calendar::new("cn", 1, &cn_spec()).unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    // The first working day after October 2026 is Monday, 2 November.
    let mut deadline = Deadline::open(Obligation::Review, 5, at("2026-11-02T01:00:00Z"), &calendar);
    assert_eq!(deadline.due_date.to_string(), "2026-11-09");
    let (_, clocks) = after(&[computed("a"), object(), Act::WithdrawObjection, confirm("a")]);
    let of_confirm =
        clocks.into_iter().filter(|c| matches!(c, Pause(Clock::Confirm) | Resume(Clock::Confirm)));
    for (change, day) in of_confirm.zip(["2026-11-04T01:00:00Z", "2026-11-06T01:00:00Z"]) {
        match change {
            Pause(_) => drop(deadline.pause(at(day), Party::Provider, "Objection", &calendar)),
            _ => drop(deadline.resume(at(day), &calendar)),
        }
    }
    assert_eq!(deadline.due_date.to_string(), "2026-11-11", "two working days later");
}

fn acts() -> impl Strategy<Value = Act> {
    let digest = || prop_oneof![Just("a"), Just("b")];
    let by = || prop_oneof![Just("li"), Just("wang")];
    let verdict = prop_oneof![Just(Verdict::Approved), Just(Verdict::Returned), Just(Verdict::Rejected)];
    prop_oneof![
        Just(Act::Computed(None)),
        digest().prop_map(computed),
        (digest(), by()).prop_map(|(digest, by)| Act::Confirm(signed(digest, by))),
        Just(object()),
        Just(Act::WithdrawObjection),
        (verdict, digest(), by()).prop_map(|(verdict, digest, by)| Act::Decide(verdict, signed(digest, by))),
    ]
}

proptest! {
    /// Whatever anybody does in any order: settled is what the department confirmed, digest by digest, and what is final
    /// never changes. No clock is met or closed that was not opened.
    #[test]
    fn nothing_is_settled_that_was_not_confirmed(acts in proptest::collection::vec(acts(), 0..24)) {
        let mut progress = Progress::default();
        let (mut confirm, mut settle) = (false, false);
        for act in &acts {
            let Ok((next, changes)) = progress.act(act) else { continue };
            prop_assert!(!progress.phase.is_over());
            for change in changes {
                let (Open(clock) | Pause(clock) | Resume(clock) | Meet(clock) | Close(clock)) = change;
                let open = if clock == Clock::Confirm { &mut confirm } else { &mut settle };
                prop_assert_eq!(*open, !matches!(change, Open(_)), "{:?} {:?}", act, change);
                *open = !matches!(change, Meet(_) | Close(_));
            }
            progress = next;
            prop_assert_eq!(confirm, progress.running().contains(&Clock::Confirm));
            prop_assert_eq!(settle, progress.running().contains(&Clock::Settle));
        }
        if let (Phase::Settled, Some(settled)) = (progress.phase, &progress.settled) {
            let confirmed = progress.confirmed.as_ref().expect("confirmed");
            prop_assert_eq!(Some(&settled.digest), progress.digest.as_ref());
            prop_assert_eq!(&settled.digest, &confirmed.digest);
            prop_assert_ne!(&settled.by, &confirmed.by);
        }
        prop_assert_eq!(progress.settled.is_some(), progress.phase == Phase::Settled);
    }
}
