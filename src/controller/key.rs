//! Key of a record in the queue: its kind, namespace and name.

use std::fmt;
use std::sync::Arc;

use govcloud_domain::plan::Target;

use crate::kinds::Kind;

/// Joins namespace and name, in the order of namespaces and of names within one.
pub fn path(namespace: &str, name: &str) -> String {
    format!("{namespace}\0{name}")
}

/// Namespace and name of a [`path`].
pub fn split_path(path: &str) -> (&str, &str) {
    path.split_once('\0').unwrap_or_default()
}

/// Key of an object. Namespace and name of a cached object share the memory of the cache.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    path: Arc<str>,
}

impl Key {
    /// The key of this kind, namespace and name.
    pub fn new(kind: Kind, namespace: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self { kind, path: path(namespace.as_ref(), name.as_ref()).into() }
    }

    /// The key of a cached object's [`path`].
    pub fn held(kind: Kind, path: Arc<str>) -> Self {
        Self { kind, path }
    }

    /// Namespace; empty for a cluster-scoped object.
    pub fn namespace(&self) -> &str {
        split_path(&self.path).0
    }

    /// Name.
    pub fn name(&self) -> &str {
        split_path(&self.path).1
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace(), self.name())
    }
}

/// The target of a key.
impl From<&Key> for Target {
    fn from(key: &Key) -> Self {
        Self::namespaced(key.kind.resource(), key.namespace(), key.name())
    }
}
