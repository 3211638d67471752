//! The guard: watches every policy, binding and CRD of this project and says whether the gate stands.
//!
//! What it compares is [`crate::core::seal`]'s; the record of the last good check is a ConfigMap, so that
//! a gap while the operator was down is seen as well (design, section 3).

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use include_dir::{Dir, include_dir};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::client::{self, EventBody, resource};
use super::clock::Clock;
use super::metrics::Requests;
use crate::api::{OPERATOR_NAME, OPERATOR_NAMESPACE};
use crate::core::decision::Guard;
use crate::core::seal::{self, Record, Release};
use crate::core::targets::Kind;

/// The policies as shipped.
static ADMISSION: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/admission");

/// Label of everything that the guard watches beside the CRDs.
const SELECTOR: &str = "app.kubernetes.io/part-of=govcloud-operator";

/// ConfigMap that holds the record of the last good check: the operator's alone (policy).
pub const RECORD: &str = "govcloud-guard";

/// ConfigMap that records a release before it is applied: written by a holder of `administer` (policy).
pub const RELEASE: &str = "govcloud-release";

/// Who writes `namespaces/finalize` and `namespaces/status` where nothing else is said: the namespace controller
/// of a kube-controller-manager with `--use-service-account-credentials`.
pub const NAMESPACE_CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";

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

/// What is watched beside them: the CRDs, and the recorded release.
const OTHERS: [(&str, &str, &str); 2] = [
    ("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition"),
    ("v1", "configmaps", "ConfigMap"),
];

/// Everything that is shipped and guarded, by `Kind/name`, for the usual namespace controller.
///
/// # Errors
/// A shipped file that cannot be read: a defect of the build.
pub fn shipped() -> Result<BTreeMap<String, Value>, String> {
    shipped_for(NAMESPACE_CONTROLLER)
}

