//! Statement: the bill of a department's month (Art. 6, 26). It is computed from the records of its filing namespace.

use std::collections::BTreeSet;
use std::sync::Arc;

use govcloud_api::application::{ApplicationPhase, CloudApplication};
use govcloud_api::change::{ChangePhase, ChangeRequest};
use govcloud_api::decommission::Decommission;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::resources;
use govcloud_api::statement::{Statement, StatementPhase};
use govcloud_api::time::Instant;
use govcloud_domain::calendar::china_date;
use govcloud_domain::region::DepartmentMonths;
use govcloud_domain::region::months::Due;
use govcloud_domain::settlement::export::ApplicationRecord;
use govcloud_domain::settlement::period::Month;
use govcloud_domain::statement;
use jiff::{SignedDuration, Timestamp};
use kube::Resource;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::filed::{phase, region_in_spec};
use super::settings::SETTINGS;
use super::{Dependency, Filed, Kind, KindSpec, Priority, RecordSpec, Watched, always, links};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::decision::{Decision, GatherContext};
use crate::index::IndexKey;
use crate::key::Key;
use crate::metrics::Census;

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Statement,
    resource: resources::STATEMENT,
    watched: Watched::All,
    priority: Priority::Low,
    index,
    count: Census::statement,
    record: Some(RecordSpec {
        depends: &[&SETTINGS, &RECORDS],
        region: region_in_spec,
        decide,
        schema_error: super::schema_error::<Statement>,
        // Many records of a department change in a short time, and the bill is computed once for all of them.
        debounce: Some(SignedDuration::from_secs(5)),
        filed: Some(Filed { applications: |_| Vec::new(), namespaces: None, is_over }),
    }),
};

/// The department's records, while a statement of it is open.
static RECORDS: [Dependency; 5] = [
    Dependency::on(Kind::Application, links::OPEN_STATEMENTS, always),
    Dependency::on(Kind::Grant, links::OPEN_STATEMENTS, always),
    Dependency::on(Kind::Change, links::OPEN_STATEMENTS, always),
    Dependency::on(Kind::Decommission, links::OPEN_STATEMENTS, always),
    // The month before, with whose closing state the month opens.
    Dependency::on(Kind::Statement, links::OPEN_STATEMENTS, settled_or_billed),
];

fn is_over(statement: &Object) -> bool {
    phase(statement).is_some_and(StatementPhase::is_over)
}

/// Names of the editions that a complete statement was computed by.
fn editions(statement: &Object) -> BTreeSet<String> {
    #[derive(Deserialize)]
    struct OfEdition {
        name: String,
    }
    #[derive(Deserialize)]
    struct OfBill {
        editions: Vec<OfEdition>,
        digest: Option<String>,
    }
    #[derive(Deserialize)]
    struct OfStatus {
        bill: Option<OfBill>,
    }
    let bill = statement.status::<OfStatus>().and_then(|status| status.bill);
    let editions = bill.filter(|bill| bill.digest.is_some()).map(|bill| bill.editions);
    editions.into_iter().flatten().map(|edition| edition.name).collect()
}

/// Returns true if a statement was made, became final, or was computed by other editions.
pub(super) fn settled_or_billed(_: &ClusterState, change: &Change) -> bool {
    change.differs(|statement| (is_over(statement), editions(statement)))
}

fn index(statement: &Object) -> Vec<IndexKey> {
    let mut keys = vec![IndexKey::Uid(statement.uid.to_string())];
    keys.extend(region_in_spec(statement).map(IndexKey::Region));
    if !is_over(statement) {
        keys.push(IndexKey::OpenStatement(statement.namespace().to_owned()));
    }
    keys.extend(editions(statement).into_iter().map(IndexKey::Bills));
    keys
}

