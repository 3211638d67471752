//! Manifests that chart and kustomization render, without a release.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::Actor;
use e2e::paths::in_repository;
use e2e::suite::Context;
use e2e::tools::{Tools, chart};
use govcloud_domain::release;
use serde_json::{Value, json};

use crate::schemas;

/// API versions of an API server of 1.36 and later, which Helm cannot know without one.
const STAMPS: &str = "--api-versions=admissionregistration.k8s.io/v1/MutatingAdmissionPolicy";

/// Checks of kube-score that we do not follow, each with its reason.
const NOT_DONE: [(&str, &str, &str); 3] = [
    ("Deployment", "ImagePullPolicy", "the image is named by version or digest, which does not change"),
    ("Pod", "ImagePullPolicy", "the same"),
    ("Pod", "matching NetworkPolicy", "the Pod of `helm test` lives for a second and is asked by nobody"),
];

/// The sets of values that the chart is tried with: `ci/*-values.yaml`.
fn values() -> Result<Vec<PathBuf>> {
    let mut files: Vec<_> =
        fs::read_dir(chart().join("ci"))?.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    ensure!(files.len() >= 3, "{files:?}");
    Ok(files)
}

/// `helm template` with these further arguments.
fn template(tools: &Tools, args: &[&str]) -> Result<String> {
    let chart = chart().display().to_string();
    let base = ["template", "govcloud-operator", &chart, "--namespace=govcloud-system"];
    tools.run("helm", &[&base, args].concat())
}

/// The objects of a YAML stream.
pub fn objects(text: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text)?;
    Ok(documents.into_iter().filter(|d| !d.is_null()).collect())
}

pub async fn every_set_of_values_renders_valid_manifests(context: Context) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let scratch = tempfile::tempdir()?;
    let openapi = context.cluster.kubectl(Actor::Admin).run(&["get", "--raw", "/openapi/v2"]).await?;
    let openapi: Value = serde_json::from_str(&openapi)?;
    let (mut rendered, mut checked) = (0, 0);
    for file in values()? {
        let (path, chart) = (file.display().to_string(), chart().display().to_string());
        tools.run("helm", &["lint", "--strict", "--namespace=govcloud-system", "--values", &path, &chart])?;
        let text = template(&tools, &["--values", &path, STAMPS])?;
        let all = objects(&text)?;
        schemas::write(&openapi, &all, scratch.path())?;
        let manifests = scratch.path().join("manifests.yaml");
        fs::write(&manifests, &text)?;
        let manifests = manifests.display().to_string();
        let location = format!("{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", scratch.path().display());
        // The Prometheus operator's kinds are not of this API server; its CRDs check them where it is installed.
        let args = ["-strict", "-summary", "-output=json", "-skip=ServiceMonitor,PrometheusRule"];
        let args = [&args[..], &["-schema-location", &location, &manifests]].concat();
        let summary: Value = serde_json::from_str(&tools.run("kubeconform", &args)?)?;
        ensure!(summary["summary"]["valid"].as_u64() >= Some(10), "{summary}");
        checked += summary["summary"]["valid"].as_u64().unwrap_or(0);
        rendered += all.len();
        score(&tools, &manifests)?;
    }
    let wrong = scratch.path().join("wrong.yaml");
    fs::write(&wrong, "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}\n")?;
    let location = format!("{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", scratch.path().display());
    let args = ["-strict", "-schema-location", &location, &wrong.display().to_string()];
    let output = tools.output("kubeconform", &args)?;
    ensure!(!output.status.success(), "kubeconform accepts a field that does not exist");
    println!("chart: {} sets of values, {rendered} objects, {checked} valid by schema", values()?.len());
    Ok(())
}

/// kube-score finds nothing but what [`NOT_DONE`] says.
fn score(tools: &Tools, manifests: &str) -> Result<()> {
    let args = ["score", "--kubernetes-version=v1.37", "--output-format=ci", manifests];
    let output = tools.output("kube-score", &args)?;
    let (text, text_of) = (String::from_utf8(output.stdout)?, fs::read_to_string(manifests)?);
    ensure!(text.contains("[OK]"), "kube-score looked at nothing: {text}");
    for line in text.lines().filter(|l| l.starts_with("[CRITICAL]") || l.starts_with("[WARNING]")) {
        let known =
            NOT_DONE.iter().any(|(kind, what, _)| line.contains(&format!("/{kind}:")) && line.contains(what));
        // A set of values leaves parts out on purpose.
        let asked = line.contains("matching NetworkPolicy") && !text_of.contains("kind: NetworkPolicy")
            || line.contains("few replicas") && text_of.contains("replicas: 1");
        ensure!(known || asked, "kube-score: {line}");
    }
    Ok(())
}

