//! Actors: users and their groups, each with a kubeconfig file.
//!
//! Their rights come from `config/rbac`, by group; only the two administrators have their rights from here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use k8s_openapi::ByteString;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::pki::Pki;

/// The operator's namespace.
pub const OPERATOR_NAMESPACE: &str = "govcloud-system";
/// The operator's ServiceAccount.
pub const OPERATOR_SERVICE_ACCOUNT: &str = "govcloud-operator";
/// The operator's username.
pub const OPERATOR: &str = "system:serviceaccount:govcloud-system:govcloud-operator";

/// A person or machine of the measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The harness itself (`system:masters`), which no guard can tell from root; never part of a story.
    Admin,
    /// The provider's cluster administrator: `cluster-admin` by an ordinary ClusterRoleBinding.
    PlatformAdmin,
    /// The province's authority.
    Authority410000,
    /// The authority of Zhengzhou.
    Authority410100,
    /// The provider's staff.
    Provider,
    /// The department of transport, which files.
    Department,
    /// Another department, which has no business with the first one's records.
    OtherDepartment,
    /// The GitOps pipeline, which applies the department's manifests.
    Pipeline,
    /// The auditor, who reads.
    Auditor,
}

impl Actor {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Admin,
        Self::PlatformAdmin,
        Self::Authority410000,
        Self::Authority410100,
        Self::Provider,
        Self::Department,
        Self::OtherDepartment,
        Self::Pipeline,
        Self::Auditor,
    ];

    /// The username, which is also the kubeconfig file's name.
    pub fn user(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::PlatformAdmin => "platform-admin",
            Self::Authority410000 => "authority-410000",
            Self::Authority410100 => "authority-410100",
            Self::Provider => "provider",
            Self::Department => "department",
            Self::OtherDepartment => "other-department",
            Self::Pipeline => "pipeline",
            Self::Auditor => "auditor",
        }
    }

    /// The group that roles are bound to.
    pub fn group(self) -> Option<&'static str> {
        match self {
            Self::Admin => Some("system:masters"),
            Self::PlatformAdmin => None,
            Self::Authority410000 => Some("govcloud:authority:410000"),
            Self::Authority410100 => Some("govcloud:authority:410100"),
            Self::Provider => Some("govcloud:provider"),
            Self::Department => Some("govcloud:department:transport"),
            Self::OtherDepartment => Some("govcloud:department:health"),
            Self::Pipeline => Some("govcloud:pipeline"),
            Self::Auditor => Some("govcloud:auditor"),
        }
    }
}

/// Address of the API server, and its CA.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Server {
    /// `https://127.0.0.1:PORT`.
    pub url: String,
    /// The CA's certificate, PEM.
    pub ca: String,
}

/// Writes the kubeconfig of a bearer of a client certificate, readable by the owner only.
pub fn write_certificate(
    server: &Server,
    pki: &Pki,
    file: &Path,
    user: &str,
    group: Option<&str>,
) -> Result<()> {
    let pair = pki.client(user, group)?;
    let credentials = json!({
        "client-certificate-data": base64(&pair.cert),
        "client-key-data": base64(&pair.key),
    });
    write(server, file, user, credentials)
}

/// Writes the kubeconfig of a bearer of a token, readable by the owner only.
pub fn write_token(server: &Server, file: &Path, user: &str, token: &str) -> Result<()> {
    write(server, file, user, json!({ "token": token }))
}

fn write(server: &Server, file: &Path, user: &str, credentials: Value) -> Result<()> {
    let content = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "govcloud",
            "cluster": {"server": server.url, "certificate-authority-data": base64(&server.ca)},
        }],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": user, "context": {"cluster": "govcloud", "user": user}}],
        "current-context": user,
    });
    fs::write(file, serde_saphyr::to_string(&content)?)
        .and_then(|()| fs::set_permissions(file, fs::Permissions::from_mode(0o600)))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// A kubeconfig that trusts the server and holds no credentials: for whoever hands on other people's.
pub fn anonymous(server: &Server) -> Result<Kubeconfig> {
    Ok(serde_json::from_value(json!({
        "clusters": [{
            "name": "govcloud",
            "cluster": {"server": server.url, "certificate-authority-data": base64(&server.ca)},
        }],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "nobody", "context": {"cluster": "govcloud", "user": "nobody"}}],
        "current-context": "nobody",
    }))?)
}

/// The file of a user's kubeconfig below `dir`.
pub fn kubeconfig(dir: &Path, user: &str) -> PathBuf {
    dir.join(format!("{user}.kubeconfig"))
}

/// A client that acts by a kubeconfig file, directly, whatever proxy the environment names.
pub async fn client(file: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(file)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.proxy_url = None;
    Ok(Client::try_from(config)?)
}

/// A client by a kubeconfig file that acts as somebody else, as only an administrator may.
pub async fn impersonate(file: &Path, user: &str) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(file)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.proxy_url = None;
    config.auth_info.impersonate = Some(user.to_owned());
    Ok(Client::try_from(config)?)
}

/// k8s-openapi writes bytes as the base64 that kubeconfigs use.
fn base64(text: &str) -> Value {
    json!(ByteString(text.as_bytes().to_vec()))
}
