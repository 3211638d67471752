//! Decisions and consents of people, kept apart from the operator's records, and the invariants of
//! the design (section 7) checked against it at every write.

use std::collections::{BTreeMap, BTreeSet};

use govcloud_api::keys;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::digest::spec_digest;
use govcloud_domain::plan::{Plan, RequiredReads, Step, Write};
use govcloud_domain::quantity::Quantity;
use govcloud_domain::seal::Seal;
use serde_json::Value;

use crate::cluster::Cluster;

#[derive(Clone, Default)]
pub struct Ledger {
    /// Spec as it was lawfully approved, by the record's UID.
    pub approved: BTreeMap<String, Value>,
    /// Volume UIDs that the department consented to destroy, by the Decommission's UID.
    pub consented: BTreeMap<String, BTreeSet<String>>,
    /// Namespace UIDs that the authority let a record take back, by the record's UID.
    pub reattached: BTreeMap<String, BTreeSet<String>>,
    /// Namespace UIDs that the authority let an application adopt, by the record's UID.
    pub adopted: BTreeMap<String, BTreeSet<String>>,
    /// Volume UIDs whose data the department received.
    pub received: BTreeSet<String>,
}

fn text(v: &Value) -> String {
    v.as_str().unwrap_or_default().to_owned()
}

fn array(v: &Value) -> &[Value] {
    v.as_array().map(Vec::as_slice).unwrap_or_default()
}

impl Ledger {
    /// Returns true if the record is approved with exactly its present spec.
    fn approves(&self, record: &Value) -> bool {
        let digest = |spec: &Value| spec_digest(spec);
        self.approved
            .get(&text(&record["metadata"]["uid"]))
            .is_some_and(|spec| digest(spec) == digest(&record["spec"]))
    }

    /// Checks one write before it is made: S1 to S4.
    pub fn permits(&self, cluster: &Cluster, key: &Key, write: &Write, anew: Option<RequiredReads>) {
        match write {
            Write::Create(target, _) if target.resource.kind == "Statement" => {
                assert_eq!(key.kind, Kind::Region, "{key:?} {write:?}");
            }
            Write::Create(..) | Write::Apply(..) | Write::Correct(..)
                if write.target().resource.kind != "ResourceGrant" =>
            {
                self.tenant_object(cluster, key, write)
            }
            Write::Create(..) => {
                let app = cluster
                    .get("CloudApplication", key.namespace(), key.name())
                    .expect("a grant has an application");
                assert!(self.approves(app) && fresh_enough(write), "S1: {key:?} {write:?}");
            }
            Write::Patch(..) => self.patch(cluster, key, write, anew),
            Write::Delete(..) => self.delete(cluster, key, write, anew),
            Write::Apply(..) | Write::Correct(..) => panic!("nobody applies a grant: {write:?}"),
        }
    }

    /// Checks a patch: what it destroys, takes back or grants was decided, on quorum reads.
    fn patch(&self, cluster: &Cluster, key: &Key, write: &Write, anew: Option<RequiredReads>) {
        let Write::Patch(t, p, patch) = write else { return };
        let read = |needed| anew.is_some_and(|a: RequiredReads| a.covers(needed));
        assert!(!p.uid.is_empty() && !p.resource_version.is_empty(), "S4: {write:?}");
        match t.resource.kind {
            "PersistentVolume" if patch["spec"]["persistentVolumeReclaimPolicy"] != "Retain" => {
                self.destroys_volume(cluster, key, &p.uid);
                assert!(read(RequiredReads::VOLUMES), "S4: not on a quorum read: {write:?}");
            }
            "Namespace" if patch["metadata"]["labels"].get(keys::OPEN_RECORDS).is_some() => {
                Self::marks_filing(cluster, &t.name, patch);
            }
            "Namespace" if patch["metadata"]["labels"].get(keys::SETTLED_THROUGH).is_some() => {
                assert_eq!(key.kind, Kind::Region, "{key:?} {write:?}");
            }
            "Namespace" if Self::is_foreign(cluster, &t.name) => {
                self.adopts(cluster, key, &t.name, &p.uid, patch);
                assert!(read(RequiredReads::RECORDS), "S4: not on a quorum read: {write:?}");
            }
            "Namespace" if !patch["metadata"]["labels"].is_null() => {
                self.takes_back(cluster, key, &t.name, &p.uid, patch);
                assert!(read(RequiredReads::RECORDS), "S4: not on a quorum read: {write:?}");
            }
            "PersistentVolume" => self.marks_volume(cluster, &t.name, patch),
            "ResourceGrant" if key.kind == Kind::Application => {
                let app = cluster.get("CloudApplication", key.namespace(), key.name()).unwrap();
                let taken = self.reattached.get(&text(&app["metadata"]["uid"]));
                assert!(
                    self.approves(app) && taken.is_some() && read(RequiredReads::RECORDS),
                    "S1: {key:?} {write:?}"
                );
            }
            "ResourceGrant" => {
                let change = cluster.get("ChangeRequest", key.namespace(), key.name()).unwrap();
                assert!(self.approves(change) && read(RequiredReads::RECORDS), "S1: {key:?} {write:?}");
            }
            _ => {}
        }
    }

