//! Sets the fixtures: records at every point of their life, each brought there by whom it takes.

use std::time::Duration;

use anyhow::Result;
use e2e::actors::Actor;
use e2e::cluster::Cluster;
use e2e::paths::in_repository;
use e2e::wait::eventually;
use serde_json::{Value, json};

use crate::bodies::{
    THEN, adopted, condition, consent, inventory, maintenance, receipt, reclaim_policy, report,
    tenant_namespace,
};
use crate::caller::{Caller, everyone};
use crate::held::HELD;
use crate::row::{Via, annotate, create, delete, label, labels, merge, overlay, status};
use crate::send::Sender;
use crate::target::{APPLICATION, DIGEST, FOUND, OTHER_DIGEST, TENANT, TRANSPORT, Target, container};

#[path = "documents.rs"]
mod documents;

/// RBAC wide open to everybody, but for the project's own verbs: what is refused is refused by the policies.
const WIDE_OPEN: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: attack-surface}
rules:
- {apiGroups: ["", apps, networking.k8s.io, policy, scheduling.k8s.io, node.k8s.io, storage.k8s.io, apiextensions.k8s.io, apiregistration.k8s.io, govcloud.dev], resources: ["*"], verbs: [get, list, watch, create, update, patch, delete, deletecollection]}
- {apiGroups: [rbac.authorization.k8s.io], resources: ["*"], verbs: [get, list, watch, create, update, patch, delete, deletecollection, bind, escalate]}
- {apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [get, list, watch, create, update, patch, delete, deletecollection]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: attack-surface}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: attack-surface}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
"#;

/// Two who hold `file` and `consent` beside `approve` or `provision`.
const TWO_HATS: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: two-hats, namespace: dept-transport}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "govcloud:department"}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: filing-officer}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: filing-provider}
"#;

/// The installer, by name.
const INSTALLS: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: installer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "govcloud:installer"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: installer}]
"#;

/// Who administers some namespaces today, by name.
const HOLDS: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: holder}
rules:
- {apiGroups: [govcloud.dev], resources: [namespaces], resourceNames: [plain, portal, portal-helm, portal-observed, portal-closed, portal-new, kube-public], verbs: [adopt-out]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: holder}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: holder}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: holder}]
"#;

/// Sets it.
pub async fn set(cluster: &Cluster) -> Result<Sender> {
    let fixtures = Fixtures(bare(cluster).await?);
    fixtures.settings().await?;
    fixtures.tenants().await?;
    fixtures.volumes().await?;
    fixtures.applications().await?;
    fixtures.changes().await?;
    fixtures.exits().await?;
    fixtures.documents().await?;
    fixtures.inspections().await?;
    fixtures.grants().await?;
    fixtures.statements().await?;
    fixtures.assessments().await?;
    fixtures.running_systems().await?;
    Ok(fixtures.0)
}

/// The people, their rights and the regions, without any record.
pub async fn bare(cluster: &Cluster) -> Result<Sender> {
    let admin = cluster.kubectl(Actor::Admin);
    admin.apply(WIDE_OPEN).await?;
    for path in
        ["samples/rbac", "samples/personas.yaml", "samples/region-410000.yaml", "samples/region-410100.yaml"]
    {
        admin.apply_path(&in_repository("config").join(path)).await?;
    }
    admin.apply(TWO_HATS).await?;
    admin.apply(INSTALLS).await?;
    admin.apply(HOLDS).await?;
    Ok(Sender { clients: everyone(cluster).await? })
}

/// Applications that the department files; what becomes of each is in its name.
const APPLICATIONS: [&str; 17] = [
    "capp/fresh",
    "capp/unseen",
    "capp/invalid",
    "capp/stale",
    "capp/returned",
    "capp/corrected",
    "capp/approved",
    "capp/rejected",
    "capp/voided",
    "capp/withdrawn",
    "capp/provisioned",
    "capp/live",
    "capp/reported",
    "capp/exited",
    "capp/doubted",
    "capp/belated",
    "capp/recreated",
];

