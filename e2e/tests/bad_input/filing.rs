//! Applications that cannot be: the object alone shows it, or the rest of the world does.

use anyhow::Result;
use e2e::fixtures::{self, Department, HENAN, Kind};
use e2e::suite::Context;
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::table::Expect::{Accepted, Invalid, Refused};
use crate::table::{Row, try_row};

fn quota(manifest: &mut Value, key: &str, amount: Value) {
    manifest["spec"]["namespaces"][0]["quota"][key] = amount;
}

fn entries(manifest: &mut Value, names: &[&str]) {
    let one = manifest["spec"]["namespaces"][0].clone();
    let entry = |name: &&str| {
        let mut entry = one.clone();
        entry["name"] = json!(name);
        entry
    };
    manifest["spec"]["namespaces"] = names.iter().map(entry).collect();
}

/// Bad input that the department files. Each is corrected afterwards, and valid.
const ROWS: &[Row] = &[
    Row {
        what: "classified",
        spoil: |m| m["spec"]["system"]["classification"] = json!("Classified"),
        expect: Refused(&[
            "涉密信息系统不得上政务云（第三条）",
            "classified systems may not enter the government cloud (Art. 3)",
        ]),
    },
    Row {
        what: "one-resource-twice",
        spoil: |m| quota(m, "cpu", json!("8")),
        expect: Refused(&[
            "spec.namespaces[0].quota",
            "同一资源有两个名称，只能写一个",
            "one resource is named twice: name it once (cpu is requests.cpu",
        ]),
    },
    Row {
        what: "secret-by-another-word",
        spoil: |m| m["spec"]["system"]["classification"] = json!("Secret"),
        expect: Refused(&["spec.system.classification", "\"NonClassified\""]),
    },
    Row {
        what: "level-above-platform",
        spoil: |m| m["spec"]["system"]["protectionLevel"] = json!(4),
        expect: Invalid(
            "ProtectionLevelTooHigh",
            &[
                "系统等级保护为第 4 级，高于平台的第 3 级（第二十条）",
                "the system's protection level 4 is above the platform's 3",
            ],
        ),
    },
    Row {
        what: "no-such-level",
        spoil: |m| m["spec"]["system"]["protectionLevel"] = json!(6),
        expect: Refused(&["spec.system.protectionLevel", "less than or equal to 5"]),
    },
    Row {
        what: "hash-missing",
        spoil: |m| {
            drop(m["spec"]["materials"]["technicalPlan"].as_object_mut().and_then(|d| d.remove("sha256")))
        },
        expect: Refused(&["spec.materials.technicalPlan.sha256", "Required value"]),
    },
    Row {
        what: "hash-malformed",
        spoil: |m| m["spec"]["materials"]["projectApproval"]["sha256"] = json!("9DEB65"),
        expect: Refused(&[
            "spec.materials.projectApproval.sha256",
            "64 位小写十六进制",
            "64 lowercase hexadecimal digits",
        ]),
    },
    Row {
        what: "address-malformed",
        spoil: |m| m["spec"]["materials"]["projectApproval"]["uri"] = json!("oa/yfgj-12.pdf"),
        expect: Refused(&["spec.materials.projectApproval.uri", "不是有效的地址", "not a valid URL"]),
    },
    Row {
        what: "documents-missing",
        spoil: |m| drop(m["spec"].as_object_mut().and_then(|s| s.remove("materials"))),
        expect: Refused(&["spec.materials", "Required value"]),
    },
    Row {
        what: "document-in-future",
        spoil: |m| m["spec"]["materials"]["projectApproval"]["issuedOn"] = json!("2999-01-01"),
        expect: Invalid(
            "DocumentInFuture",
            &["projectApproval.issuedOn 的日期 2999-01-01 在将来", "in the future"],
        ),
    },
    Row {
        what: "document-undated",
        spoil: |m| m["spec"]["materials"]["projectApproval"]["issuedOn"] = json!("2026/03/02"),
        expect: Refused(&["spec.materials.projectApproval.issuedOn", "date"]),
    },
    Row {
        what: "no-namespaces",
        spoil: |m| m["spec"]["namespaces"] = json!([]),
        expect: Refused(&["spec.namespaces", "须申请 1 至 8 个命名空间", "apply for 1 to 8 namespaces"]),
    },
    Row {
        what: "nine-namespaces",
        spoil: |m| entries(m, &["a", "b", "c", "d", "e", "f", "g", "h", "i"]),
        expect: Refused(&["spec.namespaces", "须申请 1 至 8 个命名空间", "apply for 1 to 8 namespaces"]),
    },
    Row {
        what: "eight-namespaces",
        spoil: |m| entries(m, &["a", "b", "c", "d", "e", "f", "g", "h"]),
        expect: Accepted,
    },
    Row {
        what: "two-of-the-same-name",
        spoil: |m| entries(m, &["prod", "prod"]),
        expect: Refused(&["spec.namespaces[1]", "Duplicate value", "prod"]),
    },
    Row {
        what: "entry-in-capitals",
        spoil: |m| entries(m, &["Prod"]),
        expect: Refused(&[
            "spec.namespaces[0].name",
            "小写字母、数字和连字符",
            "lower-case letters, digits and hyphens",
        ]),
    },
    Row {
        what: "entry-over-long",
        spoil: |m| entries(m, &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]),
        expect: Accepted,
    },
    Row {
        what: "region-by-name",
        spoil: |m| m["spec"]["region"] = json!("henan"),
        expect: Refused(&["spec.region", "须为六位行政区划代码", "six-digit GB/T 2260 code"]),
    },
    Row {
        what: "region-of-another-department",
        spoil: |m| m["spec"]["region"] = json!("410100"),
        expect: Refused(&[
            "本命名空间只受理区域 410000 的申请",
            "records of region 410000 are filed in namespace",
        ]),
    },
    Row {
        what: "quota-negative",
        spoil: |m| quota(m, "requests.cpu", json!("-1")),
        expect: Refused(&[
            "spec.namespaces[0].quota",
            "配额须为不小于零的 Kubernetes 数量",
            "not below zero",
        ]),
    },
    Row {
        what: "quota-unparsable",
        spoil: |m| quota(m, "requests.memory", json!("16 GB")),
        expect: Refused(&[
            "spec.namespaces[0].quota",
            "配额须为不小于零的 Kubernetes 数量",
            "such as 8, 500m or 16Gi",
        ]),
    },
    Row {
        what: "quota-not-text",
        spoil: |m| quota(m, "requests.cpu", json!(8)),
        expect: Refused(&["spec.namespaces[0].quota.requests.cpu", "must be of type string"]),
    },
    Row {
        what: "quota-key-unknown",
        spoil: |m| quota(m, "requests.gpu", json!("1")),
        expect: Refused(&["spec.namespaces[0].quota", "有 Kubernetes 不认识的配额项", "unknown quota key"]),
    },
    Row {
        what: "quota-of-half-a-pod",
        spoil: |m| quota(m, "pods", json!("1500m")),
        expect: Invalid(
            "BadQuota",
            &["命名空间 prod", "整数：1500m", "a whole number below 9.2P is allowed"],
        ),
    },
    Row {
        what: "quota-of-devices",
        spoil: |m| {
            quota(m, "gpu.water.example.deviceclass.resource.k8s.io/devices", json!("2"));
            quota(m, "requests.deviceclass.resource.kubernetes.io/gpu.water.example", json!("2"));
        },
        expect: Accepted,
    },
    Row {
        what: "quota-of-kubernetes-own-domain",
        spoil: |m| quota(m, "requests.resource.kubernetes.io/gpu", json!("1")),
        expect: Refused(&["spec.namespaces[0].quota", "unknown quota key"]),
    },
    Row {
        what: "quota-without-quotas",
        spoil: |m| quota(m, "resourcequotas", json!("0")),
        expect: Invalid(
            "BadQuota",
            &["命名空间 prod", "配额“resourcequotas”", "objects that only the operator makes"],
        ),
    },
    Row {
        what: "quota-without-bindings",
        spoil: |m| quota(m, "count/rolebindings.rbac.authorization.k8s.io", json!("0")),
        expect: Invalid("BadQuota", &["“count/rolebindings.rbac.authorization.k8s.io”", "leave it out"]),
    },
    Row {
        what: "quota-without-config-maps",
        spoil: |m| quota(m, "configmaps", json!("0")),
        expect: Invalid("BadQuota", &["“configmaps”", "at least 1 is needed"]),
    },
    Row {
        what: "load-balancers-without-node-ports",
        spoil: |m| quota(m, "services.loadbalancers", json!("1")),
        expect: Invalid("BadQuota", &["services.nodeports", "allocateLoadBalancerNodePorts: false"]),
    },
    Row {
        what: "load-balancers-with-node-ports",
        spoil: |m| {
            quota(m, "services.loadbalancers", json!("1"));
            quota(m, "services.nodeports", json!("0"));
        },
        expect: Accepted,
    },
    Row {
        what: "access-for-a-pipeline-elsewhere",
        spoil: |m| {
            m["spec"]["access"][0]["subject"] =
                json!({"kind": "ServiceAccount", "name": "flux-water", "namespace": "flux-water"});
        },
        expect: Accepted,
    },
    Row {
        what: "access-for-a-system-account",
        spoil: |m| {
            m["spec"]["access"][0]["subject"] =
                json!({"kind": "ServiceAccount", "name": "default", "namespace": "kube-system"});
        },
        expect: Refused(&[
            "spec.access[0].subject.namespace",
            "ServiceAccounts of system namespaces are refused",
        ]),
    },
    Row {
        what: "access-for-a-group-of-a-namespace",
        spoil: |m| m["spec"]["access"][0]["subject"]["namespace"] = json!("flux-water"),
        expect: Refused(&["spec.access[0].subject", "only a ServiceAccount has a namespace"]),
    },
    Row {
        what: "quota-of-nothing",
        spoil: |m| m["spec"]["namespaces"][0]["quota"] = json!({}),
        expect: Refused(&["spec.namespaces[0].quota"]),
    },
    Row {
        what: "access-for-everybody",
        spoil: |m| m["spec"]["access"][0]["subject"]["name"] = json!("system:authenticated"),
        expect: Refused(&["不能授权给 system: 开头的主体", "subjects that begin with system: are refused"]),
    },
    Row {
        what: "access-for-everybody-after-a-space",
        spoil: |m| m["spec"]["access"][0]["subject"]["name"] = json!(" system:authenticated"),
        expect: Invalid("AccessRefused", &["不得授权给“system:authenticated”", "gets no access"]),
    },
    Row {
        what: "access-for-no-service-account",
        spoil: |m| m["spec"]["access"][0]["subject"] = json!({"kind": "ServiceAccount", "name": "流水线"}),
        expect: Refused(&["服务账号名须为小写字母", "a ServiceAccount's name"]),
    },
    Row {
        what: "live-before-it-is-filed",
        spoil: |m| m["spec"]["goLive"] = json!({"at": "2026-01-01T00:00:00Z"}),
        expect: Refused(&["申请时不能填写 goLive", "come later in life"]),
    },
    Row {
        what: "live-at-no-time",
        spoil: |m| m["spec"]["goLive"] = json!({"at": "昨天"}),
        expect: Refused(&["spec.goLive.at", "date-time"]),
    },
    Row {
        what: "adopts-a-system-namespace",
        spoil: |m| {
            m["spec"]["namespaces"][0]["existing"] =
                json!({"name": "kube-system", "uid": "11111111-2222-3333-4444-555555555555"})
        },
        expect: Invalid("NamespaceReserved", &["kube-system 为系统保留的命名空间", "is never adopted"]),
    },
    Row {
        what: "adopts-what-is-not-there",
        spoil: |m| {
            m["spec"]["namespaces"][0]["existing"] =
                json!({"name": "portal-of-nobody", "uid": "11111111-2222-3333-4444-555555555555"})
        },
        expect: Invalid("ExistingMissing", &["拟纳管的命名空间 portal-of-nobody 不存在", "does not exist"]),
    },
    Row {
        what: "adopts-by-a-name-alone",
        spoil: |m| m["spec"]["namespaces"][0]["existing"] = json!({"name": "portal"}),
        expect: Refused(&["spec.namespaces[0].existing.uid", "Required value"]),
    },
    Row {
        what: "adopts-by-no-uid",
        spoil: |m| m["spec"]["namespaces"][0]["existing"] = json!({"name": "portal", "uid": "portal"}),
        expect: Refused(&["须为命名空间的 UID", "must be the namespace's UID"]),
    },
    Row {
        what: "enforced-before-anything-is-adopted",
        spoil: |m| m["spec"]["enforce"] = json!("Network"),
        expect: Refused(&["没有纳管的命名空间，不填 enforce", "leave it out"]),
    },
    Row {
        what: "decided-by-itself",
        spoil: |m| {
            m["metadata"]["annotations"] =
                json!({"govcloud.dev/decision": "approved", "govcloud.dev/reviewed-generation": "1"})
        },
        expect: Refused(&["申请时不能附审核意见", "a decision cannot be set at create"]),
    },
];

