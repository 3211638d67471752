//! Regions that cannot be, and names that are not to be had.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE, condition, refusal, sample};
use e2e::suite::Context;
use e2e::wait::until;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::table::says;

/// Regions of this test only.
const UNKNOWN: &str = "419001";
const ORPHAN: &str = "411700";
const FATHER: &str = "420000";

async fn regions(context: &Context) -> Result<Api<DynamicObject>> {
    let resource = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "Region");
    let resource = ApiResource::from_gvk_with_plural(&resource, "regions");
    Ok(Api::all_with(context.cluster.client(Actor::Admin).await?, &resource))
}

fn region(file: &str, code: &str) -> Result<Value> {
    let mut manifest = sample(file)?;
    manifest["metadata"]["name"] = json!(code);
    Ok(manifest)
}

async fn create(api: &Api<DynamicObject>, manifest: &Value) -> Result<DynamicObject> {
    Ok(api.create(&PostParams::default(), &serde_json::from_value(manifest.clone())?).await?)
}

pub async fn unusable_region_or_name_is_reported(context: Context) -> Result<()> {
    fixtures::regions(&context.cluster).await?;
    let refused = regions_are_refused(&context).await?;
    tokio::try_join!(
        an_unknown_region_may_come_later(&context),
        a_citys_province_may_come_later(&context),
        regions_in_a_circle_hold_nobody_up(&context),
        a_taken_name_may_become_free(&context),
        a_reserved_name_is_refused(&context),
        a_namespace_is_adopted_on_its_holders_word_alone(&context),
    )?;
    println!(
        "bad input: {refused} regions refused; an unknown one, an orphan and a circle told why; a taken and a reserved name"
    );
    Ok(())
}

/// Bad input that a Region alone shows.
async fn regions_are_refused(context: &Context) -> Result<usize> {
    let api = regions(context).await?;
    type Row = (&'static str, &'static str, fn(&mut Value), &'static [&'static str]);
    let rows: [Row; 9] = [
        (
            "city without parent",
            "region-410100.yaml",
            |m| drop(m["spec"].as_object_mut().and_then(|s| s.remove("parent"))),
            &["市级政务云须写明所属的省", "a City must name its Province"],
        ),
        (
            "province with parent",
            "region-410000.yaml",
            |m| m["spec"]["parent"] = json!("110000"),
            &["省级政务云没有上级", "a Province has no `parent`"],
        ),
        (
            "parent by name",
            "region-410100.yaml",
            |m| m["spec"]["parent"] = json!("henan"),
            &["spec.parent", "须为六位行政区划代码"],
        ),
        (
            "no storage class",
            "region-410000.yaml",
            |m| m["spec"]["tenancy"]["storageClasses"] = json!([]),
            &["spec.tenancy.storageClasses"],
        ),
        (
            "no days",
            "region-410000.yaml",
            |m| m["spec"]["workingDays"]["provision"] = json!(0),
            &["spec.workingDays.provision", "greater than or equal to 1"],
        ),
        (
            "named by word",
            "region-410000.yaml",
            |m| m["metadata"]["name"] = json!("henan"),
            &["名称须为 GB/T 2260 的六位行政区划代码", "six-digit GB/T 2260 code"],
        ),
        (
            "settles by nothing",
            "region-410000.yaml",
            |m| m["spec"]["settlement"] = json!({"firstMonth": "2026-10"}),
            &["设 settlement 须有服务目录", "settlement needs a service catalog"],
        ),
        (
            "month of 13",
            "region-410000.yaml",
            |m| merge(m, json!({"catalogs": ["henan-2026"], "settlement": {"firstMonth": "2026-13"}})),
            &["spec.settlement.firstMonth", "must be a month, such as 2026-10"],
        ),
        (
            "ceiling without cents",
            "region-410000.yaml",
            |m| {
                let budgets = json!([{"department": "dept-transport", "year": 2026, "ceiling": "100"}]);
                let settlement = json!({"firstMonth": "2026-10", "budgets": budgets});
                merge(m, json!({"catalogs": ["henan-2026"], "settlement": settlement}));
            },
            &["spec.settlement.budgets[0].ceiling"],
        ),
    ];
    let count = rows.len();
    for (what, file, spoil, fragments) in rows {
        let mut manifest = region(file, "990000")?;
        spoil(&mut manifest);
        says(what, &refusal(create(&api, &manifest).await).context(what)?, fragments)?;
    }
    Ok(count + settings_are_refused(&api).await? + catalogs_are_refused(context).await?)
}

