//! What `make bench` measures: the operator against the physical limit, on a control plane that syncs to disk.
//!
//! | room | what it is for |
//! |---|---|
//! | [`scene`] | a fresh control plane with offices, and what their people do many times over |
//! | [`lanes`] | the bare client: 16 connections, each with one request under way |
//! | [`board`] | one watch of the records: when each was first seen to be what |
//! | [`figures`] | order statistics; processor time and memory of a process |
//! | [`recording`] | the operator's writes from the audit log, and sending them again |
//! | [`other`] | somebody else, who must not notice |
//! | [`contest`] | many approvals, of applications or exits: the operator beside the bare client |
//! | [`writes`] | what is written for one application beside what is necessary |
//! | [`latency`] | one approval a second, beside a bare watcher ([`bare`]) |
//! | [`scale`] | many active applications: memory, rest |
//! | [`restart`] | a new process over them, beside bare LISTs |
//! | [`timers`] | many deadlines due in the same second |
//! | [`fairness`] | one department's flood, and another's requests meanwhile |
//! | [`machine`] | what all figures depend on |
//! | [`report`] | the tables of `docs/performance.md` |
//! | [`plot`] | its plots |

pub mod bare;
pub mod board;
pub mod contest;
pub mod criterion;
pub mod fairness;
pub mod figures;
pub mod lanes;
pub mod latency;
pub mod machine;
pub mod other;
pub mod plot;
pub mod recording;
pub mod report;
pub mod restart;
pub mod scale;
pub mod scene;
pub mod timers;
pub mod writes;
