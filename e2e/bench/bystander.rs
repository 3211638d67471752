//! A department of another region that amends its own application again and again while something else goes on; and what it
//! notices of one department's flood of applications.

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use e2e::actors::Actor;
use e2e::fixtures::{Kind, ZHENGZHOU};
use e2e::requests;
use kube::Client;
use serde_json::json;

use crate::harness::{Harness, application};
use crate::record::{Record, collection};
use crate::report::{self, Rows};
use crate::stats::Distribution;
use crate::status_watch::StatusWatch;

/// Pause between two amendments.
const PAUSE: Duration = Duration::from_millis(10);

/// The department and its application.
pub struct Bystander<'a> {
    client: Client,
    record: Record,
    /// The watch by which it waits for each status update; without, it does not wait.
    watch: Option<&'a StatusWatch>,
}

/// The times of amendments: from each request to its answer, which is the API server's time alone, and from there to the
/// operator's status update.
pub type Amendments = (Vec<Duration>, Vec<Duration>);

impl<'a> Bystander<'a> {
    /// Files the application and waits until the operator has observed it.
    pub async fn start(harness: &Harness, watch: &'a StatusWatch) -> Result<Self> {
        let client = harness.cluster.client(Actor::OtherDepartment).await?;
        let record = Record { namespace: harness.city_namespace.clone(), name: "bystander".to_owned() };
        let manifest = application(&record.name, ZHENGZHOU)?;
        requests::create(&client, &collection(&record.namespace, Kind::Application), &manifest).await?;
        watch.reached(&record, "generation 1").await?;
        Ok(Self { client, record, watch: Some(watch) })
    }

    /// Amends until something else is done.
    pub async fn during(&self, work: impl Future<Output = Result<()>>) -> Result<Amendments> {
        let mut times = Amendments::default();
        let mut work = pin!(work);
        loop {
            tokio::select! {
                outcome = &mut work => return outcome.map(|()| times),
                amended = self.amend(&mut times) => amended?,
            }
        }
    }

    /// Amends this many times.
    pub async fn alone(&self, count: usize) -> Result<Amendments> {
        let mut times = Amendments::default();
        while times.0.len() < count {
            self.amend(&mut times).await?;
        }
        Ok(times)
    }

    async fn amend(&self, times: &mut Amendments) -> Result<()> {
        let phone = format!("0371-{}", jiff::Timestamp::now().as_nanosecond());
        let patch = json!({"spec": {"system": {"contact": {"phone": phone}}}});
        let sent = Instant::now();
        let answer = requests::merge(&self.client, &self.record.path(Kind::Application), &patch).await?;
        let answered = Instant::now();
        if let Some(watch) = self.watch {
            let generation = answer["metadata"]["generation"].as_i64().context("no generation")?;
            let observed = watch.reached(&self.record, &format!("generation {generation}")).await?;
            times.1.push(observed.saturating_duration_since(answered));
        }
        times.0.push(answered - sent);
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// Rows of a bystander alone and during some work, and a sentence that compares both.
pub fn compare(alone: &Amendments, meanwhile: &Amendments, work: &str) -> (Rows, String) {
    let of = |(requests, updates): &Amendments| [Distribution::of(requests), Distribution::of(updates)];
    let ([request, update], [request_then, update_then]) = (of(alone), of(meanwhile));
    let sentence = format!(
        "The p99 of the time to status update is **{:.1}** times what it is alone, that of a request, in which the operator \
         has no part, {:.1} times.",
        update_then.p99 / update.p99,
        request_then.p99 / request.p99
    );
    let rows = vec![
        ("bystander alone: request".to_owned(), request),
        ("bystander alone: time to status update".to_owned(), update),
        (format!("while {work}: request"), request_then),
        (format!("while {work}: time to status update"), update_then),
    ];
    (rows, sentence)
}

/// Measures a flood of this many applications of one department; then once more without the operator, which shows the API
/// server's share.
pub async fn measure_flood(flood: usize) -> Result<()> {
    const ALONE: usize = 200;
    let harness = Harness::start(1).await?;
    harness.start_operator().await?;
    let watch = harness.watch(Kind::Application);
    let mut bystander = Bystander::start(&harness, &watch).await?;
    let alone = bystander.alone(ALONE).await?;
    let (first, second) = (harness.applications(0..flood), harness.applications(flood..2 * flood));
    let meanwhile = bystander.during(harness.file(&watch, &first)).await?;
    harness.stop_operator().await?;
    bystander.watch = None;
    let without_alone = Distribution::of(&bystander.alone(ALONE).await?.0);
    let without = Distribution::of(&bystander.during(harness.file_only(&second)).await?.0);

    let work = format!("one department files {flood}");
    let (mut rows, sentence) = compare(&alone, &meanwhile, &work);
    rows.push(("no operator, bystander alone: request".to_owned(), without_alone));
    rows.push((format!("no operator, while {work}: request"), without));
    let times = without.p99 / without_alone.p99;
    let block = format!(
        "{}\n\n{sentence} Without any operator it is **{times:.1}** times.",
        report::distributions(&rows)
    );
    report::save("fairness", &block)
}
