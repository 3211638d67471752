//! The shipped roles, asked one by one: what they give, and what they do not (config/rbac; least privilege).

use anyhow::{Result, ensure};
use e2e::actors::{Actor, OPERATOR};
use e2e::suite::Context;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::Api;
use kube::api::PostParams;

use crate::fixtures_of;
use crate::target::{PLAIN, TRANSPORT};

const YES: bool = true;
const NO: bool = false;

/// Subject, whether it may, verbs, and `resource:subresource.group/name` in a namespace.
type Right = (&'static str, bool, &'static str, &'static str, &'static str);

const DEPARTMENT: &str = "govcloud:department:transport";
const PIPELINE: &str = "govcloud:pipeline";
const PROVINCE: &str = "govcloud:authority:410000";
const CITY: &str = "govcloud:authority:410100";
const PROVIDER: &str = "govcloud:provider";
const AUDITOR: &str = "govcloud:auditor";
const HEALTH: &str = "dept-zhengzhou-health";
const RECORDS: [&str; 5] = [
    "cloudapplications.govcloud.dev",
    "changerequests.govcloud.dev",
    "decommissions.govcloud.dev",
    "compliancerecords.govcloud.dev",
    "inspections.govcloud.dev",
];

/// Rights that the shipped roles and samples give. Nobody is in `system:authenticated` here.
const PEOPLE: &[Right] = &[
    (DEPARTMENT, YES, "create update patch delete file consent", "decommissions.govcloud.dev", TRANSPORT),
    (DEPARTMENT, YES, "get", "resourcegrants.govcloud.dev", TRANSPORT),
    (DEPARTMENT, NO, "create patch delete", "resourcegrants.govcloud.dev", TRANSPORT),
    (DEPARTMENT, NO, "get file consent", "decommissions.govcloud.dev", HEALTH),
    (DEPARTMENT, NO, "approve provision administer", "regions.govcloud.dev/410000", ""),
    (DEPARTMENT, YES, "get patch confirm", "statements.govcloud.dev", TRANSPORT),
    (DEPARTMENT, NO, "create delete", "statements.govcloud.dev", TRANSPORT),
    (DEPARTMENT, NO, "get confirm", "statements.govcloud.dev", HEALTH),
    (PIPELINE, NO, "patch confirm", "statements.govcloud.dev", TRANSPORT),
    (PROVINCE, YES, "patch delete", "statements.govcloud.dev", TRANSPORT),
    (PROVINCE, NO, "create confirm", "statements.govcloud.dev", TRANSPORT),
    (PROVIDER, YES, "get patch", "statements.govcloud.dev", TRANSPORT),
    (PROVIDER, NO, "create delete confirm", "statements.govcloud.dev", TRANSPORT),
    (PIPELINE, YES, "create patch file", "cloudapplications.govcloud.dev", TRANSPORT),
    (PIPELINE, NO, "consent", "decommissions.govcloud.dev", TRANSPORT),
    (PROVINCE, YES, "approve administer get update", "regions.govcloud.dev/410000", ""),
    (PROVINCE, NO, "approve administer update", "regions.govcloud.dev/410100", ""),
    (PROVINCE, NO, "provision", "regions.govcloud.dev/410000", ""),
    (PROVINCE, YES, "administer", "workcalendars.govcloud.dev/cn", ""),
    (PROVINCE, YES, "administer", "servicecatalogs.govcloud.dev/henan", ""),
    (PROVINCE, NO, "install", "gates.govcloud.dev", ""),
    (PROVINCE, NO, "file consent", "decommissions.govcloud.dev", TRANSPORT),
    (PROVINCE, YES, "create patch", "decommissions.govcloud.dev", TRANSPORT),
    (PROVINCE, NO, "create", "cloudapplications.govcloud.dev", TRANSPORT),
    (DEPARTMENT, YES, "get patch consent", "assessments.govcloud.dev", TRANSPORT),
    (DEPARTMENT, NO, "create delete file", "assessments.govcloud.dev", TRANSPORT),
    (PIPELINE, NO, "create patch consent", "assessments.govcloud.dev", TRANSPORT),
    (PROVINCE, YES, "create patch delete", "assessments.govcloud.dev", TRANSPORT),
    (PROVINCE, NO, "file consent", "assessments.govcloud.dev", TRANSPORT),
    (PROVIDER, YES, "get", "assessments.govcloud.dev", TRANSPORT),
    (PROVIDER, NO, "patch", "assessments.govcloud.dev", TRANSPORT),
    (PROVIDER, YES, "patch", "assessments.govcloud.dev", "provider-maintenance"),
    (CITY, YES, "approve administer", "regions.govcloud.dev/410100", ""),
    (CITY, NO, "approve administer", "regions.govcloud.dev/410000", ""),
    (CITY, NO, "get patch", "cloudapplications.govcloud.dev", TRANSPORT),
    (CITY, YES, "get patch", "cloudapplications.govcloud.dev", HEALTH),
    (PROVIDER, YES, "provision", "regions.govcloud.dev/410000", ""),
    (PROVIDER, NO, "approve administer", "regions.govcloud.dev/410000", ""),
    (PROVIDER, YES, "create patch delete", "resourcegrants.govcloud.dev", TRANSPORT),
    (PROVIDER, NO, "create patch file consent", "cloudapplications.govcloud.dev", TRANSPORT),
    (PROVIDER, YES, "create patch file", "changerequests.govcloud.dev", "provider-maintenance"),
    (PROVIDER, YES, "create patch file", "compliancerecords.govcloud.dev", "provider-maintenance"),
    (PROVIDER, NO, "create patch file", "compliancerecords.govcloud.dev", TRANSPORT),
    (PROVIDER, NO, "create delete", "inspections.govcloud.dev", "provider-maintenance"),
    (DEPARTMENT, YES, "create patch file", "compliancerecords.govcloud.dev", TRANSPORT),
    (DEPARTMENT, YES, "get patch file", "inspections.govcloud.dev", TRANSPORT),
    (DEPARTMENT, NO, "create delete", "inspections.govcloud.dev", TRANSPORT),
    (PIPELINE, NO, "patch file", "inspections.govcloud.dev", TRANSPORT),
    (PROVINCE, YES, "create patch delete", "inspections.govcloud.dev", TRANSPORT),
    (PROVINCE, NO, "create file", "compliancerecords.govcloud.dev", TRANSPORT),
    (AUDITOR, YES, "get list watch", "cloudapplications.govcloud.dev", HEALTH),
    (AUDITOR, YES, "list", "validatingadmissionpolicies.admissionregistration.k8s.io", ""),
    (AUDITOR, YES, "list", "mutatingwebhookconfigurations.admissionregistration.k8s.io", ""),
    (AUDITOR, YES, "get", "configmaps/govcloud-release", "govcloud-system"),
    (AUDITOR, NO, "get list", "configmaps", "govcloud-system"),
    (AUDITOR, YES, "list", "clusterrolebindings.rbac.authorization.k8s.io", ""),
    (AUDITOR, NO, "get list", "secrets", TRANSPORT),
    (AUDITOR, NO, "create patch delete", "cloudapplications.govcloud.dev", TRANSPORT),
];

