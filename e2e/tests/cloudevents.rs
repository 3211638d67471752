//! A sink in trouble, and an operator that is killed: nothing is lost, and no lifecycle waits for it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::audit::{AuditLog, Entries};
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE};
use e2e::operator::{Operator, Options};
use e2e::sink::{Mood, Sink, Tally};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use serde_json::{Value, json};

fn main() -> ExitCode {
    suite::main(Setup::Installed, e2e::tests![failing_sink_delays_and_loses_nothing])
}

async fn failing_sink_delays_and_loses_nothing(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    fixtures::regions_without_operator(cluster).await?;
    let mut sink = Sink::open()?;
    let token = tempfile::NamedTempFile::new()?;
    std::fs::write(token.path(), "first\n")?;
    let env = [
        // A container that is restarted keeps its Pod's name, and with it the lease.
        ("POD_NAME", "govcloud-operator-0".to_owned()),
        ("K_SINK", sink.url()),
        ("GOVCLOUD_CLOUDEVENTS_TOKEN_FILE", token.path().display().to_string()),
        ("GOVCLOUD_CLOUDEVENTS_SOURCE", "https://cloud.henan.example".to_owned()),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let operator = Operator::start(&cluster.plane, Options { env, ..Options::default() }).await?;
    *cluster.operator.lock().await = Some(operator);
    fixtures::regions_ready(cluster).await?;

    let dead = a_dead_sink_delays_nothing(&context, &mut sink).await?;
    every_token_is_read_anew(&context, &sink, &dead, token.path()).await?;
    an_event_that_is_objected_to_is_passed_over(&context, &sink).await?;
    trouble_and_kills_lose_nothing(&context, &mut sink).await
}

async fn open(context: &Context, prefix: &str) -> Result<Department> {
    let namespace = context.filing_namespace(prefix, HENAN).await?;
    Department::open(&context.cluster, &namespace, HENAN).await
}

/// Waits until every entry of a department's records has arrived.
async fn all_arrived(department: &Department, sink: &Sink) -> Result<Tally> {
    let look = || async { Ok(Some(sink.taken()?.complete(&records(department).await?)?)) };
    eventually("every entry arrived", PATIENCE, look).await
}

async fn records(department: &Department) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let list = department.api(Actor::Admin, kind).await?.list(&kube::api::ListParams::default()).await?;
        for record in list {
            all.push(serde_json::to_value(record)?);
        }
    }
    Ok(all)
}

/// Application, go-live, change. Returns how long it took, and the operator's writes by resource.
async fn a_life(context: &Context, department: &Department) -> Result<(Duration, BTreeMap<String, usize>)> {
    let (mark, began) = (AuditLog::mark(), Instant::now());
    department.provision(department.application("travel")?).await?;
    department.go_live("travel").await?;
    department.enlarge("more", "travel").await?;
    department.until(Kind::Application, "travel", "has it", |s| s["phase"] == "Live").await?;
    let took = began.elapsed();
    let admin = context.cluster.client(Actor::Admin).await?;
    let log = context
        .cluster
        .audit()
        .settled(&admin)
        .await?
        .since(mark)
        .by_user(OPERATOR)
        .writes()
        .without_leases();
    let written = log.keep(|e| (200..300).contains(&e.code()));
    Ok((took, by_resource(&written)))
}

fn by_resource(entries: &Entries) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for entry in entries.iter() {
        let Some(o) = &entry.object_ref else { continue };
        *counts.entry(format!("{} {}/{}", entry.verb, o.resource, o.subresource)).or_default() += 1;
    }
    counts
}

/// One life while nobody listens, one while the sink is well: the same, write for write.
async fn a_dead_sink_delays_nothing(context: &Context, sink: &mut Sink) -> Result<Department> {
    sink.close().await;
    let dead = open(context, "dept-dead").await?;
    let (while_dead, writes_dead) = a_life(context, &dead).await?;
    ensure!(sink.received().is_empty(), "the sink was not closed");
    let pending = metric(&context.cluster, "govcloud_cloudevents_pending").await?;
    ensure!(pending >= 3, "{pending} records are pending");
    sink.listen()?;
    let tally = all_arrived(&dead, sink).await?;
    let well = open(context, "dept-well").await?;
    let (while_well, writes_well) = a_life(context, &well).await?;
    all_arrived(&well, sink).await?;
    ensure!(
        writes_dead == writes_well,
        "with a dead sink\n{writes_dead:?}\nand with a good one\n{writes_well:?}"
    );
    let writes: usize = writes_dead.values().sum();
    println!(
        "  a life with a dead sink: {writes} writes, {while_dead:.1?}; with a good one the same writes, {while_well:.1?}"
    );
    println!("  and when the sink came back: {tally:?}");
    ensure!(while_dead < while_well * 3 + Duration::from_secs(10), "{while_dead:?} against {while_well:?}");
    let idle =
        || async { Ok((metric(&context.cluster, "govcloud_cloudevents_pending").await? == 0).then_some(())) };
    eventually("nothing is pending", PATIENCE, idle).await?;
    Ok(dead)
}

