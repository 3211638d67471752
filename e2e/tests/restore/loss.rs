//! Objects that are lost past the policies that keep them: a cluster-admin can take these away (docs/approval.md).

use anyhow::Result;
use e2e::actors::Actor;
use e2e::fixtures::PATIENCE;
use e2e::install;
use e2e::suite::Context;
use e2e::wait::eventually;
use serde_json::{Value, json};

/// The binding of a policy.
const BINDING: &str = "validatingadmissionpolicybinding";

/// Deletes objects, each by kind and name, while the bindings of some policies are gone.
pub async fn lose(context: &Context, guards: &[&str], namespace: &str, what: &[[&str; 2]]) -> Result<()> {
    let admin = context.cluster.kubectl(Actor::PlatformAdmin);
    let mut kept = Vec::new();
    for guard in guards {
        kept.push(admin.run(&["get", BINDING, guard, "-o", "json"]).await?);
        admin.run(&["delete", BINDING, guard]).await?;
    }
    for [kind, name] in what {
        // Policies are gone a moment after their bindings.
        let gone = || async {
            let deleted = admin.output(&["delete", kind, name, "-n", namespace]).await?;
            Ok(deleted.status.success().then_some(()))
        };
        eventually(&format!("{kind} {name} is lost"), PATIENCE, gone).await?;
    }
    for guard in kept {
        let guard: Value = serde_json::from_str(&guard)?;
        let meta = &guard["metadata"];
        let put_back = json!({
            "apiVersion": guard["apiVersion"], "kind": guard["kind"], "spec": guard["spec"],
            "metadata": {"name": meta["name"], "labels": meta["labels"]},
        });
        admin.apply(&put_back.to_string()).await?;
    }
    let client = context.cluster.client(Actor::Admin).await?;
    install::wait_policies_active(&admin, &client).await
}
