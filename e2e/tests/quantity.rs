//! Our reading of quantities against the API server's own: many are generated, written into ResourceQuotas and
//! LimitRanges, and read back.
//!
//! A ResourceQuota holds no negative amount; a LimitRange does. Both round up to whole milli units as they are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::Setup;
use e2e::personas::Persona;
use e2e::suite::{self, Context};
use govcloud::core::quantity::{Quantity, QuantityError};
use govcloud::core::tenancy::quota;
use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// Quantities in one object.
const AT_ONCE: usize = 400;

fn main() -> ExitCode {
    let tests = e2e::tests![
        canonical_forms_are_the_servers,
        negative_amounts_too,
        the_order_is_the_servers,
        what_the_server_takes_is_taken_and_nothing_else,
    ];
    suite::main(Setup::Bare, tests)
}

/// The same ones in every run; `GOVCLOUD_SEED` gives others.
fn runner(salt: u8) -> TestRunner {
    let mut seed = [salt; 32];
    if let Ok(given) = std::env::var("GOVCLOUD_SEED") {
        given.bytes().take(24).enumerate().for_each(|(i, b)| seed[i + 8] = b);
    }
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

fn generate<S: Strategy>(runner: &mut TestRunner, strategy: &S, count: usize) -> Result<Vec<S::Value>> {
    let one = |_| strategy.new_tree(runner).map(|t| t.current()).map_err(|e| anyhow::anyhow!("{e}"));
    (0..count).map(one).collect()
}

/// Amounts in every notation: plain, fractions, every suffix, exponents, small and huge.
fn amounts() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        4 => "[0-9]{1,4}",
        2 => "[0-9]{5,15}",
        3 => r"[0-9]{1,4}\.[0-9]{1,10}",
        1 => r"\.[0-9]{1,9}",
        1 => r"[0-9]{1,6}\.",
        1 => "(0|1|2|4|8|16|32|64|128|256|512|1000|1024|1048576|9223372036854775807|9223372036854775808)",
    ];
    let suffix = prop_oneof![
        3 => "",
        4 => "(n|u|m|k|M|G|T|P|E)",
        4 => "(Ki|Mi|Gi|Ti|Pi|Ei)",
        2 => r"(e|E)[+-]?[0-9]",
        1 => r"(e|E)[+-]?1[0-8]",
    ];
    (prop::bool::weighted(0.1), number, suffix)
        .prop_map(|(plus, n, s)| format!("{}{n}{s}", if plus { "+" } else { "" }))
        .prop_filter("below 1000E, where the server loses the suffix", |q| q.parse::<Quantity>().is_ok())
}

/// Names that Kubernetes takes for amounts, whole or not.
fn key(i: usize) -> String {
    format!("requests.example.com/r{i}")
}

fn keyed(amounts: &[String]) -> BTreeMap<String, String> {
    amounts.iter().enumerate().map(|(i, q)| (key(i), q.clone())).collect()
}

fn stored(text: &str) -> Result<String> {
    Ok(text.parse::<Quantity>().with_context(|| text.to_owned())?.stored().to_string())
}

async fn canonical_forms_are_the_servers(context: Context) -> Result<()> {
    let namespace = context.namespace("quantity").await?;
    let quotas: Api<ResourceQuota> =
        Api::namespaced(context.cluster.client(Persona::Admin).await?, &namespace);
    let all = generate(&mut runner(1), &amounts(), 12 * AT_ONCE)?;
    let mut forms = BTreeMap::new();
    for (n, some) in all.chunks(AT_ONCE).enumerate() {
        let hard = keyed(some);
        ensure!(quota::findings(&hard).is_empty(), "we would refuse {:?}", quota::findings(&hard));
        let name = format!("q{n}");
        let object = serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"hard": hard}}))?;
        quotas.create(&PostParams::default(), &object).await.context("the server refuses what we take")?;
        let kept = quotas.get(&name).await?.spec.and_then(|s| s.hard).context("no hard limits")?;
        for (i, text) in some.iter().enumerate() {
            let server = &kept.get(&key(i)).with_context(|| format!("{text} is lost"))?.0;
            let ours = stored(text)?;
            ensure!(*server == ours, "{text}: the server stores {server}, we say {ours}");
            // What is stored is read as the amount that was written, and written back as it is.
            ensure!(stored(server)? == *server, "{server} is not read as it is written");
            *forms
                .entry(server.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned())
                .or_insert(0_usize) += 1;
        }
        quotas.delete(&name, &DeleteParams::default()).await?;
    }
    let suffixes: Vec<&str> = forms.keys().map(String::as_str).collect();
    for wanted in ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3"] {
        ensure!(suffixes.contains(&wanted), "no quantity came back with {wanted:?}: {suffixes:?}");
    }
    let distinct = all.iter().collect::<BTreeSet<_>>().len();
    println!(
        "quantity: {} amounts ({distinct} distinct) are stored in ResourceQuotas as we write them",
        all.len()
    );
    println!("quantity: the forms that came back: {forms:?}");
    Ok(())
}

/// A LimitRange with these bounds, as the server would store it; or why it would not.
async fn bounds(ranges: &Api<LimitRange>, limits: Value) -> Result<Value, kube::Error> {
    let object = json!({"metadata": {"name": "bounds"}, "spec": {"limits": [limits]}});
    let object = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let answer = ranges.create(&dry, &object).await?;
    Ok(serde_json::to_value(answer).map_err(kube::Error::SerdeError)?["spec"]["limits"][0].clone())
}