    /// Checks a deletion: it was decided, on a quorum read of this very object.
    fn delete(&self, cluster: &Cluster, key: &Key, write: &Write, anew: Option<RequiredReads>) {
        let Write::Delete(t, p) = write else { return };
        let read = |needed| anew.is_some_and(|a: RequiredReads| a.covers(needed));
        assert!(!p.uid.is_empty() && !p.resource_version.is_empty(), "S4: {write:?}");
        match t.resource.kind {
            "Namespace" => {
                self.removes_namespace(cluster, key, &t.name);
                let left = |c: &&Value| {
                    c["metadata"]["namespace"] == t.name.as_str()
                        && c["metadata"]["deletionTimestamp"].is_null()
                };
                let claim = cluster.of_kind("PersistentVolumeClaim").find(left);
                assert!(claim.is_none(), "S4: goes with its namespace: {claim:?}");
                assert!(read(RequiredReads::CONTENTS), "S4: not on a quorum read: {write:?}");
            }
            "PersistentVolumeClaim" => {
                self.removes_namespace(cluster, key, &t.namespace);
                let exit = cluster.get("Decommission", key.namespace(), key.name()).unwrap();
                let listed = array(&exit["status"]["inventory"]["entries"]);
                assert!(listed.iter().any(|e| e["claimUID"] == p.uid.as_str()), "S2: {write:?}");
                assert!(read(RequiredReads::CONTENTS), "S4: not on a quorum read: {write:?}");
            }
            "ResourceGrant" => {
                let grant = cluster.get("ResourceGrant", &t.namespace, &t.name).unwrap();
                let lives = |o: &Value| o["metadata"]["uid"] == grant["spec"]["application"]["uid"];
                let unused = grant["status"]["inForce"].is_null();
                assert!(unused || !cluster.of_kind("CloudApplication").any(lives), "S5: of a living record");
                assert_eq!(grant["status"]["phase"], "Released", "S3: {write:?}");
                assert!(read(RequiredReads::RECORDS), "S4: not on a quorum read: {write:?}");
            }
            kind => assert!(
                ["RoleBinding", "LimitRange", "NetworkPolicy", "ResourceQuota"].contains(&kind),
                "{write:?}"
            ),
        }
    }

