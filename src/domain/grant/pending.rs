//! Waiting for the API server to enforce a quota. It reads `status.hard`, which the quota controller of Kubernetes sets:
//! until that equals `spec.hard`, nothing counts as provisioned, changed or wound down (Art. 13, 15, 16; S1).

use jiff::{SignedDuration, Timestamp};

use super::{Evaluation, Gate, Observed};
use crate::bilingual::bilingual;
use crate::reason::Reason;
use crate::record::ReadyState;
use crate::tenancy::{NamespaceReport, TenancyOrder, TenancyReport};
use govcloud_api::deadline::Party;
use govcloud_api::grant::{GrantPhase, ResourceGrantStatus};
use govcloud_api::record::WaitingFor;
use govcloud_api::time::Instant;

/// Time that the quota controller has before its delay is reported.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);

/// The namespace whose quota a step of the grant waits for, and the time from which that is reported. `None` where nothing
/// waits: a grant in force stays so while drift in a quota is corrected.
pub(super) fn pending<'a>(
    seen: &Observed,
    stored: &ResourceGrantStatus,
    gate: &Gate,
    order: &TenancyOrder,
    report: &'a TenancyReport,
) -> Option<(&'a NamespaceReport, Timestamp)> {
    let restricts = super::outcome::restriction(order) != stored.restriction;
    let waits = *gate == Gate::Accepted
        || *gate == Gate::InForce && (restricts || stored.phase != Some(GrantPhase::Active));
    let namespace = report.pending_quota().filter(|_| waits)?;
    let since = began(seen).chain(namespace.quota_since).max().unwrap_or(Timestamp::MIN);
    Some((namespace, since.saturating_add(PATIENCE).unwrap_or(Timestamp::MAX)))
}

/// Times at which what the grant follows from last changed.
fn began(seen: &Observed) -> impl Iterator<Item = Timestamp> {
    let application = seen.application.as_ref().and_then(|(_, a)| a.status.as_ref()?.record.observed_at);
    let change = seen.change.as_ref().and_then(|(_, c)| c.status.as_ref()?.record.observed_at);
    let exit = seen.exit.as_ref().and_then(|exit| exit.status.as_ref()?.record.observed_at);
    let times = [application, change, exit].into_iter().flatten().map(|at: Instant| at.timestamp());
    times.chain(seen.meta.created_at)
}

impl Evaluation<'_> {
    /// Reports that the API server does not enforce a quota yet. The provider runs Kubernetes.
    pub(super) fn await_quota(&mut self, namespace: &NamespaceReport) {
        let active = self.status.in_force.is_some();
        self.status.phase = Some(if active { GrantPhase::Active } else { GrantPhase::Applying });
        self.builder.wait_on(Party::Provider, Some(WaitingFor::Provision), None);
        let name = &namespace.name;
        self.builder.set_ready_conditions(&ReadyState::Reconciling(
            Reason::QuotaNotCounted,
            bilingual!(
                "命名空间 {name} 的配额尚未生效：ResourceQuota 的 status.hard 与 spec.hard 不一致，须由 kube-controller-manager 统计；此前不视为已开通、已变更或已停止使用",
                "the quota of namespace {name} is not enforced yet: status.hard of its ResourceQuota differs from spec.hard, and kube-controller-manager has to count. Until then nothing counts as provisioned, changed or wound down"
            ),
        ));
    }
}
