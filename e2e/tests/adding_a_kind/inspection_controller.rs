//! Inspection (Art. 25).

use govcloud_api::inspection::{Inspection, InspectionPhase};
use govcloud_api::resources;
use govcloud_domain::inspection;
use jiff::Timestamp;

use super::filed::{filed_index, phase, region_in_spec};
use super::settings::SETTINGS;
use super::{Dependency, Filed, Kind, KindSpec, Live, Priority, RecordSpec, Watched, always, links};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Inspection,
    resource: resources::INSPECTION,
    watched: Watched::WhileEstablished("inspections.govcloud.dev"),
    priority: Priority::High,
    index: filed_index,
    count: Census::record::<Inspection>,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &READS],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<Inspection>,
        debounce: None,
        filed: Some(Filed {
            applications: |inspection| {
                inspection.spec()["application"].as_str().map(str::to_owned).into_iter().collect()
            },
            namespaces: None,
            is_over: |inspection| phase(inspection).is_some_and(InspectionPhase::is_over),
        }),
    }),
};

static READS: [Dependency; 1] =
    [Dependency::on(Kind::Application, links::APPLICATION_OF_RECORD, always).live(Live::Reference).confirm_missing()];

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let (meta, record) = state.object(key)?.typed::<Inspection>()?;
    let region_context = state.region_context(&record.spec.region, with);
    let seen = inspection::Observed { meta, record, region_context };
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, inspection::decide(&seen, now)))
}
