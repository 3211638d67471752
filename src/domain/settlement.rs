//! Settlement: the bill of a month for one department and Region (Art. 6, 26).
//! 第二十六条：政务云服务费依据云服务目录据实结算。
//!
//! What is billed is the quota in force, never use: 据实 means what was actually opened. All of it is computed from records,
//! by days in China; no clock and no live object has a part in it. Read in this order:
//!
//! 1. [`catalog`], [`quota_key`]: editions of the service catalogue, prices and units ([`money`]).
//! 2. [`export`], `recorded`: the records, with their JSON, and how they are read from the API.
//! 3. `chain`, `history`: what was in force from when to when, and the holes in it ([`gap`]).
//! 4. `charge`: units times days times price, exact ([`period`]).
//! 5. [`statement`], `correction`, [`state`]: lines, totals, digests, and the chain from month to month.
//! 6. [`confirmation`]: what people do with a statement until it is settled.
//!
//! Invariants, each with a property of that name in `tests/properties.rs`:
//!
//! | | |
//! |---|---|
//! | B1 | Days that are split at any midnight add up. |
//! | B2 | Order and repetition of records play no part. |
//! | B3 | Two equal quotas that adjoin cost as one. |
//! | B4 | A higher quota never lowers the bill. |
//! | B5 | An export alone gives the same digests again, also by the second implementation in `e2e/tools/settlement`. |
//! | B6 | No day of a namespace is charged twice. |
//! | B7 | The total is the sum of the lines as they are printed. |

pub mod catalog;
mod catalog_finding;
mod chain;
mod charge;
pub mod confirmation;
mod correction;
pub mod export;
pub mod gap;
mod history;
pub mod money;
pub mod period;
pub mod quota_key;
mod recorded;
pub mod state;
pub mod statement;

pub use catalog_finding::{CatalogFinding, ItemDefect};
pub use statement::{Settlement, settle};

#[cfg(test)]
mod tests;
