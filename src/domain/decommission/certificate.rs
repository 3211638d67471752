//! 退出证明: the certificate of an exit (Art. 16, 23, 28; design, section 6, step 6).

use super::{Evaluation, Phase, recorded};
use crate::digest;
use crate::finding::Bilingual;
use crate::lifecycle_event::LifecycleEvent;
use crate::reason::Reason;
use crate::record::{Actor, ReadyState};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{
    Certificate, CertifiedReceipt, Outcome, Scope, SnapshotOutcome, VolumeOutcome,
};
use govcloud_api::disposition::{Action, InventoryEntry, SnapshotEntry};

impl Evaluation<'_> {
    /// Certifies what was observed of every object of the inventory, with its consent and decision, and completes the exit.
    pub(super) fn certify(&mut self) {
        let Some(certificate) = self.certificate() else { return };
        let event = LifecycleEvent::Reclaimed(certificate.digest.clone());
        self.builder.record_event(event, Actor::operator_for(Party::Provider), Some(16));
        if let Some(calendar) = self.seen.region_context.calendar() {
            self.builder.meet(Obligation::Reclaim, self.now, calendar);
        }
        self.status.certificate = Some(certificate);
        self.status.phase = Some(Phase::Completed);
        self.builder.wait_on(Party::None, None, None);
        self.builder.set_ready_conditions(&ReadyState::Ready(
            Reason::Completed,
            Bilingual::new(
                "资源已收回，证明见 status.certificate",
                "resources are reclaimed; see status.certificate",
            ),
        ));
    }

    /// The certificate as it would be now; `None` without an inventory, a consent and a decision.
    pub(super) fn certificate(&self) -> Option<Certificate> {
        let inventory = self.status.inventory.as_ref()?;
        let decision = self.builder.status.decision.clone()?;
        let spec = &self.seen.record.spec;
        let application = self.seen.application.as_ref();
        let namespaces = match spec.scope {
            Scope::Application => recorded(self.seen).cloned().collect(),
            Scope::Volumes => Vec::new(),
        };
        let bare = |e: &&InventoryEntry| e.volume_uid.is_none();
        let mut certificate = Certificate {
            digest: String::new(),
            application: spec.application.clone(),
            application_uid: self.status.application_uid.clone().unwrap_or_default(),
            region: spec.region.clone(),
            system: application.map(|(_, a)| a.spec.system.name.clone()).unwrap_or_default(),
            consent: self.status.consent.clone()?,
            decided_by: decision.by,
            decided_at: decision.at,
            begun_at: self.status.reclaiming_since.unwrap_or_else(|| self.now.into()),
            ended_at: self.now.into(),
            namespaces,
            volumes: inventory.entries.iter().filter_map(|e| self.outcome(e)).collect(),
            snapshots: inventory.snapshots.iter().map(|s| self.snapshot_outcome(s)).collect(),
            claims_without_volume: (inventory.entries.iter().filter(bare))
                .map(|e| format!("{}/{}", e.namespace, e.claim))
                .collect(),
        };
        certificate.digest = certificate_digest(&certificate);
        Some(certificate)
    }

    /// Outcome of one volume; `None` for a claim without one.
    fn outcome(&self, e: &InventoryEntry) -> Option<VolumeOutcome> {
        let uid = e.volume_uid.as_ref()?;
        let removed = self.status.removed_by_hand.iter().find(|r| r.volume_uid == *uid);
        let receipt = self.seen.record.spec.hand_over.iter().find(|r| r.volume_uid == *uid);
        Some(VolumeOutcome {
            namespace: e.namespace.clone(),
            claim: e.claim.clone(),
            volume: e.volume.clone()?,
            volume_uid: uid.clone(),
            capacity: e.capacity.clone(),
            action: e.action,
            outcome: match e.action {
                Action::Destroy | Action::HandOver if removed.is_some() => Outcome::Removed,
                Action::Destroy => Outcome::Destroyed,
                Action::Retain if self.is_lost(e) => Outcome::Lost,
                Action::Retain => Outcome::Retained,
                Action::HandOver => Outcome::HandedOver,
            },
            receipt: receipt.map(|r| CertifiedReceipt {
                received_by: r.received_by.clone(),
                uri: r.uri.0.clone(),
                sha256: r.sha256.0.clone(),
            }),
            removed_by: removed.map(|r| r.by.clone()),
        })
    }

    /// Outcome of one snapshot: destroyed is one whose content is gone.
    fn snapshot_outcome(&self, s: &SnapshotEntry) -> SnapshotOutcome {
        let stays = s.content.as_ref().is_some_and(|c| self.seen.contents.contains(c));
        SnapshotOutcome {
            namespace: s.namespace.clone(),
            name: s.name.clone(),
            uid: s.uid.clone(),
            content: s.content.clone(),
            action: s.action,
            outcome: if stays { Outcome::Retained } else { Outcome::Destroyed },
        }
    }
}

/// Digest over everything in a certificate but the digest itself.
#[must_use]
pub fn certificate_digest(certificate: &Certificate) -> String {
    let bare = Certificate { digest: String::new(), ..certificate.clone() };
    digest::digest_of(&bare).unwrap_or_default()
}
