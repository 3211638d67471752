//! The policy guard's memory in the cluster: the record of its last good check, and the operator's key.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use super::live::Live;
use super::{Checked, RECORD};
use crate::client;
use govcloud_api::{OPERATOR_NAME, OPERATOR_NAMESPACE};
use govcloud_domain::integrity::Record;
use govcloud_domain::seal::{KEY_LENGTH, Seal};

/// Key of the Secret's data.
const KEY: &str = "key";

/// Record and key that an earlier operator left.
pub(super) struct Memory {
    /// The record of the last good check; `None` without one, or where it found a policy missing.
    pub(super) record: Option<Record>,
    /// The operator's key.
    pub(super) seal: Seal,
    /// True if there was neither a record nor a key: nothing was ever sealed, or all is lost.
    pub(super) blank: bool,
}

impl Memory {
    /// Reads both, however long that takes: without them a gap would go unnoticed, and nothing could be sealed.
    pub(super) async fn load(client: &kube::Client) -> Self {
        let maps = records(client);
        let map = client::insist("the policy guard's record", || maps.get_opt(RECORD)).await;
        let record = map.as_ref().and_then(|m| serde_json::from_str(m.data.as_ref()?.get("record")?).ok());
        let secrets: Api<Secret> = Api::namespaced(client.clone(), OPERATOR_NAMESPACE);
        let (key, created) = client::insist("the operator's key", || load_or_create(&secrets)).await;
        Self { record, seal: Seal::new(key), blank: map.is_none() && created }
    }

    /// The guard's state with this memory. Records that bear no seal of this key count where the policies have been intact
    /// since before it, as after an upgrade, and where nothing is left that could tell.
    pub(super) fn checked(self, live: Live) -> Checked {
        let Self { mut record, seal, blank } = self;
        if let Some(record) = &mut record {
            record.adopts |= record.key != seal.key_id();
        }
        Checked { live, recorded: record, key: seal, adopts_first: blank }
    }
}

fn records(client: &kube::Client) -> Api<ConfigMap> {
    Api::namespaced(client.clone(), OPERATOR_NAMESPACE)
}

/// Reads the key, or makes one where there is none. Returns true with one that was made now.
async fn load_or_create(secrets: &Api<Secret>) -> kube::Result<([u8; KEY_LENGTH], bool)> {
    let stored = |secret: Secret| secret.data?.remove(KEY)?.0.try_into().ok();
    if let Some(key) = secrets.get_opt(RECORD).await?.and_then(stored) {
        return Ok((key, false));
    }
    let mut key = [0; KEY_LENGTH];
    getrandom::fill(&mut key).map_err(|e| kube::Error::Service(Box::new(e)))?;
    let mut secret =
        Secret { data: Some([(KEY.to_owned(), ByteString(key.to_vec()))].into()), ..Secret::default() };
    secret.metadata.name = Some(RECORD.to_owned());
    secret.immutable = Some(true);
    match secrets.create(&PostParams::default(), &secret).await {
        Ok(_) => Ok((key, true)),
        // Another replica made one, or one is there that holds no key: the next try reads it again.
        Err(e) => Err(e),
    }
}

/// Stores the record of a good check, or that there is none, so that a restart does not forget a gap.
pub(super) async fn store_record(client: &kube::Client, record: Option<&Record>) {
    let text = serde_json::to_string(&record).unwrap_or_default();
    let body = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": RECORD, "namespace": OPERATOR_NAMESPACE },
        "data": { "record": text },
    });
    let manager = PatchParams::apply(OPERATOR_NAME).force();
    if let Err(e) = records(client).patch(RECORD, &manager, &Patch::Apply(&body)).await {
        tracing::warn!(error = %e, "the policy guard's record could not be stored");
    }
}
