//! Quotas in force, and keys whose use is counted first (Art. 13, 15, 16; S1).

use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, application, change_id, exit, grant_id, tenant};
use crate::cluster::{Id, id};
use crate::stage::Stage;

fn quota() -> Id {
    id("ResourceQuota", &tenant("prod"), "govcloud")
}

fn hard(s: &Stage) -> &Value {
    &s.cluster.objects[&quota()]["spec"]["hard"]
}

/// Report of the grant while a quota is not enforced.
fn reports_its_quota(s: &Stage) {
    assert_eq!(s.stands(&grant_id(), "Reconciling"), "True/QuotaNotCounted", "{}", s.log);
}

#[test]
fn art_13_nothing_is_provisioned_before_the_quota_is_enforced() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.cluster.uncounted = true;
    s.file(&app_id(), application());
    s.decide(&app_id(), "approved", "同意");
    let of_grant = |s: &Stage| s.status(&grant_id()).clone();
    assert_eq!((s.phase(&app_id()), of_grant(&s)), ("Provisioning", Value::Null), "nothing is said at once");
    assert_eq!(s.cluster.of_kind("RoleBinding").count(), 0, "and nobody gets in");
    s.until("2026-03-10 09:31");
    assert_eq!((s.phase(&app_id()), s.phase(&grant_id())), ("Provisioning", "Applying"));
    reports_its_quota(&s);
    s.until("2026-03-20 09:30");
    assert_eq!(s.count(&app_id(), "Overdue"), 1, "the provider runs Kubernetes, and its clock runs");
    s.cluster.count_all();
    s.settle();
    assert_eq!((s.phase(&app_id()), s.stands(&grant_id(), "Ready").as_str()), ("Provisioned", "True/Active"));
    assert!(s.cluster.of_kind("RoleBinding").count() > 0);
}

#[test]
fn s11_waiting_for_the_quota_controller_costs_no_write() {
    let writes = |late: bool| {
        let mut s = Stage::new("2026-03-10 09:30");
        s.file(&app_id(), application());
        s.cluster.uncounted = late;
        s.decide(&app_id(), "approved", "同意");
        s.cluster.count_all();
        s.settle();
        assert_eq!(s.phase(&app_id()), "Provisioned");
        s.writes
    };
    assert_eq!(writes(true), writes(false));
}

#[test]
fn art_15_nothing_is_changed_before_the_quota_is_enforced() {
    let mut s = Stage::live("2026-06-01 09:00");
    let c = change_id("enlarge");
    s.file(&c, adjustment(json!({ "requests.cpu": "16" })));
    s.cluster.uncounted = true;
    s.decide(&c, "approved", "同意");
    s.until("2026-06-01 09:01");
    assert_eq!((s.phase(&c), hard(&s)["requests.cpu"].as_str()), ("Applying", Some("16")));
    reports_its_quota(&s);
    s.cluster.count_all();
    s.settle();
    assert_eq!((s.phase(&c), s.stands(&grant_id(), "Ready").as_str()), ("Completed", "True/Active"));
}

#[test]
fn art_16_nothing_is_reclaimed_before_the_quota_is_enforced() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.claim("prod", "data");
    s.cluster.uncounted = true;
    let e = s.leave("leave", exit("Application", "Destroy", &[]));
    s.until("2026-06-01 09:01");
    reports_its_quota(&s);
    assert_eq!((s.phase(&e), hard(&s)["pods"].as_str()), ("HandingOver", Some("0")));
    assert_eq!(s.cluster.of_kind("PersistentVolumeClaim").count(), 1);
    s.cluster.count_all();
    s.settle();
    assert_eq!((s.phase(&e), s.phase(&app_id())), ("Completed", "Exited"));
}

#[test]
fn s11_drift_of_a_quota_in_force_is_corrected_without_a_word() {
    let mut s = Stage::live("2026-06-01 09:00");
    let (before, writes) = (s.status(&grant_id()).clone(), s.writes);
    s.cluster.change(&quota(), |o| o["spec"]["hard"]["pods"] = json!("999"));
    s.cluster.uncounted = true;
    s.settle();
    s.until("2026-06-02 09:00");
    assert_eq!((s.writes, s.status(&grant_id())), (writes + 1, &before));
}

