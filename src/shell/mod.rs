//! Everything that touches the world.
pub mod clock;
pub mod observe;
pub mod queue;
pub mod store;
pub mod world;
