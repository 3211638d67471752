//! Settings that every record depends on.

use super::{Dependency, Kind, links};
use crate::cache::Object;

/// Settings that every record depends on, by its Region.
pub(super) static SETTINGS: [Dependency; 4] = [
    Dependency::on(Kind::Region, links::REGION_OF_RECORD, |_, change| change.differs(generation))
        .confirm_missing(),
    Dependency::on(Kind::Calendar, links::CALENDAR_OF_REGION, |_, change| change.differs(generation))
        .confirm_missing(),
    Dependency::on(Kind::Catalog, links::CATALOGS_OF_REGION, |_, change| change.differs(generation))
        .confirm_missing(),
    Dependency::on(Kind::StorageClass, links::STORAGE_CLASSES_OF_REGION, |_, change| {
        change.differs(|class| class.value()["reclaimPolicy"].clone())
    })
    .confirm_missing(),
];

/// Generation of an object that has one; it moves with its spec.
fn generation(object: &Object) -> i64 {
    object.value()["metadata"]["generation"].as_i64().unwrap_or_default()
}