/// A department's correction of an application.
fn corrected() -> Value {
    json!({"spec": {"system": {"name": "更正后的名称"}}})
}

struct Fixtures(Sender);

impl Fixtures {
    /// Files a record; fixtures bear their name as a label, for deletecollection.
    async fn file(&self, who: Caller, target: &'static str, over: Value) -> Result<()> {
        let mut object = over;
        object["metadata"]["labels"]["matrix"] = json!(Target::parse(target)?.name);
        self.0.execute(who, create(target, object)).await.map(drop)
    }

    /// The operator's word on a record: `Valid` for its present generation, in this phase, with this beside.
    async fn seen(&self, target: &'static str, phase: &str, beside: Value) -> Result<()> {
        let generation = self.0.get(&Target::parse(target)?).await?["metadata"]["generation"].clone();
        let mut word = json!({
            "phase": phase, "observedGeneration": generation,
            "conditions": [condition("True", "AsTheMeasuresAsk", &generation)],
        });
        overlay(&mut word, &beside);
        self.0.execute(Caller::Operator, status(Via::Merge, target, word)).await.map(drop)
    }

    async fn decided(
        &self,
        target: &'static str,
        words: &str,
        verdict: &str,
        phase: &str,
        beside: Value,
    ) -> Result<()> {
        self.0.execute(Caller::Province, annotate(target, words)).await?;
        let mut word = json!({"decision": {
            "verdict": verdict, "by": Caller::Province.user(), "at": THEN, "atSource": "Observed",
            "generation": 1, "digest": DIGEST,
        }});
        overlay(&mut word, &beside);
        self.seen(target, phase, word).await
    }

    async fn approved(&self, target: &'static str, phase: &str, beside: Value) -> Result<()> {
        self.seen(target, "Submitted", json!({})).await?;
        self.decided(
            target,
            "decision=approved reviewed-generation=1 opinion=同意",
            "Approved",
            phase,
            beside,
        )
        .await
    }

    async fn settings(&self) -> Result<()> {
        self.0.execute(Caller::Harness, create("ns/plain", json!({}))).await?;
        self.0.execute(Caller::Harness, create(HELD, labels("filing-region=410000"))).await?;
        self.0.execute(Caller::Operator, label(HELD, "open-records=true")).await?;
        self.0.execute(Caller::Harness, create("mutatinghook/pods", json!({}))).await?;
        self.0.execute(Caller::Harness, create("catalog/henan", json!({}))).await.map(drop)
    }

    /// Statements at every point of their life, and an edition that one was computed by.
    async fn statements(&self) -> Result<()> {
        self.0.execute(Caller::Harness, create("catalog/billed", json!({}))).await?;
        self.0.execute(Caller::Operator, label("catalog/billed", "billed=true")).await?;
        for (target, phase) in [
            ("stmt/2026-09", "Open"),
            ("stmt/2026-10", "AwaitingConfirmation"),
            ("stmt/2026-11", "AwaitingConfirmation"),
            ("stmt/2026-12", "AwaitingConfirmation"),
        ] {
            self.file(Caller::Operator, target, json!({})).await?;
            self.seen(target, phase, json!({})).await?;
        }
        let confirm = format!("confirm={DIGEST}");
        for target in ["stmt/2026-11", "stmt/2026-12"] {
            self.0.execute(Caller::Department, annotate(target, &confirm)).await?;
            self.seen(target, "AwaitingDecision", json!({})).await?;
        }
        let approved = "decision=approved reviewed-generation=1 opinion=同意";
        self.decided("stmt/2026-12", approved, "Approved", "Settled", json!({})).await
    }

    async fn applications(&self) -> Result<()> {
        for target in APPLICATIONS {
            self.file(Caller::Department, target, json!({})).await?;
        }
        self.submitted_applications().await?;
        self.returned_applications().await?;
        self.approved_applications().await?;
        self.ended_applications().await
    }