#[test]
fn a_key_that_kubernetes_does_not_count_is_named() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.cluster.unknown_keys.insert("count/widgets.example.com".to_owned());
    let c = change_id("widgets");
    s.file(&c, adjustment(json!({ "count/widgets.example.com": "5" })));
    s.decide(&c, "approved", "同意");
    assert_eq!(
        (s.phase(&c), s.stands(&grant_id(), "QuotaCounted").as_str()),
        ("Completed", "False/QuotaNotCounted")
    );
    let message = s.condition(&grant_id(), "QuotaCounted").unwrap()["message"].to_string();
    assert!(message.contains("count/widgets.example.com") && message.contains(&tenant("prod")), "{message}");
    assert_eq!(s.stands(&grant_id(), "Ready"), "True/Active");
    s.cluster.unknown_keys.clear();
    s.cluster.count_all();
    s.settle();
    assert_eq!(s.stands(&grant_id(), "QuotaCounted"), "True/QuotaCounted");
}

/// Art. 15: a key that nothing limited before is counted, and then waits as the others do.
#[test]
fn a_key_that_nobody_counted_is_not_set_below_use() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.uses("prod", json!({ "services": "1" }));
    let c = change_id("none");
    s.file(&c, adjustment(json!({ "services": "0", "secrets": "9" })));
    s.decide(&c, "approved", "同意");
    assert_eq!((s.phase(&c), s.count(&c, "BelowUse")), ("Applying", 1));
    assert_eq!(
        (&hard(&s)["services"], &hard(&s)["secrets"]),
        (&json!("9P"), &json!("9P")),
        "nothing is limited yet"
    );
    assert_eq!(s.stands(&grant_id(), "Ready"), "True/Active", "and what is in force stays in force");
    s.uses("prod", json!({ "services": "0" }));
    assert_eq!((s.phase(&c), s.count(&c, "UseFell")), ("Completed", 1));
    assert_eq!((&hard(&s)["services"], &hard(&s)["secrets"]), (&json!("0"), &json!("9")));
}

/// Art. 15: only what is lowered waits for use. What is above its limit already is nothing that the change takes away.
#[test]
fn a_key_that_stays_as_it_is_does_not_hold_a_change_up() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.uses("prod", json!({ "pods": "60" }));
    let c = change_id("enlarge");
    s.file(&c, adjustment(json!({ "requests.cpu": "16", "pods": "50" })));
    s.decide(&c, "approved", "同意");
    assert_eq!((s.phase(&c), s.count(&c, "BelowUse")), ("Completed", 0));
}

#[test]
fn a_key_that_is_counted_for_a_change_is_taken_out_again_if_the_application_leaves() {
    let mut s = Stage::live("2026-06-01 09:00");
    s.uses("prod", json!({ "services": "1" }));
    let c = change_id("none");
    s.file(&c, adjustment(json!({ "services": "0" })));
    s.decide(&c, "approved", "同意");
    assert_eq!(hard(&s)["services"], "9P");
    s.edit("mallory", &c, json!({ "resourceAdjustment": { "reason": "another" } }));
    s.cluster.change(&c, |o| o["status"]["phase"] = json!("Withdrawn"));
    s.settle();
    assert_eq!(hard(&s)["services"], Value::Null);
}

fn people(access: Value) -> Value {
    json!({ "region": "410000", "resourceAdjustment": { "application": "travel", "reason": "人员变动", "access": access } })
}

