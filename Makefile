# SPDX-License-Identifier: Apache-2.0
# A thin front for CMake. `make help` lists the targets.
SHELL := /bin/bash
JOBS ?= $(shell nproc)

.PHONY: kill help deps build test check analyse format demo bench cases product fuzz valgrind tsan install clean
help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

deps: ## install the Debian packages of packages.apt that are missing
	@bash scripts/deps.sh

build: deps ## the release build: build/release/accord
	@cmake --preset release --log-level=WARNING > /dev/null
	@cmake --build build/release -j $(JOBS) --target accord

test: build ## every test: unit tests under ASan and UBSan, the rest on the release build
	@cmake --preset asan --log-level=WARNING > /dev/null
	@cmake --build build/asan -j $(JOBS)
	@cmake --build build/release -j $(JOBS) --target accord_bench_register
	@bash scripts/test.sh

check: deps ## format, layers, licence lines, static analysis
	@bash scripts/check.sh

analyse: deps ## clang's path-sensitive analysis (minutes; a finding is a place to look)
	@bash scripts/analyse.sh

format: deps ## rewrite the sources in the project's format
	@git ls-files '*.[ch]' | xargs clang-format-14 -i

demo: build ## the whole story on three synthetic sites; KEEP=1 leaves it running, DATA=dir1,dir2 takes your folders
	@bash demo/run.sh

bench: build ## speed beside peers (DuckDB from npm)
	@bash bench/run.sh

cases: deps ## the cohort engine against its oracle on a million random cases (CASES)
	@bash scripts/cohort-cases.sh

product: build ## every disclosure profile x way to print x public table, attacked (half an hour; goes on where it stopped)
	@ACCORD_PRODUCT=all ACCORD=$(CURDIR)/build/release/accord SOURCE=$(CURDIR) bash tests/reference/test_disclose_product.sh

fuzz: deps ## every fuzz target for 60 s (FUZZ_SECONDS)
	@bash scripts/fuzz.sh

valgrind: deps ## the unit tests under valgrind
	@bash scripts/valgrind.sh

kill: build ## SIGKILL the register under write load, a hundred times
	@ACCORD=$(CURDIR)/build/release/accord SOURCE=$(CURDIR) ACCORD_KILLS=100 bash tests/fault/test_register_kill.sh

tsan: deps ## the threaded unit tests under ThreadSanitizer
	@cmake --preset tsan --log-level=WARNING > /dev/null && cmake --build build/tsan -j $(JOBS)
	@ctest --test-dir build/tsan -L unit --output-on-failure

install: build ## install to DESTDIR and the prefix
	@cmake --install build/release

clean: ## remove what was built
	@rm -rf build demo/run
