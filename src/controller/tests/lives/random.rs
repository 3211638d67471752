//! Random lives: whatever people do and whenever, the invariants hold, nothing panics, and nothing goes by
//! silence. And a life that is killed between any two writes ends as the undisturbed one (S9).

use jiff::SignedDuration;
use proptest::prelude::*;

use crate::acts::{app_id, application, change_id, exit_id};
use crate::cluster::Id;
use crate::random_acts::{acts, record};
use crate::stage::Stage;

/// An application that is up, so that random acts get further.
fn begun(up: bool) -> Stage {
    if up { Stage::provisioned("2026-09-01 09:00") } else { Stage::new("2026-09-01 09:00") }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The invariants are checked by the stage at every write, every status and every rest.
    #[test]
    fn the_invariants_hold_in_any_life(up in prop::bool::weighted(0.8), acts in prop::collection::vec(acts(), 1..30)) {
        let mut s = begun(up);
        for act in &acts {
            s.act(act);
        }
    }

    /// Nothing is approved, ended, destroyed or lapsed by the passing of time.
    #[test]
    fn nothing_happens_by_silence(acts in prop::collection::vec(acts(), 1..20), days in 1_i64..400) {
        let mut s = begun(true);
        for act in &acts {
            s.act(act);
        }
        let before = s.standing_of_all();
        let to = s.now.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        s.until_instant(to);
        prop_assert_eq!(s.standing_of_all(), before);
    }

    /// S9: killed before its n-th write, the operator ends where it would have ended, and creates and destroys the same.
    #[test]
    fn a_killed_operator_ends_the_same(acts in prop::collection::vec(acts(), 1..15), last in acts(), kill in 0_usize..12) {
        let mut s = begun(true);
        for act in &acts {
            s.act(act);
        }
        s.cluster.created.clear();
        s.cluster.destroyed.clear();
        let mut killed = s.clone();
        killed.kill_before = Some(kill);
        s.act(&last);
        killed.act(&last);
        same_end(&s, &killed);
    }
}

pub fn same_end(s: &Stage, killed: &Stage) {
    for (key, object) in s.cluster.end() {
        assert_eq!(
            Some(&object),
            killed.cluster.end().get(&key),
            "{key:?}\n--- undisturbed\n{}\n--- killed\n{}",
            s.log,
            killed.log
        );
    }
    let sorted = |v: &[Id]| {
        let mut v = v.to_vec();
        v.sort();
        v
    };
    assert_eq!(sorted(&s.cluster.created), sorted(&killed.cluster.created));
    assert_eq!(sorted(&s.cluster.destroyed), sorted(&killed.cluster.destroyed));
}

/// S9, write by write, over a whole life from approval to certificate.
#[test]
fn killed_before_each_write_of_a_whole_life() {
    fn life(kill: Option<usize>) -> Stage {
        let mut s = Stage::new("2026-03-10 09:30");
        s.kill_before = kill;
        s.file(&app_id(), application());
        s.decide(&app_id(), "approved", "同意");
        s.claim("prod", "c0");
        s.claim("prod", "c1");
        s.file(&change_id("more"), record(1).1);
        s.decide(&change_id("more"), "approved", "同意");
        s.file(&exit_id("leave"), record(4).1);
        s.consent(&exit_id("leave"));
        s.decide(&exit_id("leave"), "approved", "同意");
        s
    }
    let whole = life(None);
    assert_eq!(whole.phase(&app_id()), "Exited");
    assert!(whole.writes > 30, "only {} writes", whole.writes);
    for n in 0..whole.writes {
        let killed = life(Some(n));
        assert!(killed.kill_before.is_none(), "write {n} was reached");
        same_end(&whole, &killed);
    }
}
