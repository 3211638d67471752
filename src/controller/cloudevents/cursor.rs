//! How far everything is delivered, kept on the cluster so that a restart does not begin anew.
//!
//! One instant: every entry that was recorded before it has been delivered. Where there is none, everything is
//! sent from the beginning; removing the ConfigMap is therefore how to have everything sent once more.

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

/// How often it is written at most.
pub const PERIOD: SignedDuration = SignedDuration::from_mins(1);

/// How much later than it was decided a status may reach the store.
pub const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The cursor on the cluster.
pub struct Cursor {
    maps: Api<ConfigMap>,
    stored: Option<Timestamp>,
}

impl Cursor {
    /// Reads it, for as long as that takes.
    pub async fn load(client: kube::Client) -> Self {
        let maps: Api<ConfigMap> = Api::namespaced(client, OPERATOR_NAMESPACE);
        let map = client::insist("how far CloudEvents are delivered", || maps.get_opt(CURSOR)).await;
        let stored = map.and_then(|m| m.data?.get(KEY)?.parse().ok());
        Self { maps, stored }
    }

    /// Whether what was recorded at this instant was delivered in an earlier life.
    pub fn covers(&self, recorded: Option<Timestamp>) -> bool {
        recorded.is_some_and(|at| self.stored.is_some_and(|stored| at < stored))
    }

    /// Whether there is something to write: deliveries that it does not cover yet (S11).
    pub fn behind(&self, last_delivery: Option<Timestamp>) -> bool {
        last_delivery.is_some_and(|at| self.stored.is_none_or(|stored| stored <= at))
    }

    /// Writes that everything recorded before `open` is delivered; never backwards.
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
                tracing::warn!(error = %e, "how far CloudEvents are delivered could not be kept; trying again")
            }
        }
    }
}
