//! Events that the API server refuses: every status is written all the same.

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{Department, HENAN, Kind};
use e2e::suite::Context;
use e2e::wait::until;
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;

use crate::{Fault, PATIENCE, Proxied, never_stalled};

pub async fn refused_events_do_not_stop_status_writes(context: Context) -> Result<()> {
    let proxied = Proxied::start(&context.cluster).await?;
    let quota = context.filing_namespace("dept-quota", HENAN).await?;
    let terminating = context.filing_namespace("dept-terminating", HENAN).await?;
    proxied.injector.inject(&quota, Fault::None);
    proxied.injector.inject(&terminating, Fault::EventsForbidden);
    let quotas: Api<ResourceQuota> =
        Api::namespaced(context.cluster.client(e2e::actors::Actor::Admin).await?, &quota);
    let no_events = serde_json::from_value(json!({
        "metadata": {"name": "no-events"}, "spec": {"hard": {"count/events.events.k8s.io": "0"}},
    }))?;
    quotas.create(&PostParams::default(), &no_events).await?;
    let known = |q: &ResourceQuota| q.status.as_ref().is_some_and(|s| s.hard.is_some());
    until(quotas.clone(), "no-events", "is in force", PATIENCE, known).await?;

    let lives = [&quota, &terminating].map(|namespace| provisioned(&context, namespace));
    let departments = never_stalled(&proxied.injector, futures::future::try_join_all(lives)).await?;
    let refused = proxied.injector.counts(&terminating).failed_writes;
    ensure!(refused >= 3, "only {refused} Events were refused");
    for department in &departments {
        let events = reasons(department).await?;
        ensure!(events.is_empty(), "Events were not refused: {events:?}");
    }
    // As soon as Events are accepted they are written.
    quotas.delete("no-events", &DeleteParams::default()).await?;
    departments[0].go_live("travel").await?;
    let events = reasons(&departments[0]).await?;
    ensure!(events.iter().any(|e| e == "WentLive"), "no Event of the later life: {events:?}");
    println!("faults: provisioned with every Event refused: by a quota, and {refused} by a namespace's end");
    Ok(())
}

/// A department whose application is provisioned.
async fn provisioned(context: &Context, namespace: &str) -> Result<Department> {
    let department = Department::open(&context.cluster, namespace, HENAN).await?;
    let application = department.provision(department.application("travel")?).await?;
    let timeline = application.data["status"]["timeline"].as_array().context("no timeline")?;
    ensure!(timeline.len() >= 3, "lifecycle events are missing: {timeline:?}");
    department.phase(Kind::Grant, "travel", "Active").await.map(drop)?;
    Ok(department)
}

/// Reasons of the Events in a department's filing namespace.
async fn reasons(department: &Department) -> Result<Vec<String>> {
    let events: Api<Event> = Api::namespaced(department.admin().await?, &department.namespace);
    let events = events.list(&ListParams::default()).await?;
    Ok(events.into_iter().filter_map(|e| e.reason).collect())
}
