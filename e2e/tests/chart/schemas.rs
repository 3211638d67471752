//! JSON schemas for kubeconform from the API server's own OpenAPI, strict: what a kind does not have is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// Writes a schema for every kind of `objects` that the API server knows, as `kind-group-version.json`.
pub fn write(openapi: &Value, objects: &[Value], dir: &Path) -> Result<()> {
    let definitions = openapi["definitions"].as_object().context("no definitions")?;
    for object in objects {
        let (version, kind) = (object["apiVersion"].as_str().unwrap_or_default(), object["kind"].as_str());
        let kind = kind.context("no kind")?;
        let (group, version) = version.rsplit_once('/').unwrap_or(("", version));
        let is = |gvk: &Value| gvk["group"] == group && gvk["version"] == version && gvk["kind"] == kind;
        let of =
            |d: &Value| d["x-kubernetes-group-version-kind"].as_array().is_some_and(|a| a.iter().any(is));
        let Some((name, _)) = definitions.iter().find(|(_, d)| of(d)) else { continue };
        let mut needed = BTreeMap::new();
        gather(definitions, name, &mut needed);
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$ref": format!("#/definitions/{name}"),
            "definitions": needed,
        });
        let short = group.split('.').next().unwrap_or_default();
        let suffix = if short.is_empty() { version.to_owned() } else { format!("{short}-{version}") };
        fs::write(dir.join(format!("{}-{suffix}.json", kind.to_lowercase())), schema.to_string())?;
    }
    Ok(())
}

/// A definition and all that it refers to, made strict.
fn gather(all: &serde_json::Map<String, Value>, name: &str, into: &mut BTreeMap<String, Value>) {
    if into.contains_key(name) {
        return;
    }
    let mut definition = all.get(name).cloned().unwrap_or_default();
    // A quantity may be written as a number, which the API server's OpenAPI does not say.
    if name.ends_with(".Quantity") {
        definition = json!({"type": ["string", "number"]});
    }
    strict(&mut definition);
    into.insert(name.to_owned(), definition.clone());
    for reference in references(&definition) {
        gather(all, &reference, into);
    }
}

/// Walks schemas, not the names of properties: a CRD has properties called `format` and `properties`.
fn strict(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    for below in ["items", "additionalProperties"] {
        fields.get_mut(below).into_iter().for_each(strict);
    }
    if fields.get("format").is_some_and(|f| f == "int-or-string") {
        fields.insert("type".to_owned(), json!(["string", "integer"]));
    }
    fields.remove("format");
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(strict);
        fields.entry("additionalProperties").or_insert(json!(false));
    }
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => {
            let own =
                fields.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/definitions/"));
            own.map(str::to_owned).into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
