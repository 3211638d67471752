//! The gate's share of a request: one request at a time, with this project's policies and without, for each kind that a policy
//! matches.
//!
//! Two API servers of one etcd answer the same client in turns. One of them has no admission by policies. So both meet the
//! machine in the same state, and neither pays for what the other one did. All requests are dry runs: everything but the write
//! to etcd, after which no controller has anything to do. A real request takes longer, so its ratio is nearer to 1.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::{self, Actor, OPERATOR};
use e2e::fixtures::HENAN;
use e2e::policies;
use e2e::process::Process;
use e2e::wait::eventually;
use e2e::{requests, say};
use kube::Client;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::report::{self, spread};
use crate::stats::{Distribution, median};

mod manifests;

use manifests::{CONTROL, LOOKED_AT, collection, look, object, places};

/// Rounds of a pass; in each, every request is sent once to each API server.
const ROUNDS: usize = 250;

/// Rounds before the measured ones.
const WARM_UP: usize = 25;

/// Flags of the API server without the gate.
const WITHOUT: [&str; 1] = ["--disable-admission-plugins=ValidatingAdmissionPolicy,MutatingAdmissionPolicy"];

/// Most that a request may take of one without policies, where nothing of it is ours.
const GOAL: f64 = 1.02;

const PATIENCE: Duration = Duration::from_secs(60);

/// Place in which an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A namespace that is none of ours.
    Stranger,
    /// No namespace, and none of ours.
    Cluster,
    /// A filing namespace.
    Filing,
    /// A tenant namespace.
    Tenant,
    /// No namespace: settings of the authority.
    Settings,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Stranger => "namespace of others",
            Self::Cluster => "cluster, of others",
            Self::Filing => "filing namespace",
            Self::Tenant => "tenant namespace",
            Self::Settings => "cluster, ours",
        }
    }

    fn is_ours(self) -> bool {
        matches!(self, Self::Filing | Self::Tenant | Self::Settings)
    }
}

/// A request that is sent again and again.
struct Request {
    operation: &'static str,
    method: &'static str,
    path: String,
    content: &'static str,
    body: Vec<u8>,
    /// The ratio of each pass, and the p50 without policies in milliseconds.
    ratios: Vec<f64>,
    without: Vec<f64>,
}

impl Request {
    async fn send(&self, client: &Client) -> Result<Value> {
        requests::send(client, self.method, &self.path, self.content, self.body.clone()).await
    }
}

/// An object with the requests about it that a policy matches and lets through.
struct Case {
    resource: String,
    place: Place,
    /// Index of the caller who may write it.
    caller: usize,
    requests: Vec<Request>,
}

/// An API server, with a client for each caller.
struct Server {
    clients: Vec<Client>,
    _process: Process,
}

/// Measures in this many passes, each with two API servers of its own.
pub async fn measure(passes: usize) -> Result<()> {
    let harness = Harness::start(1).await?;
    let mut cases = prepare(&harness).await?;
    for pass in 0..passes {
        // Which of the two starts first changes.
        let mut servers = Vec::new();
        for at in [pass % 2, 1 - pass % 2] {
            servers.push((at, start(&harness, pass, at).await?));
        }
        servers.sort_by_key(|(at, _)| *at);
        let servers: Vec<Server> = servers.into_iter().map(|(_, server)| server).collect();
        in_force(&servers).await?;
        if pass == 0 {
            keep_accepted(&mut cases, &servers[0]).await?;
        }
        take_turns(&mut cases, &servers).await?;
        say!("gate, pass {}: {}", pass + 1, conclusion(&cases));
    }
    save(&cases)
}

