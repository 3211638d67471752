//! Writes the CustomResourceDefinitions into a directory, one file each: `crdgen [DIR]`, `crds` by default.

use std::path::PathBuf;
use std::{fs, io};

fn main() -> io::Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "crds".to_owned()));
    fs::create_dir_all(&dir)?;
    for (file, text) in govcloud::api::crd_files() {
        fs::write(dir.join(file), text)?;
    }
    Ok(())
}
