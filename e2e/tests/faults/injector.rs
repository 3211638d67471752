//! Fault injector of the departments: each has one fault, which meets every request about its objects once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use e2e::proxy::{Action, FaultInjector, Reply, Request, Watches};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{Api, Client};
use serde_json::Value;

use crate::relist::Relists;

/// Tries of a read of which the first fails: a reconcile that is tried again reads everything again.
const READS_PER_FAULT: usize = 16;

/// Fault of a department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// None.
    None,
    /// 409 to each write, as when another client was faster.
    Conflict,
    /// 429 with `Retry-After`.
    TooManyRequests,
    /// 500.
    InternalError,
    /// 503.
    Unavailable,
    /// The connection is closed before the request is forwarded.
    CloseBefore,
    /// The connection is closed after the request was forwarded.
    CloseAfter,
    /// 403 to every Event, as in a namespace that is being deleted.
    EventsForbidden,
}

impl Fault {
    /// Faults that are transient.
    pub const TRANSIENT: [Self; 6] = [
        Self::Conflict,
        Self::TooManyRequests,
        Self::InternalError,
        Self::Unavailable,
        Self::CloseBefore,
        Self::CloseAfter,
    ];

    /// The action by which it meets a request.
    fn action(self) -> Action {
        let reply = |code, reason, message: &str, retry_after| {
            Action::Reply(Reply { code, reason, message: message.to_owned(), retry_after })
        };
        match self {
            Self::None => Action::Forward,
            Self::Conflict => reply(
                409,
                "Conflict",
                "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again",
                None,
            ),
            Self::TooManyRequests => {
                reply(429, "TooManyRequests", "too many requests, please try again later", Some(1))
            }
            Self::InternalError => {
                reply(500, "InternalError", "Internal error occurred: etcdserver: leader changed", None)
            }
            Self::Unavailable => reply(503, "ServiceUnavailable", "apiserver is shutting down", None),
            Self::CloseBefore => Action::CloseBefore,
            Self::CloseAfter => Action::CloseAfter,
            Self::EventsForbidden => reply(
                403,
                "Forbidden",
                "unable to create new content in namespace because it is being terminated",
                None,
            ),
        }
    }

    /// Returns true if it may meet this request.
    fn meets(self, request: &Request) -> bool {
        match self {
            Self::None => false,
            Self::Conflict => request.is_write(),
            Self::EventsForbidden => request.method == "POST" && request.path.ends_with("/events"),
            _ => !request.is_watch(),
        }
    }
}

/// Requests and faults of a department.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Writes that succeeded.
    pub writes: usize,
    /// Reads that were forwarded.
    pub reads: usize,
    /// Faults injected into writes.
    pub failed_writes: usize,
    /// Faults injected into reads.
    pub failed_reads: usize,
    /// Writes that succeeded although their fault was never injected.
    pub spared: BTreeSet<String>,
}

#[derive(Default)]
struct State {
    /// Fault of each department, by filing namespace.
    departments: BTreeMap<String, Fault>,
    /// Writes that have met their fault.
    failed: BTreeSet<String>,
    /// Tries of each read.
    reads: BTreeMap<String, usize>,
    /// Next fault of each read that belongs to no department, of a Region for instance.
    common: BTreeMap<String, usize>,
    counts: BTreeMap<String, Counts>,
    /// Filing namespace by PersistentVolume.
    volumes: BTreeMap<String, Option<String>>,
    /// Statuses written with `Stalled=True`.
    stalled: Vec<String>,
    /// Writes about the operator itself, in its own namespace.
    own_writes: Vec<String>,
}

/// Injects the fault of each department.
pub struct Injector {
    admin: Client,
    state: Mutex<State>,
    /// Relists, and answers that are held back.
    pub relists: Relists,
}