    /// S1: what is made or enlarged for a tenant was approved, amount by amount and person by person.
    fn tenant_object(&self, cluster: &Cluster, key: &Key, write: &Write) {
        let (Write::Create(t, body) | Write::Apply(t, body) | Write::Correct(t, body)) = write else {
            return;
        };
        let app = cluster
            .get("CloudApplication", key.namespace(), key.name())
            .expect("S3: a tenant object without an application");
        assert!(
            self.approves(app),
            "S1: {key:?} writes {} {} of an application that is not approved as it stands",
            t.resource.kind,
            t.name
        );
        assert!(
            body["metadata"]["ownerReferences"].is_null() && body["metadata"]["finalizers"].is_null(),
            "S3"
        );
        let uid = &app["metadata"]["uid"];
        let of_app = |c: &&Value| c["spec"]["resourceAdjustment"]["application"] == app["metadata"]["name"];
        let changes = cluster.of_kind("ChangeRequest").filter(of_app).filter(|c| self.approves(c));
        let asked: Vec<&Value> = array(&app["spec"]["namespaces"])
            .iter()
            .chain(changes.flat_map(|c| array(&c["spec"]["resourceAdjustment"]["namespaces"])))
            .collect();
        if let (false, Write::Create(..) | Write::Apply(..)) = (t.resource.kind == "Namespace", write) {
            assert_eq!(body["metadata"]["labels"][keys::APPLICATION_UID], *uid);
        }
        match t.resource.kind {
            "Namespace" => {
                let entry = &body["metadata"]["labels"][keys::ENTRY];
                assert!(asked.iter().any(|n| n["name"] == *entry), "S1: namespace {entry} was not approved");
            }
            "ResourceQuota" if !matches!(write, Write::Correct(..)) => {
                let entry = &body["metadata"]["labels"][keys::ENTRY];
                for (k, v) in body["spec"]["hard"].as_object().unwrap() {
                    let amount = |v: &Value| v.as_str().unwrap().parse::<Quantity>().unwrap();
                    // Counted and not limited, ahead of a change that limits it.
                    let approved = asked.iter().any(|n| {
                        let counted = v == "9P" && n["existing"].is_object();
                        n["name"] == *entry
                            && (counted
                                || n["quota"].get(k).is_some_and(|q| amount(q) == amount(v) || v == "9P"))
                    });
                    assert!(approved || amount(v).is_zero(), "S1: {k}={v} in {entry} was not approved");
                }
            }
            "RoleBinding" => {
                let spec = &self.approved[&text(uid)];
                for s in array(&body["subjects"]) {
                    let of_changes =
                        cluster.of_kind("ChangeRequest").filter(of_app).filter(|c| self.approves(c));
                    let of_changes =
                        of_changes.flat_map(|c| array(&c["spec"]["resourceAdjustment"]["access"]));
                    let mut people = array(&spec["access"]).iter().chain(of_changes);
                    let known = people.any(|a| a["subject"]["name"] == s["name"]);
                    assert!(known, "S1: {s} was not approved");
                }
            }
            _ => {}
        }
    }

    /// S1, S3, S6: a namespace passes to a recreated record of its application, of just the UID that was named.
    fn takes_back(&self, cluster: &Cluster, key: &Key, name: &str, uid: &str, patch: &Value) {
        let app =
            cluster.get("CloudApplication", key.namespace(), key.name()).expect("S3: nobody takes it back");
        let own = text(&app["metadata"]["uid"]);
        assert!(self.approves(app), "S1: taken back without an approval: {key:?} {name}");
        assert!(self.reattached.get(&own).is_some_and(|n| n.contains(uid)), "{name} {uid} was not named");
        let live = cluster.get("Namespace", "", name).unwrap();
        let before = &live["metadata"]["labels"];
        assert_eq!(
            (&before[keys::DEPARTMENT], &before[keys::APPLICATION]),
            (&Value::from(key.namespace().to_owned()), &Value::from(key.name().to_owned())),
            "S5: a foreign's namespace"
        );
        let lives = |o: &Value| o["metadata"]["uid"] == before[keys::APPLICATION_UID];
        assert!(!cluster.of_kind("CloudApplication").any(lives), "S5: {name} is a living record's");
        assert_eq!(patch["metadata"]["labels"], serde_json::json!({ keys::APPLICATION_UID: own }));
    }

    /// Returns true for a namespace that is no tenant's and no department's.
    fn is_foreign(cluster: &Cluster, name: &str) -> bool {
        let labels = &cluster.get("Namespace", "", name).unwrap()["metadata"]["labels"];
        labels[keys::APPLICATION_UID].is_null() && labels[keys::FILING_REGION].is_null()
    }

