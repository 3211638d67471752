use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::*;

fn key(ns: &str, n: usize) -> Key {
    Key::new(Kind::Application, ns, format!("a{n}"))
}

#[tokio::test]
async fn a_flood_from_one_department_delays_another_by_one_turn() {
    let q = Queue::new(Clock::default());
    q.add((0..1000).map(|n| key("flood", n)));
    q.add([key("quiet", 0)]);
    let first = [q.next().await, q.next().await];
    assert!(first.iter().any(|k| k.namespace() == "quiet"), "{first:?}");
}

#[tokio::test]
async fn a_key_never_runs_twice_at_a_time_and_runs_again_when_touched() {
    let q = Queue::new(Clock::default());
    q.add([key("a", 0), key("a", 0)]);
    let k = q.next().await;
    q.add([k.clone()]);
    assert_eq!(q.len(), 0, "a running key is not queued");
    q.done(&k, None);
    assert_eq!(q.next().await, k);
    q.done(&k, None);
    assert!(q.is_empty());
}

#[tokio::test]
async fn the_queue_says_how_it_stands() {
    let q = Queue::new(Clock::default());
    q.add([key("a", 0), key("a", 0), key("b", 1)]);
    let k = q.next().await;
    let standing = q.stats();
    assert_eq!((standing.length, standing.running, standing.added), (1, 1, 2));
    assert!(standing.oldest > Duration::ZERO, "the other one waits");
    q.done(&k, Some(Timestamp::MAX));
    q.done(&q.next().await, None);
    assert_eq!((q.stats().timers, q.stats().oldest), (1, Duration::ZERO));
    let (mut registry, mut text) = (Registry::default(), String::new());
    registry.register("waits", "Waits", q.waits.clone());
    encode(&mut text, &registry).unwrap();
    assert!(text.contains("waits_count 2"), "{text}");
}

#[tokio::test]
async fn a_timer_fires_when_the_clock_is_moved_past_it() {
    let clock = Clock::default();
    let q = Queue::new(clock.clone());
    q.add([key("a", 0)]);
    let k = q.next().await;
    let at = clock.now().saturating_add(jiff::SignedDuration::from_hours(1000)).unwrap();
    q.done(&k, Some(at));
    clock.set(at);
    assert_eq!(q.next().await, k);
}

#[tokio::test]
async fn what_is_asked_goes_before_what_fell_due() {
    let q = Queue::new(Clock::default());
    q.add_due((0..1000).map(|n| key(&format!("due-{}", n % 10), n)));
    let running = [q.next().await, q.next().await];
    q.add((0..2).map(|n| key("quiet", n)));
    let next = [q.next().await, q.next().await, q.next().await];
    assert_eq!(next.iter().filter(|k| k.namespace() == "quiet").count(), 2, "{running:?} {next:?}");
}

#[tokio::test]
async fn what_fell_due_is_not_kept_waiting_for_ever() {
    let q = Queue::new(Clock::default());
    q.add_due([key("due", 0)]);
    q.add((0..1000).map(|n| key(&format!("busy-{}", n % 10), n)));
    let mut turns = 0;
    while q.next().await.namespace() != "due" {
        turns += 1;
    }
    assert!(turns <= DUE_TURN, "after {turns} turns");
}

#[tokio::test]
async fn a_department_occupies_no_more_than_its_share() {
    let q = Queue::new(Clock::default());
    q.add((0..1000).map(|n| key("flood", n)));
    let mut running = Vec::new();
    while let Ok(k) = tokio::time::timeout(Duration::from_millis(50), q.next()).await {
        running.push(k);
    }
    assert_eq!(running.len(), ALONE, "nobody else asks");
    q.add([key("quiet", 0)]);
    assert_eq!(q.next().await.namespace(), "quiet");
    // Somebody does: places that come free are left so, until the share is reached.
    for k in &running[..=ALONE - SHARE] {
        assert!(tokio::time::timeout(Duration::from_millis(20), q.next()).await.is_err(), "above its share");
        q.done(k, None);
    }
    assert_eq!(q.next().await.namespace(), "flood", "a place within the share is taken");
}

