//! A tenant's objects as the API server keeps them: each has the letter of what was applied, whatever the server adds to
//! it, fills in or drops. So the operator sees without reading them that nothing differs, and writes nothing (S11).

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::Setup;
use e2e::personas::Persona;
use e2e::suite::{self, Context};
use govcloud_domain::tenancy::{
    self, Access, AccessList, ContainerLimits, Letter, Limits, LiveObject, Owner, PodSecurity, Role, Stage,
    SubjectKind, Tenant, TenantObject, Whole,
};
use k8s_openapi::api::core::v1::{LimitRange, Namespace, ResourceQuota};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject};
use serde_json::{Value, json};

fn main() -> ExitCode {
    suite::main(Setup::Bare, e2e::tests![s11_what_the_server_keeps_has_the_letter_of_what_was_applied])
}

fn map(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn resource(kind: &str) -> Result<ApiResource> {
    Ok(match kind {
        "Namespace" => ApiResource::erase::<Namespace>(&()),
        "ResourceQuota" => ApiResource::erase::<ResourceQuota>(&()),
        "LimitRange" => ApiResource::erase::<LimitRange>(&()),
        "NetworkPolicy" => ApiResource::erase::<NetworkPolicy>(&()),
        "RoleBinding" => ApiResource::erase::<RoleBinding>(&()),
        other => anyhow::bail!("a tenant has no {other}"),
    })
}

/// Limits of every kind of region: the sample's, with a maximum alone, with a minimum alone, with everything.
fn limits() -> [Option<ContainerLimits>; 5] {
    let limits = |default: &[_], request: &[_], max: &[_], min: &[_]| {
        let [default, default_request, max, min] = [default, request, max, min].map(map);
        Some(ContainerLimits { default, default_request, max, min })
    };
    [
        None,
        limits(&[("cpu", "500m"), ("memory", "512Mi")], &[("cpu", "0.1")], &[], &[]),
        limits(&[], &[], &[("cpu", "4"), ("memory", "8192Mi")], &[]),
        limits(&[], &[], &[], &[("cpu", "10m")]),
        limits(&[("cpu", "1")], &[("memory", "64Mi")], &[("cpu", "4"), ("memory", "2Gi")], &[("cpu", "50m")]),
    ]
}

/// What is asked of a tenant's objects of some limits at some stage.
fn with<R>(
    limits: Option<&ContainerLimits>,
    stage: Stage,
    namespace: &str,
    ask: impl FnOnce(&[TenantObject]) -> R,
) -> R {
    let line = |kind, name, role| Access { kind, name, namespace: None, role };
    let people = [
        line(SubjectKind::User, "zhang", Role::Admin),
        line(SubjectKind::ServiceAccount, "pipeline", Role::Edit),
        line(SubjectKind::Group, "transport-ops", Role::Edit),
        line(SubjectKind::Group, "auditors", Role::View),
    ];
    let quota = map(&[
        ("pods", "50"),
        ("requests.cpu", "8000m"),
        ("requests.memory", "1024Mi"),
        ("requests.storage", "0.5Ti"),
        ("services.loadbalancers", "1"),
        ("hostpath.storageclass.storage.k8s.io/requests.storage", "200Gi"),
    ]);
    ask(&tenancy::desired(&Tenant {
        owner: &Owner::new("travel", "6f1c0e52-0000-4000-8000-000000000001", "dept-transport", "410000"),
        entry: "prod",
        namespace,
        namespace_uid: None,
        quota: &quota,
        pod_security: &PodSecurity::new("restricted"),
        storage_classes: &["ssd".to_owned(), "hostpath".to_owned()],
        limit_range: limits.map(Limits::new),
        access: &AccessList::new("dept-transport", people),
        stage,
    }))
}

/// What is live, as the operator finds it.
fn found(kind: &'static str, object: &Value) -> LiveObject {
    let whole = Arc::new(object.clone());
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    LiveObject { kind, name, letter: Letter::of(object), whole: Whole::read_by(move || whole) }
}

/// Whether what the server keeps of each object has its letter, and what is another entry's has not.
fn compare(objects: &[TenantObject], kept: &[Value]) -> Result<()> {
    for (object, kept) in objects.iter().zip(kept) {
        let kind = object.kind();
        ensure!(object.agrees(&found(kind, kept)), "applied {:#}, kept {kept:#}", object.to_apply_json());
        let mut other = kept.clone();
        other["metadata"]["labels"][tenancy::LABEL_ENTRY] = json!("test");
        ensure!(!object.agrees(&found(kind, &other)), "another entry's {kind} has the same letter");
    }
    Ok(())
}

async fn s11_what_the_server_keeps_has_the_letter_of_what_was_applied(context: Context) -> Result<()> {
    let client = context.cluster.client(Persona::Admin).await?;
    let mut compared = 0;
    for (n, limits) in limits().iter().enumerate() {
        let namespace = context.namespace(&format!("tenant{n}")).await?;
        for stage in [Stage::Active, Stage::HandingOver, Stage::Quiesced] {
            let applied = |objects: &[TenantObject]| -> Vec<_> {
                objects.iter().map(|o| (o.kind(), o.namespace().is_some(), o.to_apply_json())).collect()
            };
            let mut kept = Vec::new();
            for (kind, inside, body) in with(limits.as_ref(), stage, &namespace, applied) {
                let what = resource(kind)?;
                let api: Api<DynamicObject> = match inside {
                    true => Api::namespaced_with(client.clone(), &namespace, &what),
                    false => Api::all_with(client.clone(), &what),
                };
                let name = body["metadata"]["name"].as_str().context("a name")?;
                let force = PatchParams::apply(tenancy::MANAGER).force();
                api.patch(name, &force, &Patch::Apply(&body)).await?;
                kept.push(serde_json::to_value(api.get(name).await?)?);
            }
            with(limits.as_ref(), stage, &namespace, |objects| compare(objects, &kept))
                .with_context(|| format!("{limits:?}, {stage:?}"))?;
            compared += kept.len();
        }
    }
    ensure!(compared > 60, "only {compared}");
    println!("tenancy: {compared} objects that the server keeps have the letter of what was applied");
    Ok(())
}
