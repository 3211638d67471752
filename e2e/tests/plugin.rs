//! `kubectl govcloud` on a real control plane, with the policies in force and the operator at work: queue, show,
//! decisions and their refusals, and whether the gate stands.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::{Cluster, Setup};
use e2e::paths::in_repository;
use e2e::suite::{self, Context};
use e2e::wait::eventually;
use serde_json::Value;
use tokio::sync::OnceCell;

#[path = "plugin/command.rs"]
mod command;
#[path = "plugin/decisions.rs"]
mod decisions;
#[path = "plugin/unstamped.rs"]
mod unstamped;
#[path = "plugin/verify.rs"]
mod verify;
#[path = "plugin/withdrawal.rs"]
mod withdrawal;

use command::{CommandOutput, on_terminal};
use decisions::{
    a_long_finding_is_cut_in_one_line, approval_over_an_invalid_decision_is_refused,
    consent_without_the_right_is_refused,
};
use unstamped::without_mutating_policies_clients_send_the_stamps;
use verify::{s7_decision_that_is_stored_otherwise_is_reported, verify_names_altered_policies};
use withdrawal::{
    an_approved_application_that_is_never_provisioned_is_withdrawn, department_withdraws_its_record,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let tests = e2e::tests![
        queue_lists_records_by_waiting_party,
        completion_offers_what_the_caller_may_list,
        dry_run_submits_nothing,
        show_prints_the_lifecycle,
        approval_covers_the_shown_generation,
        denial_for_another_region_is_explained,
        caller_without_rights_is_told_the_authority,
        return_without_opinion_is_a_usage_error,
        decision_needs_confirmation,
        change_after_display_is_not_decided,
        decided_record_is_reported_as_decided,
        department_withdraws_its_record,
        an_approved_application_that_is_never_provisioned_is_withdrawn,
        rendered_work_order_equals_the_grant,
        verify_names_altered_policies,
        a_long_finding_is_cut_in_one_line,
        approval_over_an_invalid_decision_is_refused,
        consent_without_the_right_is_refused,
        without_mutating_policies_clients_send_the_stamps,
        s7_decision_that_is_stored_otherwise_is_reported,
    ];
    suite::main(Setup::Operating, tests)
}

async fn govcloud(context: &Context, actor: Actor, line: &str) -> Result<CommandOutput> {
    command::govcloud(&context.cluster, actor, line).await
}

/// Everything that the measures need beside the project itself: regions, verbs, people.
async fn prerequisites(cluster: &Cluster) -> Result<()> {
    let admin = cluster.kubectl(Actor::Admin);
    for file in ["region-410000.yaml", "region-410100.yaml", "rbac", "personas.yaml"] {
        admin.apply_path(&in_repository("config/samples").join(file)).await?;
    }
    Ok(())
}

/// Set up once for all tests.
async fn set_up(context: &Context) -> Result<()> {
    static SET_UP: OnceCell<()> = OnceCell::const_new();
    SET_UP.get_or_try_init(|| prerequisites(&context.cluster)).await.copied()
}

/// A filing namespace of the province in which the actors have their roles, the city's authority included: what
/// refuses it is the gate, and not a missing role.
async fn filing(context: &Context) -> Result<String> {
    set_up(context).await?;
    let namespace = context.filing_namespace("plugin", "410000").await?;
    let bind = |role: &str, group: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: \"{}\", namespace: {namespace}}}, \
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: \"govcloud:{role}\"}}, \
             subjects: [{{kind: Group, name: \"{group}\", apiGroup: rbac.authorization.k8s.io}}]}}\n---\n",
            group.replace(':', "-")
        )
    };
    let bindings: String = [
        ("department", "govcloud:department:transport"),
        ("authority", "govcloud:authority:410000"),
        ("authority", "govcloud:authority:410100"),
        ("provider", "govcloud:provider"),
    ]
    .map(|(role, group)| bind(role, group))
    .concat();
    context.cluster.kubectl(Actor::Admin).apply(&bindings).await?;
    Ok(namespace)
}

