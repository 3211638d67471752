//! Volumes that nobody uses and that stay on the department's word (Art. 23), by region.

use std::collections::BTreeMap;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::api::keys;
use crate::core::quantity::Quantity;
use crate::shell::world::{Plain, World, labels};

/// Labels of what is counted by region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct ByRegion {
    region: String,
}

/// Gauges of retained and of unclaimed volumes.
#[derive(Default)]
pub(super) struct Kept {
    retained: Counted,
    unclaimed: Counted,
}

/// How many, and how many bytes.
#[derive(Default)]
struct Counted {
    volumes: Family<ByRegion, Gauge>,
    bytes: Family<ByRegion, Gauge>,
}

/// What becomes of a volume's claim.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It outlived its application.
    Retained,
    /// Its claim is gone; its application lives on.
    Unclaimed,
}

/// Registers them, counted anew.
pub(super) fn register(to: &mut Registry, world: &World) {
    Kept::named_in(to).count(world);
}

impl Kept {
    fn named_in(registry: &mut Registry) -> Self {
        let kept = Self::default();
        for (counted, name, what) in [
            (
                &kept.retained,
                "retained_volumes",
                "Volumes that outlived their applications on the department's word",
            ),
            (&kept.unclaimed, "unclaimed_volumes", "Volumes of applications whose claim is gone"),
        ] {
            registry.register(name, what, counted.volumes.clone());
            registry.register(
                format!("{name}_capacity_bytes"),
                format!("{what}: their size"),
                counted.bytes.clone(),
            );
        }
        kept
    }

    fn count(&self, world: &World) {
        for (counted, fate) in [(&self.retained, Fate::Retained), (&self.unclaimed, Fate::Unclaimed)] {
            let mut regions: BTreeMap<String, (i64, i64)> =
                world.regions.names().into_iter().map(|(_, code)| (code, (0, 0))).collect();
            for volume in world.volumes.all() {
                let mut labels = labels(&volume.value);
                if fate_of(&volume, labels.contains_key(keys::RETAINED)) != Some(fate) {
                    continue;
                }
                let Some(region) = labels.remove(keys::REGION) else { continue };
                let (volumes, bytes) = regions.entry(region).or_default();
                *volumes += 1;
                *bytes = bytes.saturating_add(size(&volume));
            }
            for (region, (volumes, bytes)) in regions {
                let label = ByRegion { region };
                counted.volumes.get_or_create(&label).set(volumes);
                counted.bytes.get_or_create(&label).set(bytes);
            }
        }
    }
}

fn fate_of(volume: &Plain, retained: bool) -> Option<Fate> {
    let phase = volume.value.pointer("/status/phase").and_then(|p| p.as_str()).unwrap_or_default();
    let unclaimed = matches!(phase, "Released" | "Failed" | "Available");
    if retained { Some(Fate::Retained) } else { unclaimed.then_some(Fate::Unclaimed) }
}

/// Whole bytes.
fn size(volume: &Plain) -> i64 {
    let text = volume.value.pointer("/spec/capacity/storage").and_then(|c| c.as_str()).unwrap_or("0");
    let nanos = text.parse::<Quantity>().map_or(0, Quantity::nanos);
    i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX)
}
