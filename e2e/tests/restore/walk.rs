//! The `sh` blocks of docs/restore.md, in order, after every record was lost; then once more with what Velero restores.

use std::path::Path;
use std::process::Stdio;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::binaries::Binaries;
use e2e::fixtures::{Department, HENAN, Kind};
use e2e::install;
use e2e::operator;
use e2e::paths::{in_repository, repository};
use e2e::sample_department::DEPARTMENT;
use e2e::suite::Context;
use e2e::volumes;
use kube::ResourceExt;
use kube::api::DynamicObject;
use tokio::process::Command;

use super::{backup, loss};

/// The document.
const DOCUMENT: &str = "docs/restore.md";

pub async fn documented_restore_works(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    install::samples(&cluster.kubectl(Actor::Admin), true).await?;
    context.dump_on_failure(DEPARTMENT);
    let department = Department::at(cluster, DEPARTMENT, HENAN);
    let first = department.provision(department.application("travel")?).await?;
    let (tenant, _) = Department::tenant(&first, "prod")?;
    let volume = department.fill(&tenant, "data", "恢复前后都在的数据").await?;
    let directory = volumes::directory(&volume)?;
    let blocks = blocks()?;
    let restores =
        blocks.iter().position(|b| b.contains("create -f")).context("the block that restores from Git")?;

    let mut uids = vec![first.uid().unwrap_or_default()];
    for from_velero in [false, true] {
        let exported = department.get(Kind::Application, "travel").await?;
        lose(&context, from_velero).await?;
        let mut commands = blocks.clone();
        if from_velero {
            commands.remove(restores);
            restored(&department, &exported).await?;
        }
        let said = type_in(&context, &commands).await?;
        let uid = department.phase(Kind::Application, "travel", "Live").await?.uid().unwrap_or_default();
        ensure!(!uids.contains(&uid), "it is an earlier record");
        let chain = uids.iter().rev().cloned().collect::<Vec<_>>().join(",");
        ensure!(
            said.contains(&format!("{uid} after {chain}")),
            "{DOCUMENT} must show {uid} after {chain}:\n{said}"
        );
        ensure!(said.contains(&format!("prod\t{tenant}\t")), "{DOCUMENT} must show what is found:\n{said}");
        ensure!(fs::read_to_string(directory.join("record"))? == "恢复前后都在的数据", "the data is another");
        uids.push(uid);
    }
    println!(
        "restore: {} blocks of {DOCUMENT} typed twice: records from Git, records from Velero",
        blocks.len()
    );
    Ok(())
}

/// The blocks of the document that are commands.
fn blocks() -> Result<Vec<String>> {
    let text = fs::read_to_string(in_repository(DOCUMENT))?;
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("\n```"));
    let blocks: Vec<String> = blocks.map(|(block, _)| block.to_owned()).collect();
    ensure!(blocks.len() >= 5, "{DOCUMENT} shows {} blocks of commands", blocks.len());
    Ok(blocks)
}

/// The application's record is lost past its guard; the second time its grant as well.
async fn lose(context: &Context, grant_too: bool) -> Result<()> {
    let what: &[[&str; 2]] =
        if grant_too { &[["capp", "travel"], ["grant", "travel"]] } else { &[["capp", "travel"]] };
    let guards: &[&str] = if grant_too {
        &["govcloud-record-deletion", "govcloud-grants"]
    } else {
        &["govcloud-record-deletion"]
    };
    loss::lose(context, guards, DEPARTMENT, what).await
}

/// Velero's restore of one record, by an identity with wildcard rights.
async fn restored(department: &Department, exported: &DynamicObject) -> Result<()> {
    let api = department.api(Actor::PlatformAdmin, Kind::Application).await?;
    let object = backup::restored(exported, Kind::Application).await?;
    api.create(&Default::default(), &object).await.context("Velero's create")?;
    Ok(())
}

/// Types commands into one shell that ends at the first that fails; what it printed.
async fn type_in(context: &Context, blocks: &[String]) -> Result<String> {
    let kubectl = Binaries::find()?.path("kubectl");
    let bin = kubectl.parent().context("kubectl is in a directory")?;
    let built = tokio::task::spawn_blocking(operator::binary).await??;
    let plugin = built.parent().context("the plugin is in a directory")?;
    let path = env::join_paths(
        [plugin, bin].map(Path::to_owned).into_iter().chain(env::split_paths(&env::var("PATH")?)),
    )?;
    let script = format!("set -eux\n{}", blocks.join("\n"));
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).current_dir(repository());
    command.env("DEV", context.cluster.plane.root()).env("PATH", path);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let typed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{DOCUMENT} does not work as it is written:\n{typed}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
