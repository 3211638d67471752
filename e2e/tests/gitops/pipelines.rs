//! Two pipelines and the operator on the same objects, again and again; and a pipeline that prunes.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::{AuditLog, Entries};
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE};
use e2e::kubectl::Kubectl;
use e2e::suite::Context;
use e2e::wait::eventually;
use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::{Value, json};

/// Number of times that each pipeline applies.
const ROUNDS: usize = 5;

/// The records.
const RECORDS: &str = "cloudapplications,resourcegrants,changerequests,decommissions";

/// Objects that the operator keeps for a tenant.
const KEPT: &str = "namespaces,resourcequotas,limitranges,networkpolicies,rolebindings";

/// A department's workloads.
const WORKLOADS: &str = r"
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {greeting: 你好}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: hostpath
  resources: {requests: {storage: 1Gi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: example/web:1
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
";

/// A pipeline: who applies what where, under which name.
struct Pipeline {
    kubectl: Kubectl,
    namespace: String,
    manager: &'static str,
    file: tempfile::NamedTempFile,
}

impl Pipeline {
    fn new(context: &Context, namespace: &str, manager: &'static str, manifests: &str) -> Result<Self> {
        let file = tempfile::NamedTempFile::with_suffix(".yaml")?;
        std::fs::write(file.path(), manifests)?;
        let kubectl = context.cluster.kubectl(Actor::Pipeline);
        Ok(Self { kubectl, namespace: namespace.to_owned(), manager, file })
    }

    /// Applies, without forcing anything.
    async fn apply(&self) -> Result<String> {
        let manager = format!("--field-manager={}", self.manager);
        let file = self.file.path().display().to_string();
        self.kubectl.run(&["apply", "--server-side", &manager, "-n", &self.namespace, "-f", &file]).await
    }

    /// Changes that an apply would make: none, once it has converged.
    async fn differs(&self) -> Result<String> {
        let manager = format!("--field-manager={}", self.manager);
        let file = self.file.path().display().to_string();
        let args = ["diff", "--server-side", &manager, "-n", &self.namespace, "-f", &file];
        let output = self.kubectl.output(&args).await?;
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(matches!(output.status.code(), Some(0 | 1)), "kubectl diff: {said}");
        Ok(said)
    }
}

/// resourceVersions by kind and name.
type Versions = BTreeMap<String, String>;

/// resourceVersions of everything that the operator keeps, and of the records.
async fn versions(context: &Context, department: &Department, tenant: &str) -> Result<Versions> {
    let kubectl = context.cluster.kubectl(Actor::Admin);
    let mut all = BTreeMap::new();
    for (what, namespace) in
        [(RECORDS, department.namespace.as_str()), (KEPT, tenant), ("pvc,configmap,service", tenant)]
    {
        let text = kubectl.run(&["get", what, "-n", namespace, "-o", "json"]).await?;
        let found: Value = serde_json::from_str(&text)?;
        for o in found["items"].as_array().into_iter().flatten() {
            let meta = &o["metadata"];
            // Other tests' namespaces are listed too: only this tenant's counts.
            if o["kind"] == "Namespace" && meta["name"] != tenant {
                continue;
            }
            all.insert(format!("{}/{}", o["kind"], meta["name"]), meta["resourceVersion"].to_string());
        }
    }
    Ok(all)
}

/// The records' manifest, with a pipeline among those who have access.
fn manifest(department: &Department, name: &str) -> Result<Value> {
    let mut manifest = department.application(name)?;
    let access = json!({"subject": {"kind": "Group", "name": Actor::Pipeline.group()}, "role": "edit"});
    manifest["spec"]["access"].as_array_mut().context("no access")?.push(access);
    Ok(manifest)
}

async fn open(context: &Context, prefix: &str) -> Result<Department> {
    fixtures::regions(&context.cluster).await?;
    let namespace = context.filing_namespace(prefix, HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let binding = [
        "create",
        "rolebinding",
        "pipeline",
        "-n",
        &namespace,
        "--clusterrole=govcloud:pipeline",
        "--group=govcloud:pipeline",
    ];
    context.cluster.kubectl(Actor::Admin).run(&binding).await?;
    Ok(department)
}

pub async fn two_pipelines_never_fight_the_operator(context: Context) -> Result<()> {
    let department = open(&context, "dept-gitops").await?;
    let records = Pipeline::new(
        &context,
        &department.namespace,
        "argocd-controller",
        &manifest(&department, "travel")?.to_string(),
    )?;
    // The binding is seen by the authorizer a moment after it was made.
    eventually("the pipeline files", PATIENCE, || async { records.apply().await.map(Some) }).await?;
    department.approve(Kind::Application, "travel").await?;
    let application = department.phase(Kind::Application, "travel", "Provisioned").await?;
    ensure!(
        application.annotations()["govcloud.dev/requested-by"] == Actor::Pipeline.user(),
        "another filed"
    );
    let (tenant, _) = Department::tenant(&application, "prod")?;
    let workloads = Pipeline::new(&context, &tenant, "kustomize-controller", WORKLOADS)?;
    eventually("the workloads are applied", PATIENCE, || async { workloads.apply().await.map(Some) }).await?;
    // Fields that are set later are not in Git.
    department.go_live("travel").await?;
    department.fill(&tenant, "data", "行程").await?;
    let places = Places { context: &context, department: &department, tenant: &tenant };
    let before = eventually("everything is at rest", PATIENCE, || places.at_rest()).await?;
    let mark = AuditLog::mark();
    for round in 0..ROUNDS {
        for pipeline in [&records, &workloads] {
            pipeline.apply().await.with_context(|| format!("{} in round {round}", pipeline.manager))?;
            let differs = pipeline.differs().await?;
            ensure!(
                differs.trim().is_empty(),
                "{} would change in round {round}:\n{differs}",
                pipeline.manager
            );
        }
    }
    let applied = places.assert_nothing_moved(mark, &before).await?;
    println!(
        "  {ROUNDS} rounds of two pipelines: {applied} applies, no conflict, no difference, {} objects stood still, the operator wrote 0 times",
        before.len()
    );
    Ok(())
}

/// The filing namespace and the tenant namespace.
struct Places<'a> {
    context: &'a Context,
    department: &'a Department,
    tenant: &'a str,
}

impl Places<'_> {
    /// The audit log since a mark, in so far as it is about them.
    async fn log(&self, mark: Timestamp) -> Result<Entries> {
        let admin = self.context.cluster.client(Actor::Admin).await?;
        let log = self.context.cluster.audit().settled(&admin).await?.since(mark);
        Ok(log.keep(|e| about(e, self.department, self.tenant)))
    }

    /// Versions of all objects, once nothing moves and the operator writes nothing.
    async fn at_rest(&self) -> Result<Option<Versions>> {
        let (mark, before) = (AuditLog::mark(), versions(self.context, self.department, self.tenant).await?);
        let writes = self.log(mark).await?.by_user(OPERATOR).writes().without_leases();
        ensure!(
            writes.is_empty() && versions(self.context, self.department, self.tenant).await? == before,
            "not at rest:\n{writes}"
        );
        Ok(Some(before))
    }

    /// No object has another version than before, the operator wrote nothing, and no apply was refused. Returns the
    /// number of applies.
    async fn assert_nothing_moved(&self, mark: Timestamp, before: &Versions) -> Result<usize> {
        let log = self.log(mark).await?;
        let after = versions(self.context, self.department, self.tenant).await?;
        ensure!(after == *before, "moved:\n{before:?}\n{after:?}");
        let writes = log.clone().by_user(OPERATOR).writes().without_leases();
        ensure!(writes.is_empty(), "the operator wrote:\n{writes}");
        let applied = log.by_user(Actor::Pipeline.user()).writes();
        let refused = applied.clone().keep(|e| !(200..300).contains(&e.code()));
        ensure!(
            refused.is_empty() && applied.len() >= ROUNDS * 5,
            "{} applied, refused:\n{refused}",
            applied.len()
        );
        Ok(applied.len())
    }
}

fn about(entry: &e2e::audit::Entry, department: &Department, tenant: &str) -> bool {
    let Some(o) = &entry.object_ref else { return false };
    o.namespace == department.namespace || o.namespace == tenant || o.name == tenant
}

pub async fn pruning_live_records_is_refused(context: Context) -> Result<()> {
    let department = open(&context, "dept-prune").await?;
    let kubectl = context.cluster.kubectl(Actor::Pipeline);
    let labelled = |name: &str| -> Result<String> {
        let mut manifest = manifest(&department, name)?;
        manifest["metadata"]["labels"] = json!({"repository": "records"});
        Ok(manifest.to_string())
    };
    let apply = async |names: &[&str]| -> Result<String> {
        let dir = tempfile::tempdir()?;
        for name in names {
            std::fs::write(dir.path().join(format!("{name}.json")), labelled(name)?)?;
        }
        let (dir, namespace) = (dir.path().display().to_string(), department.namespace.as_str());
        let args = [
            "apply",
            "-n",
            namespace,
            "-f",
            &dir,
            "--prune",
            "-l",
            "repository=records",
            "--prune-allowlist=govcloud.dev/v1alpha1/CloudApplication",
        ];
        kubectl.run(&args).await
    };
    eventually("the pipeline files", PATIENCE, || async {
        apply(&["stays", "lives", "waits"]).await.map(Some)
    })
    .await?;
    department.approve(Kind::Application, "lives").await?;
    department.phase(Kind::Application, "lives", "Provisioned").await?;
    department.go_live("lives").await?;
    // Its file is removed from the repository, whoever applies; or somebody deletes it outright.
    let wanted = "to leave, file a Decommission (Art. 16)";
    for attempt in 0..2 {
        let said = format!("{:#}", apply(&["stays", "waits"]).await.err().context("what lives was pruned")?);
        ensure!(said.contains(wanted) && said.contains("phase: Live"), "attempt {attempt}: {said}");
    }
    for who in [Actor::Pipeline, department.applicant, Actor::PlatformAdmin, Actor::Admin] {
        let args = ["delete", "capp", "lives", "-n", &department.namespace, "--wait=false"];
        let refused = context.cluster.kubectl(who).run(&args).await;
        let said = format!("{:#}", refused.err().with_context(|| format!("{who:?} deleted it"))?);
        ensure!(said.contains(wanted), "{who:?}: {said}");
    }
    let live = department.get(Kind::Application, "lives").await?;
    ensure!(
        live.data["status"]["phase"] == "Live" && live.metadata.deletion_timestamp.is_none(),
        "it was touched"
    );
    // Records that nobody has decided on are withdrawn by pruning.
    let pruned = || async {
        apply(&["stays", "lives"]).await?;
        let gone = department.get(Kind::Application, "waits").await.is_err();
        Ok(gone.then_some(()))
    };
    eventually("the undecided record is pruned", PATIENCE, pruned).await
}
