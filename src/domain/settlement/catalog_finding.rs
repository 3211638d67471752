//! Defects of a service catalogue, in both languages (Art. 26).

use govcloud_api::time::CivilDate;

use super::money::PriceError;
use crate::bilingual::{Bilingual, bilingual, bilingual_errors};
use crate::quantity::QuantityError;
use crate::tenancy::quota::QuotaFinding;

/// Defect of a catalogue, or of several that a Region names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogFinding {
    /// An item that cannot be billed.
    Item {
        /// The edition.
        edition: String,
        /// Code of the item.
        item: String,
        /// The defect.
        defect: ItemDefect,
    },
    /// An edition whose first day is no date.
    Undated {
        /// The name.
        edition: String,
        /// The text that stands for the day.
        day: String,
    },
    /// Two different editions with one name.
    EditionTwice {
        /// The name.
        edition: String,
    },
    /// Two editions whose prices begin on one day.
    EditionsOnOneDay {
        /// The day.
        day: CivilDate,
        /// One edition.
        one: String,
        /// The other.
        other: String,
    },
    /// Two editions with different currencies.
    Currencies {
        /// One edition.
        one: String,
        /// The other.
        other: String,
    },
    /// Two items that charge the same amount of a resource.
    ItemsOverlap {
        /// The edition.
        edition: String,
        /// Code of one item.
        one: String,
        /// Code of the other.
        other: String,
    },
    /// A priced key that the Region's `maxQuota` does not bound.
    PricedKeyUnbounded {
        /// The edition.
        edition: String,
        /// Code of the item.
        item: String,
        /// The quota key.
        key: String,
    },
}

/// Defect of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemDefect {
    /// Another item has the same code.
    Twice,
    /// Not a price.
    Price(PriceError),
    /// Not a quantity.
    Unit(QuantityError),
    /// A unit that does not measure the resource.
    UnitDoesNotFit {
        /// The unit.
        unit: String,
        /// The resource; empty where things are counted.
        resource: String,
    },
    /// Not a quota key.
    Key(QuotaFinding),
    /// A granted item without its quota key.
    ResourceMissing,
    /// A quota key beside a basis that reads none.
    ResourceNotMetered(String),
}

impl CatalogFinding {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Item { edition, item, defect } => {
                let Bilingual { zh, en } = defect.text();
                bilingual!(
                    "服务目录 {edition} 的条目 {item}：{zh}",
                    "service catalog {edition}, item {item}: {en}"
                )
            }
            Self::Undated { edition, day } => bilingual!(
                "服务目录 {edition} 的 effectiveFrom“{day}”不是日期；应如 2026-01-01",
                "effectiveFrom “{day}” of service catalog {edition} is no date; one like 2026-01-01 is allowed"
            ),
            Self::EditionTwice { edition } => bilingual!(
                "服务目录 {edition} 重复出现，内容不同；已用于结算的版本不得更改，请另立新版",
                "service catalog {edition} appears twice with different content; an edition that was billed by does not change: make a new one"
            ),
            Self::EditionsOnOneDay { day, one, other } => bilingual!(
                "服务目录 {one} 和 {other} 均自 {day} 起施行；同一天只能施行一版，请更正其中一版的 effectiveFrom",
                "service catalogs {one} and {other} are both in force from {day}; one edition a day is allowed: correct effectiveFrom of one"
            ),
            Self::Currencies { one, other } => bilingual!(
                "服务目录 {one} 和 {other} 的币种不同；一个区域只能用一种币种结算",
                "service catalogs {one} and {other} have different currencies; a Region settles in one"
            ),
            Self::ItemsOverlap { edition, one, other } => bilingual!(
                "服务目录 {edition} 的条目 {one} 和 {other} 对同一资源重复计费；请删去其中一项",
                "service catalog {edition}: items {one} and {other} charge the same resource twice; remove one"
            ),
            Self::PricedKeyUnbounded { edition, item, key } => bilingual!(
                "服务目录 {edition} 的条目 {item} 对“{key}”计费，而区域的 tenancy.maxQuota 未设其上限，未申请该项的应用不受限制且不计费；请在 maxQuota 中写明",
                "service catalog {edition}, item {item} prices “{key}”, which tenancy.maxQuota of the Region does not bound: an application that leaves it out has no limit and pays nothing. Name it in maxQuota"
            ),
        }
    }
}

impl ItemDefect {
    /// Wording: the defect and the allowed values.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Twice => Bilingual::new(
                "代码重复；每项须有各自的代码",
                "its code is not unique; each item has its own",
            ),
            Self::Price(error) => {
                let Bilingual { zh, en } = error.text();
                bilingual!("price {zh}", "price {en}")
            }
            Self::Unit(error) => {
                let Bilingual { zh, en } = error.text();
                bilingual!("unit {zh}", "unit {en}")
            }
            Self::UnitDoesNotFit { unit, resource } if resource.is_empty() => bilingual!(
                "计费单位“{unit}”不适用：按个数计费的条目只能写 1",
                "the unit “{unit}” does not fit: 1 is allowed where things are counted"
            ),
            Self::UnitDoesNotFit { unit, resource } => bilingual!(
                "计费单位“{unit}”不适用于“{resource}”：处理器用 1 或 500m 等，内存和存储用不小于 1Mi 的整字节数，如 1Gi，其他用正整数",
                "the unit “{unit}” does not fit “{resource}”: 1 or 500m for processors, whole bytes of 1Mi or more such as 1Gi for memory and storage, whole numbers for the rest"
            ),
            Self::Key(finding) => finding.text(),
            Self::ResourceMissing => Bilingual::new(
                "计费依据为 Granted，须写明 resource（配额键）",
                "the basis is Granted, so resource must name a quota key",
            ),
            Self::ResourceNotMetered(key) => bilingual!(
                "计费依据不是 Granted，不得写 resource：{key}",
                "the basis is not Granted, so resource is not allowed: {key}"
            ),
        }
    }
}

bilingual_errors!(CatalogFinding, ItemDefect);
