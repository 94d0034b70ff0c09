PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run test check audit lock bench soak clean servers

help:  ## Show what can be made.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: $(VENV)/run.stamp  ## Start the bridge on the sample in mappings/; Ctrl-C ends it.
	@$(BIN)/bridge serve --new-token sample

test: $(VENV)/dev.stamp servers  ## Run all tests.
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

check: $(VENV)/dev.stamp  ## Check style, types, imports and documentation.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/test_docs.py

# What the advisory service does not know is listed, and is no failure; a known weakness is one.
audit: $(VENV)/dev.stamp  ## Look the pinned packages up among known vulnerabilities; needs the Internet.
	@$(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off

lock: $(VENV)/dev.stamp  ## Pin the newest packages that pyproject.toml allows.
	$(UV) --extra build --output-file requirements.lock pyproject.toml
	$(UV) --extra build --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

bench: $(VENV)/dev.stamp  ## Measure the figures that the README quotes; takes minutes.
	$(BIN)/python -m benchmarks.pages
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.reads
	$(BIN)/python -m benchmarks.ldap_read
	$(BIN)/python -m benchmarks.groups
	$(BIN)/python -m benchmarks.mapping
	$(BIN)/python -m benchmarks.preview
	$(BIN)/python -m benchmarks.follow

soak: $(VENV)/dev.stamp servers  ## Live through a simulated month against a real directory, then the proof; hours.
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.proof --workers 2

clean:  ## Remove the virtual environment and the caches; the store in var/ stays.
	rm -rf $(VENV) dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The tests start their servers themselves; Debian's root can have them installed for them.
servers:
	@if [ "$$(id -u)" = 0 ] && [ -f /etc/debian_version ] && \
		! { ls /usr/lib/postgresql/*/bin/postgres /usr/sbin/slapd /usr/bin/ldapsearch \
		/usr/bin/openssl /usr/sbin/samba /usr/bin/samba-tool >/dev/null 2>&1; }; then \
		apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive \
		apt-get install --quiet=2 --yes --no-install-recommends \
		postgresql slapd slapd-contrib ldap-utils openssl samba samba-ad-provision \
		samba-dsdb-modules samba-vfs-modules winbind python3-samba ldb-tools; fi

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "The bridge runs on Python 3.11, 3.12 or 3.13, and $(PYTHON) is another one:" \
		"choose one with 'make PYTHON=python3.13 ...'." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp
