//! The policy guard: watches every policy, binding and CRD of this project, and every mutator of others, and publishes
//! whether decisions count.
//!
//! [`govcloud_domain::integrity`] and [`govcloud_domain::mutators`] compare them. The record of the last good check is a ConfigMap, so that a gap while
//! the operator was down is seen as well (design, section 3).

use std::convert::Infallible;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;
use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use tokio::sync::watch;

use super::client::{self, EventBody};
use super::clock::Clock;
use super::metrics::Requests;
use govcloud_api::OPERATOR_NAMESPACE;
use govcloud_api::resources::{
    ADMISSION_POLICIES, CONFIG_MAP, CUSTOM_RESOURCE_DEFINITION, MUTATING_ADMISSION_POLICY,
    MUTATING_WEBHOOK_CONFIGURATION, MUTATORS, ResourceType,
};
use govcloud_domain::integrity::{self, PolicyIntegrity, Record};
use govcloud_domain::mutators;
use govcloud_domain::plan::Target;
use govcloud_domain::release::{self, RELEASE};
use govcloud_domain::seal::Seal;

mod live;
mod memory;
#[cfg(test)]
mod tests;

use live::Live;
use memory::{Memory, store_record};

/// Label of the validating policies that the guard watches. Those of others can only refuse more.
const SELECTOR: &str = "app.kubernetes.io/part-of=govcloud-operator";

/// ConfigMap that holds the record of the last good check: the operator's alone (policy).
pub const RECORD: &str = "govcloud-guard";

/// Watched beside the policies: the CRDs, the recorded release, and webhooks that mutate.
const OTHERS: [ResourceType; 3] = [CUSTOM_RESOURCE_DEFINITION, CONFIG_MAP, MUTATING_WEBHOOK_CONFIGURATION];

/// Versions under which an API server can serve MutatingAdmissionPolicies, best first: the policies of this project need
/// the first, those of others may stand under any.
const ADMISSION_VERSIONS: [&str; 3] = [
    MUTATING_ADMISSION_POLICY.api_version,
    "admissionregistration.k8s.io/v1beta1",
    "admissionregistration.k8s.io/v1alpha1",
];

/// One operator's guard: publishes for as long as it runs.
pub struct PolicyGuard {
    /// Client for the watches, the record and its Events.
    pub client: kube::Client,
    /// The time of a check.
    pub clock: Clock,
    /// Name of this replica, for Events.
    pub identity: String,
    /// Username of the cluster's namespace controller, for which the policies were installed.
    pub namespace_controller: String,
    /// Receives the result of each check.
    pub integrity: watch::Sender<PolicyIntegrity>,
    /// Receives the seal that belongs to it, before it.
    pub seal: watch::Sender<Seal>,
    /// Counts interruptions of the watches.
    pub counts: Requests,
}

/// The objects as they compare, and the last good check.
struct Checked {
    live: Live,
    recorded: Option<Record>,
    /// The operator's key.
    key: Seal,
    /// True until the first period begins, where the operator has no memory at all: what its records say counts.
    adopts_first: bool,
}

/// The result of one check.
struct Checking {
    integrity: PolicyIntegrity,
    /// The seal that belongs to it.
    seal: Seal,
    /// The record is another than before and is to be stored.
    record_changed: bool,
}

impl Checked {
    /// Applies one event, and checks where it may have changed something.
    fn observe(
        &mut self,
        kind: &'static str,
        event: Event<DynamicObject>,
        now: Timestamp,
    ) -> Option<Checking> {
        if !self.live.apply(kind, event) {
            return None;
        }
        let others = self.live.others();
        let (released, allowed) = Live::release(&others);
        let checked = integrity::check(&self.live.comparison(), &released, self.recorded.as_ref(), now);
        let unlisted = mutators::unlisted(mutators::foreign(&others), &allowed);
        let (integrity, mut record) = mutators::with_unlisted(checked, unlisted);
        if let Some(record) = &mut record {
            record.key = self.key.key_id();
            record.adopts |= std::mem::take(&mut self.adopts_first);
        }
        // A violation ends the record: even if everything comes back, there was a gap.
        let record_changed = self.recorded != record;
        self.recorded = record;
        let seal = self.seal(&integrity);
        Some(Checking { integrity, seal, record_changed })
    }

    /// The seal of the present period; of none while a policy is missing or altered.
    fn seal(&self, integrity: &PolicyIntegrity) -> Seal {
        let intact = matches!(integrity, PolicyIntegrity::Intact { .. });
        let period = self.recorded.as_ref().filter(|_| intact).map(|r| r.period.clone());
        self.key.in_period(period, self.recorded.as_ref().is_some_and(|r| r.adopts))
    }
}

