//! `docs/adding-a-kind.md` lists every file that a new kind touches. Here a dummy of each is added to a scratch copy of the
//! repository, file by file as the page lists them, and compiled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files that a new record may touch at most.
const MOST_OF_RECORD: usize = 14;

/// Files that a new tenant object may touch at most.
const MOST_OF_TENANT_OBJECT: usize = 8;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A copy of the repository's sources.
struct Scratch {
    dir: PathBuf,
    touched: BTreeSet<String>,
}

impl Scratch {
    fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(fs::remove_dir_all(&dir));
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(repository())
            .output()
            .expect("git lists the files");
        assert!(listed.status.success(), "git ls-files failed");
        for file in String::from_utf8(listed.stdout).expect("paths are UTF-8").lines() {
            let (from, to) = (repository().join(file), dir.join(file));
            if from.is_file() {
                fs::create_dir_all(to.parent().expect("a parent")).expect("a directory");
                fs::copy(from, to).unwrap_or_else(|e| panic!("{file}: {e}"));
            }
        }
        Self { dir, touched: BTreeSet::new() }
    }

    /// Adds a new file.
    fn add(&mut self, file: &str, text: &str) {
        assert!(!self.dir.join(file).exists(), "{file} exists already");
        fs::write(self.dir.join(file), text).unwrap_or_else(|e| panic!("{file}: {e}"));
        self.touched.insert(file.to_owned());
    }

    /// Replaces a text that stands in a file exactly once.
    fn edit(&mut self, file: &str, before: &str, after: &str) {
        self.edit_each(file, 1, before, after);
    }

    /// Replaces what stands so often in a file.
    fn edit_each(&mut self, file: &str, times: usize, before: &str, after: &str) {
        let path = self.dir.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!(text.matches(before).count(), times, "{file} has {before:?} so often");
        fs::write(&path, text.replace(before, after)).expect("a file to write");
        self.touched.insert(file.to_owned());
    }

    /// Appends to a file.
    fn append(&mut self, file: &str, more: &str) {
        let path = self.dir.join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
        fs::write(&path, format!("{text}{more}")).expect("a file to write");
        self.touched.insert(file.to_owned());
    }

    /// Compiles every library, with the dependencies that clippy compiled for the repository.
    fn compiles(&self) {
        let checked = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline", "--workspace", "--no-default-features", "--lib"])
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join(".."))
            .output()
            .expect("cargo runs");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }

    /// The page lists exactly what was touched.
    fn is_documented(&self, what: &str, most: usize) {
        let page = fs::read_to_string(repository().join("docs/adding-a-kind.md")).expect("the page");
        let begin = format!("<!-- files of a new {what}: one a line -->");
        let end = format!("<!-- end files of a new {what} -->");
        let list = page.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end));
        let (list, _) = list.expect("the page has its marks");
        let file = |line: &str| Some(line.split('`').nth(1)?.to_owned());
        let listed: BTreeSet<String> = list.lines().filter_map(file).collect();
        assert_eq!(listed, self.touched, "docs/adding-a-kind.md lists the files of a new {what}");
        println!("adding a {what}: {} files, {most} at most", listed.len());
        assert!(listed.len() <= most, "{} files for a new {what}, {most} at most", listed.len());
    }
}

/// The plugin reads the new record as it reads a grant.
fn add_to_plugin(s: &mut Scratch) {
    let record = "src/cli/record.rs";
    for (before, more) in [
        ("use govcloud_api::decommission::Decommission;\n", "use govcloud_api::exemption::Exemption;\n"),
        ("    Exit,\n    Grant,\n", "    Exemption,\n"),
        (
            "            Self::Grant => (resources::RESOURCE_GRANT, \"grant\"),\n",
            "            Self::Exemption => (resources::EXEMPTION, \"exem\"),\n",
        ),
        ("    Grant(Box<ResourceGrant>),\n", "    Exemption(Box<Exemption>),\n"),
        (
            "            Kind::Grant => typed(&raw).map(|b| Body::Grant(Box::new(b))),\n",
            "            Kind::Exemption => typed(&raw).map(|b| Body::Exemption(Box::new(b))),\n",
        ),
        (
            "            Body::Grant(b) => b.status.as_ref().map(|s| s.record.clone()),\n",
            "            Body::Exemption(b) => b.status.as_ref().map(|s| s.record.clone()),\n",
        ),
        (
            "            Body::Grant(b) => Some(&b.spec.application.name),\n",
            "            Body::Exemption(b) => Some(&b.spec.application),\n",
        ),
        ("            Body::Grant(_) => None,\n", "            Body::Exemption(_) => None,\n"),
    ] {
        s.edit(record, before, &format!("{before}{more}"));
    }
    s.edit(record, "ALL: [Self; 8]", "ALL: [Self; 9]");
    s.edit(record, "        Self::Grant,\n", "        Self::Grant,\n        Self::Exemption,\n");
}