/// The sample application, filed and found in order by the operator.
async fn filed(context: &Context) -> Result<String> {
    let namespace = filing(context).await?;
    let sample = in_repository("config/samples/travel.yaml").display().to_string();
    let department = context.cluster.kubectl(Actor::Department);
    department.run(&["apply", "-n", &namespace, "-f", &sample]).await?;
    until(context, &namespace, "phase", "Submitted").await?;
    Ok(namespace)
}

async fn until(context: &Context, namespace: &str, field: &str, value: &str) -> Result<()> {
    let admin = context.cluster.kubectl(Actor::Admin);
    let path = format!("jsonpath={{.status.{field}}}");
    let there = || async {
        let now = admin.run(&["get", "capp", "travel", "-n", namespace, "-o", &path]).await?;
        ensure!(now == value, "{field} is {now:?}");
        Ok(Some(()))
    };
    eventually(&format!("{field} is {value}"), PATIENCE, there).await
}

async fn queue_lists_records_by_waiting_party(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let ask = format!("queue -n {namespace}");
    let waits = ["capp/travel", "交通出行服务平台", "Submitted", "decision"];
    govcloud(&context, Actor::Authority410000, &ask).await?.expect(0, &waits)?;
    govcloud(&context, Actor::Provider, &ask).await?.expect(0, &["nothing to do for provider 410000"])?;
    govcloud(&context, Actor::Authority410100, &ask)
        .await?
        .expect(0, &["neither department, authority nor provider"])?;
    govcloud(&context, Actor::PlatformAdmin, &ask).await?.expect(0, &["wildcard rights do not count"])?;
    govcloud(&context, Actor::PlatformAdmin, &format!("{ask} --party all")).await?.expect(0, &waits)?;
    let json = govcloud(&context, Actor::Authority410000, &format!("{ask} -o json")).await?.expect(0, &[])?;
    let items: Value = serde_json::from_str(&json.out)?;
    ensure!(items[0]["waitingOn"] == "Authority" && items[0]["record"] == "capp/travel", "{items}");

    // Without -n: every filing namespace of the Regions that the caller decides for, though it may list no namespaces.
    let inbox = || async {
        let said = govcloud(&context, Actor::Authority410000, "queue").await?;
        said.expect(0, &["capp/travel", &namespace, "decision"]).map(Some)
    };
    eventually("the inbox has the record", PATIENCE, inbox).await?;
    govcloud(&context, Actor::Authority410100, "queue")
        .await?
        .expect(0, &["nothing to do for authority 410100 in the filing namespaces of region 410100"])?;

    govcloud(&context, Actor::Authority410000, "queue -A")
        .await?
        .expect(1, &["in all namespaces", "next: name a namespace"])?;
    // As with kubectl, -A counts whatever -n says.
    let all =
        govcloud(&context, Actor::Auditor, &format!("queue -n {namespace}-none -A --party all")).await?;
    all.expect(0, &waits).map(drop)
}

/// Names of records for whoever may list them; nothing, and no error, for others.
async fn completion_offers_what_the_caller_may_list(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let offered = async |actor, line: &str| {
        let said = govcloud(&context, actor, &format!("__complete -- --lang en {line}")).await?;
        Ok::<_, anyhow::Error>(said.expect(0, &[])?.out)
    };
    let decide = format!("-n {namespace} approve capp/");
    let named = "capp/travel\tSubmitted  交通出行服务平台\n";
    let shown = offered(Actor::Authority410000, &decide).await?;
    ensure!(shown.contains(named) && shown.ends_with(":4\n"), "{shown}");
    ensure!(offered(Actor::OtherDepartment, &decide).await? == ":4\n", "nothing to choose from");
    let region = offered(Actor::Department, "calendar show --region 4101").await?;
    ensure!(region.contains("410100\tZhengzhou\n"), "{region}");
    let spaces = offered(Actor::PlatformAdmin, &format!("queue -n {namespace}")).await?;
    ensure!(spaces.contains(&format!("{namespace}\n")), "{spaces}");
    Ok(())
}

