//! The operator that makes a government cloud keep its own rules (豫政办〔2020〕33号).
//!
//! The rooms of this house, in the order in which a reader should enter them:
//!
//! | room | what it is for |
//! |---|---|
//! | [`api`] | the resources that people write: types, schema, and the rules that one object alone can show |
//! | [`core`] | the rules of the measures, pure: what is read and what time it is in, what is to be done out |
//! | [`shell`] | everything that touches the world: watching, gathering, writing, clocks, metrics |
//! | [`cli`] | the kubectl plugin `kubectl govcloud` |
//!
//! A rule about the lifecycle lives in `core` and nowhere else; a request to the API server lives in
//! `shell` and nowhere else.

pub mod api;
pub mod cli;
pub mod core;
pub mod shell;