/// Art. 8, 15: people come and go by a change without quotas, which later changes keep.
#[test]
fn access_changes_without_a_quota() {
    let mut s = Stage::live("2026-06-01 09:00");
    let bound = |s: &Stage| {
        let subjects = s
            .cluster
            .of_kind("RoleBinding")
            .flat_map(|b| b["subjects"].as_array().cloned().unwrap_or_default());
        subjects.map(|s| s["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let wang = json!([{ "subject": { "kind": "User", "name": "wang" }, "role": "edit" }]);
    let (before, c) = (hard(&s).clone(), change_id("people"));
    s.file(&c, people(wang.clone()));
    s.decide(&c, "approved", "同意");
    assert_eq!((s.phase(&c), bound(&s)), ("Completed", vec!["wang".to_owned()]));
    assert_eq!(*hard(&s), before);
    let more = change_id("more");
    s.file(&more, adjustment(json!({ "pods": "60" })));
    s.decide(&more, "approved", "同意");
    assert_eq!((s.phase(&more), bound(&s)), ("Completed", vec!["wang".to_owned()]));
    let same = change_id("same");
    s.file(&same, people(wang));
    assert_eq!(s.stands(&same, "Valid"), "False/NothingChanges");
    s.edit(crate::stage::ZHANG, &same, json!({ "resourceAdjustment": { "access": [{ "subject": { "kind": "User", "name": " system:admin" }, "role": "edit" }] } }));
    assert_eq!(s.stands(&same, "Valid"), "False/AccessRefused");
    s.edit(crate::stage::ZHANG, &same, json!({ "resourceAdjustment": { "access": [] } }));
    s.decide(&same, "approved", "同意");
    assert_eq!((s.phase(&same), bound(&s).len()), ("Completed", 0));
}

/// The Region's second storage class is for those whose quota names it; its network settings are for all.
#[test]
fn settings_of_the_region_reach_tenants() {
    let mut s = Stage::live("2026-06-01 09:00");
    let classes = |s: &Stage| {
        let namespace = &s.cluster.objects[&id("Namespace", "", &tenant("prod"))];
        namespace["metadata"]["annotations"]["govcloud.dev/storage-classes"].as_str().unwrap().to_owned()
    };
    let class = json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "ssd" },
        "reclaimPolicy": "Retain", "provisioner": "kubernetes.io/host-path" });
    s.cluster.create(class, s.now).unwrap();
    s.region(json!({ "tenancy": { "storageClasses": ["hostpath", "ssd"] } }));
    assert_eq!(classes(&s), "hostpath");
    let c = change_id("ssd");
    s.file(&c, adjustment(json!({ "ssd.storageclass.storage.k8s.io/requests.storage": "10Gi" })));
    s.decide(&c, "approved", "同意");
    assert_eq!((s.phase(&c), classes(&s).as_str()), ("Completed", "hostpath,ssd"));

    let policy = id("NetworkPolicy", &tenant("prod"), "govcloud-default-deny");
    let egress = |s: &Stage| s.cluster.objects[&policy]["spec"]["egress"].as_array().unwrap().clone();
    let own = egress(&s);
    let dns = json!({ "name": "node-local-dns", "peers": [{ "cidr": "169.254.20.10/32" }],
        "ports": [{ "port": 53, "protocol": "UDP" }] });
    s.region(json!({ "tenancy": { "network": { "egress": [dns] } } }));
    let dns = json!({ "to": [{ "ipBlock": { "cidr": "169.254.20.10/32" } }], "ports": [{ "port": 53, "protocol": "UDP" }] });
    assert_eq!((own.len(), egress(&s)), (2, [own.clone(), vec![dns]].concat()));
    s.region(json!({ "tenancy": { "network": null } }));
    assert_eq!(egress(&s), own, "what the Region takes back is taken back");
}

/// A Region whose limits contradict each other accepts nothing, and disturbs nobody.
#[test]
fn a_region_with_contradictory_settings_is_stalled_with_the_field() {
    let mut s = Stage::live("2026-06-01 09:00");
    let (limits, region) =
        (id("LimitRange", &tenant("prod"), "govcloud-defaults"), id("Region", "", "410000"));
    let before = s.cluster.objects[&limits].clone();
    for (settings, reason, field) in [
        (
            json!({ "limitRange": { "max": { "memory": "1Mi" } } }),
            "BadLimits",
            "tenancy.limitRange.default.memory",
        ),
        (json!({ "limitRange": null, "maxQuota": { "pods": "-3" } }), "BadQuota", "tenancy.maxQuota"),
        (json!({ "maxQuota": { "resourcequotas": "1" } }), "BadQuota", "resourcequotas"),
        (json!({ "maxQuota": { "pods": "many" } }), "BadQuantity", "tenancy.maxQuota"),
    ] {
        s.region(json!({ "tenancy": { "limitRange": null, "maxQuota": null } }));
        s.region(json!({ "tenancy": { "limitRange": before_limits() } }));
        s.region(json!({ "tenancy": settings }));
        assert_eq!(s.stands(&region, "Stalled"), format!("True/{reason}"));
        let message = s.condition(&region, "Stalled").unwrap()["message"].to_string();
        assert!(message.contains(field), "{message}");
        assert_eq!(s.stands(&grant_id(), "Ready"), "True/Active");
    }
    s.region(json!({ "tenancy": { "limitRange": null, "maxQuota": null } }));
    s.region(json!({ "tenancy": { "limitRange": before_limits() } }));
    assert_eq!(s.cluster.objects[&limits]["spec"], before["spec"]);
}

/// The sample's own.
fn before_limits() -> Value {
    json!({ "default": { "cpu": "200m", "memory": "256Mi" }, "defaultRequest": { "cpu": "50m", "memory": "64Mi" } })
}
