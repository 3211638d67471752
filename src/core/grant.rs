//! ResourceGrant: exactly what was approved is made and kept, nothing else (Art. 13, 15; S1, S3, S5, S6).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::decision::{self, Guard};
use super::finding::{Bilingual, Finding};
use super::ground::Ground;
use super::happening::Happening;
use super::names;
use super::plan::{Plan, Precondition, Step, Target, Write};
use super::quantity::Quantity;
use super::record::{Life, Meta, Standing};
use super::targets;
use super::tenancy::{self, Ownership, Stage, Tenant, TenantObject};
use crate::api::application::{ApplicationPhase, CloudApplication, TenantNamespace};
use crate::api::change::{ChangePhase, ChangeRequest};
use crate::api::deadline::Party;
use crate::api::decommission::{Decommission, DecommissionPhase};
use crate::api::disposition::Action;
use crate::api::grant::{
    ApprovalKind, GrantPhase, GrantedNamespace, ResourceGrant, ResourceGrantStatus, Restriction,
};
use crate::api::keys;

/// A tenant namespace as it is, with the operator's objects in it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveNamespace {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// UID of the application that the operator's label names.
    pub owner: Option<String>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The Namespace itself.
    pub object: Arc<Value>,
    /// Operator-labelled ResourceQuotas, LimitRanges, NetworkPolicies and RoleBindings in it, as they are.
    pub objects: Vec<Arc<Value>>,
}

/// A PersistentVolume bound to a claim in one of the namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveVolume {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// resourceVersion.
    pub resource_version: String,
    /// Reclaim policy.
    pub reclaim_policy: String,
    /// UID of the application that the operator's label names.
    pub owner: Option<String>,
}

/// All that is read to decide on a grant.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub meta: Meta,
    /// The grant.
    pub record: Arc<ResourceGrant>,
    /// Its ground.
    pub ground: Ground,
    /// The application of the same name.
    pub application: Option<(Meta, Arc<CloudApplication>)>,
    /// The change that `spec.approved` names, where it names one.
    pub change: Option<(Meta, Arc<ChangeRequest>)>,
    /// The exit that is under way or done.
    pub exit: Option<Arc<Decommission>>,
    /// Its namespaces that exist.
    pub namespaces: Vec<LiveNamespace>,
    /// The volumes bound in them.
    pub volumes: Vec<LiveVolume>,
}

/// Whether a grant may be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It is exactly what was approved.
    Accepted,
    /// It waits for the approval that it names.
    Waiting(Bilingual),
    /// It is not what was approved; each difference.
    Refused(Vec<String>),
    /// The application has exited.
    Ended,
}

/// Decides what is to be done for a grant now.
#[must_use]
pub fn decide(seen: &Observed, now: Timestamp) -> Plan<ResourceGrantStatus> {
    let stored = seen.record.status.clone().unwrap_or_default();
    let mut case = Case {
        seen,
        now,
        life: Life::begin(&stored.record, seen.meta.generation, now),
        status: stored.clone(),
    };
    let gate = gate(seen, &stored);
    // S1: nothing is made or enlarged on what a cache says.
    let opens = gate == Gate::Accepted && stored.in_force.as_ref() != Some(&seen.record.spec.approved);
    if opens && !seen.ground.fresh {
        return Plan::reread(stored);
    }
    let effective = match &gate {
        Gate::Accepted => seen.record.spec.namespaces.clone(),
        Gate::Ended => Vec::new(),
        Gate::Waiting(_) | Gate::Refused(_) => stored.granted.clone(),
    };
    let steps = match case.make(&effective) {
        Ok(steps) => steps,
        Err(standing) => {
            case.hold(&gate, &standing);
            return case.end(&stored, Vec::new());
        }
    };
    if steps.is_empty() {
        case.rest(&gate, effective);
    }
    case.end(&stored, steps)
}

