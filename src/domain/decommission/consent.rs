//! Inventory and consent (Art. 23; design, section 6, steps 1 and 2).

use super::{Evaluation, NOTE, too_long};
use crate::bilingual::Bilingual;
use crate::decision;
use crate::digest::digest_of;
use crate::finding::Finding;
use crate::lifecycle_event::LifecycleEvent;
use crate::reason::Reason;
use crate::record::{Actor, OPERATOR};
use crate::tenancy::volumes::{self, VolumeFinding};
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::deadline::Party;
use govcloud_api::decommission::{GivenConsent, Inventory};
use govcloud_api::keys;
use govcloud_api::record::Verdict;
use serde_json::json;

impl Evaluation<'_> {
    /// Digest under which an inventory is published. It counts the consents that became invalid: a consent does not become
    /// valid again because what voided it is gone.
    pub(super) fn published_digest(&self, inventory: &volumes::Inventory) -> String {
        match self.status.voided_consents {
            0 => inventory.digest.clone(),
            n => digest_of(&json!([inventory.digest, n])).expect("every JSON value has a canonical form"),
        }
    }

    /// Publishes the inventory if it changed; consent to another one becomes invalid (steps 1 and 2).
    pub(super) fn publish(&mut self, inventory: volumes::Inventory) {
        let owner = inventory.entries.iter().find_map(|e| e.application_uid.clone());
        self.status.application_uid = self.seen.application.as_ref().map(|(m, _)| m.uid.clone()).or(owner);
        let published = self.status.inventory.as_ref().map(|i| i.digest.clone());
        if published.as_ref() == Some(&self.published_digest(&inventory)) {
            return;
        }
        let named = self.seen.record.spec.consent.as_ref().map(|c| &c.inventory_digest);
        let given = self.status.consent.take().is_some();
        if given || (published.is_some() && published.as_ref() == named) {
            self.status.voided_consents += 1;
            self.builder.record_event(LifecycleEvent::ConsentVoid, OPERATOR, Some(23));
        }
        if too_long(&inventory) {
            // Consent to a part of what must go would be consent to a part: nothing is published.
            self.status.inventory = None;
            return;
        }
        let digest = self.published_digest(&inventory);
        let count = inventory.entries.len() + inventory.snapshots.len();
        self.builder.record_event(
            LifecycleEvent::InventoryPublished(digest.clone(), count),
            OPERATOR,
            Some(23),
        );
        self.status.inventory = Some(Inventory {
            digest,
            published_at: self.now.into(),
            left_out: i32::try_from(inventory.left_out).unwrap_or(i32::MAX),
            note: NOTE.to_owned(),
            entries: inventory.entries,
            snapshots: inventory.snapshots,
        });
    }

    /// Sets `InventoryWarning`: what the department must know before it consents, and what holds nothing up now.
    pub(super) fn set_inventory_warning(&mut self, findings: &[VolumeFinding]) {
        let left_out = self.status.inventory.as_ref().map_or(0, |i| i.left_out);
        let mut texts = Vec::new();
        if left_out > 0 {
            texts.push(Bilingual::new(
                format!("另有 {left_out} 个未关联应用的数据卷未列入本清单，保持原状，可以 scope: Volumes 另行处置"),
                format!("{left_out} unclaimed volumes are left out of this inventory and stay as they are; they leave with a later exit of scope Volumes"),
            ));
        }
        let warns = |f: &&VolumeFinding| !f.stalls_destruction();
        texts.extend(findings.iter().filter(warns).map(VolumeFinding::text));
        let (status, reason, text) = match texts.is_empty() {
            true if !self.builder.is(ConditionType::InventoryWarning) => return,
            true => (
                ConditionStatus::False,
                Reason::None,
                Bilingual::new("数据清单没有需要注意的事项", "the inventory has nothing to note"),
            ),
            false => (ConditionStatus::True, Reason::InventoryWarning, Bilingual::list(&texts)),
        };
        self.builder.condition(ConditionType::InventoryWarning, status, reason, &text);
    }

    /// Records the department's consent, if it names exactly the published inventory (step 2).
    pub(super) fn take_consent(&mut self) -> Option<Finding> {
        let given = self.seen.record.spec.consent.as_ref()?;
        let published = self.status.inventory.as_ref()?;
        if given.inventory_digest != published.digest {
            return Some(Finding::ConsentStale(given.inventory_digest.clone(), published.digest.clone()));
        }
        if self.status.consent.as_ref().is_none_or(|c| c.digest != given.inventory_digest) {
            let by = self.seen.meta.annotations.get(keys::CONSENTED_BY).cloned().unwrap_or_default();
            self.status.consent = Some(GivenConsent {
                digest: given.inventory_digest.clone(),
                by: by.clone(),
                at: self.now.into(),
            });
            self.builder.record_event(
                LifecycleEvent::Consented(given.inventory_digest.clone()),
                Actor::person(&by, Party::Department),
                Some(23),
            );
        }
        None
    }

    /// Returns true if the department consented to the published inventory.
    pub(super) fn consent_is_given(&self) -> bool {
        let published = self.status.inventory.as_ref().map(|i| &i.digest);
        let spec = self.seen.record.spec.consent.as_ref().map(|c| &c.inventory_digest);
        let given = self.status.consent.as_ref().map(|c| &c.digest);
        published.is_some() && published == spec && published == given
    }

    /// Differences between what was published and what is there now; `None` where there are none.
    pub(super) fn difference(&self) -> Option<String> {
        let published = self.status.inventory.as_ref()?;
        let now = self.inventory();
        let differs = published.digest != self.published_digest(&now);
        differs.then(|| volumes::differences(&published.entries, &published.snapshots, &now))
    }

    /// Returns true if the department consented to exactly what is there now (S2).
    pub(super) fn consented(&self) -> bool {
        self.consent_is_given() && self.difference().is_none()
    }

    /// Returns true if the record carries an approval that its status does not have yet.
    pub(super) fn approval_arrived(&self) -> bool {
        let recorded = self.builder.status.decision.as_ref();
        let since = recorded.map_or(0, |d| d.generation);
        let open = recorded.is_none_or(|d| d.void.is_none() && d.verdict == Verdict::Returned);
        let new = |a: decision::Annotated| a.verdict == Verdict::Approved && a.reviewed_generation > since;
        open && decision::read(&self.seen.meta.annotations).is_ok_and(|a| a.is_some_and(new))
    }
}
