# Every target says what it does; `make` alone lists them.

CARGO ?= cargo
.DEFAULT_GOAL := help
.PHONY: help tools control-plane build crds demo dev dev-stop dev-status test lint bench bench-smoke

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools:
	@command -v $(CARGO) >/dev/null || { echo "error: no Rust: install it" >&2; exit 1; }
	@e2e/controlplane/build --check

control-plane: tools ## build etcd, kube-apiserver, kube-controller-manager and kubectl, once, into the user's cache
	@e2e/controlplane/build

build: tools ## build the operator, the plugin and the tools beside them
	$(CARGO) build --workspace --bins

crds: tools ## write crds/ from the Rust types
	$(CARGO) run --quiet --bin crdgen

demo: control-plane build ## watch one system's whole life on a real control plane, in under two minutes
	@$(CARGO) run --quiet -p e2e --bin demo

dev: control-plane build ## leave the same stack running in the background, with kubeconfigs in .dev/
	@$(CARGO) run --quiet -p e2e --bin dev -- up

dev-stop: tools ## end what `make dev` started
	@$(CARGO) run --quiet -p e2e --bin dev -- down

dev-status: tools ## say what of it runs
	@$(CARGO) run --quiet -p e2e --bin dev -- status

lint: tools ## formatting and clippy, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

test: lint control-plane build ## lint, unit tests, and the end-to-end tests on a real control plane
	$(CARGO) test --workspace --no-fail-fast

N ?= 1000
WHAT ?=

bench: control-plane ## measure the operator against the physical limit (N=5000, WHAT=timers); docs/performance.md
	$(CARGO) build --release -p govcloud-operator -p e2e --bin govcloud-operator --bin bench
	@GOVCLOUD_OPERATOR="$(CURDIR)/target/release/govcloud-operator" target/release/bench --number $(N) $(WHAT)
	@if [ -z "$(WHAT)" ]; then $(CARGO) bench --bench calendar --bench decide; fi

bench-smoke: control-plane build ## the short form of it: counts writes and LISTs, no times
	$(CARGO) test -p e2e --test bench_smoke
