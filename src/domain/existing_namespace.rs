//! Namespaces that exist under names that an application would take (S3: nothing is ever adopted).

use std::collections::BTreeMap;

use super::finding::Finding;
use super::names;
use govcloud_api::keys;

/// An existing namespace that concerns an application by its name or its labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExistingNamespace {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// True while it is being deleted.
    pub deleting: bool,
    /// True if the record that its label names exists.
    pub owner_exists: bool,
    /// Usage that its quota counts; empty where the namespace is the record's own.
    pub used: BTreeMap<String, String>,
}

impl ExistingNamespace {
    /// UID of the record that its label names.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.labels.get(keys::APPLICATION_UID).map(String::as_str)
    }
}

/// Findings on a namespace name: it is reserved, or another's.
pub(crate) fn unusable(
    namespace: &str,
    application_uid: &str,
    existing: &[ExistingNamespace],
) -> Vec<Finding> {
    let mut found = Vec::new();
    if names::is_reserved(namespace) {
        found.push(Finding::NamespaceReserved(namespace.to_owned()));
    }
    let other = existing.iter().find(|e| e.name == namespace && e.owner() != Some(application_uid));
    found.extend(other.map(|e| Finding::NamespaceTaken(e.name.clone(), e.uid.clone())));
    found
}