    /// S1, S3, S5: a running system's namespace is marked on three words, once every volume in it is kept, and nothing of
    /// others in it is changed.
    fn adopts(&self, cluster: &Cluster, key: &Key, name: &str, uid: &str, patch: &Value) {
        let app = cluster.get("CloudApplication", key.namespace(), key.name()).expect("S3: nobody asked");
        let own = text(&app["metadata"]["uid"]);
        assert!(self.approves(app), "S1: adopted without an approval: {key:?} {name}");
        assert!(self.adopted.get(&own).is_some_and(|n| n.contains(uid)), "S1: {name} {uid} was not named");
        let asked = array(&app["spec"]["namespaces"]);
        assert!(asked.iter().any(|n| n["existing"]["uid"] == uid), "S3: {name} {uid} was not asked for");
        let live = cluster.get("Namespace", "", name).unwrap();
        assert_eq!(
            live["metadata"]["annotations"][keys::ADOPT_OUT],
            own.as_str(),
            "S3: its holder did not say so"
        );
        assert!(live["metadata"]["ownerReferences"].is_null(), "S3: {name} has an owner");
        for v in cluster.of_kind("PersistentVolume").filter(|v| v["spec"]["claimRef"]["namespace"] == name) {
            assert_eq!(v["spec"]["persistentVolumeReclaimPolicy"], "Retain", "S5: marked before {v}");
            assert_eq!(v["metadata"]["labels"][keys::APPLICATION_UID], own.as_str(), "S5: marked before {v}");
        }
        for part in ["labels", "annotations"] {
            for key in patch["metadata"][part].as_object().into_iter().flatten().map(|(key, _)| key) {
                let ours = key.starts_with("govcloud.dev/") || key == keys::MANAGED_BY;
                let told =
                    ["warn", "audit"].iter().any(|mode| key.contains(&format!("kubernetes.io/{mode}")));
                assert!(ours || told, "{name}: {key} is another's");
            }
        }
    }

    /// S3, S11: a filing namespace is marked while a record in it is open, and nothing else of it is written.
    fn marks_filing(cluster: &Cluster, name: &str, patch: &Value) {
        let over = [
            "Rejected",
            "Withdrawn",
            "Exited",
            "Completed",
            "Released",
            "Settled",
            "Voided",
            "Recorded",
            "Closed",
            "Published",
        ];
        let filed = |kind: &str| {
            let lifecycle = ["CloudApplication", "ResourceGrant", "ChangeRequest", "Decommission"];
            let others = ["Statement", "ComplianceRecord", "Inspection", "Assessment"];
            lifecycle.contains(&kind) || others.contains(&kind)
        };
        let records =
            cluster.objects.iter().filter(|((kind, namespace, _), _)| filed(kind) && namespace == name);
        let mut phases = records.map(|(_, record)| text(&record["status"]["phase"]));
        let open = phases.any(|phase| !over.contains(&phase.as_str()));
        let mark = if open { Value::from("true") } else { Value::Null };
        assert_eq!(
            *patch,
            serde_json::json!({ "metadata": { "labels": { keys::OPEN_RECORDS: mark } } }),
            "{name}"
        );
        let before = &cluster.get("Namespace", "", name).unwrap()["metadata"]["labels"];
        assert!(before[keys::FILING_REGION].is_string() && before[keys::OPEN_RECORDS] != mark, "S11: {name}");
    }

    /// S5, S6: a volume that bears a mark passes only with the namespace that it was claimed in.
    fn marks_volume(&self, cluster: &Cluster, name: &str, patch: &Value) {
        let volume = cluster.get("PersistentVolume", "", name).unwrap();
        let before = &volume["metadata"]["labels"][keys::APPLICATION_UID];
        let after = &patch["metadata"]["labels"][keys::APPLICATION_UID];
        if before.is_null() || after.is_null() || before == after {
            return;
        }
        let claimed = text(&volume["spec"]["claimRef"]["namespace"]);
        let uid =
            cluster.get("Namespace", "", &claimed).map(|n| text(&n["metadata"]["uid"])).unwrap_or_default();
        assert!(
            self.reattached.get(&text(after)).is_some_and(|n| n.contains(&uid)),
            "S5: {name} passes from {before} to {after}"
        );
    }

