//! Output: language, machine-readable formats, tables, times.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{Row, Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use govcloud_domain::calendar::CHINA;

/// Machine-readable output format.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON, one document.
    Json,
    /// YAML, one document.
    Yaml,
}

/// Language of the output for people.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// Returns the language of the locale. The first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set decides: Chinese
    /// if it starts with `zh`, otherwise English. Without any, Chinese, the language of the measures.
    pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable).find(|v| !v.is_empty());
        match set {
            Some(locale) if !locale.to_ascii_lowercase().starts_with("zh") => Self::En,
            _ => Self::Zh,
        }
    }

    /// Returns one of two texts.
    pub(super) fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// Returns this language's half of a bilingual text, `zh / en`, as the operator and the policies write them.
    ///
    /// Both halves may quote a text that contains the separator, so the middle separator is the one that counts.
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
/// An error of `out`.
pub(super) fn write(answer: &impl Serialize, format: Format, out: &mut impl Write) -> io::Result<()> {
    let text = match format {
        Format::Json => serde_json::to_string(answer).map_err(io::Error::other)?,
        Format::Yaml => serde_saphyr::to_string(answer).map_err(io::Error::other)?,
    };
    writeln!(out, "{}", text.trim_end())
}

/// Formats a table as kubectl does: no lines, two blanks between columns. A Chinese character is two columns wide.
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

/// Escapes characters that control the terminal, are invisible, or change the direction of text. Whoever decides must
/// see the text that is decided on.
pub(super) fn escape_controls(text: &str) -> String {
    let controls = |c: char| c.is_control() && c != '\n';
    let invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    text.chars()
        .map(|c| if controls(c) || invisible(c) { c.escape_unicode().to_string() } else { c.to_string() })
        .collect()
}

/// Formats an instant in China Standard Time.
pub(super) fn local(at: Timestamp) -> String {
    CHINA.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn table_aligns_chinese_text() {
        let rows =
            [vec!["名称", "x", "末"], vec!["capp/travel", "交通出行服务平台", "末"], vec!["", "y", "末"]];
        let text = table(None, rows, 2);
        let starts: Vec<usize> = text.lines().map(|l| l[..l.find('末').unwrap()].width()).collect();
        assert!(starts.iter().all(|s| *s == starts[0]), "{text}");
        assert!(text.lines().all(|l| l.starts_with("  ")));
    }

    #[test]
    fn half_splits_at_the_middle_separator() {
        assert_eq!(Lang::Zh.half("甲 / a"), "甲");
        assert_eq!(Lang::En.half("退回：见 x / y / returned: see x / y"), "returned: see x / y");
        assert_eq!(Lang::En.half("neither"), "neither");
        assert_eq!(Lang::Zh.half("a / b / c"), "a / b / c", "no middle, nothing is cut");
    }

    #[test]
    fn escape_controls_escapes_invisible_characters() {
        assert_eq!(escape_controls("同意\n\u{1b}[2Kab\u{202e}c\r"), "同意\n\\u{1b}[2Kab\\u{202e}c\\u{d}");
    }

    #[test]
    fn local_formats_china_standard_time() {
        assert_eq!(local("2026-11-23T16:30:00Z".parse().unwrap()), "2026-11-24 00:30");
    }
}
