//! One life under observation: two replicas, a real Prometheus, a collector of spans, logs at their most talkative.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{self, Actor, OPERATOR_SERVICE_ACCOUNT};
use e2e::cluster::Cluster;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition, sample};
use e2e::operator::{Operator, Options};
use e2e::paths::in_repository;
use e2e::prometheus::Prometheus;
use e2e::suite::Context;
use e2e::wait::eventually;
use serde_json::json;

use super::queries;
use super::secrets::{self, OPINION};
use super::traces::Collector;

/// A replica that tells all: everything to its log, every span to the collector.
async fn replica(cluster: &Cluster, name: &str, collector: &Collector, format: &str) -> Result<Operator> {
    let env = [
        ("POD_NAME", name),
        ("RUST_LOG", "debug"),
        ("GOVCLOUD_LOG_FORMAT", format),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint()),
        ("OTEL_BSP_SCHEDULE_DELAY", "500"),
    ];
    let env = env.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
    Operator::start(&cluster.plane, Options { name: name.to_owned(), env, ..Options::default() }).await
}

pub async fn a_life_is_seen_by_prometheus_and_the_collector_and_not_in_the_logs(
    context: Context,
) -> Result<()> {
    let cluster = &context.cluster;
    let collector = Collector::start().await?;
    let mut leading = replica(cluster, "observed-a", &collector, "json").await?;
    eventually("the first replica leads", PATIENCE, || async {
        Ok(leading.get("/readyz").await?.contains("ready: leading").then_some(()))
    })
    .await?;
    let mut standby = replica(cluster, "observed-b", &collector, "text").await?;
    let ready = standby.get("/readyz").await?;
    ensure!(ready.starts_with("HTTP/1.1 200") && ready.contains("standing by"), "{ready}");
    ensure!(standby.get("/healthz").await?.starts_with("HTTP/1.1 200"), "the standby is not healthy");
    let metrics = leading.get("/metrics").await?;
    let (head, body) = metrics.split_once("\r\n\r\n").context("no head")?;
    ensure!(
        head.contains("application/openmetrics-text; version=1.0.0") && body.trim_end().ends_with("# EOF"),
        "{head}"
    );
    let rules = in_repository("config/monitoring/rules.yaml");
    let targets = [leading.address(), standby.address()];
    let prometheus = Prometheus::start(&cluster.plane.root().join("prometheus"), &rules, &targets).await?;

    let namespace = context.filing_namespace("dept-observed", HENAN).await?;
    let uid = life(cluster, &context, &namespace).await?;
    queries::run(&prometheus).await?;
    one_leads(&prometheus).await?;
    collector.check(&namespace, &uid).await?;
    a_violation_is_reported(cluster, &leading, &prometheus).await?;

    let application = fixtures::sample("travel.yaml")?;
    let report = sample("travel-report.yaml")?;
    let materials = &application["spec"]["materials"];
    let said =
        [&materials["projectApproval"], &materials["technicalPlan"], &report["spec"]["goLive"]["testReport"]];
    let kubeconfig = actors::kubeconfig(cluster.plane.root(), OPERATOR_SERVICE_ACCOUNT);
    the_standby_takes_over_at_once(&mut leading, &standby).await?;
    standby.stop()?;
    secrets::none(&said, &kubeconfig, &[leading.log(), standby.log()], &collector.raw())
}

