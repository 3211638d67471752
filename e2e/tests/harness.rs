//! The harness itself: what it promises to every other test.

use std::io::{BufRead as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::{Actor, OPERATOR, OPERATOR_SERVICE_ACCOUNT};
use e2e::audit::AuditLog;
use e2e::cluster::{Cluster, Setup};
use e2e::install::wait_policies_active;
use e2e::kubectl::Kubectl;
use e2e::operator::{Operator, Options};
use e2e::process::{Identity, Process, Spec};
use e2e::suite::{self, Context};
use e2e::wait::{eventually, until, until_gone};
use e2e::{actors, operator, supervisor, volumes};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, ServiceAccount};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};

const PATIENCE: Duration = Duration::from_secs(60);

/// Set for processes of this binary that tests start: the stand-in for the operator, and those that are killed.
const VICTIM: &str = "GOVCLOUD_E2E_VICTIM";

fn main() -> ExitCode {
    if let Ok(fate) = env::var(VICTIM) {
        let outcome = if fate == "operator" { stand_in() } else { victim(&fate) };
        eprintln!("{outcome:?}");
        return ExitCode::FAILURE;
    }
    let tests = e2e::tests![
        actors_authenticate,
        the_operator_has_its_own_identity,
        the_operator_can_be_stopped_killed_and_restarted,
        volumes_are_directories_that_stay_until_decided,
        namespaces_end,
        audit_log_names_the_writer,
        policies_are_in_force_once_waited_for,
        nothing_remains_after_a_panic,
        nothing_remains_after_an_interrupt,
        nothing_remains_after_a_kill,
    ];
    suite::main(Setup::Bare, tests)
}

async fn whoami(client: Client) -> Result<(String, Vec<String>)> {
    let reviews: Api<SelfSubjectReview> = Api::all(client);
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await?;
    let user = review.status.and_then(|status| status.user_info).context("nobody")?;
    Ok((user.username.unwrap_or_default(), user.groups.unwrap_or_default()))
}

async fn actors_authenticate(context: Context) -> Result<()> {
    for actor in Actor::ALL {
        let (user, groups) = whoami(context.cluster.client(actor).await?).await?;
        ensure!(user == actor.user(), "{actor:?} is {user}");
        let member = actor.group().is_none_or(|group| groups.iter().any(|of| of == group));
        ensure!(member, "{actor:?} is in {groups:?}");
    }
    Ok(())
}

async fn the_operator_has_its_own_identity(context: Context) -> Result<()> {
    let kubeconfig = operator::credentials(&context.cluster.plane).await?;
    let (user, _) = whoami(actors::client(&kubeconfig).await?).await?;
    ensure!(user == OPERATOR, "the operator is {user}");
    Ok(())
}

async fn the_operator_can_be_stopped_killed_and_restarted(context: Context) -> Result<()> {
    let options = Options {
        name: "stand-in".to_owned(),
        program: Some(env::current_exe()?),
        env: vec![(VICTIM.to_owned(), "operator".to_owned())],
        ..Options::default()
    };
    let mut operator = Operator::start(&context.cluster.plane, options).await?;
    ensure!(
        operator.get("/readyz").await?.contains(OPERATOR_SERVICE_ACCOUNT),
        "it acts by another kubeconfig"
    );
    operator.kill()?;
    ensure!(operator.check().is_err(), "it was killed and runs");
    operator.restart().await?;
    let status = operator.stop()?.context("it was not running")?;
    ensure!(status.code() == Some(7), "it was asked to end, and {status}");
    let log = fs::read_to_string(operator.log())?;
    ensure!(log.matches("the stand-in starts").count() == 2, "its log:\n{log}");
    Ok(())
}

/// Stands in for the operator: ready at once, and ends on SIGTERM with a status of its own.
fn stand_in() -> Result<()> {
    println!("the stand-in starts");
    let listener = TcpListener::bind(env::var("GOVCLOUD_LISTEN")?)?;
    let kubeconfig = env::var("KUBECONFIG")?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &kubeconfig).ok();
        }
    });
    tokio::runtime::Runtime::new()?.block_on(async {
        signal(SignalKind::terminate())?.recv().await;
        std::process::exit(7)
    })
}

