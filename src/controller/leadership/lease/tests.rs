//! Replicas that play the rules against each other, with every delay and loss on the way.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn lease(version: u64, holder: Option<&str>) -> Lease {
    serde_json::from_value(json!({
        "metadata": { "name": "l", "resourceVersion": version.to_string() },
        "spec": { "holderIdentity": holder, "leaseDurationSeconds": DURATION_SECONDS, "leaseTransitions": 3 },
    }))
    .unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_lease_is_free_once_its_version_was_observed_for_its_duration() {
    let start = Instant::now();
    let held = lease(1, Some("a"));
    let first = Observed::next(None, Some(&held), start);
    assert_eq!(first.free_at("b"), start + 15 * SECOND);
    assert_eq!(first.free_at("a"), start, "its own");
    // Observed again, as after an interrupted watch: its time goes on.
    let again = Observed::next(Some(&first), Some(&held), start + 9 * SECOND);
    assert_eq!(again.free_at("b"), start + 15 * SECOND);
    let renewed = Observed::next(Some(&again), Some(&lease(2, Some("a"))), start + 10 * SECOND);
    assert_eq!(renewed.free_at("b"), start + 25 * SECOND);
}

#[test]
fn a_lease_that_nobody_holds_is_free_at_once() {
    let start = Instant::now();
    for free in [None, Some(lease(1, None)), Some(lease(1, Some("")))] {
        assert_eq!(Observed::next(None, free.as_ref(), start).free_at("b"), start);
    }
}

#[test]
fn a_leader_acts_for_less_than_others_wait() {
    let sent = Instant::now();
    let hold = Hold::new(&lease(7, Some("a")), sent);
    assert_eq!(hold.version, "7");
    assert!(hold.renewal_at() + 3 * SECOND < hold.ends_at(), "there is time to try again");
    assert!(hold.ends_at() + SECOND <= sent + Duration::from_secs(DURATION_SECONDS));
}

#[test]
fn a_released_lease_names_nobody_and_counts_its_holders() {
    let at: Timestamp = "2026-11-30T02:00:00Z".parse().unwrap();
    let spec = taken("b", 3, at);
    assert_eq!((&spec["holderIdentity"], &spec["leaseTransitions"]), (&json!("b"), &json!(4)));
    assert_eq!(renewed(at), json!({ "renewTime": "2026-11-30T02:00:00.000000Z" }));
    let released = released();
    assert!(
        released["holderIdentity"].is_null() && released.as_object().unwrap().contains_key("holderIdentity")
    );
}

/// Something that happens at a time.
#[derive(Clone, Debug)]
enum Happens {
    /// The watch of a replica delivers a version.
    Delivered { to: usize, lease: Lease },
    /// A replica looks at what is due.
    Woken(usize),
    /// A request arrives at the API server.
    Arrived(Request),
    /// Its answer arrives.
    Answered(Request, Lease),
}

/// A request on the lease.
#[derive(Clone, Debug)]
struct Request {
    from: usize,
    /// Its number: a replica has one request under way, and drops the answer to one that it gave up.
    number: usize,
    sent: Instant,
    /// The version that it changes.
    on: Option<String>,
    releases: bool,
}

/// Replica of the simulation, which may lead.
#[derive(Clone, Debug, Default)]
struct Replica {
    observed: Option<Observed>,
    hold: Option<Hold>,
    /// The next renewal; a failed one is tried again.
    due: Option<Instant>,
}

/// The API server, its replicas, and what is under way.
struct World {
    start: Instant,
    agenda: BTreeMap<(Instant, usize), Happens>,
    numbered: usize,
    stored: Option<Lease>,
    replicas: Vec<Replica>,
    /// Number of the request of each replica that is under way.
    under_way: Vec<usize>,
    /// Delays in milliseconds, one after the other; a multiple of 7 is a loss.
    delays: Vec<u64>,
    terms: usize,
}

impl World {
    fn new(replicas: usize, delays: Vec<u64>) -> Self {
        let start = Instant::now();
        let mut world = Self {
            start,
            agenda: BTreeMap::new(),
            numbered: 0,
            stored: None,
            replicas: vec![Replica::default(); replicas],
            under_way: vec![0; replicas],
            delays,
            terms: 0,
        };
        for replica in 0..replicas {
            world.later(start, Happens::Woken(replica));
        }
        world
    }

    fn delay(&mut self) -> u64 {
        self.delays.rotate_left(1);
        self.delays[0]
    }

    fn later(&mut self, now: Instant, what: Happens) {
        let at = now + Duration::from_millis(self.delay());
        self.numbered += 1;
        self.agenda.insert((at, self.numbered), what);
    }

