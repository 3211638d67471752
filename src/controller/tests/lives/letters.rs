//! A tenant's objects that are what they should be are not even read (S11; docs/decisions/0050-letters.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use govcloud_controller::decision::GatherContext;
use govcloud_controller::key::Key;
use govcloud_controller::kinds::Kind;
use govcloud_domain::grant::{self, Observed};
use govcloud_domain::plan::RequiredReads;
use govcloud_domain::tenancy::{LiveObject, Whole};
use serde_json::json;

use crate::acts::{app_id, tenant};
use crate::cluster::id;
use crate::stage::{DEPT, Stage};

/// What is seen of the grant, and how many of the objects in its namespaces are read from then on.
fn seen(s: &Stage) -> (Observed, Arc<AtomicUsize>) {
    let with =
        GatherContext { integrity: s.guard.clone(), reads: Some(RequiredReads::EVERYTHING), refusal: None };
    let key = Key::new(Kind::Grant, DEPT, app_id().2);
    let mut seen = s.cluster.state().observed_grant(&key, &with).expect("a grant");
    let read = Arc::new(AtomicUsize::new(0));
    let counted = |o: LiveObject| {
        let (read, whole) = (read.clone(), o.whole);
        let count = move || {
            read.fetch_add(1, Ordering::Relaxed);
            Arc::new((*whole).clone())
        };
        LiveObject { whole: Whole::read_by(count), ..o }
    };
    for namespace in &mut seen.namespaces {
        namespace.objects = std::mem::take(&mut namespace.objects).into_iter().map(counted).collect();
    }
    (seen, read)
}

#[test]
fn s11_a_grant_at_rest_reads_none_of_its_objects() {
    let s = Stage::live("2026-06-01 09:00");
    let (seen, read) = seen(&s);
    assert!(seen.namespaces[0].objects.len() >= 5, "{:?}", seen.namespaces[0].objects);
    assert!(grant::decide(&seen, s.now).steps.is_empty());
    assert_eq!(read.load(Ordering::Relaxed), 0);
}

#[test]
fn s11_of_what_differs_that_alone_is_read() {
    let mut s = Stage::live("2026-06-01 09:00");
    let quota = id("ResourceQuota", &tenant("prod"), "govcloud");
    s.cluster.change(&quota, |o| o["spec"]["hard"]["pods"] = json!("999"));
    let (seen, read) = seen(&s);
    assert!(!grant::decide(&seen, s.now).steps.is_empty());
    assert_eq!(read.load(Ordering::Relaxed), 1);
}

#[test]
fn s11_what_is_written_in_another_way_is_read_and_left_alone() {
    let mut s = Stage::live("2026-06-01 09:00");
    let allow = id("NetworkPolicy", &tenant("prod"), "govcloud-allow-same-namespace-and-dns");
    s.cluster.change(&allow, |o| o["spec"]["egress"].as_array_mut().unwrap().reverse());
    let (seen, read) = seen(&s);
    assert!(grant::decide(&seen, s.now).steps.is_empty());
    assert_eq!(read.load(Ordering::Relaxed), 1);
}
