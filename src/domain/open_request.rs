//! Open requests on one application: changes and exits, of which the oldest goes first.

use jiff::Timestamp;

use super::finding::Finding;
use super::record::Meta;

/// Another open request on the same application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its creation; the older request goes first.
    pub created_at: Option<Timestamp>,
    /// True for an approved change that waits until the department uses less (Art. 15). An exit goes before it: it may wait for
    /// ever, and nothing of it was made.
    pub on_hold: bool,
}

/// Kind of the request that no change on hold holds up.
const EXIT: &str = "Decommission";

/// Finding on the first of `others` that is older than the record of this kind.
#[must_use]
pub fn older(kind: &'static str, meta: &Meta, others: &[OpenRequest]) -> Option<Finding> {
    let own = (meta.created_at, kind, meta.name.as_str());
    let holds_up = |o: &&OpenRequest| !(o.on_hold && kind == EXIT);
    let before = |o: &&OpenRequest| (o.created_at, o.kind, o.name.as_str()) < own;
    others
        .iter()
        .filter(holds_up)
        .find(before)
        .map(|o| Finding::AnotherOpen(o.kind.to_owned(), o.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_on_hold_holds_up_changes_and_no_exit() {
        let at = |second: i64| Some(Timestamp::from_second(second).expect("an instant"));
        let meta = Meta { name: "own".to_owned(), created_at: at(20), ..Meta::default() };
        let change = |on_hold| {
            let name = "earlier".to_owned();
            [OpenRequest { kind: "ChangeRequest", name, created_at: at(10), on_hold }]
        };
        assert!(older("Decommission", &meta, &change(true)).is_none());
        assert!(older("Decommission", &meta, &change(false)).is_some());
        assert!(older("ChangeRequest", &meta, &change(true)).is_some());
    }
}
