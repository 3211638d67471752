# Every target says what it does; `make` alone lists them.

CARGO ?= cargo
.DEFAULT_GOAL := help
.PHONY: help tools rust control-plane checkers prometheus build plugin crds manifests static sbom image demo dev dev-stop dev-status test test-node test-node-interrupted unit e2e lint bench bench-page bench-smoke

# Each file in e2e/tests is a suite with control planes of its own. They wait more than they work: several run at once.
# `node` needs root: make test-node.
SUITES := $(filter-out node,$(sort $(basename $(notdir $(wildcard e2e/tests/*.rs e2e/bench/tests/*.rs)))))
SUITES_AT_ONCE ?= 2
# The tests of the other crates that stand in a directory of their own.
UNIT_TESTS := $(patsubst %,--test %,$(sort $(basename $(notdir $(wildcard src/*/tests/*.rs) $(patsubst %/main.rs,%,$(wildcard src/*/tests/*/main.rs))))))

# What is compiled to be run here. Always these features, so that nothing is compiled twice: without the allocator,
# which is in C and takes two minutes. `cargo build --release` has it.
DEBUG := --no-default-features
PARTS := $(DEBUG) --package govcloud-operator --package govcloud-cli --package e2e
DIRECTORY := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)/debug
PAUSE ?=
# The operator that the harness starts; it need not ask cargo.
STACK := GOVCLOUD_OPERATOR=$(or $(GOVCLOUD_OPERATOR),$(DIRECTORY)/govcloud-operator)
.PHONY: go-tests $(addprefix suite-,$(SUITES))

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

rust:
	@command -v $(CARGO) >/dev/null || { echo "error: no Rust: install it" >&2; exit 1; }

tools: rust
	@e2e/controlplane/build --check

control-plane: tools ## build etcd, kube-apiserver, kube-controller-manager and kubectl, once, into the user's cache
	@e2e/controlplane/build

prometheus: tools ## build Prometheus and promtool, once, into the user's cache
	@e2e/monitoring/build

build: tools ## build the operator, the plugin and the tools beside them
	$(CARGO) build $(PARTS) --bins

# Installed in PLUGIN_DIR, and its completion for bash in COMPLETION_DIR (src/cli/install).
plugin: rust ## build the plugin and install it with its completion into ~/.local/bin, or PLUGIN_DIR
	$(CARGO) build --release --package govcloud-cli --bin kubectl-govcloud
	@src/cli/install $(or $(CARGO_TARGET_DIR),target)/release/kubectl-govcloud

checkers: ## build helm, kubeconform and kube-score, once, into the user's cache
	@e2e/tools/build

crds: manifests

manifests: tools ## write what is generated: crds/, config/release, and the chart's copies of the manifests
	$(CARGO) run --quiet $(DEBUG) -p govcloud-operator --bin crdgen

static: tools ## write the keeper and every policy as files for API servers, into target/static (docs/static-policies.md)
	$(CARGO) run --quiet $(DEBUG) -p govcloud-operator --bin crdgen -- --static target/static
	@for plugin in validating mutating; do \
	  printf '%s sha256:' $$plugin; { cat target/static/$$plugin/govcloud-keeper.yaml; printf '\0'; } | sha256sum | cut -d ' ' -f 1; done

sbom: rust ## write only the SBOM, into target/image
	@image/sbom

image: rust ## build the operator's image and its SBOM into target/image, with docker, podman or buildah; PLATFORMS=linux/amd64,linux/arm64 for both
	@image/build

demo: tools ## watch one system's whole lifecycle on a real control plane; PAUSE=1 stops before each section
	@e2e/controlplane/beside $(CARGO) build $(PARTS) --bin govcloud-operator --bin kubectl-govcloud --bin demo
	@PAUSE=$(PAUSE) $(STACK) $(DIRECTORY)/demo

dev: tools ## leave the same stack running in the background, with kubeconfigs in .dev/
	@e2e/controlplane/beside $(CARGO) build $(PARTS) --bin govcloud-operator --bin kubectl-govcloud --bin dev
	@$(STACK) $(DIRECTORY)/dev up

dev-stop: tools ## end what `make dev` started
	@$(CARGO) run --quiet $(DEBUG) -p e2e --bin dev -- down

dev-status: tools ## say what of it runs
	@$(CARGO) run --quiet $(DEBUG) -p e2e --bin dev -- status

lint: tools ## formatting and clippy, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace $(DEBUG) --all-targets -- -D warnings

test: lint ## lint, unit tests, and the end-to-end tests on real control planes
	@e2e/controlplane/beside $(CARGO) test --workspace $(DEBUG) --no-run
	@$(MAKE) --no-print-directory unit e2e

unit: tools ## the tests that need no control plane
	$(CARGO) test --workspace $(DEBUG) --no-fail-fast --lib --bins $(UNIT_TESTS)
	$(CARGO) test --workspace $(DEBUG) --no-fail-fast --doc

e2e: control-plane checkers prometheus build ## every end-to-end suite; `make suite-clocks` runs one
	@$(MAKE) --no-print-directory --keep-going --output-sync=target --jobs=$(SUITES_AT_ONCE) $(addprefix suite-,$(SUITES))

# Before the suite, so that no test's patience pays for it.
suite-phases: go-tests

go-tests: tools
	@echo "the tests in Go (Argo CD, Flux, CloudEvents) are compiled; minutes the first time" >&2
	@cd e2e/gitops && ../tools/go test -vet=off -run '^$$' ./... >/dev/null

$(addprefix suite-,$(SUITES)): suite-%: build
	$(STACK) $(CARGO) test --quiet --workspace $(DEBUG) --test $*

test-node: control-plane checkers ## the same with Pods: kubelet and containerd on this machine, the image, the chart; needs root
	@e2e/node/check
	NO_SBOM=1 $(CARGO) run --quiet $(DEBUG) -p e2e --bin node

test-node-interrupted: control-plane checkers ## Ctrl-C and kill it in the middle, and find nothing left; needs root and GOVCLOUD_IMAGE
	@e2e/node/check
	@e2e/node/interrupt

N ?= 1000
WHAT ?=
AGAINST ?=
PAIRS ?=

bench: control-plane ## measure the operator (N=5000, WHAT=timers) or what policies cost a request (WHAT=gate), or compare it with another commit's (AGAINST=6aa5bf0); docs/performance.md
	$(CARGO) build --release -p govcloud-operator --bin govcloud-operator
	$(CARGO) build --release -p e2e-bench
ifneq ($(WHAT),core)
	@against=$(if $(AGAINST),"--against=$$(e2e/bench/build-commit $(AGAINST))") && \
	  GOVCLOUD_OPERATOR="$(CURDIR)/target/release/govcloud-operator" \
	  target/release/bench --number $(N) $(if $(PAIRS),--pairs $(PAIRS)) $$against $(WHAT)
endif
ifeq ($(filter-out core,$(WHAT) $(AGAINST)),)
	@e2e/bench/core
endif

bench-page: ## put the results in target/bench into docs/performance.md
	@e2e/bench/page

bench-smoke: suite-bench_smoke ## the short form of it: counts writes and LISTs, no times
