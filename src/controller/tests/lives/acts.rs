//! Acts of people, as the API server would accept them: stamps, generations, and the refusals of the policies.

use std::collections::BTreeSet;

use govcloud_api::keys;
use govcloud_domain::names::tenant_namespace;
use serde_json::{Value, json};

use crate::cluster::{Id, id, merge_patch, whole};
use crate::stage::{DEPT, LI, Stage, ZHANG};

pub fn app_id() -> Id {
    id("CloudApplication", DEPT, "travel")
}
pub fn grant_id() -> Id {
    id("ResourceGrant", DEPT, "travel")
}
pub fn change_id(name: &str) -> Id {
    id("ChangeRequest", DEPT, name)
}
pub fn exit_id(name: &str) -> Id {
    id("Decommission", DEPT, name)
}

/// The tenant namespace of an entry of `travel`.
pub fn tenant(entry: &str) -> String {
    tenant_namespace(DEPT, "travel", entry)
}

fn sample(text: &str) -> Value {
    serde_saphyr::from_str::<Value>(text).unwrap()["spec"].clone()
}

/// The spec of the sample application.
pub fn application() -> Value {
    sample(include_str!("../../../../config/samples/travel.yaml"))
}

/// The spec of a change of `prod`.
pub fn adjustment(quota: Value) -> Value {
    json!({ "region": "410000", "resourceAdjustment": {
        "application": "travel", "reason": "春运扩容", "namespaces": [{ "name": "prod", "quota": quota }] } })
}

/// The spec of an exit, with what is decided for some claims of `prod`.
pub fn exit(scope: &str, default: &str, volumes: &[(&str, &str)]) -> Value {
    let volumes: Vec<Value> =
        volumes.iter().map(|(c, a)| json!({ "namespace": "prod", "claim": c, "action": a })).collect();
    let mut disposition = json!({ "default": default });
    if !volumes.is_empty() {
        disposition["volumes"] = json!(volumes);
    }
    json!({ "region": "410000", "application": "travel", "scope": scope, "reason": "NoLongerUsed", "disposition": disposition })
}

/// The spec of a maintenance.
pub fn maintenance(start: &str, end: &str) -> Value {
    let hash = "64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525";
    let instant = |t: &str| crate::stage::at(t).to_string();
    json!({ "region": "410000", "platformMaintenance": {
        "plan": { "title": "存储扩容", "uri": "https://p.example/plan.pdf", "sha256": hash },
        "window": { "start": instant(start), "end": instant(end) },
        "impact": "Degraded", "affects": { "all": true },
        "contingencyPlan": { "uri": "https://p.example/fallback.pdf", "sha256": hash } } })
}

impl Stage {
    pub fn status(&self, of: &Id) -> &Value {
        &self.cluster.objects[of]["status"]
    }

    pub fn phase(&self, of: &Id) -> &str {
        self.status(of)["phase"].as_str().unwrap_or("-")
    }

    /// The condition of a type.
    pub fn condition(&self, of: &Id, type_: &str) -> Option<&Value> {
        self.status(of)["conditions"].as_array()?.iter().find(|c| c["type"] == type_)
    }

    /// `status/reason` of a condition.
    pub fn stands(&self, of: &Id, type_: &str) -> String {
        self.condition(of, type_).map_or_else(String::new, |c| {
            format!("{}/{}", c["status"].as_str().unwrap(), c["reason"].as_str().unwrap())
        })
    }

    /// Number of entries of an event in a record's timeline.
    pub fn count(&self, of: &Id, event: &str) -> usize {
        self.status(of)["timeline"].as_array().map_or(0, |t| t.iter().filter(|e| e["event"] == event).count())
    }

    /// Files a record.
    pub fn file_by(&mut self, who: &str, of: &Id, spec: Value) {
        self.say(who, &format!("files {} {}", of.0, of.2));
        self.cluster
            .create(
                json!({ "apiVersion": "govcloud.dev/v1alpha1", "kind": of.0,
                    "metadata": { "namespace": of.1, "name": of.2, "annotations": { keys::REQUESTED_BY: who } }, "spec": spec }),
                self.now,
            )
            .unwrap();
    }

    pub fn file(&mut self, of: &Id, spec: Value) {
        self.file_by(ZHANG, of, spec);
        self.settle();
    }

    /// Changes a spec by merge patch.
    pub fn edit(&mut self, who: &str, of: &Id, patch: Value) {
        self.say(who, &format!("edits {} {}: {patch}", of.0, of.2));
        self.cluster.change(of, |o| merge_patch(&mut o["spec"], &patch));
        self.settle();
    }

