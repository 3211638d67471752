//! Statements of months: made once, confirmed, objected to, decided, settled (Art. 6, 7, 26).

use govcloud_api::keys;
use serde_json::{Value, json};

use crate::acts::{adjustment, app_id, change_id, exit, exit_id};
use crate::cluster::{Id, id};
use crate::stage::{DEPT, LI, Stage, ZHANG};

/// The department's statement of a month.
fn statement(month: &str) -> Id {
    id("Statement", DEPT, month)
}

fn catalogue(name: &str, from: &str, price: &str) -> Value {
    json!({ "apiVersion": "govcloud.dev/v1alpha1", "kind": "ServiceCatalog", "metadata": { "name": name },
        "spec": { "edition": "2026年版", "currency": "CNY", "effectiveFrom": from, "items": [
            { "code": "cpu", "name": "云主机 CPU", "class": "Infrastructure", "basis": "Granted", "resource": "requests.cpu",
              "unit": "1", "per": "Month", "price": price },
            { "code": "migration", "name": "迁移服务", "class": "Human", "basis": "Manual", "unit": "1", "per": "Day",
              "price": "1000" }] } })
}

/// `travel` is live since 1 June, and its Region settles from that month on.
fn settling() -> Stage {
    let mut s = Stage::live("2026-06-01 09:00");
    s.cluster.create(catalogue("henan-2026", "2026-01-01", "30.00"), s.now).unwrap();
    s.cluster.change(&id("Namespace", "", DEPT), |o| {
        o["metadata"]["labels"] = json!({ keys::FILING_REGION: "410000" });
    });
    s.settle();
    s.region(json!({
        "catalogs": ["henan-2026"],
        "tenancy": { "maxQuota": { "requests.cpu": "64" } },
        "settlement": { "firstMonth": "2026-06", "confirmWorkingDays": 5, "settleWorkingDays": 5,
            "budgets": [{ "department": DEPT, "year": 2026, "ceiling": "400.00" }] },
    }));
    assert_eq!(s.stands(&id("Region", "", "410000"), "Ready"), "True/Ready");
    s.log.clear();
    s
}

impl Stage {
    /// Annotates a statement as somebody, and lets the operator look.
    fn note(&mut self, who: &str, of: &Id, key: &str, by: &str, value: &str) {
        self.say(who, &format!("annotates {} {}: {key}", of.0, of.2));
        self.cluster.change(of, |o| {
            o["metadata"]["annotations"][key] = json!(value);
            o["metadata"]["annotations"][by] = json!(who);
        });
        self.settle();
    }

    fn confirm(&mut self, of: &Id) {
        let digest = self.cluster.objects[of]["spec"]["digest"].as_str().unwrap().to_owned();
        self.note(ZHANG, of, keys::CONFIRM, keys::CONFIRMED_BY, &digest);
    }

    fn total(&self, of: &Id) -> &str {
        self.status(of)["bill"]["total"].as_str().unwrap_or("-")
    }

    fn mark(&self) -> &str {
        let namespace = &self.cluster.objects[&id("Namespace", "", DEPT)];
        namespace["metadata"]["labels"][keys::SETTLED_THROUGH].as_str().unwrap_or("-")
    }
}

