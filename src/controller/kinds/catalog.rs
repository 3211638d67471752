//! ServiceCatalog: an edition of the catalogue of a Region (Art. 26). A setting: it is not reconciled. It bears a mark once a
//! statement was computed by it.

use govcloud_api::{keys, resources};
use govcloud_domain::region::BilledEdition;

use super::{Kind, KindSpec, Priority, Watched, links};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::index::IndexKey;

pub(super) static KIND: KindSpec =
    KindSpec::new(Kind::Catalog, resources::SERVICE_CATALOG, Watched::All, Priority::Low);

/// Returns true if an edition bears the mark that it was billed by.
fn is_billed(catalog: &Object) -> bool {
    catalog.label(keys::BILLED).as_deref() == Some("true")
}

/// The mark that it was billed by.
pub(super) fn mark_differs(_: &ClusterState, change: &Change) -> bool {
    change.differs(is_billed)
}

impl ClusterState {
    /// The editions of a Region that statements were computed by.
    pub(super) fn billed_editions(&self, code: &str) -> Vec<BilledEdition> {
        let names = self.region_spec(code).map(|spec| links::catalogs(&spec)).unwrap_or_default();
        let catalogs = names.iter().filter_map(|name| self.get(Kind::Catalog, "", name));
        let bills = |name: &str| self.store(Kind::Statement).find(&IndexKey::Bills(name.to_owned()));
        let billed = catalogs.filter(|catalog| is_billed(catalog) || !bills(catalog.name()).is_empty());
        let edition = |catalog: std::sync::Arc<Object>| BilledEdition {
            name: catalog.name().to_owned(),
            uid: catalog.uid.to_string(),
            resource_version: catalog.resource_version(),
            marked: is_billed(&catalog),
        };
        billed.map(edition).collect()
    }
}
