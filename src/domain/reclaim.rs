//! After an approved exit: hand-over, reclaim, certificate (Art. 16, 23, 28; S2, S4).
//!
//! Nothing is deleted until every volume has its verified policy; claims are deleted before their namespaces; every
//! destructive write carries preconditions from a quorum read; the end is observed, never assumed.

use jiff::{SignedDuration, Timestamp};

use super::decision;
use super::decommission::{Evaluation, ExitVolume};
use super::digest;
use super::finding::{Bilingual, Finding};
use super::lifecycle_event::LifecycleEvent;
use super::plan::{RequiredReads, Step};
use super::record::ReadyState;
use super::tenancy::volumes;
use govcloud_api::application::TenantNamespace;
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{Certificate, DecommissionPhase as Phase, Fate, Outcome, Scope};
use govcloud_api::disposition::{Action, InventoryEntry};
use govcloud_api::grant::Restriction;

/// After this long without an end, what holds a reclaim is reported as `Stalled`.
pub const STUCK_AFTER: SignedDuration = SignedDuration::from_mins(5);

mod writes;

use writes::{next_removal, preparations, removals};

/// What comes next.
pub(super) enum Next {
    /// This must be read with quorum first.
    Reread(RequiredReads),
    /// These steps, possibly none.
    Do(Vec<Step>),
}

/// Hand-over and winding down (step 4), until reclaiming may begin (step 5).
pub(super) fn hand_over(case: &mut Evaluation<'_>) -> Next {
    if case.withdrawn() {
        return Next::Do(Vec::new());
    }
    if case.altered() {
        return Next::Do(Vec::new());
    }
    if !case.consented() {
        if !case.seen.ground.has_read(RequiredReads::EVERYTHING) {
            return Next::Reread(RequiredReads::EVERYTHING);
        }
        case.life.record_event(LifecycleEvent::ConsentVoid, "govcloud-operator", Some(23));
        case.end_without_result("consent void");
        return Next::Do(Vec::new());
    }
    case.keep_clock();
    record_receipts(case);
    stand_handing_over(case);
    if !outstanding(case).is_empty() {
        return Next::Do(Vec::new());
    }
    if let Some(open) = ReadyState::guard_open(&case.seen.ground.guard) {
        case.life.set_ready_conditions(&open);
    }
    let sealed = matches!(case.seen.ground.guard, decision::PolicyIntegrity::Intact { .. });
    if !sealed || stalled_by_shared_source(case) || !wound_down(case) {
        return Next::Do(Vec::new());
    }
    if !case.seen.ground.has_read(RequiredReads::CONTENTS) {
        return Next::Reread(RequiredReads::CONTENTS);
    }
    case.status.phase = Some(Phase::Reclaiming);
    case.status.reclaiming_since = Some(case.now.into());
    case.moved_out();
    case.life.record_event(LifecycleEvent::Reclaiming, "govcloud-operator", Some(16));
    stand_reclaiming(case, &[]);
    Next::Do(Vec::new())
}

/// Volumes to hand over whose receipt is still missing.
fn outstanding<'a>(case: &'a Evaluation<'_>) -> Vec<&'a InventoryEntry> {
    let received = |uid: &str| case.seen.record.spec.hand_over.iter().any(|r| r.volume_uid == uid);
    let entries = case.status.inventory.iter().flat_map(|i| &i.entries);
    entries
        .filter(|e| e.action == Action::HandOver && e.volume_uid.as_deref().is_some_and(|u| !received(u)))
        .collect()
}

/// New receipts go into the timeline (Art. 28).
fn record_receipts(case: &mut Evaluation<'_>) {
    for receipt in &case.seen.record.spec.hand_over {
        let uid = &receipt.volume_uid;
        if !case.status.received_volumes.contains(uid) {
            case.status.received_volumes.push(uid.clone());
            case.life.record_event(LifecycleEvent::HandedOver(uid.clone()), "department", Some(28));
        }
    }
}

