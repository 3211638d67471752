//! The life of one system, 交通出行服务平台, from application to exit.

use std::path::Path;

use anyhow::Result;

use super::stage::{Stage, by};
use crate::personas::Persona::{Authority410000, Authority410100, Department, PlatformAdmin, Provider};

/// Approves the named record at the generation that was captured last.
fn approval(record: &str) -> String {
    format!(
        "annotate -n dept-transport {record} govcloud.dev/decision=approved \
         govcloud.dev/reviewed-generation=$GENERATION govcloud.dev/opinion=同意"
    )
}

/// Waits until the named record is in `phase`.
fn phase(record: &str, phase: &str) -> String {
    format!("wait -n dept-transport {record} --for=jsonpath='{{.status.phase}}'={phase} --timeout=90s")
}

const GENERATION: &str = "-o jsonpath='{.metadata.generation}'";

/// Plays the whole life. Every step is checked; the first that is not as it must be ends it.
pub async fn play(stage: &mut Stage) -> Result<()> {
    stage.open();
    regions(stage).await?;
    application(stage).await?;
    provisioning(stage).await?;
    going_live(stage).await?;
    change(stage).await?;
    shortcuts(stage).await?;
    exit(stage).await?;
    proof(stage).await?;
    stage.close();
    Ok(())
}

async fn regions(stage: &mut Stage) -> Result<()> {
    stage.act("区域", "Regions");
    stage.say(
        "省、市主管部门各自登记本级政务云(第四条、第五条)。",
        "The authorities of province and city each register their tier of the cloud.",
    );
    stage.run(&by(Authority410000, "apply -f config/samples/region-410000.yaml")).await?;
    stage.run(&by(Authority410100, "apply -f config/samples/region-410100.yaml")).await?;
    stage.run(&by(Authority410000, "wait region 410000 410100 --for=condition=Ready --timeout=60s")).await?;
    stage.run(&by(Authority410000, "get regions")).await.map(drop)
}

async fn application(stage: &mut Stage) -> Result<()> {
    stage.act("申请与审批", "Application and decision");
    stage.say(
        "使用部门提交申请,附项目批复和技术方案(第十一条)。",
        "The department files its application with the two documents that Article 11 asks for.",
    );
    stage.run(&by(Department, "apply -n dept-transport -f config/samples/travel.yaml")).await?;
    let valid = "wait -n dept-transport capp/travel --for=condition=Valid --timeout=60s";
    stage.run(&by(Department, valid)).await?;
    stage.run(&by(Department, "get -n dept-transport capp")).await?;
    stage
        .capture(
            "GENERATION",
            &by(Authority410000, &format!("get -n dept-transport capp/travel {GENERATION}")),
        )
        .await?;
    stage.say(
        "只有省级主管部门可以批:申请人、市级主管部门、服务商的集群管理员都不行。",
        "Only the province's authority decides: not the applicant, not the city, not the provider's cluster-admin.",
    );
    for persona in [Department, Authority410100, PlatformAdmin] {
        stage.refused(&by(persona, &approval("capp/travel")), "govcloud").await?;
    }
    stage.run(&by(Authority410000, &approval("capp/travel"))).await.map(drop)
}

async fn provisioning(stage: &mut Stage) -> Result<()> {
    stage.act("资源开通", "Provisioning");
    stage.say(
        "批准后三个工作日内开通(第十三条);这里由控制器当场完成。",
        "Within three working days of approval (Art. 13); the operator does it at once.",
    );
    stage.run(&by(Provider, &phase("capp/travel", "Provisioned"))).await?;
    let namespace = "get -n dept-transport capp/travel -o jsonpath='{.status.namespaces[0].namespace}'";
    stage.capture("TENANT", &by(Department, namespace)).await?;
    stage.run(&by(Department, "get -n $TENANT resourcequota,limitrange,networkpolicy,rolebinding")).await?;
    stage.say(
        "部门在自己的空间里申请两个数据卷,并写入真实数据。",
        "The department claims two volumes in its namespace, and real data is written into both.",
    );
    stage.run(&by(Department, "apply -n $TENANT -f config/samples/travel-volumes.yaml")).await?;
    let bound = "wait -n $TENANT pvc/data pvc/archive --for=jsonpath='{.status.phase}'=Bound --timeout=60s";
    stage.run(&by(Department, bound)).await?;
    for (variable, claim) in [("DATA", "data"), ("ARCHIVE", "archive")] {
        let volume = format!(
            "get pv -o jsonpath='{{.items[?(@.spec.claimRef.name==\"{claim}\")].spec.hostPath.path}}'"
        );
        stage.capture(variable, &by(Provider, &volume)).await?;
        stage.run(&format!("echo '2026-03-20,G3001,郑州东,洛阳龙门' > ${variable}/trips.csv")).await?;
    }
    Ok(())
}

