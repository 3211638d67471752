//! Settlement on a real control plane (Art. 6, 26): a month is made, confirmed and settled, by a clock that the test sets;
//! everything else is refused, with the message that says why; and the second implementation computes the same bill.

use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::in_process::InProcess;
use e2e::kubectl::Kubectl;
use e2e::sample_department::{condition, sample, timeline_count};
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use govcloud_controller::clock::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);
const NS: &str = "dept-transport";
const SEPTEMBER: &str = "stmt/2026-09";
const OCTOBER: &str = "stmt/2026-10";

fn main() -> ExitCode {
    suite::main(
        Setup::Installed,
        e2e::tests![art_26_a_month_is_confirmed_and_settled, art_11_a_resource_is_named_once],
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

    fn at(&self, instant: &str) -> Result<()> {
        self.clock.set(instant.parse::<Timestamp>()?);
        Ok(())
    }

    async fn set_up(&self) -> Result<()> {
        let admin = self.by(Actor::PlatformAdmin);
        for what in ["rbac", "region-410000.yaml", "personas.yaml", "catalog-henan-2026.yaml"] {
            admin.apply_path(&sample(what)).await?;
        }
        let spec = json!({ "spec": {
            "catalogs": ["henan-2026"],
            "settlement": { "firstMonth": "2026-09", "budgets": [{ "department": NS, "year": 2026, "ceiling": "100000.00" }] },
            "tenancy": { "maxQuota": { "requests.cpu": "64", "requests.memory": "256Gi", "requests.storage": "4Ti" } } } });
        admin.run(&["patch", "region", "410000", "--type=merge", "-p", &spec.to_string()]).await?;
        Ok(())
    }

    async fn get(&self, what: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.by(Actor::Admin).run(&["get", what, "-n", NS, "-o", "json"]).await?)?)
    }

    async fn until(&self, what: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        eventually(&format!("{what}: {name}"), PATIENCE, || async {
            let found = self.by(Actor::Admin).output(&["get", what, "-n", NS, "-o", "json"]).await?;
            if !found.status.success() {
                return Ok(None);
            }
            let object: Value = serde_json::from_slice(&found.stdout)?;
            Ok(wanted(&object).then_some(object))
        })
        .await
    }

    async fn until_phase(&self, what: &str, phase: &str) -> Result<Value> {
        self.until(what, phase, |o| o["status"]["phase"] == phase).await
    }

    async fn decide(&self, what: &str, verdict: &str, opinion: &str) -> Result<()> {
        let generation = self.get(what).await?["metadata"]["generation"].to_string();
        self.by(Actor::Authority410000)
            .run(&[
                "annotate",
                what,
                "-n",
                NS,
                "--overwrite",
                &format!("govcloud.dev/decision={verdict}"),
                &format!("govcloud.dev/reviewed-generation={generation}"),
                &format!("govcloud.dev/opinion={opinion}"),
            ])
            .await
            .map(drop)
    }

    async fn annotate(&self, who: Actor, what: &str, annotation: &str) -> Result<String> {
        self.by(who).run(&["annotate", what, "-n", NS, "--overwrite", annotation]).await
    }

    async fn patch(&self, who: Actor, what: &str, patch: Value) -> Result<String> {
        self.by(who).run(&["patch", what, "-n", NS, "--type=merge", "-p", &patch.to_string()]).await
    }

    /// A request is refused, with words of its message.
    async fn refused(&self, answer: Result<String>, words: &str) -> Result<()> {
        match answer {
            Ok(done) => bail!("not refused ({words}): {done}"),
            Err(e) => {
                ensure!(e.to_string().contains(words), "refused with another message than {words:?}: {e}")
            }
        }
        Ok(())
    }
}

/// An application is provisioned on 24 September, and enlarged on 14 October.
async fn two_months(play: &Play) -> Result<()> {
    let department = play.by(Actor::Department);
    let travel = sample("travel.yaml");
    department.run(&["apply", "-n", NS, "-f", &travel.display().to_string()]).await?;
    play.until("capp/travel", "valid", |o| condition(o, "Valid")["status"] == "True").await?;
    play.decide("capp/travel", "approved", "同意").await?;
    play.until_phase("capp/travel", "Provisioned").await?;
    // The first working day after September and the holidays.
    play.at("2026-10-08T02:00:00Z")?;
    play.until_phase(SEPTEMBER, "AwaitingConfirmation").await.map(drop)
}

