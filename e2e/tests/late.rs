//! S9, S10: an answer that arrives late shows the state at the time when it was given, and undoes nothing that a watch
//! has reported since (`docs/decisions/0054-order-late-responses.md`).
//!
//! A proxy between the operator and the API server holds one answer back until the watch has reported more.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition, sample};
use e2e::operator::{self, Operator, Options};
use e2e::proxy::{FaultInjector, Proxy, Request};
use e2e::suite::{self, Context};
use e2e::wait::{eventually, until, until_gone};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::oneshot;

/// Regions of this test only.
const PARENT: &str = "420000";
const CHILD: &str = "420100";

fn main() -> ExitCode {
    suite::main(Setup::Installed, e2e::tests![late_responses_undo_nothing])
}

/// Answer to a request: method, path and status code.
type Answer = (&'static str, String, u16);

/// Channels of an answer that is to be held back: one reports that it was given, the other lets it go on.
type Gate = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// Fault injector that holds answers back, each of them once.
#[derive(Default)]
struct Holder(Mutex<Vec<(Answer, Gate)>>);

/// Answer that is held back, or will be.
struct Held {
    given: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

impl Holder {
    fn hold(&self, answer: Answer) -> Held {
        let ((report, given), (release, released)) = (oneshot::channel(), oneshot::channel());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((answer, (report, released)));
        Held { given, release }
    }
}

impl FaultInjector for Holder {
    fn before_answer(&self, request: &Request, code: u16) -> BoxFuture<'static, ()> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let this = |(answer, _): &(Answer, Gate)| {
            (answer.0, answer.1.as_str(), answer.2) == (request.method.as_str(), request.path.as_str(), code)
        };
        let Some(at) = held.iter().position(this) else { return ready(()).boxed() };
        let (_, (report, released)) = held.swap_remove(at);
        async move {
            report.send(()).ok();
            released.await.ok();
        }
        .boxed()
    }
}

impl Held {
    /// Waits until the API server has given the answer.
    async fn given(&mut self) -> Result<()> {
        tokio::time::timeout(PATIENCE, &mut self.given).await.context("the operator never sent it")??;
        Ok(())
    }

    /// Hands the answer back.
    fn release(self) -> Result<()> {
        self.release.send(()).ok().context("nobody waits for the answer any more")
    }
}

async fn late_responses_undo_nothing(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    fixtures::regions_without_operator(cluster).await?;
    let holder = Arc::new(Holder::default());
    let proxy = Proxy::start(cluster.plane.server(), holder.clone()).await?;
    let kubeconfig = proxy.kubeconfig(&operator::credentials(&cluster.plane).await?)?;
    let env = vec![("KUBECONFIG".to_owned(), kubeconfig.display().to_string())];
    let operator = Operator::start(&cluster.plane, Options { env, ..Options::default() }).await?;
    *cluster.operator.lock().await = Some(operator);
    fixtures::regions_ready(cluster).await?;
    late_not_found_keeps_new_object(cluster, &holder).await?;
    late_success_keeps_deletion(&context, &holder).await?;
    println!("late: a 404 that was overtaken by a creation, and a 200 that was overtaken by a deletion");
    Ok(())
}

/// A city's province is read and does not exist; it is created, and then the answer arrives.
async fn late_not_found_keeps_new_object(cluster: &Arc<Cluster>, holder: &Holder) -> Result<()> {
    let resource = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let resource = ApiResource::from_gvk_with_plural(&resource, "regions");
    let regions: Api<DynamicObject> = Api::all_with(cluster.client(Actor::Admin).await?, &resource);
    let create = async |file: &str, name: &str, parent: Option<&str>| -> Result<()> {
        let mut region = sample(file)?;
        region["metadata"]["name"] = json!(name);
        if let Some(parent) = parent {
            region["spec"]["parent"] = json!(parent);
        }
        regions.create(&PostParams::default(), &serde_json::from_value(region)?).await?;
        Ok(())
    };
    let path = format!("/apis/govcloud.dev/v1alpha1/regions/{PARENT}");
    let mut no = holder.hold(("GET", path, 404));
    create("region-410100.yaml", CHILD, Some(PARENT)).await?;
    no.given().await?;
    create("region-410000.yaml", PARENT, None).await?;
    let ready = |r: &DynamicObject| condition(&r.data["status"], "Ready")["status"] == "True";
    until(regions.clone(), PARENT, "is ready", PATIENCE, ready).await?;
    no.release()?;
    until(regions.clone(), CHILD, "is ready", PATIENCE, ready).await?;
    let wrong = json!({"spec": {"tenancy": {"storageClasses": ["no-such-class"]}}});
    regions.patch(PARENT, &PatchParams::default(), &Patch::Merge(wrong)).await?;
    let stalled =
        |r: &DynamicObject| condition(&r.data["status"], "Stalled")["reason"] == "StorageClassMissing";
    until(regions, PARENT, "is decided again", PATIENCE, stalled).await.map(drop)
}

/// An application's status is written; the department takes the application away, and then the answer arrives.
async fn late_success_keeps_deletion(context: &Context, holder: &Holder) -> Result<()> {
    let cluster = &context.cluster;
    let namespace = context.filing_namespace("dept-late", HENAN).await?;
    let department = Department::open(cluster, &namespace, HENAN).await?;
    let path = format!("/apis/govcloud.dev/v1alpha1/namespaces/{namespace}/cloudapplications/travel/status");
    let mut written = holder.hold(("PATCH", path, 200));
    department.file(&department.application("travel")?).await?;
    written.given().await?;
    let api = department.api(department.applicant, Kind::Application).await?;
    api.delete("travel", &DeleteParams::default()).await?;
    until_gone(api, "travel", None, PATIENCE).await?;
    let known = |n: usize| async move {
        let found = applications(cluster).await?;
        ensure!(found == n, "the operator knows of {found} applications");
        Ok(Some(()))
    };
    eventually("the watch has reported the deletion", PATIENCE, || known(0)).await?;
    written.release()?;
    // A record filed now is judged after that answer was applied to the cache.
    department.file(&department.application("parking")?).await?;
    department.judged(Kind::Application, "parking", "Valid").await?;
    known(1).await.map(drop)
}

/// Number of applications in the operator's cache.
async fn applications(cluster: &Cluster) -> Result<usize> {
    let metrics = cluster.operator.lock().await.as_ref().context("no operator")?.get("/metrics").await?;
    let line = metrics.lines().find_map(|l| {
        l.strip_prefix("govcloud_cached_objects{")?.strip_prefix("resource=\"cloudapplications\"} ")
    });
    Ok(line.context("no count of applications")?.parse()?)
}
