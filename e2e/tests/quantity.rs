//! Our reading of quantities against the API server's own: many are generated, written into ResourceQuotas and
//! LimitRanges, and read back.
//!
//! The server keeps a text as it was written where it fits into 18 digits and needs no rounding; else it writes its canonical
//! form. So each amount is written twice, once with zeros enough after its point. A LimitRange holds negative amounts, and
//! compares. All of them round up to whole milli units as they are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::cluster::Setup;
use e2e::suite::{self, Context};
use govcloud_domain::quantity::{Quantity, QuantityError};
use govcloud_domain::tenancy::quota;
use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};

#[path = "quantity/limits.rs"]
mod limits;

use kube::Api;
use kube::api::{DeleteParams, PostParams};
use limits::{
    device_classes_are_counted, limits_of_a_region_are_judged_as_by_the_server,
    s1_a_pod_level_resource_evades_no_quota,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// Quantities in one object.
const AT_ONCE: usize = 400;

fn main() -> ExitCode {
    let tests = e2e::tests![
        canonical_forms_equal_the_servers,
        valid_quota_is_accepted,
        negative_amounts_equal_the_servers,
        order_equals_the_servers,
        accepted_amounts_equal_the_servers,
        limits_of_a_region_are_judged_as_by_the_server,
        s1_a_pod_level_resource_evades_no_quota,
        device_classes_are_counted,
    ];
    suite::main(Setup::Bare, tests)
}

/// Seed of every run; `GOVCLOUD_SEED` gives others.
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

/// A key of a ResourceQuota under which the server takes any amount, whole or not.
fn key(i: usize) -> String {
    format!("requests.example.com/r{i}")
}

/// A key of a LimitRange for the same.
fn resource(i: usize) -> String {
    format!("example.com/r{i}")
}

fn keyed(amounts: &[String], key: fn(usize) -> String) -> BTreeMap<String, String> {
    amounts.iter().enumerate().map(|(i, q)| (key(i), q.clone())).collect()
}

fn read(text: &str) -> Result<Quantity> {
    text.parse::<Quantity>().with_context(|| text.to_owned())
}

fn stored(text: &str) -> Result<String> {
    Ok(read(text)?.stored().to_string())
}

/// Stored form of a text: the text itself, or its canonical form, and which of them it is.
fn kept_as(server: &str, text: &str) -> Result<bool> {
    let ours = stored(text)?;
    ensure!(server == text || server == ours, "{text}: the server stores {server}, we say {ours}");
    ensure!(read(server)?.stored() == read(text)?.stored(), "{server} is another amount than {text}");
    Ok(server != text)
}

/// Writes the amount with so many digits that the server cannot keep the text, and writes its canonical form.
fn padded(text: &str) -> String {
    let end = text.find(|c: char| !matches!(c, '+' | '-' | '.' | '0'..='9')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let point = if number.contains('.') { "" } else { "." };
    format!("{number}{point}{}{suffix}", "0".repeat(20))
}

async fn canonical_forms_equal_the_servers(context: Context) -> Result<()> {
    let namespace = context.namespace("hard").await?;
    let quotas: Api<ResourceQuota> = Api::namespaced(context.cluster.client(Actor::Admin).await?, &namespace);
    let all = generate(&mut runner(1), &amounts(), 12 * AT_ONCE)?;
    let mut forms = BTreeMap::new();
    for (n, some) in all.chunks(AT_ONCE).enumerate() {
        let long: Vec<String> = some.iter().map(|text| padded(text)).collect();
        for (name, amounts) in [(format!("q{n}"), some), (format!("long{n}"), &long[..])] {
            let spec = json!({"metadata": {"name": name}, "spec": {"hard": keyed(amounts, key)}});
            let object = serde_json::from_value(spec)?;
            quotas
                .create(&PostParams::default(), &object)
                .await
                .context("the server refuses what we take")?;
            let kept = quotas.get(&name).await?.spec.and_then(|s| s.hard).context("no hard limits")?;
            for (i, text) in amounts.iter().enumerate() {
                let server = &kept.get(&key(i)).with_context(|| format!("{text} is lost"))?.0;
                kept_as(server, text)?;
                if text != &some[i] {
                    let ours = stored(&some[i])?;
                    ensure!(*server == ours, "{}: the server's form is {server}, ours {ours}", some[i]);
                    let form = server.trim_start_matches(|c: char| c.is_ascii_digit());
                    *forms.entry(form.to_owned()).or_insert(0_usize) += 1;
                }
            }
            quotas.delete(&name, &DeleteParams::default()).await?;
        }
    }
    for wanted in ["", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3"] {
        ensure!(forms.contains_key(wanted), "no amount came back with {wanted:?}: {forms:?}");
    }
    let distinct = all.iter().collect::<BTreeSet<_>>().len();
    println!(
        "quantity: {} amounts ({distinct} distinct) are stored as we read them, and written by the server as by us",
        all.len()
    );
    println!("quantity: the forms that came back: {forms:?}");
    Ok(())
}

/// An amount that we accept is accepted by the server: an approved quota can always be created.
async fn valid_quota_is_accepted(context: Context) -> Result<()> {
    let namespace = context.namespace("hard").await?;
    let quotas: Api<ResourceQuota> = Api::namespaced(context.cluster.client(Actor::Admin).await?, &namespace);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    const KEYS: [&str; 12] = [
        "pods",
        "services.nodeports",
        "requests.cpu",
        "limits.memory",
        "requests.storage",
        "hugepages-2Mi",
        "count/deployments.apps",
        "requests.example.com/gpu",
        "gold.storageclass.storage.k8s.io/requests.storage",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims",
        "gpu.deviceclass.resource.k8s.io/devices",
        "requests.deviceclass.resource.kubernetes.io/gpu",
    ];
    let any = (prop::sample::select(&KEYS[..]), prop::bool::weighted(0.1), amounts());
    let (mut taken, mut refused, mut fractions, mut huge) = (0, 0, 0, 0);
    for (key, minus, amount) in generate(&mut runner(6), &any, 1000)? {
        let amount = if minus { format!("-{}", amount.trim_start_matches('+')) } else { amount };
        let hard = BTreeMap::from([(key.to_owned(), amount.clone())]);
        let object = serde_json::from_value(json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}))?;
        let found = quota::findings(&hard);
        match (quotas.create(&dry, &object).await, found.is_empty()) {
            (Ok(_), true) => taken += 1,
            (Err(kube::Error::Api(_)), false) => refused += 1,
            // Counts that overflow 64 bits are accepted by the server in some forms and refused in others. We accept none.
            (Ok(_), false) if read(&amount)? >= read("9.2P")? => huge += 1,
            // A fraction of a device can be limited, and never asked for.
            (Ok(_), false)
                if key.starts_with("requests.") && key.contains('/') && !read(&amount)?.is_whole() =>
            {
                fractions += 1
            }
            (Ok(_), false) => anyhow::bail!("we refuse {hard:?}, and the server takes it: {found:?}"),
            (Err(e), _) => anyhow::bail!("we find nothing wrong with {hard:?}: {e}"),
        }
    }
    ensure!(taken > 300 && refused > 100, "{taken} taken, {refused} refused");
    println!(
        "quantity: of 1000 limits {taken} are taken by both, {refused} by neither, {huge} huge counts and {fractions} fractions \
         of devices by the server alone"
    );
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
    Ok(Api::namespaced(context.cluster.client(Actor::Admin).await?, &namespace))
}

