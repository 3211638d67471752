//! Scope of a queue: one namespace, all of them, or the filing namespaces of the caller's Regions.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::super::error::CliError;
use super::super::messages;
use super::super::output::Lang;
use super::super::record::{Kind, Record};
use super::super::region_calendars::RegionCalendars;
use super::super::session::Session;

/// Lists under way at once.
const AT_ONCE: usize = 16;

/// Namespaces whose records are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All namespaces of the cluster.
    All,
    /// One namespace.
    Namespace(String),
    /// The filing namespaces of Regions that hold records.
    Regions(Inbox),
}

/// Filing namespaces of Regions, as their status lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inbox {
    /// Codes of the Regions.
    pub(super) regions: BTreeSet<String>,
    /// Names of the namespaces.
    pub(super) namespaces: BTreeSet<String>,
    /// Number of namespaces that the Regions do not list.
    pub(super) left_out: usize,
}

/// Records of a scope.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The records.
    pub(super) records: Vec<Record>,
    /// Namespaces in which the caller may not list some kind of record.
    pub(super) refused: BTreeSet<String>,
}

impl Inbox {
    /// The inbox of these Regions.
    pub(super) fn of(regions: BTreeSet<String>, known: &RegionCalendars) -> Self {
        let mut inbox = Self { regions, ..Self::default() };
        let statuses = inbox.regions.iter().filter_map(|code| known.regions.get(code)?.status.as_ref());
        for status in statuses {
            inbox.namespaces.extend(status.filing_namespaces.iter().cloned());
            let left_out = status.filing_namespaces_not_listed.unwrap_or_default();
            inbox.left_out += usize::try_from(left_out).unwrap_or_default();
        }
        inbox
    }

    /// Codes of the Regions, for people.
    fn codes(&self, lang: Lang) -> String {
        let codes: Vec<&str> = self.regions.iter().map(String::as_str).collect();
        codes.join(lang.pick("、", ", "))
    }
}

impl Scope {
    /// Lists the records of every kind. Of Regions, a namespace that the caller may not read is named, and is no error: an officer
    /// need not be bound in each.
    pub(super) async fn list(&self, session: &Session) -> Result<Listed, CliError> {
        let namespace = match self {
            Self::Regions(inbox) => return list_each(session, &inbox.namespaces).await,
            Self::All => None,
            Self::Namespace(namespace) => Some(namespace.as_str()),
        };
        let mut listed = Listed::default();
        for records in
            futures::future::try_join_all(Kind::ALL.map(|kind| session.list(kind, namespace))).await?
        {
            listed.records.extend(records);
        }
        Ok(listed)
    }

    /// Names the scope at which nothing waits.
    pub(super) fn text(&self, lang: Lang) -> String {
        match self {
            Self::All => messages::in_all(lang),
            Self::Namespace(namespace) => messages::in_namespace(lang, namespace),
            Self::Regions(inbox) => messages::in_regions(lang, inbox.codes(lang)),
        }
    }

    /// Notes on what is not in the list, and how to see it.
    pub(super) fn gaps(&self, refused: &BTreeSet<String>, lang: Lang) -> Vec<String> {
        let left_out = match self {
            Self::Regions(inbox) => inbox.left_out,
            Self::All | Self::Namespace(_) => 0,
        };
        let names: Vec<&str> = refused.iter().map(String::as_str).collect();
        let refused =
            (!names.is_empty()).then(|| messages::queue_refused(lang, names.join(lang.pick("、", ", "))));
        let left_out = (left_out > 0).then(|| messages::queue_left_out(lang, left_out));
        refused.into_iter().chain(left_out).collect()
    }
}

/// Lists the records in each of these namespaces.
async fn list_each(session: &Session, namespaces: &BTreeSet<String>) -> Result<Listed, CliError> {
    let requests: Vec<(Kind, String)> =
        namespaces.iter().flat_map(|n| Kind::ALL.map(|kind| (kind, n.clone()))).collect();
    let answer = |(kind, namespace): (Kind, String)| async move {
        let records = session.list_readable(kind, &namespace).await?;
        Ok::<_, CliError>((namespace, records))
    };
    let answers: Vec<(String, Option<Vec<Record>>)> =
        stream::iter(requests).map(answer).buffered(AT_ONCE).try_collect().await?;
    let mut listed = Listed::default();
    for (namespace, records) in answers {
        match records {
            Some(records) => listed.records.extend(records),
            None => {
                listed.refused.insert(namespace);
            }
        }
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn region(code: &str, status: serde_json::Value) -> serde_json::Value {
        json!({
            "apiVersion": "govcloud.dev/v1alpha1", "kind": "Region", "metadata": { "name": code },
            "spec": {
                "displayName": { "zh": "某地", "en": "Somewhere" }, "tier": "Province", "authority": "大数据局", "provider": "某云服务商",
                "platform": { "protectionLevel": 3 }, "calendar": "cn", "tenancy": { "storageClasses": ["hostpath"] },
            },
            "status": status,
        })
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn an_inbox_has_the_namespaces_of_its_regions_alone() {
        let known = RegionCalendars::from_objects(
            vec![
                region("410000", json!({ "filingNamespaces": ["dept-transport", "dept-health"], "filingNamespacesNotListed": 3 })),
                region("410100", json!({ "filingNamespaces": ["dept-zhengzhou"] })),
                region("410200", json!({})),
            ],
            Vec::new(),
        )
        .unwrap();
        let inbox = Inbox::of(set(&["410000", "410200", "419999"]), &known);
        assert_eq!((inbox.namespaces.clone(), inbox.left_out), (set(&["dept-health", "dept-transport"]), 3));
        let scope = Scope::Regions(inbox);
        assert_eq!(scope.text(Lang::En), "in the filing namespaces of region 410000, 410200, 419999");
        assert_eq!(scope.text(Lang::Zh), "区域 410000、410200、419999 的部门申报空间中");
    }

    #[test]
    fn what_is_not_listed_is_said() {
        let inbox = Inbox { left_out: 3, ..Inbox::default() };
        let gaps = Scope::Regions(inbox).gaps(&set(&["dept-a", "dept-b"]), Lang::En);
        assert!(gaps[0].contains("dept-a, dept-b") && gaps[1].starts_with("3 more"), "{gaps:?}");
        assert!(Scope::Regions(Inbox::default()).gaps(&set(&[]), Lang::Zh).is_empty());
        assert!(Scope::All.gaps(&set(&[]), Lang::Zh).is_empty());
    }
}
