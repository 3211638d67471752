//! The results as Markdown: printed, and kept in `target/bench`, from which `e2e/bench/page` puts them into the document.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use e2e::{paths, say};

use crate::stats::{Distribution, median};

/// A table in Markdown; cells are separated by ` | `.
pub fn table(columns: &str, rows: impl IntoIterator<Item = String>) -> String {
    let aligned = "--:|".repeat(columns.matches(" | ").count());
    let rows: String = rows.into_iter().map(|row| format!("\n| {row} |")).collect();
    format!("| {columns} |\n|---|{aligned}{rows}")
}

/// Distributions by their names.
pub type Rows = Vec<(String, Distribution)>;

/// A table of distributions in milliseconds.
pub fn distributions(rows: &[(String, Distribution)]) -> String {
    let row = |(name, d): &(String, Distribution)| {
        format!("{name} | {} | {:.1} | {:.1} | {:.1}", d.count, d.p50, d.p99, d.max)
    };
    table("ms | count | p50 | p99 | longest", rows.iter().map(row))
}

/// Figures of one run by their names.
pub type Figures = Vec<(String, f64)>;

pub fn named<const N: usize>(figures: [(&str, f64); N]) -> Figures {
    figures.map(|(name, figure)| (name.to_owned(), figure)).into()
}

/// A figure of a run; 0 where it has none, as of requests that it did not send.
pub fn figure(figures: &Figures, name: &str) -> f64 {
    figures.iter().find(|(n, _)| n == name).map_or(0.0, |(_, figure)| *figure)
}

/// A table of figures: medians and ranges of the runs at each number of applications.
pub fn figures(numbers: &[usize], runs: &[Vec<Figures>]) -> String {
    let row = |(name, _): &(String, f64)| {
        let cell = |runs: &Vec<Figures>| format!(" | {}", spread(runs.iter().map(|run| figure(run, name))));
        name.clone() + &runs.iter().map(cell).collect::<String>()
    };
    let columns: String =
        numbers.iter().zip(runs).map(|(n, runs)| format!(" | {n} ({} ×)", runs.len())).collect();
    table(&format!("applications{columns}"), runs[0][0].iter().map(row))
}

/// The median of some values, and their range where there are several.
pub fn spread(values: impl Iterator<Item = f64> + Clone) -> String {
    let (least, most) = values.clone().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
    if !(least.is_finite() && most.is_finite()) || least > most {
        // A ratio to nothing.
        return "–".to_owned();
    }
    let range = if least < most { format!(" ({least:.2}–{most:.2})") } else { String::new() };
    format!("{:.2}{range}", median(values))
}

/// A plot with a line for each figure. Mermaid has no legend: the title names the lines.
pub fn plot(numbers: &[usize], runs: &[Vec<Figures>], lines: &[&str]) -> String {
    let line = |name: &&str| {
        let median = |runs: &Vec<Figures>| median(runs.iter().map(|run| figure(run, name)));
        let medians: Vec<f64> = runs.iter().map(median).collect();
        format!("    line {medians:.2?}\n")
    };
    let (title, lines) = (lines.join("; "), lines.iter().map(line).collect::<String>());
    format!(
        "```mermaid\nxychart-beta\n    title \"{title}\"\n    x-axis \"applications\" {numbers:?}\n{lines}```"
    )
}

/// Prints a block of the document and writes it to its file, with the date and the commit.
pub fn save(name: &str, block: &str) -> Result<()> {
    let git = Command::new("git").args(["describe", "--always", "--dirty", "--exclude=*"]).output();
    let commit = git.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    let block = format!("{block}\n\nMeasured {now} at {commit}.");
    say!("{name}\n\n{block}\n");
    let directory = paths::target().join("bench");
    fs::create_dir_all(&directory)?;
    fs::write(directory.join(format!("{name}.md")), block + "\n").with_context(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_a_table() {
        let run = |seconds| named([("operator, s", seconds), ("writes each", 18.0)]);
        let table = figures(&[200], &[vec![run(1.0), run(2.0), run(4.0)]]);
        let rows = "| operator, s | 2.00 (1.00–4.00) |\n| writes each | 18.00 |";
        assert_eq!(table, format!("| applications | 200 (3 ×) |\n|---|--:|\n{rows}"));
    }
}
