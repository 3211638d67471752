//! VolumeSnapshot: a copy of data that an exit's inventory must hold (Art. 23). A cluster may have the kind, get it or
//! lose it: it is watched while its CRD is established.

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched};

pub(super) static KIND: KindSpec = KindSpec::new(
    Kind::Snapshot,
    resources::VOLUME_SNAPSHOT,
    Watched::WhileEstablished("volumesnapshots.snapshot.storage.k8s.io"),
    Priority::High,
);
