//! The resources of `govcloud.dev/v1alpha1`: one file per kind, shared parts in their own files.
//!
//! Everything that can be judged from one object alone is judged here, by schema and CEL rules that
//! the API server runs; the rest is judged in `govcloud_domain`.

// Every printer column is an attribute of its own; clippy takes them for one that was repeated.
#![allow(clippy::duplicated_attributes)]

pub mod adoption;
pub mod application;
pub mod assessment;
pub mod catalog;
pub mod change;
pub mod compliance;
pub mod condition;
pub mod deadline;
pub mod decommission;
pub mod disposition;
pub mod document;
pub mod filed;
pub mod grant;
pub mod inspection;
pub mod keys;
pub mod network;
pub mod period;
pub mod quota;
pub mod record;
pub mod region;
pub mod resources;
pub mod statement;
pub mod tenancy;
pub mod time;
pub mod utilization;
pub mod work_calendar;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

/// API group of every resource of this project.
pub const GROUP: &str = "govcloud.dev";
/// API version of every resource of this project.
pub const VERSION: &str = "v1alpha1";
/// `group/version`, as it stands in manifests.
pub const API_VERSION: &str = "govcloud.dev/v1alpha1";
/// Namespace that the operator itself runs in.
pub const OPERATOR_NAMESPACE: &str = "govcloud-system";
/// Name of the operator's ServiceAccount, and its field manager for server-side apply.
pub const OPERATOR_NAME: &str = "govcloud-operator";

/// The CustomResourceDefinitions, in the order in which they are written to `crds/`.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    vec![
        application::CloudApplication::crd(),
        grant::ResourceGrant::crd(),
        change::ChangeRequest::crd(),
        decommission::Decommission::crd(),
        region::Region::crd(),
        work_calendar::WorkCalendar::crd(),
        catalog::ServiceCatalog::crd(),
        statement::Statement::crd(),
        compliance::ComplianceRecord::crd(),
        inspection::Inspection::crd(),
        assessment::Assessment::crd(),
    ]
}

/// The files of `crds/`: name and content, as `crdgen` writes them.
///
/// # Panics
/// Never: every CRD has a name and serialises.
#[must_use]
pub fn crd_files() -> Vec<(String, String)> {
    let file = |crd: CustomResourceDefinition| {
        let name = format!("{}.yaml", crd.metadata.name.as_deref().unwrap_or_default());
        let yaml = serde_saphyr::to_string(&crd).expect("a CRD serialises");
        (name, format!("# Written by crdgen (make crds); do not edit.\n{yaml}"))
    };
    crds().into_iter().map(file).collect()
}
