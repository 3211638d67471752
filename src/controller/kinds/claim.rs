//! PersistentVolumeClaim: only exits read them, for the inventory (Art. 16, 23).

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched};

pub(super) static KIND: KindSpec =
    KindSpec::new(Kind::Claim, resources::PERSISTENT_VOLUME_CLAIM, Watched::All, Priority::High);
