//! Policies that cannot be removed through the API: API servers that read the keeper from a file, and one that does not
//! (decision 0071).

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::{self, Actor, Server};
use e2e::cluster::Setup;
use e2e::control_plane::{ControlPlane, Home};
use e2e::install;
use e2e::kubectl::Kubectl;
use e2e::paths::in_repository;
use e2e::plugin::govcloud;
use e2e::static_policies::StaticPolicies;
use e2e::suite::{self, Context, Pace};
use e2e::wait::eventually;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn main() -> ExitCode {
    let tests = e2e::tests![
        nobody_but_an_installer_by_name_removes_the_policies,
        verify_tells_an_api_server_without_the_file,
        the_metric_shows_the_release_and_an_emptied_directory,
        every_policy_loads_from_files,
    ];
    suite::run_at(Setup::Bare, tests, PACE)
}

/// Each test has a control plane of its own, or two, and asks by kubectl.
const PACE: Pace = Pace { parallel: 2, patience: Duration::from_secs(900) };

/// The installer, by name.
const INSTALLER: &str = "installer";

/// Part of each refusal by the keeper.
const KEEPER: &str = "ValidatingAdmissionPolicy 'govcloud-keeper.static.k8s.io'";

/// Longest time until an API server has read files that changed.
const RELOADED: Duration = Duration::from_secs(90);

/// A control plane whose API server has the keeper from its first start, with everything installed by the installer.
struct Kept {
    files: StaticPolicies,
    plane: ControlPlane,
}

impl Kept {
    async fn start() -> Result<Self> {
        let files = StaticPolicies::shipped()?;
        let plane = ControlPlane::start(Home::Temporary, &[&files.flag()]).await?;
        let kept = Self { files, plane };
        let admin = kept.by(Actor::Admin);
        install::storage_class(&admin).await?;
        install::crds(&admin).await?;
        install::rbac(&admin).await?;
        let user = format!("--user={INSTALLER}");
        admin
            .run(&[
                "create",
                "clusterrolebinding",
                INSTALLER,
                "--clusterrole=govcloud:installer",
                user.as_str(),
            ])
            .await?;
        let role = ["create", "rolebinding", INSTALLER, "-n", "govcloud-system", "--role=govcloud:installer"];
        admin.run(&[&role[..], &[user.as_str()]].concat()).await?;
        let admin = kept.plane.client(Actor::Admin).await?;
        install::admission(&kept.installer()?, &admin).await?;
        Ok(kept)
    }

    fn by(&self, actor: Actor) -> Kubectl {
        self.plane.kubectl(actor)
    }

    fn installer(&self) -> Result<Kubectl> {
        let file = self.plane.root().join("installer.kubeconfig");
        if !file.exists() {
            actors::write_certificate(self.plane.server(), self.plane.pki(), &file, INSTALLER, None)?;
        }
        Ok(self.plane.kubectl_by(file))
    }

    /// kubectl as an administrator of the group `system:masters`, by another API server.
    fn admin_at(&self, server: &Server) -> Result<Kubectl> {
        let file = self.plane.root().join("admin-there.kubeconfig");
        let admin = Actor::Admin;
        actors::write_certificate(server, self.plane.pki(), &file, admin.user(), admin.group())?;
        Ok(self.plane.kubectl_by(file))
    }
}

/// A manifest in a file.
fn manifest(directory: &tempfile::TempDir, name: &str, object: &Value) -> Result<String> {
    let file = directory.path().join(format!("{name}.json"));
    fs::write(&file, object.to_string())?;
    Ok(file.display().to_string())
}

/// A mutating policy that sets a label, on one resource.
fn mutating_policy(group: &str, resource: &str) -> Value {
    let rule = json!({ "apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [resource] });
    let expression = r#"Object{metadata: Object.metadata{labels: {"example.org/seen": "yes"}}}"#;
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": { "name": "other" },
        "spec": {
            "failurePolicy": "Ignore", "reinvocationPolicy": "Never", "matchConstraints": { "resourceRules": [rule] },
            "mutations": [{ "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": expression } }],
        },
    })
}

/// A mutating webhook on one resource.
fn mutating_webhook(group: &str, resource: &str) -> Value {
    let rule =
        json!({ "apiGroups": [group], "apiVersions": ["*"], "operations": ["*"], "resources": [resource] });
    let webhook = json!({
        "name": "other.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore",
        "clientConfig": { "url": "https://127.0.0.1:1/" }, "rules": [rule],
    });
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": { "name": "other" },
        "webhooks": [webhook],
    })
}

