//! `withdraw`, `consent`, `receipt`: acts of the department (Art. 23, 28).

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::decide::is_uid;
use super::error::CliError;
use super::inventory_totals::InventoryTotals;
use super::messages::{self, terms};
use super::output::Lang;
use super::prompt::Confirmation;
use super::record::{Body, Kind, Record, Target};
use super::region_calendars::RegionCalendars;
use super::session::Session;
use super::show::{self, Part, details_of};
use super::submit::submit;
use super::wait::WaitArguments;
use govcloud_api::condition::ConditionStatus;
use govcloud_api::decommission::Decommission;
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::keys;
use govcloud_domain::lifecycle_event::EventKind;

/// Arguments of `withdraw`.
#[derive(Args, Debug)]
pub struct WithdrawCommand {
    /// KIND/NAME，如 capp/travel / such as capp/travel
    #[arg(value_name = "KIND/NAME")]
    target: String,
    #[command(flatten)]
    confirmation: Confirmation,
    #[command(flatten)]
    wait: WaitArguments,
}

/// Arguments of `consent`.
#[derive(Args, Debug)]
pub struct ConsentCommand {
    /// 退出申请的名称 / name of the Decommission
    #[arg(value_name = "NAME")]
    target: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Arguments of `receipt`.
#[derive(Args, Debug)]
pub struct ReceiptCommand {
    /// 退出申请的名称 / name of the Decommission
    #[arg(value_name = "NAME")]
    target: String,
    /// 数据卷的 UID / UID of the volume
    #[arg(long, value_name = "UID")]
    volume: String,
    /// 接收人 / recipient of the data
    #[arg(long, value_name = "WHO")]
    received_by: String,
    /// 回执的地址 / address of the receipt
    #[arg(long, value_name = "URI")]
    uri: String,
    #[command(flatten)]
    hash: ReceiptHash,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// SHA-256 of a receipt, or the file to compute it from: one of both.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct ReceiptHash {
    /// 回执文件，用于计算 SHA-256；也可用 --sha256 / the receipt, to compute its SHA-256; or use --sha256
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// 回执的 SHA-256 / SHA-256 of the receipt
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
}

/// Sends a dry run, asks for confirmation, and submits. Returns true if it was submitted.
pub(super) async fn confirm_and_submit(
    session: &Session,
    record: &Record,
    body: &Value,
    confirmation: &Confirmation,
    phrase: Option<&str>,
    out: &mut impl Write,
) -> Result<bool, CliError> {
    for dry_run in [true, false] {
        if let Err(error) = submit(session, record, body, dry_run).await? {
            let next = messages::next_show(session.lang, &record.target, record.namespace());
            return Err(session.explain(error).advise([next]));
        }
        if dry_run {
            if confirmation.only_checks() {
                writeln!(out, "{}", messages::only_checked(session.lang, &record.target))?;
                return Ok(false);
            }
            confirmation.ask(phrase, session.lang)?;
        }
    }
    Ok(true)
}

pub(super) async fn present(
    session: &Session,
    record: &Record,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let details = details_of(session, record, &RegionCalendars::read(session).await?).await;
    writeln!(out, "{}", show::text(&details, session.lang, Part::Reviewed))?;
    Ok(())
}

impl WithdrawCommand {
    /// Withdraws a record.
    ///
    /// # Errors
    /// A record that changed since it was shown, no confirmation, or a refusal by the API server.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get(&Target::parse_decided(&self.target, lang)?).await?;
        present(session, &record, out).await?;
        // The operator finds out if anything was made of an approval; if not, the application ends.
        let approved = record.target.kind == Kind::Application && record.phase() == "Provisioning";
        let about = match approved {
            true => messages::withdrawing_approved(lang, &record.target),
            false => messages::withdrawing(lang, &record.target),
        };
        writeln!(out, "{about}")?;
        out.flush()?;
        let body = json!({ "metadata": { "annotations": { keys::WITHDRAW: record.uid() } } });
        if !confirm_and_submit(session, &record, &body, &self.confirmation, None, out).await? {
            return Ok(());
        }
        let ended = match approved {
            true => self.wait.until(session, &record, ended).await?,
            false => Some(true),
        };
        match ended {
            Some(true) => Ok(writeln!(out, "{}", messages::withdrawn(lang, &record.target))?),
            Some(false) => {
                let late = messages::withdrawn_too_late(lang, &record.target);
                Err(CliError::failed(late).advise([messages::next_exit(lang)]))
            }
            None => Ok(writeln!(out, "{}", messages::withdrawal_submitted(lang, &record.target))?),
        }
    }
}

