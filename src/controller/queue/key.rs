//! What is looked at: a record by its kind and name.

use std::fmt;
use std::sync::Arc;

use crate::store::{path, split};

/// Kinds that are reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// CloudApplication.
    Application,
    /// ResourceGrant.
    Grant,
    /// ChangeRequest.
    Change,
    /// Decommission.
    Decommission,
    /// Region.
    Region,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Application, Self::Grant, Self::Change, Self::Decommission, Self::Region];

    /// Name of the kind as manifests have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "CloudApplication",
            Self::Grant => "ResourceGrant",
            Self::Change => "ChangeRequest",
            Self::Decommission => "Decommission",
            Self::Region => "Region",
        }
    }
}

/// What is to be looked at. Of a record that is held, its namespace and name are those of the store, and take no memory
/// of their own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    path: Arc<str>,
}

impl Key {
    /// A key.
    pub fn new(kind: Kind, namespace: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self { kind, path: path(namespace.as_ref(), name.as_ref()).into() }
    }

    /// The key of something that is held under a [`path`].
    #[must_use]
    pub fn held(kind: Kind, path: Arc<str>) -> Self {
        Self { kind, path }
    }

    /// Its namespace; empty for a Region.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.parts().0
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        split(&self.path).unwrap_or_default()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, name) = self.parts();
        write!(f, "{} {namespace}/{name}", self.kind.as_str())
    }
}