async fn art_26_a_month_is_confirmed_and_settled(context: Context) -> Result<()> {
    let play = Play { cluster: context.cluster.clone(), clock: Clock::default() };
    context.dump_on_failure(NS);
    play.at("2026-09-24T02:00:00Z")?;
    let operator = InProcess::start(&context.cluster, play.clock.clone()).await?;
    play.set_up().await?;
    two_months(&play).await?;
    nobody_makes_or_alters_one(&play).await?;
    only_the_department_confirms(&play).await?;
    only_what_was_confirmed_is_settled(&play).await?;
    what_is_settled_does_not_change(&play).await?;
    october(&play).await?;
    the_second_implementation_agrees(&play).await?;
    operator.stop().await;
    Ok(())
}

/// Statements are made by the operator alone, once; their digest is computed.
async fn nobody_makes_or_alters_one(play: &Play) -> Result<()> {
    let september = play.get(SEPTEMBER).await?;
    // 24 to 30 September: seven days of 8 cores, 16 GiB and 200 GiB.
    let amounts: Vec<&str> = september["status"]["bill"]["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|line| line["amount"].as_str())
        .collect();
    ensure!(amounts == ["56.00", "37.33", "46.67"], "{amounts:?}");
    ensure!(september["status"]["bill"]["total"] == "140.00", "{}", september["status"]["bill"]);
    let own = json!({ "apiVersion": "govcloud.dev/v1alpha1", "kind": "Statement", "metadata": { "name": "2026-08", "namespace": NS },
        "spec": { "region": "410000", "month": "2026-08" } });
    for who in [Actor::PlatformAdmin, Actor::Admin] {
        play.refused(play.by(who).apply(&own.to_string()).await, "statements are made by the operator")
            .await?;
    }
    let misnamed = json!({ "spec": { "month": "2026-07" } });
    play.refused(play.patch(Actor::Provider, SEPTEMBER, misnamed).await, "cannot change").await?;
    let digest = json!({ "spec": { "digest": format!("sha256:{}", "0".repeat(64)) } });
    play.refused(play.patch(Actor::Authority410000, SEPTEMBER, digest).await, "is computed from the records")
        .await?;
    let manual = |item: &str, from: &str| json!({ "spec": { "manual": [{ "application": "travel", "item": item, "from": from, "to": from, "units": "1" }] } });
    let by_department = play.patch(Actor::Department, SEPTEMBER, manual("migration", "2026-09-25")).await;
    play.refused(by_department, "are recorded by the provider").await?;
    let other_month = play.patch(Actor::Provider, SEPTEMBER, manual("migration", "2026-10-25")).await;
    play.refused(other_month, "lie in the month").await?;
    let label = play.by(Actor::Authority410000).run(&["label", SEPTEMBER, "-n", NS, "a=b"]).await;
    play.refused(label, "of a statement do not change").await
}

/// The department confirms exactly one digest; nobody confirms for it, and no other department.
async fn only_the_department_confirms(play: &Play) -> Result<()> {
    let september = play.get(SEPTEMBER).await?;
    let digest = september["spec"]["digest"].as_str().context("no digest")?.to_owned();
    ensure!(september["status"]["bill"]["digest"] == digest.as_str(), "{}", september["status"]["bill"]);
    let confirm = format!("govcloud.dev/confirm={digest}");
    let other = format!("govcloud.dev/confirm=sha256:{}", "0".repeat(64));
    play.refused(play.annotate(Actor::Department, SEPTEMBER, &other).await, "names the bill as it is now")
        .await?;
    for (who, words) in [
        (Actor::OtherDepartment, "forbidden"),
        (Actor::Provider, "you lack verb confirm"),
        (Actor::Authority410000, "you lack verb confirm"),
        (Actor::PlatformAdmin, "wildcard rights do not count"),
    ] {
        play.refused(play.annotate(who, SEPTEMBER, &confirm).await, words).await?;
    }
    let decided = play.decide(SEPTEMBER, "approved", "同意").await.map(|()| String::new());
    play.refused(decided, "silence is no consent").await?;
    play.annotate(Actor::Department, SEPTEMBER, &confirm).await?;
    let confirmed = play.until_phase(SEPTEMBER, "AwaitingDecision").await?;
    ensure!(confirmed["status"]["confirmation"]["by"] == Actor::Department.user(), "{}", confirmed["status"]);
    let again = play.annotate(Actor::Department, SEPTEMBER, "govcloud.dev/confirm-").await;
    play.refused(again, "phase AwaitingConfirmation").await
}

/// The provider objects with a reason; the authority settles what was confirmed.
async fn only_what_was_confirmed_is_settled(play: &Play) -> Result<()> {
    let objection = "govcloud.dev/objection=数量有误";
    play.refused(play.annotate(Actor::Department, SEPTEMBER, objection).await, "the provider objects")
        .await?;
    play.refused(
        play.annotate(Actor::Provider, SEPTEMBER, "govcloud.dev/objection= ").await,
        "gives its reason",
    )
    .await?;
    play.annotate(Actor::Provider, SEPTEMBER, objection).await?;
    play.until(SEPTEMBER, "objected to", |o| o["status"]["objection"]["reason"] == "数量有误").await?;
    play.annotate(Actor::Provider, SEPTEMBER, "govcloud.dev/objection-").await?;
    play.until(SEPTEMBER, "objection withdrawn", |o| o["status"]["objection"].is_null()).await?;
    play.decide(SEPTEMBER, "approved", "同意结算").await?;
    let settled = play.until_phase(SEPTEMBER, "Settled").await?;
    ensure!(timeline_count(&settled, "Settled") == 1, "{}", settled["status"]["timeline"]);
    ensure!(
        settled["status"]["closingState"]["namespaces"][0]["quota"]["requests.cpu"] == "8",
        "the state is stored"
    );
    Ok(())
}

/// What is settled stays, with the edition and the records that it was computed from.
async fn what_is_settled_does_not_change(play: &Play) -> Result<()> {
    let quantity = json!({ "spec": { "manual": [{ "application": "travel", "item": "migration", "from": "2026-09-25", "to": "2026-09-25", "units": "1" }] } });
    play.refused(play.patch(Actor::Provider, SEPTEMBER, quantity).await, "is final and does not change")
        .await?;
    let edition = "servicecatalog/henan-2026";
    play.until(edition, "marked", |o| o["metadata"]["labels"]["govcloud.dev/billed"] == "true").await?;
    let admin = play.by(Actor::PlatformAdmin);
    let dearer = json!({ "spec": { "edition": "改" } }).to_string();
    let changed = admin.run(&["patch", edition, "--type=merge", "-p", &dearer]).await;
    play.refused(changed, "was billed by and does not change").await?;
    play.refused(admin.run(&["delete", edition]).await, "was billed by and is not deleted").await?;
    let unmarked = admin.run(&["label", edition, "govcloud.dev/billed-"]).await;
    play.refused(unmarked, "is the operator's mark").await?;
    let namespace = format!("namespace/{NS}");
    play.until(&namespace, "settled through September", |o| {
        o["metadata"]["labels"]["govcloud.dev/settled-through"] == "2026-09"
    })
    .await?;
    let moved =
        admin.run(&["label", &namespace, "--overwrite", "govcloud.dev/settled-through=2027-12"]).await;
    play.refused(moved, "is the operator's mark").await
}

/// October: a change on the 14th, which stays until its month is settled; the next statement opens with September's state.
async fn october(play: &Play) -> Result<()> {
    play.at("2026-10-14T02:00:00Z")?;
    let enlarge = sample("travel-enlarge.yaml").display().to_string();
    play.by(Actor::Department).run(&["apply", "-n", NS, "-f", &enlarge]).await?;
    let change = "chreq/travel-enlarge";
    play.until(change, "valid", |o| condition(o, "Valid")["status"] == "True").await?;
    play.decide(change, "approved", "同意").await?;
    play.until_phase(change, "Completed").await?;
    let deleted = play.by(Actor::Authority410000).run(&["delete", change, "-n", NS, "--wait=false"]).await;
    play.refused(deleted, "it is deleted after that month is settled").await?;
    play.at("2026-11-02T02:00:00Z")?;
    let october = play.until_phase(OCTOBER, "AwaitingConfirmation").await?;
    let september = play.get(SEPTEMBER).await?;
    ensure!(october["status"]["bill"]["opening"] == september["status"]["bill"]["closing"], "a chain");
    ensure!(october["status"]["bill"]["corrections"] == json!([]), "{}", october["status"]["bill"]);
    // Nothing is computed or written at rest.
    let version = october["metadata"]["resourceVersion"].clone();
    let again = play.until(OCTOBER, "at rest", |o| o["status"]["phase"] == "AwaitingConfirmation").await?;
    ensure!(again["metadata"]["resourceVersion"] == version, "written at rest: {}", again["status"]);
    Ok(())
}

/// An application as the bill's export has it, from what the API serves.
fn exported(capp: &Value, grant: &Value, change: &Value) -> Value {
    let quotas = |namespaces: &Value| -> Value {
        let entries = namespaces.as_array().into_iter().flatten();
        entries.map(|n| (n["name"].as_str().unwrap_or_default().to_owned(), n["quota"].clone())).collect()
    };
    let namespaces: Vec<Value> = capp["status"]["namespaces"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|n| json!({ "entry": n["entry"], "uid": n["uid"] }))
        .collect();
    json!({
        "name": "travel", "uid": capp["metadata"]["uid"], "provisionedAt": capp["status"]["provisionedAt"],
        "namespaces": namespaces, "approved": quotas(&capp["spec"]["namespaces"]),
        "changes": [{ "name": "travel-enlarge", "uid": change["metadata"]["uid"], "appliedAt": change["status"]["appliedAt"],
            "before": quotas(&change["status"]["before"]), "after": quotas(&change["status"]["after"]) }],
        "granted": quotas(&grant["status"]["granted"]),
    })
}

/// B5: the second implementation computes the same bill from what the API serves, to the cent and to the digest.
async fn the_second_implementation_agrees(play: &Play) -> Result<()> {
    let (capp, grant) = (play.get("capp/travel").await?, play.get("grant/travel").await?);
    let change = play.get("chreq/travel-enlarge").await?;
    let catalog = play.get("servicecatalog/henan-2026").await?;
    let (september, october) = (play.get(SEPTEMBER).await?, play.get(OCTOBER).await?);
    let items: Vec<Value> = catalog["spec"]["items"]
        .as_array()
        .context("no items")?
        .iter()
        .map(|item| {
            let mut item = item.clone();
            item.as_object_mut().map(|fields| fields.remove("name"));
            item
        })
        .collect();
    let then = &september["status"]["bill"];
    let export = json!([{
        "region": "410000", "department": NS, "month": "2026-10", "proration": "Daily", "chargeUntil": "EndOfUse",
        "editions": [{ "name": "henan-2026", "currency": catalog["spec"]["currency"], "effectiveFrom": catalog["spec"]["effectiveFrom"], "items": items }],
        "opening": september["status"]["closingState"],
        "applications": [exported(&capp, &grant, &change)],
        "manual": [],
        "earlier": [{ "month": "2026-09", "proration": "Daily", "chargeUntil": "EndOfUse", "opening": null, "closing": then["closing"],
            "editions": then["editions"], "lines": then["lines"], "corrections": then["corrections"] }],
    }]);
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/settlement/oracle.py");
    let oracle = Command::new("python3").arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut oracle) = oracle else {
        println!("skipped: there is no python3 to run {program}");
        return Ok(());
    };
    oracle.stdin.take().context("no stdin")?.write_all(export.to_string().as_bytes())?;
    let output = oracle.wait_with_output()?;
    ensure!(output.status.success(), "{program}: {}", output.status);
    let answers: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(
        answers[0]["statement"] == october["status"]["bill"],
        "the second implementation says {}, the operator {}",
        answers[0]["statement"],
        october["status"]["bill"]
    );
    ensure!(answers[0]["closing"] == october["status"]["closingState"], "{}", answers[0]["closing"]);
    Ok(())
}