    /// Seen by the operator and not decided.
    async fn submitted_applications(&self) -> Result<()> {
        self.file(Caller::Pipeline, "capp/piped", json!({})).await?;
        let city = json!({"spec": {"region": "410100"}});
        self.file(Caller::OtherDepartment, "capp/city@dept-zhengzhou-health", city).await?;
        for target in ["capp/fresh", "capp/stale", "capp/piped", "capp/city@dept-zhengzhou-health"] {
            self.seen(target, "Submitted", json!({})).await?;
        }
        let found = |entry: &str, uid: &str| json!({"entry": entry, "namespace": entry, "uid": uid, "applicationUID": APPLICATION});
        let found = json!({"foundNamespaces": [found("prod", FOUND[0]), found("test", FOUND[1])]});
        self.seen("capp/recreated", "Submitted", found).await?;
        let invalid = json!({"conditions": [condition("False", "UnknownRegion", &json!(1))]});
        self.seen("capp/invalid", "Submitted", invalid).await?;
        self.0.execute(Caller::Department, merge("capp/stale", corrected())).await.map(drop)
    }

    async fn returned_applications(&self) -> Result<()> {
        let returned = "decision=returned reviewed-generation=1 opinion=请补充方案";
        for target in ["capp/returned", "capp/corrected"] {
            self.decided(target, returned, "Returned", "Returned", json!({})).await?;
        }
        self.0.execute(Caller::Department, merge("capp/corrected", corrected())).await?;
        self.seen("capp/corrected", "Submitted", json!({})).await
    }

    /// Approved, some with an approval that does not count, and some live.
    async fn approved_applications(&self) -> Result<()> {
        self.approved("capp/approved", "Provisioning", json!({})).await?;
        self.approved("capp/provisioned", "Provisioned", json!({})).await?;
        self.approved("capp/exited", "Exited", json!({})).await?;
        let void = json!({"decision": {"void": "made while the gate was open"}});
        self.approved("capp/voided", "Submitted", void.clone()).await?;
        self.approved("capp/doubted", "Submitted", void).await?;
        let taken_back = annotate("capp/doubted", "decision- reviewed-generation- opinion- decided-by-");
        self.0.execute(Caller::Province, taken_back).await?;
        self.belated_application().await?;
        for target in ["capp/live", "capp/reported"] {
            self.approved(target, "Provisioned", json!({})).await?;
            let live = merge(target, json!({"spec": {"goLive": {"at": THEN}}}));
            self.0.execute(Caller::Department, live).await?;
            self.seen(target, "Live", json!({"liveAt": THEN})).await?;
        }
        let report = json!({"spec": {"goLive": {"testReport": report("a")}}});
        self.0.execute(Caller::Department, merge("capp/reported", report)).await.map(drop)
    }

    /// Withdrawn after provisioning had begun, and provisioned; later its approval does not count any more, and is removed.
    async fn belated_application(&self) -> Result<()> {
        self.approved("capp/belated", "Provisioning", json!({})).await?;
        self.0.execute(Caller::Department, annotate("capp/belated", "withdraw=$uid")).await?;
        let void = json!({"provisionedAt": THEN, "decision": {"void": "not recorded by the operator"}});
        self.seen("capp/belated", "Provisioned", void).await?;
        let taken_back = annotate("capp/belated", "decision- reviewed-generation- opinion- decided-by-");
        self.0.execute(Caller::Province, taken_back).await.map(drop)
    }

    /// Rejected, being deleted and withdrawn.
    async fn ended_applications(&self) -> Result<()> {
        let rejected = "decision=rejected reviewed-generation=1 opinion=不符合第三条";
        self.decided("capp/rejected", rejected, "Rejected", "Rejected", json!({})).await?;
        let held = json!({"metadata": {"finalizers": ["example.org/keep"]}});
        self.file(Caller::Department, "capp/leaving", held).await?;
        self.seen("capp/leaving", "Submitted", json!({})).await?;
        self.0.execute(Caller::Department, delete("capp/leaving")).await?;
        self.0.execute(Caller::Department, annotate("capp/withdrawn", "withdraw=$uid")).await?;
        self.seen("capp/withdrawn", "Withdrawn", json!({})).await
    }

