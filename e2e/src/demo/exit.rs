//! Exit and its proof: nothing is deleted without the department's consent, and the deletion is certified.

use std::path::Path;

use anyhow::Result;

use super::commands::{approval, generation, until};
use super::runner::{Runner, by, govcloud};
use crate::actors::Actor::{Auditor, Authority410000, Department, PlatformAdmin};

/// Plays the exit and its proof.
pub async fn run(runner: &mut Runner) -> Result<()> {
    shortcuts(runner).await?;
    inventory(runner).await?;
    consent(runner).await?;
    reclaim(runner).await?;
    records(runner).await?;
    disk(runner).await
}

async fn shortcuts(runner: &mut Runner) -> Result<()> {
    runner.section("没有捷径", "No shortcuts");
    runner.explain(
        "未经批准的退出，服务商的集群管理员也删不掉部门的空间、记录和数据（第二十三条）。",
        "Without an approved exit not even the provider's cluster-admin removes a department's space, record or data.",
    );
    runner
        .expect_refusal(
            &by(PlatformAdmin, "delete namespace $TENANT --wait=false"),
            "租户命名空间不能直接删除",
        )
        .await?;
    runner
        .expect_refusal(
            &by(PlatformAdmin, "delete -n dept-transport capp/travel --wait=false"),
            "已审定的记录不能删除",
        )
        .await?;
    let volume = r#"get pv -o jsonpath='{.items[?(@.spec.claimRef.name=="data")].metadata.name}'"#;
    runner.capture("VOLUME", &by(PlatformAdmin, volume)).await?;
    runner
        .expect_refusal(&by(PlatformAdmin, "delete pv $VOLUME --wait=false"), "租户数据卷不能直接删除")
        .await
}

async fn inventory(runner: &mut Runner) -> Result<()> {
    runner.section("退出", "Exit");
    runner.explain(
        "部门申请退出：data 销毁，其余保留；先出数据清单（第十六条、第二十三条）。",
        "The department asks to leave, data to be destroyed and the rest kept; an inventory comes first.",
    );
    runner.run(&by(Department, "apply -n dept-transport -f config/samples/travel-exit.yaml")).await?;
    runner.run(&by(Department, &until("decom/travel-exit", "phase", "AwaitingConsent"))).await?;
    let entries = concat!(
        r#"get -n dept-transport decom/travel-exit -o jsonpath='{"CLAIM\tCAPACITY\tACTION\tVOLUME\n"}"#,
        r#"{range .status.inventory.entries[*]}"#,
        r#"{.claim}{"\t"}{.capacity}{"\t"}{.action}{"\t"}{.volume}{"\n"}{end}'"#
    );
    runner.expect_output(&by(Department, entries), "Destroy").await?;
    let digest = "get -n dept-transport decom/travel-exit -o jsonpath='{.status.inventory.digest}'";
    runner.capture("INVENTORY", &by(Department, digest)).await.map(drop)
}

async fn consent(runner: &mut Runner) -> Result<()> {
    runner.explain(
        "部门未就这份清单授权之前，主管部门不能批准，也没有人能代为授权。",
        "Before the department consents to exactly this inventory nobody can approve, and nobody consents for it.",
    );
    runner.capture("GENERATION", &by(Authority410000, &generation("decom/travel-exit"))).await?;
    runner
        .expect_refusal(&by(Authority410000, &approval("decom/travel-exit")), "使用部门尚未就现数据清单授权")
        .await?;
    let consent = r#"patch -n dept-transport decom/travel-exit --type=merge -p '{"spec":{"consent":{"inventoryDigest":"'$INVENTORY'"}}}'"#;
    runner.expect_refusal(&by(Authority410000, consent), "未经使用部门授权不得处置其数据").await?;
    runner.expect_refusal(&by(PlatformAdmin, consent), "通配权限不算授权").await?;
    runner.run(&by(Department, consent)).await?;
    runner.run(&by(Authority410000, &until("decom/travel-exit", "phase", "AwaitingDecision"))).await.map(drop)
}

async fn reclaim(runner: &mut Runner) -> Result<()> {
    runner
        .explain("现在可以批准，随即收回资源。", "Now it can be approved, and the resources are reclaimed.");
    runner.capture("GENERATION", &by(Authority410000, &generation("decom/travel-exit"))).await?;
    runner.run(&by(Authority410000, &approval("decom/travel-exit"))).await?;
    runner.run(&by(Department, &until("decom/travel-exit", "phase", "Completed"))).await?;
    runner.run(&by(Department, &until("capp/travel", "phase", "Exited"))).await?;
    runner.expect_gone(&by(Auditor, "get namespace $TENANT"), "not found").await
}

async fn records(runner: &mut Runner) -> Result<()> {
    runner.section("档案", "The record");
    runner.explain("资源收回了，记录还在。", "The resources are gone, the record stays.");
    for record in ["capp/travel", "decom/travel-exit"] {
        let timeline = format!(
            r#"get -n dept-transport {record} -o jsonpath='{{"AT\tEVENT\tACTOR\tMESSAGE\n"}}{{range .status.timeline[*]}}{{.at}}{{"\t"}}{{.event}}{{"\t"}}{{.actor}}{{"\t"}}{{.message}}{{"\n"}}{{end}}'"#
        );
        runner.expect_output(&by(Auditor, &timeline), "Submitted").await?;
    }
    runner.explain("销毁与保留的证明。", "The certificate of what was destroyed and what was kept.");
    for certificate in govcloud(Auditor, "certificate decom/travel-exit") {
        let text = runner.run(&certificate).await?;
        for expected in ["data", "archive", "sha256:", "authority-410000"] {
            runner.verify(expected, text.contains(expected))?;
        }
    }
    let outcomes = concat!(
        r#"get -n dept-transport decom/travel-exit -o jsonpath='{"CLAIM\tOUTCOME\tVOLUME UID\n"}"#,
        r#"{range .status.certificate.volumes[*]}{.claim}{"\t"}{.outcome}{"\t"}{.volumeUID}{"\n"}{end}'"#,
    );
    let text = runner.run(&by(Auditor, outcomes)).await?;
    for expected in ["data\tDestroyed", "archive\tRetained"] {
        runner.verify(expected, text.contains(expected))?;
    }
    Ok(())
}

async fn disk(runner: &mut Runner) -> Result<()> {
    runner.section("凭证", "The proof");
    runner.explain(
        "再看磁盘：销毁的目录没有了，保留的文件还能读。",
        "And the disk: the destroyed directory is gone, the kept file can be read.",
    );
    let destroyed = runner.variable("DATA");
    runner.expect_gone("ls $DATA", &destroyed).await?;
    runner.verify("that it is gone", !Path::new(&destroyed).exists())?;
    runner.expect_output("cat $ARCHIVE/trips.txt", "archive G3001 郑州东至洛阳龙门").await
}
