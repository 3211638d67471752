//! Who is killed around which write, and the count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use e2e::cluster::Cluster;
use e2e::proxy::{Fate, Judge, Write};
use futures::future::BoxFuture;

/// What is in store for a life.
#[derive(Clone, Copy, Debug)]
pub enum Sentence {
    /// Nothing.
    None,
    /// Killed before each write, and after it.
    Each,
    /// Killed at random, and again a few writes later.
    Pairs {
        /// Where the random numbers begin.
        seed: u64,
        /// How many pairs there must be.
        at_least: usize,
    },
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Toll {
    /// Writes that went through with a success.
    pub writes: usize,
    /// Kills before a write.
    pub before: usize,
    /// Kills after a write.
    pub after: usize,
    /// Pairs of kills that are complete.
    pub pairs: usize,
    /// Writes that succeeded without the kills that were in store for them.
    pub spared: BTreeSet<String>,
}

/// How far it is with one write of [`Sentence::Each`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Killed before it; it comes again.
    Announced,
    /// Handed on, and killed after it.
    Done,
}

#[derive(Debug)]
struct State {
    sentence: Sentence,
    stages: BTreeMap<String, Stage>,
    toll: Toll,
    random: u64,
    /// Writes until the second kill of a pair.
    second: Option<u64>,
}

/// The judge of the operator's writes.
pub struct Executioner {
    cluster: Arc<Cluster>,
    state: Mutex<State>,
}

impl Executioner {
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, state: Mutex::new(fresh(Sentence::None)) }
    }

    /// What is in store from now on; the count begins anew.
    pub fn sentence(&self, sentence: Sentence) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = fresh(sentence);
    }

    /// The count.
    pub fn toll(&self) -> Toll {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).toll.clone()
    }
}

fn fresh(sentence: Sentence) -> State {
    let random = match sentence {
        Sentence::Pairs { seed, .. } => seed | 1,
        Sentence::None | Sentence::Each => 1,
    };
    State { sentence, stages: BTreeMap::new(), toll: Toll::default(), random, second: None }
}

/// What is written for the operator itself and not for a life: the guard's record of its last good check.
fn about_itself(write: &Write) -> bool {
    write.path.contains("/namespaces/govcloud-system/")
}

impl State {
    /// A number below `bound` (xorshift).
    fn roll(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn fate(&mut self, write: &Write) -> Fate {
        match self.sentence {
            Sentence::None => Fate::Through,
            Sentence::Each => {
                let identity = write.identity();
                match self.stages.get(&identity) {
                    None => {
                        self.stages.insert(identity, Stage::Announced);
                        Fate::Before
                    }
                    Some(Stage::Announced) => Fate::After,
                    // Sent again because nobody saw the answer: an Event of that name stands already.
                    Some(Stage::Done) => Fate::Through,
                }
            }
            Sentence::Pairs { .. } => {
                let first = self.roll(4) == 0;
                let kill = match self.second {
                    Some(0) => {
                        self.second = None;
                        self.toll.pairs += 1;
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
                    (false, _) => Fate::Through,
                    (true, 0) => Fate::Before,
                    (true, _) => Fate::After,
                }
            }
        }
    }
}

impl Judge for Executioner {
    fn judge(&self, write: &Write) -> Fate {
        if about_itself(write) {
            return Fate::Through;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = state.fate(write);
        match fate {
            Fate::Through => {}
            Fate::Before => state.toll.before += 1,
            Fate::After => state.toll.after += 1,
        }
        fate
    }

    fn answered(&self, write: &Write, code: u16) {
        if about_itself(write) {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = write.identity();
        let success = (200..300).contains(&code);
        if success {
            state.toll.writes += 1;
        }
        if !matches!(state.sentence, Sentence::Each) {
            return;
        }
        match state.stages.get(&identity) {
            Some(Stage::Announced) if success && write.method == "POST" => {
                state.stages.insert(identity, Stage::Done);
            }
            // The next write to the same path is another one; so is a refused one when it is tried again.
            Some(Stage::Announced) => drop(state.stages.remove(&identity)),
            _ if success => drop(state.toll.spared.insert(identity)),
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
