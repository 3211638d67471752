//! A real Prometheus on loopback, and the promtool beside it, from `e2e/monitoring/go.mod`.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::paths::in_repository;
use crate::process::{Process, Spec};
use crate::wait::eventually;

/// Time that it may take to be ready.
const READY: Duration = Duration::from_secs(60);

/// The directory of prometheus and promtool, built when nobody has yet; minutes the first time.
pub async fn binaries() -> Result<&'static Path> {
    static FOUND: OnceCell<PathBuf> = OnceCell::const_new();
    FOUND.get_or_try_init(find).await.map(PathBuf::as_path)
}

async fn find() -> Result<PathBuf> {
    let script = in_repository("e2e/monitoring/build");
    let output = Command::new(&script).stderr(Stdio::inherit()).output().await;
    let output = output.with_context(|| format!("cannot run {}", script.display()))?;
    ensure!(output.status.success(), "Prometheus is not there; its build script says why above");
    let stdout = String::from_utf8(output.stdout)?;
    Ok(stdout.lines().last().context("the build script named no directory")?.into())
}

/// Runs promtool in the repository; an error with all that it said unless it succeeds.
pub async fn promtool(args: &[&str]) -> Result<String> {
    let program = binaries().await?.join("promtool");
    let Output { status, stdout, stderr } =
        Command::new(program).args(args).current_dir(in_repository("")).output().await?;
    let said = String::from_utf8_lossy(&stdout).into_owned();
    if !status.success() {
        bail!("promtool {}:\n{said}{}", args.join(" "), String::from_utf8_lossy(&stderr));
    }
    Ok(said)
}

/// A running Prometheus. Dropping it kills it.
pub struct Prometheus {
    process: Process,
    url: String,
}

impl Prometheus {
    /// Starts one with its files in `dir`, which evaluates `rules` and scrapes `targets`, each every second.
    pub async fn start(dir: &Path, rules: &Path, targets: &[SocketAddr]) -> Result<Self> {
        let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [rules],
            "scrape_configs": [{"job_name": "govcloud-operator", "static_configs": [{"targets": targets}]}],
        });
        Self::launch(dir, &config).await
    }

    /// Starts one over the blocks in `dir`/data, however old they are. It scrapes nothing and evaluates nothing.
    pub async fn over(dir: &Path) -> Result<Self> {
        Self::launch(dir, &json!({})).await
    }

    async fn launch(dir: &Path, config: &Value) -> Result<Self> {
        let program = binaries().await?.join("prometheus");
        std::fs::create_dir_all(dir)?;
        let file = dir.join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&file, config.to_string())?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let process = Process::start(Spec {
            name: "prometheus".into(),
            program,
            args: vec![
                format!("--config.file={}", file.display()),
                format!("--storage.tsdb.path={}", dir.join("data").display()),
                "--storage.tsdb.retention.time=100y".into(),
                format!("--web.listen-address={address}"),
                "--log.level=warn".into(),
            ],
            env: Vec::new(),
            dir: dir.to_owned(),
            log: dir.join("prometheus.log"),
        })?;
        let mut prometheus = Self { process, url: format!("http://{address}") };
        eventually("Prometheus answers", READY, || {
            let running = prometheus.process.check();
            let url = prometheus.url.clone();
            async move {
                running?;
                promtool(&["check", "ready", &format!("--url={url}")]).await.map(Some)
            }
        })
        .await?;
        Ok(prometheus)
    }

    /// Its address, as the operator's `--prometheus-url` takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Results of an expression now, each with its labels and value.
    pub async fn query(&self, expr: &str) -> Result<Vec<Value>> {
        let said = promtool(&["query", "instant", "-o", "json", &self.url, expr]).await?;
        let found: Value = serde_json::from_str(&said).with_context(|| format!("{expr}: {said}"))?;
        Ok(match found {
            Value::Array(series) => series,
            one => vec![one],
        })
    }

    /// Results of an expression, once there are any.
    pub async fn finds(&self, expr: &str, patience: Duration) -> Result<Vec<Value>> {
        eventually(expr, patience, || async { Ok(Some(self.query(expr).await?).filter(|f| !f.is_empty())) })
            .await
    }
}
