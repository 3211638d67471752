//! The decision: annotations, stamps, status (S1, S6, S7).

use serde_json::json;

use crate::bodies::THEN;
use crate::caller::Caller::{self, *};
use crate::row::{
    Row, Via, allowed, annotate, annotations, change, create, denied, merge, overlay, stamped, status,
};
use crate::target::{APPLICATION, DIGEST, FOUND};

const APPROVE: &str = "decision=approved reviewed-generation=1 opinion=同意";
const APPROVE_2: &str = "decision=approved reviewed-generation=2 opinion=同意";
const REMOVE: &str = "decision- opinion- reviewed-generation- decided-by-";
const LACK: &str = "you lack verb approve on regions.govcloud.dev/410000";
const BY_NAME: &str = "wildcard rights do not count: approve on regions.govcloud.dev/410000";
const OPERATORS_WORD: &str = "status is written by the operator alone";

/// Everyone who does not decide for the province.
const OUTSIDERS: [Caller; 8] =
    [Department, OtherDepartment, Pipeline, City, Provider, Auditor, Operator, NamespaceController];

/// The rows.
pub fn rows() -> Vec<Row> {
    [
        outsiders(),
        at_create(),
        the_authority(),
        what_is_taken_back(),
        what_may_be_approved(),
        finality(),
        stamps(),
        statuses(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn outsiders() -> Vec<Row> {
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in OUTSIDERS {
            rows.push(denied(who, change(via, "capp/fresh", annotations(APPROVE)), LACK));
        }
        rows.push(denied(ClusterAdmin, change(via, "capp/fresh", annotations(APPROVE)), BY_NAME));
        rows.push(allowed(Province, change(via, "capp/fresh", annotations(APPROVE))));
    }
    for words in ["decision=returned", "opinion=好", "reviewed-generation=1", "reattach=x"] {
        rows.push(denied(Department, annotate("capp/fresh", words), LACK));
        rows.push(denied(ClusterAdmin, annotate("capp/fresh", words), BY_NAME));
    }
    for target in ["chreq/adjust", "decom/consented"] {
        for who in [Department, City, Provider] {
            rows.push(denied(who, annotate(target, APPROVE_2), LACK));
        }
        rows.push(denied(ClusterAdmin, annotate(target, APPROVE_2), BY_NAME));
    }
    // Two tiers: each decides for itself, and not for the other.
    rows.push(allowed(City, annotate("capp/city@dept-zhengzhou-health", APPROVE)));
    rows.push(denied(
        Province,
        annotate("capp/city@dept-zhengzhou-health", APPROVE),
        "you lack verb approve on regions.govcloud.dev/410100",
    ));
    rows
}

fn at_create() -> Vec<Row> {
    let preset = |words: &str| create("capp/new", annotations(words));
    let refused = "a decision cannot be set at create | comes with a decision only";
    let mut rows: Vec<Row> =
        [Department, Pipeline, ClusterAdmin].map(|who| denied(who, preset(APPROVE), refused)).into();
    for words in ["opinion=同意", "reviewed-generation=1", "decided-by=authority-410000", "reattach=x"] {
        rows.push(denied(Department, preset(words), refused));
    }
    rows.push(denied(Department, preset("withdraw=x"), "govcloud.dev/withdraw cannot be set at create"));
    rows.push(denied(
        Department,
        preset("consented-by=department"),
        "govcloud.dev/consented-by changes with spec.consent only",
    ));
    let mut with_status = json!({"status": {"phase": "Live"}});
    overlay(&mut with_status, &annotations(APPROVE));
    rows.push(denied(Department, create("capp/new", with_status), refused));
    rows
}

fn the_authority() -> Vec<Row> {
    let mut rows = whole_decisions();
    rows.extend(decisions_alone());
    let long = annotations(&format!("decision=rejected reviewed-generation=1 opinion={}", "长".repeat(4097)));
    rows.push(denied(Province, merge("capp/fresh", long), "at most 4096 characters"));
    rows
}

/// A decision names the generation that was reviewed, and a reason where it is not an approval.
fn whole_decisions() -> Vec<Row> {
    vec![
        allowed(Deputy, annotate("capp/fresh", APPROVE)),
        allowed(Province, annotate("capp/piped", APPROVE)),
        allowed(Province, annotate("chreq/adjust", APPROVE)),
        allowed(Province, annotate("chreq/upgrade@provider-maintenance", APPROVE)),
        allowed(Province, annotate("capp/fresh", "decision=rejected reviewed-generation=1 opinion=不符")),
        allowed(Province, annotate("capp/invalid", "decision=returned reviewed-generation=1 opinion=请补充")),
        allowed(Province, annotate("capp/fresh", "decision=approved reviewed-generation=1")),
        denied(
            Province,
            annotate("capp/fresh", "decision=approved"),
            "add govcloud.dev/reviewed-generation=1",
        ),
        denied(
            Province,
            annotate("capp/fresh", "decision=approved reviewed-generation=2"),
            "you named generation 2; read the record as it is now and add govcloud.dev/reviewed-generation=1",
        ),
        denied(Province, annotate("capp/stale", APPROVE), "add govcloud.dev/reviewed-generation=2"),
        denied(Province, annotate("capp/fresh", "decision=yes reviewed-generation=1"), "say what you decide"),
        denied(Province, annotate("capp/fresh", "opinion=先说一句"), "say what you decide"),
        denied(Province, annotate("capp/fresh", "reattach=x"), "say what you decide"),
        denied(
            Province,
            annotate("capp/fresh", "decision=rejected reviewed-generation=1"),
            "say why (Art. 12)",
        ),
        denied(
            Province,
            annotate("capp/fresh", "decision=returned reviewed-generation=1"),
            "say why (Art. 12)",
        ),
    ]
}

/// A decision changes nothing else, and is not that of whoever filed the record.
fn decisions_alone() -> Vec<Row> {
    let spec = json!({"spec": {"system": {"name": "放大"}}});
    let mut mixed = annotations(APPROVE);
    overlay(&mut mixed, &spec);
    let mut labelled = annotations(APPROVE);
    overlay(&mut labelled, &json!({"metadata": {"labels": {"a": "b"}}}));
    let nothing_else = "a decision changes nothing else | you lack verb file";
    vec![
        denied(Province, merge("capp/fresh", mixed.clone()), nothing_else),
        denied(ClusterAdmin, merge("capp/fresh", mixed), BY_NAME),
        denied(Province, merge("capp/fresh", labelled), nothing_else),
        denied(Province, annotate("capp/fresh", &format!("{APPROVE} example.org/x=y")), nothing_else),
        denied(
            Province,
            annotate("capp/fresh", &format!("{APPROVE} requested-by=nobody")),
            "a decision changes nothing else | requested-by never changes",
        ),
        denied(
            Province,
            annotate("capp/fresh", &format!("{APPROVE} withdraw=$uid")),
            "a decision changes nothing else | who decides does not withdraw | the department withdraws",
        ),
        // The one who filed it does not decide it.
        denied(Province, annotate("decom/contract", APPROVE_2), "you filed this record yourself"),
        allowed(Deputy, annotate("decom/contract", APPROVE_2)),
        denied(
            Province,
            annotate("capp/fresh", "decision=rejected reviewed-generation=1 opinion=不 reattach=x"),
            "reattach goes with govcloud.dev/decision=approved only",
        ),
    ]
}

/// A recreated record takes back exactly the namespaces that it found, named one by one.
fn what_is_taken_back() -> Vec<Row> {
    let [one, two] = FOUND;
    let all = "must name one by one: add govcloud.dev/reattach=a0a0a0a0-0000-4000-8000-000000000001,a0a0a0a0-0000-4000-8000-000000000002";
    let foreign = "names a namespace that this record did not find";
    let approve = |target, named: &str| annotate(target, &format!("{APPROVE} reattach={named}"));
    let mut rows = vec![
        allowed(Province, approve("capp/recreated", &format!("{one},{two}"))),
        allowed(Province, approve("capp/recreated", &format!("{two},{one},"))),
        allowed(Province, annotate("capp/recreated", "decision=rejected reviewed-generation=1 opinion=不符")),
        denied(Province, annotate("capp/recreated", APPROVE), all),
        denied(Province, approve("capp/recreated", one), all),
        denied(Province, approve("capp/recreated", two), all),
        denied(Province, approve("capp/recreated", &format!("{one},{two},{APPLICATION}")), foreign),
        denied(Province, approve("capp/recreated", &format!("{one},{APPLICATION}")), foreign),
        denied(Province, approve("capp/recreated", "dept-transport-travel-prod-b4ac6df6"), foreign),
        denied(Province, approve("capp/recreated", "*"), foreign),
    ];
    for target in ["capp/fresh", "chreq/adjust", "capp/piped"] {
        rows.push(denied(Province, approve(target, APPLICATION), "leave it out"));
    }
    let named = format!("{one},{two}");
    for who in [City, Department, Provider, ClusterAdmin, Pipeline] {
        let refused = "you lack verb approve | wildcard rights do not count | you filed this record yourself";
        rows.push(denied(who, approve("capp/recreated", &named), refused));
    }
    rows
}

fn what_may_be_approved() -> Vec<Row> {
    let not_valid = "condition Valid is not True for generation";
    let no_consent = "not approvable (Art. 23)";
    vec![
        denied(Province, annotate("capp/unseen", APPROVE), not_valid),
        denied(Province, annotate("capp/invalid", APPROVE), "UnknownRegion: staged"),
        denied(Province, annotate("capp/stale", APPROVE_2), not_valid),
        allowed(Province, annotate("capp/stale", "decision=rejected reviewed-generation=2 opinion=不符")),
        denied(Province, annotate("decom/counting", APPROVE), no_consent),
        denied(Province, annotate("decom/published", APPROVE), no_consent),
        allowed(
            Province,
            annotate("decom/published", "decision=rejected reviewed-generation=1 opinion=不符"),
        ),
        allowed(Province, annotate("decom/consented", APPROVE_2)),
        denied(Province, annotate("decom/outdated", APPROVE_2), no_consent),
        denied(Province, annotate("capp/withdrawn", APPROVE), "the record was withdrawn"),
        denied(Province, annotate("capp/leaving", APPROVE), "the record is being deleted"),
        allowed(FilingOfficer, annotate("capp/fresh", APPROVE)),
    ]
}

fn finality() -> Vec<Row> {
    let mut rows = Vec::new();
    for who in [Province, Deputy] {
        rows.extend([
            denied(
                who,
                annotate("capp/approved", "decision=rejected opinion=反悔"),
                "already approved: a decision is final",
            ),
            denied(who, annotate("capp/approved", "opinion=改口"), "already approved: a decision is final"),
            denied(who, annotate("capp/approved", "decision-"), "already approved: a decision is final"),
            denied(who, annotate("capp/approved", REMOVE), "is on record and cannot be removed"),
            denied(who, annotate("capp/approved", "reattach=x"), "already approved: a decision is final"),
            denied(
                who,
                annotate("capp/rejected", "decision=approved"),
                "already rejected: a decision is final",
            ),
            denied(who, annotate("capp/rejected", REMOVE), "is on record and cannot be removed"),
            denied(who, annotate("capp/returned", REMOVE), "is on record and cannot be removed"),
            denied(
                who,
                annotate("capp/returned", "decision=approved opinion=好"),
                "returned for correction: wait",
            ),
            denied(who, annotate("capp/returned", "opinion=再想想"), "returned for correction: wait"),
            allowed(who, annotate("capp/corrected", "decision=approved reviewed-generation=2 opinion=同意")),
            allowed(who, annotate("capp/corrected", "decision=approved reviewed-generation=2 opinion-")),
            allowed(who, annotate("capp/corrected", "decision=returned reviewed-generation=2")),
            denied(
                who,
                annotate("capp/corrected", "decision=approved reviewed-generation=2"),
                "the opinion on record is that of the return",
            ),
            allowed(who, annotate("capp/voided", REMOVE)),
            denied(
                who,
                annotate("capp/voided", "decision=rejected opinion=重来"),
                "that decision is void; first remove it",
            ),
            denied(
                who,
                annotate("capp/voided", "decision- opinion-"),
                "that decision is void; first remove it",
            ),
            allowed(who, annotate("capp/doubted", APPROVE)),
            // In use: it was withdrawn too late.
            allowed(who, annotate("capp/belated", APPROVE)),
        ]);
    }
    for who in [Department, Pipeline, City, Provider, Operator] {
        rows.push(denied(who, annotate("capp/approved", REMOVE), LACK));
        rows.push(denied(who, annotate("capp/voided", REMOVE), LACK));
    }
    rows.push(denied(ClusterAdmin, annotate("capp/approved", REMOVE), BY_NAME));
    rows.push(denied(ClusterAdmin, annotate("capp/voided", REMOVE), BY_NAME));
    rows
}

fn stamps() -> Vec<Row> {
    let forged = |key: &str| annotations(&format!("{key}=somebody-else"));
    let never = "govcloud.dev/requested-by never changes";
    let mut rows = vec![
        stamped(Department, create("capp/new", forged("requested-by")), "requested-by", Department),
        stamped(Pipeline, create("capp/new", json!({})), "requested-by", Pipeline),
        stamped(ClusterAdmin, create("capp/new", json!({})), "requested-by", ClusterAdmin),
        stamped(
            Province,
            annotate("capp/fresh", &format!("{APPROVE} decided-by=somebody-else")),
            "decided-by",
            Province,
        ),
        stamped(
            Deputy,
            annotate("capp/corrected", "decision=returned reviewed-generation=2"),
            "decided-by",
            Deputy,
        ),
        denied(
            Province,
            annotate("capp/fresh", "decided-by=authority-410000"),
            "comes with a decision only | say what you decide",
        ),
        denied(
            Department,
            annotate("capp/fresh", "consented-by=department"),
            "changes with spec.consent only",
        ),
        // A stamp that an update leaves out is put back.
        stamped(Department, annotate("decom/consented", "consented-by-"), "consented-by", Department),
        denied(
            Department,
            annotate("decom/handing", "consented-by=provider"),
            "changes with spec.consent only",
        ),
    ];
    for via in Via::ALL {
        rows.push(denied(Department, change(via, "capp/fresh", forged("requested-by")), never));
        rows.push(denied(Deputy, change(via, "capp/approved", forged("decided-by")), "already approved"));
        rows.push(stamped(
            Province,
            change(via, "capp/approved", forged("decided-by")),
            "decided-by",
            Province,
        ));
    }
    for who in [Department, Province, ClusterAdmin, Operator] {
        rows.push(stamped(who, annotate("capp/fresh", "requested-by-"), "requested-by", Department));
        rows.push(stamped(who, annotate("capp/approved", "decided-by-"), "decided-by", Province));
    }
    // One who decides leaves out another's name, not his own.
    rows.push(stamped(
        Deputy,
        annotate("capp/corrected", "decision=returned reviewed-generation=2 opinion=再补 decided-by-"),
        "decided-by",
        Deputy,
    ));
    rows
}

fn statuses() -> Vec<Row> {
    let decision = json!({"decision": {
        "verdict": "Approved", "by": "authority-410000", "at": THEN, "atSource": "Observed", "generation": 1, "digest": DIGEST,
    }});
    let valid = json!({"phase": "Live"});
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [
            Department,
            Pipeline,
            Province,
            City,
            Provider,
            ClusterAdmin,
            OtherDepartment,
            NamespaceController,
        ] {
            rows.push(denied(who, status(via, "capp/fresh", decision.clone()), OPERATORS_WORD));
        }
        rows.push(allowed(Operator, status(via, "capp/fresh", valid.clone())));
    }
    for target in ["chreq/adjust", "decom/consented", "grant/active", "region/410000"] {
        for who in [ClusterAdmin, Province, Provider] {
            rows.push(denied(
                who,
                status(Via::Merge, target, json!({"observedGeneration": 1})),
                OPERATORS_WORD,
            ));
        }
        rows.push(allowed(Operator, status(Via::Merge, target, json!({"observedGeneration": 1}))));
    }
    rows
}
