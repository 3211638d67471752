//! Region (Art. 4, 5, 30): settings of its records, the volumes that it keeps (Art. 23), and the namespaces in which records
//! are filed.

use std::sync::Arc;

use govcloud_api::decommission::Decommission;
use govcloud_api::region::{Region, RetainedVolume};
use govcloud_api::{keys, resources};
use govcloud_domain::region;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use strum::VariantArray;

use super::compliance::counts_differently;
use super::filed::is_open;
use super::namespace::filing_differs;
use super::settings::SETTINGS;
use super::{Dependency, Kind, KindSpec, Priority, RecordSpec, Watched, always, links};
use crate::cache::{Change, Object, text};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Region,
    resource: resources::REGION,
    watched: Watched::All,
    priority: Priority::Low,
    index,
    count: |_, _| {},
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &RETAINED, &FILING, &FILED, &SETTLED, &PLATFORM],
        region: |region| Some(region.name().to_owned()),
        decide,
        schema_error: super::schema_error::<Region>,
        // Many exits change the count of retained volumes in a short time, and it is written once for all of them.
        debounce: Some(SignedDuration::from_secs(5)),
        filed: None,
    }),
};

/// Volumes that outlived their applications, and the exits by whose certificates they are kept.
static RETAINED: [Dependency; 2] = [
    Dependency::on(Kind::Volume, links::RETAINED_VOLUMES, always),
    Dependency::on(Kind::Decommission, links::CERTIFICATES, retains_others),
];

/// Its filing namespaces.
static FILING: [Dependency; 1] =
    [Dependency::on(Kind::Namespace, links::REGION_OF_FILING_NAMESPACE, filing_differs)];

/// Records in its filing namespaces, of whichever kind: each that is filed, and that ends.
static FILED: [Dependency; Kind::VARIANTS.len()] = {
    let mut kinds = [filed(Kind::Application); Kind::VARIANTS.len()];
    let mut i = 0;
    while i < kinds.len() {
        kinds[i] = filed(Kind::VARIANTS[i]);
        i += 1;
    }
    kinds
};

/// Statements that are settled, and the editions that they were computed by.
static SETTLED: [Dependency; 2] = [
    Dependency::on(Kind::Statement, links::REGION_WHERE_FILED, super::statement::settled_or_billed),
    Dependency::on(Kind::Catalog, links::CATALOGS_OF_REGION, super::catalog::mark_differs),
];

/// What the provider owes for the platform (Art. 17, 21, 24).
static PLATFORM: [Dependency; 1] = [Dependency::on(Kind::Compliance, links::PLATFORM, counts_differently)];

const fn filed(on: Kind) -> Dependency {
    Dependency::on(on, links::REGION_WHERE_FILED, opens_or_ends)
}

/// Records that open or end, but for those that open in a namespace that bears the mark: most do.
fn opens_or_ends(state: &ClusterState, change: &Change) -> bool {
    let opens_in_marked = || {
        let opens = change.new.as_ref().filter(|record| is_open(record));
        opens.and_then(|record| state.filing_namespace(record.namespace())).is_some_and(|n| n.marked)
    };
    change.kind.filed().is_some() && change.differs(is_open) && !opens_in_marked()
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
    keys.extend(links::catalogs(&spec).into_iter().map(IndexKey::Catalog));
    keys.extend(text("parent").map(IndexKey::Parent));
    keys.extend(classes.map(|c| IndexKey::StorageClass(c.to_owned())));
    keys
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    // Read first: where the Region changes meanwhile, the status write is refused for this version.
    let (meta, _) = state.typed::<Region>(Kind::Region, "", key.name())?;
    let seen = region::Observed {
        trouble: with.failure.clone(),
        months: state.department_months(key.name(), now),
        ..state.observed_region(key.name())?
    };
    Some(Decision::new(meta, seen.view.region.status.as_ref(), region::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on a Region reads.
    pub fn observed_region(&self, code: &str) -> Option<region::Observed> {
        Some(region::Observed {
            view: self.region(code)?,
            retained: self.retained_volumes(code),
            filing: self.filing_namespaces(code),
            months: Vec::new(),
            billed: self.billed_editions(code),
            evidence: self.evidence(&IndexKey::Platform(code.to_owned())),
            trouble: None,
        })
    }

    /// The volumes that a Region keeps, in order of name, each with the first exit that retained it.
    fn retained_volumes(&self, code: &str) -> Vec<Arc<RetainedVolume>> {
        let volumes = self.store(Kind::Volume).find(&IndexKey::RetainedIn(code.to_owned()));
        let owned = volumes.iter().filter(|v| v.label(keys::APPLICATION_UID).is_some());
        owned.map(|volume| Arc::new(self.retained_volume(volume))).collect()
    }

    /// A retained volume with the exit whose certificate first said so. A later exit of volumes may have retained it again.
    fn retained_volume(&self, volume: &Object) -> RetainedVolume {
        let exits = self.store(Kind::Decommission).find(&IndexKey::Retains(volume.uid.to_string()));
        let certified = exits.iter().filter_map(|exit| {
            let certificate = exit.read::<Decommission>().ok()?.status?.certificate?;
            Some((certificate.ended_at, exit.name().to_owned()))
        });
        let (since, decommission) = certified.min().unzip();
        let mut labels = volume.labels();
        let mut label = |key| labels.remove(key).unwrap_or_default();
        RetainedVolume {
            volume_uid: volume.uid.to_string(),
            volume: volume.name().to_owned(),
            capacity: text(&volume.value(), "/spec/capacity/storage"),
            namespace: label(keys::DEPARTMENT),
            application: label(keys::APPLICATION),
            application_uid: label(keys::APPLICATION_UID),
            since,
            decommission,
        }
    }
}