    /// Annotates a decision, unseen by any policy. `generation` as reviewed.
    pub fn annotate(&mut self, who: &str, of: &Id, verdict: &str, generation: i64, opinion: &str) {
        self.say(who, &format!("annotates {} {}: {verdict}, generation {generation} {opinion}", of.0, of.2));
        let now = whole(self.now).to_string();
        self.cluster.change(of, |o| {
            let a = &mut o["metadata"]["annotations"];
            a[keys::DECISION] = json!(verdict);
            a[keys::REVIEWED_GENERATION] = json!(generation.to_string());
            a[keys::DECIDED_BY] = json!(who);
            a[keys::OPINION] = json!(opinion);
            o["metadata"]["managedFields"] = json!([{ "manager": "kubectl", "operation": "Update", "time": now, "apiVersion": "v1",
                "fieldsType": "FieldsV1", "fieldsV1": { "f:metadata": { "f:annotations": { format!("f:{}", keys::DECISION): {} } } } }]);
        });
    }

    /// Returns true if the policies let `who` decide so now (design, section 3).
    pub fn may_decide(&self, who: &str, of: &Id, verdict: &str) -> bool {
        let o = &self.cluster.objects[of];
        let d = &o["status"]["decision"];
        let open = d.is_null() || (d["verdict"] == "Returned" && d["void"].is_null());
        let pending = o["metadata"]["annotations"][keys::DECISION].as_str().is_some_and(|v| v != "returned");
        let valid = self.condition(of, "Valid");
        let valid = valid
            .is_some_and(|c| c["status"] == "True" && c["observedGeneration"] == o["metadata"]["generation"]);
        let consent = of.0 != "Decommission"
            || (o["spec"]["consent"]["inventoryDigest"] == o["status"]["inventory"]["digest"]
                && o["spec"]["consent"].is_object());
        let withdrawn = o["metadata"]["annotations"][keys::WITHDRAW].is_string();
        o["metadata"]["annotations"][keys::REQUESTED_BY] != who
            && open
            && !pending
            && !withdrawn
            && (verdict != "approved" || valid && consent)
    }

    /// The authority decides, as the policies allow.
    pub fn decide(&mut self, of: &Id, verdict: &str, opinion: &str) {
        self.decide_unseen(of, verdict, opinion);
        self.settle();
    }

    /// Decides before the operator has reconciled.
    pub fn decide_unseen(&mut self, of: &Id, verdict: &str, opinion: &str) {
        assert!(self.may_decide(LI, of, verdict), "refused: {verdict} on {of:?} {}", self.status(of));
        let o = self.cluster.objects[of].clone();
        if verdict == "approved" {
            self.ledger.approved.insert(o["metadata"]["uid"].as_str().unwrap().to_owned(), o["spec"].clone());
        }
        self.annotate(LI, of, verdict, o["metadata"]["generation"].as_i64().unwrap(), opinion);
    }

    /// Returns true if the policies let an approval name these namespaces (config/admission/validating/decisions.yaml).
    pub fn may_reattach(&self, of: &Id, named: &[&str]) -> bool {
        let found = self.status(of)["foundNamespaces"].as_array().cloned().unwrap_or_default();
        let found: BTreeSet<&str> = found.iter().map(|f| f["uid"].as_str().unwrap()).collect();
        found == named.iter().copied().collect()
    }

    /// An approval that names namespaces, unseen by any policy.
    pub fn annotate_naming(&mut self, of: &Id, named: &[&str]) {
        let generation = self.cluster.objects[of]["metadata"]["generation"].as_i64().unwrap();
        self.annotate(LI, of, "approved", generation, "同意");
        self.cluster.change(of, |o| o["metadata"]["annotations"][keys::REATTACH] = json!(named.join(",")));
    }

    /// An approval that names what was found, as the policies allow, before the operator has looked.
    pub fn annotate_lawfully(&mut self, of: &Id, named: &[&str]) {
        assert!(self.may_decide(LI, of, "approved"), "refused: {of:?} {}", self.status(of));
        assert!(
            self.may_reattach(of, named),
            "refused: {named:?}, found {}",
            self.status(of)["foundNamespaces"]
        );
        let o = self.cluster.objects[of].clone();
        let uid = o["metadata"]["uid"].as_str().unwrap().to_owned();
        self.ledger.approved.insert(uid.clone(), o["spec"].clone());
        self.ledger.reattached.insert(uid, named.iter().map(|u| (*u).to_owned()).collect());
        self.annotate_naming(of, named);
    }

    /// The authority approves and names namespaces to take back.
    pub fn decide_naming(&mut self, of: &Id, named: &[&str]) {
        self.annotate_lawfully(of, named);
        self.settle();
    }

