//! End state of a life, without the values that differ from life to life: times, UIDs, digests, names.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, Kind};
use e2e::volumes;
use jiff::Timestamp;
use jiff::civil::Date;
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::api::events::v1::Event;
use kube::api::{DynamicObject, ListParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

/// The records of a life, from the application to its exit.
pub const LIFE: [(Kind, &str); 4] = [
    (Kind::Application, "travel"),
    (Kind::Grant, "travel"),
    (Kind::Change, "travel-enlarge"),
    (Kind::Exit, "travel-exit"),
];

/// Records, Events, volumes and directories at the end of a life, as text that can be compared with another life's.
pub async fn end_state(
    department: &Department,
    tenant: &str,
    held: &[PersistentVolume],
    records: &[(Kind, &str)],
) -> Result<String> {
    let mut state = Vec::new();
    let events = events(department).await?;
    for &(kind, name) in records {
        let record = department.api(Actor::Admin, kind).await?.get(name).await?;
        ensure_noted(&record, &format!("{}/{name}", kind.resource().kind), &events)?;
        let m = &record.metadata;
        state.push(json!({
            "record": kind.resource().kind, "name": name, "generation": m.generation, "annotations": m.annotations,
            "labels": m.labels, "finalizers": m.finalizers, "owners": m.owner_references, "data": record.data,
        }));
    }
    let line = |e: &Event| format!("{} {}: {}", subject(e), e.reason.as_deref().unwrap_or_default(), note(e));
    state.push(json!({ "events": events.iter().map(line).collect::<Vec<_>>() }));
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

/// Events of the filing namespace, those of one record in the order in which they were written.
async fn events(department: &Department) -> Result<Vec<Event>> {
    let events: Api<Event> = Api::namespaced(department.admin().await?, &department.namespace);
    let mut events = events.list(&ListParams::default()).await?.items;
    events.sort_by_key(|e| (subject(e), e.event_time.as_ref().map(|at| at.0)));
    Ok(events)
}

/// Kind and name of the record that an Event is about.
fn subject(event: &Event) -> String {
    let about = event.regarding.clone().unwrap_or_default();
    format!("{}/{}", about.kind.unwrap_or_default(), about.name.unwrap_or_default())
}

fn note(event: &Event) -> &str {
    event.note.as_deref().unwrap_or_default()
}

/// S12: each entry of a record's timeline is in the note of one Event about it, and in no other; the notes hold nothing else.
fn ensure_noted(record: &DynamicObject, name: &str, events: &[Event]) -> Result<()> {
    // Of each wording the first clause: a note names no digest that comes with the status.
    let clauses = |text: &str| -> Vec<String> {
        let chinese = text.split(" / ").next().unwrap_or_default();
        chinese.split('；').map(|part| part.split('，').next().unwrap_or_default().to_owned()).collect()
    };
    let entries = record.data["status"]["timeline"].as_array().into_iter().flatten();
    let mut entries: Vec<String> = entries.filter_map(|e| e["message"].as_str()).flat_map(clauses).collect();
    let mut noted: Vec<String> =
        events.iter().filter(|e| subject(e) == name).flat_map(|e| clauses(note(e))).collect();
    entries.sort();
    noted.sort();
    ensure!(
        entries == noted,
        "S12: {name} has in its timeline\n{entries:?}\nand in the notes of its Events\n{noted:?}"
    );
    Ok(())
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
