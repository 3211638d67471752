//! The machine that was measured on, and how busy it was with other things.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::figures::Spread;
use crate::paths;

/// What figures depend on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Name of the processor.
    pub processor: String,
    /// Its cores, as the kernel counts them.
    pub cores: usize,
    /// Memory in bytes.
    pub memory: u64,
    /// Kernel.
    pub kernel: String,
    /// How long a write of 4 KiB takes to be on disk, in milliseconds.
    pub sync: Spread,
    /// Processes that wanted a core in the minute before the measurement: what is more than a few is others' work.
    pub load: f64,
    /// When this was looked at.
    pub at: String,
}

/// Looks at the machine.
pub fn look() -> Result<Machine> {
    let line = |file: &str, key: &str| -> String {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|l| l.starts_with(key)).unwrap_or_default();
        line.split_once(':').map_or("", |(_, v)| v).trim().to_owned()
    };
    let kib = line("/proc/meminfo", "MemTotal").split_whitespace().next().and_then(|k| k.parse::<u64>().ok());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    Ok(Machine {
        processor: line("/proc/cpuinfo", "model name"),
        cores: std::thread::available_parallelism()?.get(),
        memory: kib.unwrap_or(0) * 1024,
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        sync: sync()?,
        load: load.split_whitespace().next().and_then(|l| l.parse().ok()).unwrap_or(0.0),
        at: jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
    })
}

/// What etcd waits for at every write.
fn sync() -> Result<Spread> {
    let file = tempfile::NamedTempFile::new_in(paths::target())?;
    let mut file: &File = file.as_file();
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    Ok(Spread::of(&times))
}
