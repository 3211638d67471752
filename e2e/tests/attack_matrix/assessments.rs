//! Assessments: the authority files and scores, the assessed party alone objects, and another person publishes (Art. 27, 29).

use serde_json::{Value, json};

use crate::caller::Caller::*;
use crate::row::{Row, Via, allowed, annotate, change, create, delete, denied, merge};

/// The rows.
pub fn rows() -> Vec<Row> {
    [filing(), scoring(), objecting(), publishing(), taking_back()].into_iter().flatten().collect()
}

/// What the fixtures file about the provider.
pub fn of_the_provider() -> Value {
    json!({"spec": {"subject": "Provider", "measureUse": false}})
}

fn scores() -> Value {
    json!({"spec": {"scores": [{"criterion": "efficient", "score": 100}]}})
}

fn objection() -> Value {
    json!({"spec": {"objection": {"reason": "系统尚在推广期"}}})
}

fn filing() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        Department,
        OtherDepartment,
        Pipeline,
        City,
        Provider,
        ClusterAdmin,
        FilingProvider,
        Auditor,
        Operator,
    ]
    .map(|who| denied(who, create("asmt/new", json!({})), "an assessment is filed by the authority"))
    .into();
    rows.extend([
        allowed(Province, create("asmt/new", json!({}))),
        allowed(Province, create("asmt/new@provider-maintenance", of_the_provider())),
        denied(Province, create("asmt/new", objection()), "an objection comes later in life"),
        denied(Province, create("asmt/new@plain", json!({})), "is not a filing namespace"),
        denied(Province, create("asmt/new@dept-zhengzhou-health", json!({})), "records of region 410100"),
    ]);
    rows
}

/// Nobody raises their own scores, and who publishes does not change them first.
fn scoring() -> Vec<Row> {
    let mut rows = Vec::new();
    for via in Via::ALL {
        rows.push(allowed(Deputy, change(via, "asmt/open", scores())));
        rows.push(denied(Province, change(via, "asmt/open", scores()), "changed only by who filed it"));
        for who in [Department, Pipeline, Provider, ClusterAdmin] {
            rows.push(denied(
                who,
                change(via, "asmt/open", scores()),
                "an assessment is filed by the authority",
            ));
        }
        rows.push(denied(
            Provider,
            change(via, "asmt/provider@provider-maintenance", scores()),
            "an assessment is filed by the authority",
        ));
        rows.push(denied(Deputy, change(via, "asmt/published", scores()), "the spec is frozen"));
    }
    rows
}

/// The assessed party objects by name, while it may, and nobody does so for it.
fn objecting() -> Vec<Row> {
    let department = "the department objects to its assessment";
    let provider = "the provider objects to its assessment";
    let mut rows = Vec::new();
    for via in Via::ALL {
        rows.push(allowed(Department, change(via, "asmt/open", objection())));
        for who in [
            Pipeline,
            OtherDepartment,
            Province,
            Deputy,
            Provider,
            ClusterAdmin,
            FilingOfficer,
            FilingProvider,
        ] {
            rows.push(denied(who, change(via, "asmt/open", objection()), department));
        }
        let target = "asmt/provider@provider-maintenance";
        rows.push(allowed(Provider, change(via, target, objection())));
        for who in [Department, Province, Deputy, City, ClusterAdmin] {
            rows.push(denied(who, change(via, target, objection()), provider));
        }
    }
    for target in ["asmt/ready", "asmt/published"] {
        rows.push(denied(Department, merge(target, objection()), "the assessed party objects while it may"));
    }
    rows
}

fn publishing() -> Vec<Row> {
    let publish = "decision=approved reviewed-generation=1 opinion=同意通报";
    let mut rows = vec![
        allowed(Province, annotate("asmt/ready", publish)),
        denied(Deputy, annotate("asmt/ready", publish), "you filed this record yourself"),
        denied(Province, annotate("asmt/open", publish), "not approvable"),
        denied(
            Province,
            annotate("asmt/published", "decision=rejected reviewed-generation=1 opinion=否"),
            "final",
        ),
    ];
    for who in [Department, Pipeline, OtherDepartment, City, Provider] {
        rows.push(denied(who, annotate("asmt/ready", publish), "you lack verb approve"));
    }
    rows.push(denied(ClusterAdmin, annotate("asmt/ready", publish), "wildcard rights do not count"));
    rows
}

fn taking_back() -> Vec<Row> {
    let own = "deleted by who filed it | deleted by the department";
    let mut rows = vec![
        allowed(Deputy, delete("asmt/ready")),
        allowed(Deputy, annotate("asmt/ready", "withdraw=$uid")),
        allowed(Province, delete("asmt/published")),
    ];
    for who in [Department, Pipeline, Province, Provider, ClusterAdmin] {
        rows.push(denied(who, delete("asmt/ready"), own));
        rows.push(denied(who, annotate("asmt/ready", "withdraw=$uid"), "withdraw"));
    }
    for who in [Department, ClusterAdmin] {
        rows.push(denied(who, delete("asmt/published"), "deleted after export by the authority"));
    }
    rows
}
