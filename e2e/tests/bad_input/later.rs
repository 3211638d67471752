//! Bad input later in a life: going live, reports, changes and exits at the wrong time or of the wrong object.

use anyhow::{Context as _, Result, ensure};
use e2e::fixtures::{self, Department, HENAN, Kind, condition, refusal, sample};
use e2e::suite::Context;
use jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, DynamicObject};
use serde_json::{Value, json};

use crate::table::says;

pub async fn invalid_later_request_is_reported(context: Context) -> Result<()> {
    fixtures::regions(&context.cluster).await?;
    let namespace = context.filing_namespace("dept-later", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let lives = async {
        let live = going_live(&department).await?;
        Ok::<_, anyhow::Error>(live + changes(&department).await?)
    };
    let (a, b, c) = tokio::try_join!(lives, shapes(&department), applications_that_come_later(&department))?;
    println!(
        "bad input: {} things that come later in life told why and put right, {b} misshapen ones refused",
        a + c
    );
    Ok(())
}

fn at(offset: SignedDuration) -> Result<Value> {
    let at = Timestamp::now().checked_add(offset)?;
    Ok(json!({"spec": {"goLive": {"at": at.to_string()}}}))
}

fn message(record: &DynamicObject) -> String {
    condition(&record.data["status"], "Valid")["message"].as_str().unwrap_or_default().to_owned()
}

/// Going live too early, in the future, and a report given twice.
async fn going_live(department: &Department) -> Result<usize> {
    department.file(&department.application("travel")?).await?;
    department.judged(Kind::Application, "travel", "Valid").await?;
    let hours = SignedDuration::from_hours;
    let early = department.amend(Kind::Application, "travel", at(hours(0))?).await;
    says(
        "live before provisioning",
        &refusal(early)?,
        &["资源开通后方可报上线（现为 Submitted）", "needed: Provisioned or Live"],
    )?;
    department.approve(Kind::Application, "travel").await?;
    department.phase(Kind::Application, "travel", "Provisioned").await?;

    department.amend(Kind::Application, "travel", at(hours(-1000))?).await?;
    let judged = department.judged(Kind::Application, "travel", "GoLiveBeforeProvisioning").await?;
    says("live in the past", &message(&judged), &["上线时间早于资源开通时间", "is before provisioning"])?;
    department.amend(Kind::Application, "travel", at(hours(24))?).await?;
    let judged = department.judged(Kind::Application, "travel", "GoLiveInFuture").await?;
    says("live in the future", &message(&judged), &["在将来；请在上线后填写", "report it once live"])?;
    ensure!(judged.data["status"]["phase"] == "Provisioned", "live before its time");
    let removed = department.amend(Kind::Application, "travel", json!({"spec": {"goLive": null}})).await;
    says(
        "live no more",
        &refusal(removed)?,
        &["上线情况只能更正，不能删除", "may be corrected, not removed"],
    )?;

    department.go_live("travel").await?;
    department.judged(Kind::Application, "travel", "Valid").await?;
    let mut other = sample("travel-report.yaml")?;
    other["spec"]["goLive"]["testReport"]["summary"] = json!("又测了一遍");
    let twice = department.amend(Kind::Application, "travel", other).await;
    says("reported twice", &refusal(twice)?, &["测试情况只报一次", "the test report"])?;
    // The instant that was accepted, in other notations, is no change.
    let accepted = department.get(Kind::Application, "travel").await?.data["spec"]["goLive"]["at"].clone();
    let accepted: Timestamp = accepted.as_str().context("no time")?.parse()?;
    let china = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    let offset = accepted.to_zoned(china).strftime("%Y-%m-%dT%H:%M:%S%.f+08:00").to_string();
    let fraction = accepted.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string();
    for notation in [offset, fraction] {
        let same = json!({"spec": {"goLive": {"at": notation}}});
        department.amend(Kind::Application, "travel", same).await.with_context(|| notation)?;
    }
    department.judged(Kind::Application, "travel", "Valid").await?;
    let moved = department.amend(Kind::Application, "travel", at(hours(0))?).await;
    says("live again", &refusal(moved)?, &["上线时间已受理，不能更改", "was accepted and does not change"])?;
    let travel = department.get(Kind::Application, "travel").await?;
    ensure!(travel.data["spec"]["goLive"]["testReport"]["summary"] != "又测了一遍", "the report was changed");
    Ok(6)
}

/// Changes and exits beside another one that is open, that change nothing, or name nothing.
async fn changes(department: &Department) -> Result<usize> {
    department.file(&department.change("first", "travel")?).await?;
    department.judged(Kind::Change, "first", "Valid").await?;
    department.file(&department.change("second", "travel")?).await?;
    let judged = department.judged(Kind::Change, "second", "AnotherOpen").await?;
    says("second change", &message(&judged), &["未办结的 ChangeRequest first", "is still open"])?;
    department.file(&department.exit("exit", "travel", json!({"default": "Retain"}))?).await?;
    let judged = department.judged(Kind::Exit, "exit", "AnotherOpen").await?;
    says("exit beside a change", &message(&judged), &["未办结的 ChangeRequest", "is still open"])?;

    // An exit that waits for two changes: once both are taken back, it is in order.
    for name in ["second", "first"] {
        withdraw(department, Kind::Change, name).await?;
    }
    department.judged(Kind::Exit, "exit", "Valid").await?;
    department.file(&department.change("third", "travel")?).await?;
    let judged = department.judged(Kind::Change, "third", "ApplicationNotActive").await?;
    says("change while exiting", &message(&judged), &["travel", "Exiting"])?;
    withdraw(department, Kind::Exit, "exit").await?;
    department.judged(Kind::Change, "third", "Valid").await?;

    let sample = department.application("travel")?["spec"]["namespaces"].clone();
    let nothing = json!({"spec": {"resourceAdjustment": {"namespaces": sample}}});
    department.amend(Kind::Change, "third", nothing).await?;
    let judged = department.judged(Kind::Change, "third", "NothingChanges").await?;
    says("nothing changes", &message(&judged), &["没有可变更的内容", "nothing would change"])?;
    let halves = json!([{"name": "prod", "quota": {"pods": "1500m"}}]);
    department
        .amend(Kind::Change, "third", json!({"spec": {"resourceAdjustment": {"namespaces": halves}}}))
        .await?;
    department.judged(Kind::Change, "third", "BadQuota").await?;
    let more = json!([{"name": "prod", "quota": {"pods": "60"}}]);
    department
        .amend(Kind::Change, "third", json!({"spec": {"resourceAdjustment": {"namespaces": more}}}))
        .await?;
    department.judged(Kind::Change, "third", "Valid").await?;
    let elsewhere = department
        .amend(Kind::Change, "third", json!({"spec": {"resourceAdjustment": {"application": "x"}}}))
        .await;
    says(
        "another application",
        &refusal(elsewhere)?,
        &["所变更的应用不能更换", "the application cannot be replaced"],
    )?;
    Ok(6)
}

async fn withdraw(department: &Department, kind: Kind, name: &str) -> Result<()> {
    let uid = department.get(kind, name).await?.metadata.uid.context("no UID")?;
    let annotation = json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}});
    department.amend(kind, name, annotation).await?;
    department.phase(kind, name, "Withdrawn").await.map(drop)
}

