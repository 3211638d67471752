//! Runs what the documents show: every manifest of docs/resources.md, every command of the guide and of the exit page.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::binaries::Binaries;
use e2e::cluster::Setup;
use e2e::suite::{self, Context};
use e2e::{documents, install, operator, paths};
use tokio::process::Command;

/// One example of each kind, in English and in Chinese.
const RESOURCES: &str = "docs/resources.md";
const RESOURCES_ZH: &str = "docs/zh/resources.md";
/// Pages of the Chinese handbook that show a record.
const HANDBOOK: [&str; 2] = ["docs/zh/05-change.md", "docs/zh/07-consent-and-exit.md"];

/// The project's kinds, and who files each.
const KINDS: [(&str, Actor); 10] = [
    ("CloudApplication", Actor::Department),
    ("ResourceGrant", Actor::Provider),
    ("ChangeRequest", Actor::Department),
    ("Decommission", Actor::Department),
    ("Region", Actor::PlatformAdmin),
    ("WorkCalendar", Actor::PlatformAdmin),
    ("ServiceCatalog", Actor::PlatformAdmin),
    ("ComplianceRecord", Actor::Department),
    ("Inspection", Actor::Authority410000),
    ("Assessment", Actor::Authority410000),
];

fn main() -> ExitCode {
    let tests = e2e::tests![
        the_documents_work_as_they_are_written,
        a_province_is_set_up_as_the_page_says,
        the_clauses_name_what_exists,
    ];
    suite::main(Setup::Operating, tests)
}

async fn the_documents_work_as_they_are_written(context: Context) -> Result<()> {
    install::samples(&context.cluster.kubectl(Actor::Admin), true).await?;
    context.dump_on_failure("dept-transport");
    let english = manifests(RESOURCES)?;
    ensure!(
        english == manifests(RESOURCES_ZH)?,
        "{RESOURCES} and {RESOURCES_ZH} must show the same manifests"
    );
    for (kind, actor) in KINDS {
        let shown = english.get(kind).with_context(|| format!("{RESOURCES} shows no {kind}"))?;
        for manifest in shown {
            dry_run(&context, actor, manifest).await.with_context(|| format!("{RESOURCES}, {kind}"))?;
        }
    }
    for page in HANDBOOK {
        for manifest in manifests(page)?.values().flatten() {
            dry_run(&context, Actor::Department, manifest).await.context(page)?;
        }
    }
    refusals(&context, &english["CloudApplication"][0]).await?;
    typed(
        &context,
        "docs/guide.md",
        &["archive\tRetain", "data\tDestroy", "\"outcome\":\"Destroyed\"", "Released"],
    )
    .await?;
    let shown =
        ["data\tHandOver", "data\tHandedOver", "archive\tRetained", "Migration 30", "archive\tDestroy"];
    typed(&context, "docs/exit.md", &shown).await
}

/// The commands of docs/installation.md, by cluster-admin on a cluster of its own. Its authority may change its Region
/// afterwards, and create none.
async fn a_province_is_set_up_as_the_page_says(context: Context) -> Result<()> {
    let cluster = context.own_cluster(Setup::Operating).await?;
    let page = documents::read("docs/installation.md")?;
    let section = page.split_once("\n## 3. Set up a province").and_then(|(_, s)| s.split_once("\n## "));
    let (section, _) = section.context("docs/installation.md has no section 3")?;
    let commands = section.lines().filter_map(|line| line.strip_prefix("    kubectl "));
    let commands: Vec<&str> = commands.map(|c| c.split('#').next().unwrap_or_default()).collect();
    ensure!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let file = |word: &str| match word.starts_with("config/") {
            true => paths::in_repository(word).display().to_string(),
            false => word.to_owned(),
        };
        let args: Vec<String> = command.split_whitespace().map(file).collect();
        cluster.kubectl(Actor::PlatformAdmin).run(&args).await?;
    }
    let authority = cluster.kubectl(Actor::Authority410000);
    authority.run(&["wait", "region/410000", "--for=condition=Ready", "--timeout=60s"]).await?;
    let own = r#"{"spec":{"workingDays":{"review":5}}}"#;
    let patch = ["patch", "region", "410000", "--type=merge", "--dry-run=server", "-p", own];
    authority.run(&patch).await.context("its own Region")?;
    let other = paths::in_repository("config/samples/region-410100.yaml").display().to_string();
    let refused = authority.run(&["create", "--dry-run=server", "-f", &other]).await.err();
    let refused = refused.context("the authority creates a Region")?.to_string();
    ensure!(refused.contains("cannot create resource \"regions\""), "{refused}");
    Ok(())
}

