//! Why a question has no answer, or a request was not carried out: one clear line, and what to do next.

use std::io;

use kube::core::Status;

use super::output::Lang;
use super::record::Kind;
use super::words;

/// An answer that is not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// What was asked is wrong. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Refused, missing, or not possible now; with what to do next, if that is known. Exit code 1.
    #[error("{what}")]
    Failed {
        /// One line.
        what: String,
        /// What to do next, most helpful first.
        next: Vec<String>,
    },
    /// The answer was written in full and is itself bad news, as of `verify`. Exit code 1.
    #[error("")]
    Told,
    /// The answer cannot be written.
    #[error("{0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// A failure that needs no advice.
    pub(super) fn failed(what: String) -> Self {
        Self::Failed { what, next: Vec::new() }
    }

    /// The same with advice.
    pub(super) fn advise(self, advice: impl IntoIterator<Item = String>) -> Self {
        match self {
            Self::Failed { what, mut next } => {
                next.extend(advice);
                Self::Failed { what, next }
            }
            other => other,
        }
    }

    /// What the API server's refusal means for people.
    pub(super) fn of_kube(error: kube::Error, lang: Lang) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(&status, lang),
            other => Self::failed(words::unreachable(lang, chain(&other))),
        }
    }

    /// The same of its answer.
    pub(super) fn of_status(status: &Status, lang: Lang) -> Self {
        match status.code {
            403 | 422 => match missing_right(&status.message) {
                Some(right) => right.error(lang),
                None => Self::failed(words::refused(lang, plain(&status.message, lang))),
            },
            404 if status.message.contains("could not find the requested resource")
                || status.message.contains("page not found") =>
            {
                Self::failed(words::not_installed(lang))
            }
            _ => Self::failed(words::failed(lang, &status.message)),
        }
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentence of a policy, or of a rule in a schema, without what the API server puts around it.
pub(super) fn plain(message: &str, lang: Lang) -> String {
    if let Some((_, said)) = message.split_once("denied request: ") {
        return lang.half(said.trim()).to_owned();
    }
    match message.split_once(" is invalid: ") {
        Some((_, said)) => {
            let said = said
                .split_once("Invalid value: ")
                .map_or(said, |(_, rest)| rest.split_once(": ").map_or(rest, |(_, r)| r));
            lang.half(said.trim()).to_owned()
        }
        None => message.to_owned(),
    }
}

/// A right that RBAC does not give.
struct Right<'a> {
    verb: &'a str,
    resource: &'a str,
    namespace: Option<&'a str>,
}

impl Right<'_> {
    fn error(&self, lang: Lang) -> CliError {
        match self.namespace {
            Some(namespace) => CliError::failed(words::may_not(lang, self.verb, self.resource, namespace))
                .advise([words::ask_for_role(lang)]),
            None if Kind::ALL.iter().any(|k| k.names().1 == self.resource) => {
                CliError::failed(words::may_not_all(lang, self.verb, self.resource))
                    .advise([words::try_namespace(lang)])
            }
            None => CliError::failed(words::may_not_here(lang, self.verb, self.resource))
                .advise([words::ask_for_auditor(lang)]),
        }
    }
}

/// Reads `… User "x" cannot V resource "R" in API group "G" in the namespace "N"`.
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

    fn said(code: u16, message: &str, lang: Lang) -> String {
        match CliError::of_status(&status(code, message), lang) {
            CliError::Failed { what, next } => format!("{what} | {}", next.join(" | ")),
            other => other.to_string(),
        }
    }

    #[test]
    fn a_policy_s_sentence_is_all_that_is_left_of_a_denial() {
        let message = "cloudapplications.govcloud.dev \"travel\" is forbidden: ValidatingAdmissionPolicy 'govcloud-decisions' \
                       with binding 'govcloud-decisions' denied request: 不能审核自己提交的申请 / you filed this record yourself";
        assert_eq!(said(403, message, Lang::Zh), "被拒绝:不能审核自己提交的申请 | ");
        assert_eq!(said(403, message, Lang::En), "refused: you filed this record yourself | ");
    }

    #[test]
    fn so_it_is_of_a_schema_s_rule() {
        let message = "CloudApplication.govcloud.dev \"travel\" is invalid: spec.namespaces[0].quota: Invalid value: {\"x\":\"1\"}: 配额项不认识 / unknown quota key";
        assert_eq!(said(422, message, Lang::En), "refused: unknown quota key | ");
    }

    #[test]
    fn a_missing_right_is_named_with_who_gives_it() {
        let message = "cloudapplications.govcloud.dev \"travel\" is forbidden: User \"a\" cannot patch resource \"cloudapplications\" in API group \"govcloud.dev\" in the namespace \"dept\"";
        assert_eq!(
            said(403, message, Lang::En),
            "you may not patch cloudapplications in namespace dept | an administrator binds the role that gives it in that namespace (docs/roles.md)"
        );
        let message = "x is forbidden: User \"a\" cannot list resource \"cloudapplications\" in API group \"govcloud.dev\" at the cluster scope";
        assert!(said(403, message, Lang::En).contains("in all namespaces | name a namespace"));
    }
}