/// Objects of each kind in each place, and the requests about them.
async fn prepare(harness: &Harness) -> Result<Vec<Case>> {
    let callers = callers(harness, harness.cluster.plane.server(), "kube-apiserver").await?;
    let namespaces = [
        (Place::Stranger, harness.cluster.namespace("stranger").await?),
        (Place::Filing, harness.cluster.filing_namespace("measured", HENAN).await?),
        (Place::Tenant, tenant(&callers[1]).await?),
    ];
    for (_, namespace) in &namespaces {
        let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
        let there = || async { requests::get(&harness.admin, &account).await.map(|_| Some(())) };
        eventually("pods can be made", PATIENCE, there).await?;
    }
    let mut matched = policies::matched(&harness.cluster.kubectl(Actor::Admin)).await?;
    ensure!(matched.len() > 20, "only {matched:?}");
    for control in [CONTROL, LOOKED_AT] {
        matched.insert(control.to_owned(), ["CREATE", "UPDATE", "DELETE"].map(str::to_owned).into());
    }
    for part in look() {
        let plural = if part["kind"] == "ValidatingAdmissionPolicy" { "policies" } else { "policybindings" };
        let path = format!("/apis/admissionregistration.k8s.io/v1/validatingadmission{plural}");
        requests::create(&harness.admin, &path, &part).await?;
    }
    let mut cases = Vec::new();
    for (resource, operations) in &matched {
        for place in places(resource) {
            let namespace = namespaces.iter().find(|(at, _)| at == place).map(|(_, name)| name.as_str());
            let (first, second) = (object(resource, *place, false)?, object(resource, *place, true)?);
            let path = collection(resource, &first, namespace)?;
            let Some(caller) = create(&callers, &path, &first, *place).await? else { continue };
            let mut requests = about(&path, &first, &second)?;
            requests.retain(|request| operations.contains(&request.operation.to_uppercase()));
            cases.push(Case { resource: resource.clone(), place: *place, caller, requests });
        }
    }
    Ok(cases)
}

/// A tenant namespace as the operator makes it, as far as policies read it.
async fn tenant(operator: &Client) -> Result<String> {
    let name = "measured-tenant";
    let lists = json!({
        "govcloud.dev/storage-classes": "hostpath", "govcloud.dev/ingress-classes": "public",
        "govcloud.dev/ingress-hosts": "travel.henan.example",
    });
    let labels = json!({"govcloud.dev/application-uid": "00000000-0000-4000-8000-000000000001"});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": labels, "annotations": lists}});
    requests::create(operator, "/api/v1/namespaces", &namespace).await?;
    Ok(name.to_owned())
}

/// Creates an object by the first caller who may. `None` where nobody may, which is so only in places of ours.
async fn create(callers: &[Client], path: &str, object: &Value, place: Place) -> Result<Option<usize>> {
    for (at, caller) in callers.iter().enumerate() {
        match requests::create(caller, path, object).await {
            Ok(_) => return Ok(Some(at)),
            Err(error) if place.is_ours() && is_refusal(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn is_refusal(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<kube::Error>(), Some(kube::Error::Api(status)) if status.code == 403)
}

/// A creation of the second object, and a change and a deletion of the first, as dry runs.
fn about(path: &str, first: &Value, second: &Value) -> Result<Vec<Request>> {
    let name = first["metadata"]["name"].as_str().context("no name")?;
    let change = json!({"metadata": {"annotations": {"example.org/measured": "a"}}});
    let json = "application/json";
    let parts = [
        ("create", "POST", path.to_owned(), json, serde_json::to_vec(second)?),
        (
            "update",
            "PATCH",
            format!("{path}/{name}"),
            "application/merge-patch+json",
            serde_json::to_vec(&change)?,
        ),
        ("delete", "DELETE", format!("{path}/{name}"), json, Vec::new()),
    ];
    let requests = parts.into_iter().map(|(operation, method, path, content, body)| Request {
        operation,
        method,
        path: format!("{path}?dryRun=All"),
        content,
        body,
        ratios: Vec::new(),
        without: Vec::new(),
    });
    Ok(requests.collect())
}

/// Starts an API server beside the first: at 0 with the policies, at 1 without.
async fn start(harness: &Harness, pass: usize, at: usize) -> Result<Server> {
    let plane = &harness.cluster.plane;
    let flags: &[&str] = if at == 0 { &[] } else { &WITHOUT };
    let name = format!("kube-apiserver-{}-{pass}", if at == 0 { "with" } else { "without" });
    let (server, process) = plane.another_apiserver(&name, flags).await?;
    let clients = callers(harness, &server, &name).await?;
    Ok(Server { clients, _process: process })
}

/// Clients of an API server as the administrator, who may do what policies let everybody do, and as the operator.
async fn callers(harness: &Harness, server: &actors::Server, name: &str) -> Result<Vec<Client>> {
    let plane = &harness.cluster.plane;
    let mut clients = Vec::new();
    for (user, group) in [(Actor::Admin.user(), Actor::Admin.group()), (OPERATOR, None)] {
        let file = plane.root().join("state").join(format!("{name}-{}.kubeconfig", clients.len()));
        actors::write_certificate(server, plane.pki(), &file, user, group)?;
        clients.push(actors::client(&file).await?);
    }
    Ok(clients)
}

/// Waits until the first API server enforces the policies; the second must not.
async fn in_force(servers: &[Server]) -> Result<()> {
    let probe =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "govcloud-probe-decisions"}});
    let path = "/api/v1/namespaces/default/configmaps?dryRun=All";
    let refused = || async {
        match requests::create(&servers[0].clients[0], path, &probe).await {
            Err(error) if format!("{error:#}").contains("is in force") => Ok(Some(())),
            Err(error) => Err(error),
            Ok(_) => bail!("the probe is accepted"),
        }
    };
    eventually("the policies are in force", PATIENCE, refused).await?;
    requests::create(&servers[1].clients[0], path, &probe).await.context("without policies").map(drop)
}

