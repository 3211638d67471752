use proptest::prelude::*;

use super::*;
use govcloud_api::disposition::VolumeDisposition;

const NS: &str = "dept-transport-travel-prod-b4ac6df6";
const APP: &str = "app-1";

fn claim(name: &str) -> Claim {
    Claim {
        namespace: NS.to_owned(),
        name: name.to_owned(),
        uid: format!("c-{name}"),
        volume_name: format!("pv-{name}"),
        capacity: "1Gi".to_owned(),
        class: "hostpath".to_owned(),
        unused_since: None,
    }
}

fn volume(name: &str) -> Volume {
    Volume {
        name: format!("pv-{name}"),
        uid: format!("v-{name}"),
        reclaim_policy: "Retain".to_owned(),
        phase: "Bound".to_owned(),
        capacity: "1Gi".to_owned(),
        class: "hostpath".to_owned(),
        source: json!({"hostPath": {"path": format!("/data/{name}"), "type": ""}}),
        claim_ref: Some(ClaimRef {
            namespace: NS.to_owned(),
            name: name.to_owned(),
            uid: format!("c-{name}"),
        }),
        labels: [(keys::APPLICATION_UID.to_owned(), APP.to_owned())].into(),
        ..Default::default()
    }
}

fn storage(names: &[&str]) -> StorageInventory {
    StorageInventory {
        application_uid: APP.to_owned(),
        namespaces: [("prod".to_owned(), NS.to_owned())].into(),
        adopted: BTreeSet::new(),
        claims: names.iter().map(|n| claim(n)).collect(),
        volumes: names.iter().map(|n| volume(n)).collect(),
        snapshots: vec![Snapshot {
            namespace: NS.to_owned(),
            name: "nightly".to_owned(),
            uid: "s-1".to_owned(),
            claim: Some("data".to_owned()),
            content: Some("content-1".to_owned()),
            deletion_policy: Some("Delete".to_owned()),
            orphaned: false,
        }],
        earlier: BTreeSet::new(),
    }
}

fn disposition(default: Action, volumes: &[(&str, &str, Action)]) -> Disposition {
    let volumes = volumes.iter().map(|(namespace, claim, action)| VolumeDisposition {
        namespace: (*namespace).to_owned(),
        claim: (*claim).to_owned(),
        action: *action,
    });
    Disposition { default, volumes: volumes.collect() }
}

fn retain_all() -> Disposition {
    disposition(Action::Retain, &[])
}

/// The inventory of what was never published.
fn inventory(storage: &StorageInventory, extent: Extent, disposition: &Disposition) -> Inventory {
    super::inventory(storage, extent, disposition, &BTreeSet::new())
}

/// Everything retained; that a snapshot cannot be is put aside, for it has a test of its own.
fn inventory_of(storage: &StorageInventory) -> Inventory {
    let mut taken = inventory(storage, Extent::Application, &retain_all());
    taken.findings.retain(|f| !matches!(f, VolumeFinding::SnapshotNotKept { .. }));
    taken
}

/// A volume of somebody else.
fn foreign(source: Value) -> Volume {
    Volume { source, claim_ref: None, labels: BTreeMap::new(), ..volume("foreign") }
}

#[test]
fn art_16_every_claim_and_snapshot_is_listed_in_order() {
    let inventory = inventory_of(&storage(&["web", "data"]));
    assert_eq!(inventory.entries.iter().map(|e| &*e.claim).collect::<Vec<_>>(), ["data", "web"]);
    assert_eq!(inventory.entries[0].volume_uid.as_deref(), Some("v-data"));
    assert_eq!(inventory.snapshots.len(), 1);
    assert_eq!(inventory.findings, []);
    insta::assert_yaml_snapshot!(
        "inventory",
        json!({
            "entries": inventory.entries, "snapshots": inventory.snapshots, "digest": inventory.digest,
        })
    );
}

