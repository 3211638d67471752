//! The guard: watches every policy, binding and CRD of this project and says whether the gate stands.
//!
//! What it compares is [`crate::core::seal`]'s; the record of the last good check is a ConfigMap, so that
//! a gap while the operator was down is seen as well (design, section 3).

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use include_dir::{Dir, include_dir};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::client::resource;
use super::clock::Clock;
use crate::api::{OPERATOR_NAME, OPERATOR_NAMESPACE};
use crate::core::decision::Guard;
use crate::core::digest::digest_of;
use crate::core::seal::{self, Record};

/// The policies as shipped.
static ADMISSION: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/admission");

/// Label of everything that the guard watches beside the CRDs.
const SELECTOR: &str = "app.kubernetes.io/part-of=govcloud-operator";

/// ConfigMap that holds the record of the last good check.
pub const RECORD: &str = "govcloud-guard";

/// Kinds of policy objects: group version, plural, kind. The mutating ones exist from 1.36 on.
const POLICIES: [(&str, &str, &str); 4] = [
    ("admissionregistration.k8s.io/v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy"),
    (
        "admissionregistration.k8s.io/v1",
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
    ),
    ("admissionregistration.k8s.io/v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io/v1", "mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding"),
];

/// Everything that is shipped and guarded, by `Kind/name`.
///
/// # Errors
/// A shipped file that cannot be read: a defect of the build.
pub fn shipped() -> Result<BTreeMap<String, Value>, String> {
    let mut objects = BTreeMap::new();
    let files = ADMISSION.find("**/*.yaml").map_err(|e| e.to_string())?;
    for file in files.filter_map(include_dir::DirEntry::as_file) {
        let text = file.contents_utf8().unwrap_or_default();
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(text).map_err(|e| format!("{}: {e}", file.path().display()))?;
        let guarded = |o: &Value| POLICIES.iter().any(|(_, _, k)| o["kind"] == *k);
        objects.extend(documents.into_iter().filter(guarded).map(|o| (seal::key(&o), o)));
    }
    for crd in crate::api::crds() {
        let mut o = serde_json::to_value(&crd).map_err(|e| e.to_string())?;
        o["kind"] = json!("CustomResourceDefinition");
        objects.insert(seal::key(&o), o);
    }
    Ok(objects)
}

/// Watches the gate and publishes what it sees, for as long as the operator runs.
pub async fn watch(client: kube::Client, clock: Clock, says: watch::Sender<Guard>) {
    let mut wanted = match shipped() {
        Ok(w) => w,
        Err(e) => {
            says.send_replace(Guard::Open(vec![e]));
            return;
        }
    };
    let stamps = mutating_policies_served(&client).await;
    if !stamps {
        wanted.retain(|k, _| !k.starts_with("Mutating"));
    }
    let release = digest_of(&json!([env!("CARGO_PKG_VERSION"), wanted])).unwrap_or_default();
    let kinds = POLICIES.iter().filter(|(_, _, k)| stamps || !k.starts_with("Mutating")).copied();
    let kinds: Vec<_> = kinds
        .chain([("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition")])
        .collect();
    let mut lists = kinds.len();
    let mut events = stream::select_all(kinds.into_iter().map(|k| watch_kind(&client, k)));
    let mut live: BTreeMap<String, Value> = BTreeMap::new();
    let mut recorded = load(&client).await;
    while let Some((kind, event)) = events.next().await {
        match event {
            Event::Init => live.retain(|k, _| !k.starts_with(&format!("{kind}/"))),
            Event::InitApply(o) | Event::Apply(o) => {
                drop(live.insert(
                    format!("{kind}/{}", o.metadata.name.clone().unwrap_or_default()),
                    value(o, kind),
                ))
            }
            Event::Delete(o) => drop(live.remove(&format!("{kind}/{}", o.metadata.name.unwrap_or_default()))),
            Event::InitDone => lists = lists.saturating_sub(1),
        }
        if lists > 0 {
            continue;
        }
        let (guard, record) = seal::check(&wanted, &live, recorded.as_ref(), &release, clock.now());
        if let Guard::Open(why) = &guard {
            tracing::error!(
                why = why.join("; "),
                "the gate is open: no decision counts until the policies stand again"
            );
            // What was sealed before is over: even if everything comes back, there was a gap.
            recorded = None;
            forget(&client).await;
        }
        if let Some(record) = record
            && recorded.as_ref() != Some(&record)
        {
            keep(&client, &record).await;
            recorded = Some(record);
        }
        says.send_if_modified(|g| {
            let changed = *g != guard;
            *g = guard;
            changed
        });
    }
}

fn value(o: DynamicObject, kind: &str) -> Value {
    let mut v = serde_json::to_value(&o).unwrap_or_default();
    v["kind"] = json!(kind);
    v
}

type Seen = (&'static str, Event<DynamicObject>);

fn watch_kind(
    client: &kube::Client,
    (version, plural, kind): (&'static str, &'static str, &'static str),
) -> BoxStream<'static, Seen> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource(version, plural, kind));
    let config = if kind == "CustomResourceDefinition" {
        watcher::Config::default()
    } else {
        watcher::Config::default().labels(SELECTOR)
    };
    let events = watcher::watcher(api, config).default_backoff().filter_map(move |e| async move {
        match e {
            Ok(e) => Some((kind, e)),
            Err(e) => {
                tracing::warn!(kind, error = %e, "the guard's watch was interrupted; it is resumed");
                None
            }
        }
    });
    events.boxed()
}

/// Whether the API server has MutatingAdmissionPolicy (1.36 and later).
async fn mutating_policies_served(client: &kube::Client) -> bool {
    let list = client.list_api_group_resources("admissionregistration.k8s.io/v1").await;
    list.is_ok_and(|l| l.resources.iter().any(|r| r.name == "mutatingadmissionpolicies"))
}

fn records(client: &kube::Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), OPERATOR_NAMESPACE)
}

async fn load(client: &kube::Client) -> Option<Record> {
    let map = records(client).get_opt(RECORD).await.ok().flatten()?;
    serde_json::from_str(map.data?.get("record")?).ok()
}

async fn keep(client: &kube::Client, record: &Record) {
    let text = serde_json::to_string(record).unwrap_or_default();
    put(client, &text).await;
}

/// Records that the gate was open, so that a restart does not forget it.
async fn forget(client: &kube::Client) {
    put(client, "null").await;
}

async fn put(client: &kube::Client, text: &str) {
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": RECORD, "namespace": OPERATOR_NAMESPACE }, "data": { "record": text } });
    if let Err(e) =
        records(client).patch(RECORD, &PatchParams::apply(OPERATOR_NAME).force(), &Patch::Apply(&body)).await
    {
        tracing::warn!(error = %e, "the guard's record could not be kept");
    }
}
