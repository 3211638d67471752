//! `docs/troubleshooting.md` has one heading for each [`Reason`], and no other.

use std::collections::BTreeSet;

use govcloud_domain::reason::Reason;
use strum::IntoEnumIterator;

#[test]
fn every_reason_has_its_heading_and_every_heading_its_reason() {
    let page = include_str!("../../../docs/troubleshooting.md");
    let mut headings = BTreeSet::new();
    for section in page.split("\n### ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        for reason in title.split(", ") {
            assert!(headings.insert(reason), "{reason} has two headings");
        }
        let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(chinese && text.contains("**Who:**"), "{title}: not in both languages, or without who acts");
    }
    let reasons: BTreeSet<&str> = Reason::iter().map(Into::into).collect();
    let missing: Vec<_> = reasons.difference(&headings).collect();
    let idle: Vec<_> = headings.difference(&reasons).collect();
    assert!(missing.is_empty(), "reasons without a heading in docs/troubleshooting.md: {missing:?}");
    assert!(idle.is_empty(), "headings without a reason: {idle:?}");
}
