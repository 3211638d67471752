//! Grants, settings, roles, and the definitions themselves (S1, S3, S6).

use serde_json::{Value, json};

use crate::caller::Caller::*;
use crate::row::{Ask, Row, Via, allowed, annotate, change, create, delete, denied, label, merge};
use crate::target::hook;

/// The rows.
pub fn rows() -> Vec<Row> {
    let rooms = [grants(), settings(), roles(), impersonation(), mutators(), bindings(), definitions()];
    rooms.into_iter().flatten().collect()
}

fn grants() -> Vec<Row> {
    let lack = "you lack verb provision on regions.govcloud.dev/410000";
    let by_name = "wildcard rights do not count: provision";
    let in_force = "the grant is in force";
    let more = || json!({"spec": {"namespaces": [{"name": "prod", "quota": {"pods": "500"}}]}});
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [Department, Pipeline, Province, City, OtherDepartment] {
            rows.push(denied(who, change(via, "grant/active", more()), lack));
        }
        rows.push(denied(ClusterAdmin, change(via, "grant/active", more()), by_name));
        rows.push(allowed(Provider, change(via, "grant/active", more())));
        rows.push(allowed(Operator, change(via, "grant/active", more())));
    }
    for who in [Department, Province, City, Pipeline] {
        rows.push(denied(who, create("grant/new", json!({})), lack));
    }
    for who in [Department, Province, Provider, ClusterAdmin, Operator, NamespaceController, GarbageCollector]
    {
        for ask in [delete("grant/active"), Ask::DeleteAll("grant/active"), delete("grant/revised")] {
            rows.push(denied(who, ask, in_force));
        }
    }
    rows.extend([
        denied(ClusterAdmin, create("grant/new", json!({})), by_name),
        allowed(Provider, create("grant/new", json!({}))),
        allowed(Operator, create("grant/new", json!({}))),
        denied(Provider, create("grant/new@plain", json!({})), "a grant stands beside its application"),
        denied(
            Provider,
            create("grant/new@dept-zhengzhou-health", json!({})),
            "a grant stands beside its application",
        ),
    ]);
    // A grant passes to a recreated record by the operator alone, and never to an application of another name.
    let passes = json!({"spec": {"application": {"uid": "11111111-2222-3333-4444-555555555555"}}});
    rows.push(allowed(Operator, merge("grant/active", passes.clone())));
    rows.push(denied(
        Provider,
        merge("grant/active", passes.clone()),
        "spec.application.uid is the operator's",
    ));
    rows.push(denied(Province, merge("grant/active", passes.clone()), lack));
    rows.push(denied(ClusterAdmin, merge("grant/active", passes), by_name));
    rows.push(denied(ClusterAdmin, delete("grant/released"), "grants are deleted by holders of"));
    rows.push(allowed(Operator, delete("grant/released")));
    for target in ["grant/pending", "grant/refused", "grant/released"] {
        rows.push(allowed(Provider, delete(target)));
        rows.push(allowed(Province, delete(target)));
        rows.push(denied(
            Department,
            delete(target),
            "grants are deleted by holders of provision or administer",
        ));
    }
    rows
}

