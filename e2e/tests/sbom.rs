//! The SBOM that `make image` writes (`image/sbom`): CycloneDX by its schema, and true by Cargo.lock.
//!
//! Without an SBOM only the schema itself is tested; `GOVCLOUD_SBOM` names one elsewhere.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use e2e::paths::in_repository;
use jsonschema::Validator;
use serde_json::{Value, json};

fn schema() -> Validator {
    let text = include_str!("sbom/cyclonedx-1.5.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).expect("JSON")).expect("a schema")
}

/// The SBOM of this version, if somebody has made it.
fn made() -> Option<PathBuf> {
    let version = env!("CARGO_PKG_VERSION");
    let usual = in_repository(format!("target/image/govcloud-operator-{version}.cdx.json"));
    let named = env::var_os("GOVCLOUD_SBOM").map(PathBuf::from);
    named.or_else(|| usual.exists().then_some(usual))
}

/// Every crate of a registry in Cargo.lock, as a package URL.
fn locked() -> BTreeSet<String> {
    let lock = fs::read_to_string(in_repository("Cargo.lock")).expect("Cargo.lock");
    let packages = lock.split("[[package]]").filter(|p| p.contains("\nsource = \"registry"));
    let field = |package: &str, name: &str| {
        let line = package.lines().find_map(|l| l.strip_prefix(&format!("{name} = \"")));
        line.expect("a field").trim_end_matches('"').to_owned()
    };
    packages.map(|p| format!("pkg:cargo/{}@{}", field(p, "name"), field(p, "version"))).collect()
}

#[test]
fn the_schema_takes_what_is_right_and_refuses_what_is_not() {
    let schema = schema();
    let right = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "components": [{"type": "library", "name": "jiff", "version": "0.2.0", "licenses": [{"license": {"id": "MIT"}}]}],
    });
    assert!(schema.is_valid(&right));
    for (place, wrong) in [
        ("/bomFormat", json!("SPDX")),
        ("/components/0/type", json!("crate")),
        ("/components/0/licenses/0/license/id", json!("My-Own")),
        ("/components/0/colour", json!("red")),
    ] {
        let mut bom = right.clone();
        match bom.pointer_mut(place) {
            Some(field) => *field = wrong,
            None => bom["components"][0]["colour"] = wrong,
        }
        assert!(!schema.is_valid(&bom), "{place} is not looked at");
    }
}

#[test]
fn the_sbom_is_valid_and_names_what_is_built_in() {
    let Some(file) = made() else {
        println!("no SBOM yet: `make image` writes it");
        return;
    };
    let text = fs::read_to_string(&file).expect("a file");
    let bom: Value = serde_json::from_str(&text).expect("JSON");
    let wrong: Vec<String> =
        schema().iter_errors(&bom).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bom["metadata"]["component"]["name"], "govcloud-operator");
    assert_eq!(bom["metadata"]["component"]["version"], env!("CARGO_PKG_VERSION"));
    let root = in_repository("").canonicalize().expect("a path");
    assert!(!text.contains(root.to_str().expect("a path")), "the SBOM names the machine that it was made on");

    let components = bom["components"].as_array().expect("components");
    let named: BTreeSet<String> =
        components.iter().filter_map(|c| c["purl"].as_str()).map(str::to_owned).collect();
    let locked = locked();
    assert!(named.len() > 100 && named.is_subset(&locked), "{:?}", named.difference(&locked));
    let has = |name: &str| named.iter().any(|p| p.starts_with(&format!("pkg:cargo/{name}@")));
    for built_in in ["kube", "k8s-openapi", "tokio", "rustls", "jiff", "axum"] {
        assert!(has(built_in), "{built_in} is built in and not named");
    }
    for only_tested_with in ["insta", "proptest", "criterion"] {
        assert!(!has(only_tested_with), "{only_tested_with} is not built in");
    }
    println!("sbom: {} components, valid CycloneDX {}, each of them locked", named.len(), bom["specVersion"]);
}