async fn going_live(stage: &mut Stage) -> Result<()> {
    stage.act("上线", "Going live");
    stage.say(
        "三十个工作日内上线,五个工作日内报测试情况(第十四条)。",
        "Live within thirty working days, and the test report within five more (Art. 14).",
    );
    let live = r#"patch -n dept-transport capp/travel --type=merge -p '{"spec":{"goLive":{"at":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'"}}}'"#;
    stage.run(&by(Department, live)).await?;
    stage.run(&by(Department, &phase("capp/travel", "Live"))).await?;
    stage
        .run(&by(
            Department,
            "patch -n dept-transport capp/travel --type=merge --patch-file config/samples/travel-report.yaml",
        ))
        .await?;
    stage.run(&by(Department, "get -n dept-transport capp")).await.map(drop)
}

async fn change(stage: &mut Stage) -> Result<()> {
    stage.act("资源变更", "Change");
    stage.say(
        "扩容同样先申请、后审批、再实施(第十五条)。",
        "More resources go through the same gate (Art. 15).",
    );
    stage.run(&by(Department, "apply -n dept-transport -f config/samples/travel-enlarge.yaml")).await?;
    let valid = "wait -n dept-transport chreq/travel-enlarge --for=condition=Valid --timeout=60s";
    stage.run(&by(Department, valid)).await?;
    let generation = format!("get -n dept-transport chreq/travel-enlarge {GENERATION}");
    stage.capture("GENERATION", &by(Authority410000, &generation)).await?;
    stage.run(&by(Authority410000, &approval("chreq/travel-enlarge"))).await?;
    stage.run(&by(Department, &phase("chreq/travel-enlarge", "Completed"))).await?;
    let quota = "get -n $TENANT resourcequota -o jsonpath='{.items[*].spec.hard.requests\\.cpu}'";
    stage.shows(&by(Department, quota), "16").await
}

async fn shortcuts(stage: &mut Stage) -> Result<()> {
    stage.act("没有捷径", "No shortcuts");
    stage.say(
        "没有经批准的退出申请,服务商的集群管理员也删不掉部门的空间和数据(第二十三条)。",
        "Without an approved exit, not even the provider's cluster-admin can remove the namespace or its data.",
    );
    stage.refused(&by(PlatformAdmin, "delete namespace $TENANT --wait=false"), "govcloud").await?;
    stage.refused(&by(PlatformAdmin, "delete -n dept-transport capp/travel --wait=false"), "govcloud").await
}

async fn exit(stage: &mut Stage) -> Result<()> {
    stage.act("退出", "Exit");
    stage.say(
        "部门申请退出:数据卷 data 销毁,archive 保留(第十六条、第二十三条)。",
        "The department asks to leave: volume data is to be destroyed, archive is to be kept.",
    );
    stage.run(&by(Department, "apply -n dept-transport -f config/samples/travel-exit.yaml")).await?;
    stage.run(&by(Department, &phase("decom/travel-exit", "AwaitingConsent"))).await?;
    let digest = "get -n dept-transport decom/travel-exit -o jsonpath='{.status.inventory.digest}'";
    stage.capture("INVENTORY", &by(Department, digest)).await?;
    let generation = by(Authority410000, &format!("get -n dept-transport decom/travel-exit {GENERATION}"));
    stage.capture("GENERATION", &generation).await?;
    stage.say(
        "部门没有对这份清单表示同意之前,主管部门不能批准。",
        "Before the department consents to exactly this inventory, the authority cannot approve.",
    );
    stage.refused(&by(Authority410000, &approval("decom/travel-exit")), "govcloud").await?;
    let consent = r#"patch -n dept-transport decom/travel-exit --type=merge -p '{"spec":{"consent":{"inventoryDigest":"'$INVENTORY'"}}}'"#;
    stage.run(&by(Department, consent)).await?;
    stage.run(&by(Authority410000, &phase("decom/travel-exit", "AwaitingDecision"))).await?;
    stage.capture("GENERATION", &generation).await?;
    stage.run(&by(Authority410000, &approval("decom/travel-exit"))).await?;
    stage.run(&by(Department, &phase("decom/travel-exit", "Completed"))).await?;
    stage.run(&by(Department, &phase("capp/travel", "Exited"))).await.map(drop)
}

async fn proof(stage: &mut Stage) -> Result<()> {
    stage.act("凭证", "Proof");
    stage.say("全过程记录在案。", "The whole life is on the record.");
    let timeline = concat!(
        r#"get -n dept-transport capp/travel -o jsonpath='{range .status.timeline[*]}{.at}{"\t"}{.event}{"\t"}"#,
        r#"{.actor}{"\t"}{.message}{"\n"}{end}'"#
    );
    stage.run(&by(Department, timeline)).await?;
    stage.say("销毁与保留的凭证。", "The certificate of what was destroyed and what was kept.");
    let certificate = "get -n dept-transport decom/travel-exit -o jsonpath='{.status.certificate}'";
    stage.shows(&by(Department, certificate), "sha256:").await?;
    stage.say("再看磁盘本身。", "And the disk itself.");
    let directory = stage.run("echo $DATA").await?;
    stage.verify(
        "销毁卷的目录已不存在 · the destroyed volume's directory is gone",
        !Path::new(&directory).exists(),
    )?;
    stage.shows("cat $ARCHIVE/trips.csv", "洛阳龙门").await
}