    async fn changes(&self) -> Result<()> {
        let none = || json!({});
        for target in ["chreq/adjust", "chreq/adjusting", "chreq/adjusted"] {
            self.file(Caller::Department, target, none()).await?;
        }
        self.seen("chreq/adjust", "Submitted", none()).await?;
        self.approved("chreq/adjusting", "Applying", none()).await?;
        self.approved("chreq/adjusted", "Completed", none()).await?;
        for target in [
            "chreq/upgrade@provider-maintenance",
            "chreq/upgrading@provider-maintenance",
            "chreq/planned@provider-maintenance",
        ] {
            self.file(Caller::Provider, target, maintenance()).await?;
        }
        self.seen("chreq/upgrade@provider-maintenance", "Submitted", none()).await?;
        self.approved("chreq/planned@provider-maintenance", "Scheduled", none()).await?;
        self.approved("chreq/upgrading@provider-maintenance", "InProgress", none()).await
    }

    async fn exits(&self) -> Result<()> {
        use Caller::{Department, Province};
        let none = || json!({});
        for target in [
            "decom/counting",
            "decom/published",
            "decom/consented",
            "decom/outdated",
            "decom/handing",
            "decom/reclaiming",
            "decom/completed",
        ] {
            self.file(Department, target, none()).await?;
        }
        self.seen("decom/counting", "Inventory", none()).await?;
        for target in [
            "decom/published",
            "decom/consented",
            "decom/outdated",
            "decom/handing",
            "decom/reclaiming",
            "decom/completed",
        ] {
            self.seen(target, "AwaitingConsent", inventory(DIGEST)).await?;
        }
        for target in
            ["decom/consented", "decom/outdated", "decom/handing", "decom/reclaiming", "decom/completed"]
        {
            self.0.execute(Department, merge(target, consent(DIGEST))).await?;
            self.seen(target, "AwaitingDecision", none()).await?;
        }
        self.seen("decom/outdated", "AwaitingDecision", inventory(OTHER_DIGEST)).await?;
        let approve = "decision=approved reviewed-generation=2 opinion=同意";
        self.decided("decom/handing", approve, "Approved", "HandingOver", none()).await?;
        self.decided("decom/reclaiming", approve, "Approved", "Reclaiming", none()).await?;
        self.decided("decom/completed", approve, "Approved", "Completed", none()).await?;
        self.0
            .execute(Department, merge("decom/handing", json!({"spec": {"handOver": [receipt("v1", "a")]}})))
            .await?;
        let ended = json!({"spec": {
            "reason": "ContractEnded", "disposition": {"default": "Retain", "volumes": null},
        }});
        self.file(Province, "decom/contract", ended).await?;
        self.seen("decom/contract", "AwaitingConsent", inventory(DIGEST)).await?;
        self.0.execute(Department, merge("decom/contract", consent(DIGEST))).await?;
        self.seen("decom/contract", "AwaitingDecision", none()).await
    }

    /// Filed by the province's deputy, so that the province decides.
    async fn assessments(&self) -> Result<()> {
        let none = || json!({});
        let open = || json!({"conditions": [condition("False", "ObjectionPeriod", &json!(1))]});
        for target in ["asmt/open", "asmt/ready", "asmt/published"] {
            self.file(Caller::Deputy, target, none()).await?;
        }
        let provider = "asmt/provider@provider-maintenance";
        self.file(Caller::Deputy, provider, crate::assessments::of_the_provider()).await?;
        for target in ["asmt/open", provider] {
            self.seen(target, "Objection", open()).await?;
        }
        for target in ["asmt/ready", "asmt/published"] {
            self.seen(target, "AwaitingDecision", none()).await?;
        }
        let publish = "decision=approved reviewed-generation=1 opinion=同意通报";
        self.decided("asmt/published", publish, "Approved", "Published", none()).await
    }

