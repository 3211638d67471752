//! Global flags, the connection to the cluster, and requests.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::{ApiResource, ClusterResourceScope};
use kube::{Client, Config};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{CliError, chain};
use super::messages;
use super::output::Lang;
use super::record::{Kind, Record, Target};
use govcloud_api::OPERATOR_NAMESPACE;
use govcloud_api::resources::ResourceType;

/// Field manager of the plugin.
const FIELD_MANAGER: &str = "kubectl-govcloud";

/// A verb that does not exist. Whoever holds it holds wildcard rights, and those do not count.
const NONEXISTENT_VERB: &str = "no-such-verb";

/// Global flags, as in kubectl.
#[derive(Args, Debug, Clone, Default)]
pub struct Flags {
    /// kubeconfig 中的上下文 / context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// kubeconfig 文件，默认取自 KUBECONFIG / kubeconfig file, default KUBECONFIG
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// 命名空间，默认取自上下文 / namespace, default from the context
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// kubeconfig 中的集群 / cluster of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// kubeconfig 中的用户 / user of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// 以该用户身份操作，须有相应权限，审计日志记载双方 / act as this user, with the right to; the audit log has both
    #[arg(long = "as", global = true, value_name = "USER")]
    pub impersonate: Option<String>,
    /// 同时以该用户组身份操作，可重复 / and as this group; repeatable
    #[arg(long = "as-group", global = true, value_name = "GROUP", requires = "impersonate")]
    pub impersonate_groups: Vec<String>,
    /// 单个请求的时限，如 10s；0 为不限 / time of one request, such as 10s; 0 for no limit
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub request_timeout: Option<Duration>,
    /// 语言，默认取自环境 / language, default from the locale
    #[arg(long, global = true, value_enum)]
    pub lang: Option<Lang>,
}

impl Flags {
    /// Returns the language of the output.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(|| Lang::of_locale(|name| std::env::var(name).ok()))
    }
}

/// A connection with its namespace, language and time.
#[derive(Clone)]
pub struct Session {
    pub(super) client: Client,
    config: Config,
    pub(super) namespace: String,
    pub(super) lang: Lang,
    pub(super) now: Timestamp,
}

