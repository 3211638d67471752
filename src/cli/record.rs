//! The records that the plugin works on: named as kubectl names them, read raw and typed.

use std::fmt;

use jiff::Timestamp;
use kube::core::{ApiResource, GroupVersionKind};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::CliError;
use super::output::Lang;
use super::words;
use govcloud_api::application::CloudApplication;
use govcloud_api::change::ChangeRequest;
use govcloud_api::decommission::Decommission;
use govcloud_api::grant::ResourceGrant;
use govcloud_api::record::RecordStatus;
use govcloud_api::{GROUP, VERSION, keys};
use govcloud_domain::digest::spec_digest;

/// Kind of a filed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Application,
    Change,
    Exit,
    Grant,
}

impl Kind {
    /// All of them, in the order of a life.
    pub(super) const ALL: [Self; 4] = [Self::Application, Self::Change, Self::Exit, Self::Grant];

    /// Kind, plural, short name.
    pub(super) fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Application => ("CloudApplication", "cloudapplications", "capp"),
            Self::Change => ("ChangeRequest", "changerequests", "chreq"),
            Self::Exit => ("Decommission", "decommissions", "decom"),
            Self::Grant => ("ResourceGrant", "resourcegrants", "grant"),
        }
    }

    /// As requests name it.
    pub(super) fn resource(self) -> ApiResource {
        let (kind, plural, _) = self.names();
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, VERSION, kind), plural)
    }

    /// Reads any name that kubectl takes for it: kind, plural or short name, alone or with the group.
    fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let bare = lower
            .strip_suffix(".v1alpha1.govcloud.dev")
            .or_else(|| lower.strip_suffix(".govcloud.dev"))
            .unwrap_or(&lower);
        Self::ALL.into_iter().find(|k| {
            let (kind, plural, short) = k.names();
            bare == kind.to_ascii_lowercase() || bare == plural || bare == short
        })
    }
}

/// `KIND/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) name: String,
}

impl Target {
    /// Reads `KIND/NAME`.
    pub(super) fn parse(text: &str, lang: Lang) -> Result<Self, CliError> {
        let wrong = || CliError::Usage(words::bad_target(lang, text));
        let (kind, name) = text.split_once('/').ok_or_else(wrong)?;
        let kind = Kind::parse(kind).ok_or_else(wrong)?;
        if name.is_empty() || name.contains('/') {
            return Err(wrong());
        }
        Ok(Self { kind, name: name.to_owned() })
    }

    /// The same, of a record that the authority decides on.
    pub(super) fn parse_decided(text: &str, lang: Lang) -> Result<Self, CliError> {
        let target = Self::parse(text, lang)?;
        if target.kind == Kind::Grant {
            return Err(CliError::Usage(words::not_decided(lang, target.kind.names().0)));
        }
        Ok(target)
    }

    /// A Decommission, named with or without its kind.
    pub(super) fn parse_exit(text: &str, lang: Lang) -> Result<Self, CliError> {
        if !text.contains('/') {
            return Ok(Self { kind: Kind::Exit, name: text.to_owned() });
        }
        let target = Self::parse(text, lang)?;
        if target.kind == Kind::Exit {
            Ok(target)
        } else {
            Err(CliError::Usage(words::bad_target(lang, text)))
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.names().2, self.name)
    }
}

/// The record by kind, as this version knows it.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Application(Box<CloudApplication>),
    Change(Box<ChangeRequest>),
    Exit(Box<Decommission>),
    Grant(Box<ResourceGrant>),
}

/// A record as it was read.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) target: Target,
    /// As the API server gave it: digests and comparisons are over this.
    pub(super) raw: Value,
    pub(super) body: Body,
    /// What the status of every record holds.
    pub(super) life: RecordStatus,
}

impl Record {
    /// Reads an object of `kind`.
    pub(super) fn read(kind: Kind, raw: Value, lang: Lang) -> Result<Self, CliError> {
        let name = raw["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let target = Target { kind, name };
        let body = match kind {
            Kind::Application => typed(&raw).map(|b| Body::Application(Box::new(b))),
            Kind::Change => typed(&raw).map(|b| Body::Change(Box::new(b))),
            Kind::Exit => typed(&raw).map(|b| Body::Exit(Box::new(b))),
            Kind::Grant => typed(&raw).map(|b| Body::Grant(Box::new(b))),
        };
        let body = body.map_err(|why| CliError::failed(words::malformed(lang, &target, why)))?;
        let life = match &body {
            Body::Application(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Change(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Exit(b) => b.status.as_ref().map(|s| s.record.clone()),
            Body::Grant(b) => b.status.as_ref().map(|s| s.record.clone()),
        };
        Ok(Self { target, raw, body, life: life.unwrap_or_default() })
    }

    fn metadata(&self, field: &str) -> &str {
        self.raw["metadata"][field].as_str().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.metadata("namespace")
    }

    pub(super) fn uid(&self) -> &str {
        self.metadata("uid")
    }

    pub(super) fn resource_version(&self) -> &str {
        self.metadata("resourceVersion")
    }

    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.metadata("creationTimestamp").parse().ok()
    }

    pub(super) fn generation(&self) -> i64 {
        self.raw["metadata"]["generation"].as_i64().unwrap_or(0)
    }

    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.raw["metadata"]["annotations"][key].as_str()
    }

    pub(super) fn requested_by(&self) -> &str {
        self.annotation(keys::REQUESTED_BY).unwrap_or_default()
    }

    pub(super) fn region(&self) -> &str {
        self.raw["spec"]["region"].as_str().unwrap_or_default()
    }

    /// As the status says it; empty before the first visit.
    pub(super) fn phase(&self) -> &str {
        self.raw["status"]["phase"].as_str().unwrap_or_default()
    }

    /// Digest of what a decision is on.
    pub(super) fn digest(&self) -> String {
        spec_digest(&self.raw["spec"])
    }

    /// Name of the application that the record is about.
    pub(super) fn application(&self) -> Option<&str> {
        match &self.body {
            Body::Application(_) => Some(&self.target.name),
            Body::Change(b) => b.spec.resource_adjustment.as_ref().map(|a| a.application.as_str()),
            Body::Exit(b) => Some(&b.spec.application),
            Body::Grant(b) => Some(&b.spec.application.name),
        }
    }

    /// What people call it, as far as the record itself says.
    pub(super) fn title(&self) -> Option<&str> {
        match &self.body {
            Body::Application(b) => Some(&b.spec.system.name),
            Body::Change(b) => b.spec.platform_maintenance.as_ref().map(|m| m.plan.title.as_str()),
            Body::Exit(b) => {
                b.status.as_ref().and_then(|s| s.certificate.as_ref()).map(|c| c.system.as_str())
            }
            Body::Grant(_) => None,
        }
    }
}

fn typed<T: DeserializeOwned>(raw: &Value) -> Result<T, String> {
    serde_json::from_value(raw.clone()).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_as_kubectl_names_it() {
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
        assert!(Target::parse_exit("capp/travel", Lang::En).is_err());
    }
}