/// Whether the grant is exactly what was approved (S1).
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
    let mut differences = Vec::new();
    differ(&mut differences, "spec.application.uid", &spec.application.uid, &app_meta.uid);
    differ(&mut differences, "spec.region", &spec.region, &app.spec.region);
    if !differences.is_empty() {
        return Gate::Refused(differences);
    }
    let phase = app.status.as_ref().and_then(|s| s.phase);
    if phase == Some(ApplicationPhase::Exited) {
        return if stored.in_force.is_some() {
            Gate::Ended
        } else {
            Gate::Refused(vec!["the application has exited / 该应用已退出".to_owned()])
        };
    }
    if stored.in_force.as_ref() == Some(&spec.approved) && stored.granted == spec.namespaces {
        return Gate::Accepted;
    }
    if !matches!(seen.ground.guard, Guard::Sealed { .. }) {
        return Gate::Waiting(Bilingual::new(
            "审批策略不完整,暂不开通",
            "the approval policies are not in place; no gate opens",
        ));
    }
    match spec.approved.kind {
        ApprovalKind::CloudApplication => gate_by_application(seen, stored, app_meta, app),
        ApprovalKind::ChangeRequest => gate_by_change(seen),
    }
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
    if stored.in_force.as_ref().is_some_and(|a| a.kind == ApprovalKind::ChangeRequest) {
        return Gate::Refused(vec![
            "spec.approved: 已有变更生效,不能退回原批准 / a later change is in force".to_owned(),
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
        .map(|n| GrantedNamespace { name: n.name.clone(), quota: n.quota.clone(), storage_class: None })
        .collect();
    d.extend(differences(&asked, &spec.namespaces, seen));
    if d.is_empty() { Gate::Accepted } else { Gate::Refused(d) }
}

/// The gate of a changed grant: the change was approved and is being carried out (Art. 15).
fn gate_by_change(seen: &Observed) -> Gate {
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
    if !matches!(status.phase, Some(ChangePhase::Applying)) {
        return Gate::Refused(vec![format!("spec.approved: {} {:?}", meta.name, status.phase)]);
    }
    let mut d = Vec::new();
    differ(&mut d, "spec.approved.uid", &spec.approved.uid, &meta.uid);
    differ(&mut d, "spec.approved.generation", &spec.approved.generation, &decision.generation);
    differ(&mut d, "spec.approved.digest", &spec.approved.digest, &decision.digest);
    d.extend(differences(&status.after, &spec.namespaces, seen));
    if d.is_empty() { Gate::Accepted } else { Gate::Refused(d) }
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
        let offered = seen.ground.region.as_ref().map(|r| &r.spec().tenancy.storage_classes);
        if let (Some(c), Some(offered)) = (&g.storage_class, offered)
            && !offered.contains(c)
        {
            d.push(format!("spec.namespaces[{}].storageClass: {c} ∉ {}", g.name, offered.join(", ")));
        }
    }
    d
}

/// Whether two amounts are the same, however they are written.
fn same_amount(x: Option<&String>, y: Option<&String>) -> bool {
    let amount = |v: &String| v.parse::<Quantity>().ok();
    x == y || matches!((x.and_then(amount), y.and_then(amount)), (Some(a), Some(b)) if a == b)
}

/// How far an exit restricts one namespace (design, section 6, step 4).
#[must_use]
pub fn restriction(exit: Option<&Decommission>, namespace: &str) -> Restriction {
    let Some(status) = exit.and_then(|e| e.status.as_ref()) else { return Restriction::None };
    match status.phase {
        Some(DecommissionPhase::HandingOver) => {
            let received =
                |uid: &str| exit.is_some_and(|e| e.spec.hand_over.iter().any(|r| r.volume_uid == uid));
            let entries = status.inventory.iter().flat_map(|i| &i.entries);
            let waits = entries.filter(|e| e.namespace == namespace).any(|e| {
                e.action == Action::HandOver && e.volume_uid.as_deref().is_some_and(|u| !received(u))
            });
            if waits { Restriction::HandingOver } else { Restriction::Quiesced }
        }
        Some(DecommissionPhase::Reclaiming | DecommissionPhase::Completed) => Restriction::Quiesced,
        _ => Restriction::None,
    }
}

/// A grant being decided on.
struct Case<'a> {
    seen: &'a Observed,
    now: Timestamp,
    life: Life,
    status: ResourceGrantStatus,
}