fn settings() -> Vec<Row> {
    let lack = "you lack verb administer on regions.govcloud.dev/410000";
    let lax = || json!({"spec": {"workingDays": {"provision": 250}}});
    let mut rows = Vec::new();
    for via in Via::ALL {
        for who in [City, Provider, Department, Pipeline, Operator] {
            rows.push(denied(who, change(via, "region/410000", lax()), lack));
        }
        rows.push(allowed(Province, change(via, "region/410000", lax())));
    }
    rows.extend([
        allowed(City, merge("region/410100", lax())),
        allowed(ClusterAdmin, merge("region/410000", lax())),
        denied(
            Province,
            merge("region/410100", lax()),
            "you lack verb administer on regions.govcloud.dev/410100",
        ),
        denied(City, delete("region/410000"), lack),
        denied(Operator, delete("region/410000"), lack),
        allowed(Province, delete("region/410000")),
        denied(
            Province,
            create("region/410200", json!({})),
            "you lack verb administer on regions.govcloud.dev/410200",
        ),
        allowed(ClusterAdmin, create("region/410200", json!({}))),
        allowed(Province, label("calendar/cn", "example.org/a=b")),
        denied(
            City,
            label("calendar/cn", "example.org/a=b"),
            "you lack verb administer on workcalendars.govcloud.dev/cn",
        ),
        denied(Provider, delete("calendar/cn"), "you lack verb administer on workcalendars.govcloud.dev/cn"),
        allowed(Province, label("catalog/henan", "example.org/a=b")),
        denied(
            Provider,
            merge("catalog/henan", json!({"spec": {"currency": "USD"}})),
            "you lack verb administer on servicecatalogs.govcloud.dev/henan",
        ),
        denied(
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
        rows.push(denied(who, create("clusterrole/mine", approve()), lack));
        rows.push(denied(who, merge("clusterrole/govcloud:authority:410100", approve()), all));
        rows.push(denied(
            who,
            create("role/mine@dept-transport", rule("decommissions", json!([]), &["consent"])),
            lack,
        ));
    }
    for verb in ["approve", "provision", "administer", "file", "consent", "confirm", "install", "adopt-out"] {
        rows.push(denied(
            Provider,
            create("clusterrole/mine", rule("regions", json!(["410000"]), &["get", verb])),
            lack,
        ));
        rows.push(denied(Provider, create("clusterrole/mine", rule("regions", json!([]), &[verb])), all));
    }
    rows.extend([
        allowed(Province, create("clusterrole/mine", approve())),
        allowed(ClusterAdmin, create("clusterrole/mine", approve())),
        denied(Province, create("clusterrole/mine", rule("regions", json!(["410100"]), &["approve"])), "regions.govcloud.dev/410100"),
        denied(Province, create("clusterrole/mine", rule("regions", json!(["410000", "410100"]), &["approve"])), all),
        denied(Province, create("clusterrole/mine", any_group.clone()), all),
        denied(Provider, create("clusterrole/mine", any_group), all),
        allowed(Province, create("role/mine@dept-transport", rule("decommissions", json!([]), &["consent"]))),
        denied(Province, create("role/mine@dept-zhengzhou-health", rule("decommissions", json!([]), &["consent"])), "regions.govcloud.dev/410100"),
        denied(Provider, delete("clusterrole/govcloud:authority:410000"), lack),
        allowed(Province, delete("clusterrole/govcloud:authority:410000")),
        allowed(Provider, create("clusterrole/mine", rule("regions", json!([]), &["get", "list"]))),
        allowed(Provider, create("clusterrole/mine", json!({"rules": [{"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["approve"]}]}))),
        allowed(Department, label("clusterrole/view", "example.org/a=b")),
        // Stored with `rules: null`.
        allowed(Provider, create("clusterrole/gathered", json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}}))),
    ]);
    rows
}

/// Roles by which their holder acts as somebody else, or deletes without admission (docs/security.md).
fn impersonation() -> Vec<Row> {
    let all = "you lack verb administer on regions.govcloud.dev (all regions)";
    let one = |group: &str, resource: &str, verb: &str| json!({"rules": [{"apiGroups": [group], "resources": [resource], "verbs": ["get", verb]}]});
    let mut rows = Vec::new();
    for (group, resource, verb) in [
        ("", "users", "impersonate"),
        ("", "groups", "impersonate"),
        ("", "serviceaccounts", "impersonate"),
        ("authentication.k8s.io", "userextras/scopes", "impersonate"),
        ("authentication.k8s.io", "users", "impersonate:user-info"),
        ("authentication.k8s.io", "serviceaccounts", "impersonate:serviceaccount"),
        ("authentication.k8s.io", "users", "*"),
        ("govcloud.dev", "cloudapplications", "impersonate-on:user-info:patch"),
        ("govcloud.dev", "*", "impersonate-on:serviceaccount:update"),
        ("*", "*", "impersonate-on:arbitrary-node:get"),
        ("govcloud.dev", "cloudapplications", "unsafe-delete-ignore-read-errors"),
        ("", "persistentvolumes", "unsafe-delete-ignore-read-errors"),
    ] {
        for who in [Province, Provider, Department, Operator] {
            rows.push(denied(who, create("clusterrole/mine", one(group, resource, verb)), all));
        }
        // In a filing namespace too it is no matter of one region alone.
        rows.push(denied(Province, create("role/mine@dept-transport", one(group, resource, verb)), all));
        rows.push(denied(Provider, create("role/mine@plain", one(group, resource, verb)), all));
        rows.push(allowed(ClusterAdmin, create("clusterrole/mine", one(group, resource, verb))));
        rows.push(allowed(RoleAggregator, create("clusterrole/mine", one(group, resource, verb))));
    }
    rows.extend([
        allowed(Provider, create("clusterrole/mine", one("", "serviceaccounts", "*"))),
        allowed(
            Provider,
            create("clusterrole/mine", one("apps", "deployments", "impersonate-on:user-info:get")),
        ),
        denied(RoleAggregator, create("clusterrole/mine", rule("regions", json!([]), &["approve"])), all),
    ]);
    rows
}

/// Webhooks that could rewrite records, and the list of mutators that are trusted.
fn mutators() -> Vec<Row> {
    let by_name = "holder of verb install on gates.govcloud.dev, granted by name";
    let of = |group: &str| {
        let mut hook = hook("pods");
        hook["webhooks"][0]["rules"][0]["apiGroups"] = json!([group]);
        hook
    };
    let release = |allowed: &str| json!({"data": {"objects": "{}", "allowedMutators": allowed}});
    let mut rows = Vec::new();
    for who in [ClusterAdmin, Province, Provider, Harness] {
        for group in ["govcloud.dev", "*"] {
            rows.push(denied(who, create("mutatinghook/mine", of(group)), by_name));
            rows.push(denied(who, merge("mutatinghook/pods", of(group)), by_name));
        }
        rows.push(allowed(who, create("mutatinghook/mine", of(""))));
        rows.push(allowed(who, delete("mutatinghook/pods")));
    }
    let listed = "{\"MutatingAdmissionPolicy/mine\": \"sha256:0\"}";
    for who in [ClusterAdmin, Harness] {
        rows.push(denied(
            who,
            create("configmap/govcloud-release@govcloud-system", release(listed)),
            by_name,
        ));
        rows.push(allowed(who, create("configmap/govcloud-release@govcloud-system", release(""))));
    }
    for who in [Province, Provider, Operator] {
        let lack = "a release is recorded by a holder of administer | granted by name";
        rows.push(denied(who, create("configmap/govcloud-release@govcloud-system", release(listed)), lack));
    }
    rows.push(allowed(Installer, create("mutatinghook/mine", of("govcloud.dev"))));
    rows.push(allowed(Installer, create("configmap/govcloud-release@govcloud-system", release(listed))));
    rows
}

fn bindings() -> Vec<Row> {
    let to = |role: &str| json!({"roleRef": {"name": role}});
    let lack = "you lack verb administer on regions.govcloud.dev/410000 | in tenant namespaces alone";
    let all = "you lack verb administer on regions.govcloud.dev (all regions)";
    let me = json!({"subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "govcloud:provider"}]});
    let mut rows = Vec::new();
    for who in [Department, Provider, City, Pipeline, Operator] {
        rows.push(denied(who, create("clusterbinding/mine", to("govcloud:authority:410000")), lack));
        rows.push(denied(who, merge("clusterbinding/govcloud:authority:410000", me.clone()), lack));
        rows.push(denied(who, create("binding/mine@dept-transport", to("govcloud:department")), lack));
        rows.push(denied(who, create("clusterbinding/mine", to("govcloud:department")), all));
    }
    rows.extend([
        allowed(Province, create("clusterbinding/mine", to("govcloud:authority:410000"))),
        allowed(City, create("clusterbinding/mine", to("govcloud:authority:410100"))),
        allowed(Province, create("binding/mine@dept-transport", to("govcloud:department"))),
        denied(
            Province,
            create("binding/mine@dept-zhengzhou-health", to("govcloud:department")),
            "regions.govcloud.dev/410100",
        ),
        allowed(ClusterAdmin, create("clusterbinding/mine", to("govcloud:department"))),
        denied(Provider, delete("clusterbinding/govcloud:authority:410000"), lack),
        allowed(Provider, create("clusterbinding/mine", to("view"))),
        allowed(Department, create("binding/mine@plain", to("edit"))),
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
        "crd/statements.govcloud.dev",
    ] {
        for who in [Provider, ClusterAdmin, Province, Operator] {
            rows.push(denied(who, delete(target), every));
        }
        rows.push(denied(
            ClusterAdmin,
            merge(target, webhook.clone()),
            "spec.conversion.strategy stays None",
        ));
        rows.push(allowed(ClusterAdmin, label(target, "example.org/a=b")));
    }
    for target in [
        "crd/cloudapplications.govcloud.dev",
        "crd/decommissions.govcloud.dev",
        "crd/resourcegrants.govcloud.dev",
        "crd/regions.govcloud.dev",
    ] {
        rows.push(denied(
            ClusterAdmin,
            versions(target, "subresources", Value::Null),
            "every version keeps subresources.status",
        ));
        let scale = json!({"status": {}, "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}});
        rows.push(denied(
            ClusterAdmin,
            versions(target, "subresources", scale),
            "no version has subresources.scale",
        ));
    }
    rows.extend([
        allowed(ClusterAdmin, annotate("crd/regions.govcloud.dev", "allow-removal=$uid")),
        denied(ClusterAdmin, aggregated_alpha2(), "is served by the API server itself"),
    ]);
    rows
}

/// A CRD with this in its only version.
fn versions(target: &'static str, field: &'static str, value: Value) -> Ask {
    Ask::EveryVersion(target, field, value)
}
