//! The keeper policy of each API server, which reads it from a file (docs/static-policies.md).
//!
//! The API does not show policies from files. A dry run does: a server with the keeper refuses a certain label on a shipped
//! policy to everybody, and names the keeper in its answer. No policy that is stored in the API is asked about policies.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::json;

use super::super::session::Session;
use super::{Finding, State};
use govcloud_api::resources::VALIDATING_ADMISSION_POLICY;

/// Name of the keeper, as in `config/static`.
const KEEPER: &str = "govcloud-keeper.static.k8s.io";

/// Shipped policy on which the dry run is made.
const PROBED: &str = "govcloud-decisions";

/// Longest time for a connection, and for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks each API server: those named, else the endpoints of Service `kubernetes`, else the one of the kubeconfig.
pub(super) async fn findings(session: &Session, named: &[String]) -> Vec<Finding> {
    let servers = if named.is_empty() { endpoints(session).await } else { named.to_vec() };
    join_all(servers.into_iter().map(|url| finding(session, url))).await
}

async fn finding(session: &Session, url: String) -> Finding {
    let state = probe(session, &url).await;
    Finding { object: format!("APIServer/{url}"), state, place: None, digest: None }
}

/// Addresses of the API servers.
async fn endpoints(session: &Session) -> Vec<String> {
    let slices: Api<EndpointSlice> = Api::namespaced(session.client.clone(), "default");
    let of_kubernetes = ListParams::default().labels("kubernetes.io/service-name=kubernetes");
    let found = match slices.list(&of_kubernetes).await {
        Ok(list) => list.items.iter().flat_map(addresses).collect(),
        Err(_) => BTreeSet::new(),
    };
    match found.is_empty() {
        true => vec![session.url().trim_end_matches('/').to_owned()],
        false => found.into_iter().collect(),
    }
}

/// URLs of the endpoints of a slice.
fn addresses(slice: &EndpointSlice) -> Vec<String> {
    let ports: Vec<i32> = slice.ports.iter().flatten().filter_map(|p| p.port).collect();
    let hosts = slice.endpoints.iter().flat_map(|e| &e.addresses);
    let host = |address: &String| match slice.address_type.as_str() {
        "IPv6" => format!("[{address}]"),
        _ => address.clone(),
    };
    hosts.flat_map(|a| ports.iter().map(move |p| format!("https://{}:{p}", host(a)))).collect()
}

/// The answer of one API server.
async fn probe(session: &Session, url: &str) -> State {
    let Ok(client) = session.client_at(url, PATIENCE) else { return State::Unreachable };
    let api: Api<DynamicObject> = Api::all_with(client, &VALIDATING_ADMISSION_POLICY.api_resource());
    let label = json!({ "metadata": { "labels": { "govcloud.dev/probe": "keeper" } } });
    let dry_run = PatchParams { dry_run: true, ..PatchParams::default() };
    answered(api.patch(PROBED, &dry_run, &Patch::Merge(&label)).await.map(drop))
}

/// State of an API server by its answer to the dry run.
fn answered(answer: kube::Result<()>) -> State {
    match answer {
        Ok(()) => State::LacksKeeper,
        Err(kube::Error::Api(status)) if status.message.contains(KEEPER) => State::HasKeeper,
        // Without the right to write policies, or without the policy, admission is not reached.
        Err(kube::Error::Api(status)) if [401, 403, 404].contains(&status.code) => State::NotKnown,
        Err(_) => State::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn refusal(code: u16, message: &str) -> kube::Result<()> {
        Err(kube::Error::Api(Box::new(Status { code, message: message.to_owned(), ..Status::default() })))
    }

    #[test]
    fn only_a_refusal_by_the_keeper_shows_it() {
        let keeper = "denied by ValidatingAdmissionPolicy 'govcloud-keeper.static.k8s.io': govcloud-probe";
        assert_eq!(answered(refusal(403, keeper)), State::HasKeeper);
        assert_eq!(answered(Ok(())), State::LacksKeeper);
        let rbac = "User \"a\" cannot patch resource \"validatingadmissionpolicies\"";
        for (code, message, state) in [
            (403, rbac, State::NotKnown),
            (404, "not found", State::NotKnown),
            (500, "etcd", State::Unreachable),
        ] {
            assert_eq!(answered(refusal(code, message)), state, "{code}");
        }
    }

    #[test]
    fn addresses_are_those_of_the_slice() {
        let slice = |kind: &str, address: &str| -> EndpointSlice {
            let endpoints = json!([{ "addresses": [address] }, { "addresses": [] }]);
            serde_json::from_value(json!({
                "metadata": { "name": "kubernetes" }, "addressType": kind, "endpoints": endpoints, "ports": [{ "name": "https", "port": 6443 }],
            }))
            .unwrap()
        };
        assert_eq!(addresses(&slice("IPv4", "10.0.0.1")), ["https://10.0.0.1:6443"]);
        assert_eq!(addresses(&slice("IPv6", "fd00::1")), ["https://[fd00::1]:6443"]);
    }
}