/// Rights that the operator has, and rights that it must not have.
const OPERATORS: &[Right] = &[
    (OPERATOR, NO, "create update patch delete file consent", "cloudapplications.govcloud.dev", TRANSPORT),
    (OPERATOR, NO, "update patch approve provision administer", "regions.govcloud.dev/410000", ""),
    (OPERATOR, NO, "get list create", "secrets", PLAIN),
    (OPERATOR, NO, "create delete", "pods", PLAIN),
    (OPERATOR, NO, "create update delete", "persistentvolumes", ""),
    (OPERATOR, NO, "create update patch deletecollection", "persistentvolumeclaims", PLAIN),
    (OPERATOR, NO, "create update patch delete escalate", "clusterroles.rbac.authorization.k8s.io", ""),
    (OPERATOR, NO, "bind", "clusterroles.rbac.authorization.k8s.io/cluster-admin", ""),
    (OPERATOR, NO, "bind", "clusterroles.rbac.authorization.k8s.io/govcloud:department", ""),
    (OPERATOR, NO, "create patch delete", "clusterrolebindings.rbac.authorization.k8s.io", ""),
    (
        OPERATOR,
        NO,
        "update patch delete",
        "validatingadmissionpolicies.admissionregistration.k8s.io/govcloud-status",
        "",
    ),
    (
        OPERATOR,
        NO,
        "update patch delete",
        "customresourcedefinitions.apiextensions.k8s.io/regions.govcloud.dev",
        "",
    ),
    (OPERATOR, NO, "impersonate", "users", ""),
    (
        OPERATOR,
        NO,
        "create update patch delete",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "",
    ),
    (OPERATOR, NO, "install", "gates.govcloud.dev", ""),
    (OPERATOR, NO, "get update", "leases.coordination.k8s.io/other", "govcloud-system"),
    (OPERATOR, YES, "bind", "clusterroles.rbac.authorization.k8s.io/govcloud-tenant-edit", ""),
    (OPERATOR, YES, "create patch delete", "rolebindings.rbac.authorization.k8s.io", PLAIN),
    (OPERATOR, YES, "create patch delete", "namespaces", ""),
    (OPERATOR, YES, "patch", "persistentvolumes", ""),
    (OPERATOR, YES, "delete", "persistentvolumeclaims", PLAIN),
    // Ended ones of archived applications; policy holds the others.
    (OPERATOR, YES, "create patch delete", "resourcegrants.govcloud.dev", TRANSPORT),
    (OPERATOR, YES, "create", "events.events.k8s.io", TRANSPORT),
    (OPERATOR, NO, "patch delete", "events.events.k8s.io", TRANSPORT),
    (OPERATOR, YES, "create get patch", "leases.coordination.k8s.io/govcloud-operator", "govcloud-system"),
];

