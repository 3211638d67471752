//! Context of a record: its Region, that region's calendar and storage, and the policies' integrity (Art. 4, 5, 20, 30).

use std::sync::Arc;

use super::calendar::Calendar;
use super::decision::Policies;
use super::finding::{Bilingual, Finding};
use super::integrity::PolicyIntegrity;
use super::plan::{RequiredReads, WriteFailure};
use super::seal::Seal;
use super::settlement::CatalogFinding;
use super::settlement::catalog::{EditionRecord, Editions};
use super::tenancy::{bad_blocks, limits, quota};
use govcloud_api::catalog::ServiceCatalogSpec;
use govcloud_api::record::Decision;
use govcloud_api::region::{Fulfilment, Region, RegionSpec, Tenancy, Tier};

/// Name and reclaim policy of a StorageClass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageClass {
    /// Its name.
    pub name: String,
    /// Its reclaim policy; Kubernetes takes `Delete` where it is absent.
    pub reclaim_policy: String,
}

/// Editions of the service catalogue that a Region names, as read (Art. 26).
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Names of editions that do not exist.
    pub missing: Vec<String>,
    /// The editions.
    pub editions: Vec<EditionRecord>,
    /// Defects, where the Region settles by it.
    pub findings: Vec<Finding>,
}

impl Catalogue {
    /// Reads the editions that exist, by name, and judges them for a Region.
    #[must_use]
    pub fn read(region: &RegionSpec, editions: Vec<(String, Option<Arc<ServiceCatalogSpec>>)>) -> Self {
        let mut catalogue = Self::default();
        for (name, spec) in editions {
            match spec.map(|spec| EditionRecord::from_spec(&name, &spec)) {
                None => catalogue.missing.push(name),
                Some(Ok(edition)) => catalogue.editions.push(edition),
                Some(Err(day)) => {
                    let undated = CatalogFinding::Undated { edition: name, day };
                    catalogue.findings.push(Finding::Catalog(undated));
                }
            }
        }
        if region.settlement.is_none() {
            catalogue.findings.clear();
            return catalogue;
        }
        let found = match Editions::read(&catalogue.editions) {
            Ok(editions) => editions.warnings(&region.tenancy.max_quota),
            Err(found) => found,
        };
        catalogue.findings.extend(found.into_iter().map(Finding::Catalog));
        catalogue
    }
}

/// Region with everything that it refers to, as read.
#[derive(Clone, Debug)]
pub struct RegionView {
    /// The Region.
    pub region: Arc<Region>,
    /// Its parent, where it names one and that exists.
    pub parent: Option<Arc<Region>>,
    /// Its calendar, or the defect that makes it unusable.
    pub calendar: Result<Arc<Calendar>, Bilingual>,
    /// Its service catalogue.
    pub catalogue: Arc<Catalogue>,
    /// Storage classes that it names and that exist.
    pub storage_classes: Vec<StorageClass>,
}

impl RegionView {
    /// The spec.
    #[must_use]
    pub fn spec(&self) -> &RegionSpec {
        &self.region.spec
    }

