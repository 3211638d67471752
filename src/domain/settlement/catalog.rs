//! Editions of the service catalogue (云服务目录), read for money (Art. 26).
//! 第二十六条：政务云服务费依据云服务目录据实结算。
//!
//! An edition is in force from its first day until the next edition is. [`Editions::read`] refuses what nobody can bill
//! by; [`Editions::warnings`] finds what would charge twice, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use bigdecimal::num_bigint::BigInt;
pub use govcloud_api::catalog::{Basis, ItemClass};
use govcloud_api::catalog::{Period, ServiceCatalogSpec};
use govcloud_api::time::CivilDate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::catalog_finding::{CatalogFinding, ItemDefect};
use super::money::{Fraction, Price};
use super::quota_key::{Dimension, canonical, dimension, overlap};
use crate::digest::digest_of;
use crate::quantity::Quantity;
use crate::tenancy::quota;

/// Smallest unit of a resource that is measured in bytes: a price for single bytes is a slip of the pen.
const LEAST_BYTES: i128 = 1 << 20;
/// Nano units in one, the scale of [`Quantity::nanos`].
pub(super) const NANO: i128 = 1_000_000_000;

/// An edition as it is recorded.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct EditionRecord {
    /// Name of the ServiceCatalog.
    pub name: String,
    /// ISO 4217 code of the prices.
    pub currency: String,
    /// First day of its prices.
    pub effective_from: CivilDate,
    /// The items.
    pub items: Vec<ItemRecord>,
}

/// An item as it is recorded.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ItemRecord {
    /// Code, unique in the edition.
    pub code: String,
    /// Class.
    #[serde(default)]
    pub class: ItemClass,
    /// Quantity that is charged for.
    #[serde(default)]
    pub basis: Basis,
    /// Quota key, with basis `Granted` and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Amount in one unit: `1`, `1Gi`.
    pub unit: String,
    /// Period of the price.
    pub per: Period,
    /// Price of a unit over that period, decimal.
    pub price: String,
}

impl EditionRecord {
    /// The edition in a ServiceCatalog.
    ///
    /// # Errors
    /// If the first day is no date. The text is given back.
    pub fn from_spec(name: &str, spec: &ServiceCatalogSpec) -> Result<Self, String> {
        let item = |item: &govcloud_api::catalog::CatalogItem| ItemRecord {
            code: item.code.clone(),
            class: item.class,
            basis: item.basis,
            resource: item.resource.clone(),
            unit: item.unit.clone(),
            per: item.per,
            price: item.price.clone(),
        };
        Ok(Self {
            name: name.to_owned(),
            currency: spec.currency.clone(),
            effective_from: spec.effective_from.parse().map_err(|_| spec.effective_from.clone())?,
            items: spec.items.iter().map(item).collect(),
        })
    }
}

/// An item that can be billed.
#[derive(Clone, Debug)]
pub struct Item {
    /// Code.
    pub code: String,
    /// Class.
    pub class: ItemClass,
    /// Quantity that is charged for.
    pub basis: Basis,
    /// Name under which its quota key is billed; empty unless the basis is `Granted`.
    pub key: String,
    /// Period of the price.
    pub per: Period,
    /// Price of a unit.
    pub price: Price,
    /// Nano units in a unit; above zero.
    unit: BigInt,
}

/// An edition that can be billed by.
#[derive(Clone, Debug)]
pub struct Edition {
    /// Name of the ServiceCatalog.
    pub name: String,
    /// ISO 4217 code of the prices.
    pub currency: String,
    /// First day of its prices.
    pub effective_from: Date,
    /// Its items, by code.
    pub items: Vec<Item>,
    /// Digest of the edition as it is recorded.
    pub digest: String,
}

/// The editions of a Region, by first day.
#[derive(Clone, Debug, Default)]
pub struct Editions {
    editions: Vec<Edition>,
}

impl Editions {
    /// Reads editions in any order. The same edition twice is one.
    ///
    /// # Errors
    /// Every item that cannot be billed, items with one code, editions with one name or one first
    /// day, a second currency.
    pub fn read(records: &[EditionRecord]) -> Result<Self, Vec<CatalogFinding>> {
        let (mut editions, mut found) = (Vec::new(), Vec::new());
        for record in records {
            match Edition::read(record) {
                Ok(edition) => editions.push(edition),
                Err(findings) => found.extend(findings),
            }
        }
        editions.sort_by(|a, b| {
            (a.effective_from, &a.name, &a.digest).cmp(&(b.effective_from, &b.name, &b.digest))
        });
        editions.dedup_by(|a, b| (&a.name, &a.digest) == (&b.name, &b.digest));
        let mut names = BTreeSet::new();
        let again = editions.iter().filter(|edition| !names.insert(edition.name.clone()));
        found.extend(again.map(|edition| CatalogFinding::EditionTwice { edition: edition.name.clone() }));
        for pair in editions.windows(2) {
            let (one, other) = (pair[0].name.clone(), pair[1].name.clone());
            if pair[0].currency != pair[1].currency {
                found.push(CatalogFinding::Currencies { one: one.clone(), other: other.clone() });
            }
            if pair[0].effective_from == pair[1].effective_from {
                let day = CivilDate(pair[0].effective_from);
                found.push(CatalogFinding::EditionsOnOneDay { day, one, other });
            }
        }
        if found.is_empty() { Ok(Self { editions }) } else { Err(found) }
    }

