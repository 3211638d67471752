//! What the operator writes for one application, beside what is necessary.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::contest::Contest;

/// What must be written from approval to a namespace in use, for one application with one namespace, and why.
pub const NECESSARY: [(&str, usize, &str); 9] = [
    ("create resourcegrants", 1, "the work order (Art. 13)"),
    ("create namespaces", 1, "the namespace"),
    ("create resourcequotas", 1, "what was granted"),
    ("create limitranges", 1, "the region's limits"),
    ("create networkpolicies", 2, "closed by default; own namespace and DNS"),
    ("create rolebindings", 1, "who may enter"),
    ("patch cloudapplications/status", 2, "decided and notified; provisioned"),
    ("patch resourcegrants/status", 1, "in force"),
    ("create events", EVENTS, "one for each entry of the two timelines (S12)"),
];

/// Timeline entries from approval to provisioned: decided, notified, clock started; received, in force; provisioned,
/// clock met, clock started.
pub const EVENTS: usize = 8;

/// How many writes are necessary for one application.
pub fn necessary() -> usize {
    NECESSARY.iter().map(|(_, count, _)| count).sum()
}

/// Writes that are more than necessary, by line, for so many applications.
pub fn unnecessary(writes: &BTreeMap<String, usize>, applications: usize) -> BTreeMap<String, isize> {
    let needed =
        |line: &str| NECESSARY.iter().find(|(l, ..)| *l == line).map_or(0, |(_, n, _)| n * applications);
    let beyond = writes.iter().map(|(line, n)| (line.clone(), n.cast_signed() - needed(line).cast_signed()));
    beyond.filter(|(_, n)| *n > 0).collect()
}

/// The table of a contest.
pub fn table(contest: &Contest) -> String {
    let n = contest.applications as f64;
    let mut out = "| write | each | necessary | for |\n|---|--:|--:|---|\n".to_owned();
    let mut lines: BTreeMap<&str, (usize, &str)> =
        NECESSARY.iter().filter(|(_, n, _)| *n > 0).map(|(line, n, why)| (*line, (*n, *why))).collect();
    for line in contest.writes.keys() {
        lines.entry(line).or_insert((0, "—"));
    }
    for (line, (needed, why)) in lines {
        let written = contest.writes.get(line).copied().unwrap_or(0) as f64 / n;
        let _ = writeln!(out, "| {line} | {written:.2} | {needed} | {why} |");
    }
    let total = contest.writes.values().sum::<usize>() as f64 / n;
    let _ = writeln!(out, "| **all** | **{total:.2}** | **{}** | |", necessary());
    let reads = contest.reads.iter().filter(|(line, _)| !line.starts_with("watch"));
    let reads: Vec<String> = reads.map(|(line, count)| format!("{line} {:.2}", *count as f64 / n)).collect();
    let _ = write!(
        out,
        "\nReads each: {}. Refused: {}.",
        if reads.is_empty() { "none".into() } else { reads.join(", ") },
        contest.refused
    );
    out
}
