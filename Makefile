# cobrowse-edge. `make` alone lists the targets. Needed: cargo, node and, where no browser or
# no pebble is installed, apt.

.DEFAULT_GOAL := help
.SUFFIXES:

CARGO ?= cargo
NPM   ?= npm
ARGS  ?=

# What `make fuzz` takes: a target of tests/fuzz, and for how many inputs.
TARGET  ?= rewriter
RUNS    ?= 1000000
MAX_LEN ?= 96

BROWSER_TESTS := tests/browser
BENCH         := --manifest-path tests/bench/Cargo.toml --target-dir target/bench/build
PLAYWRIGHT    := $(BROWSER_TESTS)/node_modules/.package-lock.json
FUZZ          := tests/fuzz
# Linted among the edge's own libraries, without the fuzzer itself: that is C++.
FUZZED        := --manifest-path $(FUZZ)/Cargo.toml --target-dir target
WEB           := src/web
WEB_MODULES   := $(WEB)/node_modules/.package-lock.json
BROWSERS      := chromium chromium-browser google-chrome-stable google-chrome

.PHONY: help demo test test-full life check fmt bench bench-guard bench-micro bench-sessions endurance fuzz clean rust-tools cargo-fuzz browser pebble slow-readers

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Show the edge at work before a small legacy bank (ARGS='--listen 127.0.0.1:9000' for another port)
	@$(CARGO) run --release --locked -- demo $(ARGS)

test: export COBROWSE_TEST_KEEP := $(CURDIR)/target/test-run
test: ## Install what is missing, then run every check and every test
	@$(MAKE) --no-print-directory check
	@rm -rf $(COBROWSE_TEST_KEEP)
	@$(MAKE) --no-print-directory pebble
	@echo "== tests"
	@$(CARGO) test --locked --quiet
	@echo "== tests of the browser's scripts"
	@$(NPM) --prefix $(WEB) --silent test
	@$(MAKE) --no-print-directory browser $(PLAYWRIGHT)
	@echo "== tests in the browser"
	@$(CARGO) build --locked --quiet
	@$(NPM) --prefix $(BROWSER_TESTS) --silent test
	@echo "== what the tests left behind"
	@node tests/leaks.mjs $(COBROWSE_TEST_KEEP)
	@echo "== all checks and tests passed"

life: ## Reload an edge 100 times, and hand over 20 times in each way, under load (make test: a few times)
	@COBROWSE_TEST_LIFE=full $(CARGO) test --locked --quiet --test it life -- --nocapture --skip slow_readers

slow-readers: ## Measure 10,000 slow readers of a 5 MB page (or as many as there are descriptors for), and what others notice of them (the edge on one processor)
	@$(CARGO) build --release --locked --quiet
	@$(CARGO) test --locked --quiet --test it --no-run
	@COBROWSE_TEST_LIFE=full COBROWSE_EDGE="$(CURDIR)/target/release/cobrowse-edge" taskset --cpu-list 1 \
		$(CARGO) test --locked --quiet --test it slow_readers -- --nocapture

test-full: ## Try what is left to chance in full: odd answers 1,000 times each, origins killed 200 times per cell
	@COBROWSE_TEST_FULL=1 $(CARGO) test --locked --test it -- answers:: truncation::killed --nocapture

check: rust-tools $(WEB_MODULES) ## Check format, lints, types and documentation; warnings are errors
	@echo "== format"
	@for package in . $(FUZZ) tests/bench; do \
		$(CARGO) fmt --check --manifest-path $$package/Cargo.toml || exit 1; \
	done
	@echo "== lints (the first build takes some minutes)"
	@$(CARGO) clippy --all-targets --locked --quiet -- -D warnings
	@echo "== lints of the edge alone"
	@$(CARGO) clippy --locked --quiet --no-default-features -- -D warnings
	@echo "== lints of the fuzz targets and of what measures"
	@CUSTOM_LIBFUZZER_PATH=/none/libfuzzer.a $(CARGO) clippy --locked --quiet $(FUZZED) -- -D warnings
	@$(CARGO) clippy --locked --quiet $(BENCH) -- -D warnings
	@echo "== types of the browser's scripts"
	@$(NPM) --prefix $(WEB) --silent run check
	@echo "== documentation"
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --locked --quiet

