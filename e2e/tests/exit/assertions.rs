//! Assertions on an application and its volumes at the end of a scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::actors::OPERATOR;
use e2e::audit::Entry;
use e2e::wait::{eventually, until_gone};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::ListParams;
use kube::{Api, ResourceExt};

use crate::counters;
use crate::destructive_requests::lists_claims;
use crate::fixture::{Fixture, Held, PATIENCE, VolumeOutcome, phase, policy};

impl Fixture {
    /// Asserts the end state: exactly these volumes exist, each with its file as it was written; the
    /// namespaces are gone or stand as they were; and whatever was destroyed was asked for once, with preconditions,
    /// under a consent to just that (S2, S4).
    pub async fn assert_outcome(&self, outcomes: &[(&str, VolumeOutcome)], exited: bool) -> Result<()> {
        ensure!(outcomes.len() == self.held.len(), "{outcomes:?} for {} volumes", self.held.len());
        let namespaces: Api<Namespace> = Api::all(self.department.admin().await?);
        for (name, uid) in self.tenants.values() {
            if exited {
                until_gone(namespaces.clone(), name, Some(uid), self.department.patience).await?;
            } else {
                let stands = namespaces.get(name).await?;
                ensure!(stands.uid().as_ref() == Some(uid), "{name} is another");
                ensure!(stands.metadata.deletion_timestamp.is_none(), "{name} is on its way out");
            }
        }
        for (claim, outcome) in outcomes {
            let look = || async { self.has(self.held(claim)?, *outcome).await.map(Some) };
            eventually(&format!("{claim} is {outcome:?}"), PATIENCE, look).await?;
        }
        let kept: BTreeSet<String> = outcomes
            .iter()
            .filter(|f| f.1 != VolumeOutcome::Destroyed)
            .map(|f| Ok(self.held(f.0)?.uid()))
            .collect::<Result<_>>()?;
        let of_app = format!("govcloud.dev/application-uid={}", self.app.uid().unwrap_or_default());
        let listed = self.department.volumes().await?.list(&ListParams::default().labels(&of_app)).await?;
        let there: BTreeSet<String> = listed.iter().filter_map(ResourceExt::uid).collect();
        ensure!(there == kept, "volumes {there:?} exist, and {kept:?} should");
        let requests = self.destruction(outcomes, exited).await?;
        counters::ended(outcomes.len(), requests);
        Ok(())
    }

    async fn has(&self, held: &Held, outcome: VolumeOutcome) -> Result<()> {
        let volumes = self.department.volumes().await?;
        let is = volumes.get_opt(&held.volume.name_any()).await?;
        let Some(is) = is.filter(|v| v.uid() == held.volume.uid()) else {
            ensure!(outcome == VolumeOutcome::Destroyed, "{} is gone", held.claim);
            ensure!(!held.directory.exists(), "the directory of {} is still there", held.claim);
            return Ok(());
        };
        held.intact()?;
        let retained = is.labels().get("govcloud.dev/retained");
        let expected = match outcome {
            VolumeOutcome::Destroyed => bail!("{} still exists: {:?}", held.claim, is.status),
            VolumeOutcome::InUse => ("Bound", None),
            VolumeOutcome::Unclaimed => ("Released", None),
            VolumeOutcome::Retained => ("Released", self.app.uid()),
        };
        ensure!(policy(&is).as_deref() == Some("Retain"), "{} has {:?}", held.claim, policy(&is));
        ensure!((phase(&is), retained.cloned()) == expected, "{} is {} {retained:?}", held.claim, phase(&is));
        Ok(())
    }

    /// Checks every destructive request about this application. Returns how many there were.
    async fn destruction(&self, outcomes: &[(&str, VolumeOutcome)], exited: bool) -> Result<usize> {
        let names: BTreeMap<String, String> =
            self.held.iter().map(|h| (h.volume.name_any(), h.uid())).collect();
        let own = |e: &Entry| {
            e.object_ref.as_ref().is_some_and(|o| {
                (o.resource == "persistentvolumes" && names.contains_key(&o.name))
                    || self
                        .tenants
                        .values()
                        .any(|(t, _)| o.namespace == *t || (o.resource == "namespaces" && o.name == *t))
            })
        };
        let asked = self.requests.asked(own).await?;
        let of_operator = asked.iter().filter(|e| e.user.username == OPERATOR);
        let (listed, by_operator): (Vec<&Entry>, Vec<&Entry>) = of_operator.partition(|e| lists_claims(e));
        for e in &by_operator {
            e.ensure_preconditions()?;
        }
        self.assert_flips(&asked, &by_operator, outcomes, &names)?;
        self.assert_deletions(&asked, &by_operator, &listed, exited)?;
        Ok(by_operator.len())
    }

