//! The commands of `docs/operations.md`, typed in order into one shell.

use std::env;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::binaries::Binaries;
use e2e::suite::Context;
use e2e::{fixtures, operator, paths};
use tokio::process::Command;

pub async fn documented_operations_work(context: Context) -> Result<()> {
    fixtures::regions(&context.cluster).await?;
    let page = std::fs::read_to_string(paths::in_repository("docs/operations.md"))?;
    let blocks: Vec<&str> =
        page.split("```sh\n").skip(1).filter_map(|b| Some(b.split_once("\n```")?.0)).collect();
    ensure!(blocks.len() >= 9, "{} blocks of commands", blocks.len());
    let kubectl = Binaries::find()?.path("kubectl");
    // The operator's binary was built with all others, the plugin among them.
    let built = tokio::task::spawn_blocking(operator::binary).await??;
    let dirs = [&built, &kubectl].map(|p| p.parent().map(Path::to_owned).unwrap_or_default());
    let path = env::join_paths(dirs.into_iter().chain(env::split_paths(&env::var("PATH")?)))?;
    // `kubectl auth can-i` answers "no" with 1, which is no failure of the page.
    let answers = |line: &str| match line.starts_with("kubectl auth can-i") {
        true => format!("{line} || true"),
        false => line.to_owned(),
    };
    let script: Vec<String> = blocks.iter().flat_map(|block| block.lines()).map(answers).collect();
    let archive = tempfile::tempdir()?;
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("set -eux\n{}", script.join("\n"))])
        .current_dir(paths::repository())
        .env("PATH", path)
        .env("ARCHIVE", archive.path())
        .env("KUBECONFIG", context.cluster.plane.kubeconfig(Actor::PlatformAdmin))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let (said, typed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "docs/operations.md does not work as it is written:\n{said}\n{typed}");
    // Its own authority may decide in the city, and the province's may not; the gate is whole; both regions are named.
    for expected in [
        "yes\n",
        "no\n",
        "intactSince",
        "河南省大数据局",
        "rolebinding.rbac.authorization.k8s.io/provider created",
    ] {
        ensure!(said.contains(expected), "docs/operations.md must show {expected:?}:\n{said}\n{typed}");
    }
    let exported = std::fs::read_dir(archive.path())?.next().context("nothing was exported")??;
    ensure!(exported.metadata()?.len() > 0, "the export is empty");
    println!("  {} blocks of commands of docs/operations.md", blocks.len());
    Ok(())
}
