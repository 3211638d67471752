//! Disposition of the department's data (Art. 16, 23), and the inventory that it is about.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time::Instant;

/// Action on a volume when its system leaves the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// Destroyed, with everything on it.
    Destroy,
    /// Kept, unbound, for the department.
    Retain,
    /// Copied out by the department, then destroyed after its receipt.
    HandOver,
}

impl Action {
    /// Returns true if the volume is gone at the end, so that S2 asks for the department's consent to just that.
    pub fn destroys(self) -> bool {
        match self {
            Self::Destroy | Self::HandOver => true,
            Self::Retain => false,
        }
    }
}

/// The department's decision for every volume: one for all, and others by claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disposition {
    /// Action for every volume that is not named below. `Destroy`: destroyed. `Retain`: kept for the department, unbound.
    /// `HandOver`: copied out by the department, then destroyed after its receipt; choose `Retain` to keep a volume.
    pub default: Action,
    /// Volumes for which something else is decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["namespace", "claim"]))]
    pub volumes: Vec<VolumeDisposition>,
}

/// The decision for the volumes of one claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VolumeDisposition {
    /// Name of the entry in the application's `namespaces`, or the full name of the tenant namespace.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// Name of the PersistentVolumeClaim.
    #[schemars(length(min = 1, max = 253))]
    pub claim: String,
    /// Action for it: `Destroy`, `Retain`, or `HandOver` (copied out, then destroyed after the department's receipt).
    pub action: Action,
}

/// One line of the inventory: a claim, the volume behind it, and what is to become of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// Tenant namespace of the claim.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of the claim; of an unclaimed volume, the claim it last served.
    #[schemars(length(max = 253))]
    pub claim: String,
    /// UID of that claim.
    #[serde(rename = "claimUID")]
    #[schemars(length(max = 36))]
    pub claim_uid: String,
    /// Name of the PersistentVolume; absent while the claim waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub volume: Option<String>,
    /// UID of the PersistentVolume: what consent and every destruction refer to.
    #[serde(default, rename = "volumeUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub volume_uid: Option<String>,
    /// Capacity, as a Kubernetes quantity in bytes.
    #[schemars(length(max = 64))]
    pub capacity: String,
    /// Storage class, empty if none.
    #[schemars(length(max = 253))]
    pub class: String,
    /// SHA-256 of the RFC 8785 canonical JSON of the volume source: where the bytes really are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 71))]
    pub source_digest: Option<String>,
    /// Action for it.
    pub action: Action,
    /// The claim is gone and the volume is still there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unclaimed: bool,
    /// UID of the earlier application of this name that the volume belongs to, whose record was archived; absent where it is
    /// the exit's own application.
    #[serde(default, rename = "applicationUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub application_uid: Option<String>,
    /// Time since which no Pod has used the claim, as Kubernetes reported it when the inventory was published (1.37 or later);
    /// absent while it is in use, and where Kubernetes does not report it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<Instant>,
}

/// A snapshot in the inventory. It goes, or stays, with the volume it was taken of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotEntry {
    /// Tenant namespace of the snapshot.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Name of the VolumeSnapshot.
    #[schemars(length(max = 253))]
    pub name: String,
    /// UID of the VolumeSnapshot.
    #[schemars(length(max = 36))]
    pub uid: String,
    /// Claim it was taken of, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub claim: Option<String>,
    /// Name of the VolumeSnapshotContent that holds the bytes, once bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub content: Option<String>,
    /// Action for it.
    pub action: Action,
    /// `deletionPolicy` of the content. Content with `Retain` outlives its snapshot until the provider deletes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub deletion_policy: Option<String>,
    /// The VolumeSnapshot is gone and its content is still there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub orphaned: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_disposition_reads_as_the_department_writes_it() {
        let written = json!({"default": "Retain", "volumes": [{"namespace": "prod", "claim": "data", "action": "Destroy"}]});
        let read: Disposition = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(read.volumes[0].action, Action::Destroy);
        assert_eq!(serde_json::to_value(read).unwrap(), written);
        assert!(serde_json::from_value::<Disposition>(json!({})).is_err(), "silence decides nothing");
        assert!(serde_json::from_value::<Disposition>(json!({"default": "Delete"})).is_err());
    }

    #[test]
    fn every_list_and_string_is_bounded_and_described() {
        let schema = serde_json::to_value(schemars::schema_for!(Disposition)).unwrap();
        let volumes = &schema["properties"]["volumes"];
        assert_eq!((&volumes["maxItems"], &volumes["x-kubernetes-list-type"]), (&json!(256), &json!("map")));
        for schema in [
            serde_json::to_value(schemars::schema_for!(VolumeDisposition)).unwrap(),
            serde_json::to_value(schemars::schema_for!(InventoryEntry)).unwrap(),
            serde_json::to_value(schemars::schema_for!(SnapshotEntry)).unwrap(),
        ] {
            for (name, property) in schema["properties"].as_object().unwrap() {
                assert!(property["description"].is_string(), "{name}");
                let text = property["type"].to_string().contains("string");
                let bounded = property["maxLength"].is_number() || property["format"] == "date-time";
                assert!(!text || bounded, "{name}");
            }
        }
    }
}
