//! Whatever the order in which the watch and the answers arrive, the image ends as the cluster is.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::*;
use crate::store::Held as _;
use govcloud_api::resources;

/// An object of the one name that these tests are about: its UID and resourceVersion.
type Object = (String, u64);

/// What happens next.
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
    /// What the watch read first of all that was not taken in is taken in.
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

/// What the API server answered to a request.
enum Answer {
    Is(Object),
    Absent,
    Removed,
    Refused,
}

struct UnderWay<'a> {
    request: Request,
    /// The UID that the request is for, where it is for one.
    uid: Option<String>,
    asking: Asking<'a>,
    answer: Option<Answer>,
}

/// The API server, the way from it, and the image.
struct Scene<'a> {
    state: &'a ClusterState,
    target: &'a Target,
    is: Option<Object>,
    version: u64,
    /// What happened and the watch has not read yet: whether it was there afterwards, and as what.
    events: VecDeque<(bool, Object)>,
    /// Whether a list was begun that is not answered yet.
    lists: bool,
    /// What the watch read and is not taken in yet.
    read: VecDeque<News>,
    under_way: Vec<UnderWay<'a>>,
}

fn stored((uid, version): &Object) -> Stored {
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

    fn tell(&self, news: News) {
        self.state.tell("regions", news, &Clock::default());
    }

    fn known(&self) -> Option<Object> {
        let known = self.state.regions.get("", "it")?;
        Some((known.uid().to_owned(), known.version()))
    }

    fn read(&mut self) {
        if !self.lists
            && let Some((there, object)) = self.events.pop_front()
        {
            let object = stored(&object);
            self.read.push_back(if there { News::Is(object) } else { News::Deleted(object) });
        }
    }

    fn interrupt(&mut self) {
        if !self.lists {
            self.lists = true;
            self.read.push_back(News::Begin);
        }
    }

    fn list(&mut self) {
        if self.lists {
            self.lists = false;
            // What happened before is in the list, and the watch never tells of it.
            self.events.clear();
            self.read.extend(self.is.as_ref().map(|object| News::Is(stored(object))));
            self.read.push_back(News::Complete);
        }
    }

    fn watch(&mut self) {
        if let Some(news) = self.read.pop_front() {
            self.tell(news);
        }
    }

    fn ask(&mut self, request: Request) {
        let uid = self.known().map(|(uid, _)| uid);
        self.under_way.push(UnderWay { request, uid, asking: self.state.ask(self.target), answer: None });
    }

    fn serve(&mut self, which: usize) {
        if self.under_way[which].answer.is_some() {
            return;
        }
        let for_this =
            self.is.is_some() && self.under_way[which].uid.as_ref() == self.is.as_ref().map(|(uid, _)| uid);
        let answer = match (self.under_way[which].request, for_this) {
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
        self.under_way[which].answer = Some(answer);
    }

    fn arrive(&mut self, which: usize) {
        if self.under_way[which].answer.is_none() {
            return;
        }
        let UnderWay { asking, uid, answer, .. } = self.under_way.swap_remove(which);
        let news = match answer {
            Some(Answer::Is(object)) => asking.answered(stored(&object)),
            Some(Answer::Absent) => asking.absent(),
            Some(Answer::Removed) => uid.map(|uid| asking.gone(&uid)),
            Some(Answer::Refused) | None => None,
        };
        if let Some(news) = news {
            self.tell(news);
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
            Act::Serve(which) => drop(of(which, self.under_way.len()).map(|i| self.serve(i))),
            Act::Arrive(which) => drop(of(which, self.under_way.len()).map(|i| self.arrive(i))),
        }
    }

    /// Everything that is under way ends.
    fn rest(&mut self, answers_last: bool) {
        let answers = |scene: &mut Self| {
            while !scene.under_way.is_empty() {
                scene.serve(0);
                scene.arrive(0);
            }
        };
        if !answers_last {
            answers(self);
        }
        (0..self.under_way.len()).for_each(|i| self.serve(i));
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
    fn the_image_ends_as_the_cluster_is(acts in acts(), answers_last: bool) {
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
            under_way: Vec::new(),
        };
        scene.tell(News::Begin);
        scene.tell(News::Complete);
        acts.iter().for_each(|act| scene.act(act));
        scene.rest(answers_last);
        prop_assert_eq!(scene.known(), scene.is.clone());
        prop_assert_eq!(state.regions.remembered(), 0, "nothing is remembered of what is over");
    }
}

#[test]
fn what_came_while_it_was_asked_for_is_there_though_the_answer_was_no() {
    let (state, target) = (ClusterState::default(), Target::named(resources::REGION, "it"));
    let tell = |news: Option<News>| drop(state.tell("regions", news.expect("news"), &Clock::default()));
    let is = |version| Some(News::Is(stored(&("u".to_owned(), version))));
    let known = || state.regions.get("", "it").is_some();
    let asking = state.ask(&target);
    tell(is(7));
    tell(asking.absent());
    assert!(known(), "it came meanwhile");
    let again = state.ask(&target);
    tell(again.absent());
    assert!(!known(), "it was known when it was asked for");
    tell(is(8));
    assert!(!known(), "what the watch told of it before lags behind");
}