/// A bad value of one field, and what the refusal says.
type Spoiled = (&'static str, &'static str, Value, &'static [&'static str]);

const ONE_OF: &[&str] = &["须且只能填一项", "exactly one of resourceAdjustment and platformMaintenance"];

/// Bad input that a change alone shows.
fn bad_changes() -> Vec<Spoiled> {
    let maintenance = json!({
        "plan": {"title": "升级", "uri": "https://example.gov/p.pdf", "sha256": "9deb65b8788f41ff94a217842017db2f843954fc0eb46110835903908e5a265f"},
        "window": {"start": "2030-01-01T00:00:00Z", "end": "2030-01-01T02:00:00Z"},
        "impact": "None", "affects": {"all": true},
    });
    vec![
        ("both members", "/spec/platformMaintenance", maintenance, ONE_OF),
        ("no member", "/spec/resourceAdjustment", Value::Null, ONE_OF),
        (
            "no namespaces",
            "/spec/resourceAdjustment/namespaces",
            json!([]),
            &[
                "须写明要变更的命名空间配额或 access",
                "give namespaces with their new quotas, or access, or both",
            ],
        ),
        (
            "negative",
            "/spec/resourceAdjustment/namespaces/0/quota",
            json!({"pods": "-1"}),
            &["配额须为不小于零的"],
        ),
        (
            "unknown key",
            "/spec/resourceAdjustment/namespaces/0/quota",
            json!({"gpu": "1"}),
            &["有 Kubernetes 不认识的配额项"],
        ),
    ]
}