    async fn grants(&self) -> Result<()> {
        self.file(Caller::Provider, "grant/pending", json!({})).await?;
        for target in ["grant/active", "grant/refused", "grant/released", "grant/revised"] {
            self.file(Caller::Operator, target, json!({})).await?;
        }
        let in_force = json!({"inForce": {
            "kind": "CloudApplication", "name": "revised", "uid": APPLICATION, "generation": 1, "digest": DIGEST,
        }});
        self.seen("grant/pending", "Pending", json!({})).await?;
        self.seen("grant/active", "Active", json!({})).await?;
        self.seen("grant/refused", "Refused", json!({})).await?;
        self.seen("grant/revised", "Pending", in_force.clone()).await?;
        self.seen("grant/released", "Released", in_force).await
    }

    async fn tenants(&self) -> Result<()> {
        use Caller::{ClusterAdmin, Operator};
        for target in ["ns/dept-transport-travel-prod-0a1b2c3d", "ns/dept-transport-old-prod-4e5f6a7b"] {
            self.0.execute(Operator, create(target, tenant_namespace())).await?;
        }
        self.0.execute(Operator, annotate("ns/dept-transport-old-prod-4e5f6a7b", "reclaim=$uid")).await?;
        self.workloads().await?;
        let ours = || json!({"metadata": {"labels": {"govcloud.dev/application-uid": APPLICATION, "matrix": "ours"}}});
        for target in ["quota/granted", "limits/granted", "netpol/closed"] {
            self.0.execute(Operator, create(target, ours())).await?;
        }
        let mut access = ours();
        overlay(&mut access, &json!({"roleRef": {"name": "govcloud-tenant-edit"}}));
        self.0.execute(Operator, create("binding/access", access)).await?;
        self.0.execute(Operator, create("binding/gone@dept-transport-old-prod-4e5f6a7b", ours())).await?;
        self.0.execute(ClusterAdmin, create("quota/extra", json!({}))).await?;
        let waiting = json!({"spec": {"storageClassName": "fast"}});
        self.0.execute(Caller::Department, create("pvc/waiting", waiting)).await?;
        self.0.execute(Caller::Department, create("pvc/data", json!({}))).await?;
        self.0.execute(Caller::Department, create("pvc/data@plain", json!({}))).await?;
        // The class of attributes of a claim may change once it is bound.
        let data = Target::parse("pvc/data")?;
        eventually("pvc/data is bound", Duration::from_secs(60), || async {
            Ok((self.0.get(&data).await?["status"]["phase"] == "Bound").then_some(()))
        })
        .await
    }

