//! Grants, settings, roles, and the definitions themselves (S1, S3, S6).

use serde_json::{Value, json};

use crate::row::{Ask, Row, Via, annotate, change, create, delete, label, merge, no, yes};
use crate::who::Who::*;

/// The rows.
pub fn rows() -> Vec<Row> {
    [grants(), settings(), roles(), bindings(), definitions()].into_iter().flatten().collect()
}

fn grants() -> Vec<Row> {
    let lack = "you lack verb provision on regions.govcloud.dev/410000";
    let by_name = "wildcard rights do not count: provision";
    let in_force = "the grant is in force";
    let more = || json!({"spec": {"namespaces": [{"name": "prod", "quota": {"pods": "500"}}]}});
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [Department, Pipeline, Province, City, OtherDepartment] {
            rows.push(no(who, change(via, "grant/active", more()), lack));
        }
        rows.push(no(ClusterAdmin, change(via, "grant/active", more()), by_name));
        rows.push(yes(Provider, change(via, "grant/active", more())));
        rows.push(yes(Operator, change(via, "grant/active", more())));
    }
    for who in [Department, Province, City, Pipeline] {
        rows.push(no(who, create("grant/new", json!({})), lack));
    }
    for who in [Department, Province, Provider, ClusterAdmin, Operator, NamespaceController, GarbageCollector]
    {
        for ask in [delete("grant/active"), Ask::DeleteAll("grant/active"), delete("grant/revised")] {
            rows.push(no(who, ask, in_force));
        }
    }
    rows.extend([
        no(ClusterAdmin, create("grant/new", json!({})), by_name),
        yes(Provider, create("grant/new", json!({}))),
        yes(Operator, create("grant/new", json!({}))),
        no(Provider, create("grant/new@plain", json!({})), "a grant stands beside its application"),
        no(
            Provider,
            create("grant/new@dept-zhengzhou-health", json!({})),
            "a grant stands beside its application",
        ),
    ]);
    // A grant passes to a recreated record by the operator alone, and never to an application of another name.
    let passes = json!({"spec": {"application": {"uid": "11111111-2222-3333-4444-555555555555"}}});
    rows.push(yes(Operator, merge("grant/active", passes.clone())));
    rows.push(no(Provider, merge("grant/active", passes.clone()), "spec.application.uid is the operator's"));
    rows.push(no(Province, merge("grant/active", passes.clone()), lack));
    rows.push(no(ClusterAdmin, merge("grant/active", passes), by_name));
    for target in ["grant/pending", "grant/refused", "grant/released"] {
        rows.push(yes(Provider, delete(target)));
        rows.push(yes(Province, delete(target)));
        rows.push(no(Department, delete(target), "grants are deleted by holders of provision or administer"));
    }
    rows
}

fn settings() -> Vec<Row> {
    let lack = "you lack verb administer on regions.govcloud.dev/410000";
    let lax = || json!({"spec": {"workingDays": {"provision": 250}}});
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [City, Provider, Department, Pipeline, Operator] {
            rows.push(no(who, change(via, "region/410000", lax()), lack));
        }
        rows.push(yes(Province, change(via, "region/410000", lax())));
    }
    rows.extend([
        yes(City, merge("region/410100", lax())),
        yes(ClusterAdmin, merge("region/410000", lax())),
        no(
            Province,
            merge("region/410100", lax()),
            "you lack verb administer on regions.govcloud.dev/410100",
        ),
        no(City, delete("region/410000"), lack),
        no(Operator, delete("region/410000"), lack),
        yes(Province, delete("region/410000")),
        no(
            Province,
            create("region/410200", json!({})),
            "you lack verb administer on regions.govcloud.dev/410200",
        ),
        yes(ClusterAdmin, create("region/410200", json!({}))),
        yes(Province, label("calendar/cn", "example.org/a=b")),
        no(
            City,
            label("calendar/cn", "example.org/a=b"),
            "you lack verb administer on workcalendars.govcloud.dev/cn",
        ),
        no(Provider, delete("calendar/cn"), "you lack verb administer on workcalendars.govcloud.dev/cn"),
        yes(Province, label("catalog/henan", "example.org/a=b")),
        no(
            Provider,
            merge("catalog/henan", json!({"spec": {"currency": "USD"}})),
            "you lack verb administer on servicecatalogs.govcloud.dev/henan",
        ),
        no(
            Department,
            create("catalog/cheap", json!({})),
            "you lack verb administer on servicecatalogs.govcloud.dev/cheap",
        ),
    ]);
    rows
}

fn rule(resource: &str, names: Value, verbs: &[&str]) -> Value {
    json!({"rules": [{"apiGroups": ["govcloud.dev"], "resources": [resource], "resourceNames": names, "verbs": verbs}]})
}

