//! Candidates for the completion of kubectl: commands, flags, and the names of what the caller may list.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use clap::{Args, Command};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Namespace;
use kube::CustomResourceExt;
use kube::config::Kubeconfig;
use kube::core::ApiResource;
use serde_json::Value;
use tokio::time::timeout;

use super::super::messages::terms;
use super::super::output::{Lang, escape_controls};
use super::super::record::{Kind, Record};
use super::super::session::{Flags, Session};
use super::line::{Line, Names, Place};
use govcloud_api::region::Region;
use govcloud_api::work_calendar::WorkCalendar;

/// Longest time that a key press waits for the cluster.
const PATIENCE: Duration = Duration::from_secs(2);

/// Directive of cobra: no blank after the word.
const NO_SPACE: u8 = 2;
/// Directive of cobra: no file names.
const NO_FILES: u8 = 4;

/// Candidates for kubectl, in the format of cobra.
#[derive(Args, Debug)]
pub struct CompleteCommand {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// A word with its meaning, which shells show beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    word: String,
    meaning: String,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning.as_str() {
            "" => self.word.fmt(f),
            meaning => write!(f, "{}\t{meaning}", self.word),
        }
    }
}

impl CompleteCommand {
    /// Prints the candidates, one a line, and the directive. What cannot be read in time is left out.
    ///
    /// # Errors
    /// An error of `out`.
    pub async fn run(self, mut plugin: Command, flags: Flags, out: &mut impl Write) -> io::Result<()> {
        plugin.build();
        let (last, before) = match self.words.split_last() {
            Some((last, before)) => (last.as_str(), before),
            None => ("", &[][..]),
        };
        let (candidates, directive) = candidates(&Line::read(&plugin, before, flags), last).await;
        for candidate in candidates.iter().filter(|c| c.word.starts_with(last)) {
            writeln!(out, "{candidate}")?;
        }
        writeln!(out, ":{directive}")
    }
}

async fn candidates(line: &Line<'_>, last: &str) -> (Vec<Candidate>, u8) {
    let lang = line.flags.lang();
    let about = |text: Option<String>| meaning(&text.unwrap_or_default(), lang);
    let found = match line.place(last) {
        Place::Target(kinds) => return targets(line, kinds, last).await,
        Place::File => return (Vec::new(), 0),
        Place::Other => Vec::new(),
        Place::Name(names) => names_of(line, names).await,
        Place::Listed(arg) => {
            let values = arg.get_possible_values();
            let value = |v: &clap::builder::PossibleValue| Candidate {
                word: v.get_name().to_owned(),
                meaning: about(v.get_help().map(ToString::to_string)),
            };
            values.iter().map(value).collect()
        }
        Place::Flag => {
            let shown = line.command.get_arguments().filter(|a| !a.is_hide_set());
            let flag = |a: &clap::Arg| {
                let word = format!("--{}", a.get_long()?);
                Some(Candidate { word, meaning: about(a.get_help().map(ToString::to_string)) })
            };
            shown.filter_map(flag).collect()
        }
        Place::Subcommand => {
            let shown = line.command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help");
            let command = |c: &Command| Candidate {
                word: c.get_name().to_owned(),
                meaning: about(c.get_about().map(ToString::to_string)),
            };
            shown.map(command).collect()
        }
    };
    (found, NO_FILES)
}

/// Lists the records that fit what was typed, as KIND/NAME. Without any, the kinds.
async fn targets(line: &Line<'_>, kinds: &[Kind], last: &str) -> (Vec<Candidate>, u8) {
    let typed = last.split_once('/').and_then(|(kind, _)| Some((kind, Kind::parse(kind)?)));
    let asked: Vec<(String, Kind)> = match typed {
        Some((word, kind)) => vec![(word.to_owned(), kind)],
        None => kinds.iter().map(|k| (k.short_name().to_owned(), *k)).collect(),
    };
    let asked = asked
        .into_iter()
        .filter(|(word, kind)| kinds.contains(kind) && (last.contains('/') || word.starts_with(last)));
    let records = |(word, kind): (String, Kind)| async move {
        let names = names_of(line, Names::Records(kind)).await;
        let full = |c: Candidate| Candidate { word: format!("{word}/{}", c.word), meaning: c.meaning };
        names.into_iter().map(full).collect::<Vec<_>>()
    };
    let found = join_all(asked.map(records)).await.concat();
    if !found.is_empty() || last.contains('/') {
        return (found, NO_FILES);
    }
    let kind = |k: &Kind| Candidate {
        word: format!("{}/", k.short_name()),
        meaning: k.resource_type().kind.to_owned(),
    };
    (kinds.iter().map(kind).collect(), NO_SPACE | NO_FILES)
}