/// Adds fields to a spec.
fn merge(manifest: &mut Value, fields: Value) {
    for (field, value) in fields.as_object().into_iter().flatten() {
        manifest["spec"][field] = value.clone();
    }
}

/// Editions of the service catalogue that nobody could be billed by (Art. 26).
async fn catalogs_are_refused(context: &Context) -> Result<usize> {
    let resource = GroupVersionKind::gvk("govcloud.dev", "v1alpha1", "ServiceCatalog");
    let resource = ApiResource::from_gvk_with_plural(&resource, "servicecatalogs");
    let api: Api<DynamicObject> = Api::all_with(context.cluster.client(Actor::Admin).await?, &resource);
    type Row = (&'static str, fn(&mut Value), &'static [&'static str]);
    let rows: [Row; 7] = [
        ("negative price", |item| item["price"] = json!("-1"), &["spec.items[0].price"]),
        ("price in words", |item| item["price"] = json!("一元"), &["spec.items[0].price"]),
        (
            "unit of nothing",
            |item| item["unit"] = json!("0"),
            &["spec.items[0].unit", "must be a Kubernetes quantity above zero"],
        ),
        ("unit in words", |item| item["unit"] = json!("a core"), &["spec.items[0].unit"]),
        (
            "granted without a key",
            |item| drop(item.as_object_mut().and_then(|item| item.remove("resource"))),
            &["spec.items[0]", "names the quota key in resource"],
        ),
        (
            "a key that is not metered",
            |item| item["basis"] = json!("Manual"),
            &["spec.items[0]", "has no resource"],
        ),
        ("price of a week", |item| item["per"] = json!("Week"), &["spec.items[0].per", "\"Month\""]),
    ];
    let count = rows.len();
    for (what, spoil, fragments) in rows {
        let mut manifest = sample("catalog-henan-2026.yaml")?;
        manifest["metadata"]["name"] = json!("spoilt");
        spoil(&mut manifest["spec"]["items"][0]);
        says(what, &refusal(create(&api, &manifest).await).context(what)?, fragments)?;
    }
    Ok(count)
}

/// Settings for tenants from which no object could be made, or within which no application could be.
async fn settings_are_refused(api: &Api<DynamicObject>) -> Result<usize> {
    let limits = |default: &str, request: &str, max: &str, min: &str| {
        let one = |amount: &str| if amount.is_empty() { json!({}) } else { json!({"memory": amount}) };
        json!({"limitRange": {
            "default": one(default), "defaultRequest": one(request), "max": one(max), "min": one(min),
        }})
    };
    let peer = |peer: Value| json!({"network": {"egress": [{"name": "a", "peers": [peer]}]}});
    let rows = [
        (limits("256Mi", "512Mi", "", ""), "limitRange.defaultRequest must not be above limitRange.default"),
        (limits("512Mi", "", "256Mi", ""), "limitRange.default must not be above limitRange.max"),
        (limits("", "0.5Gi", "256Mi", ""), "limitRange.defaultRequest must not be above limitRange.max"),
        (limits("256Mi", "", "", "512Mi"), "limitRange.min must not be above limitRange.default"),
        (limits("", "256Mi", "", "512Mi"), "limitRange.min must not be above limitRange.defaultRequest"),
        (limits("", "", "256Mi", "1Gi"), "limitRange.min 不得高于 limitRange.max"),
        (limits("半个", "", "", ""), "spec.tenancy.limitRange.default"),
        (limits("", "", "-1", ""), "spec.tenancy.limitRange.max"),
        (json!({"limitRange": {"min": {"pods": "1"}}}), "spec.tenancy.limitRange.min"),
        (json!({"maxQuota": {"pods": "-3"}}), "spec.tenancy.maxQuota"),
        (json!({"maxQuota": {"pods": "many"}}), "spec.tenancy.maxQuota"),
        (json!({"maxQuota": {"podz": "3"}}), "unknown quota key"),
        (json!({"podSecurityVersion": "1.34"}), "must be latest or a Kubernetes version such as v1.34"),
        (peer(json!({})), "exactly one of namespace and cidr"),
        (peer(json!({"namespace": "a", "cidr": "10.0.0.1/32"})), "exactly one of namespace and cidr"),
        (peer(json!({"cidr": "10.0.0.1"})), "first address of a block"),
        (peer(json!({"cidr": "10.0.0.1/8"})), "first address of a block"),
        (peer(json!({"cidr": "10.0.0.1/32", "podLabels": {"a": "b"}})), "podLabels goes with namespace"),
        (
            json!({"network": {"ingress": [{"name": "a", "peers": []}]}}),
            "spec.tenancy.network.ingress[0].peers",
        ),
    ];
    let count = rows.len();
    for (settings, fragment) in rows {
        let mut manifest = region("region-410000.yaml", "990000")?;
        for (field, value) in settings.as_object().context("fields")? {
            manifest["spec"]["tenancy"][field] = value.clone();
        }
        let what = settings.to_string();
        says(&what, &refusal(create(api, &manifest).await).with_context(|| what.clone())?, &[fragment])?;
    }
    Ok(count)
}

/// Valid=False while the Region does not exist, and valid once it does.
async fn an_unknown_region_may_come_later(context: &Context) -> Result<()> {
    let namespace = context.filing_namespace("dept-unknown", UNKNOWN).await?;
    let department = Department::open(&context.cluster, &namespace, UNKNOWN).await?;
    department.file(&department.application("travel")?).await?;
    let judged = department.judged(Kind::Application, "travel", "UnknownRegion").await?;
    let message = condition(&judged.data["status"], "Valid")["message"].clone();
    says(
        "unknown region",
        message.as_str().unwrap_or_default(),
        &[UNKNOWN, "没有对应的 Region", "names no Region"],
    )?;
    was_asked_for(context, UNKNOWN).await?;
    let mut later = region("region-410000.yaml", UNKNOWN)?;
    later["spec"]["tenancy"]["storageClasses"] = json!(["no-such-class"]);
    let api = regions(context).await?;
    create(&api, &later).await?;
    department.judged(Kind::Application, "travel", "StorageClassMissing").await?;
    let right = json!({"spec": {"tenancy": {"storageClasses": ["hostpath"]}}});
    api.patch(UNKNOWN, &PatchParams::default(), &Patch::Merge(right)).await?;
    department.judged(Kind::Application, "travel", "Valid").await.map(drop)
}

/// That a Region does not exist is the API server's word, not that of a watch which may lag behind.
async fn was_asked_for(context: &Context, region: &str) -> Result<()> {
    let entries = context.cluster.audit().settled(&context.cluster.client(Actor::Admin).await?).await?;
    let asked = entries.by_user(OPERATOR).verb("get").resource("regions").named(region).code(404);
    ensure!(!asked.is_empty(), "region {region} was called missing, and nobody asked for it");
    Ok(())
}

/// A City whose Province is missing: said on the Region and on its applications, and healed when it comes.
async fn a_citys_province_may_come_later(context: &Context) -> Result<()> {
    let api = regions(context).await?;
    let mut orphan = region("region-410100.yaml", ORPHAN)?;
    orphan["spec"]["parent"] = json!(FATHER);
    create(&api, &orphan).await?;
    let stalled = |r: &DynamicObject| condition(&r.data["status"], "Stalled")["reason"] == "ParentMissing";
    until(api.clone(), ORPHAN, "is stalled", PATIENCE, stalled).await?;
    was_asked_for(context, FATHER).await?;
    let namespace = context.filing_namespace("dept-orphan", ORPHAN).await?;
    let department = Department::open(&context.cluster, &namespace, ORPHAN).await?;
    department.file(&department.application("travel")?).await?;
    let judged = department.judged(Kind::Application, "travel", "ParentMissing").await?;
    let message = condition(&judged.data["status"], "Valid")["message"].clone();
    says("parent missing", message.as_str().unwrap_or_default(), &[FATHER, "不存在", "does not exist"])?;
    create(&api, &region("region-410000.yaml", FATHER)?).await?;
    department.judged(Kind::Application, "travel", "Valid").await?;
    until(api, ORPHAN, "is ready", PATIENCE, |r| condition(&r.data["status"], "Ready")["status"] == "True")
        .await?;
    Ok(())
}

/// Two cities that name each other, and one that names itself: told so, and the operator goes on.
async fn regions_in_a_circle_hold_nobody_up(context: &Context) -> Result<()> {
    let api = regions(context).await?;
    let circle = [("411100", "411200"), ("411200", "411100"), ("411300", "411300")];
    for (code, parent) in circle {
        let mut manifest = region("region-410100.yaml", code)?;
        manifest["spec"]["parent"] = json!(parent);
        create(&api, &manifest).await?;
    }
    for (code, _) in circle {
        let stalled =
            |r: &DynamicObject| condition(&r.data["status"], "Stalled")["reason"] == "ParentMissing";
        until(api.clone(), code, "is stalled", PATIENCE, stalled).await?;
        let right = Patch::Merge(json!({"spec": {"parent": HENAN}}));
        api.patch(code, &PatchParams::default(), &right).await?;
        let ready = |r: &DynamicObject| condition(&r.data["status"], "Ready")["status"] == "True";
        until(api.clone(), code, "is ready", PATIENCE, ready).await?;
    }
    context.cluster.operator.lock().await.as_mut().context("no operator")?.check()
}

/// A running system's namespace that nobody gave away (Art. 3): it is not adopted, and an approval is refused.
async fn a_namespace_is_adopted_on_its_holders_word_alone(context: &Context) -> Result<()> {
    let namespace = context.filing_namespace("dept-adopting", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let portal = context.namespace("portal").await?;
    let namespaces: Api<Namespace> = Api::all(context.cluster.client(Actor::Admin).await?);
    let before = namespaces.get(&portal).await?;
    let right = department.application("travel")?;
    let mut spoilt = right.clone();
    spoilt["spec"]["namespaces"][0]["existing"] = json!({"name": portal, "uid": before.metadata.uid});
    department.file(&spoilt).await?;
    let judged = department.judged(Kind::Application, "travel", "NotReleased").await?;
    let message = condition(&judged.data["status"], "Valid")["message"].as_str().unwrap_or_default();
    says(
        "not given",
        message,
        &["的现管理方尚未同意移出", "has not given it to this application", "adopt-out="],
    )?;
    let decision = json!({"metadata": {"annotations": {
        "govcloud.dev/decision": "approved", "govcloud.dev/reviewed-generation": "1", "govcloud.dev/adopt": before.metadata.uid,
    }}});
    let early = department.amend_as(department.authority, Kind::Application, "travel", decision).await;
    says("approved early", &refusal(early)?, &["该版内容尚未核验通过", "NotReleased"])?;
    ensure!(namespaces.get(&portal).await?.metadata.resource_version == before.metadata.resource_version);
    crate::table::replace(&department, Kind::Application, "travel", &right["spec"]).await?;
    department.judged(Kind::Application, "travel", "Valid").await.map(drop)
}

/// A foreign namespace of the name: never adopted, and the application goes on once it is gone.
async fn a_taken_name_may_become_free(context: &Context) -> Result<()> {
    let namespace = context.filing_namespace("dept-taken", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    let taken = govcloud_domain::names::tenant_namespace(&namespace, "travel", "prod");
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    let foreign: Namespace = serde_json::from_value(json!({"metadata": {"name": taken}}))?;
    let uid = namespaces.create(&PostParams::default(), &foreign).await?.metadata.uid;
    department.file(&department.application("travel")?).await?;
    let judged = department.judged(Kind::Application, "travel", "NamespaceTaken").await?;
    let message = condition(&judged.data["status"], "Valid")["message"].clone();
    let message = message.as_str().unwrap_or_default();
    says("taken", message, &[&taken, "不会自动关联", "it is never adopted"])?;
    ensure!(namespaces.get(&taken).await?.metadata.uid == uid, "the foreign's namespace is another");
    namespaces.delete(&taken, &DeleteParams::default()).await?;
    department.judged(Kind::Application, "travel", "Valid").await.map(drop)
}

/// A name that Kubernetes or the operator keeps for itself would follow from a filing namespace of such a name.
async fn a_reserved_name_is_refused(context: &Context) -> Result<()> {
    let namespace = context.filing_namespace("kube-dept", HENAN).await?;
    let department = Department::open(&context.cluster, &namespace, HENAN).await?;
    department.file(&department.application("travel")?).await?;
    let judged = department.judged(Kind::Application, "travel", "NamespaceReserved").await?;
    let message = condition(&judged.data["status"], "Valid")["message"].clone();
    says("reserved", message.as_str().unwrap_or_default(), &["系统保留", "is reserved"])?;
    // Nothing but another department puts this right: the department takes it away again and files there.
    let api = department.api(department.applicant, Kind::Application).await?;
    api.delete("travel", &DeleteParams::default()).await?;
    Ok(())
}
