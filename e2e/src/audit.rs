//! The API server's audit log, typed: who asked for what, and what came of it.
//!
//! `audit-policy.yaml` decides what is in it. Filters are chained:
//!
//! ```no_run
//! # async fn example(audit: &e2e::audit::AuditLog, admin: &kube::Client) -> anyhow::Result<()> {
//! use e2e::{audit::AuditLog, actors::OPERATOR};
//! let mark = AuditLog::mark();
//! // … whatever is to be counted …
//! let entries = audit.settled(admin).await?;
//! assert_eq!(entries.since(mark).by_user(OPERATOR).writes().len(), 0);
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use serde::Deserialize;
use serde_json::Value;

use crate::wait::eventually;

/// One request, as the API server recorded it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `ResponseComplete`, for a watch `ResponseStarted`, or `Panic`.
    pub stage: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// `create`, `update`, `patch`, `delete`, `deletecollection`, `get`, `list`, `watch`.
    pub verb: String,
    /// User that sent it.
    pub user: User,
    /// As whom, when impersonating.
    pub impersonated_user: Option<User>,
    /// The client's own name for itself.
    #[serde(default)]
    pub user_agent: String,
    /// Object of the request; absent for paths that are no resources.
    pub object_ref: Option<ObjectRef>,
    /// Result.
    pub response_status: Option<ResponseStatus>,
    /// The body, where the audit policy records it.
    pub request_object: Option<Value>,
    /// The answer, where the audit policy records it.
    pub response_object: Option<Value>,
    /// When it was answered, by the same clock.
    pub stage_timestamp: Timestamp,
    /// When it arrived, by the API server's clock.
    pub request_received_timestamp: Timestamp,
    /// Annotations of admission and authorization, policy denials among them.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// User that sent it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The name.
    #[serde(default)]
    pub username: String,
    /// The groups, `system:authenticated` included.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// Object of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// The resource, plural.
    pub resource: String,
    /// The subresource, or empty.
    pub subresource: String,
    /// The namespace, or empty.
    pub namespace: String,
    /// The name, or empty.
    pub name: String,
    /// The API group, empty for core.
    pub api_group: String,
}

/// Result of a request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResponseStatus {
    /// The HTTP status code.
    pub code: u16,
    /// For refusals, why.
    pub message: String,
    /// For refusals, Kubernetes' word for it.
    pub reason: String,
}

impl Entry {
    /// Returns true if it asks to change something.
    pub fn is_write(&self) -> bool {
        matches!(self.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection")
    }

    /// The HTTP status code, 0 when unknown.
    pub fn code(&self) -> u16 {
        self.response_status.as_ref().map_or(0, |status| status.code)
    }

    /// Returns true for a dry run.
    pub fn is_dry_run(&self) -> bool {
        self.request_uri.contains("dryRun=All")
    }

    /// Returns true if it deletes something, or makes a volume go with its claim.
    pub fn destroys(&self) -> bool {
        matches!(self.verb.as_str(), "delete" | "deletecollection") || self.sets_delete()
    }

    /// Returns true if it sets a volume's reclaim policy to `Delete`.
    pub fn sets_delete(&self) -> bool {
        let body = self.request_object.as_ref();
        let policy = body.and_then(|b| b.pointer("/spec/persistentVolumeReclaimPolicy")?.as_str());
        self.is_write() && self.about(|o| o.resource == "persistentvolumes") && policy == Some("Delete")
    }

    /// S4: fails unless a destructive request carries the UID and the resourceVersion of its object.
    pub fn ensure_preconditions(&self) -> Result<()> {
        let body = self.request_object.as_ref().with_context(|| format!("{self} has no body"))?;
        let place = if self.verb == "delete" { "/preconditions" } else { "/metadata" };
        let holds = |field: &str| body.pointer(&format!("{place}/{field}")).is_some_and(Value::is_string);
        ensure!(holds("uid") && holds("resourceVersion"), "S4: {self} has no preconditions: {body}");
        Ok(())
    }

    fn about(&self, matches: impl Fn(&ObjectRef) -> bool) -> bool {
        self.object_ref.as_ref().is_some_and(matches)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.request_uri.split('?').next().unwrap_or_default();
        write!(f, "{} {} {} {path}", self.request_received_timestamp, self.user.username, self.verb)?;
        write!(f, " -> {}", self.code())
    }
}

/// Requests in the order in which they were recorded; every filter keeps a part of them.
#[derive(Clone, Debug, Default)]
pub struct Entries(Vec<Entry>);

impl Entries {
    /// Adds what was recorded later.
    pub fn append(&mut self, mut later: Self) {
        self.0.append(&mut later.0);
    }

    /// Reads JSON lines; the last may be incomplete, for the server may be writing it.
    pub fn parse(text: &str) -> Result<Self> {
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        let entries = complete.lines().map(|line| {
            serde_json::from_str::<Entry>(line).with_context(|| format!("not an audit entry: {line}"))
        });
        let entries: Vec<Entry> = entries.collect::<Result<_>>()?;
        // A watch is recorded when it starts and again when it ends: count it once.
        Ok(Self(entries).keep(|entry| entry.verb != "watch" || entry.stage == "ResponseStarted"))
    }