/// The manifests of a document by kind, without comments: those are in the document's language.
fn manifests(document: &str) -> Result<BTreeMap<String, Vec<String>>> {
    let mut manifests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for block in documents::blocks(&documents::read(document)?, "yaml") {
        let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default().trim_end());
        let bare: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
        let kind =
            bare.iter().find_map(|line| line.strip_prefix("kind: ")).context("a manifest has a kind")?;
        manifests.entry(kind.to_owned()).or_default().push(bare.join("\n"));
    }
    Ok(manifests)
}

/// The answer of the API server, its schemas and its policies to a manifest.
async fn dry_run(context: &Context, actor: Actor, manifest: &str) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), manifest)?;
    let file = file.path().display().to_string();
    let args = ["create", "--dry-run=server", "--validate=strict", "-f", &file];
    context.cluster.kubectl(actor).run(&args).await.map(drop)
}

/// Refusals that the comments in the first manifest name.
async fn refusals(context: &Context, application: &str) -> Result<()> {
    let department = context.cluster.kubectl(Actor::Department);
    let classified = application.replace("NonClassified", "Classified");
    let refusal = dry_run(context, Actor::Department, &classified).await.err().context("Art. 3 is kept")?;
    ensure!(format!("{refusal:#}").contains("涉密信息系统不得上政务云（第三条）"), "{refusal:#}");
    department.apply(&application.replace("protectionLevel: 3", "protectionLevel: 4")).await?;
    let args = ["-n", "dept-transport", "capp/parking"];
    let invalid = "--for=jsonpath={.status.conditions[?(@.type==\"Valid\")].reason}=ProtectionLevelTooHigh";
    department.run(&[&["wait", invalid, "--timeout=60s"][..], &args].concat()).await.context("Art. 20")?;
    department.run(&[&["delete"][..], &args].concat()).await.map(drop)
}

/// Every file and every test that docs/clauses.md names.
async fn the_clauses_name_what_exists(_: Context) -> Result<()> {
    let clauses = fs::read_to_string(paths::in_repository("docs/clauses.md"))?;
    let mut sources = String::new();
    for part in ["src", "e2e/tests"] {
        read_all(&paths::in_repository(part), &mut sources)?;
    }
    let named = |word: &str| word.matches('_').count() > 1 && !word.contains(['/', '.', ' ']);
    let mut count = 0;
    for word in clauses.split('`').skip(1).step_by(2) {
        if word.contains('/') && !word.starts_with('/') {
            ensure!(
                paths::in_repository(word).exists(),
                "docs/clauses.md names {word}, which does not exist"
            );
        } else if named(word) {
            count += 1;
            let exists = sources.contains(&format!("fn {word}("));
            ensure!(exists, "docs/clauses.md names the test {word}, which does not exist");
        }
    }
    ensure!(count > 20, "docs/clauses.md names {count} tests only");
    for article in 1..=32 {
        ensure!(
            clauses.contains(&format!("\n| {article} | ")),
            "docs/clauses.md leaves out article {article}"
        );
    }
    Ok(())
}

/// All Rust below a directory, appended.
fn read_all(dir: &Path, sources: &mut String) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            read_all(&path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Types a document's commands, in order, into one shell that ends at the first that fails.
async fn typed(context: &Context, document: &str, shows: &[&str]) -> Result<()> {
    let kubectl = Binaries::find()?.path("kubectl");
    let bin = kubectl.parent().context("kubectl is in a directory")?;
    // The operator's binary was built with all others, the plugin among them.
    let built = tokio::task::spawn_blocking(operator::binary).await??;
    let plugin = built.parent().context("the plugin is in a directory")?;
    let path = env::join_paths(
        [plugin, bin].map(Path::to_owned).into_iter().chain(env::split_paths(&env::var("PATH")?)),
    )?;
    let script = format!("set -eux\n{}", documents::blocks(&documents::read(document)?, "sh").join("\n"));
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).current_dir(paths::repository());
    command.env("DEV", context.cluster.plane.root()).env("PATH", path);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let typed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{document} does not work as it is written:\n{typed}");
    let said = String::from_utf8_lossy(&output.stdout);
    for expected in shows {
        ensure!(said.contains(expected), "{document} must show {expected:?}:\n{said}");
    }
    Ok(())
}
