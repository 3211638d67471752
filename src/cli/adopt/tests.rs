use super::*;
use crate::output::Lang;
use report::When;

const UID: &str = "4f3c2b1a-0000-4000-8000-00000000000a";

fn namespace(labels: Value, annotations: Value) -> Value {
    json!({ "metadata": { "name": "legacy-portal", "uid": "a1", "labels": labels, "annotations": annotations } })
}

fn pod(name: &str, requests: Value) -> Value {
    let container = json!({ "name": "main", "resources": { "requests": requests } });
    json!({ "metadata": { "name": name }, "spec": { "containers": [container] }, "status": { "phase": "Running" } })
}

/// A system that runs, with everything that an adoption has to look at.
fn seen() -> Seen {
    let claim = |name: &str, class: &str| {
        json!({ "metadata": { "name": name }, "spec": { "storageClassName": class, "volumeName": format!("pv-{name}"),
            "resources": { "requests": { "storage": "10Gi" } } } })
    };
    let volume = |name: &str, policy: &str| json!({ "metadata": { "name": name }, "spec": { "persistentVolumeReclaimPolicy": policy } });
    let named = |name: &str| vec![json!({ "metadata": { "name": name } })];
    Seen {
        namespace: namespace(json!({}), json!({ "govcloud.dev/adopt-out": UID })),
        pods: vec![pod("web-0", json!({ "cpu": "500m", "memory": "1Gi" })), pod("job", json!({}))],
        claims: vec![claim("data", "hostpath"), claim("old", "nfs")],
        volumes: vec![volume("pv-data", "Retain"), volume("pv-old", "Delete")],
        services: vec![
            json!({ "metadata": { "name": "front" }, "spec": { "type": "LoadBalancer", "ports": [{ "port": 443, "nodePort": 30443 }] } }),
        ],
        quotas: named("team"),
        limits: named("team"),
        policies: named("allow-all"),
        bindings: named("contractor"),
        classes: Some(vec!["hostpath".to_owned()]),
        application: Some(UID.to_owned()),
        pod_security: Some(PodSecurityAnswer {
            level: "restricted".to_owned(),
            asked: true,
            warnings: Vec::new(),
        }),
        unread: Vec::new(),
    }
}

fn reasons(report: &Report, when: When) -> Vec<&'static str> {
    report.items.iter().filter(|item| item.when == when).map(|item| item.reason).collect()
}

