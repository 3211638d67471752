//! An image of a cluster with something of everything in it, and what was counted on the way.

use std::convert::Infallible;
use std::time::Duration;

use govcloud_api::deadline::Obligation;
use govcloud_api::record::RecordStatus;
use govcloud_controller::cache::{CacheUpdate, TrimmedObject};
use govcloud_controller::client::RequestError;
use govcloud_controller::clock::Clock;
use govcloud_controller::cloudevents::counts::Outcome;
use govcloud_controller::cluster_state::ClusterState;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_controller::metrics::{Measuring, Metrics, Scrape, Where};
use govcloud_controller::queue::Queue;
use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::lifecycle_event::LifecycleEvent;
use govcloud_domain::plan::{Target, Write};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

/// When the stage is looked at.
const NOW: &str = "2026-11-23T01:00:00Z";

/// An image of a cluster, and counts.
pub struct Stage {
    state: ClusterState,
    clock: Clock,
    queue: Queue,
    metrics: Metrics,
}

/// The kind of a plural name.
fn kind(plural: &str) -> Kind {
    Kind::all().find(|k| k.resource().plural == plural).unwrap()
}

fn sample(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn deadline(obligation: &str, party: &str, met: Option<&str>) -> Value {
    json!({
        "obligation": obligation, "party": party, "article": 12, "workingDays": 3,
        "startedAt": "2026-11-02T01:00:00Z", "dueDate": "2026-11-05", "dueAt": "2026-11-05T16:00:00Z",
        "provisional": false, "calendar": "cn@1", "metAt": met,
    })
}

fn condition(type_: &str, reason: &str) -> Value {
    json!({ "type": type_, "status": "True", "reason": reason, "message": "m", "lastTransitionTime": "2026-11-20T01:00:00Z" })
}

fn decision() -> Value {
    json!({ "verdict": "Approved", "by": "b", "at": "2026-11-04T01:00:00Z", "atSource": "Observed", "generation": 1, "digest": "d" })
}

fn timeline() -> Value {
    json!([{ "at": "2026-11-02T01:00:00Z", "actor": "a", "event": "Submitted" }])
}

/// An application, in one of four states by its number.
pub fn application(name: &str, n: usize) -> Value {
    let mut a = sample(include_str!("../../../../config/samples/travel.yaml"));
    a["metadata"] = metadata(name);
    let (phase, waiting, stalled, decided) = match n % 4 {
        0 => ("Submitted", "Authority", None, None),
        1 => ("Live", "None", None, Some(decision())),
        2 => ("Provisioning", "Provider", Some(condition("Stalled", "GrantStalled")), Some(decision())),
        _ => ("Submitted", "Department", Some(condition("Stalled", "DocumentInFuture")), None),
    };
    let met = (n % 4 == 1).then_some("2026-11-04T01:00:00Z");
    a["status"] = json!({
        "phase": phase, "waitingOn": waiting, "conditions": Vec::from_iter(stalled), "timeline": timeline(),
        "deadlines": [deadline("Review", "Authority", met)], "decision": decided,
    });
    a
}

/// A finished exit with its certificate.
pub fn exit(name: &str, application: &str) -> Value {
    let mut d = sample(include_str!("../../../../config/samples/travel-exit.yaml"));
    d["metadata"] = metadata(name);
    d["spec"]["application"] = application.into();
    let fate = |outcome: &str| {
        json!({
            "namespace": "prod", "claim": "c", "volume": "v", "volumeUID": "u", "capacity": "1Gi",
            "action": "Retain", "outcome": outcome,
        })
    };
    d["status"] = json!({
        "phase": "Completed", "waitingOn": "None", "decision": decision(), "timeline": timeline(),
        "certificate": {
            "digest": "d", "application": application, "applicationUID": "u", "region": "410000", "system": "s",
            "consent": { "digest": "d", "by": "b", "at": NOW }, "decidedBy": "b", "decidedAt": NOW,
            "begunAt": NOW, "endedAt": NOW, "namespaces": [],
            "volumes": [fate("Retained"), fate("Destroyed"), fate("HandedOver")],
        },
    });
    d
}

/// A document of the provider that is on record.
fn document(name: &str) -> Value {
    let mut d = sample(include_str!("../../../../config/samples/drill.yaml"));
    d["metadata"] = metadata(name);
    d["status"] = json!({
        "phase": "Recorded", "waitingOn": "None", "conditions": [condition("Current", "Current")], "timeline": timeline(),
    });
    d
}

/// A statement that awaits its confirmation.
fn statement(name: &str) -> Value {
    json!({
        "metadata": metadata(name),
        "spec": { "region": "410000", "month": name },
        "status": { "phase": "AwaitingConfirmation", "waitingOn": "Department", "timeline": timeline() },
    })
}

fn metadata(name: &str) -> Value {
    json!({
        "name": name, "namespace": "dept-transport", "uid": format!("uid-{name}"), "resourceVersion": "7",
        "generation": 1, "creationTimestamp": "2026-11-02T01:00:00Z",
    })
}

/// A volume of an application of the province, of one GiB.
pub fn volume(name: &str, phase: &str, retained: Option<&str>) -> Value {
    let mut volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {
            "name": name, "uid": name, "resourceVersion": "7",
            "labels": { "govcloud.dev/application-uid": "uid-a1", "govcloud.dev/region": "410000" },
        },
        "spec": { "capacity": { "storage": "1Gi" } },
        "status": { "phase": phase },
    });
    if let Some(uid) = retained {
        volume["metadata"]["labels"]["govcloud.dev/retained"] = uid.into();
    }
    volume
}

