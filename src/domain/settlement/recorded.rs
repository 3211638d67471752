//! Reads an [`ApplicationRecord`] from the records of the API (Art. 13, 15, 16). What their statuses do not have is left out
//! here, and the chain finds it missing.

use govcloud_api::application::CloudApplication;
use govcloud_api::change::{ChangePhase, ChangeRequest};
use govcloud_api::deadline::Obligation;
use govcloud_api::decommission::{Decommission, DecommissionPhase, Scope};
use govcloud_api::grant::{GrantedNamespace, ResourceGrant};

use super::export::{ApplicationRecord, ChangeRecord, ExitRecord, NamespaceRecord, Quotas};

impl ApplicationRecord {
    /// The record of an application with its grant, and with the changes and exits of its filing namespace. Those of other
    /// applications are left out, by UID.
    pub fn read<'a>(
        application: &CloudApplication,
        grant: Option<&ResourceGrant>,
        changes: impl IntoIterator<Item = &'a ChangeRequest>,
        exits: impl IntoIterator<Item = &'a Decommission>,
    ) -> Self {
        let uid = application.metadata.uid.clone().unwrap_or_default();
        let status = application.status.clone().unwrap_or_default();
        let took_back = status.record.decision.map_or_else(Vec::new, |decision| decision.reattach);
        let namespace = |n: govcloud_api::tenancy::TenantNamespace| {
            let uid = n.uid.unwrap_or_default();
            NamespaceRecord { took_back: took_back.contains(&uid), entry: n.entry, uid }
        };
        let approved = application.spec.namespaces.iter().map(|n| (n.name.clone(), n.quota.clone()));
        Self {
            name: application.metadata.name.clone().unwrap_or_default(),
            outside_budget: application.spec.outside_budget,
            provisioned_at: status.provisioned_at,
            namespaces: status.namespaces.into_iter().map(namespace).collect(),
            approved: approved.collect(),
            changes: changes.into_iter().filter_map(|c| completed(c, &uid)).collect(),
            granted: grant.filter(|grant| grant.spec.application.uid == uid).and_then(in_force),
            exit: exits.into_iter().find_map(|exit| begun(exit, &uid)),
            uid,
        }
    }
}

/// Quotas that a grant has in force; `None` before any are.
fn in_force(grant: &ResourceGrant) -> Option<Quotas> {
    let granted = &grant.status.as_ref()?.granted;
    (!granted.is_empty()).then(|| quotas(granted))
}

/// A completed change of an application's quotas.
fn completed(change: &ChangeRequest, application_uid: &str) -> Option<ChangeRecord> {
    let status = change.status.as_ref()?;
    let of_application = status.application_uid.as_deref() == Some(application_uid);
    let carried_out =
        status.phase == Some(ChangePhase::Completed) && change.spec.resource_adjustment.is_some();
    (of_application && carried_out).then(|| ChangeRecord {
        name: change.metadata.name.clone().unwrap_or_default(),
        uid: change.metadata.uid.clone().unwrap_or_default(),
        applied_at: status.applied_at,
        before: quotas(&status.before),
        after: quotas(&status.after),
    })
}

/// An exit of the whole application whose use has ended, or that began to reclaim. One that was withdrawn ended nothing.
fn begun(exit: &Decommission, application_uid: &str) -> Option<ExitRecord> {
    let status = exit.status.as_ref()?;
    let certificate = status.certificate.as_ref();
    let of_application = status.application_uid.as_deref() == Some(application_uid);
    let whole = exit.spec.scope == Scope::Application;
    let quiesced = status.phase == Some(DecommissionPhase::HandingOver) && status.quiesced_at.is_some();
    let begun = quiesced || status.reclaiming_since.is_some() || certificate.is_some();
    let reclaim = status.record.deadlines.iter().find(|d| d.obligation == Obligation::Reclaim);
    (of_application && whole && begun).then(|| ExitRecord {
        name: exit.metadata.name.clone().unwrap_or_default(),
        quiesced_at: status.quiesced_at,
        reclaiming_since: status.reclaiming_since,
        reclaim_due_at: reclaim.map(|deadline| deadline.due_at),
        ended_at: certificate.map(|certificate| certificate.ended_at),
    })
}

fn quotas(namespaces: &[GrantedNamespace]) -> Quotas {
    namespaces.iter().map(|n| (n.name.clone(), n.quota.clone())).collect()
}

#[cfg(test)]
#[path = "tests/recorded.rs"]
mod tests;
