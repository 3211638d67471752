//! What came in or was looked at just now: held as it is.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Objects of one kind that are held so, at most.
pub(super) const MOST: usize = 256;

/// An object, and the round in which it was touched last.
#[derive(Debug)]
struct Touched<T> {
    object: Arc<T>,
    round: u32,
    /// Whether its slot holds it packed as well, so that letting go of it costs nothing.
    packed: bool,
}

/// The warm objects of one kind, by slot.
#[derive(Debug)]
pub(super) struct Warm<T> {
    held: HashMap<u32, Touched<T>>,
    order: VecDeque<u32>,
    round: u32,
}

impl<T> Default for Warm<T> {
    fn default() -> Self {
        Self { held: HashMap::new(), order: VecDeque::new(), round: 0 }
    }
}

impl<T> Warm<T> {
    /// The object in a slot, if it is warm.
    pub(super) fn get(&self, id: u32) -> Option<Arc<T>> {
        self.held.get(&id).map(|t| t.object.clone())
    }

    /// Holds what came in. Gives back what has to make room for it, which may not be packed yet.
    pub(super) fn hold(&mut self, id: u32, object: &Arc<T>) -> Option<(u32, Arc<T>)> {
        let touched = Touched { object: object.clone(), round: self.round, packed: false };
        if self.held.insert(id, touched).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() <= MOST {
            return None;
        }
        let oldest = self.order.pop_front()?;
        self.held.remove(&oldest).map(|t| (oldest, t.object))
    }

    /// Holds on to what is looked at: what is asked for next is often the same. Where there is no room, what was held
    /// first makes it, if it is packed already.
    pub(super) fn touch(&mut self, id: u32, object: &Arc<T>) {
        let round = self.round;
        if let Some(touched) = self.held.get_mut(&id) {
            touched.round = round;
            return;
        }
        if self.order.len() >= MOST {
            let oldest = self.order.front().copied();
            let Some(oldest) = oldest.filter(|o| self.held.get(o).is_some_and(|t| t.packed)) else { return };
            self.order.pop_front();
            self.held.remove(&oldest);
        }
        self.order.push_back(id);
        self.held.insert(id, Touched { object: object.clone(), round, packed: true });
    }

    /// A new round begins: the slots that have not been touched in the one that ends.
    pub(super) fn next_round(&mut self) -> Vec<u32> {
        let ended = self.round;
        self.round = self.round.wrapping_add(1);
        let cold = self.held.iter().filter(|(_, t)| t.round != ended);
        cold.map(|(id, _)| *id).collect()
    }

    /// Lets go of an object, unless it was touched meanwhile.
    pub(super) fn let_go_if_cold(&mut self, id: u32) -> Option<Arc<T>> {
        let recent = [self.round, self.round.wrapping_sub(1)];
        if self.held.get(&id).is_none_or(|t| recent.contains(&t.round)) {
            return None;
        }
        self.let_go(id)
    }

    /// Lets go of what is gone.
    pub(super) fn let_go(&mut self, id: u32) -> Option<Arc<T>> {
        let touched = self.held.remove(&id)?;
        self.order.retain(|i| *i != id);
        Some(touched.object)
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        debug_assert_eq!(self.held.len(), self.order.len());
        self.held.len()
    }
}
