//! The demo's life with Pods: the image, installed by the chart, on a real kubelet and containerd (`make test-node`).
//!
//! One story, in order, each step printed with its duration; as root, on this machine, and gone afterwards.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::kubectl::Kubectl;
use e2e::node::{Node, PLACES, script};
use e2e::sample_department::{DEPARTMENT, SampleDepartment, sample, timeline_count};
use e2e::tools::{Helm, Tools, chart};
use e2e::wait::eventually;
use e2e::{install, supervisor};
use serde_json::Value;

/// Longest time of a step on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Name and archive of the image that `image/build` makes: an archive that is there already is taken from `GOVCLOUD_IMAGE`.
const IMAGE: &str = "localhost/govcloud-operator";

/// The department's workload.
const WORKLOAD: &str = include_str!("../../node/workload.yaml");

#[tokio::main]
async fn main() -> ExitCode {
    if let Err(error) = supervisor::end_on_signals() {
        eprintln!("{error:#}");
        return ExitCode::FAILURE;
    }
    let begun = Instant::now();
    let before = traces();
    let outcome = play().await;
    supervisor::dismiss();
    match outcome.and_then(|()| nothing_left(&before)) {
        Ok(()) => {
            println!("node: all of it in {:.0?}, and nothing left behind", begun.elapsed());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn play() -> Result<()> {
    script("e2e/node/check", &[])?;
    let tools = tokio::task::spawn_blocking(Tools::find).await??;
    let image = match std::env::var_os("GOVCLOUD_IMAGE") {
        Some(archive) => PathBuf::from(archive),
        None => tokio::task::spawn_blocking(|| script("image/build", &[])).await??.into(),
    };
    let begun = Instant::now();
    let node = Node::start(&[image]).await?;
    println!("node: ready in {:.0?}", begun.elapsed());
    let helm = tools.helm(&node.kubeconfig(Actor::PlatformAdmin), &node.root().join("state"));
    let outcome = live(&node, &helm).await;
    if outcome.is_err() {
        eprintln!("{}", look(&node).await);
    }
    node.end()?;
    outcome
}

/// The story.
async fn live(node: &Node, helm: &Helm) -> Result<()> {
    let admin = node.kubectl(Actor::Admin);
    let mut clock = Steps(Instant::now());
    install_chart(helm, &admin).await?;
    clock.done("installed by the chart: two replicas ready, under Pod Security restricted");
    helm.run(&["test", "govcloud-operator", "--timeout=180s"]).await?;
    clock.done("helm test: the operator's own image asks the Service and hears that it is ready");
    install::wait_policies_active(&admin, &node.client(Actor::Admin).await?).await?;
    install::calendars(&admin).await?;

    let tenant = Tenant::provision(node).await?;
    clock.done("filed, approved and provisioned");
    let workload = tenant.start_workload(node).await?;
    clock.done("the department's Pod writes to two real volumes");
    tenant.go_live().await?;
    clock.done("live");
    tenant.change_after_leader_is_killed().await?;
    clock.done("the leader was killed; another replica leads and has carried out a change");

    let since = intact_since(&admin).await?;
    tenant.file_exit().await?;
    let replicas = upgrade_chart(helm, &admin).await?;
    ensure!(intact_since(&admin).await? == since, "the upgrade is a gap to the guard");
    clock.done(&format!(
        "the chart upgraded in the middle of an exit: {replicas} new replicas, the guard unbroken"
    ));
    uninstall_chart(helm, &admin).await?;
    tenant.stands(&workload).await?;
    clock.done("the chart uninstalled: the tenant's Pod runs on, the records stay");
    helm_install(helm).await?;
    ensure!(intact_since(&admin).await? == since, "policies that stood all the time are a gap to the guard");
    tenant.consent().await?;
    clock.done("installed again: the exit goes on where it was");
    tenant.exit(&workload).await?;
    clock.done("exited: the one volume's directory is gone, the other's data is kept, with a certificate");
    Ok(())
}

/// Installs the chart under Pod Security `restricted`.
async fn install_chart(helm: &Helm, admin: &Kubectl) -> Result<()> {
    admin.run(&["create", "namespace", "govcloud-system"]).await?;
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    admin.run(&["label", "namespace", "govcloud-system", restricted]).await?;
    helm_install(helm).await?;
    let pods = operators(admin).await?;
    ensure!(pods.len() == 2, "{pods:?}");
    Ok(())
}

/// Upgrades the chart until all replicas are new ones. Returns their number.
async fn upgrade_chart(helm: &Helm, admin: &Kubectl) -> Result<usize> {
    let chart = chart().display().to_string();
    let before = operators(admin).await?;
    let wait = ["--set=log.level=debug", "--set=image.pullPolicy=Never", "--wait", "--timeout=240s"];
    helm.run(&[&["upgrade", "govcloud-operator", &chart], &wait[..]].concat()).await?;
    let after = eventually("only new replicas", PATIENCE, || async {
        Ok(Some(operators(admin).await?).filter(|p| p.len() == 2 && p.iter().all(|p| !before.contains(p))))
    });
    Ok(after.await?.len())
}

async fn uninstall_chart(helm: &Helm, admin: &Kubectl) -> Result<()> {
    helm.run(&["uninstall", "govcloud-operator", "--wait", "--timeout=180s"]).await?;
    eventually("no operator", PATIENCE, || async { Ok(operators(admin).await?.is_empty().then_some(())) })
        .await
}

const TRAVEL: &str = "capp/travel";
const EXIT: &str = "decom/travel-exit";

/// The sample application with its namespace.
struct Tenant {
    admin: Kubectl,
    department: Kubectl,
    steps: SampleDepartment,
    namespace: String,
}

/// The department's Pod and the directories of its volumes.
struct Workload {
    pod: String,
    data: PathBuf,
    archive: PathBuf,
}

impl Tenant {
    /// Files and approves the sample application.
    async fn provision(node: &Node) -> Result<Self> {
        let (kubeconfigs, kubectl) = (node.root().to_owned(), node.kubectl(Actor::Admin));
        let steps = SampleDepartment::install_with(move |who| {
            kubectl.by(e2e::actors::kubeconfig(&kubeconfigs, who.user()))
        })
        .await?;
        ensure!(steps.file("travel").await? == TRAVEL);
        steps.approve(TRAVEL).await?;
        let provisioned = steps.until_phase(TRAVEL, "Provisioned").await?;
        let namespace =
            provisioned["status"]["namespaces"][0]["namespace"].as_str().context("no tenant")?.to_owned();
        let department = steps.by(Actor::Department);
        Ok(Self { admin: node.kubectl(Actor::Admin), department, steps, namespace })
    }

    /// The department claims two volumes and runs a Pod that writes to them.
    async fn start_workload(&self, node: &Node) -> Result<Workload> {
        let (department, tenant) = (&self.department, &self.namespace);
        apply_in(department, tenant, &std::fs::read_to_string(sample("travel-volumes.yaml"))?).await?;
        apply_in(department, tenant, WORKLOAD).await?;
        department.run(&["rollout", "status", "deployment/travel", "-n", tenant, "--timeout=180s"]).await?;
        let data = volume(node, tenant, "data").await?;
        let archive = volume(node, tenant, "archive").await?;
        grows(&data).await?;
        Ok(Workload { pod: pod(&self.admin, tenant).await?, data, archive })
    }

    /// The department changes the spec of one of its records.
    async fn patch(&self, what: &str, patch: &str) -> Result<()> {
        self.department.run(&["patch", what, "-n", DEPARTMENT, "--type=merge", "-p", patch]).await.map(drop)
    }

    async fn go_live(&self) -> Result<()> {
        let live = format!("{{\"spec\":{{\"goLive\":{{\"at\":\"{}\"}}}}}}", jiff::Timestamp::now());
        self.patch(TRAVEL, &live).await?;
        self.steps.until_phase(TRAVEL, "Live").await.map(drop)
    }

    /// Kills the replica that leads; another carries out a change.
    async fn change_after_leader_is_killed(&self) -> Result<()> {
        let leader = holder(&self.admin).await?;
        let now = ["--force", "--grace-period=0"];
        self.admin.run(&[&["delete", "pod", &leader, "-n", "govcloud-system"], &now[..]].concat()).await?;
        let enlarge = std::fs::read_to_string(sample("travel-enlarge.yaml"))?;
        apply_in(&self.department, DEPARTMENT, &enlarge).await?;
        let change = "chreq/travel-enlarge";
        self.steps.until(change, "valid", valid).await?;
        let next = holder(&self.admin).await?;
        ensure!(next != leader, "{leader} leads again");
        self.steps.approve(change).await?;
        self.steps.until_phase(change, "Completed").await.map(drop)
    }

    async fn file_exit(&self) -> Result<()> {
        let exit = std::fs::read_to_string(sample("travel-exit.yaml"))?;
        apply_in(&self.department, DEPARTMENT, &exit).await?;
        self.steps.until_phase(EXIT, "AwaitingConsent").await.map(drop)
    }

    /// Checks that the Pod still writes, and that the exit still waits for the consent.
    async fn stands(&self, workload: &Workload) -> Result<()> {
        grows(&workload.data).await?;
        let pod = pod(&self.admin, &self.namespace).await?;
        ensure!(pod == workload.pod, "the department's Pod was replaced or restarted");
        ensure!(self.steps.get(EXIT).await?["status"]["phase"] == "AwaitingConsent");
        Ok(())
    }

    async fn consent(&self) -> Result<()> {
        let digest = self.steps.get(EXIT).await?["status"]["inventory"]["digest"].to_string();
        let consent = format!("{{\"spec\":{{\"consent\":{{\"inventoryDigest\":{digest}}}}}}}");
        self.patch(EXIT, &consent).await?;
        self.steps.until_phase(EXIT, "AwaitingDecision").await?;
        self.steps.until(EXIT, "valid", valid).await.map(drop)
    }

    /// The authority approves the exit: the one volume is destroyed, the other is kept.
    async fn exit(&self, workload: &Workload) -> Result<()> {
        self.steps.approve(EXIT).await?;
        // Its Pod runs and holds the claims: a minute until the namespace is deleted, and then the Pod's own time to end.
        let gone = || async {
            let get = ["get", "namespace", &self.namespace, "--ignore-not-found"];
            Ok(self.admin.run(&get).await?.is_empty().then_some(()))
        };
        eventually("the namespace is gone", PATIENCE, gone).await?;
        let done = self.steps.until_phase(EXIT, "Completed").await?;
        ensure!(timeline_count(&done, "Submitted") == 1, "{}", done["status"]["timeline"]);
        self.steps.until_phase(TRAVEL, "Exited").await?;
        ensure!(!workload.data.exists(), "{} is not destroyed", workload.data.display());
        ensure!(workload.archive.join("record").metadata()?.len() > 0, "the archive is lost");
        Ok(())
    }
}

/// Prints what took how long.
struct Steps(Instant);

impl Steps {
    fn done(&mut self, what: &str) {
        println!("node: {what} ({:.1?})", self.0.elapsed());
        self.0 = Instant::now();
    }
}

/// `helm install` of the image on this node, until both replicas are ready.
async fn helm_install(helm: &Helm) -> Result<()> {
    let (chart, image) = (chart().display().to_string(), format!("--set=image.repository={IMAGE}"));
    let wait = ["--set=image.pullPolicy=Never", "--wait", "--timeout=240s"];
    helm.run(&[&["install", "govcloud-operator", &chart, &image], &wait[..]].concat()).await.map(drop)
}

/// Applies a manifest in a namespace: RBAC may be a moment behind.
async fn apply_in(kubectl: &Kubectl, namespace: &str, manifest: &str) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("manifest.yaml");
    std::fs::write(&file, manifest)?;
    let file = file.display().to_string();
    let args = ["apply", "--server-side", "-n", namespace, "-f", &file];
    eventually("applied", Duration::from_secs(30), || async { kubectl.run(&args).await.map(Some) })
        .await
        .map(drop)
}

/// Returns true if a record's present generation is valid.
fn valid(object: &Value) -> bool {
    let valid = e2e::sample_department::condition(object, "Valid");
    valid["status"] == "True" && valid["observedGeneration"] == object["metadata"]["generation"]
}

/// Names of the operator's Pods that are not on their way out.
async fn operators(admin: &Kubectl) -> Result<Vec<String>> {
    let args = [
        "get",
        "pods",
        "-n",
        "govcloud-system",
        "-l",
        "app.kubernetes.io/name=govcloud-operator",
        "-o",
        "json",
    ];
    let list: Value = serde_json::from_str(&admin.run(&args).await?)?;
    let pods = list["items"].as_array().context("no list")?;
    let stands = pods.iter().filter(|p| p["metadata"]["deletionTimestamp"].is_null());
    Ok(stands.filter_map(|p| p["metadata"]["name"].as_str().map(str::to_owned)).collect())
}

/// Holder of the lease.
async fn holder(admin: &Kubectl) -> Result<String> {
    let args = [
        "get",
        "lease",
        "govcloud-operator",
        "-n",
        "govcloud-system",
        "-o",
        "jsonpath={.spec.holderIdentity}",
    ];
    let holder = admin.run(&args).await?;
    ensure!(!holder.is_empty(), "nobody leads");
    Ok(holder)
}

/// Since when the guard finds the gate sealed.
async fn intact_since(admin: &Kubectl) -> Result<String> {
    let args =
        ["get", "configmap", "govcloud-guard", "-n", "govcloud-system", "-o", "jsonpath={.data.record}"];
    let record: Value = serde_json::from_str(&admin.run(&args).await?)?;
    Ok(record["intactSince"].as_str().context("the policies were never intact")?.to_owned())
}

/// The directory behind a claim.
async fn volume(node: &Node, tenant: &str, claim: &str) -> Result<PathBuf> {
    let args = ["get", "pvc", claim, "-n", tenant, "-o", "jsonpath={.spec.volumeName}"];
    let name = node.kubectl(Actor::Admin).run(&args).await?;
    let directory = node.root().join("volumes").join(&name);
    ensure!(!name.is_empty() && directory.is_dir(), "no directory for {claim}: {name}");
    Ok(directory)
}

/// The department's Pod, by UID and restarts.
async fn pod(admin: &Kubectl, tenant: &str) -> Result<String> {
    let columns =
        "jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{end}";
    admin.run(&["get", "pods", "-n", tenant, "-l", "app=travel", "-o", columns]).await
}

/// Waits until the record in a volume has grown.
async fn grows(volume: &std::path::Path) -> Result<()> {
    let size = || std::fs::metadata(volume.join("record")).map_or(0, |m| m.len());
    let before = size();
    let what = format!("{} grows", volume.display());
    eventually(&what, PATIENCE, || async { Ok((size() > before).then_some(())) }).await
}

/// Dump of the cluster for a run that failed.
async fn look(node: &Node) -> String {
    let admin = node.kubectl(Actor::Admin);
    let mut text = String::new();
    let looks: [&[&str]; 5] = [
        &["get", "pods", "-A", "-o", "wide"],
        &["get", "capp,chreq,decom,grant", "-A"],
        &["get", "events", "-A", "--sort-by=.lastTimestamp"],
        &["logs", "-n", "govcloud-system", "-l", "app.kubernetes.io/name=govcloud-operator", "--tail=60"],
        &["get", "pv"],
    ];
    for args in looks {
        text.push_str(&admin.run(args).await.unwrap_or_else(|e| e.to_string()));
        text.push('\n');
    }
    text + &node.said()
}

/// Files that containerd, CNI and kubelet keep outside of the node's directory.
fn traces() -> BTreeSet<PathBuf> {
    let within = |dir: &str| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path());
    let places = PLACES.lines().map(PathBuf::from).filter(|p| p.exists());
    let files = PLACES.lines().chain(["/run/netns"]).flat_map(within);
    places.chain(files).collect()
}

/// No link, no cgroup, no file and no process of the node is left that was not there before.
fn nothing_left(before: &BTreeSet<PathBuf>) -> Result<()> {
    let after = traces();
    let new: Vec<_> = after.difference(before).collect();
    ensure!(new.is_empty(), "{new:?} are left");
    ensure!(!PathBuf::from("/sys/class/net/kn0").exists(), "link kn0 is left");
    for hierarchy in std::fs::read_dir("/sys/fs/cgroup")?.flatten() {
        let cgroup = hierarchy.path().join("kubepods");
        ensure!(!cgroup.exists(), "{} is left", cgroup.display());
    }
    let left = std::fs::read_dir(std::env::temp_dir())?.flatten();
    let left = left.filter(|e| e.file_name().to_string_lossy().starts_with("govcloud-node-"));
    let left: Vec<_> = left.map(|e| e.path()).collect();
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}
