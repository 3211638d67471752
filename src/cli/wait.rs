//! Waiting for the operator after a decision: a decision counts once status has it, and not because it was sent.

use std::time::Duration;

use clap::{ArgAction, Args};
use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

use super::error::CliError;
use super::messages;
use super::record::Record;
use super::session::Session;
use govcloud_api::record::Verdict;

/// Interval between two looks at the record.
const INTERVAL: Duration = Duration::from_millis(150);

/// Arguments of commands that decide.
#[derive(Args, Debug)]
pub(super) struct WaitArguments {
    /// 等待管控程序记录结论 / wait until the operator has recorded the decision
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set
    )]
    wait: bool,
    /// 最长等待时间，如 10s、1m / longest wait, such as 10s or 1m
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    timeout: SignedDuration,
}

/// State of a record after a decision was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// Not yet.
    Pending,
    /// The decision counts.
    Counts,
    /// The decision does not count, and why.
    Void(String),
}

impl Recorded {
    /// Compares the status of a record with the decision that was sent on its generation.
    pub(super) fn of(record: &Record, verdict: Verdict, generation: i64, by: &str) -> Self {
        let sent = |d: &&govcloud_api::record::Decision| {
            d.verdict == verdict && d.generation == generation && d.by == by
        };
        match record.status.decision.as_ref().filter(sent) {
            None => Self::Pending,
            Some(d) => d.void.clone().map_or(Self::Counts, Self::Void),
        }
    }
}

impl WaitArguments {
    /// Reads the record until `done` says so. `None` if it is not to be waited for.
    ///
    /// # Errors
    /// The time is over, or the record cannot be read.
    pub(super) async fn until<T>(
        &self,
        session: &Session,
        record: &Record,
        done: impl Fn(&Record) -> Option<T>,
    ) -> Result<Option<T>, CliError> {
        if !self.wait {
            return Ok(None);
        }
        let end = Instant::now() + self.timeout.unsigned_abs();
        loop {
            let now = session.get(&record.target).await?;
            if let Some(result) = done(&now) {
                return Ok(Some(result));
            }
            if Instant::now() >= end {
                let lang = session.lang;
                let next = messages::next_show(lang, &record.target, record.namespace());
                let seconds = self.timeout.as_secs();
                return Err(
                    CliError::failed(messages::not_recorded(lang, &record.target, seconds)).advise([next])
                );
            }
            sleep(INTERVAL).await;
        }
    }
}
