//! The core: what one decision costs, by kind and by the number of an application's namespaces, and what gathering for it
//! costs. The bound is 0.5 ms a decision with eight namespaces (`docs/decisions/0060-*`).

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use govcloud_api::keys;
use govcloud_controller::cache::CacheUpdate;
use govcloud_controller::clock::Clock;
use govcloud_controller::cluster_state::ClusterState;
use govcloud_controller::decision::GatherContext;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::digest::spec_digest;
use govcloud_domain::plan::RequiredReads;
use govcloud_domain::{application, change, decommission, grant, region};
use serde_json::{Value, json};

#[allow(dead_code)]
#[path = "../tests/lives/acts.rs"]
mod acts;
#[allow(dead_code)]
#[path = "../tests/lives/cluster.rs"]
mod cluster;
#[allow(dead_code)]
#[path = "../tests/lives/ledger.rs"]
mod ledger;
#[allow(dead_code)]
#[path = "../tests/lives/stage.rs"]
mod stage;

use acts::{adjustment, app_id, application as filed, change_id, exit, exit_id};
use stage::{DEPT, Stage};

/// Namespaces of an application: the usual one, the most there may be, and four times as many to show how it grows.
const NAMESPACES: [usize; 3] = [1, 8, 32];

/// The sample with so many namespaces.
fn with(namespaces: usize) -> Value {
    let mut spec = filed();
    let one = spec["namespaces"][0].clone();
    let entry = |i: usize| {
        let mut entry = one.clone();
        entry["name"] = if i == 0 { one["name"].clone() } else { json!(format!("e{i}")) };
        entry
    };
    spec["namespaces"] = (0..namespaces).map(entry).collect();
    spec
}

/// In use, with two volumes, a change filed on it, and an exit that awaits consent.
fn stage(namespaces: usize) -> Stage {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), with(namespaces));
    s.decide(&app_id(), "approved", "同意");
    s.claim("prod", "data");
    s.claim("prod", "archive");
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16" })));
    s
}

fn decide(c: &mut Criterion) {
    for namespaces in NAMESPACES {
        let mut s = stage(namespaces);
        let with = GatherContext {
            integrity: s.guard.clone(),
            seal: s.seal(),
            reads: Some(RequiredReads::EVERYTHING),
            failure: None,
        };
        let now = s.now;
        let mut group = c.benchmark_group(format!("{namespaces} namespaces"));
        {
            let state = s.cluster.state();
            let key = |kind, name: &str| Key::new(kind, DEPT, name);
            let (of, grants) = (key(Kind::Application, &app_id().2), key(Kind::Grant, &app_id().2));
            let changes = key(Kind::Change, &change_id("enlarge").2);
            let seen = state.observed_application(&of, &with).expect("an application");
            group.bench_function("decide CloudApplication", |b| {
                b.iter(|| application::decide(black_box(&seen), now))
            });
            group.bench_function("observe CloudApplication", |b| {
                b.iter(|| state.observed_application(black_box(&of), &with))
            });
            let seen = state.observed_grant(&grants, &with).expect("a grant");
            group.bench_function("decide ResourceGrant", |b| b.iter(|| grant::decide(black_box(&seen), now)));
            group.bench_function("observe ResourceGrant", |b| {
                b.iter(|| state.observed_grant(black_box(&grants), &with))
            });
            let seen = state.observed_change(&changes, &with).expect("a change");
            group
                .bench_function("decide ChangeRequest", |b| b.iter(|| change::decide(black_box(&seen), now)));
            let view = state.observed_region("410000").expect("a region");
            group.bench_function("decide Region", |b| b.iter(|| region::decide(black_box(&view), now)));
        }
        s.decide(&change_id("enlarge"), "rejected", "不同意");
        s.file(&exit_id("leave"), exit("Application", "Retain", &[("data", "Destroy")]));
        let state = s.cluster.state();
        let exits = Key::new(Kind::Decommission, DEPT, exit_id("leave").2);
        let seen = state.observed_decommission(&exits, &with).expect("an exit");
        group.bench_function("decide Decommission", |b| {
            b.iter(|| decommission::decide(black_box(&seen), now))
        });
        group.finish();
    }
}

fn digest(c: &mut Criterion) {
    let spec = with(8);
    c.bench_function("digest of a spec with 8 namespaces", |b| b.iter(|| spec_digest(black_box(&spec))));
}

/// Volumes that a region keeps after years.
const KEPT: usize = 10_000;

/// A state in which a region keeps so many volumes, each by the certificate of an exit of its own.
fn years_later(region: &str) -> ClusterState {
    let state = ClusterState::default();
    let tell = |kind: Kind, mut object: Value, name: (&str, &str), labels: Value| {
        object["metadata"] = json!({
            "namespace": name.0, "name": name.1, "uid": format!("{}-uid", name.1), "resourceVersion": "1", "labels": labels,
        });
        let object = serde_json::from_value(object).expect("an object");
        state.update(kind, CacheUpdate::Observed(object), &Clock::default());
    };
    let sample = |text: &str| serde_saphyr::from_str::<Value>(text).expect("a sample");
    let instant = "2026-06-01T00:00:00Z";
    tell(
        Kind::Region,
        sample(include_str!("../../../config/samples/region-410000.yaml")),
        ("", region),
        json!({}),
    );
    let exit = sample(include_str!("../../../config/samples/travel-exit.yaml"));
    for n in 0..KEPT {
        let (volume, name) = (format!("pv-{n}"), format!("exit-{n}"));
        let spec = json!({ "capacity": { "storage": "10Gi" }, "claimRef": { "namespace": "tenant", "name": "data" } });
        let labels = json!({ keys::RETAINED: "a", keys::REGION: region, keys::APPLICATION: "travel" });
        let object = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "spec": spec });
        tell(Kind::Volume, object, ("", &volume), labels);
        let mut exit = exit.clone();
        exit["status"] = json!({ "certificate": {
            "digest": "", "application": "travel", "applicationUID": "a", "region": region, "system": "",
            "consent": { "digest": "", "by": "", "at": instant }, "decidedBy": "", "decidedAt": instant,
            "begunAt": instant, "endedAt": instant, "namespaces": [],
            "volumes": [{
                "namespace": "n", "claim": "c", "volume": volume, "volumeUID": format!("{volume}-uid"),
                "capacity": "10Gi", "action": "Retain", "outcome": "Retained",
            }],
        } });
        tell(Kind::Decommission, exit, (DEPT, &name), json!({}));
    }
    state
}

fn kept(c: &mut Criterion) {
    let state = years_later("410000");
    let seen = state.observed_region("410000").expect("a region");
    assert_eq!(seen.retained.len(), KEPT);
    let now = "2026-07-01T00:00:00Z".parse().expect("an instant");
    let mut group = c.benchmark_group(format!("{KEPT} volumes kept"));
    group.bench_function("observe Region", |b| b.iter(|| state.observed_region(black_box("410000"))));
    group.bench_function("decide Region", |b| b.iter(|| region::decide(black_box(&seen), now)));
    group.finish();
}

criterion_group!(benches, decide, digest, kept);
criterion_main!(benches);
