//! Fixtures of these tests: a region in each mode of fulfilment, the provider's steps, and reads of the cluster.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::AuditLog;
use e2e::binaries::Binaries;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, ZHENGZHOU, condition};
use e2e::operator;
use e2e::suite::Context;
use e2e::wait::eventually;
use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DynamicObject, ListParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::OnceCell;

/// A department in the province's region, where the operator writes the grants.
pub async fn automatic(context: &Context, prefix: &str) -> Result<Department> {
    open(context, prefix, HENAN).await
}

/// A department in the city's region, where the provider applies them.
pub async fn provider_applied(context: &Context, prefix: &str) -> Result<Department> {
    open(context, prefix, ZHENGZHOU).await
}

async fn open(context: &Context, prefix: &str, region: &str) -> Result<Department> {
    static REGIONS: OnceCell<()> = OnceCell::const_new();
    let set_up = || async {
        fixtures::regions(&context.cluster).await?;
        let by_hand = r#"{"spec":{"fulfilment":"ProviderApplied"}}"#;
        let admin = context.cluster.kubectl(Actor::PlatformAdmin);
        admin.run(&["patch", "region", ZHENGZHOU, "--type=merge", "-p", by_hand]).await.map(drop)
    };
    REGIONS.get_or_try_init(set_up).await?;
    let namespace = context.filing_namespace(prefix, region).await?;
    Department::open(&context.cluster, &namespace, region).await
}

/// The provider's own filing namespace in a region, where maintenance is filed (Art. 18).
pub async fn provider_department(context: &Context, region: &str) -> Result<Department> {
    let department = open(context, "provider", region).await?;
    let bindings: Api<RoleBinding> = Api::namespaced(department.admin().await?, &department.namespace);
    let binding = serde_json::from_value(json!({
        "metadata": {"name": "maintenance"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "govcloud:provider-maintenance"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": Actor::Provider.group()}],
    }))?;
    bindings.create(&PostParams::default(), &binding).await?;
    let mine = || async {
        let args = ["auth", "can-i", "file", "changerequests.govcloud.dev", "-n", &department.namespace];
        Ok(context.cluster.kubectl(Actor::Provider).output(&args).await?.status.success().then_some(()))
    };
    eventually("the provider may file maintenance", PATIENCE, mine).await?;
    Ok(department)
}

/// Runs `kubectl govcloud ARGS | kubectl apply -f -` in the filing namespace, as the provider would type it.
pub async fn render_and_apply(department: &Department, args: &str) -> Result<String> {
    static PLUGIN: OnceCell<PathBuf> = OnceCell::const_new();
    let built = || async { tokio::task::spawn_blocking(operator::binary).await? };
    let plugin = PLUGIN.get_or_try_init(built).await?.parent().context("the plugin is in a directory")?;
    let kubectl = Binaries::find()?.path("kubectl");
    let provider = department.cluster().kubectl(Actor::Provider);
    let line = format!(
        "set -e; kubectl govcloud -n {ns} {args} > \"$WORK_ORDER\"; cat \"$WORK_ORDER\"; kubectl apply -n {ns} -f - < \"$WORK_ORDER\"",
        ns = department.namespace
    );
    let file = tempfile::NamedTempFile::new()?;
    let dirs = [plugin.to_owned(), kubectl.parent().context("kubectl is in a directory")?.to_owned()];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(dirs.into_iter().chain(std::env::split_paths(&path)))?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &line]).env("PATH", path).env("WORK_ORDER", file.path());
    command.env("KUBECONFIG", provider.kubeconfig()).env("LC_ALL", "en_US.UTF-8");
    command.env("KUBECACHEDIR", department.cluster().plane.root().join("state/kubectl-cache"));
    for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
        command.env_remove(proxy);
    }
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let said = [&output.stdout, &output.stderr].map(|b| String::from_utf8_lossy(b).into_owned()).concat();
    ensure!(output.status.success(), "kubectl govcloud {args} | kubectl apply -f -: {said}");
    Ok(said)
}

/// The record's approval as a grant names it, and what it grants.
pub fn order(application: &DynamicObject, approved: &DynamicObject, namespaces: Value) -> Value {
    let decision = &approved.data["status"]["decision"];
    let adjusts = !approved.data["spec"]["resourceAdjustment"].is_null();
    let name = application.name_any();
    json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "ResourceGrant", "metadata": {"name": name},
        "spec": {
            "region": application.data["spec"]["region"],
            "application": {"name": name, "uid": application.uid()},
            "approved": {
                "kind": if adjusts { "ChangeRequest" } else { "CloudApplication" },
                "name": approved.name_any(),
                "uid": approved.uid(), "generation": decision["generation"], "digest": decision["digest"],
            },
            "namespaces": namespaces,
        },
    })
}

