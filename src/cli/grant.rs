//! `grant render`: the work order that an approval asks for, ready for `kubectl apply -f -` (Art. 13, 15).

use std::io::Write;

use clap::{Args, Subcommand};

use super::almanac::Almanac;
use super::error::CliError;
use super::output::{self, Format, Lang};
use super::record::{Body, Kind, Record, Target};
use super::session::Session;
use super::words::{self, terms};
use govcloud_api::grant::{ApprovalKind, ApprovalRef, GrantedNamespace, ResourceGrant};
use govcloud_domain::decision;
use govcloud_domain::grant::work_order;

/// 开通工单 / the work order
#[derive(Args, Debug)]
pub struct GrantCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// 生成获准申请的工单,可直接 kubectl apply -f - / the ResourceGrant that an approval asks for
    Render {
        /// 上云申请的名称 / name of the CloudApplication
        #[arg(value_name = "NAME")]
        name: String,
        /// 按此获准的变更 / as this approved ChangeRequest has it
        #[arg(long, value_name = "CHREQ")]
        change: Option<String>,
        /// 输出格式,缺省 yaml / output format, by default yaml
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
}

impl GrantCommand {
    /// Prints the manifest.
    ///
    /// # Errors
    /// Nothing is approved, or what was approved is not what stands.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        let Action::Render { name, change, output } = self.action;
        let lang = session.lang;
        let name = name.rsplit_once('/').map_or(name.clone(), |(_, n)| n.to_owned());
        let application = session.get(&Target { kind: Kind::Application, name: name.clone() }).await?;
        let grant = match change {
            Some(change) => {
                let change = change.rsplit_once('/').map_or(change.clone(), |(_, n)| n.to_owned());
                let record = session.get(&Target { kind: Kind::Change, name: change }).await?;
                of_change(&application, &record, lang)?
            }
            None => {
                let standing = session.find(&Target { kind: Kind::Grant, name }).await;
                let almanac = Almanac::read(session).await?;
                let class = almanac
                    .regions
                    .get(application.region())
                    .and_then(|r| r.spec.tenancy.storage_classes.first().cloned());
                of_application(&application, standing.as_ref(), class, lang)?
            }
        };
        Ok(output::write(&grant, output.unwrap_or(Format::Yaml), out)?)
    }
}

/// The approval that stands on a record, as a grant refers to it.
fn approval(record: &Record, kind: ApprovalKind, lang: Lang) -> Result<ApprovalRef, CliError> {
    let digest = record.digest();
    let Some(decision) = decision::approved(&record.life, &digest) else {
        let altered = record
            .life
            .decision
            .as_ref()
            .is_some_and(|d| decision::approved(&record.life, &d.digest).is_some());
        let phase = terms::phase(lang, record.phase());
        return Err(CliError::failed(if altered {
            words::altered_since(lang, &record.target)
        } else {
            words::not_approved(lang, &record.target, phase)
        })
        .advise([words::next_show(lang, &record.target, record.namespace())]));
    };
    Ok(work_order::approval(kind, &record.target.name, record.uid(), decision))
}

fn manifest(application: &Record, approved: ApprovalRef, namespaces: Vec<GrantedNamespace>) -> ResourceGrant {
    let of = work_order::For {
        namespace: application.namespace(),
        name: &application.target.name,
        uid: application.uid(),
        region: application.region(),
    };
    work_order::work_order(of, approved, namespaces)
}

/// The first grant (Art. 13).
fn of_application(
    application: &Record,
    standing: Option<&Record>,
    class: Option<String>,
    lang: Lang,
) -> Result<ResourceGrant, CliError> {
    let approved = approval(application, ApprovalKind::CloudApplication, lang)?;
    if let Some(Body::Grant(grant)) = standing.map(|g| &g.body)
        && let Some(in_force) = grant.status.as_ref().and_then(|s| s.in_force.as_ref())
        && in_force.kind == ApprovalKind::ChangeRequest
    {
        return Err(CliError::failed(words::changed_later(lang, &application.target, &in_force.name)));
    }
    let Body::Application(app) = &application.body else {
        return Err(CliError::Usage(words::bad_target(lang, &application.target)));
    };
    let namespaces = work_order::as_applied_for(&app.spec.namespaces, class.as_ref());
    Ok(manifest(application, approved, namespaces))
}

/// The grant as a change leaves it (Art. 15).
fn of_change(application: &Record, change: &Record, lang: Lang) -> Result<ResourceGrant, CliError> {
    let not_its_own = || CliError::failed(words::not_its_change(lang, &change.target, &application.target));
    let Body::Change(body) = &change.body else { return Err(not_its_own()) };
    if body.spec.resource_adjustment.as_ref().is_none_or(|a| a.application != application.target.name) {
        return Err(not_its_own());
    }
    let approved = approval(change, ApprovalKind::ChangeRequest, lang)?;
    if change.phase() != "Applying" {
        return Err(CliError::failed(words::not_applying(
            lang,
            &change.target,
            terms::phase(lang, change.phase()),
        )));
    }
    let after = body.status.as_ref().map(|s| s.after.to_vec()).unwrap_or_default();
    Ok(manifest(application, approved, after))
}

#[cfg(test)]
mod tests;