    /// The authority approves and names running systems' namespaces to adopt, as the policies allow.
    pub fn decide_adopting(&mut self, of: &Id, named: &[&str]) {
        assert!(self.may_decide(LI, of, "approved"), "refused: {of:?} {}", self.status(of));
        let o = self.cluster.objects[of].clone();
        let asked = o["spec"]["namespaces"].as_array().into_iter().flatten();
        let asked: BTreeSet<&str> = asked.filter_map(|n| n["existing"]["uid"].as_str()).collect();
        assert_eq!(asked, named.iter().copied().collect(), "refused: not exactly those asked for");
        let uid = o["metadata"]["uid"].as_str().unwrap().to_owned();
        self.ledger.approved.insert(uid.clone(), o["spec"].clone());
        self.ledger.adopted.insert(uid, named.iter().map(|u| (*u).to_owned()).collect());
        self.annotate_adopting(of, named);
        self.settle();
    }

    /// An approval that names namespaces to adopt, unseen by any policy.
    pub fn annotate_adopting(&mut self, of: &Id, named: &[&str]) {
        let generation = self.cluster.objects[of]["metadata"]["generation"].as_i64().unwrap();
        self.annotate(LI, of, "approved", generation, "同意");
        self.cluster.change(of, |o| o["metadata"]["annotations"][keys::ADOPT] = json!(named.join(",")));
    }

    /// The authority decides; an approval takes these namespaces back.
    pub fn decide_as(&mut self, of: &Id, verdict: &str, opinion: &str, named: &[&str]) {
        if verdict == "approved" && !named.is_empty() {
            self.decide_naming(of, named);
        } else {
            self.decide(of, verdict, opinion);
        }
    }

    /// The authority removes its decision.
    pub fn clear_decision(&mut self, of: &Id) {
        self.remove_decision(of);
        self.settle();
    }

    /// An invalid decision is removed, and the operator does not look.
    pub fn remove_decision(&mut self, of: &Id) {
        self.say(LI, &format!("removes the decision on {} {}", of.0, of.2));
        self.cluster.change(of, |o| {
            let a = o["metadata"]["annotations"].as_object_mut().unwrap();
            let decision = [keys::DECISION, keys::REVIEWED_GENERATION, keys::DECIDED_BY, keys::OPINION];
            let named = [keys::REATTACH, keys::ADOPT];
            decision.iter().chain(&named).for_each(|k| drop(a.remove(*k)));
        });
    }

    /// The department takes a record back.
    pub fn withdraw(&mut self, of: &Id) {
        self.say(ZHANG, &format!("withdraws {} {}", of.0, of.2));
        let uid = self.cluster.objects[of]["metadata"]["uid"].clone();
        self.cluster.change(of, |o| o["metadata"]["annotations"][keys::WITHDRAW] = uid);
        self.settle();
    }

    /// The department consents to the published inventory.
    pub fn consent_unseen(&mut self, of: &Id) {
        self.say(ZHANG, &format!("consents in {}", of.2));
        let o = self.cluster.objects[of].clone();
        let inventory = &o["status"]["inventory"];
        let entries = inventory["entries"].as_array().cloned().unwrap_or_default();
        let doomed: BTreeSet<String> = entries
            .iter()
            .filter(|e| e["action"] != "Retain")
            .filter_map(|e| e["volumeUID"].as_str().map(str::to_owned))
            .collect();
        self.ledger.consented.insert(o["metadata"]["uid"].as_str().unwrap().to_owned(), doomed);
        let digest = inventory["digest"].clone();
        self.cluster.change(of, |o| {
            o["spec"]["consent"] = json!({ "inventoryDigest": digest });
            o["metadata"]["annotations"][keys::CONSENTED_BY] = json!(ZHANG);
        });
    }

    pub fn consent(&mut self, of: &Id) {
        self.consent_unseen(of);
        self.settle();
    }

    /// An exit is filed, consented to as its inventory is published, and approved.
    pub fn leave(&mut self, name: &str, spec: Value) -> Id {
        let e = exit_id(name);
        self.file(&e, spec);
        self.consent(&e);
        self.decide(&e, "approved", "同意");
        e
    }

    /// The department signs for a volume.
    pub fn receive(&mut self, of: &Id, claim: &str) {
        let entries = self.status(of)["inventory"]["entries"].as_array().cloned().unwrap_or_default();
        let uid =
            entries.iter().find(|e| e["claim"] == claim).unwrap()["volumeUID"].as_str().unwrap().to_owned();
        self.say(ZHANG, &format!("signs for {claim}"));
        self.ledger.received.insert(uid.clone());
        let hash = "64879f7d6b960a01909762d911a32d4582c20010c5641ee90278b644a9e3b525";
        let receipt = json!({ "volumeUID": uid, "receivedBy": "张工", "uri": "https://p.example/receipt.pdf", "sha256": hash });
        self.cluster.change(of, |o| match o["spec"]["handOver"].as_array_mut() {
            Some(list) => list.push(receipt),
            None => o["spec"]["handOver"] = json!([receipt]),
        });
        self.settle();
    }