/// Keeps the requests that the policies let through: a refusal takes another time.
async fn keep_accepted(cases: &mut [Case], with: &Server) -> Result<()> {
    for case in cases {
        let mut accepted = Vec::new();
        for request in std::mem::take(&mut case.requests) {
            match request.send(&with.clients[case.caller]).await {
                Ok(_) => accepted.push(request),
                Err(error) if case.place.is_ours() && is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
        }
        case.requests = accepted;
    }
    Ok(())
}

/// Sends each request to both API servers in turns, and keeps the ratio of the medians.
async fn take_turns(cases: &mut [Case], servers: &[Server]) -> Result<()> {
    let mut times: Vec<Vec<[Vec<Duration>; 2]>> =
        cases.iter().map(|case| case.requests.iter().map(|_| Default::default()).collect()).collect();
    for round in 0..WARM_UP + ROUNDS {
        for (case, times) in cases.iter().zip(&mut times) {
            for (request, times) in case.requests.iter().zip(times) {
                for at in [round % 2, 1 - round % 2] {
                    let began = Instant::now();
                    request.send(&servers[at].clients[case.caller]).await?;
                    if round >= WARM_UP {
                        times[at].push(began.elapsed());
                    }
                }
            }
        }
    }
    for (case, times) in cases.iter_mut().zip(&times) {
        for (request, times) in case.requests.iter_mut().zip(times) {
            let [with, without] = times.each_ref().map(|times| Distribution::of(times).p50);
            request.ratios.push(with / without);
            request.without.push(without);
        }
    }
    Ok(())
}

/// The largest ratio in a namespace of others, and those of both controls.
fn conclusion(cases: &[Case]) -> String {
    let ratio = |request: &Request| median(request.ratios.iter().copied());
    let controls = [CONTROL, LOOKED_AT];
    let of_others =
        cases.iter().filter(|case| case.place == Place::Stranger && !controls.contains(&&*case.resource));
    let all =
        of_others.flat_map(|case| case.requests.iter().map(move |request| (ratio(request), request, case)));
    let worst = all.max_by(|(a, ..), (b, ..)| a.total_cmp(b));
    let worst = worst
        .map(|(ratio, request, case)| format!("**{ratio:.3}** ({} {})", request.operation, case.resource));
    let [unmatched, looked_at] = controls.map(|control| {
        let requests = cases.iter().filter(|case| case.resource == control).flat_map(|case| &case.requests);
        requests.map(|request| format!("{:.3}", ratio(request))).collect::<Vec<_>>().join(", ")
    });
    format!(
        "In a namespace of others, a request takes at most {} of one without policies; the goal is {GOAL}. The requests of {CONTROL}, \
         which no policy matches, take {unmatched}. Those of {LOOKED_AT}, of which one policy has the condition `false` and nothing \
         else, take {looked_at}: no policy takes less of a request that it has to look at.",
        worst.unwrap_or_default(),
    )
}

/// Saves a row for each kind and place.
fn save(cases: &[Case]) -> Result<()> {
    let cell = |case: &Case, operation: &str| {
        let found = case.requests.iter().find(|request| request.operation == operation);
        found.map_or("–".to_owned(), |request| spread(request.ratios.iter().copied()))
    };
    let row = |case: &Case| {
        let without = case.requests.iter().map(|request| median(request.without.iter().copied()));
        let cells = ["create", "update", "delete"].map(|operation| cell(case, operation));
        format!("{}, {} | {:.2} | {}", case.resource, case.place.name(), median(without), cells.join(" | "))
    };
    let rows = cases.iter().filter(|case| !case.requests.is_empty()).map(row);
    let table = report::table("kind | without, ms | create | update | delete", rows);
    report::save("gate", &format!("{table}\n\n{}", conclusion(cases)))
}
