//! The ResourceQuota: exactly what was granted (S1), and less on the way out.

use std::collections::{BTreeMap, BTreeSet};

use govcloud_api::quota::{DEVICE_CLASS_DOMAIN, NATIVE, STANDARD_KEYS};
use govcloud_api::resources;
use govcloud_api::tenancy::Restriction;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::normalize::{amounts, stored, without_empty};
use super::{ObjectRules, Tenant, TenantObject, WriteStep, resources_in_namespace};
use crate::bilingual::{Bilingual, bilingual, bilingual_errors};
use crate::quantity::{Quantity, QuantityError};
use crate::settlement::quota_key;

/// Name of the ResourceQuota that holds what was granted.
pub const NAME: &str = "govcloud";

pub(super) static RULES: ObjectRules = ObjectRules {
    resource: resources::RESOURCE_QUOTA,
    desired,
    step: WriteStep::Bounds,
    compared: &[("spec", normalized)],
    merged: &["spec.hard", "spec.scopeSelector"],
    immutable: &["spec.scopes"],
};

/// Key of LoadBalancer services.
const LOAD_BALANCERS: &str = "services.loadbalancers";
/// Key of node ports, of which LoadBalancer services take some too.
pub const NODE_PORTS: &str = "services.nodeports";
/// Ways out of the cluster that bypass the platform's own entrance: none unless granted.
const NOTHING_UNLESS_GRANTED: [&str; 2] = [LOAD_BALANCERS, NODE_PORTS];

/// Keys under which Kubernetes itself keeps one object in every namespace: `kube-root-ca.crt` and the default
/// ServiceAccount.
const KUBERNETES_KEEPS_ONE: [&str; 3] = ["configmaps", "count/configmaps", "count/serviceaccounts"];

/// Limit of a key that is only counted: above every use.
const UNLIMITED: &str = "9P";

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
    /// The operator makes the objects that the key counts, and tenants make none: a limit could only hold the operator up.
    OperatorsOwn {
        /// The key.
        key: String,
    },
    /// Kubernetes keeps an object of this kind in every namespace.
    BelowOne {
        /// The key.
        key: String,
        /// Its value as written.
        value: String,
    },
    /// One resource under two names, as `cpu` and `requests.cpu`: the smaller amount holds, and nobody sees which one is charged
    /// (Art. 26).
    NamedTwice {
        /// One name.
        key: String,
        /// The other.
        other: String,
    },
    /// LoadBalancer services are asked for, and nothing is said of the node ports that each of their ports takes.
    NodePortsNotNamed,
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
            Self::OperatorsOwn { key } => bilingual!(
                "配额“{key}”所限的对象只由管控程序（operator）设定，限制它会使开通和变更无法完成；请删去该项",
                "quota “{key}” limits objects that only the operator makes, so that provisioning and changes could not be completed; leave it out"
            ),
            Self::BelowOne { key, value } => bilingual!(
                "配额“{key}”不得小于 1：{value}；Kubernetes 在每个命名空间自建一个",
                "quota “{key}” is {value}: at least 1 is needed, for Kubernetes itself keeps one in every namespace"
            ),
            Self::NamedTwice { key, other } => bilingual!(
                "配额“{key}”与“{other}”是同一资源，不能都写；请只写“{other}”",
                "quota “{key}” and “{other}” are one resource, and both are named; name “{other}” alone"
            ),
            Self::NodePortsNotNamed => Bilingual::new(
                "配额“services.nodeports”未写明而申请了 services.loadbalancers：LoadBalancer 服务的每个端口占用一个 nodePort；请写明所需端口数，或写 0 并在服务中设 allocateLoadBalancerNodePorts: false",
                "services.loadbalancers is asked for and services.nodeports is not: each port of a LoadBalancer service takes a node port. Name as many as there are ports, or 0 and set allocateLoadBalancerNodePorts: false in the services",
            ),
        }
    }
}

bilingual_errors!(QuotaFinding);

fn allowed() -> String {
    format!(
        "{}, hugepages-<size>, requests.hugepages-<size>, count/<resource>[.<group>], requests.<domain>/<resource>, \
         <class>.storageclass.storage.k8s.io/requests.storage, \
         <class>.storageclass.storage.k8s.io/persistentvolumeclaims, \
         <class>.deviceclass.resource.k8s.io/devices, requests.{DEVICE_CLASS_DOMAIN}/<class>",
        STANDARD_KEYS.join(", ")
    )
}

