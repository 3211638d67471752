//! Details of an assessment: facts with their denominators, scores, objection and answer (Art. 27, 29).

use govcloud_api::assessment::{Assessment, Facts, MaintenanceFact, ObligationFact};
use govcloud_api::utilization::{MeasuredResult, MonthUse, Utilization};

use super::Details;
use crate::messages::terms;
use crate::output::Lang;
use crate::record::api_name;

impl Details {
    /// Adds what an assessment is about, and how it stands.
    pub(super) fn assessment(&mut self, assessment: &Assessment) {
        let (spec, status) = (&assessment.spec, assessment.status.clone().unwrap_or_default());
        self.translated("subject", api_name(&spec.subject), |lang| {
            terms::party(lang, spec.subject.party()).to_owned()
        });
        self.fact("period", format!("{} – {}", spec.period.from, spec.period.to));
        for score in &spec.scores {
            let reason = score.reason.as_ref().map(|reason| format!("  {reason}")).unwrap_or_default();
            self.fact("score", format!("{} {}{reason}", score.criterion, score.score));
        }
        if let Some(total) = status.total {
            self.fact("total score", total);
        }
        if let Some(coefficient) = status.coefficient {
            self.fact("coefficient", coefficient);
        }
        if let Some(facts) = &status.facts {
            self.facts_of_period(facts);
        }
        if let Some(objection) = &spec.objection {
            self.fact("objection", objection.reason.clone());
            if let Some(document) = &objection.document {
                self.document("objection", "", &document.uri.0, &document.sha256.0);
            }
        }
        if let Some(answer) = &spec.answer {
            self.fact("answer", answer.text.clone());
        }
    }

    fn facts_of_period(&mut self, facts: &Facts) {
        for fact in &facts.obligations {
            let value = format!("{} {}/{}", api_name(&fact.obligation), fact.on_time, fact.due);
            self.translated("punctuality", value, |lang| punctuality(lang, fact));
        }
        if facts.overdue_reports > 0 {
            self.fact("overdue reports", facts.overdue_reports.to_string());
        }
        if let Some(maintenance) = &facts.maintenance {
            let value = format!("{}", maintenance.windows);
            self.translated("platform maintenance", value, |lang| maintained(lang, maintenance));
        }
        if let Some(utilization) = &facts.utilization {
            self.utilization(utilization);
        }
        self.fact("facts", facts.digest.clone());
    }

    fn utilization(&mut self, utilization: &Utilization) {
        for row in &utilization.months {
            let value = format!("{} {} {}", row.namespace, row.month, api_name(&row.resource));
            self.translated("use", value.clone(), |lang| format!("{value} {}", used(lang, row)));
        }
        for low in &utilization.low {
            let value = format!("{} {} ({})", low.namespace, low.highest, low.months);
            self.fact("low use", value);
        }
    }
}

/// Wording of an obligation's punctuality, with its denominator.
fn punctuality(lang: Lang, fact: &ObligationFact) -> String {
    let ObligationFact { due, on_time, late, unmet, .. } = fact;
    let worst = match (&fact.worst_working_days_late, &fact.worst_record) {
        (Some(days), Some(record)) => lang.pick(
            format!("；最长逾期 {days} 个工作日（{record}）"),
            format!("; at worst {days} working days late ({record})"),
        ),
        _ => String::new(),
    };
    let counts = lang.pick(
        format!("{}：应办 {due}，按期 {on_time}，逾期办结 {late}，未办 {unmet}", fact.obligation.zh()),
        format!("{}: {on_time} of {due} in time, {late} late, {unmet} unmet", fact.obligation.en()),
    );
    counts + &worst
}

/// Wording of the maintenance of a period.
fn maintained(lang: Lang, fact: &MaintenanceFact) -> String {
    let MaintenanceFact { windows, outside_window, notices_late, rolled_back, failed, unreported } = fact;
    lang.pick(
        format!("{windows} 次，其中超出时段 {outside_window}，告知迟延 {notices_late}，回退 {rolled_back}，失败 {failed}，未报结果 {unreported}"),
        format!("{windows} windows: {outside_window} exceeded, {notices_late} with late notice, {rolled_back} rolled back, {failed} failed, {unreported} unreported"),
    )
}

/// Wording of a month's use. What is not known is a dash, and never 0.
fn used(lang: Lang, row: &MonthUse) -> String {
    let known = |ratio: &Option<String>| ratio.clone().unwrap_or_else(|| "-".to_owned());
    let (applied, used, p95, dense) =
        (known(&row.applied), known(&row.used), known(&row.used_p95), known(&row.dense));
    let ratios = lang.pick(
        format!("申请率 {applied}，使用率 {used}（P95 {p95}），密度 {dense}"),
        format!("applied {applied}, used {used} (p95 {p95}), dense {dense}"),
    );
    let why = match row.result {
        MeasuredResult::Measured => return ratios,
        MeasuredResult::InsufficientData => lang.pick("数据不足", "insufficient data"),
        MeasuredResult::SensorSuspect => lang.pick("采集存疑", "sensor suspect"),
    };
    lang.pick(
        format!("{ratios}，{why}（{}/{} 天）", row.counting_days, row.days),
        format!("{ratios}, {why} ({}/{} days)", row.counting_days, row.days),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fact_is_shown_with_its_denominator_and_the_unknown_as_a_dash() {
        let fact: ObligationFact = serde_json::from_value(json!({
            "obligation": "Provision", "party": "Provider", "due": 4, "onTime": 1, "late": 2, "unmet": 1,
            "worstWorkingDaysLate": 7, "worstRecord": "CloudApplication dept/later",
        }))
        .unwrap();
        let text = punctuality(Lang::En, &fact);
        assert_eq!(
            text,
            "provisioning: 1 of 4 in time, 2 late, 1 unmet; at worst 7 working days late (CloudApplication dept/later)"
        );
        let row: MonthUse = serde_json::from_value(json!({
            "application": "travel", "namespace": "prod", "month": "2026-09", "resource": "cpu",
            "result": "InsufficientData", "days": 30, "countingDays": 24, "applied": "0.5000",
        }))
        .unwrap();
        assert_eq!(
            used(Lang::En, &row),
            "applied 0.5000, used - (p95 -), dense -, insufficient data (24/30 days)"
        );
        assert!(used(Lang::Zh, &row).contains("数据不足（24/30 天）"));
    }
}
