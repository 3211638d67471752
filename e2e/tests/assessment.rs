//! Assessments on a real control plane (Art. 27, 29), with use from a real Prometheus whose series have gaps, duplicates and
//! counter resets.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use e2e::cluster::Setup;
use e2e::fixtures::{self, HENAN};
use e2e::operator::{Operator, Options};
use e2e::prometheus::Prometheus;
use e2e::suite::{self, Context};
use govcloud_domain::names::tenant_namespace;
use tokio::sync::OnceCell;

#[path = "assessment/history.rs"]
mod history;
#[path = "assessment/life.rs"]
mod life;
#[path = "assessment/measured.rs"]
mod measured;
#[path = "assessment/refused.rs"]
mod refused;

use life::assessment_is_scored_objected_to_and_published;
use measured::use_is_read_from_a_real_prometheus_with_gaps_duplicates_and_resets;
use refused::bad_assessments_are_refused_with_the_field;

/// Filing namespace whose tenant has a history in Prometheus.
pub const MEASURED: &str = "dept-measured";

fn main() -> ExitCode {
    suite::main(
        Setup::Installed,
        e2e::tests![
            assessment_is_scored_objected_to_and_published,
            use_is_read_from_a_real_prometheus_with_gaps_duplicates_and_resets,
            bad_assessments_are_refused_with_the_field,
        ],
    )
}

/// The tenant namespace that has a history.
pub fn measured_tenant() -> String {
    tenant_namespace(MEASURED, "travel", "prod")
}

/// The Prometheus with its history, and the operator that reads it; once for all tests.
pub async fn world(context: &Context) -> Result<&'static Prometheus> {
    static WORLD: OnceCell<Prometheus> = OnceCell::const_new();
    let set = || async {
        let cluster = &context.cluster;
        let dir: PathBuf = cluster.plane.root().join("prometheus");
        let prometheus = history::prometheus(&dir, &measured_tenant()).await.context("the history")?;
        let args = vec![format!("--prometheus-url={}", prometheus.url())];
        let operator = Operator::start(&cluster.plane, Options { args, ..Options::default() }).await?;
        *cluster.operator.lock().await = Some(operator);
        fixtures::regions(cluster).await?;
        let file = e2e::paths::in_repository("config/samples/region-410000-assessment.yaml");
        let file = format!("--patch-file={}", file.display());
        let admin = cluster.kubectl(e2e::actors::Actor::Admin);
        admin.run(&["patch", "region", HENAN, "--type=merge", &file]).await?;
        Ok(prometheus)
    };
    WORLD.get_or_try_init(set).await
}