    /// S2: the department consented to the destruction of just this volume, and the exit was approved.
    fn destroys_volume(&self, cluster: &Cluster, key: &Key, uid: &str) {
        let exit =
            cluster.get("Decommission", key.namespace(), key.name()).expect("S3: only an exit destroys");
        assert!(self.approves(exit), "S2: the exit is not approved: {key:?} {uid}");
        assert_eq!(exit["status"]["phase"], "Reclaiming", "Reclaiming is written first");
        let consented = self.consented.get(&text(&exit["metadata"]["uid"]));
        assert!(consented.is_some_and(|c| c.contains(uid)), "S2: {uid} is not consented to");
        let entries = array(&exit["status"]["inventory"]["entries"]);
        let entry = entries.iter().find(|e| e["volumeUID"] == uid).expect("S2: in the inventory");
        assert!(entry["action"] != "Retain", "S2: {uid} is to be retained");
        assert!(
            entry["action"] != "HandOver" || self.received.contains(uid),
            "S2: {uid} was not received yet"
        );
    }

    /// S4: what the API server answered just now counts where a reclaim begins and between its steps, and nowhere else in an
    /// exit: everything is read anew for its inventory, and all that is to be at its end where that is certified. What a decision
    /// rests on beside its record is read before it is taken (S1).
    pub fn rests_on(key: &Key, stored: &Value, plan: &Plan<Value>, anew: Option<RequiredReads>) {
        let reclaims = |status: &Value| status["phase"] == "Reclaiming";
        let within = matches!(
            plan.reread,
            Some(RequiredReads::VOLUMES | RequiredReads::CONTENTS | RequiredReads::END)
        );
        let opens = plan.reread == Some(RequiredReads::CONTENTS) && stored["phase"] == "HandingOver";
        assert!(!within || opens || reclaims(stored), "{key:?} in {}", stored["phase"]);
        let begins = reclaims(&plan.status) && !reclaims(stored);
        let certifies = plan.status["certificate"].is_object() && !stored["certificate"].is_object();
        let read = |needed| anew.is_some_and(|a| a.covers(needed));
        assert!(!begins || read(RequiredReads::CONTENTS), "{key:?} begins on {anew:?}");
        let lists = plan.status["inventory"]["digest"] != stored["inventory"]["digest"];
        assert!(!lists || read(RequiredReads::EVERYTHING), "{key:?} lists on {anew:?}");
        assert!(!certifies || read(RequiredReads::END), "{key:?} certifies on {anew:?}");
        // A recorded decision that turns out to be invalid rests on nothing else.
        let voided = stored["decision"]["void"].is_null() && plan.status["decision"]["void"].is_string();
        let voided = voided && stored["decision"].is_object();
        let decides =
            plan.status["decision"].is_object() && plan.status["decision"] != stored["decision"] && !voided;
        assert!(!decides || read(RequiredReads::REFERENCES), "{key:?} decides on {anew:?}");
        let writes = reclaims(stored) && plan.steps.iter().any(|s| matches!(s, Step::Write(_)));
        assert!(!writes || read(RequiredReads::VOLUMES), "{key:?} writes on {anew:?}");
    }

    /// S3, S5: a namespace, and a claim in it, goes only in an approved exit of the whole application, once every volume is safe.
    fn removes_namespace(&self, cluster: &Cluster, key: &Key, name: &str) {
        let exit = cluster
            .get("Decommission", key.namespace(), key.name())
            .expect("S3: only an exit removes a namespace");
        assert!(self.approves(exit) && exit["spec"]["scope"] == "Application", "S3: {key:?} {name}");
        assert_eq!(exit["status"]["phase"], "Reclaiming");
        let namespace = &cluster.get("Namespace", "", name).expect("it is there")["metadata"];
        assert_eq!(namespace["annotations"][keys::RECLAIM], namespace["uid"], "policy lets nobody: {name}");
        let consented = self.consented.get(&text(&exit["metadata"]["uid"])).cloned().unwrap_or_default();
        for v in cluster.of_kind("PersistentVolume").filter(|v| v["spec"]["claimRef"]["namespace"] == name) {
            let uid = text(&v["metadata"]["uid"]);
            let policy = &v["spec"]["persistentVolumeReclaimPolicy"];
            assert!(policy == "Retain" || consented.contains(&uid), "S2: {uid} would go with its namespace");
        }
    }

