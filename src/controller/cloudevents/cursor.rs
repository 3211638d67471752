//! The cursor of deliveries, stored on the cluster so that a restart continues.
//!
//! It is one instant: every entry recorded before it has been delivered. Without a cursor everything is sent from the
//! beginning. Deleting the ConfigMap therefore sends everything once more.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::client;
use govcloud_api::{OPERATOR_NAME, OPERATOR_NAMESPACE};

/// The ConfigMap: the operator's alone (policy).
pub const CURSOR: &str = "govcloud-cloudevents";

/// Its key.
const KEY: &str = "deliveredBefore";

/// Shortest time between two writes of it.
pub const PERIOD: SignedDuration = SignedDuration::from_mins(1);

/// Longest time that a status may take from its decision to the store.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The cursor on the cluster.
pub struct Cursor {
    maps: Api<ConfigMap>,
    stored: Option<Timestamp>,
}

impl Cursor {
    /// Reads it, however long that takes.
    pub async fn load(client: kube::Client) -> Self {
        let maps: Api<ConfigMap> = Api::namespaced(client, OPERATOR_NAMESPACE);
        let map = client::insist("the cursor of CloudEvents", || maps.get_opt(CURSOR)).await;
        let stored = map.and_then(|m| m.data?.get(KEY)?.parse().ok());
        Self { maps, stored }
    }

    /// Returns true if an earlier process delivered everything recorded at this instant.
    pub fn covers(&self, recorded: Option<Timestamp>) -> bool {
        recorded.is_some_and(|at| self.stored.is_some_and(|stored| at < stored))
    }

    /// Returns true if there are deliveries that the stored cursor does not cover yet (S11).
    pub fn behind(&self, last_delivery: Option<Timestamp>) -> bool {
        last_delivery.is_some_and(|at| self.stored.is_none_or(|stored| stored <= at))
    }

    /// Stores that everything recorded before `open` is delivered; never moves back.
    pub async fn advance(&mut self, open: Timestamp) {
        let Ok(to) = open.checked_sub(MARGIN) else { return };
        if self.stored.is_some_and(|stored| to <= stored) {
            return;
        }
        let body = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": CURSOR, "namespace": OPERATOR_NAMESPACE },
            "data": { KEY: to.to_string() },
        });
        match self.maps.patch(CURSOR, &PatchParams::apply(OPERATOR_NAME).force(), &Patch::Apply(&body)).await
        {
            Ok(_) => self.stored = Some(to),
            Err(e) => {
                tracing::warn!(error = %e, "the cursor of CloudEvents could not be stored; it is retried")
            }
        }
    }
}
