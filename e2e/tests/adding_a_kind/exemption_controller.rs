//! Exemption (Art. 30).

use govcloud_api::exemption::{Exemption, ExemptionPhase};
use govcloud_api::resources;
use govcloud_domain::exemption;
use jiff::Timestamp;

use super::filed::{filed_index, phase, region_in_spec};
use super::settings::SETTINGS;
use super::{Dependency, Filed, Kind, KindSpec, Live, Priority, RecordSpec, Watched, always, links};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Exemption,
    resource: resources::INSPECTION,
    watched: Watched::WhileEstablished("exemptions.govcloud.dev"),
    priority: Priority::High,
    index: filed_index,
    count: Census::record::<Exemption>,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &READS],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<Exemption>,
        debounce: None,
        filed: Some(Filed {
            applications: |exemption| {
                exemption.spec()["application"].as_str().map(str::to_owned).into_iter().collect()
            },
            namespaces: None,
            is_over: |exemption| phase(exemption).is_some_and(ExemptionPhase::is_over),
        }),
    }),
};

static READS: [Dependency; 1] = [Dependency::on(Kind::Application, links::APPLICATION_OF_RECORD, always)
    .live(Live::Reference)
    .confirm_missing()];

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let (meta, record) = state.object(key)?.typed::<Exemption>()?;
    let region_context = state.region_context(&record.spec.region, with);
    let seen = exemption::Observed { meta, record, region_context };
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, exemption::decide(&seen, now)))
}