    /// Checks one status before it is written: S7, S8, S12, and that the timeline is only appended to.
    pub fn records(&self, key: &Key, old: &Value, plan: &Plan<Value>, uid: &str, seal: &Seal) {
        let new = &plan.status;
        let settled = |d: &Value| {
            let ours = serde_json::from_value(d.clone()).is_ok_and(|d| seal.wrote(uid, &d));
            ours && d["void"].is_null() && d["verdict"] != "Returned"
        };
        if settled(&old["decision"]) {
            assert_eq!(old["decision"], new["decision"], "S7: {key:?}");
        }
        assert!(
            !settled(&new["decision"]) || new["periodSeal"].is_null(),
            "S11: {key:?} is written in each period"
        );
        let (before, after) = (array(&old["timeline"]), array(&new["timeline"]));
        let dropped = new["timelineDropped"].as_i64().unwrap_or(0) > 0;
        assert!(dropped || after.starts_with(before), "{key:?}: the timeline is only appended to");
        // An entry gets its place when one before it is dropped.
        let told_of = |entry: &Value| {
            before.iter().any(|known| ["at", "event", "message"].iter().all(|f| known[f] == entry[f]))
        };
        let news: Vec<&Value> = match dropped {
            true => after.iter().filter(|entry| !told_of(entry)).collect(),
            false => after.iter().skip(before.len()).collect(),
        };
        assert!(dropped || news.len() == plan.events.len(), "S12: one entry a lifecycle event: {key:?}");
        // A full timeline drops some of the new ones at once; the others are in the order of the events.
        let mut told = plan.events.iter();
        for entry in &news {
            assert!(told.any(|event| entry["event"] == event.event()), "S12: {key:?} {entry}");
        }
        assert!(
            old["phase"] == new["phase"] || !plan.events.is_empty(),
            "S12: {key:?} went from {} to {} in silence",
            old["phase"],
            new["phase"]
        );
        for d in array(&old["deadlines"]) {
            let same = array(&new["deadlines"]).iter().find(|n| n["obligation"] == d["obligation"]);
            let same = same.unwrap_or_else(|| panic!("S8: {key:?} lost {}", d["obligation"]));
            if (&d["dueDate"], &d["dueAt"], &d["provisional"])
                != (&same["dueDate"], &same["dueAt"], &same["provisional"])
            {
                let due = same["dueDate"].as_str().unwrap();
                let says = |e: &&Value| {
                    ["DeadlineMoved", "ClockStarted"].contains(&e["event"].as_str().unwrap())
                        && e["message"].as_str().unwrap().contains(due)
                };
                assert!(news.iter().any(says), "S8: {key:?} moved {d} to {same} without a word");
            }
            assert!(
                d["metAt"].is_null()
                    || !same["metAt"].is_null()
                    || news.iter().any(|e| e["event"] == "ClockStarted"),
                "a met obligation is not reopened: {key:?}"
            );
        }
        let types: Vec<&str> = array(&new["conditions"]).iter().filter_map(|c| c["type"].as_str()).collect();
        for t in ["Ready", "Reconciling", "Stalled"] {
            assert!(types.contains(&t), "{key:?} has no {t}");
        }
    }

    /// S5: while no exit reclaims, every volume in use is kept and marked.
    pub fn at_rest(&self, cluster: &Cluster) {
        for v in cluster.of_kind("PersistentVolume") {
            let ns = text(&v["spec"]["claimRef"]["namespace"]);
            let Some(owner) =
                cluster.get("Namespace", "", &ns).map(|n| &n["metadata"]["labels"][keys::APPLICATION_UID])
            else {
                continue;
            };
            let exiting = cluster
                .of_kind("Decommission")
                .any(|d| d["status"]["phase"] == "Reclaiming" && d["status"]["applicationUID"] == *owner);
            if owner.is_string() && !exiting {
                assert_eq!(v["spec"]["persistentVolumeReclaimPolicy"], "Retain", "S5: {v}");
                // A volume that was claimed while every record was lost is marked when the namespace is taken back.
                let orphan =
                    !cluster.of_kind("ResourceGrant").any(|g| g["spec"]["application"]["uid"] == *owner);
                assert!(orphan || v["metadata"]["labels"][keys::APPLICATION_UID].is_string(), "S5: {v}");
            }
        }
    }
}

/// A grant says nothing but what was approved; its names are checked by the API server.
fn fresh_enough(write: &Write) -> bool {
    matches!(write, Write::Create(_, body) if body["spec"]["approved"]["digest"].as_str().is_some_and(|d| d.starts_with("sha256:")))
}
