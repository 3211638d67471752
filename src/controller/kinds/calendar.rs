//! WorkCalendar: the working days of Regions. A setting: it is not reconciled.

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched, no_index, no_tally};

pub(super) static KIND: KindSpec = KindSpec {
    kind: Kind::Calendar,
    resource: resources::WORK_CALENDAR,
    watched: Watched::All,
    priority: Priority::Low,
    index: no_index,
    tally: no_tally,
    record: None,
};
