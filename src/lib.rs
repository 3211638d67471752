//! The operator library.
pub mod api;
pub mod core;
