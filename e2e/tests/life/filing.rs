//! A filing namespace: marked from the first open record to the last, not deleted meanwhile, and listed by its Region.

use anyhow::{Result, ensure};
use e2e::actors::Actor;
use e2e::fixtures::{self, Department, HENAN, Kind, PATIENCE};
use e2e::suite::Context;
use e2e::wait::{eventually, until_gone};
use govcloud_api::region::Region;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use serde_json::json;

pub async fn s3_a_filing_namespace_with_open_records_is_not_deleted(context: Context) -> Result<()> {
    let cluster = &context.cluster;
    fixtures::regions(cluster).await?;
    let namespace = context.filing_namespace("dept-kept", HENAN).await?;
    let department = Department::open(cluster, &namespace, HENAN).await?;
    let application = department.provision(department.application("travel")?).await?;
    let (tenant, _) = Department::tenant(&application, "prod")?;
    context.dump_on_failure(&tenant);
    ensure!(department.is_marked().await?, "provisioned in a namespace that could be deleted");
    nobody_deletes_it(&department).await?;
    listed(&department, true).await?;

    let exit = department.exit("travel-exit", "travel", json!({"default": "Destroy"}))?;
    department.file(&exit).await?;
    department.consent("travel-exit").await?;
    nobody_deletes_it(&department).await?;
    department.approve(Kind::Exit, "travel-exit").await?;
    department.phase(Kind::Exit, "travel-exit", "Completed").await?;
    department.phase(Kind::Application, "travel", "Exited").await?;
    department.phase(Kind::Grant, "travel", "Released").await?;
    department.unmarked().await?;

    // Records that are over go with it.
    let admin = cluster.kubectl(Actor::PlatformAdmin);
    admin.run(&["delete", "namespace", &namespace, "--wait=false"]).await?;
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    until_gone(namespaces, &namespace, None, PATIENCE).await?;
    listed(&department, false).await
}

/// Neither cluster-admin nor who holds every right deletes it, gives it to another region, or takes the mark off.
async fn nobody_deletes_it(department: &Department) -> Result<()> {
    let name = department.namespace.as_str();
    let attempts: [(&[&str], &str); 4] = [
        (&["delete", "namespace", name, "--wait=false"], "未办结的申请记录，任何人不得删除"),
        (
            &["delete", "namespace", name, "--wait=false", "--force", "--grace-period=0"],
            "List them: kubectl get capp,chreq,decom,grant,stmt,comp,insp,asmt -n",
        ),
        (&["label", "namespace", name, "govcloud.dev/filing-region-"], "keeps govcloud.dev/filing-region"),
        (&["label", "namespace", name, "govcloud.dev/open-records-"], "is the operator's mark"),
    ];
    for actor in [Actor::PlatformAdmin, Actor::Admin] {
        let kubectl = department.cluster().kubectl(actor);
        for (args, words) in attempts {
            let output = kubectl.output(args).await?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(!output.status.success() && said.contains(words), "{actor:?} {args:?}: {said}");
        }
    }
    let namespaces: Api<Namespace> = Api::all(department.admin().await?);
    ensure!(namespaces.get(name).await?.metadata.deletion_timestamp.is_none(), "{name} is being deleted");
    Ok(())
}

/// The Region lists the namespace, or does not.
async fn listed(department: &Department, expected: bool) -> Result<()> {
    let regions: Api<Region> = Api::all(department.admin().await?);
    let probe = || async {
        let status = regions.get(HENAN).await?.status.unwrap_or_default();
        let found = status.filing_namespaces.contains(&department.namespace);
        Ok((found == expected).then_some(()))
    };
    eventually(&format!("the Region lists {}: {expected}", department.namespace), PATIENCE, probe).await
}
