//! Filing, frozen specs, withdrawal and deletion of records, filing namespaces (S1, S3, S7, S10).

use serde_json::{Value, json};

use crate::bodies::maintenance;
use crate::caller::Caller::{self, *};
use crate::row::{
    Ask, Row, Via, allowed, annotate, change, create, delete, denied, label, labels, merge, subresource,
};

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
    let mut rows: Vec<Row> = [Department, Pipeline, ClusterAdmin].map(|who| allowed(who, new())).into();
    rows.extend(
        [OtherDepartment, City, Auditor, Operator, NamespaceController].map(|who| denied(who, new(), LACK)),
    );
    rows.extend([Province, Deputy, Provider].map(|who| denied(who, new(), LACK)));
    for target in ["capp/new@plain", "chreq/new@plain", "decom/new@govcloud-system"] {
        for who in [Department, ClusterAdmin] {
            rows.push(denied(
                who,
                create(target, json!({})),
                "is not a filing namespace | you lack verb file",
            ));
        }
    }
    rows.extend([
        denied(
            ClusterAdmin,
            create("capp/new@dept-zhengzhou-health", json!({})),
            "records of region 410100 are filed in namespace dept-zhengzhou-health, not of 410000",
        ),
        denied(
            Department,
            create("capp/new", json!({"spec": {"region": "410100"}})),
            "records of region 410000 are filed in namespace dept-transport, not of 410100",
        ),
        allowed(Department, create("chreq/new", json!({}))),
        allowed(Department, create("decom/new", json!({}))),
        allowed(Pipeline, create("decom/new", json!({}))),
        allowed(Department, contract(json!({}))),
        // Art. 28: the authority files an exit at the end of a contract, and only that.
        allowed(Province, contract(json!({}))),
        allowed(Deputy, contract(json!({"spec": {"reason": "ContractTerminated"}}))),
        denied(Province, contract(json!({"spec": {"reason": "NoLongerUsed"}})), DECIDERS),
        denied(Province, contract(destroy), "may not say Destroy"),
        denied(Province, contract(one), "may not say Destroy"),
        denied(City, contract(json!({})), LACK),
        denied(Provider, contract(json!({})), LACK),
        denied(Province, create("chreq/new", json!({})), DECIDERS),
        // Art. 18: the provider files maintenance, and only that.
        allowed(Provider, create("chreq/new@provider-maintenance", maintenance())),
        denied(Provider, create("chreq/new@provider-maintenance", json!({})), "who provisions does not file"),
        denied(Department, maintain(), "platform maintenance is filed by the provider"),
        denied(Pipeline, maintain(), "platform maintenance is filed by the provider"),
        denied(ClusterAdmin, maintain(), "platform maintenance is filed by the provider"),
        denied(Provider, maintain(), LACK),
        denied(Department, create("capp/new", owner), "a record has no ownerReferences"),
    ]);
    rows
}

fn changing() -> Vec<Row> {
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [Province, City, Provider, OtherDepartment, Auditor, Operator] {
            rows.push(denied(who, change(via, "capp/fresh", renamed()), LACK));
        }
        for who in [Department, Pipeline, ClusterAdmin] {
            rows.push(allowed(who, change(via, "capp/fresh", renamed())));
        }
    }
    for who in [Province, City, Provider, Operator, OtherDepartment] {
        rows.push(denied(who, label("capp/fresh", "example.org/a=b"), LACK));
        rows.push(denied(who, annotate("capp/fresh", "example.org/a=b"), LACK));
    }
    let finalizer = json!({"metadata": {"finalizers": ["example.org/keep"]}});
    rows.extend([
        allowed(Department, label("capp/fresh", "example.org/a=b")),
        allowed(Pipeline, annotate("capp/approved", "argocd.argoproj.io/tracking-id=travel")),
        denied(Province, merge("capp/fresh", finalizer.clone()), LACK),
        allowed(Department, merge("capp/fresh", finalizer)),
        allowed(Department, merge("capp/returned", renamed())),
        // Two hats on one head: who decides or provisions does not file, whatever else he holds.
        denied(FilingOfficer, create("capp/new", json!({})), "who decides does not file"),
        denied(FilingOfficer, merge("capp/fresh", renamed()), "who decides does not file"),
        denied(FilingProvider, create("capp/new", json!({})), "who provisions does not file"),
        denied(FilingProvider, merge("capp/fresh", renamed()), "who provisions does not file"),
        allowed(GarbageCollector, merge("capp/leaving", json!({"metadata": {"finalizers": null}}))),
        allowed(
            Department,
            merge("decom/published", json!({"spec": {"disposition": {"default": "HandOver"}}})),
        ),
        denied(
            Province,
            merge("decom/contract", json!({"spec": {"disposition": {"default": "Destroy"}}})),
            LACK,
        ),
        allowed(
            Department,
            merge("decom/contract", json!({"spec": {"disposition": {"default": "Destroy"}}})),
        ),
        allowed(
            Provider,
            merge(
                "chreq/upgrade@provider-maintenance",
                json!({"spec": {"platformMaintenance": {"plan": {"title": "二"}}}}),
            ),
        ),
        denied(
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
            rows.push(denied(who, change(via, "capp/approved", renamed()), frozen));
        }
        rows.push(denied(
            Province,
            change(via, "capp/approved", renamed()),
            "the spec is frozen | you lack verb file",
        ));
    }
    let enlarged = json!({"spec": {"resourceAdjustment": {"reason": "更多"}}});
    let destroy = json!({"spec": {"disposition": {"default": "Destroy"}}});
    rows.extend([
        denied(Department, merge("capp/rejected", renamed()), "this record is rejected"),
        denied(Department, merge("capp/voided", renamed()), frozen),
        allowed(Department, merge("capp/doubted", renamed())),
        denied(Department, merge("capp/live", renamed()), frozen),
        denied(
            Department,
            merge("capp/withdrawn", renamed()),
            "the record was withdrawn and cannot be changed",
        ),
        denied(Department, merge("chreq/adjusting", enlarged), frozen),
        denied(Department, merge("decom/handing", destroy.clone()), frozen),
        denied(Department, merge("decom/reclaiming", destroy), frozen),
        denied(Operator, merge("capp/approved", renamed()), "the spec is frozen | you lack verb file"),
    ]);
    rows
}

