//! The plugin `kubectl govcloud`: displays records and submits decisions.
//!
//! | module | purpose |
//! |---|---|
//! | [`queue`], [`show`] | list what a party has to do; display a record |
//! | [`decide`] | decisions of the authority |
//! | [`department`] | withdrawal, consent, receipts |
//! | [`verify`], [`certificate`], [`grant`] | check the policies, print a certificate, render a work order |
//! | [`statement`] | print a month's statement, also for accounting software |
//! | [`adopt`] | what stands in the way of adopting a running system's namespace |
//! | [`calendar`] | working days, without a cluster |
//! | [`session`] | flags, connection, requests |
//! | `messages` | all texts, in Chinese and English |

pub mod adopt;
pub mod calendar;
pub mod certificate;
pub mod completion;
pub mod decide;
pub mod department;
pub mod error;
pub mod grant;
pub mod output;
pub mod queue;
pub mod session;
pub mod show;
pub mod statement;
pub mod verify;

mod api_error;
mod details;
mod inventory_totals;
mod messages;
mod prompt;
mod record;
mod region_calendars;
mod respond;
mod submit;
#[cfg(test)]
mod test_fixtures;
mod wait;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use self::adopt::AdoptCommand;
use self::calendar::CalendarCommand;
use self::certificate::CertificateCommand;
use self::completion::{CompleteCommand, CompletionCommand};
use self::decide::{ApproveCommand, ClearVoidCommand, DecideCommand};
use self::department::{ConsentCommand, ReceiptCommand, WithdrawCommand};
use self::error::CliError;
use self::grant::GrantCommand;
use self::output::Lang;
use self::queue::QueueCommand;
use self::respond::RespondCommand;
use self::session::{Flags, Session};
use self::show::ShowCommand;
use self::statement::StatementCommand;
use self::verify::VerifyCommand;
use govcloud_api::record::Verdict;

/// 政务云管理 / records and decisions of the government cloud
#[derive(Parser, Debug)]
#[command(name = "kubectl-govcloud", bin_name = "kubectl govcloud", version)]
pub struct Plugin {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Queue(QueueCommand),
    Show(ShowCommand),
    /// 同意 / approve a record
    Approve(ApproveCommand),
    /// 不同意 / reject a record; final
    Reject(DecideCommand),
    /// 退回补正 / return a record for correction
    Return(DecideCommand),
    /// 清除无效的审核结论，以便重新审核 / remove an invalid decision, so that a new one is possible
    ClearVoid(ClearVoidCommand),
    /// 撤回申请 / withdraw a record
    Withdraw(WithdrawCommand),
    /// 授权按数据清单处置数据（第二十三条）/ consent to an exit's inventory (Art. 23)
    Consent(ConsentCommand),
    /// 签收移交的数据卷（第二十八条）/ give the receipt for a volume that was handed over (Art. 28)
    Receipt(ReceiptCommand),
    /// 答复安全检查的问题（第二十五条）/ answer a finding of an inspection (Art. 25)
    Respond(RespondCommand),
    Adopt(AdoptCommand),
    Verify(VerifyCommand),
    Certificate(CertificateCommand),
    Statement(StatementCommand),
    Grant(GrantCommand),
    Calendar(CalendarCommand),
    Completion(CompletionCommand),
    #[command(name = "__complete", hide = true)]
    Complete(CompleteCommand),
}

/// Runs the plugin on the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let plugin = Plugin::try_parse().unwrap_or_else(|error| without_value_tip(error).exit());
    let lang = plugin.flags.lang();
    // Output is locked and flushed before each prompt.
    let mut out = io::stdout().lock();
    match plugin.run(&mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error, lang),
    }
}

/// Removes the tip to pass an unknown flag as a value: it would become the name of a record, and the rest be submitted.
fn without_value_tip(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// Prints an error and returns its exit code.
fn report(error: &CliError, lang: Lang) -> ExitCode {
    let mut terminal = io::stderr().lock();
    let prefix = lang.pick("错误", "error");
    // An error of a closed stderr is ignored.
    let mut print = |line: &str| drop(writeln!(terminal, "{}", output::escape_controls(line)));
    match error {
        CliError::Usage(message) => {
            print(&format!("{prefix}: {message}"));
            ExitCode::from(2)
        }
        CliError::Failed { message, next } => {
            print(&format!("{prefix}: {message}"));
            next.iter().for_each(|n| print(&messages::next(lang, n)));
            ExitCode::FAILURE
        }
        CliError::AlreadyReported => ExitCode::FAILURE,
        // The reader closed the pipe, as in `… | head`.
        CliError::Output(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        CliError::Output(e) => {
            print(&format!("{prefix}: {e}"));
            ExitCode::from(2)
        }
    }
}

impl Plugin {
    fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        let Self { flags, command } = self;
        match command {
            Command::Calendar(c) if !c.asks_cluster() => {
                let lang = c.lang();
                c.run(out).map_err(|e| e.into_cli(lang))?;
            }
            Command::Completion(c) => c.run(Self::command(), out)?,
            Command::Complete(c) => runtime()?.block_on(c.run(Self::command(), flags, out))?,
            command => {
                command.check(flags.lang())?;
                runtime()?.block_on(async { command.run(&flags, out).await })?;
            }
        }
        Ok(out.flush()?)
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

impl Command {
    /// Checks the arguments before a connection is made.
    fn check(&self, lang: Lang) -> Result<(), CliError> {
        match self {
            Self::Reject(c) => c.check(Verdict::Rejected, lang),
            Self::Return(c) => c.check(Verdict::Returned, lang),
            _ => Ok(()),
        }
    }

    async fn run(self, flags: &Flags, out: &mut impl Write) -> Result<(), CliError> {
        let session = Session::open(flags).await?;
        match self {
            Self::Queue(c) => c.run(&session, flags.namespace.is_some(), out).await,
            Self::Show(c) => c.run(&session, out).await,
            Self::Approve(c) => c.run(&session, out).await,
            Self::Reject(c) => c.run(&session, Verdict::Rejected, out).await,
            Self::Return(c) => c.run(&session, Verdict::Returned, out).await,
            Self::ClearVoid(c) => c.run(&session, out).await,
            Self::Withdraw(c) => c.run(&session, out).await,
            Self::Consent(c) => c.run(&session, out).await,
            Self::Receipt(c) => c.run(&session, out).await,
            Self::Respond(c) => c.run(&session, out).await,
            Self::Adopt(c) => c.run(&session, out).await,
            Self::Verify(c) => c.run(&session, out).await,
            Self::Certificate(c) => c.run(&session, out).await,
            Self::Statement(c) => c.run(&session, out).await,
            Self::Grant(c) => c.run(&session, out).await,
            Self::Calendar(c) => c.run_on(&session, out).await,
            Self::Completion(_) | Self::Complete(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
