//! PersistentVolume: the department's data (Art. 23; S2, S5).

use govcloud_api::{keys, resources};
use govcloud_domain::tenancy::volume_source;
use govcloud_domain::tenancy::volumes::is_unclaimed;
use serde_json::Value;

use super::{Kind, KindSpec, Priority, Watched};
use crate::cache::{Change, Object, text};
use crate::cluster_state::ClusterState;
use crate::index::IndexKey;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Volume,
    resource: resources::PERSISTENT_VOLUME,
    watched: Watched::All,
    priority: Priority::High,
    index,
    count: Census::volume,
    record: None,
};

fn index(volume: &Object) -> Vec<IndexKey> {
    let value = volume.value();
    let label = |key: &str| value["metadata"]["labels"][key].as_str().map(str::to_owned);
    let mut keys = Vec::new();
    keys.extend(label(keys::APPLICATION_UID).map(IndexKey::Owner));
    keys.extend(of_name(volume));
    if let (Some(_), Some(region)) = (label(keys::RETAINED), label(keys::REGION)) {
        keys.push(IndexKey::RetainedIn(region));
    }
    let claim = value.pointer("/spec/claimRef/namespace").and_then(Value::as_str);
    keys.extend(claim.map(|ns| IndexKey::ClaimNamespace(ns.to_owned())));
    keys.extend(
        volume_source::marks(&volume_source::source_of(&value)).into_iter().map(IndexKey::VolumeSource),
    );
    keys
}

/// Key of the application's name that its labels state.
pub(super) fn of_name(volume: &Object) -> Option<IndexKey> {
    let label = |key| volume.label(key);
    Some(IndexKey::OfName(label(keys::DEPARTMENT)?, label(keys::APPLICATION)?))
}

/// Owner, and the claim that it serves or last served.
fn ownership(volume: &Object) -> (Box<str>, String, String, String) {
    let value = volume.value();
    let claim = |field: &str| text(&value, &format!("/spec/claimRef/{field}"));
    let owner = value["metadata"]["labels"][keys::APPLICATION_UID].as_str().unwrap_or_default().to_owned();
    (volume.uid.clone(), owner, claim("namespace"), claim("name"))
}

/// An application lists the volumes that lost their claim.
pub(super) fn ownership_or_claim_differs(_: &ClusterState, change: &Change) -> bool {
    let unclaimed = |v: &Object| is_unclaimed(&text(&v.value(), "/status/phase"));
    change.differs(|v| (ownership(v), unclaimed(v)))
}

/// A grant labels volumes and keeps them `Retain` (S5).
pub(super) fn ownership_or_policy_differs(_: &ClusterState, change: &Change) -> bool {
    let policy = |v: &Object| text(&v.value(), "/spec/persistentVolumeReclaimPolicy");
    change.differs(|v| (ownership(v), policy(v)))
}
