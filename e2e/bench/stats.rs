//! Order statistics, and the processor time and memory of a process.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Percentiles of a set of durations, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    pub count: usize,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Distribution {
    pub fn of(durations: &[Duration]) -> Self {
        let ms = sorted(durations.iter().map(|d| d.as_secs_f64() * 1000.0));
        // The value at a rank, the nearest above; 0 where there are none.
        let rank = |share: f64| {
            ms.get(((share * ms.len() as f64).ceil() as usize).max(1) - 1).copied().unwrap_or(0.0)
        };
        Self { count: ms.len(), p50: rank(0.5), p99: rank(0.99), max: rank(1.0) }
    }
}

/// The median, the mean of the middle two where there are two; 0 of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let values = sorted(values);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Resources that a process has used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time of user and system together, in seconds.
    pub cpu: f64,
    /// Resident memory now, in MiB.
    pub memory: f64,
}

impl Usage {
    /// Reads `/proc`.
    pub fn of(pid: i32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // User and system time, in hundredths of a second, are 11 fields after the command's name in brackets.
        let fields = stat.rsplit_once(") ").context("/proc/PID/stat")?.1.split(' ');
        let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kib: f64 = rss.trim().trim_end_matches(" kB").parse()?;
        Ok(Self { cpu: ticks / 100.0, memory: kib / 1024.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let ms: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(Distribution::of(&ms), Distribution { count: 100, p50: 50.0, p99: 99.0, max: 100.0 });
        assert_eq!([median([3.0, 1.0, 2.0, 10.0]), median([])], [2.5, 0.0]);
    }
}