#[test]
fn art_23_the_department_decides_the_action() {
    let word =
        disposition(Action::Retain, &[("prod", "data", Action::Destroy), (NS, "web", Action::HandOver)]);
    let inventory = inventory(&storage(&["data", "logs", "web"]), Extent::Application, &word);
    let actions: Vec<_> = inventory.entries.iter().map(|e| e.action).collect();
    assert_eq!(actions, [Action::Destroy, Action::Retain, Action::HandOver]);
    assert_eq!(inventory.snapshots[0].action, Action::Destroy, "a snapshot goes with its claim");
    assert_eq!(inventory.findings, []);
}

#[test]
fn a_disposition_of_an_unknown_volume_is_a_finding() {
    let word =
        disposition(Action::Destroy, &[("prod", "dta", Action::Retain), ("test", "data", Action::Retain)]);
    let found = inventory(&storage(&["data"]), Extent::Application, &word).findings;
    assert!(matches!(&found[..], [VolumeFinding::UnknownVolume { .. }, VolumeFinding::UnknownVolume { .. }]));
    assert!(found.iter().all(VolumeFinding::stalls_destruction));
}

#[test]
fn contradiction_retains_and_stalls() {
    let word =
        disposition(Action::Destroy, &[("prod", "data", Action::Destroy), (NS, "data", Action::HandOver)]);
    let inventory = inventory(&storage(&["data"]), Extent::Application, &word);
    assert_eq!(inventory.entries[0].action, Action::Retain);
    let [VolumeFinding::Contradiction { .. }, VolumeFinding::SnapshotNotKept { .. }] =
        &inventory.findings[..]
    else {
        panic!("{:?}", inventory.findings)
    };
}

/// It goes with its namespace: without the department's word that it may, nothing goes on.
#[test]
fn art_23_a_snapshot_cannot_be_retained() {
    let storage = storage(&["data"]);
    let kept = inventory(&storage, Extent::Application, &retain_all()).findings;
    assert!(
        matches!(&kept[..], [VolumeFinding::SnapshotNotKept { name, .. }] if name == "nightly"),
        "{kept:?}"
    );
    assert!(kept[0].stalls_destruction());
    for action in [Action::Destroy, Action::HandOver] {
        let word = disposition(Action::Retain, &[("prod", "data", action)]);
        assert_eq!(inventory(&storage, Extent::Application, &word).findings, []);
    }
    assert_eq!(
        inventory(&storage, Extent::Unclaimed, &retain_all()).findings,
        [],
        "it is none of its business"
    );
}

#[test]
fn a_volume_whose_claim_is_gone_is_listed_under_its_name() {
    let mut storage = storage(&["data", "old"]);
    storage.claims.retain(|c| c.name != "old");
    let all = inventory_of(&storage);
    assert!(all.entries[1].unclaimed && all.entries[1].claim == "old");
    let only = inventory(&storage, Extent::Unclaimed, &retain_all());
    assert_eq!(only.entries, all.entries[1..]);
    assert_eq!(only.snapshots, []);
}

#[test]
fn an_unlabelled_volume_of_the_namespace_counts_and_a_foreign_one_does_not() {
    let mut storage = storage(&["data", "new"]);
    storage.claims.clear();
    storage.volumes[0].labels.insert(keys::APPLICATION_UID.to_owned(), "another".to_owned());
    storage.volumes[1].labels.clear();
    storage.volumes.push(foreign(json!({"hostPath": {"path": "/srv"}})));
    let claims: Vec<_> = inventory_of(&storage).entries.into_iter().map(|e| e.claim).collect();
    assert_eq!(claims, ["new"]);
}

#[test]
fn s2_a_claim_cannot_point_at_another_departments_volume() {
    let mut storage = storage(&["data"]);
    storage.volumes.push(foreign(json!({"hostPath": {"path": "/srv"}})));
    storage.claims[0].volume_name = "pv-foreign".to_owned();
    let inventory = inventory_of(&storage);
    assert!(inventory.entries.iter().all(|e| e.volume_uid.as_deref() != Some("v-foreign")));
    assert!(matches!(
        &inventory.findings[..],
        [VolumeFinding::NotItsVolume { .. }, VolumeFinding::SeveralVolumes { .. }]
    ));
}

