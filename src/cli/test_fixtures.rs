//! Records for tests: one system, at 10:00 on Monday 23 November 2026 in China.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::output::Lang;
use super::record::{Kind, Record};
use super::region_calendars::RegionCalendars;
use govcloud_api::decommission::Certificate;
use govcloud_domain::decommission::certificate_digest;

pub(super) fn now() -> Timestamp {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

pub(super) fn record(kind: Kind, raw: Value) -> Record {
    Record::read(kind, raw, Lang::En).unwrap()
}

pub(super) fn calendars() -> RegionCalendars {
    let region = |code: &str, zh: &str, en: &str, authority: &str| {
        json!({
            "apiVersion": "govcloud.dev/v1alpha1", "kind": "Region", "metadata": { "name": code },
            "spec": {
                "displayName": { "zh": zh, "en": en }, "tier": "Province", "authority": authority, "provider": "某云服务商",
                "platform": { "protectionLevel": 3 }, "calendar": "cn", "tenancy": { "storageClasses": ["hostpath"] },
            },
        })
    };
    RegionCalendars::from_objects(
        vec![
            region("410000", "河南省", "Henan", "河南省大数据局"),
            region("410100", "郑州市", "Zhengzhou", "郑州市大数据管理局"),
        ],
        Vec::new(),
    )
    .unwrap()
}

fn object(kind: Kind, namespace: &str, name: &str, spec: Value, status: Value) -> Value {
    let uid = format!("00000000-0000-4000-8000-{:012}", name.len());
    json!({
        "apiVersion": "govcloud.dev/v1alpha1", "kind": kind.resource_type().kind,
        "metadata": {
            "name": name, "namespace": namespace, "uid": uid, "generation": 1, "resourceVersion": "7",
            "creationTimestamp": "2026-11-16T01:30:00Z", "annotations": { "govcloud.dev/requested-by": "department" },
        },
        "spec": spec, "status": status,
    })
}

pub(super) fn application(status: Value) -> Value {
    let sha256 = "9deb65b8788f41ff94a217842017db2f843954fc0eb46110835903908e5a265f";
    let spec = json!({
        "region": "410000",
        "system": { "name": "交通出行服务平台", "classification": "NonClassified", "protectionLevel": 3, "contact": { "name": "张工", "phone": "0371-00000000" } },
        "materials": {
            "projectApproval": { "documentNumber": "豫发改高技〔2026〕12号", "issuedBy": "河南省发展和改革委员会", "issuedOn": "2026-03-02", "uri": "https://oa.example/12.pdf", "sha256": sha256 },
            "technicalPlan": { "title": "上云技术方案", "uri": "https://oa.example/plan.pdf", "sha256": sha256 },
        },
        "namespaces": [{ "name": "prod", "quota": { "requests.cpu": "8", "requests.memory": "16Gi" } }, { "name": "test", "quota": { "pods": "20" } }],
        "access": [{ "subject": { "kind": "Group", "name": "transport" }, "role": "edit" }],
    });
    object(Kind::Application, "dept-transport", "travel", spec, status)
}

/// A submitted application that waits for the authority.
pub(super) fn submitted() -> Value {
    application(json!({
        "phase": "Submitted", "waitingOn": "Authority", "waitingFor": "Decision", "observedAt": "2026-11-16T01:30:05Z",
        "conditions": [condition("Valid", "True", "Valid", "材料齐全，符合要求 / complete and in order"), condition("Ready", "False", "AwaitingDecision", "等待审核 / awaiting review")],
        "timeline": [entry("2026-11-16T01:30:00Z", "department", "Submitted", 11, "已提交，待审核 / filed; awaiting review")],
    }))
}

pub(super) fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({ "type": type_, "status": status, "observedGeneration": 1, "lastTransitionTime": "2026-11-16T01:30:05Z", "reason": reason, "message": message })
}