/// Finds every fault of a quota, by key. Empty means that the API server takes it and counts every line.
pub fn findings(quota: &BTreeMap<String, String>) -> Vec<QuotaFinding> {
    quota.iter().filter_map(|(key, value)| finding(key, value)).collect()
}

/// Finds every resource that a quota names twice.
pub fn named_twice(quota: &BTreeMap<String, String>) -> Vec<QuotaFinding> {
    let twice = quota_key::named_twice(quota.keys().map(String::as_str));
    twice.into_iter().map(|(key, other)| QuotaFinding::NamedTwice { key: key.to_owned(), other }).collect()
}

/// Finds every line that would leave the operator, or Kubernetes itself, without an object that the namespace needs.
pub fn obstructions(quota: &BTreeMap<String, String>) -> Vec<QuotaFinding> {
    let own: Vec<String> = operators_own().collect();
    let below_one = |value: &str| value.parse::<Quantity>().is_ok_and(|amount| amount.is_zero());
    let found = quota.iter().filter_map(|(key, value)| {
        if own.contains(key) {
            return Some(QuotaFinding::OperatorsOwn { key: key.clone() });
        }
        (KUBERNETES_KEEPS_ONE.contains(&&**key) && below_one(value))
            .then(|| QuotaFinding::BelowOne { key: key.clone(), value: value.clone() })
    });
    found.collect()
}

/// Keys that count objects which the operator makes in a tenant namespace.
fn operators_own() -> impl Iterator<Item = String> {
    let counted = resources_in_namespace().map(|resource| match resource.api_version.split_once('/') {
        Some((group, _)) => format!("count/{}.{group}", resource.plural),
        None => format!("count/{}", resource.plural),
    });
    counted.chain(["resourcequotas".to_owned()])
}

/// Finds LoadBalancer services without a word on their node ports, which Kubernetes counts too.
pub fn unsaid_node_ports(quota: &BTreeMap<String, String>) -> Option<QuotaFinding> {
    let asked = quota.get(LOAD_BALANCERS).and_then(|amount| amount.parse::<Quantity>().ok());
    let some = asked.is_some_and(|amount| !amount.is_zero());
    (some && !quota.contains_key(NODE_PORTS)).then_some(QuotaFinding::NodePortsNotNamed)
}

/// Storage classes that a quota names with more than nothing.
pub fn named_classes(quota: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let some = |value: &String| value.parse::<Quantity>().is_ok_and(|amount| !amount.is_zero());
    quota.iter().filter(move |(_, value)| some(value)).filter_map(|(key, _)| class_of(key))
}