async fn negative_amounts_equal_the_servers(context: Context) -> Result<()> {
    let ranges = ranges(&context).await?;
    let all = generate(&mut runner(2), &amounts(), 3 * AT_ONCE)?;
    let all: Vec<String> = all.iter().map(|q| format!("-{}", q.trim_start_matches('+'))).collect();
    let mut below = 0;
    for some in all.chunks(AT_ONCE) {
        let kept = bounds(&ranges, json!({"type": "Container", "max": keyed(some, resource)})).await?;
        for (i, text) in some.iter().enumerate() {
            let server =
                kept["max"][resource(i)].as_str().with_context(|| format!("{text} is lost"))?.to_owned();
            kept_as(&server, text)?;
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
async fn order_equals_the_servers(context: Context) -> Result<()> {
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
        let limits = json!({"type": "Container", "min": keyed(&min, resource), "max": keyed(&max, resource)});
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
async fn accepted_amounts_equal_the_servers(context: Context) -> Result<()> {
    let ranges = ranges(&context).await?;
    let texts = prop_oneof![
        3 => "[-+]?[0-9.]{0,4}[numkKMGTPEie]{0,3}[-+]?[0-9.]{0,2}",
        1 => "[ -~]{1,6}",
        1 => r"[0-9]{1,3}(K|ki|mi|KB|g|B|Zi|e|ee3|e1\.5|_0| Gi)",
        1 => "[0-9]{1,25}(E|P|e1[5-9]|e2[0-9])",
    ];
    let all: BTreeSet<String> = generate(&mut runner(4), &texts, 1000)?.into_iter().collect();
    let (mut taken, mut stricter) = (0, 0);
    for text in &all {
        // Asked as a map, so that our own types do not judge it.
        let server = bounds(&ranges, json!({"type": "Container", "max": {"example.com/r": text}})).await;
        let ours = text.parse::<Quantity>();
        match (server, &ours) {
            (Ok(kept), Ok(q)) => {
                taken += 1;
                let kept = kept["max"]["example.com/r"].as_str().unwrap_or_default();
                kept_as(kept, text.trim()).with_context(|| format!("{text:?}, which we read as {q}"))?;
            }
            (Err(kube::Error::Api(_)), Err(_)) => {}
            (Err(e), _) => anyhow::bail!("we read {text:?} as {ours:?}, the server refuses it: {e}"),
            (Ok(kept), Err(QuantityError::TooLarge(_) | QuantityError::TooLong)) => {
                stricter += 1;
                ensure!(text.len() > 3, "{text:?} is stored as {kept} and called too large");
            }
            (Ok(_), Err(why)) => {
                stricter += 1;
                let mut number = text.trim().trim_start_matches(['+', '-']).chars();
                let number = number.by_ref().take_while(|c| c.is_ascii_digit() || *c == '.');
                let digits = number.filter(char::is_ascii_digit).count();
                ensure!(digits == 0, "the server takes {text:?}, we do not: {why}");
            }
        }
    }
    ensure!(taken > 40, "only {taken} texts were quantities");
    println!(
        "quantity: of {} texts {taken} are taken by both, {stricter} by the server alone, the others by neither",
        all.len()
    );
    Ok(())
}
