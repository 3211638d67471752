//! Fixtures: compliance records and inspections (Art. 17, 22, 25).

use anyhow::Result;
use serde_json::json;

use super::Fixtures;
use crate::bodies::{emergency_plan, of_provider, response, responses};
use crate::caller::Caller;
use crate::row::merge;

impl Fixtures {
    /// Compliance records: on record, not yet, and sent back.
    pub(super) async fn documents(&self) -> Result<()> {
        for target in ["comp/evaluation", "comp/open", "comp/sent-back"] {
            self.file(Caller::Department, target, json!({})).await?;
        }
        self.file(Caller::Provider, "comp/plan@provider-maintenance", emergency_plan()).await?;
        self.seen("comp/evaluation", "Recorded", json!({})).await?;
        self.seen("comp/plan@provider-maintenance", "Recorded", json!({})).await?;
        self.seen("comp/open", "Submitted", json!({})).await?;
        self.seen("comp/sent-back", "Recorded", json!({})).await?;
        let returned = "decision=returned reviewed-generation=1 opinion=缺页";
        self.decided("comp/sent-back", returned, "Returned", "Returned", json!({})).await
    }

    /// Inspections that the deputy filed: open, answered, closed, and one of the provider.
    pub(super) async fn inspections(&self) -> Result<()> {
        let none = || json!({});
        for target in ["insp/open", "insp/answered", "insp/closed"] {
            self.file(Caller::Deputy, target, none()).await?;
            self.seen(target, "Rectifying", none()).await?;
        }
        self.file(Caller::Deputy, "insp/platform@provider-maintenance", of_provider()).await?;
        self.seen("insp/platform@provider-maintenance", "Rectifying", none()).await?;
        let answer = responses(json!([response(1, "已整改")]));
        self.0.execute(Caller::Department, merge("insp/answered", answer)).await?;
        self.seen("insp/answered", "AwaitingDecision", none()).await?;
        let closed = "decision=approved reviewed-generation=1 opinion=整改到位";
        self.decided("insp/closed", closed, "Approved", "Closed", none()).await
    }
}