/// The API server checks the decision, nobody is asked, and the record has none.
async fn dry_run_submits_nothing(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let checked = ["Opinion: 同意上云", "the API server accepts the request; nothing was submitted"];
    let line = format!("approve capp/travel -n {namespace} --opinion 同意上云 --dry-run");
    govcloud(&context, Actor::Authority410000, &line).await?.expect(0, &checked)?;
    let refused = ["you lack verb approve on regions.govcloud.dev/410000"];
    govcloud(&context, Actor::Authority410100, &line).await?.expect(1, &refused)?;
    let withdraw = format!("withdraw capp/travel -n {namespace} --dry-run=server");
    govcloud(&context, Actor::Department, &withdraw).await?.expect(0, &["nothing was submitted"])?;
    let admin = context.cluster.kubectl(Actor::Admin);
    let annotations = admin
        .run(&["get", "capp", "travel", "-n", &namespace, "-o", "jsonpath={.metadata.annotations}"])
        .await?;
    ensure!(!annotations.contains("decision") && !annotations.contains("withdraw"), "{annotations}");
    Ok(())
}

async fn show_prints_the_lifecycle(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let parts = [
        "交通出行服务平台",
        "Henan",
        "豫发改高技〔2026〕12号",
        "sha256 9deb65b8",
        "requests.cpu 8",
        "waiting for the authority: decision",
        "Art. 11",
    ];
    govcloud(&context, Actor::Department, &format!("show capp/travel -n {namespace}"))
        .await?
        .expect(0, &parts)?;
    govcloud(&context, Actor::Department, &format!("show capp/travel -n {namespace} --lang zh"))
        .await?
        .expect(0, &["等待主管部门：审核", "第十一条"])?;
    govcloud(&context, Actor::Department, &format!("show capp/none -n {namespace}"))
        .await?
        .expect(1, &["there is no capp/none"])?;
    govcloud(&context, Actor::Department, &format!("certificate capp/travel -n {namespace}"))
        .await?
        .expect(2, &["is not a Decommission", "It has none in this namespace"])?;
    govcloud(&context, Actor::Department, &format!("show travel -n {namespace}"))
        .await?
        .expect(2, &["is not KIND/NAME"])?;
    govcloud(&context, Actor::OtherDepartment, &format!("show capp/travel -n {namespace}"))
        .await?
        .expect(1, &["you may not get cloudapplications"])?;
    Ok(())
}

async fn approval_covers_the_shown_generation(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let said = on_terminal(
        &context,
        Actor::Authority410000,
        &format!("approve capp/travel -n {namespace} --opinion 同意上云"),
        async { Ok(()) },
        "y",
    )
    .await?;
    said.expect(
        0,
        &["Technical plan", "requests.cpu 8", "sha256:", "generation 1: approved by authority-410000"],
    )?;
    until(&context, &namespace, "decision.verdict", "Approved").await?;
    until(&context, &namespace, "decision.by", Actor::Authority410000.user()).await?;
    until(&context, &namespace, "decision.opinion", "同意上云").await
}

async fn denial_for_another_region_is_explained(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let said =
        govcloud(&context, Actor::Authority410100, &format!("approve capp/travel -n {namespace} --yes"))
            .await?;
    said.expect(
        1,
        &[
            "you lack verb approve on regions.govcloud.dev/410000",
            "next: the authority of region 410000 (河南省大数据局) decides",
        ],
    )?;
    until(&context, &namespace, "decision.verdict", "").await
}

async fn caller_without_rights_is_told_the_authority(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let approve = format!("approve capp/travel -n {namespace} --yes");
    let decides = "next: the authority of region 410000 (河南省大数据局) decides";
    govcloud(&context, Actor::Department, &approve).await?.expect(1, &["you lack verb approve", decides])?;
    govcloud(&context, Actor::Provider, &approve)
        .await?
        .expect(1, &["you may not patch cloudapplications", decides])?;
    let wildcard = "use an account that holds approve on regions.govcloud.dev/410000 by name";
    govcloud(&context, Actor::PlatformAdmin, &approve)
        .await?
        .expect(1, &["must be granted by name", wildcard])?;
    until(&context, &namespace, "decision.verdict", "").await
}

