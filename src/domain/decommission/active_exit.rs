//! Active exit of an application, among those that were filed (Art. 16).

use std::sync::Arc;

use govcloud_api::decommission::{Decommission, DecommissionPhase, Scope};

fn phase(exit: &Decommission) -> Option<DecommissionPhase> {
    exit.status.as_ref()?.phase
}

/// The exit of the application of this UID that is under way or done. One that came to nothing does not count,
/// nor one that was not looked at yet, nor one of some of its volumes.
#[must_use]
pub fn exit_of(filed: impl IntoIterator<Item = Arc<Decommission>>, uid: &str) -> Option<Arc<Decommission>> {
    let counts = |d: &Arc<Decommission>| {
        d.spec.scope == Scope::Application
            && phase(d).is_some_and(|p| !p.came_to_nothing())
            && d.status.as_ref().and_then(|s| s.application_uid.as_deref()) == Some(uid)
    };
    filed.into_iter().filter(counts).max_by_key(|d| phase(d))
}

/// The exits of some volumes that are being reclaimed: what they destroy is not kept.
#[must_use]
pub fn clearing(filed: impl IntoIterator<Item = Arc<Decommission>>) -> Vec<Arc<Decommission>> {
    let clears = |d: &Arc<Decommission>| {
        d.spec.scope == Scope::Volumes && phase(d) == Some(DecommissionPhase::Reclaiming)
    };
    filed.into_iter().filter(clears).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(name: &str, scope: Scope, phase: Option<DecommissionPhase>, uid: &str) -> Arc<Decommission> {
        let filed = include_str!("../../../config/samples/travel-exit.yaml");
        let mut exit: Decommission = serde_saphyr::from_str(filed).unwrap();
        exit.metadata.name = Some(name.to_owned());
        exit.spec.scope = scope;
        let status = exit.status.get_or_insert_default();
        status.phase = phase;
        status.application_uid = Some(uid.to_owned());
        Arc::new(exit)
    }

    fn names(exits: impl IntoIterator<Item = Arc<Decommission>>) -> Vec<String> {
        exits.into_iter().filter_map(|d| d.metadata.name.clone()).collect()
    }

    #[test]
    fn exit_of_returns_the_furthest_exit_with_a_result() {
        use DecommissionPhase::{Completed, HandingOver, Inventory, Reclaiming, Rejected, Withdrawn};
        let filed = [
            exit("rejected", Scope::Application, Some(Rejected), "u"),
            exit("withdrawn", Scope::Application, Some(Withdrawn), "u"),
            exit("inventory", Scope::Application, Some(Inventory), "u"),
            exit("handing", Scope::Application, Some(HandingOver), "u"),
            exit("unseen", Scope::Application, None, "u"),
            exit("earlier", Scope::Application, Some(Completed), "of an earlier record"),
            exit("volumes", Scope::Volumes, Some(Reclaiming), "u"),
        ];
        assert_eq!(names(exit_of(filed.clone(), "u")), ["handing"]);
        assert_eq!(names(exit_of(filed[..2].to_vec(), "u")), [""; 0]);
        let done = exit("done", Scope::Application, Some(Completed), "u");
        assert_eq!(names(exit_of(filed.into_iter().chain([done]), "u")), ["done"]);
    }

    #[test]
    fn clearing_returns_exits_of_scope_volumes_while_reclaiming() {
        use DecommissionPhase::{AwaitingDecision, Completed, Reclaiming};
        let filed = [
            exit("whole", Scope::Application, Some(Reclaiming), "u"),
            exit("asked", Scope::Volumes, Some(AwaitingDecision), "u"),
            exit("clears", Scope::Volumes, Some(Reclaiming), "u"),
            exit("cleared", Scope::Volumes, Some(Completed), "u"),
        ];
        assert_eq!(names(clearing(filed)), ["clears"]);
    }
}
