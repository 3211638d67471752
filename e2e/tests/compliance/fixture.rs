//! A department and the provider in the province, whose Region asks for compliance records.

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition, refusal, sample};
use e2e::suite::Context;
use e2e::wait::eventually;
use govcloud_domain::calendar::china_date;
use jiff::{Timestamp, ToSpan as _};
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// What the Region of these tests asks for.
const DUTIES: &str = r#"{"spec":{"compliance":[
    {"type":"OperationReport","party":"Provider","every":"P1M","workingDays":3},
    {"type":"MlpsEvaluation","party":"Department","every":"P1Y"}]}}"#;

async fn open(context: &Context, prefix: &str) -> Result<Department> {
    static REGIONS: OnceCell<()> = OnceCell::const_new();
    let set_up = || async {
        fixtures::regions(&context.cluster).await?;
        let authority = context.cluster.kubectl(Actor::Authority410000);
        authority.run(&["patch", "region", HENAN, "--type=merge", "-p", DUTIES]).await.map(drop)
    };
    REGIONS.get_or_try_init(set_up).await?;
    let namespace = context.filing_namespace(prefix, HENAN).await?;
    Department::open(&context.cluster, &namespace, HENAN).await
}

/// A department.
pub async fn department(context: &Context, prefix: &str) -> Result<Department> {
    open(context, prefix).await
}

/// The provider in a filing namespace of its own; what it files there, it files as `applicant`.
pub async fn provider(context: &Context, prefix: &str) -> Result<Department> {
    let mut provider = open(context, prefix).await?;
    provider.applicant = Actor::Provider;
    let (namespace, role) = (provider.namespace.as_str(), "--clusterrole=govcloud:provider-maintenance");
    let admin = context.cluster.kubectl(Actor::Admin);
    let group = "--group=govcloud:provider";
    admin.run(&["create", "rolebinding", "platform", "-n", namespace, role, group]).await?;
    let kubectl = context.cluster.kubectl(Actor::Provider);
    let may = || async {
        let args = ["auth", "can-i", "file", "compliancerecords.govcloud.dev", "-n", namespace];
        Ok(kubectl.output(&args).await?.status.success().then_some(()))
    };
    eventually("the provider may file for the platform", PATIENCE, may).await?;
    Ok(provider)
}

/// The day so many days from today, in China.
pub fn day(from_now: i64) -> Value {
    let today = china_date(Timestamp::now());
    json!(today.saturating_add(from_now.days()).to_string())
}

/// A sample under a name, with other values in its spec.
pub fn document(file: &str, name: &str, fields: Value) -> Result<Value> {
    let mut manifest = sample(file)?;
    manifest["metadata"]["name"] = json!(name);
    let Value::Object(fields) = fields else { return Ok(manifest) };
    for (field, value) in fields {
        match value {
            Value::Null => drop(manifest["spec"].as_object_mut().map(|spec| spec.remove(&field))),
            value => manifest["spec"][field] = value,
        }
    }
    Ok(manifest)
}

/// Fails unless an act was refused with every one of these in the message.
pub fn refused<T: std::fmt::Debug>(outcome: Result<T>, fragments: &[&str]) -> Result<()> {
    let message = refusal(outcome)?;
    for fragment in fragments {
        ensure!(message.contains(fragment), "{message} does not say {fragment}");
    }
    Ok(())
}

/// Waits until a record is on record, and in force.
pub async fn on_record(department: &Department, name: &str) -> Result<DynamicObject> {
    let met = |s: &Value| s["phase"] == "Recorded" && condition(s, "Current")["status"] == "True";
    department.until(Kind::Compliance, name, "is on record and current", met).await
}

/// The authority decides otherwise than by approving.
pub async fn decide(department: &Department, kind: Kind, name: &str, verdict: &str) -> Result<DynamicObject> {
    let judged = department.judged(kind, name, "Valid").await?;
    let generation = judged.metadata.generation.unwrap_or_default();
    let annotations = json!({
        "govcloud.dev/decision": verdict, "govcloud.dev/reviewed-generation": generation.to_string(),
        "govcloud.dev/opinion": "须补充",
    });
    let patch = json!({"metadata": {"annotations": annotations}});
    department.amend_as(department.authority, kind, name, patch).await
}

/// A second officer of the authority files an inspection.
pub async fn inspect(department: &Department, manifest: &Value) -> Result<DynamicObject> {
    let api = department.second_officer(Kind::Inspection).await?;
    Ok(api.create(&PostParams::default(), &serde_json::from_value(manifest.clone())?).await?)
}