/// Wrong values, and the place that the refusal names.
fn wrong() -> Vec<(&'static str, &'static str)> {
    vec![
        ("replica=2", "additional properties 'replica' not allowed"),
        ("image.name=x", "additional properties 'name' not allowed"),
        ("replicas=0", "at '/replicas'"),
        ("replicas=two", "at '/replicas'"),
        ("image.tag=a b", "at '/image/tag'"),
        ("image.digest=sha256:short", "at '/image/digest'"),
        ("image.pullPolicy=Sometimes", "at '/image/pullPolicy'"),
        ("crds.keep=maybe", "at '/crds/keep'"),
        ("policies.namespaceController=a'b", "at '/policies/namespaceController'"),
        ("policies.namespaceController=", "at '/policies/namespaceController'"),
        ("policies.allowedMutators.Secret/x=sha256:0", "invalid propertyName 'Secret/x'"),
        ("policies.allowedMutators.MutatingWebhookConfiguration/x=yes", "at '/policies/allowedMutators/"),
        ("flowControl.nominalConcurrencyShares=0", "at '/flowControl/nominalConcurrencyShares'"),
        ("log.format=xml", "at '/log/format'"),
        ("extraArgs[0]=listen", "at '/extraArgs/0'"),
        ("cloudEvents.sink=broker.events.svc", "at '/cloudEvents/sink'"),
        ("cloudEvents.source=https://cluster-1.example", "at '/cloudEvents/source'"),
        ("cloudEvents.tokenSecret.name=events-token", "at '/cloudEvents/tokenSecret/name'"),
        ("cloudEvents.token=secret", "additional properties 'token' not allowed"),
        ("prometheus.urls[0]=prometheus.monitoring.svc", "at '/prometheus/urls/0'"),
        ("prometheus.url=http://prometheus", "additional properties 'url' not allowed"),
        ("extraVolumes[0].configMap.name=x", "at '/extraVolumes/0'"),
        ("extraVolumes[0].name=cloudevents-token", "at '/extraVolumes/0/name'"),
        ("extraVolumeMounts[0].name=x", "at '/extraVolumeMounts/0'"),
        ("resources.limits.memory=lots", "at '/resources/limits/memory'"),
        ("podLabels.app\\.kubernetes\\.io/name=x", "invalid propertyName 'app.kubernetes.io/name'"),
        ("networkPolicy.apiServerPorts[0]=70000", "at '/networkPolicy/apiServerPorts/0'"),
        ("metrics.serviceMonitor.interval=soon", "at '/metrics/serviceMonitor/interval'"),
        ("metrics.prometheusRule.runbookBaseUrl=docs", "at '/metrics/prometheusRule/runbookBaseUrl'"),
        (
            "metrics.prometheusRule.runbookBaseUrl=https://git.example/x",
            "at '/metrics/prometheusRule/runbookBaseUrl'",
        ),
    ]
}

pub async fn wrong_values_are_refused_with_the_place(_: Context) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    for (set, place) in wrong() {
        match template(&tools, &["--set", set]) {
            Ok(_) => bail!("{set} is accepted"),
            Err(e) => ensure!(e.to_string().contains(place), "{set}: {e} does not say {place}"),
        }
    }
    let chart = chart().display().to_string();
    let elsewhere = tools.run("helm", &["template", "x", &chart, "--namespace=default"]);
    let said = elsewhere.err().context("another namespace is accepted")?.to_string();
    ensure!(said.contains("--namespace govcloud-system --create-namespace"), "{said}");
    println!("chart: {} wrong values refused with their place", wrong().len());
    Ok(())
}

/// The `runbook_url` of each alert, as the chart renders it with these values.
fn runbooks(tools: &Tools, args: &[&str]) -> Result<BTreeMap<String, String>> {
    let enabled =
        ["--set=metrics.prometheusRule.enabled=true", "--set=metrics.prometheusRule.staticPolicies=true"];
    let all = objects(&template(tools, &[&enabled[..], args].concat())?)?;
    let rule = all.iter().find(|o| o["kind"] == "PrometheusRule").context("no PrometheusRule")?;
    let rules = rule["spec"]["groups"].as_array().into_iter().flatten();
    let alerts = rules.filter_map(|g| g["rules"].as_array()).flatten().map(|rule| {
        let name = rule["alert"].as_str().context("a rule without an alert")?;
        let url =
            rule["annotations"]["runbook_url"].as_str().with_context(|| format!("{name} has no page"))?;
        Ok((name.to_owned(), url.to_owned()))
    });
    alerts.collect()
}

