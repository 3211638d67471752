//! Requests to the API server: one place that knows URLs, field managers and preconditions.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Request;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use super::cache::TrimmedObject;
use govcloud_api::{OPERATOR_NAME, resources};
use govcloud_domain::plan::{Precondition, Target, Write};

/// Reason of a failed request, by what can be done about it.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum RequestError {
    /// The object changed, exists already, or is gone: read it and decide again.
    #[error("{0}")]
    Stale(String),
    /// The API server refuses; a retry will not help.
    #[error("{0}")]
    Refused(String),
    /// It may work later.
    #[error("{0}")]
    Transient(String),
}

impl From<kube::Error> for RequestError {
    fn from(e: kube::Error) -> Self {
        match &e {
            kube::Error::Api(s) => match s.code {
                404 | 409 | 410 => Self::Stale(s.message.clone()),
                400 | 401 | 403 | 405 | 413 | 422 => Self::Refused(s.message.clone()),
                _ => Self::Transient(s.message.clone()),
            },
            _ => Self::Transient(e.to_string()),
        }
    }
}

/// Longest wait between two tries of a request that a start needs.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Repeats a request until it is answered: a failure must not be taken for the answer no.
pub async fn insist<T, F>(what: &str, request: impl Fn() -> F) -> T
where
    F: Future<Output = kube::Result<T>>,
{
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_WAIT)
        .with_jitter()
        .without_max_times()
        .build();
    loop {
        match request().await {
            Ok(answer) => return answer,
            Err(e) => {
                let wait = waits.next().unwrap_or(LONGEST_WAIT);
                tracing::warn!(what, error = %e, again_in = ?wait, "request failed; it is retried");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Requests to one API server.
#[derive(Clone)]
pub struct Requests(kube::Client);

impl Requests {
    /// Requests through a client.
    pub fn new(client: kube::Client) -> Self {
        Self(client)
    }

    /// The client itself.
    pub fn client(&self) -> kube::Client {
        self.0.clone()
    }

    /// The API of a target's kind, in its namespace.
    fn api(&self, target: &Target) -> Api<TrimmedObject> {
        let resource = target.resource.api_resource();
        if target.namespace.is_empty() {
            Api::all_with(self.0.clone(), &resource)
        } else {
            Api::namespaced_with(self.0.clone(), &target.namespace, &resource)
        }
    }

    /// Sends one write. Returns the object from the response; `None` if it is gone.
    ///
    /// # Errors
    /// [`RequestError`], by what can be done about it.
    pub async fn write(&self, write: &Write) -> Result<Option<TrimmedObject>, RequestError> {
        let api = self.api(write.target());
        let name = &write.target().name;
        let manager = PatchParams { field_manager: Some(OPERATOR_NAME.to_owned()), ..PatchParams::default() };
        let answer = match write {
            Write::Create(_, body) => {
                let manager =
                    PostParams { field_manager: Some(OPERATOR_NAME.to_owned()), ..PostParams::default() };
                self.post(&api, &manager, body).await?
            }
            Write::Apply(_, body) => {
                api.patch(name, &PatchParams::apply(OPERATOR_NAME).force(), &Patch::Apply(body)).await?
            }
            Write::Correct(_, body) => api.patch(name, &manager, &Patch::Merge(body)).await?,
            Write::Patch(_, precondition, body) => {
                api.patch(name, &manager, &Patch::Merge(pinned(body, precondition))).await?
            }
            Write::Delete(_, precondition) => {
                let params = DeleteParams {
                    preconditions: Some(Preconditions {
                        uid: Some(precondition.uid.clone()),
                        resource_version: Some(precondition.resource_version.clone()),
                    }),
                    ..DeleteParams::default()
                };
                return Ok(api.delete(name, &params).await?.left());
            }
        };
        Ok(Some(answer))
    }

    /// Merge-patches the status subresource under a precondition.
    ///
    /// # Errors
    /// [`RequestError`], by what can be done about it.
    pub async fn status(
        &self,
        target: &Target,
        precondition: &Precondition,
        difference: &Value,
    ) -> Result<TrimmedObject, RequestError> {
        let manager = PatchParams { field_manager: Some(OPERATOR_NAME.to_owned()), ..PatchParams::default() };
        let body = pinned(&json!({ "status": difference }), precondition);
        Ok(self.api(target).patch_status(&target.name, &manager, &Patch::Merge(body)).await?)
    }

    /// Posts JSON unchanged, and reads the response as `T`.
    async fn post<T: DeserializeOwned>(
        &self,
        api: &Api<TrimmedObject>,
        params: &PostParams,
        body: &Value,
    ) -> kube::Result<T> {
        let body = serde_json::to_vec(body).map_err(kube::Error::SerdeError)?;
        let request = Request::new(api.resource_url()).create(params, body);
        self.0.request(request.map_err(kube::Error::BuildRequest)?).await
    }

    /// Reads one object with quorum; `None` if it does not exist.
    ///
    /// # Errors
    /// [`RequestError`], by what can be done about it.
    pub async fn get(&self, target: &Target) -> Result<Option<TrimmedObject>, RequestError> {
        Ok(self.api(target).get_opt(&target.name).await?)
    }

    /// Lists a kind in the target's namespace with quorum; nothing where the kind does not exist.
    ///
    /// # Errors
    /// [`RequestError`], by what can be done about it.
    pub async fn list(&self, target: &Target) -> Result<Vec<TrimmedObject>, RequestError> {
        match self.api(target).list(&kube::api::ListParams::default()).await {
            Ok(list) => Ok(list.items),
            Err(kube::Error::Api(s)) if s.code == 404 => Ok(Vec::new()),
            Err(e) => Err(e.into()),
        }
    }

    /// Writes an Event about a record. An existing one is not written again.
    ///
    /// # Errors
    /// [`RequestError`], by what can be done about it.
    pub async fn event(&self, event: &EventBody<'_>) -> Result<(), RequestError> {
        let target = Target::namespaced(resources::EVENT, event.namespace(), &event.name);
        match self.post(&self.api(&target), &PostParams::default(), &event.json()).await {
            Ok(IgnoredAny) => Ok(()),
            Err(kube::Error::Api(s)) if s.reason == "AlreadyExists" => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

/// A patch with the UID and resourceVersion as its precondition.
fn pinned(body: &Value, precondition: &Precondition) -> Value {
    let mut body = body.clone();
    body["metadata"]["uid"] = json!(precondition.uid);
    body["metadata"]["resourceVersion"] = json!(precondition.resource_version);
    body
}

/// An Event about a record.
pub struct EventBody<'a> {
    /// Its name: a repeated try uses the same, and writes no second Event (S9).
    pub name: String,
    /// The record.
    pub about: &'a Target,
    /// UID of the record.
    pub uid: &'a str,
    /// `reason`.
    pub reason: &'a str,
    /// True for a Warning, false for Normal.
    pub warning: bool,
    /// `note`, for people.
    pub note: String,
    /// When it was written.
    pub at: Timestamp,
    /// Name of this replica.
    pub instance: &'a str,
}

impl EventBody<'_> {
    fn namespace(&self) -> &str {
        if self.about.namespace.is_empty() { "default" } else { &self.about.namespace }
    }

    fn json(&self) -> Value {
        let mut note = self.note.clone();
        while note.len() > 1000 {
            note.pop();
        }
        json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event",
            "metadata": { "name": self.name, "namespace": self.namespace() },
            "eventTime": format!("{:.6}", self.at),
            "reportingController": "govcloud.dev/operator",
            "reportingInstance": self.instance,
            "action": self.reason, "reason": self.reason,
            "type": if self.warning { "Warning" } else { "Normal" },
            "note": note,
            "regarding": { "apiVersion": self.about.resource.api_version, "kind": self.about.resource.kind, "namespace": self.about.namespace, "name": self.about.name, "uid": self.uid },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn insist_repeats_a_request_until_it_is_answered() {
        let requests = Cell::new(0);
        let request = || async {
            requests.set(requests.get() + 1);
            if requests.get() < 3 { Err(kube::Error::TlsRequired) } else { Ok(requests.get()) }
        };
        assert_eq!(insist("a number", request).await, 3);
    }
}
