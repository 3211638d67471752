//! Events that the API server refuses: every status is written all the same.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, HENAN, Kind};
use e2e::install::wait_policies_active;
use e2e::suite::Context;
use futures::future::try_join_all;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;

use crate::{Fault, Proxied, never_stalled};

/// Policy that denies every Event in a namespace. A quota does not: the API server counts no Events in quotas.
const NO_EVENTS: &str = "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-events}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}
    resourceRules:
    - {apiGroups: [events.k8s.io, ''], apiVersions: ['*'], operations: [CREATE], resources: [events]}
  validations: [{expression: 'false', message: no Events here, reason: Forbidden}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-events}
spec: {policyName: no-events, validationActions: [Deny]}
";

pub async fn refused_events_do_not_stop_status_writes(context: Context) -> Result<()> {
    let proxied = Proxied::start(&context.cluster).await?;
    let denied = context.filing_namespace("dept-denied", HENAN).await?;
    let terminating = context.filing_namespace("dept-terminating", HENAN).await?;
    proxied.injector.inject(&denied, Fault::None);
    proxied.injector.inject(&terminating, Fault::EventsForbidden);
    let admin = context.cluster.kubectl(Actor::Admin);
    admin.apply(&NO_EVENTS.replace("NAMESPACE", &denied)).await?;
    wait_policies_active(&admin, &context.cluster.client(Actor::Admin).await?).await?;

    let lives = [&denied, &terminating].map(|namespace| provisioned(&context, namespace));
    let departments = never_stalled(&proxied.injector, try_join_all(lives)).await?;
    let refused = proxied.injector.counts(&terminating).failed_writes;
    ensure!(refused >= 3, "only {refused} Events were refused");
    for department in &departments {
        let events = reasons(department).await?;
        ensure!(events.is_empty(), "Events were not refused: {events:?}");
    }
    let counted = refused_by_metrics(&context).await?;
    ensure!(counted >= refused, "{refused} Events were refused, and /metrics has {counted}");
    // Events are written again as soon as they are accepted.
    proxied.injector.inject(&terminating, Fault::None);
    departments[1].go_live("travel").await?;
    let events = reasons(&departments[1]).await?;
    ensure!(events.iter().any(|e| e == "WentLive"), "no Event of the later life: {events:?}");
    println!("faults: provisioned with every Event refused, by a policy, and {refused} by a namespace's end");
    Ok(())
}

/// A department whose application is provisioned, with every lifecycle event in its timeline.
async fn provisioned(context: &Context, namespace: &str) -> Result<Department> {
    let department = Department::open(&context.cluster, namespace, HENAN).await?;
    let application = department.provision(department.application("travel")?).await?;
    let timeline = application.data["status"]["timeline"].as_array().context("no timeline")?;
    for event in ["Submitted", "Approved", "Notified", "Provisioned"] {
        let times = timeline.iter().filter(|e| e["event"] == event).count();
        ensure!(times == 1, "{event} is {times} times in {timeline:?}");
    }
    department.phase(Kind::Grant, "travel", "Active").await?;
    Ok(department)
}

/// Events that the operator counts as refused.
async fn refused_by_metrics(context: &Context) -> Result<usize> {
    let operator = context.cluster.operator.lock().await;
    let metrics = operator.as_ref().context("no operator")?.get("/metrics").await?;
    let events = |line: &&str| {
        line.starts_with("govcloud_api_requests_total{")
            && [r#"verb="create""#, r#"resource="events""#, r#"code="403""#]
                .iter()
                .all(|label| line.contains(label))
    };
    Ok(metrics.lines().filter(events).filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum())
}

/// Reasons of the Events in a department's filing namespace.
async fn reasons(department: &Department) -> Result<Vec<String>> {
    let events: Api<Event> = Api::namespaced(department.admin().await?, &department.namespace);
    let events = events.list(&ListParams::default()).await?;
    Ok(events.into_iter().filter_map(|e| e.reason).collect())
}
