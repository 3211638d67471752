//! The ResourceQuota: exactly what was granted (S1), and less on the way out.

use std::collections::BTreeMap;

use govcloud_api::resources;
use govcloud_api::tenancy::Restriction;
use serde_json::{Map, Value, json};

use super::normalize::{amounts, stored, without_empty};
use super::{ObjectRules, Tenant, TenantObject, WriteStep};
use crate::bilingual::{Bilingual, bilingual, bilingual_errors};
use crate::quantity::{Quantity, QuantityError};

const NAME: &str = "govcloud";

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::RESOURCE_QUOTA,
    desired,
    step: WriteStep::Bounds,
    compared: &[("spec", normalized)],
    merged: &["spec.hard", "spec.scopeSelector"],
    immutable: &["spec.scopes"],
};

/// Ways out of the cluster that bypass the platform's own entrance: none unless granted.
const NOTHING_UNLESS_GRANTED: [&str; 2] = ["services.loadbalancers", "services.nodeports"];

/// Keys without a `/` that Kubernetes counts (`standardQuotaResources`), besides `hugepages-*`.
const STANDARD: [&str; 19] = [
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

/// Standard keys that are amounts; the others are counts, and whole.
const AMOUNTS: [&str; 10] = [
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
];

/// Nano units in a milli unit.
const NANOS_IN_MILLI: i128 = 1_000_000;

/// Faults of one line of a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaFinding {
    /// Kubernetes counts nothing under this key, and would let everything pass or refuse the quota.
    UnknownKey {
        /// The key.
        key: String,
    },
    /// Not a quantity.
    NotAQuantity {
        /// The key.
        key: String,
        /// The error.
        error: QuantityError,
    },
    /// Below zero.
    Negative {
        /// The key.
        key: String,
        /// Its value as written.
        value: String,
    },
    /// A fraction of something that is counted, or more than the API server counts.
    NotWhole {
        /// The key.
        key: String,
        /// Its value as written.
        value: String,
    },
}

impl QuotaFinding {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::UnknownKey { key } => Bilingual::new(
                format!("配额键“{key}”未知：允许 {}", allowed()),
                format!("the quota key “{key}” is unknown: {} are allowed", allowed()),
            ),
            Self::NotAQuantity { key, error } => {
                let Bilingual { zh, en } = error.text();
                bilingual!("配额“{key}”：{zh}", "quota “{key}”: {en}")
            }
            Self::Negative { key, value } => bilingual!(
                "配额“{key}”不得为负数：{value}",
                "quota “{key}” is negative ({value}): zero or more is allowed"
            ),
            Self::NotWhole { key, value } => bilingual!(
                "配额“{key}”必须为小于 9.2P 的整数：{value}",
                "quota “{key}” is {value}: a whole number below 9.2P is allowed"
            ),
        }
    }
}

bilingual_errors!(QuotaFinding);

fn allowed() -> String {
    format!(
        "{}, hugepages-<size>, requests.hugepages-<size>, count/<resource>[.<group>], requests.<domain>/<resource>, \
         <class>.storageclass.storage.k8s.io/requests.storage, \
         <class>.storageclass.storage.k8s.io/persistentvolumeclaims",
        STANDARD.join(", ")
    )
}

/// Finds every fault of a quota, by key. Empty means that the API server takes it and counts every line.
pub fn findings(quota: &BTreeMap<String, String>) -> Vec<QuotaFinding> {
    quota.iter().filter_map(|(key, value)| finding(key, value)).collect()
}

fn finding(key: &str, value: &str) -> Option<QuotaFinding> {
    if !is_known(key) {
        return Some(QuotaFinding::UnknownKey { key: key.to_owned() });
    }
    match value.parse::<Quantity>() {
        Err(error) => Some(QuotaFinding::NotAQuantity { key: key.to_owned(), error }),
        Ok(amount) if amount.is_negative() => {
            Some(QuotaFinding::Negative { key: key.to_owned(), value: value.to_owned() })
        }
        Ok(amount) if is_count(key) && !is_countable(amount) => {
            Some(QuotaFinding::NotWhole { key: key.to_owned(), value: value.to_owned() })
        }
        Ok(_) => None,
    }
}

/// Returns true if Kubernetes counts under this key.
fn is_known(key: &str) -> bool {
    if key.len() > 253 + 1 + 63 {
        return false;
    }
    let Some((prefix, name)) = key.split_once('/') else {
        let pages = key.strip_prefix("requests.").unwrap_or(key).strip_prefix("hugepages-");
        return match pages {
            Some(size) => size.parse::<Quantity>().is_ok_and(|q| !q.is_zero() && !q.is_negative()),
            None => STANDARD.contains(&key),
        };
    };
    if let Some(class) = prefix.strip_suffix(".storageclass.storage.k8s.io") {
        return is_subdomain(class) && matches!(name, "requests.storage" | "persistentvolumeclaims");
    }
    if prefix == "count" {
        return is_subdomain(name) && name.len() <= 63;
    }
    match prefix.strip_prefix("requests.") {
        // `requests.kubernetes.io/…` is Kubernetes' own namespace, where nothing is counted.
        Some(domain) => is_subdomain(domain) && !is_native(domain) && is_qualified(name),
        None => false,
    }
}

/// Returns true if the key counts things, which come whole. The rest are amounts: CPU, bytes. The bytes of one storage class are
/// whole too: Kubernetes takes their key for that of an extended resource.
fn is_count(key: &str) -> bool {
    let hugepages = key.strip_prefix("requests.").unwrap_or(key).starts_with("hugepages-");
    !(hugepages || AMOUNTS.contains(&key))
}

/// Returns true if the API server takes it for a whole number: it looks at milli units in 64 bits.
fn is_countable(amount: Quantity) -> bool {
    amount.is_whole() && amount.nanos() / NANOS_IN_MILLI <= i128::from(i64::MAX)
}

fn is_native(domain: &str) -> bool {
    domain == "kubernetes.io" || domain.ends_with(".kubernetes.io")
}

/// A DNS-1123 subdomain.
fn is_subdomain(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

/// The part of a qualified name after the `/`.
fn is_qualified(name: &str) -> bool {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.len() <= 63
        && end(name.chars().next())
        && end(name.chars().last())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// The quota in force for what was granted: LoadBalancer and NodePort services are none unless granted.
pub fn effective(granted: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut hard = granted.clone();
    for key in NOTHING_UNLESS_GRANTED {
        hard.entry(key.to_owned()).or_insert_with(|| "0".to_owned());
    }
    hard
}

/// The quota in force under the tenant's restriction. Quota refuses new objects and never touches running ones, so `0`
/// closes a namespace without harm (Art. 16: reclaim follows the decision, not the other way round).
fn desired(tenant: &Tenant) -> Vec<TenantObject> {
    let closed: &[&str] = match tenant.namespace.restriction {
        Restriction::None => &[],
        Restriction::HandingOver => &["persistentvolumeclaims"],
        Restriction::Quiesced => &["persistentvolumeclaims", "pods"],
    };
    let quota = effective(&tenant.namespace.quota).into_iter().map(|(key, value)| (key, stored(&value)));
    let closed = closed.iter().map(|key| ((*key).to_owned(), "0".into()));
    let hard: Map<String, Value> = quota.chain(closed).collect();
    vec![tenant.object(&RULES, NAME, json!({ "spec": { "hard": hard } }))]
}

fn normalized(spec: &Value) -> Value {
    let mut spec = without_empty(spec);
    amounts(&mut spec, &["hard"]);
    spec
}