    /// The region's code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.region.metadata.name.as_deref().unwrap_or_default()
    }

    /// Findings on the region itself.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let spec = self.spec();
        let mut found = Vec::new();
        if spec.tier == Tier::City {
            let tier = self.parent.as_ref().map(|p| p.spec.tier);
            if tier != Some(Tier::Province) {
                found.push(Finding::ParentMissing(self.code().to_owned(), spec.parent.clone(), tier));
            }
        }
        if let Err(why) = &self.calendar {
            found.push(Finding::CalendarUnusable(spec.calendar.clone(), why.clone()));
        }
        found.extend(self.catalogue.missing.iter().cloned().map(Finding::CatalogMissing));
        found.extend(self.catalogue.findings.iter().cloned());
        // Art. 20: the platform is protected at level 3.
        if spec.platform.protection_level < 3 {
            found.push(Finding::PlatformBelowLevel(spec.platform.protection_level));
        }
        for name in &spec.tenancy.storage_classes {
            match self.storage_classes.iter().find(|c| c.name == *name) {
                None => found.push(Finding::StorageClassMissing(name.clone())),
                Some(c) if c.reclaim_policy != "Retain" => {
                    found.push(Finding::StorageClassNotRetain(name.clone(), c.reclaim_policy.clone()));
                }
                Some(_) => {}
            }
        }
        found.extend(self.tenancy_findings());
        found
    }

    /// Settings for tenants from which no object could be made, or within which no application could be.
    fn tenancy_findings(&self) -> Vec<Finding> {
        let Tenancy { limit_range, max_quota, network, .. } = &self.spec().tenancy;
        let limits = limit_range.iter().flat_map(limits::findings).map(Finding::BadLimits);
        let maximum = quota::findings(max_quota).into_iter().chain(quota::obstructions(max_quota));
        let network = bad_blocks(network).into_iter();
        let network = network.map(|(field, value)| Finding::BadNetwork(field, value));
        limits.chain(maximum.map(Finding::BadMaximum)).chain(network).collect()
    }
}

/// Request for a quorum read before anything else is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reread(pub RequiredReads);

/// Region of a record, with what every decision depends on beside the record.
#[derive(Clone, Debug)]
pub struct RegionContext {
    /// The Region that `spec.region` names, if there is one.
    pub region: Option<Arc<RegionView>>,
    /// Integrity of the admission policies.
    pub integrity: PolicyIntegrity,
    /// The operator's seal.
    pub seal: Seal,
    /// Reads with quorum that were made for this decision.
    pub reads: Option<RequiredReads>,
    /// Failure of the last write.
    pub trouble: Option<WriteFailure>,
}

impl RegionContext {
    /// Requires a quorum read before the decision goes on.
    ///
    /// # Errors
    /// The read that is missing.
    pub fn require(&self, needed: RequiredReads) -> Result<(), Reread> {
        if self.has_read(needed) { Ok(()) } else { Err(Reread(needed)) }
    }

    /// Returns true if this was read with quorum for the decision.
    #[must_use]
    pub fn has_read(&self, needed: RequiredReads) -> bool {
        self.reads.is_some_and(|read| read.covers(needed))
    }

    /// Returns true if the admission policies are intact.
    #[must_use]
    pub fn intact(&self) -> bool {
        matches!(self.integrity, PolicyIntegrity::Intact { .. })
    }

    /// The admission policies, as far as decisions rest on them.
    #[must_use]
    pub fn policies(&self) -> Policies<'_> {
        Policies { integrity: &self.integrity, seal: &self.seal }
    }

    /// Returns true if a decision that another record's status has counts: it is void, or the operator recorded it.
    #[must_use]
    pub fn counts(&self, uid: &str, decision: &Decision) -> bool {
        decision.void.is_some() || self.seal.vouches_for(uid, decision)
    }

    /// Returns true if the operator writes the work order itself (Art. 13).
    #[must_use]
    pub fn automatic(&self) -> bool {
        self.region.as_ref().is_some_and(|r| r.spec().fulfilment == Fulfilment::Automatic)
    }

    /// Region and calendar together, where both can be used.
    #[must_use]
    pub fn counting(&self) -> Option<(&RegionSpec, &Calendar)> {
        let region = self.region.as_ref()?;
        Some((region.spec(), region.calendar.as_deref().ok()?))
    }

    /// Findings on the region that the record names.
    #[must_use]
    pub fn findings(&self, code: &str) -> Vec<Finding> {
        match &self.region {
            None => vec![Finding::UnknownRegion(code.to_owned())],
            Some(r) => r.findings(),
        }
    }

    /// Calendar, where region and calendar can be used.
    #[must_use]
    pub fn calendar(&self) -> Option<&Calendar> {
        self.region.as_ref().and_then(|r| r.calendar.as_deref().ok())
    }
}
