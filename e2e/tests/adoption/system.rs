//! A system that has run for years: a namespace with Pods, claims and objects of its own.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Cluster;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE};
use e2e::suite::Context;
use e2e::volumes;
use e2e::wait::{eventually, until};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim, Pod, ServiceAccount};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

/// Who administers the namespaces today.
pub const HOLDER: Actor = Actor::Provider;

const STORAGE: &str = r#"
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: scratch}
provisioner: kubernetes.io/host-path
reclaimPolicy: Delete
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: portal-holder}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [get, patch]}
- {apiGroups: [govcloud.dev], resources: [namespaces], verbs: [adopt-out]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: portal-holder}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: portal-holder}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: provider}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: patches-namespaces}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [get, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: patches-namespaces}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: patches-namespaces}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "govcloud:authority:410000"}]
"#;

/// The regions, in which adopted namespaces are not observed for days, with the rights of the holder.
pub async fn ready_region(cluster: &Arc<Cluster>) -> Result<()> {
    fixtures::regions(cluster).await?;
    let admin = cluster.kubectl(Actor::Admin);
    admin.apply(STORAGE).await?;
    let patch = json!({"spec": {"workingDays": {"adoptionObserve": 0}}}).to_string();
    admin.run(&["patch", "region", HENAN, "--type=merge", "-p", &patch]).await?;
    fixtures::regions_ready(cluster).await
}

/// A namespace with what runs in it.
pub struct System {
    cluster: Arc<Cluster>,
    pub name: String,
    pub uid: String,
    /// Names of its PersistentVolumes.
    pub volumes: Vec<String>,
}

impl System {
    /// An empty namespace of this prefix.
    pub async fn empty(context: &Context, prefix: &str) -> Result<Self> {
        let name = context.namespace(prefix).await?;
        let cluster = context.cluster.clone();
        let namespaces: Api<Namespace> = Api::all(cluster.client(Actor::Admin).await?);
        let uid = namespaces.get(&name).await?.uid().context("no UID")?;
        Ok(Self { cluster, name, uid, volumes: Vec::new() })
    }