    /// Pods and an Ingress that were lawful when they came, and would be no more.
    async fn workloads(&self) -> Result<()> {
        use Caller::{Department, Harness, Operator};
        for target in ["priority/tenant-high", "priority/tenant-low", "runtime/kata", "runtime/devices"] {
            self.0.execute(Harness, create(target, json!({}))).await?;
        }
        let mut lax = tenant_namespace();
        overlay(
            &mut lax,
            &json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}),
        );
        self.0.execute(Operator, create("ns/dept-transport-lax-prod-5a6b7c8d", lax)).await?;
        for target in [
            "sa/runner",
            "sa/runner@plain",
            "sa/runner@dept-transport-old-prod-4e5f6a7b",
            "sa/runner@dept-transport-lax-prod-5a6b7c8d",
        ] {
            self.0.execute(Harness, create(target, json!({}))).await?;
        }
        let gpu = json!({"limits": {"nvidia.com/gpu": "1"}, "requests": {"cpu": "100m"}});
        let mut main = container("main", json!({}));
        main["resources"] = gpu;
        let pod = json!({"spec": {
            "containers": [main], "priorityClassName": "tenant-high",
            "tolerations": [{"key": "dedicated", "operator": "Exists"}],
        }});
        self.0.execute(Department, create("pod/old@dept-transport-old-prod-4e5f6a7b", pod)).await?;
        self.0.execute(Department, create("ingress/old@dept-transport-old-prod-4e5f6a7b", json!({}))).await?;
        let none = "extended-resources= priority-classes= taints= ingress-classes= ingress-hosts=";
        self.0.execute(Operator, annotate("ns/dept-transport-old-prod-4e5f6a7b", none)).await?;
        self.0.execute(Department, create("svc/front", json!({}))).await?;
        self.0.execute(Department, create("budget/one", json!({}))).await?;
        self.0.execute(Operator, create("netpol/unmarked", json!({}))).await.map(drop)
    }

    /// Namespaces in which a system runs: given to an application, still a Helm release's, being observed, and under all rules.
    async fn running_systems(&self) -> Result<()> {
        use Caller::{Department, Harness, Holder, Operator};
        let given = format!("adopt-out={APPLICATION}");
        let team = || labels("example.org/team=portal");
        for target in ["ns/portal", "ns/portal-helm", "ns/portal-observed", "ns/portal-closed"] {
            self.0.execute(Harness, create(target, team())).await?;
        }
        self.0.execute(Holder, annotate("ns/kube-public", &given)).await?;
        self.0.execute(Holder, annotate("ns/portal", &given)).await?;
        self.0.execute(Holder, annotate("ns/portal-helm", &given)).await?;
        let released = annotate("ns/portal-helm", "meta.helm.sh/release-name=portal");
        self.0.execute(Harness, released).await?;
        for target in ["ns/portal-observed", "ns/portal-closed"] {
            self.0.execute(Holder, annotate(target, &given)).await?;
            self.0.execute(Operator, merge(target, adopted())).await?;
        }
        self.0.execute(Operator, label("ns/portal-closed", "adopted=network")).await?;
        for target in ["sa/runner@portal-observed", "sa/runner@portal-closed"] {
            self.0.execute(Harness, create(target, json!({}))).await?;
        }
        self.0.execute(Harness, create("pv/deletes", reclaim_policy("Delete"))).await?;
        let existing = json!({"name": "portal", "uid": FOUND[0]});
        let quota = json!({"requests.cpu": "8", "pods": "50"});
        let asks = json!({"spec": {"namespaces": [{"name": "prod", "quota": quota, "existing": existing}]}});
        self.file(Department, "capp/adopting", asks).await?;
        self.seen("capp/adopting", "Submitted", json!({})).await
    }

    async fn volumes(&self) -> Result<()> {
        use Caller::{ClusterAdmin, Harness, Operator};
        let claimed = json!({"spec": {"claimRef": {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": TENANT, "name": "lost", "uid": APPLICATION,
        }}});
        for target in ["pv/kept", "pv/doomed", "pv/unseen"] {
            self.0.execute(Harness, create(target, claimed.clone())).await?;
        }
        let reserved = json!({"spec": {"claimRef": {"namespace": TENANT, "name": "awaited"}}});
        self.0.execute(Harness, create("pv/reserved", reserved)).await?;
        self.0.execute(Harness, create("pv/foreign", json!({}))).await?;
        let mark = format!("application-uid={APPLICATION}");
        let marks = format!("{mark} application=travel department={TRANSPORT} region=410000");
        for target in ["pv/kept", "pv/doomed", "pv/reserved"] {
            self.0.execute(Operator, label(target, &marks)).await?;
        }
        for target in ["pv/released", "pv/retained", "pv/announced"] {
            self.0.execute(Harness, create(target, claimed.clone())).await?;
            self.0.execute(Operator, label(target, &marks)).await?;
            // A patch: the volume controller writes the same object.
            self.0.execute(Harness, status(Via::Merge, target, json!({"phase": "Released"}))).await?;
        }
        self.0.execute(Operator, label("pv/retained", &format!("retained={APPLICATION}"))).await?;
        let by_hand = json!({"metadata": {"annotations": {"govcloud.dev/removed-by": ClusterAdmin.user()}}});
        self.0.execute(ClusterAdmin, merge("pv/announced", by_hand)).await?;
        self.0.execute(Operator, label("pv/announced", "removal-recorded=yes")).await?;
        self.0.execute(Operator, merge("pv/announced", reclaim_policy("Delete"))).await?;
        self.0.execute(Operator, merge("pv/doomed", reclaim_policy("Delete"))).await.map(drop)
    }
}
