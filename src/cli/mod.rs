//! The `kubectl govcloud` plugin.
pub mod calendar;