/// The storage class that a key is about.
pub fn class_of(key: &str) -> Option<&str> {
    key.split_once('/')?.0.strip_suffix(".storageclass.storage.k8s.io")
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
            Some(size) => is_page_size(size),
            None => STANDARD_KEYS.contains(&key),
        };
    };
    let of_class = |suffix: &str, names: &[&str]| {
        prefix.strip_suffix(suffix).is_some_and(is_subdomain) && names.contains(&name)
    };
    if of_class(".storageclass.storage.k8s.io", &["requests.storage", "persistentvolumeclaims"])
        || of_class(".deviceclass.resource.k8s.io", &["devices"])
    {
        return true;
    }
    if prefix == "count" {
        return is_subdomain(name) && name.len() <= 63;
    }
    match prefix.strip_prefix("requests.") {
        // Keys with `kubernetes.io/` are Kubernetes' own, where nothing is counted but device classes.
        Some(DEVICE_CLASS_DOMAIN) => is_qualified(name),
        Some(domain) => is_subdomain(domain) && !key.contains(NATIVE) && is_qualified(name),
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

/// The size of a huge page, such as `2Mi`.
fn is_page_size(size: &str) -> bool {
    let number = ["Ki", "Mi", "Gi"].iter().find_map(|unit| size.strip_suffix(unit)).unwrap_or_default();
    number.starts_with(|c| c != '0') && number.bytes().all(|b| b.is_ascii_digit())
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

/// Use of claims by quota key, as Kubernetes counts it: their number and what they request, in all and by storage class.
pub fn claimed(claims: impl IntoIterator<Item = Value>) -> BTreeMap<String, String> {
    let mut used: BTreeMap<String, Quantity> = BTreeMap::new();
    for claim in claims {
        let spec = &claim["spec"];
        let storage = spec["resources"]["requests"]["storage"].as_str().unwrap_or("0");
        let class = spec["storageClassName"].as_str().filter(|class| !class.is_empty());
        let prefixes = std::iter::once(String::new())
            .chain(class.map(|class| format!("{class}.storageclass.storage.k8s.io/")));
        for prefix in prefixes {
            for (key, amount) in [("persistentvolumeclaims", "1"), ("requests.storage", storage)] {
                let sum = used.entry(format!("{prefix}{key}")).or_insert(Quantity::ZERO);
                let more = amount.parse().ok().and_then(|amount| sum.checked_add(amount));
                *sum = more.unwrap_or(*sum);
            }
        }
    }
    used.into_iter().map(|(key, amount)| (key, amount.to_string())).collect()
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
    let counts = |key: &String| (key.clone(), UNLIMITED.into());
    let counted = tenant.namespace.counted.iter().map(counts);
    // Of an adopted namespace, also keys that were granted: they are limited later.
    let later = tenant.namespace.adoption.iter().flat_map(|adoption| &adoption.counted).map(counts);
    let closed = closed.iter().map(|key| ((*key).to_owned(), "0".into()));
    let hard: Map<String, Value> = counted.chain(quota).chain(later).chain(closed).collect();
    vec![tenant.object(&RULES, NAME, json!({ "spec": { "hard": hard } }))]
}

/// Use of a live ResourceQuota, as far as Kubernetes has counted it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaUse {
    /// True if the quota is in force: `status.hard` is `spec.hard`. Until then the API server enforces an earlier one, or
    /// none at all.
    pub in_force: bool,
    /// Keys that are in force.
    pub keys: BTreeSet<String>,
    /// Amounts in use. A key that is in force and not among them was not counted: Kubernetes refuses what it would count.
    pub used: BTreeMap<String, String>,
}

impl QuotaUse {
    /// Reads a live ResourceQuota.
    #[must_use]
    pub fn of(quota: &Value) -> Self {
        let status = &quota["status"];
        let keys = status["hard"].as_object().into_iter().flatten().map(|(key, _)| key.clone());
        Self {
            in_force: is_in_force(quota),
            keys: keys.collect(),
            used: BTreeMap::deserialize(&status["used"]).unwrap_or_default(),
        }
    }

    /// Amounts in use of the keys that a live ResourceQuota counts without a limit: what they are decides when it limits them.
    #[must_use]
    pub fn without_limit(quota: &Value) -> BTreeMap<String, String> {
        let used = Self::of(quota).used.into_iter();
        used.filter(|(key, _)| is_unlimited(&quota["spec"]["hard"][key])).collect()
    }

    /// Keys that are in force and that Kubernetes does not count: no such resource exists, or it came later.
    #[must_use]
    pub fn not_counted(&self) -> Vec<String> {
        let missing = |key: &&String| self.in_force && !self.used.contains_key(*key);
        self.keys.iter().filter(missing).cloned().collect()
    }
}

/// Returns true if a value of a quota only counts.
pub(crate) fn is_unlimited(value: &Value) -> bool {
    let amount = |text: &str| text.parse::<Quantity>().ok();
    value.as_str().and_then(amount).is_some_and(|limit| Some(limit) == amount(UNLIMITED))
}

/// Returns true if the API server enforces a live ResourceQuota as it is: it reads `status.hard`, which the quota
/// controller of Kubernetes sets.
pub fn is_in_force(quota: &Value) -> bool {
    let (spec, status) = (&quota["spec"]["hard"], &quota["status"]["hard"]);
    let amount = |value: &Value| value.as_str().and_then(|text| text.parse::<Quantity>().ok());
    spec == status
        || matches!((spec, status), (Value::Object(spec), Value::Object(status))
            if spec.len() == status.len()
                && spec.iter().all(|(key, value)| status.get(key).is_some_and(|other| amount(value).is_some_and(|a| amount(other) == Some(a)))))
}

fn normalized(spec: &Value) -> Value {
    let mut spec = without_empty(spec);
    amounts(&mut spec, &["hard"]);
    spec
}
