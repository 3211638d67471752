//! WorkCalendar: the working days of Regions. A setting: it is not reconciled.

use govcloud_api::resources;

use super::{Kind, KindSpec, Priority, Watched};

pub(super) static KIND: KindSpec =
    KindSpec::new(Kind::Calendar, resources::WORK_CALENDAR, Watched::All, Priority::Low);