impl Session {
    /// Connects to the cluster.
    ///
    /// # Errors
    /// A kubeconfig that cannot be read or used.
    pub async fn open(flags: &Flags) -> Result<Self, CliError> {
        let lang = flags.lang();
        let mut config = config(flags).await.map_err(|why| unusable(lang, why))?;
        if config.cluster_url.host().is_some_and(is_loopback) && proxy_is_of_environment(&config) {
            config.proxy_url = None;
        }
        let namespace = flags.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config.clone()).map_err(|e| unusable(lang, chain(&e)))?;
        Ok(Self { client, config, namespace, lang, now: Timestamp::now() })
    }

    /// Address of the API server in the kubeconfig.
    pub(super) fn url(&self) -> String {
        self.config.cluster_url.to_string()
    }

    /// A client for another API server of the same cluster. Its certificate must be for the name in the kubeconfig, as
    /// that of the server there is.
    pub(super) fn client_at(&self, url: &str, patience: Duration) -> Result<Client, String> {
        let mut config = self.config.clone();
        let name = config.cluster_url.host().map(|h| h.trim_matches(['[', ']']).to_owned());
        config.tls_server_name = config.tls_server_name.or(name);
        config.cluster_url = url.parse().map_err(|e| format!("{url}: {e}"))?;
        config.connect_timeout = Some(patience);
        config.read_timeout = Some(patience);
        Client::try_from(config).map_err(|e| chain(&e))
    }

    /// Objects of a kind in the operator's namespace.
    pub(super) fn in_operator_namespace(&self, resource: ResourceType) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), OPERATOR_NAMESPACE, &resource.api_resource())
    }

    /// Converts an error of a request.
    pub(super) fn explain(&self, error: kube::Error) -> CliError {
        CliError::from_kube(error, &self.url(), self.lang)
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.resource_type().api_resource())
    }

    /// Reads a record.
    pub(super) async fn get(&self, target: &Target) -> Result<Record, CliError> {
        match self.api(target.kind, &self.namespace).get_opt(&target.name).await {
            Ok(Some(object)) => Record::read(target.kind, value(&object), self.lang),
            Ok(None) => Err(CliError::failed(messages::no_such(self.lang, target, &self.namespace))),
            Err(e) => Err(self.explain(e)),
        }
    }

    /// Reads the Decommission that a user names. For a record of another kind, the error names its exits.
    pub(super) async fn get_exit(&self, text: &str) -> Result<Record, CliError> {
        let target = Target::parse_exit(text, self.lang)?;
        if target.kind == Kind::Exit {
            return self.get(&target).await;
        }
        let exits = self.list(Kind::Exit, Some(&self.namespace)).await.unwrap_or_default();
        Err(target.not_an_exit(&exits, self.lang))
    }

    /// Reads a record; `None` if it does not exist or is not readable.
    pub(super) async fn find(&self, target: &Target) -> Option<Record> {
        let object = self.api(target.kind, &self.namespace).get_opt(&target.name).await.ok()??;
        Record::read(target.kind, value(&object), self.lang).ok()
    }

    /// Lists the records of a kind, in a namespace or in all. Records that do not fit the schema are left out.
    pub(super) async fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Record>, CliError> {
        let api = match namespace {
            Some(namespace) => self.api(kind, namespace),
            None => Api::all_with(self.client.clone(), &kind.resource_type().api_resource()),
        };
        self.records(kind, &api).await.map_err(|e| self.explain(e))
    }

    /// Lists the records of a kind in a namespace; `None` if the caller may not.
    pub(super) async fn list_readable(
        &self,
        kind: Kind,
        namespace: &str,
    ) -> Result<Option<Vec<Record>>, CliError> {
        match self.records(kind, &self.api(kind, namespace)).await {
            Ok(records) => Ok(Some(records)),
            Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
            Err(e) => Err(self.explain(e)),
        }
    }

    async fn records(&self, kind: Kind, api: &Api<DynamicObject>) -> Result<Vec<Record>, kube::Error> {
        let list = api.list(&ListParams::default()).await?;
        Ok(list.items.iter().filter_map(|o| Record::read(kind, value(o), self.lang).ok()).collect())
    }

    /// Reads an object of a cluster-scoped kind.
    pub(super) async fn read<K>(&self, name: &str) -> Result<K, CliError>
    where
        K: kube::Resource<Scope = ClusterResourceScope, DynamicType = ()>
            + Clone
            + fmt::Debug
            + DeserializeOwned,
    {
        match Api::<K>::all(self.client.clone()).get_opt(name).await {
            Ok(Some(object)) => Ok(object),
            Ok(None) => Err(CliError::failed(messages::no_such_object(self.lang, K::kind(&()), name))),
            Err(e) => Err(self.explain(e)),
        }
    }

    /// Lists the objects of a cluster-scoped kind, raw.
    pub(super) async fn list_raw(&self, resource: &ApiResource) -> Result<Vec<Value>, kube::Error> {
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), resource);
        Ok(api.list(&ListParams::default()).await?.items.iter().map(value).collect())
    }

    /// Merge-patches a record.
    pub(super) async fn patch(
        &self,
        target: &Target,
        body: &Value,
        dry_run: bool,
    ) -> Result<Record, kube::Error> {
        let params =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), dry_run, ..PatchParams::default() };
        let object =
            self.api(target.kind, &self.namespace).patch(&target.name, &params, &Patch::Merge(body)).await?;
        Record::read(target.kind, value(&object), self.lang).map_err(|e| kube::Error::Service(Box::new(e)))
    }

    /// Returns the caller's username.
    pub(super) async fn whoami(&self) -> Result<String, CliError> {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let answer = api
            .create(&PostParams::default(), &SelfSubjectReview::default())
            .await
            .map_err(|e| self.explain(e))?;
        Ok(answer.status.and_then(|s| s.user_info).and_then(|u| u.username).unwrap_or_default())
    }

    async fn can(&self, attributes: ResourceAttributes) -> Result<bool, CliError> {
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let answer = api.create(&PostParams::default(), &review).await.map_err(|e| self.explain(e))?;
        Ok(answer.status.is_some_and(|s| s.allowed))
    }

    /// Returns true if the caller holds `verb` on a region.
    pub(super) async fn can_on_region(&self, verb: &str, region: &str) -> Result<bool, CliError> {
        self.can(attributes(verb, "regions", Some(region), None)).await
    }

    /// Returns true if the caller's rights on a region are wildcards.
    pub(super) async fn is_wildcard_on_region(&self, region: &str) -> Result<bool, CliError> {
        self.can_on_region(NONEXISTENT_VERB, region).await
    }

    /// Returns true if the caller may consent for the department in a namespace: by name, as only a department does.
    pub(super) async fn consents_in(&self, namespace: &str) -> Result<bool, CliError> {
        let resource = Kind::Exit.resource_type().plural;
        Ok(self.can(attributes("consent", resource, None, Some(namespace))).await?
            && !self.can(attributes(NONEXISTENT_VERB, resource, None, Some(namespace))).await?)
    }

    /// Returns true if the caller holds `file` by name in a namespace, as a department does.
    pub(super) async fn files_in(&self, namespace: &str) -> Result<bool, CliError> {
        let resource = Kind::Application.resource_type().plural;
        Ok(self.can(attributes("file", resource, None, Some(namespace))).await?
            && !self.can(attributes(NONEXISTENT_VERB, resource, None, Some(namespace))).await?)
    }
}

fn attributes(verb: &str, resource: &str, name: Option<&str>, namespace: Option<&str>) -> ResourceAttributes {
    ResourceAttributes {
        group: Some(govcloud_api::GROUP.to_owned()),
        resource: Some(resource.to_owned()),
        verb: Some(verb.to_owned()),
        name: name.map(str::to_owned),
        namespace: namespace.map(str::to_owned),
        ..ResourceAttributes::default()
    }
}

