//! Whatever the order in which watch events and answers arrive, the cache ends as the cluster is.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::*;
use crate::cluster_state::{ClusterState, PendingRead};
use govcloud_api::resources;
use govcloud_domain::plan::Target;

/// An object of the one name that these tests are about: its UID and resourceVersion.
type Object = (String, u64);

/// A step of a history.
#[derive(Clone, Debug)]
enum Act {
    /// Somebody creates the object, or changes it if it is there.
    Write,
    /// Somebody deletes it.
    Delete,
    /// The watch reads the next event.
    Read,
    /// The watch is interrupted, and begins a list.
    Interrupt,
    /// The API server answers the list, and the watch goes on from there.
    List,
    /// The oldest event that the watch read is applied.
    Watch,
    /// The operator begins a request: a read, a change of what it knows, or its deletion.
    Ask(Request),
    /// The API server answers one that is under way.
    Serve(Index),
    /// The answer to one arrives.
    Arrive(Index),
}

#[derive(Clone, Copy, Debug)]
enum Request {
    Read,
    Change,
    Remove,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let request = prop_oneof![Just(Request::Read), Just(Request::Change), Just(Request::Remove)];
    let act = prop_oneof![
        4 => Just(Act::Write),
        3 => Just(Act::Delete),
        8 => Just(Act::Read),
        1 => Just(Act::Interrupt),
        2 => Just(Act::List),
        10 => Just(Act::Watch),
        4 => request.prop_map(Act::Ask),
        5 => any::<Index>().prop_map(Act::Serve),
        5 => any::<Index>().prop_map(Act::Arrive),
    ];
    proptest::collection::vec(act, 1..80)
}

/// Answer of the API server to a request.
enum Answer {
    Is(Object),
    Absent,
    Removed,
    Refused,
}

struct Pending<'a> {
    request: Request,
    /// The UID that the request is for, where it is for one.
    uid: Option<String>,
    pending: PendingRead<'a>,
    answer: Option<Answer>,
}

/// The API server, the way from it, and the image.
struct Scene<'a> {
    state: &'a ClusterState,
    target: &'a Target,
    is: Option<Object>,
    version: u64,
    /// Events that the watch has not read yet: true where the object existed afterwards, and its version.
    events: VecDeque<(bool, Object)>,
    /// True while a list is under way.
    lists: bool,
    /// Events that the watch read and that are not applied yet.
    read: VecDeque<CacheUpdate>,
    requests: Vec<Pending<'a>>,
}

fn stored((uid, version): &Object) -> TrimmedObject {
    let metadata = json!({ "name": "it", "uid": uid, "resourceVersion": version.to_string() });
    serde_json::from_value(json!({ "kind": "Region", "metadata": metadata })).expect("an object")
}

impl<'a> Scene<'a> {
    fn happens(&mut self, there: bool, object: Object) {
        self.is = there.then(|| object.clone());
        self.events.push_back((there, object));
    }

    fn write(&mut self) {
        self.version += 1;
        let uid = self.is.take().map_or_else(|| format!("uid-{}", self.version), |(uid, _)| uid);
        self.happens(true, (uid, self.version));
    }

    fn delete(&mut self) {
        if let Some((uid, _)) = self.is.take() {
            self.version += 1;
            self.happens(false, (uid, self.version));
        }
    }

    fn apply(&self, update: CacheUpdate) {
        self.state.update(Kind::Region, update, &Clock::default());
    }

    fn known(&self) -> Option<Object> {
        let known = self.state.get(Kind::Region, "", "it")?;
        Some((known.uid.to_string(), known.version))
    }

    fn read(&mut self) {
        if !self.lists
            && let Some((there, object)) = self.events.pop_front()
        {
            let object = stored(&object);
            self.read.push_back(if there {
                CacheUpdate::Observed(object)
            } else {
                CacheUpdate::Deleted(object)
            });
        }
    }

    fn interrupt(&mut self) {
        if !self.lists {
            self.lists = true;
            self.read.push_back(CacheUpdate::ListStarted);
        }
    }

    fn list(&mut self) {
        if self.lists {
            self.lists = false;
            // Earlier events are in the list, and the watch never delivers them.
            self.events.clear();
            self.read.extend(self.is.as_ref().map(|object| CacheUpdate::Observed(stored(object))));
            self.read.push_back(CacheUpdate::ListCompleted);
        }
    }

    fn watch(&mut self) {
        if let Some(news) = self.read.pop_front() {
            self.apply(news);
        }
    }

    fn ask(&mut self, request: Request) {
        let uid = self.known().map(|(uid, _)| uid);
        self.requests.push(Pending {
            request,
            uid,
            pending: self.state.begin_read(self.target).expect("a cached kind"),
            answer: None,
        });
    }

