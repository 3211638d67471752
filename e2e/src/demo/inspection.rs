//! An inspection by the authority: findings, the department's answers, and the decision that closes it (Art. 25).

use anyhow::Result;

use super::commands::{approval, generation, until};
use super::runner::{Runner, by, govcloud};
use crate::actors::Actor::{Authority410000, Department, PlatformAdmin};

/// User name of a second officer of the province's authority: who files an inspection does not close it.
pub const DEPUTY: &str = "deputy-410000";

/// Plays one inspection of the department's system.
pub async fn run(runner: &mut Runner) -> Result<()> {
    runner.section("安全检查", "Inspection");
    runner.explain(
        "主管部门检查发现问题，限期整改（第二十五条）；只有被检查方可以答复。",
        "The authority finds what is to be put right in time (Art. 25); the inspected party alone answers.",
    );
    runner
        .run(&by(Authority410000, "apply -n dept-transport -f config/samples/travel-inspection.yaml"))
        .await?;
    runner.run(&by(Department, &until("insp/travel-inspection", "phase", "Rectifying"))).await?;
    let clocks = concat!(
        r#"get -n dept-transport insp/travel-inspection -o jsonpath='{"FINDING\tWORKING-DAYS\tPARTY\tDUE\n"}"#,
        r#"{range .status.findings[*]}{.id}{"\t"}{.deadline.workingDays}{"\t"}{.deadline.party}{"\t"}{.deadline.dueDate}{"\n"}{end}'"#
    );
    runner.expect_output(&by(Department, clocks), "Department").await?;
    let answer = "patch -n dept-transport insp/travel-inspection --type=merge --patch-file config/samples/travel-response.yaml";
    runner.expect_refusal(&by(PlatformAdmin, answer), "只能由被检查方填写").await?;
    runner.run(&by(Department, answer)).await?;
    let [respond, _] =
        govcloud(Department, "respond travel-inspection --finding 2 --text 日志留存已延长至十二个月 --yes");
    runner.expect_output(&respond, "已答复问题 2").await?;
    runner.run(&by(Department, &until("insp/travel-inspection", "phase", "AwaitingDecision"))).await?;
    runner.explain(
        "整改不因期满而了结：由主管部门另一人核查后办结。",
        "Time closes nothing: another officer of the authority checks the answers and closes it.",
    );
    runner.capture("GENERATION", &by(Authority410000, &generation("insp/travel-inspection"))).await?;
    let close = approval("insp/travel-inspection");
    runner.expect_refusal(&by(Authority410000, &close), "不能审核自己提交的申请").await?;
    runner.run(&format!("kubectl --kubeconfig $DEMO/{DEPUTY}.kubeconfig {close}")).await?;
    runner.run(&by(Department, &until("insp/travel-inspection", "phase", "Closed"))).await.map(drop)
}