#[test]
fn a_check_tells_what_adoption_changes() {
    let report = Report::of(&seen());
    assert_eq!(reasons(&report, When::Before), [""; 0]);
    assert_eq!(reasons(&report, When::BeforeEnforcing), [""; 0]);
    let known = reasons(&report, When::Known);
    assert_eq!(
        known,
        [
            "NoRequests",
            "OpenService",
            "DeletedVolumes",
            "OtherClass",
            "Foreign",
            "Foreign",
            "Foreign",
            "Foreign"
        ]
    );
    assert!(report.is_ready());
    for lang in [Lang::Zh, Lang::En] {
        let text = text::text(&report, lang);
        for part in
            ["legacy-portal", "front", "job", "pv-old", "old (nfs)", "team", "contractor", "requests.cpu"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn use_is_counted_as_a_quota_counts_it() {
    let mut seen = seen();
    let sidecar =
        json!({ "name": "proxy", "restartPolicy": "Always", "resources": { "requests": { "cpu": "250m" } } });
    let first = json!({ "name": "migrate", "resources": { "requests": { "cpu": "2" } } });
    seen.pods[0]["spec"]["initContainers"] = json!([sidecar, first]);
    let mut done = pod("done", json!({ "cpu": "64" }));
    done["status"]["phase"] = json!("Succeeded");
    seen.pods.push(done);
    let used = Report::of(&seen).used;
    for (key, amount) in [
        ("pods", "2"),
        // The init container that runs alone is larger than the rest together.
        ("requests.cpu", "2"),
        ("requests.memory", "1Gi"),
        ("persistentvolumeclaims", "2"),
        ("requests.storage", "20Gi"),
        ("nfs.storageclass.storage.k8s.io/requests.storage", "10Gi"),
        ("services.loadbalancers", "1"),
        ("services.nodeports", "1"),
    ] {
        assert_eq!(used[key], amount, "{key}");
    }
}

#[test]
fn an_owner_has_to_let_go_first() {
    for (labels, annotations, owner) in [
        (
            json!({}),
            json!({ "meta.helm.sh/release-name": "portal" }),
            "Helm: meta.helm.sh/release-name=portal",
        ),
        (
            json!({}),
            json!({ "argocd.argoproj.io/tracking-id": "x" }),
            "Argo CD: argocd.argoproj.io/tracking-id=x",
        ),
        (json!({ "kustomize.toolkit.fluxcd.io/name": "apps" }), json!({}), "Flux: kustomize"),
        (json!({ "capsule.clastix.io/tenant": "oil" }), json!({}), "Capsule: capsule"),
        (json!({}), json!({ "field.cattle.io/projectId": "c:p" }), "Rancher: field"),
    ] {
        let mut seen = seen();
        seen.namespace = namespace(labels, annotations);
        seen.namespace["metadata"]["annotations"]["govcloud.dev/adopt-out"] = json!(UID);
        let report = Report::of(&seen);
        assert_eq!(reasons(&report, When::Before), ["ForeignOwner", "LetGo"], "{owner}");
        assert!(report.items.iter().any(|item| item.en.starts_with(owner)), "{owner}: {:?}", report.items);
    }
    let mut seen = seen();
    seen.namespace["metadata"]["ownerReferences"] = json!([{ "kind": "Tenant", "name": "oil" }]);
    assert_eq!(reasons(&Report::of(&seen), When::Before), ["ForeignOwner", "LetGo"]);
}

#[test]
fn without_the_holders_word_it_is_not_ready() {
    let mut seen = seen();
    assert!(Report::of(&seen).is_ready());
    seen.namespace = namespace(json!({}), json!({}));
    assert_eq!(reasons(&Report::of(&seen), When::Before), ["NotReleased"]);
    seen.application = None;
    assert!(Report::of(&seen).is_ready(), "nobody was named to whom it is given");
}

#[test]
fn pod_security_is_said_with_its_bound() {
    let warned = |warnings: &[&str], asked| {
        let warnings = warnings.iter().map(|w| (*w).to_owned()).collect();
        Some(PodSecurityAnswer { level: "restricted".to_owned(), asked, warnings })
    };
    let mut seen = seen();
    seen.pod_security = warned(&["web-0: runAsNonRoot != true"], true);
    assert_eq!(reasons(&Report::of(&seen), When::BeforeEnforcing), ["PodSecurity"]);
    seen.pod_security = warned(&[], false);
    assert_eq!(reasons(&Report::of(&seen), When::BeforeEnforcing), ["PodSecurityNotAsked"]);
    seen.pod_security = warned(&[], true);
    seen.pods = (0..=report::POD_SECURITY_PODS).map(|n| pod(&format!("p{n}"), json!({}))).collect();
    let report = Report::of(&seen);
    assert_eq!(reasons(&report, When::BeforeEnforcing), ["PodSecurityPartial"]);
    assert!(report.items.iter().any(|item| item.en.contains("3000 pods and for 1 s")));
}

#[test]
fn a_warning_header_is_read() {
    assert_eq!(
        warning(r#"299 - "existing pods in namespace \"x\" violate""#),
        r#"existing pods in namespace "x" violate"#
    );
    assert_eq!(warning("odd"), "odd");
}

#[test]
fn json_has_the_use_and_both_languages() {
    let shown = serde_json::to_value(Report::of(&seen())).unwrap();
    assert_eq!(shown["use"]["pods"], "2");
    assert_eq!(shown["podSecurity"]["level"], "restricted");
    let first = &shown["items"][0];
    assert!(first["when"] == "Known" && first["zh"].is_string() && first["en"].is_string(), "{first}");
}