/// Art. 6, 7, 26: a month is made, confirmed and settled; the next one opens with its closing state.
#[test]
fn art_26_a_month_is_confirmed_and_settled() {
    let mut s = settling();
    let june = statement("2026-06");
    s.until("2026-07-01 08:59");
    assert!(!s.cluster.objects.contains_key(&june), "not before desks open on the first working day");
    s.until("2026-07-01 10:00");
    assert_eq!((s.phase(&june), s.total(&june)), ("AwaitingConfirmation", "240.00"));
    assert_eq!(s.stands(&june, "Complete"), "True/Complete");
    assert!(!s.may_decide(LI, &june, "approved"), "nobody has confirmed");
    s.until("2026-07-02 10:00");
    s.confirm(&june);
    assert_eq!(
        (s.phase(&june), s.status(&june)["waitingOn"].as_str()),
        ("AwaitingDecision", Some("Authority"))
    );
    s.until("2026-07-03 10:00");
    s.decide(&june, "approved", "同意结算");
    assert_eq!((s.phase(&june), s.mark()), ("Settled", "2026-06"));
    assert_eq!(
        s.cluster.objects[&id("ServiceCatalog", "", "henan-2026")]["metadata"]["labels"][keys::BILLED],
        "true"
    );
    // Half of July with 8 cores, half with 16; the year is above the ceiling from then on, and nothing is refused.
    s.until("2026-07-16 10:00");
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&change_id("enlarge"), "approved", "同意");
    assert_eq!(s.phase(&change_id("enlarge")), "Completed");
    s.until("2026-08-03 10:00");
    let july = statement("2026-07");
    // 8 cores for 15 days and 16 for 16: 376 ÷ 31 × 30.
    assert_eq!((s.phase(&july), s.total(&july)), ("AwaitingConfirmation", "363.87"));
    assert_eq!(s.status(&july)["bill"]["opening"], s.status(&june)["bill"]["closing"]);
    assert_eq!(s.status(&july)["budget"], json!({ "year": 2026, "ceiling": "400.00", "used": "603.87" }));
    assert_eq!(s.stands(&july, "WithinBudget"), "False/BudgetExceeded");
    insta::assert_snapshot!(s.log);
}

/// The provider objects: the authority is waited on; the bill is returned, put right, and confirmed anew.
#[test]
fn art_26_an_objection_returns_the_bill() {
    let mut s = settling();
    let june = statement("2026-06");
    s.until("2026-07-01 10:00");
    s.note("provider", &june, keys::OBJECTION, keys::OBJECTED_BY, "迁移服务未计入");
    assert_eq!(
        (s.phase(&june), s.status(&june)["waitingOn"].as_str()),
        ("AwaitingConfirmation", Some("Authority"))
    );
    s.until("2026-07-02 10:00");
    s.decide(&june, "returned", "请补登迁移服务");
    assert_eq!(s.phase(&june), "Returned");
    s.until("2026-07-03 10:00");
    // Two days of work, which the provider records.
    let manual = json!([{ "application": "travel", "item": "migration", "from": "2026-06-02", "to": "2026-06-03", "units": "1" }]);
    s.edit("provider", &june, json!({ "manual": manual }));
    assert_eq!((s.phase(&june), s.total(&june)), ("AwaitingConfirmation", "2240.00"));
    s.say("provider", "takes the objection back");
    s.cluster.change(&june, |o| {
        drop(o["metadata"]["annotations"].as_object_mut().unwrap().remove(keys::OBJECTION))
    });
    s.settle();
    s.confirm(&june);
    s.decide(&june, "approved", "同意结算");
    assert_eq!(s.phase(&june), "Settled");
    insta::assert_snapshot!(s.log);
}

/// Art. 26: what is missing is named, and there is nothing to confirm until it is back.
#[test]
fn art_26_an_incomplete_month_cannot_be_confirmed() {
    let mut s = settling();
    s.until("2026-06-16 10:00");
    s.file(&change_id("enlarge"), adjustment(json!({ "requests.cpu": "16" })));
    s.decide(&change_id("enlarge"), "approved", "同意");
    let change = s.cluster.objects[&change_id("enlarge")].clone();
    s.cluster.remove(&change_id("enlarge"));
    s.until("2026-07-01 10:00");
    let june = statement("2026-06");
    assert_eq!((s.phase(&june), s.stands(&june, "Complete").as_str()), ("Open", "False/Incomplete"));
    assert_eq!(s.status(&june)["bill"]["gaps"][0]["reason"], "ChangeMissing");
    assert!(s.cluster.objects[&june]["spec"]["digest"].is_null() && !s.may_decide(LI, &june, "approved"));
    s.cluster.put(change_id("enlarge"), change);
    s.settle();
    assert_eq!((s.phase(&june), s.total(&june)), ("AwaitingConfirmation", "360.00"));
}

