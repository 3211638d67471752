//! Reattachment: a record that was filed anew, and the namespaces that an earlier record of its name left.
//!
//! Nothing is adopted by name: found namespaces are reported by UID and left alone, until a new decision of the authority
//! names exactly those UIDs (design, sections 3 and 5; S1, S3, S5).

use serde_json::{Value, json};

use super::Evaluation;
use crate::bilingual::bilingual;
use crate::decision;
use crate::existing_namespace::ExistingNamespace;
use crate::finding::{Bilingual, Finding};
use crate::lifecycle_event::LifecycleEvent;
use crate::names;
use crate::plan::{Precondition, RequiredReads, Step, Write};
use crate::reason::Reason;
use crate::record::{Meta, OPERATOR};
use crate::region_context::Reread;
use crate::tenancy::quota_delta::below_use;
use crate::tenancy::{ApplicationIdentity, predecessor};
use govcloud_api::application::FoundNamespace;
use govcloud_api::condition::{ConditionStatus, ConditionType};
use govcloud_api::decommission::DecommissionPhase;
use govcloud_api::grant::{GrantPhase, ResourceGrant};
use govcloud_api::keys;

/// `name (UID …)`, one after another.
fn list(found: &[FoundNamespace]) -> String {
    found.iter().map(|f| format!("{} (UID {})", f.namespace, f.uid)).collect::<Vec<_>>().join(", ")
}

