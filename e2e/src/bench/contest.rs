//! The operator against the limit: what it takes to carry out many approvals, beside a bare client that sends the
//! very same writes on an equally fresh control plane.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use govcloud_api::keys;
use govcloud_domain::names;
use kube::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::board::{Board, Mark};
use super::figures::{Used, median};
use super::lanes::{self, Lanes};
use super::recording::{Recording, standing};
use super::scene::{Filed, PATIENCE, Scene, path};
use crate::office::{self, Kind};
use crate::personas::{self, Persona};
use crate::say;

/// Offices that the applications are spread over.
const OFFICES: usize = 20;

/// Volumes that each application has when it leaves.
const VOLUMES: usize = 2;

/// What is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Course {
    /// Applications, which are provisioned.
    Provision,
    /// Exits of applications with two volumes each, one destroyed and one retained.
    Exit,
}

/// One run of the operator and one of the bare client.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Pair {
    /// Seconds from the first approval sent to the last application seen where it should be.
    pub operator: f64,
    /// Seconds that the bare client takes for the operator's writes.
    pub raw: f64,
    /// Seconds that the bare client takes for the approvals, which the operator's run holds as well.
    pub approvals: f64,
    /// Seconds that a client takes to which deciding costs nothing: it is told of each approval as it is answered, and
    /// sends what the operator wrote.
    #[serde(default)]
    pub costless: Option<f64>,
    /// Seconds of processor time that the operator used.
    pub cpu: f64,
}

impl Pair {
    /// The operator's time by the bare client's.
    pub fn ratio(&self) -> f64 {
        self.operator / self.raw
    }

    /// Seconds of the bare client for all that the operator's run holds: the approvals, and then the writes.
    pub fn with_approvals(&self) -> f64 {
        self.approvals + self.raw
    }
}

/// What was measured at one number of applications.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contest {
    /// What was approved.
    pub course: Course,
    /// How many applications.
    pub applications: usize,
    /// The runs, alternated.
    pub pairs: Vec<Pair>,
    /// The operator's writes by verb and resource, all applications together, in its last run.
    pub writes: BTreeMap<String, usize>,
    /// Its reads.
    pub reads: BTreeMap<String, usize>,
    /// Writes that were refused.
    pub refused: usize,
}

impl Contest {
    /// The median of the pairs' ratios.
    pub fn ratio(&self) -> f64 {
        median(&self.pairs.iter().map(Pair::ratio).collect::<Vec<_>>())
    }

    /// The median of some measure of the pairs; `None` where a pair has none.
    pub fn median(&self, of: impl Fn(&Pair) -> Option<f64>) -> Option<f64> {
        self.pairs.iter().map(of).collect::<Option<Vec<f64>>>().map(|all| median(&all))
    }

    /// The median time of the operator for one application, in milliseconds.
    pub fn each_ms(&self) -> f64 {
        let times: Vec<f64> = self.pairs.iter().map(|p| p.operator).collect();
        median(&times) * 1000.0 / self.applications as f64
    }
}

/// Measures so many pairs, alternating the two.
pub async fn measure(course: Course, applications: usize, pairs: usize) -> Result<Contest> {
    let mut contest = Contest {
        course,
        applications,
        pairs: Vec::new(),
        writes: BTreeMap::new(),
        reads: BTreeMap::new(),
        refused: 0,
    };
    for at in 1..=pairs {
        let (operator, cpu, recording) = operated(course, applications).await?;
        let (approvals, raw) = replayed(course, applications, &recording).await?;
        let costless = as_told(course, applications, &recording).await?;
        let pair = Pair { operator, raw, approvals, costless: Some(costless), cpu };
        say!(
            "{course:?} {applications}, pair {at}: operator {operator:.2} s (its processor time {cpu:.2} s), \
             bare client {raw:.2} s + approvals {approvals:.2} s, both at once {costless:.2} s: {:.3}",
            pair.ratio()
        );
        contest.pairs.push(pair);
        contest.writes = recording.table();
        contest.reads = recording.reads.clone();
        contest.refused = recording.refused;
    }
    Ok(contest)
}

