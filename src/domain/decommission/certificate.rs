//! 退出证明: the certificate of an exit (Art. 16, 23, 28; design, section 6, step 6).

use super::{Evaluation, Phase, recorded};
use crate::digest;
use crate::finding::Bilingual;
use crate::lifecycle_event::LifecycleEvent;
use crate::reason::Reason;
use crate::record::{Actor, ReadyState};
use govcloud_api::deadline::{Obligation, Party};
use govcloud_api::decommission::{Certificate, Outcome, Scope, VolumeOutcome};
use govcloud_api::disposition::{Action, InventoryEntry};

impl Evaluation<'_> {
    /// Certifies the outcome of every volume, with its consent and decision, and completes the exit.
    pub(super) fn certify(&mut self, entries: &[InventoryEntry]) {
        let (Some(consent), Some(decision)) =
            (self.status.consent.clone(), self.builder.status.decision.clone())
        else {
            return;
        };
        let spec = &self.seen.record.spec;
        let application = self.seen.application.as_ref();
        let namespaces = match spec.scope {
            Scope::Application => recorded(self.seen).cloned().collect(),
            Scope::Volumes => Vec::new(),
        };
        let mut certificate = Certificate {
            digest: String::new(),
            application: spec.application.clone(),
            application_uid: self.status.application_uid.clone().unwrap_or_default(),
            region: spec.region.clone(),
            system: application.map(|(_, a)| a.spec.system.name.clone()).unwrap_or_default(),
            consent,
            decided_by: decision.by,
            decided_at: decision.at,
            begun_at: self.status.reclaiming_since.unwrap_or_else(|| self.now.into()),
            ended_at: self.now.into(),
            namespaces,
            volumes: entries.iter().filter_map(|e| self.outcome(e)).collect(),
        };
        certificate.digest = certificate_digest(&certificate);
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

    /// Outcome of one volume; `None` for a claim without one.
    fn outcome(&self, e: &InventoryEntry) -> Option<VolumeOutcome> {
        Some(VolumeOutcome {
            namespace: e.namespace.clone(),
            claim: e.claim.clone(),
            volume: e.volume.clone()?,
            volume_uid: e.volume_uid.clone()?,
            capacity: e.capacity.clone(),
            action: e.action,
            outcome: match e.action {
                Action::Destroy => Outcome::Destroyed,
                Action::Retain if self.is_lost(e) => Outcome::Lost,
                Action::Retain => Outcome::Retained,
                Action::HandOver => Outcome::HandedOver,
            },
        })
    }
}

/// Digest over everything in a certificate but the digest itself.
#[must_use]
pub fn certificate_digest(certificate: &Certificate) -> String {
    let bare = Certificate { digest: String::new(), ..certificate.clone() };
    digest::digest_of(&bare).unwrap_or_default()
}
