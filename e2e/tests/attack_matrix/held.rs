//! Filing namespaces with open records: nobody deletes or relabels one, and the mark is the operator's (S3, S6).

use serde_json::json;

use crate::caller::Caller::*;
use crate::row::{Ask, Row, Via, allowed, change, create, delete, denied, label, labels, merge, subresource};

/// A filing namespace with the mark.
pub const HELD: &str = "ns/dept-in-force";

/// The rows.
pub fn rows() -> Vec<Row> {
    [ends(), relabelled(), marks(), marks_by_the_operator()].into_iter().flatten().collect()
}

/// Nobody deletes a marked one; who may delete an unmarked one deletes it (`filing.rs`).
fn ends() -> Vec<Row> {
    let held = "holds records in force or undecided, and nobody deletes it";
    let anybody = "holds records in force or undecided, and nobody deletes it | you lack verb administer on regions.govcloud.dev/410000 | the operator touches no namespace";
    let at_once = || Ask::Delete(HELD, json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"}));
    let with_uid = || Ask::Delete(HELD, json!({"preconditions": {"uid": "$uid"}}));
    let mut rows = Vec::new();
    for who in [Province, Deputy, ClusterAdmin, Installer, Harness] {
        for ask in [delete(HELD), at_once(), with_uid()] {
            rows.push(denied(who, ask, held));
        }
        rows.push(allowed(who, delete("ns/dept-transport")));
    }
    for who in [
        Department,
        OtherDepartment,
        Pipeline,
        City,
        Provider,
        FilingOfficer,
        Operator,
        NamespaceController,
        GarbageCollector,
    ] {
        rows.push(denied(who, delete(HELD), anybody));
    }
    rows
}

fn relabelled() -> Vec<Row> {
    let kept = "keeps govcloud.dev/filing-region until they are over";
    let mut rows = Vec::new();
    for who in [ClusterAdmin, Installer, Harness] {
        rows.push(denied(who, label(HELD, "filing-region-"), kept));
        rows.push(denied(who, label(HELD, "filing-region=410100"), kept));
        // Both at once.
        rows.push(denied(who, label(HELD, "filing-region- open-records-"), kept));
        rows.push(denied(who, subresource(HELD, "status", labels("filing-region-")), kept));
    }
    rows.push(denied(Province, label(HELD, "filing-region-"), kept));
    rows.push(allowed(Province, label(HELD, "example.org/a=b")));
    rows
}

fn marks() -> Vec<Row> {
    let theirs = "govcloud.dev/open-records is the operator's mark";
    let mut rows = Vec::new();
    for who in [Department, Pipeline, Province, City, Provider, ClusterAdmin, Installer, Harness] {
        for via in Via::ALL {
            rows.push(denied(who, change(via, HELD, labels("open-records=false")), theirs));
            // An apply takes away only what the same client applied before.
            if via != Via::Apply {
                rows.push(denied(who, change(via, HELD, labels("open-records-")), theirs));
            }
        }
        rows.push(denied(who, subresource(HELD, "status", labels("open-records-")), theirs));
        rows.push(denied(who, label("ns/dept-transport", "open-records=true"), theirs));
    }
    // A backup is restored with the mark; where no record is open the operator takes it off.
    rows.push(allowed(Province, create("ns/dept-new", labels("filing-region=410000 open-records=true"))));
    rows
}

fn marks_by_the_operator() -> Vec<Row> {
    let beside = "the operator touches no namespace without label";
    let more = |patch: serde_json::Value| {
        let mut marked = labels("open-records=true");
        crate::row::overlay(&mut marked, &patch);
        marked
    };
    vec![
        allowed(Operator, label("ns/dept-transport", "open-records=true")),
        allowed(Operator, label(HELD, "open-records-")),
        denied(Operator, label("ns/plain", "open-records=true"), beside),
        denied(Operator, label("ns/dept-transport", "open-records=true example.org/a=b"), beside),
        denied(Operator, label(HELD, "open-records- example.org/a=b"), beside),
        denied(
            Operator,
            merge("ns/dept-transport", more(json!({"metadata": {"annotations": {"example.org/a": "b"}}}))),
            beside,
        ),
        denied(
            Operator,
            merge("ns/dept-transport", more(json!({"metadata": {"finalizers": ["example.org/a"]}}))),
            beside,
        ),
        denied(Operator, subresource("ns/dept-transport", "status", labels("open-records=true")), beside),
        denied(Operator, create("ns/dept-new", labels("open-records=true")), beside),
        allowed(NamespaceController, subresource(HELD, "finalize", json!({}))),
        allowed(NamespaceController, subresource(HELD, "status", json!({}))),
    ]
}
