use super::*;

fn parse(line: &str) -> Result<Plugin, clap::Error> {
    Plugin::try_parse_from(line.split_whitespace())
}

/// Completions without a cluster, in English.
fn completions(line: &str) -> String {
    let fixed = ["x", "__complete", "--", "--kubeconfig", "/nowhere", "--lang", "en"];
    let words: Vec<&str> = fixed.into_iter().chain(line.split(' ')).collect();
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
    assert!(
        parse("x approve capp/travel --reattach a,b --adopt c --yes --generation 2 --opinion 同意").is_ok()
    );
    assert!(parse("x certificate leave -o yaml").is_ok(), "as every command that prints data");
    assert!(parse("x receipt e --volume u --received-by w --uri i").is_err(), "a receipt needs a hash");
    assert!(parse("x receipt e --volume u --received-by w --uri i --file f --sha256 s").is_err());
    assert!(parse("x reject capp/travel --reattach a").is_err(), "only approve reattaches namespaces");
    assert!(parse("x reject capp/travel --adopt a").is_err(), "only approve lets namespaces be adopted");
    assert!(parse("x adopt --check portal --region 410000 -o json").is_ok() && parse("x adopt").is_err());
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
    assert_eq!(completions("ap"), "approve\tapprove a record\n:4\n");
    assert_eq!(
        completions("approve "),
        "capp/\tCloudApplication\nchreq/\tChangeRequest\ndecom/\tDecommission\nstmt/\tStatement\ncomp/\tComplianceRecord\ninsp/\tInspection\nasmt/\tAssessment\n:6\n",
        "grants are not decided"
    );
    assert!(completions("show ").contains("grant/\tResourceGrant\n"));
    assert_eq!(
        completions("-n dept approve c"),
        "capp/\tCloudApplication\nchreq/\tChangeRequest\ncomp/\tComplianceRecord\n:6\n"
    );
    assert_eq!(completions("approve capp/"), ":4\n", "without a cluster there are no names");
    assert_eq!(completions("queue --party a"), "authority\tthe authority\nall\teverybody\n:4\n");
    assert!(completions("queue --").contains("--all-namespaces\tall namespaces, whatever -n says\n"));
    assert_eq!(completions("--lang "), "zh\t中文\nen\tEnglish\n:4\n");
    assert_eq!(completions("completion z"), "zsh\tzsh\n:4\n");
}

/// clap proposes to pass an unknown flag as a value: who follows that submits something else.
#[test]
fn an_unknown_flag_is_not_proposed_as_a_value() {
    for line in ["x approve --dryrun capp/travel", "x reject capp/travel --as-uid li"] {
        let said = without_value_tip(parse(line).unwrap_err()).to_string();
        assert!(said.contains("unexpected argument"), "{said}");
        assert!(!said.contains("as a value") && !said.contains("-- --"), "{said}");
    }
}

#[test]
fn every_command_that_submits_has_a_dry_run() {
    for line in [
        "approve capp/travel",
        "reject capp/travel --opinion x",
        "return capp/travel --opinion x",
        "clear-void capp/travel",
        "withdraw capp/travel",
        "consent leave",
        "receipt leave --volume u --received-by w --uri i --sha256 s",
    ] {
        assert!(parse(&format!("x {line} --dry-run")).is_ok(), "{line}");
        assert!(parse(&format!("x {line} --dry-run=server")).is_ok(), "{line}");
        assert!(parse(&format!("x {line} --dry-run=client")).is_err(), "{line}: the client checks nothing");
    }
}

#[test]
fn a_receipt_without_a_hash_names_both_ways_to_give_it() {
    let said = parse("x receipt e --volume u --received-by w --uri i").unwrap_err().to_string();
    assert!(said.contains("--file <FILE>") && said.contains("--sha256 <HEX>"), "{said}");
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
