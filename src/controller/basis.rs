//! What a decision rests on, and so what is read anew with quorum before acting on one (design, sections 3 and 6; S4).

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::client::RequestError;
use super::controller::Context;
use super::difference::difference;
use super::execute::record_target;
use super::news::News;
use super::observe::{GatherContext, tenant_names};
use super::queue::{Key, Kind};
use govcloud_api::deadline::Party;
use govcloud_api::record::RecordStatus;
use govcloud_api::resources;
use govcloud_domain::finding::Finding;
use govcloud_domain::plan::{Precondition, Target};
use govcloud_domain::record::{Meta, ReadyState, StatusBuilder};

/// Whether claims and snapshots are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// They are, for a new one halts what is to be done.
    Yes,
    /// They are not.
    No,
}

impl Context {
    /// The records that a decision on this key rests on.
    pub(super) fn basis(&self, key: &Key) -> Vec<Target> {
        let record = |kind, name: &str| record_target(&Key::new(kind, key.namespace(), name));
        let mut targets = vec![record_target(key)];
        match key.kind {
            Kind::Region => {}
            // What a recreated record takes back: its namespaces, and the grant that the earlier one left.
            Kind::Application => {
                let grant = self.state.grants.get(key.namespace(), key.name());
                targets.extend(grant.map(|_| record(Kind::Grant, key.name())));
                let with = GatherContext { guard: self.guard(), anew: None, trouble: None };
                let seen = self.state.application(key, &with);
                let existing = seen.iter().flat_map(|s| &s.existing);
                targets.extend(existing.map(|e| Target::named(resources::NAMESPACE, &e.name)));
            }
            Kind::Grant => {
                targets.push(record(Kind::Application, key.name()));
                if let Some(g) =
                    self.state.grants.get(key.namespace(), key.name()).and_then(|r| r.typed().ok().cloned())
                    && g.spec.approved.kind == govcloud_api::grant::ApprovalKind::ChangeRequest
                {
                    targets.push(record(Kind::Change, &g.spec.approved.name));
                }
            }
            Kind::Change => {
                let change =
                    self.state.changes.get(key.namespace(), key.name()).and_then(|r| r.typed().ok().cloned());
                if let Some(asked) = change.and_then(|c| c.spec.resource_adjustment.clone()) {
                    targets.push(record(Kind::Application, &asked.application));
                    targets.push(record(Kind::Grant, &asked.application));
                }
            }
            Kind::Decommission => {
                if let Some(d) = self.state.exit(key).and_then(|r| r.typed().ok().cloned()) {
                    targets.push(record(Kind::Application, &d.spec.application));
                    targets.push(record(Kind::Grant, &d.spec.application));
                }
            }
        }
        targets
    }

    /// Reads an exiting application's namespaces and volumes anew, where they are `unknown`; and its claims and snapshots, if
    /// they are to be listed: those of namespaces that are there, for what is not holds none.
    pub(super) async fn reread_storage(
        &self,
        key: &Key,
        unknown: impl Fn(&Target) -> bool,
        listed: Listed,
    ) -> Result<(), RequestError> {
        let Some(d) = self.state.exit(key).and_then(|r| r.typed().ok().cloned()) else { return Ok(()) };
        let grant = self.state.grants.get(key.namespace(), &d.spec.application);
        let names =
            grant.as_ref().and_then(|g| g.typed().ok().map(|t| tenant_names(&g.meta, t))).unwrap_or_default();
        let uid = self
            .state
            .applications
            .get(key.namespace(), &d.spec.application)
            .map(|a| a.meta.uid.clone())
            .unwrap_or_default();
        let namespaces: Vec<Target> = names.iter().map(|n| Target::named(resources::NAMESPACE, n)).collect();
        let there = |n: &&String| listed == Listed::Yes && self.state.namespaces.get("", n).is_some();
        let (known, mut others): (Vec<&String>, Vec<&String>) = names.iter().partition(there);
        let named = self.read_all(namespaces.iter().filter(|n| unknown(n)), key);
        tokio::try_join!(named, self.list_all(&known, key))?;
        // The read may have found what no watch has told of yet.
        others.retain(there);
        self.list_all(&others, key).await?;
        let claimed = names
            .iter()
            .flat_map(|n| self.state.claims.within(n))
            .filter_map(|c| Some(c.value().pointer("/spec/volumeName")?.as_str()?.to_owned()));
        let own = self.state.volumes_of(&uid, &names).into_iter().map(|v| v.name.1.clone());
        let volumes: std::collections::BTreeSet<String> =
            claimed.chain(own).filter(|v| !v.is_empty()).collect();
        let volumes: Vec<Target> =
            volumes.iter().map(|v| Target::named(resources::PERSISTENT_VOLUME, v)).collect();
        self.read_all(volumes.iter().filter(|v| unknown(v)), key).await
    }

    /// Lists claims and snapshots of some namespaces anew.
    async fn list_all(&self, namespaces: &[&String], key: &Key) -> Result<(), RequestError> {
        let lists = namespaces.iter().flat_map(|n| {
            [resources::PERSISTENT_VOLUME_CLAIM, resources::VOLUME_SNAPSHOT]
                .map(|kind| self.list_anew(kind, n, key))
        });
        try_join_all(lists).await.map(drop)
    }

