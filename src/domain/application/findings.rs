//! Findings on an application that its schema cannot see (Art. 3, 11, 14, 20).

use super::Evaluation;
use crate::calendar::china_date;
use crate::finding::Finding;
use crate::quota_checks::{bad_quota, beyond_region, unworkable_quota};
use crate::tenancy;
use govcloud_api::application::ApplicationPhase as Phase;

impl Evaluation<'_> {
    /// Every finding that the schema cannot see (Art. 3, 11, 14, 20).
    pub(super) fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.region_context.findings(&spec.region);
        if let Some(region) = &self.seen.region_context.region {
            let platform = region.spec().platform.protection_level;
            if spec.system.protection_level > platform {
                found.push(Finding::ProtectionLevelTooHigh(spec.system.protection_level, platform));
            }
            for ns in &spec.namespaces {
                found.extend(beyond_region(ns, &region.spec().tenancy, true));
            }
        }
        found.extend(spec.namespaces.iter().flat_map(bad_quota));
        if matches!(self.status.phase, None | Some(Phase::Submitted | Phase::Returned)) {
            found.extend(spec.namespaces.iter().flat_map(unworkable_quota));
        }
        let refused = tenancy::refusals(&spec.access);
        found.extend(refused.into_iter().map(Finding::AccessRefused));
        let approval = &spec.materials.project_approval;
        if approval.issued_on.parse::<jiff::civil::Date>().is_ok_and(|d| d > china_date(self.now)) {
            found.push(Finding::DocumentInFuture(
                "projectApproval.issuedOn".into(),
                approval.issued_on.clone(),
            ));
        }
        found.extend(self.name_findings());
        found.extend(self.adoption_findings());
        found.extend(self.go_live_finding());
        found
    }

    /// Finding on `goLive` (Art. 14). Once accepted, it is settled.
    fn go_live_finding(&self) -> Option<Finding> {
        let at = self.seen.record.spec.go_live.as_ref()?.at.timestamp();
        if self.status.live_at.is_some() {
            return None;
        }
        // A reattached or adopted system may have gone live long before.
        let since = self.status.provisioned_at.as_ref().map(|t| t.timestamp());
        match since.map(|p| if self.ran_before() { at } else { p }) {
            None => Some(Finding::GoLiveBeforeProvisioning(None)),
            Some(p) if at < p => Some(Finding::GoLiveBeforeProvisioning(Some(p))),
            Some(_) if at > self.now => Some(Finding::GoLiveInFuture(at)),
            Some(_) => None,
        }
    }
}