/// Receipts for volumes that were to be retained and are gone go into the timeline as well (Art. 23).
fn record_losses(case: &mut Evaluation<'_>, entries: &[InventoryEntry]) {
    let lost = entries.iter().filter(|e| is_lost(case, e) && acknowledged(case, e));
    let lost: Vec<String> = lost.filter_map(|e| e.volume_uid.clone()).collect();
    for uid in lost {
        if !case.status.received_volumes.contains(&uid) {
            case.status.received_volumes.push(uid.clone());
            case.life.record_event(LifecycleEvent::LossAcknowledged(uid), "department", Some(23));
        }
    }
}

/// Returns true if a volume was to be retained and is gone: somebody else removed it.
fn is_lost(case: &Evaluation<'_>, e: &InventoryEntry) -> bool {
    e.action == Action::Retain && e.volume_uid.is_some() && volume(case, e).is_none()
}

/// Returns true if the department gave a receipt for the volume.
fn acknowledged(case: &Evaluation<'_>, e: &InventoryEntry) -> bool {
    case.seen.record.spec.hand_over.iter().any(|r| Some(&r.volume_uid) == e.volume_uid.as_ref())
}

/// Two volumes of one source: whoever destroys one destroys the other, which nobody consented to (step 1).
fn stalled_by_shared_source(case: &mut Evaluation<'_>) -> bool {
    let entries = case.status.inventory.iter().flat_map(|i| i.entries.clone()).collect::<Vec<_>>();
    let shared = volumes::shared_sources(&case.seen.stock, &entries);
    let Some(first) = shared.first() else { return false };
    let finding = Finding::Inventory(first.reason(), first.to_string());
    case.look_again();
    case.life.set_ready_conditions(&ReadyState::Stalled(finding.reason(), finding.text()));
    true
}

/// Whether the namespaces are restricted to looking only.
fn wound_down(case: &Evaluation<'_>) -> bool {
    let restriction = case.seen.grant.as_ref().and_then(|(_, g)| g.status.as_ref()).map(|s| s.restriction);
    case.seen.record.spec.scope == Scope::Volumes || restriction == Some(Restriction::Quiesced)
}

/// Conditions while data is handed over; the provider's clock stands while the department is waited on.
pub(super) fn stand_handing_over(case: &mut Evaluation<'_>) {
    let names: Vec<String> =
        outstanding(case).iter().map(|e| format!("{}/{}", e.namespace, e.claim)).collect();
    if names.is_empty() {
        case.receipts_in();
        case.life.wait_on(Party::Provider, Some("Reclaim"), Some(Obligation::Reclaim));
        case.life.set_ready_conditions(&ReadyState::Reconciling(
            "WindingDown",
            Bilingual::new("正在停止使用,随后收回资源", "use is winding down; reclaiming follows"),
        ));
    } else {
        case.await_receipts();
        case.life.wait_on(Party::Department, Some("HandOverReceipt"), None);
        let list = names.join(", ");
        case.life.set_ready_conditions(&ReadyState::Reconciling(
            "HandingOver",
            Bilingual::new(
                format!("等待使用部门签收移交的数据卷(第二十八条):{list};在 spec.handOver 中填写回执"),
                format!("awaiting the department's receipts (Art. 28) for {list}; add them to spec.handOver"),
            ),
        ));
    }
}

/// Reclaims in order: policies and marks, claims, namespaces, verification, certificate (steps 5 and 6).
pub(super) fn reclaim(case: &mut Evaluation<'_>) -> Next {
    let Some(inventory) = case.status.inventory.clone() else { return Next::Do(Vec::new()) };
    case.keep_clock();
    case.life.wait_on(Party::Provider, Some("Reclaim"), Some(Obligation::Reclaim));
    if case.altered() || stalled_by_shared_source(case) || grant_missing(case) {
        return Next::Do(Vec::new());
    }
    if let Some(unlisted_volume) = appeared(case, &inventory.entries) {
        case.life.set_ready_conditions(&ReadyState::Stalled(
            "VolumeAppeared",
            Bilingual::new(
                format!("出现清单以外的数据卷或快照 {unlisted_volume},停止收回"),
                format!(
                    "{unlisted_volume} is a volume or snapshot that is not in the inventory; reclaiming stopped"
                ),
            ),
        ));
        return Next::Do(Vec::new());
    }
    // S4: preconditions come from a quorum read, made after the decision was verified again, which takes no change any more.
    let before = preparations(case, &inventory.entries);
    let (first, writes) = if before.is_empty() {
        (RequiredReads::CONTENTS, removals(case))
    } else {
        (RequiredReads::VOLUMES, before)
    };
    if !writes.is_empty() {
        if !case.seen.ground.has_read(first) {
            return Next::Reread(first);
        }
        stand_reclaiming(case, &[]);
        return Next::Do(vec![Step::Write(writes)]);
    }
    record_losses(case, &inventory.entries);
    let held = holding(case, &inventory.entries);
    if held.is_empty() {
        if !case.seen.ground.has_read(RequiredReads::END) {
            return Next::Reread(RequiredReads::END);
        }
        certify(case, &inventory.entries);
    } else {
        stand_reclaiming(case, &held);
    }
    Next::Do(Vec::new())
}

