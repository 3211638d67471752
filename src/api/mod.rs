//! The resources.
pub mod disposition;