/// The same where the namespace controller acts under this username.
///
/// # Errors
/// A shipped file that cannot be read: a defect of the build.
pub fn shipped_for(namespace_controller: &str) -> Result<BTreeMap<String, Value>, String> {
    let mut objects = BTreeMap::new();
    let files = ADMISSION.find("**/*.yaml").map_err(|e| e.to_string())?;
    for file in files.filter_map(include_dir::DirEntry::as_file) {
        let text = file.contents_utf8().unwrap_or_default();
        let text = text.replace(NAMESPACE_CONTROLLER, namespace_controller);
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).map_err(|e| format!("{}: {e}", file.path().display()))?;
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

/// Objects by `Kind/name`, as JSON: schemas and policies are a tenth of the size of their trees, and are looked at only
/// when one of them changes.
#[derive(Default)]
struct Texts(BTreeMap<String, Box<str>>);

impl Texts {
    fn read(&self) -> BTreeMap<String, Value> {
        let read = |text: &str| serde_json::from_str(text).expect("what was written as JSON reads as JSON");
        self.0.iter().map(|(key, text)| (key.clone(), read(text))).collect()
    }
}

impl From<BTreeMap<String, Value>> for Texts {
    fn from(objects: BTreeMap<String, Value>) -> Self {
        Self(objects.into_iter().map(|(key, object)| (key, object.to_string().into())).collect())
    }
}

/// What has been seen of the gate.
#[derive(Default)]
struct Seen {
    live: Texts,
    released: Release,
    lists: usize,
}

impl Seen {
    /// Takes in one event. Whether every first list is complete.
    fn take(&mut self, kind: &str, event: Event<DynamicObject>) -> bool {
        match event {
            Event::Init => self.live.0.retain(|k, _| !k.starts_with(&format!("{kind}/"))),
            Event::InitApply(o) | Event::Apply(o) if kind == "ConfigMap" => self.released = read_release(&o),
            Event::Delete(_) if kind == "ConfigMap" => self.released.clear(),
            Event::InitApply(o) | Event::Apply(o) => {
                let seen = guarded(&o, kind);
                self.live.0.insert(seal::key(&seen), seen.to_string().into());
            }
            Event::Delete(o) => drop(self.live.0.remove(&seal::key(&guarded(&o, kind)))),
            Event::InitDone => self.lists = self.lists.saturating_sub(1),
        }
        self.lists == 0
    }
}

/// Watches the gate and publishes what it sees, for as long as the operator runs.
pub async fn watch(
    client: kube::Client,
    clock: Clock,
    identity: String,
    namespace_controller: String,
    says: watch::Sender<Guard>,
    counts: Requests,
) {
    let mut wanted = match shipped_for(&namespace_controller) {
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
    let wanted = Texts::from(wanted);
    let kinds = POLICIES.iter().filter(|(_, _, k)| stamps || !k.starts_with("Mutating")).copied();
    let kinds: Vec<_> = kinds.chain(OTHERS).collect();
    let mut seen = Seen { lists: kinds.len(), ..Seen::default() };
    let mut events = stream::select_all(kinds.into_iter().map(|k| watch_kind(&client, k, counts.clone())));
    let mut recorded = load(&client).await;
    while let Some((kind, event)) = events.next().await {
        if !seen.take(kind, event) {
            continue;
        }
        let (wanted, live) = (wanted.read(), seen.live.read());
        let (guard, record) = seal::check(&wanted, &live, &seen.released, recorded.as_ref(), clock.now());
        // What was sealed before an opening is over: even if everything comes back, there was a gap.
        let news = recorded != record;
        if news {
            keep(&client, record.as_ref()).await;
            recorded = record;
        }
        let before = says.send_replace(guard.clone());
        if std::mem::discriminant(&before) != std::mem::discriminant(&guard) {
            // A restart finds what it left: that is worth a line in the log, not an Event (S11).
            announce(&client, &identity, &guard, news || before != Guard::Unchecked).await;
        }
    }
}

/// Says in the log, and as an Event beside the operator, that the gate opened or closed.
async fn announce(client: &kube::Client, identity: &str, guard: &Guard, news: bool) {
    let (reason, warning, note) = match guard {
        Guard::Unchecked => return,
        Guard::Open(why) => (
            "GuardOpen",
            true,
            format!(
                "审批策略不完整,任何审批均不生效 / the gate is open, no decision counts: {}",
                why.join("; ")
            ),
        ),
        Guard::Sealed { since } => {
            ("GuardSealed", false, format!("审批策略完整,自 {since} 起 / the gate is sealed since {since}"))
        }
    };
    if warning {
        tracing::error!(note, "the gate is open");
    } else {
        tracing::info!(note, "the gate is sealed");
    }
    if !news {
        return;
    }
    let about = Kind("v1", "configmaps", "ConfigMap").within(OPERATOR_NAMESPACE, RECORD);
    let at = jiff::Timestamp::now();
    let event = EventBody {
        name: format!("{RECORD}.{:x}", at.as_nanosecond()),
        about: &about,
        uid: "",
        reason,
        warning,
        note,
        at,
        instance: identity,
    };
    if let Err(e) = client::Requests::new(client.clone()).event(&event).await {
        tracing::warn!(error = %e, "the guard's Event could not be written");
    }
}

/// The release that the ConfigMap records: digests in `objects`, and in `rendered` whole manifests whose digests
/// only their renderer knew too late (the chart's, for another namespace controller).
fn read_release(o: &DynamicObject) -> Release {
    let text = |key: &str| o.data["data"][key].as_str();
    let mut release: Release = text("objects").and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    let rendered: Vec<Value> =
        text("rendered").and_then(|t| serde_saphyr::from_multiple(t).ok()).unwrap_or_default();
    let rendered = rendered.into_iter().map(|o| (seal::key(&o), o)).collect();
    release.extend(seal::release(&rendered));
    release
}

/// The ConfigMap that records this build's release, to be applied before its policies.
///
/// # Errors
/// A shipped file that cannot be read: a defect of the build.
pub fn release_manifest(namespace_controller: &str) -> Result<Value, String> {
    let shipped = shipped_for(namespace_controller)?;
    let objects = serde_json::to_string_pretty(&seal::release(&shipped)).map_err(|e| e.to_string())?;
    Ok(
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": RELEASE, "namespace": OPERATOR_NAMESPACE }, "data": { "objects": objects } }),
    )
}

/// What [`seal::check`] looks at of a live object.
fn guarded(o: &DynamicObject, kind: &str) -> Value {
    let ObjectMeta { name, uid, generation, deletion_timestamp, .. } = &o.metadata;
    let metadata = json!({
        "name": name, "uid": uid, "generation": generation, "deletionTimestamp": deletion_timestamp,
    });
    json!({ "kind": kind, "metadata": metadata, "spec": o.data["spec"] })
}

type News = (&'static str, Event<DynamicObject>);

fn watch_kind(
    client: &kube::Client,
    (version, plural, kind): (&'static str, &'static str, &'static str),
    counts: Requests,
) -> BoxStream<'static, News> {
    let resource = resource(version, plural, kind);
    let (api, config): (Api<DynamicObject>, _) = match kind {
        "ConfigMap" => (
            Api::namespaced_with(client.clone(), OPERATOR_NAMESPACE, &resource),
            watcher::Config::default().fields(&format!("metadata.name={RELEASE}")),
        ),
        "CustomResourceDefinition" => (Api::all_with(client.clone(), &resource), watcher::Config::default()),
        _ => (Api::all_with(client.clone(), &resource), watcher::Config::default().labels(SELECTOR)),
    };
    let events = watcher::watcher(api, config).default_backoff().filter_map(move |e| {
        let news = match e {
            Ok(e) => Some((kind, e)),
            Err(e) => {
                counts.interrupted(plural);
                tracing::warn!(kind, error = %e, "the guard's watch was interrupted; it is resumed");
                None
            }
        };
        std::future::ready(news)
    });
    events.boxed()
}

/// Whether the API server has MutatingAdmissionPolicy (1.36 and later). No answer is none: it is asked again.
async fn mutating_policies_served(client: &kube::Client) -> bool {
    let ask = || client.list_api_group_resources("admissionregistration.k8s.io/v1");
    let list = client::insist("which admission policies are served", ask).await;
    list.resources.iter().any(|r| r.name == "mutatingadmissionpolicies")
}

fn records(client: &kube::Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), OPERATOR_NAMESPACE)
}

/// The record of the last good check. Without an answer nothing is known of gaps: it is asked for until there is one.
async fn load(client: &kube::Client) -> Option<Record> {
    let maps = records(client);
    let map = client::insist("the guard's record", || maps.get_opt(RECORD)).await?;
    serde_json::from_str(map.data?.get("record")?).ok()
}

/// Keeps the record of a good check, or that there is none, so that a restart does not forget a gap.
async fn keep(client: &kube::Client, record: Option<&Record>) {
    let text = serde_json::to_string(&record).unwrap_or_default();
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": RECORD, "namespace": OPERATOR_NAMESPACE }, "data": { "record": text } });
    let manager = PatchParams::apply(OPERATOR_NAME).force();
    if let Err(e) = records(client).patch(RECORD, &manager, &Patch::Apply(&body)).await {
        tracing::warn!(error = %e, "the guard's record could not be kept");
    }
}
