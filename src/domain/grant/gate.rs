//! The gate: a grant is carried out if it is exactly what was approved (Art. 13, 15; S1).

use std::collections::BTreeMap;

use serde_json::json;

use super::Observed;
use crate::bilingual::bilingual;
use crate::decision;
use crate::finding::Bilingual;
use crate::quantity::Quantity;
use crate::record::Meta;
use crate::tenancy::granted_quota;
use crate::tenancy::quota::QuotaUse;
use crate::tenancy::quota_delta::is_judged;
use govcloud_api::application::{ApplicationPhase, CloudApplication};
use govcloud_api::change::ChangePhase;
use govcloud_api::grant::{ApprovalKind, GrantPhase, GrantedNamespace, ResourceGrantStatus};
use govcloud_api::record::Verdict;
use govcloud_api::tenancy::Access;

/// The result of comparing a grant with its approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It is exactly what was approved, and in force already.
    InForce,
    /// It is exactly what was approved.
    Accepted,
    /// It waits for the approval that it names.
    Waiting(Bilingual),
    /// It is approved, and below what is used: the department must use less first (Art. 15).
    InUse(Bilingual),
    /// It is not what was approved; each difference.
    Refused(Vec<String>),
    /// The application is not what was approved any more: the policies did not hold (S7).
    Altered,
    /// The application has exited, or was withdrawn before anything was made of it.
    Ended,
}

impl Gate {
    /// Returns true if it is exactly what was approved.
    #[must_use]
    pub fn accepts(&self) -> bool {
        matches!(self, Self::InForce | Self::Accepted)
    }
}

/// Compares the grant with the approval that it names (S1).
#[must_use]
pub fn gate(seen: &Observed, stored: &ResourceGrantStatus) -> Gate {
    let spec = &seen.record.spec;
    if stored.phase == Some(GrantPhase::Released) {
        return Gate::Ended;
    }
    let Some((app_meta, app)) = &seen.application else {
        return Gate::Waiting(Bilingual::new(
            format!("申请 {} 不存在", spec.application.name),
            format!("there is no application {}", spec.application.name),
        ));
    };
    if spec.application.uid != app_meta.uid && stored.in_force.is_some() {
        // Records of one name follow one another: that one is no more. What it left stands, and says whose it was.
        return if seen.namespaces.is_empty() {
            Gate::Ended
        } else {
            Gate::Waiting(filed_anew(&app_meta.name))
        };
    }
    if is_withdrawn(seen, stored, app_meta, app) {
        return Gate::Ended;
    }
    let mut differences = Vec::new();
    differ(&mut differences, "spec.application.uid", &spec.application.uid, &app_meta.uid);
    differ(&mut differences, "spec.region", &spec.region, &app.spec.region);
    if !differences.is_empty() {
        return Gate::Refused(differences);
    }
    let decided = app.status.as_ref().and_then(|s| s.record.decision.as_ref());
    let approved = decided.is_some_and(|d| d.verdict == Verdict::Approved && d.void.is_none());
    if decided.is_some_and(|d| !seen.region_context.counts(&app_meta.uid, d)) {
        return Gate::Waiting(not_recorded(&app_meta.name));
    }
    if approved && decided.is_some_and(|d| d.digest != app_meta.digest) {
        return Gate::Altered;
    }
    let phase = app.status.as_ref().and_then(|s| s.phase);
    if phase == Some(ApplicationPhase::Exited) {
        return if stored.in_force.is_some() {
            Gate::Ended
        } else {
            Gate::Refused(vec!["the application has exited / 该应用已退出".to_owned()])
        };
    }
    let same = *stored.granted == spec.namespaces && stored.access == spec.access;
    if stored.in_force.as_ref() == Some(&spec.approved) && same {
        return Gate::InForce;
    }
    if !seen.region_context.intact() {
        return Gate::Waiting(Bilingual::new(
            "审批策略不完整，暂不开通",
            "the approval policies are not in place; no gate opens",
        ));
    }
    match spec.approved.kind {
        ApprovalKind::CloudApplication => gate_by_application(seen, stored, app_meta, app),
        ApprovalKind::ChangeRequest => gate_by_change(seen, stored),
    }
}

