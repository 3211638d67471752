//! ComplianceRecord: documents of operation and security (Art. 17, 19, 21, 22, 24), and what others read of them.

use std::sync::Arc;

use govcloud_api::compliance::{CompliancePhase, ComplianceRecord};
use govcloud_api::resources;
use govcloud_domain::compliance;
use govcloud_domain::compliance::duty::Evidence;
use jiff::Timestamp;
use serde_json::Value;

use super::filed::{filed_index, phase, region_in_spec};
use super::settings::SETTINGS;
use super::{Dependency, Filed, Kind, KindSpec, Live, Priority, RecordSpec, Watched, always, links};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Compliance,
    resource: resources::COMPLIANCE_RECORD,
    watched: Watched::All,
    priority: Priority::High,
    index,
    count: Census::compliance,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &READS],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<ComplianceRecord>,
        debounce: None,
        filed: Some(Filed {
            applications: |record| super::inspection::application(record).into_iter().collect(),
            namespaces: None,
            is_over: |record| phase(record).is_some_and(CompliancePhase::is_over),
        }),
    }),
};

static READS: [Dependency; 3] = [
    Dependency::on(Kind::Application, links::APPLICATION_OF_RECORD, always)
        .live(Live::Reference)
        .confirm_missing(),
    Dependency::on(Kind::Compliance, links::EMERGENCY_PLAN, counts_differently).confirm_missing(),
    Dependency::on(Kind::Compliance, links::SAME_SUBJECT, counts_differently),
];

/// Phase and content: all that others read of one.
pub(super) fn counts_differently(_: &ClusterState, change: &Change) -> bool {
    change.differs(|record| (phase::<CompliancePhase>(record), record.meta().digest))
}

/// Key of the subject that a record is about, for those that name no application.
fn platform(record: &Object) -> Option<IndexKey> {
    if super::inspection::application(record).is_some() {
        return None;
    }
    region_in_spec(record).map(IndexKey::Platform)
}

/// Keys under which records about the same subject are found.
pub(super) fn subject(record: &Object) -> Option<IndexKey> {
    let application = super::inspection::application(record);
    let of_application = application.map(|a| IndexKey::Application(record.namespace().to_owned(), a));
    of_application.or_else(|| platform(record))
}

fn index(record: &Object) -> Vec<IndexKey> {
    let mut keys = filed_index(record);
    keys.extend(platform(record));
    keys.extend(relies_on(record));
    keys
}

/// Key of the emergency plan that a record names: maintenance or a drill.
pub(super) fn relies_on(record: &Object) -> Option<IndexKey> {
    Some(IndexKey::ReliesOn(record.namespace().to_owned(), plan_name(record)?))
}

/// Name of the emergency plan that a record names.
pub(super) fn plan_name(record: &Object) -> Option<String> {
    let spec = record.spec();
    let named = ["/platformMaintenance/emergencyPlan", "/drill/plan"].into_iter();
    named.filter_map(|at| spec.pointer(at)).find_map(Value::as_str).map(str::to_owned)
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_compliance(key, with)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, compliance::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on a compliance record reads.
    pub fn observed_compliance(&self, key: &Key, with: &GatherContext) -> Option<compliance::Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Compliance)?;
        let (meta, record) = object.typed::<ComplianceRecord>()?;
        let application = record.spec.application.as_ref();
        let application = application.and_then(|a| self.typed(Kind::Application, key.namespace(), a));
        Some(compliance::Observed {
            region_context: self.region_context(&record.spec.region, with),
            application: application.map(|(_, application)| application),
            plan: self.emergency_plan(&object),
            newer: self.newer(&object, &record),
            meta,
            record,
        })
    }

    /// The emergency plan that a record names, where it exists.
    pub(super) fn emergency_plan(&self, record: &Object) -> Option<Arc<ComplianceRecord>> {
        let (_, plan) = self.typed(Kind::Compliance, record.namespace(), &plan_name(record)?)?;
        Some(plan)
    }

    /// Compliance records of an index key that count.
    pub(super) fn evidence(&self, of: &IndexKey) -> Vec<Evidence> {
        let records = self.store(Kind::Compliance).find(of);
        let counts = records.iter().filter(|r| phase(r) == Some(CompliancePhase::Recorded));
        counts.filter_map(|r| Evidence::of(&r.read::<ComplianceRecord>().ok()?)).collect()
    }

    /// Name of the latest record of the same kind and subject that counts, if it is later than this one.
    fn newer(&self, object: &Object, record: &ComplianceRecord) -> Option<String> {
        let own = Evidence::of(record)?;
        let of_subject = self.evidence(&subject(object)?);
        let of_type = of_subject.iter().filter(|e| e.met.type_ == own.met.type_);
        let latest = of_type.max_by(|a, b| a.order().cmp(&b.order()))?;
        (latest.order() > own.order()).then(|| latest.met.record.clone())
    }
}
