//! Races: what one reads and another writes meanwhile (S1, S7); and what must go through for real (S5).

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::install;
use e2e::paths::in_repository;
use e2e::suite::Context;
use e2e::wait::eventually;
use serde_json::{Value, json};

use crate::bodies::{THEN, consent, inventory, reclaim_policy, tenant_namespace};
use crate::caller::Caller::{self, *};
use crate::row::{
    Ask, Via, annotate, annotations, change, create, delete, labels, merge, overlay, status, subresource,
};
use crate::send::{Answer, Mode, Sender};
use crate::target::{APPLICATION, DIGEST, Target};
use crate::{fixtures, fixtures_of};

/// Longest time of the controllers.
const PATIENCE: Duration = Duration::from_secs(90);

const APPROVE: &str = "decision=approved reviewed-generation=1 opinion=同意";

fn renamed(name: &str) -> Value {
    json!({"spec": {"system": {"name": name}}})
}

/// The operator has checked this generation.
async fn valid(sender: &Sender, target: &'static str, generation: i64) -> Result<()> {
    let word = json!({"observedGeneration": generation, "phase": "Submitted", "conditions": [{
        "type": "Valid", "status": "True", "reason": "AsTheMeasuresAsk", "message": "staged",
        "observedGeneration": generation, "lastTransitionTime": THEN,
    }]});
    sender.execute(Operator, status(Via::Merge, target, word)).await.map(drop)
}

/// A record that waits for its decision.
async fn filed(sender: &Sender, target: &'static str) -> Result<Value> {
    let record = sender.execute(Department, create(target, json!({}))).await?;
    valid(sender, target, 1).await?;
    Ok(record)
}

async fn refused(sender: &Sender, who: Caller, ask: Ask, words: &str) -> Result<()> {
    match sender.send(who, &ask, Mode::Execute).await? {
        Answer::Refused(message) if message.contains(words) => Ok(()),
        other => anyhow::bail!("{who:?} {ask:?}: expected a refusal with {words:?}, got {other:?}"),
    }
}

/// The reviewer's generation is the one that is decided on, or nothing is.
pub async fn decision_on_a_stale_generation_is_denied(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    filed(&sender, "capp/edited").await?;
    sender.execute(Department, merge("capp/edited", renamed("读后改"))).await?;
    valid(&sender, "capp/edited", 2).await?;
    refused(&sender, Province, annotate("capp/edited", APPROVE), "add govcloud.dev/reviewed-generation=2")
        .await
}

/// Of two opposite decisions at the same moment one stands, and the other is told that it is too late.
pub async fn concurrent_decisions_count_once(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    let reject = "decision=rejected reviewed-generation=1 opinion=不同意";
    for target in ["capp/race-1", "capp/race-2", "capp/race-3", "capp/race-4", "capp/race-5", "capp/race-6"] {
        filed(&sender, target).await?;
        let yes = annotate(target, APPROVE);
        let not = annotate(target, reject);
        let (first, second) = tokio::join!(
            sender.send(Province, &yes, Mode::Execute),
            sender.send(Deputy, &not, Mode::Execute)
        );
        let (verdict, officer) = match (first?, second?) {
            (Answer::Done(_), Answer::Refused(why)) => {
                ensure!(why.contains("already approved"), "{why}");
                ("approved", Province)
            }
            (Answer::Refused(why), Answer::Done(_)) => {
                ensure!(why.contains("already rejected"), "{why}");
                ("rejected", Deputy)
            }
            both => anyhow::bail!("{target}: {both:?}"),
        };
        let record = sender.get(&Target::parse(target)?).await?;
        let annotations = &record["metadata"]["annotations"];
        ensure!(annotations["govcloud.dev/decision"] == verdict, "{annotations}");
        ensure!(annotations["govcloud.dev/decided-by"] == officer.user(), "{annotations}");
    }
    Ok(())
}