/// Reads a time as kubectl does: a number of seconds, or with units.
fn duration(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => {
            let span: jiff::SignedDuration = text.parse().map_err(|e: jiff::Error| e.to_string())?;
            Duration::try_from(span).map_err(|e| e.to_string())
        }
    }
}

/// The kubeconfig's settings with those of the flags.
async fn config(flags: &Flags) -> Result<Config, String> {
    let mut config = of_kubeconfig(flags).await?;
    if flags.impersonate.is_some() {
        config.auth_info.impersonate.clone_from(&flags.impersonate);
        config.auth_info.impersonate_groups = Some(flags.impersonate_groups.clone());
    }
    if let Some(timeout) = flags.request_timeout {
        let timeout = Some(timeout).filter(|t| !t.is_zero());
        (config.connect_timeout, config.read_timeout, config.write_timeout) = (timeout, timeout, timeout);
    }
    Ok(config)
}

async fn of_kubeconfig(flags: &Flags) -> Result<Config, String> {
    let options = KubeConfigOptions {
        context: flags.context.clone(),
        cluster: flags.cluster.clone(),
        user: flags.user.clone(),
    };
    let named = [&options.context, &options.cluster, &options.user].into_iter().any(Option::is_some);
    match &flags.kubeconfig {
        Some(file) => {
            let read = Kubeconfig::read_from(file).map_err(|e| defect(&e))?;
            Config::from_custom_kubeconfig(read, &options).await.map_err(|e| defect(&e))
        }
        None if named => Config::from_kubeconfig(&options).await.map_err(|e| defect(&e)),
        None => Config::infer().await.map_err(|e| defect(&e)),
    }
}

/// Formats the defect of a kubeconfig: the file and what is wrong with it. Outside a Pod the rest is of no use.
fn defect(error: &(dyn Error + 'static)) -> String {
    let own = error.downcast_ref::<KubeconfigError>();
    match own.or_else(|| error.source()?.downcast_ref::<KubeconfigError>()) {
        Some(KubeconfigError::ReadConfig(why, file)) => format!("{}: {why}", file.display()),
        Some(other) => chain(other),
        None => chain(error),
    }
}

/// The error for a kubeconfig that cannot be read or used.
fn unusable(lang: Lang, why: String) -> CliError {
    CliError::failed(messages::bad_kubeconfig(lang, why)).advise([messages::next_kubeconfig(lang)])
}

/// Returns true for this machine. kubectl connects to it without a proxy.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn proxy_is_of_environment(config: &Config) -> bool {
    let Some(proxy) = config.proxy_url.as_ref().map(ToString::to_string) else { return false };
    let same =
        |v: &str| std::env::var(v).is_ok_and(|e| e.trim_end_matches('/') == proxy.trim_end_matches('/'));
    ["HTTPS_PROXY", "https_proxy"].into_iter().any(same)
}

fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_kubectl_does() {
        let times = ["0", "30", "10s", "1m30s"].map(|text| duration(text).unwrap().as_secs());
        assert_eq!(times, [0, 30, 10, 90]);
        for bad in ["", "soon", "-5s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn flags_choose_cluster_user_and_identity() {
        let file = std::env::temp_dir().join(format!("govcloud-kubeconfig-{}", std::process::id()));
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}, {name: b, cluster: {server: 'http://127.0.0.1:2'}}]\nusers: [{name: a, user: {username: a}}, {name: b, user: {username: b}}]\n";
        std::fs::write(&file, text).unwrap();
        let flags = Flags {
            kubeconfig: Some(file.clone()),
            cluster: Some("b".into()),
            user: Some("b".into()),
            impersonate: Some("li@bigdata".into()),
            impersonate_groups: vec!["officers".into()],
            request_timeout: Some(Duration::from_secs(7)),
            ..Flags::default()
        };
        let config = config(&flags).await.unwrap();
        std::fs::remove_file(file).unwrap();
        assert_eq!(config.cluster_url.port_u16(), Some(2));
        assert_eq!(config.auth_info.username.as_deref(), Some("b"));
        assert_eq!(config.auth_info.impersonate.as_deref(), Some("li@bigdata"));
        assert_eq!(config.auth_info.impersonate_groups, Some(vec!["officers".to_owned()]));
        assert_eq!(config.read_timeout, Some(Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn a_kubeconfig_that_cannot_be_read_is_named_with_the_next_step() {
        let flags = Flags { kubeconfig: Some("/nowhere/kubeconfig".into()), ..Flags::default() };
        let why = config(&flags).await.unwrap_err();
        assert!(why.starts_with("/nowhere/kubeconfig: No such file"), "{why}");
        let CliError::Failed { message, next } = unusable(Lang::En, why) else { panic!("another error") };
        assert!(message.starts_with("cannot use the kubeconfig: /nowhere/kubeconfig: "), "{message}");
        assert!(next.iter().any(|n| n.contains("--kubeconfig FILE")), "{next:?}");
    }
}
