//! The command lines of etcd, the API server and the controllers.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use kube::Client;
use tokio::time::{Instant, sleep};

use super::{READY, audit_path};
use crate::actors::{self, Actor, Server};
use crate::binaries::Binaries;
use crate::pki::Pki;
use crate::process::{Process, Spec};

const AUDIT_POLICY: &str = include_str!("../audit-policy.yaml");

/// The controllers' own user.
const CONTROLLERS_USER: &str = "system:kube-controller-manager";

/// Only what namespaces, service accounts, quotas, volumes, policies and storage migrations need. Every name must exist.
const CONTROLLERS: [&str; 13] = [
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "garbage-collector-controller",
    "resourcequota-controller",
    "clusterrole-aggregation-controller",
    "validatingadmissionpolicy-status-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-expander-controller",
    "persistentvolume-protection-controller",
    "persistentvolumeclaim-protection-controller",
    "storage-version-migrator-controller",
];

/// Settings of one control plane's launch.
pub(super) struct Layout<'a> {
    pub root: &'a Path,
    pub binaries: &'a Binaries,
    /// True where etcd must survive the machine.
    pub sync: bool,
    /// Further flags of the API server.
    pub flags: &'a [&'a str],
}

impl Layout<'_> {
    /// Makes the certificates and keys of the servers.
    pub fn credentials(&self) -> Result<Pki> {
        let pki = Pki::create(&self.root.join("state/pki"))?;
        pki.server("etcd")?;
        pki.server("apiserver")?;
        pki.token_key("tokens")?;
        fs::write(self.root.join("state/audit-policy.yaml"), AUDIT_POLICY)?;
        Ok(pki)
    }

    /// Starts etcd and the API server and waits until the latter is ready.
    pub async fn serve(&self, pki: &Pki) -> Result<(Server, Process, Process)> {
        let [client_port, peer_port, port] = free_ports()?;
        let data = self.root.join("state/etcd");
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        let server = Server { url: format!("https://127.0.0.1:{port}"), ca: pki.ca() };
        let mut etcd = self.start("etcd", "etcd", self.etcd(pki, client_port, peer_port))?;
        let etcd_url = format!("https://127.0.0.1:{client_port}");
        let args = self.apiserver(pki, &etcd_url, port);
        let mut apiserver = self.start("kube-apiserver", "kube-apiserver", args)?;
        let file = actors::kubeconfig(self.root, Actor::Admin.user());
        actors::write_certificate(&server, pki, &file, Actor::Admin.user(), Actor::Admin.group())?;
        let admin = actors::client(&file).await?;
        ready(&admin, &mut [&mut etcd, &mut apiserver], READY).await?;
        Ok((server, etcd, apiserver))
    }

    /// Starts one more API server on a running etcd and waits until it is ready.
    pub async fn serve_beside(&self, name: &str, pki: &Pki, etcd_url: &str) -> Result<(Server, Process)> {
        let [port] = free_ports()?;
        let server = Server { url: format!("https://127.0.0.1:{port}"), ca: pki.ca() };
        let args = self.apiserver(pki, etcd_url, port);
        let mut apiserver = self.start(name, "kube-apiserver", args)?;
        let file = self.root.join("state").join(format!("admin-{name}.kubeconfig"));
        actors::write_certificate(&server, pki, &file, Actor::Admin.user(), Actor::Admin.group())?;
        ready(&actors::client(&file).await?, &mut [&mut apiserver], READY).await?;
        Ok((server, apiserver))
    }

    /// Starts the controllers as their own user.
    pub fn control(&self, server: &Server, pki: &Pki) -> Result<Process> {
        let file = self.root.join("state/kube-controller-manager.kubeconfig");
        actors::write_certificate(server, pki, &file, CONTROLLERS_USER, None)?;
        let file = file.display();
        self.start(
            "kube-controller-manager",
            "kube-controller-manager",
            vec![
                format!("--kubeconfig={file}"),
                format!("--controllers={}", CONTROLLERS.join(",")),
                "--use-service-account-credentials=true".into(),
                format!("--service-account-private-key-file={}", pki.file("tokens.key")),
                format!("--root-ca-file={}", pki.file("ca.crt")),
                "--enable-hostpath-provisioner=true".into(),
                "--leader-elect=false".into(),
                "--secure-port=0".into(),
                "--kube-api-qps=200".into(),
                "--kube-api-burst=400".into(),
                "--concurrent-namespace-syncs=20".into(),
            ],
        )
    }

    fn etcd(&self, pki: &Pki, client_port: u16, peer_port: u16) -> Vec<String> {
        let client = format!("https://127.0.0.1:{client_port}");
        let peer = format!("https://127.0.0.1:{peer_port}");
        let mut args = vec![
            format!("--data-dir={}", self.root.join("state/etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--log-level=warn".into(),
        ];
        for prefix in ["", "peer-"] {
            args.push(format!("--{prefix}cert-file={}", pki.file("etcd.crt")));
            args.push(format!("--{prefix}key-file={}", pki.file("etcd.key")));
            args.push(format!("--{prefix}trusted-ca-file={}", pki.file("ca.crt")));
            args.push(format!("--{prefix}client-cert-auth"));
        }
        if !self.sync {
            args.push("--unsafe-no-fsync".into());
        }
        args
    }

    fn apiserver(&self, pki: &Pki, etcd_url: &str, port: u16) -> Vec<String> {
        let mut args = vec![
            format!("--etcd-servers={etcd_url}"),
            format!("--etcd-cafile={}", pki.file("ca.crt")),
            format!("--etcd-certfile={}", pki.file("etcd.crt")),
            format!("--etcd-keyfile={}", pki.file("etcd.key")),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            "--endpoint-reconciler-type=none".into(),
            format!("--tls-cert-file={}", pki.file("apiserver.crt")),
            format!("--tls-private-key-file={}", pki.file("apiserver.key")),
            format!("--client-ca-file={}", pki.file("ca.crt")),
            "--anonymous-auth=false".into(),
            "--authorization-mode=Node,RBAC".into(),
            "--enable-admission-plugins=NodeRestriction".into(),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-signing-key-file={}", pki.file("tokens.key")),
            format!("--service-account-key-file={}", pki.file("tokens.pub")),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
            format!("--audit-policy-file={}", self.root.join("state/audit-policy.yaml").display()),
            format!("--audit-log-path={}", audit_path(self.root).display()),
            // One file: nothing that is counted may be rotated away.
            "--audit-log-maxsize=100000".into(),
            "--profiling=false".into(),
        ];
        args.extend(self.flags.iter().map(|&flag| flag.to_owned()));
        args
    }

    /// Fewer garbage collections where nothing is measured: a quarter of the demo's processor time, for some memory.
    fn garbage_collection(&self) -> Vec<(String, String)> {
        if self.sync { Vec::new() } else { vec![("GOGC".to_owned(), "300".to_owned())] }
    }

    fn start(&self, name: &str, program: &str, args: Vec<String>) -> Result<Process> {
        Process::start(Spec {
            name: name.to_owned(),
            program: self.binaries.path(program),
            args,
            env: self.garbage_collection(),
            dir: self.root.join("state"),
            log: self.root.join("logs").join(format!("{name}.log")),
        })
    }
}

/// Waits until the API server says that it is ready; an ended process is an error at once.
pub(super) async fn ready(client: &Client, processes: &mut [&mut Process], patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        processes.iter_mut().try_for_each(|process| process.check())?;
        let request = kube::core::Request::new("").get("readyz", &Default::default());
        let answer = client.request_text(request.context("a request")?).await;
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => {
                return Err(error).with_context(|| format!("the API server is not ready after {patience:?}"));
            }
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Ports that are free at this moment, all different.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let listeners: Vec<TcpListener> =
        (0..N).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}
