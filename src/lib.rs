//! The operator library.
pub mod api;
pub mod cli;
pub mod core;
