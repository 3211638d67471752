//! How answers are written: language, machine-readable formats, tables.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{Row, Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use govcloud_domain::calendar::CHINA;

/// Machine-readable output.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, one document.
    Json,
    /// YAML, one document.
    Yaml,
}

/// Language of what people read.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// The locale's language, by `LC_ALL`, `LC_MESSAGES` and `LANG` in this order: English where the first
    /// that is set says so, else Chinese, the language of the measures.
    pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|v| !v.is_empty());
        if set.is_some_and(|locale| locale.starts_with("en")) { Self::En } else { Self::Zh }
    }

    /// One of two wordings.
    pub(super) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// This language's half of a sentence in both, `zh / en`, as the operator and the policies write them.
    ///
    /// Both halves may quote the same text with the same separator in it, so the middle one parts them.
    pub(super) fn half(self, both: &str) -> &str {
        let places: Vec<usize> = both.match_indices(" / ").map(|(at, _)| at).collect();
        if places.len().is_multiple_of(2) {
            return both;
        }
        let at = places[places.len() / 2];
        self.pick(&both[..at], &both[at + 3..])
    }
}

/// Writes one machine-readable document.
///
/// # Errors
/// Where `out` fails.
pub(super) fn write(answer: &impl Serialize, format: Format, out: &mut impl Write) -> io::Result<()> {
    let text = match format {
        Format::Json => serde_json::to_string(answer).map_err(io::Error::other)?,
        Format::Yaml => serde_saphyr::to_string(answer).map_err(io::Error::other)?,
    };
    writeln!(out, "{}", text.trim_end())
}

/// A table as kubectl prints them: no lines, columns two blanks apart, a Chinese character two columns wide.
pub(super) fn table<R: Into<Row>>(
    header: Option<R>,
    rows: impl IntoIterator<Item = R>,
    indent: usize,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(header) = header {
        table.set_header(header);
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let margin = " ".repeat(indent);
    table.lines().map(|line| format!("{margin}{}", line.trim_end()).trim_end().to_owned() + "\n").collect()
}

/// The text with everything that would steer a terminal, or hide or turn around what stands beside it, spelled
/// out: what is decided must be what was seen, whoever wrote it.
pub(super) fn visible(text: &str) -> String {
    let steers = |c: char| c.is_control() && c != '\n';
    let hides = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    text.chars()
        .map(|c| if steers(c) || hides(c) { c.escape_unicode().to_string() } else { c.to_string() })
        .collect()
}

/// An instant as people in China read it.
pub(super) fn local(at: Timestamp) -> String {
    CHINA.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn columns_stand_under_each_other_whatever_is_in_them() {
        let rows =
            [vec!["名称", "x", "末"], vec!["capp/travel", "交通出行服务平台", "末"], vec!["", "y", "末"]];
        let text = table(None, rows, 2);
        let starts: Vec<usize> = text.lines().map(|l| l[..l.find('末').unwrap()].width()).collect();
        assert!(starts.iter().all(|s| *s == starts[0]), "{text}");
        assert!(text.lines().all(|l| l.starts_with("  ")));
    }

    #[test]
    fn a_sentence_in_both_languages_is_parted_in_the_middle() {
        assert_eq!(Lang::Zh.half("甲 / a"), "甲");
        assert_eq!(Lang::En.half("退回:见 x / y / returned: see x / y"), "returned: see x / y");
        assert_eq!(Lang::En.half("neither"), "neither");
        assert_eq!(Lang::Zh.half("a / b / c"), "a / b / c", "no middle, nothing is cut");
    }

    #[test]
    fn nothing_steers_the_terminal_or_hides() {
        assert_eq!(visible("同意\n\u{1b}[2Kab\u{202e}c\r"), "同意\n\\u{1b}[2Kab\\u{202e}c\\u{d}");
    }

    #[test]
    fn times_are_those_of_china() {
        assert_eq!(local("2026-11-23T16:30:00Z".parse().unwrap()), "2026-11-24 00:30");
    }
}
