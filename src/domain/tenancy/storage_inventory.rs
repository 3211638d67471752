//! Storage of an application: claims, volumes and snapshots as plain data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

/// A PersistentVolumeClaim as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// `spec.volumeName`, empty while it waits for a volume.
    pub volume_name: String,
    /// `status.capacity.storage`, or what it requests.
    pub capacity: String,
    /// Its storage class.
    pub class: String,
    /// Time since which no Pod uses it, where Kubernetes reports that.
    pub unused_since: Option<Timestamp>,
}

/// `spec.claimRef` of a PersistentVolume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRef {
    /// Namespace of the claim.
    pub namespace: String,
    /// Name of the claim.
    pub name: String,
    /// UID of the claim.
    pub uid: String,
}

/// A PersistentVolume as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// `spec.persistentVolumeReclaimPolicy`. Changes on the way out, so it is no part of the digest.
    pub reclaim_policy: String,
    /// `status.phase`. Likewise.
    pub phase: String,
    /// `spec.capacity.storage`.
    pub capacity: String,
    /// Its storage class.
    pub class: String,
    /// The volume source as stored, with its type: `{"hostPath": {"path": …}}`.
    pub source: Value,
    /// `spec.nodeAffinity` as stored, null if none. Tells the same path on two nodes apart.
    pub node_affinity: Value,
    /// The claim it serves or last served.
    pub claim_ref: Option<ClaimRef>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A VolumeSnapshot as read, or what is left of one: its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// `spec.source.persistentVolumeClaimName`.
    pub claim: Option<String>,
    /// `status.boundVolumeSnapshotContentName`.
    pub content: Option<String>,
    /// `spec.deletionPolicy` of that content, where it exists.
    pub deletion_policy: Option<String>,
    /// True if the VolumeSnapshot is gone and its content is still there.
    pub orphaned: bool,
}

/// Everything that an inventory is taken of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageInventory {
    /// UID of the CloudApplication; empty where its record was archived.
    pub application_uid: String,
    /// UIDs of earlier applications of this name in the department, whose records were archived. Records of one name follow
    /// one another: a volume that names this application and another UID is one of theirs.
    pub earlier: BTreeSet<String>,
    /// Tenant namespace by name of the entry, as recorded in the application's status.
    pub namespaces: BTreeMap<String, String>,
    /// Tenant namespaces that were adopted: what ran in them before is not destroyed by default (Art. 3, 23).
    pub adopted: BTreeSet<String>,
    /// Claims of those namespaces.
    pub claims: Vec<Claim>,
    /// The volumes of those namespaces and claims, the application's by its label, and **every** other volume of
    /// the cluster that may share a source with one of them ([`super::volume_source::reach`]).
    pub volumes: Vec<Volume>,
    /// Snapshots of those namespaces.
    pub snapshots: Vec<Snapshot>,
}
