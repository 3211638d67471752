//! Tests in Go, of what the project says to tools that are written in it: `e2e/gitops`.

use std::ffi::OsStr;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::paths::in_repository;

/// Runs tests of `e2e/gitops` with a variable set, gently. Returns the lines that they logged.
pub async fn test(run: &str, variable: &str, value: impl AsRef<OsStr>) -> Result<Vec<String>> {
    let output = Command::new("nice")
        .args(["-n", "10", "../tools/go", "test", "-vet=off", "-count=1", "-v", "-run", run, "./..."])
        .env(variable, value)
        .current_dir(in_repository("e2e/gitops"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run go")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "go test -run {run}:\n{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(text.contains("--- PASS"), "go test -run {run} ran nothing:\n{text}");
    let logged = text.lines().filter(|l| l.trim_start().contains("_test.go:") || l.starts_with("--- PASS"));
    Ok(logged.map(|l| l.trim().to_owned()).collect())
}
