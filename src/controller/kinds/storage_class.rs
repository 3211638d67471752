//! StorageClass: Regions name those that tenants may use, and their reclaim policy must be Retain (S5).

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched, no_index, no_tally};

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::StorageClass,
    resource: resources::STORAGE_CLASS,
    watched: Watched::All,
    priority: Priority::Low,
    index: no_index,
    tally: no_tally,
    record: None,
};
