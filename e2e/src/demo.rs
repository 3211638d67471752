//! The story that `make demo` plays, and the stage it is played on.

mod stage;
mod story;

pub use stage::{Stage, by};
pub use story::play;
