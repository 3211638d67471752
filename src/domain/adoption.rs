//! Adoption (Art. 3): the namespace of a running system becomes a tenant namespace, on three words: the department's, its
//! present holder's and the authority's (docs/decisions/0098-*).
//!
//! Nothing is adopted by name. What stands in the way of an adoption is found here, for the review and for the moment at
//! which the namespace is marked alike.

use serde_json::Value;

use crate::bilingual::{Bilingual, bilingual, bilingual_errors};
use crate::existing_namespace::ExistingNamespace;
use crate::names;
use crate::reason::Reason;
use crate::tenancy::quota::effective;
use crate::tenancy::quota_delta::{BelowUse, below_use};
use govcloud_api::adoption::ExistingRef;
use govcloud_api::quota::Quota;

mod foreign;

pub use foreign::{FOREIGN, Mark, Place, foreign_owners};

/// Obstacle to the adoption of a namespace: one that a person has to take out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdoptionFinding {
    /// There is no such namespace.
    Missing(ExistingRef),
    /// The namespace of this name has another UID.
    OtherUid {
        /// The namespace as asked for.
        asked: ExistingRef,
        /// UID of the one that exists.
        found: String,
    },
    /// Its name is reserved for Kubernetes or the platform.
    Reserved(String),
    /// Records are filed in it.
    OfFiling(String),
    /// It is being deleted.
    Terminating(String),
    /// It is a tenant namespace of another application.
    OfAnother {
        /// Name of the namespace.
        name: String,
        /// UID of that application.
        owner: String,
    },
    /// Something else still owns it, and may delete it or write it anew.
    ForeignOwner {
        /// Name of the namespace.
        name: String,
        /// Marks of the owners.
        owners: Vec<String>,
    },
    /// Its present holder did not give it to this application.
    NotReleased {
        /// Name of the namespace.
        name: String,
        /// UID of the application that asks.
        application: String,
        /// UID that the holder's word names, where there is one.
        said: Option<String>,
    },
    /// More is used in it than is asked for.
    BelowUse {
        /// Name of the namespace.
        name: String,
        /// Each key, as `key: asked < used`.
        keys: String,
    },
}

impl AdoptionFinding {
    /// Reason of the condition that reports it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Missing(..) => Reason::ExistingMissing,
            Self::OtherUid { .. } => Reason::ExistingReplaced,
            Self::Reserved(..) | Self::OfFiling(..) => Reason::NamespaceReserved,
            Self::Terminating(..) => Reason::NamespaceTerminating,
            Self::OfAnother { .. } => Reason::NamespaceTaken,
            Self::ForeignOwner { .. } => Reason::ForeignOwner,
            Self::NotReleased { .. } => Reason::NotReleased,
            Self::BelowUse { .. } => Reason::BelowUse,
        }
    }

    /// Wording: the defect, its place, and the next step.
    #[must_use]
    pub fn text(&self) -> Bilingual {
        match self {
            Self::Missing(ExistingRef { name, .. }) => bilingual!(
                "拟纳管的命名空间 {name} 不存在；请核对 spec.namespaces[].existing.name",
                "the existing namespace {name} does not exist; check spec.namespaces[].existing.name"
            ),
            Self::OtherUid { asked: ExistingRef { name, uid }, found } => bilingual!(
                "命名空间 {name} 现为 UID {found}，不是所申请的 {uid}：同名的已是另一个命名空间，不予纳管；请核实后更正 existing.uid",
                "namespace {name} has UID {found}, not {uid} as asked for: another one took its name and is not adopted. Find out what happened, then correct existing.uid"
            ),
            Self::Reserved(name) => bilingual!(
                "{name} 为系统保留的命名空间，不得纳管；请把系统迁到自己的命名空间",
                "namespace {name} is reserved for the platform and is never adopted; move the system to a namespace of its own"
            ),
            Self::OfFiling(name) => bilingual!(
                "{name} 是部门申报空间，不得纳管；请把系统迁到自己的命名空间",
                "namespace {name} is a filing namespace and is never adopted; move the system to a namespace of its own"
            ),
            Self::Terminating(name) => bilingual!(
                "命名空间 {name} 正在被删除，不能纳管；系统须先在另一命名空间恢复",
                "namespace {name} is being deleted and cannot be adopted; restore the system in another namespace first"
            ),
            Self::OfAnother { name, owner } => bilingual!(
                "命名空间 {name} 已属于另一申请（UID {owner}），不得纳管；该申请须先退出",
                "namespace {name} is another application's (UID {owner}) and is not adopted; that application has to exit first"
            ),
            Self::ForeignOwner { name, owners } => {
                let owners = owners.join("; ");
                bilingual!(
                    "命名空间 {name} 仍由其他系统管理（{owners}），其卸载或同步会删改该命名空间；请现管理方先解除：kubectl govcloud adopt --check {name} 逐项说明",
                    "namespace {name} is still owned by something else ({owners}), which may delete it or write it anew; its holder has to let go first: kubectl govcloud adopt --check {name} says how"
                )
            }
            Self::NotReleased { name, application, said: None } => bilingual!(
                "命名空间 {name} 的现管理方尚未同意移出；请其执行 kubectl annotate namespace {name} govcloud.dev/adopt-out={application}",
                "the present holder of namespace {name} has not given it to this application; ask for: kubectl annotate namespace {name} govcloud.dev/adopt-out={application}"
            ),
            Self::NotReleased { name, application, said: Some(said) } => bilingual!(
                "命名空间 {name} 的现管理方同意移给的是 {said}，不是本申请 {application}；请其更正 govcloud.dev/adopt-out",
                "the present holder of namespace {name} gave it to {said}, not to this application ({application}); ask the holder to correct govcloud.dev/adopt-out"
            ),
            Self::BelowUse { name, keys } => bilingual!(
                "命名空间 {name} 的现用量高于所申请的配额：{keys}；配额低于用量会使实例重启后无法恢复，请按现用量申请",
                "in namespace {name} more is used than is asked for: {keys}. A quota below use would keep instances from coming back; ask for at least what is used"
            ),
        }
    }
}

