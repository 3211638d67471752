//! Filing, frozen specs, withdrawal and deletion of records, filing namespaces (S1, S3, S7, S10).

use serde_json::{Value, json};

use crate::row::{
    Ask, Row, Via, annotate, change, create, delete, label, labels, merge, no, subresource, yes,
};
use crate::stage::maintenance;
use crate::who::Who::{self, *};

const LACK: &str = "you lack verb file on";
const DECIDERS: &str = "who decides does not file | you lack verb file on";

fn renamed() -> Value {
    json!({"spec": {"system": {"name": "改名"}}})
}

/// The rows.
pub fn rows() -> Vec<Row> {
    [creating(), changing(), frozen(), withdrawing(), deleting(), namespaces()]
        .into_iter()
        .flatten()
        .collect()
}

fn creating() -> Vec<Row> {
    let new = || create("capp/new", json!({}));
    let contract = |over: Value| {
        let mut spec = json!({"spec": {"reason": "ContractEnded", "disposition": {"default": "Retain", "volumes": null}}});
        crate::row::overlay(&mut spec, &over);
        create("decom/new", spec)
    };
    let destroy = json!({"spec": {"disposition": {"default": "Destroy"}}});
    let one = json!({"spec": {"disposition": {"volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}]}}});
    let maintain = || create("chreq/new", maintenance());
    let owner = json!({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}]}});
    let mut rows: Vec<Row> = [Department, Pipeline, ClusterAdmin].map(|who| yes(who, new())).into();
    rows.extend(
        [OtherDepartment, City, Auditor, Operator, NamespaceController].map(|who| no(who, new(), LACK)),
    );
    rows.extend([Province, Deputy, Provider].map(|who| no(who, new(), LACK)));
    for target in ["capp/new@plain", "chreq/new@plain", "decom/new@govcloud-system"] {
        for who in [Department, ClusterAdmin] {
            rows.push(no(who, create(target, json!({})), "is not a filing namespace | you lack verb file"));
        }
    }
    rows.extend([
        no(
            ClusterAdmin,
            create("capp/new@dept-zhengzhou-health", json!({})),
            "records of region 410100 are filed in namespace dept-zhengzhou-health, not of 410000",
        ),
        no(
            Department,
            create("capp/new", json!({"spec": {"region": "410100"}})),
            "records of region 410000 are filed in namespace dept-transport, not of 410100",
        ),
        yes(Department, create("chreq/new", json!({}))),
        yes(Department, create("decom/new", json!({}))),
        yes(Pipeline, create("decom/new", json!({}))),
        yes(Department, contract(json!({}))),
        // Art. 28: the authority files an exit at the end of a contract, and only that.
        yes(Province, contract(json!({}))),
        yes(Deputy, contract(json!({"spec": {"reason": "ContractTerminated"}}))),
        no(Province, contract(json!({"spec": {"reason": "NoLongerUsed"}})), DECIDERS),
        no(Province, contract(destroy), "may not say Destroy"),
        no(Province, contract(one), "may not say Destroy"),
        no(City, contract(json!({})), LACK),
        no(Provider, contract(json!({})), LACK),
        no(Province, create("chreq/new", json!({})), DECIDERS),
        // Art. 18: the provider files maintenance, and only that.
        yes(Provider, create("chreq/new@provider-maintenance", maintenance())),
        no(Provider, create("chreq/new@provider-maintenance", json!({})), "who provisions does not file"),
        no(Department, maintain(), "platform maintenance is filed by the provider"),
        no(Pipeline, maintain(), "platform maintenance is filed by the provider"),
        no(ClusterAdmin, maintain(), "platform maintenance is filed by the provider"),
        no(Provider, maintain(), LACK),
        no(Department, create("capp/new", owner), "a record has no ownerReferences"),
    ]);
    rows
}

fn changing() -> Vec<Row> {
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [Province, City, Provider, OtherDepartment, Auditor, Operator] {
            rows.push(no(who, change(via, "capp/fresh", renamed()), LACK));
        }
        for who in [Department, Pipeline, ClusterAdmin] {
            rows.push(yes(who, change(via, "capp/fresh", renamed())));
        }
    }
    for who in [Province, City, Provider, Operator, OtherDepartment] {
        rows.push(no(who, label("capp/fresh", "example.org/a=b"), LACK));
        rows.push(no(who, annotate("capp/fresh", "example.org/a=b"), LACK));
    }
    let finalizer = json!({"metadata": {"finalizers": ["example.org/keep"]}});
    rows.extend([
        yes(Department, label("capp/fresh", "example.org/a=b")),
        yes(Pipeline, annotate("capp/approved", "argocd.argoproj.io/tracking-id=travel")),
        no(Province, merge("capp/fresh", finalizer.clone()), LACK),
        yes(Department, merge("capp/fresh", finalizer)),
        yes(Department, merge("capp/returned", renamed())),
        // Two hats on one head: who decides or provisions does not file, whatever else he holds.
        no(FilingOfficer, create("capp/new", json!({})), "who decides does not file"),
        no(FilingOfficer, merge("capp/fresh", renamed()), "who decides does not file"),
        no(FilingProvider, create("capp/new", json!({})), "who provisions does not file"),
        no(FilingProvider, merge("capp/fresh", renamed()), "who provisions does not file"),
        yes(GarbageCollector, merge("capp/leaving", json!({"metadata": {"finalizers": null}}))),
        yes(Department, merge("decom/published", json!({"spec": {"disposition": {"default": "HandOver"}}}))),
        no(Province, merge("decom/contract", json!({"spec": {"disposition": {"default": "Destroy"}}})), LACK),
        yes(Department, merge("decom/contract", json!({"spec": {"disposition": {"default": "Destroy"}}}))),
        yes(
            Provider,
            merge(
                "chreq/upgrade@provider-maintenance",
                json!({"spec": {"platformMaintenance": {"plan": {"title": "二"}}}}),
            ),
        ),
        no(
            ClusterAdmin,
            merge(
                "chreq/upgrade@provider-maintenance",
                json!({"spec": {"platformMaintenance": {"plan": {"title": "二"}}}}),
            ),
            "platform maintenance is filed by the provider",
        ),
    ]);
    rows
}

