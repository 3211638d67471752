use super::*;

fn parse(line: &str) -> Result<Plugin, clap::Error> {
    Plugin::try_parse_from(line.split_whitespace())
}

fn completions(line: &str) -> String {
    let words: Vec<&str> = std::iter::once("x").chain(["__complete"]).chain(line.split(' ')).collect();
    let plugin = Plugin::try_parse_from(words).unwrap();
    let mut out = Vec::new();
    plugin.run(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_command_line_is_well_formed() {
    Plugin::command().debug_assert();
}

#[test]
fn flags_stand_where_kubectl_takes_them() {
    let plugin = parse("x show capp/travel -n dept --context c --kubeconfig f --lang en -o yaml").unwrap();
    assert_eq!(
        (plugin.flags.namespace.as_deref(), plugin.flags.context.as_deref(), plugin.flags.lang),
        (Some("dept"), Some("c"), Some(Lang::En))
    );
    assert!(parse("x -n dept queue").is_ok() && parse("x queue -A --party all -o json").is_ok());
    assert!(parse("x approve capp/travel --reattach a,b --yes --generation 2 --opinion 同意").is_ok());
    assert!(parse("x receipt e --volume u --received-by w --uri i").is_err(), "a receipt has a fingerprint");
    assert!(parse("x receipt e --volume u --received-by w --uri i --file f --sha256 s").is_err());
    assert!(parse("x reject capp/travel --reattach a").is_err(), "only an approval takes namespaces back");
}

#[test]
fn the_calendar_takes_the_language_from_either_side() {
    for line in [
        "x --lang en calendar count --from 2026-11-23 --to 2026-11-24",
        "x calendar --lang en count --from 2026-11-23 --to 2026-11-24",
    ] {
        let mut out = Vec::new();
        parse(line).unwrap().run(&mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("1 working day"), "{line}");
    }
}

#[test]
fn an_opinion_is_asked_for_before_any_cluster_is() {
    for (line, verb) in [
        ("x reject capp/travel --lang en", "reject"),
        ("x return capp/travel --opinion  --lang en", "return"),
    ] {
        let mut plugin = parse(line.split(" --opinion").next().unwrap()).unwrap();
        plugin.flags.lang = Some(Lang::En);
        let refused = plugin.run(&mut Vec::new()).unwrap_err();
        assert!(matches!(&refused, CliError::Usage(what) if what.starts_with(verb)), "{refused}");
    }
}

#[test]
fn every_shell_gets_a_script() {
    for (shell, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef"),
        ("fish", "complete -c"),
        ("powershell", "Register-ArgumentCompleter"),
        ("kubectl", "__complete"),
    ] {
        let mut out = Vec::new();
        parse(&format!("x completion {shell}")).unwrap().run(&mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains(mark), "{shell}");
    }
}

#[test]
fn kubectl_is_told_what_may_follow() {
    assert_eq!(completions("ap"), "approve\n:4\n");
    assert_eq!(completions("approve "), "capp/\nchreq/\ndecom/\ngrant/\n:6\n");
    assert_eq!(completions("-n dept approve c"), "capp/\nchreq/\n:6\n");
    assert_eq!(completions("queue --party a"), "authority\nall\n:4\n");
    assert!(completions("queue --").contains("--all-namespaces\n"));
    assert_eq!(completions("completion z"), "zsh\n:4\n");
}