pub async fn invalid_application_is_reported(context: Context) -> Result<()> {
    fixtures::regions(&context.cluster).await?;
    let namespace = context.filing_namespace("dept-bad", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    try_join_all(ROWS.iter().map(|row| try_row(&department, row))).await?;
    over_long_names_are_shortened(&context, &department).await?;
    let kept = department
        .api(department.applicant, Kind::Application)
        .await?
        .list(&Default::default())
        .await?
        .items
        .len();
    anyhow::ensure!(kept == ROWS.len() + 1, "{kept} applications are there, and not {}", ROWS.len() + 1);
    println!(
        "bad input: {} applications, each told why and put right; 1 over-long name shortened",
        ROWS.len()
    );
    Ok(())
}

/// The longest name there can be: it is approved and provisioned, in a namespace whose name is cut.
async fn over_long_names_are_shortened(context: &Context, department: &Department) -> Result<()> {
    let long = "x".repeat(253);
    let mut manifest = department.application(&long)?;
    entries(&mut manifest, &["y".repeat(63).as_str()]);
    let provisioned = department.provision(manifest).await?;
    let (tenant, _) = Department::tenant(&provisioned, &"y".repeat(63))?;
    context.dump_on_failure(&tenant);
    anyhow::ensure!(tenant.len() == 63 && tenant.starts_with("dept-bad-"), "{tenant}");
    Ok(())
}