fn roles() -> Vec<Row> {
    let lack = "you lack verb administer on regions.govcloud.dev/410000 | in tenant namespaces alone";
    let all = "you lack verb administer on regions.govcloud.dev (all regions)";
    let approve = || rule("regions", json!(["410000"]), &["approve"]);
    let any_group = json!({"rules": [{"apiGroups": ["*"], "resources": ["regions"], "verbs": ["approve"]}]});
    let mut rows = Vec::new();
    for who in [Department, Provider, City, Pipeline, Operator] {
        rows.push(no(who, create("clusterrole/mine", approve()), lack));
        rows.push(no(who, merge("clusterrole/govcloud:authority:410100", approve()), all));
        rows.push(no(
            who,
            create("role/mine@dept-transport", rule("decommissions", json!([]), &["consent"])),
            lack,
        ));
    }
    for verb in ["approve", "provision", "administer", "file", "consent"] {
        rows.push(no(
            Provider,
            create("clusterrole/mine", rule("regions", json!(["410000"]), &["get", verb])),
            lack,
        ));
        rows.push(no(Provider, create("clusterrole/mine", rule("regions", json!([]), &[verb])), all));
    }
    rows.extend([
        yes(Province, create("clusterrole/mine", approve())),
        yes(ClusterAdmin, create("clusterrole/mine", approve())),
        no(Province, create("clusterrole/mine", rule("regions", json!(["410100"]), &["approve"])), "regions.govcloud.dev/410100"),
        no(Province, create("clusterrole/mine", rule("regions", json!(["410000", "410100"]), &["approve"])), all),
        no(Province, create("clusterrole/mine", any_group.clone()), all),
        no(Provider, create("clusterrole/mine", any_group), all),
        yes(Province, create("role/mine@dept-transport", rule("decommissions", json!([]), &["consent"]))),
        no(Province, create("role/mine@dept-zhengzhou-health", rule("decommissions", json!([]), &["consent"])), "regions.govcloud.dev/410100"),
        no(Provider, delete("clusterrole/govcloud:authority:410000"), lack),
        yes(Province, delete("clusterrole/govcloud:authority:410000")),
        yes(Provider, create("clusterrole/mine", rule("regions", json!([]), &["get", "list"]))),
        yes(Provider, create("clusterrole/mine", json!({"rules": [{"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["approve"]}]}))),
        yes(Department, label("clusterrole/view", "example.org/a=b")),
    ]);
    rows
}

fn bindings() -> Vec<Row> {
    let to = |role: &str| json!({"roleRef": {"name": role}});
    let lack = "you lack verb administer on regions.govcloud.dev/410000 | in tenant namespaces alone";
    let all = "you lack verb administer on regions.govcloud.dev (all regions)";
    let me = json!({"subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "govcloud:provider"}]});
    let mut rows = Vec::new();
    for who in [Department, Provider, City, Pipeline, Operator] {
        rows.push(no(who, create("clusterbinding/mine", to("govcloud:authority:410000")), lack));
        rows.push(no(who, merge("clusterbinding/govcloud:authority:410000", me.clone()), lack));
        rows.push(no(who, create("binding/mine@dept-transport", to("govcloud:department")), lack));
        rows.push(no(who, create("clusterbinding/mine", to("govcloud:department")), all));
    }
    rows.extend([
        yes(Province, create("clusterbinding/mine", to("govcloud:authority:410000"))),
        yes(City, create("clusterbinding/mine", to("govcloud:authority:410100"))),
        yes(Province, create("binding/mine@dept-transport", to("govcloud:department"))),
        no(
            Province,
            create("binding/mine@dept-zhengzhou-health", to("govcloud:department")),
            "regions.govcloud.dev/410100",
        ),
        yes(ClusterAdmin, create("clusterbinding/mine", to("govcloud:department"))),
        no(Provider, delete("clusterbinding/govcloud:authority:410000"), lack),
        yes(Provider, create("clusterbinding/mine", to("view"))),
        yes(Department, create("binding/mine@plain", to("edit"))),
    ]);
    rows
}

fn definitions() -> Vec<Row> {
    let every = "deleting this CRD deletes every record of its kind";
    let webhook = json!({"spec": {"conversion": {"strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://mallory.example"},
    }}}});
    let aggregated = json!({"spec": {
        "group": "govcloud.dev", "version": "v1alpha2", "groupPriorityMinimum": 1000, "versionPriority": 15,
        "insecureSkipTLSVerify": true, "service": {"namespace": "plain", "name": "mallory", "port": 443},
    }});
    let aggregated_alpha2 = || create("apiservice/v1alpha2.govcloud.dev", aggregated.clone());
    let mut rows = Vec::new();
    for target in [
        "crd/cloudapplications.govcloud.dev",
        "crd/resourcegrants.govcloud.dev",
        "crd/changerequests.govcloud.dev",
        "crd/decommissions.govcloud.dev",
        "crd/regions.govcloud.dev",
        "crd/workcalendars.govcloud.dev",
        "crd/servicecatalogs.govcloud.dev",
    ] {
        for who in [Provider, ClusterAdmin, Province, Operator] {
            rows.push(no(who, delete(target), every));
        }
        rows.push(no(ClusterAdmin, merge(target, webhook.clone()), "spec.conversion.strategy stays None"));
        rows.push(yes(ClusterAdmin, label(target, "example.org/a=b")));
    }
    for target in [
        "crd/cloudapplications.govcloud.dev",
        "crd/decommissions.govcloud.dev",
        "crd/resourcegrants.govcloud.dev",
        "crd/regions.govcloud.dev",
    ] {
        rows.push(no(
            ClusterAdmin,
            versions(target, "subresources", Value::Null),
            "every version keeps subresources.status",
        ));
        let scale = json!({"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}});
        rows.push(no(
            ClusterAdmin,
            versions(target, "subresources", scale),
            "no version has subresources.scale",
        ));
    }
    rows.extend([
        yes(ClusterAdmin, annotate("crd/regions.govcloud.dev", "allow-removal=$uid")),
        no(ClusterAdmin, aggregated_alpha2(), "is served by the API server itself"),
    ]);
    rows
}

/// A CRD with this in its only version.
fn versions(target: &'static str, field: &'static str, value: Value) -> Ask {
    Ask::EveryVersion(target, field, value)
}
