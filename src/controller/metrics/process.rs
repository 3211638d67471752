//! The process itself: build, leadership, policy integrity, clock, memory and processor time.

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::Scrape;
use govcloud_domain::integrity::PolicyIntegrity;

/// Ticks a second in `/proc/self/stat`: USER_HZ, which Linux keeps at 100 for user space.
const TICKS: f64 = 100.0;

/// Registers the gauges of this replica.
pub(super) fn register(to: &mut Registry, scrape: &Scrape<'_>) {
    let flag = |holds: bool| ConstGauge::new(i64::from(holds));
    to.register("build", "The running build", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    to.register("leader", "1 if this replica leads and acts, 0 if it is a standby", flag(scrape.leads));
    to.register(
        "policy_integrity_intact",
        "1 if every admission policy and CRD is as shipped, else 0: approvals do not count",
        flag(matches!(scrape.integrity, PolicyIntegrity::Intact { .. })),
    );
    if let Some(seconds) = scrape.skew {
        to.register_with_unit(
            "clock_skew",
            "Seconds that this machine's clock is ahead of the API server's, median of the last responses; above 60 either way nothing is decided",
            Unit::Seconds,
            ConstGauge::new(seconds),
        );
    }
}

/// Registers the gauges of any process, under the names that Prometheus clients share. Linux only.
pub(super) fn register_process(to: &mut Registry) {
    if let Some(bytes) = resident_bytes() {
        to.register_with_unit(
            "process_resident_memory",
            "Resident memory",
            Unit::Bytes,
            ConstGauge::new(bytes),
        );
    }
    if let Some(seconds) = cpu_seconds() {
        to.register_with_unit(
            "process_cpu",
            "Processor time in user and system mode",
            Unit::Seconds,
            ConstCounter::new(seconds),
        );
    }
}

fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok()? * 1024)
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the command's name in brackets: the state, and user and system ticks 11 and 12 fields later.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |n: usize| fields.get(n)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}