    /// The edition in force on a day: the last one whose first day is not after it.
    pub fn on(&self, day: Date) -> Option<&Edition> {
        let begun = self.editions.partition_point(|edition| edition.effective_from <= day);
        begun.checked_sub(1).map(|at| &self.editions[at])
    }

    /// The editions, by first day.
    pub fn iter(&self) -> impl Iterator<Item = &Edition> {
        self.editions.iter()
    }

    /// Findings for the Region: items that charge one amount twice, and priced keys that its `maxQuota` does not bound, so
    /// that an application which leaves them out has as much as it likes and pays nothing.
    pub fn warnings(&self, max_quota: &BTreeMap<String, String>) -> Vec<CatalogFinding> {
        let bounded: BTreeSet<_> = max_quota.keys().map(|key| canonical(key)).collect();
        let mut found = Vec::new();
        for edition in &self.editions {
            let granted = || edition.items.iter().filter(|item| item.basis == Basis::Granted);
            for (at, one) in granted().enumerate() {
                let others = granted().skip(at + 1).filter(|other| overlap(&one.key, &other.key));
                found.extend(others.map(|other| CatalogFinding::ItemsOverlap {
                    edition: edition.name.clone(),
                    one: one.code.clone(),
                    other: other.code.clone(),
                }));
                if !bounded.contains(&*one.key) {
                    found.push(CatalogFinding::PricedKeyUnbounded {
                        edition: edition.name.clone(),
                        item: one.code.clone(),
                        key: one.key.clone(),
                    });
                }
            }
        }
        found
    }
}

impl Edition {
    fn read(record: &EditionRecord) -> Result<Self, Vec<CatalogFinding>> {
        let finding = |code: &str, defect| CatalogFinding::Item {
            edition: record.name.clone(),
            item: code.to_owned(),
            defect,
        };
        let (mut items, mut found, mut codes) = (Vec::new(), Vec::new(), BTreeSet::new());
        for item in &record.items {
            if !codes.insert(&item.code) {
                found.push(finding(&item.code, ItemDefect::Twice));
            }
            match Item::read(item) {
                Ok(item) => items.push(item),
                Err(defect) => found.push(finding(&item.code, defect)),
            }
        }
        items.sort_by(|a: &Item, b: &Item| a.code.cmp(&b.code));
        let mut sorted = record.clone();
        sorted.items.sort_by(|a, b| a.code.cmp(&b.code));
        // Only texts are in a record, so it has a JSON form.
        let digest = digest_of(&sorted).expect("an edition has a canonical form");
        if !found.is_empty() {
            return Err(found);
        }
        Ok(Self {
            name: record.name.clone(),
            currency: record.currency.clone(),
            effective_from: record.effective_from.0,
            items,
            digest,
        })
    }
}

impl Item {
    fn read(record: &ItemRecord) -> Result<Self, ItemDefect> {
        let price = record.price.parse::<Price>().map_err(ItemDefect::Price)?;
        let unit = record.unit.parse::<Quantity>().map_err(ItemDefect::Unit)?;
        let key = match (&record.resource, record.basis) {
            (Some(key), Basis::Granted) => known_key(key)?,
            (None, Basis::Granted) => return Err(ItemDefect::ResourceMissing),
            (None, _) => String::new(),
            (Some(key), _) => return Err(ItemDefect::ResourceNotMetered(key.clone())),
        };
        if !fits(unit, &record.unit, &key) {
            return Err(ItemDefect::UnitDoesNotFit { unit: record.unit.clone(), resource: key });
        }
        Ok(Self {
            code: record.code.clone(),
            class: record.class,
            basis: record.basis,
            key,
            per: record.per,
            price,
            unit: BigInt::from(unit.nanos()),
        })
    }

    /// Units in an amount over some time, as unit-days: `total` is the sum of nano units times seconds.
    pub(super) fn unit_days(&self, total: BigInt) -> Fraction {
        Fraction::new(total, &self.unit * BigInt::from(super::period::DAY))
    }
}

/// The billed name of a quota key that Kubernetes counts under.
fn known_key(key: &str) -> Result<String, ItemDefect> {
    let one = BTreeMap::from([(key.to_owned(), "1".to_owned())]);
    match quota::findings(&one).into_iter().next() {
        None => Ok(canonical(key).into_owned()),
        Some(finding) => Err(ItemDefect::Key(finding)),
    }
}

/// Returns true if a unit measures the resource: `1Gi` of memory, and not `1Gi` of cores, `1` of bytes or half an object.
/// Items without a key count one by one.
fn fits(unit: Quantity, text: &str, key: &str) -> bool {
    let binary = text.ends_with('i');
    match dimension(key) {
        _ if unit.nanos() <= 0 => false,
        _ if key.is_empty() => unit.nanos() == NANO,
        Dimension::Cores => !binary,
        Dimension::Bytes => unit.is_whole() && unit.nanos() >= LEAST_BYTES * NANO,
        Dimension::Count => unit.is_whole() && !binary,
    }
}

#[cfg(test)]
#[path = "tests/catalog.rs"]
mod tests;
