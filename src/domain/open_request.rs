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
}

/// Finding on the first of `others` that is older than the record of this kind.
#[must_use]
pub fn older(kind: &'static str, meta: &Meta, others: &[OpenRequest]) -> Option<Finding> {
    let own = (meta.created_at, kind, meta.name.as_str());
    let before = |o: &&OpenRequest| (o.created_at, o.kind, o.name.as_str()) < own;
    others.iter().find(before).map(|o| Finding::AnotherOpen(o.kind.to_owned(), o.name.clone()))
}