/// Lists names that the caller may list; nothing after an error, or when it takes too long.
async fn names_of(line: &Line<'_>, names: Names) -> Vec<Candidate> {
    timeout(PATIENCE, read(line, names)).await.ok().flatten().unwrap_or_default()
}

async fn read(line: &Line<'_>, names: Names) -> Option<Vec<Candidate>> {
    let lang = line.flags.lang();
    if names == Names::Contexts {
        let kubeconfig = match &line.flags.kubeconfig {
            Some(file) => Kubeconfig::read_from(file).ok()?,
            None => Kubeconfig::read().ok()?,
        };
        let plain = |name: String| Candidate { word: name, meaning: String::new() };
        return Some(kubeconfig.contexts.into_iter().map(|c| plain(c.name)).collect());
    }
    let session = Session::open(&line.flags).await.ok()?;
    let resource = match names {
        Names::Records(kind) => {
            let records = session.list(kind, Some(&session.namespace)).await.ok()?;
            return Some(records.iter().map(|r| of_record(r, lang)).collect());
        }
        Names::Namespaces => return namespaces(&session).await,
        Names::Regions | Names::Contexts => Region::api_resource(),
        Names::Calendars => WorkCalendar::api_resource(),
    };
    let objects = session.list_raw(&resource).await.ok()?;
    Some(objects.iter().map(|o| of_object(o, lang)).collect())
}

/// Lists namespaces. For a caller who may not, as an officer, those that the Regions name: filing namespaces with records.
async fn namespaces(session: &Session) -> Option<Vec<Candidate>> {
    let names: BTreeSet<String> = match session.list_raw(&ApiResource::erase::<Namespace>(&())).await {
        Ok(all) => all.iter().filter_map(|o| o["metadata"]["name"].as_str()).map(str::to_owned).collect(),
        Err(_) => filing_namespaces(&session.list_raw(&Region::api_resource()).await.ok()?),
    };
    Some(names.into_iter().map(|word| Candidate { word, meaning: String::new() }).collect())
}

fn filing_namespaces(regions: &[Value]) -> BTreeSet<String> {
    let listed = regions.iter().filter_map(|region| region["status"]["filingNamespaces"].as_array());
    listed.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A record, with its phase and its system.
fn of_record(record: &Record, lang: Lang) -> Candidate {
    let phase = terms::phase(lang, record.phase());
    let text = format!("{phase}  {}", record.title().unwrap_or_default());
    Candidate { word: record.target.name.clone(), meaning: meaning(text.trim(), lang) }
}

/// A cluster-scoped object, with the name that a Region has for people.
fn of_object(object: &Value, lang: Lang) -> Candidate {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let name = &object["spec"]["displayName"][lang.pick("zh", "en")];
    Candidate { word: text(&object["metadata"]["name"]), meaning: meaning(&text(name), lang) }
}

/// One line in one language: a line break would be another candidate.
fn meaning(text: &str, lang: Lang) -> String {
    let line = lang.half(text.lines().next().unwrap_or_default());
    escape_controls(line)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::test_fixtures::{provisioning, record};
    use super::*;

    #[test]
    fn a_candidate_has_one_line_with_its_meaning() {
        let mut raw = provisioning();
        raw["spec"]["system"]["name"] = json!("交通\n出行\t平台");
        let shown = of_record(&record(Kind::Application, raw), Lang::Zh).to_string();
        assert_eq!(shown, "travel\t开通中  交通");
        let regions =
            [json!({ "status": { "filingNamespaces": ["dept-b", "dept-a"] } }), json!({ "status": null })];
        assert_eq!(filing_namespaces(&regions), BTreeSet::from(["dept-a".to_owned(), "dept-b".to_owned()]));
        let region = json!({ "metadata": { "name": "410000" }, "spec": { "displayName": { "zh": "河南省", "en": "Henan" } } });
        assert_eq!(of_object(&region, Lang::En).to_string(), "410000\tHenan");
        assert_eq!(of_object(&json!({ "metadata": { "name": "cn" } }), Lang::En).to_string(), "cn");
    }
}