impl PolicyGuard {
    /// Watches and publishes until the process ends.
    ///
    /// # Errors
    /// The policies that were compiled in cannot be read.
    pub async fn run(self) -> Result<Infallible, String> {
        let mut shipped = release::shipped_for(&self.namespace_controller)?;
        let version = mutating_policies_served(&self.client).await;
        if version != Some(MUTATING_ADMISSION_POLICY.api_version) {
            shipped.retain(|key, _| !key.starts_with("Mutating"));
        }
        let served = |r: ResourceType| match r.kind.starts_with("Mutating") {
            true => version.map(|api_version| ResourceType { api_version, ..r }),
            false => Some(r),
        };
        let kinds: Vec<_> = ADMISSION_POLICIES.into_iter().filter_map(served).chain(OTHERS).collect();
        let live = Live::new(&shipped, kinds.iter().map(|r| r.kind));
        let mut events = stream::select_all(kinds.into_iter().map(|r| self.watch(r)));
        let memory = Memory::load(&self.client).await;
        let mut checked = memory.checked(live);
        while let Some((kind, event)) = events.next().await {
            if let Some(checking) = checked.observe(kind, event, self.clock.now()) {
                self.publish(checking, checked.recorded.as_ref()).await;
            }
        }
        Err("its watches ended".to_owned())
    }

    /// Stores a record that changed, and publishes and reports a result that changed.
    async fn publish(&self, checking: Checking, record: Option<&Record>) {
        let Checking { integrity, seal, record_changed } = checking;
        if record_changed {
            store_record(&self.client, record).await;
        }
        self.seal.send_replace(seal);
        if let Some(before) = replace_if_changed(&self.integrity, &integrity)
            && std::mem::discriminant(&before) != std::mem::discriminant(&integrity)
        {
            // A restart that finds nothing changed writes a line in the log and no Event (S11).
            self.report(&integrity, record_changed || before != PolicyIntegrity::Unknown).await;
        }
    }

    /// Logs that the policies became intact or violated, and writes an Event beside the operator.
    async fn report(&self, integrity: &PolicyIntegrity, event: bool) {
        let (reason, warning, note) = match integrity {
            PolicyIntegrity::Unknown => return,
            PolicyIntegrity::Violated(why) => (
                "PolicyIntegrityViolated",
                true,
                format!(
                    "审批策略不完整，审批一律不生效 / admission policies incomplete, approvals do not count: {}",
                    why.iter().map(|w| w.text().en).collect::<Vec<_>>().join("; ")
                ),
            ),
            PolicyIntegrity::Intact { since } => (
                "PolicyIntegrityRestored",
                false,
                format!("审批策略完整，自 {since} 起 / admission policies intact since {since}"),
            ),
        };
        if warning {
            tracing::error!(note, "admission policies violated");
        } else {
            tracing::info!(note, "admission policies intact");
        }
        if !event {
            return;
        }
        let about = Target::namespaced(CONFIG_MAP, OPERATOR_NAMESPACE, RECORD);
        let at = Timestamp::now();
        let event = EventBody {
            name: format!("{RECORD}.{:x}", at.as_nanosecond()),
            about: &about,
            uid: "",
            reason,
            warning,
            note,
            at,
            instance: &self.identity,
        };
        if let Err(e) = client::Requests::new(self.client.clone()).event(&event).await {
            tracing::warn!(error = %e, reason, "the policy guard's Event could not be written");
        }
    }

    /// The events of one kind's watch; an interruption is counted and resumed.
    fn watch(&self, resource: ResourceType) -> BoxStream<'static, (&'static str, Event<DynamicObject>)> {
        let ResourceType { plural, kind, .. } = resource;
        let (client, resource) = (self.client.clone(), resource.api_resource());
        let (api, config): (Api<DynamicObject>, _) = match kind {
            "ConfigMap" => (
                Api::namespaced_with(client, OPERATOR_NAMESPACE, &resource),
                watcher::Config::default().fields(&format!("metadata.name={RELEASE}")),
            ),
            kind if kind == CUSTOM_RESOURCE_DEFINITION.kind || MUTATORS.iter().any(|m| m.kind == kind) => {
                (Api::all_with(client, &resource), watcher::Config::default())
            }
            _ => (Api::all_with(client, &resource), watcher::Config::default().labels(SELECTOR)),
        };
        let counts = self.counts.clone();
        let events = watcher::watcher(api, config).default_backoff().filter_map(move |event| {
            let event = event.inspect_err(|e| {
                counts.interrupted(plural);
                tracing::warn!(kind, error = %e, "the policy guard's watch was interrupted; it is resumed");
            });
            std::future::ready(event.ok().map(|event| (kind, event)))
        });
        events.boxed()
    }
}

/// Publishes a result that differs from the present one, which is returned; equal ones wake nobody.
fn replace_if_changed(
    published: &watch::Sender<PolicyIntegrity>,
    new: &PolicyIntegrity,
) -> Option<PolicyIntegrity> {
    let mut before = None;
    published.send_if_modified(|present| {
        let changed = present != new;
        if changed {
            before = Some(std::mem::replace(present, new.clone()));
        }
        changed
    });
    before
}

/// The best version under which the API server has MutatingAdmissionPolicies: v1 in 1.36 and later, another before if
/// somebody switched it on.
async fn mutating_policies_served(client: &kube::Client) -> Option<&'static str> {
    let what = "the served admission policies";
    let groups = client::insist(what, || client.list_api_groups()).await;
    let offered = |version: &&str| {
        let versions = groups.groups.iter().flat_map(|g| &g.versions);
        versions.into_iter().any(|v| v.group_version == *version)
    };
    for version in ADMISSION_VERSIONS.into_iter().filter(offered) {
        let list = client::insist(what, || client.list_api_group_resources(version)).await;
        if list.resources.iter().any(|r| r.name == MUTATING_ADMISSION_POLICY.plural) {
            return Some(version);
        }
    }
    None
}