    /// Entries for which `keep` returns true.
    pub fn keep(mut self, keep: impl FnMut(&Entry) -> bool) -> Self {
        self.0.retain(keep);
        self
    }

    /// By this user, under its own name.
    pub fn by_user(self, user: &str) -> Self {
        self.keep(|entry| entry.user.username == user)
    }

    /// With this verb.
    pub fn verb(self, verb: &str) -> Self {
        self.keep(|entry| entry.verb == verb)
    }

    /// On this resource, plural, and whatever subresource.
    pub fn resource(self, resource: &str) -> Self {
        self.keep(|entry| entry.about(|object| object.resource == resource))
    }

    /// On this subresource; empty means on the object itself.
    pub fn subresource(self, subresource: &str) -> Self {
        self.keep(|entry| entry.about(|object| object.subresource == subresource))
    }

    /// In this namespace, or on the Namespace itself.
    pub fn namespace(self, namespace: &str) -> Self {
        self.keep(|entry| entry.about(|object| object.namespace == namespace))
    }

    /// On the object of this name.
    pub fn named(self, name: &str) -> Self {
        self.keep(|entry| entry.about(|object| object.name == name))
    }

    /// With this HTTP status code.
    pub fn code(self, code: u16) -> Self {
        self.keep(|entry| entry.code() == code)
    }

    /// Received after this mark.
    pub fn since(self, mark: Timestamp) -> Self {
        self.keep(|entry| entry.request_received_timestamp >= mark)
    }

    /// Writes, refused ones included, dry runs not.
    pub fn writes(self) -> Self {
        self.keep(|entry| entry.is_write() && !entry.is_dry_run())
    }

    /// Without the leases of leader election, which are written forever.
    pub fn without_leases(self) -> Self {
        self.keep(|entry| !entry.about(|object| object.resource == "leases"))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.0.iter()
    }
}

impl fmt::Display for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

/// The file that a control plane's API server writes.
#[derive(Clone, Debug)]
pub struct AuditLog {
    path: PathBuf,
}

impl AuditLog {
    /// The log in this file, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Now, for [`Entries::since`]. The API server's clock is this machine's.
    pub fn mark() -> Timestamp {
        Timestamp::now()
    }

    /// Entries recorded up to now; a request that was answered a moment ago may be missing.
    pub fn read(&self) -> Result<Entries> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Entries::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Entries::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.path.display())),
        }
    }

    /// Entries once a request made now is recorded: every request answered before this call is among them.
    pub async fn settled(&self, client: &Client) -> Result<Entries> {
        let name = format!("audit-mark-{}", Timestamp::now().as_nanosecond());
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
        maps.get_opt(&name).await.context("the mark in the audit log")?;
        let seen = || async {
            let entries = self.read()?;
            Ok(entries.clone().named(&name).iter().next().map(|_| entries))
        };
        eventually("the mark in the audit log", Duration::from_secs(10), seen).await
    }
}

/// A reader of what is added to an audit log, soon after it is.
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    offset: u64,
}

impl AuditLog {
    /// Follows the log from its end.
    pub fn follow(&self) -> Result<Follow> {
        let offset = fs::metadata(&self.path).map(|m| m.len()).unwrap_or(0);
        Ok(Follow { path: self.path.clone(), offset })
    }
}

impl Follow {
    /// Interval at which the file is polled: a test that ends the operator between two writes must be quick.
    const TICK: Duration = Duration::from_millis(1);

    /// The next entries, at least one line of the log; some may be filtered out as by [`Entries::parse`].
    pub async fn next(&mut self) -> Result<Entries> {
        loop {
            let mut file = fs::File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.offset))?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            if let Some(end) = text.iter().rposition(|byte| *byte == b'\n') {
                text.truncate(end + 1);
                self.offset += text.len() as u64;
                return Entries::parse(std::str::from_utf8(&text)?);
            }
            tokio::time::sleep(Self::TICK).await;
        }
    }

    /// Everything up to the first request whose path holds `mark`.
    pub async fn until(&mut self, mark: &str) -> Result<Entries> {
        let mut all = Entries::default();
        loop {
            let some = self.next().await?;
            let done = some.iter().any(|entry| entry.request_uri.contains(mark));
            all.append(some);
            if done {
                return Ok(all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = concat!(
        r#"{"stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods?dryRun=All","verb":"create","#,
        r#""user":{"username":"u"},"objectRef":{"resource":"pods","namespace":"a"},"#,
        r#""responseStatus":{"code":201},"requestReceivedTimestamp":"2026-03-02T01:02:03.000001Z","stageTimestamp":"2026-03-02T01:02:03.000002Z"}"#,
        "\n",
        r#"{"stage":"ResponseComplete","requestURI":"/api/v1/pods?watch=1","verb":"watch","#,
        r#""user":{"username":"u"},"requestReceivedTimestamp":"2026-03-02T01:02:03.000001Z","stageTimestamp":"2026-03-02T01:02:03.000002Z"}"#,
        "\n",
        r#"{"stage":"ResponseComp"#
    );

    #[test]
    fn a_dry_run_is_no_write_and_an_ended_watch_no_second_one() {
        let entries = Entries::parse(LOG).expect("parses");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries.clone().by_user("u").namespace("a").code(201).len(), 1);
        assert!(entries.writes().is_empty());
    }
}
