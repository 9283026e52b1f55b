# SPDX-License-Identifier: Apache-2.0
# make run: start the server from a fresh clone. make test: every check and test. Needs Python >= 3.11, nothing else.

PYTHON ?= python3
BIN := .venv/bin
PACKAGES := -e packs/faces -e packs/vision -e .
NATIVE := $(addprefix native/,pyproject.toml setup.py overt_kernels.c level.h)

.PHONY: run test test-slow check photos lock clean

run: .venv/run .photos/.done
	$(BIN)/overt up

test: .venv/dev .photos/.done tests/javascript/.done check
	$(BIN)/pytest packs/build/tests
	$(BIN)/pytest packs/faces/tests
	$(BIN)/pytest packs/vision/tests
	$(BIN)/pytest -n auto --dist loadfile

test-slow: .venv/dev .photos/.done
	$(BIN)/pytest -m slow

check: .venv/dev
	tools/check

photos: .photos/.done

# What is locked, with hashes; then our own distributions, without anything they could pull in. The one in C makes
# searches faster and does nothing else, so it may fail.
.venv/run: locks/run.txt pyproject.toml packs/faces/pyproject.toml packs/vision/pyproject.toml $(NATIVE)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "overt needs Python 3.11 or newer: make PYTHON=python3.12")'
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r locks/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(PACKAGES)
	@if $(BIN)/pip install --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall ./native \
		>.venv/native.log 2>&1; then echo "Search kernel in C: built."; else \
		$(BIN)/pip uninstall --quiet --yes overt-kernels 2>/dev/null; echo "Search kernel in C: not built, which takes" \
		"a C compiler and Python's headers (.venv/native.log); searches use a slower one."; fi
	touch $@

.venv/dev: .venv/run locks/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	touch $@

.photos/.done: tools/fetch_photos.py .venv/run
	$(BIN)/python tools/fetch_photos.py .photos
	touch $@

# The AWS SDK for JavaScript, for the tests that call the server with it; without Node those tests say so and skip.
tests/javascript/.done: tests/javascript/package-lock.json
	if command -v npm >/dev/null; then cd tests/javascript && npm ci --silent --no-audit --no-fund; fi
	touch $@

lock: .venv/dev
	tools/lock

clean:
	rm -rf .venv .photos tests/javascript/node_modules tests/javascript/.done
