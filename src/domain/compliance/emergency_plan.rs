//! Emergency plans that others rely on: maintenance (Art. 18) and drills (Art. 17).

use jiff::civil::Date;

use crate::bilingual::{Bilingual, bilingual};
use crate::finding::Finding;
use govcloud_api::compliance::{CompliancePhase, ComplianceRecord, ComplianceType};

/// Finding on the emergency plan that `field` names: it must exist, be one, count, and be valid on the day `until`.
#[must_use]
pub fn unusable(
    field: &'static str,
    name: &str,
    plan: Option<&ComplianceRecord>,
    until: Date,
) -> Option<Finding> {
    let why = why_unusable(plan, until)?;
    Some(Finding::EmergencyPlanUnusable(field, name.to_owned(), why))
}

fn why_unusable(plan: Option<&ComplianceRecord>, until: Date) -> Option<Bilingual> {
    let Some(plan) = plan else {
        return Some(Bilingual::new(
            "本命名空间没有这份 ComplianceRecord",
            "there is no such ComplianceRecord in this namespace",
        ));
    };
    if plan.spec.type_ != ComplianceType::EmergencyPlan {
        let type_: &str = plan.spec.type_.into();
        return Some(bilingual!("其种类为 {type_}", "its type is {type_}"));
    }
    if plan.status.as_ref().and_then(|s| s.phase) != Some(CompliancePhase::Recorded) {
        return Some(Bilingual::new("尚未在案", "it is not on record"));
    }
    let last = plan.spec.valid_until.filter(|last| last.0 < until)?;
    Some(bilingual!("其有效期至 {last}，早于 {until}", "it is valid until {last}, before {until}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(type_: &str, phase: &str, valid_until: Option<&str>) -> ComplianceRecord {
        let hash = "a".repeat(64);
        let mut plan = serde_json::json!({
            "apiVersion": "govcloud.dev/v1alpha1", "kind": "ComplianceRecord", "metadata": { "name": "plan" },
            "spec": { "region": "410000", "type": type_, "issuedBy": "某云服务商", "issuedOn": "2026-01-05",
                "document": { "title": "预案", "uri": "https://p.example/plan.pdf", "sha256": hash } },
            "status": { "phase": phase },
        });
        if let Some(last) = valid_until {
            plan["spec"]["validUntil"] = last.into();
        }
        serde_json::from_value(plan).unwrap()
    }

    #[test]
    fn a_plan_must_exist_be_one_count_and_be_valid() {
        let day: Date = "2026-12-12".parse().unwrap();
        let why = |p: Option<&ComplianceRecord>| why_unusable(p, day).map(|w| w.en);
        assert_eq!(why(None).as_deref(), Some("there is no such ComplianceRecord in this namespace"));
        let wrong = |type_, phase, last| why(Some(&plan(type_, phase, last)));
        assert_eq!(wrong("Drill", "Recorded", None).as_deref(), Some("its type is Drill"));
        assert_eq!(wrong("EmergencyPlan", "Returned", None).as_deref(), Some("it is not on record"));
        assert_eq!(
            wrong("EmergencyPlan", "Recorded", Some("2026-12-11")).as_deref(),
            Some("it is valid until 2026-12-11, before 2026-12-12")
        );
        assert_eq!(wrong("EmergencyPlan", "Recorded", Some("2026-12-12")), None);
        assert_eq!(wrong("EmergencyPlan", "Recorded", None), None);
    }
}
