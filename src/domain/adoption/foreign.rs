//! Marks by which another manager owns a Namespace. Whoever bears one may delete the namespace with its content, or write
//! over the operator's labels: that owner lets go first (Art. 3, 23).

use govcloud_api::OPERATOR_NAME;
use serde_json::Value;

/// Where a mark stands in the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the labels.
    Label,
    /// Among the annotations.
    Annotation,
}

/// A mark of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The owner.
    pub owner: &'static str,
    /// Where it stands.
    pub place: Place,
    /// Its key.
    pub key: &'static str,
}

const fn mark(owner: &'static str, place: Place, key: &'static str) -> Mark {
    Mark { owner, place, key }
}

/// The marks that are known. A Namespace bears them where it is an object of that owner, not where it only contains some.
pub static FOREIGN: [Mark; 13] = [
    mark("Helm", Place::Annotation, "meta.helm.sh/release-name"),
    mark("Argo CD", Place::Annotation, "argocd.argoproj.io/tracking-id"),
    mark("Argo CD", Place::Label, "argocd.argoproj.io/instance"),
    mark("Argo CD", Place::Label, "app.kubernetes.io/instance"),
    mark("Flux", Place::Label, "kustomize.toolkit.fluxcd.io/name"),
    mark("Flux", Place::Label, "helm.toolkit.fluxcd.io/name"),
    mark("Capsule", Place::Label, "capsule.clastix.io/tenant"),
    mark("Rancher", Place::Annotation, "field.cattle.io/projectId"),
    mark("Rancher", Place::Label, "field.cattle.io/projectId"),
    mark("HNC", Place::Annotation, "hnc.x-k8s.io/subnamespace-of"),
    mark("OLM", Place::Label, "olm.operatorgroup.uid"),
    mark("kapp", Place::Label, "kapp.k14s.io/app"),
    mark("app.kubernetes.io/managed-by", Place::Label, "app.kubernetes.io/managed-by"),
];

/// The owners of a Namespace beside this project: its ownerReferences, and the marks of others, each as it stands there.
#[must_use]
pub fn foreign_owners(namespace: &Value) -> Vec<String> {
    let metadata = &namespace["metadata"];
    let references = metadata["ownerReferences"].as_array().into_iter().flatten();
    let references = references.map(|owner| {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        format!("ownerReferences: {}/{}", text("kind"), text("name"))
    });
    let marks = FOREIGN.iter().filter_map(|mark| {
        let place = match mark.place {
            Place::Label => "labels",
            Place::Annotation => "annotations",
        };
        let value = metadata[place][mark.key].as_str().filter(|value| *value != OPERATOR_NAME)?;
        Some(format!("{}: {}={value}", mark.owner, mark.key))
    });
    references.chain(marks).collect()
}