async fn return_without_opinion_is_a_usage_error(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    for verb in ["return", "reject"] {
        let said =
            govcloud(&context, Actor::Authority410000, &format!("{verb} capp/travel -n {namespace} --yes"))
                .await?;
        said.expect(2, &["requires an opinion (Art. 12): --opinion"])?;
    }
    let said = govcloud(
        &context,
        Actor::Authority410000,
        &format!("return capp/travel -n {namespace} --yes --opinion 缺少附件"),
    )
    .await?;
    said.expect(0, &["generation 1: returned for correction"])?;
    until(&context, &namespace, "phase", "Returned").await
}

async fn decision_needs_confirmation(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let approve = format!("approve capp/travel -n {namespace}");
    govcloud(&context, Actor::Authority410000, &approve).await?.expect(2, &["add --yes"])?;
    let said = on_terminal(&context, Actor::Authority410000, &approve, async { Ok(()) }, "").await?;
    said.expect(1, &["nothing was changed"])?;
    let admin = context.cluster.kubectl(Actor::Admin);
    let annotations = admin
        .run(&["get", "capp", "travel", "-n", &namespace, "-o", "jsonpath={.metadata.annotations}"])
        .await?;
    ensure!(!annotations.contains("govcloud.dev/decision"), "{annotations}");
    Ok(())
}

async fn change_after_display_is_not_decided(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let department = context.cluster.kubectl(Actor::Department);
    let enlarge = async {
        let patch = r#"{"spec":{"namespaces":[{"name":"prod","quota":{"requests.cpu":"800"}}]}}"#;
        department
            .run(&["patch", "capp", "travel", "-n", &namespace, "--type=merge", "-p", patch])
            .await
            .map(drop)
    };
    let approve = format!("approve capp/travel -n {namespace}");
    let said = on_terminal(&context, Actor::Authority410000, &approve, enlarge, "y").await?;
    said.expect(
        1,
        &["requests.cpu 8", "the record changed since it was shown (spec, 1 → 2); nothing was submitted"],
    )?;
    // Nor is it by a script that read generation 1 a while ago.
    let said = govcloud(&context, Actor::Authority410000, &format!("{approve} --generation 1 --yes")).await?;
    said.expect(1, &["you reviewed generation 1, but the record has generation 2; nothing was submitted"])?;
    until(&context, &namespace, "decision.verdict", "").await
}

async fn decided_record_is_reported_as_decided(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let approve = format!("approve capp/travel -n {namespace} --yes");
    govcloud(&context, Actor::Authority410000, &approve).await?.expect(0, &[])?;
    // Until the record rests: what moves while it is shown is refused for that, before anything else.
    until(&context, &namespace, "phase", "Provisioned").await?;
    let reject = format!("reject capp/travel -n {namespace} --yes --opinion 不同意");
    govcloud(&context, Actor::Authority410000, &reject)
        .await?
        .expect(1, &["refused: already approved", "next: a decision exists already"])?;
    govcloud(&context, Actor::Authority410000, &format!("clear-void capp/travel -n {namespace} --yes"))
        .await?
        .expect(1, &["has no invalid decision"])?;
    govcloud(&context, Actor::Authority410000, &format!("approve grant/travel -n {namespace} --yes"))
        .await?
        .expect(2, &["is not decided by the authority"])?;
    Ok(())
}

async fn rendered_work_order_equals_the_grant(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let render = format!("grant render travel -n {namespace} -o json");
    govcloud(&context, Actor::Provider, &render).await?.expect(1, &["is not approved"])?;
    govcloud(&context, Actor::Authority410000, &format!("approve capp/travel -n {namespace} --yes"))
        .await?
        .expect(0, &[])?;
    until(&context, &namespace, "phase", "Provisioned").await?;
    let rendered: Value =
        serde_json::from_str(&govcloud(&context, Actor::Provider, &render).await?.expect(0, &[])?.out)?;
    let granted = context
        .cluster
        .kubectl(Actor::Provider)
        .run(&["get", "grant", "travel", "-n", &namespace, "-o", "json"])
        .await?;
    let granted: Value = serde_json::from_str(&granted)?;
    ensure!(rendered["spec"] == granted["spec"], "{rendered}\nis not\n{granted}");
    Ok(())
}