    /// The department makes a claim in a tenant namespace; a volume is bound to it. False if quota refuses.
    pub fn claim(&mut self, entry: &str, name: &str) -> bool {
        let ns = tenant(entry);
        let quota = self.cluster.get("ResourceQuota", &ns, "govcloud");
        let room = quota.is_some_and(|q| q["spec"]["hard"]["persistentvolumeclaims"] != "0");
        let exists = self.cluster.get("PersistentVolumeClaim", &ns, name).is_some();
        let there = self
            .cluster
            .get("Namespace", "", &ns)
            .is_some_and(|n| n["metadata"]["deletionTimestamp"].is_null());
        if !room || exists || !there {
            return false;
        }
        self.say(ZHANG, &format!("claims the volume {name}"));
        let volume = format!("pv-{name}-{}", self.cluster.of_kind("PersistentVolume").count());
        let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "namespace": ns, "name": name },
            "spec": { "storageClassName": "hostpath", "volumeName": volume, "resources": { "requests": { "storage": "10Gi" } } },
            "status": { "capacity": { "storage": "10Gi" } } });
        self.cluster.create(claim, self.now).unwrap();
        let uid = self.cluster.get("PersistentVolumeClaim", &ns, name).unwrap()["metadata"]["uid"].clone();
        let pv = json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": volume },
            "spec": { "capacity": { "storage": "10Gi" }, "storageClassName": "hostpath", "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": { "path": format!("/tmp/{volume}") }, "claimRef": { "namespace": ns, "name": name, "uid": uid } },
            "status": { "phase": "Bound" } });
        self.cluster.create(pv, self.now).unwrap();
        self.settle();
        true
    }

    /// The department deletes a claim; its volume stays.
    pub fn unclaim(&mut self, entry: &str, name: &str) -> bool {
        let key = id("PersistentVolumeClaim", &tenant(entry), name);
        let there = self.cluster.objects.contains_key(&key);
        if there {
            self.say(ZHANG, &format!("deletes the claim {name}"));
            self.cluster.remove(&key);
            self.settle();
        }
        there
    }

    /// Use that the quota of an entry counts.
    pub fn uses(&mut self, entry: &str, used: Value) {
        let key = id("ResourceQuota", &tenant(entry), "govcloud");
        if self.cluster.objects.contains_key(&key) {
            self.say("cluster", &format!("{entry} uses {used}"));
            let amounts = self.cluster.amounts.entry(tenant(entry)).or_default();
            for (key, amount) in used.as_object().unwrap() {
                amounts.insert(key.clone(), amount.as_str().unwrap().to_owned());
            }
            self.cluster.count_all();
            self.settle();
        }
    }

    /// Publishes the holidays of 2027, here without any.
    pub fn publish_2027(&mut self) {
        self.say(LI, "publishes 2027");
        self.cluster.change(&id("WorkCalendar", "", "cn"), |o| {
            let holidays = json!([{ "name": "元旦", "from": "2027-01-01", "to": "2027-01-03" }]);
            o["spec"]["years"].as_array_mut().unwrap().push(json!({ "year": 2027, "holidays": holidays }));
        });
        self.settle();
    }

    /// Changes the region.
    pub fn region(&mut self, patch: Value) {
        self.cluster.change(&id("Region", "", "410000"), |o| merge_patch(&mut o["spec"], &patch));
        self.settle();
    }

    /// `travel` applied for and approved at once.
    pub fn provisioned(now: &str) -> Self {
        let mut s = Self::new(now);
        s.file(&app_id(), application());
        s.decide(&app_id(), "approved", "同意");
        assert_eq!(s.phase(&app_id()), "Provisioned");
        s
    }

    /// `travel` live and reported.
    pub fn live(now: &str) -> Self {
        let mut s = Self::provisioned(now);
        let at = whole(s.now).to_string();
        let hash = "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917";
        s.edit(ZHANG, &app_id(), json!({ "goLive": { "at": at, "testReport": { "uri": "https://p.example/t.pdf", "sha256": hash } } }));
        assert_eq!(s.phase(&app_id()), "Live");
        s
    }

    /// `travel` live since 1 June with one volume, and an exit that waits for the department's receipt for it.
    pub fn handing_over() -> (Self, Id) {
        let mut s = Self::live("2026-06-01 09:00");
        s.claim("prod", "data");
        let e = s.leave("leave", exit("Application", "HandOver", &[]));
        assert_eq!(s.phase(&e), "HandingOver");
        (s, e)
    }
}