/// Returns true once a withdrawn application has ended, and false once it is known that it does not.
fn ended(record: &Record) -> Option<bool> {
    let late = EventKind::WithdrawnTooLate.as_ref();
    match record.phase() {
        "Withdrawn" => Some(true),
        _ => record.status.timeline.iter().any(|entry| entry.event == late).then_some(false),
    }
}

/// Returns the Decommission of a record of that kind.
fn exit_of(record: &Record) -> Option<&Decommission> {
    if let Body::Exit(exit) = &record.body { Some(exit) } else { None }
}

impl ConsentCommand {
    /// Consents to the inventory as it was shown (Art. 23).
    ///
    /// # Errors
    /// No inventory, one that changed since it was shown, no confirmation, or a refusal by the API server.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get_exit(&self.target).await?;
        let name = &record.target.name;
        let exit = exit_of(&record);
        if !["", "AwaitingConsent", "AwaitingDecision"].contains(&record.phase()) {
            let why = record
                .status
                .conditions
                .iter()
                .find(|c| c.type_ == "Valid" && c.status == ConditionStatus::False);
            let why = why.or_else(|| record.status.conditions.iter().find(|c| c.type_ == "Ready"));
            let why = why.map(|c| lang.half(&c.message)).unwrap_or_default();
            let text = messages::cannot_consent(lang, name, terms::phase(lang, record.phase()), why);
            return Err(CliError::failed(text).advise([messages::next_show(
                lang,
                &record.target,
                record.namespace(),
            )]));
        }
        let Some(inventory) = exit.and_then(|e| e.status.as_ref()?.inventory.as_ref()) else {
            return Err(CliError::failed(messages::no_inventory(lang, name)).advise([messages::next_show(
                lang,
                &record.target,
                record.namespace(),
            )]));
        };
        if !session.consents_in(record.namespace()).await? {
            let refused = CliError::failed(messages::may_not_consent(lang, record.namespace()));
            return Err(refused.advise([messages::ask_for_role(lang)]));
        }
        present(session, &record, out).await?;
        if exit.and_then(|e| e.spec.consent.as_ref()).is_some_and(|c| c.inventory_digest == inventory.digest)
        {
            return Ok(writeln!(out, "{}", messages::consented_already(lang, name))?);
        }
        writeln!(out, "{}", messages::consenting(lang, name, &inventory.digest))?;
        writeln!(out, "{}", InventoryTotals::of(inventory).text(lang))?;
        out.flush()?;
        let me = session.whoami().await?;
        let body = json!({
            "metadata": { "annotations": { keys::CONSENTED_BY: me } },
            "spec": { "consent": { "inventoryDigest": inventory.digest } },
        });
        // A destruction is confirmed by typing the name.
        let phrase = inventory.entries.iter().any(|e| e.action.destroys()).then_some(name.as_str());
        if confirm_and_submit(session, &record, &body, &self.confirmation, phrase, out).await? {
            writeln!(out, "{}", messages::consented(lang, name, &inventory.digest, me))?;
        }
        Ok(())
    }
}

