use std::collections::BTreeMap;

use serde_json::{Value, json};

use govcloud_domain::seal::KEY_LENGTH;

use super::*;

const POLICY: &str = "ValidatingAdmissionPolicy";
const CRD: &str = "CustomResourceDefinition";
const KINDS: [&str; 3] = [POLICY, CRD, "ConfigMap"];

fn shipped() -> BTreeMap<String, Value> {
    let object = |kind: &str, name: &str| json!({ "kind": kind, "metadata": { "name": name }, "spec": {} });
    [object(POLICY, "a"), object(POLICY, "b"), object(CRD, "c")]
        .into_iter()
        .map(|o| (integrity::key(&o), o))
        .collect()
}

fn object(name: &str, uid: &str) -> DynamicObject {
    let metadata = json!({ "name": name, "uid": uid, "generation": 1 });
    serde_json::from_value(json!({ "metadata": metadata, "spec": {} })).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A guard with this memory, that has listed nothing.
fn of_memory(record: Option<Record>, key: [u8; KEY_LENGTH], blank: bool) -> Checked {
    let memory = Memory { record, seal: Seal::new(key), blank };
    memory.checked(Live::new(&shipped(), KINDS))
}

/// Lists everything; returns the last check.
fn list(checked: &mut Checked, second: i64) -> Option<Checking> {
    let mut last = None;
    for kind in KINDS {
        for event in list_of(kind) {
            last = checked.observe(kind, event, at(second));
        }
    }
    last
}

/// Everything listed once, at second 1.
fn listed() -> Checked {
    let mut checked = of_memory(None, [1; KEY_LENGTH], false);
    let last = list(&mut checked, 1);
    assert_eq!(last.map(|c| c.integrity), Some(PolicyIntegrity::Intact { since: at(1) }));
    checked
}

/// A complete list of a kind, as kube's watcher reports it.
fn list_of(kind: &str) -> Vec<Event<DynamicObject>> {
    let names: &[&str] = match kind {
        POLICY => &["a", "b"],
        CRD => &["c"],
        _ => &[],
    };
    let objects = names.iter().map(|name| Event::InitApply(object(name, name)));
    [Event::Init].into_iter().chain(objects).chain([Event::InitDone]).collect()
}

#[test]
fn relist_keeps_the_live_set_until_it_is_complete() {
    let mut checked = listed();
    let before = checked.live.comparison();
    for event in [Event::Init, Event::InitApply(object("a", "a"))] {
        assert!(checked.observe(POLICY, event, at(2)).is_none(), "half a list is not checked");
        assert_eq!(checked.live.comparison(), before);
    }
    let done = checked.observe(POLICY, Event::InitDone, at(3)).unwrap();
    assert!(matches!(&done.integrity, PolicyIntegrity::Violated(why) if why.len() == 1), "b is gone");
    assert!(done.record_changed && checked.recorded.is_none());
}

#[test]
fn api_server_restart_never_stores_a_lost_record() {
    let mut checked = listed();
    let recorded = checked.recorded.clone();
    assert!(recorded.is_some());
    // All watches relist at once. The policies' first two lists fail half-way, and an event of another kind comes between.
    let [mut policies, crds, maps] = KINDS.map(list_of);
    let again = |events: Vec<Event<DynamicObject>>| events.into_iter();
    let mut events: Vec<(&'static str, Event<DynamicObject>)> = Vec::new();
    for _ in 0..2 {
        events.push((POLICY, Event::Init));
        events.push((POLICY, Event::InitApply(object("a", "a"))));
    }
    events.extend(again(crds).map(|e| (CRD, e)));
    events.push((CRD, Event::Apply(object("c", "c"))));
    events.push((CRD, Event::Delete(object("unrelated", "u"))));
    events.extend(again(maps).map(|e| ("ConfigMap", e)));
    events.extend(policies.drain(..).map(|e| (POLICY, e)));
    for (kind, event) in events {
        assert!(checked.observe(kind, event, at(60)).is_none(), "{kind}: nothing changed");
    }
    assert_eq!(checked.recorded, recorded);
}

/// Somebody else's status, label or certificate wakes the guard, and so does every CRD of the cluster.
#[test]
fn an_event_that_changes_nothing_compared_is_not_checked() {
    let mut checked = listed();
    let mut labelled = object("a", "a");
    labelled.metadata.labels = Some([("team".to_owned(), "x".to_owned())].into());
    labelled.data["status"] = json!({ "observedGeneration": 1 });
    for (kind, event) in [
        (POLICY, Event::Apply(object("a", "a"))),
        (POLICY, Event::Apply(labelled)),
        (POLICY, Event::Apply(object("of-others", "o"))),
        (CRD, Event::Apply(object("of-others", "o"))),
        (CRD, Event::Delete(object("of-others", "o"))),
    ] {
        assert!(checked.observe(kind, event, at(2)).is_none(), "{kind}");
    }
    let mut written = object("a", "a");
    written.metadata.generation = Some(2);
    assert!(checked.observe(POLICY, Event::Apply(written), at(2)).is_some(), "changed and put back");
}

#[test]
fn a_kind_listed_twice_does_not_stand_for_one_that_was_never_listed() {
    let mut checked = of_memory(None, [1; KEY_LENGTH], false);
    for _ in 0..KINDS.len() {
        for event in list_of(CRD) {
            assert!(checked.observe(CRD, event, at(1)).is_none());
        }
    }
}

/// Records of the time before the key count for as long as the policies are intact, and no longer.
#[test]
fn a_key_that_is_new_adopts_what_the_policies_kept() {
    let earlier = Record { key: None, ..listed().recorded.unwrap() };
    let mut upgraded = of_memory(Some(earlier.clone()), [1; KEY_LENGTH], false);
    let seal = list(&mut upgraded, 5).unwrap().seal;
    assert!(seal.saw("u", None), "no seal of the time before");
    // The operator is started again in the same period: those that it did not reach yet still count.
    let mut restarted = of_memory(upgraded.recorded.clone(), [1; KEY_LENGTH], false);
    assert!(list(&mut restarted, 6).unwrap().seal.saw("u", None));
    let gap = restarted.observe(POLICY, Event::Apply(object("a", "another")), at(7)).unwrap();
    assert!(!gap.seal.saw("u", None), "after a gap only a seal counts");
    // The gap was while nobody looked.
    let mut elsewhere = earlier;
    elsewhere.pins.get_mut("ValidatingAdmissionPolicy/a").unwrap().uid = "before".to_owned();
    let mut upgraded = of_memory(Some(elsewhere), [1; KEY_LENGTH], false);
    assert!(!list(&mut upgraded, 5).unwrap().seal.saw("u", None));
}

/// The operator's memory is lost, with its record and its key: it continues where it stopped, once.
#[test]
fn without_any_memory_the_first_period_adopts() {
    let mut checked = of_memory(None, [1; KEY_LENGTH], true);
    assert!(list(&mut checked, 1).unwrap().seal.saw("u", None));
    let gap = checked.observe(POLICY, Event::Apply(object("a", "another")), at(7)).unwrap();
    assert!(!gap.seal.saw("u", None));
    let mut remembers_a_gap = of_memory(None, [2; KEY_LENGTH], false);
    assert!(
        !list(&mut remembers_a_gap, 9).unwrap().seal.saw("u", None),
        "a record that there is none is a memory"
    );
}

/// Two replicas that saw the same gap are in the same period; one that replaced a policy is in another.
#[test]
fn a_period_is_the_same_for_every_replica() {
    let mark = |checked: &mut Checked, second| list(checked, second).unwrap().seal.of_period("u");
    let new = || of_memory(None, [1; KEY_LENGTH], false);
    let first = mark(&mut new(), 3);
    assert!(first.is_some());
    assert_eq!(first, mark(&mut new(), 8), "whenever each of them looked");
    let mut replaced = listed();
    let again = replaced.observe(POLICY, Event::Apply(object("a", "another")), at(9)).unwrap();
    assert_ne!(again.seal.of_period("u"), first);
    let missing = replaced.observe(POLICY, Event::Delete(object("a", "another")), at(10)).unwrap();
    assert_eq!(missing.seal.of_period("u"), None, "no period while one is missing");
}

#[test]
fn replacement_and_deletion_end_the_record() {
    for event in [Event::Delete(object("a", "a")), Event::Apply(object("a", "another"))] {
        let mut checked = listed();
        let checking = checked.observe(POLICY, event, at(9)).unwrap();
        assert!(checking.record_changed);
        assert_ne!(checking.integrity, PolicyIntegrity::Intact { since: at(1) });
    }
}

#[test]
fn the_recorded_release_ends_with_its_config_map() {
    let mut live = Live::new(&shipped(), KINDS);
    let mut map = object(RELEASE, "r");
    map.data = json!({ "data": { "objects": "{\"ValidatingAdmissionPolicy/a\":\"sha256:0\"}" } });
    for event in [Event::Init, Event::InitApply(map), Event::InitDone] {
        live.apply("ConfigMap", event);
    }
    assert_eq!(Live::release(&live.others()).0.len(), 1);
    for event in [Event::Init, Event::InitDone] {
        live.apply("ConfigMap", event);
    }
    assert!(Live::release(&live.others()).0.is_empty());
}

#[tokio::test]
async fn an_equal_result_wakes_nobody() {
    let (sender, mut receiver) = watch::channel(PolicyIntegrity::Unknown);
    let intact = PolicyIntegrity::Intact { since: at(1) };
    assert_eq!(replace_if_changed(&sender, &intact), Some(PolicyIntegrity::Unknown));
    assert!(receiver.has_changed().unwrap());
    receiver.borrow_and_update();
    assert_eq!(replace_if_changed(&sender, &intact), None);
    assert!(!receiver.has_changed().unwrap());
}

/// A webhook configuration of others that matches every request.
fn hook(url: &str) -> DynamicObject {
    let rule = json!({ "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"] });
    let client = json!({ "url": url, "caBundle": "MQ==" });
    let webhook = json!({ "name": "a.example.org", "clientConfig": client, "rules": [rule] });
    serde_json::from_value(json!({ "metadata": { "name": "hook", "uid": "h" }, "webhooks": [webhook] }))
        .unwrap()
}

#[test]
fn s1_a_mutator_of_others_violates_integrity_until_it_is_allowed_or_gone() {
    let kind = MUTATING_WEBHOOK_CONFIGURATION.kind;
    let mut checked = listed();
    for event in [Event::Init, Event::InitDone] {
        checked.observe(kind, event, at(2));
    }
    let seen = checked.observe(kind, Event::Apply(hook("https://a.example.org")), at(3)).unwrap();
    let text = match &seen.integrity {
        PolicyIntegrity::Violated(why) => why.iter().map(|w| w.text().en).collect::<String>(),
        other => panic!("{other:?}"),
    };
    assert!(text.starts_with("MutatingWebhookConfiguration/hook can rewrite govcloud.dev/*"), "{text}");
    assert!(seen.record_changed, "what was decided meanwhile does not count later");
    let gone = checked.observe(kind, Event::Delete(hook("https://a.example.org")), at(4)).unwrap();
    assert_eq!(gone.integrity, PolicyIntegrity::Intact { since: at(4) });

    // Listed before it comes, it is no gap; altered, it is another.
    let trimmed = live::trimmed(&hook("https://a.example.org"), kind);
    let foreign: BTreeMap<String, Value> = [(integrity::key(&trimmed), trimmed)].into();
    let digest = mutators::foreign(&foreign);
    let mut map = object(RELEASE, "r");
    let allowed = json!({ &digest[0].object: &digest[0].digest }).to_string();
    map.data = json!({ "data": { "objects": "{}", "allowedMutators": allowed } });
    checked.observe("ConfigMap", Event::Apply(map), at(5));
    let allowed = checked.observe(kind, Event::Apply(hook("https://a.example.org")), at(6)).unwrap();
    assert_eq!(allowed.integrity, PolicyIntegrity::Intact { since: at(4) });
    let altered = checked.observe(kind, Event::Apply(hook("https://b.example.org")), at(7)).unwrap();
    assert!(matches!(altered.integrity, PolicyIntegrity::Violated(_)));
}