/// A claim, volume or snapshot of the application that the inventory does not hold (step 5: appearance halts).
///
/// Of a living application's volumes others may lose their claim meanwhile; they are not touched, nor halt this.
fn appeared(case: &Evaluation<'_>, entries: &[InventoryEntry]) -> Option<String> {
    if case.seen.record.spec.scope == Scope::Volumes {
        return None;
    }
    let snapshots = case.status.inventory.as_ref().map(|i| i.snapshots.as_slice()).unwrap_or_default();
    volumes::unlisted_volume(&case.seen.stock, entries, snapshots)
}

/// Without the grant nobody knows which namespaces were made: nothing is certified (step 6).
fn grant_missing(case: &mut Evaluation<'_>) -> bool {
    let known = case.seen.record.spec.scope == Scope::Volumes || recorded(case).next().is_some();
    if !known {
        let text = Bilingual::new(
            "ResourceGrant 缺失,无法核对命名空间,停止收回",
            "the ResourceGrant is missing, so the namespaces cannot be verified; reclaiming stopped",
        );
        case.life.set_ready_conditions(&ReadyState::Stalled("GrantMissing", text));
    }
    !known
}

fn volume<'a>(case: &'a Evaluation<'_>, entry: &InventoryEntry) -> Option<&'a ExitVolume> {
    case.seen.volumes.iter().find(|v| Some(v.uid.as_str()) == entry.volume_uid.as_deref())
}

/// The namespaces that the grant made.
fn recorded<'a>(case: &'a Evaluation<'_>) -> impl Iterator<Item = &'a TenantNamespace> {
    case.seen.grant.iter().filter_map(|(_, g)| g.status.as_ref()).flat_map(|s| &s.namespaces)
}

/// What is not at its end yet, by name, with what holds it.
fn holding(case: &Evaluation<'_>, entries: &[InventoryEntry]) -> Vec<String> {
    let mut held = Vec::new();
    if case.seen.record.spec.scope == Scope::Application {
        for s in &case.seen.spaces {
            let why =
                if s.held_by.is_empty() { String::new() } else { format!(" ({})", s.held_by.join("; ")) };
            held.push(format!("namespace {}{why}", s.name));
        }
    }
    for e in entries {
        match (e.action, volume(case, e)) {
            (Action::Retain, None) if is_lost(case, e) && !acknowledged(case, e) => {
                let (name, uid) = (e.volume.as_deref().unwrap_or_default(), e.volume_uid.as_deref());
                held.push(format!("volume {name} (lost, UID {})", uid.unwrap_or_default()));
            }
            (Action::Retain, Some(v)) if v.phase != "Released" && v.phase != "Available" => {
                held.push(format!("volume {} ({})", v.name, v.phase))
            }
            (Action::Destroy | Action::HandOver, Some(v)) => {
                let why: Vec<&str> = v
                    .finalizers
                    .iter()
                    .map(String::as_str)
                    .chain([v.phase.as_str(), v.message.as_str()])
                    .filter(|t| !t.is_empty())
                    .collect();
                held.push(format!("volume {} ({})", v.name, why.join(", ")));
            }
            _ => {}
        }
    }
    held
}

