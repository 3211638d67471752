//! The report of a check as text.

use super::report::{Report, When};
use crate::messages;
use crate::output::{Lang, table};

/// Formats a report: what has to be done first, then what is to be known, and the use.
pub(super) fn text(report: &Report, lang: Lang) -> String {
    let mut text = format!("{}\n", messages::adopt_title(lang, &report.namespace, &report.uid));
    for when in [When::Before, When::BeforeEnforcing, When::Known] {
        let items: Vec<_> = report.items.iter().filter(|item| item.when == when).collect();
        if items.is_empty() {
            continue;
        }
        let heading = match when {
            When::Before => messages::adopt_before(lang),
            When::BeforeEnforcing => messages::adopt_before_enforcing(lang),
            When::Known => messages::adopt_known(lang),
        };
        text.push_str(&format!("\n{heading}\n"));
        for item in items {
            text.push_str(&format!("- {}\n", lang.pick(&item.zh, &item.en)));
        }
    }
    text.push_str(&format!("\n{}\n", messages::adopt_use(lang)));
    let rows = report.used.iter().map(|(key, amount)| vec![key.clone(), amount.clone()]);
    text.push_str(&table(None::<Vec<String>>, rows, 2));
    let verdict =
        if report.is_ready() { messages::adopt_ready(lang) } else { messages::adopt_not_ready(lang) };
    text.push_str(&format!("\n{verdict}\n"));
    text
}