    fn serve(&mut self, which: usize) {
        if self.requests[which].answer.is_some() {
            return;
        }
        let for_this =
            self.is.is_some() && self.requests[which].uid.as_ref() == self.is.as_ref().map(|(uid, _)| uid);
        let answer = match (self.requests[which].request, for_this) {
            (Request::Read, _) => self.is.clone().map_or(Answer::Absent, Answer::Is),
            (Request::Change, true) => {
                self.write();
                self.is.clone().map_or(Answer::Refused, Answer::Is)
            }
            (Request::Remove, true) => {
                self.delete();
                Answer::Removed
            }
            (Request::Change | Request::Remove, false) => Answer::Refused,
        };
        self.requests[which].answer = Some(answer);
    }

    fn arrive(&mut self, which: usize) {
        if self.requests[which].answer.is_none() {
            return;
        }
        let Pending { pending, uid, answer, .. } = self.requests.swap_remove(which);
        let news = match answer {
            Some(Answer::Is(object)) => Some(pending.answered(stored(&object))),
            Some(Answer::Absent) => Some(pending.missing()),
            Some(Answer::Removed) => uid.map(|uid| pending.gone(&uid)),
            Some(Answer::Refused) | None => None,
        };
        if let Some(news) = news {
            self.apply(news);
        }
    }

    fn act(&mut self, act: &Act) {
        let of = |which: &Index, n: usize| (n > 0).then(|| which.index(n));
        match act {
            Act::Write => self.write(),
            Act::Delete => self.delete(),
            Act::Read => self.read(),
            Act::Interrupt => self.interrupt(),
            Act::List => self.list(),
            Act::Watch => self.watch(),
            Act::Ask(request) => self.ask(*request),
            Act::Serve(which) => drop(of(which, self.requests.len()).map(|i| self.serve(i))),
            Act::Arrive(which) => drop(of(which, self.requests.len()).map(|i| self.arrive(i))),
        }
    }

