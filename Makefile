# make run    builds what is missing and starts wafast with its demo on http://localhost:3000
# make test   every test there is
# make fuzz   what reads foreign bytes, against made-up ones: FUZZ_SECONDS (60) a target
# make bench  numbers into bench/RESULTS.md, in 20 minutes; the long ones by name: python -m bench search
# make bench-fleet  3,000 real sessions, beside what is quoted of another program; ten minutes
#
# What is done is remembered by one stamp a step (in .build/, .venv/, web/node_modules/), so a run that was cut off
# goes on where it was and the next one starts at once.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:

UV_VERSION := 0.13.9
PYTHON     := .venv/bin/python
UV         := .venv/bin/uv
export PATH := $(CURDIR)/.venv/bin:$(HOME)/.cargo/bin:$(PATH)
export PYO3_PYTHON := $(CURDIR)/$(PYTHON)
export UV_LINK_MODE ?= copy
# Certificates as the machine has them: behind a company's proxy uv's own list is not enough.
export UV_SYSTEM_CERTS ?= true
# The same for npm, as far as Debian and its kin keep that list: Node 20 has no word for "the machine's".
CERTIFICATES := $(wildcard /etc/ssl/certs/ca-certificates.crt)
ifneq ($(CERTIFICATES),)
export NODE_EXTRA_CA_CERTS ?= $(CERTIFICATES)
endif
# wafast is many processes: where each compiles every module anew, it starts half as fast.
unexport PYTHONDONTWRITEBYTECODE

