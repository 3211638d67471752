use futures::FutureExt;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use proptest::prelude::*;

use super::*;
use crate::kinds::Kind;

fn key(ns: &str, n: usize) -> Key {
    Key::new(Kind::Application, ns, format!("a{n}"))
}

/// The queue of a replica that leads.
fn active() -> Queue {
    let queue = Queue::new(Clock::default());
    queue.activate();
    queue
}

/// The key that a worker would get now.
fn try_next(queue: &Queue) -> Option<Key> {
    queue.next().now_or_never().flatten()
}

fn taken(queue: &Queue) -> Vec<Key> {
    std::iter::from_fn(|| try_next(queue)).collect()
}

#[tokio::test]
async fn next_serves_a_quiet_department_right_after_a_flood_began() {
    let q = active();
    q.add((0..1000).map(|n| key("flood", n)));
    q.add([key("quiet", 0)]);
    let first = [q.next().await.unwrap(), q.next().await.unwrap()];
    assert!(first.iter().any(|k| k.namespace() == "quiet"), "{first:?}");
}

#[tokio::test]
async fn done_requeues_a_key_that_was_added_while_it_ran() {
    let q = active();
    q.add([key("a", 0), key("a", 0)]);
    let k = q.next().await.unwrap();
    q.add([k.clone()]);
    assert_eq!((try_next(&q), q.stats().length), (None, 0), "a running key is not queued");
    q.done(&k, None);
    assert_eq!(try_next(&q), Some(k.clone()));
    q.done(&k, None);
    assert_eq!(q.stats(), QueueStats { added: 2, ..QueueStats::default() });
}

#[tokio::test]
async fn a_standby_queues_nothing_and_waits_begin_with_leading() {
    let q = Queue::new(Clock::default());
    q.add([key("a", 0), Key::new(Kind::Region, "", "410000")]);
    q.add_low([key("a", 1)]);
    q.requeue_front([key("a", 2)]);
    assert_eq!(q.stats(), QueueStats::default());
    assert_eq!(try_next(&q), None);
    q.activate();
    assert_eq!(try_next(&q), None, "the start adds every record anyway");
    q.add_low([key("a", 1)]);
    assert_eq!(try_next(&q), Some(key("a", 1)));
}

#[test]
fn stats_are_those_of_waiting_keys() {
    let (mut s, now) = (State { mode: Mode::Active, ..State::default() }, Instant::now());
    let later = now + Duration::from_secs(7);
    for k in [key("a", 0), key("a", 0), key("b", 1)] {
        s.add(k, Priority::High, Place::Back, now);
    }
    let (first, waited) = s.take(now).unwrap();
    assert_eq!((&first, waited), (&key("a", 0), Duration::ZERO));
    let stats = s.stats(later);
    assert_eq!((stats.length, stats.running, stats.added), (1, 1, 2));
    assert_eq!(stats.oldest, Duration::from_secs(7), "the other one waits");
    assert_eq!(s.take(later), Some((key("b", 1), Duration::from_secs(7))));
    s.set_timer(first.clone(), Timestamp::MAX);
    s.settle(&first, Place::Back, Timestamp::MIN, later);
    assert_eq!((s.stats(later).timers, s.stats(later).oldest), (1, Duration::ZERO));
}

#[tokio::test]
async fn each_key_that_is_taken_is_one_wait() {
    let q = active();
    q.add([key("a", 0), key("b", 1)]);
    assert_eq!(taken(&q).len(), 2);
    let (mut registry, mut text) = (Registry::default(), String::new());
    registry.register("waits", "Waits", q.waits.clone());
    encode(&mut text, &registry).unwrap();
    assert!(text.contains("waits_count 2"), "{text}");
}

#[tokio::test]
async fn a_timer_fires_when_the_clock_is_moved_past_it() {
    let clock = Clock::default();
    let q = Queue::new(clock.clone());
    q.activate();
    q.add([key("a", 0)]);
    let k = q.next().await.unwrap();
    let at = clock.now().saturating_add(SignedDuration::from_hours(1000)).unwrap();
    q.done(&k, Some(at));
    let next = async { q.next().await.unwrap() };
    let moved = async {
        tokio::task::yield_now().await;
        clock.set(at);
    };
    assert_eq!(tokio::join!(next, moved).0, k);
}

