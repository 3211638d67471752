//! A month of raw series as the kubelets and kube-state-metrics would have been scraped, and the recording rules over it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use e2e::paths::in_repository;
use e2e::prometheus::{Prometheus, promtool};
use jiff::Timestamp;

/// September 2026 in China: 30 days that begin at 16:00 UTC.
pub const BEGIN: &str = "2026-08-31T16:00:00Z";
/// Its end.
pub const END: &str = "2026-09-30T16:00:00Z";
/// Days with a gap of three hours: 12.5 %, which does not count.
pub const HOLES: [i64; 5] = [3, 4, 5, 6, 7];
/// Days with a gap of two hours: 8.3 %, which counts.
pub const DENTS: [i64; 2] = [12, 13];

const MINUTES_A_DAY: i64 = 1440;
const GIB: i64 = 1024 * 1024 * 1024;

/// Longest block: more would be more samples than one query may return.
const BLOCK: &str = "--max-block-duration=162h";

/// Writes the history into `dir`, records the rules over it, and starts a Prometheus over both.
pub async fn prometheus(dir: &Path, namespace: &str) -> Result<Prometheus> {
    let (raw, data) = (dir.join("raw.txt"), dir.join("data"));
    std::fs::create_dir_all(dir)?;
    std::fs::write(&raw, series(namespace)?)?;
    let (raw, data) = (raw.display().to_string(), data.display().to_string());
    promtool(&["tsdb", "create-blocks-from", BLOCK, "openmetrics", "-q", &raw, &data]).await?;
    let over_raw = Prometheus::over(dir).await?;
    let rules = in_repository("config/monitoring/utilization-rules.yaml").display().to_string();
    let [begin, end] = [BEGIN, END].map(|at| at.parse::<Timestamp>().map(Timestamp::as_second));
    let (start, end) = (format!("--start={}", begin? + 60), format!("--end={}", end?));
    let (url, into) = (format!("--url={}", over_raw.url()), format!("--output-dir={data}"));
    let from_rules = ["tsdb", "create-blocks-from", BLOCK, "rules", &url, &start, &end, &into];
    promtool(&[&from_rules[..], &["--eval-interval=60s", &rules]].concat()).await?;
    drop(over_raw);
    Prometheus::over(dir).await
}

/// The value of a series at a minute.
type At = fn(i64) -> Option<f64>;

/// A metric family: its name, its type, and its series with their value at a minute; `None` in a gap.
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    series: Vec<(String, At)>,
}

/// The raw series in OpenMetrics. Each is there twice, as two servers would have scraped it.
fn series(namespace: &str) -> Result<String> {
    let twice = |labels: String, value: At| {
        ["a", "b"].map(|instance| {
            let labels = format!("namespace=\"{namespace}\",{labels},instance=\"{instance}\"");
            (labels, value)
        })
    };
    let container = || "pod=\"web-0\",container=\"web\"".to_owned();
    let quota = |type_: &str, resource: &str| {
        format!("resourcequota=\"govcloud\",type=\"{type_}\",resource=\"{resource}\"")
    };
    let families = [
        Family {
            name: "container_cpu_usage_seconds",
            kind: "counter",
            series: twice(container(), cpu).into(),
        },
        Family {
            name: "container_memory_working_set_bytes",
            kind: "gauge",
            series: twice(container(), |_| Some(GIB as f64)).into(),
        },
        Family {
            name: "kube_resourcequota",
            kind: "gauge",
            series: [
                twice(quota("hard", "requests.cpu"), |_| Some(8.0)),
                twice(quota("used", "requests.cpu"), |_| Some(4.0)),
                twice(quota("hard", "requests.memory"), |_| Some((4 * GIB) as f64)),
                twice(quota("used", "requests.memory"), |_| Some((2 * GIB) as f64)),
            ]
            .into_iter()
            .flatten()
            .collect(),
        },
    ];
    let begin = BEGIN.parse::<Timestamp>()?.as_second();
    let mut text = String::new();
    for Family { name, kind, series } in families {
        writeln!(text, "# TYPE {name} {kind}")?;
        let total = if kind == "counter" { "_total" } else { "" };
        for (labels, value) in series {
            for minute in 0..=30 * MINUTES_A_DAY {
                if let Some(value) = value(minute) {
                    writeln!(text, "{name}{total}{{{labels}}} {value} {}", begin + minute * 60)?;
                }
            }
        }
    }
    text.push_str("# EOF\n");
    Ok(text)
}

/// A counter of half a core that begins anew at noon of each day, with gaps at the end of some days.
fn cpu(minute: i64) -> Option<f64> {
    let (day, of_day) = (minute / MINUTES_A_DAY + 1, minute % MINUTES_A_DAY);
    let gap = match day {
        day if HOLES.contains(&day) => 180,
        day if DENTS.contains(&day) => 120,
        _ => 0,
    };
    let there = of_day < MINUTES_A_DAY - gap - 60 || of_day >= MINUTES_A_DAY - 60;
    let since_noon = (minute + MINUTES_A_DAY / 2) % MINUTES_A_DAY;
    there.then_some(since_noon as f64 * 30.0)
}
