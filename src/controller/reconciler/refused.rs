//! A read that the API server refuses: nothing is decided, and the record says so.

use std::sync::{Arc, Mutex};

use govcloud_domain::integrity::PolicyIntegrity;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::cache::CacheUpdate;
use crate::client::RequestError;
use crate::clock::Clock;
use crate::clock_skew::Skew;
use crate::context::{Context, PublishedPolicies};
use crate::key::Key;
use crate::kinds::Kind;

/// The API server refuses every read, and takes statuses.
fn refusing(patches: Arc<Mutex<Vec<Value>>>) -> Context {
    let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
        let patches = patches.clone();
        async move {
            let patch = request.method() == http::Method::PATCH;
            let body = request.into_body().collect_bytes().await.expect("a body");
            let (code, answer) = if patch {
                let sent: Value = serde_json::from_slice(&body).expect("JSON");
                let mut object = exit();
                object["status"] = sent["status"].clone();
                object["metadata"]["resourceVersion"] = "3".into();
                patches.lock().unwrap().push(sent);
                (200, object)
            } else {
                (
                    403,
                    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
                    "reason": "Forbidden", "message": "volumesnapshots is forbidden" }),
                )
            };
            let response = http::Response::builder()
                .status(code)
                .body(kube::client::Body::from(answer.to_string().into_bytes()));
            Ok::<_, std::io::Error>(response.expect("a response"))
        }
    });
    let client = kube::Client::new(service, "default");
    let (_, integrity) = watch::channel(PolicyIntegrity::Intact { since: Timestamp::UNIX_EPOCH });
    let policies = PublishedPolicies { integrity, ..PublishedPolicies::unknown() };
    Context::new(client, Clock::default(), Skew::default(), policies, "test".into())
}

fn exit() -> Value {
    let mut exit: Value =
        serde_saphyr::from_str(include_str!("../../../config/samples/travel-exit.yaml")).expect("a sample");
    let metadata = &mut exit["metadata"];
    for (field, value) in [("namespace", "dept"), ("name", "exit"), ("uid", "e"), ("resourceVersion", "2")] {
        metadata[field] = value.into();
    }
    metadata["generation"] = 1.into();
    exit
}

/// Missing rights: nothing is decided, and the record says so, once.
#[tokio::test]
async fn a_refused_read_is_said_on_the_record() {
    let patches = Arc::default();
    let context = refusing(Arc::clone(&patches));
    let mut travel: Value =
        serde_saphyr::from_str(include_str!("../../../config/samples/travel.yaml")).expect("a sample");
    travel["metadata"] =
        json!({ "namespace": "dept", "name": "travel", "uid": "a", "resourceVersion": "1", "generation": 1 });
    for (kind, object) in [(Kind::Application, travel), (Kind::Decommission, exit())] {
        let object = serde_json::from_value(object).expect("an object");
        context.state.update(kind, CacheUpdate::Observed(object), &context.clock);
    }
    let key = Key::new(Kind::Decommission, "dept", "exit");
    for _ in 0..2 {
        assert!(matches!(context.reconcile(&key, None).await, Err(RequestError::Refused(_))));
    }
    let written = patches.lock().unwrap().clone();
    let [status] = &written[..] else { panic!("{written:?}") };
    let stalled = status["status"]["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Stalled");
    let stalled = stalled.expect("a condition");
    assert_eq!((&stalled["status"], &stalled["reason"]), (&"True".into(), &"ReadRefused".into()));
    assert!(stalled["message"].as_str().unwrap().contains("volumesnapshots is forbidden"), "{stalled}");
    assert!(status["status"]["decision"].is_null() && status["status"]["inventory"].is_null());
}
