//! End state of a life, without the values that differ from life to life: times, UIDs, digests, names.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use e2e::actors::Actor;
use e2e::fixtures::{Department, Kind};
use e2e::volumes;
use jiff::Timestamp;
use jiff::civil::Date;
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

/// Records, Events, volumes and directories at the end of a life, as text that can be compared with another life's.
pub async fn end_state(department: &Department, tenant: &str, held: &[PersistentVolume]) -> Result<String> {
    let mut state = Vec::new();
    for (kind, name) in [
        (Kind::Application, "travel"),
        (Kind::Grant, "travel"),
        (Kind::Change, "travel-enlarge"),
        (Kind::Exit, "travel-exit"),
    ] {
        let record = department.api(Actor::Admin, kind).await?.get(name).await?;
        let m = &record.metadata;
        state.push(json!({
            "record": kind.resource().kind, "name": name, "generation": m.generation, "annotations": m.annotations,
            "labels": m.labels, "finalizers": m.finalizers, "owners": m.owner_references, "data": record.data,
        }));
    }
    let events: Api<Event> = Api::namespaced(department.admin().await?, &department.namespace);
    let mut recorded: Vec<String> = Vec::new();
    for event in events.list(&ListParams::default()).await? {
        let about = event.regarding.context("about nothing")?;
        let (kind, name) = (about.kind.unwrap_or_default(), about.name.unwrap_or_default());
        recorded.push(format!("{kind}/{name} {}", event.reason.unwrap_or_default()));
    }
    recorded.sort();
    state.push(json!({ "events": recorded }));
    for volume in held {
        let is = department.volumes().await?.get_opt(&volume.name_any()).await?;
        let file: PathBuf = volumes::directory(volume)?.join("record");
        let spec = is.as_ref().map(|v| serde_json::to_value(&v.spec)).transpose()?.unwrap_or_default();
        state.push(json!({
            "volume": is.as_ref().map(|v| &v.metadata.labels), "policy": spec["persistentVolumeReclaimPolicy"],
            "claim": spec["claimRef"]["name"], "file": std::fs::read_to_string(file).ok(),
            "phase": is.as_ref().and_then(|v| v.status.as_ref()?.phase.clone()),
        }));
    }
    let mut scrub = Scrub {
        names: [(tenant.to_owned(), "TENANT"), (department.namespace.clone(), "FILING_NAMESPACE")],
        seen: HashMap::new(),
    };
    let clean: Vec<Value> = state.iter().map(|value| scrub.value(value)).collect();
    Ok(serde_json::to_string_pretty(&clean)?)
}

/// Fails unless two end states are equal; the error shows the first difference.
pub fn ensure_equal(name: &str, undisturbed: &str, disturbed: &str) -> Result<()> {
    if undisturbed == disturbed {
        return Ok(());
    }
    let (a, b) = (undisturbed.lines(), disturbed.lines());
    let at = a.clone().zip(b.clone()).position(|(a, b)| a != b).unwrap_or_default();
    let around = |lines: std::str::Lines<'_>| {
        lines.skip(at.saturating_sub(14)).take(28).collect::<Vec<_>>().join("\n")
    };
    bail!("{name} ends otherwise, from line {at}:\n--- undisturbed\n{}\n--- {name}\n{}", around(a), around(b))
}

/// Replaces values that differ from life to life by placeholders: the first UID becomes #1, and so on.
struct Scrub {
    names: [(String, &'static str); 2],
    seen: HashMap<String, usize>,
}

impl Scrub {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), self.value(v))).collect(),
            Value::Array(items) => items.iter().map(|v| self.value(v)).collect(),
            Value::String(text) => Value::String(self.text(text)),
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, word) in &self.names {
            text = text.replace(name, word);
        }
        let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|c: char| belongs(c) != belongs(first)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            out.push_str(&if belongs(first) { self.word(word) } else { word.to_owned() });
            rest = after;
        }
        out
    }

    fn word(&mut self, word: &str) -> String {
        let bare = word.strip_prefix("pvc-").unwrap_or(word);
        let of_the_day = word.len() == 5 && word.as_bytes()[2] == b':';
        let date = word.len() == 10 && word.parse::<Date>().is_ok();
        if word.parse::<Timestamp>().is_ok() || of_the_day {
            "TIME".to_owned()
        } else if is_uid(bare) || is_seal(word) || word.starts_with("sha256:") || date {
            let next = self.seen.len() + 1;
            format!("#{}", self.seen.entry(word.to_owned()).or_insert(next))
        } else {
            word.to_owned()
        }
    }
}

fn is_seal(word: &str) -> bool {
    word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit())
}

fn is_uid(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}
