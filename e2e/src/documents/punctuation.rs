//! Half-width punctuation in Chinese text, for which GB/T 15834 asks for full-width.

/// Returns true for a Chinese character.
#[must_use]
pub fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Half-width punctuation beside a Chinese character, in a page that is Chinese throughout, with its neighbours.
#[must_use]
pub fn half_width(line: &str) -> Option<String> {
    let chars: Vec<char> = line.chars().collect();
    let wrong = |at: usize| {
        let beside = |i: Option<usize>| i.and_then(|i| chars.get(i)).is_some_and(|c| is_han(*c));
        ",;:!?()".contains(chars[at]) && (beside(at.checked_sub(1)) || beside(Some(at + 1)))
    };
    (0..chars.len()).find(|at| wrong(*at)).map(|at| excerpt(&chars, at))
}

/// Half-width punctuation beside Chinese characters, in a line that may also hold English, code or a manifest.
///
/// There an English mark after a Chinese word, as in `通知: the notice`, `{zh: 河南省, en: Henan}` or `the notice (通知).`,
/// is right.
#[must_use]
pub fn half_width_in_mixed(line: &str) -> Option<String> {
    let chars: Vec<char> = line.chars().collect();
    let wrong = |at: usize| match chars[at] {
        ',' | ';' | ':' | '!' | '?' => is_wrong_mark(&chars, at),
        '(' => is_wrong_bracket(&chars, at),
        '（' => is_closed_half_width(&chars[at + 1..]),
        '.' => is_wrong_stop(&chars, at),
        _ => false,
    };
    (0..chars.len()).find(|at| wrong(*at)).map(|at| excerpt(&chars, at))
}

fn excerpt(chars: &[char], at: usize) -> String {
    chars[at.saturating_sub(4)..chars.len().min(at + 5)].iter().collect()
}

/// Returns true for a Chinese character, and for Chinese punctuation; false for none.
fn is_chinese(c: Option<&char>) -> bool {
    c.is_some_and(|c| is_han(*c) || matches!(c, '\u{3001}'..='\u{303f}' | '\u{ff01}'..='\u{ff5e}'))
}

fn before_spaces(chars: &[char], at: usize) -> Option<&char> {
    chars[..at].iter().rev().find(|c| !c.is_whitespace())
}

fn after_spaces(chars: &[char], at: usize) -> Option<&char> {
    chars[at + 1..].iter().find(|c| !c.is_whitespace())
}

/// A comma or the like before a Chinese word, or after one and before anything but a space.
fn is_wrong_mark(chars: &[char], at: usize) -> bool {
    let next = chars.get(at + 1);
    let follows_chinese = at > 0 && is_chinese(chars.get(at - 1));
    let ends_a_word = next.is_some_and(|c| !c.is_whitespace()) || is_chinese(after_spaces(chars, at));
    next.is_some_and(|c| is_han(*c)) || (follows_chinese && ends_a_word)
}

/// A bracket that is joined to a Chinese word on its left, or to one on its right and to any on its left.
fn is_wrong_bracket(chars: &[char], at: usize) -> bool {
    let joined = at > 0 && !chars[at - 1].is_whitespace();
    let opens_chinese = is_chinese(chars.get(at + 1));
    let follows_chinese = is_chinese(before_spaces(chars, at));
    (joined && (opens_chinese || follows_chinese)) || (opens_chinese && follows_chinese)
}

/// Returns true if the text after a full-width bracket closes it with a half-width one.
fn is_closed_half_width(rest: &[char]) -> bool {
    let mut depth = 0;
    for c in rest {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return true,
            ')' => depth -= 1,
            '）' => return false,
            _ => {}
        }
    }
    false
}