/// One run of the operator: seconds, its processor time, and what it wrote.
async fn operated(course: Course, count: usize) -> Result<(f64, f64, Recording)> {
    let (scene, board) = staged(course, count).await?;
    let applications = scene.applications(0, count);
    let before = standing(&scene.admin).await?;
    let log = scene.cluster.audit().follow()?;
    let pid = scene.pid().await?;
    let used = Used::by(pid)?;
    let began = Instant::now();
    course.decide(&scene, &applications, |_, _| ()).await?;
    board.until(course.end(), count, PATIENCE).await?;
    let ended = board.all(course.end()).into_iter().max().context("nothing ended")?;
    let cpu = Used::by(pid)?.cpu - used.cpu;
    course.check(&scene, count).await?;
    let recording = Recording::read(log, &scene.admin, &before).await?;
    let written = recording.applications();
    ensure!(written == count, "{written} applications were written of, not {count}");
    Ok(((ended - began).as_secs_f64(), cpu, recording))
}

/// One run of the bare client: seconds for the approvals, and for the operator's writes.
async fn replayed(course: Course, count: usize, recording: &Recording) -> Result<(f64, f64)> {
    let (scene, board) = staged(course, count).await?;
    scene.rest().await?;
    let applications = scene.applications(0, count);
    let own = personas::kubeconfig(scene.cluster.plane.root(), personas::OPERATOR_SERVICE_ACCOUNT);
    let lanes = Lanes::open(&own).await?;
    let began = Instant::now();
    course.decide(&scene, &applications, |_, _| ()).await?;
    let approvals = began.elapsed();
    let now = standing(&scene.admin).await?;
    let began = Instant::now();
    recording.replay(&lanes, &now).await?;
    course.carried_out(&scene, count).await?;
    let raw = began.elapsed();
    board.until(course.end(), count, PATIENCE).await?;
    course.check(&scene, count).await?;
    Ok((approvals.as_secs_f64(), raw.as_secs_f64()))
}

/// One run of a client that decides nothing, reads nothing and is told of each approval: seconds from the first approval
/// sent to the last write answered, and of an exit to the last namespace gone. What an operator that costs nothing would take.
async fn as_told(course: Course, count: usize, recording: &Recording) -> Result<f64> {
    let (scene, board) = staged(course, count).await?;
    scene.rest().await?;
    let applications = scene.applications(0, count);
    let own = personas::kubeconfig(scene.cluster.plane.root(), personas::OPERATOR_SERVICE_ACCOUNT);
    let lanes = Lanes::open(&own).await?;
    let now = standing(&scene.admin).await?;
    let (tell, told) = mpsc::unbounded_channel();
    let heard = |filed: &Filed, record: &Value| {
        let version = record["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        // Whoever listens ends with an error of its own.
        let _ = tell.send(((filed.namespace.clone(), filed.name.clone()), version));
    };
    let resource = course.kind().resource();
    let began = Instant::now();
    tokio::try_join!(
        course.decide(&scene, &applications, heard),
        recording.replay_as_told(&lanes, &now, &resource.plural, told)
    )?;
    course.carried_out(&scene, count).await?;
    let took = began.elapsed();
    board.until(course.end(), count, PATIENCE).await?;
    course.check(&scene, count).await?;
    Ok(took.as_secs_f64())
}

/// A fresh control plane where everything waits for the approvals.
async fn staged(course: Course, count: usize) -> Result<(Scene, Board)> {
    let scene = Scene::open(OFFICES).await?;
    scene.operate().await?;
    let board = scene.board(Kind::Application);
    let applications = scene.applications(0, count);
    scene.file(&board, &applications).await?;
    if course == Course::Provision {
        return Ok((scene, board));
    }
    scene.approve(&applications).await?;
    board.until(Mark::Provisioned, count, PATIENCE).await?;
    claim(&scene, &applications).await?;
    let exits = scene.board(Kind::Exit);
    file_exits(&scene, &exits, &applications).await?;
    Ok((scene, exits))
}

/// Every department claims its volumes, and they are bound.
async fn claim(scene: &Scene, applications: &[Filed]) -> Result<()> {
    let claim = |client: Client, at: usize| {
        let tenant = names::tenant_namespace(&applications[at].namespace, &applications[at].name, "prod");
        async move {
            for name in ["data", "archive"] {
                let claim = json!({
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"], "storageClassName": "hostpath",
                        "resources": {"requests": {"storage": "10Gi"}},
                    },
                });
                let path = format!("/api/v1/namespaces/{tenant}/persistentvolumeclaims");
                lanes::create(&client, &path, &claim).await?;
            }
            Ok(())
        }
    };
    let admin = Lanes::open(&scene.cluster.plane.kubeconfig(Persona::Admin)).await?;
    admin.each(applications, claim).await?;
    let bound = || async {
        let volumes = lanes::get(&scene.admin, "/api/v1/persistentvolumes").await?;
        let kept = |v: &&Value| {
            v["status"]["phase"] == "Bound"
                && v["metadata"]["labels"]["govcloud.dev/application-uid"].is_string()
        };
        let kept = volumes["items"].as_array().map_or(0, |v| v.iter().filter(kept).count());
        ensure!(kept == applications.len() * VOLUMES, "{kept} volumes are bound and labelled");
        Ok(Some(()))
    };
    crate::wait::eventually("every volume is bound", 10 * PATIENCE, bound).await
}