impl Stage {
    /// The province, its calendar, and nothing filed.
    pub fn with_region() -> Self {
        let clock = Clock::default();
        let queue = Queue::new(clock.clone());
        queue.activate();
        let stage = Self { state: ClusterState::default(), clock, queue, metrics: Metrics::default() };
        let mut calendar = sample(include_str!("../../../../config/calendars/cn.yaml"));
        calendar["metadata"] = json!({ "name": "cn", "uid": "cn", "resourceVersion": "1", "generation": 1 });
        stage.tell("workcalendars", calendar);
        let mut region = sample(include_str!("../../../../config/samples/region-410000.yaml"));
        region["metadata"] = json!({ "name": "410000", "uid": "r", "resourceVersion": "1", "generation": 1 });
        region["status"] = json!({ "conditions": [condition("Stalled", "CatalogMissing")] });
        stage.tell("regions", region);
        stage
    }

    /// Something of everything.
    pub fn full() -> Self {
        let stage = Self::with_region();
        for n in 0..4 {
            stage.tell("cloudapplications", application(&format!("a{n}"), n));
        }
        stage.tell("decommissions", exit("x", "a1"));
        stage.tell("compliancerecords", document("drill"));
        stage.tell("statements", statement("2026-10"));
        stage.tell("persistentvolumes", volume("bound", "Bound", None));
        stage.tell("persistentvolumes", volume("lost", "Released", None));
        stage.tell("persistentvolumes", volume("kept", "Released", Some("uid-a1")));
        stage.happen();
        stage
    }

    /// An object enters the image.
    pub fn tell(&self, resource: &str, object: Value) {
        let object: TrimmedObject = serde_json::from_value(object).unwrap();
        self.state.update(kind(resource), CacheUpdate::Observed(object), &self.clock);
    }

    /// An object is gone from the cluster.
    pub fn gone(&self, resource: &str, object: Value) {
        let object: TrimmedObject = serde_json::from_value(object).unwrap();
        self.state.update(kind(resource), CacheUpdate::Deleted(object), &self.clock);
    }

    /// Every counter counts something.
    fn happen(&self) {
        let target = Target::named(govcloud_api::resources::NAMESPACE, "n");
        let written: Result<(), RequestError> = Err(RequestError::Stale("s".into()));
        self.metrics.requests.wrote(&Write::Apply(target, json!({})), &written);
        self.metrics.work.reconciled(Kind::Application, Duration::from_millis(3), true);
        let request = http::Request::get("/api/v1/namespaces/n").body(()).unwrap();
        let service = Measuring(self.metrics.requests.clone())
            .layer(tower::service_fn(|_| std::future::ready(Ok::<_, Infallible>(http::Response::new(())))));
        futures::executor::block_on(service.oneshot(request)).unwrap();
        self.queue.add([Key::new(Kind::Application, "dept-transport", "a0")]);
        self.metrics.cloudevents.count(Outcome::Delivered, 1);
        let region = self.state.region("410000").unwrap();
        let status: RecordStatus = serde_json::from_value(json!({
            "decision": decision(), "timeline": timeline(),
            "deadlines": [deadline("Provision", "Provider", Some("2026-11-05T01:00:00Z"))],
        }))
        .unwrap();
        let place =
            Where { kind: Kind::Application, region: "410000", calendar: region.calendar.as_deref().ok() };
        let happened = [LifecycleEvent::Approved(None), LifecycleEvent::Met(Obligation::Provision, None)];
        self.metrics.events.recorded(place, &happened, &status);
    }

    /// Text of a scrape.
    pub fn text(&self) -> String {
        self.metrics.text(&Scrape {
            state: &self.state,
            queue: self.queue.stats(),
            waits: &self.queue.waits,
            skew: Some(1),
            integrity: &PolicyIntegrity::Intact { since: Timestamp::UNIX_EPOCH },
            leads: true,
            now: NOW.parse().unwrap(),
        })
    }
}