async fn refused(who: &str, kubectl: &Kubectl, args: &[&str]) -> Result<()> {
    match kubectl.run(args).await {
        Ok(_) => bail!("{who}: kubectl {} went through", args.join(" ")),
        Err(error) => {
            let message = error.to_string();
            ensure!(message.contains(KEEPER), "{who}: refused by somebody else: {message}");
            Ok(())
        }
    }
}

/// Changes that weaken the shipped policies, or that could.
const CHANGES: [&[&str]; 8] = [
    &["delete", "validatingadmissionpolicy", "govcloud-decisions"],
    &["delete", "validatingadmissionpolicybinding", "govcloud-decisions"],
    &["delete", "mutatingadmissionpolicy", "govcloud-stamps"],
    &["delete", "mutatingadmissionpolicybinding", "govcloud-stamps"],
    &["delete", "validatingadmissionpolicybindings", "--all"],
    &["label", "validatingadmissionpolicy", "govcloud-decisions", "example.org/a=b"],
    &["annotate", "mutatingadmissionpolicy", "govcloud-stamps", "example.org/a=b"],
    &[
        "patch",
        "validatingadmissionpolicybinding",
        "govcloud-status",
        "--type=merge",
        "-p",
        r#"{"spec":{"validationActions":["Warn"]}}"#,
    ],
];

/// Guarded resources, and some that are nobody's business here.
const RULES: [(&str, &str, bool); 10] = [
    ("govcloud.dev", "cloudapplications", true),
    ("*", "*", true),
    ("", "namespaces", true),
    ("", "persistentvolumes", true),
    ("", "configmaps", true),
    ("networking.k8s.io", "networkpolicies", true),
    ("rbac.authorization.k8s.io", "rolebindings", true),
    ("", "pods", false),
    ("apps", "*", false),
    ("networking.k8s.io", "ingresses", false),
];

async fn nobody_but_an_installer_by_name_removes_the_policies(_: Context) -> Result<()> {
    let kept = Kept::start().await?;
    let installer = kept.installer()?;
    // Holding `install` beside wildcard rights is holding it not by name.
    kept.by(Actor::Admin)
        .run(&[
            "create",
            "clusterrolebinding",
            "both",
            "--clusterrole=govcloud:installer",
            "--user=platform-admin",
        ])
        .await?;
    let directory = tempfile::tempdir()?;
    let mut tried = 0;
    for actor in [Actor::Admin, Actor::PlatformAdmin] {
        let (who, by) = (actor.user(), kept.by(actor));
        for change in CHANGES {
            refused(who, &by, change).await?;
            tried += 1;
        }
        for (group, resource, guarded) in RULES {
            for object in [mutating_policy(group, resource), mutating_webhook(group, resource)] {
                let file = manifest(&directory, "other", &object)?;
                let create = ["create", "--dry-run=server", "-f", &file];
                match guarded {
                    true => refused(who, &by, &create).await?,
                    false => drop(by.run(&create).await?),
                }
                tried += 1;
            }
        }
        let mut ours = mutating_policy("", "pods");
        ours["metadata"]["name"] = json!("govcloud-another");
        refused(who, &by, &["create", "-f", &manifest(&directory, "ours", &ours)?]).await?;
        // Storage migration sends each object as it is.
        by.run(&["patch", "validatingadmissionpolicy", "govcloud-decisions", "--type=merge", "-p", "{}"])
            .await?;
    }
    println!("static policies: {tried} requests by cluster-admin and system:masters");
    widened_later(&kept, &directory).await?;
    for change in CHANGES {
        installer.run(&[change, &["--dry-run=server"]].concat()).await?;
    }
    for object in [mutating_policy("govcloud.dev", "*"), mutating_webhook("*", "*")] {
        let file = manifest(&directory, "allowed", &object)?;
        installer.run(&["create", "--dry-run=server", "-f", &file]).await?;
    }
    upgraded(&installer).await
}