impl Injector {
    pub fn new(admin: Client, watches: Watches) -> Self {
        Self { admin, state: Mutex::default(), relists: Relists::new(watches) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Injects a fault into the requests about a department from now on.
    pub fn inject(&self, namespace: &str, fault: Fault) {
        self.state().departments.insert(namespace.to_owned(), fault);
    }

    /// Requests and faults of a department so far.
    pub fn counts(&self, namespace: &str) -> Counts {
        self.state().counts.get(namespace).cloned().unwrap_or_default()
    }

    /// Faults injected into reads that belong to no department.
    pub fn common_faults(&self) -> usize {
        self.state().common.values().sum()
    }

    /// Statuses written with `Stalled=True`, with the reason and the message.
    pub fn stalled(&self) -> Vec<String> {
        self.state().stalled.clone()
    }

    /// Writes in the operator's own namespace: its Events, and its record of the policies.
    pub fn own_writes(&self) -> Vec<String> {
        self.state().own_writes.clone()
    }

    /// Department of a request, by filing namespace: a tenant namespace's name begins with that of the filing namespace.
    async fn department(&self, request: &Request) -> Option<String> {
        let mut segments =
            request.path.split('/').skip_while(|s| *s != "namespaces" && *s != "persistentvolumes");
        let (kind, name) = (segments.next()?, segments.next()?);
        if kind == "namespaces" {
            return self.state().department_of(name);
        }
        let known = self.state().volumes.get(name).cloned();
        if let Some(known) = known {
            return known;
        }
        let volumes: Api<PersistentVolume> = Api::all(self.admin.clone());
        let claim = volumes.get_opt(name).await.ok()??.spec?.claim_ref?.namespace?;
        let mut state = self.state();
        let department = state.department_of(&claim);
        state.volumes.insert(name.to_owned(), department.clone());
        department
    }
}

/// Identity of a write: a write on another version of the object is another write.
fn identity(request: &Request) -> String {
    let body = &request.body;
    let version = [&body["metadata"]["resourceVersion"], &body["preconditions"]["resourceVersion"]];
    let version = version.into_iter().find_map(Value::as_str).map(str::to_owned);
    let content = if request.method == "POST" { String::new() } else { body.to_string() };
    format!("{} {}", request.identity(), version.unwrap_or(content))
}

impl State {
    fn department_of(&self, namespace: &str) -> Option<String> {
        let holds = |d: &&String| namespace == **d || namespace.starts_with(&format!("{d}-"));
        self.departments.keys().find(holds).cloned()
    }

    fn action(&mut self, request: &Request, department: Option<String>) -> Action {
        if request.path.contains("/namespaces/govcloud-system/") && request.is_write() {
            self.own_writes.push(format!("{} {} {}", request.method, request.path, request.body));
        }
        self.record_stalled(request);
        let Some(department) = department else { return self.common(request) };
        let fault = self.departments.get(&department).copied().unwrap_or(Fault::None);
        let counts = self.counts.entry(department).or_default();
        if !request.is_write() {
            let key = format!("{fault:?} {} {}", request.path, request.query);
            let tries = self.reads.entry(key).or_default();
            if !fault.meets(request) || !(*tries).is_multiple_of(READS_PER_FAULT) {
                *tries += 1;
                counts.reads += 1;
                return Action::Forward;
            }
            *tries += 1;
            counts.failed_reads += 1;
            return fault.action();
        }
        if !fault.meets(request) {
            return Action::Forward;
        }
        if fault != Fault::EventsForbidden && !self.failed.insert(identity(request)) {
            return Action::Forward;
        }
        counts.failed_writes += 1;
        fault.action()
    }

    /// A read that belongs to no department meets each fault once, and is forwarded in between.
    fn common(&mut self, request: &Request) -> Action {
        let lists_or_watches = request.query.contains("limit=") || request.is_watch();
        if self.departments.is_empty() || request.is_write() || lists_or_watches {
            return Action::Forward;
        }
        let key = format!("{} {}", request.path, request.query);
        let tries = self.reads.entry(key.clone()).or_default();
        *tries += 1;
        if *tries % READS_PER_FAULT != 1 {
            return Action::Forward;
        }
        let next = self.common.entry(key).or_default();
        // A conflict is an answer to writes alone.
        let Some(fault) = Fault::TRANSIENT.get(*next + 1) else { return Action::Forward };
        *next += 1;
        fault.action()
    }

    fn record_stalled(&mut self, request: &Request) {
        if !(request.is_write() && request.path.ends_with("/status")) {
            return;
        }
        let conditions = request.body["status"]["conditions"].as_array().into_iter().flatten();
        let stalled = conditions.filter(|c| c["type"] == "Stalled" && c["status"] == "True");
        let line = |c: &Value| format!("{}: {} {}", request.path, c["reason"], c["message"]);
        self.stalled.extend(stalled.map(line));
    }

    fn answered(&mut self, request: &Request, department: String) {
        let fault = self.departments.get(&department).copied().unwrap_or(Fault::None);
        let spared = fault.meets(request) && !self.failed.contains(&identity(request));
        let counts = self.counts.entry(department).or_default();
        counts.writes += 1;
        if spared {
            counts.spared.insert(identity(request));
        }
    }
}

impl FaultInjector for Injector {
    fn action<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Action> {
        async move {
            self.relists.before(request).await;
            let department = self.department(request).await;
            self.state().action(request, department)
        }
        .boxed()
    }

    fn answered(&self, request: &Request, code: u16) {
        self.relists.answered(request);
        if !request.is_write() || !(200..300).contains(&code) {
            return;
        }
        let name =
            request.path.split('/').skip_while(|s| *s != "namespaces" && *s != "persistentvolumes").nth(1);
        let mut state = self.state();
        let volume = name.and_then(|n| state.volumes.get(n).cloned().flatten());
        if let Some(department) = volume.or_else(|| state.department_of(name?)) {
            state.answered(request, department);
        }
    }

    fn before_answer(&self, request: &Request, _: u16) -> BoxFuture<'static, ()> {
        self.relists.before_answer(request)
    }
}
