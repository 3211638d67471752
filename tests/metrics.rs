//! `/metrics`: every metric is in docs/metrics.md as it is, a scrape of a large cloud is cheap, labels are bounded.

#[path = "observe/stage.rs"]
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use stage::{Stage, application, exit};

/// One metric as `/metrics` shows it.
#[derive(Default)]
struct Shown {
    type_: String,
    meaning: String,
    labels: BTreeSet<String>,
}

/// The metrics of a text, by the name that queries use.
fn shown(text: &str) -> BTreeMap<String, Shown> {
    let mut metrics: BTreeMap<String, Shown> = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, meaning) = rest.split_once(' ').unwrap();
            metrics.entry(name.to_owned()).or_default().meaning = meaning.trim_end_matches('.').to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, type_) = rest.split_once(' ').unwrap();
            metrics.entry(name.to_owned()).or_default().type_ = type_.to_owned();
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            let stem = metrics
                .range(..=name.to_owned())
                .rev()
                .find(|(m, _)| name.starts_with(*m))
                .unwrap()
                .0
                .clone();
            let within = line.split_once('{').and_then(|(_, r)| r.rsplit_once('}')).map_or("", |(l, _)| l);
            let labels = within.split("\",").filter_map(|p| p.split_once('=')).map(|(k, _)| k.to_owned());
            metrics.get_mut(&stem).unwrap().labels.extend(labels.filter(|l| l != "le"));
        }
    }
    let queried = |(name, shown): (String, Shown)| match shown.type_.as_str() {
        "counter" => (format!("{name}_total"), shown),
        "info" => (format!("{name}_info"), shown),
        _ => (name, shown),
    };
    metrics.into_iter().map(queried).collect()
}

/// The table of docs/metrics.md, from what is shown.
fn table(metrics: &BTreeMap<String, Shown>) -> String {
    let mut rows = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for (name, m) in metrics {
        let labels: Vec<String> = m.labels.iter().map(|l| format!("`{l}`")).collect();
        rows += &format!("| `{name}` | {} | {} | {} |\n", m.type_, labels.join(", "), m.meaning);
    }
    rows
}

#[test]
fn the_page_on_metrics_shows_what_is_shown() {
    const BEGIN: &str = "<!-- what /metrics shows; written by UPDATE_DOCS=1 cargo test --test metrics -->\n";
    const END: &str = "<!-- end -->";
    let stage = Stage::full();
    let metrics = shown(&stage.text());
    assert!(metrics.len() > 40, "only {}: {:?}", metrics.len(), metrics.keys());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page's table has its first mark");
    let (written, after) = rest.split_once(END).expect("the page's table has its last mark");
    let table = table(&metrics);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, table, "docs/metrics.md: run UPDATE_DOCS=1 cargo test --test metrics");
    }
    println!("metrics: {} shown and documented", metrics.len());
}

#[test]
fn a_large_cloud_is_counted_in_few_series() {
    let many = 2_000;
    let stage = Stage::with_region();
    for n in 0..many {
        stage.tell("cloudapplications", application(&format!("a{n}"), n));
        if n % 100 == 0 {
            stage.tell("decommissions", exit(&format!("x{n}"), &format!("a{n}")));
        }
    }
    stage.text();
    let mut best = Duration::MAX;
    let mut text = String::new();
    for _ in 0..5 {
        let begun = Instant::now();
        text = stage.text();
        best = best.min(begun.elapsed());
    }
    let series = text.lines().filter(|l| !l.starts_with('#')).count();
    println!(
        "metrics: {many} applications and their exits in {best:?}, {series} lines, {} bytes",
        text.len()
    );
    assert!(
        text.contains(r#"govcloud_records{region="410000",kind="CloudApplication",phase="Live"} "#),
        "{text}"
    );
    assert!(series < 1500, "{series} lines");
}

#[test]
fn what_people_write_is_no_label() {
    let stage = Stage::with_region();
    for n in 0..100 {
        let mut a = application(&format!("a{n}"), n);
        a["spec"]["region"] = format!("{}", 500_000 + n).into();
        stage.tell("cloudapplications", a);
    }
    let mut broken = application("broken", 0);
    broken["spec"]["system"] = "not a system: 0371-66668888".into();
    stage.tell("cloudapplications", broken);
    let text = stage.text();
    let series = text.lines().filter(|l| l.starts_with("govcloud_records{")).collect::<Vec<_>>();
    assert!(series.len() < 8 && series.iter().all(|s| s.contains(r#"region="unknown""#)), "{series:#?}");
    assert!(text.contains(r#"phase="Malformed"} 1"#) && text.contains(r#"reason="Malformed"} 1"#), "{text}");
    assert!(!text.contains("66668888") && !text.contains("0371"), "a label holds what somebody wrote");
}

#[test]
fn the_oldest_is_as_old_as_it_is() {
    let stage = Stage::with_region();
    stage.tell("cloudapplications", application("a0", 0));
    let text = stage.text();
    // Filed on 2 November, now it is the 23rd.
    let age = 21 * 86_400;
    let oldest = format!(
        r#"govcloud_waiting_oldest_seconds{{region="410000",kind="CloudApplication",party="Authority"}} {age}"#
    );
    assert!(text.contains(&oldest), "{text}");
    // Due on 5 November: the 6th, two weeks of five, and the 23rd.
    let late =
        r#"govcloud_deadline_overdue_workdays{region="410000",obligation="Review",party="Authority"} 12"#;
    assert!(text.contains(late), "{text}");
    assert!(text.ends_with("# EOF\n"));
}
