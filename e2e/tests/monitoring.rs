//! Monitoring of a life: metrics through a real Prometheus, alerts, the dashboard, traces; and what logs
//! never hold.

use std::process::ExitCode;

use e2e::cluster::Setup;
use e2e::suite;

#[path = "monitoring/files.rs"]
mod files;
#[path = "monitoring/live.rs"]
mod live;
#[path = "monitoring/queries.rs"]
mod queries;
#[path = "monitoring/secrets.rs"]
mod secrets;
#[path = "monitoring/traces.rs"]
mod traces;

use files::{every_alert_has_its_page_and_its_tests, the_dashboard_fits_grafanas_schema};
use live::a_life_is_seen_by_prometheus_and_the_collector_and_not_in_the_logs;

fn main() -> ExitCode {
    suite::main(
        Setup::Installed,
        e2e::tests![
            every_alert_has_its_page_and_its_tests,
            the_dashboard_fits_grafanas_schema,
            a_life_is_seen_by_prometheus_and_the_collector_and_not_in_the_logs,
        ],
    )
}
