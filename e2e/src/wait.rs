//! Waiting on conditions, never on time alone; what was seen last is in the error.

use std::fmt::Debug;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Result, anyhow};
use futures::TryStreamExt;
use kube::runtime::watcher::watch_object;
use kube::{Api, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

/// Interval at which a condition that cannot be watched is polled.
const TICK: Duration = Duration::from_millis(100);

/// Looks until `probe` finds something, at most for `patience`. `Ok(None)` and `Err` both mean not yet; the last
/// error becomes part of this function's, so a probe says with `bail!` what it sees instead.
pub async fn eventually<T, F, Fut>(what: &str, patience: Duration, mut probe: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + patience;
    let mut seen = "nothing".to_owned();
    loop {
        match timeout_at(deadline, probe()).await {
            Ok(Ok(Some(found))) => return Ok(found),
            Ok(Ok(None)) => "not yet".clone_into(&mut seen),
            Ok(Err(error)) => seen = format!("{error:#}"),
            Err(_) if seen == "nothing" => "no answer".clone_into(&mut seen),
            Err(_) => {}
        }
        if Instant::now() + TICK >= deadline {
            return Err(anyhow!("{what}: not within {patience:?}; last seen: {seen}"));
        }
        sleep(TICK).await;
    }
}

/// Watches one object until `met` holds for it, at most for `patience`; the error shows the status seen last.
pub async fn until<K>(
    api: Api<K>,
    name: &str,
    what: &str,
    patience: Duration,
    met: impl Fn(&K) -> bool,
) -> Result<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
{
    let deadline = Instant::now() + patience;
    let mut seen = "nothing".to_owned();
    let mut changes = pin!(watch_object(api, name));
    loop {
        match timeout_at(deadline, changes.try_next()).await {
            Ok(Ok(Some(Some(object)))) if met(&object) => return Ok(object),
            Ok(Ok(Some(Some(object)))) => seen = state(&object),
            Ok(Ok(Some(None))) => "no such object".clone_into(&mut seen),
            Ok(Ok(None)) => return Err(anyhow!("{name}: {what}: the watch ended; last seen: {seen}")),
            // The watcher tries again at once when it is polled after an error.
            Ok(Err(error)) => {
                seen = format!("{error:#}");
                sleep(TICK).await;
            }
            Err(_) => {
                return Err(anyhow!("{name}: {what}: not within {patience:?}; last seen: {seen}"));
            }
        }
    }
}

/// Watches until there is no object of this name, or another one in the place of `uid`.
pub async fn until_gone<K>(api: Api<K>, name: &str, uid: Option<&str>, patience: Duration) -> Result<()>
where
    K: Resource + Clone + Debug + DeserializeOwned + Serialize + Send + 'static,
{
    let deadline = Instant::now() + patience;
    let mut seen = "nothing".to_owned();
    let mut changes = pin!(watch_object(api, name));
    loop {
        match timeout_at(deadline, changes.try_next()).await {
            Ok(Ok(Some(None))) => return Ok(()),
            Ok(Ok(Some(Some(object)))) if uid.is_some() && object.meta().uid.as_deref() != uid => {
                return Ok(());
            }
            Ok(Ok(Some(Some(object)))) => seen = state(&object),
            Ok(Ok(None)) => return Err(anyhow!("{name}: the watch ended; last seen: {seen}")),
            Ok(Err(error)) => {
                seen = format!("{error:#}");
                sleep(TICK).await;
            }
            Err(_) => return Err(anyhow!("{name} is still there after {patience:?}; last seen: {seen}")),
        }
    }
}

/// The status, or the object where it has none, as YAML.
fn state<K: Resource + Serialize>(object: &K) -> String {
    let value = serde_json::to_value(object).unwrap_or_default();
    let shown = value.get("status").filter(|status| !status.is_null()).unwrap_or(&value);
    let version = object.resource_version().unwrap_or_default();
    format!("(resourceVersion {version})\n{}", serde_saphyr::to_string(shown).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_error_says_what_was_seen_last() {
        let probe = || async { anyhow::bail!("phase is Submitted") };
        let result: Result<()> = eventually("provisioned", Duration::from_millis(150), probe).await;
        let error = result.expect_err("never met").to_string();
        assert!(error.contains("provisioned") && error.contains("phase is Submitted"), "{error}");
    }
}
