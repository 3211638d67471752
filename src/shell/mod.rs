//! Everything that touches the world.
//!
//! Reading goes [`watches`] → [`stored`] → [`news`] → [`store`]/[`world`] (found by [`tags`]) → [`observe`] (and [`maintenance`]); deciding
//! is [`crate::core`]'s (`decided`); writing is [`execute`], with [`basis`] and `absent` for what must be read first and [`difference`]
//! for what a status write sends, through [`client`] on one [`connection`]. [`controller`] keeps it going, from
//! [`queue`], on [`clock`]; [`snapshots`] come and go with their CRD. [`cloudevents`] tells the world outside. Beside it
//! stand [`guard`], [`metrics`], [`server`] and [`telemetry`].

mod absent;
pub mod basis;
pub mod client;
pub mod clock;
pub mod cloudevents;
pub mod connection;
pub mod controller;
mod decided;
pub mod difference;
pub mod execute;
pub mod guard;
pub mod leadership;
pub mod maintenance;
pub mod metrics;
pub mod news;
pub mod observe;
pub mod queue;
pub mod run;
pub mod server;
pub mod skew;
pub mod snapshots;
pub mod store;
pub mod stored;
pub mod tags;
pub mod telemetry;
pub mod watches;
pub mod world;
