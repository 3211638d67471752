//! Records of the API as a bill reads them.

use govcloud_api::grant::ResourceGrantStatus;
use serde_json::{Value, json};

use super::*;

const UID: &str = "6f1c0e52-0000-4000-8000-000000000001";

fn namespaces(cores: &str) -> Value {
    json!([{"name": "prod", "quota": {"requests.cpu": cores}}])
}

fn application() -> CloudApplication {
    let mut application: CloudApplication =
        serde_saphyr::from_str(include_str!("../../../../config/samples/travel.yaml")).unwrap();
    application.metadata.uid = Some(UID.to_owned());
    application.spec.namespaces = serde_json::from_value(namespaces("8")).unwrap();
    let status = json!({
        "provisionedAt": "2026-10-14T02:00:00Z",
        "namespaces": [{"entry": "prod", "namespace": "dept-transport-travel-prod-b4ac6df6", "uid": "n1"}],
    });
    application.status = Some(serde_json::from_value(status).unwrap());
    application
}

fn grant() -> ResourceGrant {
    let status: ResourceGrantStatus = serde_json::from_value(json!({
        "granted": namespaces("16")
    }))
    .unwrap();
    let object = json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "ResourceGrant", "metadata": {"name": "travel"},
        "spec": {
            "region": "410000",
            "application": {"name": "travel", "uid": UID},
            "approved": {"kind": "CloudApplication", "name": "travel", "uid": UID, "generation": 1, "digest": "sha256:0"},
            "namespaces": namespaces("16"),
        },
    });
    ResourceGrant { status: Some(status), ..serde_json::from_value(object).unwrap() }
}

fn change(phase: &str, uid: &str) -> ChangeRequest {
    serde_json::from_value(json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "ChangeRequest",
        "metadata": {"name": "travel-enlarge", "uid": "c1"},
        "spec": {
            "region": "410000",
            "resourceAdjustment": {"application": "travel", "reason": "x", "namespaces": namespaces("16")},
        },
        "status": {
            "phase": phase, "applicationUID": uid, "appliedAt": "2026-10-20T02:00:00Z",
            "before": namespaces("8"), "after": namespaces("16"),
        },
    }))
    .unwrap()
}

fn exit(scope: &str) -> Decommission {
    serde_json::from_value(json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": "Decommission", "metadata": {"name": "travel-exit"},
        "spec": {
            "region": "410000", "application": "travel", "scope": scope, "reason": "NoLongerUsed",
            "disposition": {"default": "Retain"},
        },
        "status": {"applicationUID": UID, "reclaimingSince": "2026-10-25T02:00:00Z"},
    }))
    .unwrap()
}

fn cores(quotas: &Quotas) -> &str {
    &quotas["prod"].0["requests.cpu"]
}

#[test]
fn a_record_has_what_the_statuses_have() {
    let (changes, exits) = ([change("Completed", UID)], [exit("Application")]);
    let record = ApplicationRecord::read(&application(), Some(&grant()), &changes, &exits);
    assert_eq!((&*record.name, &*record.uid), ("travel", UID));
    let [namespace] = &record.namespaces[..] else { panic!("{:?}", record.namespaces) };
    assert_eq!((&*namespace.entry, &*namespace.uid, namespace.took_back), ("prod", "n1", false));
    assert_eq!(cores(&record.approved), "8");
    assert_eq!(cores(record.granted.as_ref().unwrap()), "16");
    assert_eq!((cores(&record.changes[0].before), cores(&record.changes[0].after)), ("8", "16"));
    assert_eq!(record.exit.unwrap().reclaiming_since.unwrap().to_string(), "2026-10-25T02:00:00Z");
}

#[test]
fn what_is_not_carried_out_or_of_another_application_is_left_out() {
    let changes = [change("Applying", UID), change("Completed", "another")];
    let mut application = application();
    let record = ApplicationRecord::read(&application, None, &changes, &[exit("Volumes")]);
    assert!(record.changes.is_empty() && record.exit.is_none() && record.granted.is_none());
    // A record that was filed anew has another UID, and says which namespaces it took back.
    application.metadata.uid = Some("anew".to_owned());
    let decision = json!({
        "verdict": "Approved", "by": "wang", "at": "2026-10-13T02:00:00Z", "atSource": "ManagedFields", "generation": 1,
        "digest": "sha256:0", "reattach": ["n1"],
    });
    application.status.as_mut().unwrap().record.decision = Some(serde_json::from_value(decision).unwrap());
    application.spec.outside_budget = true;
    let record = ApplicationRecord::read(&application, Some(&grant()), &[], &[]);
    assert!(record.namespaces[0].took_back && record.outside_budget && record.granted.is_none());
}
