//! Whole lives, played on the pure core: what is written, what the records say, what people are told, and when.
//!
//! The stage is an imagined cluster whose objects are gathered by the context's own `observe`, decided on by the
//! core, and written as the context's interpreter writes. At every write and every status the invariants of the
//! design (section 7) are checked against what people really did.

mod acts;
mod adopting;
mod assessing;
mod bounds;
mod changes;
mod clocks;
mod cluster;
mod compliance;
mod decisions;
mod departing;
mod filing;
mod gaps;
mod golden;
mod inspections;
mod leaving;
mod ledger;
mod quotas;
mod random;
mod random_acts;
mod reattach;
mod snapshots;
mod stage;
mod statements;
mod tenant_objects;
mod told;
mod triggers;
mod volumes;
mod withdrawing;