fn frozen() -> Vec<Row> {
    let frozen = "the spec is frozen: this record is";
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [Department, Pipeline, ClusterAdmin] {
            rows.push(no(who, change(via, "capp/approved", renamed()), frozen));
        }
        rows.push(no(
            Province,
            change(via, "capp/approved", renamed()),
            "the spec is frozen | you lack verb file",
        ));
    }
    let enlarged = json!({"spec": {"resourceAdjustment": {"reason": "更多"}}});
    let destroy = json!({"spec": {"disposition": {"default": "Destroy"}}});
    rows.extend([
        no(Department, merge("capp/rejected", renamed()), "this record is rejected"),
        no(Department, merge("capp/voided", renamed()), frozen),
        yes(Department, merge("capp/doubted", renamed())),
        no(Department, merge("capp/live", renamed()), frozen),
        no(Department, merge("capp/withdrawn", renamed()), "the record was withdrawn and cannot be changed"),
        no(Department, merge("chreq/adjusting", enlarged), frozen),
        no(Department, merge("decom/handing", destroy.clone()), frozen),
        no(Department, merge("decom/reclaiming", destroy), frozen),
        no(Operator, merge("capp/approved", renamed()), "the spec is frozen | you lack verb file"),
    ]);
    rows
}

fn withdrawing() -> Vec<Row> {
    let withdraw = |target| annotate(target, "withdraw=$uid");
    let too_late = "too late to withdraw";
    vec![
        yes(Department, withdraw("capp/fresh")),
        yes(Pipeline, withdraw("capp/fresh")),
        yes(Department, withdraw("capp/returned")),
        yes(Department, withdraw("capp/voided")),
        yes(Department, withdraw("chreq/adjust")),
        yes(Department, withdraw("decom/consented")),
        yes(Department, withdraw("decom/handing")),
        yes(Provider, withdraw("chreq/upgrade@provider-maintenance")),
        yes(Province, withdraw("decom/contract")),
        no(Deputy, withdraw("decom/contract"), "the department withdraws | who decides does not withdraw"),
        no(FilingOfficer, withdraw("capp/fresh"), "who decides does not withdraw"),
        no(FilingProvider, withdraw("capp/fresh"), "who provisions does not withdraw"),
        no(Department, annotate("capp/fresh", "withdraw=yes"), "name the record's own uid"),
        no(Department, withdraw("capp/approved"), too_late),
        no(Department, withdraw("capp/rejected"), too_late),
        no(Department, withdraw("chreq/adjusting"), too_late),
        no(Department, withdraw("decom/reclaiming"), too_late),
        no(Department, withdraw("decom/completed"), too_late),
        no(Provider, withdraw("chreq/planned@provider-maintenance"), too_late),
        no(Department, annotate("capp/withdrawn", "withdraw-"), "withdrawn is withdrawn"),
        no(Department, annotate("capp/withdrawn", "withdraw=x"), "withdrawn is withdrawn"),
        no(Province, withdraw("capp/fresh"), "the department withdraws | who decides does not withdraw"),
        no(City, withdraw("capp/fresh"), "the department withdraws"),
        no(Provider, withdraw("capp/fresh"), "the department withdraws"),
        no(OtherDepartment, withdraw("capp/fresh"), "the department withdraws"),
        no(Operator, withdraw("capp/fresh"), "the department withdraws"),
    ]
}