    fn send(&mut self, now: Instant, from: usize, on: Option<String>, releases: bool) {
        self.numbered += 1;
        self.under_way[from] = self.numbered;
        let request = Request { from, number: self.numbered, sent: now, on, releases };
        if !self.delay().is_multiple_of(7) {
            self.later(now, Happens::Arrived(request));
        }
    }

    fn deliver(&mut self, now: Instant, to: usize) {
        if let Some(lease) = self.stored.clone() {
            self.later(now, Happens::Delivered { to, lease });
        }
    }

    /// Lets happen what is next, and returns its time.
    fn step(&mut self) -> Instant {
        let ((now, _), what) = self.agenda.pop_first().expect("a replica is always woken again");
        match what {
            Happens::Delivered { to, lease } => {
                let replica = &mut self.replicas[to];
                let version = |l: &str| l.parse::<u64>().unwrap_or_default();
                let known = replica.observed.as_ref().and_then(|o| o.version.as_deref()).map_or(0, version);
                if version(lease.metadata.resource_version.as_deref().unwrap()) >= known {
                    replica.observed = Some(Observed::next(replica.observed.as_ref(), Some(&lease), now));
                }
            }
            Happens::Woken(replica) => self.wake(now, replica),
            Happens::Arrived(request) => self.arrive(now, request),
            Happens::Answered(request, lease) => {
                let hold = Hold::new(&lease, request.sent);
                let replica = &mut self.replicas[request.from];
                if self.under_way[request.from] == request.number && now < hold.ends_at() {
                    self.terms += usize::from(replica.hold.is_none());
                    replica.due = Some(hold.renewal_at());
                    replica.hold = Some(hold);
                }
            }
        }
        now
    }

    fn arrive(&mut self, now: Instant, request: Request) {
        let version = self.stored.as_ref().and_then(|l| l.metadata.resource_version.clone());
        if request.on != version {
            return self.deliver(now, request.from);
        }
        let next = version.map_or(1, |v| v.parse::<u64>().unwrap() + 1);
        let holder = request.from.to_string();
        let lease = lease(next, (!request.releases).then_some(holder.as_str()));
        self.stored = Some(lease.clone());
        for to in 0..self.replicas.len() {
            self.deliver(now, to);
        }
        if !request.releases && !self.delay().is_multiple_of(7) {
            self.later(now, Happens::Answered(request, lease));
        }
    }

    /// The process ends, and another one of its name begins, which knows nothing.
    fn end(&mut self, replica: usize) {
        self.replicas[replica] = Replica::default();
        self.under_way[replica] = 0;
    }

    fn wake(&mut self, now: Instant, me: usize) {
        self.later(now, Happens::Woken(me));
        let replica = &mut self.replicas[me];
        match (&replica.hold, &replica.observed) {
            (Some(hold), _) if hold.ends_at() <= now => self.end(me),
            (Some(hold), _) if replica.due.is_some_and(|due| due <= now) => {
                let version = hold.version.clone();
                replica.due = Some(now + SECOND);
                self.send(now, me, Some(version), false);
            }
            (Some(hold), _) => {
                let version = hold.version.clone();
                // Asked to end, one in a while: it leads no longer when it releases.
                if self.delay().is_multiple_of(11) {
                    self.end(me);
                    self.send(now, me, Some(version), true);
                }
            }
            (None, Some(observed)) if observed.free_at(&me.to_string()) <= now => {
                let version = observed.version.clone();
                self.send(now, me, version, false);
            }
            (None, Some(_)) => self.deliver(now, me),
            (None, None) if self.stored.is_none() => self.send(now, me, None, false),
            (None, None) => self.deliver(now, me),
        }
    }

    /// Replicas that lead at a time.
    fn leaders(&self, now: Instant) -> usize {
        self.replicas.iter().filter(|r| r.hold.as_ref().is_some_and(|hold| now < hold.ends_at())).count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is delayed or lost on the way, no two replicas lead at the same time.
    #[test]
    fn no_two_replicas_lead_at_once(
        replicas in 2_usize..4,
        delays in proptest::collection::vec(prop_oneof![1_u64..50, 1_u64..1500, 1_u64..9000], 50..200),
    ) {
        let mut world = World::new(replicas, delays);
        for _ in 0..2000 {
            let now = world.step();
            let leaders = world.leaders(now);
            prop_assert!(leaders <= 1, "{leaders} lead after {:?}: {:?}", now - world.start, world.replicas);
        }
    }
}

/// The simulation is not idle: somebody leads most of the time, and leadership passes on.
#[test]
fn the_simulation_hands_leadership_over() {
    let delays: Vec<u64> = (0..97).map(|n| 1 + (n * 37) % 400).collect();
    let mut world = World::new(3, delays);
    let led = (0..3000)
        .filter(|_| {
            let now = world.step();
            world.leaders(now) == 1
        })
        .count();
    assert!(led > 300 && world.terms > 10, "led after {led} of 3000 steps, in {} terms", world.terms);
}