impl Case<'_> {
    /// The writes that bring the tenant objects to what is granted; none where nothing differs (S11).
    fn make(&self, effective: &[GrantedNamespace]) -> Result<Vec<Step>, Standing> {
        let reclaiming = self
            .phase_of_exit()
            .is_some_and(|p| p == DecommissionPhase::Reclaiming || p == DecommissionPhase::Completed);
        let mut order = Order::default();
        for granted in effective {
            let tenant = self.tenant(granted);
            let live = self.seen.namespaces.iter().find(|n| n.name == tenant.namespace);
            match tenancy::namespace::ownership(&tenant, live.map(|n| n.object.as_ref())) {
                Ownership::Absent | Ownership::Ours => {}
                Ownership::Vanished | Ownership::Terminating if reclaiming => continue,
                Ownership::Terminating => return Err(terminating(&tenant.namespace)),
                Ownership::Vanished => return Err(lost(&tenant.namespace)),
                Ownership::Taken => return Err(taken(&tenant.namespace, live)),
            }
            let desired = tenancy::desired(&tenant);
            for object in &desired {
                let found = live.and_then(|n| n.find(object));
                order.bring(object, found, live.is_none());
            }
            let objects: Vec<Value> =
                live.into_iter().flat_map(|n| &n.objects).map(|o| o.as_ref().clone()).collect();
            order.last.extend(tenancy::extra(&objects, &desired).into_iter().filter_map(removal));
        }
        if !reclaiming {
            order.first.extend(self.keep_volumes());
        }
        Ok(order.steps())
    }

    /// Where the exit stands.
    fn phase_of_exit(&self) -> Option<DecommissionPhase> {
        self.seen.exit.as_ref()?.status.as_ref()?.phase
    }

    /// The UID that was recorded for an entry's namespace.
    fn recorded(&self, entry: &str) -> Option<&str> {
        self.status.namespaces.iter().find(|n| n.entry == entry)?.uid.as_deref()
    }

    /// The tenant that one granted namespace stands for.
    fn tenant(&self, granted: &GrantedNamespace) -> Tenant {
        let Meta { namespace, .. } = &self.seen.meta;
        let spec = &self.seen.record.spec;
        let name = names::tenant_namespace(namespace, &spec.application.name, &granted.name);
        let region = self.seen.ground.region.as_ref().map(|r| r.spec());
        let stage = match restriction(self.seen.exit.as_deref(), &name) {
            Restriction::None => Stage::Active,
            Restriction::HandingOver => Stage::HandingOver,
            Restriction::Quiesced => Stage::Quiesced,
        };
        let classes = match &granted.storage_class {
            Some(c) => vec![c.clone()],
            None => region.map(|r| r.tenancy.storage_classes.clone()).unwrap_or_default(),
        };
        Tenant {
            application_name: spec.application.name.clone(),
            application_uid: spec.application.uid.clone(),
            filing_namespace: namespace.clone(),
            region: spec.region.clone(),
            entry: granted.name.clone(),
            namespace_uid: self.recorded(&granted.name).map(str::to_owned),
            namespace: name,
            quota: granted.quota.0.clone(),
            pod_security: region.map(|r| r.tenancy.pod_security).unwrap_or_default().as_str().to_owned(),
            storage_classes: classes,
            limit_range: region.and_then(|r| r.tenancy.limit_range.clone()),
            access: self
                .seen
                .application
                .as_ref()
                .map(|(_, a)| a.spec.access.iter().map(access).collect())
                .unwrap_or_default(),
            stage,
        }
    }

    /// While an application is active its volumes are `Retain` and labelled, from first sight (S5).
    fn keep_volumes(&self) -> Vec<Write> {
        let spec = &self.seen.record.spec;
        let loose = |v: &&LiveVolume| {
            v.reclaim_policy != "Retain" || v.owner.as_deref() != Some(&spec.application.uid)
        };
        let keep = |v: &LiveVolume| {
            let body = json!({
                "metadata": { "labels": {
                    keys::APPLICATION_UID: spec.application.uid, keys::APPLICATION: spec.application.name,
                    keys::DEPARTMENT: self.seen.meta.namespace, keys::REGION: spec.region,
                } },
                "spec": { "persistentVolumeReclaimPolicy": "Retain" },
            });
            let precondition =
                Precondition { uid: v.uid.clone(), resource_version: v.resource_version.clone() };
            Write::Patch(targets::VOLUME.named(&v.name), precondition, body)
        };
        self.seen.volumes.iter().filter(loose).map(keep).collect()
    }

    /// Nothing is left to write: what is granted is in force.
    fn rest(&mut self, gate: &Gate, effective: Vec<GrantedNamespace>) {
        let spec = &self.seen.record.spec;
        match gate {
            Gate::Accepted => {
                self.in_force(effective);
                let (party, act) = (Party::None, None);
                self.life.wait_on(party, act, None);
                self.life.stand(&Standing::Ready(
                    "Active",
                    Bilingual::new("已按批准内容开通", "what was approved is in force"),
                ));
            }
            Gate::Ended => {
                if self.status.phase != Some(GrantPhase::Released) {
                    self.status.phase = Some(GrantPhase::Released);
                    self.life.happen(Happening::Released, "govcloud-operator", Some(16));
                }
                self.life.wait_on(Party::None, None, None);
                self.life.stand(&Standing::Ready(
                    "Released",
                    Bilingual::new("应用已退出,工单终结", "the application has exited"),
                ));
            }
            Gate::Waiting(why) => {
                let active = self.status.in_force.is_some();
                self.status.phase = Some(if active { GrantPhase::Active } else { GrantPhase::Pending });
                self.life.wait_on(Party::Authority, Some("Approval"), None);
                self.life.stand(&Standing::Underway("AwaitingApproval", why.clone()));
            }
            Gate::Refused(d) => self.refuse(d, &spec.approved.name.clone()),
        }
    }

    /// The grant came into force, or is.
    fn in_force(&mut self, effective: Vec<GrantedNamespace>) {
        let spec = &self.seen.record.spec;
        if self.status.in_force.as_ref() != Some(&spec.approved) || self.status.granted != effective {
            self.status.in_force = Some(spec.approved.clone());
            self.status.in_force_since = Some(self.now.into());
            self.status.granted = effective;
            self.life.happen(Happening::InForce(spec.approved.name.clone()), "provider", Some(13));
        }
        self.status.phase = Some(GrantPhase::Active);
        self.status.namespaces = self.live_entries();
        let deepest = self.status.granted.iter().map(|g| {
            let ns = names::tenant_namespace(&self.seen.meta.namespace, &spec.application.name, &g.name);
            restriction(self.seen.exit.as_deref(), &ns)
        });
        let order = |r: &Restriction| match r {
            Restriction::None => 0,
            Restriction::HandingOver => 1,
            Restriction::Quiesced => 2,
        };
        // The least restricted namespace counts: quiesced means that every one is.
        let now = deepest.min_by_key(order).unwrap_or_default();
        if now != self.status.restriction {
            self.status.restriction = now;
            self.life.happen(
                Happening::Restricted(match now {
                    Restriction::None => "None",
                    Restriction::HandingOver => "HandingOver",
                    Restriction::Quiesced => "Quiesced",
                }),
                "govcloud-operator",
                Some(16),
            );
        }
    }

    /// The entries with the UIDs of their namespaces. A recorded UID stays after the namespace is gone.
    fn live_entries(&self) -> Vec<TenantNamespace> {
        let spec = &self.seen.record.spec;
        let entry = |g: &GrantedNamespace| {
            let namespace =
                names::tenant_namespace(&self.seen.meta.namespace, &spec.application.name, &g.name);
            let live = self.seen.namespaces.iter().find(|n| n.name == namespace).map(|n| n.uid.clone());
            TenantNamespace {
                entry: g.name.clone(),
                uid: live.or_else(|| self.recorded(&g.name).map(str::to_owned)),
                namespace,
            }
        };
        self.status.granted.iter().map(entry).collect()
    }

    /// The grant is not what was approved: said, with each difference (Art. 13).
    fn refuse(&mut self, differences: &[String], approved: &str) {
        let text = differences.join("; ");
        let news =
            !self.life.status.conditions.iter().any(|c| c.reason == "Refused" && c.message.contains(&text));
        if news {
            self.life.happen(Happening::Refused(text.clone()), "govcloud-operator", Some(13));
        }
        let active = self.status.in_force.is_some();
        self.status.phase = Some(if active { GrantPhase::Active } else { GrantPhase::Refused });
        self.life.wait_on(Party::Provider, Some("CorrectGrant"), None);
        let zh = format!(
            "工单与 {approved} 批准内容不符(工单 ≠ 批准):{text};可用 kubectl govcloud grant render 生成正确的工单"
        );
        let en = format!(
            "not what {approved} approved (grant ≠ approved): {text}; kubectl govcloud grant render prints the right one"
        );
        self.life.stand(&Standing::Stalled("Refused", Bilingual::new(zh, en)));
    }

    /// Held up by something that must be seen to.
    fn hold(&mut self, gate: &Gate, standing: &Standing) {
        if self.status.phase.is_none() {
            self.status.phase =
                Some(if *gate == Gate::Accepted { GrantPhase::Applying } else { GrantPhase::Pending });
        }
        self.life.wait_on(Party::Provider, Some("Provision"), None);
        self.life.stand(standing);
    }

    /// The plan.
    fn end(mut self, stored: &ResourceGrantStatus, steps: Vec<Step>) -> Plan<ResourceGrantStatus> {
        if !steps.is_empty() {
            let standing = match &self.seen.ground.trouble {
                Some(t) => Standing::Stalled(
                    "WriteRefused",
                    Bilingual::new(format!("写入被拒:{t}"), format!("a write was refused: {t}")),
                ),
                None => Standing::Underway(
                    "Applying",
                    Bilingual::new("正在开通资源", "resources are being provisioned"),
                ),
            };
            self.status.phase =
                self.status.phase.filter(|p| *p == GrantPhase::Active).or(Some(GrantPhase::Applying));
            self.life.wait_on(Party::Provider, Some("Provision"), None);
            self.life.stand(&standing);
        }
        let Self { life, mut status, .. } = self;
        let (record, notices, wake) = life.end(&stored.record);
        status.record = record;
        Plan { reread: false, steps, status, notices, wake }
    }
}

