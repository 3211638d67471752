//! A stored bill.

use serde_json::json;

use super::bill::digest_of;
use crate::settlement::export::Export;
use crate::settlement::settle;
use govcloud_api::statement::{Bill, ClosingState};

/// A month with a line, and everything else that a bill can have at no value.
fn export() -> Export {
    serde_json::from_value(json!({
        "region": "410000", "department": "dept-transport", "month": "2026-10",
        "editions": [{ "name": "henan-2026", "currency": "CNY", "effectiveFrom": "2026-01-01", "items": [
            { "code": "cpu", "resource": "requests.cpu", "unit": "1", "per": "Month", "price": "30.00" }] }],
        "applications": [{
            "name": "travel", "uid": "a1", "provisionedAt": "2026-10-14T02:00:00Z",
            "namespaces": [{ "entry": "prod", "uid": "n1" }],
            "approved": { "prod": { "requests.cpu": "8" } }, "granted": { "prod": { "requests.cpu": "8" } } }],
    }))
    .unwrap()
}

/// B5: status has the bill under the names of the core, so that it can be checked from there alone.
#[test]
fn b5_a_stored_bill_has_the_digest_of_the_computed_one() {
    let settled = settle(&export()).unwrap();
    let bill: Bill = serde_json::from_value(json!(settled.statement)).unwrap();
    assert_eq!(json!(bill), json!(settled.statement), "nothing is lost on the way");
    assert_eq!(digest_of(&bill), bill.digest.clone().unwrap());
    let mut altered = bill.clone();
    altered.lines[0].amount = "0.01".to_owned();
    assert_ne!(digest_of(&altered), bill.digest.unwrap());
    let closing: ClosingState = serde_json::from_value(json!(settled.closing)).unwrap();
    assert_eq!(json!(closing), json!(settled.closing));
    assert_eq!(settled.closing.digest(), settled.statement.closing);
}
