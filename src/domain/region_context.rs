//! The ground that a record stands on: its Region, that region's calendar and storage, and the guard (Art. 4, 5, 20, 30).

use std::sync::Arc;

use super::calendar::Calendar;
use super::decision::PolicyIntegrity;
use super::finding::Finding;
use super::plan::RequiredReads;
use govcloud_api::region::{Region, RegionSpec, Tier};

/// A StorageClass as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageClass {
    /// Its name.
    pub name: String,
    /// Its reclaim policy; Kubernetes takes `Delete` where it is absent.
    pub reclaim_policy: String,
}

/// What was read of a Region and all that it refers to.
#[derive(Clone, Debug)]
pub struct RegionView {
    /// The Region.
    pub region: Arc<Region>,
    /// Its parent, where it names one and that exists.
    pub parent: Option<Arc<Region>>,
    /// Its calendar, or why it cannot be used.
    pub calendar: Result<Arc<Calendar>, String>,
    /// Whether the catalog that it names exists.
    pub catalog_exists: bool,
    /// Those of its storage classes that exist.
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

    /// What is wrong with the region itself.
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
        if let Some(c) = spec.catalog.as_ref().filter(|_| !self.catalog_exists) {
            found.push(Finding::CatalogMissing(c.clone()));
        }
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
        found.extend(self.quantity_findings());
        found
    }

    /// Quantities that cannot be read: from a bad limit no LimitRange could be made.
    fn quantity_findings(&self) -> Vec<Finding> {
        let tenancy = &self.spec().tenancy;
        let limits = tenancy.limit_range.clone().unwrap_or_default();
        let maps = [
            ("maxQuota", &tenancy.max_quota),
            ("limitRange.default", &limits.default),
            ("limitRange.defaultRequest", &limits.default_request),
            ("limitRange.max", &limits.max),
            ("limitRange.min", &limits.min),
        ];
        let mut found = Vec::new();
        for (name, map) in maps {
            for (key, amount) in map {
                if let Err(e) = amount.parse::<super::quantity::Quantity>() {
                    found.push(Finding::BadQuantity(format!("tenancy.{name}.{key}"), e.to_string()));
                }
            }
        }
        found
    }
}

/// The ground that a record stands on.
#[derive(Clone, Debug)]
pub struct RegionContext {
    /// The Region that `spec.region` names, if there is one.
    pub region: Option<Arc<RegionView>>,
    /// Whether the policies stand.
    pub guard: PolicyIntegrity,
    /// What was read with quorum just now.
    pub anew: Option<RequiredReads>,
    /// Why the last try to carry out a plan failed.
    pub trouble: Option<String>,
}

impl RegionContext {
    /// Whether this was read with quorum just now.
    #[must_use]
    pub fn has_read(&self, needed: RequiredReads) -> bool {
        self.anew.is_some_and(|read| read.covers(needed))
    }

    /// What is wrong with the region that the record names.
    #[must_use]
    pub fn findings(&self, code: &str) -> Vec<Finding> {
        match &self.region {
            None => vec![Finding::UnknownRegion(code.to_owned())],
            Some(r) => r.findings(),
        }
    }

    /// The calendar, where the region and it can be used.
    #[must_use]
    pub fn calendar(&self) -> Option<&Calendar> {
        self.region.as_ref().and_then(|r| r.calendar.as_deref().ok())
    }
}
