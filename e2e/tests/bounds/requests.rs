//! Every write of one life, counted; none of them for nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::{Entries, Entry};
use e2e::suite::Context;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::lifecycle::{JUST_NOW, Life};
use crate::undisturbed;

/// The most that one life of one application may write, by verb and resource: applied for, approved, provisioned with
/// two volumes, live, reported, enlarged, and retired with one volume destroyed and one retained.
const MOST: [(&str, usize); 19] = [
    // One for each status below: each records something.
    ("create events", 19),
    // Submitted, Provisioning, Provisioned, Live, reported, Exiting, Exited.
    ("patch cloudapplications/status", 7),
    // In force, enlarged, restricted, released.
    ("patch resourcegrants/status", 4),
    // Submitted, Applying, Completed.
    ("patch changerequests/status", 3),
    // AwaitingConsent, AwaitingDecision, HandingOver, Reclaiming, Completed.
    ("patch decommissions/status", 5),
    // The work order, and what the change makes of it.
    ("create resourcegrants", 1),
    ("patch resourcegrants", 1),
    // The namespace and what is in it.
    ("create namespaces", 1),
    ("create resourcequotas", 1),
    ("create limitranges", 1),
    ("create networkpolicies", 1),
    ("create rolebindings", 1),
    // Enlarged; then no new pods and claims.
    ("patch resourcequotas", 2),
    // From edit to view: another binding, for a binding's role cannot change.
    ("patch rolebindings", 1),
    ("delete rolebindings", 1),
    // Each volume kept at first sight, and decided on.
    ("patch persistentvolumes", 4),
    // Each claim by its own UID, so that the namespace takes nothing with it that was not read.
    ("delete persistentvolumeclaims", 2),
    // The tenant's is marked for its end, and ended. The filing namespace is marked when its first record is approved, or
    // before, and unmarked when the last is over: for the first and the last of a department's records alone.
    ("patch namespaces", 3),
    ("delete namespaces", 1),
];

pub async fn writes_of_a_life_are_exactly_these(context: Context) -> Result<()> {
    let life = undisturbed(&context).await?;
    let admin = context.cluster.client(Actor::Admin).await?;
    let all = context.cluster.audit().settled(&admin).await?;
    // Nobody else lived then: what was asked about the whole cluster counts as well.
    let then = |e: &Entry| (life.began..life.ended).contains(&e.request_received_timestamp);
    let meanwhile = all.clone().by_user(OPERATOR).keep(then);
    let everybodys = life.entries(all.clone());
    let own = everybodys.clone().by_user(OPERATOR);
    let writes = own.clone().writes();
    print_table("writes of one life", &table(&writes));
    print_table(
        "reads of one life",
        &table(&own.clone().keep(|e| matches!(e.verb.as_str(), "get" | "list"))),
    );
    nothing_is_refused(&writes)?;
    nothing_is_written_twice(&writes, &everybodys)?;
    nothing_is_owned_or_finalized(&writes)?;
    every_status_names_the_version_it_was_decided_on(&writes)?;
    only_exits_list(&meanwhile, &life.tenant)?;
    an_exit_is_decided_on_records_asked_for(&everybodys)?;
    a_reclaim_asks_only_for_what_nobody_told(&everybodys)?;
    a_namespace_is_gone_through_once(&everybodys, &life.tenant)?;
    let done = writes.keep(|e| (200..300).contains(&e.code()));
    println!(
        "bounds: {} of them went through, at most {} may",
        done.len(),
        MOST.iter().map(|m| m.1).sum::<usize>()
    );
    within(&table(&done))
}

/// Number of uses of each verb on each resource.
pub fn table(entries: &Entries) -> BTreeMap<String, usize> {
    let mut table = BTreeMap::new();
    for entry in entries.iter() {
        *table.entry(line(entry)).or_default() += 1;
    }
    table
}