impl ReceiptCommand {
    /// Checks the arguments without a cluster and returns the receipt's SHA-256.
    fn check(&self, lang: Lang) -> Result<String, CliError> {
        if !is_uid(&self.volume) {
            return Err(CliError::Usage(messages::bad_uid(lang, &self.volume)));
        }
        match (&self.hash.sha256, &self.hash.file) {
            (Some(hex), _) if is_sha256(hex) => Ok(hex.clone()),
            (Some(hex), _) => Err(CliError::Usage(messages::bad_sha256(lang, hex))),
            (None, Some(file)) => {
                sha256_of(file).map_err(|e| CliError::Usage(messages::unreadable(lang, file.display(), e)))
            }
            (None, None) => Err(CliError::Usage(messages::bad_sha256(lang, ""))),
        }
    }

    /// Gives the department's receipt for one volume (Art. 28).
    ///
    /// # Errors
    /// A volume that is not to be handed over or has a receipt, or a refusal by the API server.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let sha256 = self.check(lang)?;
        let record = session.get_exit(&self.target).await?;
        let exit = exit_of(&record);
        let entries = exit
            .and_then(|e| e.status.as_ref()?.inventory.as_ref())
            .map(|i| i.entries.as_slice())
            .unwrap_or_default();
        let to_hand_over = |e: &&InventoryEntry| e.action == Action::HandOver;
        let claim = |e: &InventoryEntry| format!("{}/{}", e.namespace, e.claim);
        let Some(entry) =
            entries.iter().filter(to_hand_over).find(|e| e.volume_uid.as_deref() == Some(&self.volume))
        else {
            let listed = entries
                .iter()
                .filter(to_hand_over)
                .map(|e| format!("{} ({})", e.volume_uid.as_deref().unwrap_or("-"), claim(e)));
            let listed: Vec<String> = listed.collect();
            return Err(CliError::failed(messages::no_such_volume(
                lang,
                &self.volume,
                if listed.is_empty() { "-".to_owned() } else { listed.join(", ") },
            )));
        };
        if exit.is_some_and(|e| e.spec.hand_over.iter().any(|r| r.volume_uid == self.volume)) {
            return Err(CliError::failed(messages::receipt_exists(lang, &self.volume)));
        }
        writeln!(
            out,
            "{}",
            messages::receiving(lang, &record.target.name, claim(entry), &self.received_by, &sha256)
        )?;
        out.flush()?;
        let mut receipts = record.raw["spec"]["handOver"].as_array().cloned().unwrap_or_default();
        receipts.push(json!({ "volumeUID": self.volume, "receivedBy": self.received_by, "uri": self.uri, "sha256": sha256 }));
        let body = json!({ "spec": { "handOver": receipts } });
        if confirm_and_submit(session, &record, &body, &self.confirmation, None, out).await? {
            writeln!(out, "{}", messages::received(lang, &record.target.name, claim(entry)))?;
        }
        Ok(())
    }
}

pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

pub(super) fn sha256_of(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&block[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_fixtures;
    use super::*;

    #[test]
    fn a_withdrawn_application_has_ended_or_it_was_too_late() {
        let of = |phase: &str, event: &str| {
            let entry =
                json!({ "at": "2026-11-20T01:00:00Z", "event": event, "message": "撤回 / withdrawn" });
            let status = json!({ "phase": phase, "waitingOn": "None", "timeline": [entry] });
            ended(&test_fixtures::record(Kind::Application, test_fixtures::application(status)))
        };
        assert_eq!(of("Provisioning", "Notified"), None);
        assert_eq!(of("Withdrawn", "Withdrawn"), Some(true));
        assert_eq!(of("Provisioning", "WithdrawnTooLate"), Some(false));
        assert_eq!(of("Provisioned", "WithdrawnTooLate"), Some(false));
    }

    #[test]
    fn sha256_of_equals_sha256sum() {
        let path = std::env::temp_dir().join(format!("govcloud-receipt-{}", std::process::id()));
        std::fs::write(&path, "abc").unwrap();
        let hex = sha256_of(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(is_sha256(&hex) && !is_sha256(&hex.to_uppercase()) && !is_sha256("abc"));
    }
}