/// The writes of one grant in the order in which they must happen: the namespace, what bounds it, who may enter.
#[derive(Debug, Default)]
struct Order {
    first: Vec<Write>,
    bounds: Vec<Write>,
    last: Vec<Write>,
    afterwards: Vec<Write>,
}

impl Order {
    /// Brings one object to what is desired; nothing where nothing differs.
    fn bring(&mut self, object: &TenantObject, found: Option<&Value>, fresh_namespace: bool) {
        let Some(target) = target(object) else { return };
        let write = match found {
            // POST, so that what exists under that name is never adopted.
            None if fresh_namespace || object.kind() == "Namespace" => {
                Write::Create(target, object.to_apply_json())
            }
            None => Write::Apply(target, object.to_apply_json()),
            Some(live) => match tenancy::drift(object, live) {
                None => return,
                Some(paths) if tenancy::must_replace(&paths) => Write::Delete(target, precondition(live)),
                Some(_) => {
                    if let Some(patch) = tenancy::removal_patch(object, live) {
                        self.afterwards.push(Write::Correct(target.clone(), patch));
                    }
                    Write::Apply(target, object.to_apply_json())
                }
            },
        };
        match object {
            TenantObject::Namespace(_) => self.first.push(write),
            TenantObject::RoleBinding(_) => self.last.push(write),
            TenantObject::ResourceQuota(_) | TenantObject::LimitRange(_) | TenantObject::NetworkPolicy(_) => {
                self.bounds.push(write)
            }
        }
    }