#[test]
fn a_claim_waiting_for_its_volume_and_one_that_lost_it() {
    let mut storage = storage(&["data", "lost"]);
    storage.volumes.clear();
    storage.claims[0].volume_name.clear();
    let inventory = inventory_of(&storage);
    assert!(inventory.entries.iter().all(|e| e.volume.is_none() && e.source_digest.is_none()));
    assert!(matches!(&inventory.findings[..], [VolumeFinding::LostVolume { claim, .. }] if claim == "lost"));
}

#[test]
fn a_reused_name_is_a_finding() {
    let mut storage = storage(&["data"]);
    let mut before = volume("before");
    before.claim_ref =
        Some(ClaimRef { namespace: NS.to_owned(), name: "data".to_owned(), uid: "c-0".to_owned() });
    storage.volumes.push(before);
    let inventory = inventory_of(&storage);
    assert_eq!(inventory.entries.len(), 2);
    assert!(matches!(&inventory.findings[..], [VolumeFinding::SeveralVolumes { .. }]));
}

#[test]
fn art_23_shared_bytes_stall_destruction() {
    let csi = |driver: &str, handle: &str, fs: &str| json!({"csi": {"driver": driver, "volumeHandle": handle, "fsType": fs}});
    let nfs = |server: &str, path: &str| json!({"nfs": {"server": server, "path": path}});
    let dir = |path: &str| json!({"hostPath": {"path": path, "type": ""}});
    for (ours, other, shared) in [
        (csi("d", "1", "ext4"), csi("d", "1", "xfs"), true),
        (csi("d", "1", "ext4"), csi("d", "2", "ext4"), false),
        (csi("d", "1", "ext4"), csi("e", "1", "ext4"), false),
        (nfs("s", "/a"), nfs("s", "/a/b"), true),
        (nfs("s", "/a"), nfs("s", "/ab"), false),
        (nfs("s", "/a"), nfs("t", "/a"), false),
        (dir("/x/data"), dir("/x//data/"), true),
        (dir("/x/data"), json!({"local": {"path": "/x"}}), true),
        (dir("/x/data"), dir("/x/other"), false),
        (
            json!({"iscsi": {"iqn": "i", "lun": 0, "readOnly": true}}),
            json!({"iscsi": {"iqn": "i", "lun": 0}}),
            true,
        ),
        (json!({"iscsi": {"iqn": "i", "lun": 0}}), json!({"iscsi": {"iqn": "i", "lun": 1}}), false),
    ] {
        let mut storage = storage(&["data"]);
        storage.volumes[0].source = ours.clone();
        storage.volumes.push(foreign(other.clone()));
        let found = inventory_of(&storage).findings;
        assert_eq!(!found.is_empty(), shared, "{ours} and {other}");
        assert!(found.iter().all(|f| f.stalls_destruction() && f.to_string().contains("pv-foreign")));
    }
}

#[test]
fn the_same_path_on_two_nodes_is_not_shared() {
    let mut storage = storage(&["data", "web"]);
    for (volume, node) in storage.volumes.iter_mut().zip(["a", "b"]) {
        volume.source = json!({"local": {"path": "/disk"}});
        volume.node_affinity = json!({"required": node});
    }
    assert_eq!(inventory_of(&storage).findings, []);
    storage.volumes[1].node_affinity = Value::Null;
    assert_eq!(inventory_of(&storage).findings.len(), 1, "within the application too, and once");
}