async fn ranges(context: &Context) -> Result<Api<LimitRange>> {
    let namespace = context.namespace("quantity").await?;
    Ok(Api::namespaced(context.cluster.client(Persona::Admin).await?, &namespace))
}

async fn negative_amounts_too(context: Context) -> Result<()> {
    let ranges = ranges(&context).await?;
    let all = generate(&mut runner(2), &amounts(), 3 * AT_ONCE)?;
    let all: Vec<String> = all.iter().map(|q| format!("-{}", q.trim_start_matches('+'))).collect();
    let mut below = 0;
    for some in all.chunks(AT_ONCE) {
        let kept = bounds(&ranges, json!({"type": "Container", "max": keyed(some)})).await?;
        for (i, text) in some.iter().enumerate() {
            let server = kept["max"][key(i)].as_str().with_context(|| format!("{text} is lost"))?.to_owned();
            let ours = stored(text)?;
            ensure!(server == ours, "{text}: the server stores {server}, we say {ours}");
            below += usize::from(text.parse::<Quantity>()?.is_negative());
        }
    }
    println!(
        "quantity: {} amounts with a minus, {below} of them below zero, are stored as we write them",
        all.len()
    );
    Ok(())
}

/// The server compares, too: a minimum above the maximum is refused, key by key.
async fn the_order_is_the_servers(context: Context) -> Result<()> {
    let ranges = ranges(&context).await?;
    let near = (amounts(), amounts(), prop::bool::weighted(0.2));
    let pairs = generate(&mut runner(3), &near, 6 * AT_ONCE)?;
    let (mut above, mut equal) = (0, 0);
    for some in pairs.chunks(AT_ONCE) {
        // A fifth are the same amount twice, in the notation that it is stored in.
        let some: Vec<(String, String)> = some
            .iter()
            .map(|(a, b, same)| Ok((a.clone(), if *same { stored(a)? } else { b.clone() })))
            .collect::<Result<_>>()?;
        let (min, max): (Vec<String>, Vec<String>) = some.iter().cloned().unzip();
        let expected: BTreeSet<usize> = some
            .iter()
            .enumerate()
            .map(|(i, (a, b))| Ok((i, a.parse::<Quantity>()?.stored().cmp(&b.parse::<Quantity>()?.stored()))))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .inspect(|(_, o)| equal += usize::from(o.is_eq()))
            .filter(|(_, o)| o.is_gt())
            .map(|(i, _)| i)
            .collect();
        let limits = json!({"type": "Container", "min": keyed(&min), "max": keyed(&max)});
        let refused = match bounds(&ranges, limits).await {
            Err(kube::Error::Api(status)) => status,
            other => anyhow::bail!("{} of them are above: {other:?}", expected.len()),
        };
        let causes = refused.details.map(|d| d.causes).unwrap_or_default();
        let named: BTreeSet<usize> = causes
            .iter()
            .filter(|c| {
                c.message.contains("min") && c.message.contains("greater than") && c.message.contains("max")
            })
            .filter_map(|c| c.field.rsplit_once("/r")?.1.trim_end_matches(']').parse().ok())
            .collect();
        let wrong: Vec<_> = expected.symmetric_difference(&named).map(|i| &some[*i]).collect();
        ensure!(wrong.is_empty(), "the server orders these otherwise: {wrong:?}");
        above += expected.len();
    }
    println!("quantity: {} pairs are ordered as the server does, {above} above, {equal} equal", pairs.len());
    Ok(())
}

/// Whatever text: the server takes it exactly where we do, but for what we refuse on purpose.
async fn what_the_server_takes_is_taken_and_nothing_else(context: Context) -> Result<()> {
    let ranges = ranges(&context).await?;
    let texts = prop_oneof![
        3 => "[-+]?[0-9.]{0,4}[numkKMGTPEie]{0,3}[-+]?[0-9.]{0,2}",
        1 => "[ -~]{1,6}",
        1 => r"[0-9]{1,3}(K|ki|mi|KB|g|B|Zi|e|ee3|e1\.5|_0| Gi)",
        1 => "[0-9]{1,25}(E|P|e1[5-9]|e2[0-9])",
    ];
    let all: BTreeSet<String> = generate(&mut runner(4), &texts, 700)?.into_iter().collect();
    let (mut taken, mut stricter) = (0, 0);
    for text in &all {
        // Asked as a map, so that our own types do not judge it.
        let server = bounds(&ranges, json!({"type": "Container", "max": {"example.com/r": text}})).await;
        let ours = text.parse::<Quantity>();
        match (server, &ours) {
            (Ok(kept), Ok(q)) => {
                taken += 1;
                let kept = kept["max"]["example.com/r"].as_str().unwrap_or_default().to_owned();
                ensure!(
                    kept == q.stored().to_string(),
                    "{text:?}: the server stores {kept}, we say {}",
                    q.stored()
                );
            }
            (Err(_), Err(_)) => {}
            (Err(e), Ok(q)) => anyhow::bail!("we read {text:?} as {q}, the server refuses it: {e}"),
            (Ok(kept), Err(QuantityError::TooLarge(_) | QuantityError::TooLong)) => {
                stricter += 1;
                ensure!(text.len() > 3, "{text:?} is stored as {kept} and called too large");
            }
            (Ok(_), Err(why)) => {
                stricter += 1;
                let digits = text.chars().any(|c| c.is_ascii_digit());
                ensure!(!digits || text.trim() != *text, "the server takes {text:?}, we do not: {why}");
            }
        }
    }
    ensure!(taken > 50, "only {taken} texts were quantities");
    println!(
        "quantity: of {} texts {taken} are taken by both, {stricter} by the server alone, the others by neither",
        all.len()
    );
    Ok(())
}
