//! Assessment (Art. 27, 29). Its facts are a snapshot that a timer asks for; nothing that they are taken from enqueues it.

use govcloud_api::application::CloudApplication;
use govcloud_api::assessment::{Assessment, AssessmentPhase, Subject};
use govcloud_api::change::ChangeRequest;
use govcloud_api::deadline::Deadline;
use govcloud_api::filed::Filed as _;
use govcloud_api::resources;
use govcloud_domain::assessment::{self, MaintenanceSeen, Observed, RecordView};
use govcloud_domain::decision;
use govcloud_domain::lifecycle_event::EventKind;
use govcloud_domain::utilization::MeasuredNamespace;
use jiff::Timestamp;
use serde::Deserialize;

use super::filed::{filed_index, phase, region_in_spec};
use super::settings::SETTINGS;
use super::{Filed, Kind, KindSpec, Priority, RecordSpec, Watched};
use crate::cache::Object;
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Assessment,
    resource: resources::ASSESSMENT,
    watched: Watched::All,
    priority: Priority::High,
    index: filed_index,
    count: Census::record::<Assessment>,
    record: Some(RecordSpec {
        depends: &[&SETTINGS],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<Assessment>,
        debounce: None,
        filed: Some(Filed {
            applications: |_| Vec::new(),
            namespaces: None,
            is_over: |o| phase(o).is_some_and(AssessmentPhase::is_over),
        }),
    }),
};

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_assessment(key, with, now)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, assessment::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on an assessment reads. Records and namespaces only while its facts are to be taken.
    pub fn observed_assessment(&self, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Assessment)?;
        let (meta, record) = object.typed::<Assessment>()?;
        let facts = assessment::wants_facts(&record, now);
        Some(Observed {
            region_context: self.region_context(&record.spec.region, with),
            records: if facts { self.assessed_records(&record, key.namespace()) } else { Vec::new() },
            namespaces: self.measured_namespaces(&record, key.namespace(), now),
            measured: self.use_readings.of(&meta.uid),
            meta,
            record,
        })
    }

    /// Records of the assessed party: of the provider all of its Region, of a department all of its filing namespace.
    fn assessed_records(&self, assessment: &Assessment, namespace: &str) -> Vec<RecordView> {
        let region = &assessment.spec.region;
        let kinds = Kind::records().filter(|kind| kind.filed().is_some() && *kind != Kind::Assessment);
        let objects = kinds.flat_map(|kind| match assessment.spec.subject {
            Subject::Provider => self.store(kind).find(&IndexKey::Region(region.clone())),
            Subject::Department => self.store(kind).in_namespace(namespace),
        });
        let of_region = objects.filter(|o| region_in_spec(o).as_deref() == Some(region.as_str()));
        let mut records: Vec<RecordView> = of_region.map(|o| view(&o)).collect();
        records.sort_by(|a, b| (a.kind, &a.namespace, &a.name).cmp(&(b.kind, &b.namespace, &b.name)));
        records
    }

    /// Tenant namespaces of a department whose use an assessment asks for now, in order.
    pub fn measured_namespaces(
        &self,
        assessment: &Assessment,
        namespace: &str,
        now: Timestamp,
    ) -> Vec<MeasuredNamespace> {
        if !assessment::wants_use(assessment, now) {
            return Vec::new();
        }
        let applications = self.store(Kind::Application).in_namespace(namespace);
        let read = applications.iter().filter_map(|o| Some((o.name(), o.read::<CloudApplication>().ok()?)));
        let in_use = read.filter(|(_, a)| a.spec.region == assessment.spec.region && !a.is_over());
        let mut all: Vec<MeasuredNamespace> = in_use
            .flat_map(|(name, application)| {
                let status = application.status.unwrap_or_default();
                let live_at = status.live_at.map(|at| at.timestamp());
                let of =
                    move |namespace| MeasuredNamespace { application: name.to_owned(), namespace, live_at };
                status.namespaces.into_iter().map(move |ns| of(ns.namespace))
            })
            .collect();
        all.sort_by(|a, b| a.namespace.cmp(&b.namespace));
        all
    }
}

/// A record, as far as facts are taken from it. One that does not fit its schema has none.
fn view(object: &Object) -> RecordView {
    #[derive(Deserialize)]
    struct OfClocks {
        #[serde(default)]
        deadlines: Vec<Deadline>,
    }
    RecordView {
        kind: object.kind.as_str(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        deadlines: object.status::<OfClocks>().map(|status| status.deadlines).unwrap_or_default(),
        maintenance: (object.kind == Kind::Change).then(|| maintenance(object)).flatten(),
    }
}

/// The maintenance of a ChangeRequest, where it was approved.
fn maintenance(object: &Object) -> Option<MaintenanceSeen> {
    let (meta, change) = object.typed::<ChangeRequest>()?;
    let plan = change.spec.platform_maintenance.as_ref()?;
    let record = change.record().filter(|record| decision::approved(record, &meta.digest).is_some())?;
    let late: &str = EventKind::NoticeShort.into();
    Some(MaintenanceSeen {
        window: plan.window.clone(),
        outcome: change.spec.maintenance_outcome.clone(),
        notice_late: record.timeline.iter().any(|entry| entry.event == late),
    })
}
