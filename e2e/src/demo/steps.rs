//! The life of one system, 交通出行服务平台, from its application to its last working day. It ends in [`super::exit`].

use anyhow::Result;

use super::commands::{approval, decision, generation, until};
use super::exit;
use super::inspection;
use super::runner::{Runner, by, govcloud};
use crate::actors::Actor::{Auditor, Authority410000, Authority410100, Department, PlatformAdmin, Provider};

/// Runs the whole life. Every step is checked; the first that is not as it must be ends it.
pub async fn run(runner: &mut Runner) -> Result<()> {
    runner.begin();
    tiers(runner).await?;
    application(runner).await?;
    review(runner).await?;
    provisioning(runner).await?;
    data(runner).await?;
    going_live(runner).await?;
    change(runner).await?;
    maintenance(runner).await?;
    inspection::run(runner).await?;
    exit::run(runner).await?;
    runner.finish();
    Ok(())
}

async fn tiers(runner: &mut Runner) -> Result<()> {
    runner.section("两级政务云", "Two tiers");
    runner.explain(
        "省、市各有一级政务云，各由本级主管部门审核（第四条、第五条）。",
        "Province and city each have a tier of the cloud, and an authority that decides for its own tier only.",
    );
    runner.run(&by(Auditor, "wait region --all --for=condition=Ready --timeout=60s")).await?;
    runner.expect_output(&by(Auditor, "get regions"), "河南省大数据局").await?;
    runner
        .expect_output(&by(Authority410000, "auth can-i approve regions.govcloud.dev/410000 -A"), "yes")
        .await?;
    let city =
        format!("{} || true", by(Authority410100, "auth can-i approve regions.govcloud.dev/410000 -A"));
    runner.expect_output(&city, "no").await
}

async fn application(runner: &mut Runner) -> Result<()> {
    runner.section("申请", "Application");
    runner
        .explain("涉密信息系统不得上云（第三条）。", "A classified system may not enter the cloud (Art. 3).");
    let classified = "sed 's/NonClassified/Classified/' config/samples/travel.yaml | ";
    let apply = by(Department, "apply -n dept-transport -f -");
    runner.expect_refusal(&format!("{classified}{apply}"), "涉密信息系统不得上政务云（第三条）").await?;
    runner.explain(
        "非涉密的可以：附项目批复文件和上云技术方案（第十一条）。",
        "Others may, with the two documents that Article 11 asks for.",
    );
    runner.run(&by(Department, "apply -n dept-transport -f config/samples/travel.yaml")).await?;
    let valid = "wait -n dept-transport capp/travel --for=condition=Valid --timeout=60s";
    runner.run(&by(Department, valid)).await?;
    runner.expect_output(&by(Authority410000, "get -n dept-transport capp"), "Authority").await
}

async fn review(runner: &mut Runner) -> Result<()> {
    runner.section("审核", "Review");
    runner.explain(
        "主管部门看待办，调阅申请。",
        "The authority looks at what waits on it, and reads the application.",
    );
    for queue in govcloud(Authority410000, "queue") {
        runner.expect_output(&queue, "travel").await?;
    }
    for show in govcloud(Authority410000, "show capp/travel") {
        runner.expect_output(&show, "豫发改高技〔2026〕12号").await?;
    }
    runner.capture("GENERATION", &by(Authority410000, &generation("capp/travel"))).await?;
    runner.explain(
        "申请人自己、市级主管部门、服务商的集群管理员都不能批。",
        "Not the applicant, not the city's authority, not the provider's cluster-admin may approve.",
    );
    let approve = approval("capp/travel");
    for (actor, because) in [
        (Department, "you lack verb approve on regions.govcloud.dev/410000"),
        (Authority410100, "User \"authority-410100\" cannot get resource \"cloudapplications\""),
        (PlatformAdmin, "通配权限不算审核权"),
    ] {
        runner.expect_refusal(&by(actor, &approve), because).await?;
    }
    runner.explain(
        "省大数据局先退回补正，须说明意见（第十二条）；部门补正后再审。",
        "The province's authority returns it once, with its opinion (Art. 12); the department corrects it.",
    );
    let opinion = "请补充容灾设计";
    runner.run(&by(Authority410000, &decision("capp/travel", "returned", opinion))).await?;
    runner.run(&by(Department, &until("capp/travel", "phase", "Returned"))).await?;
    let correction =
        "patch -n dept-transport capp/travel --type=merge --patch-file config/samples/travel-correction.yaml";
    runner.run(&by(Department, correction)).await?;
    runner.run(&by(Department, &until("capp/travel", "phase", "Submitted"))).await?;
    runner.explain(
        "审核意见只对看过的那一版有效：旧版号被拒，新版通过。",
        "A decision counts for the generation that was read: the old number is refused, the new one accepted.",
    );
    runner.expect_refusal(&by(Authority410000, &approve), "add govcloud.dev/reviewed-generation=2").await?;
    runner.capture("GENERATION", &by(Authority410000, &generation("capp/travel"))).await?;
    runner.run(&by(Authority410000, &approve)).await.map(drop)
}

