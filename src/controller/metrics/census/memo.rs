//! What was made of each object of a store, kept as long as the object stays what it is
//! (`docs/decisions/0042-a-scrape-unpacks-what-changed.md`).

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use crate::store::{Held, Store};

/// One entry for each object of a store, in the store's order.
#[derive(Debug)]
pub(super) struct Memo<S> {
    entries: Vec<Entry<S>>,
}

#[derive(Debug)]
struct Entry<S> {
    key: Arc<str>,
    version: u64,
    made: S,
}

impl<S> Default for Memo<S> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<S> Memo<S> {
    /// Makes anew what changed since the last time, and forgets what is gone. How many were made.
    pub(super) fn refresh<T: Held>(&mut self, store: &Store<T>, mut make: impl FnMut(&T) -> S) -> usize {
        let stand = store.versions();
        let mut known = std::mem::take(&mut self.entries).into_iter().peekable();
        self.entries.reserve_exact(stand.len());
        let mut count = 0;
        for (key, version) in stand {
            while known.next_if(|e| e.key.cmp(&key) == Ordering::Less).is_some() {}
            if let Some(same) = known.next_if(|e| e.key == key && e.version == version) {
                self.entries.push(same);
            } else if let Some(object) = store.peek(&key) {
                count += 1;
                self.entries.push(Entry { version: object.version(), made: make(&object), key });
            }
        }
        count
    }

    /// What was made, in the store's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &S> {
        self.entries.iter().map(|e| &e.made)
    }
}

/// Texts that many entries have in common, each held once.
#[derive(Debug, Default)]
pub(super) struct Words(HashSet<Arc<str>>);

impl Words {
    /// The one copy of a text.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }

    /// Drops what nobody has any more.
    pub(super) fn prune(&mut self) {
        self.0.retain(|w| Arc::strong_count(w) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Name;

    #[derive(Debug)]
    struct Thing(String, u64);

    impl Held for Thing {
        fn name(&self) -> Name {
            ("ns".into(), self.0.clone())
        }
        fn uid(&self) -> &str {
            &self.0
        }
        fn version(&self) -> u64 {
            self.1
        }
        fn tags(&self) -> &[String] {
            &[]
        }
        fn pack(&self) -> Vec<u8> {
            format!("{}|{}", self.0, self.1).into_bytes()
        }
        fn unpack(bytes: &[u8]) -> Self {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let (name, version) = text.split_once('|').unwrap();
            Self(name.to_owned(), version.parse().unwrap())
        }
    }

    #[test]
    fn only_what_changed_is_made_again() {
        let store = Store::default();
        for n in 0..200 {
            store.put(Thing(format!("n{n:03}"), 1), None);
        }
        let mut memo = Memo::default();
        let mut look = |store: &Store<Thing>| {
            let made = memo.refresh(store, |t| format!("{}@{}", t.0, t.1));
            (made, memo.iter().cloned().collect::<Vec<_>>())
        };
        assert_eq!(look(&store).0, 200);
        assert_eq!(look(&store).0, 0, "nothing changed");
        store.put(Thing("n007".into(), 2), None);
        store.put(Thing("n003a".into(), 3), None);
        store.gone(&("ns".into(), "n100".into()), "n100");
        store.gone(&("ns".into(), "n199".into()), "n199");
        let (made, now) = look(&store);
        assert_eq!(made, 2, "one changed, one is new, two are gone");
        let held: Vec<String> = store.all().map(|t| format!("{}@{}", t.0, t.1)).collect();
        assert_eq!(now, held);
        assert_eq!(now.len(), 199);
        // Deleted and made again between two looks, it is another object.
        store.gone(&("ns".into(), "n050".into()), "n050");
        store.complete();
        store.put(Thing("n050".into(), 9), None);
        let (made, now) = look(&store);
        assert!(made == 1 && now.contains(&"n050@9".to_owned()) && !now.contains(&"n050@1".to_owned()));
    }

    #[test]
    fn a_text_is_held_once_and_as_long_as_somebody_has_it() {
        let mut words = Words::default();
        let (a, b) = (words.share("410000"), words.share("410000"));
        assert!(Arc::ptr_eq(&a, &b));
        drop((a, b));
        words.prune();
        assert!(words.0.is_empty());
    }
}