    /// S2: a volume is made to go with its claim only on consent to just that.
    fn assert_flips(
        &self,
        asked: &[Entry],
        by_operator: &[&Entry],
        outcomes: &[(&str, VolumeOutcome)],
        names: &BTreeMap<String, String>,
    ) -> Result<()> {
        let consented = self.consented.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut flipped: Vec<String> = Vec::new();
        for e in by_operator.iter().filter(|e| e.sets_delete()) {
            let uid =
                e.request_object.as_ref().and_then(|b| b["metadata"]["uid"].as_str()).unwrap_or_default();
            ensure!(names.get(&name(e)).is_some_and(|u| u == uid), "{e} names another volume");
            ensure!(consented.contains(uid), "S2: {e} without a consent to destroy {uid}");
            flipped.push(uid.to_owned());
        }
        for e in asked.iter().filter(|e| ends(e, "persistentvolumes")) {
            let uid = names.get(&name(e)).context("an unknown volume")?;
            ensure!(flipped.contains(uid) && consented.contains(uid), "S2: {e} of {uid}");
        }
        for (claim, outcome) in outcomes {
            let held = self.held(claim)?;
            let times = flipped.iter().filter(|u| **u == held.uid()).count();
            let expected = if *outcome == VolumeOutcome::Destroyed { 1 } else { 0 };
            ensure!(times >= expected && (expected == 1 || times == 0), "{claim} was doomed {times} times");
        }
        Ok(())
    }

    /// S4: claims are listed before one of them or the namespace is deleted; each claim is deleted before its namespace.
    fn assert_deletions(
        &self,
        asked: &[Entry],
        by_operator: &[&Entry],
        listed: &[&Entry],
        exited: bool,
    ) -> Result<()> {
        let ended = |resource| by_operator.iter().filter(move |e| ends(e, resource));
        let (spaces, claims) = (ended("namespaces"), ended("persistentvolumeclaims"));
        let expected = if exited { self.tenants.len() } else { 0 };
        ensure!(spaces.clone().count() == expected, "{} namespaces were deleted", spaces.count());
        // S4: what appeared after the volumes' outcome was set is seen before a claim or the namespace goes.
        for e in spaces.clone().chain(claims.clone()) {
            let doomed = by_operator.iter().filter(|d| d.sets_delete()).map(|d| d.stage_timestamp);
            let doomed = doomed.filter(|at| *at <= e.request_received_timestamp).max();
            let seen = |l: &&&Entry| {
                l.object_ref.as_ref().is_some_and(|o| o.namespace == space(e))
                    && l.stage_timestamp <= e.request_received_timestamp
                    && doomed.is_none_or(|at| l.request_received_timestamp >= at)
            };
            ensure!(listed.iter().any(|l| seen(&l)), "S4: {e} with claims listed before {doomed:?}");
        }
        // Each claim is deleted by name, by the operator or by the department before: none goes with its namespace alone.
        for held in self.held.iter().filter(|_| exited) {
            let claim = held.volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref()).context("no claim")?;
            let named = |e: &&Entry| Some(name(e)) == claim.name && Some(space(e)) == claim.namespace;
            let mut deletes = asked.iter().filter(|e| ends(e, "persistentvolumeclaims"));
            ensure!(deletes.any(|e| named(&e)), "{} went with its namespace", held.claim);
        }
        for claim in claims {
            let mut after = spaces.clone().filter(|e| space(e) == space(claim));
            let after = after.any(|e| claim.stage_timestamp <= e.request_received_timestamp);
            ensure!(after, "{claim} and not its namespace after it");
        }
        Ok(())
    }
}

/// Returns true if it deletes one of these.
fn ends(entry: &Entry, resource: &str) -> bool {
    entry.verb == "delete" && entry.object_ref.as_ref().is_some_and(|o| o.resource == resource)
}

/// The namespace that it is in, or is.
fn space(entry: &Entry) -> String {
    let object = entry.object_ref.clone().unwrap_or_default();
    if object.resource == "namespaces" { object.name } else { object.namespace }
}

/// Name of the object of a request.
fn name(entry: &Entry) -> String {
    entry.object_ref.as_ref().map(|o| o.name.clone()).unwrap_or_default()
}
