//! What a store promises.

use super::*;

#[derive(Debug)]
struct Thing(String, String, u64, Vec<String>);

fn thing(name: &str, uid: &str, version: u64, tags: &[&str]) -> Thing {
    Thing(name.into(), uid.into(), version, tags.iter().map(ToString::to_string).collect())
}

impl Held for Thing {
    fn name(&self) -> Name {
        ("ns".into(), self.0.clone())
    }
    fn uid(&self) -> &str {
        &self.1
    }
    fn version(&self) -> u64 {
        self.2
    }
    fn tags(&self) -> &[String] {
        &self.3
    }
    fn letter(&self) -> Letter {
        Letter::of(serde_json::json!({ "spec": self.2 }))
    }
    fn pack(&self) -> Vec<u8> {
        format!("{}|{}|{}|{}", self.0, self.1, self.2, self.3.join(",")).into_bytes()
    }
    fn unpack(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let [name, uid, version, tags] = text.split('|').collect::<Vec<_>>()[..] else { panic!("{text}") };
        let tags: Vec<&str> = tags.split(',').filter(|t| !t.is_empty()).collect();
        thing(name, uid, version.parse().unwrap(), &tags)
    }
}

/// A store whose first list was complete, and empty.
fn listed() -> Store<Thing> {
    let s = Store::default();
    s.begin();
    s.complete();
    s
}

#[test]
fn an_older_watch_event_does_not_undo_our_own_write() {
    let s = Store::default();
    assert!(s.put(thing("a", "u", 5, &["x"]), None).is_some());
    assert!(s.put(thing("a", "u", 7, &["y"]), None).is_some(), "our write's answer");
    assert!(s.put(thing("a", "u", 6, &["x"]), None).is_none(), "the watch lags behind");
    assert!(s.put(thing("a", "u", 7, &["y"]), None).is_none(), "and catches up: no news");
    assert_eq!((s.tagged("x").len(), s.tagged("y").len()), (0, 1));
}

#[test]
fn what_we_deleted_stays_gone_until_the_watch_says_so_too() {
    let s = Store::default();
    s.put(thing("a", "u", 5, &[]), None);
    assert!(s.gone(&("ns".into(), "a".into()), "u").is_some());
    assert!(s.put(thing("a", "u", 6, &[]), None).is_none());
    assert!(s.deleted(&thing("a", "u", 6, &[])).is_none());
    assert!(s.put(thing("a", "v", 8, &[]), None).is_some(), "another object of that name is news");
}

#[test]
fn a_new_list_drops_what_it_does_not_name_but_keeps_what_was_written_meanwhile() {
    let s = Store::default();
    s.put(thing("old", "1", 1, &[]), None);
    s.put(thing("kept", "2", 2, &[]), None);
    s.begin();
    s.put(thing("kept", "2", 2, &[]), None);
    s.put(thing("written", "3", 9, &[]), None);
    let lost = s.complete();
    assert_eq!(lost.len(), 1);
    assert_eq!(s.len(), 2);
    assert!(s.synced());
}

#[test]
fn what_is_packed_is_found_again_as_it_was() {
    let s = listed();
    for i in 0..1000 {
        s.put(thing(&format!("n{i:04}"), &format!("uid-{i}"), i + 1, &["all", &format!("one/{i}")]), None);
    }
    assert_eq!(s.len(), 1000);
    assert_eq!(s.get("ns", "n0003").unwrap().1, "uid-3", "long out of what is held unpacked");
    assert_eq!(s.tagged("one/7").len(), 1);
    let names: Vec<String> = s.tagged("all").iter().map(|t| t.0.clone()).collect();
    assert!(names.len() == 1000 && names.is_sorted(), "in order of name");
    assert_eq!(s.names_tagged("one/7"), [("ns".to_owned(), "n0007".to_owned())]);
    assert_eq!(s.within("ns").len(), 1000);
    assert!(s.within("n").is_empty(), "a namespace is not its prefix");
    s.put(thing("n0007", "uid-7", 2000, &["all"]), None);
    assert!(s.tagged("one/7").is_empty() && s.names_tagged("one/7").is_empty());
    assert_eq!(s.all().count(), 1000);
    assert_eq!(s.warm().len(), warm::MOST);
}

#[test]
fn what_the_first_list_brings_is_packed_at_once() {
    let s = Store::default();
    s.begin();
    s.put(thing("a", "1", 1, &["all"]), None);
    s.put(thing("a", "1", 2, &["all"]), None);
    let warm = || s.warm().len();
    assert_eq!((warm(), s.len(), s.names_tagged("all").len()), (0, 1, 1));
    let packed = s.packed_bytes();
    assert!(packed > 0);
    s.complete();
    assert_eq!((s.names_tagged("all").len(), s.glimpses("ns").len()), (1, 1), "found as before");
    s.cool();
    s.put(thing("b", "2", 3, &["all"]), None);
    assert_eq!((warm(), s.packed_bytes()), (1, packed), "what comes later is held as it is");
    s.deleted(&thing("a", "1", 2, &[]));
    assert!(s.packed_bytes() < packed, "what is gone is not counted");
}