fn line(entry: &Entry) -> String {
    let object = entry.object_ref.clone().unwrap_or_default();
    let slash = if object.subresource.is_empty() { "" } else { "/" };
    format!("{} {}{slash}{}", entry.verb, object.resource, object.subresource)
}

fn print_table(title: &str, table: &BTreeMap<String, usize>) {
    println!("bounds: {title}: {}", table.values().sum::<usize>());
    for (line, count) in table {
        println!("{count:6} {line}");
    }
}

/// In an undisturbed life requests go through, but for a volume that its binder writes at the same moment.
fn nothing_is_refused(writes: &Entries) -> Result<()> {
    let refused = writes.clone().keep(|e| !(200..300).contains(&e.code()));
    let stale = |e: &Entry| {
        e.code() == 409 && e.object_ref.as_ref().is_some_and(|o| o.resource == "persistentvolumes")
    };
    let others = refused.clone().keep(|e| !stale(e));
    ensure!(others.is_empty() && refused.len() <= 6, "refused:\n{refused}");
    Ok(())
}

/// No write says what was said before, and none leaves its object as it was.
fn nothing_is_written_twice(writes: &Entries, everybodys: &Entries) -> Result<()> {
    let mut said = HashMap::new();
    for entry in writes.iter().filter(|e| (200..300).contains(&e.code())) {
        let path = entry.request_uri.split('?').next().unwrap_or_default();
        let body = entry.request_object.as_ref().map(|b| stable(b).to_string()).unwrap_or_default();
        if let Some(earlier) = said.insert((entry.verb.clone(), path.to_owned(), body.clone()), entry) {
            bail!("written twice: {body}\n{earlier}\n{entry}");
        }
    }
    let mut versions = HashSet::new();
    for entry in everybodys.iter().filter(|e| e.is_write() && (200..300).contains(&e.code())) {
        let Some(answer) = &entry.response_object else { continue };
        let (Some(uid), Some(version)) =
            (answer["metadata"]["uid"].as_str(), answer["metadata"]["resourceVersion"].as_str())
        else {
            continue;
        };
        let news = versions.insert((uid.to_owned(), version.to_owned()));
        ensure!(news || entry.user.username != OPERATOR, "this write changed nothing: {entry}");
    }
    ensure!(
        said.len() > 20 && versions.len() > 20,
        "too little was compared: {} and {}",
        said.len(),
        versions.len()
    );
    Ok(())
}

/// A body without preconditions and times.
fn stable(body: &Value) -> Value {
    match body {
        Value::Object(fields) => {
            let counts = |key: &&String| {
                !matches!(
                    key.as_str(),
                    "resourceVersion" | "uid" | "observedAt" | "lastTransitionTime" | "eventTime"
                )
            };
            fields.keys().filter(counts).map(|k| (k.clone(), stable(&fields[k]))).collect()
        }
        Value::Array(items) => items.iter().map(stable).collect(),
        other => other.clone(),
    }
}

/// S3: no finalizers, and no ownerReferences on anything.
fn nothing_is_owned_or_finalized(writes: &Entries) -> Result<()> {
    let mut looked_at = 0;
    for entry in writes.iter() {
        for body in [&entry.request_object, &entry.response_object].into_iter().flatten() {
            let meta = &body["metadata"];
            looked_at += 1;
            let ours = |f: &&Value| !f.as_str().is_some_and(|f| f.starts_with("kubernetes.io/"));
            let finalizers = meta["finalizers"].as_array().into_iter().flatten().filter(ours).count();
            ensure!(finalizers == 0 && meta["ownerReferences"].is_null(), "{entry} has {meta}");
        }
    }
    ensure!(looked_at > 40, "only {looked_at} bodies");
    Ok(())
}

