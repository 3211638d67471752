//! `make plugin`: the script that installs the plugin, run with the plugin itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

/// A home of its own, removed afterwards.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("govcloud-plugin-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn bin(&self) -> PathBuf {
        self.0.join(".local/bin")
    }

    /// Installs, with these directories before the PATH of this process.
    fn install(&self, before: &[&Path]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/install");
        let mut command = Command::new(script);
        command.arg(env!("CARGO_BIN_EXE_kubectl-govcloud")).env("HOME", &self.0).env("PATH", path(before));
        said(command.env_remove("PLUGIN_DIR").env_remove("COMPLETION_DIR").output().unwrap())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn path(before: &[&Path]) -> std::ffi::OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    let before = before.iter().map(|p| p.to_path_buf());
    env::join_paths(before.chain(env::split_paths(&rest))).unwrap()
}

fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_plugin_is_installed_with_its_completion() {
    let home = Home::new();
    let bin = home.bin();
    let export = format!("export PATH={}:$PATH", bin.display());
    let first = home.install(&[]);
    assert!(first.contains("kubectl govcloud queue") && first.contains(&export), "what to do next: {first}");
    assert!(!home.install(&[&bin]).contains("export PATH"), "it is on the PATH, and is installed again");

    // kubectl's own completion calls this program, and it calls the plugin.
    let mut complete = Command::new(bin.join("kubectl_complete-govcloud"));
    complete.args(["--lang", "en", "appro"]).env("PATH", path(&[&bin]));
    assert_eq!(said(complete.output().unwrap()), "approve\tapprove a record\n:4\n");
    let bash = home.0.join(".local/share/bash-completion/completions/kubectl-govcloud");
    assert!(fs::read_to_string(bash).unwrap().contains("complete -F"));
}