fmt: ## Format the code
	@for package in . $(FUZZ) tests/bench; do $(CARGO) fmt --manifest-path $$package/Cargo.toml; done

bench: ## Measure beside nginx, HAProxy and others (FULL=1 for all of it, ONLY=gzip-64k for one row)
	@CARGO="$(CARGO)" FULL="$(FULL)" tests/bench/install.sh
	@$(CARGO) build --release --locked --quiet
	@$(CARGO) build --release --locked --quiet $(BENCH)
	@FULL="$(FULL)" ONLY="$(ONLY)" BASE="$(BASE)" README="$(README)" target/bench/build/release/edge-bench

bench-guard: ## Count the instructions of the parts; over 5 % more than before is an error (RENEW=1)
	@command -v valgrind >/dev/null || { echo "bench-guard: valgrind is missing: apt-get install valgrind"; exit 1; }
	@$(CARGO) build --release --locked --quiet $(BENCH)
	@CARGO="$(CARGO)" RENEW="$(RENEW)" target/bench/build/release/edge-bench guard

bench-micro: ## Measure the parts by themselves (ARGS=name for some of them)
	@$(CARGO) bench --locked -- $(ARGS)

endurance: ## Send 100,000 GETs and 10,000 POSTs to an origin that closes connections at any moment
	@ENDURANCE_GETS=100000 ENDURANCE_POSTS=10000 $(CARGO) test --release --locked --lib -- --nocapture endurance

bench-sessions: $(PLAYWRIGHT) ## Measure sessions: processor, memory, way from visitor to agent (SESSIONS=100 SECONDS=20)
	@$(CARGO) build --release --locked --quiet
	@COBROWSE_EDGE="$(CURDIR)/target/release/cobrowse-edge" node tests/browser/e2e/load.mjs

# Without a sanitizer, which would need a nightly compiler: no code here is unsafe.
fuzz: cargo-fuzz ## Fuzz one of tests/fuzz (TARGET=rewriter RUNS=1000000 MAX_LEN=96)
	@cd $(FUZZ) && RUSTC_WRAPPER="$$PWD/instrument.sh" $(CARGO) fuzz build --fuzz-dir . --sanitizer none \
		--no-trace-compares fuzz_$(TARGET)
	@mkdir -p $(FUZZ)/corpus/$(TARGET) $(FUZZ)/artifacts/$(TARGET)
	@cd $(FUZZ) && target/*/release/fuzz_$(TARGET) corpus/$(TARGET) -artifact_prefix=artifacts/$(TARGET)/ \
		-runs=$(RUNS) -max_len=$(MAX_LEN) -print_final_stats=1 $(ARGS)

clean: ## Remove what was built
	@$(CARGO) clean
	@rm -rf $(BROWSER_TESTS)/node_modules $(WEB)/node_modules $(FUZZ)/target $(FUZZ)/corpus

# rustup's minimal profile has neither.
rust-tools:
	@$(CARGO) fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@$(CARGO) clippy --version >/dev/null 2>&1 || rustup component add clippy

cargo-fuzz:
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz

# An ACME server to order certificates of.
pebble:
	@if command -v pebble >/dev/null && command -v pebble-challtestsrv >/dev/null; then exit 0; fi; \
	echo "== pebble is missing: installing it with apt"; \
	as_root() { if [ "$$(id -u)" -eq 0 ]; then "$$@"; else sudo "$$@"; fi; }; \
	as_root apt-get update -qq && \
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq pebble >/dev/null

# A browser named by CHROMIUM is taken as it is.
browser:
	@for browser in "$$CHROMIUM" $(BROWSERS); do \
		if [ -n "$$browser" ] && command -v "$$browser" >/dev/null; then exit 0; fi; \
	done; \
	echo "== chromium is missing: installing it with apt"; \
	as_root() { if [ "$$(id -u)" -eq 0 ]; then "$$@"; else sudo "$$@"; fi; }; \
	as_root apt-get update -qq && \
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null

$(PLAYWRIGHT) $(WEB_MODULES): %/node_modules/.package-lock.json: %/package-lock.json
	@$(NPM) --prefix $* ci --no-audit --no-fund --prefer-offline --silent
	@touch $@