pub async fn runbook_urls_follow_the_mirror(_: Context) -> Result<()> {
    const MIRROR: &str = "https://git.example/govcloud-operator/blob/v0.1.0/";
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let plain = runbooks(&tools, &[])?;
    let set = format!("--set=metrics.prometheusRule.runbookBaseUrl={MIRROR}");
    let linked = runbooks(&tools, &[&set])?;
    ensure!(plain.len() > 5 && plain.len() == linked.len(), "{plain:?}");
    ensure!(
        plain.contains_key("GovcloudKeeperMissing"),
        "the alerts on API servers are not there: {plain:?}"
    );
    let without = runbooks(&tools, &["--set=metrics.prometheusRule.staticPolicies=false"])?;
    ensure!(!without.contains_key("GovcloudKeeperMissing"), "without the keeper it fires for good");
    for (alert, page) in &plain {
        ensure!(in_repository(page).is_file(), "{alert}: there is no {page}");
        ensure!(linked[alert] == format!("{MIRROR}{page}"), "{alert}: {}", linked[alert]);
    }
    let enabled =
        ["--set=metrics.prometheusRule.enabled=true", "--set=metrics.prometheusRule.utilization=true"];
    let recording = template(&tools, &enabled)?;
    ensure!(recording.contains("record: govcloud:namespace_use"), "the recording rules are not there");
    println!("chart: {} runbooks, each with a page here, and before it the mirror's address", plain.len());
    Ok(())
}

pub async fn allowed_mutators_are_in_the_release_record(_: Context) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let digest = format!("sha256:{}", "0".repeat(64));
    let set = format!("--set=policies.allowedMutators.MutatingWebhookConfiguration/example={digest}");
    let allowed = |text: &str| -> Result<_> {
        let all = objects(text)?;
        let record = |o: &&Value| o["kind"] == "ConfigMap" && o["metadata"]["name"] == release::RELEASE;
        let record = all.iter().find(record).context("no release record")?;
        Ok(release::read_allowed_mutators(&record["data"]))
    };
    let listed = allowed(&template(&tools, &[&set])?)?;
    ensure!(listed.get("MutatingWebhookConfiguration/example") == Some(&digest), "{listed:?}");
    ensure!(allowed(&template(&tools, &[])?)?.is_empty());
    Ok(())
}

/// The flags of CloudEvents, the token as a file, and a CA bundle: the operator that knows them can read them.
pub async fn events_token_and_volumes_reach_the_operator(_: Context) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let pod = |args: &[&str]| -> Result<Value> {
        let all = objects(&template(&tools, args)?)?;
        let deployment = all.iter().find(|o| o["kind"] == "Deployment").context("no Deployment")?;
        Ok(deployment["spec"]["template"]["spec"].clone())
    };
    let everything = chart().join("ci/everything-values.yaml").display().to_string();
    let pod_with = pod(&["--values", &everything])?;
    let container = &pod_with["containers"][0];
    for flag in [
        "--cloudevents-sink=https://broker.events.svc/govcloud",
        "--cloudevents-source=https://cluster-1.henan.example",
        "--cloudevents-token-file=/var/run/secrets/govcloud/cloudevents/bearer",
        "--prometheus-url=http://prometheus-0.monitoring.svc:9090,http://prometheus-1.monitoring.svc:9090",
    ] {
        ensure!(container["args"].as_array().context("no args")?.contains(&json!(flag)), "{container}");
    }
    let mounts = json!([
        { "name": "cloudevents-token", "mountPath": "/var/run/secrets/govcloud/cloudevents", "readOnly": true },
        { "name": "ca-bundle", "mountPath": "/etc/ssl/bundle", "readOnly": true },
    ]);
    ensure!(container["volumeMounts"] == mounts, "{}", container["volumeMounts"]);
    let volumes = json!([
        { "name": "cloudevents-token",
          "secret": { "secretName": "events-token", "items": [{ "key": "bearer", "path": "bearer" }] } },
        { "name": "ca-bundle", "configMap": { "name": "ca-bundle" } },
    ]);
    ensure!(pod_with["volumes"] == volumes, "{}", pod_with["volumes"]);
    let sink_only = pod(&["--set=cloudEvents.sink=http://sink.events.svc"])?;
    ensure!(sink_only["volumes"].is_null() && sink_only["containers"][0]["volumeMounts"].is_null());
    let plain = pod(&[])?.to_string();
    ensure!(!plain.contains("cloudevents") && !plain.contains("volumes"), "{plain}");
    Ok(())
}

