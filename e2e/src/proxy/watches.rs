//! Open watches of the proxy's client, each of which can be expired: ended by an ERROR event with code 410.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures::future::Either;
use futures::stream::{self, BoxStream, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use tokio::sync::oneshot;

use super::Request;

/// Event by which an API server ends a watch whose resourceVersion has been compacted.
const EXPIRED: &[u8] = concat!(
    r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#,
    r#""message":"too old resource version: 1 (2)","reason":"Expired","code":410}}"#,
    "\n"
)
.as_bytes();

/// Registry of the open watches.
#[derive(Clone, Default)]
pub struct Watches(Arc<Mutex<Registry>>);

#[derive(Default)]
struct Registry {
    next: u64,
    open: BTreeMap<u64, (String, oneshot::Sender<()>)>,
}

impl Watches {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resources that are watched now, by plural name, each with the number of its watches.
    pub fn open(&self) -> BTreeMap<String, usize> {
        let mut resources = BTreeMap::new();
        for (resource, _) in self.registry().open.values() {
            *resources.entry(resource.clone()).or_default() += 1;
        }
        resources
    }

    /// Expires the open watches of these resources; returns the resource of each.
    pub fn expire(&self, which: impl Fn(&str) -> bool) -> Vec<String> {
        let mut registry = self.registry();
        let ids: Vec<u64> = registry.open.iter().filter(|(_, w)| which(&w.0)).map(|(id, _)| *id).collect();
        let ended = ids.into_iter().filter_map(|id| registry.open.remove(&id));
        ended.filter_map(|(resource, expire)| expire.send(()).ok().map(|()| resource)).collect()
    }

    /// Registers a watch until its stream ends.
    pub(super) fn register(&self, request: &Request, body: Body) -> UnsyncBoxBody<Bytes, anyhow::Error> {
        let (expire, expired) = oneshot::channel();
        let resource = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut registry = self.registry();
        registry.next += 1;
        let id = registry.next;
        registry.open.insert(id, (resource, expire));
        let entry = Entry { watches: self.clone(), id };
        let lines = Lines {
            frames: body.into_data_stream().boxed(),
            partial: BytesMut::new(),
            expired,
            _entry: entry,
        };
        let frames = stream::unfold(Some(lines), |lines| async { lines?.next().await });
        StreamBody::new(frames.map(|frame| frame.map(Frame::data))).boxed_unsync()
    }
}

/// Entry of an open watch in the registry; dropping it removes it.
struct Entry {
    watches: Watches,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.watches.registry().open.remove(&self.id);
    }
}

/// Stream of a watch, cut at the ends of lines, for an event may only be injected between two others.
struct Lines {
    frames: BoxStream<'static, Result<Bytes, kube::Error>>,
    partial: BytesMut,
    expired: oneshot::Receiver<()>,
    _entry: Entry,
}

impl Lines {
    /// Next complete lines, with the rest of the stream; `None` for the rest where it ends.
    async fn next(mut self) -> Option<(anyhow::Result<Bytes>, Option<Self>)> {
        loop {
            let frame = match futures::future::select(&mut self.expired, self.frames.next()).await {
                Either::Left((Ok(()), _)) => return Some((Ok(Bytes::from_static(EXPIRED)), None)),
                Either::Left((Err(_), _)) => return None,
                Either::Right((frame, _)) => frame,
            };
            match frame {
                None => return None,
                Some(Err(error)) => return Some((Err(error.into()), None)),
                Some(Ok(bytes)) => self.partial.extend_from_slice(&bytes),
            }
            if let Some(end) = self.partial.iter().rposition(|b| *b == b'\n') {
                let complete = self.partial.split_to(end + 1).freeze();
                return Some((Ok(complete), Some(self)));
            }
        }
    }
}
