//! Fields that come later in life: goLive, maintenanceOutcome, consent, handOver (S2; Art. 14, 18, 23, 28).

use serde_json::{Value, json};

use crate::bodies::{THEN, consent, receipt, report};
use crate::caller::Caller::*;
use crate::row::{Row, Via, allowed, annotations, change, create, denied, merge, overlay, stamped};
use crate::target::{DIGEST, OTHER_DIGEST};

/// The rows.
pub fn rows() -> Vec<Row> {
    [at_create(), go_live(), outcome(), consenting(), receipts()].into_iter().flatten().collect()
}

fn live(at: &str) -> Value {
    json!({"spec": {"goLive": {"at": at}}})
}

fn ended() -> Value {
    json!({"spec": {"maintenanceOutcome": {"result": "Succeeded", "endedAt": "2026-12-01T16:00:00Z", "summary": "完成"}}})
}

fn received(receipts: Value) -> Value {
    json!({"spec": {"handOver": receipts}})
}

fn at_create() -> Vec<Row> {
    let later = "come later in life";
    let mut maintenance = crate::bodies::maintenance();
    overlay(&mut maintenance, &ended());
    vec![
        denied(Department, create("capp/new", live(THEN)), later),
        denied(Department, create("decom/new", consent(DIGEST)), later),
        denied(Department, create("decom/new", received(json!([receipt("v1", "a")]))), later),
        denied(Provider, create("chreq/new@provider-maintenance", maintenance), later),
    ]
}

fn go_live() -> Vec<Row> {
    let early = "go-live is reported once the resources are provisioned";
    let reported = json!({"spec": {"goLive": {"at": THEN, "testReport": report("b")}}});
    let mut mixed = live(THEN);
    overlay(&mut mixed, &json!({"spec": {"access": []}}));
    let mut rows: Vec<Row> = ["capp/fresh", "capp/approved", "capp/exited", "capp/unseen"]
        .map(|target| denied(Department, merge(target, live(THEN)), early))
        .into();
    for via in Via::ALL {
        rows.push(allowed(Department, change(via, "capp/provisioned", live(THEN))));
        for who in [Province, Provider, OtherDepartment] {
            rows.push(denied(who, change(via, "capp/provisioned", live(THEN)), "you lack verb file"));
        }
    }
    rows.extend([
        allowed(Pipeline, merge("capp/provisioned", live(THEN))),
        allowed(Department, merge("capp/provisioned", reported.clone())),
        denied(
            Department,
            merge("capp/live", live("2026-04-01T02:00:00Z")),
            "the go-live time was accepted and does not change",
        ),
        allowed(Department, merge("capp/live", reported.clone())),
        denied(
            Department,
            merge("capp/reported", json!({"spec": {"goLive": {"testReport": report("b")}}})),
            "the test report is given once",
        ),
        denied(Department, merge("capp/provisioned", mixed), "the spec is frozen"),
    ]);
    rows
}

fn outcome() -> Vec<Row> {
    vec![
        allowed(Provider, merge("chreq/upgrading@provider-maintenance", ended())),
        denied(
            Provider,
            merge("chreq/planned@provider-maintenance", ended()),
            "the outcome is reported once the maintenance has begun",
        ),
        denied(
            Provider,
            merge("chreq/upgrade@provider-maintenance", ended()),
            "the outcome is reported once the maintenance has begun",
        ),
        denied(Department, merge("chreq/upgrading@provider-maintenance", ended()), "you lack verb file"),
        denied(Province, merge("chreq/upgrading@provider-maintenance", ended()), "you lack verb file"),
        denied(
            ClusterAdmin,
            merge("chreq/upgrading@provider-maintenance", ended()),
            "platform maintenance is filed by the provider",
        ),
    ]
}

fn consenting() -> Vec<Row> {
    let lack = "you lack verb consent on decommissions.govcloud.dev in namespace dept-transport";
    let by_name = "wildcard rights do not count: consent";
    let present = "consent must name the inventory as it is now";
    let fixed = "consent is fixed in phase";
    let none = json!({"spec": {"consent": null}});
    let mut forged = consent(DIGEST);
    overlay(&mut forged, &annotations("consented-by=somebody-else"));
    let mut mixed = consent(OTHER_DIGEST);
    overlay(&mut mixed, &json!({"spec": {"disposition": {"default": "Destroy"}}}));
    let mut rows = Vec::new();
    for via in Via::ALL {
        rows.push(allowed(Department, change(via, "decom/published", consent(DIGEST))));
        for who in [Pipeline, Province, City, Provider, OtherDepartment, Operator] {
            rows.push(denied(who, change(via, "decom/published", consent(DIGEST)), lack));
        }
        rows.push(denied(ClusterAdmin, change(via, "decom/published", consent(DIGEST)), by_name));
    }
    rows.extend([
        stamped(Department, merge("decom/published", forged), "consented-by", Department),
        denied(
            FilingOfficer,
            merge("decom/published", consent(DIGEST)),
            "who decides or provisions does not consent",
        ),
        denied(
            FilingProvider,
            merge("decom/published", consent(DIGEST)),
            "who decides or provisions does not consent",
        ),
        denied(Department, merge("decom/published", consent(OTHER_DIGEST)), present),
        denied(Department, merge("decom/counting", consent(DIGEST)), "the inventory is not published yet"),
        allowed(Department, merge("decom/outdated", consent(OTHER_DIGEST))),
        allowed(Department, merge("decom/consented", none.clone())),
        denied(ClusterAdmin, merge("decom/consented", none.clone()), by_name),
        denied(Pipeline, merge("decom/consented", none.clone()), lack),
        denied(Department, merge("decom/handing", none.clone()), fixed),
        denied(Department, merge("decom/handing", consent(OTHER_DIGEST)), fixed),
        denied(Department, merge("decom/reclaiming", none.clone()), fixed),
        denied(Department, merge("decom/completed", none), fixed),
        denied(
            Department,
            merge("decom/reclaiming", mixed),
            "consent is fixed in phase | the spec is frozen",
        ),
        denied(Province, merge("decom/outdated", consent(OTHER_DIGEST)), lack),
    ]);
    rows
}

fn receipts() -> Vec<Row> {
    let lack = "you lack verb consent on";
    let first = || receipt("v1", "a");
    let both = || received(json!([first(), receipt("v2", "b")]));
    vec![
        allowed(Department, merge("decom/handing", both())),
        denied(Pipeline, merge("decom/handing", both()), lack),
        denied(Provider, merge("decom/handing", both()), lack),
        denied(Province, merge("decom/handing", both()), lack),
        denied(Operator, merge("decom/handing", both()), lack),
        denied(ClusterAdmin, merge("decom/handing", both()), "wildcard rights do not count: consent"),
        denied(Department, merge("decom/handing", received(json!([]))), "may be added, not removed"),
        denied(
            Department,
            merge("decom/handing", received(json!([receipt("v1", "b")]))),
            "a hand-over receipt cannot be changed",
        ),
        allowed(Department, merge("decom/reclaiming", both())),
        denied(Provider, merge("decom/reclaiming", both()), lack),
        denied(Department, merge("decom/completed", both()), "receipts are given while data is handed over"),
        denied(Department, merge("decom/published", both()), "receipts are given while data is handed over"),
    ]
}
