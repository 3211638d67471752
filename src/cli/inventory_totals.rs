//! Totals of an inventory: what its exit does to the data, for whoever approves it or consents to it.

use super::messages;
use super::output::Lang;
use govcloud_api::decommission::Inventory;
use govcloud_api::disposition::Action;

/// Numbers of volumes by their action, of snapshots, and of claims that never had a volume.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InventoryTotals {
    /// Volumes that will be destroyed, those that are handed over first among them.
    destroyed: usize,
    /// Those of them that are handed over first.
    handed_over: usize,
    retained: usize,
    /// Snapshots that will be deleted.
    snapshots: usize,
    claims: usize,
}

impl InventoryTotals {
    /// Counts an inventory.
    pub(super) fn of(inventory: &Inventory) -> Self {
        let volumes = || inventory.entries.iter().filter(|e| e.volume.is_some());
        Self {
            destroyed: volumes().filter(|e| e.action.destroys()).count(),
            handed_over: volumes().filter(|e| e.action == Action::HandOver).count(),
            retained: volumes().filter(|e| e.action == Action::Retain).count(),
            snapshots: inventory.snapshots.iter().filter(|s| s.action.destroys()).count(),
            claims: inventory.entries.iter().filter(|e| e.volume.is_none()).count(),
        }
    }

    /// Formats the totals in one line.
    pub(super) fn text(&self, lang: Lang) -> String {
        let Self { destroyed, handed_over, retained, snapshots, claims } = self;
        let mut text = messages::inventory_totals(lang, destroyed, handed_over, retained);
        if *snapshots > 0 {
            text += &messages::snapshots_deleted(lang, snapshots);
        }
        if *claims > 0 {
            text += &messages::claims_deleted(lang, claims);
        }
        text + lang.pick("。", ".")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::record::{Body, Kind};
    use super::super::test_fixtures::{awaiting_consent, record};
    use super::*;

    #[test]
    fn totals_count_what_is_handed_over_among_the_destroyed() {
        let mut raw = awaiting_consent();
        let volume = |claim: &str, volume: Option<&str>, action: &str| {
            let mut entry = json!({
                "namespace": "n", "claim": claim, "claimUID": "c", "class": "", "capacity": "1Gi", "action": action,
            });
            if let Some(volume) = volume {
                entry["volume"] = json!(volume);
            }
            entry
        };
        let entries = raw["status"]["inventory"]["entries"].as_array_mut().unwrap();
        entries.push(volume("ledger", Some("pvc-3"), "HandOver"));
        entries.push(volume("waiting", None, "Destroy"));
        raw["status"]["inventory"]["snapshots"] =
            json!([{ "namespace": "n", "name": "nightly", "uid": "s", "action": "Destroy" }]);
        let record = record(Kind::Exit, raw);
        let Body::Exit(exit) = &record.body else { panic!("not an exit") };
        let totals = InventoryTotals::of(exit.status.as_ref().unwrap().inventory.as_ref().unwrap());
        assert_eq!(
            totals.text(Lang::Zh),
            "将销毁数据卷 2 个（其中移交后销毁 1 个），保留 1 个，删除快照 1 个，删除未绑定数据卷的申领（PVC）1 个。"
        );
        assert_eq!(
            totals.text(Lang::En),
            "volumes: 2 will be destroyed (1 of them after hand-over), 1 retained; snapshots: 1 will be deleted; \
             claims without a volume: 1 will be deleted."
        );
    }
}