async fn every_token_is_read_anew(
    context: &Context,
    sink: &Sink,
    department: &Department,
    token: &std::path::Path,
) -> Result<()> {
    ensure!(sink.received().iter().all(|r| r.authorization == "Bearer first"), "without its token");
    let source = "https://cloud.henan.example/apis/govcloud.dev/v1alpha1/namespaces/";
    let from = |e: &Value| e["source"].as_str().is_some_and(|s| s.starts_with(source));
    ensure!(sink.taken()?.events().iter().all(from), "from elsewhere than {source}");
    std::fs::write(token, "second\n")?;
    let before = sink.received().len();
    department.file(&department.application("another")?).await?;
    department.judged(Kind::Application, "another", "Valid").await?;
    all_arrived(department, sink).await?;
    let after = sink.received();
    ensure!(after[before..].iter().all(|r| r.authorization == "Bearer second"), "with the old token");
    context.dump_on_failure(&department.namespace);
    Ok(())
}

/// 422 is final for one event, and for that event alone.
async fn an_event_that_is_objected_to_is_passed_over(context: &Context, sink: &Sink) -> Result<()> {
    let department = open(context, "dept-refused").await?;
    sink.mood(Mood::Answers(422));
    department.file(&department.application("travel")?).await?;
    let refused = || async {
        let refused = sink.received().iter().filter(|r| !r.taken).count();
        Ok((refused > 0).then_some(refused))
    };
    eventually("an event was refused", PATIENCE, refused).await?;
    let counted = || async {
        let counted = metric(&context.cluster, r#"govcloud_cloudevents_total{result="refused"}"#).await?;
        Ok((counted > 0).then_some(()))
    };
    eventually("it is counted", PATIENCE, counted).await?;
    sink.mood(Mood::Well);
    department.approve(Kind::Application, "travel").await?;
    let uid =
        department.phase(Kind::Application, "travel", "Provisioned").await?.metadata.uid.context("no UID")?;
    let goes_on = || async {
        let taken = sink.taken()?;
        let provisioned =
            |e: &&Value| e["partitionkey"] == uid.as_str() && e["data"]["event"] == "Provisioned";
        Ok(taken.events().iter().find(provisioned).map(drop))
    };
    eventually("what follows arrives", PATIENCE, goes_on).await
}

/// A whole life, each step with the sink in another trouble and the operator killed in the middle of it.
async fn trouble_and_kills_lose_nothing(context: &Context, sink: &mut Sink) -> Result<()> {
    let department = open(context, "dept-trouble").await?;
    let (cluster, began) = (&context.cluster, Instant::now());
    let before = sink.received().len();

    // It takes what it is sent and never says so.
    sink.mood(Mood::Silent);
    department.file(&department.application("travel")?).await?;
    let silent = || async { Ok((sink.received().len() > before).then_some(())) };
    eventually("something was sent into silence", PATIENCE, silent).await?;
    kill(cluster).await?;

    sink.mood(Mood::Answers(500));
    department.approve(Kind::Application, "travel").await?;
    kill(cluster).await?;
    let application = department.phase(Kind::Application, "travel", "Provisioned").await?;
    let (tenant, _) = Department::tenant(&application, "prod")?;

    sink.mood(Mood::Slow(Duration::from_millis(700)));
    department
        .amend(
            Kind::Application,
            "travel",
            json!({"spec": {"goLive": {"at": jiff::Timestamp::now().to_string()}}}),
        )
        .await?;
    kill(cluster).await?;
    department.phase(Kind::Application, "travel", "Live").await?;

    sink.close().await;
    department.file(&department.change("more", "travel")?).await?;
    department.approve(Kind::Change, "more").await?;
    kill(cluster).await?;
    department.phase(Kind::Change, "more", "Completed").await?;
    sink.listen()?;

    sink.mood(Mood::Answers(401));
    department.fill(&tenant, "data", "行程").await?;
    department.leave(department.exit("exit", "travel", json!({"default": "Destroy"}))?).await?;
    kill(cluster).await?;

    sink.mood(Mood::Answers(429));
    department.phase(Kind::Exit, "exit", "Completed").await?;
    department.phase(Kind::Application, "travel", "Exited").await?;
    department.phase(Kind::Grant, "travel", "Released").await?;
    let refusals = sink.received().iter().filter(|r| !r.taken).count();
    sink.mood(Mood::Well);
    let tally = all_arrived(&department, sink).await?;
    ensure!(tally.repeats > 0, "what was sent into silence never came again: {tally:?}");
    let certificate = |e: &Value| {
        e["data"]["record"]["namespace"] == department.namespace.as_str() && e["data"]["event"] == "Reclaimed"
    };
    ensure!(sink.taken()?.events().iter().any(certificate), "no certificate");
    println!("  6 kinds of trouble, 5 kills, {refusals} refusals, {:.1?}: {tally:?}", began.elapsed());
    Ok(())
}

/// Kills the operator as a crash would, and starts it again.
async fn kill(cluster: &Cluster) -> Result<()> {
    cluster.operator.lock().await.as_mut().context("no operator")?.restart().await
}

/// The value of one sample; 0 where there is none yet.
async fn metric(cluster: &Cluster, sample: &str) -> Result<u64> {
    let operator = cluster.operator.lock().await;
    let text = operator.as_ref().context("no operator")?.get("/metrics").await?;
    let value = text.lines().find_map(|l| l.strip_prefix(sample)?.trim().parse().ok());
    Ok(value.unwrap_or(0))
}
