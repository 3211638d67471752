//! S9, S10: an answer that arrives late tells how things stood when it was given, and undoes nothing that the watch has told of
//! since (`docs/decisions/0054-answers-arrive-late.md`).
//!
//! A proxy between the operator and the API server holds one answer back until the watch has told of more.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::{Cluster, Setup};
use e2e::office::{self, HENAN, Kind, Office, PATIENCE, condition, sample};
use e2e::operator::{self, Operator, Options};
use e2e::personas::Persona;
use e2e::proxy::{Answer, Judge, Proxy};
use e2e::suite::{self, Context};
use e2e::wait::{eventually, until, until_gone};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::oneshot;

/// Regions of this test only.
const FATHER: &str = "420000";
const SON: &str = "420100";

fn main() -> ExitCode {
    suite::main(Setup::Installed, e2e::tests![an_answer_that_arrives_late_undoes_nothing])
}

/// Where one answer is held back: who is told that it is there, and who says that it may go on.
type Place = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// Holds answers back, each of them once.
#[derive(Default)]
struct Holder(Mutex<Vec<(Answer, Place)>>);

/// An answer that is held back, or will be.
struct Late {
    there: oneshot::Receiver<()>,
    goes_on: oneshot::Sender<()>,
}

impl Holder {
    fn hold(&self, answer: Answer) -> Late {
        let ((told, there), (goes_on, may)) = (oneshot::channel(), oneshot::channel());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((answer, (told, may)));
        Late { there, goes_on }
    }
}

impl Judge for Holder {
    fn hands_back(&self, answer: &Answer) -> BoxFuture<'static, ()> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = held.iter().position(|(this, _)| this == answer) else { return ready(()).boxed() };
        let (_, (told, may)) = held.swap_remove(at);
        async move {
            told.send(()).ok();
            may.await.ok();
        }
        .boxed()
    }
}

impl Late {
    /// Waits until the API server gave it.
    async fn given(&mut self) -> Result<()> {
        tokio::time::timeout(PATIENCE, &mut self.there).await.context("the operator never asked")??;
        Ok(())
    }

    /// Lets it arrive.
    fn arrives(self) -> Result<()> {
        self.goes_on.send(()).ok().context("nobody waits for the answer any more")
    }
}

async fn an_answer_that_arrives_late_undoes_nothing(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    office::regions_without_operator(cluster).await?;
    let holder = Arc::new(Holder::default());
    let proxy = Proxy::start(cluster.plane.server(), holder.clone()).await?;
    let kubeconfig = proxy.lead(&operator::credentials(&cluster.plane).await?)?;
    let env = vec![("KUBECONFIG".to_owned(), kubeconfig.display().to_string())];
    let operator = Operator::start(&cluster.plane, Options { env, ..Options::default() }).await?;
    *cluster.operator.lock().await = Some(operator);
    office::regions_ready(cluster).await?;
    what_came_meanwhile_is_there(cluster, &holder).await?;
    what_was_deleted_meanwhile_is_gone(&context, &holder).await?;
    println!("late: a 404 that was overtaken by a creation, and a 200 that was overtaken by a deletion");
    Ok(())
}

/// A city's province is asked for and is not there; it comes, and then the answer arrives.
async fn what_came_meanwhile_is_there(cluster: &Arc<Cluster>, holder: &Holder) -> Result<()> {
    let resource = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let resource = ApiResource::from_gvk_with_plural(&resource, "regions");
    let regions: Api<DynamicObject> = Api::all_with(cluster.client(Persona::Admin).await?, &resource);
    let create = async |file: &str, name: &str, parent: Option<&str>| -> Result<()> {
        let mut region = sample(file)?;
        region["metadata"]["name"] = json!(name);
        if let Some(parent) = parent {
            region["spec"]["parent"] = json!(parent);
        }
        regions.create(&PostParams::default(), &serde_json::from_value(region)?).await?;
        Ok(())
    };
    let path = format!("/apis/govcloud.dev/v1alpha1/regions/{FATHER}");
    let mut no = holder.hold(Answer::new("GET", &path, 404));
    create("region-410100.yaml", SON, Some(FATHER)).await?;
    no.given().await?;
    create("region-410000.yaml", FATHER, None).await?;
    let ready = |r: &DynamicObject| condition(&r.data["status"], "Ready")["status"] == "True";
    until(regions.clone(), FATHER, "is ready", PATIENCE, ready).await?;
    no.arrives()?;
    until(regions.clone(), SON, "is ready", PATIENCE, ready).await?;
    let wrong = json!({"spec": {"tenancy": {"limitRange": {"default": {"cpu": "半个"}}}}});
    regions.patch(FATHER, &PatchParams::default(), &Patch::Merge(wrong)).await?;
    let stalled = |r: &DynamicObject| condition(&r.data["status"], "Stalled")["reason"] == "BadQuantity";
    until(regions, FATHER, "is looked at again", PATIENCE, stalled).await.map(drop)
}

/// An application's status is written; the department takes the application away, and then the answer arrives.
async fn what_was_deleted_meanwhile_is_gone(context: &Context, holder: &Holder) -> Result<()> {
    let cluster = &context.cluster;
    let namespace = context.filing_namespace("dept-late", HENAN).await?;
    let office = Office::open(cluster, &namespace, HENAN).await?;
    let path = format!("/apis/govcloud.dev/v1alpha1/namespaces/{namespace}/cloudapplications/travel/status");
    let mut written = holder.hold(Answer::new("PATCH", &path, 200));
    office.file(&office.application("travel")?).await?;
    written.given().await?;
    let api = office.api(office.department, Kind::Application).await?;
    api.delete("travel", &DeleteParams::default()).await?;
    until_gone(api, "travel", None, PATIENCE).await?;
    let known = |n: usize| async move {
        let found = applications(cluster).await?;
        ensure!(found == n, "the operator knows of {found} applications");
        Ok(Some(()))
    };
    eventually("the watch has told of the deletion", PATIENCE, || known(0)).await?;
    written.arrives()?;
    // What is filed now is judged later than that answer is taken in.
    office.file(&office.application("parking")?).await?;
    office.judged(Kind::Application, "parking", "Valid").await?;
    known(1).await.map(drop)
}

/// How many applications there are in the operator's image of the cluster.
async fn applications(cluster: &Cluster) -> Result<usize> {
    let metrics = cluster.operator.lock().await.as_ref().context("no operator")?.get("/metrics").await?;
    let line = metrics.lines().find_map(|l| {
        l.strip_prefix("govcloud_cached_objects{")?.strip_prefix("resource=\"cloudapplications\"} ")
    });
    Ok(line.context("no count of applications")?.parse()?)
}
