//! Statutory clocks on a real control plane: a life that runs late at each step, by a clock that the test sets.
//!
//! The operator runs in this process, on the operator's own credentials; the API server's clock is the
//! machine's, and what it stamps is shifted by the same offset as the operator's clock.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::in_process::InProcess;
use e2e::kubectl::Kubectl;
use e2e::sample_department::{condition, deadline, timeline_count};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use govcloud_controller::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);
const NS: &str = "dept-transport";

fn main() -> ExitCode {
    suite::main(
        Setup::Installed,
        e2e::tests![every_overdue_deadline_is_reported, clock_skew_suspends_decisions],
    )
}

/// The people, and what they look at.
struct Play {
    cluster: Arc<Cluster>,
    clock: Clock,
}

impl Play {
    fn by(&self, who: Actor) -> Kubectl {
        self.cluster.kubectl(who)
    }

    async fn set_up(&self, fulfilment: &str) -> Result<()> {
        let admin = self.by(Actor::PlatformAdmin);
        let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/samples");
        admin.apply_path(&samples.join("rbac")).await?;
        for file in ["region-410000.yaml", "personas.yaml"] {
            admin.apply_path(&samples.join(file)).await?;
        }
        let spec =
            json!({ "spec": { "fulfilment": fulfilment, "workingDays": { "review": 5 } } }).to_string();
        admin.run(&["patch", "region", "410000", "--type=merge", "-p", &spec]).await?;
        Ok(())
    }

    async fn get(&self, what: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.by(Actor::Admin).run(&["get", what, "-n", NS, "-o", "json"]).await?)?)
    }

    /// Waits until `what` is as `wanted` says.
    async fn until(&self, what: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        eventually(&format!("{what}: {name}"), PATIENCE, || async {
            let object = self.get(what).await?;
            Ok(wanted(&object).then_some(object))
        })
        .await
    }

    async fn until_phase(&self, what: &str, phase: &str) -> Result<Value> {
        self.until(what, phase, |o| o["status"]["phase"] == phase).await
    }

    async fn decide(&self, what: &str) -> Result<()> {
        let generation = self.get(what).await?["metadata"]["generation"].to_string();
        let reviewed = format!("govcloud.dev/reviewed-generation={generation}");
        self.by(Actor::Authority410000)
            .run(&[
                "annotate",
                what,
                "-n",
                NS,
                "govcloud.dev/decision=approved",
                &reviewed,
                "govcloud.dev/opinion=同意",
            ])
            .await?;
        Ok(())
    }

    /// Runs the clock of an obligation past its end and sees that this is reported, once, with the true instant.
    async fn let_it_run_out(&self, what: &str, obligation: &str, still: &str) -> Result<()> {
        let due = deadline(&self.get(what).await?, obligation)?["dueAt"]
            .as_str()
            .context("no dueAt")?
            .parse::<Timestamp>()?;
        self.clock.set(due + SignedDuration::from_hours(26));
        let late = self
            .until(what, &format!("{obligation} overdue"), |o| {
                !deadline(o, obligation).unwrap_or_default()["notified"]["overdue"].is_null()
            })
            .await?;
        ensure!(deadline(&late, obligation)?["dueAt"] == due.to_string().as_str(), "the due instant moved");
        let on_time = condition(&late, "OnTime");
        ensure!(
            on_time["status"] == "False" && on_time["reason"] == format!("{obligation}Overdue"),
            "{on_time}"
        );
        ensure!(
            late["status"]["phase"] == still,
            "{obligation} ran out and the phase became {}",
            late["status"]["phase"]
        );
        Ok(())
    }
}

fn sample(file: &str) -> Result<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/samples").join(file);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// The grant that the approved application asks for, as the provider writes it.
fn grant(app: &Value) -> String {
    let (name, uid) = (&app["metadata"]["name"], &app["metadata"]["uid"]);
    let d = &app["status"]["decision"];
    json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "ResourceGrant", "metadata": { "name": name, "namespace": NS },
        "spec": {
            "region": app["spec"]["region"], "application": { "name": name, "uid": uid },
            "approved": { "kind": "CloudApplication", "name": name, "uid": uid, "generation": d["generation"], "digest": d["digest"] },
            "namespaces": app["spec"]["namespaces"],
        },
    })
    .to_string()
}

