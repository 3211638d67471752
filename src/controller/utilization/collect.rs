//! The leader's task: reads the use that assessments ask for, day by day.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use govcloud_api::assessment::Assessment;
use govcloud_api::utilization::MeasuredResource;
use govcloud_domain::assessment::{self, UseState};
use govcloud_domain::settlement::period::Days;
use govcloud_domain::utilization::{MOST_ROWS, Measure, Sampled, UseReadings, rows, window_end};
use jiff::Timestamp;
use jiff::civil::Date;

use super::prometheus::{Prometheus, Sample};
use crate::context::Context;
use crate::key::Key;
use crate::kinds::Kind;

/// Pause after a reading that failed. All assessments read the same servers.
const RETRY: Duration = Duration::from_secs(60);

/// Samples that a recording rule writes in a day: one a minute (config/monitoring/utilization-rules.yaml).
const SAMPLES_A_DAY: f64 = 1440.0;

/// Functions over a day's window: mean, 95th percentile, and number of samples.
const FUNCTIONS: [&str; 3] = ["avg_over_time(", "quantile_over_time(0.95, ", "count_over_time("];

/// Reads what assessments ask for, as long as the process leads.
pub async fn run(context: Arc<Context>, sources: Vec<Prometheus>) {
    let store = &context.state.use_readings;
    loop {
        for key in store.take() {
            if let Err(why) = look(&context, &key, &sources).await {
                tracing::warn!(namespace = key.namespace(), name = key.name(), %why, again_in = ?RETRY, "use could not be read");
                tokio::time::sleep(RETRY).await;
                store.mark(&key);
            }
        }
        store.changed().await;
    }
}

/// Looks whether an assessment asks for use, and reads it.
async fn look(context: &Context, key: &Key, sources: &[Prometheus]) -> Result<(), String> {
    let (store, now) = (&context.state.use_readings, context.clock.now());
    let found = context.state.typed::<Assessment>(Kind::Assessment, key.namespace(), key.name());
    let Some((meta, record)) = found else { return Ok(()) };
    if !assessment::wants_use(&record, now) {
        store.forget(&meta.uid);
        return Ok(());
    }
    let namespaces = context.state.measured_namespaces(&record, key.namespace(), now);
    let period = assessment::period(&record);
    let was_read = matches!(store.of(&meta.uid), UseState::Read(_));
    if was_read || rows(namespaces.len(), period) > MOST_ROWS {
        return Ok(());
    }
    let names: Vec<&str> = namespaces.iter().map(|namespace| namespace.namespace.as_str()).collect();
    let read = read(sources, &names, period, now).await;
    let state = match &read {
        Ok(readings) => UseState::Read(Arc::new(readings.clone())),
        Err(why) => UseState::Failed(why.clone()),
    };
    store.set(&meta.uid, state);
    context.enqueue(Kind::Assessment, [key.clone()]);
    read.map(drop)
}

/// Reads the use of namespaces in a period. Each day is a window of 24 hours that ends at 16:00 UTC, which is midnight in
/// China. Of what two servers say of one day, the reading with the better coverage stays.
///
/// # Errors
/// Says which server did not answer, and why.
pub async fn read(
    sources: &[Prometheus],
    namespaces: &[&str],
    period: Days,
    now: Timestamp,
) -> Result<UseReadings, String> {
    let mut readings = UseReadings::new(now);
    if namespaces.is_empty() {
        return Ok(readings);
    }
    for source in sources {
        for day in period.iter() {
            read_day(source, namespaces, day, &mut readings)
                .await
                .map_err(|why| format!("{}: {why}", source.host()))?;
        }
    }
    Ok(readings)
}

/// Reads one day of one server.
async fn read_day(
    source: &Prometheus,
    namespaces: &[&str],
    day: Date,
    readings: &mut UseReadings,
) -> Result<(), String> {
    // Names of namespaces are labels of DNS: nothing in them means anything to a regular expression.
    let selector = format!("govcloud:namespace_use{{namespace=~\"{}\"}}[1d]", namespaces.join("|"));
    let mut statistics: BTreeMap<(String, MeasuredResource, Measure), [Option<f64>; 3]> = BTreeMap::new();
    for (place, function) in FUNCTIONS.iter().enumerate() {
        // Labels that a federation adds do not count twice.
        let expr = format!("max by (namespace, resource, of) ({function}{selector}))");
        for sample in source.query(&expr, window_end(day)).await? {
            if let Some(series) = series(&sample) {
                statistics.entry(series).or_default()[place] = Some(sample.value);
            }
        }
    }
    for ((namespace, resource, measure), statistic) in statistics {
        if let [Some(mean), Some(p95), Some(count)] = statistic {
            let coverage = (count / SAMPLES_A_DAY).min(1.0);
            readings.add(&namespace, resource, day, measure, Sampled { mean, p95, coverage });
        }
    }
    Ok(())
}

/// Which series a sample belongs to; `None` where its labels are not those of the recording rules.
fn series(sample: &Sample) -> Option<(String, MeasuredResource, Measure)> {
    let label = |name: &str| sample.labels.get(name);
    let (resource, measure) = (label("resource")?.parse().ok()?, label("of")?.parse().ok()?);
    Some((label("namespace")?.clone(), resource, measure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_known_by_the_labels_of_the_recording_rules() {
        let sample = |labels: &[(&str, &str)]| Sample {
            labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            value: 1.0,
        };
        let whole = [("namespace", "prod"), ("resource", "cpu"), ("of", "real")];
        let found = series(&sample(&whole)).expect("a series");
        assert_eq!(found, ("prod".to_owned(), MeasuredResource::Cpu, Measure::Real));
        assert_eq!(series(&sample(&whole[..2])), None);
        assert_eq!(series(&sample(&[("namespace", "prod"), ("resource", "gpu"), ("of", "real")])), None);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
        let source = Prometheus::new(&format!("http://{nobody}"), None).expect("a URL");
        let day: Date = "2026-09-30".parse().expect("a day");
        let read = read(&[source], &["prod"], Days { from: day, to: day }, Timestamp::UNIX_EPOCH).await;
        assert!(read.is_err_and(|why| why.starts_with("127.0.0.1: ")));
    }
}
