//! Content of a backup, and Velero's changes to it at restore.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, HENAN, Kind, condition, refusal};
use e2e::paths::{in_repository, target};
use e2e::suite::Context;
use kube::ResourceExt;
use kube::api::{DynamicObject, PostParams};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The shipped modifier.
const MODIFIER: &str = "config/velero/resource-modifier.yaml";

/// Annotations that somebody has to say anew.
const SAID: [&str; 8] = [
    "decision",
    "opinion",
    "reviewed-generation",
    "decided-by",
    "reattach",
    "withdraw",
    "consented-by",
    "requested-by",
];

/// A record, exported with all that it says, and refused if it is created as it is: what Velero restores is taken, says
/// nothing of what was decided before, and waits for a decision.
pub async fn velero_restore_is_accepted_and_undecided(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    e2e::fixtures::regions(cluster).await?;
    let namespace = context.filing_namespace("dept-backup", HENAN).await?;
    let department = Department::open(cluster, &namespace, HENAN).await?;
    department.provision(department.application("travel")?).await?;
    department.go_live("travel").await?;
    department.enlarge("more", "travel").await?;
    let exit = department.exit("leave", "travel", json!({"default": "Retain"}))?;
    department.leave(exit).await?;
    department.phase(Kind::Exit, "leave", "Completed").await?;

    let other = context.filing_namespace("dept-restored", HENAN).await?;
    let there = Department::open(cluster, &other, HENAN).await?;
    let (mut refused, mut taken) = (0, 0);
    for (kind, name) in [(Kind::Application, "travel"), (Kind::Change, "more"), (Kind::Exit, "leave")] {
        let exported = department.get(kind, name).await?;
        ensure!(exported.annotations().contains_key("govcloud.dev/decision"), "{name} was decided");
        // Restored without the modifier: the decision alone is reason enough.
        let bare = stripped(&exported, Some(&other))?;
        let api = there.api(Actor::PlatformAdmin, kind).await?;
        let create = api.create(&PostParams::default(), &serde_json::from_value(bare)?).await;
        let said = refusal(create.map(drop).map_err(Into::into))?;
        ensure!(
            // Several policies refuse it; which of them is named is the API server's choice.
            ["a decision cannot be set at create", "come later in life", "changes with spec.consent only"]
                .iter()
                .any(|why| said.contains(why)),
            "{said}"
        );
        refused += 1;

        let mut object = restored(&exported, kind).await?;
        object.metadata.namespace = Some(other.clone());
        let created =
            api.create(&PostParams::default(), &object).await.with_context(|| format!("{name}, restored"))?;
        for key in SAID {
            let value = created.annotations().get(&format!("govcloud.dev/{key}")).map(String::as_str);
            let stamp = (key == "requested-by").then_some(Actor::PlatformAdmin.user());
            ensure!(value == stamp, "{name}: {key} = {value:?}");
        }
        let later = ["goLive", "consent", "handOver", "maintenanceOutcome"];
        ensure!(later.iter().all(|l| created.data["spec"][*l].is_null()), "{name}: {}", created.data["spec"]);
        let seen = there.until(kind, name, "is seen", |s| !condition(s, "Valid").is_null()).await?;
        ensure!(seen.data["status"]["decision"].is_null(), "{name}: {}", seen.data["status"]);
        taken += 1;
    }
    let waiting = there.get(Kind::Application, "travel").await?;
    ensure!(
        waiting.data["status"]["phase"] == "Submitted" && waiting.data["status"]["foundNamespaces"].is_null()
    );
    println!(
        "restore: {refused} records refused as they were exported, {taken} taken as Velero restores them, 0 decided"
    );
    Ok(())
}

/// Fields that Velero removes from every object before the modifiers see it, and those that it adds.
pub fn stripped(exported: &impl Serialize, namespace: Option<&str>) -> Result<Value> {
    let mut object = serde_json::to_value(exported)?;
    object.as_object_mut().context("an object")?.remove("status");
    let metadata = object["metadata"].as_object_mut().context("metadata")?;
    for key in
        ["uid", "resourceVersion", "generation", "creationTimestamp", "ownerReferences", "managedFields"]
    {
        metadata.remove(key);
    }
    if let Some(namespace) = namespace {
        metadata.insert("namespace".into(), json!(namespace));
    }
    object["metadata"]["labels"]["velero.io/backup-name"] = json!("nightly");
    object["metadata"]["labels"]["velero.io/restore-name"] = json!("records");
    Ok(object)
}

/// An exported record as Velero creates it, with the shipped modifier applied by Velero's own code.
pub async fn restored(exported: &DynamicObject, kind: Kind) -> Result<DynamicObject> {
    let object = stripped(exported, exported.namespace().as_deref())?;
    let resource = kind.resource();
    Ok(serde_json::from_value(modified(&format!("{}.{}", resource.plural, resource.group), &object).await?)?)
}

/// An object with the shipped modifier applied by Velero's own code.
pub async fn modified(group_resource: &str, object: &Value) -> Result<Value> {
    let item = json!({"groupResource": group_resource, "object": object});
    let mut command = Command::new(program());
    command.arg(in_repository(MODIFIER)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn()?;
    child.stdin.take().context("no stdin")?.write_all(item.to_string().as_bytes()).await?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "{MODIFIER}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Path to which Velero's modifier is built.
fn program() -> PathBuf {
    target().join("velero-modify")
}

/// Builds Velero's modifier: minutes the first time, seconds afterwards, by Go's own cache.
pub fn build() -> Result<()> {
    let mut go = std::process::Command::new(in_repository("e2e/tools/go"));
    go.args(["build", "-o"]).arg(program()).arg(".").current_dir(in_repository("e2e/velero"));
    let output = go.output().context("cannot run go")?;
    ensure!(
        output.status.success(),
        "e2e/velero does not build: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