async fn every_overdue_deadline_is_reported(context: Context) -> Result<()> {
    let play = Play { cluster: context.cluster.clone(), clock: Clock::default() };
    context.dump_on_failure(NS);
    // Thursday, 10:00 in China; 25 to 27 September and 1 to 7 October are holidays, 10 October is worked.
    play.clock.set("2026-09-24T02:00:00Z".parse()?);
    let operator = InProcess::start(&context.cluster, play.clock.clone()).await?;
    play.set_up("ProviderApplied").await?;
    let department = play.by(Actor::Department);

    review(&play, &department).await?;
    let operator = provision(&play, operator).await?;
    let operator = go_live(&play, &department, operator).await?;
    report(&play, &department).await?;
    change(&play, &department).await?;
    exit(&play, &department).await?;
    provisional(&play, &department).await?;
    operator.stop().await;
    Ok(())
}

/// Review (the Region sets one): silence approves nothing.
async fn review(play: &Play, department: &Kubectl) -> Result<()> {
    department.run(&["apply", "-n", NS, "-f", &samples_file("travel.yaml")]).await?;
    let filed = play.until("capp/travel", "clock of Review", |o| deadline(o, "Review").is_ok()).await?;
    ensure!(filed["status"]["phase"] == "Submitted", "{}", filed["status"]["phase"]);
    ensure!(deadline(&filed, "Review")?["dueDate"] == "2026-10-09", "{}", deadline(&filed, "Review")?);
    play.let_it_run_out("capp/travel", "Review", "Submitted").await
}

/// Provision (Art. 13): the provider is late, and a restart reports nothing twice.
async fn provision(play: &Play, operator: InProcess) -> Result<InProcess> {
    play.decide("capp/travel").await?;
    play.until_phase("capp/travel", "Provisioning").await?;
    play.let_it_run_out("capp/travel", "Provision", "Provisioning").await?;
    operator.stop().await;
    let operator = InProcess::start(&play.cluster, play.clock.clone()).await?;
    let app = play.get("capp/travel").await?;
    play.by(Actor::Provider).apply(&grant(&app)).await?;
    let app = play.until_phase("capp/travel", "Provisioned").await?;
    assert_met_late(&app, "Provision")?;
    ensure!(
        timeline_count(&app, "Overdue") == 2,
        "review and provisioning were overdue once each: {}",
        app["status"]["timeline"]
    );
    Ok(operator)
}

/// Going live (Art. 14): it falls due while the operator is down, and is reported on return with the true instant.
async fn go_live(play: &Play, department: &Kubectl, operator: InProcess) -> Result<InProcess> {
    let app = play.get("capp/travel").await?;
    let due = deadline(&app, "GoLive")?["dueAt"].as_str().context("no dueAt")?.parse::<Timestamp>()?;
    operator.stop().await;
    play.clock.set(due + SignedDuration::from_hours(50));
    let operator = InProcess::start(&play.cluster, play.clock.clone()).await?;
    let app = play.until("capp/travel", "GoLive overdue", |o| timeline_count(o, "Overdue") == 3).await?;
    ensure!(deadline(&app, "GoLive")?["dueAt"] == due.to_string().as_str(), "the due instant moved");
    let now = play.clock.now().round(jiff::Unit::Second)?.to_string();
    merge(department, "capp/travel", &json!({ "spec": { "goLive": { "at": now } } })).await?;
    let app = play.until_phase("capp/travel", "Live").await?;
    assert_met_late(&app, "GoLive")?;
    Ok(operator)
}

/// The report (Art. 14).
async fn report(play: &Play, department: &Kubectl) -> Result<()> {
    play.let_it_run_out("capp/travel", "GoLiveReport", "Live").await?;
    let file = samples_file("travel-report.yaml");
    department.run(&["patch", "capp/travel", "-n", NS, "--type=merge", "--patch-file", &file]).await?;
    let app = play.until("capp/travel", "reported", |o| !o["status"]["reportedAt"].is_null()).await?;
    let on_time = condition(&app, "OnTime");
    ensure!(on_time["status"] == "True", "everything is met: {on_time}");
    Ok(())
}

