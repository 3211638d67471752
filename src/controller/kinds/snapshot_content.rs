//! VolumeSnapshotContent: the bytes of a snapshot, which may outlive it (Art. 23). It is watched while its CRD is established.

use govcloud_api::resources;
use serde_json::Value;

use super::{Kind, KindSpec, Priority, Watched};
use crate::cache::Object;
use crate::index::IndexKey;

pub(super) static KIND: KindSpec = KindSpec {
    index,
    ..KindSpec::new(
        Kind::SnapshotContent,
        resources::VOLUME_SNAPSHOT_CONTENT,
        Watched::WhileEstablished("volumesnapshotcontents.snapshot.storage.k8s.io"),
        Priority::High,
    )
};

fn index(content: &Object) -> Vec<IndexKey> {
    let value = content.value();
    let namespace = value.pointer("/spec/volumeSnapshotRef/namespace").and_then(Value::as_str);
    namespace.map(|n| IndexKey::SnapshotNamespace(n.to_owned())).into_iter().collect()
}
