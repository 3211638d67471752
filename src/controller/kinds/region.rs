//! Region (Art. 4, 5, 30): settings of its records, and the volumes that it keeps (Art. 23).

use std::sync::Arc;

use govcloud_api::region::{Region, RetainedVolume};
use govcloud_api::resources;
use govcloud_domain::region;
use jiff::Timestamp;
use serde_json::Value;

use super::{Dependency, Kind, KindSpec, Priority, RecordSpec, Watched, always, existence, links};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::{Tally, region_tally};

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Region,
    resource: resources::REGION,
    watched: Watched::All,
    priority: Priority::Low,
    index,
    tally: region_tally,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &RETAINED],
        region: |region| Some(region.name().to_owned()),
        decide,
        schema_error: super::schema_error::<Region>,
        filed: None,
    }),
};

/// Settings that every record depends on, by its Region.
pub(super) static SETTINGS: [Dependency; 4] = [
    Dependency::on(Kind::Region, links::REGION_OF_RECORD, |_, change| change.differs(generation))
        .confirm_missing(),
    Dependency::on(Kind::Calendar, links::CALENDAR_OF_REGION, |_, change| change.differs(generation))
        .confirm_missing(),
    Dependency::on(Kind::Catalog, links::CATALOG_OF_REGION, existence).confirm_missing(),
    Dependency::on(Kind::StorageClass, links::STORAGE_CLASSES_OF_REGION, |_, change| {
        change.differs(|class| class.value()["reclaimPolicy"].clone())
    })
    .confirm_missing(),
];

/// Volumes that outlived their applications, and the exits by whose certificates they are kept.
static RETAINED: [Dependency; 2] = [
    Dependency::on(Kind::Volume, links::RETAINED_VOLUMES, always),
    Dependency::on(Kind::Decommission, links::CERTIFICATES, retains_others),
];

/// Generation of an object that has one; it moves with its spec.
fn generation(object: &Object) -> i64 {
    object.value()["metadata"]["generation"].as_i64().unwrap_or_default()
}

fn retains_others(_: &ClusterState, change: &Change) -> bool {
    let retains = |o: &Option<Arc<Object>>| -> Vec<String> {
        o.iter().flat_map(|o| super::decommission::retained_by(o)).collect()
    };
    retains(&change.old) != retains(&change.new)
}

fn index(region: &Object) -> Vec<IndexKey> {
    let spec = region.spec();
    let text = |field: &str| spec[field].as_str().map(str::to_owned);
    let classes = spec.pointer("/tenancy/storageClasses").and_then(Value::as_array);
    let classes = classes.into_iter().flatten().filter_map(Value::as_str);
    let mut keys = vec![IndexKey::Region(region.name().to_owned())];
    keys.extend(text("calendar").map(IndexKey::Calendar));
    keys.extend(text("catalog").map(IndexKey::Catalog));
    keys.extend(text("parent").map(IndexKey::Parent));
    keys.extend(classes.map(|c| IndexKey::StorageClass(c.to_owned())));
    keys
}

fn decide(state: &ClusterState, key: &Key, _: &GatherContext, now: Timestamp) -> Option<Decision> {
    // Read first: where the Region changes meanwhile, the status write is refused for this version.
    let (meta, _) = state.typed::<Region>(Kind::Region, "", key.name())?;
    let seen = state.observed_region(key.name())?;
    Some(Decision::new(meta, seen.view.region.status.as_ref(), region::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on a Region reads.
    pub fn observed_region(&self, code: &str) -> Option<region::Observed> {
        Some(region::Observed { view: self.region(code)?, retained: self.retained_volumes(code) })
    }

    /// The volumes that a Region keeps, in order of name, each with the first exit that retained it.
    fn retained_volumes(&self, code: &str) -> Vec<Arc<RetainedVolume>> {
        let volumes = self.store(Kind::Volume).find(&IndexKey::RetainedIn(code.to_owned()));
        let retained = volumes.iter().filter_map(|v| match v.tally() {
            Tally::Volume(tally) => tally.retained.clone(),
            _ => None,
        });
        retained.map(|volume| Arc::new(self.with_certificate(volume))).collect()
    }

    /// A retained volume with the exit whose certificate first said so. A later exit of volumes may have retained it again.
    fn with_certificate(&self, volume: RetainedVolume) -> RetainedVolume {
        let exits = self.store(Kind::Decommission).find(&IndexKey::Retains(volume.volume_uid.clone()));
        let certified = exits.iter().filter_map(|exit| match exit.tally() {
            Tally::Record(tally) => Some((tally.certified?.ended_at, exit.name().to_owned())),
            _ => None,
        });
        let (since, decommission) = certified.min().unzip();
        RetainedVolume { since, decommission, ..volume }
    }
}