/// A change (Art. 15) that is late too.
async fn change(play: &Play, department: &Kubectl) -> Result<()> {
    department.run(&["apply", "-n", NS, "-f", &samples_file("travel-enlarge.yaml")]).await?;
    play.until("chreq/travel-enlarge", "valid", |o| condition(o, "Valid")["status"] == "True").await?;
    play.decide("chreq/travel-enlarge").await?;
    let change = play.until_phase("chreq/travel-enlarge", "Applying").await?;
    play.let_it_run_out("chreq/travel-enlarge", "Change", "Applying").await?;
    let decision = &change["status"]["decision"];
    let approved = json!({ "kind": "ChangeRequest", "name": "travel-enlarge", "uid": change["metadata"]["uid"],
        "generation": decision["generation"], "digest": decision["digest"] });
    let patch = json!({ "spec": { "approved": approved, "namespaces": change["status"]["after"] } });
    merge(&play.by(Actor::Provider), "grant/travel", &patch).await?;
    let change = play.until_phase("chreq/travel-enlarge", "Completed").await?;
    assert_met_late(&change, "Change")
}

/// An exit (Art. 16) that is late too: something holds the namespace, which is reported by name, never forced, and
/// overdue all the same.
async fn exit(play: &Play, department: &Kubectl) -> Result<()> {
    let app = play.get("capp/travel").await?;
    let tenant = app["status"]["namespaces"][0]["namespace"].as_str().context("no namespace")?;
    let admin = play.by(Actor::Admin);
    admin.run(&["create", "configmap", "held", "-n", tenant]).await?;
    let finalizers = async |finalizers: Value| {
        let patch = json!({ "metadata": { "finalizers": finalizers } }).to_string();
        admin.run(&["patch", "configmap", "held", "-n", tenant, "--type=merge", "-p", &patch]).await
    };
    finalizers(json!(["example.com/held"])).await?;
    let exit = sample("travel-exit.yaml")?
        .replace("    volumes:\n    - {namespace: prod, claim: data, action: Destroy}\n", "");
    department
        .apply(&exit.replace("  name: travel-exit", &format!("  name: travel-exit\n  namespace: {NS}")))
        .await?;
    let exit = play.until_phase("decom/travel-exit", "AwaitingConsent").await?;
    let digest = &exit["status"]["inventory"]["digest"];
    let consent = json!({ "spec": { "consent": { "inventoryDigest": digest } } });
    merge(department, "decom/travel-exit", &consent).await?;
    play.until_phase("decom/travel-exit", "AwaitingDecision").await?;
    play.decide("decom/travel-exit").await?;
    play.until_phase("decom/travel-exit", "Reclaiming").await?;
    play.let_it_run_out("decom/travel-exit", "Reclaim", "Reclaiming").await?;
    play.until("decom/travel-exit", "stuck, with the name of what holds it", |o| {
        let stalled = condition(o, "Stalled");
        let message = stalled["message"].as_str().unwrap_or_default();
        stalled["reason"] == "ReclaimStuck"
            && message.contains(tenant)
            && message.contains("example.com/held")
    })
    .await?;
    finalizers(Value::Null).await?;
    let exit = play.until_phase("decom/travel-exit", "Completed").await?;
    assert_met_late(&exit, "Reclaim")?;
    play.until_phase("capp/travel", "Exited").await.map(drop)
}

/// An obligation was met, at least one working day late.
fn assert_met_late(object: &Value, obligation: &str) -> Result<()> {
    let deadline = deadline(object, obligation)?;
    ensure!(deadline["workingDaysLate"].as_i64() >= Some(1), "{deadline}");
    Ok(())
}

/// Merge-patches a record as somebody.
async fn merge(by: &Kubectl, what: &str, patch: &Value) -> Result<()> {
    by.run(&["patch", what, "-n", NS, "--type=merge", "-p", &patch.to_string()]).await.map(drop)
}