async fn provisioning(runner: &mut Runner) -> Result<()> {
    runner.section("开通", "Provisioning");
    runner.explain(
        "通知后 3 个工作日内开通（第十三条）；这里由控制器当场开通。",
        "Within 3 working days of the notice (Art. 13); here the operator does it at once.",
    );
    runner.run(&by(Department, &until("capp/travel", "phase", "Provisioned"))).await?;
    runner.expect_output(&by(Department, "get -n dept-transport capp"), "GoLive").await?;
    let clocks = concat!(
        r#"get -n dept-transport capp/travel -o jsonpath='{"CLOCK\tWORKING-DAYS\tPARTY\tDUE\tMET\n"}"#,
        r#"{range .status.deadlines[*]}{.obligation}{"\t"}{.workingDays}{"\t"}{.party}{"\t"}{.dueDate}{"\t"}{.metAt}{"\n"}{end}'"#
    );
    runner.expect_output(&by(Department, clocks), "Provision").await?;
    let namespace = "get -n dept-transport capp/travel -o jsonpath='{.status.namespaces[0].namespace}'";
    runner.capture("TENANT", &by(Department, namespace)).await?;
    let quota = "get -n $TENANT resourcequota govcloud -o jsonpath='{.spec.hard}'";
    runner.expect_output(&by(Department, quota), r#""requests.cpu":"8""#).await?;
    let rest = "get -n $TENANT limitrange,networkpolicy,rolebinding -o name";
    runner.expect_output(&by(Auditor, rest), "govcloud-default-deny").await
}

async fn data(runner: &mut Runner) -> Result<()> {
    runner.section("数据", "Data");
    runner.explain(
        "部门申请两个数据卷，并写入真实数据。",
        "The department claims two volumes, and real data is written into both.",
    );
    runner.run(&by(Department, "apply -n $TENANT -f config/samples/travel-volumes.yaml")).await?;
    let bound = "wait -n $TENANT pvc/data pvc/archive --for=jsonpath='{.status.phase}'=Bound --timeout=60s";
    runner.run(&by(Department, bound)).await?;
    for (variable, claim) in [("DATA", "data"), ("ARCHIVE", "archive")] {
        let path = format!(
            "get pv -o jsonpath='{{.items[?(@.spec.claimRef.name==\"{claim}\")].spec.hostPath.path}}'"
        );
        runner.capture(variable, &by(PlatformAdmin, &path)).await?;
        runner.run(&format!("echo '{claim} G3001 郑州东至洛阳龙门' > ${variable}/trips.txt")).await?;
    }
    runner.run("ls -l $DATA $ARCHIVE").await.map(drop)
}

async fn going_live(runner: &mut Runner) -> Result<()> {
    runner.section("上线", "Going live");
    runner.explain(
        "30 个工作日内上线，再 5 个工作日内报送测试情况（第十四条）。",
        "Live within 30 working days, and the test report within 5 more (Art. 14).",
    );
    let live = r#"patch -n dept-transport capp/travel --type=merge -p '{"spec":{"goLive":{"at":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'"}}}'"#;
    runner.run(&by(Department, live)).await?;
    runner.run(&by(Department, &until("capp/travel", "waitingFor", "GoLiveReport"))).await?;
    let report =
        "patch -n dept-transport capp/travel --type=merge --patch-file config/samples/travel-report.yaml";
    runner.run(&by(Department, report)).await?;
    runner.run(&by(Department, &until("capp/travel", "waitingOn", "None"))).await?;
    runner.expect_output(&by(Department, "get -n dept-transport capp"), "Live").await
}

async fn change(runner: &mut Runner) -> Result<()> {
    runner.section("变更", "Change");
    runner.explain("扩容走同一道门（第十五条）。", "More resources pass the same gate (Art. 15).");
    runner.run(&by(Department, "apply -n dept-transport -f config/samples/travel-enlarge.yaml")).await?;
    let valid = "wait -n dept-transport chreq/travel-enlarge --for=condition=Valid --timeout=60s";
    runner.run(&by(Authority410000, valid)).await?;
    runner.capture("GENERATION", &by(Authority410000, &generation("chreq/travel-enlarge"))).await?;
    runner.run(&by(Authority410000, &approval("chreq/travel-enlarge"))).await?;
    runner.run(&by(Department, &until("chreq/travel-enlarge", "phase", "Completed"))).await?;
    let cpu = r#"get -n $TENANT resourcequota govcloud -o jsonpath='{.spec.hard.requests\.cpu}'"#;
    runner.expect_output(&by(Department, cpu), "16").await
}

async fn maintenance(runner: &mut Runner) -> Result<()> {
    runner.section("平台调整", "Maintenance");
    runner.explain(
        "服务提供方的调整方案也须先报审，并提前告知使用部门（第十八条）。",
        "The provider's own changes need approval too, ahead of time (Art. 18).",
    );
    runner.capture("DAY", "date -u -d '+30 days' +%F 2>/dev/null || date -u -v+30d +%F").await?;
    let dated = "sed \"s/2026-12-12/$DAY/g\" config/samples/maintenance.yaml | ";
    runner.run(&format!("{dated}{}", by(Provider, "apply -n provider-maintenance -f -"))).await?;
    let record = "-n provider-maintenance chreq/storage-upgrade";
    let valid = format!("wait {record} --for=condition=Valid --timeout=60s");
    runner.run(&by(Authority410000, &valid)).await?;
    let approve =
        "govcloud.dev/decision=approved govcloud.dev/reviewed-generation=1 govcloud.dev/opinion=同意";
    runner.run(&by(Authority410000, &format!("annotate {record} {approve}"))).await?;
    let scheduled = format!("wait {record} --for=jsonpath='{{.status.phase}}'=Scheduled --timeout=60s");
    runner.run(&by(Provider, &scheduled)).await?;
    runner.expect_output(&by(Provider, "get -n provider-maintenance chreq"), "Maintenance").await?;
    runner.explain(
        "受影响的使用部门在自己的命名空间里得到告知，服务提供方不必另行通知。",
        "The department that is affected is told in its own namespace; nobody has to pass it on.",
    );
    let told = "wait -n dept-transport capp/travel --for=condition=MaintenanceScheduled --timeout=60s";
    runner.run(&by(Department, told)).await?;
    let notice = r#"get -n dept-transport capp/travel -o jsonpath='{.status.conditions[?(@.type=="MaintenanceScheduled")].message}'"#;
    runner.expect_output(&by(Department, notice), "provider-maintenance/storage-upgrade").await?;
    let events = "get -n dept-transport events --field-selector reason=MaintenanceScheduled -o custom-columns=RECORD:.involvedObject.name,REASON:.reason,MESSAGE:.message";
    runner.expect_output(&by(Department, events), "storage-upgrade").await
}
