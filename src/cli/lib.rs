//! The `kubectl govcloud` plugin: the measures in people's hands.
//!
//! | room | what it is for |
//! |---|---|
//! | [`queue`], [`show`] | what waits on whom; a record's life |
//! | [`decide`] | the authority's word |
//! | [`department`] | withdrawal, consent, receipts |
//! | [`verify`], [`certificate`], [`grant`] | the gate, the proof of an exit, the work order |
//! | [`calendar`] | working days, without a cluster |
//! | [`session`] | flags, connection, requests |
//! | `words` | every sentence, in Chinese and English |

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
pub mod verify;

mod almanac;
mod ask;
mod record;
mod send;
mod sheet;
#[cfg(test)]
mod specimen;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::calendar::{CalendarCliError, CalendarCommand};
use self::certificate::CertificateCommand;
use self::completion::{CompleteCommand, CompletionCommand};
use self::decide::{ApproveCommand, ClearVoidCommand, DecideCommand};
use self::department::{ConsentCommand, ReceiptCommand, WithdrawCommand};
use self::error::CliError;
use self::grant::GrantCommand;
use self::output::Lang;
use self::queue::QueueCommand;
use self::session::{Flags, Session};
use self::show::ShowCommand;
use self::verify::VerifyCommand;
use govcloud_api::record::Verdict;

/// 政务云管理 / the government cloud, by its measures
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
    /// 同意 / approve what is shown
    Approve(ApproveCommand),
    /// 不同意 / reject it, for good
    Reject(DecideCommand),
    /// 退回补正 / return it for correction
    Return(DecideCommand),
    /// 清除无效的审核意见,以便重新审核 / remove a void decision, so that it can be made anew
    ClearVoid(ClearVoidCommand),
    /// 撤回申请 / take a record back
    Withdraw(WithdrawCommand),
    /// 授权按清单处置数据(第二十三条)/ consent to an exit's inventory (Art. 23)
    Consent(ConsentCommand),
    /// 签收移交的数据卷(第二十八条)/ the receipt for a volume that was handed over (Art. 28)
    Receipt(ReceiptCommand),
    Verify(VerifyCommand),
    Certificate(CertificateCommand),
    Grant(GrantCommand),
    Calendar(CalendarCommand),
    Completion(CompletionCommand),
    #[command(name = "__complete", hide = true)]
    Complete(CompleteCommand),
}

/// Runs the plugin on the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let plugin = Plugin::parse();
    let lang = plugin.flags.lang();
    // What people see on a terminal must be there before they are asked.
    let mut out = io::stdout().lock();
    match plugin.run(&mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&error, lang),
    }
}

/// Tells what went wrong, and ends as the kind of failure asks for.
fn end(error: &CliError, lang: Lang) -> ExitCode {
    let mut terminal = io::stderr().lock();
    let prefix = lang.pick("错误", "error");
    // Where even stderr is closed there is nobody left to tell.
    let mut tell = |line: &str| drop(writeln!(terminal, "{}", output::visible(line)));
    match error {
        CliError::Usage(what) => {
            tell(&format!("{prefix}: {what}"));
            ExitCode::from(2)
        }
        CliError::Failed { what, next } => {
            tell(&format!("{prefix}: {what}"));
            next.iter().for_each(|n| tell(&words::next(lang, n)));
            ExitCode::FAILURE
        }
        CliError::Told => ExitCode::FAILURE,
        // Whoever reads has seen enough, as in `… | head`.
        CliError::Output(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        CliError::Output(e) => {
            tell(&format!("{prefix}: {e}"));
            ExitCode::from(2)
        }
    }
}

impl From<CalendarCliError> for CliError {
    fn from(error: CalendarCliError) -> Self {
        match error {
            CalendarCliError::Output(e) => Self::Output(e),
            other => Self::Usage(other.to_string()),
        }
    }
}

impl Plugin {
    fn run(self, out: &mut impl Write) -> Result<(), CliError> {
        let Self { flags, command } = self;
        match command {
            Command::Calendar(c) => c.run(out)?,
            Command::Completion(c) => c.run(Self::command(), out)?,
            Command::Complete(c) => c.run(Self::command(), out)?,
            command => {
                command.check(flags.lang())?;
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async { command.ask(&flags, out).await })?;
            }
        }
        Ok(out.flush()?)
    }
}

impl Command {
    /// What is wrong with the question is said before any cluster is asked.
    fn check(&self, lang: Lang) -> Result<(), CliError> {
        match self {
            Self::Reject(c) => c.check(Verdict::Rejected, lang),
            Self::Return(c) => c.check(Verdict::Returned, lang),
            _ => Ok(()),
        }
    }

    async fn ask(self, flags: &Flags, out: &mut impl Write) -> Result<(), CliError> {
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
            Self::Verify(c) => c.run(&session, out).await,
            Self::Certificate(c) => c.run(&session, out).await,
            Self::Grant(c) => c.run(&session, out).await,
            Self::Calendar(_) | Self::Completion(_) | Self::Complete(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
