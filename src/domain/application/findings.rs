//! What is wrong with an application by more than itself alone (Art. 3, 11, 14, 20).

use super::{Evaluation, Existing};
use crate::calendar::china_date;
use crate::finding::Finding;
use crate::quantity::Quantity;
use crate::{grant, names, tenancy};
use govcloud_api::quota::NamespaceQuota;
use govcloud_api::region::Tenancy;

impl Evaluation<'_> {
    /// Everything that is wrong with the application by more than itself alone (Art. 3, 11, 14, 20).
    pub(super) fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.ground.findings(&spec.region);
        if let Some(region) = &self.seen.ground.region {
            let platform = region.spec().platform.protection_level;
            if spec.system.protection_level > platform {
                found.push(Finding::ProtectionLevelTooHigh(spec.system.protection_level, platform));
            }
            for ns in &spec.namespaces {
                found.extend(beyond_region(ns, &region.spec().tenancy, true));
            }
        }
        found.extend(spec.namespaces.iter().flat_map(bad_quota));
        let access: Vec<_> = spec.access.iter().map(grant::access).collect();
        let refused = tenancy::access::refusals(&access);
        found.extend(refused.into_iter().map(|r| Finding::AccessRefused(r.to_string())));
        let approval = &spec.materials.project_approval;
        if approval.issued_on.parse::<jiff::civil::Date>().is_ok_and(|d| d > china_date(self.now)) {
            found.push(Finding::DocumentInFuture(
                "projectApproval.issuedOn".into(),
                approval.issued_on.clone(),
            ));
        }
        found.extend(self.name_findings());
        found.extend(self.go_live_finding());
        found
    }

    /// What is wrong with `goLive` (Art. 14). Once accepted, it is settled.
    fn go_live_finding(&self) -> Option<Finding> {
        let at = self.seen.record.spec.go_live.as_ref()?.at.timestamp();
        if self.status.live_at.is_some() {
            return None;
        }
        // What was taken back may have gone live long before.
        let since = self.status.provisioned_at.as_ref().map(|t| t.timestamp());
        match since.map(|p| if self.taken_back() { at } else { p }) {
            None => Some(Finding::GoLiveBeforeProvisioning(None)),
            Some(p) if at < p => Some(Finding::GoLiveBeforeProvisioning(Some(p))),
            Some(_) if at > self.now => Some(Finding::GoLiveInFuture(at)),
            Some(_) => None,
        }
    }
}

/// What keeps an application from taking a namespace of this name: it is reserved, or another's (S3).
pub(crate) fn unusable(namespace: &str, application_uid: &str, existing: &[Existing]) -> Vec<Finding> {
    let mut found = Vec::new();
    if names::is_reserved(namespace) {
        found.push(Finding::NamespaceReserved(namespace.to_owned()));
    }
    let other = existing.iter().find(|e| e.name == namespace && e.owner() != Some(application_uid));
    found.extend(other.map(|e| Finding::NamespaceTaken(e.name.clone(), e.uid.clone())));
    found
}

/// What the API server would refuse in a namespace's quota, once approved: an approved record is never a dead one.
pub(crate) fn bad_quota(namespace: &NamespaceQuota) -> Vec<Finding> {
    let findings = tenancy::quota::findings(&namespace.quota.0).into_iter();
    findings.map(|f| Finding::BadQuota(namespace.name.clone(), f.to_string())).collect()
}

/// What one namespace asks for beyond the region's maximum, or of storage that the region does not offer. A new
/// namespace must name what the region bounds: no limit is above every maximum.
pub(crate) fn beyond_region(asked: &NamespaceQuota, tenancy: &Tenancy, new: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    let (name, quota) = (&asked.name, &asked.quota.0);
    for (key, max) in &tenancy.max_quota {
        let above = |amount: &str| {
            Finding::QuotaAboveMaximum(name.clone(), key.clone(), amount.to_owned(), max.clone())
        };
        match quota.get(key).map(|a| (a, a.parse::<Quantity>(), max.parse::<Quantity>())) {
            None if new => found.push(above("∞")),
            Some((a, Ok(amount), Ok(m))) if amount > m => found.push(above(a)),
            // What cannot be read is found by `bad_quota`, and a maximum that cannot by the region.
            _ => {}
        }
    }
    for key in quota.keys() {
        let prefix = key.split_once('/').map_or("", |(prefix, _)| prefix);
        let class = prefix.strip_suffix(".storageclass.storage.k8s.io");
        let offered = |c: &&str| tenancy.storage_classes.iter().any(|o| o == c);
        found.extend(class.filter(|c| !offered(c)).map(|c| Finding::StorageClassNotOffered(c.to_owned())));
    }
    found
}
