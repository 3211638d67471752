//! Figures: order statistics, and what a process has used of the machine.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Where a set of durations lies, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// Half are at most this.
    pub p50: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Spread {
    /// Of some durations.
    pub fn of(durations: &[Duration]) -> Self {
        let mut ms: Vec<f64> = durations.iter().map(|d| d.as_secs_f64() * 1000.0).collect();
        ms.sort_by(f64::total_cmp);
        Self { count: ms.len(), p50: rank(&ms, 0.5), p99: rank(&ms, 0.99), max: rank(&ms, 1.0) }
    }
}

/// How far pairs of durations lie apart, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Differences {
    /// A quarter is at most this.
    pub p25: f64,
    /// Half is.
    pub p50: f64,
    /// Three quarters are.
    pub p75: f64,
}

impl Differences {
    /// By how much each of one is longer than the other of its pair.
    pub fn of(these: &[Duration], others: &[Duration]) -> Self {
        let ms = |d: &Duration| d.as_secs_f64() * 1000.0;
        let mut ms: Vec<f64> = these.iter().zip(others).map(|(a, b)| ms(a) - ms(b)).collect();
        ms.sort_by(f64::total_cmp);
        Self { p25: rank(&ms, 0.25), p50: rank(&ms, 0.5), p75: rank(&ms, 0.75) }
    }
}

/// The value at a rank of sorted values, the nearest above; 0 where there are none.
fn rank(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// The median, the mean of the two in the middle where there are two; 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Used {
    /// Processor time of user and system together, in seconds.
    pub cpu: f64,
    /// Resident memory now, in bytes.
    pub rss: u64,
}

impl Used {
    /// By a process, from `/proc`.
    pub fn by(pid: i32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // After the command's name in brackets: the state; user and system time are fields 14 and 15 of all.
        let fields: Vec<&str> =
            stat.rsplit_once(") ").context("/proc/PID/stat")?.1.split_whitespace().collect();
        let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = rss.and_then(|r| r.split_whitespace().next()?.parse().ok()).context("VmRSS")?;
        Ok(Self { cpu: ticks / 100.0, rss: kib * 1024 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_of_what_was_measured() {
        let ms: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        let spread = Spread::of(&ms);
        assert_eq!((spread.p50, spread.p99, spread.max), (50.0, 99.0, 100.0));
        let others = vec![Duration::from_millis(50); 100];
        let apart = Differences::of(&ms, &others);
        assert_eq!((apart.p25, apart.p50, apart.p75), (-25.0, 0.0, 25.0));
        assert_eq!(median(&[3.0, 1.0, 2.0, 10.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }
}
