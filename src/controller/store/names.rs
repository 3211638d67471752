//! How things are named in a store: namespace and name, apart and as one.

/// Namespace (empty if cluster-scoped) and name.
pub type Name = (String, String);

/// Namespace and name as one: in the order of namespaces, and of names within one.
#[must_use]
pub fn path(namespace: &str, name: &str) -> String {
    format!("{namespace}\0{name}")
}

/// Namespace and name of a [`path`].
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    path.split_once('\0')
}

/// The same, as they are named elsewhere.
pub(super) fn named(path: &str) -> Option<Name> {
    split(path).map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
}
