//! A fresh control plane with filing namespaces, and the requests of departments and of the authority in bulk.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{self, Actor};
use e2e::audit::{Entries, Follow};
use e2e::cluster::{Cluster, Setup};
use e2e::control_plane::Home;
use e2e::fixtures::{self, Department, HENAN, Kind, ZHENGZHOU};
use e2e::operator::{Operator, Options};
use e2e::requests;
use futures::stream::iter;
use kube::Client;
use serde_json::{Value, json};

use crate::record::{Record, collection};
use crate::recording::{Recording, Snapshot};
use crate::status_watch::{PATIENCE, StatusWatch};

/// The sample application under a name, in a region.
pub fn application(name: &str, region: &str) -> Result<Value> {
    let mut manifest = fixtures::sample("travel.yaml")?;
    manifest["metadata"]["name"] = json!(name);
    manifest["spec"]["region"] = json!(region);
    Ok(manifest)
}

/// A control plane of its own, with filing namespaces of the province and one of the city, another region.
pub struct Harness {
    pub cluster: Arc<Cluster>,
    pub namespaces: Vec<String>,
    pub city_namespace: String,
    pub department: Client,
    pub admin: Client,
    authority: Client,
}

impl Harness {
    /// Starts a control plane that syncs to disk, with all that the project installs.
    pub async fn start(namespaces: usize) -> Result<Self> {
        let cluster = Cluster::start_in(Home::Synced, Setup::Installed, Options::default()).await?;
        let cluster = Arc::new(cluster);
        fixtures::regions_without_operator(&cluster).await?;
        let mut opened = Vec::new();
        for region in std::iter::repeat_n(HENAN, namespaces).chain([ZHENGZHOU]) {
            let namespace = cluster.filing_namespace("dept", region).await?;
            opened.push(Department::open(&cluster, &namespace, region).await?.namespace);
        }
        let plane = &cluster.plane;
        Ok(Self {
            city_namespace: opened.pop().context("no namespace")?,
            namespaces: opened,
            department: plane.client(Actor::Department).await?,
            authority: plane.client(Actor::Authority410000).await?,
            admin: plane.client(Actor::Admin).await?,
            cluster,
        })
    }

    /// Starts the operator and waits until the regions are ready.
    pub async fn start_operator(&self) -> Result<()> {
        // A restarted container keeps its Pod's name, and with it the lease.
        let operator = self.replica("govcloud-operator-0").await?;
        *self.cluster.operator.lock().await = Some(operator);
        fixtures::regions_ready(&self.cluster).await
    }

    /// Starts a replica, and waits until it is ready. It stands by while another one leads, and is killed when it is dropped.
    pub async fn replica(&self, name: &str) -> Result<Operator> {
        let env = [("POD_NAME", name), ("RUST_LOG", "warn")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let options = Options { name: name.to_owned(), env, ..Options::default() };
        Operator::start(&self.cluster.plane, options).await
    }

    pub async fn stop_operator(&self) -> Result<()> {
        self.cluster.operator.lock().await.take().context("no operator")?.stop().map(drop)
    }

    pub async fn operator_pid(&self) -> Result<i32> {
        self.cluster.operator.lock().await.as_ref().and_then(Operator::pid).context("no operator")
    }

    /// The sums of all samples of some metrics of the operator, by one scrape, which visits every record; 0 where there are none
    /// yet.
    pub async fn metrics<const N: usize>(&self, names: [&str; N]) -> Result<[usize; N]> {
        let metrics =
            self.cluster.operator.lock().await.as_ref().context("no operator")?.get("/metrics").await?;
        Ok(names.map(|name| {
            let samples = metrics.lines().filter(|line| line.starts_with(name));
            samples.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
        }))
    }

    /// A client with the operator's credentials.
    pub async fn operator_client(&self) -> Result<Client> {
        let root = self.cluster.plane.root();
        actors::client(&actors::kubeconfig(root, actors::OPERATOR_SERVICE_ACCOUNT)).await
    }

    /// All requests since an audit log was opened, or read last. One that was answered a moment ago may come later.
    pub async fn requests_since(&self, log: &mut Follow) -> Result<Entries> {
        let mark = format!("mark-{}", jiff::Timestamp::now().as_nanosecond());
        // No such ConfigMap exists; the request marks the place in the log.
        let _ = requests::get(&self.admin, &format!("/api/v1/namespaces/default/configmaps/{mark}")).await;
        log.until(&mark).await
    }

    /// All requests since an audit log was opened, and the operator's among them, once these are complete. A watch tells of a write
    /// before its answer is in the log.
    pub async fn recording(
        &self,
        log: &mut Follow,
        before: &Snapshot,
        complete: impl Fn(&Recording) -> bool,
    ) -> Result<(Entries, Recording)> {
        let (mut requests, deadline) = (Entries::default(), Instant::now() + PATIENCE);
        loop {
            requests.append(self.requests_since(log).await?);
            let recording = Recording::of(&requests, before.clone());
            if complete(&recording) {
                return Ok((requests, recording));
            }
            ensure!(Instant::now() < deadline, "not every write is in the audit log after {PATIENCE:?}");
        }
    }

    pub fn watch(&self, kind: Kind) -> StatusWatch {
        StatusWatch::start(self.admin.clone(), &kind.resource())
    }

    /// The applications of these numbers, spread over the filing namespaces.
    pub fn applications(&self, numbers: Range<usize>) -> Vec<Record> {
        let namespace = |i: usize| self.namespaces[i % self.namespaces.len()].clone();
        numbers.map(|i| Record { namespace: namespace(i), name: format!("app-{i:05}") }).collect()
    }

    /// Files applications and waits until the operator has found each valid.
    pub async fn file(&self, watch: &StatusWatch, applications: &[Record]) -> Result<()> {
        let before = watch.count("Valid");
        self.file_only(applications).await?;
        self.until(watch, "Valid", before + applications.len()).await
    }

    /// Waits until the operator has brought this many records to a milestone.
    pub async fn until(&self, watch: &StatusWatch, milestone: &str, count: usize) -> Result<()> {
        let reached = watch.until(milestone, count).await;
        let mut operator = self.cluster.operator.lock().await;
        match operator.as_mut().map(Operator::check) {
            Some(Err(ended)) => reached.context(format!("{ended:#}")),
            Some(Ok(())) | None => reached,
        }
    }

    /// Files applications and does not wait for the operator.
    pub async fn file_only(&self, applications: &[Record]) -> Result<()> {
        let manifest = application("", HENAN)?;
        let file = async |record: &Record| {
            let mut object = manifest.clone();
            object["metadata"]["name"] = json!(record.name);
            let path = collection(&record.namespace, Kind::Application);
            requests::create(&self.department, &path, &object).await.map(drop)
        };
        requests::for_each(iter(applications), file).await
    }

    /// Approves records of a kind; `answered` gets each record whose approval was answered.
    pub async fn approve(&self, kind: Kind, records: &[Record], answered: impl Fn(&Record)) -> Result<()> {
        // An exit was filed, and consented to.
        let generation = if kind == Kind::Exit { "2" } else { "1" };
        let approval = json!({"metadata": {"annotations": {
            "govcloud.dev/decision": "approved",
            "govcloud.dev/reviewed-generation": generation,
            "govcloud.dev/opinion": "同意",
        }}});
        let approve = async |record: &Record| {
            requests::merge(&self.authority, &record.path(kind), &approval).await?;
            answered(record);
            Ok(())
        };
        requests::for_each(iter(records), approve).await
    }
}
