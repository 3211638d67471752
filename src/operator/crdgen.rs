//! Writes the generated files: `crdgen [ROOT]`, into the current directory by default. `crdgen --static DIRECTORY` writes
//! the keeper and every policy as files for API servers (docs/static-policies.md).
//!
//! - `crds/`, from the Rust types;
//! - `config/crd/`, the same for kustomize, which reads no file outside of its directory: `kubectl apply -f crds/`
//!   takes every file of a directory for a manifest;
//! - `config/release/`, the record of this release for the policy guard: digests of the compiled policies and CRDs;
//! - `charts/govcloud-operator/files/`, copies of the manifests that the chart renders. Helm reads nothing outside
//!   of a chart; so that nothing stands twice unchecked, a test compares (`tests/generated.rs`).

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use govcloud_domain::release;

mod static_policies;

/// The head of the generated release.
const RELEASE_HEAD: &str = "\
# The record of this release, for the operator's guard: written by `make manifests`. It is applied before the release's
# CRDs and policies, so that the running operator takes them for an upgrade and not for an alteration.
";

/// Head of the kustomization of `config/crd/`.
const CRDS_HEAD: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
labels:
- pairs: {app.kubernetes.io/part-of: govcloud-operator}
resources:
";

/// Directories of the repository that the chart holds copies of.
const COPIED: [&str; 6] = [
    "crds",
    "config/admission/validating",
    "config/admission/mutating",
    "config/flowcontrol",
    "config/rbac",
    "config/release",
];

/// Files that it holds copies of beside them.
const COPIED_FILES: [&str; 4] = [
    "config/monitoring/rules.yaml",
    "config/monitoring/static-rules.yaml",
    "config/monitoring/utilization-rules.yaml",
    "config/monitoring/dashboard.json",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("--static"), Some(directory)) => static_policies::write(Path::new(&directory)),
        (Some("--static"), None) => Err("crdgen --static DIRECTORY".into()),
        (root, _) => generated(Path::new(root.unwrap_or("."))),
    }
}

/// Writes the generated files below the root of a repository.
fn generated(root: &Path) -> Result<(), Box<dyn Error>> {
    let crds = govcloud_api::crd_files();
    let mut kustomization = CRDS_HEAD.to_owned();
    for (file, text) in crds {
        kustomization.push_str(&format!("- {file}\n"));
        write(&root.join("crds").join(&file), &text)?;
        write(&root.join("config/crd").join(file), &text)?;
    }
    write(&root.join("config/crd/kustomization.yaml"), &kustomization)?;
    let manifest = release::release_manifest(release::NAMESPACE_CONTROLLER)?;
    let text = format!("{RELEASE_HEAD}{}", serde_saphyr::to_string(&manifest)?);
    write(&root.join("config/release/release.yaml"), &text)?;
    let files = root.join("charts/govcloud-operator/files");
    // Files that were renamed or removed must not remain.
    if files.exists() {
        fs::remove_dir_all(&files)?;
    }
    let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut copied: Vec<PathBuf> = COPIED_FILES.iter().map(PathBuf::from).collect();
    for dir in COPIED {
        let generated = root.join(dir);
        let source = if generated.is_dir() { generated } else { repository.join(dir) };
        let names = fs::read_dir(source)?.map(|e| Ok(PathBuf::from(e?.file_name())));
        let names: Vec<PathBuf> = names.collect::<std::io::Result<_>>()?;
        let wanted = |n: &&PathBuf| {
            n.extension().is_some_and(|e| e == "yaml") && n.as_os_str() != "kustomization.yaml"
        };
        copied.extend(names.iter().filter(wanted).map(|n| Path::new(dir).join(n)));
    }
    for path in copied {
        let generated = root.join(&path);
        let source = if generated.is_file() { generated } else { repository.join(&path) };
        write(&files.join(path.strip_prefix("config").unwrap_or(&path)), &fs::read_to_string(source)?)?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(file, text)
}
