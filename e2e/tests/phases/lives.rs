//! Lives that together stand in every phase: those that end early, one from application to certificate, one in a
//! city whose provider writes the grants, the provider's maintenance, and all that can fall due.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, HENAN, Kind, ZHENGZHOU};
use e2e::paths::in_repository;
use e2e::sample_department::{deadline, timeline_count};
use e2e::suite::Context;
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_controller::clock::Clock;
use govcloud_domain::calendar::{Calendar, china_date, desk_opens};
use govcloud_domain::names::tenant_namespace;
use jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::documents;

/// Lives that pass through every phase, in three departments.
pub struct Lives {
    pub province: Department,
    pub city: Department,
    pub provider: Department,
    pub clock: Clock,
}

impl Lives {
    /// Three departments, in the regions of the samples.
    pub async fn begin(context: &Context, clock: Clock) -> Result<Self> {
        let cluster = &context.cluster;
        let open = async |prefix: &str, region: &str| {
            let namespace = context.filing_namespace(prefix, region).await?;
            Department::open(cluster, &namespace, region).await
        };
        let province = open("dept-phases", HENAN).await?;
        let city = open("dept-city", ZHENGZHOU).await?;
        let provider = open("provider-plans", HENAN).await?;
        let admin = cluster.kubectl(Actor::Admin);
        let (namespace, role) = (provider.namespace.as_str(), "--clusterrole=govcloud:provider-maintenance");
        admin
            .run(&["create", "rolebinding", "plans", "-n", namespace, role, "--group=govcloud:provider"])
            .await?;
        Ok(Self { province, city, provider, clock })
    }

    /// Runs all lives.
    pub async fn run(&self) -> Result<()> {
        let together = tokio::try_join!(
            early_ends(&self.province),
            a_life(&self.province),
            a_city(&self.city),
            assessments(&self.province),
            self.maintenance_is_scheduled(),
            documents::compliance(&self.provider),
            documents::inspections(&self.province),
        );
        let ((), (), (), (), (start, end), (), ()) = together.context("the lives before anything is late")?;
        self.everything_falls_due(start, end).await.context("the lives that run late")
    }

    fn moment(&self, from_now: SignedDuration) -> Result<Timestamp> {
        Ok(self.clock.now().checked_add(from_now)?.round(jiff::Unit::Second)?)
    }

    async fn maintenance_is_scheduled(&self) -> Result<(Timestamp, Timestamp)> {
        self.province.provision(self.province.application("watched")?).await?;
        let start = self.moment(SignedDuration::from_hours(24 * 12))?;
        let end = start.checked_add(SignedDuration::from_hours(4))?;
        let mut plan = fixtures::sample("maintenance.yaml")?;
        plan["metadata"]["name"] = json!("upgrade");
        plan["spec"]["platformMaintenance"]["window"] =
            json!({"start": start.to_string(), "end": end.to_string()});
        plan["spec"]["platformMaintenance"]["affects"] =
            json!({"applications": [{"namespace": self.province.namespace, "name": "watched"}]});
        self.provider.file_as(Actor::Provider, &plan).await?;
        self.provider.approve(Kind::Change, "upgrade").await?;
        self.provider.phase(Kind::Change, "upgrade", "Scheduled").await?;
        Ok((start, end))
    }

