//! Recorded writes sent once more, on another control plane or for another application.
//!
//! Bodies and the order within one application are kept, but resourceVersions are left out. UIDs, which each API server assigns
//! anew, are replaced by those that it returned.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use anyhow::{Context as _, Result};
use e2e::requests;
use futures::Stream;
use futures::future::try_join_all;
use jiff::Timestamp;
use kube::Client;
use regex::{Captures, Regex};
use serde_json::Value;

use crate::recording::{Recording, Snapshot, Write};

/// The writes of one application being sent once more.
#[derive(Clone, Default)]
pub struct Replay {
    /// UIDs of the objects that existed before, by those of the recording.
    pub uids: Arc<HashMap<String, String>>,
    /// Texts to be replaced, in this order.
    pub renames: Vec<(String, String)>,
    /// UIDs of the objects that were created, by those of the recording.
    pub created: HashMap<String, String>,
}

impl Replay {
    /// A replay on another control plane, on which these objects exist.
    pub fn of(recording: &Recording, existing: &Snapshot) -> Self {
        let uids =
            recording.before.iter().filter_map(|(key, old)| Some((old.clone(), existing.get(key)?.clone())));
        Self { uids: Arc::new(uids.collect()), ..Self::default() }
    }

    /// Sends the writes of each application in order, once the stream yields its name; of many applications at once.
    pub async fn all(
        &self,
        client: &Client,
        recording: &Recording,
        names: impl Stream<Item = String>,
    ) -> Result<()> {
        let writes: HashMap<&String, &Vec<Write>> =
            recording.writes.iter().map(|(name, w)| (name, w)).collect();
        let send = async |name: String| {
            let writes = writes.get(&name).context("an application without writes")?;
            self.clone().send(client, writes.chunks(1)).await
        };
        requests::for_each(names, send).await
    }

    /// Sends groups of writes one after the other, the writes of a group at once.
    pub async fn send<'a>(
        mut self,
        client: &Client,
        groups: impl Iterator<Item = &'a [Write]>,
    ) -> Result<()> {
        for group in groups {
            let send = |write: &'a Write| {
                let (uri, body) = (self.translate(&write.uri), self.translate(&write.body));
                async move {
                    requests::send(client, write.method, &uri, write.content_type, body.into_bytes()).await
                }
            };
            let answers: Vec<Value> = try_join_all(group.iter().map(send)).await?;
            for (write, answer) in group.iter().zip(answers) {
                if let (Some(old), Some(new)) = (&write.uid, answer["metadata"]["uid"].as_str()) {
                    self.created.insert(old.clone(), new.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Replaces UIDs and names.
    fn translate(&self, text: &str) -> String {
        static UID: LazyLock<Regex> =
            LazyLock::new(|| Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern"));
        let uid = |found: &Captures| {
            let uid = self.created.get(&found[0]).or_else(|| self.uids.get(&found[0]));
            uid.cloned().unwrap_or_else(|| found[0].to_owned())
        };
        let text = UID.replace_all(text, uid).into_owned();
        self.renames.iter().fold(text, |text, (from, to)| text.replace(from, to))
    }
}

/// Groups writes that were in flight at the same time.
pub fn concurrent(writes: &[Write]) -> impl Iterator<Item = &[Write]> {
    let mut until = Timestamp::MIN;
    writes.chunk_by(move |previous, next| {
        until = until.max(previous.answered);
        let at_once = next.received < until;
        if !at_once {
            until = Timestamp::MIN;
        }
        at_once
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_and_names_are_replaced_wherever_they_are() {
        let (old, new) = ("0f8b1c2d-1111-4222-8333-444455556666", "ffffffff-1111-4222-8333-444455556666");
        let uids = Arc::new(HashMap::from([(old.to_owned(), new.to_owned())]));
        let replay =
            Replay { uids, renames: vec![("a-b".to_owned(), "c-d".to_owned())], ..Replay::default() };
        let text = format!(r#"{{"name":"pvc-{old}","a-b":"{old}","c":"x-y"}}"#);
        assert_eq!(replay.translate(&text), text.replace(old, new).replace("a-b", "c-d"));
    }
}