impl Evaluation<'_> {
    /// Returns the namespace as found, if an earlier record of this name left it for an entry.
    pub(super) fn left_for<'a>(&'a self, existing: &'a ExistingNamespace) -> Option<FoundNamespace> {
        let Meta { namespace, name, uid, .. } = &self.seen.meta;
        let tenant = self.tenants().iter().find(|t| t.namespace == existing.name)?;
        let application = ApplicationIdentity {
            name: name.clone(),
            uid: uid.clone(),
            filing_namespace: namespace.clone(),
            region: self.seen.record.spec.region.clone(),
        };
        let label = |key: &str| existing.labels.get(key).map(String::as_str);
        let owner = predecessor(&application, &tenant.entry, label).filter(|_| !existing.owner_exists)?;
        Some(FoundNamespace {
            entry: tenant.entry.clone(),
            namespace: tenant.namespace.clone(),
            uid: existing.uid.clone(),
            application_uid: owner.to_owned(),
        })
    }

    /// Namespaces that can be reattached, by entry.
    fn left_behind(&self) -> Vec<FoundNamespace> {
        let usable = self.seen.existing.iter().filter(|e| !e.deleting);
        let mut found: Vec<_> = usable.filter_map(|e| self.left_for(e)).collect();
        found.sort_by(|a, b| a.entry.cmp(&b.entry));
        found
    }

    /// Findings on reserved and taken names (S3: nothing is ever adopted), and obstacles to reattaching.
    pub(super) fn name_findings(&self) -> Vec<Finding> {
        if self.status.provisioned_at.is_some() {
            return Vec::new();
        }
        let tenants = self.tenants();
        let made = tenants.iter().filter(|t| !self.is_asked(&t.namespace));
        let reserved = made.filter(|t| names::is_reserved(&t.namespace));
        let mut found: Vec<_> = reserved.map(|t| Finding::NamespaceReserved(t.namespace.clone())).collect();
        for e in &self.seen.existing {
            if e.owner() == Some(&self.seen.meta.uid) {
                continue;
            }
            if tenants.iter().any(|t| t.namespace == e.name) {
                match self.left_for(e) {
                    // What stands in the way of an adoption is said by itself.
                    None if self.is_asked(&e.name) => {}
                    None => found.push(Finding::NamespaceTaken(e.name.clone(), e.uid.clone())),
                    Some(_) if e.deleting => {
                        found.push(Finding::NamespaceTerminating(e.name.clone(), e.uid.clone()))
                    }
                    Some(left) => found.extend(self.below_use(&left, e)),
                }
            } else {
                found.extend(self.left_out(e));
            }
        }
        found.extend(self.earlier_exit());
        found
    }

    /// A namespace of an earlier record of this name, for an entry that is not asked for: nobody would see to it.
    fn left_out(&self, e: &ExistingNamespace) -> Option<Finding> {
        let Meta { namespace, name, .. } = &self.seen.meta;
        let is = |key, value: &str| e.labels.get(key).is_some_and(|v| *v == names::label_value(value));
        let left = is(keys::DEPARTMENT, namespace)
            && is(keys::APPLICATION, name)
            && e.owner().is_some()
            && !e.owner_exists
            && !e.deleting;
        let entry = e.labels.get(keys::ENTRY).cloned().unwrap_or_default();
        left.then(|| Finding::NamespaceLeftOut(entry, e.name.clone(), e.uid.clone()))
    }

    /// Running systems are not cut off by taking them back: what is used is the least that can be asked for.
    fn below_use(&self, left: &FoundNamespace, e: &ExistingNamespace) -> Option<Finding> {
        let asked = self.seen.record.spec.namespaces.iter().find(|n| n.name == left.entry)?;
        let below = below_use(&asked.quota.0, &e.used).ok().filter(|b| !b.is_empty())?;
        let each = below.iter().map(|b| format!("{}: {} < {}", b.key, b.new, b.used));
        Some(Finding::BelowUse(left.namespace.clone(), each.collect::<Vec<_>>().join("; ")))
    }

    /// An exit of the earlier record that has not ended: it comes to its end, or is withdrawn, first.
    fn earlier_exit(&self) -> Option<Finding> {
        let left = self.left_behind();
        let of_earlier = |uid: &String| left.iter().any(|l| l.application_uid == *uid);
        let open = |e: &&super::ExitView| {
            e.application_uid.as_ref().is_some_and(of_earlier)
                && !e.phase.is_some_and(DecommissionPhase::is_over)
        };
        let exit = self.seen.exits.iter().find(open)?;
        Some(Finding::AnotherOpen("Decommission".to_owned(), exit.name.clone()))
    }

    /// Reports namespaces of an earlier record; they are left alone until a decision names them.
    pub(super) fn look_for_namespaces(&mut self) {
        let found = self.left_behind();
        if found != self.status.found_namespaces {
            if !found.is_empty() {
                let event = LifecycleEvent::NamespacesFound(list(&found));
                self.builder.record_event(event, OPERATOR, Some(13));
            }
            self.status.found_namespaces = found;
            self.set_found_condition();
        }
        self.builder.found = self.status.found_namespaces.iter().map(|f| f.uid.clone()).collect();
    }

    /// Sets the condition `NamespacesFound`.
    fn set_found_condition(&mut self) {
        let text = self.found_text();
        let (status, reason) = match self.status.found_namespaces.is_empty() {
            false => (ConditionStatus::True, Reason::AwaitingReattach),
            true => (ConditionStatus::False, Reason::None),
        };
        let none = Bilingual::new("没有待恢复关联的命名空间", "no namespaces wait to be reattached");
        self.builder.condition(
            ConditionType::NamespacesFound,
            status,
            reason,
            text.as_ref().unwrap_or(&none),
        );
    }

    /// Text on the namespaces found, with the UIDs that a decision has to name.
    pub(super) fn found_text(&self) -> Option<Bilingual> {
        let found = &self.status.found_namespaces;
        let uids = found.iter().map(|f| f.uid.as_str()).collect::<Vec<_>>().join(",");
        let each = list(found);
        (!found.is_empty()).then(|| {
            bilingual!("发现同名原申请的命名空间：{each}；未作任何改动。主管部门同意时须写明 govcloud.dev/reattach={uids} 方可恢复关联", "namespaces of an earlier application of this name: {each}. Nothing is done with them; an approval must name them: govcloud.dev/reattach={uids}")
        })
    }

    /// Returns true if the approval takes namespaces over in which a system ran before.
    pub(super) fn ran_before(&self) -> bool {
        let approval = decision::approved(&self.builder.status, &self.seen.meta.digest);
        approval.is_some_and(|d| !d.reattach.is_empty() || !d.adopt.is_empty())
    }

    /// Returns true if the approval reattaches namespaces.
    fn reattaches(&self) -> bool {
        let approval = decision::approved(&self.builder.status, &self.seen.meta.digest);
        approval.is_some_and(|d| !d.reattach.is_empty())
    }

    /// Records that the namespaces found belong to this record now.
    pub(super) fn record_reattached(&mut self) {
        let found = std::mem::take(&mut self.status.found_namespaces);
        if found.is_empty() {
            return;
        }
        self.builder.record_event(LifecycleEvent::Reattached(list(&found)), OPERATOR, Some(13));
        self.set_found_condition();
    }

    /// Returns true if the grant of this name is the earlier record's, and its namespaces are to be reattached.
    pub(super) fn may_take_over(&self, grant: &ResourceGrant) -> bool {
        let theirs = &grant.spec.application.uid;
        *theirs != self.seen.meta.uid
            && self.reattaches()
            && self.status.found_namespaces.iter().any(|f| f.application_uid == *theirs)
    }

    /// Returns true if the grant of this name ended with an earlier application, whose record was archived, or with a
    /// withdrawal that was too late.
    pub(super) fn is_left_over(&self, grant: &ResourceGrant) -> bool {
        let status = grant.status.as_ref();
        let released = status.and_then(|s| s.phase) == Some(GrantPhase::Released);
        let earlier = grant.spec.application.uid != self.seen.meta.uid;
        released && (earlier || status.is_some_and(|s| s.in_force.is_none()))
    }

    /// Removes a grant that has ended, so that the present application can have its own (Art. 13).
    pub(super) fn remove_left_over(&self, meta: &Meta) -> Result<Vec<Step>, Reread> {
        if !self.seen.region_context.intact() {
            return Ok(Vec::new());
        }
        self.seen.region_context.require(RequiredReads::RECORDS)?;
        let precondition =
            Precondition { uid: meta.uid.clone(), resource_version: meta.resource_version.clone() };
        Ok(vec![Step::Write(vec![Write::Delete(self.grant_target(), precondition)])])
    }

    /// Writes this record's approval into the grant that the earlier record left (Art. 13; S1, S4).
    pub(super) fn take_over(
        &mut self,
        meta: &Meta,
        grant: &ResourceGrant,
        automatic: bool,
    ) -> Result<Vec<Step>, Reread> {
        if !self.seen.region_context.intact() {
            return Ok(Vec::new());
        }
        self.seen.region_context.require(RequiredReads::RECORDS)?;
        let Some(approval) = decision::approved(&self.builder.status, &self.seen.meta.digest) else {
            return Ok(Vec::new());
        };
        let mut order = self.work_order(approval).spec;
        if automatic {
            // The provider's assignment stays.
            for ns in &mut order.namespaces {
                let before = grant.spec.namespaces.iter().find(|g| g.name == ns.name);
                ns.storage_class = before.and_then(|g| g.storage_class.clone()).or(ns.storage_class.take());
            }
        } else {
            // The provider's values stay; where they differ from the approval, the provider corrects them.
            order.namespaces.clone_from(&grant.spec.namespaces);
        }
        let mut body = json!({ "spec": order });
        // The earlier record's access does not pass on.
        body["spec"]["access"] = Value::Null;
        let precondition =
            Precondition { uid: meta.uid.clone(), resource_version: meta.resource_version.clone() };
        Ok(vec![Step::Write(vec![Write::Patch(self.grant_target(), precondition, body)])])
    }
}
