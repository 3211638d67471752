//! The command line so far: the command, the flags that matter for the connection, and what is to be completed.

use clap::{Arg, Command, ValueEnum};

use super::super::output::Lang;
use super::super::record::Kind;
use super::super::session::Flags;

/// A command line without its last word.
pub(super) struct Line<'a> {
    pub(super) command: &'a Command,
    /// The flag whose value comes next.
    value_of: Option<&'a Arg>,
    /// Number of positional arguments that were given.
    given: usize,
    pub(super) flags: Flags,
}

/// Completions that are possible at a place.
#[derive(Debug, PartialEq)]
pub(super) enum Place<'a> {
    /// A flag of the command.
    Flag,
    /// A subcommand.
    Subcommand,
    /// One of the values that the argument lists.
    Listed(&'a Arg),
    /// A record of these kinds, as KIND/NAME.
    Target(&'static [Kind]),
    /// A name.
    Name(Names),
    /// A path.
    File,
    /// Any text, or nothing.
    Other,
}

/// Sources of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Records of a kind.
    Records(Kind),
    /// Namespaces.
    Namespaces,
    /// Regions, by code.
    Regions,
    /// WorkCalendars.
    Calendars,
    /// Contexts of the kubeconfig.
    Contexts,
}

impl<'a> Line<'a> {
    /// Reads the words before the one that is completed.
    pub(super) fn read(plugin: &'a Command, before: &[String], flags: Flags) -> Self {
        let mut line = Self { command: plugin, value_of: None, given: 0, flags };
        for word in before {
            line.take(word);
        }
        line
    }

    fn take(&mut self, word: &str) {
        if let Some(arg) = self.value_of.take() {
            self.set(arg.get_id().as_str(), word);
        } else if let Some(flag) = word.strip_prefix('-') {
            let (name, value) =
                flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            match (option(self.command, name), value) {
                (Some(arg), Some(value)) => self.set(arg.get_id().as_str(), value),
                (Some(arg), None) if takes_next_word(arg) => self.value_of = Some(arg),
                _ => {}
            }
        } else if let Some(next) = self.command.find_subcommand(word) {
            self.command = next;
        } else {
            self.given += 1;
        }
    }

    /// Keeps the value of a flag that the connection or the language depends on.
    fn set(&mut self, id: &str, value: &str) {
        match id {
            "namespace" => self.flags.namespace = Some(value.to_owned()),
            "context" => self.flags.context = Some(value.to_owned()),
            "kubeconfig" => self.flags.kubeconfig = Some(value.into()),
            "lang" => self.flags.lang = Lang::from_str(value, true).ok().or(self.flags.lang),
            _ => {}
        }
    }

    /// Returns what the last word may be.
    pub(super) fn place(&self, last: &str) -> Place<'a> {
        match self.value_of {
            Some(arg) => self.value(arg),
            None if last.starts_with('-') => Place::Flag,
            None if self.command.has_subcommands() => Place::Subcommand,
            None => match self.command.get_positionals().nth(self.given) {
                Some(arg) if is_target(arg) => Place::Target(match self.command.get_name() {
                    "show" => &Kind::ALL,
                    _ => &Kind::DECIDED,
                }),
                Some(arg) => self.value(arg),
                None => Place::Other,
            },
        }
    }

    fn value(&self, arg: &'a Arg) -> Place<'a> {
        if !arg.get_possible_values().is_empty() {
            return Place::Listed(arg);
        }
        match (self.command.get_name(), arg.get_id().as_str()) {
            (_, "namespace") => Place::Name(Names::Namespaces),
            (_, "context") => Place::Name(Names::Contexts),
            (_, "region") => Place::Name(Names::Regions),
            (_, "calendar") => Place::Name(Names::Calendars),
            ("render", "name") => Place::Name(Names::Records(Kind::Application)),
            ("render", "change") => Place::Name(Names::Records(Kind::Change)),
            ("consent" | "receipt" | "certificate", "target") => Place::Name(Names::Records(Kind::Exit)),
            ("statement", "target") => Place::Name(Names::Records(Kind::Statement)),
            ("respond", "target") => Place::Name(Names::Records(Kind::Inspection)),
            (_, "file" | "kubeconfig") => Place::File,
            _ => Place::Other,
        }
    }
}

/// Returns true if the word after a flag is its value, and not one that follows `=` only.
fn takes_next_word(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

fn is_target(arg: &Arg) -> bool {
    arg.get_value_names().is_some_and(|names| names.iter().any(|n| n.as_str() == "KIND/NAME"))
}

/// Finds a flag by what follows its first dash.
fn option<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let long = flag.strip_prefix('-');
    command.get_arguments().find(|a| match long {
        Some(long) => a.get_long() == Some(long),
        None => flag.chars().next().is_some_and(|c| flag.len() == 1 && a.get_short() == Some(c)),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::super::Plugin;
    use super::*;

    fn with_line<T>(line: &str, use_it: impl Fn(&Line<'_>, Place<'_>) -> T) -> T {
        let mut plugin = Plugin::command();
        plugin.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (last, before) = words.split_last().unwrap();
        let line = Line::read(&plugin, before, Flags::default());
        use_it(&line, line.place(last))
    }

    fn is(line: &str, expected: &Place<'_>) -> bool {
        with_line(line, |_, place| place == *expected)
    }

    #[test]
    fn place_follows_the_command_line() {
        for decides in ["approve", "reject", "return", "clear-void", "withdraw"] {
            assert!(is(&format!("{decides} "), &Place::Target(&Kind::DECIDED)), "{decides}: no grants");
        }
        assert!(is("show ", &Place::Target(&Kind::ALL)));
        assert!(is("show capp/travel ", &Place::Other), "one record only");
        assert!(is("approve --yes --dry-run ", &Place::Target(&Kind::DECIDED)), "flags without a value");
        assert!(is("approve --opinion ", &Place::Other));
        for exit in ["consent", "receipt", "certificate", "certificate -o html"] {
            assert!(is(&format!("{exit} "), &Place::Name(Names::Records(Kind::Exit))), "{exit}");
        }
        assert!(is("grant render ", &Place::Name(Names::Records(Kind::Application))));
        assert!(is("grant render travel --change ", &Place::Name(Names::Records(Kind::Change))));
        assert!(is("queue -n ", &Place::Name(Names::Namespaces)));
        assert!(is("--context ", &Place::Name(Names::Contexts)));
        assert!(is("calendar show --region ", &Place::Name(Names::Regions)));
        assert!(is("calendar --calendar ", &Place::Name(Names::Calendars)));
        assert!(is("receipt leave --file ", &Place::File) && is("--kubeconfig ", &Place::File));
        assert!(is("grant ", &Place::Subcommand) && is("queue --", &Place::Flag));
    }

    #[test]
    fn flags_on_the_line_choose_the_cluster_and_the_language() {
        let line = "show -n dept --context=c --kubeconfig f --lang en capp/";
        let flags = with_line(line, |line, _| line.flags.clone());
        assert_eq!((flags.namespace.as_deref(), flags.context.as_deref()), (Some("dept"), Some("c")));
        assert_eq!((flags.kubeconfig, flags.lang), (Some("f".into()), Some(Lang::En)));
    }
}
