//! Statements (Art. 6, 26): who makes, confirms, objects to and decides on them, and what a month that is settled holds.

use serde_json::{Value, json};

use crate::caller::Caller::*;
use crate::held::HELD;
use crate::row::{
    Row, Via, allowed, annotate, annotations, change, create, delete, denied, label, merge, stamped,
};
use crate::target::{DIGEST, OTHER_DIGEST};

/// The rows.
pub fn rows() -> Vec<Row> {
    [making(), confirming(), objecting(), deciding(), settled()].into_iter().flatten().collect()
}

fn digest(digest: &str) -> Value {
    json!({"spec": {"digest": digest}})
}

fn manual() -> Value {
    json!({"spec": {"manual": [
        {"application": "live", "item": "migration", "from": "2026-10-05", "to": "2026-10-06", "units": "1.5"},
    ]}})
}

fn making() -> Vec<Row> {
    let made = "statements are made by the operator";
    let computed = "spec.digest is computed from the records";
    let mut rows: Vec<Row> = [Department, Pipeline, Province, Provider, ClusterAdmin, Harness]
        .map(|who| denied(who, create("stmt/2027-01", json!({})), made))
        .into();
    rows.extend([
        allowed(Operator, create("stmt/2027-01", json!({}))),
        denied(Operator, create("stmt/2027-01@plain", json!({})), "does not file for region"),
        denied(Operator, create("stmt/january", json!({})), "must be a month | the name must be the month"),
        allowed(Operator, merge("stmt/2026-10", digest(OTHER_DIGEST))),
        denied(Operator, merge("stmt/2026-10", manual()), "the operator writes spec.digest alone"),
        denied(Operator, label("stmt/2026-10", "example.org/a=b"), "the operator writes spec.digest alone"),
        allowed(Provider, merge("stmt/2026-10", manual())),
        denied(Department, merge("stmt/2026-10", manual()), "are recorded by the provider"),
        denied(ClusterAdmin, merge("stmt/2026-10", manual()), "are recorded by the provider"),
        denied(Province, label("stmt/2026-10", "example.org/a=b"), "of a statement do not change"),
        denied(Province, annotate("stmt/2026-10", "example.org/a=b"), "of a statement do not change"),
        denied(
            Province,
            merge("stmt/2026-10", json!({"spec": {"month": "2026-11"}})),
            "region and month of a statement cannot change",
        ),
    ]);
    for who in [Department, Province, Provider, ClusterAdmin] {
        rows.push(denied(who, merge("stmt/2026-10", digest(OTHER_DIGEST)), computed));
    }
    rows
}

fn confirming() -> Vec<Row> {
    let confirm = || annotations(&format!("confirm={DIGEST}"));
    let lack = "you lack verb confirm on statements.govcloud.dev in namespace dept-transport";
    let hats = "who decides or provisions does not confirm";
    let mut rows = Vec::new();
    for via in Via::ALL {
        rows.push(allowed(Department, change(via, "stmt/2026-10", confirm())));
        for who in [Pipeline, Province, City, Provider, OtherDepartment] {
            rows.push(denied(who, change(via, "stmt/2026-10", confirm()), lack));
        }
        rows.push(denied(
            ClusterAdmin,
            change(via, "stmt/2026-10", confirm()),
            "wildcard rights do not count",
        ));
    }
    let mut mixed = confirm();
    crate::row::overlay(&mut mixed, &annotations("objection=x"));
    rows.extend([
        stamped(
            Department,
            annotate("stmt/2026-10", &format!("confirm={DIGEST} confirmed-by=somebody-else")),
            "confirmed-by",
            Department,
        ),
        denied(
            Department,
            annotate("stmt/2026-10", "confirmed-by=somebody-else"),
            "changes with govcloud.dev/confirm only",
        ),
        denied(FilingOfficer, merge("stmt/2026-10", confirm()), hats),
        denied(FilingProvider, merge("stmt/2026-10", confirm()), hats),
        denied(
            Department,
            annotate("stmt/2026-10", &format!("confirm={OTHER_DIGEST}")),
            "a confirmation names the bill as it is now",
        ),
        denied(Department, merge("stmt/2026-09", confirm()), "is confirmed in phase AwaitingConfirmation"),
        denied(
            Department,
            annotate("stmt/2026-11", "confirm-"),
            "is confirmed in phase AwaitingConfirmation",
        ),
        denied(
            Department,
            merge("stmt/2026-10", mixed),
            "a confirmation changes nothing else | the provider objects",
        ),
    ]);
    rows
}

