//! Gathering for those who leave, and of what they left behind (Art. 16, 23).

use serde_json::Value;

use super::text;
use crate::api::decommission::Decommission;
use crate::api::keys;
use crate::api::region::RetainedVolume;
use crate::core::decommission::Space;
use crate::core::region;
use crate::shell::tags;
use crate::shell::world::{Plain, Record, World, label, labels};

impl World {
    /// All that is read to decide on a Region.
    #[must_use]
    pub fn region_observed(&self, code: &str) -> Option<region::Observed> {
        let view = self.region(code)?;
        let retained = self.volumes.tagged(&tags::kept_in(code));
        Some(region::Observed { view, retained: retained.iter().map(|v| self.retained(v)).collect() })
    }

    /// A volume that outlived its application, with the record that says so.
    fn retained(&self, v: &Plain) -> RetainedVolume {
        let mut labels = labels(v.value());
        let mut label = |key| labels.remove(key).unwrap_or_default();
        let ended =
            |r: &Record<Decommission>| Some(r.typed().ok()?.status.as_ref()?.certificate.as_ref()?.ended_at);
        // A later exit of its volumes may have retained it again: kept it is since the first.
        let records = self.decommissions.tagged(&tags::keeps(&v.uid));
        let record = records.into_iter().filter_map(|r| Some((ended(&r)?, r))).min_by_key(|(at, _)| *at);
        RetainedVolume {
            volume_uid: v.uid.clone(),
            volume: v.name.1.clone(),
            capacity: text(v.value(), "/spec/capacity/storage"),
            namespace: label(keys::DEPARTMENT),
            application: label(keys::APPLICATION),
            application_uid: label(keys::APPLICATION_UID),
            since: record.as_ref().map(|(at, _)| *at),
            decommission: record.map(|(_, r)| r.meta.name.clone()),
        }
    }

    /// A namespace on its way out, if it exists, with what holds it: its controller's word, and the claims that are still
    /// in it. What else is in it goes with it.
    pub(super) fn space(&self, name: &str) -> Option<Space> {
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
        Some(Space {
            name: name.to_owned(),
            uid: ns.uid.clone(),
            resource_version: ns.resource_version.clone(),
            owner: label(value, keys::APPLICATION_UID),
            deleting: value.pointer("/metadata/deletionTimestamp").is_some(),
            reclaim: reclaim.map(str::to_owned),
            held_by,
        })
    }
}