#[test]
fn what_is_left_alone_is_packed_and_what_is_looked_at_stays() {
    let s = listed();
    for i in 0..20 {
        s.put(thing(&format!("n{i:02}"), &format!("uid-{i}"), i + 1, &["all"]), None);
    }
    let packed = || s.read(|i| i.slots.iter().flatten().filter(|slot| slot.packed.is_some()).count());
    let warm = || s.warm().len();
    s.cool();
    assert_eq!((warm(), packed()), (20, 0), "all came in just now");
    s.get("ns", "n07").unwrap();
    s.cool();
    assert_eq!((warm(), packed()), (1, 19), "one was looked at since");
    assert_eq!(s.get("ns", "n03").unwrap().1, "uid-3", "unpacked again");
    assert_eq!(warm(), 2);
    s.put(thing("n03", "uid-3", 100, &["other"]), None);
    assert_eq!(packed(), 18, "what it was is of no use any more");
    for _ in 0..3 {
        s.cool();
    }
    assert_eq!((warm(), packed(), s.tagged("other").len()), (0, 20, 1));
}

#[test]
fn what_is_looked_at_last_is_held_as_it_is() {
    let s = listed();
    for i in 0..2 * warm::MOST {
        s.put(thing(&format!("n{i:04}"), &format!("uid-{i}"), i as u64 + 1, &[&format!("one/{i}")]), None);
    }
    (0..3).for_each(|_| s.cool());
    assert_eq!(s.warm().len(), 0);
    (0..2 * warm::MOST).for_each(|i| drop(s.tagged(&format!("one/{i}"))));
    assert_eq!(s.warm().len(), warm::MOST);
    let (last, again) = (s.get("ns", "n0511").unwrap(), s.get("ns", "n0511").unwrap());
    assert!(Arc::ptr_eq(&last, &again), "it is unpacked once");
    // What is not packed yet never makes room.
    (0..warm::MOST)
        .for_each(|i| drop(s.put(thing(&format!("new{i}"), &format!("new-{i}"), 9_000, &[]), None)));
    s.get("ns", "n0000").unwrap();
    assert_eq!(s.len(), 3 * warm::MOST);
    assert_eq!(s.get("ns", "new0").unwrap().1, "new-0");
}

#[test]
fn an_answer_counts_for_the_version_that_it_told_of_and_not_for_long() {
    let s = listed();
    s.put(thing("a", "1", 1, &[]), None);
    assert!(!s.answered_just_now("ns", "a"), "the watch told of it");
    s.answered("ns", "a", 2);
    assert!(!s.answered_just_now("ns", "a"), "another version");
    s.answered("ns", "a", 1);
    assert!(s.answered_just_now("ns", "a"));
    s.put(thing("a", "1", 3, &[]), None);
    assert!(!s.answered_just_now("ns", "a"), "the watch told of a later one");
    assert!(!s.answered_just_now("ns", "b"));
    s.answered("ns", "a", 3);
    let later = Store { born: s.born.checked_sub(std::time::Duration::from_secs(2)).unwrap(), ..s };
    assert!(!later.answered_just_now("ns", "a"), "two seconds ago");
}

#[test]
fn a_glimpse_tells_the_letter_and_opens_to_the_object_warm_or_packed() {
    let s = listed();
    s.put(thing("a", "u", 5, &["x"]), None);
    s.put(thing("b", "v", 6, &[]), None);
    let look = || -> Vec<_> {
        let glimpses = s.glimpses("ns").into_iter();
        glimpses.map(|g| (g.name.clone(), g.letter, g.open().uid().to_owned())).collect()
    };
    let warm = look();
    (0..3).for_each(|_| s.cool());
    assert_eq!(s.warm().len(), 0, "all of it is packed");
    assert_eq!(look(), warm);
    let [a, b] = [thing("a", "u", 5, &[]), thing("b", "v", 6, &[])].map(|t| t.letter());
    assert_eq!(warm, [("a".into(), a, "u".into()), ("b".into(), b, "v".into())]);
    assert!(a != b && s.glimpses("n").is_empty() && s.glimpses("ns2").is_empty());
}

#[test]
fn what_changes_goes_on_under_the_text_of_its_name() {
    let s = listed();
    s.put(thing("a", "1", 1, &["all"]), None);
    let first = s.paths().pop().unwrap();
    s.put(thing("a", "1", 2, &["all"]), None);
    assert!(Arc::ptr_eq(&first, &s.paths()[0]) && Arc::ptr_eq(&first, &s.paths_tagged("all")[0]));
    assert_eq!(split(&first), Some(("ns", "a")));
}