    /// With three Pods, of which one states no requests, two claims, of which one would be deleted, and objects of others.
    pub async fn start(context: &Context, prefix: &str) -> Result<Self> {
        let mut system = Self::empty(context, prefix).await?;
        let team = json!({"metadata": {"labels": {"team": "portal", "pod-security.kubernetes.io/enforce": "privileged"}}});
        system.change(team).await?;
        let accounts: Api<ServiceAccount> = Api::namespaced(system.client().await?, &system.name);
        until(accounts, "default", "is there", PATIENCE, |_| true).await?;
        let some =
            json!({"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}});
        for (name, resources) in [("web-0", some.clone()), ("web-1", some), ("worker", json!({}))] {
            system.pod(name, resources).await?;
        }
        for (claim, class) in [("data", "scratch"), ("uploads", "hostpath")] {
            let volume = system.claim(claim, class).await?;
            system.volumes.push(volume);
        }
        system.others().await?;
        Ok(system)
    }

    async fn client(&self) -> Result<Client> {
        self.cluster.client(Actor::Admin).await
    }

    async fn pod(&self, name: &str, resources: Value) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(self.client().await?, &self.name);
        let container = json!({"name": "main", "image": "registry.example/portal:7", "resources": resources});
        let pod =
            serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"containers": [container]}}))?;
        pods.create(&PostParams::default(), &pod).await.map(drop).context(name.to_owned())
    }

    async fn claim(&self, name: &str, class: &str) -> Result<String> {
        let claims: Api<PersistentVolumeClaim> = Api::namespaced(self.client().await?, &self.name);
        let wanted = serde_json::from_value(json!({"metadata": {"name": name}, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "5Gi"}},
        }}))?;
        claims.create(&PostParams::default(), &wanted).await?;
        let bound =
            |c: &PersistentVolumeClaim| c.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound");
        let claim = until(claims, name, "is bound", PATIENCE, bound).await?;
        let volume = claim.spec.and_then(|spec| spec.volume_name).context("bound to nothing")?;
        let live = Api::<PersistentVolume>::all(self.client().await?).get(&volume).await?;
        fs::write(volumes::directory(&live)?.join("record"), &volume)?;
        Ok(volume)
    }

    /// Objects of whoever administers the namespace today.
    async fn others(&self) -> Result<()> {
        let admin = self.cluster.kubectl(Actor::Admin);
        let name = &self.name;
        admin
            .apply(&format!(
                r#"
apiVersion: v1
kind: ResourceQuota
metadata: {{name: team, namespace: {name}}}
spec: {{hard: {{pods: "20"}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: team, namespace: {name}}}
spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{{}}]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: contractor, namespace: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: contractor}}]
"#
            ))
            .await
            .map(drop)
    }

    /// The sample application, with this namespace for its entry.
    pub fn application(&self, department: &Department, name: &str) -> Result<Value> {
        let mut manifest = department.application(name)?;
        manifest["spec"]["namespaces"][0]["existing"] = json!({"name": self.name, "uid": self.uid});
        Ok(manifest)
    }

    /// Merge-patches the namespace as the harness.
    pub async fn change(&self, patch: Value) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client().await?);
        namespaces.patch(&self.name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// Somebody gives the namespace to an application.
    pub async fn release_as(&self, who: Actor, application: &str) -> Result<Namespace> {
        let namespaces: Api<Namespace> = Api::all(self.cluster.client(who).await?);
        let word = json!({"metadata": {"annotations": {"govcloud.dev/adopt-out": application}}});
        Ok(namespaces.patch(&self.name, &PatchParams::default(), &Patch::Merge(word)).await?)
    }

    async fn live(&self) -> Result<Namespace> {
        Ok(Api::<Namespace>::all(self.client().await?).get(&self.name).await?)
    }

    /// Labels of the namespace, which is still the same.
    pub async fn labels(&self) -> Result<BTreeMap<String, String>> {
        let live = self.live().await?;
        ensure!(live.uid().as_ref() == Some(&self.uid), "it is another namespace");
        Ok(live.metadata.labels.unwrap_or_default())
    }

    /// Its resourceVersion.
    pub async fn version(&self) -> Result<String> {
        self.live().await?.resource_version().context("no resourceVersion")
    }

    /// UIDs of its Pods by name; none is on its way out.
    pub async fn pods(&self) -> Result<BTreeMap<String, String>> {
        let pods: Api<Pod> = Api::namespaced(self.client().await?, &self.name);
        let found = pods.list(&ListParams::default()).await?.items;
        ensure!(found.iter().all(|p| p.metadata.deletion_timestamp.is_none()), "a Pod is being deleted");
        Ok(found.iter().map(|pod| (pod.name_any(), pod.uid().unwrap_or_default())).collect())
    }

    /// Names of the objects of a resource in it.
    pub async fn names(&self, resource: &str) -> Result<Vec<String>> {
        let admin = self.cluster.kubectl(Actor::Admin);
        let shown = admin.run(&["get", resource, "-n", &self.name, "-o", "name"]).await?;
        Ok(shown.lines().filter_map(|line| line.split_once('/')).map(|(_, name)| name.to_owned()).collect())
    }

    /// The namespace is marked, its volumes are kept, and what was there stays as it was.
    pub async fn assert_marked(&self, application: &str) -> Result<()> {
        let labels = self.labels().await?;
        let label = |key: &str| labels.get(key).map(String::as_str);
        ensure!(label("govcloud.dev/application-uid") == Some(application), "{labels:?}");
        ensure!(
            label("govcloud.dev/adopted") == Some("observe") && label("team") == Some("portal"),
            "{labels:?}"
        );
        ensure!(label("pod-security.kubernetes.io/enforce") == Some("privileged"), "{labels:?}");
        ensure!(label("pod-security.kubernetes.io/warn") == Some("restricted"), "{labels:?}");
        let volumes: Api<PersistentVolume> = Api::all(self.client().await?);
        for name in &self.volumes {
            let volume = volumes.get(name).await?;
            let policy = volume.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.as_deref());
            let owner = volume.labels().get("govcloud.dev/application-uid").map(String::as_str);
            ensure!((policy, owner) == (Some("Retain"), Some(application)), "{name}: {policy:?} {owner:?}");
        }
        Ok(())
    }

    /// It is furnished: limits, then a quota that limits, access; and the objects of others are still there.
    pub async fn observed(&self, department: &Department, application: &str) -> Result<DynamicObject> {
        let limited = |s: &Value| s["adoption"]["limited"] == true;
        let record = department.until(Kind::Application, application, "is limited", limited).await?;
        let differences = record.data["status"]["adoption"]["differences"].to_string();
        ensure!(differences.contains("NetworkPolicy/govcloud-default-deny"), "{differences}");
        for (resource, expected) in [
            ("limitranges", vec!["govcloud-defaults"]),
            ("resourcequotas", vec!["govcloud", "team"]),
            ("networkpolicies", vec!["team"]),
        ] {
            let found = self.names(resource).await?;
            ensure!(found == expected, "{resource}: {found:?}");
        }
        let access = || async {
            let found = self.names("rolebindings").await?;
            Ok((found == ["contractor", "govcloud-edit"]).then_some(()))
        };
        eventually("access is added, and nobody's taken away", PATIENCE, access).await?;
        Ok(record)
    }

    /// A Pod that states no requests comes back under the quota, and one that the rules would refuse.
    pub async fn a_pod_comes_back(&self) -> Result<()> {
        self.pod("again", json!({})).await?;
        let pods: Api<Pod> = Api::namespaced(self.client().await?, &self.name);
        let container = json!({"name": "main", "image": "registry.example/portal:7"});
        let tolerates = json!([{"key": "dedicated", "operator": "Exists"}]);
        let pod = json!({"metadata": {"name": "odd"}, "spec": {"containers": [container], "tolerations": tolerates}});
        pods.create(&PostParams::default(), &serde_json::from_value(pod)?).await.map(drop).context("odd")
    }

    /// The files on its volumes are what they were.
    pub async fn assert_bytes(&self, department: &Department) -> Result<()> {
        let volumes = department.volumes().await?;
        for name in &self.volumes {
            let volume = volumes.get(name).await?;
            let policy = volume.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.as_deref());
            ensure!(policy == Some("Retain"), "{name}: {policy:?}");
            let file = volumes::directory(&volume)?.join("record");
            ensure!(fs::read_to_string(&file)? == *name, "{} is another", file.display());
        }
        Ok(())
    }
}