#[tokio::test]
async fn high_priority_goes_first_and_low_is_never_starved() {
    let q = active();
    q.add_low((0..1000).map(|n| key(&format!("due-{}", n % 10), n)));
    let running = [try_next(&q).unwrap(), try_next(&q).unwrap()];
    q.add((0..1000).map(|n| key(&format!("busy-{}", n % 40), n)));
    let next: Vec<Key> = (0..20).map(|_| try_next(&q).unwrap()).collect();
    assert!(next.iter().all(|k| k.namespace().starts_with("busy")), "{running:?} {next:?}");
    running.iter().for_each(|k| q.done(k, None));
    assert!(try_next(&q).unwrap().namespace().starts_with("due"), "one worker is always for low priority");
}

#[tokio::test]
async fn low_priority_leaves_half_of_the_workers_free() {
    let q = active();
    q.add_low((0..1000).map(|n| key(&format!("due-{}", n % 10), n)));
    assert_eq!(taken(&q).len(), WORKERS / 2);
}

#[test]
fn a_department_gets_one_worker_while_others_are_active() {
    let (mut s, now) = (State { mode: Mode::Active, ..State::default() }, Instant::now());
    for n in 0..1000 {
        s.add(key("flood", n), Priority::High, Place::Back, now);
    }
    let take_all =
        |s: &mut State, at| -> Vec<Key> { std::iter::from_fn(|| s.take(at).map(|(key, _)| key)).collect() };
    let running = take_all(&mut s, now);
    assert_eq!(running.len(), WORKERS / 4, "nobody else is active");
    s.add(key("quiet", 0), Priority::High, Place::Back, now);
    assert_eq!(take_all(&mut s, now), [key("quiet", 0)]);
    s.settle(&key("quiet", 0), Place::Back, Timestamp::MIN, now);
    for k in &running[1..] {
        assert_eq!(s.take(now), None, "above its share");
        s.settle(k, Place::Back, Timestamp::MIN, now);
    }
    s.settle(&running[0], Place::Back, Timestamp::MIN, now);
    assert_eq!(take_all(&mut s, now).len(), 1, "within its share");
    let rest = take_all(&mut s, now + ACTIVE).len();
    assert_eq!(rest, WORKERS / 4 - 1, "the other department is active no longer");
}

#[tokio::test]
async fn a_key_that_moves_up_in_priority_runs_once() {
    let q = active();
    q.add_low([key("a", 0), key("a", 1)]);
    q.add([key("a", 1), key("b", 0)]);
    assert_eq!(q.stats().length, 3);
    let mut names = Vec::new();
    while let Some(k) = try_next(&q) {
        q.done(&k, None);
        names.push(format!("{k:?}"));
    }
    names.sort();
    let all = ["CloudApplication a/a0", "CloudApplication a/a1", "CloudApplication b/a0"];
    assert_eq!(names, all);
}

#[tokio::test]
async fn a_region_is_reconciled_once_for_many_exits() {
    let clock = Clock::default();
    let q = Queue::new(clock.clone());
    q.activate();
    let region = Key::new(Kind::Region, "", "410000");
    for n in 0..100 {
        q.add([key("a", n), region.clone()]);
    }
    for n in 0..100 {
        assert_eq!(try_next(&q), Some(key("a", n)), "the Region is debounced");
        q.done(&key("a", n), None);
    }
    assert_eq!((try_next(&q), q.stats().timers), (None, 1));
    let later = |seconds| clock.set(clock.now().saturating_add(SignedDuration::from_secs(seconds)).unwrap());
    later(6);
    assert_eq!(try_next(&q), Some(region.clone()));
    q.add([region.clone()]);
    q.done(&region, None);
    assert_eq!((try_next(&q), q.stats().timers), (None, 1), "added meanwhile: not lost, and not at once");
    q.add_low([region.clone()]);
    assert_eq!(try_next(&q), Some(region.clone()), "its own spec changed: at once");
    q.done(&region, None);
    assert_eq!((q.stats().length, q.stats().timers), (0, 0));
}

#[tokio::test]
async fn requeue_front_finishes_what_was_begun_first() {
    let q = active();
    q.add((0..100).map(|n| key("flood", n)));
    let begun = q.next().await.unwrap();
    let grant = Key::new(Kind::Grant, "flood", begun.name());
    let deferred = q.defer(grant.clone());
    q.requeue_front([grant.clone()]);
    assert_eq!(q.stats().length, 99, "deferred");
    drop(deferred);
    q.done(&begun, None);
    q.add([key("quiet", 0)]);
    let next = [q.next().await.unwrap(), q.next().await.unwrap()];
    assert!(next.contains(&grant), "{next:?}");
    assert!(next.contains(&key("quiet", 0)), "another department has its turn all the same: {next:?}");
    q.requeue_front([begun.clone()]);
    q.done(&grant, None);
    assert_eq!(try_next(&q), Some(begun));
}

