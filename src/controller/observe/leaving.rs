//! Gathering for those who leave (Art. 16, 23).

use serde_json::Value;

use crate::cluster_state::{ClusterState, Plain, is_being_deleted, label};
use govcloud_api::keys;
use govcloud_domain::decommission::{ExitNamespace, ExitPvc};

impl ClusterState {
    /// A namespace on its way out, if it exists, with what holds it: its controller's word, and the claims that are still
    /// in it. What else is in it goes with it.
    pub(super) fn space(&self, name: &str) -> Option<ExitNamespace> {
        let ns = self.namespaces.get("", name)?;
        let value = ns.value();
        let reclaim = value.pointer("/metadata/annotations").and_then(|a| a[keys::RECLAIM].as_str());
        let conditions = value.pointer("/status/conditions").and_then(Value::as_array);
        let holds =
            |c: &Value| (c["status"] == "True").then(|| c["message"].as_str().unwrap_or_default().to_owned());
        let mut held_by: Vec<String> =
            conditions.into_iter().flatten().filter_map(holds).filter(|m| !m.is_empty()).collect();
        let finalizers = |c: &Plain| -> Vec<String> {
            let list = c.value().pointer("/metadata/finalizers").and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let claims = self.claims.within(name);
        held_by.extend(claims.iter().map(|c| format!("claim {}: {}", c.name.1, finalizers(c).join(", "))));
        Some(ExitNamespace {
            name: name.to_owned(),
            uid: ns.uid.clone(),
            resource_version: ns.resource_version.clone(),
            owner: label(value, keys::APPLICATION_UID),
            deleting: is_being_deleted(value),
            reclaim: reclaim.map(str::to_owned),
            held_by,
            claims: claims.iter().map(|c| held_claim(c)).collect(),
        })
    }
}

/// A claim with what its deletion's precondition needs.
fn held_claim(c: &Plain) -> ExitPvc {
    ExitPvc {
        name: c.name.1.clone(),
        uid: c.uid.clone(),
        resource_version: c.resource_version.clone(),
        deleted_at: c.value().pointer("/metadata/deletionTimestamp").and_then(|t| t.as_str()?.parse().ok()),
    }
}
