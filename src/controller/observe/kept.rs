//! Gathering what a Region keeps of those who left (Art. 23): volumes that outlived their applications, which pile up over
//! the years. What was gathered of one is gathered again only where the volume or the records on whose word it is kept are
//! others by now, and none of them is held unpacked for it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use super::text;
use crate::cluster_state::{ClusterState, Plain, Record, labels};
use crate::tags;
use govcloud_api::decommission::Decommission;
use govcloud_api::keys;
use govcloud_api::region::RetainedVolume;
use govcloud_api::time::Instant;
use govcloud_domain::region;

/// What is known of the volumes that one Region keeps, by the paths of the store.
pub type Kept = BTreeMap<Arc<str>, Known>;

/// What was gathered of one volume, and what it was gathered of.
#[derive(Clone, Debug)]
pub struct Known {
    /// The version of the volume.
    version: u64,
    /// The exits whose certificates say that it was retained, with their versions.
    by: Vec<(Arc<str>, u64)>,
    volume: Arc<RetainedVolume>,
}

impl ClusterState {
    /// All that is read to decide on a Region.
    #[must_use]
    pub fn region_observed(&self, code: &str) -> Option<region::Observed> {
        Some(region::Observed { view: self.region(code)?, retained: self.kept(code) })
    }

    /// The volumes that a region keeps, in order of name.
    fn kept(&self, code: &str) -> Vec<Arc<RetainedVolume>> {
        let mut regions = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = regions.remove(code).unwrap_or_default();
        let tag = tags::kept_in(code);
        let gathered = |(path, version): (Arc<str>, u64)| {
            let still = |known: &&Known| {
                known.version == version && known.by == self.keepers(&known.volume.volume_uid)
            };
            let known = match before.get(&path).filter(still) {
                Some(known) => known.clone(),
                None => self.gather(&path, version, &tag)?,
            };
            Some((path, known))
        };
        let now: Kept = self.volumes.versions_tagged(&tag).into_iter().filter_map(gathered).collect();
        let volumes = now.values().map(|known| known.volume.clone()).collect();
        if !now.is_empty() {
            regions.insert(code.to_owned(), now);
        }
        volumes
    }

    /// The exits by whose certificates a volume is kept.
    fn keepers(&self, uid: &str) -> Vec<(Arc<str>, u64)> {
        self.decommissions.versions_tagged(&tags::keeps(uid))
    }

    /// A volume that outlived its application, with the record that says so.
    fn gather(&self, path: &str, version: u64, tag: &str) -> Option<Known> {
        let v = self.volumes.peek(path).filter(|v| v.is_tagged(tag))?;
        let by = self.keepers(&v.uid);
        let ended =
            |r: &Record<Decommission>| Some(r.typed().ok()?.status.as_ref()?.certificate.as_ref()?.ended_at);
        let certified = by.iter().filter_map(|(path, _)| {
            let record = self.decommissions.peek(path)?;
            Some((ended(&record)?, record.meta.name.clone()))
        });
        // A later exit of its volumes may have retained it again: kept it is since the first.
        let first = certified.min();
        Some(Known { version, by, volume: Arc::new(view(&v, first)) })
    }
}

