//! The resources of `govcloud.dev/v1alpha1`, one file each, and what they share.
pub mod deadline;
pub mod time;
pub mod work_calendar;
