//! Pure rules.
pub mod calendar;
pub mod deadline;
