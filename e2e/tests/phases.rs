//! Every phase of every kind, as stored by a real API server, and what is made of it outside: by Argo CD, by Flux, by
//! everybody who reads kstatus, and by the CloudEvents sink.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR, OPERATOR_NAMESPACE};
use e2e::audit::AuditLog;
use e2e::cluster::{Cluster, Setup};
use e2e::fixtures::{self, Kind, PATIENCE};
use e2e::go;
use e2e::in_process::InProcess;
use e2e::sink::{Sink, Tally};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use govcloud_controller::clock::Clock;
use govcloud_controller::cloudevents::{self, CURSOR};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinSet;

#[path = "phases/capture.rs"]
mod capture;
#[path = "phases/documents.rs"]
mod documents;
#[path = "phases/lives.rs"]
mod lives;

use capture::Capture;
use lives::Lives;

/// Everything that was played, and what is still there.
struct Lived {
    objects: tempfile::TempDir,
    phases: usize,
    standings: usize,
    sink: Sink,
    clock: Clock,
    namespaces: Vec<String>,
    operator: Mutex<Option<InProcess>>,
}

static LIVED: OnceCell<Lived> = OnceCell::const_new();

fn main() -> ExitCode {
    suite::main(
        Setup::Installed,
        e2e::tests![
            argo_cd_flux_and_kstatus_understand_every_phase,
            every_timeline_entry_reaches_the_sink_once,
        ],
    )
}

fn options(sink: &Sink) -> cloudevents::Options {
    cloudevents::Options { sink: Some(sink.url()), ..cloudevents::Options::default() }
}

/// The lives, played by the first who asks.
async fn lived(context: &Context) -> Result<&'static Lived> {
    LIVED.get_or_try_init(|| live(context)).await
}

