//! The text of the documents, for tests that need no control plane: links, punctuation, names.

pub mod punctuation;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::paths::in_repository;

/// All Markdown files of the repository by their paths in it.
///
/// # Errors
/// A directory that cannot be read.
pub fn all() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(Path::new(""), false, &mut found)?;
    for directory in [".github", "charts", "config", "docs", "e2e", "findings", "image", "src"] {
        collect(Path::new(directory), true, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn collect(directory: &Path, nested: bool, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(in_repository(directory))? {
        let entry = entry?;
        let path = directory.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if nested {
                collect(&path, true, found)?;
            }
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    Ok(())
}

/// The text of a document.
///
/// # Errors
/// A file that cannot be read.
pub fn read(document: impl AsRef<Path>) -> Result<String> {
    let document = document.as_ref();
    fs::read_to_string(in_repository(document)).with_context(|| document.display().to_string())
}

/// The content of all blocks that are marked with `language`.
#[must_use]
pub fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1).filter_map(|rest| rest.split_once("\n```"));
    blocks.map(|(block, _)| block.to_owned()).collect()
}

/// The lines of prose with their numbers: no code, fenced, indented or inline, and no targets of links.
#[must_use]
pub fn prose(text: &str) -> Vec<(usize, String)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with("    ") {
            let words: Vec<&str> = line.split('`').step_by(2).collect();
            lines.push((at + 1, without_targets(&words.join("`"))));
        }
    }
    lines
}

fn without_targets(line: &str) -> String {
    let mut parts = line.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "]" + part.split_once(')').map_or(part, |(_, rest)| rest))
}

/// The targets of a document's links, code aside.
#[must_use]
pub fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let words = line.split('`').step_by(2).collect::<Vec<_>>().concat();
            let after = words.split("](").skip(1).filter_map(|part| part.split_once(')'));
            targets.extend(after.map(|(target, _)| target.to_owned()));
        }
    }
    targets
}