/// A confirmation of another digest, and one of a bill that changed since, confirm nothing.
#[test]
fn only_the_present_digest_is_confirmed() {
    let mut s = settling();
    let june = statement("2026-06");
    s.until("2026-07-01 10:00");
    let other = format!("sha256:{}", "0".repeat(64));
    s.note(ZHANG, &june, keys::CONFIRM, keys::CONFIRMED_BY, &other);
    assert_eq!(
        (s.phase(&june), s.stands(&june, "Stalled").as_str()),
        ("AwaitingConfirmation", "True/OtherDigest")
    );
    s.confirm(&june);
    assert_eq!(s.phase(&june), "AwaitingDecision");
    let manual = json!([{ "application": "travel", "item": "migration", "from": "2026-06-02", "to": "2026-06-02", "units": "1" }]);
    s.edit("provider", &june, json!({ "manual": manual }));
    assert_eq!((s.phase(&june), s.count(&june, "ConfirmationVoid")), ("AwaitingConfirmation", 1));
    assert!(s.status(&june)["confirmation"].is_null() && !s.may_decide(LI, &june, "approved"));
}

/// The next month waits for this one: its opening state is what this one closes with.
#[test]
fn months_are_a_chain() {
    let mut s = settling();
    let (june, july) = (statement("2026-06"), statement("2026-07"));
    s.until("2026-08-03 10:00");
    assert_eq!((s.phase(&june), s.phase(&july)), ("AwaitingConfirmation", "Open"));
    assert_eq!((s.stands(&july, "Complete").as_str(), s.mark()), ("False/MonthBeforeOpen", "2026-05"));
    assert_eq!(s.stands(&june, "OnTime"), "False/ConfirmOverdue");
    s.confirm(&june);
    s.decide(&june, "approved", "同意结算");
    assert_eq!((s.phase(&july), s.mark()), ("AwaitingConfirmation", "2026-06"));
    assert_eq!((s.total(&july), s.count(&july, "BillComputed")), ("240.00", 1));
}

/// Art. 16, 26: the day of recovery does not count, and what has ended has no statement any more.
#[test]
fn art_16_a_month_ends_with_the_use() {
    let mut s = settling();
    s.until("2026-06-21 10:00");
    s.leave("leave", exit("Application", "Retain", &[]));
    assert_eq!(s.phase(&app_id()), "Exited");
    assert!(s.status(&exit_id("leave"))["quiescedAt"].is_string());
    assert!(s.status(&app_id())["exitedAt"].is_string());
    s.until("2026-07-01 10:00");
    let june = statement("2026-06");
    // 20 days of 8 cores.
    assert_eq!(s.total(&june), "160.00");
    s.confirm(&june);
    s.decide(&june, "approved", "同意结算");
    s.until("2026-09-01 10:00");
    assert!(!s.cluster.objects.contains_key(&statement("2026-07")), "nothing was in force");
    assert_eq!(s.mark(), "2026-08");
}

/// Art. 26: what charges twice or not at all is a finding on the Region.
#[test]
fn art_26_a_catalogue_that_cannot_be_billed_by_stalls_its_region() {
    let mut s = settling();
    let region = id("Region", "", "410000");
    s.region(json!({ "tenancy": { "maxQuota": null } }));
    assert_eq!(s.stands(&region, "Stalled"), "True/PricedKeyUnbounded");
    s.region(json!({ "tenancy": { "maxQuota": { "cpu": "64" } } }));
    assert_eq!(s.stands(&region, "Ready"), "True/Ready", "cpu is requests.cpu");
    s.cluster.create(catalogue("again", "2026-01-01", "31.00"), s.now).unwrap();
    s.region(json!({ "catalogs": ["henan-2026", "again"] }));
    assert_eq!(s.stands(&region, "Stalled"), "True/CatalogUnusable");
    s.region(json!({ "catalogs": ["henan-2026", "gone"] }));
    assert_eq!(s.stands(&region, "Stalled"), "True/CatalogMissing");
}