async fn live(context: &Context) -> Result<Lived> {
    let cluster = &context.cluster;
    fixtures::regions_without_operator(cluster).await?;
    let admin = cluster.kubectl(Actor::Admin);
    for (region, spec) in [
        (fixtures::HENAN, r#"{"workingDays": {"review": 5}}"#),
        (fixtures::ZHENGZHOU, r#"{"fulfilment": "ProviderApplied"}"#),
    ] {
        let patch = format!(r#"{{"spec": {spec}}}"#);
        admin.run(&["patch", "region", region, "--type=merge", "-p", &patch]).await?;
    }
    let scheme = e2e::paths::in_repository("config/samples/region-410000-assessment.yaml");
    let scheme = format!("--patch-file={}", scheme.display());
    admin.run(&["patch", "region", fixtures::HENAN, "--type=merge", &scheme]).await?;
    let (sink, clock) = (Sink::open()?, Clock::default());
    let mut watching = JoinSet::new();
    let capture = Capture::start(cluster, &mut watching).await?;
    let operator = InProcess::start_telling(cluster, clock.clone(), options(&sink)).await?;
    fixtures::regions_ready(cluster).await?;
    let began = Timestamp::now();
    let lives = Lives::begin(context, clock.clone()).await?;
    lives.run().await?;
    println!("  every life was played in {:.1} s", Timestamp::now().duration_since(began).as_secs_f64());
    let objects = tempfile::tempdir()?;
    let written = || async { Ok(Some(capture.write(objects.path())?)) };
    let (phases, standings) = eventually("every phase was stored", Duration::from_secs(20), written).await?;
    let namespaces = [lives.province, lives.city, lives.provider].map(|o| o.namespace).to_vec();
    let operator = Mutex::new(Some(operator));
    watching.shutdown().await;
    Ok(Lived { objects, phases, standings, sink, clock, namespaces, operator })
}

/// Every record of the lives.
async fn records(cluster: &Cluster, lived: &Lived) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let resource = kind.resource();
        let api: Api<DynamicObject> = Api::all_with(cluster.client(Actor::Admin).await?, &resource);
        for record in api.list(&ListParams::default()).await? {
            let mut record = serde_json::to_value(record)?;
            record["kind"] = json!(resource.kind);
            if lived.namespaces.iter().any(|n| record["metadata"]["namespace"] == n.as_str()) {
                all.push(record);
            }
        }
    }
    Ok(all)
}

/// Waits until everything that is recorded has arrived.
async fn all_arrived(cluster: &Cluster, lived: &Lived) -> Result<(Vec<Value>, Tally)> {
    let look = || async {
        let records = records(cluster, lived).await?;
        let tally = lived.sink.taken()?.complete(&records)?;
        Ok(Some((records, tally)))
    };
    eventually("everything arrived", PATIENCE, look).await
}

async fn argo_cd_flux_and_kstatus_understand_every_phase(context: Context) -> Result<()> {
    let lived = lived(&context).await?;
    let (phases, standings) = (lived.phases, lived.standings);
    println!("  {phases} phases of {} kinds were stored, in {standings} standings", Kind::ALL.len());
    if let Some(keep) = std::env::var_os("GOVCLOUD_KEEP_OBJECTS") {
        std::fs::create_dir_all(&keep)?;
        for file in std::fs::read_dir(lived.objects.path())? {
            let file = file?;
            std::fs::copy(file.path(), std::path::Path::new(&keep).join(file.file_name()))?;
        }
    }
    for line in go::test("ArgoCD|Kstatus|Flux", "GOVCLOUD_OBJECTS", lived.objects.path()).await? {
        println!("  {line}");
    }
    Ok(())
}

async fn every_timeline_entry_reaches_the_sink_once(context: Context) -> Result<()> {
    let lived = lived(&context).await?;
    let cluster = &context.cluster;
    let (records, tally) = all_arrived(cluster, lived).await?;
    println!("  undisturbed: {tally:?}");
    ensure!(tally.repeats == 0, "nothing disturbed it, and {} events came again", tally.repeats);
    noted_in_the_events_of_kubernetes(cluster, lived).await?;
    let wanted = [
        "cloudapplication.Submitted",
        "cloudapplication.Approved",
        "cloudapplication.Rejected",
        "cloudapplication.Returned",
        "cloudapplication.Notified",
        "cloudapplication.Provisioned",
        "cloudapplication.ClockStarted",
        "cloudapplication.HalfLeft",
        "cloudapplication.LastDay",
        "cloudapplication.Overdue",
        "cloudapplication.Met",
        "cloudapplication.WentLive",
        "cloudapplication.MaintenanceScheduled",
        "cloudapplication.MaintenanceStarted",
        "cloudapplication.Exited",
        "changerequest.Applied",
        "changerequest.MaintenanceScheduled",
        "changerequest.MaintenanceStarted",
        "changerequest.MaintenanceReported",
        "decommission.InventoryPublished",
        "decommission.Consented",
        "decommission.HandedOver",
        "decommission.Reclaiming",
        "decommission.Reclaimed",
        "resourcegrant.Refused",
        "resourcegrant.InForce",
        "resourcegrant.Released",
        "assessment.FactsTaken",
        "assessment.Scored",
        "assessment.Objected",
        "assessment.ObjectionAnswered",
        "assessment.Published",
    ];
    let taken = lived.sink.taken()?;
    let missing = wanted.map(|w| format!("dev.govcloud.{w}.v1alpha1"));
    let missing: Vec<_> = missing.iter().filter(|t| !taken.types().contains(t.as_str())).collect();
    ensure!(missing.is_empty(), "these never arrived: {missing:?}");
    let lines = tempfile::NamedTempFile::new()?;
    std::fs::write(lines.path(), taken.lines())?;
    for line in go::test("CloudEvents", "GOVCLOUD_EVENTS", lines.path()).await? {
        println!("  {line}");
    }
    restarts_remember(cluster, lived, records.len(), tally).await
}

/// S12: each event is in the note of a Kubernetes Event about the same record.
async fn noted_in_the_events_of_kubernetes(cluster: &Cluster, lived: &Lived) -> Result<()> {
    let client = cluster.client(Actor::Admin).await?;
    let mut notes: Vec<(String, String)> = Vec::new();
    for namespace in &lived.namespaces {
        let events: Api<Event> = Api::namespaced(client.clone(), namespace);
        let noted = events.list(&ListParams::default()).await?.items.into_iter();
        notes.extend(noted.filter_map(|e| Some((e.regarding?.uid?, e.note?))));
    }
    for event in lived.sink.taken()?.events() {
        let data = &event["data"];
        let (uid, words) = (data["record"]["uid"].as_str(), data["message"]["zh"].as_str());
        // The first words: a long note is cut, and none names a digest that comes with the status.
        let clause = words.unwrap_or_default().split('，').next().unwrap_or_default();
        let words: String = clause.chars().take(60).collect();
        let noted = |(about, note): &(String, String)| Some(about.as_str()) == uid && note.contains(&words);
        ensure!(notes.iter().any(noted), "in the note of no Event: {event}");
    }
    println!("  each in the note of one of {} Kubernetes Events", notes.len());
    Ok(())
}

async fn restarts_remember(cluster: &Cluster, lived: &Lived, records: usize, before: Tally) -> Result<()> {
    let client = cluster.client(Actor::Admin).await?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), OPERATOR_NAMESPACE);
    // Records captured while the lives ran are older than this.
    let played = lived.clock.now();
    let kept = || async {
        let map = maps.get_opt(CURSOR).await?.context("not kept yet")?;
        let until: Timestamp = map.data.unwrap_or_default()["deliveredBefore"].parse()?;
        ensure!(until > played, "kept until {until}");
        Ok(Some(map.metadata.resource_version))
    };
    // Nothing is written while nothing is old enough; an hour later it is, once.
    lived.clock.set(lived.clock.now() + SignedDuration::from_hours(1));
    let version = eventually("how far everything is delivered is kept", PATIENCE, kept).await?;
    println!("  how far everything is delivered is kept: a restart repeats nothing");
    let mark = AuditLog::mark();
    lived.clock.set(lived.clock.now() + SignedDuration::from_hours(1));
    let writes = cluster.audit().settled(&client).await?.since(mark).by_user(OPERATOR).writes().named(CURSOR);
    ensure!(writes.is_empty() && kept().await? == Some(version), "written again without need:\n{writes}");
    restart(cluster, lived).await?;
    let again = all_arrived(cluster, lived).await?.1;
    ensure!(again.entries == before.entries && again.repeats == 0, "a restart made {again:?} of {before:?}");

    // Only the operator writes it.
    let forged = [
        "create",
        "configmap",
        CURSOR,
        "-n",
        OPERATOR_NAMESPACE,
        "--from-literal=deliveredBefore=2099-01-01T00:00:00Z",
        "--dry-run=server",
    ];
    maps.delete(CURSOR, &DeleteParams::default()).await?;
    let refused = cluster.kubectl(Actor::PlatformAdmin).run(&forged).await;
    let refused = format!("{:#}", refused.err().context("the provider's administrator wrote the cursor")?);
    ensure!(refused.contains("written by the operator alone"), "{refused}");

    // Without it everything is sent once more, under the same ids.
    restart(cluster, lived).await?;
    let look = || async {
        let (_, tally) = all_arrived(cluster, lived).await?;
        ensure!(tally.repeats >= before.entries, "{tally:?}");
        Ok(Some(tally))
    };
    let tally = eventually("all is sent once more", PATIENCE, look).await?;
    println!("  without the cursor, of {records} records: {tally:?}");
    if let Some(operator) = lived.operator.lock().await.take() {
        operator.stop().await;
    }
    Ok(())
}

/// Ends the operator and starts it anew; returns when it has told of what is filed now, after all that it found.
async fn restart(cluster: &Cluster, lived: &Lived) -> Result<()> {
    let mut operator = lived.operator.lock().await;
    if let Some(operator) = operator.take() {
        operator.stop().await;
    }
    *operator = Some(InProcess::start_telling(cluster, lived.clock.clone(), options(&lived.sink)).await?);
    let namespace = cluster.filing_namespace("dept-after", fixtures::HENAN).await?;
    let mut manifest = fixtures::sample("travel.yaml")?;
    manifest["metadata"]["namespace"] = json!(namespace);
    cluster.kubectl(Actor::Admin).apply(&manifest.to_string()).await?;
    let subject = format!("{namespace}/travel");
    let told = || async {
        let taken = lived.sink.taken()?;
        Ok(taken.events().iter().any(|e| e["subject"] == subject.as_str()).then_some(()))
    };
    eventually("the restarted operator tells of a new record", PATIENCE, told).await
}
