//! The records that the plugin reads, raw and typed, by the names that kubectl accepts.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::CliError;
use super::messages;
use super::output::Lang;
use govcloud_api::application::CloudApplication;
use govcloud_api::assessment::Assessment;
use govcloud_api::change::ChangeRequest;
use govcloud_api::compliance::ComplianceRecord;
use govcloud_api::condition::{Condition, ConditionStatus};
use govcloud_api::deadline::Deadline;
use govcloud_api::decommission::Decommission;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::inspection::Inspection;
use govcloud_api::keys;
use govcloud_api::record::RecordStatus;
use govcloud_api::resources::{self, ResourceType};
use govcloud_api::statement::Statement;
use govcloud_domain::digest::spec_digest;
use govcloud_domain::reason::Reason;

/// Kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Application,
    Change,
    Exit,
    Grant,
    Statement,
    Compliance,
    Inspection,
    Assessment,
}

impl Kind {
    /// Every kind, in the order of the lifecycle.
    pub(super) const ALL: [Self; 8] = [
        Self::Application,
        Self::Change,
        Self::Exit,
        Self::Grant,
        Self::Statement,
        Self::Compliance,
        Self::Inspection,
        Self::Assessment,
    ];

    /// Kinds that the authority decides on.
    pub(super) const DECIDED: [Self; 7] = [
        Self::Application,
        Self::Change,
        Self::Exit,
        Self::Statement,
        Self::Compliance,
        Self::Inspection,
        Self::Assessment,
    ];

    /// Resource type in the API, and short name.
    const fn names(self) -> (ResourceType, &'static str) {
        match self {
            Self::Application => (resources::CLOUD_APPLICATION, "capp"),
            Self::Change => (resources::CHANGE_REQUEST, "chreq"),
            Self::Exit => (resources::DECOMMISSION, "decom"),
            Self::Grant => (resources::RESOURCE_GRANT, "grant"),
            Self::Statement => (resources::STATEMENT, "stmt"),
            Self::Compliance => (resources::COMPLIANCE_RECORD, "comp"),
            Self::Inspection => (resources::INSPECTION, "insp"),
            Self::Assessment => (resources::ASSESSMENT, "asmt"),
        }
    }

    /// Resource type in the API.
    pub(super) const fn resource_type(self) -> ResourceType {
        self.names().0
    }

    /// Short name that kubectl accepts.
    pub(super) const fn short_name(self) -> &'static str {
        self.names().1
    }

    /// Parses any name that kubectl accepts: kind, plural or short name, with or without the group.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let bare = lower
            .strip_suffix(".v1alpha1.govcloud.dev")
            .or_else(|| lower.strip_suffix(".govcloud.dev"))
            .unwrap_or(&lower);
        Self::ALL.into_iter().find(|k| {
            let (resource, short) = k.names();
            bare == resource.kind.to_ascii_lowercase() || bare == resource.plural || bare == short
        })
    }
}

/// A record, as `KIND/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) name: String,
}

impl Target {
    /// Parses `KIND/NAME`.
    pub(super) fn parse(text: &str, lang: Lang) -> Result<Self, CliError> {
        let wrong = || CliError::Usage(messages::bad_target(lang, text));
        let (kind, name) = text.split_once('/').ok_or_else(wrong)?;
        let kind = Kind::parse(kind).ok_or_else(wrong)?;
        if name.is_empty() || name.contains('/') {
            return Err(wrong());
        }
        Ok(Self { kind, name: name.to_owned() })
    }

    /// Parses `KIND/NAME` of a record that the authority decides on.
    pub(super) fn parse_decided(text: &str, lang: Lang) -> Result<Self, CliError> {
        let target = Self::parse(text, lang)?;
        if target.kind == Kind::Grant {
            return Err(CliError::Usage(messages::not_decided(lang, target.kind.resource_type().kind)));
        }
        Ok(target)
    }

    /// Parses the name of a Decommission, with or without its kind. The result may be of another kind.
    pub(super) fn parse_exit(text: &str, lang: Lang) -> Result<Self, CliError> {
        if text.contains('/') {
            Self::parse(text, lang)
        } else {
            Ok(Self { kind: Kind::Exit, name: text.to_owned() })
        }
    }