say = @printf '\n==> %s\n' '$(1)'
RUST_SOURCES   := Cargo.toml Cargo.lock $(shell find rust -name '*.rs' -o -name Cargo.toml)
PYTHON_SOURCES := $(shell find python/wafast -name '*.py' -o -name '*.sql')
WEB_SOURCES    := $(shell find web/src web/public -type f) $(wildcard web/*.ts web/*.js web/*.json web/*.html)

.PHONY: run test beside lint lint-python lint-rust lint-web fmt bench bench-fleet fuzz build prepare clean lock wheel \
	test-rust test-web test-python

run: build
	$(call say,starting wafast)
	@exec .venv/bin/wafast up --demo

# Two at a time: npm waits for the network while cargo wants the processor.
build:
	@$(MAKE) --no-print-directory -j2 .build/core .build/web

# Tests in Python mostly wait for a server or a phone: checks without a clock get what they leave of the processor.
test:
	@$(MAKE) --no-print-directory -j2 prepare test-web test-rust
	@$(MAKE) --no-print-directory -j2 test-python beside
	$(call say,everything passed)

beside:
	@nice -n 10 $(MAKE) --no-print-directory --output-sync=target lint-python lint-web

prepare: .build/core .build/web .venv/.packages-dev .build/browsers

lint: lint-python lint-rust lint-web

lint-python: .build/core .venv/.packages-dev
	$(call say,checking Python)
	ruff check python tests bench
	ruff format --check python tests bench
	mypy
	python -m mypy.stubtest wafast._core

# Clippy is the compiler of what is tested. As a step of its own it checks all that our crates stand on once more, which
# is two minutes of the processor. Each crate says that a warning is an error where Clippy reads it.
CLIPPY := RUSTC_WORKSPACE_WRAPPER=clippy-driver
# All packages, so that they have the features they were built with before, and little is compiled again.
TESTED := --release --workspace --config rust/tests.toml

lint-rust: .build/core
	$(call say,checking Rust)
	cargo fmt --all --check
	@! grep -L 'cfg_attr(clippy, deny(warnings))' rust/*/src/lib.rs rust/*/src/main.rs rust/*/examples/*.rs | \
	    sed 's/$$/ does not say that a warning is an error/' | grep .
	$(CLIPPY) cargo build $(TESTED) --lib --bins --tests --examples

lint-web: web/node_modules/.stamp .build/types
	$(call say,checking the web app)
	npm --prefix web run --silent lint
	npm --prefix web run --silent check

test-rust: lint-rust
	$(call say,testing Rust)
	$(CLIPPY) cargo test $(TESTED) --tests

test-web: web/node_modules/.stamp
	$(call say,testing the web app)
	npm --prefix web run --silent test

# Twice as many processes as cores, as most of a test is waiting: with three, two cores had work for 5 of the 13 minutes.
test-python: .build/core .build/web .venv/.packages-dev .build/browsers
	$(call say,testing Python: faults - browser - integration - unit)
	python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

fmt: .venv/.packages-dev web/node_modules/.stamp
	ruff check --fix python tests bench
	ruff format python tests bench
	cargo fmt --all
	npm --prefix web run --silent format

# Takes minutes and wants the machine for itself; the page is bench/RESULTS.md.
bench: build
	$(call say,measuring)
	$(PYTHON) -m bench

bench-fleet: build
	$(call say,measuring thousands of sessions)
	$(PYTHON) -m bench fleet

# Beside the tests: it needs a nightly compiler, and is never done. What it finds becomes a test.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := decode event history spool copy voice
fuzz: .build/core .venv/.packages-dev
	@cargo +nightly fuzz --version > /dev/null 2>&1 || { echo "make fuzz needs more: \
	rustup toolchain install nightly && cargo install cargo-fuzz --locked --version 0.13.2" >&2; exit 1; }
	$(call say,fuzzing $(FUZZ_TARGETS) - $(FUZZ_SECONDS) seconds each)
	@python -m tests.integration.core.seeds fuzz/corpus
	@for target in $(FUZZ_TARGETS); do \
	    cargo +nightly fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=20000 -verbosity=0 \
	        -print_final_stats=1 || exit 1; \
	done

wheel: build
	$(call say,building a wheel)
	maturin build --release --out target/wheels

# After a change of the dependencies in pyproject.toml.
lock: .venv/.uv
	$(UV) pip compile -q pyproject.toml --group build $(LOCK) -o requirements.lock
	$(UV) pip compile -q pyproject.toml --group dev -c requirements.lock $(LOCK) -o requirements-dev.lock

LOCK := --universal --generate-hashes --no-emit-index-url --no-header

# data/ stays: it holds paired lines and their messages
clean:
	rm -rf .build .venv target fuzz/target web/node_modules python/wafast/web python/wafast/_core*.so
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis

.build/tools:
	@mkdir -p .build
	@sh tools/check_machine.sh
	@touch $@

.venv/.uv: | .build/tools
	$(call say,making a Python environment in .venv)
	@rm -rf .venv
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.packages: requirements.lock .venv/.uv
	$(call say,installing Python packages)
	$(UV) pip install -p $(PYTHON) --require-hashes -r requirements.lock
	@touch $@

.venv/.packages-dev: requirements-dev.lock .venv/.packages
	$(call say,installing tools for tests)
	$(UV) pip install -p $(PYTHON) --require-hashes -r requirements-dev.lock
	@touch $@

# In the folder of the other cargo commands, which use most of what it compiles: a fresh clone is tested minutes sooner.
# The interpreter's binding is built anew after each of them, for seven seconds.
.build/core: $(RUST_SOURCES) pyproject.toml .venv/.packages
	$(call say,building the Rust core - two to four minutes the first time)
	maturin develop --release --uv
	@touch $@

web/node_modules/.stamp: web/package.json web/package-lock.json web/.npmrc | .build/tools
	$(call say,installing the packages of the web app)
	npm --prefix web ci
	@touch $@

# Written anew by every change of the API, but only touched when it says something else.
.build/openapi: $(PYTHON_SOURCES) .build/core
	@$(PYTHON) -m wafast.api.openapi > .build/openapi.new
	@cmp -s .build/openapi.new .build/openapi.json || cp .build/openapi.new .build/openapi.json
	@touch $@

.build/openapi.json: .build/openapi ;

.build/types: .build/openapi.json web/node_modules/.stamp
	$(call say,generating the types of the API)
	npm --prefix web run --silent types
	@touch $@

.build/web: $(WEB_SOURCES) web/node_modules/.stamp .build/types
	$(call say,building the web app)
	npm --prefix web run --silent build
	@touch $@

# Also without all that is around a page, which spares the tests a third of the processor's time: as good as all run
# there. Where it can't be had, the whole one does.
.build/browsers: | .build/tools
	@sh tools/install.sh chromium
	-@sh tools/install.sh chromium-headless-shell
	@touch $@
