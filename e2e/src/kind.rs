//! Kinds of records.

use anyhow::{Context as _, Result};
use kube::api::{ApiResource, GroupVersionKind};
use serde_json::Value;

/// Kinds of records in a filing namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CloudApplication.
    Application,
    /// ResourceGrant.
    Grant,
    /// ChangeRequest.
    Change,
    /// Decommission.
    Exit,
    /// ComplianceRecord.
    Compliance,
    /// Inspection.
    Inspection,
    /// Assessment.
    Assessment,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Application,
        Self::Grant,
        Self::Change,
        Self::Exit,
        Self::Compliance,
        Self::Inspection,
        Self::Assessment,
    ];

    /// As kube knows it.
    pub fn resource(self) -> ApiResource {
        let (kind, plural) = match self {
            Self::Application => ("CloudApplication", "cloudapplications"),
            Self::Grant => ("ResourceGrant", "resourcegrants"),
            Self::Change => ("ChangeRequest", "changerequests"),
            Self::Exit => ("Decommission", "decommissions"),
            Self::Compliance => ("ComplianceRecord", "compliancerecords"),
            Self::Inspection => ("Inspection", "inspections"),
            Self::Assessment => ("Assessment", "assessments"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("govcloud.dev", "v1alpha1", kind), plural)
    }

    /// The kind that a manifest names.
    pub(crate) fn of(manifest: &Value) -> Result<Self> {
        let kind = manifest["kind"].as_str().unwrap_or_default();
        let known = Self::ALL.into_iter().find(|k| k.resource().kind == kind);
        known.with_context(|| format!("{kind:?} is not filed"))
    }
}
