//! `grant render`: prints the work order of an approval, for `kubectl apply -f -` (Art. 13, 15).

use std::io::Write;

use clap::{Args, Subcommand};

use super::error::CliError;
use super::messages::{self, terms};
use super::output::{self, Format, Lang};
use super::record::{Body, Kind, Record, Target};
use super::region_calendars::RegionCalendars;
use super::session::Session;
use govcloud_api::grant::{ApprovalKind, ApprovalRef, GrantedNamespace, ResourceGrant};
use govcloud_api::tenancy::Access;
use govcloud_domain::decision;
use govcloud_domain::grant::work_order;

/// 开通工单 / work orders
#[derive(Args, Debug)]
pub struct GrantCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// 生成审核通过的申请的工单，可直接 kubectl apply -f - / print the ResourceGrant of an approval, for kubectl apply -f -
    Render {
        /// 上云申请的名称 / name of the CloudApplication
        #[arg(value_name = "NAME")]
        name: String,
        /// 按此项审核通过的变更 / use this approved ChangeRequest
        #[arg(long, value_name = "CHREQ")]
        change: Option<String>,
        /// 输出格式，默认 yaml / output format, default yaml
        #[arg(short, long, value_enum)]
        output: Option<Format>,
    },
}

impl GrantCommand {
    /// Prints the manifest.
    ///
    /// # Errors
    /// No approval, or a spec that changed since.
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
                let existing = session.find(&Target { kind: Kind::Grant, name }).await;
                let calendars = RegionCalendars::read(session).await?;
                let class = calendars
                    .regions
                    .get(application.region())
                    .and_then(|r| r.spec.tenancy.storage_classes.first().cloned());
                of_application(&application, existing.as_ref(), class, lang)?
            }
        };
        Ok(output::write(&grant, output.unwrap_or(Format::Yaml), out)?)
    }
}

/// Returns the reference to the approval of a record.
fn approval(record: &Record, kind: ApprovalKind, lang: Lang) -> Result<ApprovalRef, CliError> {
    let digest = record.digest();
    let Some(decision) = decision::approved(&record.status, &digest) else {
        let altered = record
            .status
            .decision
            .as_ref()
            .is_some_and(|d| decision::approved(&record.status, &d.digest).is_some());
        let phase = terms::phase(lang, record.phase());
        return Err(CliError::failed(if altered {
            messages::altered_since(lang, &record.target)
        } else {
            messages::not_approved(lang, &record.target, phase)
        })
        .advise([messages::next_show(lang, &record.target, record.namespace())]));
    };
    Ok(work_order::approval(kind, &record.target.name, record.uid(), decision))
}

fn manifest(
    application: &Record,
    approved: ApprovalRef,
    namespaces: Vec<GrantedNamespace>,
    access: Option<Vec<Access>>,
) -> ResourceGrant {
    let of = work_order::For {
        namespace: application.namespace(),
        name: &application.target.name,
        uid: application.uid(),
        region: application.region(),
    };
    work_order::work_order(of, approved, namespaces, access)
}

/// Renders the first grant (Art. 13).
fn of_application(
    application: &Record,
    existing: Option<&Record>,
    class: Option<String>,
    lang: Lang,
) -> Result<ResourceGrant, CliError> {
    let approved = approval(application, ApprovalKind::CloudApplication, lang)?;
    if let Some(Body::Grant(grant)) = existing.map(|g| &g.body)
        && let Some(in_force) = grant.status.as_ref().and_then(|s| s.in_force.as_ref())
        && in_force.kind == ApprovalKind::ChangeRequest
    {
        return Err(CliError::failed(messages::changed_later(lang, &application.target, &in_force.name)));
    }
    let Body::Application(app) = &application.body else {
        return Err(CliError::Usage(messages::bad_target(lang, &application.target)));
    };
    let namespaces = work_order::as_applied_for(&app.spec.namespaces, class.as_ref());
    Ok(manifest(application, approved, namespaces, None))
}

/// Renders the grant after a change (Art. 15).
fn of_change(application: &Record, change: &Record, lang: Lang) -> Result<ResourceGrant, CliError> {
    let not_its_own =
        || CliError::failed(messages::not_its_change(lang, &change.target, &application.target));
    let Body::Change(body) = &change.body else { return Err(not_its_own()) };
    if body.spec.resource_adjustment.as_ref().is_none_or(|a| a.application != application.target.name) {
        return Err(not_its_own());
    }
    let approved = approval(change, ApprovalKind::ChangeRequest, lang)?;
    if change.phase() != "Applying" {
        return Err(CliError::failed(messages::not_applying(
            lang,
            &change.target,
            terms::phase(lang, change.phase()),
        )));
    }
    let status = body.status.clone().unwrap_or_default();
    Ok(manifest(application, approved, status.after, status.access_after))
}

#[cfg(test)]
mod tests;
