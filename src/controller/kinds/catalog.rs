//! ServiceCatalog: the catalogue of a Region (Art. 26). A setting: it is not reconciled.

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched};

pub(super) static KIND: KindSpec =
    KindSpec::new(Kind::Catalog, resources::SERVICE_CATALOG, Watched::All, Priority::Low);