/// A volume as its Region tells of it, with when and by which exit it was first retained.
fn view(v: &Plain, first: Option<(Instant, String)>) -> RetainedVolume {
    let mut labels = labels(v.value());
    let mut label = |key| labels.remove(key).unwrap_or_default();
    let (since, decommission) = first.unzip();
    RetainedVolume {
        volume_uid: v.uid.clone(),
        volume: v.name.1.clone(),
        capacity: text(v.value(), "/spec/capacity/storage"),
        namespace: label(keys::DEPARTMENT),
        application: label(keys::APPLICATION),
        application_uid: label(keys::APPLICATION_UID),
        since,
        decommission,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Clock;
    use crate::news::News;

    const REGION: &str = "410000";

    fn tell(state: &ClusterState, resource: &str, name: (&str, &str), version: u32, mut object: Value) {
        let metadata = json!({
            "namespace": name.0, "name": name.1, "uid": format!("{}-uid", name.1), "resourceVersion": version.to_string(),
            "labels": object["labels"],
        });
        object["metadata"] = metadata;
        let object = serde_json::from_value(object).expect("an object");
        state.tell(resource, News::Is(object), &Clock::default());
    }

    fn volume(state: &ClusterState, name: &str, version: u32, capacity: &str) {
        let labels = json!({ keys::RETAINED: "a", keys::REGION: REGION, keys::APPLICATION: "travel" });
        let spec = json!({ "capacity": { "storage": capacity } });
        let object =
            json!({ "apiVersion": "v1", "kind": "PersistentVolume", "labels": labels, "spec": spec });
        tell(state, "persistentvolumes", ("", name), version, object);
    }

    fn exit(state: &ClusterState, name: &str, volume: &str, ended: &str) {
        let sample = include_str!("../../../config/samples/travel-exit.yaml");
        let mut object: Value = serde_saphyr::from_str(sample).expect("a sample");
        let instant = "2026-06-01T00:00:00Z";
        let fate = json!({
            "namespace": "n", "claim": "c", "volume": volume, "volumeUID": format!("{volume}-uid"), "capacity": "1Gi",
            "action": "Retain", "outcome": "Retained",
        });
        object["status"] = json!({ "certificate": {
            "digest": "", "application": "travel", "applicationUID": "a", "region": REGION, "system": "",
            "consent": { "digest": "", "by": "", "at": instant }, "decidedBy": "", "decidedAt": instant, "begunAt": instant,
            "endedAt": ended, "namespaces": [], "volumes": [fate],
        } });
        tell(state, "decommissions", ("dept", name), 1, object);
    }

    #[test]
    fn only_what_changed_is_gathered_again() {
        let state = ClusterState::default();
        let region = serde_saphyr::from_str(include_str!("../../../config/samples/region-410000.yaml"));
        tell(&state, "regions", ("", REGION), 1, region.expect("a sample"));
        for name in ["pv-a", "pv-b", "pv-c"] {
            volume(&state, name, 1, "10Gi");
        }
        exit(&state, "first", "pv-a", "2026-06-02T00:00:00Z");
        let look = || state.region_observed(REGION).expect("a region").retained;
        let since = |v: &RetainedVolume| v.since.map(|s| s.timestamp().to_string());
        let same = |these: &[Arc<RetainedVolume>], those: &[Arc<RetainedVolume>]| -> Vec<bool> {
            these.iter().zip(those).map(|(a, b)| Arc::ptr_eq(a, b)).collect()
        };
        let before = look();
        assert_eq!(since(&before[0]).as_deref(), Some("2026-06-02T00:00:00Z"));
        assert_eq!(same(&before, &look()), [true; 3]);

        volume(&state, "pv-b", 2, "20Gi");
        let grown = look();
        assert_eq!((same(&before, &grown), grown[1].capacity.as_str()), (vec![true, false, true], "20Gi"));

        // A certificate that comes later, by one that ended before.
        exit(&state, "earlier", "pv-a", "2026-06-01T00:00:00Z");
        exit(&state, "other", "pv-c", "2026-06-03T00:00:00Z");
        let certified = look();
        assert_eq!(same(&grown, &certified), [false, true, false]);
        let of =
            |v: &RetainedVolume| (since(v).unwrap_or_default(), v.decommission.clone().unwrap_or_default());
        let expected = ("2026-06-01T00:00:00Z".to_owned(), "earlier".to_owned());
        assert_eq!((of(&certified[0]), of(&certified[2]).1.as_str()), (expected, "other"));

        // Its record was archived.
        let gone = News::Gone("dept".to_owned(), "other".to_owned(), "other-uid".to_owned());
        state.tell("decommissions", gone, &Clock::default());
        let archived = look();
        assert_eq!((same(&certified, &archived), since(&archived[2])), (vec![true, true, false], None));

        let gone = News::Gone(String::new(), "pv-a".to_owned(), "pv-a-uid".to_owned());
        state.tell("persistentvolumes", gone, &Clock::default());
        let left = look();
        assert_eq!(same(&archived[1..], &left), [true, true]);
        let known: usize = state.kept.lock().unwrap().values().map(BTreeMap::len).sum();
        assert_eq!((left.len(), known), (2, 2), "nothing is kept in mind of what is gone");
    }
}
