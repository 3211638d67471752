use super::*;
use crate::clock::Clock;
use crate::clock_skew::Skew;
use crate::context::PublishedPolicies;
use crate::metrics::Scrape;

/// The context of a leader, whose client no test uses.
fn leader() -> Context {
    let service = tower::service_fn(|_: http::Request<kube::client::Body>| {
        std::future::pending::<Result<http::Response<kube::client::Body>, std::io::Error>>()
    });
    let client = kube::Client::new(service, "default");
    let policies = PublishedPolicies::unknown();
    let context = Context::new(client, Clock::default(), Skew::default(), policies, "test".into());
    context.queue.activate();
    context
}

#[tokio::test]
async fn served_kinds_that_cannot_be_listed_are_named() {
    let context = leader();
    assert!(context.unlisted().is_empty(), "a cluster need not have them");
    context.set_served(Kind::Snapshot, true);
    assert_eq!(context.unlisted(), [Kind::Snapshot]);
    for update in [crate::cache::CacheUpdate::ListStarted, crate::cache::CacheUpdate::ListCompleted] {
        context.observe(Kind::Snapshot, update);
    }
    assert!(context.unlisted().is_empty(), "once it is listed, it is there");
    context.set_served(Kind::SnapshotContent, true);
    context.set_served(Kind::SnapshotContent, false);
    assert!(context.unlisted().is_empty(), "the CRD is gone");
}

/// Between two requests of a reconcile the process may end: the next leader goes on from there.
#[tokio::test]
async fn a_reconcile_sends_nothing_once_the_process_ends() {
    let (context, key) = (leader(), Key::new(Kind::Application, "dept", "travel"));
    let mut travel: serde_json::Value =
        serde_saphyr::from_str(include_str!("../../../config/samples/travel.yaml")).unwrap();
    travel["metadata"] = serde_json::json!({
        "namespace": "dept", "name": "travel", "uid": "a", "resourceVersion": "1", "generation": 1,
    });
    let observed = crate::cache::CacheUpdate::Observed(serde_json::from_value(travel).unwrap());
    context.state.update(Kind::Application, observed, &context.clock);
    let sends = tokio::time::timeout(Duration::from_millis(50), context.reconcile(&key, None));
    assert!(sends.await.is_err(), "nobody answers");
    context.queue.drain().await;
    let ends = tokio::time::timeout(Duration::from_secs(5), context.reconcile(&key, None));
    assert_eq!(ends.await.expect("nothing is sent").expect("no error"), None);
}

#[tokio::test]
async fn a_key_whose_reconcile_panics_is_counted_and_retried_with_backoff() {
    let (context, key) = (leader(), Key::new(Kind::Application, "dept", "travel"));
    for times in 1..=3 {
        context.queue.add([key.clone()]);
        let taken = context.queue.next().await.unwrap();
        let reconcile = async {
            tokio::task::yield_now().await;
            panic!("no such case")
        };
        context.work_on(&taken, reconcile).await;
        let failure = context.failure(&key);
        assert_eq!((failure.times, failure.refusal), (times, None), "no refusal by the API server");
        let stats = context.queue.stats();
        assert_eq!((stats.running, stats.timers), (0, 1), "it is due again");
    }
    let text = context.metrics.text(&Scrape {
        state: &context.state,
        queue: context.queue.stats(),
        waits: &context.queue.waits,
        skew: None,
        integrity: &PolicyIntegrity::Unknown,
        leads: true,
        now: context.clock.now(),
    });
    assert!(text.contains(r#"govcloud_reconcile_panics_total{kind="CloudApplication"} 3"#), "{text}");
    context.work_on(&key, async { Ok(None) }).await;
    assert_eq!(context.failure(&key).times, 0);
}
