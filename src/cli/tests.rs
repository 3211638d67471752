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
fn command_line_is_consistent() {
    Plugin::command().debug_assert();
}

#[test]
fn global_flags_are_accepted_after_the_command() {
    let plugin = parse("x show capp/travel -n dept --context c --kubeconfig f --lang en -o yaml").unwrap();
    assert_eq!(
        (plugin.flags.namespace.as_deref(), plugin.flags.context.as_deref(), plugin.flags.lang),
        (Some("dept"), Some("c"), Some(Lang::En))
    );
    assert!(parse("x -n dept queue").is_ok() && parse("x queue -A --party all -o json").is_ok());
    assert!(parse("x approve capp/travel --reattach a,b --yes --generation 2 --opinion 同意").is_ok());
    assert!(parse("x receipt e --volume u --received-by w --uri i").is_err(), "a receipt needs a hash");
    assert!(parse("x receipt e --volume u --received-by w --uri i --file f --sha256 s").is_err());
    assert!(parse("x reject capp/travel --reattach a").is_err(), "only approve reattaches namespaces");
}

#[test]
fn calendar_accepts_lang_on_either_side() {
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
fn reject_and_return_require_an_opinion() {
    for (line, verb) in [
        ("x reject capp/travel --lang en", "reject"),
        ("x return capp/travel --opinion  --lang en", "return"),
    ] {
        let mut plugin = parse(line.split(" --opinion").next().unwrap()).unwrap();
        plugin.flags.lang = Some(Lang::En);
        let refused = plugin.run(&mut Vec::new()).unwrap_err();
        assert!(matches!(&refused, CliError::Usage(message) if message.starts_with(verb)), "{refused}");
    }
}

#[test]
fn completion_prints_a_script_for_each_shell() {
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
fn complete_lists_candidates_for_kubectl() {
    assert_eq!(completions("ap"), "approve\n:4\n");
    assert_eq!(completions("approve "), "capp/\nchreq/\ndecom/\ngrant/\n:6\n");
    assert_eq!(completions("-n dept approve c"), "capp/\nchreq/\n:6\n");
    assert_eq!(completions("queue --party a"), "authority\nall\n:4\n");
    assert!(completions("queue --").contains("--all-namespaces\n"));
    assert_eq!(completions("completion z"), "zsh\n:4\n");
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// Reads every source, template and snapshot of the plugin.
fn texts(dir: &std::path::Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let read = |path: std::path::PathBuf| match path.extension().and_then(|e| e.to_str()) {
        None if path.is_dir() => texts(&path),
        Some("rs" | "snap" | "html") => {
            vec![(path.display().to_string(), std::fs::read_to_string(&path).unwrap())]
        }
        _ => Vec::new(),
    };
    entries.flat_map(read).collect()
}

/// GB/T 15834.
#[test]
fn chinese_texts_use_full_width_punctuation() {
    for (file, text) in texts(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let chars: Vec<char> = text.chars().collect();
        for three in chars.windows(3) {
            let half_width = is_han(three[0]) && ",;:!?()".contains(three[1]) && is_han(three[2]);
            assert!(!half_width, "{file}: {}", three.iter().collect::<String>());
        }
    }
}

#[test]
fn article_is_written_in_chinese_numerals() {
    let articles = [9, 10, 13, 20, 28].map(|n| messages::article(Lang::Zh, n));
    assert_eq!(articles, ["第九条", "第十条", "第十三条", "第二十条", "第二十八条"]);
    assert_eq!(messages::article(Lang::En, 13), "Art. 13");
}