#[tokio::test]
async fn what_fell_due_leaves_workers_free() {
    let q = Queue::new(Clock::default());
    q.add_due((0..1000).map(|n| key(&format!("due-{}", n % 10), n)));
    let mut running = 0;
    while tokio::time::timeout(Duration::from_millis(50), q.next()).await.is_ok() {
        running += 1;
    }
    assert_eq!(running, DUE_AT_ONCE);
}

#[tokio::test]
async fn a_key_that_fell_due_and_is_asked_for_runs_once() {
    let q = Queue::new(Clock::default());
    q.add_due([key("a", 0), key("a", 1)]);
    q.add([key("a", 1)]);
    assert_eq!(q.len(), 2);
    let mut names = Vec::new();
    for _ in 0..2 {
        let k = q.next().await;
        q.done(&k, None);
        names.push(k.name().to_owned());
    }
    assert_eq!(names, ["a1", "a0"]);
    assert!(q.is_empty());
    assert!(tokio::time::timeout(Duration::from_millis(50), q.next()).await.is_err(), "it ran twice");
}

#[tokio::test]
async fn what_many_exits_change_in_a_region_is_looked_at_once() {
    let clock = Clock::default();
    let q = Queue::new(clock.clone());
    let region = Key::new(Kind::Region, "", "410000");
    for n in 0..100 {
        q.add([key("a", n), region.clone()]);
    }
    for n in 0..100 {
        assert_eq!(q.next().await, key("a", n), "no turn is the region's yet");
        q.done(&key("a", n), None);
    }
    assert_eq!((q.len(), q.stats().timers), (1, 1), "it waits for more");
    let later = |seconds| clock.set(clock.now().saturating_add(SignedDuration::from_secs(seconds)).unwrap());
    later(6);
    assert_eq!(q.next().await, region);
    q.add([region.clone()]);
    q.done(&region, None);
    assert_eq!((q.len(), q.stats().timers), (1, 1), "touched meanwhile: not lost, and not at once");
    q.add_due([region.clone()]);
    assert_eq!(q.next().await, region, "its own spec changed: at once");
    q.done(&region, None);
    assert!(q.is_empty() && q.stats().timers == 0, "which was after all that touched it");
}

#[tokio::test]
async fn what_was_begun_is_brought_to_its_end_first() {
    let q = Queue::new(Clock::default());
    q.add((0..100).map(|n| key("flood", n)));
    let begun = q.next().await;
    let grant = Key::new(Kind::Grant, "flood", begun.name());
    assert!(q.hold(&grant));
    q.go_on([grant.clone()]);
    q.release(&grant);
    q.done(&begun, None);
    q.add([key("quiet", 0)]);
    let next = [q.next().await, q.next().await];
    assert!(next.contains(&grant), "{next:?}");
    assert!(next.contains(&key("quiet", 0)), "another department has its turn all the same: {next:?}");
    q.go_on([begun.clone()]);
    q.done(&grant, None);
    assert_eq!(q.next().await, begun);
}

#[tokio::test]
async fn what_is_held_is_looked_at_once_it_is_let_go() {
    let q = Queue::new(Clock::default());
    assert!(q.hold(&key("a", 0)));
    assert!(!q.hold(&key("a", 0)), "it is held already");
    q.add([key("a", 0)]);
    assert!(tokio::time::timeout(Duration::from_millis(20), q.next()).await.is_err(), "it is held");
    q.release(&key("a", 0));
    let k = q.next().await;
    assert!(!q.hold(&k), "it runs");
    q.done(&k, None);
    assert!(q.hold(&k));
    q.release(&k);
    assert!(q.is_empty(), "nothing touched it");
    q.add([k.clone()]);
    assert!(!q.hold(&k), "it waits already");
    assert_eq!(q.next().await, k);
}

#[tokio::test]
async fn what_a_start_queues_is_no_room_that_is_kept() {
    let q = Queue::new(Clock::default());
    q.add_due((0..5000).map(|n| key(&format!("ns-{}", n % 50), n)));
    assert!(q.locked(|s| s.queued.capacity()) >= 5000);
    for _ in 0..5000 {
        let k = q.next().await;
        q.done(&k, None);
    }
    assert!(q.is_empty());
    assert!(q.locked(|s| s.queued.capacity()) < 2 * ROOM);
}

#[test]
fn keys_are_in_the_order_of_kinds_namespaces_and_names() {
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
    let held = Key::held(Kind::Grant, path("dept", "a").into());
    assert_eq!(held, sorted[3]);
}
