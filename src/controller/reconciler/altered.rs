//! A write that is accepted and does not stay: reported with its path, and made once a minute.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::cache::CacheUpdate;
use crate::clock::Clock;
use crate::clock_skew::Skew;
use crate::context::{Context, PublishedPolicies};
use crate::key::Key;
use crate::kinds::Kind;

/// Requests that the API server got: method, path and body.
type Requests = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A context whose API server stores every status, and takes what is written to a namespace out again, as a mutating policy does.
fn altering(requests: Requests) -> Context {
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let requests = requests.clone();
        async move {
            let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
            let body = request.into_body().collect_bytes().await.expect("a body");
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let mut seen = requests.lock().expect("nobody panicked");
            seen.push((method.clone(), path.clone(), body.clone()));
            let version = (100 + seen.len()).to_string();
            let (code, answer) = match (method.as_str(), path.as_str()) {
                ("PATCH", "/api/v1/namespaces/dept") => (200, namespace(&version)),
                ("PATCH", path) if path.ends_with("/regions/410000/status") => {
                    let mut region = region(&version);
                    region["status"] = body["status"].clone();
                    (200, region)
                }
                _ => (
                    404,
                    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound", "message": path }),
                ),
            };
            let response = http::Response::builder().status(code);
            let response = response.body(kube::client::Body::from(answer.to_string().into_bytes()));
            Ok::<_, Infallible>(response.expect("a response"))
        }
    });
    let client = kube::Client::new(service, "default");
    Context::new(client, Clock::default(), Skew::default(), PublishedPolicies::unknown(), "test".into())
}

fn sample(text: &str, name: &str, version: &str) -> Value {
    let mut object: Value = serde_saphyr::from_str(text).expect("a sample");
    object["metadata"] = json!({ "name": name, "uid": name, "resourceVersion": version, "generation": 1 });
    object
}

fn region(version: &str) -> Value {
    sample(include_str!("../../../config/samples/region-410000.yaml"), "410000", version)
}

fn namespace(version: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "dept", "uid": "n", "resourceVersion": version, "labels": { "govcloud.dev/filing-region": "410000" },
    } })
}

/// Fills the cache for a decision on the Region: it has nothing to complain of, and one record is open.
fn fill(context: &Context) {
    let mut travel = sample(include_str!("../../../config/samples/travel.yaml"), "travel", "3");
    travel["metadata"]["namespace"] = "dept".into();
    let class = json!({ "reclaimPolicy": "Retain", "metadata": { "name": "hostpath", "uid": "c", "resourceVersion": "1" } });
    for (kind, object) in [
        (Kind::Region, region("1")),
        (Kind::Calendar, sample(include_str!("../../../config/calendars/cn.yaml"), "cn", "1")),
        (Kind::StorageClass, class),
        (Kind::Namespace, namespace("2")),
        (Kind::Application, travel),
    ] {
        let object = serde_json::from_value(object).expect("an object");
        context.state.update(kind, CacheUpdate::Observed(object), &context.clock);
    }
}

/// Report 18b: what a mutation of somebody else takes back is written once, not over and over.
#[tokio::test]
async fn what_does_not_stay_is_reported_and_written_once_a_minute() {
    let requests: Requests = Arc::default();
    let context = altering(requests.clone());
    fill(&context);
    let key = Key::new(Kind::Region, "", "410000");
    let count = |path: &str| {
        let seen = requests.lock().unwrap();
        seen.iter().filter(|(method, at, _)| method == "PATCH" && at.ends_with(path)).count()
    };
    let begun = context.clock.now();
    for _ in 0..3 {
        let wake = context.reconcile(&key, None).await.expect("a report").expect("it is tried again");
        let wait = wake.duration_since(begun).as_secs();
        assert!((55..=65).contains(&wait), "again in {wait} s");
        assert_eq!((count("/namespaces/dept"), count("/status")), (1, 1), "{:?}", requests.lock().unwrap());
    }
    let seen = requests.lock().unwrap();
    let (_, _, written) = seen.iter().find(|(_, path, _)| path.ends_with("/status")).expect("a status");
    let conditions = written["status"]["conditions"].as_array().expect("conditions");
    let stalled = conditions.iter().find(|c| c["type"] == "Stalled").expect("a condition");
    assert_eq!((&stalled["status"], &stalled["reason"]), (&"True".into(), &"WriteAltered".into()));
    let message = stalled["message"].as_str().expect("a message");
    assert!(message.contains("Namespace/dept metadata.labels[govcloud.dev/open-records]"), "{message}");
    assert_eq!(written["status"]["filingNamespaces"], json!(["dept"]), "the rest of the status is written");
}
