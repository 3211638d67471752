//! Tables as they must look on a terminal, where a Chinese character is two columns wide.
//!
//! kubectl pads its columns by characters, so that a Chinese name pushes the rest of its row to the right.

use unicode_width::UnicodeWidthStr;

/// The text with its tables aligned; whatever is no table stays as it is.
///
/// A table is a line of headings as kubectl prints them with the lines below it, or lines with tabs in them.
pub fn align(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = Vec::new();
    let mut rest = &lines[..];
    while let Some(first) = rest.first() {
        let tabs = rest.iter().take_while(|line| line.contains('\t')).count();
        let columns = headings(first);
        let (taken, rows) = if tabs > 0 {
            (tabs, rest[..tabs].iter().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
        } else if columns.len() > 1 {
            let length = rest.iter().take_while(|line| !line.is_empty()).count();
            (length, rest[..length].iter().map(|line| cells(line, &columns)).collect())
        } else {
            out.push((*first).to_owned());
            rest = &rest[1..];
            continue;
        };
        out.extend(pad(rows));
        rest = &rest[taken..];
    }
    out.join("\n")
}

/// Columns at which the headings of a line begin, in characters; nothing when it is no such line.
fn headings(line: &str) -> Vec<usize> {
    if line.is_empty() || line.chars().any(|c| !(c.is_ascii_uppercase() || c == ' ' || c == '-')) {
        return Vec::new();
    }
    let chars: Vec<char> = line.chars().collect();
    let begins = |i: usize| i == 0 || (i >= 3 && chars[i - 3..i] == [' ', ' ', ' ']);
    (0..chars.len()).filter(|&i| chars[i] != ' ' && begins(i)).collect()
}

/// The cells of a row whose columns begin there.
fn cells(line: &str, columns: &[usize]) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let ends = columns.iter().skip(1).copied().chain([usize::MAX]);
    let cell = |(&from, to): (&usize, usize)| -> String {
        chars.iter().take(to).skip(from).collect::<String>().trim_end().to_owned()
    };
    columns.iter().zip(ends).map(cell).collect()
}

/// The rows with every column as wide as its widest cell.
fn pad(rows: Vec<Vec<String>>) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |i: usize| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}   ", " ".repeat(width - cell.width())));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_cells_do_not_push_the_row() {
        let kubectl = "NAME     SYSTEM     PHASE\ntravel   交通平台       Live\nb        B          Live";
        let aligned = "NAME     SYSTEM     PHASE\ntravel   交通平台   Live\nb        B          Live";
        assert_eq!(align(kubectl), aligned);
    }

    #[test]
    fn tabs_make_a_table_and_the_rest_stays() {
        assert_eq!(align("a\tb\n同意\tc\n\nno table"), "a      b\n同意   c\n\nno table");
    }
}
