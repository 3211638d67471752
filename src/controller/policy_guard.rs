//! The guard: watches every policy, binding and CRD of this project and says whether the gate stands.
//!
//! What it compares is [`govcloud_domain::integrity`]'s; the record of the last good check is a ConfigMap, so that
//! a gap while the operator was down is seen as well (design, section 3).

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::client::{self, EventBody};
use super::clock::Clock;
use super::metrics::Requests;
use govcloud_api::resources::{ADMISSION_POLICIES, CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, ResourceType};
use govcloud_api::{OPERATOR_NAME, OPERATOR_NAMESPACE};
use govcloud_domain::decision::PolicyIntegrity;
use govcloud_domain::integrity::{self, Record, Release};
use govcloud_domain::plan::Target;
use govcloud_domain::release::{self, RELEASE};

/// Label of everything that the guard watches beside the CRDs.
const SELECTOR: &str = "app.kubernetes.io/part-of=govcloud-operator";

/// ConfigMap that holds the record of the last good check: the operator's alone (policy).
pub const RECORD: &str = "govcloud-guard";

/// Watched beside the policies: the CRDs, and the recorded release.
const OTHERS: [ResourceType; 2] = [CUSTOM_RESOURCE_DEFINITION, CONFIG_MAP];

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
            Event::InitApply(o) | Event::Apply(o) if kind == "ConfigMap" => {
                self.released = release::read_release(&o.data["data"])
            }
            Event::Delete(_) if kind == "ConfigMap" => self.released.clear(),
            Event::InitApply(o) | Event::Apply(o) => {
                let seen = guarded(&o, kind);
                self.live.0.insert(integrity::key(&seen), seen.to_string().into());
            }
            Event::Delete(o) => drop(self.live.0.remove(&integrity::key(&guarded(&o, kind)))),
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
    says: watch::Sender<PolicyIntegrity>,
    counts: Requests,
) {
    let mut wanted = match release::shipped_for(&namespace_controller) {
        Ok(w) => w,
        Err(e) => {
            says.send_replace(PolicyIntegrity::Violated(vec![e]));
            return;
        }
    };
    let stamps = mutating_policies_served(&client).await;
    if !stamps {
        wanted.retain(|k, _| !k.starts_with("Mutating"));
    }
    let wanted = Texts::from(wanted);
    let kinds = ADMISSION_POLICIES.into_iter().filter(|r| stamps || !r.kind.starts_with("Mutating"));
    let kinds: Vec<_> = kinds.chain(OTHERS).collect();
    let mut seen = Seen { lists: kinds.len(), ..Seen::default() };
    let mut events = stream::select_all(kinds.into_iter().map(|k| watch_kind(&client, k, counts.clone())));
    let mut recorded = load(&client).await;
    while let Some((kind, event)) = events.next().await {
        if !seen.take(kind, event) {
            continue;
        }
        let (wanted, live) = (wanted.read(), seen.live.read());
        let (guard, record) =
            integrity::check(&wanted, &live, &seen.released, recorded.as_ref(), clock.now());
        // What was sealed before an opening is over: even if everything comes back, there was a gap.
        let news = recorded != record;
        if news {
            keep(&client, record.as_ref()).await;
            recorded = record;
        }
        let before = says.send_replace(guard.clone());
        if std::mem::discriminant(&before) != std::mem::discriminant(&guard) {
            // A restart finds what it left: that is worth a line in the log, not an Event (S11).
            announce(&client, &identity, &guard, news || before != PolicyIntegrity::Unknown).await;
        }
    }
}

/// Says in the log, and as an Event beside the operator, that the gate opened or closed.
async fn announce(client: &kube::Client, identity: &str, guard: &PolicyIntegrity, news: bool) {
    let (reason, warning, note) = match guard {
        PolicyIntegrity::Unknown => return,
        PolicyIntegrity::Violated(why) => (
            "GuardOpen",
            true,
            format!(
                "审批策略不完整,任何审批均不生效 / the gate is open, no decision counts: {}",
                why.join("; ")
            ),
        ),
        PolicyIntegrity::Intact { since } => {
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
    let about = Target::namespaced(CONFIG_MAP, OPERATOR_NAMESPACE, RECORD);
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

/// What [`integrity::check`] looks at of a live object.
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
    resource_type: ResourceType,
    counts: Requests,
) -> BoxStream<'static, News> {
    let ResourceType { plural, kind, .. } = resource_type;
    let resource = resource_type.api_resource();
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
