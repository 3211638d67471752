//! What is looked at: a record by its kind and name.

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

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; empty for a Region.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// A key.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }
}