fn objecting() -> Vec<Row> {
    let provider = "the provider objects, and takes its objection back";
    let mut rows: Vec<Row> = [Department, Province, ClusterAdmin]
        .map(|who| denied(who, annotate("stmt/2026-10", "objection=数量有误"), provider))
        .into();
    rows.extend([
        allowed(Provider, annotate("stmt/2026-10", "objection=数量有误")),
        allowed(Provider, annotate("stmt/2026-11", "objection=数量有误")),
        stamped(
            Provider,
            annotate("stmt/2026-10", "objection=数量有误 objected-by=x"),
            "objected-by",
            Provider,
        ),
        denied(
            Provider,
            annotate("stmt/2026-10", "objected-by=x"),
            "changes with govcloud.dev/objection only",
        ),
        denied(Provider, annotate("stmt/2026-09", "objection=数量有误"), "a computed bill is objected to"),
        denied(Provider, annotate("stmt/2026-10", "objection="), "an objection gives its reason"),
    ]);
    rows
}

fn deciding() -> Vec<Row> {
    let approve = "decision=approved reviewed-generation=1";
    vec![
        allowed(Province, annotate("stmt/2026-11", approve)),
        denied(Province, annotate("stmt/2026-10", approve), "silence is no consent"),
        denied(
            Province,
            annotate("stmt/2026-10", "decision=rejected reviewed-generation=1 opinion=x"),
            "silence is no consent",
        ),
        denied(City, annotate("stmt/2026-11", approve), "you lack verb approve"),
        denied(Provider, annotate("stmt/2026-11", approve), "you lack verb approve"),
        // Two policies refuse it, and the API server says what either of them answers.
        denied(
            Department,
            annotate("stmt/2026-11", approve),
            "you lack verb approve | who confirmed for the department does not decide",
        ),
    ]
}

fn settled() -> Vec<Row> {
    let last = "is final and does not change";
    let billed = "was billed by and does not change";
    vec![
        denied(Operator, merge("stmt/2026-12", digest(OTHER_DIGEST)), last),
        denied(Provider, annotate("stmt/2026-12", "objection=x"), last),
        denied(Department, annotate("stmt/2026-12", "confirm-"), last),
        denied(
            Province,
            annotate("stmt/2026-12", "decision=rejected reviewed-generation=1 opinion=x"),
            "a decision is final",
        ),
        denied(Department, delete("stmt/2026-12"), "you lack verb administer, granted by name"),
        denied(ClusterAdmin, delete("stmt/2026-12"), "you lack verb administer, granted by name"),
        allowed(Province, delete("stmt/2026-12")),
        denied(Province, delete("stmt/2026-10"), "a record without a decision is deleted by the department"),
        denied(ClusterAdmin, merge("catalog/billed", json!({"spec": {"edition": "x"}})), billed),
        denied(ClusterAdmin, delete("catalog/billed"), "was billed by and is not deleted"),
        denied(ClusterAdmin, label("catalog/billed", "billed-"), "is the operator's mark"),
        denied(ClusterAdmin, label("catalog/henan", "billed=true"), "is the operator's mark"),
        allowed(ClusterAdmin, label("catalog/billed", "example.org/a=b")),
        allowed(Operator, label("catalog/henan", "billed=true")),
        denied(Operator, label("catalog/henan", "example.org/a=b"), "you lack verb administer"),
        denied(
            Operator,
            merge("catalog/henan", json!({"spec": {"edition": "x"}})),
            "you lack verb administer",
        ),
        allowed(Operator, label(HELD, "settled-through=2026-09")),
        denied(ClusterAdmin, label(HELD, "settled-through=2026-09"), "is the operator's mark"),
    ]
}
