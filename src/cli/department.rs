//! `withdraw`, `consent`, `receipt`: what the department alone says (Art. 23, 28).

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::almanac::Almanac;
use super::ask::confirm;
use super::decide::is_uid;
use super::error::CliError;
use super::output::Lang;
use super::record::{Body, Record, Target};
use super::send::send;
use super::session::Session;
use super::show::{self, Part, sheet_of};
use super::words;
use govcloud_api::decommission::Decommission;
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::keys;

/// Which record is taken back.
#[derive(Args, Debug)]
pub struct WithdrawCommand {
    /// KIND/NAME,如 capp/travel / such as capp/travel
    #[arg(value_name = "KIND/NAME")]
    target: String,
    /// 不再询问 / do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Which exit is consented to.
#[derive(Args, Debug)]
pub struct ConsentCommand {
    /// 退出申请的名称 / name of the Decommission
    #[arg(value_name = "NAME")]
    target: String,
    /// 不再询问 / do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Which volume was received, by whom, and where the receipt lies.
#[derive(Args, Debug)]
pub struct ReceiptCommand {
    /// 退出申请的名称 / name of the Decommission
    #[arg(value_name = "NAME")]
    target: String,
    /// 数据卷的 UID / UID of the volume
    #[arg(long, value_name = "UID")]
    volume: String,
    /// 接收人 / who received the data
    #[arg(long, value_name = "WHO")]
    received_by: String,
    /// 回执的地址 / where the receipt can be read
    #[arg(long, value_name = "URI")]
    uri: String,
    /// 回执文件,据以计算 SHA-256 / the receipt itself, to compute its SHA-256
    #[arg(long, value_name = "FILE", required_unless_present = "sha256")]
    file: Option<PathBuf>,
    /// 回执的 SHA-256 / SHA-256 of the receipt
    #[arg(long, value_name = "HEX", conflicts_with = "file")]
    sha256: Option<String>,
    /// 不再询问 / do not ask
    #[arg(short, long)]
    yes: bool,
}

/// Rehearses, asks, and sends.
async fn carry_out(
    session: &Session,
    record: &Record,
    body: &Value,
    yes: bool,
    word: Option<&str>,
) -> Result<(), CliError> {
    for rehearse in [true, false] {
        if let Err(error) = send(session, record, body, rehearse).await? {
            let next = words::next_show(session.lang, &record.target, record.namespace());
            return Err(session.explain(error).advise([next]));
        }
        if rehearse {
            confirm(yes, word, session.lang)?;
        }
    }
    Ok(())
}

async fn present(session: &Session, record: &Record, out: &mut impl Write) -> Result<(), CliError> {
    let sheet = sheet_of(session, record, &Almanac::read(session).await?).await;
    writeln!(out, "{}", show::text(&sheet, session.lang, Part::Matter))?;
    Ok(())
}

impl WithdrawCommand {
    /// Takes a record back.
    ///
    /// # Errors
    /// The record changed since it was shown, nobody said yes, or the API server refuses.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get(&Target::parse_decided(&self.target, lang)?).await?;
        present(session, &record, out).await?;
        writeln!(out, "{}", words::withdrawing(lang, &record.target))?;
        out.flush()?;
        let body = json!({ "metadata": { "annotations": { keys::WITHDRAW: record.uid() } } });
        carry_out(session, &record, &body, self.yes, None).await?;
        Ok(writeln!(out, "{}", words::withdrawn(lang, &record.target))?)
    }
}

/// The exit itself.
fn exit_of(record: &Record) -> Option<&Decommission> {
    match &record.body {
        Body::Exit(exit) => Some(exit),
        _ => None,
    }
}

impl ConsentCommand {
    /// Consents to the inventory as it was shown (Art. 23).
    ///
    /// # Errors
    /// No inventory is published, it changed since it was shown, nobody said yes, or the API server refuses.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let record = session.get(&Target::parse_exit(&self.target, lang)?).await?;
        let name = &record.target.name;
        let exit = exit_of(&record);
        let Some(inventory) = exit.and_then(|e| e.status.as_ref()?.inventory.as_ref()) else {
            return Err(CliError::failed(words::no_inventory(lang, name)).advise([words::next_show(
                lang,
                &record.target,
                record.namespace(),
            )]));
        };
        present(session, &record, out).await?;
        if exit.and_then(|e| e.spec.consent.as_ref()).is_some_and(|c| c.inventory_digest == inventory.digest)
        {
            return Ok(writeln!(out, "{}", words::consented_already(lang, name))?);
        }
        writeln!(out, "{}", words::consenting(lang, name, &inventory.digest))?;
        out.flush()?;
        let me = session.whoami().await?;
        let body = json!({
            "metadata": { "annotations": { keys::CONSENTED_BY: me } },
            "spec": { "consent": { "inventoryDigest": inventory.digest } },
        });
        // Nothing is lost by mistake: who destroys types the name.
        let word = inventory.entries.iter().any(|e| e.action.destroys()).then_some(name.as_str());
        carry_out(session, &record, &body, self.yes, word).await?;
        Ok(writeln!(out, "{}", words::consented(lang, name, &inventory.digest, me))?)
    }
}

