//! The text of the documents, for tests that need no control plane: links, punctuation, names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::paths::in_repository;

/// All Markdown files of the repository's first level and of `docs`, by their paths in the repository.
///
/// # Errors
/// A directory that cannot be read.
pub fn all() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(Path::new(""), false, &mut found)?;
    collect(Path::new("docs"), true, &mut found)?;
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

/// Returns true for a Chinese character.
#[must_use]
pub fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Half-width punctuation beside a Chinese character (GB/T 15834 asks for full-width), with its neighbours.
///
/// In a page that is Chinese throughout one neighbour is enough; elsewhere both must be Chinese.
#[must_use]
pub fn half_width(line: &str, chinese_page: bool) -> Option<String> {
    let chars: Vec<char> = line.chars().collect();
    let marks: &[char] =
        if chinese_page { &[',', ';', ':', '!', '?', '(', ')'] } else { &[',', ';', ':', '!', '?'] };
    (0..chars.len()).find_map(|at| {
        let beside = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(|c| is_han(*c));
        let (before, after) = (beside(at.checked_sub(1)), beside(Some(at + 1)));
        let wrong = if chinese_page { before || after } else { before && after };
        (marks.contains(&chars[at]) && wrong)
            .then(|| chars[at.saturating_sub(4)..chars.len().min(at + 5)].iter().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns true for a page that is Chinese throughout.
    fn is_chinese(document: &Path) -> bool {
        document == Path::new("README.zh.md") || document.starts_with("docs/zh")
    }

    #[test]
    fn links_point_to_files() {
        let mut dead = Vec::new();
        for document in all().unwrap() {
            for target in links(&read(&document).unwrap()) {
                let path = target.split('#').next().unwrap_or_default();
                let outside = path.contains("://") || path.starts_with("mailto:") || path.is_empty();
                let directory = document.parent().unwrap_or(Path::new(""));
                if !outside && !in_repository(directory.join(path)).exists() {
                    dead.push(format!("{}: {target}", document.display()));
                }
            }
        }
        assert!(dead.is_empty(), "{dead:#?}");
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

    #[test]
    fn chinese_text_has_full_width_punctuation() {
        let mut wrong = Vec::new();
        let mut chinese = 0;
        for document in all().unwrap() {
            let text = read(&document).unwrap();
            chinese += usize::from(is_chinese(&document));
            let mut lines = prose(&text);
            if is_chinese(&document) {
                // Comments of manifests are Chinese text too.
                let comments = blocks(&text, "yaml").join("\n");
                let comments = comments.lines().filter_map(|l| Some(l.split_once('#')?.1.to_owned()));
                lines.extend(comments.map(|c| (0, c)));
            }
            for (at, line) in lines {
                if let Some(found) = half_width(&line, is_chinese(&document)) {
                    wrong.push(format!("{}:{at}: {found}", document.display()));
                }
            }
        }
        assert!(chinese > 10, "only {chinese} Chinese pages are found");
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_checks_can_fail() {
        for line in ["申请,审核", "审核(第十二条)", "上线:GoLive", "GoLive:上线"] {
            assert!(half_width(line, true).is_some(), "{line}");
        }
        for line in ["申请，审核（第十二条）：Live", "24:00", "见 docs/roles.md, 其余"] {
            assert_eq!(half_width(line, true), None, "{line}");
        }
        assert!(half_width("the record 申请,审核 waits", false).is_some());
        assert_eq!(half_width("the authority (主管部门), who decides", false), None);
        let page = "见[角色](roles.md)。\n```sh\na:角\n```\n    b:角\n用 `c:角` 办理\n";
        let lines: Vec<String> = prose(page).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["见[角色]。", "用 ` 办理"]);
        assert_eq!(links(page), ["roles.md"]);
        assert_eq!(named_files("`src/none.rs`, `src/NAME.rs`, `a/b`, `src/a b`"), ["src/none.rs"]);
    }
}