fn deleting() -> Vec<Row> {
    let alive = "this record was decided and its life is not over";
    let exported = "you lack verb administer on regions.govcloud.dev/410000";
    let mut rows = Vec::new();
    for ask in [delete as fn(&'static str) -> Ask, Ask::DeleteAll] {
        for who in [
            Department,
            Pipeline,
            Province,
            City,
            Provider,
            ClusterAdmin,
            Operator,
            NamespaceController,
            GarbageCollector,
        ] {
            for target in ["capp/approved", "decom/reclaiming"] {
                rows.push(no(who, ask(target), alive));
            }
        }
        for target in ["capp/provisioned", "capp/live", "chreq/adjusting", "decom/handing", "capp/voided"] {
            rows.push(no(ClusterAdmin, ask(target), alive));
        }
        for target in
            ["capp/fresh", "capp/unseen", "capp/invalid", "capp/doubted", "chreq/adjust", "decom/consented"]
        {
            rows.push(yes(Department, ask(target)));
            rows.push(no(
                Province,
                ask(target),
                "is deleted by the department | who decides does not delete",
            ));
            rows.push(no(
                Provider,
                ask(target),
                "is deleted by the department | who provisions does not delete",
            ));
            rows.push(no(Operator, ask(target), "is deleted by the department"));
        }
        for target in ["capp/rejected", "capp/withdrawn", "capp/exited", "chreq/adjusted", "decom/completed"]
        {
            rows.push(yes(Province, ask(target)));
            rows.push(yes(ClusterAdmin, ask(target)));
            rows.push(no(Department, ask(target), exported));
            rows.push(no(City, ask(target), exported));
        }
    }
    rows.extend([
        no(FilingOfficer, delete("capp/fresh"), "who decides does not delete"),
        no(FilingProvider, delete("capp/fresh"), "who provisions does not delete"),
        no(Department, delete("capp/returned"), "to give it up: kubectl annotate"),
        yes(ClusterAdmin, delete("capp/fresh")),
        yes(Province, delete("decom/contract")),
        no(Deputy, delete("decom/contract"), "is deleted by the department | who decides does not delete"),
        yes(Provider, delete("chreq/upgrade@provider-maintenance")),
        no(NamespaceController, delete("capp/fresh"), "is deleted by the department"),
    ]);
    rows
}

fn namespaces() -> Vec<Row> {
    let filing = |region: &str| labels(&format!("filing-region={region}"));
    let lack = "you lack verb administer on regions.govcloud.dev/410000 | the operator touches no namespace";
    let lack_city = "you lack verb administer on regions.govcloud.dev/410100";
    let mut rows = vec![
        yes(Province, create("ns/dept-new", filing("410000"))),
        yes(City, create("ns/dept-new", filing("410100"))),
        yes(ClusterAdmin, create("ns/dept-new", filing("410000"))),
        no(City, create("ns/dept-new", filing("410000")), lack),
        no(Province, create("ns/dept-new", filing("410100")), lack_city),
        yes(Department, create("ns/dept-new", json!({}))),
        yes(Province, label("ns/plain", "filing-region=410000")),
        no(Province, label("ns/plain", "filing-region=410100"), lack_city),
        no(ClusterAdmin, label("ns/plain", "filing-region=henan"), "six-digit GB/T 2260 code"),
        no(Province, label("ns/dept-transport", "filing-region=410100"), lack_city),
        no(City, label("ns/dept-transport", "filing-region=410100"), lack),
        yes(Province, label("ns/dept-transport", "filing-region-")),
        yes(Province, delete("ns/dept-transport")),
        yes(Department, label("ns/dept-transport", "example.org/a=b")),
    ];
    let outsiders: [Who; 6] = [Department, Pipeline, Provider, OtherDepartment, City, Operator];
    for who in outsiders {
        rows.push(no(who, create("ns/dept-new", filing("410000")), lack));
        rows.push(no(who, label("ns/plain", "filing-region=410000"), lack));
        rows.push(no(who, label("ns/dept-transport", "filing-region-"), lack));
        rows.push(no(
            who,
            delete("ns/dept-transport"),
            "you lack verb administer on regions.govcloud.dev/410000 | the operator touches no namespace",
        ));
        rows.push(no(
            who,
            subresource("ns/dept-transport", "finalize", json!({"spec": {"finalizers": []}})),
            "is the namespace controller's | the operator touches no namespace",
        ));
        rows.push(no(who, subresource("ns/dept-transport", "status", labels("filing-region-")), lack));
    }
    rows.push(yes(NamespaceController, subresource("ns/dept-transport", "finalize", json!({}))));
    rows
}
