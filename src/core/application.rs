//! CloudApplication: apply, review, provision, go live, report, exit (Art. 10–14, 16).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::decision::{self, Ruling};
use super::finding::{Bilingual, Finding};
use super::ground::Ground;
use super::happening::Happening;
use super::names;
use super::plan::{Plan, Step, Target, Write};
use super::quantity::Quantity;
use super::record::{Life, Meta, Standing};
use super::targets;
use crate::api::application::{
    ApplicationPhase as Phase, CloudApplication, CloudApplicationStatus, TenantNamespace, UnclaimedVolume,
};
use crate::api::deadline::{Obligation, Party};
use crate::api::decommission::{DecommissionPhase, Scope};
use crate::api::grant::{GrantPhase, ResourceGrant};
use crate::api::record::{Decision, Verdict};
use crate::api::region::Fulfilment;

/// An existing namespace with a name that the application would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Value of the operator's `application-uid` label.
    pub owner: Option<String>,
}

/// An exit of the application, as far as the application cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitView {
    /// Name of the Decommission.
    pub name: String,
    /// How much exits.
    pub scope: Scope,
    /// Where it stands; `None` before its first visit.
    pub phase: Option<DecommissionPhase>,
    /// UID of the application that it was published for.
    pub application_uid: Option<String>,
    /// When it completed.
    pub ended_at: Option<Timestamp>,
}

/// All that is read to decide on an application.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub meta: Meta,
    /// The record.
    pub record: Arc<CloudApplication>,
    /// Its ground.
    pub ground: Ground,
    /// The grant of the same name.
    pub grant: Option<(Meta, Arc<ResourceGrant>)>,
    /// Its exits.
    pub exits: Vec<ExitView>,
    /// Namespaces that exist under names that it would take.
    pub existing: Vec<Existing>,
    /// Volumes that lost their claim.
    pub unclaimed: Vec<UnclaimedVolume>,
}

/// Decides what is to be done for an application now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<CloudApplicationStatus> {
    let stored = seen.record.status.clone().unwrap_or_default();
    let mut case = Case {
        seen,
        now,
        life: Life::begin(&stored.record, seen.meta.generation, now),
        status: stored.clone(),
    };
    case.life.note_filing(&seen.meta, 11);
    let findings = case.findings();
    case.life.valid(&findings);
    let mut steps = Vec::new();
    let mut reread = false;
    match stored.phase {
        None | Some(Phase::Submitted | Phase::Returned) => reread = case.review(&findings),
        Some(Phase::Rejected | Phase::Withdrawn | Phase::Exited) => {}
        Some(Phase::Provisioning) => steps = case.provision(),
        Some(Phase::Provisioned | Phase::Live) => {
            case.go_live(&findings);
            case.begin_exit();
        }
        Some(Phase::Exiting) => case.follow_exit(),
    }
    if reread {
        return Plan::reread(stored);
    }
    case.status.unclaimed_volumes.clone_from(&seen.unclaimed);
    if let Some(calendar) = seen.ground.calendar() {
        case.life.run_clocks(calendar);
    }
    case.stand(&findings);
    case.end(&stored, steps)
}

/// Where an application returns to when an exit ends without result.
fn before_exit(status: &CloudApplicationStatus) -> Phase {
    status.phase_before_exit.unwrap_or(if status.live_at.is_some() {
        Phase::Live
    } else {
        Phase::Provisioned
    })
}

/// An application being decided on.
struct Case<'a> {
    seen: &'a Observed,
    now: Timestamp,
    life: Life,
    status: CloudApplicationStatus,
}

