//! Output for people and scripts.

use clap::Parser;
use govcloud_domain::calendar::CalendarError;

use super::*;

#[derive(Parser)]
struct Plugin {
    #[command(flatten)]
    calendar: CalendarCommand,
}

fn run(line: &str) -> Result<String, String> {
    let command = Plugin::try_parse_from(std::iter::once("x").chain(line.split_whitespace()))
        .map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    command.calendar.run(&mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn answer(line: &str) -> String {
    run(line).unwrap()
}

/// Runs `count` with a calendar of this text.
fn run_with_file(text: &str) -> String {
    let name = format!("govcloud-{}-{:?}.yaml", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name.replace(['(', ')'], ""));
    fs::write(&path, text).unwrap();
    let answer = run(&format!("--lang en --file {} count --from 2026-01-05 --to 2026-01-09", path.display()));
    fs::remove_file(&path).unwrap();
    answer.unwrap_or_else(|error| error).replace(&path.display().to_string(), "FILE")
}

#[test]
fn due_prints_json() {
    assert_eq!(
        answer("due --from 2026-09-24 --working-days 3 -o json"),
        "{\"from\":\"2026-09-24\",\"workingDays\":3,\"dueDate\":\"2026-09-30\",\
         \"dueAt\":\"2026-09-30T16:00:00Z\",\"provisional\":false,\"calendar\":\"cn\",\"builtIn\":true}\n"
    );
    let provisional = |from: &str| {
        let answer = answer(&format!("due --from {from} --working-days 3 -o json"));
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()["provisional"].as_bool().unwrap()
    };
    assert!(provisional("2026-12-30") && provisional("2026-12-24") && !provisional("2026-12-23"));
}

#[test]
fn due_prints_the_same_in_yaml() {
    let yaml: serde_json::Value =
        serde_saphyr::from_str(&answer("due --from 2026-09-24 --working-days 3 -o yaml")).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&answer("due --from 2026-09-24 --working-days 3 -o json")).unwrap();
    assert_eq!(yaml, json);
}

#[test]
fn due_text_lists_skipped_days() {
    let lines: Vec<String> = ["zh", "en"]
        .into_iter()
        .flat_map(|lang| {
            ["2026-09-24 --working-days 3", "2026-09-30 --working-days 3", "2026-12-30 --working-days 1000"]
                .map(|question| answer(&format!("--lang {lang} due --from {question}")))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn show_marks_holidays_and_make_up_workdays() {
    let months: Vec<String> = ["zh", "en"]
        .into_iter()
        .flat_map(|lang| {
            ["2026-10", "2026-02", "2026-11"].map(|month| answer(&format!("--lang {lang} show {month}")))
        })
        .collect();
    insta::assert_snapshot!(months.join("\n"));
}

/// On a terminal a Chinese character takes two columns; every day must end in the column of its weekday.
#[test]
fn show_aligns_days_with_weekdays() {
    for lang in ["zh", "en"] {
        for month in 1..=12_i8 {
            let text = answer(&format!("--lang {lang} show 2026-{month:02}"));
            let mut seen = 0;
            for line in text.lines().skip(2).filter(|line| line.starts_with([' ', '1', '2', '3'])) {
                let mut cells = [' '; 40];
                let mut column = 0;
                for c in line.chars() {
                    cells[column] = c;
                    column += if c.is_ascii() { 1 } else { 2 };
                }
                for weekday in 0..7_i8 {
                    let number: String =
                        cells[5 * usize::from(weekday.unsigned_abs())..][..2].iter().collect();
                    let Ok(day) = number.trim().parse::<i8>() else { continue };
                    let date = jiff::civil::date(2026, month, day);
                    assert_eq!(date.weekday().to_monday_zero_offset(), weekday, "{text}");
                    seen += 1;
                }
            }
            assert_eq!(seen, jiff::civil::date(2026, month, 1).days_in_month(), "{text}");
        }
    }
}

#[test]
fn show_prints_json() {
    let month: serde_json::Value = serde_json::from_str(&answer("show 2026-10 -o json")).unwrap();
    assert_eq!((month["month"].as_str(), month["workingDays"].as_i64()), (Some("2026-10"), Some(18)));
    assert_eq!(month["days"].as_array().unwrap().len(), 31);
    let first =
        serde_json::json!({"date": "2026-10-01", "kind": "Holiday", "working": false, "name": "国庆节"});
    assert_eq!(month["days"][0], first);
    let tenth = serde_json::json!({"date": "2026-10-10", "kind": "MakeUp", "working": true});
    assert_eq!(month["days"][9], tenth);
}

#[test]
fn count_prints_text_and_json() {
    let span = "count --from 2026-09-24 --to 2026-09-30";
    assert_eq!(
        answer(&format!("{span} --lang zh")),
        "2026-09-24（不计）至 2026-09-30（计入）：3 个工作日\n日历  cn（插件内置）\n"
    );
    assert_eq!(
        answer(&format!("{span} --lang en")),
        "2026-09-24 (not counted) to 2026-09-30 (counted): 3 working days\ncalendar cn, built into this plugin\n"
    );
    assert_eq!(
        answer(&format!("{span} -o json")),
        "{\"from\":\"2026-09-24\",\"to\":\"2026-09-30\",\"workingDays\":3,\
         \"provisional\":false,\"calendar\":\"cn\",\"builtIn\":true}\n"
    );
    assert!(answer("count --from 2026-09-24 --to 2026-09-24 -o json").contains("\"workingDays\":0"));
    assert!(answer("count --from 2026-12-24 --to 2026-12-29 --lang en").contains("provisional"));
    assert!(!answer("count --from 2026-12-24 --to 2026-12-28 --lang en").contains("provisional"));
}

#[test]
fn invalid_arguments_are_reported_in_one_line() {
    let errors: Vec<String> = [
        "due --from 2026-02-30 --working-days 3",
        "due --from tomorrow --working-days 3",
        "due --from -5 --working-days 3",
        "due --from 2026-09-24 --working-days -3",
        "due --from 2026-09-24 --working-days three",
        "due --from 2026-09-24 --working-days 1001",
        "due --from 2026-09-24 --working-days 99999999999999999999",
        "due --from 2027-03-01 --working-days 3",
        "due --from 2019-12-31 --working-days 3",
        "show 2026-13",
        "show 2026-1",
        "show 2026-10-01",
        "show 2027-01",
        "count --from 2026-09-30 --to 2026-09-24",
        "count --from 2026-12-01 --to 2027-01-10",
        "count --from 0001-01-01 --to 9999-12-31",
        "--file /nonexistent/calendar.yaml show 2026-10",
    ]
    .into_iter()
    .map(|line| run(line).unwrap_err())
    .collect();
    assert!(errors.iter().all(|error| error.lines().count() == 1));
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn file_replaces_the_built_in_calendar_or_is_refused() {
    let head = "apiVersion: govcloud.dev/v1alpha1\nkind: WorkCalendar\nmetadata: {name: mine}\n";
    let year = |days: &str| format!("{head}spec: {{years: [{{year: 2026, {days}}}]}}\n");
    let answers = [
        run_with_file(&year("holidays: [{name: 厂庆, from: \"2026-01-07\"}]")),
        run_with_file(&year("holidays: [{name: 厂庆, from: \"2026-02-30\"}]")),
        run_with_file(&year("holidays: [], makeUpWorkdays: [\"2026-01-07\"]")),
        run_with_file(&format!("{head}spec: {{years: []}}\n")),
        run_with_file(&format!("{head}spec: {{years: [\n")),
        run_with_file("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nspec: {years: []}\n"),
        run_with_file("just text"),
        run_with_file(""),
    ];
    assert!(answers.iter().skip(1).all(|answer| answer.lines().count() == 1));
    insta::assert_snapshot!(answers.join("\n"));
}

#[test]
fn the_answer_names_its_calendar() {
    for question in
        ["due --from 2026-09-24 --working-days 3", "show 2026-10", "count --from 2026-09-24 --to 2026-09-30"]
    {
        let last = |lang| answer(&format!("--lang {lang} {question}")).lines().last().unwrap().to_owned();
        assert_eq!(
            (last("zh").as_str(), last("en").as_str()),
            ("日历  cn（插件内置）", "calendar cn, built into this plugin")
        );
    }
    let cluster = |line: &str| Plugin::try_parse_from(["x"].into_iter().chain(line.split_whitespace()));
    assert!(cluster("show 2026-10 --region 410000").unwrap().calendar.asks_cluster());
    assert!(cluster("--calendar cn show 2026-10").unwrap().calendar.asks_cluster());
    assert!(!cluster("show 2026-10").unwrap().calendar.asks_cluster());
    assert!(cluster("show 2026-10 --region 410000 --file x").is_err(), "one source");
}

#[test]
fn errors_are_in_the_language_that_was_asked_for() {
    let error = || CalendarCliError::YearWithoutData("cn".into(), 2027, "2025 2026".into());
    let text = |lang| error().into_cli(lang).to_string();
    assert_eq!(text(Lang::Zh), "日历 cn 没有 2027 年的数据（现有 2025 2026）");
    assert_eq!(text(Lang::En), "calendar cn has no data for the year 2027 (it holds 2025 2026)");
    let wrong = CalendarCliError::Unsound("f.yaml".into(), CalendarError::NoYears);
    assert_eq!(wrong.into_cli(Lang::En).to_string(), "f.yaml is wrong: the calendar holds no year");
}

#[test]
fn of_locale_reads_the_environment() {
    let of = |set: &'static [(&'static str, &'static str)]| {
        Lang::of_locale(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    };
    assert_eq!(of(&[("LANG", "en_US.UTF-8")]), Lang::En);
    assert_eq!(of(&[("LANG", "en_US.UTF-8"), ("LC_ALL", "zh_CN.UTF-8")]), Lang::Zh);
    assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_MESSAGES", "en_GB.UTF-8"), ("LC_ALL", "")]), Lang::En);
    for other in ["C.UTF-8", "POSIX", "de_DE.UTF-8"] {
        assert_eq!(Lang::of_locale(|name| (name == "LANG").then(|| other.to_owned())), Lang::En, "{other}");
    }
    assert_eq!(of(&[]), Lang::Zh);
}