    /// Parses the name of a Statement, with or without its kind.
    pub(super) fn parse_statement(text: &str, lang: Lang) -> Result<Self, CliError> {
        let target = match text.contains('/') {
            true => Self::parse(text, lang)?,
            false => Self { kind: Kind::Statement, name: text.to_owned() },
        };
        if target.kind != Kind::Statement {
            return Err(CliError::Usage(messages::not_a_statement(lang, target)));
        }
        Ok(target)
    }

    /// The error for a record of another kind where a Decommission is needed. It names those of its application.
    pub(super) fn not_an_exit(&self, exits: &[Record], lang: Lang) -> CliError {
        let of_application = |exit: &&Record| {
            matches!(self.kind, Kind::Application | Kind::Grant)
                && exit.application() == Some(self.name.as_str())
        };
        let names: Vec<String> =
            exits.iter().filter(of_application).map(|exit| exit.target.to_string()).collect();
        let advice = match names.as_slice() {
            [] => messages::no_exits(lang),
            names => messages::its_exits(lang, names.join(lang.pick("、", ", "))),
        };
        CliError::Usage(messages::not_an_exit(lang, self, advice))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.short_name(), self.name)
    }
}

/// The typed object of a record.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Application(Box<CloudApplication>),
    Change(Box<ChangeRequest>),
    Exit(Box<Decommission>),
    Grant(Box<ResourceGrant>),
    Statement(Box<Statement>),
    Compliance(Box<ComplianceRecord>),
    Inspection(Box<Inspection>),
    Assessment(Box<Assessment>),
}

/// A record as it was read.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) target: Target,
    /// The object as read: digests and comparisons use it.
    pub(super) raw: Value,
    pub(super) body: Body,
    /// Status fields that every record has.
    pub(super) status: RecordStatus,
}

