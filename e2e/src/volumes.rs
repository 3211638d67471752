//! The directories behind the PersistentVolumes.
//!
//! The host-path provisioner of kube-controller-manager makes `/tmp/hostpath_pv/<uuid>`; the place is fixed in
//! its source. Several control planes share it, so only directories that this control plane's own audit log shows
//! its binder to have provisioned are ever removed. `supervisor.sh` does the same when we cannot.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use k8s_openapi::api::core::v1::PersistentVolume;

use crate::audit::AuditLog;

/// Directory in which upstream's provisioner puts every volume.
pub const ROOT: &str = "/tmp/hostpath_pv";

/// User that provisions.
const BINDER: &str = "system:serviceaccount:kube-system:persistent-volume-binder";

/// The directory of a volume, or an error when it is not one of the provisioner's.
pub fn directory(volume: &PersistentVolume) -> Result<PathBuf> {
    let source = volume.spec.as_ref().and_then(|spec| spec.host_path.as_ref());
    match source.map(|source| PathBuf::from(&source.path)).filter(|path| provisioned(path)) {
        Some(path) => Ok(path),
        None => bail!("{:?} is no volume of the host-path provisioner", volume.metadata.name),
    }
}

/// Every directory that the control plane with this audit log has provisioned, whether it still exists or not.
pub fn directories(audit: &AuditLog) -> Result<BTreeSet<PathBuf>> {
    let created = audit.read()?.by_user(BINDER).verb("create").resource("persistentvolumes");
    let paths = created.iter().filter_map(|entry| {
        let object = entry.request_object.as_ref()?;
        Some(PathBuf::from(object.pointer("/spec/hostPath/path")?.as_str()?))
    });
    Ok(paths.filter(|path| provisioned(path)).collect())
}

/// Removes what that control plane has provisioned, and the common directory once nobody's volume is in it.
pub fn remove(audit: &AuditLog) -> Result<()> {
    for directory in directories(audit)? {
        if let Err(error) = fs::remove_dir_all(&directory)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
    }
    fs::remove_dir(ROOT).ok();
    Ok(())
}

/// Directly under [`ROOT`], with a name that only a UUID has.
fn provisioned(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    path.parent() == Some(Path::new(ROOT))
        && name.len() == 36
        && name.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_provisioners_own_directories_count() {
        assert!(provisioned(Path::new("/tmp/hostpath_pv/4a1f0b5e-2a54-4a43-9c59-0c6d0f9f0a11")));
        for other in
            ["/tmp/hostpath_pv", "/tmp/hostpath_pv/..", "/tmp/x/4a1f0b5e-2a54-4a43-9c59-0c6d0f9f0a11", "/"]
        {
            assert!(!provisioned(Path::new(other)), "{other}");
        }
    }
}
