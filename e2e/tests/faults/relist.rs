//! Relists: the API server ends watches with 410, and the operator lists everything anew, in the middle of a life.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::Cluster;
use e2e::fixtures::{Department, HENAN, Kind};
use e2e::proxy::{Request, Watches};
use e2e::suite::Context;
use e2e::wait::eventually;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::{Fault, PATIENCE, Proxied, lifecycle, never_stalled, undisturbed};

/// Kinds that the operator watches at least.
const WATCHED: [&str; 26] = [
    "assessments",
    "changerequests",
    "cloudapplications",
    "compliancerecords",
    "configmaps",
    "customresourcedefinitions",
    "decommissions",
    "inspections",
    "limitranges",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "mutatingwebhookconfigurations",
    "namespaces",
    "networkpolicies",
    "persistentvolumeclaims",
    "persistentvolumes",
    "regions",
    "resourcegrants",
    "resourcequotas",
    "rolebindings",
    "servicecatalogs",
    "statements",
    "storageclasses",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "workcalendars",
];

/// Longest time until the operator watches again: its watches begin anew after a second or two.
const REWATCH: Duration = Duration::from_secs(40);

/// Write of a life around which everything is listed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The approval of the application is recorded.
    Approval,
    /// The quota of the tenant namespace is created, in the middle of provisioning.
    Provisioning,
    /// The quota of the tenant namespace is enlarged.
    Change,
    /// The exit begins to reclaim.
    ReclaimBegins,
    /// The tenant namespace is deleted, in the middle of the reclaim.
    Reclaim,
}

impl Moment {
    const ALL: [Self; 5] =
        [Self::Approval, Self::Provisioning, Self::Change, Self::ReclaimBegins, Self::Reclaim];

    fn is(self, request: &Request) -> bool {
        let path = request.path.as_str();
        let status = &request.body["status"];
        match self {
            Self::Approval => {
                path.ends_with("/status")
                    && path.contains("/cloudapplications/")
                    && status["decision"].is_object()
            }
            Self::Provisioning => request.method == "POST" && path.ends_with("/resourcequotas"),
            Self::Change => request.method == "PATCH" && path.contains("/resourcequotas/"),
            Self::ReclaimBegins => path.ends_with("/status") && status["phase"] == "Reclaiming",
            Self::Reclaim => request.method == "DELETE" && path.contains("/namespaces/"),
        }
    }
}

#[derive(Default)]
struct State {
    /// Department in whose life everything is listed anew.
    department: Option<String>,
    past: BTreeMap<Moment, Vec<String>>,
    /// Write at whose answer the lists are handed back.
    release_at: Option<String>,
}

/// Relists around the writes of a life.
pub struct Relists {
    watches: Watches,
    state: Mutex<State>,
    /// True while answers to lists are held back.
    held: watch::Sender<bool>,
    /// Resources whose lists are held back.
    listed: watch::Sender<BTreeSet<String>>,
}

impl Relists {
    pub fn new(watches: Watches) -> Self {
        let (held, listed) = (watch::Sender::new(false), watch::Sender::new(BTreeSet::new()));
        Self { watches, state: Mutex::default(), held, listed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists everything anew around the moments of this department's life.
    fn begin(&self, department: &str) {
        self.state().department = Some(department.to_owned());
    }

    /// Watches that were expired at each moment.
    fn past(&self) -> BTreeMap<Moment, Vec<String>> {
        self.state().past.clone()
    }

    /// Waits until everything that was ever watched is watched.
    async fn all_watched(&self) -> Result<()> {
        let all = || async {
            let open = self.watches.open();
            let missing: Vec<_> = WATCHED.iter().filter(|w| !open.contains_key(**w)).collect();
            ensure!(missing.is_empty(), "not watched: {missing:?}");
            Ok(Some(()))
        };
        eventually("everything is watched", REWATCH, all).await
    }

    /// Expires the watches of some resources, and waits until the operator has listed all of them anew. The lists are
    /// held back: they show the state before the next write, and arrive after it.
    async fn expire(&self, which: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        self.all_watched().await?;
        self.listed.send_replace(BTreeSet::new());
        self.held.send_replace(true);
        let expired = self.watches.expire(which);
        let all = |listed: &BTreeSet<String>| expired.iter().all(|e| listed.contains(e));
        let mut listed = self.listed.subscribe();
        let outcome = tokio::time::timeout(REWATCH, listed.wait_for(all)).await.map(drop);
        let outcome = outcome.context("not everything is listed anew");
        outcome.with_context(|| format!("expired {expired:?}, listed {:?}", self.listed.borrow()))?;
        Ok(expired)
    }

    /// Hands the lists back.
    fn release(&self) {
        self.held.send_replace(false);
    }

    /// Called before a request is forwarded: at a moment of the life everything is listed anew.
    pub async fn before(&self, request: &Request) {
        if !request.is_write() {
            return;
        }
        let moment = {
            let state = self.state();
            let Some(department) = &state.department else { return };
            let own = request.path.contains(&format!("/{department}/"))
                || request.path.contains(&format!("/{department}-"));
            let new = |m: &Moment| m.is(request) && !state.past.contains_key(m);
            let moment = Moment::ALL.into_iter().find(|m| own && new(m));
            let Some(moment) = moment else { return };
            moment
        };
        self.state().past.insert(moment, Vec::new());
        match self.expire(|_| true).await {
            Ok(expired) => drop(self.state().past.insert(moment, expired)),
            Err(error) => tracing::error!(?moment, "{error:#}"),
        }
        self.state().release_at = Some(request.identity());
    }

    /// Called after a request was answered: the lists are handed back after the write that they do not show.
    pub fn answered(&self, request: &Request) {
        let mut state = self.state();
        if state.release_at.as_ref() == Some(&request.identity()) {
            state.release_at = None;
            self.release();
        }
    }

    /// Resolves when a list may be handed back.
    pub fn before_answer(&self, request: &Request) -> BoxFuture<'static, ()> {
        let resource = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        let of_all =
            !request.path.contains("/namespaces/") || request.path.contains("/namespaces/govcloud-system/");
        let mut held = self.held.subscribe();
        if request.is_write()
            || request.is_watch()
            || !of_all
            || !WATCHED.contains(&resource.as_str())
            || !*held.borrow()
        {
            return futures::future::ready(()).boxed();
        }
        self.listed.send_modify(|listed| {
            listed.insert(resource);
        });
        async move { drop(held.wait_for(|held| !held).await) }.boxed()
    }
}

/// Reads of the operator's readiness and of its policy integrity during a test.
struct Probe {
    task: tokio::task::JoinHandle<()>,
    seen: Arc<Mutex<(usize, BTreeSet<String>)>>,
}

impl Probe {
    fn start(cluster: &Arc<Cluster>) -> Self {
        let seen = Arc::new(Mutex::new((0, BTreeSet::new())));
        let (cluster, into) = (cluster.clone(), seen.clone());
        let task = tokio::spawn(async move {
            loop {
                let lines = probe(&cluster).await.unwrap_or_else(|e| vec![format!("{e:#}")]);
                {
                    let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
                    into.0 += 1;
                    into.1.extend(lines);
                }
                sleep(Duration::from_millis(100)).await;
            }
        });
        Self { task, seen }
    }

