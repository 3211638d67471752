//! ServiceCatalog: the catalogue of a Region (Art. 26). A setting: it is not reconciled.

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched, no_index, no_tally};

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Catalog,
    resource: resources::SERVICE_CATALOG,
    watched: Watched::All,
    priority: Priority::Low,
    index: no_index,
    tally: no_tally,
    record: None,
};
