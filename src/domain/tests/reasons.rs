//! Every reason that a condition can carry has a heading in docs/troubleshooting.md, and every heading a reason.
//!
//! The reasons are read out of the core's source: whatever gives a condition its reason must do so in a form that
//! is understood here, or this fails, so that no reason slips by unexplained.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use govcloud_api::deadline::Obligation;

/// Every file of the core, without its tests.
fn core() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() && path.file_name().unwrap() != "tests" {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") && path.file_stem().unwrap() != "tests" {
                into.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
    let read = |p: PathBuf| {
        let text = fs::read_to_string(&p).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
        (p, code)
    };
    files.into_iter().map(read).collect()
}

/// The text after an opening bracket, cut into arguments at the commas of its own level.
fn arguments(after: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut arguments) = (0, false, vec![String::new()]);
    let mut before = ' ';
    for c in after.chars() {
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted && depth == 0 => break,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                arguments.push(String::new());
                before = c;
                continue;
            }
            _ => {}
        }
        arguments.last_mut().unwrap().push(c);
        before = c;
    }
    arguments.iter().map(|a| a.trim().to_owned()).filter(|a| !a.is_empty()).collect()
}

fn literal(argument: &str) -> Option<&str> {
    argument.strip_prefix('"')?.strip_suffix('"').filter(|t| !t.contains('"'))
}

fn is_reason(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The literals of a function's body, up to the brace that ends it.
fn literals_of<'a>(code: &'a str, start: &str) -> Vec<&'a str> {
    let Some((_, body)) = code.split_once(start) else { return Vec::new() };
    let end = body.find("\n    }\n").unwrap_or(body.len());
    body[..end].split('"').skip(1).step_by(2).filter(|t| is_reason(t)).collect()
}

/// Every reason with where it is given.
fn reasons() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut note = |reason: &str, at: &Path| {
        assert!(is_reason(reason), "{reason:?} in {} is not one CamelCase word", at.display());
        found.insert(reason.to_owned(), at.display().to_string());
    };
    for (path, code) in core() {
        for form in
            ["ReadyState::Ready(", "ReadyState::Reconciling(", "ReadyState::Stalled(", "Self::Stalled("]
        {
            for (at, _) in code.match_indices(form) {
                let args = arguments(&code[at + form.len()..]);
                let first = args.first().map_or("", String::as_str);
                match literal(first) {
                    Some(reason) => note(reason, &path),
                    // A finding's own reason, and the pattern that takes a standing apart.
                    None => assert!(
                        first.ends_with(".reason()") || first == "r",
                        "{}: a standing's reason in a form that this test does not read: {first}",
                        path.display()
                    ),
                }
            }
        }
        for (at, _) in code.match_indices(".condition(") {
            let args = arguments(&code[at + ".condition(".len()..]);
            let third = args[2].as_str();
            if let Some(reason) = literal(third) {
                note(reason, &path);
            } else if third == r#"&format!("{o:?}Overdue")"# {
                for o in obligations() {
                    note(&format!("{o:?}Overdue"), &path);
                }
            } else if third == "reason" {
                // A local of that name, chosen among literals, or the standing's.
                let chosen = code[..at].rsplit_once("let reason = ").map_or("", |(_, l)| l);
                let statement = chosen.split("};").next().unwrap_or_default();
                for reason in statement.split('"').skip(1).step_by(2).filter(|t| is_reason(t)) {
                    note(reason, &path);
                }
            } else {
                assert!(third.ends_with(".reason()"), "{}: a condition's reason: {third}", path.display());
            }
        }
        for reason in literals_of(&code, "pub fn reason(&self) -> &'static str {") {
            note(reason, &path);
        }
    }
    found
}

/// Every obligation; a new one does not compile until it stands here.
fn obligations() -> Vec<Obligation> {
    use Obligation::*;
    let all = vec![Review, Provision, GoLive, GoLiveReport, Change, Reclaim, Migration, MaintenanceReport];
    for o in &all {
        match o {
            Review | Provision | GoLive | GoLiveReport | Change | Reclaim | Migration | MaintenanceReport => {
            }
        }
    }
    all
}

#[test]
fn every_reason_has_its_heading_and_every_heading_its_reason() {
    let reasons = reasons();
    assert!(reasons.len() > 70, "only {} reasons were found: {reasons:#?}", reasons.len());
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/troubleshooting.md")).unwrap();
    let mut headings = BTreeSet::new();
    for section in page.split("\n### ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        for reason in title.split(", ") {
            assert!(headings.insert(reason.to_owned()), "{reason} has two headings");
        }
        let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese && text.contains("**Who:**"), "{title}: says not in both languages, or not who acts");
    }
    let missing: Vec<_> = reasons.iter().filter(|(r, _)| !headings.contains(*r)).collect();
    let idle: Vec<_> = headings.iter().filter(|h| !reasons.contains_key(*h)).collect();
    assert!(missing.is_empty(), "reasons without a heading in docs/troubleshooting.md: {missing:#?}");
    assert!(idle.is_empty(), "headings without a reason: {idle:?}");
    println!("reasons: {} of the core, each with its heading", reasons.len());
}

#[test]
fn arguments_are_cut_at_their_own_commas() {
    assert_eq!(arguments(r#"f(a, b), "x, )y", [1, 2]) + 3"#), [r#"f(a, b)"#, r#""x, )y""#, "[1, 2]"]);
}