pub(super) fn entry(at: &str, actor: &str, event: &str, article: i32, message: &str) -> Value {
    json!({ "at": at, "actor": actor, "event": event, "article": article, "message": message })
}

/// An entry by somebody of a party.
pub(super) fn entry_of(
    party: &str,
    at: &str,
    actor: &str,
    event: &str,
    article: i32,
    message: &str,
) -> Value {
    let mut entry = entry(at, actor, event, article, message);
    entry["party"] = json!(party);
    entry
}

pub(super) fn clock(
    obligation: &str,
    party: &str,
    article: i32,
    days: i32,
    started: &str,
    due: &str,
) -> Value {
    json!({
        "obligation": obligation, "party": party, "article": article, "workingDays": days, "startedAt": started,
        "dueDate": due, "dueAt": format!("{due}T16:00:00Z"), "provisional": false, "calendar": "cn@1",
    })
}

/// An approved application; the provider is overdue.
pub(super) fn provisioning() -> Value {
    let raw = application(json!(null));
    let digest = record(Kind::Application, raw.clone()).digest();
    let mut approved = raw;
    approved["status"] = json!({
        "phase": "Provisioning", "waitingOn": "Provider", "waitingFor": "Provision", "dueDate": "2026-11-19",
        "decision": { "verdict": "Approved", "by": "authority-410000", "at": "2026-11-16T03:00:00Z", "atSource": "ManagedFields", "opinion": "同意", "generation": 1, "digest": digest },
        "deadlines": [clock("Provision", "Provider", 13, 3, "2026-11-16T03:00:01Z", "2026-11-19")],
        "namespaces": [{ "entry": "prod", "namespace": "dept-transport-travel-prod-0badcafe" }, { "entry": "test", "namespace": "dept-transport-travel-test-0badf00d" }],
        "conditions": [
            condition("Valid", "True", "Valid", "材料齐全，符合要求 / complete and in order"),
            condition("OnTime", "False", "ProvisionOverdue", "云资源开通已逾期，截止日期 2026-11-19，责任方：政务云服务提供方 / provisioning is overdue since 2026-11-19, owed by the provider"),
        ],
        "timeline": [
            entry_of("Department", "2026-11-16T01:30:00Z", "", "Submitted", 11, "已提交，待审核 / filed; awaiting review"),
            entry_of("Authority", "2026-11-16T03:00:00Z", "authority-410000", "Approved", 12, "同意 / approved"),
            entry("2026-11-16T03:00:01Z", "govcloud-operator", "Notified", 13, "已通知政务云服务提供方 / the provider was notified"),
            entry("2026-11-19T16:00:00Z", "govcloud-operator", "Overdue", 13, "云资源开通已逾期 / provisioning is overdue"),
        ],
    });
    approved
}

pub(super) fn change(status: Value) -> Value {
    let spec = json!({ "region": "410000", "resourceAdjustment": {
        "application": "travel", "reason": "春运期间访问量预计增长一倍",
        "namespaces": [{ "name": "prod", "quota": { "requests.cpu": "16", "requests.memory": "16Gi" } }],
    } });
    object(Kind::Change, "dept-transport", "travel-enlarge", spec, status)
}

pub(super) fn exit(status: Value) -> Value {
    let spec = json!({
        "region": "410000", "application": "travel", "scope": "Application", "reason": "NoLongerUsed",
        "disposition": { "default": "Retain", "volumes": [{ "namespace": "prod", "claim": "data", "action": "Destroy" }] },
    });
    object(Kind::Exit, "dept-transport", "travel-exit", spec, status)
}

