//! Generated files are committed as they are generated: the record of the release, and the chart's copies.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

/// Every file below a directory, by its path in it.
fn tree(dir: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(tree(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

#[test]
fn what_is_committed_is_what_is_generated() {
    let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).unwrap();
    }
    fs::create_dir_all(&fresh).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_crdgen")).arg(&fresh).status().unwrap();
    assert!(status.success());
    let mut compared = 0;
    for dir in ["crds", "config/crd", "charts/govcloud-operator/files"] {
        let (made, committed) = (tree(&fresh.join(dir)), tree(&repository.join(dir)));
        let names = |t: &BTreeMap<String, String>| t.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&made), names(&committed), "{dir} holds other files: run `make manifests`");
        for (name, text) in &made {
            assert!(committed[name] == *text, "{dir}/{name} is not what is generated: run `make manifests`");
            compared += 1;
        }
    }
    let release = "config/release/release.yaml";
    let text = fs::read_to_string(repository.join(release)).unwrap();
    assert!(fs::read_to_string(fresh.join(release)).unwrap() == text, "{release}: run `make manifests`");
    assert!(text.contains("ValidatingAdmissionPolicy/govcloud-decisions"), "the release names the policies");
    println!("{compared} generated files compared");
}

/// The alert names the keeper of this release by its hash, as an API server shows it: over the file and a zero byte.
#[test]
fn the_alert_has_the_hash_of_the_keeper() {
    let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let keepers: Vec<String> = tree(&repository.join("config/static/validating")).into_values().collect();
    let [keeper] = &keepers[..] else { panic!("the keeper is one file") };
    let mut hash = Sha256::new();
    hash.update(keeper);
    hash.update([0]);
    let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    for file in ["static-rules.yaml", "tests/GovcloudKeeperMissing.yaml"] {
        let text = fs::read_to_string(repository.join("config/monitoring").join(file)).unwrap();
        assert!(
            text.contains(&format!("hash=\"sha256:{hash}\"")),
            "{file}: the keeper's hash is sha256:{hash}"
        );
    }
}
