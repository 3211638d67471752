//! Everything that touches the cluster: watches, cache, queue, requests, metrics.

mod absent;
pub mod basis;
pub mod client;
pub mod clock;
pub mod clock_skew;
pub mod cloudevents;
pub mod cluster_state;
pub mod connection;
pub mod controller;
mod decided;
pub mod difference;
pub mod execute;
pub mod leadership;
pub mod maintenance;
pub mod metrics;
pub mod news;
pub mod observe;
pub mod policy_guard;
pub mod queue;
pub mod run;
pub mod server;
pub mod snapshots;
pub mod store;
pub mod stored;
pub mod tags;
pub mod telemetry;
pub mod watches;