#[tokio::test]
async fn a_deferred_key_is_taken_once_it_is_released() {
    let q = active();
    let deferred = q.defer(key("a", 0));
    assert!(deferred.is_some() && q.defer(key("a", 0)).is_none(), "it is deferred already");
    q.add([key("a", 0)]);
    assert_eq!(try_next(&q), None);
    drop(deferred);
    let k = try_next(&q).unwrap();
    assert!(q.defer(k.clone()).is_none(), "it runs");
    q.done(&k, None);
    drop(q.defer(k.clone()));
    assert_eq!(try_next(&q), None, "nobody added it");
    q.add([k.clone()]);
    assert!(q.defer(k.clone()).is_none(), "it waits already");
    assert_eq!(try_next(&q), Some(k));
}

#[tokio::test]
async fn a_panic_while_a_record_is_written_releases_it() {
    let q = active();
    let write = async {
        let _deferred = q.defer(key("a", 0));
        q.add([key("a", 0)]);
        tokio::task::yield_now().await;
        panic!("while writing");
    };
    assert!(crate::supervision::catch_panic(write).await.is_err());
    assert_eq!(try_next(&q), Some(key("a", 0)));
}

#[tokio::test]
async fn drain_ends_all_workers_and_waits_for_running_keys() {
    let q = active();
    q.add([key("a", 0), key("b", 0)]);
    let running = q.next().await.unwrap();
    let mut drain = Box::pin(q.drain());
    assert!(drain.as_mut().now_or_never().is_none(), "one key runs");
    q.add([key("c", 0)]);
    assert_eq!((q.next().await, q.next().await), (None, None), "every worker ends");
    q.done(&running, Some(Timestamp::MIN));
    drain.await;
    assert_eq!((q.stats().running, q.next().await), (0, None));
}

proptest! {
    /// However departments, priorities and workers interleave: each key runs, never twice at a time, no department
    /// exceeds its share, and a department with one record waits for no more than one turn of each other one.
    #[test]
    fn every_key_runs_once_and_no_department_exceeds_its_share(
        adds in prop::collection::vec((0_usize..6, 0_usize..40, any::<bool>()), 1..200),
        finish in prop::collection::vec(0_usize..8, 0..200),
    ) {
        let q = active();
        let mut wanted = std::collections::BTreeSet::new();
        for (department, n, high) in adds {
            let key = key(&format!("d{department}"), n);
            wanted.insert(key.clone());
            if high { q.add([key]) } else { q.add_low([key]) }
        }
        let (mut ran, mut running) = (std::collections::BTreeSet::new(), Vec::<Key>::new());
        let mut finish = finish.into_iter();
        loop {
            while running.len() < WORKERS && let Some(key) = try_next(&q) {
                prop_assert!(ran.insert(key.clone()), "{key:?} ran twice");
                running.push(key);
                for key in &running {
                    let share = running.iter().filter(|k| k.namespace() == key.namespace()).count();
                    prop_assert!(share <= WORKERS / 4);
                }
            }
            if running.is_empty() {
                break;
            }
            let one = running.swap_remove(finish.next().unwrap_or(0) % running.len());
            q.done(&one, None);
        }
        prop_assert_eq!(ran, wanted);
        prop_assert_eq!(q.stats().length, 0);
    }
}

#[test]
fn keys_are_ordered_by_kind_namespace_and_name() {
    let of = |kind, namespace: &str, name: &str| Key::new(kind, namespace, name);
    let sorted = [
        of(Kind::Application, "dept", "z"),
        of(Kind::Application, "dept-1", "a"),
        of(Kind::Application, "dept-1", "a-b"),
        of(Kind::Grant, "dept", "a"),
        of(Kind::Region, "", "410000"),
    ];
    assert!(sorted.is_sorted());
    assert_eq!((sorted[2].namespace(), sorted[2].name()), ("dept-1", "a-b"));
    assert_eq!(format!("{:?}", sorted[4]), "Region /410000");
    let held = Key::held(Kind::Grant, crate::key::path("dept", "a").into());
    assert_eq!(held, sorted[3]);
}