/// An exit that waits for consent.
pub(super) fn awaiting_consent() -> Value {
    let volume = |claim: &str, n: u8, capacity: &str, action: &str| {
        json!({
            "namespace": "dept-transport-travel-prod-0badcafe", "claim": claim, "claimUID": format!("c{n}"), "class": "hostpath",
            "volume": format!("pvc-{n}"), "volumeUID": format!("00000000-0000-4000-8000-00000000000{n}"), "capacity": capacity, "action": action,
        })
    };
    exit(json!({
        "phase": "AwaitingConsent", "waitingOn": "Department", "waitingFor": "Consent",
        "inventory": {
            "digest": "sha256:5a1f", "publishedAt": "2026-11-20T01:00:00Z",
            "note": "Secret、ConfigMap 和临时数据随命名空间一并删除 / Secrets, ConfigMaps and ephemeral data go with the namespace",
            "entries": [volume("archive", 1, "20Gi", "Retain"), volume("data", 2, "10Gi", "Destroy")],
        },
        "timeline": [entry("2026-11-20T01:00:00Z", "govcloud-operator", "InventoryPublished", 23, "清单已公布 / inventory published")],
    }))
}

pub(super) fn grant(status: Value) -> Value {
    let spec = json!({
        "region": "410100", "application": { "name": "clinic", "uid": "a" },
        "approved": { "kind": "CloudApplication", "name": "clinic", "uid": "a", "generation": 1, "digest": format!("sha256:{}", "0".repeat(64)) },
        "namespaces": [{ "name": "prod", "quota": { "pods": "5" } }],
    });
    object(Kind::Grant, "dept-zhengzhou-health", "clinic", spec, status)
}

/// A certificate with three outcomes.
pub(super) fn certificate() -> Certificate {
    let volume = |claim: &str, n: u8, capacity: &str, action: &str, outcome: &str| {
        json!({
            "namespace": "dept-transport-travel-prod-0badcafe", "claim": claim, "volume": format!("pvc-5d0f3c1e-7a54-4e0b-9d55-1f3a6f0f7a0{n}"),
            "volumeUID": format!("7f1c2b7e-55aa-4b1c-8e0f-90a1b2c3d4e{n}"), "capacity": capacity, "action": action, "outcome": outcome,
        })
    };
    let mut certificate: Certificate = serde_json::from_value(json!({
        "digest": "", "application": "travel", "applicationUID": "3c0b7b1e-8a63-4f0e-a8f5-1f4cf0f7d111", "region": "410000", "system": "交通出行服务平台",
        "consent": { "digest": "sha256:4a44dc15364204a80fe80e9039455cc1608281820fe2b24f1e5233ade6af1dd5", "by": "department", "at": "2026-11-23T01:05:00Z" },
        "decidedBy": "authority-410000", "decidedAt": "2026-11-23T01:30:00Z", "begunAt": "2026-11-24T02:00:00Z", "endedAt": "2026-11-24T02:06:30Z",
        "namespaces": [{ "entry": "prod", "namespace": "dept-transport-travel-prod-0badcafe", "uid": "b6b1c8e2-3a94-4c55-a3f1-0d9a7f6e5c21" }],
        "volumes": [volume("archive", 1, "20Gi", "Retain", "Retained"), volume("data", 2, "10Gi", "Destroy", "Destroyed"), volume("ledger", 3, "5Gi", "HandOver", "HandedOver"), volume("logs", 4, "1Gi", "Destroy", "Removed")],
        "snapshots": [{ "namespace": "dept-transport-travel-prod-0badcafe", "name": "nightly", "uid": "s-1", "content": "snapcontent-1", "action": "Destroy", "outcome": "Destroyed" }],
        "claimsWithoutVolume": ["dept-transport-travel-prod-0badcafe/waiting"],
    }))
    .unwrap();
    let receipt = json!({ "receivedBy": "张工", "uri": "//oa.jtyst.example/receipt.pdf", "sha256": "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917" });
    certificate.volumes[2].receipt = Some(serde_json::from_value(receipt).unwrap());
    certificate.volumes[3].removed_by = Some("platform-admin".to_owned());
    certificate.digest = certificate_digest(&certificate);
    certificate
}