#[test]
fn a_new_record_touches_the_files_that_the_page_lists() {
    let mut s = Scratch::new("new-record");
    s.add("src/api/exemption.rs", include_str!("adding_a_kind/exemption_api.rs"));
    s.edit("src/api/lib.rs", "pub mod document;\n", "pub mod document;\npub mod exemption;\n");
    s.edit(
        "src/api/lib.rs",
        "        decommission::Decommission::crd(),\n",
        "        decommission::Decommission::crd(),\n        exemption::Exemption::crd(),\n",
    );
    s.edit(
        "src/api/resources.rs",
        "/// Region.\npub const REGION",
        "/// Exemption.\npub const EXEMPTION: ResourceType = ResourceType::new(API_VERSION, \"exemptions\", \"Exemption\");\n/// Region.\npub const REGION",
    );
    s.add("src/domain/exemption.rs", include_str!("adding_a_kind/exemption_domain.rs"));
    s.edit("src/domain/lib.rs", "pub mod digest;\n", "pub mod digest;\npub mod exemption;\n");
    s.add("src/controller/kinds/exemption.rs", include_str!("adding_a_kind/exemption_controller.rs"));
    let kinds = "src/controller/kinds.rs";
    s.edit(kinds, "mod decommission;\n", "mod decommission;\nmod exemption;\n");
    s.edit(
        kinds,
        "    /// VolumeSnapshot.\n    Snapshot,\n",
        "    /// VolumeSnapshot.\n    Snapshot,\n    /// Exemption.\n    Exemption,\n",
    );
    s.edit(kinds, "    &snapshot::KIND,\n", "    &snapshot::KIND,\n    &exemption::KIND,\n");
    add_to_plugin(&mut s);
    s.edit(
        "src/cli/details.rs",
        "            self.exit(exit);\n",
        "            self.exit(exit);\n        } else if let Body::Exemption(i) = &record.body {\n            self.fact(\"application\", i.spec.application.clone());\n",
    );
    s.edit(
        "config/rbac/operator.yaml",
        "resources: [cloudapplications, changerequests, decommissions, resourcegrants], verbs: [get, list, watch]",
        "resources: [cloudapplications, changerequests, decommissions, exemptions, resourcegrants], verbs: [get, list, watch]",
    );
    s.edit(
        "config/rbac/persona-roles.yaml",
        "resources: [cloudapplications, changerequests, decommissions], verbs: [get, list, watch]}",
        "resources: [cloudapplications, changerequests, decommissions, exemptions], verbs: [get, list, watch]}",
    );
    s.append("docs/resources.md", "\nAn Exemption.\n");
    s.append("docs/clauses.md", "\n");
    s.append("CHANGELOG.md", "\n");
    s.compiles();
    s.is_documented("record", MOST_OF_RECORD);
}

#[test]
fn a_new_tenant_object_touches_the_files_that_the_page_lists() {
    let mut s = Scratch::new("new-tenant-object");
    s.edit(
        "src/api/resources.rs",
        "/// RoleBinding.\n",
        "/// PodDisruptionBudget.\npub const POD_DISRUPTION_BUDGET: ResourceType =\n    ResourceType::new(\"policy/v1\", \"poddisruptionbudgets\", \"PodDisruptionBudget\");\n/// RoleBinding.\n",
    );
    s.add("src/domain/tenancy/disruption.rs", include_str!("adding_a_kind/tenant_object.rs"));
    let tenancy = "src/domain/tenancy/mod.rs";
    s.edit(tenancy, "mod drift;\n", "mod disruption;\nmod drift;\n");
    s.edit(tenancy, "[&ObjectRules; 5]", "[&ObjectRules; 6]");
    s.edit(tenancy, "&limits::RULES, ", "&limits::RULES, &disruption::RULES, ");
    let kinds = "src/controller/kinds.rs";
    s.edit(
        kinds,
        "    /// VolumeSnapshot.\n    Snapshot,\n",
        "    /// VolumeSnapshot.\n    Snapshot,\n    /// PodDisruptionBudget.\n    Disruption,\n",
    );
    s.edit(kinds, "    &snapshot::KIND,\n", "    &snapshot::KIND,\n    &tenant_objects::DISRUPTION,\n");
    let objects = "src/controller/kinds/tenant_objects.rs";
    s.edit(
        objects,
        "pub(super) static ROLE_BINDING",
        "pub(super) static DISRUPTION: KindSpec =\n    tenant_object(Kind::Disruption, resources::POD_DISRUPTION_BUDGET);\npub(super) static ROLE_BINDING",
    );
    s.edit(
        objects,
        "    made_in_namespace(Kind::RoleBinding),\n",
        "    made_in_namespace(Kind::RoleBinding),\n    made_in_namespace(Kind::Disruption),\n",
    );
    s.edit(objects, "DRIFT: [Dependency; 4]", "DRIFT: [Dependency; 5]");
    s.edit(
        "config/rbac/operator.yaml",
        "- {apiGroups: [networking.k8s.io], resources: [networkpolicies],",
        "- {apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [get, list, watch, create, patch, delete]}\n- {apiGroups: [networking.k8s.io], resources: [networkpolicies],",
    );
    s.edit_each(
        "config/admission/validating/tenant-objects.yaml",
        2,
        "    - {apiGroups: [networking.k8s.io], apiVersions: [\"*\"], operations: [CREATE, UPDATE, DELETE], resources: [networkpolicies]}\n",
        "    - {apiGroups: [networking.k8s.io], apiVersions: [\"*\"], operations: [CREATE, UPDATE, DELETE], resources: [networkpolicies]}\n    - {apiGroups: [policy], apiVersions: [\"*\"], operations: [CREATE, UPDATE, DELETE], resources: [poddisruptionbudgets]}\n",
    );
    s.append("CHANGELOG.md", "\n");
    s.compiles();
    s.is_documented("tenant object", MOST_OF_TENANT_OBJECT);
}
