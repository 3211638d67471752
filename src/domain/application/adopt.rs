//! Adoption as the application sees it (Art. 3): what stands in its way, the namespaces that an approval names, and how far
//! the rules are enforced in them.

use super::Evaluation;
use crate::adoption::{obstacles, use_above};
use crate::finding::Finding;
use crate::lifecycle_event::LifecycleEvent;
use crate::record::{Actor, OPERATOR};
use govcloud_api::adoption::ExistingRef;
use govcloud_api::deadline::Party;
use govcloud_api::quota::NamespaceQuota;

impl Evaluation<'_> {
    /// Entries that name an existing namespace.
    fn asked(&self) -> impl Iterator<Item = (&NamespaceQuota, &ExistingRef)> {
        let entries = self.seen.record.spec.namespaces.iter();
        entries.filter_map(|entry| Some((entry, entry.existing.as_ref()?)))
    }

    /// Returns true if the application asks to adopt the namespace of this name.
    pub(super) fn is_asked(&self, name: &str) -> bool {
        self.asked().any(|(_, existing)| existing.name == name)
    }

    /// Everything that stands in the way of an adoption, until the namespaces are marked. One that an earlier record of this
    /// name adopted is taken back instead.
    pub(super) fn adoption_findings(&self) -> Vec<Finding> {
        if self.status.provisioned_at.is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (entry, asked) in self.asked() {
            let live = self.seen.existing.iter().find(|e| e.name == asked.name);
            let own = live.is_some_and(|e| e.owner() == Some(&self.seen.meta.uid) && e.uid == asked.uid);
            if own || live.is_some_and(|e| self.left_for(e).is_some()) {
                continue;
            }
            let obstacles = obstacles(asked, live, &self.seen.meta.uid);
            let above = live.filter(|e| e.uid == asked.uid).and_then(|e| use_above(e, &entry.quota));
            found.extend(obstacles.into_iter().chain(above).map(Finding::Adoption));
        }
        found
    }

    /// The namespaces that an approval has to name in `govcloud.dev/adopt`: all that are asked for, but those that are taken
    /// back by `govcloud.dev/reattach`.
    pub(super) fn name_existing(&mut self) {
        let found = &self.status.found_namespaces;
        let asked = self.asked().filter(|(_, e)| !found.iter().any(|f| f.uid == e.uid));
        self.builder.existing = asked.map(|(_, existing)| existing.uid.clone()).collect();
    }

    /// Records that the namespaces asked for belong to this record now.
    pub(super) fn record_adopted(&mut self) {
        let approval = self.builder.status.decision.iter().flat_map(|d| &d.adopt);
        let named: Vec<&String> = approval.collect();
        let marked =
            self.status.namespaces.iter().filter(|n| n.uid.as_ref().is_some_and(|u| named.contains(&u)));
        let each = marked.map(|n| format!("{} (UID {})", n.namespace, n.uid.as_deref().unwrap_or_default()));
        let list = each.collect::<Vec<_>>().join(", ");
        if !list.is_empty() {
            self.builder.record_event(LifecycleEvent::Adopted(list), OPERATOR, Some(3));
        }
        self.follow_adoption();
    }

    /// Shows how far the adoption has come, as its grant says.
    pub(super) fn follow_adoption(&mut self) {
        let Some((_, grant)) = &self.seen.grant else { return };
        let own = grant.spec.application.uid == self.seen.meta.uid;
        let Some(progress) = grant.status.as_ref().filter(|_| own).and_then(|s| s.adoption.clone()) else {
            return;
        };
        let before = self.status.adoption.as_ref().and_then(|a| a.enforced);
        if let Some(facet) = progress.enforced.filter(|facet| Some(*facet) > before) {
            let department = Actor::unnamed(Party::Department);
            self.builder.record_event(LifecycleEvent::Enforced(facet), department, Some(3));
        }
        self.status.adoption = Some(progress);
    }
}
