//! Requests to the API server, writes, and watches.

use std::task::{Context, Poll};
use std::time::Instant;

use futures::future::BoxFuture;
use http::Method;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tower::{Layer, Service};

use crate::client::RequestError;
use crate::cluster_state::ClusterState;
use crate::kinds::Kind;
use govcloud_domain::plan::Write;

/// Resources that the operator requests beside those that it watches; any other counts as `other`.
const MORE_RESOURCES: [&str; 11] = [
    "volumesnapshots",
    "volumesnapshotcontents",
    "events",
    "leases",
    "configmaps",
    "customresourcedefinitions",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "discovery",
];

labels! {
    ByCode { verb: &'static str, resource: String, code: u16 }
    ByVerb { verb: &'static str }
    ByWrite { action: &'static str, resource: &'static str, result: &'static str }
    ByResource { resource: &'static str }
}

/// Requests, writes and watches.
#[derive(Clone, Debug)]
pub struct Requests {
    requests: Family<ByCode, Counter>,
    seconds: Family<ByVerb, Histogram, fn() -> Histogram>,
    writes: Family<ByWrite, Counter>,
    relisted: Family<ByResource, Counter>,
    interrupted: Family<ByResource, Counter>,
}

impl Default for Requests {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 14));
        let counts = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            writes: Family::default(),
            relisted: Family::default(),
            interrupted: Family::default(),
        };
        // Shown from the start: a series that begins at 1 has no increase.
        for resource in watched() {
            drop(counts.relisted.get_or_create(&ByResource { resource }));
            drop(counts.interrupted.get_or_create(&ByResource { resource }));
        }
        counts
    }
}

/// Label of a write's result.
fn result_of<T>(result: &Result<T, RequestError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(e) => e.into(),
    }
}

impl Requests {
    /// A write of a plan was answered.
    pub fn wrote<T>(&self, write: &Write, result: &Result<T, RequestError>) {
        self.count_write(write.into(), write.target().resource.plural, result_of(result));
    }

    /// A status was written.
    pub fn wrote_status<T>(&self, resource: &'static str, result: &Result<T, RequestError>) {
        self.count_write("status", resource, result_of(result));
    }

    fn count_write(&self, action: &'static str, resource: &'static str, result: &'static str) {
        self.writes.get_or_create(&ByWrite { action, resource, result }).inc();
    }

    /// A watch is listed again after its first list was complete.
    pub fn relisted(&self, resource: &'static str) {
        self.relisted.get_or_create(&ByResource { resource }).inc();
    }

    /// A watch was interrupted, or its list failed.
    pub fn interrupted(&self, resource: &'static str) {
        self.interrupted.get_or_create(&ByResource { resource }).inc();
    }

    fn answered(&self, verb: &'static str, resource: String, code: u16, begun: Instant) {
        self.requests.get_or_create(&ByCode { verb, resource, code }).inc();
        // A watch is answered when it begins; how long it runs is not counted.
        self.seconds.get_or_create(&ByVerb { verb }).observe(begun.elapsed().as_secs_f64());
    }

    pub(super) fn register(&self, to: &mut Registry, state: &ClusterState) {
        to.register(
            "api_requests",
            "Requests to the API server, by verb, resource and status code; code 0 is no response",
            self.requests.clone(),
        );
        to.register_with_unit(
            "api_request_duration",
            "Time until the API server begins its response",
            Unit::Seconds,
            self.seconds.clone(),
        );
        to.register("writes", "Writes of plans, by action, resource and result", self.writes.clone());
        to.register(
            "watch_restarts",
            "Watches that were listed again after their first list was complete",
            self.relisted.clone(),
        );
        to.register(
            "watch_errors",
            "Interruptions of watches, failed lists included",
            self.interrupted.clone(),
        );
        let [synced, held, bytes_held] = [(); 3].map(|()| Family::<ByResource, Gauge>::default());
        for kind in Kind::all() {
            let (store, resource) = (state.store(kind), kind.resource().plural);
            let holds = i64::from(kind.spec().watched.is_optional() || store.is_synced());
            synced.get_or_create(&ByResource { resource }).set(holds);
            let (objects, bytes) = store.size();
            for (gauge, amount) in [(&held, objects), (&bytes_held, bytes)] {
                gauge.get_or_create(&ByResource { resource }).set(amount.try_into().unwrap_or(i64::MAX));
            }
        }
        to.register("cached_objects", "Objects in the operator's cache, by resource", held);
        to.register("cached_bytes", "Bytes of the JSON of cached objects, by resource", bytes_held);
        to.register("watch_synced", "1 if the first list of a watch is complete, else 0", synced);
    }
}

