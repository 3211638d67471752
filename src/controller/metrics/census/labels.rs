//! The labels of what is counted. What people write is never one: a region that does not exist is `unknown`.

use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// A text that many labels share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Shared(pub(super) Arc<str>);

impl EncodeLabelValue for Shared {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&&*self.0, encoder)
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($label:ident: $type:ty),+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
        pub(super) struct $name {
            $(pub(super) $label: $type),+
        }
    )+};
}

labels! {
    /// Records by where they stand.
    ByPhase { region: Shared, kind: &'static str, phase: &'static str }
    /// Records by whom they wait on.
    ByParty { region: Shared, kind: &'static str, party: &'static str }
    /// Records by why they are stalled.
    ByReason { region: Shared, kind: &'static str, reason: Shared }
    /// Clocks by what is owed, and by whom.
    ByClock { region: Shared, obligation: &'static str, party: &'static str }
    /// Records by what was decided.
    ByVerdict { region: Shared, kind: &'static str, verdict: &'static str }
    /// What a region has.
    ByRegion { region: Shared }
    /// Volumes of exits by what became of them.
    ByOutcome { region: Shared, outcome: &'static str }
    /// Volumes by how they are held.
    ByState { region: Shared, state: &'static str }
    /// Calendars in use.
    ByCalendar { calendar: Shared }
}
