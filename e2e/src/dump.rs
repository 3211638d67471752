//! Dump of a failed test: the important part to stderr, everything to `target/e2e/<test>/`.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::actors::{Actor, OPERATOR_SERVICE_ACCOUNT};
use crate::cluster::Cluster;
use crate::kubectl::Kubectl;
use crate::paths;
use crate::process::tail;

/// Bytes of a log that are shown.
const SHOWN: u64 = 6 * 1024;

/// Bytes of a log that are kept.
const KEPT: u64 = 4 * 1024 * 1024;

/// The records' conditions, as one line each.
const CONDITIONS: &str = concat!(
    r#"jsonpath={range .items[*]}{.kind}/{.metadata.name} generation={.metadata.generation} phase={.status.phase}"#,
    r#" waitingOn={.status.waitingOn}{"\n"}{range .status.conditions[*]}  {.type}={.status} {.reason}: {.message}"#,
    r#"{"\n"}{end}{end}"#
);

/// Dumps the state of `namespaces` after `test` failed. What cannot be had is left out: the cluster may be down.
pub async fn failed(test: &str, cluster: &Cluster, namespaces: &[String]) {
    let dir = paths::failure(test);
    if let Err(error) = dump(&dir, cluster, namespaces).await {
        eprintln!("cannot dump the state of {test}: {error:#}");
    }
    eprintln!("--- {test}: more in {}", dir.strip_prefix(paths::repository()).unwrap_or(&dir).display());
}

async fn dump(dir: &Path, cluster: &Cluster, namespaces: &[String]) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)?;
    let admin = cluster.kubectl(Actor::Admin);
    for namespace in namespaces {
        eprintln!("--- namespace {namespace}");
        for (name, args) in [
            ("conditions", &["get", "govcloud", "-o", CONDITIONS][..]),
            ("events", &["get", "events", "--sort-by=.metadata.creationTimestamp", "-o", "wide"][..]),
        ] {
            let text = ask(&admin, &[args, &["-n", namespace]].concat()).await;
            eprintln!("{text}");
            fs::write(dir.join(format!("{namespace}-{name}.txt")), text)?;
        }
        let content = "govcloud,pvc,pods,resourcequotas,limitranges,networkpolicies,rolebindings";
        let text = ask(&admin, &["get", content, "-n", namespace, "-o", "yaml"]).await;
        fs::write(dir.join(format!("{namespace}.yaml")), text)?;
    }
    for kind in ["namespaces", "persistentvolumes", "regions.govcloud.dev"] {
        fs::write(dir.join(format!("{kind}.yaml")), ask(&admin, &["get", kind, "-o", "yaml"]).await)?;
    }
    for entry in fs::read_dir(cluster.plane.root().join("logs"))? {
        let log = entry?;
        fs::write(dir.join(log.file_name()), tail(&log.path(), KEPT))?;
    }
    let operator = tail(&cluster.plane.log(OPERATOR_SERVICE_ACCOUNT), SHOWN);
    if !operator.is_empty() {
        eprintln!("--- the operator's log\n{operator}");
    }
    Ok(())
}

async fn ask(admin: &Kubectl, args: &[&str]) -> String {
    let args = [args, &["--request-timeout=10s"]].concat();
    admin.run(&args).await.unwrap_or_else(|error| format!("{error:#}"))
}
