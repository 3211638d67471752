//! The operator library.
pub mod core;
