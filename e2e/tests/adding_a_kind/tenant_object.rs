//! A PodDisruptionBudget in each tenant namespace.

use govcloud_api::resources;
use serde_json::{Value, json};

use super::{ObjectRules, Tenant, TenantObject, WriteStep};

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::POD_DISRUPTION_BUDGET,
    desired,
    step: WriteStep::Bounds,
    compared: &[("spec", Value::clone)],
    merged: &[],
    immutable: &[],
};

fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    vec![tenant.object(&RULES, "govcloud", json!({ "spec": { "maxUnavailable": 1, "selector": {} } }))]
}