/// An approved record cannot make room for another of its name; one that may go takes the reviewer's reading with it.
pub async fn approved_record_cannot_be_replaced(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    filed(&sender, "capp/swapped").await?;
    sender.execute(Province, annotate("capp/swapped", APPROVE)).await?;
    refused(&sender, Department, delete("capp/swapped"), "to leave, file a Decommission").await?;
    refused(&sender, ClusterAdmin, delete("capp/swapped"), "to leave, file a Decommission").await?;

    // Read, then deleted and filed anew with the same generation: a decision that names the UID, as the plugin's
    // does, or the resourceVersion (`kubectl annotate --resource-version`), does not reach the new record.
    let read = filed(&sender, "capp/shifted").await?;
    sender.execute(Department, delete("capp/shifted")).await?;
    filed(&sender, "capp/shifted").await?;
    for precondition in ["uid", "resourceVersion"] {
        let mut decision = annotations(APPROVE);
        overlay(&mut decision, &json!({"metadata": {precondition: read["metadata"][precondition]}}));
        match sender.send(Province, &merge("capp/shifted", decision), Mode::Execute).await? {
            Answer::Failed(why) if why.starts_with("409") => {}
            Answer::Invalid(why) if why.contains("metadata.uid") => {}
            other => anyhow::bail!("{precondition}: {other:?}"),
        }
    }
    Ok(())
}

/// A decided record, exported and applied again, is refused with its decision and undecided without.
pub async fn decision_cannot_be_replayed_on_a_recreated_record(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    filed(&sender, "capp/replayed").await?;
    let reject = "decision=rejected reviewed-generation=1 opinion=不同意";
    sender.execute(Province, annotate("capp/replayed", reject)).await?;
    let backup = sender.get(&Target::parse("capp/replayed")?).await?;
    sender.execute(Operator, status(Via::Merge, "capp/replayed", json!({"phase": "Rejected"}))).await?;
    sender.execute(Province, delete("capp/replayed")).await?;

    let mut replay = json!({"metadata": {"annotations": backup["metadata"]["annotations"], "uid": backup["metadata"]["uid"]}});
    overlay(&mut replay, &json!({"status": backup["status"]}));
    refused(
        &sender,
        Department,
        create("capp/replayed", replay.clone()),
        "a decision cannot be set at create",
    )
    .await?;
    replay["metadata"]["annotations"] = json!({});
    let anew = sender.execute(Department, create("capp/replayed", replay)).await?;
    ensure!(anew["metadata"]["uid"] != backup["metadata"]["uid"], "the old uid came back");
    ensure!(anew["status"].is_null(), "the old status came back: {}", anew["status"]);
    refused(&sender, Province, annotate("capp/replayed", APPROVE), "condition Valid is not True").await
}

/// While the authority decides, the department changes: whichever comes first, no decision is on an unread spec.
pub async fn decision_and_concurrent_change_do_not_mix(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    for target in ["capp/mix-1", "capp/mix-2", "capp/mix-3", "capp/mix-4", "capp/mix-5", "capp/mix-6"] {
        filed(&sender, target).await?;
        let decide = annotate(target, APPROVE);
        let edit = merge(target, renamed("同时改"));
        let (decided, edited) = tokio::join!(
            sender.send(Province, &decide, Mode::Execute),
            sender.send(Department, &edit, Mode::Execute)
        );
        let decided = matches!(decided?, Answer::Done(_));
        let edited = matches!(edited?, Answer::Done(_));
        ensure!(decided != edited, "{target}: decided {decided}, edited {edited}");
        let record = sender.get(&Target::parse(target)?).await?;
        let generation = record["metadata"]["generation"].as_i64().context("no generation")?;
        ensure!(generation == if decided { 1 } else { 2 }, "{target}: generation {generation}");
    }
    Ok(())
}