pub async fn an_older_api_server_gets_no_mutating_policies(_: Context) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let kinds = |text: &str| -> Result<Vec<String>> {
        Ok(objects(text)?.iter().map(|o| o["kind"].as_str().unwrap_or_default().to_owned()).collect())
    };
    let old = kinds(&template(&tools, &["--kube-version=1.35.0"])?)?;
    let new = kinds(&template(&tools, &["--kube-version=1.36.0", STAMPS])?)?;
    let count = |kinds: &[String], kind: &str| kinds.iter().filter(|k| *k == kind).count();
    ensure!(count(&old, "MutatingAdmissionPolicy") == 0 && count(&new, "MutatingAdmissionPolicy") == 1);
    ensure!(count(&old, "ValidatingAdmissionPolicy") == count(&new, "ValidatingAdmissionPolicy"));
    Ok(())
}

pub async fn kustomize_renders_the_same_objects(context: Context) -> Result<()> {
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let default = in_repository("config/default").display().to_string();
    let kubectl = context.cluster.kubectl(Actor::Admin);
    let mut ours = by_name(objects(&kubectl.run(&["kustomize", &default]).await?)?);
    let mut helms = by_name(objects(&template(&tools, &[STAMPS])?)?);
    // Helm keeps its release in the namespace, so it cannot bring it; and only Helm has tests.
    ensure!(ours.remove("v1/Namespace//govcloud-system").is_some());
    ensure!(helms.remove("v1/Pod/govcloud-system/govcloud-operator-ready").is_some());
    let names = |m: &BTreeMap<String, Value>| m.keys().cloned().collect::<Vec<_>>();
    ensure!(names(&ours) == names(&helms), "kustomize: {:#?}\nhelm: {:#?}", names(&ours), names(&helms));
    for (name, object) in &ours {
        ensure!(
            *object == helms[name],
            "{name} differs\nkustomize:\n{}\nhelm:\n{}",
            serde_saphyr::to_string(object)?,
            serde_saphyr::to_string(&helms[name])?
        );
    }
    // In this order they are applied: what the guard must know comes before what it will see change.
    let order = objects(&kubectl.run(&["kustomize", &default]).await?)?;
    let first = |kind: &str| order.iter().position(|o| o["kind"] == kind).context(kind.to_owned());
    let release = first("ConfigMap")?;
    for later in
        ["CustomResourceDefinition", "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy", "Deployment"]
    {
        ensure!(release < first(later)?, "the release is recorded after the first {later}");
    }
    println!("chart: {} objects, the same from kustomize and from helm", ours.len());
    Ok(())
}

/// Objects by version, kind, namespace and name, without what only marks the installer.
fn by_name(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let named = objects.into_iter().map(|mut o| {
        for marks in ["labels", "annotations"] {
            let Some(map) = o["metadata"].get_mut(marks).and_then(Value::as_object_mut) else { continue };
            map.retain(|k, _| !k.starts_with("helm.sh/") && !INSTALLER.contains(&k.as_str()));
            if map.is_empty() {
                o["metadata"].as_object_mut().map(|m| m.remove(marks));
            }
        }
        plain(&mut o);
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let (meta, version, kind) = (&o["metadata"], text(&o["apiVersion"]), text(&o["kind"]));
        (format!("{version}/{kind}/{}/{}", text(&meta["namespace"]), text(&meta["name"])), o)
    });
    named.collect()
}

/// Labels that say who installed.
const INSTALLER: [&str; 3] =
    ["app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version"];

/// Numbers by value, and white space at the folds of YAML as one space: neither makes another object.
fn plain(value: &mut Value) {
    match value {
        Value::Number(n) => *value = json!(n.as_f64()),
        Value::String(s) => *s = s.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Object(fields) => fields.values_mut().for_each(plain),
        _ => {}
    }
}