fn decide(state: &ClusterState, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decision> {
    let seen = state.observed_statement(key, with)?;
    let stored = seen.record.status.as_ref();
    Some(Decision::new(seen.meta.clone(), stored, statement::decide(&seen, now)))
}

impl ClusterState {
    /// Everything that a decision on a statement reads. Nothing is computed for a final one.
    pub fn observed_statement(&self, key: &Key, with: &GatherContext) -> Option<statement::Observed> {
        let object = self.object(key).filter(|o| o.kind == Kind::Statement)?;
        let (meta, record) = object.typed::<Statement>()?;
        let records = (!is_over(&object)).then(|| self.records_of(key));
        let region_context = self.region_context(&record.spec.region, with);
        Some(statement::Observed { meta, record, region_context, records })
    }

    /// The records of a department that a bill is computed from. One that does not fit its schema is missing, and the bill
    /// says so where it matters.
    fn records_of(&self, own: &Key) -> statement::Records {
        let namespace = own.namespace();
        let grants: Vec<ResourceGrant> = self.typed_in(Kind::Grant, namespace, |_| true);
        let completed = |change: &Object| phase(change) == Some(ChangePhase::Completed);
        let changes: Vec<ChangeRequest> = self.typed_in(Kind::Change, namespace, completed);
        let exits: Vec<Decommission> = self.typed_in(Kind::Decommission, namespace, |_| true);
        let applications: Vec<CloudApplication> = self.typed_in(Kind::Application, namespace, |_| true);
        let record = |application: &CloudApplication| {
            let grant = grants.iter().find(|grant| grant.metadata.name == application.metadata.name);
            ApplicationRecord::read(application, grant, &changes, &exits)
        };
        let others: Vec<Statement> =
            self.typed_in(Kind::Statement, namespace, |other| other.name() != own.name());
        statement::Records {
            applications: applications.iter().map(record).collect(),
            others: others.into_iter().map(Arc::new).collect(),
        }
    }

    /// Objects of a kind in a namespace, of those that are asked for, as far as they fit their schema.
    fn typed_in<K: Resource + DeserializeOwned>(
        &self,
        kind: Kind,
        namespace: &str,
        of: impl Fn(&Object) -> bool,
    ) -> Vec<K> {
        let mut found = self.store(kind).in_namespace(namespace);
        found.retain(|object| of(object));
        found.iter().filter_map(|object| object.read().ok()).collect()
    }

    /// The months of a Region's departments at an instant; none where it does not settle.
    pub(super) fn department_months(&self, code: &str, now: Timestamp) -> Vec<DepartmentMonths> {
        let due = self.region(code).and_then(|view| Due::of(&view, now));
        let Some(due) = due else { return Vec::new() };
        let departments = self.filing_namespaces(code).into_iter().map(|(namespace, _)| {
            let mut department = DepartmentMonths {
                statements: self.statement_months(&namespace.name),
                namespace,
                in_force: Vec::new(),
            };
            if department.lacks_statement(due) {
                department.in_force = self.months_in_force(&department.namespace.name);
            }
            department
        });
        departments.collect()
    }

    /// The statements of a filing namespace by month, and whether each is final.
    fn statement_months(&self, namespace: &str) -> std::collections::BTreeMap<Month, bool> {
        let store = self.store(Kind::Statement);
        let open: BTreeSet<String> = store
            .find(&IndexKey::OpenStatement(namespace.to_owned()))
            .iter()
            .map(|statement| statement.name().to_owned())
            .collect();
        let all = store.in_namespace(namespace);
        let months = all.iter().filter_map(|statement| {
            let month = statement.name().parse().ok()?;
            Some((month, !open.contains(statement.name())))
        });
        months.collect()
    }

    /// First and last month in which each application of a filing namespace had something in force.
    fn months_in_force(&self, namespace: &str) -> Vec<(Month, Option<Month>)> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct OfLife {
            provisioned_at: Option<Instant>,
            phase: Option<ApplicationPhase>,
            exited_at: Option<Instant>,
            decommission: Option<String>,
        }
        let applications = self.store(Kind::Application).in_namespace(namespace);
        let lives = applications.iter().filter_map(|application| {
            let life = application.status::<OfLife>()?;
            let exited = life.phase == Some(ApplicationPhase::Exited);
            // A record of before `exitedAt` was recorded has it in its certificate.
            let certified = || {
                let name = life.decommission.as_ref()?;
                let exit = self.get(Kind::Decommission, namespace, name)?.read::<Decommission>().ok()?;
                Some(exit.status?.certificate?.ended_at)
            };
            let ended = exited.then(|| life.exited_at.or_else(certified)).flatten();
            let month = |at: Instant| Month::of(china_date(at.timestamp()));
            Some((month(life.provisioned_at?), ended.map(month)))
        });
        lives.collect()
    }
}
