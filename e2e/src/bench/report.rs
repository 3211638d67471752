//! The results as tables in `docs/performance.md`, between marks that say which is whose.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contest::Contest;
use super::fairness::Fairness;
use super::figures::Spread;
use super::latency::Latency;
use super::machine::Machine;
use super::other::Amendments;
use super::restart::Restart;
use super::scale::{Scale, Step};
use super::timers::Timers;
use super::{criterion, plot, writes};
use crate::paths;

/// Where results are kept.
pub fn dir() -> PathBuf {
    paths::target().join("bench")
}

/// Writes a result, with the machine as it was.
pub fn save<T: Serialize>(name: &str, result: &T) -> Result<()> {
    fs::create_dir_all(dir())?;
    let file = dir().join(format!("{name}.json"));
    fs::write(&file, serde_json::to_vec_pretty(result)?).with_context(|| file.display().to_string())
}

/// A result that was measured before; `None` where it was not.
pub fn load<T: DeserializeOwned>(name: &str) -> Result<Option<T>> {
    match fs::read(dir().join(format!("{name}.json"))) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).with_context(|| name.to_owned())?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| name.to_owned()),
    }
}

/// The contests of a course that were measured, by number of applications.
pub fn contests(course: &str) -> Result<Vec<Contest>> {
    let mut found = Vec::new();
    let Ok(files) = fs::read_dir(dir()) else { return Ok(found) };
    for file in files {
        let name = file?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&format!("{course}-"))
            && let Some(name) = name.strip_suffix(".json")
        {
            found.extend(load::<Contest>(name)?);
        }
    }
    found.sort_by_key(|c| c.applications);
    Ok(found)
}

/// Puts every table that there are results for into a page, and the plots beside it.
pub fn write(page: &Path) -> Result<()> {
    let mut text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let provision = contests("provision")?;
    let exit = contests("exit")?;
    let scale = load::<Scale>("scale")?;
    let blocks = [
        ("machine", load::<Machine>("machine")?.map(|m| machine(&m))),
        ("ratio", (!provision.is_empty()).then(|| ratio(&provision))),
        ("exit", (!exit.is_empty()).then(|| ratio(&exit))),
        ("writes", provision.last().map(writes::table)),
        ("latency", load::<Latency>("latency")?.map(|l| latency(&l))),
        ("memory", scale.as_ref().map(memory)),
        ("restart", scale.as_ref().map(restart)),
        ("timers", load::<Timers>("timers")?.map(|t| timers(&t))),
        ("fairness", load::<Fairness>("fairness")?.map(|f| fairness(&f))),
        ("due", criterion::due()?),
        ("decisions", criterion::decisions()?),
    ];
    for (name, block) in blocks {
        if let Some(block) = block {
            text = replace(&text, name, &block)?;
        }
    }
    fs::write(page, text)?;
    plot::draw(&page.with_file_name("performance"), &provision, scale.as_ref())
}

/// Replaces what stands between the marks of a block.
fn replace(text: &str, name: &str, block: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- bench {name} -->"), format!("<!-- end {name} -->"));
    let (before, rest) = text.split_once(&begin).with_context(|| format!("no {begin} in the page"))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("no {end} in the page"))?;
    Ok(format!("{before}{begin}\n{block}\n{end}{after}"))
}

fn machine(m: &Machine) -> String {
    format!(
        "Measured {} on {} ({} cores, {:.0} GiB, Linux {}); 4 KiB are on disk after {:.2} ms (p50), {:.2} ms (p99). \
         Load before the first measurement: {:.1}.",
        m.at,
        m.processor,
        m.cores,
        m.memory as f64 / 1024f64.powi(3),
        m.kernel,
        m.sync.p50,
        m.sync.p99,
        m.load
    )
}

fn ratio(contests: &[Contest]) -> String {
    let mut out = "| applications | pairs | operator, s | bare client, s | ratio (median) | ratios | and approvals, s | by that | \
                   costless, s | by that | it by the bare client | operator, ms each | its processor time, ms each | writes each |\n\
                   |--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for c in contests {
        let of = |f: fn(&super::contest::Pair) -> f64| c.median(|p| Some(f(p))).unwrap_or_default();
        let shown = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), |f| format!("{f:.2}"));
        let n = c.applications as f64;
        let spread = range(c.pairs.iter().map(super::contest::Pair::ratio));
        let _ = writeln!(
            out,
            "| {} | {} | {:.2} | {:.2} | **{:.2}** | {spread} | {:.2} | {:.2} | {} | {} | {} | {:.2} | {:.2} | {:.2} |",
            c.applications,
            c.pairs.len(),
            of(|p| p.operator),
            of(|p| p.raw),
            c.ratio(),
            of(|p| p.with_approvals()),
            of(|p| p.operator / p.with_approvals()),
            shown(c.median(|p| p.costless)),
            shown(c.median(|p| Some(p.operator / p.costless?))),
            shown(c.median(|p| Some(p.costless? / p.raw))),
            c.each_ms(),
            of(|p| p.cpu) * 1000.0 / n,
            c.writes.values().sum::<usize>() as f64 / n,
        );
    }
    out.trim_end().to_owned()
}

/// The least and the most of what was measured.
fn range(all: impl Iterator<Item = f64> + Clone) -> String {
    let (least, most) = (all.clone().fold(f64::INFINITY, f64::min), all.fold(0.0, f64::max));
    format!("{least:.2}–{most:.2}")
}

fn spread_row(name: &str, s: &Spread) -> String {
    format!("| {name} | {} | {:.1} | {:.1} | {:.1} |\n", s.count, s.p50, s.p99, s.max)
}

const SPREAD: &str = "| ms | count | p50 | p99 | longest |\n|---|--:|--:|--:|--:|\n";

