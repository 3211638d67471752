//! `/metrics`: every metric is in docs/metrics.md as it is, a scrape of a large cloud is cheap, labels are bounded.

#[path = "observe/stage.rs"]
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use stage::{Stage, application, exit, volume};

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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
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

/// The number that a scrape shows for a metric with these labels.
fn number(text: &str, series: &str) -> Option<i64> {
    text.lines().find_map(|l| l.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn a_scrape_tells_of_what_changed_since_the_last() {
    let stage = Stage::with_region();
    let live = r#"govcloud_records{region="410000",kind="CloudApplication",phase="Live"}"#;
    let filed = r#"govcloud_records{region="410000",kind="CloudApplication",phase="Submitted"}"#;
    for n in 0..200 {
        stage.tell("cloudapplications", application(&format!("a{n}"), 0));
    }
    let text = stage.text();
    assert_eq!((number(&text, filed), number(&text, live)), (Some(200), None));
    let mut changed = application("a7", 1);
    changed["metadata"]["resourceVersion"] = "8".into();
    stage.tell("cloudapplications", changed);
    stage.tell("cloudapplications", application("b", 1));
    stage.gone("cloudapplications", application("a9", 0));
    let text = stage.text();
    assert_eq!((number(&text, filed), number(&text, live)), (Some(198), Some(2)));
    // A Region that is no more is no label any more, though no record of it changed.
    let unknown = r#"govcloud_records{region="unknown",kind="CloudApplication",phase="Live"}"#;
    let region = serde_json::json!({ "metadata": { "name": "410000", "uid": "r", "resourceVersion": "2" } });
    stage.gone("regions", region);
    let text = stage.text();
    assert_eq!((number(&text, live), number(&text, unknown)), (None, Some(2)));
    println!("metrics: 200 records, 1 changed, 1 new, 1 gone, then their Region");
}

#[test]
fn volumes_are_counted_once_by_who_has_them() {
    let stage = Stage::with_region();
    let gib = 1024 * 1024 * 1024;
    for (name, phase, retained) in [
        ("bound", "Bound", None),
        ("lost", "Released", None),
        ("failed", "Failed", None),
        ("waits", "Available", None),
        ("kept", "Released", Some("uid-a1")),
    ] {
        stage.tell("persistentvolumes", volume(name, phase, retained));
    }
    let mut elsewhere = volume("elsewhere", "Released", None);
    elsewhere["metadata"]["labels"]["govcloud.dev/region"] = "999999".into();
    stage.tell("persistentvolumes", elsewhere);
    let mut foreign = volume("foreign", "Released", None);
    foreign["metadata"]["labels"] = serde_json::json!({});
    stage.tell("persistentvolumes", foreign);
    let text = stage.text();
    let of = |name: &str, labels: &str| number(&text, &format!("govcloud_{name}{{{labels}}}"));
    for (state, expected) in [("Bound", 1), ("Unclaimed", 2), ("Other", 1), ("Retained", 1)] {
        let labels = format!(r#"region="410000",state="{state}""#);
        assert_eq!(of("volumes", &labels), Some(expected), "{state}");
    }
    let here = r#"region="410000""#;
    assert_eq!(of("unclaimed_volumes", here), Some(2), "as in govcloud_volumes");
    assert_eq!(of("unclaimed_volumes_capacity_bytes", here), Some(2 * gib));
    assert_eq!(of("retained_volumes", here), Some(1));
    assert_eq!(of("retained_volumes_capacity_bytes", here), Some(gib));
    assert_eq!(of("unclaimed_volumes", r#"region="unknown""#), Some(1), "what is written is no label");
    assert!(!text.contains("999999") && !text.contains("foreign"));
}

#[test]
fn a_region_without_such_volumes_shows_none() {
    let text = Stage::with_region().text();
    for name in ["retained_volumes", "unclaimed_volumes"] {
        assert_eq!(number(&text, &format!(r#"govcloud_{name}{{region="410000"}}"#)), Some(0), "{name}");
    }
}

#[test]
fn what_is_over_waits_on_nobody_and_is_stalled_no_more() {
    let stage = Stage::with_region();
    let kind = r#"region="410000",kind="CloudApplication""#;
    let mut rejected = application("rejected", 3);
    rejected["status"]["phase"] = "Rejected".into();
    stage.tell("cloudapplications", rejected);
    let mut void = application("void", 1);
    void["status"]["decision"]["void"] = "the guard was open".into();
    stage.tell("cloudapplications", void);
    stage.tell("cloudapplications", application("approved", 1));
    stage.tell("decommissions", exit("x", "approved"));
    let text = stage.text();
    let of = |name: &str, labels: &str| number(&text, &format!("govcloud_{name}{{{labels}}}"));
    assert_eq!(of("records", &format!(r#"{kind},phase="Rejected""#)), Some(1));
    assert_eq!(of("waiting", &format!(r#"{kind},party="Department""#)), None, "{text}");
    assert_eq!(of("stalled", &format!(r#"{kind},reason="DocumentInFuture""#)), None, "{text}");
    for (verdict, expected) in [("void", 1), ("approved", 1)] {
        assert_eq!(of("decided", &format!(r#"{kind},verdict="{verdict}""#)), Some(expected), "{verdict}");
    }
    assert_eq!(of("certificates", r#"region="410000""#), Some(1));
    for outcome in ["Retained", "Destroyed", "HandedOver"] {
        let labels = format!(r#"region="410000",outcome="{outcome}""#);
        assert_eq!(of("certified_volumes", &labels), Some(1), "{outcome}");
    }
}