fn answer(stream: TcpStream, text: &str) -> Result<()> {
    let mut request = std::io::BufReader::new(stream);
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    Ok(write!(request.get_mut(), "HTTP/1.1 200 OK\r\n\r\n{text}")?)
}

const CLAIM: &str = "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: hostpath
  resources: {requests: {storage: 1Mi}}
";

/// A claim `data` in `namespace`, bound, and its volume.
async fn bound(kubectl: &Kubectl, client: &Client, namespace: &str) -> Result<PersistentVolume> {
    kubectl.apply(&CLAIM.replace("name: data", &format!("name: data, namespace: {namespace}"))).await?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    let is_bound = |claim: &PersistentVolumeClaim| phase_of_claim(claim) == Some("Bound");
    let claim = until(claims, "data", "is bound", PATIENCE, is_bound).await?;
    let name = claim.spec.and_then(|spec| spec.volume_name).context("bound to nothing")?;
    Ok(Api::all(client.clone()).get(&name).await?)
}

fn phase_of_claim(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.status.as_ref()?.phase.as_deref()
}

async fn volumes_are_directories_that_stay_until_decided(context: Context) -> Result<()> {
    let client = context.cluster.client(Actor::Admin).await?;
    let namespace = context.namespace("volumes").await?;
    let volume = bound(&context.cluster.kubectl(Actor::Admin), &client, &namespace).await?;
    let name = volume.metadata.name.clone().context("no name")?;
    let file = volumes::directory(&volume)?.join("record");
    fs::write(&file, "真实数据")?;

    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &namespace);
    claims.delete("data", &DeleteParams::default()).await?;
    let all: Api<PersistentVolume> = Api::all(client);
    let released = |volume: &PersistentVolume| {
        volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Released")
    };
    until(all.clone(), &name, "is released", PATIENCE, released).await?;
    ensure!(fs::read_to_string(&file)? == "真实数据", "a retained volume lost its data");

    let patch = Patch::Merge(json!({"spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
    all.patch(&name, &PatchParams::default(), &patch).await?;
    until_gone(all, &name, None, PATIENCE).await?;
    ensure!(!file.exists(), "a deleted volume's data is still there");
    let known = volumes::directories(&context.cluster.audit())?;
    ensure!(known.contains(&volumes::directory(&volume)?), "the audit log does not tell of the volume");
    Ok(())
}

async fn namespaces_end(context: Context) -> Result<()> {
    let name = context.namespace("ending").await?;
    let client = context.cluster.client(Actor::Admin).await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &name);
    until(accounts, "default", "exists", PATIENCE, |_| true).await?;
    let namespaces: Api<Namespace> = Api::all(client);
    namespaces.delete(&name, &DeleteParams::default()).await?;
    until_gone(namespaces, &name, None, PATIENCE).await
}

async fn audit_log_names_the_writer(context: Context) -> Result<()> {
    let namespace = context.namespace("audited").await?;
    let mark = AuditLog::mark();
    let map = |name: &str| {
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, namespace: {namespace}}}}}")
    };
    context.cluster.kubectl(Actor::PlatformAdmin).apply(&map("a")).await?;
    let refused = context.cluster.kubectl(Actor::Auditor).apply(&map("b")).await;
    ensure!(refused.is_err(), "the auditor wrote");

    let entries = context.cluster.audit().settled(&context.cluster.client(Actor::Admin).await?).await?;
    let writes = entries.since(mark).writes().resource("configmaps").namespace(&namespace);
    let by_admin = writes.clone().by_user(Actor::PlatformAdmin.user()).verb("patch").code(201);
    ensure!(by_admin.len() == 1, "by the administrator:\n{by_admin}\nof\n{writes}");
    let refused = writes.clone().by_user(Actor::Auditor.user()).code(403);
    ensure!(refused.len() == 1, "by the auditor:\n{refused}\nof\n{writes}");
    Ok(())
}

