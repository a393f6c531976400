# Two commands: `make run` and `make test`. `make help` tells of the others.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# One place for everything cargo builds, outside of the checkout, so that a fresh clone starts warm.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/duplex/target

# What `duplex up` is told besides: make run ARGS="--workspace ~/code/shop"
ARGS ?=
# The folder that `make clean-data` empties; `duplex up` has the same default.
DATA ?= $(if $(filter 0,$(shell id -u)),/var/lib/duplex,$(or $(XDG_DATA_HOME),$(HOME)/.local/share)/duplex)

PROGRAMS := -p duplex -p duplex-edge -p duplex-projector -p duplex-runner -p duplex-sandbox
# Programs that tests start; those for the page are built by `make page`.
TESTED := --workspace --exclude duplex-ui --exclude xtask

step = @printf '%(%H:%M:%S)T  %s\n' -1 "$(1)"

.PHONY: help
help: ## tell what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup setup-run
setup: ## install what is missing for running and testing
	@tools/setup.sh test
setup-run:
	@tools/setup.sh run

.PHONY: page page-dev
page: setup-run ## build the page as it is shipped
	$(call step,building the page)
	@cargo run --quiet --locked -p xtask -- page
page-dev: setup-run ## build the page quickly, larger and slower
	$(call step,building the page quickly)
	@cargo run --quiet --locked -p xtask -- page --dev

.PHONY: build
build: page ## build everything as it is shipped
	$(call step,building the programs)
	@cargo build --quiet --locked --release $(PROGRAMS)

.PHONY: run
# This checkout is offered as a first workspace, so that there is something to open a session on.
run: build ## build everything and run it on this machine
	@exec "$$CARGO_TARGET_DIR/release/duplex" up --root "$$HOME" --root "$(CURDIR)" --workspace "$(CURDIR)" $(ARGS)

.PHONY: doctor
doctor: ## check that everything needed to run is installed
	@cargo run --quiet --locked -p duplex -- doctor

.PHONY: test test-rust test-docs test-page test-browser
test: test-rust test-docs test-page test-browser ## run every test
	$(call step,all tests have passed)

test-rust: setup page-dev ## run the tests of crates and programs
	$(call step,building the programs that tests start)
	@cargo build --quiet --locked $(TESTED) --bins --examples
	$(call step,testing crates and programs)
	@cargo nextest run --locked --workspace

test-docs: ## run the examples in the documentation
	$(call step,testing the documentation)
	@cargo test --quiet --locked --workspace --doc

test-page: setup ## check the page's scripts
	$(call step,checking the page's scripts)
	@if [ -f ui/web/package-lock.json ]; then npm run check --prefix ui/web --silent; fi

test-browser: test-rust ## walk through the page in a real browser
	$(call step,testing in a browser)
	@if [ -f e2e/package-lock.json ]; then npm test --prefix e2e; fi

.PHONY: lint
lint: setup-run ## check format and lints
	$(call step,checking the format)
	@cargo fmt --all --check
	$(call step,checking the lints)
	@cargo clippy --quiet --locked --workspace --all-targets -- -D warnings

.PHONY: fmt
fmt: ## format all Rust code
	@cargo fmt --all

.PHONY: deny
deny: ## check licences, sources and the homes of libraries
	@tools/setup.sh deny
	$(call step,checking the licences and sources of libraries)
	@$(HOME)/.cache/duplex/cargo-deny/bin/cargo-deny --all-features --locked check --hide-inclusion-graph bans licenses sources

.PHONY: advisories
advisories: ## hold the libraries against RustSec's list of known holes, which is fetched
	@tools/setup.sh deny
	@$(HOME)/.cache/duplex/cargo-deny/bin/cargo-deny --all-features --locked check --hide-inclusion-graph advisories

.PHONY: bench
bench: page ## measure; the figures go to docs/benchmarks.md by hand
	$(call step,building the benchmarks)
	@cargo build --quiet --locked --release $(PROGRAMS) -p duplex-bench -p duplex-provider-double
	@"$$CARGO_TARGET_DIR/release/duplex-bench" $(ARGS)

.PHONY: clean-data
clean-data: ## delete every session and account of this machine, after asking
	@read -r -p "Delete $(DATA), with every session and account in it? [y/N] " sure && [ "$$sure" = y ]
	@rm -rf -- "$(DATA)"
