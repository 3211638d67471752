//! Where things lie in the repository.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root: the parent of this crate, which cargo names at run time, or where it was compiled.
pub fn repository() -> PathBuf {
    let manifest = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let manifest = Path::new(&manifest);
    match manifest.file_name() {
        Some(name) if name == "e2e" => manifest.parent().unwrap_or(manifest).to_owned(),
        _ => manifest.to_owned(),
    }
}

/// A path inside the repository, such as `config/rbac`.
pub fn in_repository(relative: impl AsRef<Path>) -> PathBuf {
    repository().join(relative)
}

/// Cargo's build directory.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| in_repository("target"), PathBuf::from)
}

/// Where what is known about a failed test is left.
pub fn failure(test: &str) -> PathBuf {
    target().join("e2e").join(test)
}