/// Returns true if the application was withdrawn before anything was made of it (decision 0085). What was withdrawn stays so,
/// and this very decision would make the first namespace.
fn is_withdrawn(
    seen: &Observed,
    stored: &ResourceGrantStatus,
    meta: &Meta,
    application: &CloudApplication,
) -> bool {
    let own = seen.record.spec.application.uid == meta.uid;
    let over = application.status.as_ref().and_then(|s| s.phase) == Some(ApplicationPhase::Withdrawn);
    let begun = seen.namespaces.iter().any(|namespace| namespace.application_uid() == Some(&meta.uid));
    own && stored.in_force.is_none() && (over || meta.withdrawn() && !begun)
}

/// Status has a decision that the operator did not record.
fn not_recorded(name: &str) -> Bilingual {
    bilingual!(
        "{name} 的审核结论不是管控程序（operator）所记录，不予开通",
        "the decision on {name} is not one that the operator recorded; nothing is granted on it"
    )
}

/// The application was filed anew, and this grant is the earlier one's.
fn filed_anew(name: &str) -> Bilingual {
    bilingual!(
        "申请 {name} 已重新提交；主管部门以 govcloud.dev/reattach 写明命名空间并同意后，本工单转归新申请",
        "application {name} was filed anew; this grant becomes the new one's once an approval names its namespaces in govcloud.dev/reattach"
    )
}

/// The gate of a first grant: the application itself was approved (Art. 13).
fn gate_by_application(
    seen: &Observed,
    stored: &ResourceGrantStatus,
    app_meta: &Meta,
    app: &CloudApplication,
) -> Gate {
    let spec = &seen.record.spec;
    let record = app.status.as_ref().map(|s| s.record.clone()).unwrap_or_default();
    let Some(decision) = decision::approved(&record, &app_meta.digest) else {
        let why = Bilingual::new(
            format!("等待申请 {} 获得批准", app_meta.name),
            format!("waits for the approval of application {}", app_meta.name),
        );
        return Gate::Waiting(why);
    };
    // Before it is provisioned nothing later can be in force, but what an earlier record left (reattach).
    let later = app.status.as_ref().is_some_and(|s| s.provisioned_at.is_some());
    if later && stored.in_force.as_ref().is_some_and(|a| a.kind == ApprovalKind::ChangeRequest) {
        return Gate::Refused(vec![
            "spec.approved：已有变更生效，不能退回原批准 / a later change is in force".to_owned(),
        ]);
    }
    let mut d = Vec::new();
    differ(&mut d, "spec.approved.name", &spec.approved.name, &app_meta.name);
    differ(&mut d, "spec.approved.uid", &spec.approved.uid, &app_meta.uid);
    differ(&mut d, "spec.approved.generation", &spec.approved.generation, &decision.generation);
    differ(&mut d, "spec.approved.digest", &spec.approved.digest, &decision.digest);
    let asked: Vec<_> = app
        .spec
        .namespaces
        .iter()
        .map(|n| GrantedNamespace {
            name: n.name.clone(),
            quota: n.quota.clone(),
            storage_class: None,
            existing: n.existing.clone(),
        })
        .collect();
    d.extend(differences(&asked, &spec.namespaces, seen));
    d.extend(access_difference(spec.access.as_deref(), None));
    if d.is_empty() { Gate::Accepted } else { Gate::Refused(d) }
}

/// The gate of a changed grant: the change was approved and is being carried out (Art. 15).
fn gate_by_change(seen: &Observed, stored: &ResourceGrantStatus) -> Gate {
    let spec = &seen.record.spec;
    let Some((meta, change)) = &seen.change else {
        return Gate::Waiting(Bilingual::new(
            format!("变更 {} 不存在", spec.approved.name),
            format!("there is no change {}", spec.approved.name),
        ));
    };
    let status = change.status.clone().unwrap_or_default();
    let Some(decision) = decision::approved(&status.record, &meta.digest) else {
        return Gate::Waiting(Bilingual::new(
            format!("等待变更 {} 获得批准", meta.name),
            format!("waits for the approval of change {}", meta.name),
        ));
    };
    if !seen.region_context.counts(&meta.uid, decision) {
        return Gate::Waiting(not_recorded(&meta.name));
    }
    if !matches!(status.phase, Some(ChangePhase::Applying)) {
        return Gate::Refused(vec![format!(
            "spec.approved: {} {}",
            meta.name,
            status.phase.map_or("-", Into::into)
        )]);
    }
    if status.below_use_since.is_some() {
        let text = Bilingual::new(
            format!("变更 {} 等待使用部门减少用量", meta.name),
            format!("change {} waits until the department uses less", meta.name),
        );
        return Gate::InUse(text);
    }
    let mut d = Vec::new();
    differ(&mut d, "spec.approved.uid", &spec.approved.uid, &meta.uid);
    differ(&mut d, "spec.approved.generation", &spec.approved.generation, &decision.generation);
    differ(&mut d, "spec.approved.digest", &spec.approved.digest, &decision.digest);
    d.extend(differences(&status.after, &spec.namespaces, seen));
    d.extend(access_difference(spec.access.as_deref(), status.access_after.as_deref()));
    if d.is_empty() && !is_use_counted(seen, stored, &status.after) {
        let text = Bilingual::new(
            format!("变更 {} 新限额的用量尚在统计", meta.name),
            format!("the use of what change {} limits for the first time is being counted", meta.name),
        );
        return Gate::Waiting(text);
    }
    if d.is_empty() { Gate::Accepted } else { Gate::Refused(d) }
}