async fn policies_are_in_force_once_waited_for(context: Context) -> Result<()> {
    let namespace = context.namespace("guarded").await?;
    let policy = POLICY.replace("NAMESPACE", &namespace);
    let admin = context.cluster.kubectl(Actor::Admin);
    let client = context.cluster.client(Actor::Admin).await?;
    admin.apply(&policy).await?;
    wait_policies_active(&admin, &client).await?;
    let forbidden = admin.run(&["create", "configmap", "a", "-n", &namespace]).await;
    let message = forbidden.err().context("the policy is not in force")?.to_string();
    ensure!(message.contains("not here"), "{message}");
    Ok(())
}

const POLICY: &str = "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: NAMESPACE}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAMESPACE}}
    resourceRules:
    - {apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}
  validations: [{expression: 'false', message: not here}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: NAMESPACE}
spec: {policyName: NAMESPACE, validationActions: [Deny]}
";

/// Report of the victim before its end.
#[derive(Serialize, Deserialize)]
struct Belongings {
    root: PathBuf,
    volume: PathBuf,
    processes: Vec<Identity>,
}

/// A harness process with a cluster and a volume, which ends by a panic or waits to be ended.
fn victim(fate: &str) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        supervisor::end_on_signals()?;
        let cluster = Cluster::start(Setup::Bare).await?;
        let client = cluster.client(Actor::Admin).await?;
        let volume = bound(&cluster.kubectl(Actor::Admin), &client, "default").await?;
        let (_parent, child) = family(cluster.plane.root()).await?;
        let belongings = Belongings {
            root: cluster.plane.root().to_owned(),
            volume: volumes::directory(&volume)?,
            processes: [cluster.plane.identities(), vec![child]].concat(),
        };
        println!("{}", serde_json::to_string(&belongings)?);
        assert!(fate != "panic", "as the test wants it");
        std::future::pending().await
    })
}

/// A process that starts another, which has to go with it: what a harness starts may itself start something.
async fn family(root: &Path) -> Result<(Process, Identity)> {
    let said = root.join("logs/parent.log");
    let parent = Process::start(Spec {
        name: "parent".to_owned(),
        program: "/bin/sh".into(),
        args: vec!["-c".to_owned(), "sleep 3600 & echo $!; wait".to_owned()],
        env: Vec::new(),
        dir: root.to_owned(),
        log: said.clone(),
    })?;
    let child = eventually("the parent names its child", PATIENCE, || async {
        Ok(std::fs::read_to_string(&said)?.trim().parse().ok().and_then(Identity::of))
    });
    Ok((parent, child.await?))
}

async fn nothing_remains(fate: &str, signal: Option<Signal>) -> Result<()> {
    let mut child = tokio::process::Command::new(env::current_exe()?)
        .env(VICTIM, fate)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id().context("ended at once")?)?);
    let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
    let Some(line) = lines.next_line().await? else {
        let output = child.wait_with_output().await?;
        bail!("no cluster: {}", String::from_utf8_lossy(&output.stderr));
    };
    let belongings: Belongings = serde_json::from_str(&line)?;
    ensure!(belongings.processes.len() == 4, "not four processes");
    ensure!(signal.is_none() || belongings.processes.iter().all(Identity::alive), "not all alive");
    if let Some(signal) = signal {
        ensure!(belongings.root.exists() && belongings.volume.exists(), "no directories");
        kill(pid, signal)?;
    }
    let status = child.wait().await?;
    ensure!(!status.success(), "it ended well");
    let gone = || async {
        for process in &belongings.processes {
            ensure!(!process.alive(), "{process:?} is alive");
        }
        for directory in [&belongings.root, &belongings.volume] {
            ensure!(!directory.exists(), "{} exists", directory.display());
        }
        Ok(Some(()))
    };
    eventually("nothing remains", PATIENCE, gone).await
}

async fn nothing_remains_after_a_panic(_: Context) -> Result<()> {
    nothing_remains("panic", None).await
}

async fn nothing_remains_after_an_interrupt(_: Context) -> Result<()> {
    nothing_remains("interrupt", Some(Signal::SIGINT)).await
}

async fn nothing_remains_after_a_kill(_: Context) -> Result<()> {
    nothing_remains("kill", Some(Signal::SIGKILL)).await
}
