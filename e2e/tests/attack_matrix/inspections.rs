//! Compliance records and inspections: who files, answers, returns and closes them (Art. 17, 22, 25).

use serde_json::{Value, json};

use crate::bodies::{emergency_plan, of_provider, response, responses};
use crate::caller::Caller::*;
use crate::row::{Row, Via, allowed, annotate, change, create, delete, denied, merge};

/// The rows.
pub fn rows() -> Vec<Row> {
    [documents(), documents_on_record(), filing(), answering(), of_the_platform(), closing(), removing()]
        .into_iter()
        .flatten()
        .collect()
}

fn none() -> Value {
    json!({})
}

fn corrected() -> Value {
    json!({"spec": {"issuedBy": "另一测评机构"}})
}

fn answer() -> Value {
    responses(json!([response(1, "已关闭端口")]))
}

fn documents() -> Vec<Row> {
    let platform = "a ComplianceRecord without spec.application is about the platform";
    vec![
        allowed(Department, create("comp/new", none())),
        allowed(Pipeline, create("comp/new", none())),
        denied(Province, create("comp/new", none()), "you lack verb file | who decides does not file"),
        denied(FilingOfficer, create("comp/new", none()), "who decides does not file"),
        denied(Provider, create("comp/new", none()), "you lack verb file | who provisions does not file"),
        denied(FilingProvider, create("comp/new", none()), "who provisions does not file"),
        denied(OtherDepartment, create("comp/new", none()), "you lack verb file"),
        allowed(Provider, create("comp/new@provider-maintenance", emergency_plan())),
        denied(Department, create("comp/new", emergency_plan()), platform),
        denied(ClusterAdmin, create("comp/new@provider-maintenance", emergency_plan()), platform),
        denied(
            Department,
            create("comp/new", json!({"spec": {"issuedOn": "2027-03-09"}})),
            "validUntil cannot be before issuedOn",
        ),
        denied(
            Provider,
            create("comp/new@provider-maintenance", json!({"spec": {"type": "EmergencyPlan"}})),
            "are about the platform: leave application out",
        ),
    ]
}

fn documents_on_record() -> Vec<Row> {
    let fixed = "on record does not change";
    vec![
        denied(Department, merge("comp/evaluation", corrected()), fixed),
        denied(Provider, merge("comp/plan@provider-maintenance", corrected()), fixed),
        denied(ClusterAdmin, merge("comp/evaluation", corrected()), fixed),
        allowed(Department, merge("comp/open", corrected())),
        allowed(Department, merge("comp/sent-back", corrected())),
        denied(Department, annotate("comp/evaluation", "withdraw=$uid"), "too late to withdraw"),
        allowed(Department, annotate("comp/open", "withdraw=$uid")),
        denied(Department, delete("comp/evaluation"), "deleted after export by the authority"),
        denied(Provider, delete("comp/plan@provider-maintenance"), "deleted after export by the authority"),
        allowed(Province, delete("comp/evaluation")),
        allowed(
            Province,
            annotate("comp/evaluation", "decision=returned reviewed-generation=1 opinion=缺页"),
        ),
        denied(
            Department,
            annotate("comp/evaluation", "decision=returned reviewed-generation=1 opinion=缺页"),
            "you lack verb approve",
        ),
    ]
}

fn filing() -> Vec<Row> {
    let authority = "an inspection is filed by the authority (Art. 25) | you lack verb file";
    let mut rows = vec![
        allowed(Province, create("insp/new", none())),
        allowed(Deputy, create("insp/new@provider-maintenance", of_provider())),
        denied(Province, create("insp/new", answer()), "come later in life"),
    ];
    for who in [Department, Pipeline, Provider, City, OtherDepartment, ClusterAdmin, Operator] {
        rows.push(denied(who, create("insp/new", none()), authority));
    }
    rows
}

fn answering() -> Vec<Row> {
    let alone = "spec.responses is for the inspected party alone (spec.inspected: Department)";
    let mut rows = Vec::new();
    for via in Via::ALL {
        rows.push(allowed(Department, change(via, "insp/open", answer())));
        for who in [Province, Deputy, Provider, OtherDepartment, Pipeline, ClusterAdmin, Operator] {
            rows.push(denied(who, change(via, "insp/open", answer()), alone));
        }
    }
    let unknown = json!([{"finding": "9", "number": 1, "text": "无此问题"}]);
    let another = responses(json!([response(1, "已整改"), response(2, "补充证明")]));
    rows.extend([
        denied(FilingOfficer, merge("insp/open", answer()), alone),
        denied(FilingProvider, merge("insp/open", answer()), alone),
        denied(Department, merge("insp/open", responses(unknown)), "must be the id of one of findings"),
        allowed(Department, merge("insp/answered", another)),
        denied(Department, merge("insp/answered", responses(json!([]))), "may be added, not removed"),
        denied(
            Department,
            merge("insp/answered", responses(json!([response(1, "另一说法")]))),
            "a response cannot be changed",
        ),
        denied(Department, merge("insp/closed", answer()), "the inspection is closed"),
    ]);
    rows
}

fn of_the_platform() -> Vec<Row> {
    let alone = "spec.responses is for the inspected party alone (spec.inspected: Provider)";
    let mut rows = vec![allowed(Provider, merge("insp/platform@provider-maintenance", answer()))];
    for who in [Department, Province, Deputy, ClusterAdmin, Operator] {
        rows.push(denied(who, merge("insp/platform@provider-maintenance", answer()), alone));
    }
    rows
}

fn closing() -> Vec<Row> {
    let approve = |target| annotate(target, "decision=approved reviewed-generation=2 opinion=整改到位");
    vec![
        allowed(Province, approve("insp/answered")),
        denied(Deputy, approve("insp/answered"), "you filed this record yourself"),
        denied(Department, approve("insp/answered"), "you lack verb approve"),
        denied(City, approve("insp/answered"), "you lack verb approve"),
        allowed(
            Province,
            annotate("insp/answered", "decision=returned reviewed-generation=2 opinion=未到位"),
        ),
        denied(
            Province,
            annotate("insp/answered", "decision=rejected reviewed-generation=2 opinion=未到位"),
            "it is not rejected",
        ),
        // Filed by mistake: it is closed all the same.
        allowed(Province, annotate("insp/open", "decision=approved reviewed-generation=1 opinion=误提")),
    ]
}

fn removing() -> Vec<Row> {
    let kept = "an inspection is not deleted before the authority has closed it";
    let fewer = json!({"spec": {"findings": [
        {"id": "1", "severity": "Low", "article": 22, "text": "改小", "workingDays": 5},
    ]}});
    let fixed = "findings are neither changed nor removed";
    let mut rows = vec![
        denied(Department, merge("insp/open", fewer.clone()), fixed),
        denied(Province, merge("insp/open", fewer), fixed),
        denied(Department, annotate("insp/open", "withdraw=$uid"), "an inspection is not withdrawn"),
        denied(Deputy, annotate("insp/open", "withdraw=$uid"), "an inspection is not withdrawn"),
        allowed(Province, delete("insp/closed")),
        denied(Department, delete("insp/closed"), "deleted after export by the authority"),
    ];
    for who in [Department, Deputy, Province, ClusterAdmin] {
        rows.push(denied(who, delete("insp/open"), kept));
    }
    rows
}
