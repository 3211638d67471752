//! Golden timelines.

use serde_json::json;

use crate::acts::{adjustment, app_id, application, change_id, exit, exit_id, grant_id};
use crate::stage::{Stage, ZHANG};

const HASH: &str = "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917";

/// The whole life: two volumes, one destroyed and one kept (Art. 10 to 16, 23).
#[test]
fn approved_straight_through_to_exited() {
    let mut s = Stage::new("2026-03-10 09:30");
    s.file(&app_id(), application());
    s.until("2026-03-11 14:00");
    s.decide(&app_id(), "approved", "同意");
    s.until("2026-03-12 10:00");
    s.claim("prod", "data");
    s.claim("prod", "archive");
    s.until("2026-04-01 09:00");
    s.edit(ZHANG, &app_id(), json!({ "goLive": { "at": "2026-04-01T00:30:00Z" } }));
    s.until("2026-04-02 09:00");
    s.edit(
        ZHANG,
        &app_id(),
        json!({ "goLive": { "testReport": { "uri": "https://p.example/t.pdf", "sha256": HASH } } }),
    );
    s.until("2026-06-01 09:00");
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16", "requests.memory": "32Gi", "requests.storage": "200Gi", "pods": "100" })));
    s.decide(&change_id("enlarge"), "approved", "同意");
    s.until("2026-09-24 10:00");
    s.file(&exit_id("leave"), exit("Application", "Retain", &[("data", "Destroy")]));
    s.consent(&exit_id("leave"));
    s.decide(&exit_id("leave"), "approved", "同意");
    assert_eq!(
        (s.phase(&app_id()), s.phase(&exit_id("leave")), s.phase(&grant_id())),
        ("Exited", "Completed", "Released")
    );
    let volumes: Vec<_> =
        s.cluster.of_kind("PersistentVolume").map(|v| v["spec"]["claimRef"]["name"].clone()).collect();
    assert_eq!(volumes, [json!("archive")]);
    insta::assert_snapshot!(s.log);
}