bilingual_errors!(AdoptionFinding);

/// Everything that stands in the way of an adoption, whatever its quota: of a namespace as it was read.
#[must_use]
pub fn obstacles(
    asked: &ExistingRef,
    live: Option<&ExistingNamespace>,
    application_uid: &str,
) -> Vec<AdoptionFinding> {
    let name = asked.name.clone();
    if is_reserved(&name) {
        return vec![AdoptionFinding::Reserved(name)];
    }
    let Some(live) = live else { return vec![AdoptionFinding::Missing(asked.clone())] };
    if live.uid != asked.uid {
        return vec![AdoptionFinding::OtherUid { asked: asked.clone(), found: live.uid.clone() }];
    }
    let mut found = Vec::new();
    if live.deleting {
        found.push(AdoptionFinding::Terminating(name.clone()));
    }
    if live.filing {
        found.push(AdoptionFinding::OfFiling(name.clone()));
    }
    if let Some(owner) = live.owner() {
        found.push(AdoptionFinding::OfAnother { name: name.clone(), owner: owner.to_owned() });
    }
    if !live.foreign.is_empty() {
        found.push(AdoptionFinding::ForeignOwner { name: name.clone(), owners: live.foreign.clone() });
    }
    if live.released_to.as_deref() != Some(application_uid) {
        let (application, said) = (application_uid.to_owned(), live.released_to.clone());
        found.push(AdoptionFinding::NotReleased { name, application, said });
    }
    found
}

/// Names that are never adopted. `openshift-` is not among [`names::is_reserved`], for no tenant namespace is named so.
fn is_reserved(name: &str) -> bool {
    names::is_reserved(name) || name.starts_with("openshift-")
}

/// Use above what is asked for, as far as it is known before the operator counts it.
#[must_use]
pub fn use_above(live: &ExistingNamespace, quota: &Quota) -> Option<AdoptionFinding> {
    let below = below_use(&quota.0, &live.used).unwrap_or_default();
    (!below.is_empty()).then(|| AdoptionFinding::BelowUse { name: live.name.clone(), keys: listed(&below) })
}

/// `key: asked < used`, one after another.
pub(crate) fn listed(below: &[BelowUse]) -> String {
    below.iter().map(|b| format!("{}: {} < {}", b.key, b.new, b.used)).collect::<Vec<_>>().join("; ")
}

/// Keys of a granted quota that its live ResourceQuota counts and does not limit yet: all of them while nothing is counted,
/// then those of which more is used than granted. So no instance is kept from coming back (Art. 3).
#[must_use]
pub fn counted_only(granted: &Quota, live: Option<&Value>) -> Vec<String> {
    use crate::tenancy::quota::{QuotaUse, is_unlimited};
    let in_force = effective(&granted.0);
    let Some(live) = live else { return in_force.into_keys().collect() };
    let counted = QuotaUse::of(live);
    if counted.in_force {
        let below = below_use(&in_force, &counted.used).unwrap_or_default();
        return below.into_iter().map(|b| b.key).collect();
    }
    // The API server has not taken the last change over yet: it stays as it is.
    in_force.into_keys().filter(|key| is_unlimited(&live["spec"]["hard"][key])).collect()
}

#[cfg(test)]
mod tests;
