//! One life written again: what the API server gave anew on another control plane, UIDs and resourceVersions, is put in place of
//! what it gave then.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use super::{Place, Standing, Write};

/// One life being written again.
pub(super) struct Replay<'a> {
    known: Arc<HashMap<String, String>>,
    new: HashMap<String, String>,
    pub(super) versions: HashMap<Place, String>,
    now: &'a Standing,
}

impl<'a> Replay<'a> {
    pub(super) fn new(known: Arc<HashMap<String, String>>, now: &'a Standing) -> Self {
        Self { known, new: HashMap::new(), versions: HashMap::new(), now }
    }

    /// Sends these, one after the other.
    pub(super) async fn all(mut self, client: &Client, writes: &[Write]) -> Result<()> {
        for write in writes {
            self.send(client, write).await?;
        }
        Ok(())
    }

    async fn send(&mut self, client: &Client, write: &Write) -> Result<()> {
        let mut body = write.body.clone();
        let version = self.versions.get(&write.place).or_else(|| self.now.get(&write.place).map(|(_, v)| v));
        for pointer in ["/metadata", "/preconditions"] {
            if let Some(Value::Object(fields)) = body.pointer_mut(pointer)
                && fields.contains_key("resourceVersion")
            {
                match version {
                    Some(version) => drop(fields.insert("resourceVersion".into(), version.clone().into())),
                    None => drop(fields.remove("resourceVersion")),
                }
            }
        }
        let text = if body.is_null() { String::new() } else { self.translate(&body.to_string()) };
        let uri = self.translate(&write.uri);
        let answer = self.request(client, write, &uri, text).await?;
        let m = &answer["metadata"];
        if let (Some(old), Some(new)) = (&write.uid, m["uid"].as_str()) {
            self.new.insert(old.clone(), new.to_owned());
        }
        if let Some(version) = m["resourceVersion"].as_str() {
            self.versions.insert(write.place.clone(), version.to_owned());
        }
        Ok(())
    }

    /// Sends it; where another than we wrote meanwhile, once more without resourceVersion, as after a new read.
    async fn request(&self, client: &Client, write: &Write, uri: &str, text: String) -> Result<Value> {
        let once = |text: String| async move {
            let request = http::Request::builder()
                .method(write.method)
                .uri(uri)
                .header(http::header::CONTENT_TYPE, write.content)
                .header(http::header::ACCEPT, "application/json")
                .body(Body::from(text.into_bytes()))?;
            let answer = client.send(request).await?;
            let status = answer.status();
            anyhow::Ok((status, answer.into_body().collect().await?.to_bytes()))
        };
        let (mut status, mut bytes) = once(text.clone()).await?;
        if status == http::StatusCode::CONFLICT {
            let mut body: Value = serde_json::from_str(&text)?;
            for pointer in ["/metadata", "/preconditions"] {
                if let Some(Value::Object(fields)) = body.pointer_mut(pointer) {
                    fields.remove("resourceVersion");
                }
            }
            (status, bytes) = once(body.to_string()).await?;
        }
        let said = || format!("{} {uri}: {status}: {}", write.method, String::from_utf8_lossy(&bytes));
        ensure!(status.is_success(), "{}", said());
        serde_json::from_slice(&bytes).with_context(said)
    }

    /// Puts this control plane's UIDs in the place of the other's.
    fn translate(&self, text: &str) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find('-') {
            // A UID's first hyphen is its ninth character.
            let uid = at.checked_sub(8).and_then(|start| rest.get(start..start + 36)).filter(|u| is_uid(u));
            match uid.and_then(|u| self.new.get(u).or_else(|| self.known.get(u))) {
                Some(new) => {
                    out.push_str(&rest[..at - 8]);
                    out.push_str(new);
                    rest = &rest[at + 28..];
                }
                None => {
                    out.push_str(&rest[..=at]);
                    rest = &rest[at + 1..];
                }
            }
        }
        out.push_str(rest);
        out
    }
}

fn is_uid(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_put_in_place_wherever_they_stand() {
        let (old, new) = ("0f8b1c2d-1111-4222-8333-444455556666", "ffffffff-1111-4222-8333-444455556666");
        let now = Standing::new();
        let replay = Replay::new(Arc::new(HashMap::from([(old.to_owned(), new.to_owned())])), &now);
        let text = format!(r#"{{"name":"pvc-{old}","a-b":"{old}","c":"x-y"}}"#);
        assert_eq!(replay.translate(&text), text.replace(old, new));
    }
}
