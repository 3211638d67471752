//! The rules of the measures, pure: no client, no runtime, no clock, no randomness. `Cargo.toml` and `clippy.toml` of
//! this crate keep it so.
//!
//! One file a kind, each read top to bottom in the order of its lifecycle: [`application`] (Art. 10–14),
//! [`grant`] (13), [`change`] (15), [`maintenance`] (18), [`decommission`] (16, 23, 28),
//! [`compliance`] (17, 19, 21, 22, 24), [`inspection`] (25), [`assessment`] (27, 29), [`region`] (4, 5, 30). Each has one
//! function `decide(&Observed, now) -> Plan`.
//!
//! [`statement`] (6, 26) is the kind of the bill that [`settlement`] computes.
//!
//! Shared by them: [`region_context`] (the Region of a record), [`decision`] (approval by annotation), [`seal`] (the mark of what was recorded while the policies were intact),
//! [`integrity`], [`mutators`] and [`release`] (the admission policies as shipped, and those of others), [`calendar`] and [`deadline`] (clocks), [`record`] (conditions and
//! timeline), [`reason`], [`finding`] and [`lifecycle_event`] (every wording, in two languages), [`kubernetes_event`] and [`cloud_event`] (a timeline as others
//! receive it), [`plan`] (the result of a decision), [`tenancy`] (objects of a tenant), [`adoption`] (namespaces of running
//! systems, Art. 3), [`utilization`] (use of namespaces as it was measured, Art. 29).

pub mod adoption;
pub mod application;
pub mod assessment;
pub mod bilingual;
pub mod calendar;
pub mod change;
pub mod cloud_event;
pub mod compliance;
pub mod deadline;
pub mod decision;
pub mod decommission;
pub mod digest;
pub mod existing_namespace;
pub mod filing;
pub mod finding;
pub mod grant;
pub mod inspection;
pub mod integrity;
pub mod kubernetes_event;
pub mod lifecycle_event;
pub mod maintenance;
pub mod mutators;
pub mod names;
pub mod open_request;
pub mod plan;
pub mod quantity;
mod quota_checks;
pub mod reason;

pub mod record;
pub mod region;
pub mod region_context;
pub mod release;
pub mod seal;
pub mod settlement;
pub mod statement;
pub mod tenancy;
pub mod utilization;