/// Carries an approved change out where the provider does; where the operator does there is nothing to do.
pub async fn carry_out(department: &Department, application: &str, change: &str) -> Result<()> {
    if department.region == ZHENGZHOU {
        department.phase(Kind::Change, change, "Applying").await?;
        render_and_apply(department, &format!("grant render {application} --change {change}")).await?;
    }
    Ok(())
}

/// An application, provisioned in either mode.
pub async fn provisioned(department: &Department, name: &str) -> Result<DynamicObject> {
    department.file(&department.application(name)?).await?;
    department.approve(Kind::Application, name).await?;
    if department.region == ZHENGZHOU {
        department.phase(Kind::Application, name, "Provisioning").await?;
        render_and_apply(department, &format!("grant render {name}")).await?;
    }
    department.phase(Kind::Application, name, "Provisioned").await
}

/// A change of one application with these namespaces.
pub fn adjustment(
    department: &Department,
    name: &str,
    application: &str,
    namespaces: Value,
) -> Result<Value> {
    let mut manifest = department.change(name, application)?;
    manifest["spec"]["resourceAdjustment"]["namespaces"] = namespaces;
    Ok(manifest)
}

/// The hard limits that a tenant namespace has.
pub async fn hard(department: &Department, namespace: &str) -> Result<Value> {
    let quota =
        Api::<ResourceQuota>::namespaced(department.admin().await?, namespace).get("govcloud").await?;
    Ok(serde_json::to_value(quota)?["spec"]["hard"].clone())
}

/// The tenant namespaces of an application, by its label.
pub async fn tenants(department: &Department, application: &DynamicObject) -> Result<Vec<String>> {
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    let uid = application.uid().context("no UID")?;
    let found = namespaces
        .list(&ListParams::default().labels(&format!("govcloud.dev/application-uid={uid}")))
        .await?;
    Ok(found.iter().map(ResourceExt::name_any).collect())
}

/// Waits for an Event on a record of the department that it can read, and returns its note.
pub async fn event(department: &Department, kind: &str, name: &str, reason: &str) -> Result<String> {
    let events: Api<Event> =
        Api::namespaced(department.cluster().client(department.applicant).await?, &department.namespace);
    let there = || async {
        let all = events.list(&ListParams::default()).await?;
        let of = |e: &&Event| {
            e.reason.as_deref() == Some(reason)
                && e.regarding
                    .as_ref()
                    .is_some_and(|r| r.kind.as_deref() == Some(kind) && r.name.as_deref() == Some(name))
        };
        Ok(all.iter().find(of).map(|e| e.note.clone().unwrap_or_default()))
    };
    eventually(&format!("the Event {reason} on {kind} {name}"), PATIENCE, there).await
}

/// Waits until the operator writes nothing more in the filing namespace.
pub async fn quiet(department: &Department) -> Result<()> {
    let admin = department.admin().await?;
    let none = || async {
        let mark = AuditLog::mark();
        let audit = department.cluster().audit();
        audit.settled(&admin).await?;
        let asked =
            audit.settled(&admin).await?.since(mark).by_user(OPERATOR).namespace(&department.namespace);
        let writes = asked.writes();
        ensure!(writes.is_empty(), "still writing:\n{writes}");
        Ok(Some(()))
    };
    eventually("nothing more is written", PATIENCE, none).await
}

/// Number of notices of maintenance in the notes of an application's Events.
pub async fn events_of_maintenance(department: &Department, name: &str) -> Result<usize> {
    let events: Api<Event> = Api::namespaced(department.admin().await?, &department.namespace);
    let all = events.list(&ListParams::default()).await?;
    let of = |e: &&Event| e.regarding.as_ref().is_some_and(|r| r.name.as_deref() == Some(name));
    let notes = all.iter().filter(of).filter_map(|e| e.note.as_deref());
    Ok(notes.map(|note| note.matches("平台调整 ").count()).sum())
}

/// The clock of an obligation.
pub fn clock<'a>(record: &'a DynamicObject, obligation: &str) -> Result<&'a Value> {
    let mut all = record.data["status"]["deadlines"].as_array().into_iter().flatten();
    all.find(|d| d["obligation"] == obligation).with_context(|| format!("no clock of {obligation}"))
}

/// The message of a condition.
pub fn message(record: &DynamicObject, type_: &str) -> String {
    condition(&record.data["status"], type_)["message"].as_str().unwrap_or_default().to_owned()
}

/// Number of entries in a record's timeline with this event.
pub fn timeline_count(record: &DynamicObject, event: &str) -> usize {
    let timeline = record.data["status"]["timeline"].as_array().into_iter().flatten();
    timeline.filter(|t| t["event"] == event).count()
}
