//! Errors of the API server, as errors of the plugin.

use kube::core::Status;

use super::error::{CliError, chain, innermost};
use super::messages::{self, terms};
use super::output::Lang;
use super::record::Kind;

impl CliError {
    /// Converts an error of a request to the API server at `url`.
    pub(super) fn from_kube(error: kube::Error, url: &str, lang: Lang) -> Self {
        let why = match &error {
            kube::Error::Api(status) => return Self::from_status(status, lang),
            // The layers of the client around the cause say nothing about it.
            kube::Error::Service(why) => innermost(why.as_ref()),
            kube::Error::HyperError(why) => innermost(why),
            other => chain(other),
        };
        Self::failed(messages::unreachable(lang, url, why)).advise([messages::next_connection(lang)])
    }

    /// Converts an error response of the API server.
    pub(super) fn from_status(status: &Status, lang: Lang) -> Self {
        match status.code {
            401 => Self::failed(messages::unauthenticated(lang)).advise([messages::next_credentials(lang)]),
            403 | 422 => match missing_right(&status.message) {
                Some(right) => right.error(lang),
                None => Self::failed(messages::refused(lang, rule_message(&status.message, lang))),
            },
            404 if status.message.contains("could not find the requested resource")
                || status.message.contains("page not found") =>
            {
                Self::failed(messages::not_installed(lang))
            }
            _ => Self::failed(messages::failed(lang, &status.message)),
        }
    }
}

/// Returns the message of a policy or of a schema rule, without the text that the API server adds.
fn rule_message(message: &str, lang: Lang) -> String {
    if let Some((_, text)) = message.split_once("denied request: ") {
        return lang.half(text.trim()).to_owned();
    }
    match message.split_once(" is invalid: ") {
        Some((_, text)) => {
            let text = text
                .split_once("Invalid value: ")
                .map_or(text, |(_, rest)| rest.split_once(": ").map_or(rest, |(_, r)| r));
            lang.half(text.trim()).to_owned()
        }
        None => message.to_owned(),
    }
}

/// A right that RBAC denies.
struct Right<'a> {
    verb: &'a str,
    resource: &'a str,
    namespace: Option<&'a str>,
}

impl Right<'_> {
    fn error(&self, lang: Lang) -> CliError {
        let (verb, resource) = (self.verb, self.resource);
        let act = terms::request(verb, resource);
        let is_record = Kind::ALL.iter().any(|k| k.resource_type().plural == resource);
        let (message, next) = match self.namespace {
            Some(n) => (messages::may_not(lang, act, verb, resource, n), messages::ask_for_role(lang)),
            None if is_record => {
                (messages::may_not_all(lang, act, verb, resource), messages::try_namespace(lang))
            }
            None => (messages::may_not_here(lang, act, verb, resource), messages::ask_for_auditor(lang)),
        };
        CliError::failed(message).advise([next])
    }
}

/// Parses `… User "x" cannot V resource "R" in API group "G" in the namespace "N"`.
fn missing_right(message: &str) -> Option<Right<'_>> {
    let (_, rest) = message.split_once("\" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let namespace = rest.split_once("in the namespace \"").and_then(|(_, n)| n.split('"').next());
    Some(Right { verb, resource, namespace })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, message: &str) -> Status {
        Status { code, message: message.to_owned(), ..Status::default() }
    }

    fn text(code: u16, message: &str, lang: Lang) -> String {
        match CliError::from_status(&status(code, message), lang) {
            CliError::Failed { message, next } => format!("{message} | {}", next.join(" | ")),
            other => other.to_string(),
        }
    }

    /// A layer of the client around a cause.
    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect)")]
    struct Layer(#[source] std::io::Error);

    #[test]
    fn from_kube_names_the_address_the_cause_and_the_next_step() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = kube::Error::Service(Box::new(Layer(refused)));
        let CliError::Failed { message, next } =
            CliError::from_kube(error, "https://127.0.0.1:6443/", Lang::En)
        else {
            panic!("another error")
        };
        assert_eq!(message, "cannot reach the cluster at https://127.0.0.1:6443/: connection refused");
        assert!(next[0].contains("kubectl cluster-info"), "{next:?}");
    }

    #[test]
    fn from_status_names_credentials_that_are_not_accepted() {
        let said = text(401, "Unauthorized", Lang::En);
        assert!(said.contains("does not accept your credentials") && said.contains("log in again"), "{said}");
    }

    #[test]
    fn from_status_keeps_only_the_message_of_a_policy() {
        let message = "cloudapplications.govcloud.dev \"travel\" is forbidden: ValidatingAdmissionPolicy 'govcloud-decisions' \
                       with binding 'govcloud-decisions' denied request: 不能审核自己提交的申请 / you filed this record yourself";
        assert_eq!(text(403, message, Lang::Zh), "被拒绝：不能审核自己提交的申请 | ");
        assert_eq!(text(403, message, Lang::En), "refused: you filed this record yourself | ");
    }

    #[test]
    fn from_status_keeps_only_the_message_of_a_schema_rule() {
        let message = "CloudApplication.govcloud.dev \"travel\" is invalid: spec.namespaces[0].quota: Invalid value: {\"x\":\"1\"}: 配额项不认识 / unknown quota key";
        assert_eq!(text(422, message, Lang::En), "refused: unknown quota key | ");
    }

    #[test]
    fn from_status_names_a_missing_right_and_the_role() {
        let message = "cloudapplications.govcloud.dev \"travel\" is forbidden: User \"a\" cannot patch resource \"cloudapplications\" in API group \"govcloud.dev\" in the namespace \"dept\"";
        assert_eq!(
            text(403, message, Lang::En),
            "you may not patch cloudapplications in namespace dept | ask an administrator to bind the role in that namespace (docs/roles.md)"
        );
        let message = "x is forbidden: User \"a\" cannot list resource \"cloudapplications\" in API group \"govcloud.dev\" at the cluster scope";
        assert!(text(403, message, Lang::En).contains("in all namespaces | name a namespace"));
    }
}
