//! Takes one rule at a time out of a policy: some row must then get another answer, or the rule is idle.
//!
//! Takes minutes and disarms the cluster meanwhile, so it runs by itself:
//! `GOVCLOUD_PROVE_RULES=1 cargo test -p e2e --test attack_matrix -- --test-threads=1`.

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::install::wait_policies_active;
use e2e::suite::{Context, Test};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use kube::Api;
use kube::api::PostParams;

use crate::row::{Row, Verdict};
use crate::send::{Answer, Mode, Sender};
use crate::{fixtures_of, rows};

const POLICIES: [&str; 20] = [
    "govcloud-stamps",
    "govcloud-filing",
    "govcloud-decisions",
    "govcloud-later-fields",
    "govcloud-withdrawal",
    "govcloud-record-deletion",
    "govcloud-status",
    "govcloud-statements",
    "govcloud-grants",
    "govcloud-settings",
    "govcloud-filing-namespaces",
    "govcloud-tenant-namespaces",
    "govcloud-tenant-objects",
    "govcloud-operator-reach",
    "govcloud-tenant-claims",
    "govcloud-tenant-pods",
    "govcloud-tenant-services",
    "govcloud-volumes",
    "govcloud-definitions",
    "govcloud-roles",
];

/// Rules that no row can need here, by how they begin, and why they stand all the same.
const ELSEWHERE: [&str; 9] = [
    // The stamping policy sees to it before; `without_mutating_policies_clients_stamp` needs them.
    "request.operation != 'CREATE' || variables.after[?'govcloud.dev/requested-by']",
    "!variables.decides || request.operation == 'CREATE' || variables.after[?'govcloud.dev/decided-by']",
    "!variables.consents || variables.after[?'govcloud.dev/consented-by']",
    "!variables.confirms || variables.after[?'govcloud.dev/confirmed-by']",
    "!variables.objects || variables.after[?'govcloud.dev/objected-by']",
    // Nobody who decides may confirm; whoever changed his hat in between is refused here.
    "!variables.decides || variables.before[?'govcloud.dev/confirmed-by']",
    // Filed before there were policies; the same test needs it.
    "!variables.touched || variables.before[?'govcloud.dev/requested-by'].orValue('') != ''",
    // The one who decides does not file (govcloud-filing), so he changes nothing else anyway; checked twice on purpose.
    "!variables.touched || variables.nothingElse",
    // The API server drops the field unless the feature gate CrossNamespaceVolumeDataSource is on.
    "!variables.creates || object.spec.?dataSourceRef.?namespace",
];

/// A test for each policy.
pub fn tests() -> Vec<Test> {
    POLICIES
        .map(|policy| {
            Test::new(format!("every_rule_of_{policy}"), move |context| every_rule(context, policy))
        })
        .into()
}

async fn every_rule(context: Context, name: &'static str) -> Result<()> {
    let sender = fixtures_of(&context).await?;
    let admin = context.cluster.client(Actor::Admin).await?;
    let kubectl = context.cluster.kubectl(Actor::Admin);
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(admin.clone());
    let policy = policies.get(name).await?;
    let mut mine = Vec::new();
    for row in rows() {
        if heard(&sender, &row).await?.contains(&format!("Policy '{name}'")) {
            mine.push(row);
        }
    }
    let rules = policy.spec.as_ref().and_then(|spec| spec.validations.clone()).unwrap_or_default();
    let mut idle = Vec::new();
    // The first rule is the probe.
    for index in 1..rules.len() {
        let mut left = rules.clone();
        let rule = left.remove(index);
        if ELSEWHERE.iter().any(|known| rule.expression.starts_with(known)) {
            continue;
        }
        put(&policies, &policy, left).await?;
        wait_policies_active(&kubectl, &admin).await?;
        let mut noticed = false;
        for row in &mine {
            let Verdict::Denied(words) = row.verdict else { continue };
            let message = heard(&sender, row).await?;
            if !words.split(" | ").any(|w| message.contains(w)) {
                noticed = true;
                break;
            }
        }
        if !noticed {
            idle.push(rule.expression);
        }
    }
    put(&policies, &policy, rules).await?;
    wait_policies_active(&kubectl, &admin).await?;
    ensure!(idle.is_empty(), "rules that no row needs:\n{}", idle.join("\n"));
    Ok(())
}

async fn heard(sender: &Sender, row: &Row) -> Result<String> {
    if !matches!(row.verdict, Verdict::Denied(_)) {
        return Ok(String::new());
    }
    Ok(match sender.send(row.who, &row.ask, Mode::DryRun).await? {
        Answer::Refused(message) => message,
        _ => String::new(),
    })
}

async fn put(
    policies: &Api<ValidatingAdmissionPolicy>,
    whole: &ValidatingAdmissionPolicy,
    rules: Vec<k8s_openapi::api::admissionregistration::v1::Validation>,
) -> Result<()> {
    let name = whole.metadata.name.as_deref().context("no name")?;
    let mut policy = policies.get(name).await?;
    policy.spec.as_mut().context("no spec")?.validations = Some(rules);
    policies.replace(name, &PostParams::default(), &policy).await.map(drop)?;
    Ok(())
}