/// The names by which links reach a document's headings: as GitHub makes them.
#[must_use]
pub fn anchors(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut anchors: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let heading = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'));
        if let Some(heading) = heading.filter(|_| !fenced) {
            let kept = |c: char| match c {
                ' ' => Some('-'),
                c => (c.is_alphanumeric() || "-_".contains(c)).then_some(c),
            };
            let name: String =
                without_targets(heading.trim()).to_lowercase().chars().filter_map(kept).collect();
            // The second heading of the same text is reached by a number.
            let same = anchors.iter().filter(|other| **other == name).count();
            anchors.push(if same == 0 { name } else { format!("{name}-{same}") });
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fault of a link in a document; `None` where it leads to a file and a heading.
    fn dead(document: &Path, target: &str) -> Option<&'static str> {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        if path.contains("://") || path.starts_with("mailto:") {
            return None;
        }
        let file = match path {
            "" => document.to_owned(),
            path => document.parent().unwrap_or(Path::new("")).join(path),
        };
        if !in_repository(&file).exists() {
            return Some("no such file");
        }
        let is_page = file.extension().is_some_and(|e| e == "md");
        let missing =
            !anchor.is_empty() && is_page && !anchors(&read(&file).unwrap()).contains(&anchor.into());
        missing.then_some("no such heading")
    }

    #[test]
    fn links_point_to_files_and_headings() {
        let mut wrong = Vec::new();
        let mut count = 0;
        for document in all().unwrap() {
            for target in links(&read(&document).unwrap()) {
                count += 1;
                let found = dead(&document, &target);
                wrong.extend(found.map(|why| format!("{}: {target}: {why}", document.display())));
            }
        }
        assert!(count > 200, "only {count} links are found");
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_licence_that_is_named_is_here() {
        for file in ["Cargo.toml", "Dockerfile", "charts/govcloud-operator/Chart.yaml"] {
            assert!(read(file).unwrap().contains("Apache-2.0"), "{file}");
        }
        let licence = read("LICENSE").unwrap();
        assert!(licence.contains("Apache License") && licence.contains("Version 2.0, January 2004"));
    }

    /// Parts of a command that only a test needs: output thrown away, and a failure that is let pass.
    fn scaffolding(text: &str) -> Vec<&str> {
        let throws_away = |line: &str| line.replace("2>/dev/null", "").contains("/dev/null");
        let needless = |line: &&str| throws_away(line) || line.contains("|| true") || line.contains("|| :");
        text.lines().filter(needless).collect()
    }

    #[test]
    fn commands_contain_nothing_that_only_a_test_needs() {
        let pages = all().unwrap().into_iter().filter(|page| !page.starts_with("docs/decisions"));
        let found = |page: PathBuf| {
            let text = read(&page).unwrap();
            let lines = scaffolding(&text).into_iter().map(|line| format!("{}: {line}", page.display()));
            lines.collect::<Vec<_>>()
        };
        let found: Vec<String> = pages.flat_map(found).collect();
        assert!(found.is_empty(), "{found:#?}");
        let page = "date -v+1d 2>/dev/null || date\na >/dev/null\nb || true\n";
        assert_eq!(scaffolding(page), ["a >/dev/null", "b || true"]);
    }

    /// Paths in inline code, below the directories of the repository; NAME stands for any name.
    fn named_files(text: &str) -> Vec<String> {
        let roots = ["src/", "e2e/", "config/", "charts/", "crds/", "docs/", "image/"];
        let path = |word: &&str| {
            roots.iter().any(|root| word.starts_with(root))
                && !word.contains("NAME")
                && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        };
        let words = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
        words.filter(path).map(str::to_owned).collect()
    }

    #[test]
    fn files_that_documents_name_exist() {
        let mut missing = Vec::new();
        let mut count = 0;
        for document in all().unwrap() {
            // Decisions and the changelog describe the past; the files of adding-a-kind.md are examples, with a test of their own.
            let other =
                ["CHANGELOG.md", "docs/adding-a-kind.md"].iter().any(|other| document == Path::new(other));
            if document.starts_with("docs/decisions") || other {
                continue;
            }
            for file in named_files(&read(&document).unwrap()) {
                count += 1;
                if !in_repository(&file).exists() {
                    missing.push(format!("{}: {file}", document.display()));
                }
            }
        }
        assert!(count > 100, "only {count} files are named");
        assert!(missing.is_empty(), "{missing:#?}");
    }

    /// findings/README.md lists each script, and each says what it shows and of which version.
    #[test]
    fn every_finding_is_listed_and_describes_itself() {
        let listed = read("findings/README.md").unwrap();
        let mut scripts = 0;
        for entry in fs::read_dir(in_repository("findings")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !name.ends_with(".sh") {
                continue;
            }
            scripts += 1;
            assert!(listed.contains(&format!("]({name})")), "{name} is not listed");
            let text = read(Path::new("findings").join(&name)).unwrap();
            for part in [
                "# Version: ",
                "# One would expect: ",
                "# Behaviour: ",
                "# Output",
                "mktemp -d",
                "trap 'rm -rf",
            ] {
                assert!(text.contains(part), "{name} has no {part:?}");
            }
        }
        assert_eq!(scripts, listed.matches(".sh) |").count(), "a script that is listed does not exist");
    }

    #[test]
    fn the_checks_can_fail() {
        let page = "见[角色](roles.md)。\n```sh\na:角\n```\n    b:角\n用 `c:角` 办理\n";
        let lines: Vec<String> = prose(page).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["见[角色]。", "用 ` 办理"]);
        assert_eq!(links(page), ["roles.md"]);
        let headings = "# A `b` (c)\n## 3. 角色，分工\n```sh\n# no\n```\n## 3. 角色，分工\n#hashtag\n";
        assert_eq!(anchors(headings), ["a-b-c", "3-角色分工", "3-角色分工-1"]);
        let readme = Path::new("README.md");
        assert_eq!(dead(readme, "docs/none.md"), Some("no such file"));
        assert_eq!(dead(readme, "docs/roles.md#none"), Some("no such heading"));
        assert_eq!(dead(readme, "#none"), Some("no such heading"));
        assert_eq!(dead(readme, "https://kubernetes.io/#none"), None);
        assert_eq!(named_files("`src/none.rs`, `src/NAME.rs`, `a/b`, `src/a b`"), ["src/none.rs"]);
    }
}