    /// Lists claims or snapshots of a namespace anew.
    async fn list_anew(
        &self,
        kind: resources::ResourceType,
        namespace: &str,
        key: &Key,
    ) -> Result<(), RequestError> {
        // Taken before it is asked: what the watch tells of meanwhile is not lost for missing in the list.
        let known = match kind.plural {
            "volumesnapshots" => self.state.snapshots.within(namespace),
            _ => self.state.claims.within(namespace),
        };
        let target = Target::namespaced(kind, namespace, "");
        let asking = self.state.ask(&target);
        let found = self.requests.list(&target).await?;
        let lost = known.iter().filter(|k| !found.iter().any(|f| f.uid() == k.uid));
        let mut news: Vec<News> =
            lost.map(|l| News::Gone(namespace.to_owned(), l.name.1.clone(), l.uid.clone())).collect();
        news.extend(
            found
                .into_iter()
                .filter_map(|object| asking.answered(object.of_type(kind.api_version, kind.kind))),
        );
        for news in news {
            self.queue.add(self.told(&target, Some(news), key));
        }
        Ok(())
    }

    /// The stored status behind a key.
    pub(super) fn stored_status(&self, key: &Key) -> serde_json::Value {
        let (ns, name) = (key.namespace(), key.name());
        let status = match key.kind {
            Kind::Application => self.state.applications.get(ns, name).map(|r| r.status()),
            Kind::Grant => self.state.grants.get(ns, name).map(|r| r.status()),
            Kind::Change => self.state.changes.get(ns, name).map(|r| r.status()),
            Kind::Decommission => self.state.decommissions.get(ns, name).map(|r| r.status()),
            Kind::Region => self.state.regions.get("", name).map(|r| r.status()),
        };
        status.unwrap_or_default()
    }

    /// What is known of the record behind a key, and why it does not fit the schema if it does not.
    fn identity_of(&self, key: &Key) -> Option<(Meta, Option<String>)> {
        fn of<K: DeserializeOwned>(
            r: Option<std::sync::Arc<super::cluster_state::Record<K>>>,
        ) -> Option<(Meta, Option<String>)> {
            let r = r?;
            Some((r.meta.clone(), r.typed().err().cloned()))
        }
        let (ns, name) = (key.namespace(), key.name());
        match key.kind {
            Kind::Application => of(self.state.applications.get(ns, name)),
            Kind::Grant => of(self.state.grants.get(ns, name)),
            Kind::Change => of(self.state.changes.get(ns, name)),
            Kind::Decommission => of(self.state.decommissions.get(ns, name)),
            Kind::Region => of(self.state.regions.get("", name)),
        }
    }

    /// Says on a record that it does not fit the schema (S10); everything else goes on.
    pub(super) async fn report_malformed(&self, key: &Key) -> Result<(), RequestError> {
        let Some((meta, Some(why))) = self.identity_of(key) else { return Ok(()) };
        let finding = Finding::Malformed(why);
        let say = |life: &mut StatusBuilder| {
            life.valid(std::slice::from_ref(&finding));
            life.wait_on(Party::Department, Some("Correction"), None);
        };
        self.hold(key, &meta, &finding, self.clock.now(), say).await
    }

    /// Says on a record that nothing is decided by a clock that is wrong (design, section 4).
    pub(super) async fn report_skew(&self, key: &Key, seconds: i64) -> Result<(), RequestError> {
        if key.kind == Kind::Region {
            return Ok(());
        }
        let Some((meta, None)) = self.identity_of(key) else { return Ok(()) };
        let right =
            self.clock.now().saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        self.hold(key, &meta, &Finding::ClockSkewed(seconds), right, |_| {}).await
    }

    /// Writes what holds a record up into its conditions, and decides nothing.
    async fn hold(
        &self,
        key: &Key,
        meta: &Meta,
        finding: &Finding,
        now: Timestamp,
        say: impl FnOnce(&mut StatusBuilder),
    ) -> Result<(), RequestError> {
        let old: RecordStatus = serde_json::from_value(self.stored_status(key)).unwrap_or_default();
        let mut life = StatusBuilder::begin(&old, meta.generation, now);
        life.set_ready_conditions(&ReadyState::Stalled(finding.reason(), finding.text()));
        say(&mut life);
        let (status, _, _) = life.end(&old);
        let as_json = |s: &RecordStatus| serde_json::to_value(s).unwrap_or_default();
        // Only what is said anew: fields that this version cannot read stay as they are.
        let Some(patch) = difference(&as_json(&old), &as_json(&status)) else { return Ok(()) };
        let precondition =
            Precondition { uid: meta.uid.clone(), resource_version: meta.resource_version.clone() };
        let target = record_target(key);
        let asking = self.state.ask(&target);
        let object = self.requests.status(&target, &precondition, &patch).await?;
        self.learn(&target, asking.answered(object), key);
        Ok(())
    }
}