/// S1, S9: a status is refused where the record is another by now than the one that was decided on.
fn every_status_names_the_version_it_was_decided_on(writes: &Entries) -> Result<()> {
    let statuses = writes.clone().keep(|e| line(e).ends_with("/status"));
    for entry in statuses.iter() {
        let pin = |field: &str| entry.request_object.as_ref().and_then(|o| o["metadata"][field].as_str());
        ensure!(pin("uid").is_some() && pin("resourceVersion").is_some(), "under no version: {entry}");
    }
    ensure!(statuses.len() > 15, "only {} statuses", statuses.len());
    Ok(())
}

/// The image of the cluster is its watches': only an exit lists, claims and snapshots, to be certain of its inventory.
fn only_exits_list(meanwhile: &Entries, tenant: &str) -> Result<()> {
    let lists = meanwhile.clone().verb("list");
    let others = lists.clone().keep(|e| {
        let object = e.object_ref.clone().unwrap_or_default();
        let storage = matches!(object.resource.as_str(), "persistentvolumeclaims" | "volumesnapshots");
        !(storage && object.namespace == tenant)
    });
    ensure!(others.is_empty(), "listed:\n{others}");
    ensure!(!lists.is_empty(), "an exit that does not list claims is not certain of them");
    Ok(())
}

/// S1: an approval that comes when nothing was answered just now is carried out on application and grant as the API server has
/// them then. The exit itself is compared by the write.
fn an_exit_is_decided_on_records_asked_for(everybodys: &Entries) -> Result<()> {
    let decides = |e: &&Entry| {
        line(e) == "patch decommissions/status"
            && e.request_object.as_ref().is_some_and(|o| !o["status"]["decision"].is_null())
    };
    let decided =
        everybodys.iter().find(decides).context("no exit is decided on")?.request_received_timestamp;
    for resource in ["cloudapplications", "resourcegrants"] {
        let asked = |e: &&Entry| {
            line(e) == format!("get {resource}")
                && e.user.username == OPERATOR
                && (decided - JUST_NOW..decided).contains(&e.stage_timestamp)
        };
        ensure!(everybodys.iter().any(|e| asked(&e)), "decided without asking for the {resource} first");
    }
    Ok(())
}

/// S4: between the beginning of a reclaim and the end of the namespace claims and snapshots are listed twice: after the last
/// volume has its policy and before the claims are deleted, and then before the namespace is. Nothing is read that the API
/// server answered with within the second before, unless somebody else wrote it since.
fn a_reclaim_asks_only_for_what_nobody_told(everybodys: &Entries) -> Result<()> {
    let begins = |e: &&Entry| {
        line(e) == "patch decommissions/status"
            && e.response_object.as_ref().is_some_and(|o| o["status"]["phase"] == "Reclaiming")
    };
    let begun = everybodys.iter().find(begins).context("no reclaim begins")?.stage_timestamp;
    let ends = |e: &&Entry| line(e) == "delete namespaces" && e.request_received_timestamp > begun;
    let ended = everybodys.iter().find(ends).context("no namespace is deleted")?.request_received_timestamp;
    let own = everybodys.clone().by_user(OPERATOR);
    let within = own.clone().keep(|e| (begun..ended).contains(&e.request_received_timestamp));
    let marks = within
        .clone()
        .writes()
        .verb("patch")
        .keep(|e| matches!(about(e).0.as_str(), "persistentvolumes" | "namespaces"));
    let marked = marks.iter().map(|e| e.stage_timestamp).max();
    ensure!(marked.is_some(), "no policy is set");
    let claims = within.clone().verb("delete").keep(|e| about(e).0 == "persistentvolumeclaims");
    let claims_end = claims.iter().map(|e| e.request_received_timestamp).min();
    ensure!(claims_end.is_some(), "no claim is deleted");
    // After a refusal everything is read anew.
    let refused = within.clone().writes().iter().filter(|e| e.code() == 409).count();
    for kind in ["persistentvolumeclaims", "volumesnapshots"] {
        let lists = within.clone().verb("list").keep(|e| about(e).0 == kind).len();
        ensure!(
            (2..=2 + refused).contains(&lists),
            "{kind}: {lists} lists, not one before the claims' end and one before the namespace's"
        );
        let asked = within.clone().verb("list").keep(|e| about(e).0 == kind);
        let between = |from: Option<Timestamp>, to: Option<Timestamp>| {
            asked.iter().any(|e| Some(e.request_received_timestamp) > from && Some(e.stage_timestamp) <= to)
        };
        ensure!(
            between(marked, claims_end),
            "{kind} were not listed between the volumes' policies and the claims' end"
        );
        ensure!(
            between(claims_end, Some(ended)),
            "{kind} were not listed between the claims' end and the namespace's"
        );
    }
    for read in within.clone().verb("get").iter() {
        let at = read.request_received_timestamp;
        let before = |e: &&Entry| about(e) == about(read) && e.stage_timestamp < at;
        let told = own.iter().filter(before).rfind(|e| (200..300).contains(&e.code()));
        let Some(told) = told.filter(|t| at.duration_since(t.stage_timestamp) < SignedDuration::from_secs(1))
        else {
            continue;
        };
        let since = |e: &Entry| {
            e.is_write() && e.user.username != OPERATOR && e.stage_timestamp > told.stage_timestamp
        };
        ensure!(everybodys.iter().filter(before).any(since), "asked again:\n{told}\n{read}");
    }
    println!(
        "bounds: {} reads between the beginning of a reclaim and the end of its namespace",
        within.verb("get").len()
    );
    Ok(())
}

