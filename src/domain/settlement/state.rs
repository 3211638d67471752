//! State at an instant: the quotas in force in a department's namespaces. One month closes with it and the next one opens
//! with it, so that a bill needs no record that is older than its month (Art. 26).

use std::collections::BTreeMap;

use govcloud_api::quota::Quota;
use govcloud_api::time::Instant;
use serde::{Deserialize, Serialize};

use super::catalog::NANO;
use super::quota_key::canonical;
use crate::digest::digest_of;
use crate::quantity::Quantity;
use crate::tenancy::quota::effective;

/// Amounts of a quota in nano units, by the name under which they are billed.
pub(super) type Amounts = BTreeMap<String, i128>;

/// Quotas of one department and Region that are in force at an instant.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct State {
    /// Code of the Region.
    pub region: String,
    /// Filing namespace of the department.
    pub department: String,
    /// The instant. What comes into force at it is in the state.
    pub at: Instant,
    /// The namespaces, by UID.
    pub namespaces: Vec<NamespaceInForce>,
}

/// A namespace with its quota in force.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceInForce {
    /// UID of the Namespace.
    #[serde(rename = "namespaceUID")]
    pub namespace_uid: String,
    /// Entry of the application.
    pub entry: String,
    /// Name of the application.
    pub application: String,
    /// UID of the application.
    #[serde(rename = "applicationUID")]
    pub application_uid: String,
    /// True for a unit outside the budget of this tier (Art. 26, second paragraph).
    pub outside_budget: bool,
    /// Amounts by the name under which they are billed, as plain decimal numbers.
    pub quota: BTreeMap<String, String>,
}

impl State {
    /// `sha256:<64 hex digits>` of the RFC 8785 canonical JSON of the state.
    pub fn digest(&self) -> String {
        // Texts and booleans alone are in a state, so it has a JSON form.
        digest_of(self).expect("a state has a canonical form")
    }
}

/// Amounts of a quota as it is in force: what was not granted of LoadBalancer and NodePort services is none. Where it names
/// one resource twice, the smaller amount holds.
///
/// # Errors
/// The first key whose value is no quantity, or below zero.
pub(super) fn amounts(quota: &Quota) -> Result<Amounts, String> {
    let mut amounts = Amounts::new();
    for (key, value) in effective(&quota.0) {
        let amount = match value.parse::<Quantity>() {
            Ok(amount) if !amount.is_negative() => amount.stored().nanos(),
            _ => return Err(key),
        };
        let held = amounts.entry(canonical(&key).into_owned()).or_insert(amount);
        *held = amount.min(*held);
    }
    Ok(amounts)
}

/// Amounts as a state has them.
pub(super) fn texts(amounts: &Amounts) -> BTreeMap<String, String> {
    amounts.iter().map(|(key, amount)| (key.clone(), plain(*amount))).collect()
}

/// An amount as a plain decimal number, so that `1Gi` and `1073741824` have one text.
fn plain(nanos: i128) -> String {
    let (whole, rest) = (nanos / NANO, nanos % NANO);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:09}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(lines: &[(&str, &str)]) -> Quota {
        Quota(lines.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn one_amount_has_one_text() {
        let read = |value| texts(&amounts(&quota(&[("memory", value)])).unwrap())["requests.memory"].clone();
        assert_eq!([read("1Gi"), read("1024Mi"), read("1073741824")], ["1073741824"; 3]);
        assert_eq!([read("500m"), read("0.25"), read("1u")], ["0.5", "0.25", "0.001"]);
    }

    #[test]
    fn what_is_not_granted_of_entrances_is_none() {
        let read = amounts(&quota(&[("requests.cpu", "8")])).unwrap();
        assert_eq!(read["services.loadbalancers"], 0);
        assert!(!read.contains_key("requests.memory"));
    }

    #[test]
    fn the_smaller_of_two_names_holds() {
        let read = |a, b| amounts(&quota(&[("cpu", a), ("requests.cpu", b)])).unwrap()["requests.cpu"];
        assert_eq!(read("4", "8"), 4 * NANO);
        assert_eq!(read("8", "4"), 4 * NANO);
        assert_eq!(amounts(&quota(&[("cpu", "many")])), Err("cpu".to_owned()));
        assert_eq!(amounts(&quota(&[("pods", "-1")])), Err("pods".to_owned()));
    }
}
