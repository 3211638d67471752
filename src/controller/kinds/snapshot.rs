//! VolumeSnapshot: a copy of data that an exit's inventory must hold (Art. 23). A cluster may have the kind, get it or
//! lose it: it is watched while its CRD is established.

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched, no_index, no_tally};

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Snapshot,
    resource: resources::VOLUME_SNAPSHOT,
    watched: Watched::WhileEstablished("volumesnapshots.snapshot.storage.k8s.io"),
    priority: Priority::High,
    index: no_index,
    tally: no_tally,
    record: None,
};