#[test]
fn the_digest_leaves_out_what_changes_on_the_way_and_nothing_else() {
    let base = storage(&["data"]);
    let digest = |change: fn(&mut StorageInventory)| {
        let mut changed = base.clone();
        change(&mut changed);
        inventory_of(&changed).digest
    };
    let same = inventory_of(&base).digest;
    assert_eq!(digest(|s| s.volumes[0].reclaim_policy = "Delete".to_owned()), same);
    assert_eq!(digest(|s| s.volumes[0].phase = "Released".to_owned()), same);
    assert_eq!(digest(|s| s.claims.clear()), same, "the claim went, the volume is the one consented to");
    assert_ne!(digest(|s| s.volumes[0].uid = "v-other".to_owned()), same);
    assert_ne!(digest(|s| s.volumes[0].capacity = "2Gi".to_owned()), same);
    assert_ne!(digest(|s| s.volumes[0].class = "fast".to_owned()), same);
    assert_ne!(digest(|s| s.volumes[0].source = json!({"hostPath": {"path": "/elsewhere"}})), same);
    assert_ne!(digest(|s| s.snapshots.clear()), same);
    assert_ne!(digest(|s| s.snapshots[0].uid = "s-2".to_owned()), same);
    let destroy = disposition(Action::Destroy, &[]);
    assert_ne!(inventory(&base, Extent::Application, &destroy).digest, same, "an action is part of consent");
}

/// Volumes without a claim, as many as asked for.
fn released(count: usize) -> StorageInventory {
    let mut storage = storage(&[]);
    storage.snapshots.clear();
    let one = |n: usize| Volume { phase: "Released".to_owned(), ..volume(&format!("{n:04}")) };
    storage.volumes = (0..count).map(one).collect();
    storage
}

#[test]
fn art_16_more_volumes_than_one_inventory_lists_leave_in_parts() {
    let all = released(INVENTORY_MAX + 2);
    for extent in [Extent::Application, Extent::Unclaimed] {
        let first = inventory(&all, extent, &retain_all());
        assert_eq!((first.entries.len(), first.left_out), (INVENTORY_MAX, 2));
        assert_eq!((&*first.entries[0].claim, &*first.entries[511].claim), ("0000", "0511"));
        let listed: Vec<&str> = first.entries.iter().filter_map(|e| e.volume_uid.as_deref()).collect();
        assert_eq!(unlisted_volume(&all, &first.entries, &[], true), None, "what stays is not in the way");
        assert!(unlisted_volume(&all, &first.entries, &[], false).is_some());
        // Named volumes come first, and published ones stay published.
        let word = disposition(Action::Retain, &[("prod", "0513", Action::Destroy)]);
        let named = inventory(&all, extent, &word);
        assert!(named.entries.iter().any(|e| e.claim == "0513" && e.action == Action::Destroy));
        assert_eq!(named.findings, [], "it is known");
        let mut more = all.clone();
        more.volumes.insert(0, Volume { phase: "Released".to_owned(), ..volume("-first") });
        let again = super::inventory(&more, extent, &retain_all(), &listed.iter().copied().collect());
        assert_eq!((again.digest == first.digest, again.left_out), (true, 3));
    }
    // A volume that its policy does not keep, and a claim, cannot be left out.
    let mut loose = all.clone();
    loose.volumes[513].reclaim_policy = "Delete".to_owned();
    let taken = inventory(&loose, Extent::Application, &retain_all());
    assert!(taken.entries.iter().any(|e| e.claim == "0513") && taken.left_out == 2);
}

#[test]
fn an_inventory_and_its_certificate_have_a_bound_in_bytes() {
    let mut all = released(INVENTORY_MAX);
    for volume in &mut all.volumes {
        let claim = volume.claim_ref.as_mut().unwrap();
        claim.name = format!("{}{}", claim.name, "x".repeat(240));
        volume.name = format!("{}{}", volume.name, "y".repeat(240));
        volume.class = "z".repeat(250);
    }
    let part = inventory(&all, Extent::Unclaimed, &retain_all());
    assert!(part.left_out > 0 && part.entries.len() > 100, "{}", part.entries.len());
    assert!(bytes(&part) <= INVENTORY_BYTES);
    assert_eq!(part.entries.len() + part.left_out, INVENTORY_MAX);
}

#[test]
fn what_an_archived_application_left_leaves_with_scope_volumes_alone() {
    let mut storage = released(2);
    storage.application_uid = String::new();
    storage.namespaces.clear();
    storage.earlier = [APP.to_owned()].into();
    storage.volumes[1].phase = "Bound".to_owned();
    let taken = inventory(&storage, Extent::Unclaimed, &retain_all());
    assert_eq!(taken.entries.len(), 1, "one in use is none of its business");
    assert_eq!(taken.entries[0].application_uid.as_deref(), Some(APP));
    assert_eq!(inventory(&storage, Extent::Application, &retain_all()).entries, []);
    // The application filed anew does not destroy it with its own.
    storage.application_uid = "app-2".to_owned();
    assert_eq!(inventory(&storage, Extent::Application, &retain_all()).entries, []);
}

