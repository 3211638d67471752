//! What the documents show is tried: every manifest of the READMEs, and every command of the guide.

use std::collections::BTreeMap;
use std::fs;
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, ensure};
use e2e::binaries::Binaries;
use e2e::cluster::Setup;
use e2e::personas::Persona;
use e2e::suite::{self, Context};
use e2e::{install, paths};
use tokio::process::Command;

/// The project's kinds, and who files each.
const KINDS: [(&str, Persona); 7] = [
    ("CloudApplication", Persona::Department),
    ("ResourceGrant", Persona::Provider),
    ("ChangeRequest", Persona::Department),
    ("Decommission", Persona::Department),
    ("Region", Persona::PlatformAdmin),
    ("WorkCalendar", Persona::PlatformAdmin),
    ("ServiceCatalog", Persona::PlatformAdmin),
];

fn main() -> ExitCode {
    suite::main(Setup::Operating, e2e::tests![the_documents_work_as_they_are_written])
}

async fn the_documents_work_as_they_are_written(context: Context) -> Result<()> {
    install::samples(&context.cluster.kubectl(Persona::Admin), true).await?;
    context.dump_on_failure("dept-transport");
    let english = manifests("README.md")?;
    ensure!(english == manifests("README.zh.md")?, "the two READMEs show the same manifests");
    for (kind, persona) in KINDS {
        let manifest = english.get(kind).with_context(|| format!("README.md shows no {kind}"))?;
        dry_run(&context, persona, manifest).await.with_context(|| format!("README.md, {kind}"))?;
    }
    let deployment = english.get("Deployment").context("README.md shows no Deployment")?;
    dry_run(&context, Persona::PlatformAdmin, deployment).await.context("README.md, Deployment")?;
    guide(&context).await
}

/// The blocks of a document that are marked with `language`.
fn blocks(document: &str, language: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(paths::in_repository(document)).context(document.to_owned())?;
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1).filter_map(|rest| rest.split_once("\n```"));
    Ok(blocks.map(|(block, _)| block.to_owned()).collect())
}

/// The manifests of a document by kind, without comments: those are in the document's language.
fn manifests(document: &str) -> Result<BTreeMap<String, String>> {
    let mut manifests = BTreeMap::new();
    for block in blocks(document, "yaml")? {
        let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default().trim_end());
        let bare: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
        let kind =
            bare.iter().find_map(|line| line.strip_prefix("kind: ")).context("a manifest has a kind")?;
        let before = manifests.insert(kind.to_owned(), bare.join("\n"));
        ensure!(before.is_none(), "{document} shows {kind} twice");
    }
    Ok(manifests)
}

/// What the API server, its schemas and its policies say of a manifest.
async fn dry_run(context: &Context, persona: Persona, manifest: &str) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), manifest)?;
    let file = file.path().display().to_string();
    let args = ["create", "--dry-run=server", "--validate=strict", "-f", &file];
    context.cluster.kubectl(persona).run(&args).await.map(drop)
}

/// Types the guide's commands, in order, into one shell that ends at the first that fails.
async fn guide(context: &Context) -> Result<()> {
    let kubectl = Binaries::find()?.path("kubectl");
    let bin = kubectl.parent().context("kubectl is in a directory")?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let script = format!("set -eux\n{}", blocks("docs/guide.md", "sh")?.join("\n"));
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script]).current_dir(paths::repository());
    command.env("DEV", context.cluster.plane.root()).env("PATH", path);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    let typed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "docs/guide.md does not work as it is written:\n{typed}");
    let said = String::from_utf8_lossy(&output.stdout);
    for expected in ["archive\tRetain", "data\tDestroy", "\"outcome\":\"Destroyed\"", "Released"] {
        ensure!(said.contains(expected), "docs/guide.md must show {expected:?}:\n{said}");
    }
    Ok(())
}