/// A life until each metric exists: decided, live, reported, and out again; beside it one that is stalled, one
/// that waits for the authority, and one with a clock that runs.
async fn life(cluster: &std::sync::Arc<Cluster>, context: &Context, namespace: &str) -> Result<String> {
    fixtures::regions(cluster).await?;
    let department = Department::open(cluster, namespace, HENAN).await?;
    let mut stalled = department.application("stalled")?;
    stalled["spec"]["materials"]["projectApproval"]["issuedOn"] = json!("2999-01-01");
    department.file(&stalled).await?;
    department.file(&fixtures::sample("travel-mlps.yaml")?).await?;
    department.file(&department.application("waiting")?).await?;
    let open = department.provision(department.application("open")?).await?;
    department.fill(&Department::tenant(&open, "prod")?.0, "data", "data").await?;
    department.file(&secrets::mark(department.application("travel")?)).await?;
    let judged = department.judged(Kind::Application, "travel", "Valid").await?;
    let annotations = json!({
        "govcloud.dev/decision": "approved", "govcloud.dev/opinion": OPINION,
        "govcloud.dev/reviewed-generation": judged.metadata.generation.unwrap_or_default().to_string(),
    });
    let decision = json!({"metadata": {"annotations": annotations}});
    department.amend_as(department.authority, Kind::Application, "travel", decision).await?;
    let life = department.phase(Kind::Application, "travel", "Provisioned").await?;
    let (tenant, _) = Department::tenant(&life, "prod")?;
    context.dump_on_failure(&tenant);
    department.fill(&tenant, "data", "data").await?;
    department.fill(&tenant, "archive", "archive").await?;
    department.go_live("travel").await?;
    let disposition = json!({"default": "Retain", "volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}]});
    department.leave(department.exit("travel-exit", "travel", disposition)?).await?;
    department.phase(Kind::Exit, "travel-exit", "Completed").await?;
    department.phase(Kind::Application, "travel", "Exited").await?;
    let held = |s: &serde_json::Value| condition(s, "Stalled")["reason"] == "DocumentInFuture";
    department.until(Kind::Application, "stalled", "is stalled", held).await?;
    life.metadata.uid.context("no uid")
}

/// Both replicas show the same state, and one of them leads. The standby's queue is empty.
async fn one_leads(prometheus: &Prometheus) -> Result<()> {
    prometheus.finds("count(govcloud_build_info) == 2", PATIENCE).await?;
    prometheus.finds("sum(govcloud_leader) == 1", PATIENCE).await?;
    let same = r#"count by (region, kind, phase) (govcloud_records) == 2
        and on (region, kind, phase) max by (region, kind, phase) (govcloud_records)
        == on (region, kind, phase) min by (region, kind, phase) (govcloud_records)"#;
    prometheus.finds(same, PATIENCE).await?;
    prometheus
        .finds("count(govcloud_queue_length == 0 and on (instance) govcloud_leader == 0) == 1", PATIENCE)
        .await?;
    prometheus
        .finds("govcloud_queue_adds_total == 0 and on (instance) govcloud_leader == 0", PATIENCE)
        .await?;
    let writes = prometheus.query(r#"sum by (instance) (govcloud_writes_total{action="status"})"#).await?;
    ensure!(writes.len() == 1, "both replicas wrote: {writes:?}");
    Ok(())
}

/// Ended by SIGTERM, the leader releases the lease, and the standby need not wait until it expires.
async fn the_standby_takes_over_at_once(leading: &mut Operator, standby: &Operator) -> Result<()> {
    let status = leading.stop()?.context("the leader had ended before")?;
    ensure!(status.success(), "the leader ended with {status}");
    let ended = Instant::now();
    eventually("the standby leads", PATIENCE, || async {
        Ok(standby.get("/metrics").await?.contains("govcloud_leader 1").then_some(()))
    })
    .await?;
    let waited = ended.elapsed();
    println!("leadership: taken over {waited:?} after the leader ended");
    ensure!(waited < Duration::from_secs(3), "the standby waited for {waited:?}");
    Ok(())
}

/// A missing binding is a violation: the replica is not ready and names it, the metric falls, the alert is pending.
async fn a_violation_is_reported(
    cluster: &Cluster,
    operator: &Operator,
    prometheus: &Prometheus,
) -> Result<()> {
    let admin = cluster.kubectl(Actor::Admin);
    admin.run(&["delete", "validatingadmissionpolicybinding", "govcloud-decisions"]).await?;
    let body = eventually("the replica is not ready", PATIENCE, || async {
        let answer = operator.get("/readyz").await?;
        Ok(answer.starts_with("HTTP/1.1 503").then_some(answer))
    })
    .await?;
    ensure!(body.contains("policies: not as shipped") && body.contains("govcloud-decisions"), "{body}");
    prometheus.finds("min(govcloud_policy_integrity_intact) == 0", PATIENCE).await?;
    let alert = r#"ALERTS{alertname="GovcloudPolicyIntegrityViolated", alertstate="pending"}"#;
    prometheus.finds(alert, Duration::from_secs(60)).await?;
    Ok(())
}
