//! A decision on one record, with what the reconciler needs to carry it out.

use govcloud_api::filed::HasConditions;
use govcloud_domain::integrity::PolicyIntegrity;
use govcloud_domain::lifecycle_event::LifecycleEvent;
use govcloud_domain::plan::{Plan, RequiredReads, Step, Write, WriteFailure};
use govcloud_domain::record::Meta;
use govcloud_domain::seal::Seal;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// A decision of any kind. The status is JSON.
#[derive(Debug)]
pub struct Decision {
    /// Identity of the record that was decided on.
    pub meta: Meta,
    /// Live reads that must be made before anything is done; then the decision is made again.
    pub reads: Option<RequiredReads>,
    /// Writes, in order.
    pub steps: Vec<Step>,
    /// The status as it should be; `None` where it is as stored.
    pub status: Option<Value>,
    /// Reason of the condition `Ready`.
    pub ready: Option<String>,
    /// Phase.
    pub phase: Option<&'static str>,
    /// Lifecycle events that the status records.
    pub events: Vec<LifecycleEvent>,
    /// Time of the next decision although nothing changed.
    pub wake: Option<Timestamp>,
}

impl Decision {
    /// The decision of a plan. `stored` is the status that it was made on. An empty status is none.
    pub fn new<S: HasConditions + Serialize + PartialEq + Default>(
        meta: Meta,
        stored: Option<&S>,
        plan: Plan<S>,
    ) -> Self {
        let Plan { reread: reads, steps, status, events, wake } = plan;
        let ready = status.conditions().iter().find(|c| c.type_ == "Ready").map(|c| c.reason.clone());
        let phase = status.phase();
        let none = S::default();
        let changed = stored.unwrap_or(&none) != &status;
        let status = changed.then(|| serde_json::to_value(&status).unwrap_or_default());
        Self { meta, reads, steps, status, ready, phase, events, wake }
    }

    /// Takes out the writes that repeat one of `made`, and returns them: what they write does not stay.
    pub(crate) fn take_repeated(&mut self, made: &[Write]) -> Vec<Write> {
        let mut repeated = Vec::new();
        for Step::Write(writes) in &mut self.steps {
            let planned = std::mem::take(writes).into_iter();
            let (again, new): (Vec<Write>, Vec<Write>) =
                planned.partition(|write| made.iter().any(|earlier| earlier.repeats(write)));
            *writes = new;
            repeated.extend(again);
        }
        self.steps.retain(|Step::Write(writes)| !writes.is_empty());
        repeated
    }

    /// The planned writes that could be planned again.
    pub(crate) fn repeatable(&self) -> impl Iterator<Item = &Write> {
        self.steps.iter().flat_map(|Step::Write(writes)| writes).filter(|write| write.repeats(write))
    }

    /// Number of planned writes.
    pub fn writes(&self) -> usize {
        self.steps.iter().map(|Step::Write(writes)| writes.len()).sum()
    }
}

/// Circumstances of a decision that are in no object.
#[derive(Clone, Debug)]
pub struct GatherContext {
    /// Integrity of the admission policies.
    pub integrity: PolicyIntegrity,
    /// The operator's seal.
    pub seal: Seal,
    /// Live reads that were just made for this decision.
    pub reads: Option<RequiredReads>,
    /// Failure of the last write.
    pub failure: Option<WriteFailure>,
}
