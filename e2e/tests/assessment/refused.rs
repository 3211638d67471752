//! Bad input: each is refused with a message that names the field.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{Department, HENAN, Kind, condition, refusal};
use e2e::suite::Context;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde_json::{Value, json};

use crate::life::{assessment, file};
use crate::world;

/// Change of a good assessment, and parts of the refusal.
type Row = (fn(&mut Value), &'static [&'static str]);

const ROWS: [Row; 7] = [
    (
        |m| m["spec"]["scores"] = json!([{"criterion": "efficient", "score": 101}]),
        &["spec.scores[0].score", "评分须为 0 至 100 的整数", "a score is a whole number from 0 to 100"],
    ),
    (
        |m| m["spec"]["scores"] = json!([{"criterion": "efficient", "score": -1}]),
        &["spec.scores[0].score", "a whole number from 0 to 100"],
    ),
    (
        |m| {
            let twice = json!({"criterion": "efficient", "score": 1});
            m["spec"]["scores"] = json!([twice, twice]);
        },
        &["spec.scores[1]", "Duplicate value"],
    ),
    (
        |m| m["spec"]["period"]["to"] = json!("2026-08-31"),
        &["spec.period", "考评期须为一个自然季度或者一个自然年", "a quarter or a year"],
    ),
    (|m| m["spec"]["period"]["from"] = json!("2026-06-01"), &["spec.period", "a quarter or a year"]),
    (
        |m| {
            m["spec"]["subject"] = json!("Provider");
            m["spec"]["measureUse"] = json!(true);
        },
        &["measureUse 只用于对使用部门的考评", "measureUse is for the assessment of a department"],
    ),
    (
        |m| m["spec"]["objection"] = json!({"reason": "早"}),
        &["提出考评时不能填写 objection", "an objection comes later in life"],
    ),
];

fn says(refusal: &str, fragments: &[&str]) -> Result<()> {
    for fragment in fragments {
        ensure!(refusal.contains(fragment), "{refusal} does not say {fragment:?}");
    }
    Ok(())
}

pub async fn bad_assessments_are_refused_with_the_field(context: Context) -> Result<()> {
    world(&context).await?;
    let namespace = context.filing_namespace("dept-misjudged", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let authority = department.authority;
    let mut year = assessment("Department", "2025");
    year["spec"]["period"] = json!({"from": "2025-01-01", "to": "2025-12-31"});
    file(&department, &year).await.context("a year")?;
    for (spoil, fragments) in ROWS {
        let mut manifest = assessment("Department", "bad");
        spoil(&mut manifest);
        says(&refusal(department.file_as(authority, &manifest).await)?, fragments)?;
    }
    file(&department, &assessment("Department", "fixed")).await?;
    for change in
        [json!({"subject": "Provider"}), json!({"period": {"from": "2026-04-01", "to": "2026-06-30"}})]
    {
        let changed =
            department.amend_as(authority, Kind::Assessment, "fixed", json!({"spec": change})).await;
        says(&refusal(changed)?, &["考评对象和考评期不能更改", "subject and period cannot change"])?;
    }
    let foreign = json!({"spec": {"scores": [{"criterion": "beauty", "score": 90}]}});
    department.amend_as(authority, Kind::Assessment, "fixed", foreign).await?;
    let stalled = department.judged(Kind::Assessment, "fixed", "UnknownCriterion").await?;
    let message = condition(&stalled.data["status"], "Valid")["message"].as_str().unwrap_or_default();
    says(message, &["spec.scores 所列 beauty 不是本区域的考评指标", "spec.scores names beauty"])?;
    schemes_are_refused(&context).await
}

/// Schemes that no assessment could be made by.
async fn schemes_are_refused(context: &Context) -> Result<()> {
    let resource = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let resource = ApiResource::from_gvk_with_plural(&resource, "regions");
    let regions: Api<DynamicObject> = Api::all_with(context.cluster.client(Actor::Admin).await?, &resource);
    let criterion = |weight: i32| json!({"name": format!("c{weight}"), "title": {"zh": "指标", "en": "criterion"}, "weight": weight});
    let good = json!([criterion(40), criterion(60)]);
    let step = |from: i32, text: &str| json!({"from": from, "coefficient": text});
    let low =
        |below: &str| json!({"lowUse": {"resource": "cpu", "ratio": "Used", "below": below, "months": 3}});
    let rows: [(Value, &[&str]); 6] = [
        (
            json!({"provider": {"criteria": [criterion(40), criterion(59)]}}),
            &["spec.assessment.provider.criteria", "权重（weight）之和须为 100", "must add up to 100"],
        ),
        (
            json!({"department": {"criteria": [criterion(40), criterion(61)]}}),
            &["spec.assessment.department.criteria", "must add up to 100"],
        ),
        (
            json!({"provider": {"criteria": good, "coefficients": [step(60, "1")]}}),
            &["spec.assessment.provider.coefficients", "one coefficient must have from: 0"],
        ),
        (
            json!({"provider": {"criteria": good, "coefficients": [step(0, "-1")]}}),
            &["spec.assessment.provider.coefficients[0].coefficient", "must be a decimal below 10"],
        ),
        (json!({"objectionWorkingDays": 0}), &["spec.assessment.objectionWorkingDays"]),
        (low("2"), &["spec.assessment.lowUse.below", "must be a decimal between 0 and 1"]),
    ];
    for (assessment, fragments) in rows {
        let patch = json!({"spec": {"assessment": assessment}});
        let params = PatchParams { dry_run: true, ..PatchParams::default() };
        let refused = regions.patch(HENAN, &params, &Patch::Merge(patch)).await;
        says(&refusal(refused.map_err(anyhow::Error::from))?, fragments)?;
    }
    Ok(())
}
