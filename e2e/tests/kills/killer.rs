//! Fault injector that kills the operator around writes, and counts the kills.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use e2e::cluster::Cluster;
use e2e::proxy::{Action, FaultInjector, Request};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};

/// Kills planned for a life.
#[derive(Clone, Copy, Debug)]
pub enum Plan {
    /// None.
    Undisturbed,
    /// Before each write, and after it.
    EachWrite,
    /// At random, and again a few writes later.
    Pairs {
        /// Seed of the random numbers.
        seed: u64,
        /// Least number of pairs.
        at_least: usize,
    },
}

/// Number of writes and kills.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Writes that went through with a success.
    pub writes: usize,
    /// Kills before a write.
    pub before: usize,
    /// Kills after a write.
    pub after: usize,
    /// Pairs of kills that are complete.
    pub pairs: usize,
    /// Writes that succeeded without the kills planned for them.
    pub spared: BTreeSet<String>,
}

/// Progress with one write of [`Plan::EachWrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Killed before it; it comes again.
    KilledBefore,
    /// Forwarded, and killed after it.
    KilledAfter,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    progress: BTreeMap<String, Progress>,
    counts: Counts,
    random: u64,
    /// Writes until the second kill of a pair.
    second: Option<u64>,
}

/// Kills the operator by plan.
pub struct Killer {
    cluster: Arc<Cluster>,
    state: Mutex<State>,
}

impl Killer {
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, state: Mutex::new(fresh(Plan::Undisturbed)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a plan; the counts begin anew.
    pub fn begin(&self, plan: Plan) {
        *self.state() = fresh(plan);
    }

    /// Counts since the plan began.
    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }
}

fn fresh(plan: Plan) -> State {
    let random = match plan {
        Plan::Pairs { seed, .. } => seed | 1,
        Plan::Undisturbed | Plan::EachWrite => 1,
    };
    State { plan, progress: BTreeMap::new(), counts: Counts::default(), random, second: None }
}

/// Returns true for a write of a life. The policy guard's record of its last good check belongs to none.
fn of_a_life(request: &Request) -> bool {
    request.is_write() && !request.path.contains("/namespaces/govcloud-system/")
}

impl State {
    /// A number below `bound` (xorshift).
    fn roll(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn action(&mut self, write: &Request) -> Action {
        match self.plan {
            Plan::Undisturbed => Action::Forward,
            Plan::EachWrite => self.each(write.identity()),
            Plan::Pairs { .. } => self.pairs(),
        }
    }

    fn each(&mut self, identity: String) -> Action {
        match self.progress.get(&identity) {
            None => {
                self.progress.insert(identity, Progress::KilledBefore);
                Action::KillBefore
            }
            Some(Progress::KilledBefore) => Action::KillAfter,
            // Sent again because nobody saw the answer: an Event of that name stands already.
            Some(Progress::KilledAfter) => Action::Forward,
        }
    }

    fn pairs(&mut self) -> Action {
        let first = self.roll(3) == 0;
        let kill = match self.second {
            Some(0) => {
                self.second = None;
                self.counts.pairs += 1;
                true
            }
            Some(left) => {
                self.second = Some(left - 1);
                false
            }
            None if first => {
                self.second = Some(self.roll(4));
                true
            }
            None => false,
        };
        match (kill, self.roll(2)) {
            (false, _) => Action::Forward,
            (true, 0) => Action::KillBefore,
            (true, _) => Action::KillAfter,
        }
    }
}

impl FaultInjector for Killer {
    fn action<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Action> {
        if !of_a_life(request) {
            return ready(Action::Forward).boxed();
        }
        let mut state = self.state();
        let action = state.action(request);
        match action {
            Action::KillBefore => state.counts.before += 1,
            Action::KillAfter => state.counts.after += 1,
            _ => {}
        }
        ready(action).boxed()
    }

    fn answered(&self, request: &Request, code: u16) {
        if !of_a_life(request) {
            return;
        }
        let mut state = self.state();
        let identity = request.identity();
        let success = (200..300).contains(&code);
        if success {
            state.counts.writes += 1;
        }
        if !matches!(state.plan, Plan::EachWrite) {
            return;
        }
        match state.progress.get(&identity) {
            Some(Progress::KilledBefore) if success && request.method == "POST" => {
                state.progress.insert(identity, Progress::KilledAfter);
            }
            // The next write to the same path is another one; so is a refused one when it is tried again.
            Some(Progress::KilledBefore) => drop(state.progress.remove(&identity)),
            _ if success => drop(state.counts.spared.insert(identity)),
            _ => {}
        }
    }

    fn kill(&self) -> BoxFuture<'static, ()> {
        let cluster = self.cluster.clone();
        Box::pin(async move {
            let mut operator = cluster.operator.lock().await;
            // Killed with SIGKILL, reaped, and started again as a new process with empty caches.
            if let Some(Err(e)) = operator.as_mut().map(e2e::operator::Operator::relaunch) {
                tracing::error!(error = %e, "the operator does not start again");
            }
        })
    }
}
