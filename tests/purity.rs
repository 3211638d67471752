//! `src/core` names no client, no runtime and no clock (design, section 8): what it decides follows from what
//! it is given, and from nothing else.

use std::fs;
use std::path::{Path, PathBuf};

/// What the core must not name, as it would stand in code. `std::env!` and `include_str!` are read by the
/// compiler, not by the operator.
const FORBIDDEN: [&str; 24] = [
    "tokio",
    "futures",
    "async ",
    ".await",
    "kube::Client",
    "kube::client",
    "kube::Api",
    "kube::api",
    "kube::runtime",
    "reqwest",
    "hyper",
    "std::time",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "rand::",
    "std::fs",
    "std::net",
    "std::env::",
    "std::process",
    "std::thread",
    "crate::shell",
];

fn rust_files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Whether a file holds only tests: `tests.rs`, `properties.rs`, or anything under such a directory.
fn only_tests(path: &Path) -> bool {
    path.iter().any(|part| matches!(part.to_str(), Some("tests" | "tests.rs" | "properties.rs")))
}

/// The code of a file without comments, strings and what follows its test module.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The forbidden words that stand in some code, as whole words: `.await` is not in `.await_review(`.
fn offences(code: &str) -> Vec<&'static str> {
    let whole = |word: &str| {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let open = !word.ends_with(part);
        code.match_indices(word).any(|(at, _)| open || !code[at + word.len()..].starts_with(part))
    };
    FORBIDDEN.into_iter().filter(|word| whole(word)).collect()
}

#[test]
fn the_core_names_no_client_no_runtime_and_no_clock() {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core"), &mut files);
    files.retain(|f| !only_tests(f));
    assert!(files.len() > 30, "only {} files were looked at", files.len());
    let found: Vec<String> = files
        .iter()
        .flat_map(|f| {
            let words = offences(&code(&fs::read_to_string(f).unwrap()));
            words.into_iter().map(move |w| format!("{}: {w}", f.display()))
        })
        .collect();
    assert!(found.is_empty(), "the core must stay pure:\n{}", found.join("\n"));
}

#[test]
fn an_impure_line_is_found_and_a_comment_or_a_test_is_not() {
    assert_eq!(offences(&code("let now = jiff::Timestamp::now();")), ["Timestamp::now"]);
    assert_eq!(offences(&code("use kube::{Api};\nuse kube::Api;")), ["kube::Api"]);
    assert!(offences(&code("self.await_review();")).is_empty());
    assert_eq!(offences(&code("read().await?")), [".await"]);
    assert!(offences(&code("// tokio is not here\nlet a = env!(\"X\");")).is_empty());
    assert!(offences(&code("fn a() {}\n#[cfg(test)]\nmod tests { use std::fs; }")).is_empty());
}

/// Every dependency of the core by its own use lines: anything else must be let in here on purpose.
#[test]
fn the_core_uses_only_these_crates() {
    const KNOWN: [&str; 13] = [
        "bigdecimal",
        "crate",
        "foldhash",
        "jiff",
        "k8s_openapi",
        "schemars",
        "self",
        "serde",
        "serde_json",
        "sha2",
        "std",
        "super",
        "thiserror",
    ];
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core"), &mut files);
    for f in files.iter().filter(|f| !only_tests(f)) {
        for line in code(&fs::read_to_string(f).unwrap()).lines() {
            let Some(path) = line.trim_start().trim_start_matches("pub ").strip_prefix("use ") else {
                continue;
            };
            let name = path.split("::").next().unwrap_or_default().trim_end_matches(';');
            // A module of the file's own: beside a mod.rs, or in the directory that bears the file's name.
            let dir =
                if f.ends_with("mod.rs") { f.parent().unwrap().to_owned() } else { f.with_extension("") };
            let own = dir.join(name).with_extension("rs").exists();
            // A type's variants are brought in by the type's name.
            let variants = name.starts_with(char::is_uppercase);
            assert!(KNOWN.contains(&name) || own || variants, "{}: {line}", f.display());
        }
    }
}
