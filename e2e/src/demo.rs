//! The story that `make demo` plays, and the stage it is played on.

mod exit;
mod stage;
mod story;
mod table;

pub use stage::{Stage, by, govcloud};
pub use story::play;
