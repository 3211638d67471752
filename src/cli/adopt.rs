//! `adopt --check`: what has to be done before a running system's namespace can be adopted, and what adoption changes in it
//! (Art. 3). It reads, and asks the API server once as a dry run; it changes nothing.

use std::io::Write;

use clap::Args;
use futures::future::join_all;
use k8s_openapi::api::core::v1::{
    LimitRange, Namespace, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota, Service,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::client::Body;
use kube::core::{NamespaceResourceScope, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::CliError;
use super::messages;
use super::output::{self, Format, escape_controls};
use super::session::Session;
use govcloud_api::region::{PodSecurity, Region};

mod report;
mod text;
mod usage;

use report::{PodSecurityAnswer, Report, Seen};

/// 纳管前检查（第三条），只读 / check what stands in the way of adopting a namespace (Art. 3); reads only
#[derive(Args, Debug)]
pub struct AdoptCommand {
    /// 待检查的命名空间 / namespace to check
    #[arg(long, value_name = "NAMESPACE")]
    check: String,
    /// 区域代码，据以核对存储类和 Pod 安全级别 / Region whose storage classes and Pod Security level count
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
    /// 拟纳管的申请的 UID / UID of the application that is to adopt it
    #[arg(long, value_name = "UID")]
    application: Option<String>,
    /// 输出格式 / output format
    #[arg(short, long, value_enum)]
    output: Option<Format>,
}

impl AdoptCommand {
    /// Writes the findings to `out`.
    ///
    /// # Errors
    /// A namespace or Region that cannot be read; [`CliError::AlreadyReported`] if something has to be done before.
    pub async fn run(self, session: &Session, out: &mut impl Write) -> Result<(), CliError> {
        if let Some(wrong) = self.application.as_ref().filter(|uid| !super::decide::is_uid(uid)) {
            return Err(CliError::Usage(messages::bad_uid(session.lang, wrong)));
        }
        let region = match &self.region {
            Some(code) => Some(session.read::<Region>(code).await?.spec),
            None => None,
        };
        let namespace: Namespace = session.read(&self.check).await?;
        let mut seen = read(session, &self.check, value(&namespace)).await;
        seen.application = self.application;
        if let Some(region) = &region {
            seen.classes = Some(region.tenancy.storage_classes.clone());
        }
        let level = region.as_ref().map_or(PodSecurity::default(), |region| region.tenancy.pod_security);
        seen.pod_security = Some(pod_security(session, &self.check, level).await);
        let report = Report::of(&seen);
        match self.output {
            Some(format) => output::write(&report, format, out)?,
            None => out.write_all(escape_controls(&text::text(&report, session.lang)).as_bytes())?,
        }
        out.flush()?;
        if report.is_ready() { Ok(()) } else { Err(CliError::AlreadyReported) }
    }
}

fn value(object: &impl Serialize) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

/// Reads what stands in a namespace. What may not be read is named in the report.
async fn read(session: &Session, name: &str, namespace: Value) -> Seen {
    let mut seen = Seen { namespace, ..Seen::default() };
    seen.pods = list::<Pod>(session, name, "pods", &mut seen.unread).await;
    seen.claims =
        list::<PersistentVolumeClaim>(session, name, "persistentvolumeclaims", &mut seen.unread).await;
    seen.services = list::<Service>(session, name, "services", &mut seen.unread).await;
    seen.quotas = list::<ResourceQuota>(session, name, "resourcequotas", &mut seen.unread).await;
    seen.limits = list::<LimitRange>(session, name, "limitranges", &mut seen.unread).await;
    seen.policies = list::<NetworkPolicy>(session, name, "networkpolicies", &mut seen.unread).await;
    seen.bindings = list::<RoleBinding>(session, name, "rolebindings", &mut seen.unread).await;
    let volumes: Api<PersistentVolume> = Api::all(session.client.clone());
    let named = seen.claims.iter().filter_map(|claim| claim["spec"]["volumeName"].as_str());
    let found = join_all(named.map(|volume| volumes.get_opt(volume))).await;
    for answer in found {
        match answer {
            Ok(volume) => seen.volumes.extend(volume.as_ref().map(value)),
            Err(_) if seen.unread.iter().any(|kind| kind == "persistentvolumes") => {}
            Err(_) => seen.unread.push("persistentvolumes".to_owned()),
        }
    }
    seen
}

/// Lists the objects of a kind in a namespace; one that may not be listed goes to `unread`.
async fn list<K>(session: &Session, namespace: &str, plural: &str, unread: &mut Vec<String>) -> Vec<Value>
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Serialize,
{
    let api: Api<K> = Api::namespaced(session.client.clone(), namespace);
    match api.list(&ListParams::default()).await {
        Ok(found) => found.items.iter().map(value).collect(),
        Err(_) => {
            unread.push(plural.to_owned());
            Vec::new()
        }
    }
}

/// Asks the API server what a Pod Security level would warn of, as a dry run: nothing is stored.
async fn pod_security(session: &Session, name: &str, level: PodSecurity) -> PodSecurityAnswer {
    let level = level.as_str();
    let patch = json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": level } } });
    let params = PatchParams { dry_run: true, ..PatchParams::default() };
    let answer =
        |asked: bool, warnings: Vec<String>| PodSecurityAnswer { level: level.to_owned(), asked, warnings };
    let request = Request::new("/api/v1/namespaces").patch(name, &params, &Patch::Merge(patch));
    let Ok(request) = request else { return answer(false, Vec::new()) };
    match session.client.send(request.map(Body::from)).await {
        Ok(response) if response.status().is_success() => {
            let headers = response.headers().get_all("warning").into_iter();
            let texts = headers.filter_map(|header| std::str::from_utf8(header.as_bytes()).ok());
            answer(true, texts.map(warning).collect())
        }
        _ => answer(false, Vec::new()),
    }
}

/// Text of a `Warning` header: `299 - "text"`.
fn warning(header: &str) -> String {
    let quoted = header.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    quoted.map_or(header, |(text, _)| text).replace("\\\"", "\"")
}

#[cfg(test)]
mod tests;