    /// Moves the clock past every deadline there is, and sees each reported.
    async fn everything_falls_due(&self, start: Timestamp, end: Timestamp) -> Result<()> {
        let province = &self.province;
        province.provision(province.application("slow")?).await?;
        let waiting = serde_json::to_value(province.get(Kind::Application, "waiting").await?)?;
        let due: Timestamp = deadline(&waiting, "Review")?["dueAt"].as_str().context("no dueAt")?.parse()?;
        // Warnings come while people are at their desks.
        let calendar = cn()?;
        let last = china_date(due - SignedDuration::from_secs(1));
        let moments = [
            (desk_opens(calendar.back(last, 1)), "HalfLeft"),
            (desk_opens(last), "LastDay"),
            (due, "Overdue"),
        ];
        for (moment, event) in moments {
            self.clock.set(moment + SignedDuration::from_mins(5));
            province.until(Kind::Application, "waiting", event, |s| told(s, event)).await?;
        }
        self.city.until(Kind::Application, "ordered", "is overdue", |s| told(s, "Overdue")).await?;
        self.clock.set(start + SignedDuration::from_hours(1));
        self.provider.phase(Kind::Change, "upgrade", "InProgress").await?;
        self.clock.set(end + SignedDuration::from_hours(24 * 60));
        self.provider.until(Kind::Change, "upgrade", "is overdue", |s| told(s, "Overdue")).await?;
        let told_both = |s: &Value| told(s, "MaintenanceScheduled") && told(s, "MaintenanceStarted");
        province.until(Kind::Application, "watched", "is told", told_both).await?;
        let outcome = json!({"spec": {"maintenanceOutcome": {
            "result": "Succeeded", "endedAt": end.to_string(), "summary": "升级完成，业务未中断",
        }}});
        self.provider.amend_as(Actor::Provider, Kind::Change, "upgrade", outcome).await?;
        self.provider.phase(Kind::Change, "upgrade", "Completed").await?;
        // Going live, and reporting it, are late as well.
        province.until(Kind::Application, "slow", "is overdue", |s| told(s, "Overdue")).await?;
        let at = self.moment(SignedDuration::ZERO)?.to_string();
        province.amend(Kind::Application, "slow", json!({"spec": {"goLive": {"at": at}}})).await?;
        province.phase(Kind::Application, "slow", "Live").await?;
        self.clock.set(self.moment(SignedDuration::from_hours(24 * 30))?);
        let late = |s: &Value| timeline_count(&json!({"status": s}), "Overdue") == 2;
        province.until(Kind::Application, "slow", "owes its report", late).await?;
        province.amend(Kind::Application, "slow", fixtures::sample("travel-report.yaml")?).await?;
        province.until(Kind::Application, "slow", "has reported", |s| s["reportedAt"].is_string()).await?;
        Ok(())
    }
}

/// The calendar that is installed.
fn cn() -> Result<Calendar> {
    let text = std::fs::read_to_string(in_repository("config/calendars/cn.yaml"))?;
    let calendar: WorkCalendar = serde_saphyr::from_str(&text)?;
    Ok(Calendar::new("cn", 1, &calendar.spec)?)
}

fn told(status: &Value, event: &str) -> bool {
    timeline_count(&json!({ "status": status }), event) > 0
}

/// The authority decides otherwise than by approving.
pub async fn decide(department: &Department, kind: Kind, name: &str, verdict: &str) -> Result<DynamicObject> {
    let generation = department.judged(kind, name, "Valid").await?.metadata.generation.unwrap_or_default();
    let annotations = json!({
        "govcloud.dev/decision": verdict, "govcloud.dev/reviewed-generation": generation.to_string(),
        "govcloud.dev/opinion": "材料与实际不符",
    });
    let patch = json!({"metadata": {"annotations": annotations}});
    department.amend_as(department.authority, kind, name, patch).await
}

/// The department takes a record back.
async fn withdraw(department: &Department, kind: Kind, name: &str) -> Result<()> {
    let uid = department.get(kind, name).await?.uid().context("no UID")?;
    department
        .amend(kind, name, json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}}))
        .await?;
    department.phase(kind, name, "Withdrawn").await.map(drop)
}

/// Applications that come to an early end, or to none.
async fn early_ends(department: &Department) -> Result<()> {
    for (name, verdict, phase) in [("rejected", "rejected", "Rejected"), ("returned", "returned", "Returned")]
    {
        department.file(&department.application(name)?).await?;
        decide(department, Kind::Application, name, verdict).await?;
        department.phase(Kind::Application, name, phase).await?;
    }
    department.file(&department.application("withdrawn")?).await?;
    department.judged(Kind::Application, "withdrawn", "Valid").await?;
    withdraw(department, Kind::Application, "withdrawn").await?;
    department.file(&department.application("waiting")?).await?;
    department.judged(Kind::Application, "waiting", "Valid").await?;
    let mut high = department.application("too-high")?;
    high["spec"]["system"]["protectionLevel"] = json!(4);
    department.file(&high).await?;
    department.judged(Kind::Application, "too-high", "ProtectionLevelTooHigh").await?;
    a_taken_name(department, "taken").await?;
    department.file(&department.application("taken")?).await?;
    department.judged(Kind::Application, "taken", "NamespaceTaken").await?;
    // An exit of what never was.
    department.file(&department.exit("of-nothing", "rejected", json!({"default": "Retain"}))?).await?;
    department.phase(Kind::Exit, "of-nothing", "Inventory").await.map(drop)
}

