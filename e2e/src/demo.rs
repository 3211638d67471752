//! Steps of `make demo`, and the runner that shows and checks them.

mod commands;
mod exit;
mod inspection;
mod runner;
mod steps;
mod table;

pub use inspection::DEPUTY;
pub use runner::{Pause, Runner, by, govcloud};
pub use steps::run;
