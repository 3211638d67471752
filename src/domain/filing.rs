//! Filing namespaces: one that holds open records bears a mark, and policy lets nobody delete it (design, section 3).
//!
//! A record is open from its filing until it is over: rejected, withdrawn, completed, released, exited, settled, voided, recorded,
//! closed or published. A namespace with such a
//! record that was deleted would hang for ever: policy lets nobody delete what was decided, and nothing could be filed in it
//! any more, not even an exit.

use govcloud_api::{keys, resources};
use serde_json::json;

use super::plan::{Precondition, Target, Write};

/// Most names of filing namespaces that a Region's status lists; the schema says the same.
pub const LISTED_MAX: usize = 512;

/// A filing namespace as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilingNamespace {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The resourceVersion that was read.
    pub resource_version: String,
    /// True if it bears the mark.
    pub marked: bool,
    /// True while it is being deleted.
    pub deleting: bool,
    /// The last month up to which every month is settled, as its label says.
    pub settled_through: Option<String>,
}

/// Records in a filing namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// No record.
    Nothing,
    /// Records that are over, all of them.
    Ended,
    /// At least one open record.
    Open,
}

impl FilingNamespace {
    /// The write that sets the mark, or takes it off where no record is open. `None` where it is as it should be, and while
    /// the namespace is being deleted: what began before the mark goes on.
    #[must_use]
    pub fn mark(&self, open: bool) -> Option<Write> {
        if self.marked == open || self.deleting {
            return None;
        }
        Some(self.label(keys::OPEN_RECORDS, open.then_some("true")))
    }

    /// The write that records up to which month everything is settled (Art. 26). `None` where it is as it should be, and while
    /// the namespace is being deleted.
    #[must_use]
    pub fn settle_through(&self, month: &str) -> Option<Write> {
        let known = self.settled_through.as_deref() == Some(month);
        (!known && !self.deleting).then(|| self.label(keys::SETTLED_THROUGH, Some(month)))
    }

    fn label(&self, key: &str, value: Option<&str>) -> Write {
        let precondition =
            Precondition { uid: self.uid.clone(), resource_version: self.resource_version.clone() };
        let patch = json!({ "metadata": { "labels": { key: value } } });
        Write::Patch(Target::named(resources::NAMESPACE, &self.name), precondition, patch)
    }
}

/// Names of the filing namespaces that hold records, as many as a status lists, and the number of those left out.
#[must_use]
pub fn listed(namespaces: &[(FilingNamespace, Holding)]) -> (Vec<String>, usize) {
    let holding = namespaces.iter().filter(|(_, holding)| *holding != Holding::Nothing);
    let mut names: Vec<String> = holding.map(|(namespace, _)| namespace.name.clone()).collect();
    names.sort();
    let left_out = names.len().saturating_sub(LISTED_MAX);
    names.truncate(LISTED_MAX);
    (names, left_out)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn namespace(name: &str, marked: bool) -> FilingNamespace {
        let (uid, resource_version) = (format!("uid-{name}"), "7".to_owned());
        FilingNamespace {
            name: name.to_owned(),
            uid,
            resource_version,
            marked,
            deleting: false,
            settled_through: None,
        }
    }

    #[test]
    fn the_mark_is_written_where_it_differs_alone() {
        for (marked, open, written) in [
            (false, true, Some(json!("true"))),
            (true, false, Some(Value::Null)),
            (true, true, None),
            (false, false, None),
        ] {
            let write = namespace("dept", marked).mark(open);
            let patched = write.map(|write| match write {
                Write::Patch(target, precondition, patch) => {
                    assert_eq!((target.namespace.as_str(), target.name.as_str()), ("", "dept"));
                    assert_eq!(
                        (precondition.uid.as_str(), precondition.resource_version.as_str()),
                        ("uid-dept", "7")
                    );
                    patch["metadata"]["labels"][keys::OPEN_RECORDS].clone()
                }
                other => panic!("{other:?}"),
            });
            assert_eq!(patched, written, "marked {marked}, open {open}");
        }
    }

    #[test]
    fn a_namespace_that_is_being_deleted_is_left_alone() {
        let deleting = FilingNamespace { deleting: true, ..namespace("dept", false) };
        assert_eq!(deleting.mark(true), None);
    }

    #[test]
    fn namespaces_with_records_are_listed_in_order_and_the_rest_counted() {
        let mut all: Vec<_> =
            (0..LISTED_MAX + 2).map(|n| (namespace(&format!("dept-{n:04}"), true), Holding::Open)).collect();
        all.reverse();
        all.push((namespace("dept-empty", false), Holding::Nothing));
        all.push((namespace("archive", false), Holding::Ended));
        let (names, left_out) = listed(&all);
        assert_eq!((names.len(), left_out), (LISTED_MAX, 3));
        assert_eq!(&names[..2], ["archive", "dept-0000"]);
        assert_eq!(listed(&all[LISTED_MAX + 2..]), (vec!["archive".to_owned()], 0));
        assert_eq!(listed(&[]), (Vec::new(), 0));
    }
}