/// A full stop before a Chinese word, or at the end of a text that has no letter of ours.
fn is_wrong_stop(chars: &[char], at: usize) -> bool {
    let text: Vec<char> = chars[..at].iter().rev().copied().take_while(|c| !"\"':#/|".contains(*c)).collect();
    let ends = chars.get(at + 1).is_none_or(|c| c.is_whitespace() || "\"'".contains(*c));
    let chinese_only = !text.iter().any(char::is_ascii_alphabetic);
    is_chinese(text.first()) && (chars.get(at + 1).is_some_and(|c| is_han(*c)) || (ends && chinese_only))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::documents::{all, blocks, prose, read};
    use crate::paths::in_repository;

    /// Returns true for a page that is Chinese throughout.
    fn is_in_chinese(document: &Path) -> bool {
        document == Path::new("README.zh.md") || document.starts_with("docs/zh")
    }

    #[test]
    fn chinese_text_of_documents_has_full_width_punctuation() {
        let mut wrong = Vec::new();
        let mut chinese = 0;
        for document in all().unwrap() {
            let text = read(&document).unwrap();
            let in_chinese = is_in_chinese(&document);
            chinese += usize::from(in_chinese);
            let mut lines = prose(&text);
            if in_chinese {
                // Comments of manifests are Chinese text too.
                let comments = blocks(&text, "yaml").join("\n");
                let comments = comments.lines().filter_map(|l| Some(l.split_once('#')?.1.to_owned()));
                lines.extend(comments.map(|c| (0, c)));
            }
            let check = if in_chinese { half_width } else { half_width_in_mixed };
            let found = lines.iter().filter_map(|(at, line)| Some((at, check(line)?)));
            wrong.extend(found.map(|(at, found)| format!("{}:{at}: {found}", document.display())));
        }
        assert!(chinese > 10, "only {chinese} Chinese pages are found");
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    /// All files below a directory that are text, with their paths.
    fn texts(directory: &Path) -> Vec<(PathBuf, String)> {
        let entries = fs::read_dir(in_repository(directory)).unwrap().map(Result::unwrap);
        let of = |entry: fs::DirEntry| {
            let path = directory.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                return texts(&path);
            }
            fs::read_to_string(entry.path()).ok().map(|text| (path, text)).into_iter().collect()
        };
        entries.flat_map(of).collect()
    }

    /// Manifests, policies, samples, health scripts, messages and comments.
    #[test]
    fn chinese_text_of_sources_has_full_width_punctuation() {
        let mut wrong = Vec::new();
        let mut chinese = BTreeMap::new();
        for root in ["config", "charts", "crds", ".github", "image", "src", "e2e"] {
            for (path, text) in texts(Path::new(root)) {
                // The checks of documents hold examples of what is wrong.
                if path.starts_with("e2e/src/documents") || path == Path::new("e2e/src/documents.rs") {
                    continue;
                }
                *chinese.entry(root).or_insert(0) += usize::from(text.contains(is_han));
                for (at, line) in text.lines().enumerate() {
                    let found = half_width_in_mixed(line);
                    wrong.extend(found.map(|found| format!("{}:{}: {found}", path.display(), at + 1)));
                }
            }
        }
        assert!(
            ["config", "charts", "crds", "src", "e2e"].iter().all(|root| chinese[root] > 5),
            "{chinese:?}"
        );
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn the_check_can_fail() {
        for line in ["申请,审核", "审核(第十二条)", "上线:GoLive", "GoLive:上线"] {
            assert!(half_width(line).is_some(), "{line}");
        }
        for line in ["申请，审核（第十二条）：Live", "24:00", "见 docs/roles.md, 其余"] {
            assert_eq!(half_width(line), None, "{line}");
        }
        for line in [
            "the record 申请,审核 waits",
            "申请, 审核",
            "不算审核权;approve 须按名授予",
            "区域允许的:' + variables.allowed",
            "同意' : '否决') + ',不能更改",
            "退出(第十六条)",
            "Decommission(第十六条)",
            "退出 (第十六条)",
            "撤销(现为 ' + variables.old + ')",
            "撤销（现为 ' + string(variables.old) + ') / now",
            "调整.方案",
            "    /// 调整方案.",
            "description: 调整方案.",
            "\"zh\": \"调整方案.\"",
        ] {
            assert!(half_width_in_mixed(line).is_some(), "{line}");
        }
        for line in [
            "the authority (主管部门), who decides",
            "/// 申请: the record, filed (Art. 11)",
            "/// 上云技术方案 (Art. 11)",
            "{zh: 河南省, en: Henan}",
            "such as 国庆节.",
            "撤销（现为 ' + string(variables.old) + '） / now (it is ' + variables.old + ')'",
        ] {
            assert_eq!(half_width_in_mixed(line), None, "{line}");
        }
    }
}
