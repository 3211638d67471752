//! Withdrawal: before a decision, and of an approved application of which nothing was made.

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::suite::Context;
use e2e::wait::eventually;

use super::{PATIENCE, filed, govcloud, until};

pub async fn department_withdraws_its_record(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let withdraw = format!("withdraw capp/travel -n {namespace} --yes");
    govcloud(&context, Actor::Authority410000, &withdraw).await?.expect(1, &["refused: "])?;
    govcloud(&context, Actor::Department, &withdraw).await?.expect(0, &["capp/travel is withdrawn"])?;
    until(&context, &namespace, "phase", "Withdrawn").await
}

/// A quota in the filing namespace refuses the grant, so that nothing is ever made of the approval. The department withdraws,
/// and nothing keeps its filing namespace any more.
pub async fn an_approved_application_that_is_never_provisioned_is_withdrawn(context: Context) -> Result<()> {
    let namespace = filed(&context).await?;
    let admin = context.cluster.kubectl(Actor::Admin);
    let quota = format!(
        "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: no-grants, namespace: {namespace}}}, \
         spec: {{hard: {{count/resourcegrants.govcloud.dev: \"0\"}}}}}}"
    );
    admin.apply(&quota).await?;
    let hard = ["get", "quota", "no-grants", "-n", &namespace, "-o", "jsonpath={.status.hard}"];
    let counted = || async {
        let now = admin.run(&hard).await?;
        ensure!(now.contains("resourcegrants"), "status.hard is {now:?}");
        Ok(Some(()))
    };
    eventually("the quota is enforced", PATIENCE, counted).await?;
    let approve = format!("approve capp/travel -n {namespace} --yes");
    govcloud(&context, Actor::Authority410000, &approve).await?.expect(0, &[])?;
    until(&context, &namespace, "phase", "Provisioning").await?;
    let withdraw = format!("withdraw capp/travel -n {namespace} --yes");
    govcloud(&context, Actor::Authority410000, &withdraw).await?.expect(1, &["refused: "])?;
    govcloud(&context, Actor::Department, &withdraw)
        .await?
        .expect(0, &["it ends if nothing was made of it yet", "capp/travel is withdrawn"])?;
    until(&context, &namespace, "phase", "Withdrawn").await?;
    let mark =
        ["get", "namespace", &namespace, "-o", "jsonpath={.metadata.labels.govcloud\\.dev/open-records}"];
    let unmarked = || async {
        let now = admin.run(&mark).await?;
        ensure!(now.is_empty(), "open-records is {now:?}");
        Ok(Some(()))
    };
    eventually("the filing namespace is not kept", PATIENCE, unmarked).await
}
