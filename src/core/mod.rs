//! The rules, pure: no client, no runtime, no clock, no randomness (a test keeps it so).
//!
//! One file a kind, each read top to bottom in the order of its life: [`application`] (Art. 10–14),
//! [`grant`] (13), [`change`] (15), [`maintenance`] (18), [`decommission`] and [`reclaim`] (16, 23, 28),
//! [`region`] (4, 5, 30). Each has one function `decide(&Observed, now) -> Plan`.
//!
//! What they share: [`ground`] (the region under a record), [`decision`] (the authority's word),
//! [`calendar`] and [`deadline`] (the clocks), [`record`] (conditions and timeline), [`finding`] and
//! [`happening`] (every wording), [`plan`] (what a decision comes to), [`tenancy`] (what a tenant gets).

pub mod application;
pub mod calendar;
pub mod change;
pub mod cloud_event;
pub mod deadline;
pub mod decision;
pub mod decommission;
pub mod digest;
pub mod finding;
pub mod grant;
pub mod ground;
pub mod happening;
pub mod maintenance;
pub mod names;
pub mod plan;
pub mod quantity;
pub mod reclaim;
pub mod record;
pub mod region;
pub mod seal;
pub mod targets;
pub mod tenancy;
