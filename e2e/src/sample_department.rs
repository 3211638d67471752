//! The department of the samples, and steps of a life by kubectl: file, decide, read, wait.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::actors::Actor;
use crate::cluster::Cluster;
use crate::kubectl::Kubectl;
use crate::wait::eventually;

/// The department's filing namespace in the samples.
pub const DEPARTMENT: &str = "dept-transport";

/// Longest time of a step of a life.
const PATIENCE: Duration = Duration::from_secs(90);

/// Actors of the samples around one cluster, with one filing namespace.
#[derive(Clone)]
pub struct SampleDepartment {
    by: Arc<dyn Fn(Actor) -> Kubectl + Send + Sync>,
}

impl SampleDepartment {
    /// Sets up the sample regions, roles and actors.
    pub async fn install(cluster: Arc<Cluster>) -> Result<Self> {
        Self::install_with(move |who| cluster.kubectl(who)).await
    }

    /// Sets them up where kubectl leads to another cluster than one of the harness.
    pub async fn install_with(by: impl Fn(Actor) -> Kubectl + Send + Sync + 'static) -> Result<Self> {
        let department = Self { by: Arc::new(by) };
        let admin = department.by(Actor::PlatformAdmin);
        for what in ["rbac", "region-410000.yaml", "personas.yaml"] {
            admin.apply_path(&sample(what)).await?;
        }
        Ok(department)
    }

    /// kubectl as somebody.
    pub fn by(&self, who: Actor) -> Kubectl {
        (self.by)(who)
    }

    /// An object of the department's filing namespace.
    pub async fn get(&self, what: &str) -> Result<Value> {
        let text = self.by(Actor::Admin).run(&["get", what, "-n", DEPARTMENT, "-o", "json"]).await?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Waits until an object is as `wanted` says.
    pub async fn until(&self, what: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        eventually(&format!("{what}: {name}"), PATIENCE, || async {
            let object = self.get(what).await?;
            Ok(wanted(&object).then_some(object))
        })
        .await
    }

    /// Waits until a record is in a phase.
    pub async fn until_phase(&self, what: &str, phase: &str) -> Result<Value> {
        self.until(what, phase, |o| o["status"]["phase"] == phase).await
    }

    /// The department files the sample application under a name, and the operator finds it valid.
    pub async fn file(&self, name: &str) -> Result<String> {
        let manifest = std::fs::read_to_string(sample("travel.yaml"))?;
        let manifest =
            manifest.replace("name: travel\n", &format!("name: {name}\n  namespace: {DEPARTMENT}\n"));
        self.by(Actor::Department).apply(&manifest).await?;
        let what = format!("capp/{name}");
        self.until(&what, "valid", |o| condition(o, "Valid")["status"] == "True").await?;
        Ok(what)
    }

    /// The authority of 410000 approves what stands.
    pub async fn approve(&self, what: &str) -> Result<()> {
        let generation = self.get(what).await?["metadata"]["generation"].to_string();
        let reviewed = format!("govcloud.dev/reviewed-generation={generation}");
        let args = [
            "annotate",
            what,
            "-n",
            DEPARTMENT,
            "govcloud.dev/decision=approved",
            &reviewed,
            "govcloud.dev/opinion=同意",
        ];
        self.by(Actor::Authority410000).run(&args).await.map(drop)
    }
}

/// A condition of a record; null where there is none.
pub fn condition(object: &Value, type_: &str) -> Value {
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|c| c["type"] == type_).unwrap_or_default()
}

/// The clock of an obligation.
pub fn deadline(object: &Value, obligation: &str) -> Result<Value> {
    let all = object["status"]["deadlines"].as_array().cloned().unwrap_or_default();
    all.into_iter()
        .find(|d| d["obligation"] == obligation)
        .with_context(|| format!("no clock of {obligation}"))
}

/// Number of timeline entries with this event.
pub fn timeline_count(object: &Value, event: &str) -> usize {
    object["status"]["timeline"].as_array().map_or(0, |t| t.iter().filter(|e| e["event"] == event).count())
}

/// A file or directory of `config/samples`.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/samples").join(name)
}