/// Without MutatingAdmissionPolicy (before 1.36) clients send the stamps, and policies check them.
pub async fn without_mutating_policies_clients_stamp(_: Context) -> Result<()> {
    let cluster = Cluster::start(Setup::Bare).await?;
    let admin = cluster.kubectl(Actor::Admin);
    install::crds(&admin).await?;
    install::rbac(&admin).await?;
    let early = fixtures::bare(&cluster).await?;
    early.execute(Department, create("capp/unstamped", json!({}))).await?;
    admin.apply_path(&in_repository("config/admission/validating")).await?;
    install::wait_policies_active(&admin, &cluster.client(Actor::Admin).await?).await?;
    let sender = early;
    // Filed while there was no policy: nobody is on record, so nobody can be told from the officer.
    valid(&sender, "capp/unstamped", 1).await?;
    let approve = annotate("capp/unstamped", &format!("{APPROVE} decided-by=authority-410000"));
    refused(&sender, Province, approve, "nobody is on record as having filed this").await?;
    sender.execute(Department, delete("capp/unstamped")).await?;

    let bare = create("capp/plain", json!({}));
    refused(&sender, Department, bare, "set annotation govcloud.dev/requested-by=department").await?;
    let forged = create("capp/plain", annotations("requested-by=pipeline"));
    refused(&sender, Department, forged, "set annotation govcloud.dev/requested-by=department").await?;
    sender.execute(Department, create("capp/plain", annotations("requested-by=department"))).await?;
    valid(&sender, "capp/plain", 1).await?;
    let unsigned = annotate("capp/plain", APPROVE);
    refused(&sender, Province, unsigned, "add govcloud.dev/decided-by=authority-410000").await?;
    let forged = annotate("capp/plain", &format!("{APPROVE} decided-by=deputy-410000"));
    refused(&sender, Province, forged, "add govcloud.dev/decided-by=authority-410000").await?;
    sender
        .execute(Province, annotate("capp/plain", &format!("{APPROVE} decided-by=authority-410000")))
        .await?;

    sender.execute(Department, create("decom/plain", annotations("requested-by=department"))).await?;
    let mut published = inventory(DIGEST);
    overlay(&mut published, &json!({"phase": "AwaitingConsent"}));
    sender.execute(Operator, status(Via::Merge, "decom/plain", published)).await?;
    let unsigned = merge("decom/plain", consent(DIGEST));
    refused(&sender, Department, unsigned, "add annotation govcloud.dev/consented-by=department").await?;
    let mut signed = consent(DIGEST);
    overlay(&mut signed, &annotations("consented-by=department"));
    sender.execute(Department, merge("decom/plain", signed)).await.map(drop)
}

/// A pipeline that sent the stamp itself, as before 1.36, owns it. Left out later, by server-side apply and by replacement,
/// it is kept; altered, it is refused.
pub async fn a_stamp_that_a_client_leaves_out_is_kept(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    sender.execute(Department, create("capp/owned", json!({}))).await?;
    let stamp = annotations("requested-by=department");
    let owned = sender.execute(Department, change(Via::Apply, "capp/owned", stamp)).await?;
    let managers = owned["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let owns =
        |m: &&Value| !m["fieldsV1"]["f:metadata"]["f:annotations"]["f:govcloud.dev/requested-by"].is_null();
    let owners: Vec<_> = managers.iter().filter(owns).map(|m| &m["manager"]).collect();
    ensure!(owners == ["matrix-Department"], "the pipeline is not its only owner: {owners:?}");
    for (via, without) in [
        (Via::Apply, json!({"metadata": {"labels": {"example.org/a": "b"}}})),
        (Via::Put, json!({"metadata": {"annotations": null}})),
        (Via::Merge, annotations("requested-by-")),
    ] {
        let kept = sender.execute(Department, change(via, "capp/owned", without)).await?;
        let by = &kept["metadata"]["annotations"]["govcloud.dev/requested-by"];
        ensure!(by == "department", "left out by {via:?}: {by}");
    }
    let altered = change(Via::Apply, "capp/owned", annotations("requested-by=pipeline"));
    refused(&sender, Department, altered, "keep it in what you send: govcloud.dev/requested-by=department")
        .await
}

/// An authorised exit goes through under the controllers' own identities: the namespace is emptied, one volume is
/// destroyed and the other kept.
pub async fn authorised_exit_is_allowed(context: Context) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    let namespace = "ns/dept-transport-exit-prod-0f0f0f0f";
    sender.execute(Operator, create(namespace, tenant_namespace())).await?;
    let mark = json!({"metadata": {"labels": {"govcloud.dev/application-uid": APPLICATION}}});
    let within = ["quota/granted", "limits/granted", "netpol/closed", "binding/access"];
    for target in within.map(|object| format!("{object}@dept-transport-exit-prod-0f0f0f0f")) {
        sender.execute(Operator, create(target.leak(), mark.clone())).await?;
    }
    let claims =
        ["pvc/doomed@dept-transport-exit-prod-0f0f0f0f", "pvc/kept@dept-transport-exit-prod-0f0f0f0f"];
    let mut volumes = Vec::new();
    for claim in claims {
        sender.execute(Department, create(claim, json!({}))).await?;
        let target = Target::parse(claim)?;
        let bound = || async {
            let claim = sender.get(&target).await?;
            let volume = claim["spec"]["volumeName"].as_str().filter(|_| claim["status"]["phase"] == "Bound");
            Ok(volume.map(str::to_owned))
        };
        let volume: &'static str = format!("pv/{}", eventually("bound", PATIENCE, bound).await?).leak();
        sender.execute(Operator, merge(volume, mark.clone())).await?;
        volumes.push(volume);
    }
    sender.execute(Operator, merge(volumes[0], reclaim_policy("Delete"))).await?;
    sender.execute(Operator, annotate(namespace, "reclaim=$uid")).await?;
    for claim in claims {
        sender.execute(Operator, Ask::Delete(claim, json!({"preconditions": {"uid": "$uid"}}))).await?;
    }
    sender.execute(Operator, Ask::Delete(namespace, json!({"preconditions": {"uid": "$uid"}}))).await?;
    for target in [namespace, volumes[0]] {
        let target = Target::parse(target)?;
        let gone = || async { Ok(sender.get(&target).await.is_err().then_some(())) };
        eventually("gone", PATIENCE, gone).await?;
    }
    let kept = Target::parse(volumes[1])?;
    let released = || async { Ok((sender.get(&kept).await?["status"]["phase"] == "Released").then_some(())) };
    eventually("kept", PATIENCE, released).await?;
    refused(&sender, ClusterAdmin, delete(volumes[1]), "a tenant's volume is not deleted by hand").await
}

