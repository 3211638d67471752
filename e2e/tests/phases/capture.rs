//! Every way in which a record ever stood, as the API server stored it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Cluster;
use e2e::fixtures::{Kind, condition};
use e2e::paths::in_repository;
use futures::StreamExt;
use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;
use tokio::task::JoinSet;

/// Kind, phase, reason, and whether anything is overdue.
type Standing = (String, String, String, bool);

/// First stored record of each state.
#[derive(Clone, Default)]
pub struct Capture(Arc<Mutex<BTreeMap<Standing, Value>>>);

impl Capture {
    /// Watches every kind from now on, for as long as `tasks` live.
    pub async fn start(cluster: &Cluster, tasks: &mut JoinSet<()>) -> Result<Self> {
        let capture = Self::default();
        for kind in Kind::ALL {
            let api: Api<DynamicObject> =
                Api::all_with(cluster.client(Actor::Admin).await?, &kind.resource());
            let mut events = watcher::watcher(api, watcher::Config::default()).default_backoff().boxed();
            let capture = capture.clone();
            tasks.spawn(async move {
                while let Some(event) = events.next().await {
                    if let Ok(Event::Apply(object) | Event::InitApply(object)) = event {
                        capture.take(kind, object);
                    }
                }
            });
        }
        Ok(capture)
    }

    fn take(&self, kind: Kind, mut object: DynamicObject) {
        let resource = kind.resource();
        object.types =
            Some(kube::core::TypeMeta { api_version: resource.api_version, kind: resource.kind.clone() });
        object.metadata.managed_fields = None;
        let Ok(object) = serde_json::to_value(&object) else { return };
        let status = &object["status"];
        let Some(phase) = status["phase"].as_str() else { return };
        let reason = condition(status, "Ready")["reason"].as_str().unwrap_or_default();
        let late = condition(status, "OnTime")["status"] == "False";
        let standing = (resource.kind, phase.to_owned(), reason.to_owned(), late);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(standing).or_insert(object);
    }

    /// Writes each to a file. Fails where a phase that the schema knows has none. Returns how many phases and
    /// standings there are.
    pub fn write(&self, dir: &Path) -> Result<(usize, usize)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((kind, phase, reason, late), object) in &all {
            let late = if *late { ".overdue" } else { "" };
            std::fs::write(dir.join(format!("{kind}.{phase}.{reason}{late}.json")), object.to_string())?;
        }
        let seen: BTreeSet<(String, String)> =
            all.into_keys().map(|(kind, phase, ..)| (kind, phase)).collect();
        let known = phases()?;
        let missing: Vec<_> = known.difference(&seen).collect();
        ensure!(missing.is_empty(), "no record was ever stored in these phases: {missing:?}");
        Ok((known.len(), std::fs::read_dir(dir)?.count()))
    }
}

/// Every phase of every kind, from the CRDs that are shipped.
fn phases() -> Result<BTreeSet<(String, String)>> {
    let mut all = BTreeSet::new();
    for kind in Kind::ALL {
        let resource = kind.resource();
        let file = in_repository("crds").join(format!("{}.govcloud.dev.yaml", resource.plural));
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let crd: Value = serde_saphyr::from_str(&text)?;
        let status = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/phase";
        let known = crd.pointer(status).with_context(|| format!("{}: no phase", resource.kind))?;
        let known = [&known["enum"], &known["anyOf"][0]["enum"]].into_iter().find_map(Value::as_array);
        let known = known.with_context(|| format!("{}: no enum of phases", resource.kind))?;
        all.extend(known.iter().filter_map(Value::as_str).map(|p| (resource.kind.clone(), p.to_owned())));
    }
    Ok(all)
}
