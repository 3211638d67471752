//! Namespaces that exist under names that an application would take, or that it asks to adopt. Nothing is adopted by its
//! name (S3).

use std::collections::BTreeMap;

use serde_json::Value;

use super::adoption::foreign_owners;
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
    /// Usage that its quota counts, empty where the namespace is the record's own; of one that is no tenant namespace, that of the
    /// claims in it.
    pub used: BTreeMap<String, String>,
    /// Marks of other owners.
    pub foreign: Vec<String>,
    /// UID of the application that its present holder gives it to.
    pub released_to: Option<String>,
    /// True if records are filed in it.
    pub filing: bool,
}

impl ExistingNamespace {
    /// Reads a Namespace. Whether its owner exists, and what is used in it, it does not say itself.
    #[must_use]
    pub fn read(namespace: &Value) -> Self {
        let metadata = &namespace["metadata"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let labels = metadata["labels"].as_object().into_iter().flatten();
        Self {
            name: text(&metadata["name"]),
            uid: text(&metadata["uid"]),
            labels: labels.map(|(key, value)| (key.clone(), text(value))).collect(),
            deleting: !metadata["deletionTimestamp"].is_null(),
            foreign: foreign_owners(namespace),
            released_to: metadata["annotations"][keys::ADOPT_OUT].as_str().map(str::to_owned),
            filing: metadata["labels"][keys::FILING_REGION].is_string(),
            ..Self::default()
        }
    }

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
