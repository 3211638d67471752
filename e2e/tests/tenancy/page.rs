//! docs/tenancy.md lists every resource that a tenant can write and every field of a pod, a claim, a service, an Ingress and a
//! disruption budget: derived from the server and the shipped roles, so that what Kubernetes adds shows as a failure here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use e2e::actors::Actor;
use e2e::kubectl::Kubectl;
use e2e::paths::in_repository;
use e2e::suite::Context;
use serde_json::Value;

const PAGE: &str = "docs/tenancy.md";
/// Types whose fields are looked at, with all that they contain, and where the server describes them.
const ROOTS: [(&str, &[&str]); 3] = [
    (
        "/openapi/v3/api/v1",
        &[
            "io.k8s.api.core.v1.PodSpec",
            "io.k8s.api.core.v1.PersistentVolumeClaimSpec",
            "io.k8s.api.core.v1.ServiceSpec",
        ],
    ),
    ("/openapi/v3/apis/networking.k8s.io/v1", &["io.k8s.api.networking.v1.IngressSpec"]),
    ("/openapi/v3/apis/policy/v1", &["io.k8s.api.policy.v1.PodDisruptionBudgetSpec"]),
];
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
/// In a role, and served where the cluster has the extension.
const EXTENSIONS: [&str; 2] = ["volumesnapshots.snapshot.storage.k8s.io", "pods.metrics.k8s.io"];

/// The test of the resources.
pub async fn every_resource_in_reach_is_listed(context: Context) -> Result<()> {
    let page = Page::read()?;
    let written = written()?;
    let served = served(&context.cluster.kubectl(Actor::Admin)).await?;
    let unknown: Vec<_> =
        written.iter().filter(|r| !served.contains(*r) && !EXTENSIONS.contains(&r.as_str())).collect();
    ensure!(unknown.is_empty(), "a tenant's role names what the server does not serve: {unknown:?}");
    same("resources that a tenant's role writes", &written, &page.names("## Resources", "### Not given"))?;
    let left: BTreeSet<String> = served.difference(&written).cloned().collect();
    same(
        "resources that no tenant's role writes",
        &left,
        &page.names("### Not given", "## Fields that a rule holds"),
    )?;
    println!("tenancy: {} resources written by tenants, {} not", written.len(), left.len());
    Ok(())
}

/// The test of the fields.
pub async fn every_field_in_reach_is_listed(context: Context) -> Result<()> {
    let page = Page::read()?;
    let refused = page.names("## Volumes that are refused", "## Other fields");
    let mut types = Types::default();
    for (path, roots) in ROOTS {
        let text = context.cluster.kubectl(Actor::Admin).run(&["get", "--raw", path]).await?;
        let document: Value = serde_json::from_str(&text)?;
        for root in roots {
            types.collect(&document["components"]["schemas"], root, &refused)?;
        }
    }
    let held = page.names("## Fields that a rule holds", "## Volumes that are refused");
    let held: BTreeSet<String> = held.into_iter().filter(|name| is_field(name)).collect();
    let others = page.lists("## Other fields");
    let twice: Vec<_> =
        others.iter().filter(|field| held.contains(*field) || refused.contains(*field)).collect();
    ensure!(twice.is_empty(), "{PAGE} lists as harmless what it also lists as held: {twice:?}");
    let listed: BTreeSet<String> = held.into_iter().chain(refused).chain(others).collect();
    same("fields", &types.fields, &listed)?;
    ensure!(types.fields.len() > 400, "only {} fields", types.fields.len());
    println!("tenancy: {} fields of {} types", types.fields.len(), types.seen.len());
    Ok(())
}

/// The test of the page itself: policies and tests that it names exist.
pub async fn every_rule_has_a_policy_and_a_test(_: Context) -> Result<()> {
    let page = Page::read()?;
    let policies: String = text_below(&in_repository("config/admission/validating"))?;
    let mut tests = 0;
    for row in page.0.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() >= 4) {
        for name in names(row).filter(|name| name.starts_with("govcloud-")) {
            ensure!(
                policies.contains(&format!("  name: {name}\n")),
                "{PAGE} names policy {name}, which is not shipped: {row}"
            );
        }
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let Some((suite, function)) = names(cell)
            .next()
            .and_then(|name| name.split_once('/').map(|(s, f)| (s.to_owned(), f.to_owned())))
        else {
            continue;
        };
        let whole = text_below(&in_repository("e2e/tests").join(&suite))?
            + &text(&in_repository(format!("e2e/tests/{suite}.rs")))?;
        ensure!(
            whole.contains(&format!("fn {function}(")),
            "{PAGE} names test {suite}/{function}, which does not exist: {row}"
        );
        tests += 1;
    }
    ensure!(tests > 30, "only {tests} rows name a test");
    Ok(())
}

fn same(what: &str, real: &BTreeSet<String>, listed: &BTreeSet<String>) -> Result<()> {
    let missing: Vec<_> = real.difference(listed).collect();
    let gone: Vec<_> = listed.difference(real).collect();
    ensure!(
        missing.is_empty(),
        "{what} that {PAGE} does not list; say there which rule holds each: {missing:?}"
    );
    ensure!(gone.is_empty(), "{what} that {PAGE} lists and there are not: {gone:?}");
    Ok(())
}

