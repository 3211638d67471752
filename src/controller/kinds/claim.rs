//! PersistentVolumeClaim: only exits read them, for the inventory (Art. 16, 23).

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched, no_index, no_tally};

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Claim,
    resource: resources::PERSISTENT_VOLUME_CLAIM,
    watched: Watched::All,
    priority: Priority::High,
    index: no_index,
    tally: no_tally,
    record: None,
};