/// A filing namespace that was deleted before its mark came, as while the operator was down, holds a decided record that nobody
/// deletes. Its authority finalizes it, makes it anew, and the record is there as it was (docs/restore.md).
pub async fn a_deleted_filing_namespace_comes_back(context: Context) -> Result<()> {
    const NAMESPACE: &str = "ns/dept-gone";
    const RECORD: &str = "capp/kept@dept-gone";
    let sender = fixtures_of(&context).await?;
    let make = || async {
        let labelled = create(NAMESPACE, labels("filing-region=410000"));
        sender.execute(Province, labelled).await.map(Some)
    };
    eventually("the namespace is made", PATIENCE, make).await?;
    // The policies see a new namespace a moment later.
    let file = || async { sender.execute(ClusterAdmin, create(RECORD, json!({}))).await.map(Some) };
    let filed = eventually("a record is filed", PATIENCE, file).await?;
    valid(&sender, RECORD, 1).await?;
    sender.execute(Province, annotate(RECORD, APPROVE)).await?;
    sender.execute(Province, delete(NAMESPACE)).await?;
    let namespace = Target::parse(NAMESPACE)?;
    let held = || async {
        let conditions = sender.get(&namespace).await?["status"]["conditions"].clone();
        let failed = |c: &Value| c["type"] == "NamespaceDeletionContentFailure" && c["status"] == "True";
        Ok(conditions.as_array().is_some_and(|c| c.iter().any(failed)).then_some(()))
    };
    eventually("the namespace cannot be emptied", PATIENCE, held).await?;
    let late = sender.send(ClusterAdmin, &create("capp/late@dept-gone", json!({})), Mode::Execute).await?;
    ensure!(matches!(&late, Answer::Failed(why) if why.contains("being terminated")), "{late:?}");

    let finalize = || async {
        let emptied = subresource(NAMESPACE, "finalize", json!({"spec": {"finalizers": []}}));
        sender.execute(Province, emptied).await.map(Some)
    };
    eventually("the namespace is finalized", PATIENCE, finalize).await?;
    eventually("the namespace is made anew", PATIENCE, make).await?;
    let back = sender.get(&Target::parse(RECORD)?).await?;
    ensure!(back["metadata"]["uid"] == filed["metadata"]["uid"], "another record: {back}");
    ensure!(back["metadata"]["annotations"]["govcloud.dev/decision"] == "approved", "{back}");
    Ok(())
}