/// An upgrade: in place, a policy removed, and everything applied again. The keeper itself stays.
async fn upgraded(installer: &Kubectl) -> Result<()> {
    installer.run(CHANGES[5]).await?;
    installer.run(&["delete", "validatingadmissionpolicybinding", "govcloud-withdrawal"]).await?;
    for part in ["config/release", "config/rbac", "crds", "config/admission", "config/flowcontrol"] {
        installer.apply_path(&in_repository(part)).await.with_context(|| part.to_owned())?;
    }
    let probe = [
        "label",
        "validatingadmissionpolicy",
        "govcloud-decisions",
        "govcloud.dev/probe=keeper",
        "--dry-run=server",
    ];
    refused(INSTALLER, installer, &probe).await
}

/// A mutator of others that was harmless when it was written: it may renew its CA and go, and not reach further.
async fn widened_later(kept: &Kept, directory: &tempfile::TempDir) -> Result<()> {
    let admin = kept.by(Actor::PlatformAdmin);
    for (kind, harmless, wide) in [
        ("mutatingadmissionpolicy", mutating_policy("", "pods"), mutating_policy("govcloud.dev", "*")),
        ("mutatingwebhookconfiguration", mutating_webhook("", "pods"), mutating_webhook("*", "*")),
    ] {
        admin.run(&["create", "-f", &manifest(directory, "harmless", &harmless)?]).await?;
        admin.run(&["label", kind, "other", "example.org/a=b"]).await?;
        let wide = manifest(directory, "wide", &wide)?;
        refused("platform-admin", &admin, &["apply", "--server-side", "--force-conflicts", "-f", &wide])
            .await?;
        kept.installer()?.run(&["apply", "--server-side", "--force-conflicts", "-f", &wide]).await?;
        if kind.ends_with("configuration") {
            let renewed = r#"[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"MQ=="}]"#;
            admin.run(&["patch", kind, "other", "--type=json", "-p", renewed]).await?;
        }
        admin.run(&["label", kind, "other", "example.org/a-"]).await?;
        admin.run(&["delete", kind, "other"]).await?;
    }
    Ok(())
}

async fn verify_tells_an_api_server_without_the_file(_: Context) -> Result<()> {
    let kept = Kept::start().await?;
    let (without, _process) = kept.plane.another_apiserver("kube-apiserver-2", &[]).await?;
    let (one, other) = (kept.plane.server().url.clone(), without.url.clone());
    let installer = kept.installer()?;
    let verify = |servers: &[&str]| {
        let flags: Vec<String> = servers.iter().map(|url| format!(" --api-server {url}")).collect();
        format!("verify{}", flags.concat())
    };
    let says = |url: &str, state: &str| format!("APIServer/{url} {state}");
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");

    let both = govcloud(&installer, &verify(&[&one, &other])).await?;
    let both = both.expect(1, &["1 of 2 API servers lack the keeper policy"])?;
    let text = squeezed(&both.out);
    ensure!(text.contains(&says(&one, "has the keeper policy")), "{text}");
    ensure!(text.contains(&says(&other, "lacks the keeper policy")), "{text}");
    govcloud(&installer, &verify(&[&one])).await?.expect(0, &["all 1 API servers have the keeper policy"])?;
    // Without a flag and without endpoints it is the server of the kubeconfig.
    govcloud(&installer, "verify").await?.expect(0, &["all 1 API servers have the keeper policy"])?;
    govcloud(&installer, &verify(&[&other])).await?.expect(0, &["no API server has the keeper policy"])?;
    kept.by(Actor::Admin).apply_path(&in_repository("config/samples/personas.yaml")).await?;
    govcloud(&kept.by(Actor::Auditor), "verify").await?.expect(0, &["it is not known"])?;

    // The way round, as the page warns: what is written by the server without the file is written.
    let there = kept.admin_at(&without)?;
    there.run(CHANGES[5]).await?;
    let other = ["label", "validatingadmissionpolicy", "govcloud-decisions", "example.org/another=one"];
    refused("admin", &kept.by(Actor::Admin), &other).await?;

    let holders = govcloud(&kept.by(Actor::Auditor), "verify --holders -o json").await?.expect(0, &[])?;
    let holders: Vec<Value> = serde_json::from_str(&holders.out)?;
    let rights = |subject: &str| {
        let mine = holders.iter().filter(|h| h["subject"] == subject);
        mine.map(|h| h["rights"].to_string()).collect::<String>()
    };
    ensure!(rights("User/installer").contains("install gates.govcloud.dev"), "{holders:?}");
    ensure!(rights("User/platform-admin").contains("* *.*"), "{holders:?}");
    Ok(())
}