fn latency(l: &Latency) -> String {
    let rows = [
        spread_row("operator", &l.operator),
        spread_row("bare watcher, all that the operator writes until then", &l.same),
        spread_row("bare watcher, the namespace and what is in it", &l.bare),
    ];
    let mut out = SPREAD.to_owned() + &rows.concat();
    let _ = writeln!(
        out,
        "\nIn the same second the operator is **{:.1} ms** later than the bare watcher with all that it writes (median of {} \
         pairs; half of them lie between {:.1} and {:.1}).",
        l.later.p50, l.operator.count, l.later.p25, l.later.p75
    );
    out += "\nWhat the operator asks meanwhile, and when; milliseconds after the approval, medians.\n\n";
    out += "| request | each | first arrives | last answered |\n|---|--:|--:|--:|\n";
    for asked in &l.story {
        let _ = writeln!(out, "| {} | {:.2} | {:.1} | {:.1} |", asked.line, asked.each, asked.from, asked.to);
    }
    out.trim_end().to_owned()
}

fn amendments(when: &str, a: &Amendments) -> String {
    spread_row(&format!("{when}: its request"), &a.requests)
        + &spread_row(&format!("{when}: the operator's word"), &a.words)
}

/// By how much both became slower.
fn slower(alone: &Amendments, meanwhile: &Amendments) -> String {
    format!(
        "The p99 of the operator's word is **{:.1}** times what it is alone, that of a request that the operator has no part \
         in {:.1} times.",
        meanwhile.words.p99 / alone.words.p99,
        meanwhile.requests.p99 / alone.requests.p99
    )
}

fn fairness(f: &Fairness) -> String {
    let while_filed = format!("while one files {}", f.flood);
    let rows = [
        amendments("alone", &f.alone),
        amendments(&while_filed, &f.meanwhile),
        spread_row("no operator runs, alone: its request", &f.unheard_alone),
        spread_row(&format!("no operator runs, {while_filed}: its request"), &f.unheard_meanwhile),
    ];
    format!(
        "{SPREAD}{}\n{} Where no operator runs at all it takes **{:.1}** times as long.",
        rows.concat(),
        slower(&f.alone, &f.meanwhile),
        f.unheard_meanwhile.p99 / f.unheard_alone.p99
    )
}

fn timers(t: &Timers) -> String {
    let rows = [
        spread_row(&format!("lateness of {} reports", t.deadlines), &t.lateness),
        amendments("another, alone", &t.others_alone),
        amendments("another, meanwhile", &t.others_meanwhile),
    ];
    format!(
        "{SPREAD}{}\nThe bare client takes {:.1} s for the reports' {} writes; the operator and what measures it used {:.1} s of \
         processor time in one process. {}",
        rows.concat(),
        t.raw,
        2 * t.deadlines,
        t.cpu,
        slower(&t.others_alone, &t.others_meanwhile)
    )
}

fn memory(s: &Scale) -> String {
    let mib = |bytes: u64| bytes as f64 / 1024f64.powi(2);
    let mut out = format!(
        "Idle, with two regions: **{:.1} MiB**.\n\n| active applications | after provisioning, MiB | new process, MiB | \
         KiB each | KiB each further | objects held for each | of them packed, KiB |\n|--:|--:|--:|--:|--:|--:|--:|\n",
        mib(s.idle)
    );
    let mut before: Option<&Step> = None;
    for step in &s.steps {
        let further = before.map_or("–".to_owned(), |b| {
            let bytes = step.restarted as f64 - b.restarted as f64;
            format!("**{:.2}**", bytes / (step.applications - b.applications) as f64 / 1024.0)
        });
        let (objects, packed) = step.held;
        let each = |amount: usize| amount as f64 / step.applications as f64;
        let _ = writeln!(
            out,
            "| {} | {:.1} | {:.1} | **{:.2}** | {further} | {:.2} | {:.2} |",
            step.applications,
            mib(step.provisioned),
            mib(step.restarted),
            s.each(step) / 1024.0,
            each(objects),
            each(packed) / 1024.0
        );
        before = Some(step);
    }
    out.trim_end().to_owned()
}

fn restart(s: &Scale) -> String {
    let mut out = "| active applications | requests a minute at rest | leases beside | processor time in it, s | restarts | bare LISTs, s | \
                   its first LIST, s | its last LIST answered, s | approval that waited served, s | beyond bare LISTs, s | \
                   all looked at again, s | beyond bare LISTs, s | LISTs | writes |\n\
                   |--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    for step in &s.steps {
        let figure = |of: fn(&Restart) -> f64| {
            let all = step.restarts.iter().map(of);
            format!("{:.2} ({})", Restart::median_of(&step.restarts, of), range(all))
        };
        let count = |of: fn(&Restart) -> usize| step.restarts.iter().map(of).max().unwrap_or(0);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.2} | {} | {} | {:.2} | {} | {} | **{}** | {} | **{}** | {} | {} |",
            step.applications,
            step.at_rest,
            step.leases,
            step.rest_cpu,
            step.restarts.len(),
            figure(|r| r.lists),
            Restart::median_of(&step.restarts, |r| r.begun),
            figure(|r| r.listed),
            figure(|r| r.first_served),
            figure(|r| r.first_served - r.lists),
            figure(|r| r.verified),
            figure(|r| r.verified - r.lists),
            count(|r| r.lists_of_start),
            count(|r| r.writes)
        );
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = "a\n<!-- bench x -->\nold\n<!-- end x -->\nb\n";
        assert_eq!(replace(page, "x", "new").unwrap(), "a\n<!-- bench x -->\nnew\n<!-- end x -->\nb\n");
        assert!(replace(page, "y", "new").is_err());
    }
}