impl Record {
    /// Parses an object of `kind`.
    pub(super) fn read(kind: Kind, raw: Value, lang: Lang) -> Result<Self, CliError> {
        let name = raw["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let target = Target { kind, name };
        let body = match kind {
            Kind::Application => typed(&raw).map(|b| Body::Application(Box::new(b))),
            Kind::Change => typed(&raw).map(|b| Body::Change(Box::new(b))),
            Kind::Exit => typed(&raw).map(|b| Body::Exit(Box::new(b))),
            Kind::Grant => typed(&raw).map(|b| Body::Grant(Box::new(b))),
            Kind::Statement => typed(&raw).map(|b| Body::Statement(Box::new(b))),
            Kind::Compliance => typed(&raw).map(|b| Body::Compliance(Box::new(b))),
            Kind::Inspection => typed(&raw).map(|b| Body::Inspection(Box::new(b))),
            Kind::Assessment => typed(&raw).map(|b| Body::Assessment(Box::new(b))),
        };
        let body = body.map_err(|why| CliError::failed(messages::malformed(lang, &target, why)))?;
        let status = match &body {
            Body::Application(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Change(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Exit(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Grant(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Statement(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Compliance(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Inspection(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Assessment(b) => b.status.as_ref().map(|s| s.record.clone()),
        };
        Ok(Self { target, raw, body, status: status.unwrap_or_default() })
    }

    fn metadata(&self, field: &str) -> &str {
        self.raw["metadata"][field].as_str().unwrap_or_default()
    }

    /// Namespace.
    pub(super) fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    /// UID.
    pub(super) fn uid(&self) -> &str {
        self.metadata("uid")
    }

    /// Resource version.
    pub(super) fn resource_version(&self) -> &str {
        self.metadata("resourceVersion")
    }

    /// Time of creation.
    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.metadata("creationTimestamp").parse().ok()
    }

    /// Generation of the spec.
    pub(super) fn generation(&self) -> i64 {
        self.raw["metadata"]["generation"].as_i64().unwrap_or(0)
    }

    /// Value of an annotation.
    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.raw["metadata"]["annotations"][key].as_str()
    }

    /// Username of the requester.
    pub(super) fn requested_by(&self) -> &str {
        self.annotation(keys::REQUESTED_BY).unwrap_or_default()
    }

    /// Code of the region.
    pub(super) fn region(&self) -> &str {
        self.raw["spec"]["region"].as_str().unwrap_or_default()
    }

    /// Phase; empty before the first reconcile.
    pub(super) fn phase(&self) -> &str {
        self.raw["status"]["phase"].as_str().unwrap_or_default()
    }

    /// The condition that says that the admission policies are incomplete, if there is one: a decision would not count.
    pub(super) fn violation(&self) -> Option<&Condition> {
        self.status.conditions.iter().find(|c| {
            c.type_ == "Stalled"
                && c.status == ConditionStatus::True
                && c.reason == Reason::PolicyIntegrityViolated.as_ref()
        })
    }

    /// Returns true if a decision on it would not count now.
    pub(super) fn policies_violated(&self) -> bool {
        self.violation().is_some()
    }

    /// Digest of what a decision is on.
    pub(super) fn digest(&self) -> String {
        spec_digest(&self.raw["spec"])
    }

    /// Every clock of the record; of an inspection those of its findings.
    pub(super) fn deadlines(&self) -> Vec<&Deadline> {
        let findings = match &self.body {
            Body::Inspection(b) => b.status.as_ref().map(|s| s.findings.as_slice()),
            _ => None,
        };
        let of_findings = findings.into_iter().flatten().map(|f| &f.deadline);
        self.status.deadlines.iter().chain(of_findings).collect()
    }

    /// Name of the application that the record is about.
    pub(super) fn application(&self) -> Option<&str> {
        match &self.body {
            Body::Application(_) => Some(&self.target.name),
            Body::Change(b) => b.spec.resource_adjustment.as_ref().map(|a| a.application.as_str()),
            Body::Exit(b) => Some(&b.spec.application),
            Body::Grant(b) => Some(&b.spec.application.name),
            Body::Statement(_) => None,
            Body::Compliance(b) => b.spec.application.as_deref(),
            Body::Inspection(b) => b.spec.application.as_deref(),
            Body::Assessment(_) => None,
        }
    }

    /// Name of the system or title of the plan, if the record contains one.
    pub(super) fn title(&self) -> Option<&str> {
        match &self.body {
            Body::Application(b) => Some(&b.spec.system.name),
            Body::Change(b) => b.spec.platform_maintenance.as_ref().map(|m| m.plan.title.as_str()),
            Body::Exit(b) => {
                b.status.as_ref().and_then(|s| s.certificate.as_ref()).map(|c| c.system.as_str())
            }
            Body::Grant(_) => None,
            Body::Statement(b) => Some(&b.spec.month),
            Body::Compliance(b) => Some(&b.spec.document.title),
            Body::Inspection(b) => b.spec.report.as_ref().map(|r| r.title.as_str()),
            Body::Assessment(_) => None,
        }
    }
}

/// Returns the name of a constant in the API.
pub(super) fn api_name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn typed<T: DeserializeOwned>(raw: &Value) -> Result<T, String> {
    serde_json::from_value(raw.clone()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::test_fixtures;
    use super::*;

    #[test]
    fn target_parse_accepts_the_names_of_kubectl() {
        for text in [
            "capp/travel",
            "cloudapplications/travel",
            "CloudApplication/travel",
            "cloudapplications.govcloud.dev/travel",
            "cloudapplications.v1alpha1.govcloud.dev/travel",
        ] {
            assert_eq!(Target::parse(text, Lang::En).unwrap().to_string(), "capp/travel");
        }
        assert_eq!(Target::parse_exit("travel-exit", Lang::En).unwrap().to_string(), "decom/travel-exit");
        for text in ["travel", "pod/travel", "capp/", "capp/a/b", "/a"] {
            assert!(matches!(Target::parse(text, Lang::En), Err(CliError::Usage(_))), "{text}");
        }
        assert!(Target::parse_decided("grant/travel", Lang::En).is_err());
    }

    #[test]
    fn a_record_that_is_no_exit_is_refused_with_its_exits() {
        let record = test_fixtures::record(Kind::Exit, test_fixtures::awaiting_consent());
        let refused = |text: &str| {
            let target = Target::parse_exit(text, Lang::En).unwrap();
            target.not_an_exit(std::slice::from_ref(&record), Lang::En).to_string()
        };
        let text = refused("capp/travel");
        assert!(text.starts_with("\"capp/travel\" is not a Decommission"), "{text}");
        assert!(text.ends_with("Its exits: decom/travel-exit"), "{text}");
        assert!(refused("capp/other").ends_with("It has none in this namespace"));
        assert!(refused("chreq/travel").ends_with("It has none in this namespace"), "the name of a change");
    }
}
