//! `crds/` is what the Rust types say, and what the API server can afford to check.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use govcloud_api::{crd_files, crds};
use serde_json::Value;

#[test]
fn the_files_are_what_the_types_say() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
    let written: BTreeMap<String, String> = fs::read_dir(&dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&p).unwrap()))
        .collect();
    let wanted: BTreeMap<String, String> = crd_files().into_iter().collect();
    let names = |m: &BTreeMap<String, String>| m.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&written),
        names(&wanted),
        "crds/ holds other files than the types make: run `make crds`"
    );
    for (name, text) in &wanted {
        assert!(written[name] == *text, "crds/{name} is not what the types say: run `make crds`");
    }
}

/// One property or item of a schema, by its path.
struct Place<'a> {
    path: String,
    schema: &'a Value,
    /// True if it is a named property: items and values have their list's description.
    named: bool,
}

fn places<'a>(path: &str, schema: &'a Value, named: bool, into: &mut Vec<Place<'a>>) {
    into.push(Place { path: path.to_owned(), schema, named });
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        places(&format!("{path}.{name}"), property, true, into);
    }
    if !schema["items"].is_null() {
        places(&format!("{path}[]"), &schema["items"], false, into);
    }
    if schema["additionalProperties"].is_object() {
        places(&format!("{path}{{}}"), &schema["additionalProperties"], false, into);
    }
}

/// Every place of every CRD.
fn all(check: impl Fn(&Place<'_>) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for crd in crds() {
        let json = serde_json::to_value(&crd).unwrap();
        let kind = json["spec"]["names"]["kind"].as_str().unwrap();
        for version in json["spec"]["versions"].as_array().unwrap() {
            let mut into = Vec::new();
            places(kind, &version["schema"]["openAPIV3Schema"], false, &mut into);
            assert!(into.len() > 5, "{kind} has a schema");
            found.extend(into.iter().filter_map(|p| check(p).map(|why| format!("{}: {why}", p.path))));
        }
    }
    found
}

fn none(found: &[String]) {
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_property_is_described() {
    none(&all(|p| {
        (p.named && p.schema["description"].as_str().is_none_or(str::is_empty))
            .then(|| "no description".into())
    }));
}

#[test]
fn no_format_that_the_api_server_does_not_know() {
    none(&all(|p| p.schema["format"].as_str().filter(|f| f.starts_with("uint")).map(str::to_owned)));
}

#[test]
fn every_string_is_bounded() {
    none(&all(|p| {
        let s = p.schema;
        let text = s["type"] == "string";
        let bounded = s["maxLength"].is_number() || s["format"].is_string() || s["enum"].is_array();
        (text && !bounded).then(|| "a string without maxLength, format or enum".into())
    }));
}

#[test]
fn every_list_and_map_is_bounded() {
    none(&all(|p| {
        let s = p.schema;
        let list = s["type"] == "array" && !s["maxItems"].is_number();
        let map = s["additionalProperties"].is_object() && !s["maxProperties"].is_number();
        (list || map).then(|| "a list without maxItems, or a map without maxProperties".into())
    }));
}

#[test]
fn every_list_says_how_it_merges() {
    none(&all(|p| {
        let spec = p.path.split('.').nth(1).is_some_and(|s| s.starts_with("spec"));
        let says = p.schema["x-kubernetes-list-type"].is_string();
        (spec && p.schema["type"] == "array" && !says).then(|| "a list without x-kubernetes-list-type".into())
    }));
}

#[test]
fn every_filed_kind_prints_its_awaited_act() {
    for crd in crds() {
        let json = serde_json::to_value(&crd).unwrap();
        let names = &json["spec"]["names"];
        assert!(names["shortNames"].is_array() && names["categories"][0] == "govcloud", "{names}");
        let version = &json["spec"]["versions"][0];
        let columns: Vec<&str> = version["additionalPrinterColumns"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|c| c["name"].as_str())
            .collect();
        if json["spec"]["scope"] == "Namespaced" {
            for column in ["Phase", "Waiting-On", "For", "Until"] {
                assert!(columns.contains(&column), "{}: {columns:?}", names["kind"]);
            }
            assert!(version["subresources"]["status"].is_object(), "only the operator writes status");
        }
    }
}

/// kubectl pads columns by characters, and a Chinese character is two columns wide: it shifts what follows it.
#[test]
fn columns_that_may_be_chinese_are_the_last() {
    let texts = [
        ".spec.system.name",
        ".spec.displayName.zh",
        ".spec.authority",
        ".spec.provider",
        ".spec.edition",
        ".status.conditions[?(@.type=='Ready')].message",
    ];
    let mut seen = 0;
    for crd in crds() {
        let json = serde_json::to_value(&crd).unwrap();
        let columns = json["spec"]["versions"][0]["additionalPrinterColumns"].as_array().unwrap();
        let chinese: Vec<bool> =
            columns.iter().map(|c| texts.contains(&c["jsonPath"].as_str().unwrap_or_default())).collect();
        seen += chinese.iter().filter(|is| **is).count();
        assert!(chinese.is_sorted(), "{}: {columns:#?}", json["spec"]["names"]["kind"]);
    }
    assert_eq!(seen, 13, "the paths above are those of the columns");
}

/// HandOver reads as if the volume were kept: whoever asks `kubectl explain` is told that it is not.
#[test]
fn a_disposition_says_that_a_hand_over_destroys() {
    let found = all(|p| {
        let about =
            p.path.ends_with(".disposition.default") || p.path.ends_with(".disposition.volumes[].action");
        let text = p.schema["description"].as_str().unwrap_or_default();
        (about && text.contains("HandOver") && text.contains("then destroyed")).then(String::new)
    });
    assert_eq!(found.len(), 2, "{found:?}");
}
