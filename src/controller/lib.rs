//! Everything that touches the cluster.
//!
//! An event takes this way: [`watch`] → [`cache`] (in [`cluster_state`]) → [`dependencies`] (who reads it, by the table of
//! [`kinds`] and the [`index`]) → [`queue`] → [`reconciler`], which gathers and decides ([`kinds`], [`decision`]), makes
//! [`live_reads`] where the decision requires them, and lets [`execute`] carry it out through [`client`]. [`run`] starts
//! all tasks. [`utilization`] reads the use of namespaces for assessments. [`policy_guard`] checks the admission policies; [`cloudevents`], [`metrics`], [`server`] and [`telemetry`]
//! report to the outside.

pub mod cache;
pub mod client;
pub mod clock;
pub mod clock_skew;
pub mod cloudevents;
pub mod cluster_state;
pub mod connection;
pub mod context;
pub mod decision;
pub mod dependencies;
pub mod difference;
mod execute;
pub mod index;
pub mod key;
pub mod kinds;
pub mod leadership;
mod live_reads;
pub mod metrics;
pub mod policy_guard;
pub mod queue;
pub mod reconciler;
pub mod run;
pub mod server;
pub mod supervision;
pub mod telemetry;
pub mod utilization;
pub mod watch;
