//! What one look at a record comes to: decided by its kind, and told in its span.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::controller::Context;
use super::execute::record_target;
use super::observe::GatherContext;
use super::queue::{Key, Kind};
use govcloud_api::filed::HasConditions;
use govcloud_domain::lifecycle_event::LifecycleEvent;
use govcloud_domain::plan::{Plan, RequiredReads, Step, Target};
use govcloud_domain::record::Meta;
use govcloud_domain::{application, change, decommission, grant, region};

/// What one kind decided, with what the interpreter needs to carry it out.
pub(super) struct Decided {
    pub(super) about: Target,
    pub(super) meta: Meta,
    pub(super) reread: Option<RequiredReads>,
    pub(super) steps: Vec<Step>,
    /// The status as it should be; nothing where it is as it was stored.
    pub(super) status: Option<Value>,
    /// The reason of `Ready`, and the phase.
    stands: (Option<String>, Option<&'static str>),
    pub(super) events: Vec<LifecycleEvent>,
    pub(super) wake: Option<Timestamp>,
}

/// What a reconcile came to, for its span.
#[derive(Default)]
pub(super) struct Told {
    uid: String,
    pub(super) decision: String,
    phase: String,
    writes: usize,
}

impl Told {
    /// The reason of `Ready`, the phase, and how many writes were planned so far.
    pub(super) fn note(&mut self, decided: &Decided) {
        let (ready, phase) = &decided.stands;
        self.uid.clone_from(&decided.meta.uid);
        self.decision = ready.as_deref().unwrap_or("None").to_owned();
        self.phase = phase.unwrap_or("None").to_owned();
        let writes = decided.steps.iter().map(|s| if let Step::Write(w) = s { w.len() } else { 0 });
        self.writes += writes.sum::<usize>();
    }

    /// Each field once: OTLP would send one that is recorded again as a second attribute.
    pub(super) fn say(&self, span: &tracing::Span) {
        for (field, text) in [("uid", &self.uid), ("decision", &self.decision), ("phase", &self.phase)] {
            if !text.is_empty() {
                span.record(field, text.as_str());
            }
        }
        span.record("writes", self.writes);
    }
}

fn decided<S: HasConditions + Serialize + PartialEq>(
    key: &Key,
    meta: &Meta,
    stored: Option<&S>,
    plan: Plan<S>,
) -> Decided {
    let Plan { reread, steps, status, events, wake } = plan;
    let ready = status.conditions().iter().find(|c| c.type_ == "Ready").map(|c| c.reason.clone());
    let stands = (ready, status.phase());
    let status = (stored != Some(&status)).then(|| serde_json::to_value(&status).unwrap_or_default());
    Decided { about: record_target(key), meta: meta.clone(), reread, steps, status, stands, events, wake }
}

impl Context {
    /// Observes and decides for one key. `None` where there is nothing to decide on.
    pub(super) fn decide(&self, key: &Key, with: &GatherContext, now: Timestamp) -> Option<Decided> {
        match key.kind {
            Kind::Application => {
                let o = self.state.application(key, with)?;
                Some(decided(key, &o.meta, o.record.status.as_ref(), application::decide(&o, now)))
            }
            Kind::Grant => {
                let o = self.state.grant(key, with)?;
                Some(decided(key, &o.meta, o.record.status.as_ref(), grant::decide(&o, now)))
            }
            Kind::Change => {
                let o = self.state.change(key, with)?;
                Some(decided(key, &o.meta, o.record.status.as_ref(), change::decide(&o, now)))
            }
            Kind::Decommission => {
                let o = self.state.decommission(key, with)?;
                Some(decided(key, &o.meta, o.record.status.as_ref(), decommission::decide(&o, now)))
            }
            Kind::Region => {
                // Noted first: should it change meanwhile, what is decided is refused for the version that it names.
                let meta = self.state.regions.get("", key.name())?.meta.clone();
                let o = self.state.region_observed(key.name())?;
                Some(decided(key, &meta, o.view.region.status.as_ref(), region::decide(&o, now)))
            }
        }
    }
}
