//! From desired objects to writes, in the order in which they must happen.

use serde_json::Value;

use crate::plan::{Precondition, Step, Target, Write};
use crate::tenancy::{self, Content, LiveObject, TenantObject};
use govcloud_api::resources;

/// The writes of one grant in the order in which they must happen: the namespace, what bounds it, who may enter.
#[derive(Debug, Default)]
pub(super) struct WriteBatch {
    pub(super) first: Vec<Write>,
    bounds: Vec<Write>,
    pub(super) last: Vec<Write>,
    afterwards: Vec<Write>,
}

impl WriteBatch {
    /// Brings one object to what is desired; nothing where nothing differs.
    pub(super) fn bring(&mut self, object: &TenantObject, found: Option<&LiveObject>, fresh_namespace: bool) {
        let write = match found {
            // POST, so that what exists under that name is never adopted.
            None if fresh_namespace || object.content() == Content::Namespace => {
                Write::Create(target(object), object.to_apply_json())
            }
            None => Write::Apply(target(object), object.to_apply_json()),
            Some(live) => match tenancy::drift(object, live) {
                None => return,
                Some(paths) if tenancy::must_replace(&paths) => {
                    Write::Delete(target(object), precondition(&live.whole))
                }
                Some(_) => {
                    if let Some(patch) = tenancy::removal_patch(object, &live.whole) {
                        self.afterwards.push(Write::Correct(target(object), patch));
                    }
                    Write::Apply(target(object), object.to_apply_json())
                }
            },
        };
        match object.content() {
            Content::Namespace => self.first.push(write),
            Content::RoleBinding(_) => self.last.push(write),
            Content::ResourceQuota | Content::LimitRange(_) | Content::NetworkPolicy(_) => {
                self.bounds.push(write);
            }
        }
    }

    /// Whether nothing is to be written.
    pub(super) fn is_empty(&self) -> bool {
        [&self.first, &self.bounds, &self.last, &self.afterwards].iter().all(|writes| writes.is_empty())
    }

    pub(super) fn steps(self) -> Vec<Step> {
        let Self { first, bounds, last, afterwards } = self;
        [first, bounds, last, afterwards].into_iter().filter(|w| !w.is_empty()).map(Step::Write).collect()
    }
}

fn target(object: &TenantObject) -> Target {
    let resource = match object.content() {
        Content::Namespace => resources::NAMESPACE,
        Content::ResourceQuota => resources::RESOURCE_QUOTA,
        Content::LimitRange(_) => resources::LIMIT_RANGE,
        Content::NetworkPolicy(_) => resources::NETWORK_POLICY,
        Content::RoleBinding(_) => resources::ROLE_BINDING,
    };
    Target::namespaced(resource, object.namespace().unwrap_or_default(), object.name())
}

fn precondition(live: &Value) -> Precondition {
    let text = |field: &str| live["metadata"][field].as_str().unwrap_or_default().to_owned();
    Precondition { uid: text("uid"), resource_version: text("resourceVersion") }
}

/// Removes an operator-labelled object that is no longer wanted.
pub(super) fn removal(r: tenancy::ObjectRef) -> Option<Write> {
    let removable = [
        resources::RESOURCE_QUOTA,
        resources::LIMIT_RANGE,
        resources::NETWORK_POLICY,
        resources::ROLE_BINDING,
    ];
    let resource = removable.into_iter().find(|k| k.kind == r.kind)?;
    let target = Target::namespaced(resource, &r.namespace, &r.name);
    Some(Write::Delete(target, Precondition { uid: r.uid, resource_version: r.resource_version }))
}

/// One line of `spec.access` as tenancy knows it.
pub(crate) fn access(a: &govcloud_api::application::Access) -> tenancy::Access<'_> {
    use govcloud_api::application::{AccessRole, SubjectKind};
    tenancy::Access {
        kind: match a.subject.kind {
            SubjectKind::User => tenancy::SubjectKind::User,
            SubjectKind::Group => tenancy::SubjectKind::Group,
            SubjectKind::ServiceAccount => tenancy::SubjectKind::ServiceAccount,
        },
        name: &a.subject.name,
        namespace: None,
        role: match a.role {
            AccessRole::Admin => tenancy::Role::Admin,
            AccessRole::Edit => tenancy::Role::Edit,
            AccessRole::View => tenancy::Role::View,
        },
    }
}