    /// Number of reads; fails if they were not all alike.
    fn end(self) -> Result<usize> {
        self.task.abort();
        let (reads, seen) = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ensure!(seen.len() == 2, "readiness or policy integrity changed: {seen:#?}");
        Ok(reads)
    }
}

/// Status line of `/readyz`, and the metric of the policies' integrity.
async fn probe(cluster: &Cluster) -> Result<Vec<String>> {
    let operator = cluster.operator.lock().await;
    let operator = operator.as_ref().context("no operator")?;
    let ready = operator.get("/readyz").await?.lines().next().unwrap_or_default().to_owned();
    let metrics = operator.get("/metrics").await?;
    let integrity = metrics.lines().find(|l| l.starts_with("govcloud_policy_integrity"));
    Ok(vec![ready, integrity.context("no metric of the policies' integrity")?.to_owned()])
}

pub async fn relists_change_nothing(context: Context) -> Result<()> {
    let proxied = Proxied::start(&context.cluster).await?;
    let relists = &proxied.injector.relists;
    relists.all_watched().await?;
    let probe = Probe::start(&context.cluster);
    let undisturbed = undisturbed(&context, &proxied.injector).await?;
    let before = proxied.injector.own_writes().len();
    let namespace = context.filing_namespace("dept-relisted", HENAN).await?;
    proxied.injector.inject(&namespace, Fault::None);
    relists.begin(&namespace);
    let life = lifecycle::run(&context, &namespace, PATIENCE);
    let outcome = never_stalled(&proxied.injector, life).await;
    let own_writes = proxied.injector.own_writes().split_off(before);
    ensure!(own_writes.is_empty(), "the operator wrote about itself: {own_writes:#?}");
    let outcome = outcome.context("the life with relists")?;
    let past = relists.past();
    for moment in Moment::ALL {
        let expired = past.get(&moment).with_context(|| format!("{moment:?} was never met"))?;
        let missing: Vec<_> = WATCHED.iter().filter(|w| !expired.iter().any(|e| e == **w)).collect();
        ensure!(missing.is_empty(), "at {moment:?} these were not expired: {missing:?}");
    }
    let reads = probe.end()?;
    lifecycle::ensure_same("with relists", undisturbed, &outcome)?;
    println!(
        "faults: {} watches expired in {} moments of a life, {reads} looks at readiness, the same end state",
        past.values().map(Vec::len).sum::<usize>(),
        past.len()
    );
    Ok(())
}

/// The policies are listed anew while an approval is given and carried out.
pub async fn approval_during_a_relist_of_policies_is_valid(context: Context) -> Result<()> {
    let proxied = Proxied::start(&context.cluster).await?;
    let relists = &proxied.injector.relists;
    let namespace = context.filing_namespace("dept-approved", HENAN).await?;
    proxied.injector.inject(&namespace, Fault::None);
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    department.file(&department.application("travel")?).await?;
    department.judged(Kind::Application, "travel", "Valid").await?;
    relists.all_watched().await?;
    let before = proxied.injector.own_writes().len();
    let probe = Probe::start(&context.cluster);
    let policies = |r: &str| {
        r.contains("admissionpolic")
            || r.ends_with("definitions")
            || r.ends_with("configurations")
            || r == "configmaps"
    };
    let expired = relists.expire(policies).await?;
    department.approve(Kind::Application, "travel").await?;
    let provisioned = department.phase(Kind::Application, "travel", "Provisioned");
    let provisioned = never_stalled(&proxied.injector, provisioned).await;
    relists.release();
    provisioned?;
    relists.all_watched().await?;
    let record = department.get(Kind::Application, "travel").await?;
    let decision = &record.data["status"]["decision"];
    ensure!(decision.is_object() && decision["void"].is_null(), "the approval is not valid: {decision}");
    let own_writes = proxied.injector.own_writes().split_off(before);
    ensure!(own_writes.is_empty(), "the operator wrote about itself: {own_writes:#?}");
    ensure!(expired.len() >= 6, "only {expired:?} were expired");
    let reads = probe.end()?;
    println!(
        "faults: {} watches of policies expired around an approval, {reads} looks at readiness",
        expired.len()
    );
    Ok(())
}