fn withdrawing() -> Vec<Row> {
    let withdraw = |target| annotate(target, "withdraw=$uid");
    let too_late = "too late to withdraw";
    vec![
        allowed(Department, withdraw("capp/fresh")),
        allowed(Pipeline, withdraw("capp/fresh")),
        allowed(Department, withdraw("capp/returned")),
        allowed(Department, withdraw("capp/voided")),
        allowed(Department, withdraw("chreq/adjust")),
        allowed(Department, withdraw("decom/consented")),
        allowed(Department, withdraw("decom/handing")),
        allowed(Provider, withdraw("chreq/upgrade@provider-maintenance")),
        allowed(Province, withdraw("decom/contract")),
        denied(
            Deputy,
            withdraw("decom/contract"),
            "the department withdraws | who decides does not withdraw",
        ),
        denied(FilingOfficer, withdraw("capp/fresh"), "who decides does not withdraw"),
        denied(FilingProvider, withdraw("capp/fresh"), "who provisions does not withdraw"),
        denied(Department, annotate("capp/fresh", "withdraw=yes"), "name the record's own uid"),
        // Approved and not provisioned: the operator ends it if nothing was made of it.
        allowed(Department, withdraw("capp/approved")),
        allowed(Pipeline, withdraw("capp/approved")),
        denied(FilingOfficer, withdraw("capp/approved"), "who decides does not withdraw"),
        denied(FilingProvider, withdraw("capp/approved"), "who provisions does not withdraw"),
        denied(OtherDepartment, withdraw("capp/approved"), "the department withdraws"),
        denied(Operator, withdraw("capp/approved"), "the department withdraws"),
        denied(Department, annotate("capp/approved", "withdraw=yes"), "name the record's own uid"),
        denied(
            Department,
            withdraw("capp/provisioned"),
            "too late to withdraw (decision: approved, phase: Provisioned); file a Decommission to leave",
        ),
        denied(Department, withdraw("capp/live"), too_late),
        denied(Department, withdraw("capp/exited"), too_late),
        denied(Department, annotate("capp/belated", "withdraw-"), "withdrawn is withdrawn"),
        denied(Department, withdraw("capp/rejected"), too_late),
        denied(Department, withdraw("chreq/adjusting"), too_late),
        denied(Department, withdraw("decom/reclaiming"), too_late),
        denied(Department, withdraw("decom/completed"), too_late),
        denied(Provider, withdraw("chreq/planned@provider-maintenance"), too_late),
        denied(Department, annotate("capp/withdrawn", "withdraw-"), "withdrawn is withdrawn"),
        denied(Department, annotate("capp/withdrawn", "withdraw=x"), "withdrawn is withdrawn"),
        denied(Province, withdraw("capp/fresh"), "the department withdraws | who decides does not withdraw"),
        denied(City, withdraw("capp/fresh"), "the department withdraws"),
        denied(Provider, withdraw("capp/fresh"), "the department withdraws"),
        denied(OtherDepartment, withdraw("capp/fresh"), "the department withdraws"),
        denied(Operator, withdraw("capp/fresh"), "the department withdraws"),
    ]
}

