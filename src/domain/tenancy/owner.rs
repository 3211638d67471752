//! The application that tenant namespaces belong to, as the labels of their objects say it.

use std::borrow::Cow;

use super::letter::{Letter, Path};
use super::{
    LABEL_APPLICATION, LABEL_APPLICATION_UID, LABEL_DEPARTMENT, LABEL_ENTRY, LABEL_MANAGED_BY, LABEL_REGION,
    MANAGER,
};
use crate::names::label_value;

/// A label.
type Label<'a> = (&'static str, Cow<'a, str>);

/// An application with the labels of its objects and what they say: the same in all of its namespaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner<'a> {
    /// Name of the CloudApplication.
    pub name: &'a str,
    /// UID of the CloudApplication.
    pub uid: &'a str,
    /// Namespace the record is filed in; it stands for the department.
    pub filing_namespace: &'a str,
    /// GB/T 2260 code of the Region.
    pub region: &'a str,
    labels: [Label<'a>; 5],
    letter: Letter,
}

impl<'a> Owner<'a> {
    /// An application by its name and UID, the namespace it is filed in, and the code of its Region.
    pub fn new(name: &'a str, uid: &'a str, filing_namespace: &'a str, region: &'a str) -> Self {
        let labels = [
            (LABEL_MANAGED_BY, Cow::Borrowed(MANAGER)),
            (LABEL_APPLICATION, label_value(name)),
            (LABEL_APPLICATION_UID, Cow::Borrowed(uid)),
            (LABEL_DEPARTMENT, label_value(filing_namespace)),
            (LABEL_REGION, label_value(region)),
        ];
        let letter = path().texts(labels.iter().map(text));
        Self { name, uid, filing_namespace, region, labels, letter }
    }
}

/// The labels of a tenant's objects: those of its owner, and that of its entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Labels<'a> {
    owner: &'a Owner<'a>,
    entry: Label<'a>,
    /// What they say.
    pub(super) letter: Letter,
}

impl<'a> Labels<'a> {
    /// Those of an entry.
    pub(super) fn new(owner: &'a Owner<'a>, entry: &'a str) -> Self {
        let entry = (LABEL_ENTRY, label_value(entry));
        let letter = owner.letter + path().texts([text(&entry)]);
        Self { owner, entry, letter }
    }

    /// Each, in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let (before, after) = self.owner.labels.split_at(4);
        before.iter().chain([&self.entry]).chain(after).map(text)
    }
}

fn text<'a>((key, value): &'a Label<'_>) -> (&'a str, &'a str) {
    (key, value)
}

fn path() -> Path {
    Path::root().at("metadata").at("labels")
}
