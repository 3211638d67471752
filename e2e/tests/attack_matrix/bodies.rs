//! Bodies of requests and parts of them: conditions, consents, receipts, plans, tenant namespaces.

use serde_json::{Value, json};

use crate::target::{APPLICATION, TRANSPORT};

/// Time of everything that the fixtures record.
pub const THEN: &str = "2026-03-02T02:00:00Z";

/// A `Valid` condition.
pub fn condition(holds: &str, reason: &str, generation: &Value) -> Value {
    json!({
        "type": "Valid", "status": holds, "reason": reason, "message": "staged", "observedGeneration": generation,
        "lastTransitionTime": THEN,
    })
}

/// A published inventory.
pub fn inventory(digest: &str) -> Value {
    json!({"inventory": {"digest": digest, "publishedAt": THEN, "note": "staged", "entries": []}})
}

/// The department's word.
pub fn consent(digest: &str) -> Value {
    json!({"spec": {"consent": {"inventoryDigest": digest}}})
}

/// A receipt.
pub fn receipt(volume: &str, digit: &str) -> Value {
    json!({
        "volumeUID": volume, "receivedBy": "张工", "uri": "https://oa.example/receipt.pdf", "sha256": digit.repeat(64),
    })
}

/// A test report.
pub fn report(digit: &str) -> Value {
    json!({"uri": "https://oa.example/test.pdf", "sha256": digit.repeat(64)})
}

/// 平台调整方案。
pub fn maintenance() -> Value {
    json!({"spec": {"resourceAdjustment": null, "platformMaintenance": {
        "plan": {"title": "内核升级", "uri": "https://provider.example/plan.pdf", "sha256": "c".repeat(64)},
        "window": {"start": "2026-12-01T14:00:00Z", "end": "2026-12-01T18:00:00Z"},
        "impact": "None", "affects": {"all": true},
    }}})
}

/// A compliance record about the platform.
pub fn emergency_plan() -> Value {
    json!({"spec": {"application": null, "result": null, "type": "EmergencyPlan"}})
}

/// An inspection of the provider.
pub fn of_provider() -> Value {
    json!({"spec": {"application": null, "inspected": "Provider"}})
}

/// An answer to finding 1.
pub fn response(number: i32, text: &str) -> Value {
    json!({"finding": "1", "number": number, "text": text})
}

/// Answers of the inspected party.
pub fn responses(all: Value) -> Value {
    json!({"spec": {"responses": all}})
}

/// A tenant namespace as the operator makes it.
pub fn tenant_namespace() -> Value {
    json!({"metadata": {
        "labels": {
            "govcloud.dev/application-uid": APPLICATION, "govcloud.dev/application": "travel",
            "govcloud.dev/department": TRANSPORT, "govcloud.dev/region": "410000", "govcloud.dev/entry": "prod",
            "pod-security.kubernetes.io/enforce": "restricted",
        },
        "annotations": {
            "govcloud.dev/storage-classes": "hostpath,fast", "govcloud.dev/volume-attributes-classes": "gold",
            "govcloud.dev/extended-resources": "hugepages-2Mi,nvidia.com/gpu",
            "govcloud.dev/priority-classes": "tenant-high", "govcloud.dev/runtime-classes": "kata",
            "govcloud.dev/taints": "dedicated", "govcloud.dev/csi-drivers": "secrets.csi.example",
            "govcloud.dev/ingress-classes": "public",
            "govcloud.dev/ingress-hosts": "*.jtt.henan.example,travel.henan.example",
        },
    }})
}

/// A reclaim policy.
pub fn reclaim_policy(policy: &str) -> Value {
    json!({"spec": {"persistentVolumeReclaimPolicy": policy}})
}

/// The mark of a running system's namespace that is adopted for an application.
pub fn adopted() -> Value {
    let mut mark = tenant_namespace();
    let labels = &mut mark["metadata"]["labels"];
    labels["pod-security.kubernetes.io/enforce"] = Value::Null;
    labels["pod-security.kubernetes.io/warn"] = json!("restricted");
    labels["govcloud.dev/adopted"] = json!("observe");
    mark
}
