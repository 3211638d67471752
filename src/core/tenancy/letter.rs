//! Comparing to the letter. What is live is nearly always what was applied, and seeing that builds nothing; where it is
//! not, the meanings are compared (see [`super::drift`]). Maps are walked in the order of their keys.

use serde_json::Value;

/// Whether a map holds these texts, given in the order of their keys. It may hold more.
pub(super) fn holds<T: AsRef<str>>(live: &Value, wanted: &[(&str, T)]) -> bool {
    let Value::Object(live) = live else { return wanted.is_empty() };
    let mut live = live.iter();
    wanted.iter().all(|(key, text)| {
        live.find(|(k, _)| k == key).is_some_and(|(_, v)| v.as_str() == Some(text.as_ref()))
    })
}

/// Whether a map holds these values, given in the order of their keys, and nothing more. Without any, it may be absent.
pub(super) fn consists<'a, T>(
    live: &Value,
    wanted: impl IntoIterator<Item = (&'a str, T)>,
    same: impl Fn(T, &Value) -> bool,
) -> bool {
    let mut wanted = wanted.into_iter();
    match live {
        Value::Null => wanted.next().is_none(),
        Value::Object(live) => {
            let mut live = live.iter();
            wanted.all(|(key, value)| live.next().is_some_and(|(k, v)| k == key && same(value, v)))
                && live.next().is_none()
        }
        _ => false,
    }
}