/// A deadline across an unpublished year is provisional, and recomputed when the year is published.
async fn provisional(play: &Play, department: &Kubectl) -> Result<()> {
    let automatic = json!({ "spec": { "fulfilment": "Automatic" } }).to_string();
    let administrator = play.by(Actor::PlatformAdmin);
    administrator.run(&["patch", "region", "410000", "--type=merge", "-p", &automatic]).await?;
    let second = sample("travel.yaml")?.replace("name: travel\n", &format!("name: bus\n  namespace: {NS}\n"));
    department.apply(&second).await?;
    play.until("capp/bus", "valid", |o| condition(o, "Valid")["status"] == "True").await?;
    play.decide("capp/bus").await?;
    let before = play.until_phase("capp/bus", "Provisioned").await?;
    let clock = deadline(&before, "GoLive")?;
    ensure!(
        clock["provisional"] == true && clock["dueDate"].as_str().is_some_and(|d| d.starts_with("2027")),
        "{clock}"
    );
    let mut calendar: Value =
        serde_json::from_str(&administrator.run(&["get", "workcalendar", "cn", "-o", "json"]).await?)?;
    let years = calendar["spec"]["years"].as_array_mut().context("no years")?;
    years.push(
        json!({ "year": 2027, "holidays": [{ "name": "元旦", "from": "2027-01-01", "to": "2027-01-05" }] }),
    );
    administrator
        .run(&[
            "patch",
            "workcalendar",
            "cn",
            "--type=merge",
            "-p",
            &json!({ "spec": calendar["spec"] }).to_string(),
        ])
        .await?;
    let after = play
        .until("capp/bus", "recomputed", |o| deadline(o, "GoLive").is_ok_and(|d| d["provisional"] == false))
        .await?;
    ensure!(timeline_count(&after, "DeadlineMoved") == 1, "{}", after["status"]["timeline"]);
    ensure!(deadline(&after, "GoLive")?["dueDate"] != clock["dueDate"], "five days off moved nothing");
    Ok(())
}

fn samples_file(file: &str) -> String {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../config/samples")
        .join(file)
        .display()
        .to_string()
}

/// A machine whose clock is a day wrong decides nothing, moves nothing, and says so.
async fn clock_skew_suspends_decisions(context: Context) -> Result<()> {
    for error in [SignedDuration::from_hours(24), SignedDuration::from_hours(-24)] {
        let cluster = context.own_cluster(Setup::Installed).await?;
        let play = Play { cluster: cluster.clone(), clock: Clock::default() };
        let right = InProcess::start(&cluster, Clock::default()).await?;
        play.set_up("Automatic").await?;
        play.by(Actor::Department).run(&["apply", "-n", NS, "-f", &samples_file("travel.yaml")]).await?;
        play.until_phase("capp/travel", "Submitted").await?;
        play.decide("capp/travel").await?;
        let before = play.until_phase("capp/travel", "Provisioned").await?;
        right.stop().await;

        let wrong = InProcess::start(&cluster, Clock::wrong_by(error)).await?;
        let held =
            play.until("capp/travel", "held", |o| condition(o, "Stalled")["reason"] == "ClockSkewed").await?;
        ensure!(held["status"]["deadlines"] == before["status"]["deadlines"], "a stored deadline moved");
        let now = Timestamp::now().round(jiff::Unit::Second)?;
        let live = json!({ "spec": { "goLive": { "at": now.to_string() } } }).to_string();
        play.by(Actor::Department)
            .run(&["patch", "capp", "travel", "-n", NS, "--type=merge", "-p", &live])
            .await?;
        let held = play.until("capp/travel", "seen", |o| o["status"]["observedGeneration"] == 2).await?;
        ensure!(
            held["status"]["phase"] == "Provisioned"
                && held["status"]["deadlines"] == before["status"]["deadlines"],
            "a wrong clock met an obligation"
        );
        wrong.stop().await;

        let right = InProcess::start(&cluster, Clock::default()).await?;
        let live = play.until_phase("capp/travel", "Live").await?;
        if timeline_count(&live, "Overdue") > 0 {
            bail!("reported overdue by a wrong clock: {}", live["status"]["timeline"]);
        }
        right.stop().await;
    }
    Ok(())
}
