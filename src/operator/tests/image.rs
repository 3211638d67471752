//! The scripts of `make image`, with stubs in place of the programs that they call: what is built for which platform.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

/// Stands in for a program: notes how it is called, and makes the file that it would make.
const STUB: &str = r#"#!/bin/sh
program=${0##*/}
if [ "$program" = uname ]; then echo x86_64; exit; fi
printf '%s %s\n' "$program" "$*" >>"$STUB_LOG"
previous= target= triple=
for word in "$@"; do
  case "$previous" in
    --target) triple=$word ;;
    --target-dir) target=$word ;;
    -o) : >"$word" ;;
  esac
  previous=$word
  case "$word" in
    oci-archive:*) file=${word#oci-archive:}; : >"${file%%:*}" ;;
    *,dest=*) : >"${word##*,dest=}" ;;
  esac
done
if [ "$program" = cargo ]; then
  mkdir -p "$target/$triple/release"
  echo "pages 2^${JEMALLOC_SYS_WITH_LG_PAGE:-12}" >"$target/$triple/release/govcloud-operator"
  env | grep _LINKER= >>"$STUB_LOG"
fi
exit 0
"#;

/// Programs that are replaced. The machine is of amd64.
const PROGRAMS: [&str; 6] = ["uname", "docker", "podman", "buildah", "cargo", "aarch64-linux-gnu-gcc"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A directory with the stubs, removed afterwards.
struct Stubs(PathBuf);

impl Stubs {
    fn new() -> Self {
        let stubs = Self(env::temp_dir().join(format!("govcloud-image-{}", std::process::id())));
        let bin = stubs.0.join("bin");
        fs::create_dir_all(&bin).unwrap();
        let stub = stubs.0.join("stub");
        fs::write(&stub, STUB).unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        for program in PROGRAMS {
            symlink(&stub, bin.join(program)).unwrap();
        }
        stubs
    }

    fn run(&self, builder: &str, platforms: &str) -> Output {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([self.0.join("bin")].into_iter().chain(env::split_paths(&path))).unwrap();
        let mut command = Command::new(repository().join("image/build"));
        command.current_dir(repository()).arg("x:1").env("PATH", path).env("NO_SBOM", "1");
        command
            .env("IMAGE_BUILDER", builder)
            .env("PLATFORMS", platforms)
            .env("IMAGE_OUT", self.0.join("out"));
        command.env("CARGO_TARGET_DIR", self.0.join("target")).env("STUB_LOG", self.0.join("log"));
        command.output().unwrap()
    }

    /// Builds, and returns how the programs were called.
    fn calls(&self, builder: &str, platforms: &str) -> String {
        let _ = fs::remove_file(self.0.join("log"));
        let output = self.run(builder, platforms);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(self.0.join("log")).unwrap()
    }
}

impl Drop for Stubs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// One test: scripts that are written while another test starts a process can be busy.
#[test]
fn the_image_is_built_for_each_platform_that_is_asked_for() {
    let stubs = Stubs::new();
    let both = "linux/amd64,linux/arm64";
    let docker = stubs.calls("docker", both);
    assert!(
        docker.contains(&format!("docker buildx build --platform {both} -t x:1 --output type=oci,dest=")),
        "{docker}"
    );
    assert!(
        stubs.calls("docker", "").starts_with("docker build --platform linux/amd64 -t x:1 ."),
        "the machine's own"
    );
    let podman = stubs.calls("podman", both);
    for call in [
        format!("podman build --platform {both} --manifest x:1 ."),
        "podman manifest push --all x:1".to_owned(),
    ] {
        assert!(podman.contains(&call), "{call}: {podman}");
    }

    let buildah = stubs.calls("buildah", both);
    for (arch, triple, pages) in
        [("amd64", "x86_64-unknown-linux-gnu", 12), ("arm64", "aarch64-unknown-linux-gnu", 16)]
    {
        let stage = stubs.0.join("out/stage").join(arch);
        let context = format!("--platform linux/{arch} --build-context build={}", stage.display());
        assert!(buildah.contains(&context) && buildah.contains(&format!("--target {triple} ")), "{buildah}");
        let binary = fs::read_to_string(stage.join("out/govcloud-operator")).unwrap();
        assert_eq!(binary, format!("pages 2^{pages}\n"), "{arch}");
    }
    assert!(
        buildah.contains("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc"),
        "{buildah}"
    );
    assert!(!buildah.contains("X86_64_UNKNOWN_LINUX_GNU_LINKER"), "the machine's own compiler: {buildah}");
    assert!(buildah.contains("manifest push --all x:1 oci-archive:"), "{buildah}");
    let one = stubs.calls("buildah", "linux/arm64");
    assert!(!one.contains("--manifest") && one.contains("--timestamp 0 -t x:1 ."), "{one}");

    let refused = stubs.run("docker", "linux/riscv64");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("no image for platform \"linux/riscv64\""), "{said}");
}

/// The first stage compiles on the machine's architecture for the image's, and sees what the build reads.
#[test]
fn the_dockerfile_names_no_architecture() {
    let read = |file: &str| fs::read_to_string(repository().join(file)).unwrap();
    let dockerfile = read("Dockerfile");
    assert!(dockerfile.contains("FROM --platform=$BUILDPLATFORM ") && dockerfile.contains("ARG TARGETARCH"));
    for named in ["x86_64", "aarch64", "amd64", "arm64", "linux-gnu"] {
        let commands = dockerfile.lines().filter(|line| !line.starts_with('#'));
        assert!(commands.into_iter().all(|line| !line.contains(named)), "{named}");
    }
    let context: Vec<String> =
        read(".dockerignore").lines().filter_map(|l| l.strip_prefix('!')).map(str::to_owned).collect();
    // The settings of the allocator are in .cargo; the policies are compiled in.
    for part in [".cargo", "Cargo.toml", "Cargo.lock", "src", "config/admission", "image/binary"] {
        assert!(context.iter().any(|c| c == part), "{part} is not in the context: {context:?}");
    }
}
