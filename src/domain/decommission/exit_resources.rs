//! Namespaces and volumes of an exit, with the fields that preconditions and reports need.

use jiff::Timestamp;

/// A tenant namespace on its way out.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitNamespace {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// UID of the application that the operator's label names.
    pub owner: Option<String>,
    /// True while it is being deleted.
    pub deleting: bool,
    /// Value of the reclaim annotation.
    pub reclaim: Option<String>,
    /// Causes that hold it: its own finalizers, and its conditions as the namespace controller reports them.
    pub held_by: Vec<String>,
    /// Its claims.
    pub claims: Vec<ExitPvc>,
}

/// A claim in such a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitPvc {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Deletion by the API server's clock; something may still hold it.
    pub deleted_at: Option<Timestamp>,
}

/// A volume with what a precondition and a report need beside the inventory's view.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitVolume {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Reclaim policy.
    pub reclaim_policy: String,
    /// `status.phase`.
    pub phase: String,
    /// `status.message`, which says why a deletion failed.
    pub message: String,
    /// Finalizers.
    pub finalizers: Vec<String>,
    /// Value of the label that marks it as retained.
    pub retained: Option<String>,
    /// Username of who announced to delete it by hand.
    pub removed_by: Option<String>,
    /// True if its label says that this is recorded.
    pub removal_recorded: bool,
}
