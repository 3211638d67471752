//! One whole life, played.

use anyhow::{Context as _, Result};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::{AuditLog, Entries, Entry};
use e2e::fixtures::{Department, HENAN, Kind, PATIENCE};
use e2e::suite::Context;
use e2e::wait::{eventually, until_gone};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::end_state::{LIFE, end_state};

/// Longest age of an answer of the API server that counts as given just now.
pub const JUST_NOW: SignedDuration = SignedDuration::from_secs(2);

/// A life that was played.
#[derive(Debug)]
pub struct Life {
    /// Its filing namespace.
    pub namespace: String,
    /// Its tenant namespace.
    pub tenant: String,
    /// Its volumes' names.
    pub volumes: Vec<String>,
    /// When it began.
    pub began: Timestamp,
    /// When it had ended.
    pub ended: Timestamp,
    /// End state, comparable with another life's.
    pub end_state: String,
}

impl Life {
    /// Returns true if a request was about this life's objects.
    pub fn concerns(&self, entry: &Entry) -> bool {
        entry.object_ref.as_ref().is_some_and(|o| {
            o.namespace == self.namespace
                || o.namespace == self.tenant
                || (o.resource == "namespaces" && o.name == self.tenant)
                || (o.resource == "persistentvolumes" && self.volumes.contains(&o.name))
        })
    }

    /// Requests about it since it began.
    pub fn entries(&self, all: Entries) -> Entries {
        all.since(self.began).keep(|entry| self.concerns(entry))
    }
}

/// Plays a life in a new department: both volumes written, one destroyed, one retained.
pub async fn run(context: &Context, prefix: &str) -> Result<Life> {
    let namespace = context.filing_namespace(prefix, HENAN).await?;
    run_in(context, namespace).await
}

/// Waits until the operator can rest on no answer about its records any more, for each is too old to count as just now.
async fn nothing_was_told_just_now(context: &Context, namespace: &str) -> Result<()> {
    let admin = context.cluster.client(Actor::Admin).await?;
    let log = context.cluster.audit();
    let silent = || async {
        let told = log.settled(&admin).await?.by_user(OPERATOR).namespace(namespace);
        let last = told.iter().filter(|e| e.verb != "watch").map(|e| e.stage_timestamp).max();
        let last = last.context("the operator was told of nothing")?;
        Ok((Timestamp::now().duration_since(last) > JUST_NOW).then_some(()))
    };
    eventually("the operator was told of nothing just now", PATIENCE, silent).await
}

/// Plays a life in a filing namespace.
pub async fn run_in(context: &Context, namespace: String) -> Result<Life> {
    let began = AuditLog::mark();
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let application = department.provision(department.application("travel")?).await?;
    let (tenant, tenant_uid) = Department::tenant(&application, "prod")?;
    context.dump_on_failure(&tenant);
    let data = department.fill(&tenant, "data", "销毁").await?;
    let archive = department.fill(&tenant, "archive", "保留").await?;
    department.go_live("travel").await?;
    department.enlarge("travel-enlarge", "travel").await?;
    let disposition = json!({
        "default": "Retain", "volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}],
    });
    department.file(&department.exit("travel-exit", "travel", disposition)?).await?;
    department.consent("travel-exit").await?;
    nothing_was_told_just_now(context, &namespace).await?;
    department.approve(Kind::Exit, "travel-exit").await?;
    department.phase(Kind::Exit, "travel-exit", "Completed").await?;
    department.phase(Kind::Application, "travel", "Exited").await?;
    department.phase(Kind::Grant, "travel", "Released").await?;
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    until_gone(namespaces, &tenant, Some(&tenant_uid), PATIENCE).await?;
    department.unmarked().await?;
    let end_state = end_state(&department, &tenant, &[data.clone(), archive.clone()], &LIFE).await?;
    Ok(Life {
        namespace,
        tenant,
        volumes: vec![data.name_any(), archive.name_any()],
        began,
        ended: AuditLog::mark(),
        end_state,
    })
}