#[test]
fn a_snapshot_whose_content_outlives_it_is_a_warning() {
    let mut storage = storage(&["data"]);
    storage.snapshots[0].deletion_policy = Some("Retain".to_owned());
    let destroy = disposition(Action::Destroy, &[]);
    let found = inventory(&storage, Extent::Application, &destroy).findings;
    assert!(matches!(&found[..], [VolumeFinding::ContentKept { content, .. }] if content == "content-1"));
    assert!(!found[0].stalls_destruction());
    storage.snapshots[0].orphaned = true;
    assert_eq!(inventory(&storage, Extent::Application, &retain_all()).findings, [], "content can stay");
}

#[test]
fn differences_name_what_came_went_and_changed() {
    let before = inventory_of(&storage(&["data", "logs"]));
    let mut storage = storage(&["data", "web"]);
    storage.volumes[0].capacity = "2Gi".to_owned();
    storage.snapshots[0].uid = "s-2".to_owned();
    let now = inventory_of(&storage);
    let told = differences(&before.entries, &before.snapshots, &now);
    let expected = format!("≠ {NS}/data, + {NS}/web, ≠ snapshot {NS}/nightly, - {NS}/logs");
    assert_eq!(told, expected);
}

/// The department names what is destroyed of a system that was there before (Art. 3): a default is not enough.
#[test]
fn art_23_an_adopted_volume_is_destroyed_by_name_alone() {
    let mut storage = storage(&["data", "web"]);
    storage.snapshots.clear();
    storage.adopted.insert(NS.to_owned());
    let by_default = inventory(&storage, Extent::Application, &disposition(Action::Destroy, &[]));
    assert!(by_default.entries.iter().all(|e| e.action == Action::Retain));
    assert!(
        matches!(&by_default.findings[..], [VolumeFinding::AdoptedKept { namespace }] if namespace == NS),
        "{:?}",
        by_default.findings
    );
    let named = disposition(Action::Destroy, &[("prod", "data", Action::Destroy)]);
    let named = inventory(&storage, Extent::Application, &named);
    assert_eq!(named.entries.iter().map(|e| e.action).collect::<Vec<_>>(), [Action::Destroy, Action::Retain]);
    // Handing over is an act of the department for each volume.
    let handed = inventory(&storage, Extent::Application, &disposition(Action::HandOver, &[]));
    assert!(handed.entries.iter().all(|e| e.action == Action::HandOver) && handed.findings.is_empty());
}

fn subsets() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(vec!["a", "b", "c", "d", "data"], 0..=5)
}

proptest! {
    #[test]
    fn the_order_of_what_was_read_does_not_count(names in subsets(), turn in 0usize..5) {
        let storage = storage(&names);
        let mut turned = storage.clone();
        if !names.is_empty() {
            turned.claims.rotate_left(turn % names.len());
        }
        turned.volumes.reverse();
        turned.claims.extend(storage.claims.clone());
        prop_assert_eq!(inventory_of(&turned), inventory_of(&storage));
    }

    #[test]
    fn s2_different_storage_has_different_digests(one in subsets(), other in subsets()) {
        prop_assert_eq!(inventory_of(&storage(&one)).digest == inventory_of(&storage(&other)).digest, one == other);
    }

    #[test]
    fn s2_nothing_is_destroyed_without_a_disposition(names in subsets(), word in subsets()) {
        let overrides: Vec<_> = word.iter().map(|claim| ("prod", *claim, Action::Destroy)).collect();
        let inventory = inventory(&storage(&names), Extent::Application, &disposition(Action::Retain, &overrides));
        for entry in inventory.entries {
            prop_assert_eq!(entry.action.destroys(), word.contains(&&*entry.claim));
        }
    }
}
