//! A fresh control plane with offices in it, and what their people do many times over.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use kube::Client;
use serde_json::{Value, json};

use super::board::{Board, Mark};
use super::lanes::{self, Lanes};
use crate::cluster::{Cluster, Setup};
use crate::control_plane::Home;
use crate::office::{self, HENAN, Kind, Office, ZHENGZHOU};
use crate::operator::{Operator, Options};
use crate::personas::Persona;

/// How long nothing may move before a measurement is given up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The path of the records of a kind in a namespace.
pub fn path(namespace: &str, kind: Kind) -> String {
    format!("/apis/govcloud.dev/v1alpha1/namespaces/{namespace}/{}", kind.resource().plural)
}

/// An application by its place in the order of filing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// Its filing namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Offices of one region on a control plane of their own.
pub struct Scene {
    /// The control plane, and the operator where it runs.
    pub cluster: Arc<Cluster>,
    /// The filing namespaces of the province's departments.
    pub offices: Vec<String>,
    /// An office of the city, whose requests have nothing to do with the province's.
    pub elsewhere: String,
    /// Departments of the province.
    pub department: Lanes,
    /// Its authority.
    pub authority: Lanes,
    /// The harness itself.
    pub admin: Client,
}

impl Scene {
    /// Starts a control plane with all that the project installs and so many offices.
    pub async fn open(offices: usize) -> Result<Self> {
        let cluster = Cluster::start_in(Home::Synced, Setup::Installed, Options::default()).await?;
        let cluster = Arc::new(cluster);
        office::regions_without_operator(&cluster).await?;
        let mut namespaces = Vec::new();
        for _ in 0..offices {
            let namespace = cluster.filing_namespace("dept", HENAN).await?;
            namespaces.push(Office::open(&cluster, &namespace, HENAN).await?.namespace);
        }
        let elsewhere = cluster.filing_namespace("elsewhere", ZHENGZHOU).await?;
        Office::open(&cluster, &elsewhere, ZHENGZHOU).await?;
        let plane = &cluster.plane;
        Ok(Self {
            offices: namespaces,
            elsewhere,
            department: Lanes::open(&plane.kubeconfig(Persona::Department)).await?,
            authority: Lanes::open(&plane.kubeconfig(Persona::Authority410000)).await?,
            admin: plane.client(Persona::Admin).await?,
            cluster,
        })
    }

    /// Starts the operator as its own process and waits until the regions are ready.
    pub async fn operate(&self) -> Result<()> {
        self.operate_at_once().await?;
        office::regions_ready(&self.cluster).await
    }

    /// Starts the operator again, without waiting for anything but its own word that it is ready.
    pub async fn operate_at_once(&self) -> Result<()> {
        let operator = Operator::start(&self.cluster.plane, options()).await?;
        *self.cluster.operator.lock().await = Some(operator);
        Ok(())
    }

    /// Ends the operator.
    pub async fn rest(&self) -> Result<()> {
        let mut operator = self.cluster.operator.lock().await;
        operator.as_mut().context("no operator")?.stop()?;
        *operator = None;
        Ok(())
    }

    /// The operator's process number.
    pub async fn pid(&self) -> Result<i32> {
        let operator = self.cluster.operator.lock().await;
        operator.as_ref().and_then(Operator::pid).context("no operator runs")
    }

    /// Watches the records of a kind.
    pub fn board(&self, kind: Kind) -> Board {
        Board::of(self.admin.clone(), &kind.resource())
    }

    /// The applications that are filed from one number on, spread over the offices.
    pub fn applications(&self, from: usize, count: usize) -> Vec<Filed> {
        let filed = |i: usize| Filed {
            namespace: self.offices[i % self.offices.len()].clone(),
            name: format!("app-{i:05}"),
        };
        (from..from + count).map(filed).collect()
    }

    /// Files applications, as the departments, and waits until the operator has found each valid.
    pub async fn file(&self, board: &Board, applications: &[Filed]) -> Result<()> {
        let before = board.count(Mark::Valid);
        self.file_unheard(applications).await?;
        board.until(Mark::Valid, before + applications.len(), PATIENCE).await
    }

    /// Files applications, as the departments, whether or not anybody looks at them.
    pub async fn file_unheard(&self, applications: &[Filed]) -> Result<()> {
        let manifest = application(HENAN)?;
        let file = |client: Client, at: usize| {
            let Filed { namespace, name } = &applications[at];
            let mut object = manifest.clone();
            object["metadata"]["name"] = json!(name);
            async move { lanes::create(&client, &path(namespace, Kind::Application), &object).await.map(drop) }
        };
        self.department.each(applications, file).await.map(drop)
    }

    /// Approves applications as they were filed, as the authority.
    pub async fn approve(&self, applications: &[Filed]) -> Result<()> {
        self.approve_telling(Kind::Application, 1, applications, |_, _| ()).await
    }

    /// Approves records of a kind in a generation, as the authority; `tell` hears of each at once, with the record as it was
    /// answered.
    pub async fn approve_telling(
        &self,
        kind: Kind,
        generation: i64,
        records: &[Filed],
        tell: impl Fn(&Filed, &Value),
    ) -> Result<()> {
        let approval = approval(generation);
        let approve = |client: Client, at: usize| {
            let (filed, tell, approval) = (&records[at], &tell, &approval);
            let path = format!("{}/{}", path(&filed.namespace, kind), filed.name);
            async move { lanes::merge(&client, &path, approval).await.map(|record| tell(filed, &record)) }
        };
        self.authority.each(records, approve).await.map(drop)
    }
}

fn options() -> Options {
    // A container that is restarted keeps its Pod's name, and with it the lease.
    let env = [("POD_NAME", "govcloud-operator-0"), ("RUST_LOG", "warn")];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Options { env, ..Options::default() }
}

/// The approval of a generation.
pub fn approval(generation: i64) -> Value {
    json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved",
        "govcloud.dev/reviewed-generation": generation.to_string(),
        "govcloud.dev/opinion": "同意",
    }}})
}

/// The sample application in a region, to be given a name.
pub fn application(region: &str) -> Result<Value> {
    let mut manifest = office::sample("travel.yaml")?;
    manifest["spec"]["region"] = json!(region);
    Ok(manifest)
}
