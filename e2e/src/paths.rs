//! Paths in the repository.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root: the directory of `Cargo.lock` above the crate that cargo names at run time, or above this one.
pub fn repository() -> PathBuf {
    let manifest = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let root = Path::new(&manifest).ancestors().find(|directory| directory.join("Cargo.lock").is_file());
    root.unwrap_or(Path::new(&manifest)).to_owned()
}

/// A path inside the repository, such as `config/rbac`.
pub fn in_repository(relative: impl AsRef<Path>) -> PathBuf {
    repository().join(relative)
}

/// Cargo's build directory.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| in_repository("target"), PathBuf::from)
}

/// Directory of a failed test's dump.
pub fn failure(test: &str) -> PathBuf {
    target().join("e2e").join(test)
}