    /// Everything that is under way ends.
    fn rest(&mut self, answers_last: bool) {
        let answers = |scene: &mut Self| {
            while !scene.requests.is_empty() {
                scene.serve(0);
                scene.arrive(0);
            }
        };
        if !answers_last {
            answers(self);
        }
        (0..self.requests.len()).for_each(|i| self.serve(i));
        self.list();
        while !self.events.is_empty() {
            self.read();
        }
        while !self.read.is_empty() {
            self.watch();
        }
        answers(self);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_cache_ends_as_the_cluster_is(acts in acts(), answers_last: bool) {
        let state = ClusterState::default();
        let target = Target::named(resources::REGION, "it");
        let mut scene = Scene {
            state: &state,
            target: &target,
            is: None,
            version: 0,
            events: VecDeque::new(),
            lists: false,
            read: VecDeque::new(),
            requests: Vec::new(),
        };
        scene.apply(CacheUpdate::ListStarted);
        scene.apply(CacheUpdate::ListCompleted);
        acts.iter().for_each(|act| scene.act(act));
        scene.rest(answers_last);
        prop_assert_eq!(scene.known(), scene.is.clone());
        prop_assert_eq!(state.store(Kind::Region).remembered(), 0, "nothing is remembered of what is over");
    }
}

#[test]
fn a_404_removes_only_the_object_that_was_known_when_the_request_began() {
    let (state, target) = (ClusterState::default(), Target::named(resources::REGION, "it"));
    let apply = |update| drop(state.update(Kind::Region, update, &Clock::default()));
    let observed = |version| CacheUpdate::Observed(stored(&("u".to_owned(), version)));
    let known = || state.get(Kind::Region, "", "it").is_some();
    let begin = || state.begin_read(&target).expect("a cached kind");
    let pending = begin();
    apply(observed(7));
    apply(pending.missing());
    assert!(known(), "it came meanwhile");
    let again = begin();
    apply(again.missing());
    assert!(!known(), "it was known when the request began");
    apply(observed(8));
    assert!(!known(), "the watch lags behind");
}

/// A store of applications, with objects in the namespace `ns` of the Region `region`.
fn store() -> Store {
    Store::new(Kind::Application, SharedTexts::default())
}

fn object(name: &str, uid: &str, version: u64, region: &str) -> TrimmedObject {
    let metadata =
        json!({ "namespace": "ns", "name": name, "uid": uid, "resourceVersion": version.to_string() });
    serde_json::from_value(json!({ "metadata": metadata, "spec": { "region": region } })).expect("an object")
}

fn apply(store: &Store, update: CacheUpdate) -> usize {
    store.apply(update, &Clock::default()).len()
}

fn observe(store: &Store, object: TrimmedObject) -> usize {
    apply(store, CacheUpdate::Observed(object))
}

fn in_region(store: &Store, region: &str) -> Vec<String> {
    let found = store.find(&IndexKey::Region(region.to_owned()));
    found.iter().map(|o| o.name().to_owned()).collect()
}

#[test]
fn an_older_watch_event_does_not_undo_a_newer_answer() {
    let s = store();
    assert_eq!(observe(&s, object("a", "u", 5, "x")), 1);
    let token = s.begin_read("ns", "a");
    assert_eq!(apply(&s, CacheUpdate::Answered(object("a", "u", 7, "y"), token)), 1, "a write's answer");
    assert_eq!(observe(&s, object("a", "u", 6, "x")), 0, "the watch lags behind");
    assert_eq!(observe(&s, object("a", "u", 7, "y")), 0, "and catches up");
    assert_eq!((in_region(&s, "x").len(), in_region(&s, "y").len()), (0, 1));
}

#[test]
fn a_deleted_object_does_not_come_back_by_an_older_event() {
    let s = store();
    observe(&s, object("a", "u", 5, "x"));
    assert_eq!(apply(&s, CacheUpdate::Gone("ns".into(), "a".into(), "u".into())), 1);
    assert_eq!(observe(&s, object("a", "u", 6, "x")), 0);
    assert_eq!(apply(&s, CacheUpdate::Deleted(object("a", "u", 6, "x"))), 0);
    assert_eq!(observe(&s, object("a", "v", 8, "x")), 1, "another object of that name");
}

#[test]
fn a_relist_drops_lost_objects_and_keeps_those_written_meanwhile() {
    let s = store();
    observe(&s, object("old", "1", 1, "x"));
    observe(&s, object("kept", "2", 2, "x"));
    apply(&s, CacheUpdate::ListStarted);
    assert_eq!(s.all().len(), 2, "until the list is complete the cache stays as it was");
    observe(&s, object("kept", "2", 2, "x"));
    observe(&s, object("written", "3", 9, "x"));
    assert_eq!(apply(&s, CacheUpdate::ListCompleted), 1);
    assert_eq!(in_region(&s, "x"), ["kept", "written"]);
    assert!(s.is_synced());
}

#[test]
fn objects_are_found_by_name_index_and_namespace() {
    let s = store();
    for i in 0..1000 {
        observe(&s, object(&format!("n{i:04}"), &format!("uid-{i}"), i + 1, "x"));
    }
    assert_eq!(&*s.get("ns", "n0003").unwrap().uid, "uid-3");
    let names = in_region(&s, "x");
    assert!(names.len() == 1000 && names.is_sorted(), "in order of name");
    assert_eq!(s.find(&IndexKey::Uid("uid-7".into()))[0].name(), "n0007");
    assert_eq!(s.in_namespace("ns").len(), 1000);
    let walked: Vec<_> = s.walk().collect();
    assert!(walked.len() == 1000 && walked.iter().zip(s.all()).all(|(a, b)| Arc::ptr_eq(a, &b)));
    assert!(s.in_namespace("n").is_empty(), "a namespace is not its prefix");
    observe(&s, object("n0007", "uid-7", 2000, "y"));
    assert_eq!((in_region(&s, "x").len(), in_region(&s, "y").len()), (999, 1));
}

#[test]
fn a_recent_answer_is_of_the_cached_version() {
    let s = store();
    observe(&s, object("a", "1", 1, "x"));
    assert!(!s.is_recent_answer("ns", "a"), "the watch delivered it");
    let token = s.begin_read("ns", "a");
    apply(&s, CacheUpdate::Answered(object("a", "1", 1, "x"), token));
    assert!(s.is_recent_answer("ns", "a"), "the same version was answered");
    observe(&s, object("a", "1", 3, "x"));
    assert!(!s.is_recent_answer("ns", "a"), "the watch delivered a later one");
    assert!(!s.is_recent_answer("ns", "b"));
    apply(&s, CacheUpdate::Answered(object("a", "1", 3, "x"), token));
    let later = Store { born: s.born.checked_sub(std::time::Duration::from_secs(2)).unwrap(), ..s };
    assert!(!later.is_recent_answer("ns", "a"), "two seconds ago");
}

#[test]
fn versions_of_an_object_share_the_memory_of_their_path() {
    let s = store();
    observe(&s, object("a", "1", 1, "x"));
    let first = s.get("ns", "a").unwrap();
    observe(&s, object("a", "1", 2, "x"));
    assert!(Arc::ptr_eq(first.path(), s.get("ns", "a").unwrap().path()));
}