/// The verb and the resource of a request, as RBAC names them; a subresource follows a slash.
fn classify<B>(request: &http::Request<B>) -> (&'static str, String) {
    let path = request.uri().path();
    let mut parts = path.trim_matches('/').split('/');
    // `/api/v1/…` or `/apis/group/version/…`
    let skipped = if parts.next() == Some("api") { 1 } else { 2 };
    let mut parts = parts.skip(skipped).peekable();
    let mut resource = parts.next().unwrap_or("discovery");
    let mut name = parts.next();
    let inside = |p: &&str| !matches!(*p, "status" | "finalize");
    if resource == "namespaces" && name.is_some() && parts.peek().is_some_and(inside) {
        resource = parts.next().unwrap_or_default();
        name = parts.next();
    }
    let subresource = parts.next();
    let watches = request.uri().query().is_some_and(|q| q.contains("watch=true"));
    let content = request.headers().get(http::header::CONTENT_TYPE);
    let applies = content.is_some_and(|c| c.as_bytes().starts_with(b"application/apply-patch"));
    let verb = match *request.method() {
        Method::GET if watches => "watch",
        Method::GET if name.is_some() => "get",
        Method::GET => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH if applies => "apply",
        Method::PATCH => "patch",
        Method::DELETE if name.is_some() => "delete",
        Method::DELETE => "deletecollection",
        _ => "other",
    };
    let resource = known(resource);
    let status = subresource.filter(|s| *s == "status").map(|s| format!("{resource}/{s}"));
    (verb, status.unwrap_or_else(|| resource.to_owned()))
}

/// Plural names of the kinds that are watched.
fn watched() -> impl Iterator<Item = &'static str> {
    Kind::all().map(|k| k.resource().plural)
}

/// The resource, if it is one that the operator requests.
fn known(resource: &str) -> &'static str {
    watched().chain(MORE_RESOURCES).find(|r| *r == resource).unwrap_or("other")
}

/// Counts every request of a client.
#[derive(Clone, Debug)]
pub struct Measuring(pub Requests);

impl<S> Layer<S> for Measuring {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured { inner, counts: self.0.clone() }
    }
}

/// A client's service whose requests are counted.
#[derive(Clone, Debug)]
pub struct Measured<S> {
    inner: S,
    counts: Requests,
}

impl<S, B, R> Service<http::Request<B>> for Measured<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (verb, resource) = classify(&request);
        let (counts, begun) = (self.counts.clone(), Instant::now());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let code = answer.as_ref().map_or(0, |a| a.status().as_u16());
            counts.answered(verb, resource, code, begun);
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, uri: &str, content: &str) -> (&'static str, String) {
        let request = http::Request::builder().method(method).uri(uri).header("content-type", content);
        classify(&request.body(()).unwrap())
    }

    #[test]
    fn classify_names_requests_as_rbac_does() {
        let (json, apply) = ("application/json", "application/apply-patch+yaml");
        let own = "/apis/govcloud.dev/v1alpha1";
        let seen = [
            of(Method::GET, "/api/v1/namespaces?watch=true&resourceVersion=1", json),
            of(Method::GET, "/api/v1/namespaces/dept", json),
            of(Method::GET, "/api/v1/namespaces/dept/resourcequotas", json),
            of(Method::PATCH, "/api/v1/namespaces/dept/resourcequotas/q?force=true", apply),
            of(Method::PATCH, &format!("{own}/namespaces/d/cloudapplications/a/status"), json),
            of(Method::GET, &format!("{own}/cloudapplications"), json),
            of(Method::DELETE, "/api/v1/namespaces/dept", json),
            of(Method::POST, "/apis/events.k8s.io/v1/namespaces/d/events", json),
            of(Method::GET, "/api/v1/namespaces/d/secrets/s", json),
            of(Method::GET, "/apis/admissionregistration.k8s.io/v1", json),
        ];
        let expected = [
            ("watch", "namespaces"),
            ("get", "namespaces"),
            ("list", "resourcequotas"),
            ("apply", "resourcequotas"),
            ("patch", "cloudapplications/status"),
            ("list", "cloudapplications"),
            ("delete", "namespaces"),
            ("create", "events"),
            ("get", "other"),
            ("list", "discovery"),
        ];
        assert_eq!(seen, expected.map(|(verb, resource)| (verb, resource.to_owned())));
    }
}