/// Every department files its exit and consents to its inventory.
async fn file_exits(scene: &Scene, exits: &Board, applications: &[Filed]) -> Result<()> {
    let mut manifest = office::sample("travel-exit.yaml")?;
    manifest["spec"]["disposition"] = json!({
        "default": "Retain", "volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}],
    });
    let file = |client: Client, at: usize| {
        let Filed { namespace, name } = &applications[at];
        let mut exit = manifest.clone();
        exit["metadata"]["name"] = json!(name);
        exit["spec"]["application"] = json!(name);
        async move { lanes::create(&client, &path(namespace, Kind::Exit), &exit).await.map(drop) }
    };
    scene.department.each(applications, file).await?;
    exits.until(Mark::AwaitingConsent, applications.len(), PATIENCE).await?;
    let consent = |client: Client, at: usize| {
        let Filed { namespace, name } = &applications[at];
        let digest = exits.get(namespace, name).map(|s| s.inventory).unwrap_or_default();
        let path = format!("{}/{name}", path(namespace, Kind::Exit));
        let consent = json!({"spec": {"consent": {"inventoryDigest": digest}}});
        async move { lanes::merge(&client, &path, &consent).await.map(drop) }
    };
    scene.department.each(applications, consent).await?;
    exits.until(Mark::AwaitingDecision, applications.len(), PATIENCE).await
}

impl Course {
    /// What is decided on.
    fn kind(self) -> Kind {
        match self {
            Self::Provision => Kind::Application,
            Self::Exit => Kind::Exit,
        }
    }

    /// Every decision, by the authority; `tell` hears of each.
    async fn decide(self, scene: &Scene, records: &[Filed], tell: impl Fn(&Filed, &Value)) -> Result<()> {
        let generation = match self {
            Self::Provision => 1,
            // Filed, and consented to.
            Self::Exit => 2,
        };
        scene.approve_telling(self.kind(), generation, records, tell).await
    }

    /// What everything is to be in the end.
    fn end(self) -> Mark {
        match self {
            Self::Provision => Mark::Provisioned,
            Self::Exit => Mark::Completed,
        }
    }

    /// Counts what must be there in the end, and what must not.
    async fn check(self, scene: &Scene, applications: usize) -> Result<()> {
        let expected = match self {
            Self::Provision => [
                ("/api/v1/namespaces", 1),
                ("/api/v1/resourcequotas", 1),
                ("/api/v1/limitranges", 1),
                ("/apis/networking.k8s.io/v1/networkpolicies", 2),
                ("/apis/rbac.authorization.k8s.io/v1/rolebindings", 1),
            ]
            .to_vec(),
            Self::Exit => vec![("/api/v1/namespaces", 0), ("/api/v1/persistentvolumes", 1)],
        };
        for (path, each) in expected {
            let found = ours(scene, path).await?;
            ensure!(found == each * applications, "{found} of {path}, not {}", each * applications);
        }
        Ok(())
    }

    /// Waits, after an exit's writes, until every tenant namespace is gone, and every volume that was to be destroyed:
    /// Kubernetes' controllers do both, and the operator has done before it says that an exit is completed.
    async fn carried_out(self, scene: &Scene, applications: usize) -> Result<()> {
        if self == Self::Provision {
            return Ok(());
        }
        let first = format!("/api/v1/namespaces?labelSelector={}&limit=1", keys::APPLICATION_UID);
        let gone = || async {
            // Looked at cheaply: what measures must not be what is measured.
            let left = lanes::get(&scene.admin, &first).await?;
            ensure!(left["items"].as_array().is_some_and(Vec::is_empty), "namespaces are left");
            self.check(scene, applications).await.map(Some)
        };
        crate::wait::eventually("everything is reclaimed", 20 * PATIENCE, gone).await
    }
}

/// How many objects of a kind bear the operator's label.
async fn ours(scene: &Scene, path: &str) -> Result<usize> {
    let labelled = format!("{path}?labelSelector={}", keys::APPLICATION_UID);
    let list = lanes::get(&scene.admin, &labelled).await?;
    Ok(list["items"].as_array().map_or(0, Vec::len))
}
