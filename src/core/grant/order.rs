//! From desired objects to writes, in the order in which they must happen.

use serde_json::Value;

use crate::core::plan::{Precondition, Step, Target, Write};
use crate::core::targets;
use crate::core::tenancy::{self, Content, LiveObject, TenantObject};

/// The writes of one grant in the order in which they must happen: the namespace, what bounds it, who may enter.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) first: Vec<Write>,
    bounds: Vec<Write>,
    pub(super) last: Vec<Write>,
    afterwards: Vec<Write>,
}

impl Order {
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
    let kind = match object.content() {
        Content::Namespace => targets::NAMESPACE,
        Content::ResourceQuota => targets::QUOTA,
        Content::LimitRange(_) => targets::LIMITS,
        Content::NetworkPolicy(_) => targets::NETWORK_POLICY,
        Content::RoleBinding(_) => targets::ROLE_BINDING,
    };
    kind.within(object.namespace().unwrap_or_default(), object.name())
}

fn precondition(live: &Value) -> Precondition {
    let text = |field: &str| live["metadata"][field].as_str().unwrap_or_default().to_owned();
    Precondition { uid: text("uid"), resource_version: text("resourceVersion") }
}

/// Removes an operator-labelled object that is no longer wanted.
pub(super) fn removal(r: tenancy::ObjectRef) -> Option<Write> {
    let removable = [targets::QUOTA, targets::LIMITS, targets::NETWORK_POLICY, targets::ROLE_BINDING];
    let target = removable.into_iter().find(|k| k.2 == r.kind)?.within(&r.namespace, &r.name);
    Some(Write::Delete(target, Precondition { uid: r.uid, resource_version: r.resource_version }))
}

/// One line of `spec.access` as tenancy knows it.
pub(in crate::core) fn access(a: &crate::api::application::Access) -> tenancy::Access<'_> {
    use crate::api::application::{AccessRole, SubjectKind};
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