    fn steps(self) -> Vec<Step> {
        let Self { first, bounds, last, afterwards } = self;
        [first, bounds, last, afterwards].into_iter().filter(|w| !w.is_empty()).map(Step::Write).collect()
    }
}

/// The kind of a tenant object by its name.
fn kind_of(kind: &str) -> Option<targets::Kind> {
    [targets::NAMESPACE, targets::QUOTA, targets::LIMITS, targets::NETWORK_POLICY, targets::ROLE_BINDING]
        .into_iter()
        .find(|k| k.2 == kind)
}

fn target(object: &TenantObject) -> Option<Target> {
    Some(kind_of(object.kind())?.within(object.namespace().unwrap_or_default(), object.name()))
}

fn precondition(live: &Value) -> Precondition {
    let text = |field: &str| live["metadata"][field].as_str().unwrap_or_default().to_owned();
    Precondition { uid: text("uid"), resource_version: text("resourceVersion") }
}

/// Removes an operator-labelled object that is no longer wanted.
fn removal(r: tenancy::ObjectRef) -> Option<Write> {
    let target = kind_of(&r.kind)?.within(&r.namespace, &r.name);
    Some(Write::Delete(target, Precondition { uid: r.uid, resource_version: r.resource_version }))
}

/// One line of `spec.access` as tenancy knows it.
fn access(a: &crate::api::application::Access) -> tenancy::Access {
    use crate::api::application::{AccessRole, SubjectKind};
    tenancy::Access {
        kind: match a.subject.kind {
            SubjectKind::User => tenancy::SubjectKind::User,
            SubjectKind::Group => tenancy::SubjectKind::Group,
            SubjectKind::ServiceAccount => tenancy::SubjectKind::ServiceAccount,
        },
        name: a.subject.name.clone(),
        namespace: None,
        role: match a.role {
            AccessRole::Admin => tenancy::Role::Admin,
            AccessRole::Edit => tenancy::Role::Edit,
            AccessRole::View => tenancy::Role::View,
        },
    }
}

