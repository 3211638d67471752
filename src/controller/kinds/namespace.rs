//! Namespace: all are watched, for a name may be taken by one that is no tenant's (S3). Those in which records are filed
//! bear a mark while a record is open.

use govcloud_api::{keys, resources};
use govcloud_domain::existing_namespace::ExistingNamespace;
use govcloud_domain::filing::{FilingNamespace, Holding};

use super::filed::is_open;
use super::links::filing_region;
use super::tenant_objects::content;
use super::{Kind, KindSpec, Priority, Watched};
use crate::cache::{Change, Object};
use crate::cluster_state::ClusterState;
use crate::index::IndexKey;

pub(super) static KIND: KindSpec =
    KindSpec { index, ..KindSpec::new(Kind::Namespace, resources::NAMESPACE, Watched::All, Priority::High) };

fn index(namespace: &Object) -> Vec<IndexKey> {
    let labels = namespace.labels();
    let tenant = match (labels.get(keys::DEPARTMENT), labels.get(keys::APPLICATION)) {
        (Some(d), Some(a)) => Some(IndexKey::TenantOf(d.clone(), a.clone())),
        _ => None,
    };
    tenant.into_iter().chain(filing_region(namespace).map(IndexKey::FilesFor)).collect()
}

/// Region, mark and deletion of a filing namespace.
pub(super) fn filing_differs(_: &ClusterState, change: &Change) -> bool {
    change.both().any(|n| filing_region(n).is_some())
        && change.differs(|n| {
            let settled_through = n.label(keys::SETTLED_THROUGH);
            (n.uid.clone(), filing_region(n), is_marked(n), settled_through, n.is_being_deleted())
        })
}

/// Returns true if a filing namespace bears the mark of open records.
fn is_marked(namespace: &Object) -> bool {
    namespace.label(keys::OPEN_RECORDS).as_deref() == Some("true")
}

/// Identity, labels and deletion: everything that a decision reads of a namespace that is not leaving. Of one that is no
/// tenant namespace, also who owns it, and whom its holder gives it to.
pub(super) fn identity_differs(_: &ClusterState, change: &Change) -> bool {
    let held = |n: &Object| {
        let existing = ExistingNamespace::read(&n.value());
        (existing.foreign, existing.released_to)
    };
    let held = |n: &Object| n.label(keys::APPLICATION_UID).is_none().then(|| held(n));
    change.differs(|n| (n.uid.clone(), n.labels(), n.is_being_deleted(), held(n)))
}

/// Identity, deletion and content: a grant corrects drift in the content.
pub(super) fn content_differs(_: &ClusterState, change: &Change) -> bool {
    change.differs(|n| (n.uid.clone(), content(n), n.is_being_deleted()))
}

impl ClusterState {
    /// A filing namespace; `None` where there is none of this name.
    pub(super) fn filing_namespace(&self, name: &str) -> Option<FilingNamespace> {
        let namespace = self.get(Kind::Namespace, "", name)?;
        filing_region(&namespace)?;
        Some(FilingNamespace {
            name: name.to_owned(),
            uid: namespace.uid.to_string(),
            resource_version: namespace.resource_version(),
            marked: is_marked(&namespace),
            deleting: namespace.is_being_deleted(),
            settled_through: namespace.label(keys::SETTLED_THROUGH),
        })
    }

    /// The filing namespaces of a Region in order of name, with what each holds.
    pub(super) fn filing_namespaces(&self, code: &str) -> Vec<(FilingNamespace, Holding)> {
        let found = self.store(Kind::Namespace).find(&IndexKey::FilesFor(code.to_owned()));
        let own = found.iter().filter(|n| filing_region(n).as_deref() == Some(code));
        own.filter_map(|n| Some((self.filing_namespace(n.name())?, self.holding(n.name())))).collect()
    }

    /// Filed records that a namespace holds, whichever Region they name.
    fn holding(&self, namespace: &str) -> Holding {
        let mut holding = Holding::Nothing;
        for kind in Kind::records().filter(|kind| kind.filed().is_some()) {
            let records = self.store(kind).in_namespace(namespace);
            if records.iter().any(|record| is_open(record)) {
                return Holding::Open;
            }
            if !records.is_empty() {
                holding = Holding::Ended;
            }
        }
        holding
    }
}