/// Everything that a tenant role writes: `pods`, `deployments.apps/scale`.
fn written() -> Result<BTreeSet<String>> {
    let roles: Vec<Value> =
        serde_saphyr::from_multiple(&text(&in_repository("config/rbac/tenant-roles.yaml"))?)?;
    let mut all = BTreeSet::new();
    for rule in roles.iter().flat_map(|role| role["rules"].as_array().into_iter().flatten()) {
        let words = |field: &str| rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
        if words("verbs").any(|verb| WRITES.contains(&verb)) {
            for group in words("apiGroups") {
                all.extend(words("resources").map(|resource| full(resource, group)));
            }
        }
    }
    Ok(all)
}

/// Everything in a namespace that the server serves, except records of this project.
async fn served(admin: &Kubectl) -> Result<BTreeSet<String>> {
    let get = async |path: &str| -> Result<Value> {
        Ok(serde_json::from_str(&admin.run(&["get", "--raw", path]).await?)?)
    };
    let mut paths = vec![(String::new(), "/api/v1".to_owned())];
    for group in get("/apis").await?["groups"].as_array().context("no groups")? {
        let name = group["name"].as_str().context("no name")?.to_owned();
        let version = group["preferredVersion"]["groupVersion"].as_str().context("no version")?;
        paths.push((name, format!("/apis/{version}")));
    }
    let mut all = BTreeSet::new();
    for (group, path) in paths.iter().filter(|(group, _)| group != "govcloud.dev") {
        for resource in get(path).await?["resources"].as_array().into_iter().flatten() {
            if resource["namespaced"] == true {
                all.insert(full(resource["name"].as_str().context("no name")?, group));
            }
        }
    }
    Ok(all)
}

/// `scale` of `deployments` in `apps` is `deployments.apps/scale`.
fn full(resource: &str, group: &str) -> String {
    let (plural, subresource) = resource.split_once('/').map_or((resource, None), |(p, s)| (p, Some(s)));
    let kind = if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") };
    subresource.map_or(kind.clone(), |subresource| format!("{kind}/{subresource}"))
}

/// Fields of types, as `Type.field`.
#[derive(Default)]
struct Types {
    seen: BTreeSet<String>,
    fields: BTreeSet<String>,
}

impl Types {
    /// Collects a type and all that it contains, except behind a field that is refused as a whole, and types that every
    /// object has.
    fn collect(&mut self, schemas: &Value, name: &str, refused: &BTreeSet<String>) -> Result<()> {
        if !name.starts_with("io.k8s.api.") || !self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        let schema = schemas.get(name).with_context(|| format!("no schema of {name}"))?;
        let short = name.rsplit('.').next().unwrap_or(name);
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            let field = format!("{short}.{field}");
            if !refused.contains(&field) {
                for reference in references(schema) {
                    self.collect(schemas, reference, refused)?;
                }
            }
            self.fields.insert(field);
        }
        Ok(())
    }
}

/// Names of the types that a schema refers to.
fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The page.
struct Page(String);

impl Page {
    fn read() -> Result<Self> {
        text(&in_repository(PAGE)).map(Self)
    }

    /// The text between two headings.
    fn between(&self, from: &str, to: &str) -> &str {
        let start = self.0.find(&format!("{from}\n")).unwrap_or(self.0.len());
        let rest = &self.0[start..];
        rest.find(&format!("\n{to}\n")).filter(|_| !to.is_empty()).map_or(rest, |end| &rest[..end])
    }

    /// Names of resources or fields between two headings: of a table, those of its first column; else all of them.
    fn names(&self, from: &str, to: &str) -> BTreeSet<String> {
        let part = self.between(from, to);
        let table = part.lines().any(|line| line.starts_with("| `"));
        let lines = part.lines().filter(|line| !table || line.starts_with("| `"));
        let first =
            |line: &str| line.trim_start_matches('|').split('|').next().unwrap_or_default().to_owned();
        let cells = lines.map(|line| if table { first(line) } else { line.to_owned() });
        let named = cells.flat_map(|cell| names(&cell).map(str::to_owned).collect::<Vec<_>>());
        named.filter(|name| !name.starts_with("govcloud-")).collect()
    }

    /// The lines `- \`Type\`: \`field\`, …` after a heading, as `Type.field`.
    fn lists(&self, from: &str) -> BTreeSet<String> {
        let lines = self.between(from, "").lines().filter(|line| line.starts_with("- `"));
        let by_type: BTreeMap<&str, Vec<&str>> = lines
            .filter_map(|line| {
                let mut all = names(line);
                Some((all.next()?, all.collect()))
            })
            .collect();
        by_type
            .iter()
            .flat_map(|(type_, fields)| fields.iter().map(move |field| format!("{type_}.{field}")))
            .collect()
    }
}

/// Returns true if it is `Type.field`.
fn is_field(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.matches('.').count() == 1
}

/// Texts between single backticks.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The text of every file in a directory; empty where there is none.
fn text_below(dir: &Path) -> Result<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(String::new()) };
    entries.map(|entry| text(&entry?.path())).collect()
}