/// The namespace is another's, or was replaced (design, section 5).
fn taken(name: &str, live: Option<&LiveNamespace>) -> Standing {
    let uid = live.map(|n| n.uid.clone()).unwrap_or_default();
    let finding = Finding::NamespaceTaken(name.to_owned(), uid);
    Standing::Stalled(finding.reason(), finding.text())
}

/// The namespace is being deleted outside an exit.
fn terminating(name: &str) -> Standing {
    Standing::Stalled(
        "NamespaceTerminating",
        Bilingual::new(format!("命名空间 {name} 正在被删除"), format!("namespace {name} is being deleted")),
    )
}

/// A namespace that was made is gone: it is not made again behind the department's back (S3).
fn lost(name: &str) -> Standing {
    Standing::Stalled(
        "NamespaceLost",
        Bilingual::new(
            format!("命名空间 {name} 已不存在;不会自动重建,请主管部门与使用部门核实"),
            format!(
                "namespace {name} is gone; it is not made again by itself. The authority and the department must look into it"
            ),
        ),
    )
}

impl LiveNamespace {
    /// The live object that a desired one stands for.
    fn find(&self, object: &TenantObject) -> Option<&Value> {
        if object.kind() == "Namespace" {
            return Some(&self.object);
        }
        let is = |o: &&Arc<Value>| o["kind"] == object.kind() && o["metadata"]["name"] == object.name();
        self.objects.iter().find(is).map(AsRef::as_ref)
    }
}