impl ReceiptCommand {
    /// What can be said to be wrong without a cluster; the receipt's SHA-256.
    fn check(&self, lang: Lang) -> Result<String, CliError> {
        if !is_uid(&self.volume) {
            return Err(CliError::Usage(words::bad_uid(lang, &self.volume)));
        }
        match (&self.sha256, &self.file) {
            (Some(hex), _) if is_sha256(hex) => Ok(hex.clone()),
            (Some(hex), _) => Err(CliError::Usage(words::bad_sha256(lang, hex))),
            (None, Some(file)) => {
                sha256_of(file).map_err(|e| CliError::Usage(words::unreadable(lang, file.display(), e)))
            }
            (None, None) => Err(CliError::Usage(words::bad_sha256(lang, ""))),
        }
    }

    /// Gives the department's receipt for one volume (Art. 28).
    ///
    /// # Errors
    /// The volume is not one to hand over, has a receipt, or the API server refuses.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let lang = session.lang;
        let sha256 = self.check(lang)?;
        let record = session.get(&Target::parse_exit(&self.target, lang)?).await?;
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
            return Err(CliError::failed(words::no_such_volume(
                lang,
                &self.volume,
                if listed.is_empty() { "-".to_owned() } else { listed.join(", ") },
            )));
        };
        if exit.is_some_and(|e| e.spec.hand_over.iter().any(|r| r.volume_uid == self.volume)) {
            return Err(CliError::failed(words::receipt_exists(lang, &self.volume)));
        }
        writeln!(
            out,
            "{}",
            words::receiving(lang, &record.target.name, claim(entry), &self.received_by, &sha256)
        )?;
        out.flush()?;
        let mut receipts = record.raw["spec"]["handOver"].as_array().cloned().unwrap_or_default();
        receipts.push(json!({ "volumeUID": self.volume, "receivedBy": self.received_by, "uri": self.uri, "sha256": sha256 }));
        carry_out(session, &record, &json!({ "spec": { "handOver": receipts } }), self.yes, None).await?;
        Ok(writeln!(out, "{}", words::received(lang, &record.target.name, claim(entry)))?)
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

fn sha256_of(file: &Path) -> io::Result<String> {
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
    use super::*;

    #[test]
    fn a_file_s_fingerprint_is_that_of_sha256sum() {
        let path = std::env::temp_dir().join(format!("govcloud-receipt-{}", std::process::id()));
        std::fs::write(&path, "abc").unwrap();
        let hex = sha256_of(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(is_sha256(&hex) && !is_sha256(&hex.to_uppercase()) && !is_sha256("abc"));
    }
}
