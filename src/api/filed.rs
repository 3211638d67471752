//! Common traits of the filed kinds.

use serde::de::DeserializeOwned;

use super::condition::Condition;
use super::record::RecordStatus;
use super::region::RegionStatus;

/// Record of a kind with a lifecycle.
pub trait Filed: kube::Resource + DeserializeOwned {
    /// Code of the Region, as written.
    fn region(&self) -> &str;
    /// The phase as its status has it; `None` until the operator has seen the record.
    fn phase(&self) -> Option<&'static str>;
    /// Returns true if it is at its end. One that was not seen yet is not.
    fn is_over(&self) -> bool;
    /// Shared part of the status; `None` until the operator has seen the record.
    fn record(&self) -> Option<&RecordStatus>;
}

/// Conditions and phase that the status of every kind has.
pub trait HasConditions {
    /// Its conditions.
    fn conditions(&self) -> &[Condition];
    /// Phase; `None` for a kind without phases, as a Region, and before the first visit.
    fn phase(&self) -> Option<&'static str>;
}

impl HasConditions for RegionStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
    fn phase(&self) -> Option<&'static str> {
        None
    }
}

/// Status of a filed record: the kind's own part around a [`RecordStatus`].
pub trait FiledStatus: HasConditions + Clone {
    /// The part that every record holds.
    fn record(&self) -> &RecordStatus;
    /// Mutable access to that part.
    fn record_mut(&mut self) -> &mut RecordStatus;
}

/// Implements [`Filed`], [`FiledStatus`] and [`HasConditions`] for a kind and its status, in the file of the kind.
macro_rules! filed {
    ($kind:ty: $status:ty) => {
        impl $crate::filed::FiledStatus for $status {
            fn record(&self) -> &$crate::record::RecordStatus {
                &self.record
            }
            fn record_mut(&mut self) -> &mut $crate::record::RecordStatus {
                &mut self.record
            }
        }
        impl $crate::filed::HasConditions for $status {
            fn conditions(&self) -> &[$crate::condition::Condition] {
                &self.record.conditions
            }
            fn phase(&self) -> Option<&'static str> {
                self.phase.map(Into::into)
            }
        }
        impl $crate::filed::Filed for $kind {
            fn region(&self) -> &str {
                &self.spec.region
            }
            fn phase(&self) -> Option<&'static str> {
                $crate::filed::HasConditions::phase(self.status.as_ref()?)
            }
            fn is_over(&self) -> bool {
                self.status.as_ref().and_then(|s| s.phase).is_some_and(|p| p.is_over())
            }
            fn record(&self) -> Option<&$crate::record::RecordStatus> {
                Some(&self.status.as_ref()?.record)
            }
        }
    };
}

pub(crate) use filed;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::application::{ApplicationPhase, CloudApplication};
    use crate::change::ChangePhase;
    use crate::decommission::DecommissionPhase;
    use crate::grant::GrantPhase;

    /// A phase by the name that its status has for it, and the name that labels have.
    fn named<P: serde::de::DeserializeOwned + Into<&'static str>>(name: &str) -> Option<&'static str> {
        serde_json::from_value::<P>(json!(name)).ok().map(Into::into)
    }

    #[test]
    fn a_phase_has_one_name_in_labels_and_status() {
        for name in ["Submitted", "Rejected", "Provisioning", "Live", "Exiting", "Exited"] {
            assert_eq!(named::<ApplicationPhase>(name), Some(name));
        }
        for name in ["Pending", "Refused", "Applying", "Active", "Released"] {
            assert_eq!(named::<GrantPhase>(name), Some(name));
        }
        for name in ["Returned", "Scheduled", "InProgress", "Completed"] {
            assert_eq!(named::<ChangePhase>(name), Some(name));
        }
        for name in ["Inventory", "AwaitingConsent", "HandingOver", "Reclaiming", "Withdrawn"] {
            assert_eq!(named::<DecommissionPhase>(name), Some(name));
        }
    }

    #[test]
    fn a_record_without_status_is_not_over() {
        let filed = include_str!("../../config/samples/travel.yaml");
        let mut a: CloudApplication = serde_saphyr::from_str(filed).unwrap();
        assert_eq!((a.phase(), a.is_over(), a.region()), (None, false, "410000"));
        assert!(a.record().is_none());
        for (phase, over) in [(ApplicationPhase::Exiting, false), (ApplicationPhase::Exited, true)] {
            a.status.get_or_insert_default().phase = Some(phase);
            assert_eq!(a.is_over(), over, "{phase:?}");
        }
    }
}