/// Bad input that an exit alone shows.
fn bad_exits() -> Vec<Spoiled> {
    vec![
        ("silence", "/spec/disposition", json!({}), &["spec.disposition.default", "Required value"]),
        (
            "another word",
            "/spec/disposition",
            json!({"default": "Shred"}),
            &["spec.disposition.default", "\"Destroy\""],
        ),
        (
            "consent at once",
            "/spec/consent",
            json!({"inventoryDigest": format!("sha256:{}", "0".repeat(64))}),
            &["申请时不能填写", "come later in life"],
        ),
    ]
}

/// Changes and exits of a wrong shape are refused.
async fn shapes(department: &Department) -> Result<usize> {
    let change = department.change("shape", "travel")?;
    let exit = department.exit("shape", "travel", json!({"default": "Retain"}))?;
    let changes = bad_changes().into_iter().map(|row| (&change, row));
    let rows: Vec<_> = changes.chain(bad_exits().into_iter().map(|row| (&exit, row))).collect();
    let count = rows.len();
    for (manifest, (what, pointer, value, fragments)) in rows {
        let mut manifest = manifest.clone();
        let (parent, field) = pointer.rsplit_once('/').context("no field")?;
        let parent = manifest.pointer_mut(parent).and_then(Value::as_object_mut).context("no parent")?;
        match value {
            Value::Null => drop(parent.remove(field)),
            value => drop(parent.insert(field.to_owned(), value)),
        }
        says(what, &refusal(department.file(&manifest).await).context(what)?, fragments)?;
    }
    Ok(count)
}

/// A change and an exit of an application that does not exist, and then is not active yet, and then is.
async fn applications_that_come_later(department: &Department) -> Result<usize> {
    department.file(&department.change("early-change", "late")?).await?;
    department.file(&department.exit("early-exit", "later", json!({"default": "Retain"}))?).await?;
    let missing = ["本命名空间没有名为 late", "there is no CloudApplication late"];
    says(
        "change of nothing",
        &message(&department.judged(Kind::Change, "early-change", "ApplicationMissing").await?),
        &missing,
    )?;
    says(
        "exit of nothing",
        &message(&department.judged(Kind::Exit, "early-exit", "ApplicationMissing").await?),
        &missing,
    )?;
    for name in ["late", "later"] {
        department.file(&department.application(name)?).await?;
    }
    let inactive = ["须已开通或已上线", "it must be Provisioned or Live"];
    says(
        "change too early",
        &message(&department.judged(Kind::Change, "early-change", "ApplicationNotActive").await?),
        &inactive,
    )?;
    says(
        "exit too early",
        &message(&department.judged(Kind::Exit, "early-exit", "ApplicationNotActive").await?),
        &inactive,
    )?;
    for name in ["late", "later"] {
        department.approve(Kind::Application, name).await?;
    }
    department.judged(Kind::Change, "early-change", "Valid").await?;
    department.judged(Kind::Exit, "early-exit", "Valid").await?;
    // Both stay the department's to take away as long as nobody has decided.
    for (kind, name) in [(Kind::Change, "early-change"), (Kind::Exit, "early-exit")] {
        let api = department.api(department.applicant, kind).await?;
        api.delete(name, &DeleteParams::default()).await?;
    }
    department.phase(Kind::Application, "later", "Provisioned").await?;
    Ok(4)
}
