//! What the core costs, as Criterion measured it last (`cargo bench --bench calendar --bench decide`).

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::paths;

/// Namespaces of the application that is decided on (`benches/decide.rs`).
const NAMESPACES: [usize; 3] = [1, 8, 32];

/// What is measured for each.
const DECISIONS: [&str; 7] = [
    "decide CloudApplication",
    "decide ResourceGrant",
    "decide ChangeRequest",
    "decide Decommission",
    "decide Region",
    "observe CloudApplication",
    "observe ResourceGrant",
];

/// Working days to count (`benches/calendar.rs`).
const DAYS: [u32; 3] = [3, 30, 300];

/// Nanoseconds that something took by Criterion's mean; `None` where it was not measured.
fn mean(path: &[&str]) -> Result<Option<f64>> {
    #[derive(Deserialize)]
    struct Estimates {
        mean: Estimate,
    }
    #[derive(Deserialize)]
    struct Estimate {
        point_estimate: f64,
    }
    let mut file = paths::target().join("criterion");
    file.extend(path);
    let file = file.join("new/estimates.json");
    match fs::read(&file) {
        Ok(bytes) => {
            let estimates: Estimates =
                serde_json::from_slice(&bytes).with_context(|| file.display().to_string())?;
            Ok(Some(estimates.mean.point_estimate))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}

/// A time in the unit that suits it.
fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.1} ms", n / 1e6),
    }
}

/// The table of due dates; `None` where they were not measured.
pub fn due() -> Result<Option<String>> {
    let mut out = "| due date of | time | for each working day |\n|---|--:|--:|\n".to_owned();
    for days in DAYS {
        let Some(took) = mean(&["due", &format!("{days} working days")])? else { return Ok(None) };
        let _ = writeln!(out, "| {days} working days | {} | {} |", time(took), time(took / f64::from(days)));
    }
    if let Some(took) = mean(&["tick of 10,000 deadlines due in the same second"])? {
        let _ = writeln!(out, "\n10,000 deadlines that end in the same second: {} for all.", time(took));
    }
    Ok(Some(out.trim_end().to_owned()))
}

/// The table of decisions; `None` where they were not measured.
pub fn decisions() -> Result<Option<String>> {
    let mut out = "| nothing to write | 1 namespace | 8 namespaces | 32 |\n|---|--:|--:|--:|\n".to_owned();
    for decision in DECISIONS {
        let mut row = format!("| {decision} |");
        for namespaces in NAMESPACES {
            let Some(took) = mean(&[&format!("{namespaces} namespaces"), decision])? else { return Ok(None) };
            let _ = write!(row, " {} |", time(took));
        }
        let _ = writeln!(out, "{row}");
    }
    if let Some(took) = mean(&["digest of a spec with 8 namespaces"])? {
        let _ = writeln!(out, "\nThe digest of a spec with 8 namespaces: {}.", time(took));
    }
    let kept = |what| mean(&["10000 volumes kept", what]);
    if let (Some(observed), Some(decided)) = (kept("observe Region")?, kept("decide Region")?) {
        let _ = writeln!(
            out,
            "\nA Region that keeps 10,000 volumes of those who left: observed in {}, decided on in {}.",
            time(observed),
            time(decided)
        );
    }
    Ok(Some(out.trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_unit_that_suits_it() {
        assert_eq!([time(24.4), time(4_300.0), time(1_260_000.0)], ["24 ns", "4.3 µs", "1.3 ms"]);
    }
}
