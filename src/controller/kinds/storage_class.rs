//! StorageClass: Regions name those that tenants may use, and their reclaim policy must be Retain (S5).

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched};

pub(super) static KIND: KindSpec =
    KindSpec::new(Kind::StorageClass, resources::STORAGE_CLASS, Watched::All, Priority::Low);