impl Case<'_> {
    /// Everything that is wrong with the application by more than itself alone (Art. 3, 11, 14, 20).
    fn findings(&self) -> Vec<Finding> {
        let spec = &self.seen.record.spec;
        let mut found = self.seen.ground.findings(&spec.region);
        if let Some(region) = &self.seen.ground.region {
            let platform = region.spec().platform.protection_level;
            if spec.system.protection_level > platform {
                found.push(Finding::ProtectionLevelTooHigh(spec.system.protection_level, platform));
            }
            for ns in &spec.namespaces {
                found.extend(above_maximum(&ns.name, &ns.quota.0, &region.spec().tenancy.max_quota));
            }
        }
        let approval = &spec.materials.project_approval;
        if approval
            .issued_on
            .parse::<jiff::civil::Date>()
            .is_ok_and(|d| d > super::calendar::china_date(self.now))
        {
            found.push(Finding::DocumentInFuture(
                "projectApproval.issuedOn".into(),
                approval.issued_on.clone(),
            ));
        }
        found.extend(self.name_findings());
        found.extend(self.go_live_finding());
        found
    }

    /// Names that are reserved or taken (S3: nothing is ever adopted).
    fn name_findings(&self) -> Vec<Finding> {
        if self.status.provisioned_at.is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for t in self.tenants() {
            if names::is_reserved(&t.namespace) {
                found.push(Finding::NamespaceReserved(t.namespace.clone()));
            }
            let other = self
                .seen
                .existing
                .iter()
                .find(|e| e.name == t.namespace && e.owner.as_deref() != Some(&self.seen.meta.uid));
            if let Some(e) = other {
                found.push(Finding::NamespaceTaken(e.name.clone(), e.uid.clone()));
            }
        }
        found
    }

    /// What is wrong with `goLive` (Art. 14). Once accepted, it is settled.
    fn go_live_finding(&self) -> Option<Finding> {
        let at = self.seen.record.spec.go_live.as_ref()?.at.timestamp();
        if self.status.live_at.is_some() {
            return None;
        }
        match self.status.provisioned_at.as_ref().map(|t| t.timestamp()) {
            None => Some(Finding::GoLiveBeforeProvisioning(None)),
            Some(p) if at < p => Some(Finding::GoLiveBeforeProvisioning(Some(p))),
            Some(_) if at > self.now => Some(Finding::GoLiveInFuture(at)),
            Some(_) => None,
        }
    }

    /// The namespaces that the application's spec comes to.
    fn tenants(&self) -> Vec<TenantNamespace> {
        let Meta { namespace, name, .. } = &self.seen.meta;
        let entries = self.seen.record.spec.namespaces.iter();
        entries
            .map(|e| TenantNamespace {
                entry: e.name.clone(),
                namespace: names::tenant_namespace(namespace, name, &e.name),
                uid: None,
            })
            .collect()
    }

    /// Review by the authority (Art. 12). Returns whether everything must be read anew first.
    fn review(&mut self, findings: &[Finding]) -> bool {
        if self.seen.meta.withdrawn()
            && self
                .life
                .status
                .decision
                .as_ref()
                .is_none_or(|d| d.verdict == Verdict::Returned || d.void.is_some())
        {
            self.life.drop_clock(Obligation::Review, "withdrawn");
            self.life.happen(Happening::Withdrawn, "department", None);
            self.status.phase = Some(Phase::Withdrawn);
            return false;
        }
        // Nothing is decided on a cache: the record is read with quorum before a decision counts (design, section 3).
        let ruling = self.life.take_decision(
            &self.seen.meta,
            &self.seen.ground.guard,
            12,
            self.seen.ground.calendar(),
        );
        if matches!(ruling, Ruling::New(_) | Ruling::Cleared) && !self.seen.ground.fresh {
            return true;
        }
        if self.life.decided(Verdict::Rejected) {
            self.status.phase = Some(Phase::Rejected);
        } else if let Some(approval) = decision::approved(&self.life.status, &self.seen.meta.digest).cloned()
        {
            self.notify(&approval);
        } else if self.life.returned_and_unanswered() {
            self.status.phase = Some(Phase::Returned);
        } else {
            self.await_review(findings);
        }
        false
    }

    /// Awaits the review, under a clock where the region sets one.
    fn await_review(&mut self, findings: &[Finding]) {
        self.status.phase = Some(Phase::Submitted);
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        if let Some(days) = region.spec().working_days.review {
            self.life.start_clock(Obligation::Review, Party::Authority, days, self.now, calendar);
            if findings.is_empty() {
                self.life.resume(Obligation::Review, calendar);
            } else {
                self.life.pause(Obligation::Review, Party::Department, "Correction", calendar);
            }
        }
    }

    /// 通知: the work order is published and the provider's 3 working days begin (Art. 13).
    fn notify(&mut self, approval: &Decision) {
        debug_assert!(approval.void.is_none());
        self.status.phase = Some(Phase::Provisioning);
        self.status.namespaces = self.tenants();
        self.life.happen(Happening::Notified, "govcloud-operator", Some(13));
        if let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) {
            self.life.start_clock(
                Obligation::Provision,
                Party::Provider,
                region.spec().working_days.provision,
                self.now,
                calendar,
            );
        }
    }

    /// The grant is written, or awaited from the provider (Art. 13); done when it is in force.
    fn provision(&mut self) -> Vec<Step> {
        if decision::approved(&self.life.status, &self.seen.meta.digest).is_none() {
            return Vec::new();
        }
        let automatic =
            self.seen.ground.region.as_ref().is_some_and(|r| r.spec().fulfilment == Fulfilment::Automatic);
        match &self.seen.grant {
            None if automatic => return vec![Step::Write(vec![self.grant()])],
            Some((_, grant)) if grant.spec.application.uid == self.seen.meta.uid => {
                let status = grant.status.as_ref();
                if status.is_some_and(|s| s.phase == Some(GrantPhase::Active)) {
                    self.provisioned(grant);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// The work order that says exactly what was approved.
    fn grant(&self) -> Write {
        let Meta { namespace, name, uid, digest, .. } = &self.seen.meta;
        let spec = &self.seen.record.spec;
        let generation = self.life.status.decision.as_ref().map_or(0, |d| d.generation);
        let target = Target { namespace: namespace.clone(), name: name.clone(), ..targets::GRANT.into() };
        let class =
            self.seen.ground.region.as_ref().and_then(|r| r.spec().tenancy.storage_classes.first().cloned());
        let object = json!({
            "apiVersion": crate::api::API_VERSION,
            "kind": "ResourceGrant",
            "metadata": { "name": name, "namespace": namespace },
            "spec": {
                "region": spec.region,
                "application": { "name": name, "uid": uid },
                "approved": { "kind": "CloudApplication", "name": name, "uid": uid, "generation": generation, "digest": digest },
                "namespaces": spec.namespaces.iter().map(|n| json!({ "name": n.name, "quota": n.quota, "storageClass": class })).collect::<Vec<_>>(),
            },
        });
        Write::Create(target, object)
    }

    /// 开通完成: the provider's clock is met, the department's 30 working days begin (Art. 13, 14).
    fn provisioned(&mut self, grant: &ResourceGrant) {
        let at =
            grant.status.as_ref().and_then(|s| s.in_force_since.as_ref()).map_or(self.now, |t| t.timestamp());
        self.status.phase = Some(Phase::Provisioned);
        self.status.provisioned_at = Some(at.into());
        self.status.namespaces = grant.status.as_ref().map(|s| s.namespaces.clone()).unwrap_or_default();
        self.life.happen_at(Happening::Provisioned, "provider", Some(13), at);
        if let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) {
            self.life.meet(Obligation::Provision, at, calendar);
            self.life.start_clock(
                Obligation::GoLive,
                Party::Department,
                region.spec().working_days.go_live,
                at,
                calendar,
            );
        }
    }

    /// 上线 and its report (Art. 14).
    fn go_live(&mut self, findings: &[Finding]) {
        if let Some((_, grant)) = &self.seen.grant
            && let Some(status) = &grant.status
            && !status.namespaces.is_empty()
        {
            self.status.namespaces.clone_from(&status.namespaces);
        }
        let (Some(region), Some(calendar)) = (&self.seen.ground.region, self.seen.ground.calendar()) else {
            return;
        };
        let Some(go_live) = &self.seen.record.spec.go_live else { return };
        let refused = findings
            .iter()
            .any(|f| matches!(f, Finding::GoLiveBeforeProvisioning(_) | Finding::GoLiveInFuture(_)));
        if refused {
            if let Some(Finding::GoLiveInFuture(at)) =
                findings.iter().find(|f| matches!(f, Finding::GoLiveInFuture(_)))
            {
                self.life.wake = Some(*at);
            }
            return;
        }
        if self.status.live_at.is_none() {
            self.status.live_at = Some(go_live.at);
            self.status.phase = Some(Phase::Live);
            self.life.happen_at(
                Happening::WentLive(go_live.at.timestamp()),
                "department",
                Some(14),
                self.now,
            );
            self.life.meet(Obligation::GoLive, go_live.at.timestamp(), calendar);
            self.life.start_clock(
                Obligation::GoLiveReport,
                Party::Department,
                region.spec().working_days.go_live_report,
                go_live.at.timestamp(),
                calendar,
            );
        }
        if go_live.test_report.is_some() && self.status.reported_at.is_none() {
            self.status.reported_at = Some(self.now.into());
            self.life.happen(Happening::Reported, "department", Some(14));
            self.life.meet(Obligation::GoLiveReport, self.now, calendar);
        }
    }

    /// The exit that is under way or done, if there is one.
    fn exit(&self) -> Option<&ExitView> {
        let own = |e: &&ExitView| {
            e.scope == Scope::Application && e.application_uid.as_deref() == Some(&self.seen.meta.uid)
        };
        let open = |e: &&ExitView| {
            e.phase.is_some_and(|p| {
                !matches!(
                    p,
                    DecommissionPhase::Rejected | DecommissionPhase::Withdrawn | DecommissionPhase::Inventory
                )
            })
        };
        self.seen.exits.iter().filter(own).find(open)
    }

    /// An exit was filed: the application is Exiting until it ends (Art. 16).
    fn begin_exit(&mut self) {
        let Some(exit) = self.exit().cloned() else { return };
        self.status.phase_before_exit = self.status.phase;
        self.status.phase = Some(Phase::Exiting);
        self.status.decommission = Some(exit.name.clone());
        if let Some(calendar) = self.seen.ground.calendar() {
            self.life.pause(Obligation::GoLive, Party::Authority, "Exiting", calendar);
            self.life.pause(Obligation::GoLiveReport, Party::Authority, "Exiting", calendar);
        }
        self.life.happen(Happening::ExitBegun(exit.name), "department", Some(16));
        self.follow_exit();
    }

    /// Follows the exit to its end, or back to where the application was.
    fn follow_exit(&mut self) {
        match self.exit().cloned() {
            None => {
                let name = self.status.decommission.take().unwrap_or_default();
                self.status.phase = Some(before_exit(&self.status));
                self.status.phase_before_exit = None;
                if let Some(calendar) = self.seen.ground.calendar() {
                    self.life.resume(Obligation::GoLive, calendar);
                    self.life.resume(Obligation::GoLiveReport, calendar);
                }
                self.life.happen(Happening::ExitEnded(name), "govcloud-operator", Some(16));
            }
            Some(exit) if exit.phase == Some(DecommissionPhase::Completed) => {
                self.status.phase = Some(Phase::Exited);
                for o in [Obligation::GoLive, Obligation::GoLiveReport] {
                    self.life.drop_clock(o, "Exited");
                }
                let at = exit.ended_at.unwrap_or(self.now);
                self.life.happen_at(Happening::Exited(exit.name), "provider", Some(16), at);
            }
            Some(_) => {}
        }
    }

    /// Conditions, and who is waited on.
    fn stand(&mut self, findings: &[Finding]) {
        let phase = self.status.phase.unwrap_or(Phase::Submitted);
        let blocked = findings.first().filter(|_| {
            !matches!(phase, Phase::Rejected | Phase::Withdrawn | Phase::Exiting | Phase::Exited)
        });
        let (party, act, clock) = match phase {
            Phase::Submitted if !findings.is_empty() => (Party::Department, Some("Correction"), None),
            Phase::Submitted if self.life.status.decision.as_ref().is_some_and(|d| d.void.is_some()) => {
                (Party::Authority, Some("NewDecision"), None)
            }
            Phase::Submitted => (Party::Authority, Some("Decision"), Some(Obligation::Review)),
            Phase::Returned => (Party::Department, Some("Correction"), None),
            Phase::Provisioning => (Party::Provider, Some("Provision"), Some(Obligation::Provision)),
            Phase::Provisioned => (Party::Department, Some("GoLive"), Some(Obligation::GoLive)),
            Phase::Live if self.status.reported_at.is_none() => {
                (Party::Department, Some("GoLiveReport"), Some(Obligation::GoLiveReport))
            }
            Phase::Exiting => (Party::None, Some("Decommission"), None),
            Phase::Live | Phase::Rejected | Phase::Withdrawn | Phase::Exited => (Party::None, None, None),
        };
        self.life.wait_on(party, act, clock);
        let standing = match (blocked, phase) {
            (Some(f), Phase::Submitted) => Standing::Stalled(f.reason(), f.text()),
            (_, Phase::Submitted) if self.life.status.decision.as_ref().is_some_and(|d| d.void.is_some()) => {
                Standing::Stalled(
                    "DecisionVoid",
                    Bilingual::new(
                        "审核意见无效,待重新审核",
                        "the decision does not count; it must be made anew",
                    ),
                )
            }
            _ => self.standing(phase),
        };
        self.life.stand(&standing);
    }

    /// How the application stands in each phase.
    fn standing(&self, phase: Phase) -> Standing {
        match phase {
            Phase::Submitted => Standing::Underway(
                "AwaitingDecision",
                Bilingual::new("等待主管部门审核(第十二条)", "awaiting the authority's review (Art. 12)"),
            ),
            Phase::Returned => Standing::Underway(
                "Returned",
                Bilingual::new(
                    "已退回,等待使用部门补正(第十二条)",
                    "returned; awaiting correction by the department (Art. 12)",
                ),
            ),
            Phase::Rejected => Standing::Stalled(
                "Rejected",
                Bilingual::new("主管部门不同意(第十二条)", "rejected by the authority (Art. 12)"),
            ),
            Phase::Withdrawn => Standing::Stalled(
                "Withdrawn",
                Bilingual::new("使用部门已撤回", "withdrawn by the department"),
            ),
            Phase::Provisioning => self.provisioning_standing(),
            Phase::Provisioned => Standing::Ready(
                "Provisioned",
                Bilingual::new(
                    "资源已开通,等待部署上线(第十四条)",
                    "provisioned; awaiting go-live (Art. 14)",
                ),
            ),
            Phase::Live => Standing::Ready("Live", Bilingual::new("已上线运行", "live")),
            Phase::Exiting => {
                let name = self.status.decommission.as_deref().unwrap_or_default();
                Standing::Underway(
                    "Exiting",
                    Bilingual::new(
                        format!("退出中,见 Decommission {name}"),
                        format!("exiting; see Decommission {name}"),
                    ),
                )
            }
            Phase::Exited => Standing::Ready(
                "Exited",
                Bilingual::new("已退出,资源已收回(第十六条)", "exited; resources are reclaimed (Art. 16)"),
            ),
        }
    }

    /// What provisioning waits for.
    fn provisioning_standing(&self) -> Standing {
        if self.life.status.decision.as_ref().is_some_and(|d| d.digest != self.seen.meta.digest) {
            return Standing::Stalled(
                "SpecAltered",
                Bilingual::new(
                    "批准后申请内容被改动,停止开通",
                    "the spec was altered after its approval; nothing is provisioned from it",
                ),
            );
        }
        if let Some(t) = &self.seen.ground.trouble {
            return Standing::Stalled(
                "WriteRefused",
                Bilingual::new(format!("写入被拒:{t}"), format!("a write was refused: {t}")),
            );
        }
        let grant = self.seen.grant.as_ref().filter(|(_, g)| g.spec.application.uid == self.seen.meta.uid);
        let grant_status = grant.and_then(|(_, g)| g.status.as_ref());
        let stalled = grant_status.and_then(|s| {
            s.record
                .conditions
                .iter()
                .find(|c| c.type_ == "Stalled" && c.status == crate::api::condition::ConditionStatus::True)
        });
        match (self.seen.grant.is_some(), stalled) {
            (true, Some(_)) => Standing::Stalled(
                "GrantStalled",
                Bilingual::new(
                    "工单受阻,见同名 ResourceGrant 的 Stalled 条件",
                    "the grant is held up; see the Stalled condition of the ResourceGrant of the same name",
                ),
            ),
            (true, None) => Standing::Underway(
                "Provisioning",
                Bilingual::new(
                    "服务提供方正在开通资源(第十三条)",
                    "resources are being provisioned (Art. 13)",
                ),
            ),
            (false, _) => Standing::Underway(
                "AwaitingGrant",
                Bilingual::new(
                    "已通知服务提供方,等待工单(第十三条)",
                    "the provider was notified; its grant is awaited (Art. 13)",
                ),
            ),
        }
    }

    /// The plan.
    fn end(self, stored: &CloudApplicationStatus, steps: Vec<Step>) -> Plan<CloudApplicationStatus> {
        let Self { life, mut status, .. } = self;
        let (record, notices, wake) = life.end(&stored.record);
        status.record = record;
        Plan { reread: false, steps, status, notices, wake }
    }
}

/// Quotas above the region's maximum for one namespace.
pub(super) fn above_maximum(
    namespace: &str,
    quota: &std::collections::BTreeMap<String, String>,
    maximum: &std::collections::BTreeMap<String, String>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (key, asked) in quota {
        let Some(max) = maximum.get(key) else { continue };
        match (asked.parse::<Quantity>(), max.parse::<Quantity>()) {
            (Ok(a), Ok(m)) if a > m => found.push(Finding::QuotaAboveMaximum(
                namespace.to_owned(),
                key.clone(),
                asked.clone(),
                max.clone(),
            )),
            (Err(e), _) => found
                .push(Finding::BadQuantity(format!("namespaces[{namespace}].quota.{key}"), e.to_string())),
            _ => {}
        }
    }
    found
}