/// Records by whether they are decided and over, one by one and all at once.
fn deleting_by_phase() -> Vec<Row> {
    let alive = "this record was decided and its life is not over";
    let exported = "you lack verb administer, granted by name, on regions.govcloud.dev/410000";
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
                rows.push(denied(who, ask(target), alive));
            }
        }
        for target in ["capp/provisioned", "capp/live", "chreq/adjusting", "decom/handing", "capp/voided"] {
            rows.push(denied(ClusterAdmin, ask(target), alive));
        }
        for target in
            ["capp/fresh", "capp/unseen", "capp/invalid", "capp/doubted", "chreq/adjust", "decom/consented"]
        {
            rows.push(allowed(Department, ask(target)));
            rows.push(denied(
                Province,
                ask(target),
                "is deleted by the department | who decides does not delete",
            ));
            rows.push(denied(
                Provider,
                ask(target),
                "is deleted by the department | who provisions does not delete",
            ));
            rows.push(denied(Operator, ask(target), "is deleted by the department"));
        }
        for target in ["capp/rejected", "capp/withdrawn", "capp/exited", "chreq/adjusted", "decom/completed"]
        {
            rows.push(allowed(Province, ask(target)));
            rows.push(denied(ClusterAdmin, ask(target), exported));
            rows.push(denied(Department, ask(target), exported));
            rows.push(denied(City, ask(target), exported));
        }
    }
    rows
}

fn deleting() -> Vec<Row> {
    let mut rows = deleting_by_phase();
    rows.extend([
        denied(FilingOfficer, delete("capp/fresh"), "who decides does not delete"),
        denied(FilingProvider, delete("capp/fresh"), "who provisions does not delete"),
        denied(Department, delete("capp/returned"), "to give it up: kubectl annotate"),
        allowed(ClusterAdmin, delete("capp/fresh")),
        allowed(Province, delete("decom/contract")),
        denied(
            Deputy,
            delete("decom/contract"),
            "is deleted by the department | who decides does not delete",
        ),
        allowed(Provider, delete("chreq/upgrade@provider-maintenance")),
        denied(NamespaceController, delete("capp/fresh"), "is deleted by the department"),
    ]);
    rows
}

fn namespaces() -> Vec<Row> {
    let filing = |region: &str| labels(&format!("filing-region={region}"));
    let lack = "you lack verb administer on regions.govcloud.dev/410000 | the operator touches no namespace";
    let lack_city = "you lack verb administer on regions.govcloud.dev/410100";
    let mut rows = vec![
        allowed(Province, create("ns/dept-new", filing("410000"))),
        allowed(City, create("ns/dept-new", filing("410100"))),
        allowed(ClusterAdmin, create("ns/dept-new", filing("410000"))),
        denied(City, create("ns/dept-new", filing("410000")), lack),
        denied(Province, create("ns/dept-new", filing("410100")), lack_city),
        allowed(Department, create("ns/dept-new", json!({}))),
        allowed(Province, label("ns/plain", "filing-region=410000")),
        denied(Province, label("ns/plain", "filing-region=410100"), lack_city),
        denied(ClusterAdmin, label("ns/plain", "filing-region=henan"), "six-digit GB/T 2260 code"),
        denied(Province, label("ns/dept-transport", "filing-region=410100"), lack_city),
        denied(City, label("ns/dept-transport", "filing-region=410100"), lack),
        allowed(Province, label("ns/dept-transport", "filing-region-")),
        allowed(Province, delete("ns/dept-transport")),
        allowed(Department, label("ns/dept-transport", "example.org/a=b")),
    ];
    let outsiders: [Caller; 6] = [Department, Pipeline, Provider, OtherDepartment, City, Operator];
    for who in outsiders {
        rows.push(denied(who, create("ns/dept-new", filing("410000")), lack));
        rows.push(denied(who, label("ns/plain", "filing-region=410000"), lack));
        rows.push(denied(who, label("ns/dept-transport", "filing-region-"), lack));
        rows.push(denied(
            who,
            delete("ns/dept-transport"),
            "you lack verb administer on regions.govcloud.dev/410000 | the operator touches no namespace",
        ));
        rows.push(denied(
            who,
            subresource("ns/dept-transport", "finalize", json!({"spec": {"finalizers": []}})),
            "is the namespace controller's | the operator touches no namespace",
        ));
        rows.push(denied(who, subresource("ns/dept-transport", "status", labels("filing-region-")), lack));
    }
    rows.push(allowed(NamespaceController, subresource("ns/dept-transport", "finalize", json!({}))));
    rows
}