/// A namespace is deleted when its claims are gone, so its controller goes through every kind in it once and finds nothing
/// left: the longest part of an exit is not done twice (0056).
fn a_namespace_is_gone_through_once(everybodys: &Entries, tenant: &str) -> Result<()> {
    let passes = everybodys.clone().verb("deletecollection").keep(|e| about(e).1 == tenant);
    let of = |kind: &str| passes.iter().filter(|e| about(e).0 == kind).count();
    for kind in ["persistentvolumeclaims", "configmaps", "secrets", "resourcequotas"] {
        ensure!(of(kind) == 1, "{kind}: gone through {} times, not once:\n{passes}", of(kind));
    }
    println!("bounds: {} deletions of whole kinds by the namespace's controller", passes.len());
    Ok(())
}

/// Object of an entry, from whichever part of it: resource, namespace and name.
fn about(entry: &Entry) -> (String, String, String) {
    let object = entry.object_ref.clone().unwrap_or_default();
    (object.resource, object.namespace, object.name)
}

/// Holds a life to what is written down.
fn within(table: &BTreeMap<String, usize>) -> Result<()> {
    let most: BTreeMap<&str, usize> = MOST.into_iter().collect();
    for (line, count) in table {
        let most = *most.get(line.as_str()).with_context(|| format!("{line} is not in the list"))?;
        ensure!(*count <= most, "{line}: {count} times, more than {most}");
    }
    Ok(())
}

/// That nothing was made or removed twice, whatever happened to the operator.
pub fn nothing_succeeds_twice(life: &Life, all: Entries) -> Result<usize> {
    let mut done = HashSet::new();
    let own = life.entries(all).by_user(OPERATOR).writes();
    for entry in own
        .iter()
        .filter(|e| matches!(e.verb.as_str(), "create" | "delete") && (200..300).contains(&e.code()))
    {
        let object = entry.object_ref.clone().unwrap_or_default();
        let name = match entry.response_object.as_ref().and_then(|o| o["metadata"]["name"].as_str()) {
            Some(name) if object.name.is_empty() => name.to_owned(),
            _ => object.name.clone(),
        };
        let what = (entry.verb.clone(), object.resource.clone(), object.namespace.clone(), name);
        ensure!(done.insert(what), "a second time: {entry}");
    }
    ensure!(done.len() > 10, "only {} creates and deletes", done.len());
    Ok(done.len())
}