/// Conditions while resources are reclaimed; what takes long is reported by name, never forced.
fn stand_reclaiming(case: &mut Evaluation<'_>, held: &[String]) {
    case.life.wait_on(Party::Provider, Some("Reclaim"), Some(Obligation::Reclaim));
    let since: Timestamp = case.status.reclaiming_since.map_or(case.now, |t| t.timestamp());
    let stuck_at = since.saturating_add(STUCK_AFTER).unwrap_or(since);
    let list = held.join("; ");
    let entries = case.status.inventory.iter().flat_map(|i| &i.entries);
    let lost = entries.into_iter().any(|e| is_lost(case, e) && !acknowledged(case, e));
    if !held.is_empty() {
        case.life.wake = next_removal(case).into_iter().chain([stuck_at]).filter(|at| *at > case.now).min();
    }
    let standing = if let Some(t) = &case.seen.ground.trouble {
        ReadyState::write_refused(t)
    } else if !held.is_empty() && case.now >= stuck_at {
        ReadyState::Stalled(
            "ReclaimStuck",
            Bilingual::new(
                format!("收回受阻：{list}{}", if lost { "；丢失的数据卷须由使用部门在 spec.handOver 中填写回执确认" } else { "" }),
                format!(
                    "reclaiming is held up by {list}{}",
                    if lost { "; the department acknowledges a lost volume with a receipt in spec.handOver" } else { "" }
                ),
            ),
        )
    } else {
        ReadyState::Reconciling(
            "Reclaiming",
            Bilingual::new("正在收回资源(第十六条)", "resources are being reclaimed (Art. 16)"),
        )
    };
    case.life.set_ready_conditions(&standing);
}

/// 退出证明: what became of every volume, on whose word (step 6).
fn certify(case: &mut Evaluation<'_>, entries: &[InventoryEntry]) {
    let (Some(consent), Some(decision)) = (case.status.consent.clone(), case.life.status.decision.clone())
    else {
        return;
    };
    let fate = |e: &InventoryEntry| {
        Some(Fate {
            namespace: e.namespace.clone(),
            claim: e.claim.clone(),
            volume: e.volume.clone()?,
            volume_uid: e.volume_uid.clone()?,
            capacity: e.capacity.clone(),
            action: e.action,
            outcome: match e.action {
                Action::Destroy => Outcome::Destroyed,
                Action::Retain if is_lost(case, e) => Outcome::Lost,
                Action::Retain => Outcome::Retained,
                Action::HandOver => Outcome::HandedOver,
            },
        })
    };
    let spec = &case.seen.record.spec;
    let namespaces =
        if spec.scope == Scope::Application { recorded(case).cloned().collect() } else { Vec::new() };
    let mut certificate = Certificate {
        digest: String::new(),
        application: spec.application.clone(),
        application_uid: case.status.application_uid.clone().unwrap_or_default(),
        region: spec.region.clone(),
        system: case.seen.application.as_ref().map(|(_, a)| a.spec.system.name.clone()).unwrap_or_default(),
        consent,
        decided_by: decision.by,
        decided_at: decision.at,
        begun_at: case.status.reclaiming_since.unwrap_or_else(|| case.now.into()),
        ended_at: case.now.into(),
        namespaces,
        volumes: entries.iter().filter_map(fate).collect(),
    };
    certificate.digest = certificate_digest(&certificate);
    case.life.record_event(LifecycleEvent::Reclaimed(certificate.digest.clone()), "provider", Some(16));
    if let Some(calendar) = case.seen.ground.calendar() {
        case.life.meet(Obligation::Reclaim, case.now, calendar);
    }
    case.status.certificate = Some(certificate);
    case.status.phase = Some(Phase::Completed);
    case.life.wait_on(Party::None, None, None);
    case.life.set_ready_conditions(&ReadyState::Ready(
        "Completed",
        Bilingual::new(
            "资源已收回,证明见 status.certificate",
            "resources are reclaimed; see status.certificate",
        ),
    ));
}

/// Digest over everything in a certificate but the digest itself.
#[must_use]
pub fn certificate_digest(certificate: &Certificate) -> String {
    let bare = Certificate { digest: String::new(), ..certificate.clone() };
    digest::digest_of(&bare).unwrap_or_default()
}
