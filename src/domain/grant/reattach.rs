//! Taking namespaces back that an earlier record left, each by its UID, on the authority's decision (S1, S3, S5, S6).

use serde::Deserialize;

use super::{Evaluation, LiveNamespace, LiveVolume};
use crate::decision;
use crate::plan::{Precondition, Target, Write};
use crate::tenancy::namespace::{Identity, earlier_owners, predecessor, taken_back};
use crate::tenancy::{LABEL_APPLICATION_UID, Tenant};
use govcloud_api::application::{CloudApplication, FoundNamespace};
use govcloud_api::resources;

impl Evaluation<'_> {
    /// The application whose approval names namespaces to take back, until it is provisioned.
    fn reattaching(&self) -> Option<&CloudApplication> {
        let (meta, application) = self.seen.application.as_ref()?;
        let status = application.status.as_ref()?;
        let approval = decision::approved(&status.record, &meta.digest)?;
        let own = meta.uid == self.seen.record.spec.application.uid;
        let begins = status.provisioned_at.is_none() && !approval.reattach.is_empty();
        (own && begins).then_some(application.as_ref())
    }

    /// What an earlier record left for an entry, and the authority let this one take back.
    pub(super) fn left_behind(&self, entry: &str) -> Option<&FoundNamespace> {
        let status = self.reattaching()?.status.as_ref()?;
        let named = |uid: &String| status.record.decision.as_ref().is_some_and(|d| d.reattach.contains(uid));
        status.found_namespaces.iter().find(|f| f.entry == entry).filter(|f| named(&f.uid))
    }

    /// The write that takes one namespace back: of this very UID, and still that earlier record's.
    pub(super) fn take_back(&self, tenant: &Tenant, live: &LiveNamespace) -> Option<Write> {
        let found = self.left_behind(tenant.entry)?;
        let identity = Identity {
            filing_namespace: tenant.owner.filing_namespace,
            application: tenant.owner.name,
            region: tenant.owner.region,
            entry: tenant.entry,
        };
        let labels = Deserialize::deserialize(&live.object.whole["metadata"]["labels"]).unwrap_or_default();
        let owner = predecessor(&identity, tenant.owner.uid, &labels)?;
        if live.deleting || live.uid != found.uid || owner != found.application_uid {
            return None;
        }
        let precondition =
            Precondition { uid: live.uid.clone(), resource_version: live.resource_version.clone() };
        let body = taken_back(tenant.owner.uid, &live.object.whole);
        Some(Write::Patch(Target::named(resources::NAMESPACE, &live.name), precondition, body))
    }

    /// The earlier record whose grant this was, when it comes into force for the present one.
    pub(super) fn taken_over(&self) -> Option<String> {
        self.status.in_force.as_ref()?;
        let found = &self.reattaching()?.status.as_ref()?.found_namespaces;
        found.first().map(|f| f.application_uid.clone())
    }

    /// Whether a volume is this application's to keep: by its label; or it stands in one of its namespaces and bears
    /// none yet, or that of an earlier record from which just this namespace was taken back.
    pub(super) fn owns(&self, volume: &LiveVolume) -> bool {
        let uid = &self.seen.record.spec.application.uid;
        if volume.owner.as_ref() == Some(uid) {
            return true;
        }
        let claimed = |n: &&LiveNamespace| n.name == volume.namespace && n.owner.as_ref() == Some(uid);
        let Some(namespace) = self.seen.namespaces.iter().find(claimed) else { return false };
        debug_assert_eq!(namespace.object.whole["metadata"]["labels"][LABEL_APPLICATION_UID], uid.as_str());
        match &volume.owner {
            None => true,
            Some(owner) => earlier_owners(&namespace.object.whole).any(|u| u == owner),
        }
    }
}