/// A quota that names one resource twice is refused, with the field and both names (Art. 11, 15, 26).
async fn art_11_a_resource_is_named_once(context: Context) -> Result<()> {
    let namespace = context.filing_namespace("twice", "410000").await?;
    let text = std::fs::read_to_string(sample("travel.yaml"))?;
    let twice = |pair: &str| {
        text.replace("name: travel\n", &format!("name: travel\n  namespace: {namespace}\n"))
            .replace(r#"requests.cpu: "8""#, pair)
    };
    let admin = context.cluster.kubectl(Actor::Admin);
    for (pair, field) in [
        (r#"cpu: "8", requests.cpu: "8""#, "spec.namespaces[0].quota"),
        (r#"requests.cpu: "8", memory: 16Gi"#, "spec.namespaces[0].quota"),
        (r#"requests.cpu: "8", services: "1", count/services: "1""#, "spec.namespaces[0].quota"),
        (r#"requests.cpu: "8", hugepages-2Mi: 2Mi, requests.hugepages-2Mi: 2Mi"#, "spec.namespaces[0].quota"),
    ] {
        let answer = admin.apply(&twice(pair)).await;
        let Err(refusal) = answer else { bail!("not refused: {pair}") };
        let refusal = refusal.to_string();
        ensure!(
            refusal.contains("one resource is named twice") && refusal.contains(field),
            "{pair}: {refusal}"
        );
    }
    Ok(())
}
