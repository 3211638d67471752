//! Inspection: findings of the authority, and the answers of the inspected party (Art. 25).

use govcloud_api::inspection::{Inspection, InspectionPhase};
use govcloud_api::resources;
use govcloud_domain::inspection;
use jiff::Timestamp;

use super::filed::{filed_index, phase, region_in_spec};
use super::settings::SETTINGS;
use super::{Filed, Kind, KindSpec, Priority, RecordSpec, Watched};
use crate::cache::Object;
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Inspection,
    resource: resources::INSPECTION,
    watched: Watched::All,
    priority: Priority::High,
    index: filed_index,
    count: Census::inspection,
    record: Some(RecordSpec {
        depends: &[&SETTINGS],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<Inspection>,
        debounce: None,
        filed: Some(Filed {
            applications: |inspection| application(inspection).into_iter().collect(),
            namespaces: None,
            is_over: |inspection| phase(inspection).is_some_and(InspectionPhase::is_over),
        }),
    }),
};

/// The application that a record names in `spec.application`, if it names one.
pub(super) fn application(record: &Object) -> Option<String> {
    record.spec()["application"].as_str().map(str::to_owned)
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_inspection(key, with)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, inspection::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on an inspection reads.
    pub fn observed_inspection(&self, key: &Key, with: &GatherContext) -> Option<inspection::Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Inspection)?;
        let (meta, record) = object.typed::<Inspection>()?;
        let region_context = self.region_context(&record.spec.region, with);
        Some(inspection::Observed { meta, record, region_context })
    }
}