/// The tenant roles, bound in `plain` to groups of their names.
const TENANTS: &[Right] = &[
    ("govcloud-tenant-view", YES, "get list watch", "pods", PLAIN),
    ("govcloud-tenant-view", NO, "get list", "secrets", PLAIN),
    ("govcloud-tenant-view", NO, "create patch delete", "configmaps", PLAIN),
    ("govcloud-tenant-edit", YES, "create patch delete", "deployments.apps", PLAIN),
    ("govcloud-tenant-edit", YES, "create delete", "persistentvolumeclaims", PLAIN),
    ("govcloud-tenant-edit", YES, "get patch update", "pods:resize", PLAIN),
    ("govcloud-tenant-edit", YES, "get patch update", "pods:ephemeralcontainers", PLAIN),
    ("govcloud-tenant-admin", YES, "get patch update", "pods:resize", PLAIN),
    ("govcloud-tenant-admin", YES, "get patch update", "pods:ephemeralcontainers", PLAIN),
    ("govcloud-tenant-view", NO, "patch update", "pods:resize", PLAIN),
    ("govcloud-tenant-edit", NO, "create patch", "serviceaccounts", PLAIN),
    ("govcloud-tenant-admin", YES, "create patch", "serviceaccounts", PLAIN),
    ("govcloud-tenant-admin", YES, "list", "rolebindings.rbac.authorization.k8s.io", PLAIN),
];

/// Resources that no tenant role writes.
const APPROVED_ONLY: [&str; 9] = [
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "resourceclaims.resource.k8s.io",
    "resourceclaimtemplates.resource.k8s.io",
    "resourcequotas",
    "limitranges",
    "networkpolicies.networking.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
];

/// The test.
pub async fn shipped_roles_grant_documented_rights(context: Context) -> Result<()> {
    fixtures_of(&context).await?;
    let admin = context.cluster.kubectl(Actor::Admin);
    for role in ["govcloud-tenant-view", "govcloud-tenant-edit", "govcloud-tenant-admin"] {
        let (bound, group) = (format!("--clusterrole={role}"), format!("--group={role}"));
        admin.run(&["create", "rolebinding", role, "-n", PLAIN, &bound, &group]).await?;
    }
    let reviews: Api<SubjectAccessReview> = Api::all(context.cluster.client(Actor::Admin).await?);
    let mut rights: Vec<Right> = [PEOPLE, OPERATORS, TENANTS].concat();
    for kind in APPROVED_ONLY {
        for role in ["govcloud-tenant-view", "govcloud-tenant-edit", "govcloud-tenant-admin"] {
            rights.push((role, NO, "create update patch delete deletecollection", kind, PLAIN));
        }
    }
    for kind in RECORDS {
        rights.push((AUDITOR, NO, "file consent", kind, TRANSPORT));
    }
    let mut wrong = Vec::new();
    for (who, expected, verbs, what, namespace) in rights {
        for verb in verbs.split(' ') {
            if allowed(&reviews, who, verb, what, namespace).await? != expected {
                wrong.push(format!("{who} {verb} {what} in {namespace:?}: expected {expected}"));
            }
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn allowed(
    reviews: &Api<SubjectAccessReview>,
    who: &str,
    verb: &str,
    what: &str,
    namespace: &str,
) -> Result<bool> {
    let (kind, name) =
        what.split_once('/').map_or((what, None), |(kind, name)| (kind, Some(name.to_owned())));
    let (kind, subresource) = kind.split_once(':').map_or((kind, None), |(kind, sub)| (kind, Some(sub)));
    let (resource, group) = kind.split_once('.').unwrap_or((kind, ""));
    let user = who == OPERATOR;
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(if user { who } else { "somebody" }.to_owned()),
            groups: (!user).then(|| vec![who.to_owned()]),
            resource_attributes: Some(ResourceAttributes {
                verb: Some(verb.to_owned()),
                resource: Some(resource.to_owned()),
                subresource: subresource.map(str::to_owned),
                group: Some(group.to_owned()),
                name,
                namespace: Some(namespace.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let answer = reviews.create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}
