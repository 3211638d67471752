//! Pure rules.
pub mod digest;
pub mod names;
pub mod quantity;
pub mod tenancy;