/// From application to certificate, with every way back on the way.
async fn a_life(department: &Department) -> Result<()> {
    let application = department.provision(department.application("main")?).await?;
    let (tenant, _) = Department::tenant(&application, "prod")?;
    let retain = || json!({"default": "Retain"});
    for (name, verdict) in
        [("exit-rejected", Some("rejected")), ("exit-returned", Some("returned")), ("exit-back", None)]
    {
        department.file(&department.exit(name, "main", retain())?).await?;
        department.consent(name).await?;
        if let Some(verdict) = verdict {
            decide(department, Kind::Exit, name, verdict).await?;
        }
        if verdict == Some("rejected") {
            department.phase(Kind::Exit, name, "Rejected").await?;
        } else {
            department
                .until(Kind::Exit, name, "is as decided", |s| verdict.is_none() || told(s, "Returned"))
                .await?;
            withdraw(department, Kind::Exit, name).await?;
        }
        department.phase(Kind::Application, "main", "Provisioned").await?;
    }
    for (name, verdict, phase) in [("no", "rejected", "Rejected"), ("again", "returned", "Returned")] {
        department.file(&department.change(name, "main")?).await?;
        decide(department, Kind::Change, name, verdict).await?;
        department.phase(Kind::Change, name, phase).await?;
    }
    withdraw(department, Kind::Change, "again").await?;
    department.enlarge("more", "main").await?;
    department.file(&department.change("same", "main")?).await?;
    department.judged(Kind::Change, "same", "NothingChanges").await?;
    withdraw(department, Kind::Change, "same").await?;
    department.go_live("main").await?;
    let volume = department.fill(&tenant, "data", "行程").await?.uid().context("no UID")?;
    let hand_over = json!({
        "default": "Destroy", "volumes": [{"namespace": "prod", "claim": "data", "action": "HandOver"}],
    });
    department.leave(department.exit("exit", "main", hand_over)?).await?;
    department.phase(Kind::Exit, "exit", "HandingOver").await?;
    department.until(Kind::Grant, "main", "hands over", |s| s["restriction"] == "HandingOver").await?;
    let receipt = json!({"spec": {"handOver": [{
        "volumeUID": volume, "receivedBy": "李工", "uri": "https://oa.jtyst.example/docs/2026/receipt.pdf",
        "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    }]}});
    department.amend(Kind::Exit, "exit", receipt).await?;
    department.phase(Kind::Exit, "exit", "Completed").await?;
    department.phase(Kind::Application, "main", "Exited").await?;
    department.phase(Kind::Grant, "main", "Released").await.map(drop)
}

/// Assessments of a quarter that is over, each to another end, and of one that is not. A second officer files and scores.
async fn assessments(department: &Department) -> Result<()> {
    let officer = department.second_officer(Kind::Assessment).await?;
    let file = async |name: &str, from: &str, to: &str| {
        let manifest = json!({
            "apiVersion": "govcloud.dev/v1alpha1", "kind": "Assessment", "metadata": {"name": name},
            "spec": {"region": department.region, "subject": "Department", "period": {"from": from, "to": to}},
        });
        Ok::<_, anyhow::Error>(
            officer.create(&PostParams::default(), &serde_json::from_value(manifest)?).await?,
        )
    };
    let amend = async |name: &str, patch: Value| {
        officer.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
    };
    file("quarter-running", "2026-10-01", "2026-12-31").await?;
    department.phase(Kind::Assessment, "quarter-running", "Collecting").await?;
    let scores = json!([{"criterion": "reasonable", "score": 85}, {"criterion": "efficient", "score": 78}]);
    for (name, verdict, phase) in [
        ("quarter-published", "approved", "Published"),
        ("quarter-rejected", "rejected", "Rejected"),
        ("quarter-returned", "returned", "Returned"),
    ] {
        file(name, "2026-07-01", "2026-09-30").await?;
        department.phase(Kind::Assessment, name, "Scoring").await?;
        amend(name, json!({"spec": {"scores": scores}})).await?;
        department.phase(Kind::Assessment, name, "Objection").await?;
        let objection = json!({"spec": {"objection": {"reason": "系统尚在推广期"}}});
        department.amend(Kind::Assessment, name, objection).await?;
        department.phase(Kind::Assessment, name, "Answering").await?;
        amend(name, json!({"spec": {"answer": {"text": "维持原评分"}}})).await?;
        department.phase(Kind::Assessment, name, "AwaitingDecision").await?;
        decide(department, Kind::Assessment, name, verdict).await?;
        department.phase(Kind::Assessment, name, phase).await?;
    }
    let filed = file("quarter-withdrawn", "2026-07-01", "2026-09-30").await?;
    let uid = filed.uid().context("no UID")?;
    amend("quarter-withdrawn", json!({"metadata": {"annotations": {"govcloud.dev/withdraw": uid}}})).await?;
    department.phase(Kind::Assessment, "quarter-withdrawn", "Withdrawn").await.map(drop)
}

/// A namespace stands already under the name that an application would take.
async fn a_taken_name(department: &Department, name: &str) -> Result<()> {
    let namespace = tenant_namespace(&department.namespace, name, "prod");
    department.cluster().kubectl(Actor::Admin).run(&["create", "namespace", &namespace]).await.map(drop)
}

/// The provider writes the grants: too early, not as approved, as approved, and not at all.
async fn a_city(department: &Department) -> Result<()> {
    let early = department.file(&department.application("early")?).await?;
    let grant = |application: &DynamicObject, digest: Value, cpu: &str| {
        let mut namespaces = application.data["spec"]["namespaces"].clone();
        namespaces[0]["quota"]["requests.cpu"] = json!(cpu);
        let (name, uid) = (application.name_any(), application.uid());
        json!({
            "apiVersion": "govcloud.dev/v1alpha1", "kind": "ResourceGrant", "metadata": {"name": name},
            "spec": {
                "region": department.region, "application": {"name": name, "uid": uid}, "namespaces": namespaces,
                "approved": {"kind": "CloudApplication", "name": name, "uid": uid, "generation": 1, "digest": digest},
            },
        })
    };
    let unknown = json!(format!("sha256:{}", "0".repeat(64)));
    department.file_as(Actor::Provider, &grant(&early, unknown, "8")).await?;
    department.phase(Kind::Grant, "early", "Pending").await?;
    department.approve(Kind::Application, "early").await?;
    department.phase(Kind::Grant, "early", "Refused").await?;
    let approved = department.get(Kind::Application, "early").await?;
    let digest = &approved.data["status"]["decision"]["digest"];
    ensure!(digest.is_string(), "no digest was approved: {}", approved.data["status"]);
    let right = grant(&approved, digest.clone(), "8");
    department.amend_as(Actor::Provider, Kind::Grant, "early", json!({"spec": right["spec"]})).await?;
    department.phase(Kind::Grant, "early", "Active").await?;
    department.phase(Kind::Application, "early", "Provisioned").await?;
    for name in ["ordered", "late"] {
        department.file(&department.application(name)?).await?;
        department.approve(Kind::Application, name).await?;
        department.phase(Kind::Application, name, "Provisioning").await?;
    }
    // Somebody takes the name between approval and grant.
    a_taken_name(department, "late").await?;
    let approved = department.get(Kind::Application, "late").await?;
    let digest = approved.data["status"]["decision"]["digest"].clone();
    department.file_as(Actor::Provider, &grant(&approved, digest, "8")).await?;
    department.phase(Kind::Grant, "late", "Applying").await.map(drop)
}
