//! Fairness inside the API server: whose requests wait in which queue, by the API server's own word on each answer.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::{self, Actor};
use e2e::cluster::Setup;
use e2e::operator;
use e2e::requests;
use e2e::sample_department::DEPARTMENT;
use e2e::suite::{self, Context};
use kube::Client;
use kube::client::Body;

fn main() -> ExitCode {
    suite::main(Setup::Installed, e2e::tests![departments_are_queued_apart_from_the_operator])
}

/// The flow schema that a request was counted to, by its UID in the answer.
async fn schema(client: &Client, path: &str) -> Result<String> {
    let answer = client.send(http::Request::get(path).body(Body::empty())?).await?;
    let uid =
        answer.headers().get("x-kubernetes-pf-flowschema-uid").context("the answer names no flow schema")?;
    Ok(uid.to_str()?.to_owned())
}

async fn departments_are_queued_apart_from_the_operator(context: Context) -> Result<()> {
    let plane = &context.cluster.plane;
    let admin = plane.client(Actor::Admin).await?;
    let schemas = requests::get(&admin, "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas").await?;
    let named = schemas["items"].as_array().into_iter().flatten().map(|s| {
        let text = |field: &str| s["metadata"][field].as_str().unwrap_or_default().to_owned();
        (text("uid"), text("name"))
    });
    let named: BTreeMap<String, String> = named.collect();
    let records = format!("/apis/govcloud.dev/v1alpha1/namespaces/{DEPARTMENT}/cloudapplications");
    let operator = actors::client(&operator::credentials(plane).await?).await?;
    let department = plane.client(Actor::Department).await?;
    let authority = plane.client(Actor::Authority410000).await?;
    let asked = [
        ("a department's", &department, records.as_str(), "govcloud-departments"),
        ("its authority's", &authority, records.as_str(), "govcloud-departments"),
        ("the operator's", &operator, records.as_str(), "govcloud-operator"),
        ("a department's that is not of this project", &department, "/api/v1/namespaces", "global-default"),
        ("an administrator's", &admin, records.as_str(), "exempt"),
    ];
    for (whose, client, path, wanted) in asked {
        let uid = schema(client, path).await?;
        let name = named.get(&uid).with_context(|| format!("no flow schema of UID {uid}"))?;
        println!("{whose}: {name}");
        ensure!(name == wanted, "{whose} is counted to {name}, not to {wanted}");
    }
    Ok(())
}
