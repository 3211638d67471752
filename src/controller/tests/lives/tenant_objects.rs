//! Tenant objects of a grant in force: only real differences are corrected (S11).

use serde_json::json;

use crate::acts::tenant;
use crate::cluster::id;
use crate::stage::Stage;

fn live() -> Stage {
    let mut s = Stage::live("2026-06-01 09:00");
    s.writes = 0;
    s
}

#[test]
fn s11_of_several_objects_only_the_one_that_differs_is_written() {
    let mut s = live();
    let quota = id("ResourceQuota", &tenant("prod"), "govcloud");
    s.cluster.change(&quota, |o| o["spec"]["hard"]["pods"] = json!("999"));
    s.settle();
    assert_eq!(s.writes, 1, "{}", s.log);
    assert_eq!(s.cluster.objects[&quota]["spec"]["hard"]["pods"], "50");
}

#[test]
fn s11_an_object_that_is_written_in_another_way_is_left_alone() {
    let mut s = live();
    let policy = id("NetworkPolicy", &tenant("prod"), "govcloud-default-deny");
    s.cluster.change(&policy, |o| o["spec"]["egress"].as_array_mut().unwrap().reverse());
    s.settle();
    assert_eq!(s.writes, 0, "{}", s.log);
}