/// Returns true once the use of all that a change limits for the first time was counted (Art. 15).
fn is_use_counted(seen: &Observed, stored: &ResourceGrantStatus, after: &[GrantedNamespace]) -> bool {
    let none = BTreeMap::new();
    after.iter().all(|after| {
        let before = stored.granted.iter().find(|before| before.name == after.name);
        let recorded = stored.namespaces.iter().find(|recorded| recorded.entry == after.name);
        let live = recorded.and_then(|r| seen.namespaces.iter().find(|live| live.name() == r.namespace));
        let Some(quota) = live.and_then(granted_quota) else { return true };
        let before = before.map_or(&none, |before| &before.quota.0);
        is_judged(before, &after.quota.0, &QuotaUse::of(&quota.object))
    })
}

/// The difference between granted and approved access.
fn access_difference(granted: Option<&[Access]>, approved: Option<&[Access]>) -> Option<String> {
    (granted != approved).then(|| format!("spec.access: {} ≠ {}", json!(granted), json!(approved)))
}

/// One field's difference.
fn differ<T: PartialEq + std::fmt::Display>(into: &mut Vec<String>, field: &str, granted: &T, approved: &T) {
    if granted != approved {
        into.push(format!("{field}: {granted} ≠ {approved}"));
    }
}

/// Every difference between what was approved and what is granted, field by field. Quantities count by value.
fn differences(approved: &[GrantedNamespace], granted: &[GrantedNamespace], seen: &Observed) -> Vec<String> {
    let mut d = Vec::new();
    for a in approved {
        match granted.iter().find(|g| g.name == a.name) {
            None => d.push(format!("spec.namespaces[{}]: - ≠ {}", a.name, json!(a.quota))),
            Some(g) => {
                if g.existing != a.existing {
                    let (x, y) = (json!(g.existing), json!(a.existing));
                    d.push(format!("spec.namespaces[{}].existing: {x} ≠ {y}", a.name));
                }
                let keys: std::collections::BTreeSet<_> = a.quota.0.keys().chain(g.quota.0.keys()).collect();
                for key in keys {
                    let (x, y) = (g.quota.0.get(key), a.quota.0.get(key));
                    if !same_amount(x, y) {
                        let show = |v: Option<&String>| v.map_or("-", String::as_str).to_owned();
                        d.push(format!("spec.namespaces[{}].quota.{key}: {} ≠ {}", a.name, show(x), show(y)));
                    }
                }
            }
        }
    }
    for g in granted {
        if !approved.iter().any(|a| a.name == g.name) {
            d.push(format!("spec.namespaces[{}]: {} ≠ -", g.name, json!(g.quota)));
        }
        let offered = seen.region_context.region.as_ref().map(|r| &r.spec().tenancy.storage_classes);
        if let (Some(c), Some(offered)) = (&g.storage_class, offered)
            && !offered.contains(c)
        {
            d.push(format!("spec.namespaces[{}].storageClass: {c} ∉ {}", g.name, offered.join(", ")));
        }
    }
    d
}

/// Returns true if two amounts are the same, however they are written.
pub(crate) fn same_amount(x: Option<&String>, y: Option<&String>) -> bool {
    let amount = |v: &String| v.parse::<Quantity>().ok();
    x == y || matches!((x.and_then(amount), y.and_then(amount)), (Some(a), Some(b)) if a == b)
}