/// Hash of the shipped keeper, as an API server shows it.
fn shipped_hash() -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(fs::read(in_repository("config/static/validating/govcloud-keeper.yaml"))?);
    hash.update([0]);
    Ok(format!("sha256:{}", hash.finalize().iter().map(|b| format!("{b:02x}")).collect::<String>()))
}

/// The label of the metric, as the API server shows it now.
async fn shown_hash(admin: &Kubectl) -> Result<Option<String>> {
    let metrics = admin.run(&["get", "--raw", "/metrics"]).await?;
    let line = metrics.lines().find(|l| {
        l.starts_with("apiserver_manifest_admission_config_controller_last_config_info{")
            && l.contains(r#"plugin="ValidatingAdmissionPolicy""#)
    });
    Ok(line.and_then(|l| Some(l.split_once(r#",hash=""#)?.1.split('"').next()?.to_owned())))
}

async fn the_metric_shows_the_release_and_an_emptied_directory(_: Context) -> Result<()> {
    let kept = Kept::start().await?;
    let admin = kept.by(Actor::Admin);
    ensure!(shown_hash(&admin).await? == Some(shipped_hash()?), "{:?}", shown_hash(&admin).await?);
    let content = kept.files.empty()?;
    let shows = |wanted: String| {
        let admin = &admin;
        async move {
            eventually(&format!("hash {wanted:?}"), RELOADED, || async {
                Ok((shown_hash(admin).await?.as_deref() == Some(wanted.as_str())).then_some(()))
            })
            .await
        }
    };
    shows(String::new()).await?;
    let label = [CHANGES[5], &["--dry-run=server"]].concat();
    admin.run(&label).await.context("an emptied directory keeps nothing")?;
    govcloud(&admin, "verify").await?.expect(0, &["no API server has the keeper policy"])?;
    kept.files.fill(&content)?;
    shows(shipped_hash()?).await?;
    refused("admin", &admin, &label).await
}

/// `make static`: the keeper and every policy, renamed. It holds where etcd's copy is gone.
async fn every_policy_loads_from_files(_: Context) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let crdgen: PathBuf = e2e::operator::binary()?.with_file_name("crdgen");
    let made = tokio::process::Command::new(crdgen).arg("--static").arg(directory.path()).output().await?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let files = StaticPolicies::copy(directory.path())?;
    let plane = ControlPlane::start(Home::Temporary, &[&files.flag()]).await?;
    let admin = plane.kubectl(Actor::Admin);
    install::crds(&admin).await?;
    install::rbac(&admin).await?;
    let refusal = |policy: &str| format!("ValidatingAdmissionPolicy '{policy}.static.k8s.io'");
    let shipped = govcloud_domain::release::shipped().map_err(anyhow::Error::msg)?;
    let mut policies = 0;
    for (key, policy) in &shipped {
        let Some(name) = key.strip_prefix("ValidatingAdmissionPolicy/") else { continue };
        let probe = name.replace("govcloud-", "govcloud-probe-");
        let rules = policy["spec"]["matchConstraints"]["resourceRules"].as_array();
        let probed = rules.into_iter().flatten().find(|rule| rule["resourceNames"][0] == probe);
        let create = match probed.and_then(|rule| rule["resources"][0].as_str()) {
            // Policies that select tenant namespaces match cluster-scoped resources too.
            Some("priorityclasses") => {
                ["create", "priorityclass", &probe, "--value=1", "--dry-run=server"].to_vec()
            }
            _ => ["create", "configmap", &probe, "-n", "default", "--dry-run=server"].to_vec(),
        };
        let message = admin.run(&create).await.err().with_context(|| format!("{name} is not in force"))?;
        ensure!(message.to_string().contains(&refusal(name)), "{name}: {message}");
        policies += 1;
    }
    let probe = [
        "create",
        "configmap",
        "govcloud-probe-stamps-mutating",
        "-n",
        "default",
        "--dry-run=server",
        "-o",
        "json",
    ];
    let stamped: Value = serde_json::from_str(&admin.run(&probe).await?)?;
    ensure!(stamped["metadata"]["annotations"]["govcloud.dev/requested-by"] == "admin", "{stamped}");
    println!("static policies: {policies} validating policies and the stamps from files, none in etcd");
    ensure!(policies >= 17, "only {policies}");
    Ok(())
}
